"""What the team did, act by act, in the order in which it happened.

    @act(day, hour, who)
    def what_they_did(desk): ...

Every act goes through the public API as the colleague who does it; nothing here knows how anything is stored. What is
quoted, measured or decided in an act was there to be quoted, measured or decided on that day.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from . import asking, story, wire, words
from .stage import Act, Desk
from .story import Calendar

Play = Callable[[Desk], None]
_WRITTEN: list[tuple[float, float, str, Play]] = []


def act(day: float, hour: float, who: str) -> Callable[[Play], Play]:
    """Adds an act to the script."""

    def add(play: Play) -> Play:
        _WRITTEN.append((day, hour, who, play))
        return play

    return add


def acts(calendar: Calendar) -> Iterator[Act]:
    """The whole script with its dates."""
    for day, hour, who, play in _WRITTEN:
        yield Act(calendar.at(day, hour), who, play)
    yield from _linking(calendar)


# --- the first days: what do we want to change? ------------------------------------------------------------------------

CONVERSIONS = (
    ("activated_7d", "Activated in 7 days", "sign_up_started", "first_booking", 7, "up"),
    ("signed_up", "Finish the sign-up", "sign_up_started", "sign_up_confirmed", 1, "up"),
    ("phone_given", "Give a phone number at sign-up", "email_entered", "phone_entered", 1, "up"),
    ("phone_struggle", "Struggle with the phone number", "sign_up_started", "phone_struggled", 7, "down"),
    ("spam_accounts", "Spam accounts", "sign_up_started", "account_flagged_spam", 7, "down"),
    ("support_contacts", "Write to support in their first week", "sign_up_started", "support_contacted", 7, "down"),
    ("attended_7d", "Come to the class they booked", "first_booking", "class_attended", 7, "up"),
    ("second_booking", "Book a second class in 4 weeks", "first_booking", "class_booked", 28, "up"),
)


@act(0, 9.0, "jonas")
def define_the_metrics(desk: Desk) -> None:
    for key, name, entry, goal, days, direction in CONVERSIONS:
        definition = {"version": 1, "kind": "conversion", "from": entry, "to": goal, "within_days": days}
        desk.post("metrics", key=key, name=name, definition=definition, direction=direction)
    desk.post("metrics", key="visitors", name="People in the app", definition=_event("unique", "app_opened"))
    desk.post("metrics", key="bookings", name="First bookings", definition=_event("count", "first_booking"))
    crashes = _event("count", "app_crashed")
    desk.post("metrics", key="crashes", name="Crashes", definition=crashes, direction="down")


def _event(kind: str, event: str) -> dict[str, Any]:
    return {"version": 1, "kind": kind, "event": event}


@act(1, 10.0, "jonas")
def aim(desk: Desk) -> None:
    desk.make(
        "outcomes",
        "activated",
        title="Activated in 7 days",
        description="Whoever opens the sign-up books a first class within a week. Without that, nobody stays.",
        metric_key="activated_7d",
        target=40,
        due=(desk.calendar.today + timedelta(days=110)).date().isoformat(),
        counter_metric_keys=["spam_accounts", "support_contacts"],
        owner="jonas@sprout.example",
    )
    desk.make(
        "outcomes",
        "again",
        title="Come back for a second class",
        description="One class is a nice Saturday. Two make somebody a gardener.",
        metric_key="second_booking",
        target=40,
        due=(desk.calendar.today + timedelta(days=200)).date().isoformat(),
        owner="mei@sprout.example",
    )


# --- the evening reminder: a small thing, done properly -----------------------------------------------------------------


@act(1, 11.0, "priya")
def hear_of_forgotten_classes(desk: Desk) -> None:
    desk.make(
        "opportunities",
        "forgotten",
        under="again",
        kind="pain_point",
        title="I forget that I booked",
        description="People book days or weeks ahead. Whoever misses the first class rarely books a second one.",
    )


@act(1, 14.0, "luis")
def propose_a_reminder(desk: Desk) -> None:
    desk.make(
        "solutions",
        "reminder",
        under="forgotten",
        title="A reminder the evening before",
        description="One message at 19:00 with the address and what to bring.",
        owner="luis@sprout.example",
    )
    desk.make(
        "assumptions",
        "they-forget",
        under="reminder",
        assumption_type="desirability",
        title="They forget; they have not changed their mind",
        importance=5,
    )
    desk.make(
        "tests",
        "missed",
        under="they-forget",
        method="data_mining",
        title="Did people who missed a class look at it again before?",
        success_criterion="Of 60 missed bookings of last month, at least 30 never opened the app in the three days before.",
    )
    desk.post(f"tests/{desk.ref('missed')}/start")


@act(2, 9.5, "luis")
def find_that_they_forget(desk: Desk) -> None:
    result = "41 of 60 had not opened the app in the three days before. They did not decide anything: they forgot."
    desk.post(f"tests/{desk.ref('missed')}/conclude", verdict="validated", result=result)
    low, likely, high = story.FORECASTS["evening_reminder"]
    desk.make(
        "hypotheses",
        "reminder-prediction",
        under="reminder",
        change="One message on the evening before a class",
        who="people with a first booking",
        behaviour="come to the class they booked",
        metric_key="attended_7d",
        forecast_low=low,
        forecast_likely=likely,
        forecast_high=high,
        horizon_days=story.REMINDER_HORIZON,
        guardrails=[{"metric_key": "support_contacts", "direction": "up", "margin": 1.0}],
    )
    desk.post(f"solutions/{desk.ref('reminder')}/state", state="building")
    desk.post(
        "tickets", ticket="#31", title="Evening reminder", state="closed", author="luis", body="One message, not three."
    )
    desk.post(f"nodes/{desk.ref('reminder')}/tickets", ticket="#31")
    _create_flag(desk, "evening_reminder", "Message on the evening before a class", "reminder-prediction")
    _plan(desk, "reminder-experiment", "evening_reminder")


def _create_flag(desk: Desk, key: str, name: str, hypothesis: str) -> None:
    weights = story.ROLLOUTS[key][0].weights
    desk.post("flags", key=key, name=name, weights=weights, hypothesis=desk.ref(hypothesis))


def _plan(desk: Desk, name: str, flag: str, *, also: str = "") -> None:
    """What decides and what guards is the hypothesis's; the start is small, as the rollout's first step says."""
    first = story.ROLLOUTS[flag][0]
    plan: dict[str, Any] = {"weights": first.weights, "coverage_percent": first.coverage / 100}
    made = desk.make("experiments", name, flag=flag, plan=plan)
    if also:
        metrics = desk.get(f"experiments/{made}")["plan"]["metrics"]
        desk.patch(f"experiments/{made}", plan={"metrics": [metrics[0], {"key": also}, *metrics[1:]]})


def _start(desk: Desk, name: str) -> None:
    desk.catch_up()
    desk.post(f"experiments/{desk.ref(name)}/start")


def _roll_out(desk: Desk, key: str, step: int) -> None:
    desk.catch_up()
    wanted = story.ROLLOUTS[key][step]
    desk.post(f"flags/{key}/rollout", coverage_percent=wanted.coverage / 100, weights=wanted.weights)


@act(2, 11.0, "jonas")
def expect_of_the_reminder(desk: Desk) -> None:
    _expect(desk, "reminder-prediction", "evening_reminder")


@act(story.REMINDER_OPENED, story.OPENED_AT_HOUR, "luis")
def open_the_reminder(desk: Desk) -> None:
    _start(desk, "reminder-experiment")


@act(story.REMINDER_DECIDED, 8.0, "jonas")
def decide_the_reminder(desk: Desk) -> None:
    desk.catch_up()
    due = next(r for r in desk.get("reviews", decided=False) if r["solution"] == desk.ref("reminder"))
    review = desk.post(f"reviews/{due['ref']}/fill")
    effect = review["result"]["contrast"]["difference"]["value"]
    desk.post(
        f"reviews/{due['ref']}/decide",
        verdict="achieved",
        decision="keep",
        learning=(
            f"One message on the evening before brings {effect:.0f} more of 100 people to the class they booked. "
            "People had forgotten; they had not changed their mind."
        ),
    )


@act(story.REMINDER_DECIDED, story.OPENED_AT_HOUR, "luis")
def remind_everybody(desk: Desk) -> None:
    _roll_out(desk, "evening_reminder", 1)


# --- the phone number: understand it --------------------------------------------------------------------------------------


# What Mei asks; and what Tom asked, which the lint points at.
GUIDES = {
    "The last time you opened Sprout": """\
