"""Meanwhile: other problems and voices."""

from .. import story, wire
from ..stage import Desk
from .writing import act


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
