"""The phone number: understand it."""

from .. import story
from ..stage import Desk
from .writing import act, counted

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
        struggle_signal=counted("unique", "phone_struggled"),
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
