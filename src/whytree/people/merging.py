"""Who is who, from what was said about ids. Pure: no clock, no store.

The answer depends on the set of edges alone, never on the order in which they arrived: edges are walked by what they
are and by when we first recorded them. Not by the time that clients give them: whoever has a public key could date a
link back and take a device from the person who has used it for years. Where nobody disputes an id, any order comes to
the same. Rules:

- A link from a server key, or a join by a human, always holds.
- A link from a public key holds unless it would make one person of two known people. Capture keys are public, so
  anybody could otherwise merge two accounts; and a shared device belongs to whom we heard of first.
- Links from public keys tie at most `MOST_IDS` ids together: nobody has more, but a stranger can make up any number.
- A pair that a human parted stays parted, whatever links arrive, until a human joins it again.
- A person goes by the known id that was seen first; without one, by the id that was seen first. What only ties ids
  together (`GROUP`) is no id to go by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .identity import GROUP

MOST_IDS = 1_000
"""Ids of one person, unless a server key or a human says more. A browser that forgets its visitors every week makes 52 a
year: three such devices for six years come to 936."""


class EdgeKind(StrEnum):
    LINK = "link"  # two ids on one message
    KNOWN = "known"  # one id (both sides the same) that names a person, not a device
    PART = "part"  # a human said: not the same
    JOIN = "join"  # a human said: the same after all


@dataclass(frozen=True, slots=True)
class Edge:
    """One thing said about two ids; `one` and `other` are their hashes, the smaller first."""

    kind: EdgeKind
    one: int
    other: int
    one_id: str
    other_id: str
    trusted: bool
    at: datetime
    recorded_at: datetime  # the last time it was said; decides between two words of a human
    first_recorded_at: datetime  # the first time; decides between two links

    @property
    def pair(self) -> tuple[int, int]:
        return self.one, self.other


@dataclass(frozen=True, slots=True)
class Resolution:
    """Every id's canonical id, the text behind each hash, and the links that may not hold: `refused` ones would join two
    known people, `crowded` ones would give somebody more than `MOST_IDS` ids."""

    canonical: dict[int, int]
    names: dict[int, str]
    refused: tuple[Edge, ...] = ()
    crowded: tuple[Edge, ...] = ()


def resolve(edges: Iterable[Edge]) -> Resolution:
    """Join what belongs together. Give all edges that hang together, those refused before too."""
    edges = list(edges)
    names = {side: name for edge in edges for side, name in ((edge.one, edge.one_id), (edge.other, edge.other_id))}
    first_seen = _first_seen(edges)
    known_ids = {edge.one for edge in edges if edge.kind is EdgeKind.KNOWN}
    groups = _Groups(names, known_ids)
    refused, crowded = [], []
    for edge in _in_order(edges):
        match groups.join(edge):
            case Joined.TWO_PEOPLE:
                refused.append(edge)
            case Joined.TOO_MANY:
                crowded.append(edge)

    def rank(person: int) -> tuple[bool, bool, datetime, str]:
        return names[person].startswith(GROUP), person not in known_ids, first_seen[person], names[person]

    canonical: dict[int, int] = {}
    for members in groups.all():
        best = min(members, key=rank)
        canonical |= dict.fromkeys(members, best)
    return Resolution(canonical, names, tuple(refused), tuple(crowded))


def _in_order(edges: list[Edge]) -> list[Edge]:
    """The pairs that may be joined, trusted ones first, then as they were first recorded; parted pairs are left out."""
    parted, joined = _decided(edges)
    links = [
        edge
        for edge in edges
        if edge.kind in (EdgeKind.LINK, EdgeKind.JOIN)
        and edge.pair not in parted
        and (edge.kind is EdgeKind.LINK or edge.pair in joined)
    ]
    return sorted(links, key=lambda edge: (not _holds_always(edge), edge.first_recorded_at, edge.at, edge.pair))


def _holds_always(edge: Edge) -> bool:
    return edge.trusted or edge.kind is EdgeKind.JOIN


def _decided(edges: list[Edge]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """The pairs a human parted, and those a human joined: the later word counts."""
    last: dict[tuple[int, int], Edge] = {}
    for edge in edges:
        if edge.kind in (EdgeKind.PART, EdgeKind.JOIN):
            before = last.get(edge.pair)
            if before is None or (edge.recorded_at, edge.kind) > (before.recorded_at, before.kind):
                last[edge.pair] = edge
    parted = {pair for pair, edge in last.items() if edge.kind is EdgeKind.PART}
    return parted, last.keys() - parted


def _first_seen(edges: list[Edge]) -> dict[int, datetime]:
    first: dict[int, datetime] = {}
    for edge in edges:
        for side in edge.pair:
            if side not in first or edge.at < first[side]:
                first[side] = edge.at
    return first


class Joined(StrEnum):
    """What became of a link."""

    YES = "yes"
    TWO_PEOPLE = "two people"
    TOO_MANY = "too many"


class _Groups:
    """Union-find in which a group knows whether it holds a known id."""

    def __init__(self, ids: Iterable[int], known: set[int]) -> None:
        self._parent = {person: person for person in ids}
        self._known = {person: person in known for person in self._parent}
        self._members = {person: [person] for person in self._parent}

    def join(self, edge: Edge) -> Joined:
        """Make one group of the two, if the edge is allowed to."""
        one, other = self._root(edge.one), self._root(edge.other)
        if one == other:
            return Joined.YES
        if not _holds_always(edge):
            if self._known[one] and self._known[other]:
                return Joined.TWO_PEOPLE
            if len(self._members[one]) + len(self._members[other]) > MOST_IDS:
                return Joined.TOO_MANY
        if len(self._members[one]) < len(self._members[other]):
            one, other = other, one
        self._parent[other] = one
        self._known[one] = self._known[one] or self._known[other]
        self._members[one] += self._members.pop(other)
        return Joined.YES

    def all(self) -> Iterable[list[int]]:
        return self._members.values()

    def _root(self, person: int) -> int:
        while self._parent[person] != person:
            self._parent[person] = person = self._parent[self._parent[person]]
        return person
