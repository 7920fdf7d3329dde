"""Weeks with a touchpoint: for the team, and true at the edges of weeks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.voice.conftest import Done
from whytree.voice.interviews.cadence import WEEKS, cadence
from whytree.voice.interviews.services import add_interview

WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def hold(actor: Any, product: Any) -> Callable[..., None]:
    def talk(*moments: datetime) -> None:
        for moment in moments:
            add_interview(actor, product, held_at=moment.isoformat())

    return talk


def test_weeks_begin_on_monday(hold: Callable[..., None], product: Any) -> None:
    hold(MONDAY, MONDAY - timedelta(seconds=1), MONDAY + timedelta(days=1), MONDAY - timedelta(weeks=11))
    hold(MONDAY - timedelta(weeks=11, seconds=1))  # before the first of the twelve
    found = cadence(product, WEDNESDAY)
    assert [week.talks for week in found.weeks] == [1, *[0] * 9, 1, 2]
    assert found.weeks[-1].monday == MONDAY.date()
    assert (found.touched, found.in_a_row, len(found.weeks)) == (3, 2, WEEKS)
    assert found.sentence == "A talk with a user in 3 of the last 12 weeks, 2 in a row."


def test_the_running_week_breaks_no_row_while_it_lasts(hold: Callable[..., None], product: Any) -> None:
    hold(*(MONDAY - timedelta(weeks=back) for back in (1, 2, 3)))
    assert cadence(product, WEDNESDAY).in_a_row == 3
    assert cadence(product, WEDNESDAY + timedelta(weeks=1)).in_a_row == 0


def test_a_talk_that_lies_ahead_is_no_touchpoint(hold: Callable[..., None], product: Any) -> None:
    hold(WEDNESDAY + timedelta(minutes=1))
    found = cadence(product, WEDNESDAY)
    assert (found.touched, found.last_at) == (0, None)
    assert found.sentence == "Nobody has talked to a user yet."


def test_at_every_door(
    hold: Callable[..., None], as_viewer: Any, api: Any, api_charlie: Any, cli: Callable[..., Done], product: Any
) -> None:
    assert "Talks with users" not in as_viewer.get("/p/sprout/today").content.decode(), "nothing to show yet"
    hold(timezone.now(), timezone.now() - timedelta(weeks=3))
    told = api.get("/products/sprout/interview-cadence").ok
    assert (told["touched"], len(told["weeks"]), told["weeks"][-1]["talks"]) == (2, 12, 1)
    assert api_charlie.get("/products/sprout/interview-cadence").status == 404
    for path in ("interviews", "today"):
        assert "A talk with a user in 2 of the last 12 weeks." in as_viewer.get(f"/p/sprout/{path}").content.decode()
    out = cli("interview", "cadence").out
    assert "2 of the last 12 weeks" in out
    assert out.count("■") == 2
    assert "interviewers" not in told, "for the team, never for a person"
