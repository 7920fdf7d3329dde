"""Taking events in. Every door ends here: Segment's API, imports, exposures, survey answers.

    accepted = accept(product_id, "server", [normalise.segment(message, door) for message in messages])

When `accept` returns, what it accepted is on disk. An event told twice counts once.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from whytree.errors import Invalid, RetryLater
from whytree.people.edges import EdgeKey, EdgeRow, known_key, known_row, link_key, link_row
from whytree.workspace.models import Product
from whytree.workspace.sockets import variants_in_force

from .durable.commit import Batch, Commit, commit
from .durable.follow import follower
from .shaping.context import NOTHING, Columns
from .shaping.normalise import EXPOSURE, MAX_EVENT_BYTES, Door, event
from .shaping.properties import Unfit, clean_text, cleaned
from .shaping.rows import SERVER, Event, Normalised, Outcome, Rejected

log = logging.getLogger("whytree.events")

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Refusal:
    """A message that was not taken: its place in what was sent, and what to do about it."""

    index: int
    message_id: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"index": self.index, "messageId": self.message_id, "reason": self.reason}


@dataclass(frozen=True)
class Accepted:
    """What became of a request: how many were sent, how many had been seen before, which were not taken."""

    sent: int
    repeated: int = 0
    refused: list[Refusal] = field(default_factory=list)
    left_out: int = 0  # that the product does not want: a sample's rest, bots
    again: frozenset[int] = frozenset()  # places of those seen before

    @property
    def new(self) -> int:
        return self.sent - self.repeated - len(self.refused) - self.left_out


def accept(product_id: int, source: str, items: Sequence[Outcome]) -> Accepted:
    """Write what was normalised; returns once it is on disk. Raises `Unavailable` or `TooMany` when nothing was taken."""
    offer = Offer(product_id, source, items)
    offer.write()
    return offer.accepted()


class Offer:
    """What one request brings, ready to be written. `write` waits for the disk, `write_later` does not; then `accepted`."""

    def __init__(self, product_id: int, source: str, items: Sequence[Outcome]) -> None:
        self._product_id = product_id
        self._source = source
        self._sent = len(items)
        self._received_at = time.time()
        self._writer = commit()
        self._sorted_out = _sort_out(items)
        self._batch = _batch(self._writer, self._sorted_out, self._received_at)

    def write(self) -> None:
        """Return when it is on disk. Raises `Unavailable` or `TooMany` when nothing was taken."""
        self._writer.submit(self._batch)

    def write_later(self, then: Callable[[], None]) -> None:
        """Call back, from another thread, when it is known whether it is on disk."""
        self._batch.then = then
        try:
            self._writer.hand_over(self._batch)
        except RetryLater as error:
            self._batch.answer(error)

    def accepted(self) -> Accepted:
        """What became of it, once that is known; what follows from it is noted. Raises what kept it from being written."""
        batch, out = self._batch, self._sorted_out
        if batch.error is not None:
            raise batch.error
        refused = [Refusal(index, one.message_id, one.reason) for index, one in out.rejected]
        refused += [Refusal(out.places[at], "", reason) for at, reason in batch.refused.items() if at < batch.items]
        follow = follower()
        if out.rejected:
            follow.note_rejected(self._product_id, self._source, self._received_at, [one for _, one in out.rejected])
        follow.note(batch.kept(out.taken), batch.edges)
        again = frozenset(out.places[at] for at in batch.repeated if at < batch.items)
        refused.sort(key=lambda one: one.index)
        return Accepted(self._sent, len(again), refused, out.left_out, again)


@dataclass
class _SortedOut:
    """Items taken apart: those that become rows, and those that do not."""

    taken: list[Normalised] = field(default_factory=list)
    places: list[int] = field(default_factory=list)  # of the taken ones among all items
    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    left_out: int = 0
    rows: bytes = b""  # of the taken ones


def _sort_out(items: Sequence[Outcome]) -> _SortedOut:
    out = _SortedOut()
    for place, item in enumerate(items):
        if isinstance(item, Normalised):
            out.taken.append(item)
            out.places.append(place)
        elif isinstance(item, Rejected):
            out.rejected.append((place, item))
        else:
            out.left_out += 1
    out.rows = encoded([item.event for item in out.taken])
    if len(out.rows) > MAX_EVENT_BYTES:
        _leave_out_the_large(out)
    return out


def _leave_out_the_large(out: _SortedOut) -> None:
    lines = dict(zip(out.places, zip(out.taken, out.rows.split(b"\n"), strict=True), strict=True))
    fits = {place: both for place, both in lines.items() if len(both[1]) <= MAX_EVENT_BYTES}
    out.rejected += [
        (place, _too_large(item.event, line)) for place, (item, line) in lines.items() if place not in fits
    ]
    out.places = list(fits)
    out.taken = [item for item, _ in fits.values()]
    out.rows = b"\n".join(line for _, line in fits.values())


def _batch(writer: Commit, out: _SortedOut, received_at: float) -> Batch:
    """Rows of the items first, in their order; exposures told on behalf of clients behind them."""
    rows, ids = out.rows, [item.event.event_id for item in out.taken]
    mirrored = [item.exposure for item in out.taken if item.exposure is not None]
    if mirrored:
        rows += b"\n" + encoded(mirrored)
        ids += [event.event_id for event in mirrored]
    return Batch(rows, ids, received_at, _edges(writer, out.taken, received_at), items=len(out.taken))


def _too_large(event: Event, line: bytes) -> Rejected:
    reason = f"It has {len(line):,} bytes; the limit is {MAX_EVENT_BYTES:,}. Send less with one event."
    return Rejected(reason, event=event.event, distinct_id=event.distinct_id, body=line[:4_000])


def _edges(writer: Commit, items: Sequence[Normalised], received_at: float) -> list[EdgeRow]:
    """What the items say about ids, when it is news."""
    edges: dict[EdgeKey, EdgeRow] = {}
    seen = writer.edges_seen
    for item in items:
        said = item.event
        if item.known and seen.is_newly_known(said.person, said.timestamp):
            key = known_key(said.product, said.person)
            if key not in edges or said.timestamp < edges[key].at:
                edges[key] = known_row(said.product, said.person, said.distinct_id, said.timestamp, received_at)
        if item.link is None and not item.also:
            continue
        for link in (item.link, *item.also):
            if link is not None:
                key = link_key(link)
                if seen.is_new_link(key, link.at) and (key not in edges or link.at < edges[key].at):
                    edges[key] = link_row(link, received_at)
    return list(edges.values())


def accept_links(items: Sequence[Normalised]) -> None:
    """Take only what events say about ids: the events themselves are here already."""
    writer, now = commit(), time.time()
    edges = _edges(writer, items, now)
    if edges:
        writer.submit(Batch(b"", [], now, edges))
        follower().note([], edges)


def encoded(rows: Sequence[Event]) -> bytes:
    """Rows as the engine reads them: a line each. Half characters, which only our own callers can still send, become �."""
    try:
        return _encoder.encode_lines(rows)[:-1]
    except UnicodeEncodeError:
        for row in rows:
            row.event, row.distinct_id, row.path = (clean_text(text) for text in (row.event, row.distinct_id, row.path))
            row.properties, row.flags = cleaned(row.said), cleaned(row.flags)
        return _encoder.encode_lines(rows)[:-1]


def track(
    product: Product,
    distinct_id: str,
    name: str,
    properties: Mapping[str, Any] | None = None,
    timestamp: datetime | None = None,
    *,
    message_id: str = "",
    source: str = SERVER,
    where: Columns = NOTHING,
    flags: Mapping[str, str] | None = None,
) -> None:
    """Write one event of our own making about a person. Raises `Invalid` when it cannot be one.

    `source` is how far it is to be trusted; `flags` are the variants in force, looked up when left out.
    """
    names = {name: message_id}
    track_all(product, distinct_id, names, properties, timestamp, source=source, where=where, flags=flags)


def track_all(
    product: Product,
    distinct_id: str,
    names: Mapping[str, str],
    properties: Mapping[str, Any] | None = None,
    timestamp: datetime | None = None,
    *,
    source: str = SERVER,
    where: Columns = NOTHING,
    flags: Mapping[str, str] | None = None,
) -> None:
    """The same for several events of one moment, each by its name with its message id: one commit."""
    door = Door(product.pk, source, time.time())
    in_force = dict(flags) if flags is not None else variants_of(product.pk, distinct_id)
    try:
        items = [
            event(
                door,
                distinct_id=distinct_id,
                name=name,
                properties=dict(properties or {}),
                timestamp=timestamp.timestamp() if timestamp else None,
                message_id=message_id,
                flags=in_force,
                where=where,
                known=False,
            )
            for name, message_id in names.items()
        ]
    except Unfit as error:
        raise Invalid(str(error)) from error
    accept(product.pk, SERVER, items)


def exposure(
    door: Door,
    *,
    distinct_id: str,
    flag: str,
    variant: str,
    reason: str,
    at: datetime,
    message_id: str = "",
    company: str = "",
    more: Mapping[str, str] | None = None,
) -> Normalised:
    """Somebody met a variant, as an event to `accept`; `company` is the one it was drawn for, `more` other properties."""
    return event(
        door,
        distinct_id=distinct_id,
        name=EXPOSURE,
        properties={**(more or {}), "flag": flag, "variant": variant, "reason": reason}
        | ({"$groups.company": company} if company else {}),
        timestamp=at.timestamp(),
        message_id=message_id,
        flags={flag: variant},
        known=False,
    )


def variants_of(product_id: int, distinct_id: str) -> dict[str, str]:
    """The flags in force for somebody; empty, and said in the log, when they cannot be worked out."""
    try:
        return variants_in_force(product_id, distinct_id)
    except Exception:  # an event is worth more than the flags on it
        log.exception("flags in force for an event could not be worked out")
        return {}


__all__ = ["Accepted", "Offer", "Refusal", "accept", "accept_links", "exposure", "track", "track_all", "variants_of"]
