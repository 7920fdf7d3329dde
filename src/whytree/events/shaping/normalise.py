"""What every dialect has in common: a message becomes a row, or the reason why not. Pure: the clock comes with the door.

No event that leaves here can fail a batch: whatever a client sends becomes text and numbers the engine takes.
Times are corrected: received_at - (sent_at - timestamp), so a wrong clock on a phone does not matter.
Each dialect reads its own messages in a room of its own: `wire/segment/messages.py` and its neighbours.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from whytree.people.identity import MAX_ID, Link, hasher, means_nobody

from .context import NOTHING, Columns
from .properties import Unfit, flatten
from .rows import IMPORT, TRUSTED, Event, Normalised, Rejected

MAX_EVENT_NAME = 200
MAX_EVENT_BYTES = 256 * 1024
YEARS_OFF = 10 * 365.25 * 86_400  # a clock this wrong is a fault of the sender, not of its clock
OLDEST_IMPORT = datetime(1990, 1, 1, tzinfo=UTC).timestamp()

EXPOSURE = "$exposure"
# Names under which clients report that somebody met a variant, and the properties that say which.
EXPOSURES = {
    "Experiment Viewed": (
        ("flag", "experiment_id", "experimentId", "experiment_name", "experimentName"),
        ("variant", "variation_name", "variationName", "variation_id", "variationId"),
    ),
    "$feature_flag_called": (("$feature_flag",), ("$feature_flag_response", "$feature_flag_variant")),
    "$experiment_exposure": (
        ("$feature_flag", "flag"),
        ("$feature_flag_response", "$feature_flag_variant_key", "$variant", "variant"),
    ),
}


TELLS_OF_FLAGS = frozenset({EXPOSURE, *EXPOSURES})


@dataclass(frozen=True, slots=True)
class Door:
    """What a door knows about everything that comes through it in one request."""

    product_id: int
    source: str
    received_at: float
    skew: float = 0.0  # seconds the sender's clock is behind ours, from the batch's `sentAt`
    run: int = 0  # of an import
    variants: Callable[[str], dict[str, str]] | None = (
        None  # the flags in force for somebody, when the client is silent
    )

    @property
    def trusted(self) -> bool:
        """Whether it may say that two known people are one."""
        return self.source in TRUSTED


def open_door(product_id: int, source: str, received_at: float, sent_at: Any = None) -> Door:
    """A door for one request; `sent_at` is what the batch says, in any form."""
    sent = moment(sent_at)
    return Door(product_id, source, received_at, received_at - sent if sent is not None else 0.0)


def event(
    door: Door,
    *,
    distinct_id: str,
    name: str,
    properties: dict[str, Any],
    timestamp: float | None = None,
    message_id: str = "",
    flags: dict[str, str] | None = None,
    where: Columns = NOTHING,
    known: bool = True,
) -> Normalised:
    """An event that did not come as a Segment message: imports, exposures, survey answers. Raises `Unfit`."""
    if not name.strip():
        raise Unfit("It has no name.")
    if not distinct_id or "\0" in distinct_id:
        raise Unfit("It belongs to nobody: an id is a text without NUL characters.")
    if len(name) > MAX_EVENT_NAME or len(distinct_id) > MAX_ID:
        raise Unfit(f"Its name is longer than {MAX_EVENT_NAME} characters, or its id longer than {MAX_ID}.")
    flat, types = flatten(dict(properties))
    at = checked_time(timestamp if timestamp is not None else door.received_at, door)
    row = new_row(door, distinct_id, name, at, message_id, flat, flags or {}, where)
    return Normalised(row, types, known=known)


def new_row(
    door: Door,
    distinct_id: str,
    name: str,
    at: float,
    message_id: str,
    properties: dict[str, str] | msgspec.Raw,
    flags: dict[str, str],
    where: Columns,
    bot: bool = False,
) -> Event:
    """The row of what was checked. Given by place: twenty fields given by name would take eight times as long."""
    product = door.product_id
    return Event(
        product,
        hasher(product)(distinct_id),
        at,
        name,
        event_id(product, message_id),
        distinct_id,
        door.received_at,
        door.source,
        properties,
        flags,
        *where,
        bot,
    )


def event_id(product_id: int, message_id: str) -> int:
    """Eight bytes from the sender's own id of the message; without one, eight random ones (it cannot be told twice)."""
    if not message_id:
        return int.from_bytes(os.urandom(8), "big")
    text = f"{product_id}:{message_id}"
    try:
        sent = text.encode()
    except UnicodeEncodeError:  # half a character; asked for at once, "surrogatepass" costs everybody
        sent = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(sent, digest_size=8).digest())


