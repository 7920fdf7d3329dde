"""A change that nobody drew: never called randomised, and no larger than what happens by itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from tests.experiments.world import event, long_ago, write
from whytree.experiments.deeper.gaps import silent_from, spoken, touching, without_data
from whytree.workspace.terminal.client import CommandError

Write = Callable[[str], Path]
AT = 30


def orders(effect: int, *, beside: bool = False) -> list[dict[str, Any]]:
    """Some twenty orders a day for twenty weeks, more from a day on; visits that go their own way."""
    rng, rows = random.Random(9), []
    for days in range(140, 0, -1):
        count = round(rng.gauss(20, 3)) + (effect if days <= AT else 0)
        rows += [event(1 + at, "ordered", long_ago(days)) for at in range(count)]
        if beside:
            rows += [event(1 + at, "visited", long_ago(days)) for at in range(round(rng.gauss(30, 3)))]
    return rows


@pytest.fixture
def day() -> str:
    return (timezone.now() - timedelta(days=AT)).date().isoformat()


def test_a_step_is_told_with_what_happens_by_itself(
    store: Any, product: Any, metrics: Any, api: Any, as_alice: Any, api_charlie: Any, day: str
) -> None:
    write(store, product, orders(10))
    path = f"/products/sprout/metrics/orders/before-after?at={day}"
    found = api.get(path).ok
    assert found["low"] < 10 < found["high"]
    assert found["p"] < 0.001
    assert found["placebos"] > 60
    assert "rose by" in found["sentence"]
    assert found["warning"].startswith("Not randomised")
    page = as_alice.get(f"/p/sprout/experiments/before-after?metric=orders&at={day}").content.decode()
    assert "Not randomised" in page
    assert "Orders rose by" in page
    assert api_charlie.get(path).status == 404


def test_beside_another_that_went_alike(actor: Any, store: Any, product: Any, metrics: Any, api: Any, day: str) -> None:
    from whytree.analytics.services import create_metric

    create_metric(actor, product, key="visits", definition={"version": 1, "kind": "count", "event": "visited"})
    write(store, product, orders(0, beside=True))
    found = api.get(f"/products/sprout/metrics/orders/before-after?at={day}&against=visits").ok
    assert "shows no step" in found["sentence"]
    assert (found["low"] < 0 < found["high"], len(found["days_against"])) == (True, len(found["days"]))
    same = api.get(f"/products/sprout/metrics/orders/before-after?at={day}&against=orders")
    other = api.get(f"/products/sprout/metrics/orders/before-after?at={day}&against=activated")
    assert (same.status, other.status) == (400, 400)


def test_a_day_on_which_capture_was_down_is_no_zero_and_a_quiet_day_is_one() -> None:
    first = date(2026, 3, 2)
    days = [first + timedelta(days=one) for one in range(84)]
    busy = {day: 0 if day.weekday() == 6 else 200 + day.day for day in days}
    down, short = days[30], days[44]
    assert without_data(busy | {down: 0, short: 3}, days, hardly=True) == {down, short}
    assert without_data({day: count // 40 for day, count in busy.items()} | {down: 0}, days) == set(), (
        "five a day may be none"
    )
    begun = dict.fromkeys(days[40:], 60)
    assert without_data(begun, days) >= set(days[33:40]), "the week before it was sent parts it from what came before"
    assert silent_from(busy | dict.fromkeys(days[71:], 0), days) == days[71]
    assert silent_from(busy, days) is None
    assert touching({down}, days, 2) == set(days[28:31])
    assert spoken({days[0], days[1], days[30]}) == "2 to 3 Mar 2026, 1 Apr 2026"


def test_days_without_data_are_left_out_and_told(
    store: Any, product: Any, metrics: Any, api: Any, as_alice: Any, day: str
) -> None:
    gone = {(timezone.now() - timedelta(days=days)).date() for days in (50, 51, 12)}
    write(store, product, [row for row in orders(10) if row["timestamp"].date() not in gone])
    found = api.get(f"/products/sprout/metrics/orders/before-after?at={day}").ok
    assert found["without"] == sorted(one.isoformat() for one in gone)
    assert found["low"] < 10 < found["high"]
    assert found["p"] < 0.001, "as zeros they would hide it"
    page = as_alice.get(f"/p/sprout/experiments/before-after?metric=orders&at={day}").content.decode()
    assert "left out, not counted as zero" in page


def test_a_metric_that_ended_with_the_change_is_no_step(
    store: Any, product: Any, metrics: Any, api: Any, day: str
) -> None:
    rows = orders(0, beside=True)
    write(store, product, [one for one in rows if one["event"] == "visited" or one["timestamp"] < long_ago(AT + 0.5)])
    found = api.get(f"/products/sprout/metrics/orders/before-after?at={day}").ok
    assert (found["sentence"], "has nobody at all, while other events come in" in found["reason"]) == ("", True)


def test_too_few_days_and_the_future_are_no_answer(
    store: Any, product: Any, metrics: Any, api: Any, as_alice: Any
) -> None:
    write(store, product, orders(10)[-600:])
    today = timezone.now().date()
    path = "/products/sprout/metrics/orders/before-after?at="
    assert "are the least" in api.get(f"{path}{today - timedelta(days=20)}").ok["reason"]
    assert api.get(f"{path}{today + timedelta(days=3)}").status == 400
    assert api.get(f"{path}tomorrow").status == 400
    assert as_alice.get("/p/sprout/experiments/before-after?metric=orders&at=soon").status_code == 400
    assert as_alice.get("/p/sprout/experiments/before-after").status_code == 200
    assert as_alice.get("/p/sprout/experiments/before-after?metric=nothing&at=2026-01-01").status_code == 404


def rows(effect: float = 0.0, *, drift: float = 0.0) -> str:
    rng, first = random.Random(2), date(2026, 1, 1)
    lines = ["day,orders,elsewhere"]
    for at in range(120):
        common = rng.gauss(100, 4)
        mine = common + rng.gauss(0, 2) + (effect if at >= 90 else 0) + drift * at
        lines.append(f"{first + timedelta(days=at)},{mine:.3f},{common + rng.gauss(0, 2):.3f}")
    return "\n".join(lines)


@pytest.fixture
def asked(command_line: Any) -> Callable[..., str]:
    def ask(file: Path, *words: str) -> str:
        line = ["experiment", "before-after", str(file), "--metric", "orders", "--at", "2026-04-01", *words]
        result = CliRunner().invoke(command_line, line, env={"COLUMNS": "160"})
        return result.exception.message if isinstance(result.exception, CommandError) else result.output

    return ask


def test_a_table_with_a_row_a_day(table: Write, asked: Callable[..., str]) -> None:
    alone, beside = asked(table(rows(8.0))), asked(table(rows(8.0)), "--against", "elsewhere")
    assert "orders rose by" in alone
    assert "orders, beside elsewhere, rose by" in beside
    assert "Not randomised" in beside
    assert "did not go alike before" in asked(table(rows(0.0, drift=0.3)), "--against", "elsewhere")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("day,orders\n2026-01-01,1\n2026-01-01,2", "stands in several rows"),
        ("day,orders\nmonday,1", "is no day"),
        ("day,visits\n2026-01-01,1", "There is no column “orders”"),
        ("day,orders\n2026-01-01,1\n2026-01-02,3", "are the least"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(table: Write, asked: Callable[..., str], text: str, says: str) -> None:
    assert says in asked(table(text))
