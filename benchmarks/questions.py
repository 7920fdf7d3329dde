"""How fast are questions, beside the same asked by hand, in DuckDB, and in the shape that PostHog's SQL has?

python benchmarks/questions.py [--events 2000000] [--merges 100000] [--rounds 3] [--keep FOLDER] [--without-duckdb] [--without-posthog]

Seeded events (a hundred a person over sixty days, forty names, ordered by person and time as ours are), some ids joined to
others. Every question is asked `--rounds` times in turn, with the engine's query condition cache off. What counts is the
least processor time, of all threads: every engine here runs in this process, and others may use the machine meanwhile.
`--keep` leaves the events in a folder and takes them from there the next time.

1. Ours: the functions that pages call, which join ids, filter, and cut days in the product's time zone.
2. By hand: the ClickHouse query that somebody would type, which ignores joined ids, filters and zones (below, `BY_HAND`).
   The budget for trend, funnel and retention is 1.15 times that.
3. DuckDB on the same rows from a Parquet file: funnels there are nested window functions.
4. The shape of PostHog's queries on the same engine: properties as one JSON text, the table ordered by day and event, people
   through a join with overrides, funnels as window functions over events.

Beside that each has an absolute budget for 100 M events on two cores, said in seconds; it is held to the processor time that
two cores have in these seconds. The array questions (time to convert, a held property, exclusions) have this one alone.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 60
EVENTS_EACH = 100
NAMES = 40
COMPANIES = 2_000
BUDGET = 1.15
CORES = 2
#: Seconds on so many cores, of 100 M events.
BUDGET_SECONDS = {"trend": 1.0, "funnel": 2.5, "retention": 3.0}
BUDGET_SECONDS |= dict.fromkeys(("time to convert", "held property", "exclusion"), 6.0)
CHUNK = 1_000_000
STEPS = ("event 0", "event 1", "event 2", "event 3")
QUIET = {"use_query_condition_cache": 0, "max_execution_time": 600}

# Half of all events are of the first six names, as in a real product: the steps are frequent.
_FILL = """
INSERT INTO events (product, person, timestamp, event, event_id, distinct_id, received_at, platform, os, country, path, properties)
SELECT 1, intHash64(intDiv(number, {each})), toDateTime64('{start}', 3, 'UTC')
        + toIntervalMillisecond(toInt64(rand64(1) % ({days} * 86400000))),
    'event ' || toString(if(rand(2) % 2 = 0, rand(3) % 6, rand(4) % {names})), number, toString(intDiv(number, {each})), now64(3),
    ['ios', 'android', 'web'][rand(5) % 3 + 1], ['iOS', 'Android', 'macOS', 'Windows'][rand(6) % 4 + 1],
    ['DE', 'FR', 'US', 'NL'][rand(7) % 4 + 1], '/page/' || toString(rand(8) % 30),
    map('plan', ['free', 'team', 'pro'][rand(9) % 3 + 1], 'price', toString((rand(10) % 10000) / 100),
        'doc', toString(rand(11) % 20), 'title', 'title ' || toString(rand(12) % 500), 'seconds', toString(rand(13) % 900),
        '$groups.company', 'company ' || toString(intDiv(number, {each}) % {companies}))
