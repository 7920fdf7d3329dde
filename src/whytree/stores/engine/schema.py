"""The tables of the event store, as numbered migrations.

A migration is a list of statements that may each be run twice (`IF NOT EXISTS`). It is recorded when its last statement
is done, so one that was cut short is run again from its start. Never edit one that has shipped: add the next.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import StoreUnavailable
from ..pieces.sql import COMPANY_TYPES

if TYPE_CHECKING:
    from ..events import EventStore
    from .connection import Engine


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    statements: tuple[str, ...]


# 16 constant buckets of keys: one property is read without the others, and a part stays under 100 files.
# Compact parts: a wide part has a file per column and bucket, thousands of them in a busy store. (Up to 10 GB; since
# migration 80 large parts are wide all the same.)
# Merges take more parts at once than by default (base 10 for 5): half their work, a few parts more to read.
_EVENTS = """
CREATE TABLE IF NOT EXISTS events (
    product     UInt32,
    person      UInt64,
    timestamp   DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    event       LowCardinality(String),
    event_id    UInt64 CODEC(NONE),
    distinct_id String CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    platform    LowCardinality(String),
    os          LowCardinality(String),
    browser     LowCardinality(String),
    app         LowCardinality(String),
    version     LowCardinality(String),
    locale      LowCardinality(String),
    country     LowCardinality(String),
    path        LowCardinality(String),
    properties  Map(LowCardinality(String), String),
    flags       Map(LowCardinality(String), LowCardinality(String)),
    source      LowCardinality(String),
    INDEX received received_at TYPE minmax GRANULARITY 4
)
ENGINE = MergeTree
ORDER BY (product, person, timestamp)
SETTINGS
    map_serialization_version = 'with_buckets',
    max_buckets_in_map = 16,
    map_buckets_strategy = 'constant',
    map_buckets_min_avg_size = 0,
    min_bytes_for_wide_part = 10737418240,
    merge_selector_base = 40,
    fsync_after_insert = 1,
    fsync_part_directory = 1
