"""The event store's tables: made once, recorded, resumed after a cut."""

from collections.abc import Iterator

import pytest

from whytree.stores.engine.schema import MIGRATIONS, Migration, migrate
from whytree.stores.errors import StoreUnavailable
from whytree.stores.events import EventStore, temporary_database


@pytest.fixture
def store() -> Iterator[EventStore]:
    """A database that nobody else uses: its tables are played with."""
    with temporary_database() as fresh:
        yield fresh


def test_it_records_every_migration_once(store: EventStore) -> None:
    recorded = [row["number"] for row in store.query("SELECT number FROM migrations ORDER BY number")]
    assert recorded == [migration.number for migration in MIGRATIONS]


def test_it_does_nothing_the_second_time(store: EventStore) -> None:
    assert migrate(store) == []


def test_it_resumes_a_migration_that_was_cut_short(store: EventStore) -> None:
    first = "CREATE TABLE IF NOT EXISTS one (n UInt8) ENGINE = MergeTree ORDER BY n"
    cut = Migration(99, "cut", (first, "CREATE TABLE two (nonsense"))
    with pytest.raises(Exception, match="Syntax error"):
        migrate(store, (*MIGRATIONS, cut))
    assert store.value("SELECT count() FROM migrations WHERE number = 99") == 0
    whole = Migration(99, "whole", (first, "CREATE TABLE IF NOT EXISTS two (n UInt8) ENGINE = MergeTree ORDER BY n"))
    assert migrate(store, (*MIGRATIONS, whole)) == [99]
    assert store.value("SELECT count() FROM two") == 0


def test_it_refuses_events_of_a_newer_version(store: EventStore) -> None:
    store.insert("migrations", [{"number": 9999, "name": "from the future"}])
    with pytest.raises(StoreUnavailable, match="newer Whytree"):
        migrate(store)


def test_properties_are_kept_in_sixteen_buckets_of_a_compact_part(store: EventStore) -> None:
    store.insert(
        "events",
        [
            {"product": 1, "person": n, "timestamp": 1_760_000_000.5, "event": "e", "properties": {f"p{n}": "v"}}
            for n in range(500)
        ],
    )
    kinds = store.query(
        "SELECT DISTINCT part_type FROM system.parts WHERE database = currentDatabase() AND table = 'events'"
    )
    assert kinds == [{"part_type": "Compact"}]
    assert store.value("SELECT count() FROM events WHERE properties['p7'] = 'v'") == 1


def test_edges_of_an_older_version_count_from_when_they_were_last_recorded(store: EventStore) -> None:
    store.execute("ALTER TABLE merge_edges DROP COLUMN first_recorded_at")
    edge = {"product": 1, "one": 1, "other": 2, "kind": "link", "trusted": False, "one_id": "a", "other_id": "b"}
    store.insert("merge_edges", [{**edge, "at": 1_700_000_000, "recorded_at": 1_700_000_009}])
    store.execute("DELETE FROM migrations WHERE number = 20")
    assert migrate(store) == [20]
    store.insert("merge_edges", [{**edge, "at": 1_700_000_000, "recorded_at": 1_700_000_099}])
    for _ in range(2):
        first = "SELECT toUnixTimestamp(min(first_recorded_at)) FROM merge_edges"
        assert store.value(first) == 1_700_000_009
        store.execute("OPTIMIZE TABLE merge_edges FINAL")
