from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.analytics.conftest import _row
from whytree.analytics.pages import _typed
from whytree.analytics.queries import measure
from whytree.analytics.services import create_metric
from whytree.errors import Invalid
from whytree.tree.differing import tree_diff
from whytree.tree.services import create_outcome
from whytree.workspace.sockets import Difference

_ids = count(5_000_000)
pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


def test_a_conversion_counts_those_whose_time_is_over(activated: Any) -> None:
    answer = measure(activated)
    assert (answer.value, answer.n, answer.numerator, answer.open) == (60.0, 5, 3, 1)
    assert answer.low == pytest.approx(23.07, abs=0.01)  # Wilson, 3 of 5
    assert answer.high == pytest.approx(88.24, abs=0.01)
    assert (answer.unit, answer.text, answer.method) == ("%", "60 %", "Wilson")
    assert "of people who did “signed_up”, the share who did “planted” within 7 days" in answer.source


def test_the_days_add_up_and_reach_to_today(activated: Any) -> None:
    answer = measure(activated)
    assert sum(day.n for day in answer.series) == answer.n
    assert sum(day.open for day in answer.series) == answer.open
    assert answer.series[-1].day == timezone.now().date()
    assert len(answer.series) == 28 + 7
    assert [day.complete for day in answer.series if day.open] == [False]


def test_a_count_of_events_knows_its_people(actor: Any, product: Any, happened: Callable[..., None]) -> None:
    happened(1, "planted", 2)
    metric = create_metric(
        actor, product, key="plantings", definition={"version": 1, "kind": "count", "event": "planted"}
    )
    answer = measure(metric)
    assert (answer.value, answer.n, answer.unit, answer.method) == (5, 4, "", "Fay-Feuer")
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low < 5 < answer.high


def test_unique_people_count_once(actor: Any, product: Any, happened: Callable[..., None]) -> None:
    happened(1, "planted", 2)
    metric = create_metric(
        actor, product, key="planters", definition={"version": 1, "kind": "unique", "event": "planted"}
    )
    answer = measure(metric)
    assert (answer.value, answer.unit, answer.method) == (4, "people", "Garwood")
    assert {day.value for day in answer.series if day.complete} >= {0.0}


def test_nothing_is_no_answer_with_its_reason(actor: Any, product: Any) -> None:
    unique = create_metric(actor, product, key="nobody", definition={"version": 1, "kind": "unique", "event": "flew"})
    assert (measure(unique).value, measure(unique).reason) == (None, "It has not happened in this period.")
    definition = {"version": 1, "kind": "conversion", "from": "flew", "to": "planted", "within_days": 7}
    share = create_metric(actor, product, key="none", definition=definition)
    assert measure(share).reason == "Nobody has started in this period."


def test_when_all_are_under_way_it_says_so(actor: Any, product: Any, happened: Callable[..., None]) -> None:
    happened(9, "opened", 1)
    definition = {"version": 1, "kind": "conversion", "from": "opened", "to": "planted", "within_days": 7}
    answer = measure(create_metric(actor, product, key="fresh", definition=definition))
    assert answer.value is None
    assert answer.reason == "1 person started; nobody has had the whole time yet."


def test_old_events_are_measured_where_they_are(actor: Any, product: Any, happened: Callable[..., None]) -> None:
    for person in (1, 2):
        happened(person, "old", 400)
    happened(1, "goal", 399)
    definition = {"version": 1, "kind": "conversion", "from": "old", "to": "goal", "within_days": 7}
    answer = measure(create_metric(actor, product, key="old", definition=definition))
    assert (answer.value, answer.n, answer.is_past) == (50.0, 2, True)
    assert answer.last_day == (timezone.now() - timedelta(days=400)).date()


def test_days_are_the_products_own(actor: Any, product: Any, store: Any) -> None:
    product.timezone = "Pacific/Auckland"
    product.save()
    at = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)  # the second of May there
    row = {
        "product": product.pk,
        "person": 5,
        "timestamp": at,
        "event": "late",
        "event_id": 5,
        "distinct_id": "5",
        "received_at": at,
    }
    store.insert("events", [row])
    metric = create_metric(actor, product, key="late", definition={"version": 1, "kind": "count", "event": "late"})
    answer = measure(metric, at - timedelta(days=2), at + timedelta(days=1))
    assert [day.day.isoformat() for day in answer.series if day.value] == ["2026-05-02"]


