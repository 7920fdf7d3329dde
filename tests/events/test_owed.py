"""While inserts follow each other quickly, rows are acknowledged from a file and written together: none lost, none twice."""

import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from whytree.events.durable.commit import Batch, Commit
from whytree.events.durable.owed import Owed, adopt
from whytree.events.durable.spool import Spool, Spooled
from whytree.stores.events import EventStore, at_one_moment

pytestmark = [pytest.mark.django_db, pytest.mark.engine]


def _line(event_id: int) -> bytes:
    now = time.time()
    row = {"product": 1, "person": 1, "timestamp": now, "received_at": now, "event": "e", "event_id": event_id}
    return msgspec.json.encode(row)


def _batch(*event_ids: int) -> Batch:
    return Batch(b"\n".join(map(_line, event_ids)), list(event_ids), time.time())


def _rows(*event_ids: int) -> Spooled:
    return Spooled([], b"\n".join(map(_line, event_ids)), len(event_ids), time.time())


def _ids(store: EventStore) -> list[int]:
    return [row["event_id"] for row in store.query("SELECT event_id FROM events ORDER BY event_id")]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def writer(store: EventStore, spool: Spool) -> Any:
    started = Commit(store, spool).start()
    yield started
    started.close()


def test_what_was_acknowledged_is_read_at_once(writer: Commit, store: EventStore) -> None:
    for event_id in range(1, 41):
        writer.submit(_batch(event_id))
        assert store.value("SELECT max(event_id) FROM events") == event_id


def test_readings_at_one_moment_wait_once_and_see_what_was_acknowledged_before(
    writer: Commit, store: EventStore
) -> None:
    for event_id in range(1, 41):
        writer.submit(_batch(event_id))
    waited, wait = [], store.before_reading
    store.before_reading = lambda: waited.append(wait())
    with at_one_moment():
        assert waited == []
        assert _ids(store) == _ids(store) == list(range(1, 41))
        assert len(waited) == 1
        with at_one_moment():  # a moment of its own, and what is read in it is as of then
            writer.submit(_batch(41))
            assert _ids(store) == _ids(store) == list(range(1, 42))
            assert len(waited) == 2
        assert _ids(store) == list(range(1, 42))
        assert len(waited) == 2
    assert _ids(store) == list(range(1, 42))
    assert len(waited) == 3


def test_many_small_commits_become_few_inserts(writer: Commit, store: EventStore) -> None:
    for event_id in range(1, 101):
        writer.submit(_batch(event_id))
    assert _ids(store) == list(range(1, 101))
    writer.submit(_batch(50, 101))
    assert _ids(store) == list(range(1, 102))
    inserts = store.value(
        "SELECT max(max_block_number) - min(min_block_number) + 1 FROM system.parts "
        "WHERE database = currentDatabase() AND table = 'events' AND active"
    )
    assert inserts < 30  # one block a commit would be over a hundred


def test_files_go_once_their_rows_are_in_the_store(writer: Commit, store: EventStore, spool: Spool) -> None:
    for event_id in range(1, 41):
        writer.submit(_batch(event_id))
    assert _ids(store) == list(range(1, 41))
    assert list(spool.folder.rglob("*.spooled")) == []
    writer.close()
    assert [path.name for path in spool.folder.iterdir() if path.is_dir()] == []


def test_what_a_killed_process_owed_is_replayed_once(store: EventStore, spool: Spool) -> None:
    killed = Owed(spool)
    killed.keep(_rows(1, 2))
    killed.keep(_rows(3))
    store.insert_block("events", _rows(3).events)  # it was stored, but its file was still there
    assert killed._held is not None
    killed._held.close()  # what the system does for a process that is gone
    writer = Commit(store, spool).start()
    deadline = time.monotonic() + 60
    while spool.files():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert _ids(store) == [1, 2, 3]
    writer.close()


def test_what_a_living_process_owes_is_not_taken_from_it(spool: Spool) -> None:
    alive = Owed(spool)
    alive.keep(_rows(1))
    assert adopt(spool) == 0
    assert len(list(spool.folder.rglob("*.spooled"))) == 1
    alive.close()


def test_what_is_owed_goes_to_the_spool_while_the_store_is_away(store: EventStore, spool: Spool) -> None:
    writer = Commit(store, spool).start()
    writer._owed.wait()
    store.execute("RENAME TABLE events TO events_away")
    writer._primed = True
    writer._owed.keep(_rows(1, 2))
    store.execute("RENAME TABLE events_away TO events")  # waits for what is owed, which the store could not take
    deadline = time.monotonic() + 60
    while spool.files():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert _ids(store) == [1, 2]
    writer.close()


def test_a_reader_is_not_held_up_by_rows_that_come_after_it_asked(spool: Spool) -> None:
    owed = Owed(spool)
    owed.keep(_rows(1))
    asked = threading.Event()

    def read() -> None:
        owed.wait()
        asked.set()

    reader = threading.Thread(target=read)
    reader.start()
    block = owed.next_block()
    owed.keep(_rows(2))
    owed.settle(block)
    reader.join(10)
    assert asked.is_set()
    assert not owed.is_empty
    owed.close()


def test_rows_are_kept_by_the_store_when_the_files_cannot_be_written(
    writer: Commit, store: EventStore, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Owed, "_open", full)
    for event_id in range(1, 21):
        writer.submit(_batch(event_id))
    assert _ids(store) == list(range(1, 21))
