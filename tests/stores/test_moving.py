"""Events move from the store in this process to a server: counted, compared, and resumed where they were cut off."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers import live_env, whytree
from whytree.errors import Conflict, Unavailable
from whytree.stores.engine.connection import engine_for
from whytree.stores.events import EventStore, open_database
from whytree.stores.writing import moving, transfer
from whytree.stores.writing.marks import read_mark, write_mark

pytestmark = pytest.mark.engine


@pytest.fixture
def target(address: str) -> Any:
    opened = open_database(engine_for(address, 512), f"moved_{time.time_ns()}")
    yield opened
    opened.close()


@pytest.fixture
def filled(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    """Three hundred events in several slices, with odd names, a repetition, an edge and a mark."""
    monkeypatch.setattr(transfer, "_SLICE_ROWS", 100)
    rows = [
        {
            "product": 1 + n % 2,
            "person": n * 2**55,
            "timestamp": 1_760_000_000.123 + n,
            "received_at": 1_760_000_001 + n,
            "event": "rocket 🚀 \\ ' \n",
            "event_id": n or 1,
            "properties": {"b": "2", "a": str(n), "naïve": "\t"},
            "flags": {"f": "on"},
        }
        for n in range(300)
    ]
    store.insert("events", [*rows, rows[7]])
    edge = {"product": 1, "one": 1, "other": 2, "kind": "link", "trusted": True, "one_id": "a", "other_id": "b"}
    store.insert("merge_edges", [{**edge, "at": 1_700_000_000, "recorded_at": 1_700_000_009}])
    write_mark(store, "people key", "abc")
    return store


def _told() -> tuple[list[tuple[int, int]], Any]:
    told: list[tuple[int, int]] = []
    return told, lambda done, total: told.append((done, total))


def test_everything_is_there_afterwards_and_still_here(filled: EventStore, target: EventStore) -> None:
    told, tell = _told()
    moved = moving.move(filled, target, tell)
    assert (moved.events, moved.brought) == (301, 301)
    assert moved.slices == len(told) == 4
    assert told[-1] == (301, 301)
    for table in transfer.TABLES:
        assert list(transfer.dump(table, target)) == list(transfer.dump(table, filled))
    assert filled.value("SELECT count() FROM events") == 301
    assert read_mark(target, moving.MOVING) is None


def test_a_move_that_was_cut_off_goes_on_without_bringing_anything_twice(
    filled: EventStore, target: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(done: int, total: int) -> None:
        if done > 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        moving.move(filled, target, cut)
    part = list(transfer.slices(filled))[-1]
    half = list(transfer.dump_slice(part, filled))[:20]
    transfer.load("events", half, target)  # and of the next slice only some rows had arrived
    moved = moving.move(filled, target, _told()[1])
    assert moved.events == 301
    assert 0 < moved.brought < 301
    assert list(transfer.dump("events", target)) == list(transfer.dump("events", filled))


def test_a_store_that_is_in_use_is_left_alone(filled: EventStore, target: EventStore) -> None:
    target.insert("events", [{"product": 9, "person": 1, "timestamp": 1, "event": "theirs", "event_id": 5}])
    with pytest.raises(Conflict, match="holds events already"):
        moving.move(filled, target, _told()[1])
    assert target.value("SELECT any(event) FROM events") == "theirs"


def test_a_second_move_to_the_same_place_is_refused(filled: EventStore, target: EventStore) -> None:
    moving.move(filled, target, _told()[1])
    with pytest.raises(Conflict, match="Name an empty database"):
        moving.move(filled, target, _told()[1])


def test_a_copy_that_differs_is_said(filled: EventStore, target: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    lose = moving.dump_slice
    monkeypatch.setattr(moving, "dump_slice", lambda part, source: list(lose(part, source))[:-1])
    with pytest.raises(Unavailable, match="differ after they were copied"):
        moving.move(filled, target, _told()[1])


def test_somebody_who_writes_to_the_target_meanwhile_is_noticed(filled: EventStore, target: EventStore) -> None:
    def write(done: int, total: int) -> None:
        if done == total:
            target.insert("events", [{"product": 9, "person": 1, "timestamp": 1, "event": "theirs", "event_id": 5}])

    with pytest.raises(Unavailable, match="somebody writes to it"):
        moving.move(filled, target, write)


@pytest.mark.parametrize("address", [""], ids=["server"], indirect=True)
def test_the_command_moves_what_was_imported_and_says_what_is_wrong(
    address: str, begun: Callable[[Path], Path], tmp_path: Path
) -> None:
    env = live_env(begun(tmp_path / "data"))
    file = tmp_path / "events.csv"
    file.write_text(
        "user_id,event,timestamp\n" + "".join(f"u{n},opened,2026-01-0{1 + n % 9}T10:00:00Z\n" for n in range(40))
    )
    whytree(env, "import", "events", str(file))
    refused = whytree(env, "move", "events", "--to", "mysql://there", check=False)
    assert refused.returncode == 1
    assert "is no event store. Name one as clickhouse://" in refused.stderr
    url = f"{address.rpartition('/')[0]}/moved_by_command_{time.time_ns()}"
    assert json.loads(whytree(env, "move", "events", "--to", url, "--json").stdout)["events"] == 40
    assert (
        json.loads(whytree(env | {"WHYTREE_EVENTS_URL": url}, "event", "list", "--json").stdout)["events"][0]["volume"]
        == 40
    )
