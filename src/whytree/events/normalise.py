"""One message in, one row out, or the reason why not. Pure: the clock and the person's hash come with the door.

No event that leaves here can fail a batch: whatever a client sends becomes text and numbers the engine takes.

What counts as what (Segment's semantics):

- `userId` names a person, `anonymousId` a device or visit; `null`, empty and "undefined"-like ids count as absent.
- `identify` and any message with both ids link the two; `alias` links `previousId` with `userId`.
- time = received_at - (sent_at - timestamp), so a wrong clock on a phone does not matter.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from whytree.people.identity import MAX_ID, Link, Traits, hasher, means_nobody

from .context import MAX_TEXT, NOTHING, NOWHERE, Columns, Place, read_context
from .properties import Unfit, as_json, decoded, flags_in, flatten, is_plain, scalar_text
from .rows import IMPORT, SERVER, Event, Normalised, Outcome, Rejected


class Message(msgspec.Struct):
    """A Segment message as far as we read it. Any field may hold anything: a wrong type must not cost the batch."""

    type: Any = None
    messageId: Any = None
    timestamp: Any = None
    sentAt: Any = None
    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    groupId: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    properties: msgspec.Raw = msgspec.Raw(b"")  # these three are read only when they have to be
    traits: msgspec.Raw = msgspec.Raw(b"")
    context: msgspec.Raw = msgspec.Raw(b"")


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
    "$experiment_exposure": (("$feature_flag", "flag"), ("$feature_flag_response", "$variant", "variant")),
}


@dataclass(frozen=True, slots=True)
class Door:
    """What a door knows about everything that comes through it in one request."""

    product_id: int
    source: str
    received_at: float
    skew: float = 0.0  # seconds the sender's clock is behind ours, from the batch's `sentAt`
    variants: Callable[[str], dict[str, str]] | None = (
        None  # the flags in force for somebody, when the client is silent
    )

    @property
    def trusted(self) -> bool:
        """Whether it may say that two known people are one."""
        return self.source == SERVER


def open_door(product_id: int, source: str, received_at: float, sent_at: Any = None) -> Door:
    """A door for one request; `sent_at` is what the batch says, in any form."""
    sent = moment(sent_at)
    return Door(product_id, source, received_at, received_at - sent if sent is not None else 0.0)


def segment(message: Message, door: Door, kind: str = "", outer: Place = NOWHERE) -> Outcome:
    """Normalise one Segment message. `kind` overrides its `type`; `outer` is what the batch's context says."""
    wanted = kind or message.type
    handler = _KINDS.get(wanted) if isinstance(wanted, str) else None
    if handler is None:
        return _rejected(message, f"Its type {str(wanted)[:60]!r} is unknown. Send one of: {', '.join(_KINDS)}.")
    try:
        return handler(message, door, outer)
    except Unfit as error:
        return _rejected(message, str(error))


def as_message(value: Any) -> Message | None:
    """A message that was decoded to plain JSON before; None when it is no object."""
    if not isinstance(value, dict):
        return None
    known = {name: value[name] for name in Message.__struct_fields__ if name in value}
    for name in ("properties", "traits", "context"):
        known[name] = msgspec.Raw(as_json(known[name]).encode() if isinstance(known.get(name), dict) else b"")
    return Message(**known)


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
    row = Event(
        product=door.product_id,
        person=hasher(door.product_id)(distinct_id),
        timestamp=_checked_time(timestamp if timestamp is not None else door.received_at, door),
        event=name,
        event_id=event_id(door.product_id, message_id),
        distinct_id=distinct_id,
        received_at=door.received_at,
        source=door.source,
        properties=flat,
        flags=flags or {},
        **where._asdict(),
    )
    return Normalised(row, types, known=known)


def event_id(product_id: int, message_id: str) -> int:
    """Eight bytes from the sender's own id of the message; without one, eight random ones (it cannot be told twice)."""
    if not message_id:
        return int.from_bytes(os.urandom(8), "big")
    text = f"{product_id}:{message_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


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


# ---- Segment's kinds -----------------------------------------------------------------------------------------------


def _track(message: Message, door: Door, outer: Place) -> Outcome:
    name = message.event
    if not isinstance(name, str) or not name.strip():
        return _rejected(message, "It has no name. Send a text in `event`.")
    sent = bytes(message.properties)
    taken = _message(message, door, outer, name, sent if is_plain(sent) else _values(sent))
    if name in EXPOSURES:
        taken.exposure = _mirrored(taken.event, *EXPOSURES[name])
    elif name == EXPOSURE:
        said = taken.event.said
        if not said.get("flag") or not said.get("variant"):
            return _rejected(message, "An $exposure needs the properties `flag` and `variant`.")
        taken.event.flags = {**taken.event.flags, said["flag"]: said["variant"]}
    return taken


def _page(message: Message, door: Door, outer: Place) -> Outcome:
    return _message(message, door, outer, "$pageview", _named(message))


def _screen(message: Message, door: Door, outer: Place) -> Outcome:
    return _message(message, door, outer, "$screen", _named(message))


def _named(message: Message) -> dict[str, Any]:
    properties = _values(message.properties)
    for key, value in (("name", message.name), ("category", message.category)):
        if value is not None:
            properties.setdefault(key, value)
    return properties


def _identify(message: Message, door: Door, outer: Place) -> Outcome:
    taken = _message(message, door, outer, "$identify", _values(message.traits))
    if taken.known:
        event = taken.event
        taken.traits = Traits(door.product_id, event.distinct_id, dict(event.said), event.timestamp)
    return taken


