"""One Segment message in, one row out, or the reason why not.

What counts as what (Segment's semantics):

- `userId` names a person, `anonymousId` a device or visit; `null`, empty and "undefined"-like ids count as absent.
- `identify` and any message with both ids link the two; `alias` links `previousId` with `userId`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from whytree.people.identity import MAX_ID, Traits, means_nobody

from ...shaping.context import MAX_TEXT, NOWHERE, Place, read_context
from ...shaping.normalise import (
    MAX_EVENT_NAME,
    TELLS_OF_FLAGS,
    Door,
    checked_time,
    id_text,
    link,
    moment,
    new_row,
    shown,
    with_exposure,
)
from ...shaping.properties import Unfit, as_json, decoded, flags_in, flatten, is_plain, scalar_text
from ...shaping.rows import Normalised, Outcome, Rejected


class Message(msgspec.Struct, gc=False):
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


# ---- Segment's kinds -----------------------------------------------------------------------------------------------


def _track(message: Message, door: Door, outer: Place) -> Outcome:
    name = message.event
    if not isinstance(name, str) or not name.strip():
        return _rejected(message, "It has no name. Send a text in `event`.")
    sent = bytes(message.properties)
    taken = _message(message, door, outer, name, sent if is_plain(sent) else _values(sent))
    return with_exposure(taken) if name in TELLS_OF_FLAGS else taken


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
        taken.traits = Traits(
            door.product_id, event.distinct_id, dict(event.said), event.timestamp, trusted=door.trusted
        )
    return taken


def _group(message: Message, door: Door, outer: Place) -> Outcome:
    group_id = id_text(message.groupId)
    if not group_id:
        return _rejected(message, "It has no group. Send a text in `groupId`.")
    taken = _message(message, door, outer, "$group", {**_values(message.traits), "groupId": group_id})
    if taken.known:
        said = taken.event.said
        values = {"company": said.get("name") or group_id} | ({"plan": said["plan"]} if "plan" in said else {})
        taken.traits = Traits(
            door.product_id, taken.event.distinct_id, values, taken.event.timestamp, trusted=door.trusted
        )
    return taken


def _alias(message: Message, door: Door, outer: Place) -> Outcome:
    previous, user = id_text(message.previousId), id_text(message.userId)
    if not previous or not user:
        return _rejected(message, "An alias needs two ids. Send `previousId` and `userId`.")
    if "\0" in previous:
        return _rejected(message, "Its `previousId` holds a NUL character. Send the id without it.")
    taken = _message(message, door, outer, "$alias", {"previousId": previous})
    taken.link = link(door, user, previous, taken.event.timestamp) or taken.link
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
    where = here.columns if here.columns.path or not path else here.columns._replace(path=path)
    if not flags and door.variants is not None:
        flags = door.variants(distinct_id)
    at = _time(message, door)
    row = new_row(door, distinct_id, name, at, id_text(message.messageId), kept, flags, where, here.bot)
    both = link(door, user, anonymous, at) if user and anonymous else None
    return Normalised(row, types, both, bool(user))


def _place(message: Message, outer: Place) -> Place:
    """What the message's context says, filled up from the batch's."""
    if not message.context:
        return outer
    own = read_context(bytes(message.context))
    return own if outer is NOWHERE else own.filled_from(outer)


def _ids(message: Message) -> tuple[str, str]:
    user, anonymous = id_text(message.userId), id_text(message.anonymousId)
    if user and anonymous and means_nobody(user):
        user = ""
    if not user and not anonymous:
        raise Unfit("It belongs to nobody. Send a text in `userId` or `anonymousId`.")
    if len(user) > MAX_ID or len(anonymous) > MAX_ID:
        raise Unfit(f"Its id is longer than {MAX_ID} characters. Send the id of the person, not a token.")
    if "\0" in user or "\0" in anonymous:
        raise Unfit("Its id holds a NUL character. Send the id without it.")
    return user, anonymous


def _time(message: Message, door: Door) -> float:
    sent = message.timestamp
    if sent is None:
        return checked_time(door.received_at, door)
    at = moment(sent)
    if at is None:
        raise Unfit(f"Its timestamp {str(sent)[:60]!r} is no time. Send ISO 8601, as 2026-11-23T17:25:41.123Z.")
    own = moment(message.sentAt) if message.sentAt is not None else None
    return checked_time(at + (door.received_at - own if own is not None else door.skew), door)


def _rejected(message: Message, reason: str) -> Rejected:
    return Rejected(
        reason,
        id_text(message.messageId)[:MAX_ID],
        scalar_text(message.event or message.type or "")[:MAX_EVENT_NAME],
        (id_text(message.userId) or id_text(message.anonymousId))[:MAX_ID],
        shown(message),
    )
