"""Acknowledged means on disk: the spool, repetitions, quarantine, and coming back after a crash."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from whytree.errors import TooMany, Unavailable
from whytree.events.durable import commit as module
from whytree.events.durable.commit import Batch, Commit, close_commit, commit
from whytree.events.durable.spool import Spool
from whytree.events.durable.storing import store_rows
from whytree.events.jobs import sweep
from whytree.stores.events import EventStore

from .conftest import Sender, track

pytestmark = pytest.mark.django_db


def _line(event_id: int, **values: Any) -> bytes:
    import msgspec

    now = time.time()
    row = {"product": 1, "person": 1, "timestamp": now, "received_at": now, "event": "e", "event_id": event_id}
    return msgspec.json.encode(row | values)


def _batch(*event_ids: int) -> Batch:
    now = time.time()
    return Batch(b"\n".join(_line(event_id, received_at=now) for event_id in event_ids), list(event_ids), now)


def _write(writer: Commit, *batches: Batch) -> None:
    """What a writing thread does with what waits."""
    writer._waiting.extend(batches)
    writer._prime()
    writer._write(writer._take())


def _ids(store: EventStore) -> list[int]:
    return [row["event_id"] for row in store.query("SELECT event_id FROM events ORDER BY event_id")]


@pytest.fixture
def writer(store: EventStore, tmp_path: Path) -> Any:
    """A writer whose threads are not started: what they would do is called by hand."""
    return Commit(store, Spool(tmp_path / "spool"))


@pytest.fixture
def refusing(store: EventStore) -> Any:
    """A store that cannot be written until `refusing()` is called."""
    store.execute("RENAME TABLE events TO events_away")
    return lambda: store.execute("RENAME TABLE events_away TO events")


def test_many_requests_share_one_insert(store: EventStore, tmp_path: Path) -> None:
    writer = Commit(store, Spool(tmp_path / "spool"))
    threads = [threading.Thread(target=writer.submit, args=(_batch(n),)) for n in range(1, 21)]
    for thread in threads:
        thread.start()
    while writer._waiting_rows < 20:
        time.sleep(0.01)
    writer.start()
    for thread in threads:
        thread.join()
    assert _ids(store) == list(range(1, 21))
    parts = store.value("SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'events'")
    assert parts == 1
    writer.close()


def test_a_repetition_is_left_out_within_a_batch_between_batches_and_later(writer: Commit, store: EventStore) -> None:
    first, second = _batch(1, 2, 2), _batch(2, 3)
    _write(writer, first, second)
    later = _batch(3, 4)
    _write(writer, later)
    assert _ids(store) == [1, 2, 3, 4]
    assert (first.repeated, second.repeated, later.repeated) == ({2}, {0}, {0})


def test_an_id_just_being_written_is_waited_for(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_is_ready = threading.Event()
    calls: list[int] = []

    def slowly(events: EventStore, rows: Any) -> dict[int, str]:
        calls.append(rows.count)
        assert disk_is_ready.wait(10)
        return store_rows(events, rows)

    monkeypatch.setattr(module, "store_rows", slowly)
    writer = Commit(store, Spool(tmp_path / "spool")).start()
    batches = [_batch(1, 2), _batch(2, 3), _batch(4)]
    threads = [threading.Thread(target=writer.submit, args=(batch,)) for batch in batches]
    threads[0].start()
    _until(lambda: calls == [2])
    threads[1].start()
    threads[2].start()
    _until(lambda: calls == [2, 1])  # the unrelated one is not held up
    assert not batches[1].done.is_set()
    disk_is_ready.set()
    for thread in threads:
        thread.join()
    writer.close()
    assert _ids(store) == [1, 2, 3, 4]
    assert batches[1].repeated == {0}


def test_writers_outlive_rows_that_another_one_took(store: EventStore, tmp_path: Path) -> None:
    writer = Commit(store, Spool(tmp_path / "spool")).start()
    for event_id in range(1, 30):
        writer.submit(_batch(event_id))
    assert [thread.is_alive() for thread in writer._threads] == [True] * len(writer._threads)
    writer.close()
    assert [thread.is_alive() for thread in writer._threads] == [False] * len(writer._threads)
    assert _ids(store) == list(range(1, 30))


def test_what_was_written_before_a_crash_is_known_after_it(writer: Commit, store: EventStore, tmp_path: Path) -> None:
    _write(writer, _batch(1, 2))
    restarted = Commit(store, Spool(tmp_path / "spool"))
    _write(restarted, _batch(2, 3))
    assert _ids(store) == [1, 2, 3]


def test_the_spool_takes_over_when_the_store_refuses(writer: Commit, store: EventStore, refusing: Any) -> None:
    _write(writer, _batch(1, 2))
    _write(writer, _batch(2, 3))
    assert len(writer.spool.files()) == 2
    refusing()
    assert writer.replay() == 3
    assert _ids(store) == [1, 2, 3]
    assert writer.spool.files() == []


def test_the_store_is_used_again_after_the_replay(writer: Commit, store: EventStore, refusing: Any) -> None:
    _write(writer, _batch(1))
    refusing()
    _write(writer, _batch(2))
    assert len(writer.spool.files()) == 2  # not tried again for every commit: the replay tells when it is back
    writer.replay()
    _write(writer, _batch(3))
    assert _ids(store) == [1, 2, 3]


def test_a_spooled_file_that_was_stored_before_the_crash_adds_nothing(
    writer: Commit, store: EventStore, refusing: Any
) -> None:
    _write(writer, _batch(1, 2, 3))
    (path,) = writer.spool.files()
    refusing()
    kept = path.read_bytes()
    writer.replay()
    path.write_bytes(kept)  # the crash came after the insert and before the file was removed
    assert writer.replay() == 0
    assert _ids(store) == [1, 2, 3]


def test_a_spooled_file_is_known_again_whatever_the_store_makes_of_its_fractions(
    writer: Commit, store: EventStore, refusing: Any
) -> None:
    at = 1_790_000_000.9999996  # a float the store cannot keep: it rounds to milliseconds
    _write(writer, Batch(_line(1, received_at=at), [1], at))
    (path,) = writer.spool.files()
    refusing()
    kept = path.read_bytes()
    writer.replay()
    path.write_bytes(kept)
    assert writer.replay() == 0


def test_only_one_process_replays_at_a_time(writer: Commit, refusing: Any) -> None:
    _write(writer, _batch(1))
    refusing()
    with writer.spool.taken() as mine:
        assert mine
        assert writer.replay() == 0
    assert writer.replay() == 1


def test_when_neither_store_nor_spool_can_be_written_the_client_is_told_to_come_back(
    web: Sender, refusing: Any, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.05,))
    folder = commit().spool.folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder should be")
    message = track(messageId="kept by the client")
    answer = web.batch(message)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was taken" in answer.body["message"]
    folder.unlink()
    refusing()
    assert web.batch(message).status == 200
    _until(lambda: not commit().spool.files())
    assert len(_ids(store)) == 1


def _until(done: Any) -> None:
    """Soon, but nobody is hurried: a busy machine may take its time."""
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_the_spool_is_replayed_by_itself(web: Sender, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.05,))
    store.execute("RENAME TABLE events TO events_away")
    assert web.batch(track("while away")).status == 200
    assert len(commit().spool.files()) == 1
    store.execute("RENAME TABLE events_away TO events")
    _until(lambda: not commit().spool.files())
    assert store.value("SELECT any(event) FROM events") == "while away"


def test_what_waits_in_the_spool_is_replayed_after_a_restart(web: Sender, store: EventStore, refusing: Any) -> None:
    web.batch(track("before the restart"))
    close_commit()
    refusing()
    web.batch(track("after the restart"))
    _until(lambda: not commit().spool.files())
    assert store.value("SELECT count() FROM events") == 2


def test_a_row_the_engine_refuses_goes_to_quarantine_alone(writer: Commit, store: EventStore) -> None:
    lines = [_line(n) for n in range(1, 101)]
    lines[41] = _line(42, timestamp={"not": "a time"}, event="odd", distinct_id="u")
    batch = Batch(b"\n".join(lines), list(range(1, 101)), time.time())
    _write(writer, batch, _batch(200))
    assert _ids(store) == [n for n in range(1, 101) if n != 42] + [200]
    assert list(batch.refused) == [41]
    (aside,) = store.query("SELECT kind, reason, event, distinct_id, body FROM quarantine")
    assert (aside["kind"], aside["event"], aside["distinct_id"]) == ("refused", "odd", "u")
    assert "event store refused it" in aside["reason"]
    assert '"not"' in aside["body"]


def test_rows_refused_only_by_a_broken_store_are_not_blamed(writer: Commit, store: EventStore) -> None:
    store.execute("ALTER TABLE events ADD CONSTRAINT nothing_fits CHECK person = 0")
    batch = _batch(*range(1, 51))
    _write(writer, batch)
    assert batch.refused == {}
    assert len(writer.spool.files()) == 1
    store.execute("ALTER TABLE events DROP CONSTRAINT nothing_fits")
    writer.replay()
    assert _ids(store) == list(range(1, 51))


def test_when_too_much_waits_the_client_is_told_to_pause(writer: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING_ROWS", 3)
    waiting = threading.Thread(target=writer.submit, args=(_batch(1, 2, 3, 4),))
    waiting.start()
    while not writer._waiting:
        time.sleep(0.01)
    with pytest.raises(TooMany) as told:
        writer.submit(_batch(5))
    assert told.value.retry_after >= 1
    writer.start()
    waiting.join()
    writer.close()


def test_a_writer_that_stops_writes_what_waits_and_takes_nothing_more(store: EventStore, tmp_path: Path) -> None:
    writer = Commit(store, Spool(tmp_path / "spool")).start()
    writer.submit(_batch(1))
    writer.close()
    assert _ids(store) == [1]
    with pytest.raises(Unavailable, match="stopping"):
        writer.submit(_batch(2))


def test_the_sweeper_keeps_the_first_of_what_is_there_twice(writer: Commit, store: EventStore) -> None:
    at = time.time()
    for received_at in (at + 2, at, at + 1, at):
        lines = [_line(n, received_at=received_at, properties={"n": str(received_at)}) for n in (1, 2)]
        store.insert_block("events", b"\n".join(lines))
    _write(writer, _batch(3))
    sweep({})
    assert _ids(store) == [1, 2, 3]
    kept = store.query("SELECT DISTINCT properties['n'] AS n FROM events WHERE event_id IN (1, 2)")
    assert kept == [{"n": str(at)}]


def test_the_sweeper_finds_a_repetition_of_an_old_event(writer: Commit, store: EventStore) -> None:
    old = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    store.insert_block("events", _line(1, received_at=old, timestamp=old))
    sweep({})
    store.insert_block("events", _line(1))
    sweep({})
    assert store.query("SELECT toYear(received_at) AS year FROM events") == [{"year": 2020}]


def test_events_under_another_key_are_refused(web: Sender, store: EventStore) -> None:
    store.insert("marks", [{"name": module.KEY_MARK, "value": "of another installation", "at": datetime.now(UTC)}])
    answer = web.batch(track())
    assert answer.status == 503
    assert "people.key" in answer.body["message"]
    assert _ids(store) == []
    with pytest.raises(Unavailable, match=r"another people\.key"):  # and no server starts
        module.open_commit()
