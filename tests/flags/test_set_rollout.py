"""Opening, ramping, closing and archiving; what is told and what is kept of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid
from whytree.flags.models import FlagChange
from whytree.flags.queries import history, periods
from whytree.flags.services import (
    archive_flag,
    create_flag,
    edit_flag,
    open_flag,
    restore_flag,
    set_rollout,
    turn_off,
    turn_on,
)
from whytree.workspace import sockets
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.records.activity import activity_for

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every `flag_opened` that was told."""
    facts: list[dict[str, Any]] = []
    monkeypatch.setitem(sockets._listeners, "flag_opened", [lambda **fact: facts.append(fact)])
    return facts


@pytest.fixture
def flag(actor: Any, product: Any, hypothesis: Any) -> Any:
    return create_flag(actor, product, key="f", hypothesis=hypothesis, at=START)


def test_opening_turns_on_sets_the_coverage_and_tells_it(
    actor: Any, product: Any, flag: Any, told: list[dict[str, Any]]
) -> None:
    opened = open_flag(actor, product, "f", coverage=2_500)
    assert (opened.is_on, opened.coverage, opened.state) == (True, 2_500, "on 25 %")
    fact = told.pop()
    assert (fact["flag_key"], fact["hypothesis_id"], fact["product"]) == ("f", flag.hypothesis_id, product)
    assert not told
    assert activity_for(flag).first().verb == "open_flag"  # type: ignore[union-attr]


def test_it_is_told_once_however_it_is_reached(actor: Any, product: Any, flag: Any, told: list[Any]) -> None:
    turn_on(actor, product, "f")
    assert not told  # on at 0 %: nobody meets it
    set_rollout(actor, product, "f", coverage=100)
    assert len(told) == 1
    set_rollout(actor, product, "f", coverage=5_000)
    assert len(told) == 1
    turn_off(actor, product, "f")
    turn_on(actor, product, "f")
    assert len(told) == 2


def test_tying_a_hypothesis_to_an_open_flag_tells_it_too(
    actor: Any, product: Any, hypothesis: Any, told: list[dict[str, Any]]
) -> None:
    create_flag(actor, product, key="g")
    open_flag(actor, product, "g")
    assert told.pop()["hypothesis_id"] is None
    edit_flag(actor, product, "g", hypothesis=hypothesis)
    assert told.pop()["hypothesis_id"] == hypothesis.pk


def test_a_listener_that_refuses_keeps_the_flag_closed(
    actor: Any, product: Any, flag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**fact: Any) -> None:
        raise Conflict("The prediction has no forecast yet. Fill it in first.")

    monkeypatch.setitem(sockets._listeners, "flag_opened", [refuse])
    with pytest.raises(Conflict):
        open_flag(actor, product, "f")
    flag.refresh_from_db()
    assert not flag.is_open
    assert FlagChange.objects.filter(flag=flag).count() == 1


def test_a_flag_without_a_hypothesis_can_be_opened(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="g")
    assert open_flag(actor, product, "g").is_open


def test_it_refuses_what_cannot_be_rolled_out(actor: Any, product: Any, flag: Any) -> None:
    with pytest.raises(Invalid, match="open to nobody"):
        open_flag(actor, product, "f", coverage=0)
    with pytest.raises(Invalid, match="between 0 and 100 %"):
        set_rollout(actor, product, "f", coverage=10_001)
    with pytest.raises(Invalid, match="All weights are 0"):
        set_rollout(actor, product, "f", weights={"on": 0})
    with pytest.raises(Invalid, match="future"):
        set_rollout(actor, product, "f", coverage=5, at=datetime(2999, 1, 1, tzinfo=UTC))


