"""A second idea still running, and this week's tickets."""

from .. import story
from ..stage import Desk
from .writing import act, create_flag, expect, plan_experiment, roll_out, start_experiment


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
    expect(desk, "explain-prediction", "explain_phone")


@act(50, 10.0, "luis")
def make_the_second_flag(desk: Desk) -> None:
    create_flag(desk, "explain_phone", "Say why we ask for the phone number", "explain-prediction")
    plan_experiment(desk, "explain-experiment", "explain_phone", also="phone_given")


@act(story.EXPLAIN_OPENED, story.OPENED_AT_HOUR, "mei")
def open_the_explanation(desk: Desk) -> None:
    start_experiment(desk, "explain-experiment")


@act(story.EXPLAIN_OPENED + 3, story.OPENED_AT_HOUR, "mei")
def widen_the_explanation(desk: Desk) -> None:
    roll_out(desk, "explain_phone", 1)


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