Tell me about the last time you opened Sprout.
What had happened just before?
Walk me through what you did next.
Where did you stop?
What did you do instead?
What else should I have asked?""",
    "Signing in with Google": """\
Would you use a button “Continue with Google”?
How much easier would that be for you?
What do you think of our form?
Tell me about the last time you signed in anywhere.""",
}


@act(3, 16.0, "mei")
def write_a_guide(desk: Desk) -> None:
    _write_guide(desk, "The last time you opened Sprout")


@act(6, 16.0, "tom")
def write_a_leading_guide(desk: Desk) -> None:
    _write_guide(desk, "Signing in with Google")


def _write_guide(desk: Desk, name: str) -> None:
    desk.put("interview-guides", name=name, questions=GUIDES[name])


@act(story.PHONE_FOUND, 10.0, "mei")
def write_down_the_phone_problem(desk: Desk) -> None:
    desk.make(
        "opportunities",
        "phone",
        under="activated",
        kind="pain_point",
        title="I don't know why you need my phone number",
        description="The form asks for the number on its second step, before anybody has seen a class from the inside.",
        segment="new people",
        struggle_signal=_event("unique", "phone_struggled"),
        in_focus=True,
    )


@act(6, 9.0, "ana")
def propose_to_defer(desk: Desk) -> None:
    desk.make(
        "solutions",
        "defer",
        under="phone",
        title="Defer phone number to first booking",
        description="The sign-up asks for the e-mail address only. Whoever books is asked for the number there, once.",
        owner="ana@sprout.example",
    )


@act(6, 9.2, "mei")
def propose_to_explain(desk: Desk) -> None:
    desk.make(
        "solutions",
        "explain",
        under="phone",
        title="Explain why we ask, next to the field",
        description="One line under the field: who sees the number, and what for.",
        owner="mei@sprout.example",
    )


@act(6, 15.0, "tom")
def propose_social_sign_in(desk: Desk) -> None:
    desk.make(
        "solutions",
        "social",
        under="phone",
        title="Social sign-in",
        description="“Continue with Google” on the welcome screen, so that nobody fills in a form.",
        owner="tom@sprout.example",
    )


@act(7, 11.0, "jonas")
def write_down_the_wish_to_look_around(desk: Desk) -> None:
    desk.make(
        "opportunities",
        "look",
        under="activated",
        kind="need",
        title="I wanted to look around first",
        description="Three classes and two lines each are visible without an account; prices and dates are not.",
    )


@act(9, 16.0, "luis")
def remember_the_late_codes(desk: Desk) -> None:
    desk.make(
        "opportunities",
        "code",
        under="activated",
        kind="pain_point",
        title="The code came after I had given up",
        description="From reviews of the time before the second provider. Does it still hurt anybody?",
    )


@act(11, 17.0, "ana")
def write_down_the_works_council(desk: Desk) -> None:
    desk.make(
        "opportunities",
        "work",
        under="activated",
        kind="need",
        title="At work we cannot give phone numbers",
        segment="teams and trainees",
        description="Whoever books for a team may not hand private numbers to a third party.",
    )


@act(10, 10.0, "ana")
def say_what_must_be_true(desk: Desk) -> None:
    desk.make(
        "assumptions",
        "go-on",
        under="defer",
        assumption_type="desirability",
        title="People go on when nobody asks for the number",
        importance=5,
    )
    desk.make(
        "tests",
        "usability",
        under="go-on",
        method="usability_test",
        title="Three people sign up on a clickable prototype without the field",
        success_criterion="3 of 3 get to the list of classes without help and without asking what something is for.",
        cost_days=0.5,
        measure={"version": 1, "kind": "people", "of": 3, "needed": 3},
        due=desk.calendar.at(story.USABILITY_DAY).date().isoformat(),
    )
    desk.make(
        "assumptions",
        "not-needed",
        under="defer",
        assumption_type="feasibility",
        title="Nothing reads the number before the first booking",
        importance=4,
    )
    desk.make(
        "tests",
        "spike",
        under="not-needed",
        method="research_spike",
        title="Follow the number through the code",
        cost_days=0.25,
        success_criterion="Every place that reads it runs after a booking was made.",
    )
    desk.post(f"tests/{desk.ref('spike')}/start")
    desk.make(
        "assumptions",
        "no-spam",
        under="defer",
        assumption_type="viability",
        title="Without the number, not many more spam accounts come in",
        importance=4,
    )
    desk.make(
        "assumptions",
        "believe",
        under="explain",
        assumption_type="desirability",
        title="People believe the reason",
        importance=3,
    )
    desk.make(
        "tests",
        "say-back",
        under="believe",
        method="one_question_survey",
        title="Five people read the line and say it back",
        cost_days=0.5,
        measure={"version": 1, "kind": "people", "of": 5, "needed": 4},
        success_criterion="4 of 5 say in their own words that the teacher will see the number, and nobody else.",
    )
    desk.make(
        "assumptions",
        "read-it",
        under="explain",
        assumption_type="usability",
        title="People read the text next to the field",
        importance=5,
    )
    desk.make(
        "tests",
        "watch",
        under="read-it",
        method="usability_test",
        title="Five people fill in the form while we watch their eyes",
        cost_days=0.5,
        measure={"version": 1, "kind": "people", "of": 5, "needed": 3},
        success_criterion="3 of 5 stop at the line before they type or leave.",
    )
    desk.make(
        "assumptions",
        "rather-google",
        under="social",
        assumption_type="desirability",
        title="People would rather press a button of Google's than fill in our form",
        importance=5,
    )
    needed, seen = story.FAKE_DOOR_NEEDED, story.FAKE_DOOR_SEEN
    desk.make(
        "tests",
        "door",
        under="rather-google",
        method="fake_door",
        title="A button “Continue with Google” that leads to a thank-you",
        success_criterion=f"{needed} of {seen} people who see the button press it.",
        cost_days=0.5,
        measure={
            "version": 1,
            "kind": "fake_door",
            "seen": "social_sign_in_shown",
            "pressed": "social_sign_in_pressed",
            "of": seen,
            "needed": needed,
        },
    )


@act(11, 12.0, "luis")
def follow_the_number_through_the_code(desk: Desk) -> None:
    result = (
        "Two places read it: the code that proves it, and the list that teachers print. Both can wait for a booking."
    )
    desk.post(f"tests/{desk.ref('spike')}/conclude", verdict="validated", result=result)


@act(12, 9.0, "mei")
def begin_the_usability_round(desk: Desk) -> None:
    desk.post(f"tests/{desk.ref('usability')}/start")


@act(12, 17.0, "mei")
def end_the_usability_round(desk: Desk) -> None:
    for said in ("38 seconds", "52 seconds, asked about the company's size", "65 seconds, asked it too"):
        desk.post(f"tests/{desk.ref('usability')}/sessions", passed=True, note=said)
    result = "3 of 3, in 38 to 65 seconds. Two asked afterwards why the app wants to know the size of their company."
    desk.post(f"tests/{desk.ref('usability')}/conclude", verdict="validated", result=result)


@act(story.FAKE_DOOR_DAY, 5.5, "tom")
def open_the_fake_door(desk: Desk) -> None:
    desk.post(f"tests/{desk.ref('door')}/start")


@act(story.SOCIAL_DROPPED, 9.0, "tom")
def shut_the_fake_door(desk: Desk) -> None:
    desk.catch_up()
    shows = desk.get(f"tests/{desk.ref('door')}/progress")
    desk.post(
        f"tests/{desk.ref('door')}/conclude", verdict=shows["proposed"], result=f"{shows['text']}. {shows['detail']}"
    )


@act(story.SOCIAL_DROPPED, 9.5, "tom")
def challenge_the_fake_door(desk: Desk) -> None:
    note = desk.note(
        "social",
        "challenge",
        "Every competitor has it, and I hear it in demos. One day on one screen does not settle it.",
    )
    mei = desk.colleague("mei")
    mei.answer(
        note,
        f"{story.FAKE_DOOR_PRESSED} of {story.FAKE_DOOR_SEEN} is between 1 and 4 of 100 with 95 % certainty; we had agreed "
        "on 10 before we looked. People in your demos are not people on a tram. If a partner asks for it in writing, "
        "we look again.",
    )


@act(story.SOCIAL_DROPPED, 11.0, "jonas")
def drop_social_sign_in(desk: Desk) -> None:
    reason = (
        f"{story.FAKE_DOOR_PRESSED} of {story.FAKE_DOOR_SEEN} people pressed the button; the test needed "
        f"{story.FAKE_DOOR_NEEDED}. Nobody wrote a line of code for it."
    )
    desk.post(f"solutions/{desk.ref('social')}/state", state="dropped", reason=reason)


@act(13, 15.0, "mei")
def ask_people_to_say_it_back(desk: Desk) -> None:
    desk.post(f"tests/{desk.ref('say-back')}/start")


@act(15, 12.0, "mei")
def hear_it_said_back(desk: Desk) -> None:
    for passed in (True, True, False, True, True):
        note = "" if passed else "“They all write that.”"
        desk.post(f"tests/{desk.ref('say-back')}/sessions", passed=passed, note=note)
    result = "4 of 5. The fifth said: “They all write that.”"
    desk.post(f"tests/{desk.ref('say-back')}/conclude", verdict="validated", result=result)


# --- the phone number: predict, then build ----------------------------------------------------------------------------------


@act(15, 14.0, "ana")
def predict_the_deferral(desk: Desk) -> None:
    low, likely, high = story.FORECASTS["defer_phone"]
    desk.make(
        "hypotheses",
        "defer-prediction",
        under="defer",
        change="The phone number is asked at the first booking instead of the sign-up",
        who="people who open the sign-up",
        behaviour="book a first class within 7 days",
        metric_key="activated_7d",
        forecast_low=low,
        forecast_likely=likely,
        forecast_high=high,
        horizon_days=story.DEFER_HORIZON,
        guardrails=[
            {"metric_key": "spam_accounts", "direction": "up", "margin": 0.5},
            {"metric_key": "support_contacts", "direction": "up", "margin": 1.0},
            {"metric_key": "phone_struggle", "direction": "up", "margin": 0.0},
        ],
    )
    desk.note(
        "defer",
        "constraint",
        "Each text message costs 6 cents. Who books without a number gets a second one: we ask twice for about 8 of 100 people.",
        cost="6 cents for each code, about 40 euros a month",
        alternative="Prove the number by e-mail link and send no code at all.",
    )
    desk.post(f"solutions/{desk.ref('defer')}/state", state="building")
    desk.post("tickets", ticket="#41", title="Phone number optional at sign-up?", state="open", author="priya")
    desk.post(f"nodes/{desk.ref('defer')}/tickets", ticket="#41")


@act(15, 15.0, "mei")
def expect_of_the_deferral(desk: Desk) -> None:
    _expect(desk, "defer-prediction", "defer_phone")


def _expect(desk: Desk, hypothesis: str, flag: str) -> None:
    """Everybody says what they expect, each before they see the others'."""
    for who, (low, likely, high) in story.EXPECTED[flag].items():
        desk.colleague(who).post(f"hypotheses/{desk.ref(hypothesis)}/predictions", low=low, likely=likely, high=high)


