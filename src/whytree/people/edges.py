"""What messages say about ids, as rows of `merge_edges`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from .identity import Link, hasher
from .merging import Edge, EdgeKind

EdgeKey = tuple[int, int, int, str, bool, int]
"""What makes two edges the same: product, the pair, the kind, whether it is trusted, and the import that said it."""


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """A row to write: its line of JSON, what makes it the same as another, and the time it speaks of."""

    key: EdgeKey
    at: float
    line: bytes

    @property
    def product(self) -> int:
        return self.key[0]


def link_key(link: Link) -> EdgeKey:
    hash_id = hasher(link.product_id)
    one, other = hash_id(link.id), hash_id(link.other_id)
    return link.product_id, min(one, other), max(one, other), EdgeKind.LINK.value, link.trusted, link.run


def known_key(product_id: int, person: int) -> EdgeKey:
    return product_id, person, person, EdgeKind.KNOWN.value, False, 0


def link_row(link: Link, recorded_at: float) -> EdgeRow:
    """Two ids seen as one person."""
    key = link_key(link)
    hash_id = hasher(link.product_id)
    one_id, other_id = sorted((link.id, link.other_id), key=hash_id)
    return edge_row(key, one_id, other_id, link.at, recorded_at)


def known_row(product_id: int, person: int, distinct_id: str, at: float, recorded_at: float) -> EdgeRow:
    """An id that names a person."""
    return edge_row(known_key(product_id, person), distinct_id, distinct_id, at, recorded_at)


def decided_row(product_id: int, kind: EdgeKind, pair: tuple[tuple[int, str], tuple[int, str]], now: float) -> EdgeRow:
    """What a human decided about two ids, each as hash and text."""
    (one, one_id), (other, other_id) = sorted(pair)
    return edge_row((product_id, one, other, kind.value, True, 0), one_id, other_id, now, now)


def edge_row(key: EdgeKey, one_id: str, other_id: str, at: float, recorded_at: float) -> EdgeRow:
    product, one, other, kind, trusted, run = key
    row = {
        "product": product,
        "one": one,
        "other": other,
        "kind": kind,
        "trusted": trusted,
        "one_id": one_id,
        "other_id": other_id,
        "at": at,
        "recorded_at": recorded_at,
        "run": run,
    }
    return EdgeRow(key, at, msgspec.json.encode(row))


def from_store(row: dict[str, Any]) -> Edge:
    """An edge as the store gives it back."""
    return Edge(EdgeKind(row["kind"]), *(row[name] for name in _FIELDS))


_FIELDS = ("one", "other", "one_id", "other_id", "trusted", "at", "recorded_at", "first_recorded_at")


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
