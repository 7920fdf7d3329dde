"""Reading from and writing to the event store."""

import threading
from datetime import UTC, datetime

import pytest

from whytree.stores.errors import StoreRefused, StoreUnavailable
from whytree.stores.events import EventStore, as_unavailable, temporary_database


def _event(**values: object) -> dict[str, object]:
    return {"product": 1, "person": 1, "timestamp": 1_760_000_000.123, "event": "opened", **values}


def test_it_gives_rows_back_as_they_went_in(store: EventStore) -> None:
    awkward = "quote ' backslash \\ newline \n tab \t NUL \0 rocket 🚀"
    store.insert("events", [_event(event_id=2**64 - 1, properties={awkward: awkward}, flags={"new": "on"})])
    (row,) = store.query("SELECT * FROM events")
    assert row["properties"] == {awkward: awkward}
    assert row["flags"] == {"new": "on"}
    assert row["event_id"] == 2**64 - 1
    assert row["timestamp"] == datetime(2025, 10, 9, 8, 53, 20, 123_000, tzinfo=UTC)


def test_it_binds_values_so_that_text_is_never_sql(store: EventStore) -> None:
    injection = "x') OR 1=1 --\\"
    store.insert("events", [_event(event=injection), _event(event="other")])
    rows = store.query("SELECT event FROM events WHERE event = {event:String}", {"event": injection})
    assert rows == [{"event": injection}]


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (0.0, "1970-01-01 00:00:00.000"),
        (86_400.5, "1970-01-02 00:00:00.500"),
        (999_999_999.999, "2001-09-09 01:46:39.999"),
        (1_760_000_000.0, "2025-10-09 08:53:20.000"),
    ],
)
def test_a_number_of_seconds_is_a_time(store: EventStore, moment: float, shown: str) -> None:
    store.insert_block("events", b'{"product":1,"timestamp":%r}' % moment)
    assert store.value("SELECT toString(timestamp) FROM events") == shown


def test_it_answers_from_many_threads_at_once(store: EventStore) -> None:
    store.insert("events", [_event(person=person) for person in range(100)])
    answers: list[int] = []

    def ask() -> None:
        answers.extend(store.value("SELECT count() FROM events") for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [100] * 30


def test_rows_that_can_never_be_taken_are_refused_whole(store: EventStore) -> None:
    with pytest.raises(StoreRefused):
        store.insert_block("events", b'{"product":1,"event":"good"}\n{"product":"not a number"}')
    assert store.value("SELECT count() FROM events") == 0


def test_a_full_disk_says_so() -> None:
    told = as_unavailable(OSError(28, "No space left on device"), "chDB")
    assert told is not None
    assert "disk is full" in told.message
    assert told.retry_after > 0


def test_a_table_that_is_gone_means_not_now(store: EventStore) -> None:
    store.execute("DROP TABLE events SYNC")
    with pytest.raises(StoreUnavailable):
        store.insert_block("events", b'{"product":1}')


def test_databases_do_not_see_each_other(store: EventStore) -> None:
    store.insert("events", [_event()])
    with temporary_database() as other:
        assert other.value("SELECT count() FROM events") == 0


def test_a_closed_store_says_that_the_process_is_stopping() -> None:
    with temporary_database() as store:
        pass
    with pytest.raises(StoreUnavailable, match="stopping"):
        store.query("SELECT 1")