def moment(value: Any) -> float | None:
    """A time in any form clients use, as seconds since 1970; None when it is no time."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) > 1e11 else value  # later than the year 5138 in seconds: milliseconds
        return float(seconds) if abs(seconds) < 1e11 else None
    return None


# ---- what the dialects share ---------------------------------------------------------------------------------------


def id_text(value: Any) -> str:
    """An id as text: numbers are taken too, anything else is none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def link(door: Door, user: str, other: str, at: float) -> Link | None:
    """That these two ids are one person, as far as this door may say so; None when one of them means nobody."""
    if user == other or means_nobody(user) or means_nobody(other) or len(other) > MAX_ID or "\0" in other:
        return None
    return Link(door.product_id, user, other, door.trusted, at, door.run)


def checked_time(at: float, door: Door) -> float:
    """The time to the millisecond. Raises `Unfit` when it is more than ten years off."""
    oldest = OLDEST_IMPORT if door.source == IMPORT else door.received_at - YEARS_OFF
    if not oldest <= at <= door.received_at + YEARS_OFF:
        shown = _year(at)
        raise Unfit(f"Its time is {shown}, more than ten years off. Check the clock or the column it came from.")
    return (at * 1000 + 0.5) // 1 / 1000  # several times faster than round(at, 3), and the same up to ties


def _year(at: float) -> str:
    try:
        return f"in the year {datetime.fromtimestamp(at, UTC).year}"
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar"


def with_exposure(taken: Normalised) -> Normalised:
    """The same, with what it says of a variant that somebody met. Raises `Unfit` for an exposure of nothing."""
    seen = taken.event
    if seen.event in EXPOSURES:
        taken.exposure = _mirrored(seen, *EXPOSURES[seen.event])
    elif seen.event == EXPOSURE:
        said = seen.said
        if not said.get("flag") or not said.get("variant"):
            raise Unfit("An $exposure needs the properties `flag` and `variant`.")
        seen.flags = {**seen.flags, said["flag"]: said["variant"]}
    return taken


def _mirrored(seen: Event, flag_names: tuple[str, ...], variant_names: tuple[str, ...]) -> Event | None:
    """The exposure behind a client's own event, as one of ours; None when it names no flag."""
    said = seen.said
    flag = next((said[name] for name in flag_names if said.get(name)), "")
    variant = next((said[name] for name in variant_names if said.get(name)), "")
    if not flag or not variant:
        return None
    return msgspec.structs.replace(
        seen,
        event=EXPOSURE,
        event_id=event_id(seen.product, f"exposure of {seen.event_id}"),
        properties={"flag": flag, "variant": variant, "reason": "CLIENT"},
        flags={**seen.flags, flag: variant},
    )


def no_object(value: Any) -> Rejected:
    """For something in a batch that is no message at all."""
    return Rejected("It is no JSON object. Send each event as {...}.", body=shown(value))


def shown(message: Any) -> bytes:
    """What a person will look at to find the fault: the beginning of the message."""
    try:
        return msgspec.json.encode(message, enc_hook=str)[:4_000]
    except (RecursionError, UnicodeEncodeError):
        return b"(nested too deeply to show)"