def _group(message: Message, door: Door, outer: Place) -> Outcome:
    group_id = _id_text(message.groupId)
    if not group_id:
        return _rejected(message, "It has no group. Send a text in `groupId`.")
    taken = _message(message, door, outer, "$group", {**_values(message.traits), "groupId": group_id})
    if taken.known:
        said = taken.event.said
        values = {"company": said.get("name") or group_id} | ({"plan": said["plan"]} if "plan" in said else {})
        taken.traits = Traits(door.product_id, taken.event.distinct_id, values, taken.event.timestamp)
    return taken


def _alias(message: Message, door: Door, outer: Place) -> Outcome:
    previous, user = _id_text(message.previousId), _id_text(message.userId)
    if not previous or not user:
        return _rejected(message, "An alias needs two ids. Send `previousId` and `userId`.")
    if "\0" in previous:
        return _rejected(message, "Its `previousId` holds a NUL character. Send the id without it.")
    taken = _message(message, door, outer, "$alias", {"previousId": previous})
    taken.link = _link(door, user, previous, taken.event.timestamp) or taken.link
    return taken


_KINDS: dict[str, Callable[[Message, Door, Place], Outcome]] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}


# ---- what they share -----------------------------------------------------------------------------------------------


def _values(sent: bytes | msgspec.Raw) -> dict[str, Any]:
    """An object that was sent, decoded; an empty one for anything else."""
    value = decoded(bytes(sent)) if sent else None
    return value if isinstance(value, dict) else {}


def _message(message: Message, door: Door, outer: Place, name: str, properties: dict[str, Any] | bytes) -> Normalised:
    """The row of a message. Properties come decoded, or as the plain JSON that may be kept as it is."""
    if len(name) > MAX_EVENT_NAME:
        raise Unfit(f"Its name is longer than {MAX_EVENT_NAME} characters. Put what differs into properties.")
    user, anonymous = _ids(message)
    distinct_id = user or anonymous
    here = _place(message, outer)
    if here.properties and isinstance(properties, bytes):
        properties = _values(properties)
    kept: dict[str, str] | msgspec.Raw
    if isinstance(properties, bytes):
        kept, types, path, flags = msgspec.Raw(properties), "", "", here.flags
    else:
        flags = flags_in(properties, here.flags)
        flat, types = flatten({**here.properties, **properties} if here.properties else properties)
        kept, path = flat, flat.get("path", "")[:MAX_TEXT]
    if not flags and door.variants is not None:
        flags = door.variants(distinct_id)
    at = _time(message, door)
    where = here.columns
    row = Event(
        product=door.product_id,
        person=hasher(door.product_id)(distinct_id),
        timestamp=at,
        event=name,
        event_id=event_id(door.product_id, _id_text(message.messageId)),
        distinct_id=distinct_id,
        received_at=door.received_at,
        source=door.source,
        properties=kept,
        flags=flags,
        platform=where.platform,
        os=where.os,
        browser=where.browser,
        app=where.app,
        version=where.version,
        locale=where.locale,
        country=where.country,
        path=where.path or path,
    )
    link = _link(door, user, anonymous, at) if user and anonymous else None
    return Normalised(row, types, link, bool(user))


def _place(message: Message, outer: Place) -> Place:
    """What the message's context says, filled up from the batch's."""
    if not message.context:
        return outer
    own = read_context(bytes(message.context))
    return own if outer is NOWHERE else own.filled_from(outer)


def _ids(message: Message) -> tuple[str, str]:
    user, anonymous = _id_text(message.userId), _id_text(message.anonymousId)
    if user and anonymous and means_nobody(user):
        user = ""
    if not user and not anonymous:
        raise Unfit("It belongs to nobody. Send a text in `userId` or `anonymousId`.")
    if len(user) > MAX_ID or len(anonymous) > MAX_ID:
        raise Unfit(f"Its id is longer than {MAX_ID} characters. Send the id of the person, not a token.")
    if "\0" in user or "\0" in anonymous:
        raise Unfit("Its id holds a NUL character. Send the id without it.")
    return user, anonymous


def _id_text(value: Any) -> str:
    """An id as text: numbers are taken too, anything else is none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _link(door: Door, user: str, other: str, at: float) -> Link | None:
    if user == other or means_nobody(user) or means_nobody(other) or len(other) > MAX_ID or "\0" in other:
        return None
    return Link(door.product_id, user, other, door.trusted, at)


def _time(message: Message, door: Door) -> float:
    sent = message.timestamp
    if sent is None:
        return _checked_time(door.received_at, door)
    at = moment(sent)
    if at is None:
        raise Unfit(f"Its timestamp {str(sent)[:60]!r} is no time. Send ISO 8601, as 2026-11-23T17:25:41.123Z.")
    own = moment(message.sentAt) if message.sentAt is not None else None
    return _checked_time(at + (door.received_at - own if own is not None else door.skew), door)


def _checked_time(at: float, door: Door) -> float:
    oldest = OLDEST_IMPORT if door.source == IMPORT else door.received_at - YEARS_OFF
    if not oldest <= at <= door.received_at + YEARS_OFF:
        shown = _year(at)
        raise Unfit(f"Its time is {shown}, more than ten years off. Check the clock or the column it came from.")
    return round(at, 3)


def _year(at: float) -> str:
    try:
        return f"in the year {datetime.fromtimestamp(at, UTC).year}"
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar"


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


def _rejected(message: Message, reason: str) -> Rejected:
    return Rejected(
        reason,
        _id_text(message.messageId)[:MAX_ID],
        scalar_text(message.event or message.type or "")[:MAX_EVENT_NAME],
        (_id_text(message.userId) or _id_text(message.anonymousId))[:MAX_ID],
        shown(message),
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