@act(16, 10.0, "jonas")
def measure_the_baseline(desk: Desk) -> None:
    desk.catch_up()
    now = desk.get("metrics/activated_7d/measure")
    desk.patch(f"outcomes/{desk.ref('activated')}", baseline=round(now["value"], 1))


@act(16, 11.0, "ana")
def make_the_flag(desk: Desk) -> None:
    _create_flag(desk, "defer_phone", "Ask for the phone number at the first booking", "defer-prediction")
    _plan(desk, "defer-experiment", "defer_phone", also="second_booking")


@act(18, 16.0, "luis")
def cut_a_corner(desk: Desk) -> None:
    text = "Whoever leaves the booking halfway is asked for the number again: no draft is kept."
    desk.post("debts", solution=desk.ref("defer"), text=text)


@act(16, 11.5, "jonas")
def decide_on_the_order(desk: Desk) -> None:
    desk.note(
        "phone",
        "decision",
        "Defer first, explain second. Both are small; deferring helps also those whom no reason would convince. "
        "Look again when the first one is measured.",
    )


@act(story.DEFER_OPENED, story.OPENED_AT_HOUR, "ana")
def open_the_deferral(desk: Desk) -> None:
    _start(desk, "defer-experiment")


@act(story.DEFER_OPENED + 2, story.OPENED_AT_HOUR, "ana")
def widen_the_deferral(desk: Desk) -> None:
    _roll_out(desk, "defer_phone", 1)


