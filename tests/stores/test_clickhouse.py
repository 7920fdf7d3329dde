"""The same code on `clickhouse://`: everything the store does, over ClickHouse's own HTTP interface."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from whytree.events.durable.commit import Batch, Commit
from whytree.events.durable.spool import Spool
from whytree.stores import events as module
from whytree.stores.engine.connection import Remote, engine_for
from whytree.stores.engine.schema import MIGRATIONS
from whytree.stores.errors import StoreRefused, StoreUnavailable
from whytree.stores.events import EventStore, open_database
from whytree.stores.identity import people
from whytree.stores.identity.people import Override
from whytree.stores.identity.timeline import timeline
from whytree.stores.pieces.sql import PERSON
from whytree.stores.usage.catalogue import catalogued_events, catalogued_properties, latest_put_aside
from whytree.stores.writing import transfer
from whytree.stores.writing.capture import ids_of_people, put_aside, remove_repetitions


@pytest.fixture
def remote(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventStore]:
    """A store on the server, in force for this test."""
    engine = engine_for(address, 512)
    assert isinstance(engine, Remote)
    engine.open()
    opened = open_database(engine, f"{engine.default_database}_{time.time_ns()}")
    monkeypatch.setattr(module, "_current", opened)
    yield opened
    opened.close()


def _event(event_id: int, **values: Any) -> dict[str, Any]:
    now = time.time()
    row = {"product": 1, "person": 7, "timestamp": now, "received_at": now, "event": "opened", "event_id": event_id}
    return row | {"distinct_id": "u7"} | values


def test_it_is_migrated(remote: EventStore) -> None:
    assert len(remote.query("SELECT * FROM migrations")) == len(MIGRATIONS)


def test_rows_come_back_as_they_went_in(remote: EventStore) -> None:
    awkward = "quote ' backslash \\ newline \n tab \t rocket 🚀 { } % ?"
    remote.insert("events", [_event(2**64 - 1, event=awkward, properties={awkward: awkward})])
    (row,) = remote.query("SELECT * FROM events WHERE event = {event:String}", {"event": awkward})
    assert (row["event_id"], row["properties"]) == (2**64 - 1, {awkward: awkward})
    assert row["timestamp"].tzinfo is not None


def test_long_lists_of_ids_are_bound(remote: EventStore) -> None:
    remote.insert("events", [_event(5)])
    assert ids_of_people(1, [7], list(range(20_000))) == {5}


def test_who_counts_as_whom_is_followed(remote: EventStore) -> None:
    remote.insert("events", [_event(1), _event(2, person=8)])
    people.write_overrides([Override(1, 8, 7, "u8", "u7"), Override(1, 7, 7, "u7", "u7")], 1)
    assert remote.query(f"SELECT {PERSON} AS who, count() AS n FROM events GROUP BY who") == [{"who": 7, "n": 2}]
    assert {member.distinct_id for member in people.members_of(1, 7)} == {"u7", "u8"}
    assert len(timeline(1, [7, 8])) == 2


def test_commits_are_grouped_and_told_once(remote: EventStore, tmp_path: Path) -> None:
    writer = Commit(remote, Spool(tmp_path / "spool"))
    lines = [msgspec.json.encode(_event(n)) for n in (1, 2, 2)]
    writer.start()
    writer.submit(Batch(b"\n".join(lines), [1, 2, 2], time.time()))
    writer.close()
    assert remote.value("SELECT count() FROM events") == 2


def test_repetitions_are_swept(remote: EventStore) -> None:
    from datetime import UTC, datetime

    for _ in range(3):
        remote.insert("events", [_event(1), _event(2)])
    assert remove_repetitions(datetime(2020, 1, 1, tzinfo=UTC)) == 4
    assert remote.value("SELECT count() FROM events") == 2


def test_the_catalogue_and_what_was_put_aside_are_read(remote: EventStore) -> None:
    from datetime import UTC, datetime

    remote.insert("events", [_event(1)])
    seen = {"first_seen": time.time(), "last_seen": time.time()}
    remote.insert(
        "catalogue", [{"product": 1, "event": "opened", "property": "p", "type": "text", "volume": 1, **seen}]
    )
    put_aside([{"product": 1, "received_at": datetime.now(UTC), "kind": "rejected", "reason": "r"}])
    assert [event.name for event in catalogued_events(1)] == ["opened"]
    assert [each.name for each in catalogued_properties(1)] == ["p"]
    assert [row.reason for row in latest_put_aside(1)] == ["r"]


def test_everything_can_be_taken_out_and_brought_in(remote: EventStore) -> None:
    remote.insert("events", [_event(1, properties={"b": "1", "a": "2"}), _event(2)])
    out = {table: list(transfer.dump(table)) for table in transfer.TABLES}
    remote.execute("TRUNCATE TABLE events")
    transfer.load("events", out["events"])
    assert list(transfer.dump("events")) == out["events"]


def test_bad_rows_are_refused_and_a_missing_table_means_not_now(remote: EventStore) -> None:
    with pytest.raises(StoreRefused):
        remote.insert_block("events", b'{"product":"x"}')
    with pytest.raises(StoreUnavailable):
        remote.insert_block("nowhere", b'{"product":1}')


def test_a_server_that_does_not_answer_means_not_now() -> None:
    engine = engine_for("clickhouse://127.0.0.1:9/whytree", 512)
    with pytest.raises(StoreUnavailable, match=r"ClickHouse at 127\.0\.0\.1"):
        open_database(engine, "whytree")


def test_every_question_is_answered_as_on_one_engine(remote: EventStore) -> None:
    from datetime import UTC, datetime, timedelta

    from whytree.stores.pieces import cohorts
    from whytree.stores.pieces.companies import CompanyTrait
    from whytree.stores.pieces.filters import Membership, Selection
    from whytree.stores.questions import funnels, retention, trends

    start = datetime(2026, 3, 2, tzinfo=UTC)
    rows = [
        (1, "a", 0, "x"),
        (1, "b", 1, "x"),
        (2, "a", 0, "y"),
        (3, "b", 2, "y"),
        (4, "a", 24 * 8, "x"),
        (2, "a", 24 * 8, "y"),
    ]
    remote.insert(
        "events",
        [
            _event(n, person=who, event=event, timestamp=start + timedelta(hours=hours), distinct_id=str(who),
                   properties={"doc": doc, "$groups.company": doc})
            for n, (who, event, hours, doc) in enumerate(rows)
        ],
    )  # fmt: skip
    people.write_overrides([Override(1, 3, 2, "3", "2")], 1)  # 2 and 3 are one: came from a to b
    a, b = Selection(("a",)), Selection(("b",))
    period = funnels.Period(start, start + timedelta(days=14))
    steps = funnels.Steps((a, b), timedelta(days=1))
    assert funnels.funnel(1, steps, period).people == (3, 2)
    by = {one.value: one.people for one in funnels.funnel_by(1, steps, period, ["doc"])}
    assert by == {"x": (2, 1), "y": (1, 1)}
    held = funnels.Steps((a, b), timedelta(days=1), held="doc")
    assert funnels.funnel(1, held, period).people == (3, 2)
    asked = trends.Asked(a, period.start, period.end, "week", "UTC")
    counted = trends.counts_of_all(1, asked)
    assert ([one.events for one in counted.stretches], counted.everybody) == ([2, 2], 3)
    assert {
        value: sum(one.people for one in those) for value, those in trends.counts_of_largest(1, asked, ["doc"]).items()
    } == {
        "x": 2,
        "y": 2,
    }
    company = [CompanyTrait(1, "id")]
    assert set(trends.counts_of_largest(1, asked, company)) == {"x", "y"}
    coming = retention.Coming(a, a, "week")
    (first, second) = retention.retention(1, coming, retention.Followed(period.start, period.end, 2, "UTC"))
    assert (first.people, first.back, second.people) == (2, (2, 1), 1)
    both = Membership(cohorts.InOrder((a, b), timedelta(days=1)), 1, "both")
    assert funnels.funnel(1, funnels.Steps((Selection(("a",), (both,)),), timedelta(days=1)), period).people == (2,)


def test_what_is_forgotten_is_gone_from_every_shard(remote: EventStore) -> None:
    from whytree.stores.identity.erasing import erase_person

    remote.insert("events", [_event(1), _event(2, person=8, distinct_id="u8")])
    assert erase_person(1, [7], ["u7"]) == 1
    assert [row["distinct_id"] for row in remote.query("SELECT distinct_id FROM events")] == ["u8"]