def test_weeks_months_and_hours_are_the_calendars_and_say_what_is_not_whole(
    actor: Any, product: Any, store: Any, api: Any
) -> None:
    product.timezone = "Asia/Kathmandu"  # 5:45 ahead: an hour there begins at a quarter past ours
    product.save()
    zone = ZoneInfo(product.timezone)
    days = [(1, datetime(2026, 4, 29, 9, 50)), (1, datetime(2026, 4, 30, 23, 30)), (2, datetime(2026, 5, 3, 0, 10))]
    rows = [
        {"product": product.pk, "person": person, "event": "sown", "distinct_id": str(person), "event_id": 7_000 + at,
         "timestamp": moment.replace(tzinfo=zone), "received_at": moment.replace(tzinfo=zone)}
        for at, (person, moment) in enumerate(days)
    ]  # fmt: skip
    store.insert("events", rows)
    metric = create_metric(actor, product, key="sowers", definition={"version": 1, "kind": "unique", "event": "sown"})
    start, end = datetime(2026, 4, 20, tzinfo=zone), datetime(2026, 5, 11, tzinfo=zone)

    def cut(each: Any, start: datetime = start, end: datetime = end) -> list[tuple[str, float, bool]]:
        found = measure(metric, start, end, each=each)
        assert found.value == 2
        return [(one.day.isoformat(), one.value, one.complete) for one in found.series if one.value]

    assert cut("week") == [("2026-04-27", 2, True)]
    assert cut("month") == [("2026-04-01", 1, False), ("2026-05-01", 1, False)]
    assert cut("hour", end - timedelta(days=14), end)[0] == ("2026-04-29T09:00:00+05:45", 1, True)
    assert len(cut("hour", end - timedelta(days=14), end)) == 3
    said = api.get("/products/sprout/metrics/sowers/measure?each=week&start=2026-04-20T00:00&end=2026-05-11T00:00").ok
    assert (said["each"], [one["day"] for one in said["series"]][:2]) == ("week", ["2026-04-20", "2026-04-27"])
    with pytest.raises(Invalid, match="more than 1,500 points"):
        measure(metric, start - timedelta(days=90), end, each="hour")