@act(story.DEFER_OPENED + 6, story.OPENED_AT_HOUR, "ana")
def split_everybody(desk: Desk) -> None:
    _roll_out(desk, "defer_phone", 2)


# --- the phone number: look at it ------------------------------------------------------------------------------------------

STRUGGLED = {"version": 1, "all": [{"did": "phone_struggled"}]}
# Those in whose sign-up the number is asked, whatever the flag is at: where they leave is what the problem is about.
WHERE_THEY_LEAVE: dict[str, Any] = {
    "version": 1,
    "kind": "funnel",
    "steps": ["sign_up_started", "email_entered", "phone_entered", "company_size_chosen", "sign_up_confirmed"],
    "within": "1h",
    "days": 28,
    "where": [{"field": "flag:defer_phone", "operator": "is", "values": ["off"]}],
}
STRUGGLE_BY_DAY: dict[str, Any] = {
    "version": 1,
    "kind": "trends",
    "series": ["phone_struggled"],
    "measure": "people",
    "interval": "day",
    "by": "flag:defer_phone",
    "days": 56,
}
BOOKINGS_BY_WEEK: dict[str, Any] = {
    "version": 1,
    "kind": "trends",
    "series": ["first_booking"],
    "measure": "people",
    "interval": "week",
    "days": 56,
}


