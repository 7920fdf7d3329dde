"""Ids, what was said about them, and who they are: the event store's side of identity."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..events import EventStore, store

CHUNK = 5_000  # ids in one statement
MOST_LINKS = 20_000  # from public keys, looked at for one person: twenty times what holds of them


@dataclass(frozen=True, slots=True)
class Override:
    """`person` counts as `canonical`; the texts are the ids behind the two hashes."""

    product: int
    person: int
    canonical: int
    distinct_id: str
    canonical_id: str


@dataclass(frozen=True, slots=True)
class Member:
    """One id of a person."""

    person: int
    distinct_id: str


def add_edges(lines: Sequence[bytes]) -> None:
    """Write what was said about ids, as lines of JSON; the same thing said again folds into the earliest."""
    if lines:
        store().insert_block("merge_edges", b"\n".join(lines))


_EDGES = """
SELECT one, other, kind, trusted, any(one_id) AS one_id, any(other_id) AS other_id, min(at) AS at,
    max(recorded_at) AS recorded_at, min(first_recorded_at) AS first_recorded_at
FROM merge_edges
WHERE product = {{product:UInt32}} AND (one IN {{ids:Array(UInt64)}} OR other IN {{ids:Array(UInt64)}})
  AND (run = 0 OR run != {{without:UInt64}}) AND {which}
GROUP BY one, other, kind, trusted
"""
_SURE_EDGES = _EDGES.format(which="(trusted OR kind != 'link')")
_PUBLIC_LINKS = _EDGES.format(which="NOT trusted AND kind = 'link'") + "ORDER BY first_recorded_at LIMIT {limit:UInt32}"


def edges_around(product: int, persons: Collection[int], without: int = 0) -> list[dict[str, Any]]:
    """Every edge that can be reached from these ids, over any number of steps, refused ones too; `without` an import's.

    Of links from public keys about `MOST_LINKS`, the nearest and first recorded: whoever has a public key could tie any
    number of ids together, and each new one would make us look at all of them again. What is known for sure about the
    ids at that border is still found, so that going no further never joins or parts what it should not.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    seen: set[int] = set()
    frontier, links = set(persons), 0
    while frontier:
        rows = _in_chunks(_SURE_EDGES, product, frontier, without=without)
        if links < MOST_LINKS:
            public = _in_chunks(_PUBLIC_LINKS, product, frontier, without=without, limit=MOST_LINKS)
            links += len(public)
            rows += public
        seen |= frontier
        for row in rows:
            found[row["one"], row["other"], row["kind"], row["trusted"]] = row
        frontier = {side for row in rows for side in (row["one"], row["other"])} - seen
    return list(found.values())


_LINKED = """
SELECT arrayJoin([one, other]) AS person
FROM merge_edges
WHERE product = {product:UInt32} AND one != other AND (one IN {ids:Array(UInt64)} OR other IN {ids:Array(UInt64)})
"""


def linked_among(product: int, persons: Collection[int]) -> set[int]:
    """Those of these ids that anything ties to another id; the others are people of one id."""
    return {row["person"] for row in _in_chunks(_LINKED, product, persons)} & set(persons)


_LINKED_BY = """
SELECT DISTINCT arrayJoin([one, other]) AS id
FROM merge_edges
WHERE product = {product:UInt32} AND run = {run:UInt64}
    AND id IN (SELECT person FROM person_overrides WHERE product = {product:UInt32})
ORDER BY id
"""


def linked_by(product: int, run: int) -> list[int]:
    """The ids that an import said something about and that were joined to another: the others are nobody else's."""
    return [row["id"] for row in store().query(_LINKED_BY, {"product": product, "run": run})]


def delete_links_of(product: int, run: int) -> None:
    """Take out what an import said about ids; what others said too stays."""
    store().execute(
        "ALTER TABLE merge_edges DELETE WHERE product = {product:UInt32} AND run = {run:UInt64}",
        {"product": product, "run": run},
        {"mutations_sync": 2},
    )


def pairs_since(moment: datetime) -> list[dict[str, Any]]:
    """The ids that something was said about since then."""
    return store().query(
        "SELECT DISTINCT product, one, other FROM merge_edges "
        "WHERE recorded_at >= {moment:DateTime64(3, 'UTC')} AND one != other",
        {"moment": moment},
    )


_OVERRIDES = """
SELECT product, person, argMax(canonical, version) AS canonical, any(distinct_id) AS distinct_id,
    argMax(canonical_id, version) AS canonical_id
FROM person_overrides
WHERE product = {product:UInt32} AND person IN {ids:Array(UInt64)}
GROUP BY product, person
"""


def overrides_of(product: int, persons: Iterable[int]) -> dict[int, Override]:
    """Who these ids count as now; ids that were never joined to another are absent."""
    return {row["person"]: Override(**row) for row in _in_chunks(_OVERRIDES, product, set(persons))}


_MEMBERS = """
SELECT person, any(distinct_id) AS distinct_id
FROM person_overrides
WHERE product = {product:UInt32} AND person IN (
    SELECT person FROM person_overrides
    WHERE product = {product:UInt32} AND canonical IN {ids:Array(UInt64)}
)
GROUP BY person
HAVING argMax(canonical, version) IN {ids:Array(UInt64)}
ORDER BY person
"""


def members_of(product: int, canonical: int) -> list[Member]:
    """All ids that count as this person; empty for one who was never joined to another."""
    rows = store().query(_MEMBERS, {"product": product, "ids": [canonical]})
    return [Member(row["person"], row["distinct_id"]) for row in rows]


def write_overrides(overrides: Sequence[Override], version: int) -> None:
    """Say who counts as whom from now on, and make queries see it."""
    rows = [
        {
            "product": override.product,
            "person": override.person,
            "canonical": override.canonical,
            "distinct_id": override.distinct_id,
            "canonical_id": override.canonical_id,
            "version": version,
        }
        for override in overrides
    ]
    store().insert("person_overrides", rows)
    reload_overrides()


def reload_overrides(events: EventStore | None = None) -> None:
    """Queries read identity from a dictionary, which the engine never reloads by itself when it runs in this process."""
    (events or store()).execute("SYSTEM RELOAD DICTIONARY person_overrides_now")


def _in_chunks(sql: str, product: int, ids: Collection[int], **more: int) -> list[dict[str, Any]]:
    ordered = sorted(ids)
    return [
        row
        for start in range(0, len(ordered), CHUNK)
        for row in store().query(sql, {"product": product, "ids": ordered[start : start + CHUNK], **more})
    ]
