"""Which time a question is about: two named days, all of them the product's."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.analytics.answers.funnel import answer_funnel
from whytree.analytics.answers.retention import answer_retention
from whytree.analytics.questions import checked_question

ASK = "/products/sprout/ask"
TRENDS = {"version": 1, "kind": "trends", "series": ["opened"], "interval": "day"}


def day(ago: int) -> str:
    return (timezone.now() - timedelta(days=ago)).date().isoformat()


@pytest.fixture
def opened(happened: Callable[..., None]) -> None:
    """Ten people, one a day; the one of nine days ago bought something two days later."""
    for ago in range(1, 11):
        happened(ago, "opened", ago)
    happened(9, "bought", 7)


@pytest.mark.usefixtures("opened")
def test_both_days_count_and_nothing_else(api: Any) -> None:
    answer = api.post(ASK, {"question": TRENDS | {"since": day(9), "until": day(7)}}).ok
    stretches = answer["lines"][0]["stretches"]
    assert [(one["start"], one["value"], one["complete"]) for one in stretches] == [
        (day(ago), 1.0, True) for ago in (9, 8, 7)
    ]
    assert (answer["n"], answer["question"]["since"], answer["question"]["until"]) == (3, day(9), day(7))
    behind = api.post(f"{ASK}/people", {"question": answer["question"], "part": {}}).ok
    assert behind["total"] == 3


@pytest.mark.usefixtures("opened")
def test_one_day_alone_begins_or_ends_the_time(api: Any) -> None:
    assert api.post(ASK, {"question": TRENDS | {"since": day(3)}}).ok["n"] == 3
    assert api.post(ASK, {"question": TRENDS | {"until": day(8)}}).ok["n"] == 3
    assert api.post(ASK, {"question": TRENDS | {"since": day(3), "until": day(-5)}}).ok["n"] == 3  # as far as it was


@pytest.mark.usefixtures("opened")
def test_what_people_did_later_still_belongs_to_them(api: Any) -> None:
    named = {"since": day(9), "until": day(9)}
    funnel = {"version": 1, "kind": "funnel", "steps": ["opened", "bought"], "within": "3d", "over": "day"} | named
    answer = api.post(ASK, {"question": funnel}).ok
    assert [step["people"] for step in answer["steps"]] == [1, 1]
    assert [began["complete"] for began in answer["over"]] == [True]
    retention = {
        "version": 1,
        "kind": "retention",
        "begin": "opened",
        "back": "bought",
        "interval": "day",
        "stretches": 3,
    }
    assert [point["back"] for point in api.post(ASK, {"question": retention | named}).ok["curve"]] == [0, 0, 1, 0]
    life = {"version": 1, "kind": "lifecycle", "event": "opened", "interval": "day"} | named
    assert [(one["new"], one["complete"]) for one in api.post(ASK, {"question": life}).ok["stretches"]][-1] == (1, True)


@pytest.mark.usefixtures("opened")
def test_a_stretch_that_the_time_cuts_is_not_whole(api: Any) -> None:
    asked = TRENDS | {"interval": "month", "since": day(10), "until": day(9)}
    assert not any(one["complete"] for one in api.post(ASK, {"question": asked}).ok["lines"][0]["stretches"])


@pytest.mark.usefixtures("opened")
def test_the_page_and_its_address_keep_them(as_bob: Any, api: Any) -> None:
    asked = {"event": "opened", "days": "dates", "since": day(9), "until": day(7), "interval": "day"}
    page = as_bob.get("/p/sprout/ask/trends", asked)
    assert page.context["answer"].n == 3
    kept = api.post("/products/sprout/questions", {"question": TRENDS | {"since": day(9), "until": day(7)}}).ok
    again = as_bob.get(f"/p/sprout/{kept['ref']}", follow=True)
    assert again.context["answer"].n == 3
    assert f'name="since" type="date" value="{day(9)}"' in again.content.decode()


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ({"since": "soon"}, "is a day, as 2026-05-01"),
        ({"until": 7}, "is a day, as 2026-05-01"),
        ({"since": "2026-05-02", "until": "2026-05-01"}, "Swap the two days"),
        ({"since": "2026-05-01", "days": 7}, "both at once"),
        ({"since": "0001-01-01"}, "between 1900 and 2290"),
        ({"since": "2280-01-01"}, "still ahead"),
        ({"since": "1901-01-01"}, "more than 3,660 days"),
    ],
)
def test_a_time_that_is_none_says_what_to_write(api: Any, happened: Any, time: dict[str, Any], said: str) -> None:
    happened(1, "opened")
    refused = api.post(ASK, {"question": TRENDS | time})
    assert refused.status == 400
    assert said in refused.body["message"]


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # in one of them it is never our day
def test_a_period_is_told_in_the_products_days(api: Any, as_alice: Any, product: Any, zone: str) -> None:
    product.timezone = zone
    product.save()
    answer = api.post(ASK, {"question": TRENDS | {"days": 5}}).ok
    today = product.there(timezone.now()).date()
    told = [answer["from_at"][:10], answer["to_at"][:10], answer["lines"][0]["stretches"][-1]["start"]]
    assert told == [str(today - timedelta(days=5)), str(today), str(today)]
    page = as_alice.get("/p/sprout/ask/trends?event=opened&days=5").content.decode()
    assert f"{today - timedelta(days=5):%-d %b %Y} to {today:%-d %b %Y}" in page


@pytest.mark.usefixtures("opened")
def test_a_terminal_tells_the_last_day_and_not_the_one_after(terminal: Any) -> None:
    since, until = ((timezone.now() - timedelta(days=ago)).date() for ago in (9, 7))
    said = terminal.cli("ask", "trends", "opened", "--since", str(since), "--until", str(until)).stdout
    assert f"{since:%-d %b %Y} to {until:%-d %b %Y}, n = 3" in said


@pytest.mark.parametrize(
    ("now", "over"),
    [(datetime(2026, 3, 29, 22, 30, tzinfo=UTC), False), (datetime(2026, 3, 29, 23, 0, tzinfo=UTC), True)],
)
def test_a_window_has_its_whole_hours_where_the_clocks_change(
    product: Any, store: Any, monkeypatch: pytest.MonkeyPatch, now: datetime, *, over: bool
) -> None:
    """Who began last on the 28th has until the end of the 29th, which has 23 hours in Berlin, and an hour more."""
    product.timezone = "Europe/Berlin"
    product.save()
    rows = [(1, "opened", datetime(2026, 3, 28, 22, 30, tzinfo=UTC)), (2, "bought", now)]
    store.insert(
        "events",
        [
            {"product": product.pk, "person": person, "event": event, "event_id": 8_000 + person,
             "distinct_id": str(person), "timestamp": at, "received_at": at}
            for person, event, at in rows
        ],
    )  # fmt: skip
    monkeypatch.setattr(timezone, "now", lambda: now)
    steps = {"version": 1, "kind": "funnel", "steps": ["opened", "bought"], "within": "1d"}
    funnel: Any = checked_question(steps | {"over": "day", "since": "2026-03-28", "until": "2026-03-28"})
    assert [one.complete for one in answer_funnel(product, funnel).over] == [over]
    back = {"version": 1, "kind": "retention", "begin": "opened", "back": "bought", "interval": "day"}
    rolling: Any = checked_question(back | {"clock": "rolling", "since": "2026-03-28", "until": "2026-03-28"})
    (cohort,) = answer_retention(product, rolling).cohorts
    assert cohort.cells[0].complete == over