@act(9, 11.0, "mei")
def count_those_who_struggle(desk: Desk) -> None:
    desk.catch_up()
    desk.post("cohorts", key="struggled", name="Struggled with the phone number", definition=STRUGGLED)


@act(story.DEFER_OPENED + 7, 9.5, "ana")
def put_up_a_board(desk: Desk) -> None:
    asked = (
        ("Where the sign-up loses those who are asked for a number", WHERE_THEY_LEAVE),
        ("First bookings a week", BOOKINGS_BY_WEEK),
        ("Who struggles with the number: off is asked at the sign-up, on at the first booking", STRUGGLE_BY_DAY),
    )
    kept = [desk.post("questions", title=title, question=question)["ref"] for title, question in asked]
    *narrow, wide = kept
    board = desk.post("boards", title="The sign-up", questions=narrow)["number"]
    desk.post(f"boards/{board}/cards", question=wide, wide=True)


@act(story.SURVEY_STARTED, 10.5, "mei")
def ask_how_easy_it_was(desk: Desk) -> None:
    """On the web only, after the sign-up: the apps' next release takes a month."""
    desk.make(
        "surveys",
        "how-easy",
        title="How was signing up?",
        questions=list(asking.QUESTIONS),
        thanks="Thank you. We read every answer.",
        in_page=True,
        after_event="sign_up_confirmed",
        flag="defer_phone",
        share=story.SURVEY_SHARE,
        stop_at=story.SURVEY_ANSWERS,
        origins=[wire.PAGES],
    )
    desk.post(f"surveys/{desk.ref('how-easy')}/start")