def test_a_clock_that_jumps_holds_up_no_kill_switch(
    actor: Any, product: Any, flag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_flag(actor, product, flag.key)
    yesterday = timezone.now() - timedelta(days=1)
    monkeypatch.setattr("whytree.flags.services.changing.timezone.now", lambda: yesterday)
    assert turn_off(actor, product, flag.key).state == "off"
    last, before = flag.changes.order_by("-pk")[:2]
    assert (last.is_on, last.at) == (False, before.at)  # the line of history does not run backwards


def test_a_viewer_may_not_open(product: Any, flag: Any, viewer: Any) -> None:
    with pytest.raises(Forbidden):
        open_flag(actor_of_user(viewer), product, "f")


def test_a_change_that_changes_nothing_is_none(actor: Any, product: Any, flag: Any) -> None:
    turn_off(actor, product, "f")
    assert FlagChange.objects.filter(flag=flag).count() == 1
    assert activity_for(flag).count() == 1


def test_a_rollout_is_no_matter_for_undo(actor: Any, product: Any, flag: Any) -> None:
    open_flag(actor, product, "f")
    assert not activity_for(flag).first().undoable  # type: ignore[union-attr]


def test_history_says_each_change_in_words_newest_first(actor: Any, product: Any, flag: Any) -> None:
    open_flag(actor, product, "f", coverage=2_500)
    set_rollout(actor, product, "f", coverage=5_000, weights={"on": 90, "off": 10})
    turn_off(actor, product, "f")
    assert [line.says for line in history(flag)] == [
        "turned off",
        "coverage 25 % → 50 %, weights on 90 %, off 10 %",
        "turned on, coverage 0 % → 25 %",
        "made, off",
    ]
    assert {line.by for line in history(flag)} == {"Alice"}


def test_archiving_turns_off_and_restoring_leaves_off(actor: Any, product: Any, flag: Any) -> None:
    open_flag(actor, product, "f")
    archived = archive_flag(actor, product, "f")
    assert (archived.is_on, archived.state) == (False, "archived")
    with pytest.raises(Conflict, match="Restore it first"):
        turn_on(actor, product, "f")
    assert restore_flag(actor, product, "f").state == "off"
    assert [activity.verb for activity in activity_for(flag)[:3]] == ["restore_flag", "archive_flag", "turn_off"]


def test_periods_are_bounded_by_every_change_and_leave_out_closed_times(actor: Any, product: Any, flag: Any) -> None:
    open_flag(actor, product, "f", coverage=500, at=START + DAY)
    set_rollout(actor, product, "f", coverage=2_500, at=START + 3 * DAY)
    turn_off(actor, product, "f", at=START + 5 * DAY)
    turn_on(actor, product, "f", at=START + 6 * DAY)
    set_rollout(actor, product, "f", weights={"on": 3, "off": 1}, at=START + 8 * DAY)
    set_rollout(actor, product, "f", coverage=10_000, weights={"on": 1}, at=START + 9 * DAY)

    found = periods(flag, START, START + 10 * DAY)
    equal = {"on": 1, "off": 1}
    assert [((p.start - START) / DAY, (p.end - START) / DAY, p.coverage, p.weights) for p in found] == [
        (1, 3, 500, equal),
        (3, 5, 2_500, equal),
        (6, 8, 2_500, equal),
        (8, 9, 2_500, {"on": 3, "off": 1}),
        (9, 10, 10_000, {"on": 1, "off": 0}),
    ]


def test_periods_are_cut_to_what_is_asked_for(actor: Any, product: Any, flag: Any) -> None:
    open_flag(actor, product, "f", coverage=500, at=START + DAY)
    [period] = periods(flag, START + 2 * DAY, START + 4 * DAY)
    assert (period.start, period.end) == (START + 2 * DAY, START + 4 * DAY)
    assert periods(flag, START - 2 * DAY, START + DAY) == []


def test_history_can_be_loaded_but_not_rewritten(actor: Any, product: Any, flag: Any) -> None:
    open_flag(actor, product, "f", coverage=500, at=START + 2 * DAY)
    with pytest.raises(Invalid, match="cannot lie before that"):
        set_rollout(actor, product, "f", coverage=600, at=START + DAY)