@pytest.mark.parametrize(
    "definition",
    [
        {"kind": "count", "event": "planted"},
        {"kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7},
        {"kind": "retention", "begin": "signed_up", "back": "planted", "after_days": 1},
        {"kind": "mean", "event": "planted", "per": "person"},
        {"kind": "time_to", "from": "signed_up", "to": "planted", "within_days": 7},
    ],
)
def test_whatever_it_is_cut_into_its_value_is_the_same(actor: Any, product: Any, definition: dict[str, Any]) -> None:
    metric = create_metric(actor, product, key="same", definition={"version": 1} | definition)
    cuts = [measure(metric, each=each) for each in ("hour", "day", "week", "month")]  # type: ignore[arg-type]
    assert len({(one.value, one.n, one.open) for one in cuts}) == 1


def test_a_large_value_is_a_baseline_as_one_types_it() -> None:
    assert [_typed(value) for value in (20_000, 1234.5, 31.24567, 0.00012, 0.0)] == [
        "20000",
        "1234",
        "31.25",
        "0.00012",
        "0",
    ]


def test_its_page_shows_what_it_is_cut_into(as_bob: Any, activated: Any) -> None:
    page = as_bob.get("/p/sprout/numbers/activated_7d?each=week").content.decode()
    assert "By week of starting" in page
    assert "last 90 days" not in page
    assert as_bob.get("/p/sprout/numbers/activated_7d.csv?each=month").content.startswith(b"day,value")
    assert as_bob.get("/p/sprout/numbers/activated_7d.svg?each=week").content.startswith(b"<svg")
    assert as_bob.get("/p/sprout/numbers/activated_7d.png?each=week").content.startswith(b"\x89PNG")


def test_a_period_that_ends_before_it_begins_is_refused(activated: Any) -> None:
    now = timezone.now()
    with pytest.raises(Invalid, match="Swap the two"):
        measure(activated, now, now - timedelta(days=1))
    with pytest.raises(Invalid, match="366 days at most"):
        measure(activated, now - timedelta(days=400), now)
    with pytest.raises(Invalid, match="1 to 366"):
        measure(activated, days=0)


def test_asking_again_within_seconds_asks_the_store_once(activated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = measure(activated)
    monkeypatch.setattr("whytree.stores.questions.metrics.conversion_over", lambda *_, **__: pytest.fail("asked again"))
    assert measure(activated) == first


@pytest.fixture
def paid(store: Any, product: Any) -> Callable[..., None]:
    """`paid(person, price, days_ago)`"""

    def write(person: int, price: float, days_ago: float = 3) -> None:
        at = timezone.now() - timedelta(days=days_ago)
        row = {"product": product.pk, "person": person, "timestamp": at, "event": "paid", "event_id": next(_ids)}
        store.insert(
            "events", [row | {"distinct_id": str(person), "received_at": at, "properties": {"price": str(price)}}]
        )

    return write


def test_a_sum_has_an_interval_while_nothing_is_negative(actor: Any, product: Any, paid: Callable[..., None]) -> None:
    for person in range(1, 13):
        paid(person, person)
    definition = {"version": 1, "kind": "sum", "event": "paid", "property": "price"}
    metric = create_metric(actor, product, key="revenue", unit="EUR", definition=definition)
    answer = measure(metric)
    assert (answer.value, answer.n, answer.numerator, answer.text, answer.method) == (78, 12, 12, "78 EUR", "Fay-Feuer")
    assert answer.low is not None
    assert answer.low < 78
    paid(13, -5)
    cache.clear()
    later = measure(metric, answer.from_at, answer.to_at)
    assert (later.value, later.low, later.reason) == (73, None, "no interval: some people's sums are negative")


def test_a_mean_of_few_or_of_one_who_makes_it_has_no_interval(
    actor: Any, product: Any, paid: Callable[..., None]
) -> None:
    definition = {"version": 1, "kind": "mean", "event": "paid", "property": "price", "per": "person"}
    metric = create_metric(actor, product, key="spend", definition=definition)
    for person in range(1, 6):
        paid(person, person)
    answer = measure(metric)
    assert (answer.value, answer.low, answer.n) == (3, None, 5)
    assert answer.reason.startswith("no interval: 5 units")
    for person in range(6, 30):
        paid(person, 5_000 if person == 6 else person)
    cache.clear()
    later = measure(metric, answer.from_at, answer.to_at)
    assert later.low is None
    assert later.reason.startswith("no interval: one person makes")


def test_a_percentile_of_too_few_has_a_value_and_no_interval(
    actor: Any, product: Any, paid: Callable[..., None]
) -> None:
    definition = {"version": 1, "kind": "quantile", "event": "paid", "property": "price", "percentile": 50}
    metric = create_metric(actor, product, key="typical", definition=definition)
    for person in range(1, 8):
        paid(person, person)
    answer = measure(metric)
    assert (answer.value, answer.low) == (4, None)
    assert "fewer than 20 people" in answer.reason
    for person in range(8, 60):
        paid(person, person)
    cache.clear()
    later = measure(metric, answer.from_at, answer.to_at)
    assert (later.value, later.method) == (30, "Woodruff")


def test_nothing_of_each_kind_is_no_answer_with_its_reason(actor: Any, product: Any, store: Any) -> None:
    reasons = {
        "sum": ({"event": "flew", "property": "miles"}, "It has not happened in this period."),
        "mean": ({"event": "flew", "per": "person"}, "It has not happened in this period."),
        "ratio": ({"top": "flew", "bottom": "walked"}, "It has not happened in this period."),
        "quantile": ({"event": "flew", "property": "miles", "percentile": 50}, "No number came as “miles”"),
        "time_to": ({"from": "flew", "to": "walked", "within_days": 7}, "Nobody got there in this period"),
        "retention": ({"begin": "flew", "back": "walked", "after_days": 7}, "Nobody has started in this period."),
    }
    for kind, (parts, words) in reasons.items():
        metric = create_metric(actor, product, key=kind, definition={"version": 1, "kind": kind, **parts})
        answer = measure(metric)
        assert answer.value is None
        assert answer.reason.startswith(words)


def test_an_outcome_whose_number_moved_beyond_chance_is_told(
    activated: Any, actor: Any, product: Any, store: Any
) -> None:
    create_outcome(actor, product, title="Activated", metric_key="activated_7d")
    rows = [_row(product, person, "signed_up", 60.0) for person in range(100, 160)]
    store.insert("events", rows)  # of these nobody planted; of the five later ones three did

    def told(days: int) -> list[Difference]:
        since = timezone.now().date() - timedelta(days=days)
        return [one for node in tree_diff(product, since).nodes for one in node.differences if one.what == "number"]

    assert told(30) == [Difference("number", "0 % (0.0 to 6.0, n = 60)", "60 % (23.1 to 88.2, n = 5)")]
    assert told(1) == [], "the same four weeks, nearly"