"""

# What was said about ids, only ever added to: `link` two ids seen as one person, `known` an id that names a person (both
# sides the same), `part` and `join` what a human decided about a pair. Rows that say the same fold into the earliest.
_EDGES = """
CREATE TABLE IF NOT EXISTS merge_edges (
    product      UInt32,
    one          UInt64,
    other        UInt64,
    kind         LowCardinality(String),
    trusted      Bool,
    one_id       SimpleAggregateFunction(any, String),
    other_id     SimpleAggregateFunction(any, String),
    at           SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    recorded_at  SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (product, one, other, kind, trusted)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

# Computed from the edges: who counts as whom. The row with the highest version holds.
_OVERRIDES = """
CREATE TABLE IF NOT EXISTS person_overrides (
    product      UInt32,
    person       UInt64,
    canonical    UInt64,
    distinct_id  String,
    canonical_id String,
    version      UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (product, person)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

_OVERRIDES_DICTIONARY = """
CREATE DICTIONARY IF NOT EXISTS person_overrides_now (
    person    UInt64,
    canonical UInt64
)
PRIMARY KEY person
SOURCE(CLICKHOUSE(QUERY '
    SELECT person, argMax(canonical, version) AS canonical
    FROM {database}.person_overrides
    GROUP BY person
    HAVING canonical != person
'))
LAYOUT(HASHED())
LIFETIME(0)
"""

# What did not become an event: refused at the door, by the engine, or a merge or a claim that a public key may not make.
_QUARANTINE = """
CREATE TABLE IF NOT EXISTS quarantine (
    product     UInt32,
    received_at DateTime64(3, 'UTC'),
    kind        LowCardinality(String),
    reason      String,
    event       String,
    distinct_id String,
    message_id  String,
    source      LowCardinality(String),
    body        String
)
ENGINE = MergeTree
ORDER BY (product, received_at)
TTL toDateTime(received_at) + INTERVAL 90 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

_CATALOGUE = """
CREATE TABLE IF NOT EXISTS catalogue (
    product    UInt32,
    event      LowCardinality(String),
    property   LowCardinality(String),
    type       LowCardinality(String),
    volume     SimpleAggregateFunction(sum, UInt64),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (product, event, property, type)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

# Small things the store remembers of itself: how far followers have come, whose key names the people.
_MARKS = """
CREATE TABLE IF NOT EXISTS marks (
    name  String,
    value String,
    at    DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

# A link said again folds into the one before, whose last `recorded_at` alone would then be told: disputes about a device
# are settled by when it was said first.
_FIRST_RECORDED = """
ALTER TABLE merge_edges
ADD COLUMN IF NOT EXISTS first_recorded_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) DEFAULT recorded_at
"""

# Marked at the door by the User-Agent; questions leave them out (`sql.PEOPLE`).
_BOTS = "ALTER TABLE events ADD COLUMN IF NOT EXISTS bot Bool DEFAULT false"

# Lists of people that somebody stored. The version that a list's owner tells holds; others are on their way out.
_COHORT_MEMBERS = """
CREATE TABLE IF NOT EXISTS cohort_members (
    product UInt32,
    cohort  UInt32,
    version UInt32,
    person  UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (product, cohort, version, person)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""

# Small parts wait until there are more of them, and are merged a level less (docs/decisions/0004).
_SELDOM_MERGED = "ALTER TABLE events MODIFY SETTING merge_selector_base = 40"

# Every question unpacks the time of every event. This unpacks four times as fast as Delta with ZSTD and takes 4 % more of
# a column of four bytes (docs/decisions/0050); parts change as they are merged.
_QUICK_TIMES = "ALTER TABLE events MODIFY COLUMN timestamp DateTime64(3, 'UTC') CODEC(T64, LZ4)"

# The company that an event says it is of, or that it tells of (Segment's `group`, PostHog's `$groupidentify`).
_COMPANY_SAID = f"""
ALTER TABLE events ADD COLUMN IF NOT EXISTS company_said LowCardinality(String) MATERIALIZED multiIf(
    event = '$group', properties['groupId'],
    event = '$groupidentify', if(properties['$group_type'] IN {COMPANY_TYPES}, properties['$group_key'], ''),
    arrayFirst(told -> told != '', [{", ".join(f"properties['$groups.{one}']" for one in COMPANY_TYPES)}])
)
"""
# For the events that are there already, behind everything else; until that is done it is looked up where it is asked for.
_COMPANIES_OF_BEFORE = "ALTER TABLE events MATERIALIZE COLUMN company_said"

# A large part with a file for each column: of a compact one some 50 times what a question needs is read along with it, as
# its columns alternate every 8,192 rows (docs/decisions/0054). Half a gigabyte before it is packed is about a million events;
# below that, files would be many and small.
_WIDE_WHEN_LARGE = "ALTER TABLE events MODIFY SETTING min_bytes_for_wide_part = 536870912"

# Which import said a link, 0 for everything else: with the import it is taken back, and only it.
_RUNS = """
ALTER TABLE merge_edges ADD COLUMN IF NOT EXISTS run UInt64, MODIFY ORDER BY (product, one, other, kind, trusted, run)
"""

MIGRATIONS = (
    Migration(1, "events", (_EVENTS, _QUARANTINE, _MARKS)),
    Migration(2, "people", (_EDGES, _OVERRIDES, _OVERRIDES_DICTIONARY)),
    Migration(3, "catalogue", (_CATALOGUE,)),
    Migration(20, "first recorded", (_FIRST_RECORDED,)),
    Migration(30, "bots", (_BOTS,)),
    Migration(40, "cohort members", (_COHORT_MEMBERS,)),
    Migration(50, "seldom merged", (_SELDOM_MERGED,)),
    Migration(60, "quick times", (_QUICK_TIMES,)),
    Migration(70, "companies", (_COMPANY_SAID, _COMPANIES_OF_BEFORE)),
    Migration(80, "wide when large", (_WIDE_WHEN_LARGE,)),
    Migration(90, "runs of links", (_RUNS,)),
)

_RECORD = """
CREATE TABLE IF NOT EXISTS migrations (
    number     UInt32,
    name       String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


def create_database(engine: "Engine", name: str) -> None:
    """Make the database; a client can only be opened on one that exists."""
    client = engine.client(None)
    try:
        for statement in engine.statements(f"CREATE DATABASE IF NOT EXISTS `{name}`", name):
            client.command(statement)
    finally:
        client.close()


def migrate(store: "EventStore", migrations: tuple[Migration, ...] = MIGRATIONS) -> list[int]:
    """Bring the store to this version; return the numbers that ran. Safe to run again after it was cut short."""
    store.execute(_RECORD)
    done = {row["number"] for row in store.query("SELECT number FROM migrations")}
    known = {migration.number for migration in migrations}
    if done - known:
        raise StoreUnavailable(
            f"The events were written by a newer Whytree (migration {max(done - known)}). Update this one: "
            "pipx upgrade whytree"
        )
    ran: list[Migration] = []
    try:
        for migration in migrations:
            if migration.number not in done:
                for statement in migration.statements:
                    store.execute(statement.replace("{database}", f"`{store.database}`"))
                ran.append(migration)
    finally:  # in one insert: each costs an fsync
        store.insert("migrations", [{"number": each.number, "name": each.name} for each in ran])
    return [each.number for each in ran]
