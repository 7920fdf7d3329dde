"""The first days: what do we want to change? And a small thing, done properly."""

from datetime import timedelta

from .. import story
from ..stage import Desk
from .writing import act, counted, create_flag, expect, plan_experiment, roll_out, start_experiment

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
    desk.post("metrics", key="visitors", name="People in the app", definition=counted("unique", "app_opened"))
    desk.post("metrics", key="bookings", name="First bookings", definition=counted("count", "first_booking"))
    crashes = counted("count", "app_crashed")
    desk.post("metrics", key="crashes", name="Crashes", definition=crashes, direction="down")


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
    create_flag(desk, "evening_reminder", "Message on the evening before a class", "reminder-prediction")
    plan_experiment(desk, "reminder-experiment", "evening_reminder")


@act(2, 11.0, "jonas")
def expect_of_the_reminder(desk: Desk) -> None:
    expect(desk, "reminder-prediction", "evening_reminder")


@act(story.REMINDER_OPENED, story.OPENED_AT_HOUR, "luis")
def open_the_reminder(desk: Desk) -> None:
    start_experiment(desk, "reminder-experiment")


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
        move_flag=False,  # Luis does it a little later
        learning=(
            f"One message on the evening before brings {effect:.0f} more of 100 people to the class they booked. "
            "People had forgotten; they had not changed their mind."
        ),
    )


@act(story.REMINDER_DECIDED, story.OPENED_AT_HOUR, "luis")
def remind_everybody(desk: Desk) -> None:
    roll_out(desk, "evening_reminder", 1)
