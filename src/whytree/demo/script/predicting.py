"""The phone number: predict, then build."""

from .. import story
from ..stage import Desk
from .writing import act, create_flag, expect, plan_experiment, roll_out, start_experiment


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
    expect(desk, "defer-prediction", "defer_phone")


@act(16, 10.0, "jonas")
def measure_the_baseline(desk: Desk) -> None:
    desk.catch_up()
    now = desk.get("metrics/activated_7d/measure")
    desk.patch(f"outcomes/{desk.ref('activated')}", baseline=round(now["value"], 1))


@act(16, 11.0, "ana")
def make_the_flag(desk: Desk) -> None:
    create_flag(desk, "defer_phone", "Ask for the phone number at the first booking", "defer-prediction")
    plan_experiment(desk, "defer-experiment", "defer_phone", also="second_booking")


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
    start_experiment(desk, "defer-experiment")


@act(story.DEFER_OPENED + 2, story.OPENED_AT_HOUR, "ana")
def widen_the_deferral(desk: Desk) -> None:
    roll_out(desk, "defer_phone", 1)


@act(story.DEFER_OPENED + 6, story.OPENED_AT_HOUR, "ana")
def split_everybody(desk: Desk) -> None:
    roll_out(desk, "defer_phone", 2)