# --- the phone number: those who asked ----------------------------------------------------------------------------------------


@act(35, 10.0, "priya")
def tell_those_who_asked(desk: Desk) -> None:
    desk.catch_up()
    message = (
        "You told us that you stopped at the phone number. The sign-up asks for your e-mail address only; we ask for the "
        "number when you book, because on the day the teacher has to reach you."
    )
    way = desk.put(f"solutions/{desk.ref('defer')}/loop", message=message)
    desk.post(f"solutions/{desk.ref('defer')}/loop/tell", people=way["to_tell"])


@act(story.LOOP_ASKED, 10.0, "priya")
def ask_whether_it_helped(desk: Desk) -> None:
    way = desk.get(f"solutions/{desk.ref('defer')}/loop")
    desk.post(f"solutions/{desk.ref('defer')}/loop/ask", people=way["to_ask"])


@act(story.LOOP_ASKED, 19.3, "priya")
def hear_that_it_helped(desk: Desk) -> None:
    words = "Yes. I saw the prices, slept on it and booked. The number was fine by then."
    desk.hear_back("defer", "phone-prices", solved=True, words=words)


@act(story.LOOP_ASKED + 1, 8.6, "priya")
def hear_that_it_did_not(desk: Desk) -> None:
    words = "Not quite. It wants the number later now, just when I pay, and again no word about what for."
    desk.hear_back("defer", "phone-why", solved=False, words=words)


@act(story.LOOP_ASKED + 1, 21.2, "priya")
def hear_it_from_the_tram(desk: Desk) -> None:
    words = "It did. I looked on the tram and booked in the evening, as I told you I would."
    desk.hear_back("defer", "Wiktor Kowalski", solved=True, words=words)


# --- meanwhile ---------------------------------------------------------------------------------------------------------------


@act(20, 16.0, "mei")
def think_of_guests(desk: Desk) -> None:
    desk.make(
        "solutions",
        "guest",
        under="look",
        title="Browse as a guest",
        description="All classes with prices and dates, without an account. Sign up when you book.",
    )
    desk.make(
        "assumptions",
        "guests-return",
        under="guest",
        assumption_type="desirability",
        title="Who looked around comes back to sign up",
        importance=5,
    )
    desk.make(
        "tests",
        "shared-links",
        under="guests-return",
        method="data_mining",
        title="What happens after somebody opens a shared class?",
        success_criterion="At least 15 of 100 who opened a shared link sign up within a week.",
    )


@act(21, 10.0, "priya")
def ask_about_guests(desk: Desk) -> None:
    desk.note("guest", "question", "What do teachers say about prices being public? Two of them set them by the group.")


