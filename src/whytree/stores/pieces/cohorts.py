"""Who belongs to a cohort: rules about what people did, each a piece of SQL that selects people.

    people(product, Every((Did(Selection(("signed_up",)), days=28), Not(Did(Selection(("planted",)))))))

People are counted after their ids were joined. A rule is asked anew each time; only lists of people are stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..events import store
from .filters import Bound, Filter, Selection, condition_sql, named, selected
from .sql import ASKING, INTERNAL_EVENTS, PERSON
from .traits import WithTrait

# Milliseconds from 1900 to 1970: what happened before 1970 is a number above zero too.
SINCE_1900 = 2_208_988_800_000
AT = f"toUInt64(toUnixTimestamp64Milli(timestamp) + {SINCE_1900})"
CHUNK = 50_000


@dataclass(frozen=True)
class Did:
    """Did something so often, in the last `days` days or ever."""

    selection: Selection
    at_least: int = 1
    at_most: int | None = None
    days: int | None = None

    def sql(self, product_id: int, bound: Bound) -> str:
        most = f" AND count() <= {bound.add('UInt32', self.at_most)}" if self.at_most is not None else ""
        return (
            f"{_people(product_id, bound)} AND {selected(self.selection, bound)}{_since(self.days, bound)} "
            f"GROUP BY who HAVING count() >= {bound.add('UInt32', self.at_least)}{most}"
        )


@dataclass(frozen=True)
class InOrder:
    """Did one thing after the other within a span of time, other things between or not."""

    steps: tuple[Selection, ...]
    within: timedelta
    days: int | None = None

    def sql(self, product_id: int, bound: Bound) -> str:
        conditions = ", ".join(f"({selected(step, bound)})" for step in self.steps)
        window = bound.add("UInt64", int(self.within.total_seconds() * 1000))
        events = bound.add("Array(String)", named(self.steps))
        return (
            f"{_people(product_id, bound)} AND event IN {events}{_since(self.days, bound)} "
            f"GROUP BY who HAVING windowFunnel({window})({AT}, {conditions}) = {len(self.steps)}"
        )


@dataclass(frozen=True)
class Last:
    """The newest value of a field, of those events that had one, passes."""

    filter: Filter

    def sql(self, product_id: int, bound: Bound) -> str:
        has = condition_sql(Filter(self.filter.field, "is set"), bound)
        passes = condition_sql(self.filter, bound)
        return f"{_people(product_id, bound)} AND {has} GROUP BY who HAVING argMax({passes}, timestamp)"


@dataclass(frozen=True)
class Listed:
    """On a list that was stored under this number and version."""

    cohort: int
    version: int

    def sql(self, product_id: int, bound: Bound) -> str:
        return (
            f"SELECT DISTINCT {PERSON} AS who FROM cohort_members WHERE product = {bound.add('UInt32', product_id)} "
            f"AND cohort = {bound.add('UInt32', self.cohort)} AND version = {bound.add('UInt32', self.version)}"
        )


@dataclass(frozen=True)
class These:
    """These people, by their hashes."""

    persons: tuple[int, ...]

    def sql(self, product_id: int, bound: Bound) -> str:
        return f"SELECT arrayJoin({bound.add('Array(UInt64)', list(self.persons))}) AS who"


@dataclass(frozen=True)
class Every:
    parts: tuple["Rule", ...]

    def sql(self, product_id: int, bound: Bound) -> str:
        first, *others = self.parts
        rest = "".join(f" AND who IN ({part.sql(product_id, bound)})" for part in others)
        return f"SELECT DISTINCT who FROM ({first.sql(product_id, bound)}) WHERE 1{rest}"


@dataclass(frozen=True)
class Some:
    parts: tuple["Rule", ...]

    def sql(self, product_id: int, bound: Bound) -> str:
        every = " UNION ALL ".join(f"SELECT who FROM ({part.sql(product_id, bound)})" for part in self.parts)
        return f"SELECT DISTINCT who FROM ({every})"


@dataclass(frozen=True)
class Not:
    """Everybody of whom there is an event, but not these."""

    part: "Rule"

    def sql(self, product_id: int, bound: Bound) -> str:
        own = bound.add("Array(String)", list(INTERNAL_EVENTS))
        everybody = f"{_people(product_id, bound)} AND event NOT IN {own} GROUP BY who"
        return f"SELECT who FROM ({everybody}) WHERE who NOT IN ({self.part.sql(product_id, bound)})"


Rule = Did | InOrder | Last | Listed | These | WithTrait | Every | Some | Not


def size(product_id: int, rule: Rule) -> int:
    """How many people there are."""
    bound = Bound()
    rows = store().query(f"SELECT count() AS n FROM ({rule.sql(product_id, bound)})", bound.values, ASKING)
    return int(rows[0]["n"])


_WHO = """
SELECT who, any(one_id) AS one_id, max(last_at) AS last_at
FROM (
    SELECT {person} AS who, argMax(distinct_id, timestamp) AS one_id, max(timestamp) AS last_at
    FROM events
    WHERE product = {{product:UInt32}} AND {person} IN ({members})
    GROUP BY who
)
GROUP BY who
ORDER BY last_at DESC, who
LIMIT {{limit:UInt32}}
"""


def newest(product_id: int, rule: Rule, limit: int) -> list[str]:
    """One id of each, those seen last first."""
    bound = Bound()
    sql = _WHO.format(person=PERSON, members=rule.sql(product_id, bound))
    rows = store().query(sql, bound.values | {"product": product_id, "limit": limit}, ASKING)
    return [row["one_id"] for row in rows]


def people(product_id: int, rule: Rule) -> frozenset[int]:
    """All of them, by hash."""
    bound = Bound()
    rows = store().query(rule.sql(product_id, bound), bound.values, ASKING)
    return frozenset(row["who"] for row in rows)


def every_id(product_id: int, rule: Rule) -> list[int]:
    """All of them, by the hash of each of their ids, so that whoever knows one id needs to ask nothing more; sorted."""
    bound = Bound()
    sql = (
        f"SELECT DISTINCT id FROM (SELECT who AS id FROM ({rule.sql(product_id, bound)}) UNION ALL "
        f"SELECT person AS id FROM person_overrides WHERE product = {bound.add('UInt32', product_id)} "
        "GROUP BY person HAVING argMax(canonical, version) IN "
        f"(SELECT who FROM ({rule.sql(product_id, bound)}))) ORDER BY id"
    )
    return [row["id"] for row in store().query(sql, bound.values, ASKING)]


def holds(product_id: int, rule: Rule, persons: Sequence[int], canonical: int) -> bool:
    """Whether one person belongs, by the hashes of all their ids: only their own events are read."""
    bound = Bound()
    bound.only = f" AND person IN {bound.add('Array(UInt64)', list(persons))}"
    sql = f"SELECT count() AS n FROM ({rule.sql(product_id, bound)}) WHERE who = {bound.add('UInt64', canonical)}"
    return bool(store().query(sql, bound.values, ASKING)[0]["n"])


def write_members(product_id: int, cohort: int, version: int, persons: Iterable[int]) -> None:
    """Store a list of people under a new version; nobody sees it before the version is told."""
    rows = [
        {"product": product_id, "cohort": cohort, "version": version, "person": person} for person in sorted(persons)
    ]
    for start in range(0, len(rows), CHUNK):
        store().insert("cohort_members", rows[start : start + CHUNK])


def forget_members(product_id: int, cohort: int, *, but: int | None = None) -> None:
    """Remove what older versions said, or all."""
    parameters: dict[str, Any] = {"product": product_id, "cohort": cohort, "version": but or 0}
    store().execute(
        "ALTER TABLE cohort_members DELETE WHERE product = {product:UInt32} AND cohort = {cohort:UInt32} "
        "AND version != {version:UInt32}",
        parameters,
    )


def forget_listed(product_id: int, persons: Sequence[int]) -> None:
    """Take a person, by the hashes of all their ids, off every list; done when it returns."""
    store().execute(
        "ALTER TABLE cohort_members DELETE WHERE product = {product:UInt32} AND person IN {persons:Array(UInt64)}",
        {"product": product_id, "persons": list(persons)},
        {"mutations_sync": 2},
    )


def listed_in(product_id: int, persons: Sequence[int]) -> set[tuple[int, int]]:
    """The lists a person is on: number and version."""
    rows = store().query(
        "SELECT DISTINCT cohort, version FROM cohort_members "
        "WHERE product = {product:UInt32} AND person IN {persons:Array(UInt64)}",
        {"product": product_id, "persons": list(persons)},
    )
    return {(row["cohort"], row["version"]) for row in rows}


def _people(product_id: int, bound: Bound) -> str:
    return f"SELECT {PERSON} AS who FROM events WHERE product = {bound.add('UInt32', product_id)}{bound.only}"


def _since(days: int | None, bound: Bound) -> str:
    if days is None:
        return ""
    moment = datetime.now(UTC) - timedelta(days=days)
    return f" AND timestamp >= {bound.add(_MOMENT, moment)} AND timestamp <= {bound.add(_MOMENT, datetime.now(UTC))}"


_MOMENT = "DateTime64(3, 'UTC')"
