"""The phone number: look at it, and at those who asked."""

from typing import Any

from .. import asking, story, wire
from ..stage import Desk
from .writing import act

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