FROM numbers({first}, {rows})
SETTINGS max_insert_threads = 2
"""

_MERGES = """
INSERT INTO person_overrides (product, person, canonical, distinct_id, canonical_id, version)
SELECT 1, intHash64(number * 2 + 1), intHash64(number * 2), toString(number * 2 + 1), toString(number * 2), 1
FROM numbers({merges})
"""

_PERIOD = "product = 1 AND timestamp >= '2026-03-02 00:00:00' AND timestamp < '2026-05-01 00:00:00'"
BY_HAND = {
    "trend": f"""
        SELECT toMonday(timestamp) AS week, count() AS events, uniqExact(person) AS people
        FROM events WHERE {_PERIOD} AND event = 'event 0' GROUP BY week ORDER BY week
    """,
    "breakdown": f"""
        SELECT toMonday(timestamp) AS week, properties['plan'] AS plan, count() AS events, uniqExact(person) AS people
        FROM events WHERE {_PERIOD} AND event = 'event 0' GROUP BY week, plan ORDER BY week, plan
    """,
    "companies": f"""
        SELECT toMonday(timestamp) AS week, count() AS events, uniqExact(properties['$groups.company']) AS companies
        FROM events WHERE {_PERIOD} AND event = 'event 0' GROUP BY week ORDER BY week
    """,
    "funnel": f"""
        SELECT level, count() FROM (
            SELECT person, windowFunnel(604800000)(toUInt64(toUnixTimestamp64Milli(timestamp)),
                event = 'event 0', event = 'event 1', event = 'event 2', event = 'event 3') AS level
            FROM events WHERE {_PERIOD} AND event IN ('event 0', 'event 1', 'event 2', 'event 3')
            GROUP BY person
        ) GROUP BY level ORDER BY level
    """,
    "retention": f"""
        SELECT cohort, count(), sumForEach(arrayMap(k -> toUInt64(has(backs, cohort + k)), range(0, 9)))
        FROM (
            SELECT person, minIf(toRelativeWeekNum(timestamp), event = 'event 0') AS cohort,
                groupUniqArrayIf(toRelativeWeekNum(timestamp), event = 'event 1') AS backs
            FROM events WHERE {_PERIOD} AND event IN ('event 0', 'event 1')
            GROUP BY person HAVING cohort > 0
        ) GROUP BY cohort ORDER BY cohort
    """,
}

IN_DUCKDB = {
    "trend": """
        SELECT date_trunc('week', timestamp) AS week, count(*), count(DISTINCT person)
        FROM events WHERE event = 'event 0' GROUP BY week ORDER BY week
    """,
    "breakdown": """
        SELECT date_trunc('week', timestamp) AS week, plan, count(*), count(DISTINCT person)
        FROM events WHERE event = 'event 0' GROUP BY week, plan ORDER BY week, plan
    """,
    "funnel": """
        SELECT level, count(*) FROM (
            SELECT person, max(CASE WHEN l3 <= l0 + INTERVAL 7 DAY THEN 4 WHEN l2 <= l0 + INTERVAL 7 DAY THEN 3
                WHEN l1 <= l0 + INTERVAL 7 DAY THEN 2 ELSE 1 END) AS level
            FROM (
                SELECT person, timestamp AS l0, event, l1, l2, min(l3) OVER w AS l3 FROM (
                    SELECT person, timestamp, event, l1, min(CASE WHEN event = 'event 2' THEN timestamp END) OVER w AS l2,
                        min(CASE WHEN event = 'event 3' THEN timestamp END) OVER w AS l3 FROM (
                        SELECT person, timestamp, event, min(CASE WHEN event = 'event 1' THEN timestamp END) OVER w AS l1
                        FROM events WHERE event IN ('event 0', 'event 1', 'event 2', 'event 3')
                        WINDOW w AS (PARTITION BY person ORDER BY timestamp ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
                    ) WINDOW w AS (PARTITION BY person ORDER BY timestamp ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
                ) WINDOW w AS (PARTITION BY person ORDER BY timestamp ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
            ) WHERE event = 'event 0' GROUP BY person
        ) GROUP BY level ORDER BY level
    """,
    "retention": """
        WITH firsts AS (SELECT person, date_trunc('week', min(timestamp)) AS cohort FROM events WHERE event = 'event 0' GROUP BY person),
        backs AS (SELECT DISTINCT person, date_trunc('week', timestamp) AS week FROM events WHERE event = 'event 1')
        SELECT cohort, date_diff('week', cohort, week) AS after, count(*)
        FROM firsts JOIN backs USING (person) WHERE week >= cohort GROUP BY cohort, after ORDER BY cohort, after
    """,
}

_POSTHOG_TABLE = """
CREATE TABLE posthog_events (
    team_id UInt32, event LowCardinality(String), timestamp DateTime64(6, 'UTC'), distinct_id String, person_id UInt64,
    properties String CODEC(ZSTD(3))
) ENGINE = MergeTree ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id))
"""
_POSTHOG_FILL = """
INSERT INTO posthog_events
SELECT product, event, timestamp, distinct_id, person, toJSONString(mapConcat(properties, map('$os', os, '$pathname', path)))
FROM events WHERE product = 1
"""
_PH_PERSON = """
    posthog_events AS e LEFT OUTER JOIN (
        SELECT person AS id, argMax(canonical, version) AS person_id FROM person_overrides WHERE product = 1 GROUP BY person
    ) AS o ON e.person_id = o.id
"""
_PH_WHO = "if(o.id != 0, o.person_id, e.person_id)"
_PH_PLAN = "replaceRegexpAll(nullIf(nullIf(JSONExtractRaw(e.properties, 'plan'), ''), 'null'), '^\"|\"$', '')"
_PH_PERIOD = "team_id = 1 AND timestamp >= '2026-03-02 00:00:00' AND timestamp < '2026-05-01 00:00:00'"
_PH_WINDOW = "(PARTITION BY who ORDER BY timestamp DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 0 PRECEDING)"
IN_POSTHOGS_SHAPE = {
    "trend": f"""
        SELECT toStartOfWeek(timestamp, 1) AS week, count(), count(DISTINCT {_PH_WHO})
        FROM {_PH_PERSON} WHERE {_PH_PERIOD} AND event = 'event 0' GROUP BY week ORDER BY week
    """,
    "breakdown": f"""
        SELECT toStartOfWeek(timestamp, 1) AS week, {_PH_PLAN} AS plan, count(), count(DISTINCT {_PH_WHO})
        FROM {_PH_PERSON} WHERE {_PH_PERIOD} AND event = 'event 0' GROUP BY week, plan ORDER BY week, plan
    """,
    "funnel": f"""
        SELECT steps, count() FROM (
            SELECT who, max(multiIf(latest_3 <= latest_0 + toIntervalDay(7) AND latest_3 >= latest_2 AND latest_2 >= latest_1, 4,
                latest_2 <= latest_0 + toIntervalDay(7) AND latest_2 >= latest_1,
                            3, latest_1 <= latest_0 + toIntervalDay(7), 2, 1)) AS steps
            FROM (
                SELECT who, timestamp, step_0, latest_0, latest_1, latest_2, min(latest_3) OVER {_PH_WINDOW} AS latest_3 FROM (
                    SELECT who, timestamp, step_0, latest_0, latest_1, min(latest_2) OVER {_PH_WINDOW} AS latest_2,
                        min(latest_3) OVER {_PH_WINDOW} AS latest_3 FROM (
                        SELECT who, timestamp, step_0, latest_0, min(latest_1) OVER {_PH_WINDOW} AS latest_1,
                            min(latest_2) OVER {_PH_WINDOW} AS latest_2,
                            min(latest_3) OVER {_PH_WINDOW} AS latest_3 FROM (
                            SELECT {_PH_WHO} AS who, timestamp, event = 'event 0' AS step_0, if(step_0, timestamp, NULL) AS latest_0,
                                if(event = 'event 1', timestamp, NULL) AS latest_1, if(event = 'event 2', timestamp, NULL) AS latest_2,
                                if(event = 'event 3', timestamp, NULL) AS latest_3
                            FROM {_PH_PERSON}
                            WHERE {_PH_PERIOD} AND event IN ('event 0', 'event 1', 'event 2', 'event 3')
                        )
                    )
                )
            ) WHERE step_0 GROUP BY who
        ) GROUP BY steps ORDER BY steps
    """,
    "retention": f"""
        WITH actors AS (
            SELECT {_PH_WHO} AS who, minIf(toStartOfWeek(timestamp, 1), event = 'event 0') AS start,
                arraySort(groupUniqArrayIf(toStartOfWeek(timestamp, 1), event = 'event 1')) AS returned
            FROM {_PH_PERSON} WHERE {_PH_PERIOD} AND event IN ('event 0', 'event 1')
            GROUP BY who HAVING start > '1970-01-05'
        )
        SELECT start, dateDiff('week', start, arrayJoin(returned)) AS after, count(DISTINCT who)
        FROM actors GROUP BY start, after HAVING after >= 0 ORDER BY start, after
    """,
}


@dataclass(frozen=True)
class Took:
    """Processor seconds of all threads, and seconds on the wall; infinite where it could not be answered."""

    processor: float = float("inf")
    wall: float = float("inf")


def fastest(ask: Callable[[], Any], rounds: int) -> Took:
    best = Took()
    for _ in range(rounds):
        wall, processor = time.perf_counter(), time.process_time()
        try:
            ask()
        except Exception as error:  # a peer that fails is told, and the others go on
            say(f"failed: {str(error)[:120]}\n")
            return Took()
        took = Took(time.process_time() - processor, time.perf_counter() - wall)
        best = Took(min(best.processor, took.processor), min(best.wall, took.wall))
    return best


def fill(store: Any, events: int, merges: int, *, start: str = f"{START:%Y-%m-%d %H:%M:%S}", days: int = DAYS) -> None:
    for first in range(0, events, CHUNK):
        rows = min(CHUNK, events - first)
        known = {"each": EVENTS_EACH, "days": days, "names": NAMES, "companies": COMPANIES, "start": start}
        store.execute(_FILL.format(first=first, rows=rows, **known))
        say(f"\rfilled {first + rows:,} of {events:,}")
    store.execute("OPTIMIZE TABLE events FINAL")
    store.execute(_MERGES.format(merges=min(merges, events // EVENTS_EACH // 2)))
    store.execute("SYSTEM RELOAD DICTIONARY person_overrides_now")
    say("\n")


def ours() -> dict[str, Callable[[], Any]]:
    """The functions that pages call."""
    from whytree.stores.pieces.companies import Companies
    from whytree.stores.pieces.filters import Selection
    from whytree.stores.pieces.moments import InSession, WasSo
    from whytree.stores.questions import funnels, retention, trends

    end = START + timedelta(days=DAYS)
    asked = trends.Asked(Selection(("event 0",)), START, end, "week", "Europe/Berlin")
    session = InSession(1, "seconds", 30, ("event 0",))
    lasting = WasSo("session:seconds", "above", ("60",), told=session)
    in_session = replace(asked, selection=Selection(("event 0",), (lasting,)))
    lengths = replace(session, in_lengths=True)
    period = funnels.Period(START, end)
    selections = tuple(Selection((name,)) for name in STEPS)
    plain = funnels.Steps(selections, timedelta(days=7))
    held = funnels.Steps(selections, timedelta(days=7), held="doc")
    without = funnels.Steps(selections, timedelta(days=7), without=(funnels.Without(Selection(("event 4",)), 1, 4),))
    coming = retention.Coming(Selection(("event 0",)), Selection(("event 1",)), "week")
    followed = retention.Followed(START, end, 9, "Europe/Berlin")
    return {
        "trend": lambda: trends.counts_of_all(1, asked),
        "breakdown": lambda: trends.counts_of_largest(1, asked, ["plan"]),
        "companies": lambda: trends.counts_of_all(1, asked, unit=Companies(1)),
        "funnel": lambda: funnels.funnel(1, plain, period),
        "retention": lambda: retention.retention(1, coming, followed),
        "time to convert": lambda: funnels.times(1, plain, period, [60, 3600, 86400]),
        "held property": lambda: funnels.funnel(1, held, period),
        "exclusion": lambda: funnels.funnel(1, without, period),
        "in a session": lambda: trends.counts_of_all(1, in_session),
        "by its length": lambda: trends.counts_of_largest(1, asked, [lengths]),
    }


def by_duckdb(store: Any, folder: Path) -> dict[str, Callable[[], Any]]:
    import duckdb

    path = folder / "events.parquet"
    store.execute(
        f"INSERT INTO FUNCTION file('{path}', 'Parquet') "
        "SELECT person, toDateTime64(timestamp, 3) AS timestamp, toString(event) AS event, properties['plan'] AS plan "
        "FROM events WHERE product = 1 ORDER BY person, timestamp"
    )
    database = duckdb.connect(str(folder / "events.duckdb"), config={"threads": os.cpu_count() or 2})
    database.execute(f"CREATE TABLE events AS SELECT * FROM '{path}'")
    return {name: lambda sql=sql: database.execute(sql).fetchall() for name, sql in IN_DUCKDB.items()}  # type: ignore[misc]


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words.add_argument("--events", type=int, default=2_000_000)
    words.add_argument("--merges", type=int, default=100_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--keep", type=Path, help="A folder for the events, which are taken from there the next time.")
    words.add_argument("--without-duckdb", action="store_true")
    words.add_argument("--without-posthog", action="store_true")
    said = words.parse_args()
    with contextlib.ExitStack() as stack:
        folder = str(said.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="whytree-questions-")))
        os.environ["WHYTREE_DATA"] = folder
        os.environ.setdefault("WHYTREE_EVENTS_MEMORY_MB", "4096")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whytree.site.settings")
        return run(said, Path(folder))


def run(said: argparse.Namespace, folder: Path) -> int:
    import django

    django.setup()
    from whytree.stores import events
    from whytree.stores.pieces import sql

    sql.ASKING.update(QUIET)
    store = events.store()
    if store.value("SELECT count() FROM events") != said.events:
        store.execute("TRUNCATE TABLE events")
        fill(store, said.events, said.merges)
    columns: dict[str, dict[str, Callable[[], Any]]] = {
        "ours": ours(),
        "by hand": {name: partial(store.query, text, None, QUIET) for name, text in BY_HAND.items()},
    }
    if not said.without_posthog:
        store.execute("DROP TABLE IF EXISTS posthog_events")
        store.execute(_POSTHOG_TABLE)
        store.execute(_POSTHOG_FILL)
        columns["PostHog's shape"] = {
            name: partial(store.query, text, None, QUIET) for name, text in IN_POSTHOGS_SHAPE.items()
        }
    if not said.without_duckdb:
        columns["DuckDB"] = by_duckdb(store, folder)
    late = report(columns, said)
    events.close()
    return 1 if late else 0


def report(columns: dict[str, dict[str, Callable[[], Any]]], said: argparse.Namespace) -> list[str]:
    """Prints; returns what is over its budget."""
    one, five, _ = os.getloadavg()
    say(f"{said.events:,} events, {said.merges:,} merges, {os.cpu_count()} cores, load {one:.1f} {five:.1f}\n\n")
    heads = [*columns, "ours / by hand", "ours, wall"]
    say(f"{'processor seconds':18}" + "".join(f"{name:>18}" for name in heads) + "\n")
    late = []
    for question in columns["ours"]:
        took = {name: fastest(asked[question], said.rounds) for name, asked in columns.items() if question in asked}
        cells = [f"{took[name].processor:18.3f}" if name in took else f"{'':18}" for name in columns]
        ratio = took["ours"].processor / took["by hand"].processor if "by hand" in took else None
        cells += [f"{ratio:18.2f}" if ratio else f"{'':18}", f"{took['ours'].wall:18.3f}"]
        say(f"{question:18}" + "".join(cells) + "\n")
        if ratio and ratio > BUDGET:
            late.append(f"{question}: {ratio:.2f} times by hand, budget {BUDGET}")
        most = BUDGET_SECONDS.get(question, float("inf")) * CORES * max(said.events / 100_000_000, 0.05)
        if took["ours"].processor > most:
            late.append(f"{question}: {took['ours'].processor:.2f} s of processor, budget {most:.2f} s")
    say("\n" + "".join(f"over budget: {each}\n" for each in late))
    return late


if __name__ == "__main__":
    raise SystemExit(main())