@act(33, 10.0, "priya")
def hear_of_moved_dates(desk: Desk) -> None:
    desk.make(
        "opportunities",
        "move",
        under="again",
        kind="pain_point",
        title="I can't change the date without starting again",
        description="Moving a class means cancelling, waiting for the refund, and booking again.",
    )


@act(story.CRASHES_WATCHED, 9.0, "luis")
def watch_the_crashes(desk: Desk) -> None:
    rule = {"version": 1, "kind": "band", "low": None, "high": story.MOST_CRASHES}
    desk.post("alerts", metric="crashes", rule=rule)


@act(46, 9.5, "priya")
def answer_the_nurse(desk: Desk) -> None:
    text = (
        "There is no such button yet. Four people have asked for one, and we have written it down as a problem of ours. "
        "Until there is one, a line to us is enough: we move your class on the same day."
    )
    desk.post(f"feedback/{desk.heard('date-nurse')}/remarks", kind="answer", text=text)


@act(57, 11.0, "mei")
def open_the_feedback_box(desk: Desk) -> None:
    desk.put("feedback-settings", from_pages=True, page_origins=[wire.PAGES])


@act(39, 15.0, "luis")
def think_of_moving_a_booking(desk: Desk) -> None:
    desk.make(
        "solutions",
        "move-booking",
        under="move",
        title="Move a booking to another day",
        description="One button on the booking, as long as the other day has a place.",
    )


@act(37, 10.0, "mei")
def measure_the_second_baseline(desk: Desk) -> None:
    desk.catch_up()
    now = desk.get("metrics/second_booking/measure", days=60)
    desk.patch(f"outcomes/{desk.ref('again')}", baseline=round(now["value"], 1))


# --- explain why: running -----------------------------------------------------------------------------------------------------


@act(49, 11.0, "mei")
def predict_the_explanation(desk: Desk) -> None:
    low, likely, high = story.FORECASTS["explain_phone"]
    desk.make(
        "hypotheses",
        "explain-prediction",
        under="explain",
        change="A line under the phone field says who sees the number and what for",
        who="people who still see the field at sign-up",
        behaviour="book a first class within 7 days",
        metric_key="activated_7d",
        forecast_low=low,
        forecast_likely=likely,
        forecast_high=high,
        horizon_days=story.EXPLAIN_HORIZON,
        guardrails=[{"metric_key": "support_contacts", "direction": "up", "margin": 1.0}],
    )
    desk.post(f"solutions/{desk.ref('explain')}/state", state="building")


@act(49, 14.0, "priya")
def expect_of_the_explanation(desk: Desk) -> None:
    _expect(desk, "explain-prediction", "explain_phone")


@act(50, 10.0, "luis")
def make_the_second_flag(desk: Desk) -> None:
    _create_flag(desk, "explain_phone", "Say why we ask for the phone number", "explain-prediction")
    _plan(desk, "explain-experiment", "explain_phone", also="phone_given")


@act(story.EXPLAIN_OPENED, story.OPENED_AT_HOUR, "mei")
def open_the_explanation(desk: Desk) -> None:
    _start(desk, "explain-experiment")


@act(story.EXPLAIN_OPENED + 3, story.OPENED_AT_HOUR, "mei")
def widen_the_explanation(desk: Desk) -> None:
    _roll_out(desk, "explain_phone", 1)


@act(56, 14.0, "tom")
def challenge_the_explanation(desk: Desk) -> None:
    desk.note(
        "explain",
        "challenge",
        "Two companies told me their works council forbids it, whatever we write next to the field. "
        "Explaining will not help them. Who is this for?",
    )


@act(story.DEFER_OPENED + story.DEFER_HORIZON, 9.5, "ana")
def let_the_review_fill_itself(desk: Desk) -> None:
    """What the hourly job does once a review is due."""
    desk.catch_up()
    due = next(r for r in desk.get("reviews", decided=False) if r["solution"] == desk.ref("defer"))
    desk.post(f"reviews/{due['ref']}/fill")


# --- this week ---------------------------------------------------------------------------------------------------------------


@act(58, 9.0, "jonas")
def bring_in_the_tickets(desk: Desk) -> None:
    rows = [
        {
            "ticket": "#57",
            "title": "Build sign-up form, collect user info.",
            "state": "open",
            "author": "tom",
            "body": "",
        },
        {
            "ticket": "#58",
            "title": "Class page: show the teacher's other classes",
            "state": "open",
            "author": "mei",
            "body": "Asked for in interviews, twice.",
        },
        {
            "ticket": "#59",
            "title": "Calendar export is one hour early",
            "state": "open",
            "author": "priya",
            "body": "DTSTART has no time zone.",
        },
    ]
    desk.post("tickets/import", tickets=[{"row": number, **row} for number, row in enumerate(rows, 2)])


# --- who linked whose words to what ---------------------------------------------------------------------------------------------

# The opportunity, the voice's key, how much it matters to them (0 to 3), who linked it, and on which day at the earliest.
LINKS = (
    ("forgotten", "forgot-paid", 2, "priya", 1),
    ("forgotten", "forgot-shift", 1, "priya", 1),
    ("forgotten", "forgot-store", 2, "priya", 1),
    ("forgotten", "forgot-survey", 1, "luis", 2),
    ("phone", "phone-store", 2, "mei", 5),
    ("phone", "phone-prices", 3, "mei", 5),
    ("phone", "phone-trainees", 2, "priya", 5),
    ("phone", "phone-survey", 1, "jonas", 7),
    ("phone", "phone-github", 2, "luis", 9),
    ("phone", "phone-why", 2, "mei", 10),
    ("phone", "phone-dating", 3, "mei", 15),
    ("phone", "phone-scared", 2, "priya", 23),
    ("phone", "phone-work", 2, "ana", 34),
    ("phone", "phone-again", 2, "priya", 42),
    ("phone", "phone-newest", 2, "jonas", 55),
    ("work", "phone-trainees", 3, "ana", 12),
    ("work", "work-council", 3, "tom", 17),
    ("look", "look-store", 2, "jonas", 7),
    ("look", "look-balcony", 1, "jonas", 7),
    ("look", "look-survey", 1, "jonas", 8),
    ("look", "look-husband", 2, "priya", 20),
    ("look", "look-school", 3, "priya", 29),
    ("look", "look-door", 2, "mei", 37),
    ("look", "look-newest", 3, "mei", 48),
    ("code", "code-1", 3, "luis", 9),
    ("code", "code-2", 3, "luis", 9),
    ("code", "code-3", 2, "luis", 9),
    ("move", "date-again", 2, "priya", 33),
    ("move", "date-cancel", 3, "priya", 39),
    ("move", "date-nurse", 3, "priya", 45),
    ("move", "date-two", 2, "luis", 53),
)
# The opportunity that an interview's marked words speak for, by the first part of their name.
SPEAKS_FOR = {"phone": "phone", "look": "look", "work": "work", "forgot": "forgotten"}
AFTER_THE_TALK = 26.0  # hours: highlights are marked on the day after


def _linking(calendar: Calendar) -> Iterator[Act]:
    keys = words.keys()
    for opportunity, key, importance, who, day in LINKS:
        at = max(calendar.at(day, 18), calendar.at(keys[key].day + 0.9, 18))
        yield Act(at, who, _link(opportunity, key, keys[key].marked, importance))
    for talk in words.interviews():
        at = calendar.at(talk.day, 14 + AFTER_THE_TALK)
        first = dict(_one_for_each(talk))
        for quote, said in first.items():
            yield Act(at, "mei", _link(SPEAKS_FOR[quote], talk.name, said, 3 if talk.company else 2))
        for said in talk.quotes.values():
            if said not in first.values():
                yield Act(at, "mei", _mark(talk.name, said))
        if talk.snapshot:
            yield Act(calendar.at(talk.day, 15.2), "mei", _snapshot(talk))


def _one_for_each(talk: words.Interview) -> Iterator[tuple[str, str]]:
    """The first highlight for each opportunity: a person counts once."""
    first: dict[str, str] = {}
    for name, said in talk.quotes.items():
        first.setdefault(name.split("-")[0], said)
    yield from first.items()


def _snapshot(talk: words.Interview) -> Play:
    """In the quarter of an hour after the talk."""
    steps = [{"step": step} for step in talk.snapshot["experience_map"]]
    parts = {**talk.snapshot, "name": talk.name.split()[0], "experience_map": steps}
    return lambda desk: desk.put(f"interviews/{desk.heard(talk.name)}/snapshot", **parts)


def _mark(key: str, quote: str) -> Play:
    return lambda desk: desk.mark(key, quote=quote)


def _link(opportunity: str, key: str, quote: str, importance: int) -> Play:
    return lambda desk: desk.link(opportunity, key, quote=quote, importance=importance)
