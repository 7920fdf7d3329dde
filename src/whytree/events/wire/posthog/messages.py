"""One PostHog message in, one row out, or the reason why not. Pure.

- The id of the person stands in `distinct_id` or in `properties.distinct_id`; its own id of the message is `uuid`.
- `$identify` links `$anon_distinct_id` to it, `$create_alias` and `$merge_dangerously` link `alias`.
- History carries what PostHog made of them: the person that an id belongs to (`person_id`), or all of that person's ids.
- `$set` and `$set_once`, at the top or in the properties of any event, say what is known about the person.
- An id names a person when the client says so (`$is_identified`, `$user_id`, `$identify`) or a server speaks of it;
  with `$process_person_profile: false` it never does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from whytree.people.identity import GROUP, MAX_ID, Link
from whytree.people.merging import MOST_IDS

from ...shaping.bots import is_bot
from ...shaping.normalise import Door, checked_time, event, id_text, link, moment, shown, with_exposure
from ...shaping.properties import Unfit, flags_in, scalar_text
from ...shaping.rows import IMPORT, SERVER, Normalised, Outcome, Rejected
from ...shaping.traits import ALIASES, MERGE, names_a_person, traits_said
from .place import columns

COOKIELESS = "$posthog_cookieless"

# Said by a library of itself, or kept elsewhere: the key, the id, and the address of the machine.
_NOT_KEPT = ("token", "distinct_id", "$ip", "ip")
_DEBUG = ("$sdk_debug_", "$lib_rate_limit_")


def posthog(message: Mapping[str, Any], door: Door) -> Outcome:
    """Normalise one message of v0 or v1."""
    try:
        return _taken(message, door)
    except Unfit as error:
        return _rejected(message, str(error))


def _taken(message: Mapping[str, Any], door: Door) -> Normalised:
    properties = _properties(message)
    name = _name(message)
    distinct_id = _distinct_id(message, properties)
    drawn = door.variants(distinct_id) if door.variants is not None else {}
    said_flags = flags_in(properties, {})
    flags = {key: _named(value, drawn.get(key, "")) for key, value in said_flags.items()} or drawn
    taken = event(
        door,
        distinct_id=distinct_id,
        name=name,
        properties={key: value for key, value in properties.items() if _is_kept(key)},
        timestamp=_time(message, properties, door),
        message_id=(id_text(message.get("uuid")) or id_text(properties.get("$insert_id")))[:MAX_ID],
        flags=flags,
    )
    said = taken.event.said
    bot = said.get("$browser_type") == "bot" or is_bot(said.get("$raw_user_agent", ""))
    taken.event = msgspec.structs.replace(taken.event, bot=bot, **columns(said)._asdict())
    taken.known = names_a_person(name, distinct_id, said, from_server=door.source == SERVER)
    taken.link = _link(name, distinct_id, properties, door, taken.event.timestamp)
    if door.source == IMPORT:
        taken.also = tuple(_same_person(message, distinct_id, door, taken.event.timestamp))
    taken.traits = traits_said(taken.event) if taken.known else None
    arm = drawn.get(said.get("$feature_flag", ""), "")
    return taken if _is_off(taken) and not arm else _as_drawn(with_exposure(taken), arm)


def _named(said: str, drawn: str) -> str:
    """PostHog's clients tell a switch as true or false; where it is ours, both of its arms have a name."""
    return drawn if drawn and said in {"true", "false"} else said


def _as_drawn(taken: Normalised, arm: str) -> Normalised:
    """The exposure to a switch of ours by the name of the arm that this person was drawn into."""
    met = taken.exposure
    if met is not None and met.said.get("variant") != (variant := _named(met.said.get("variant", ""), arm)):
        flag = met.said["flag"]
        properties = {**met.said, "variant": variant}
        taken.exposure = msgspec.structs.replace(met, properties=properties, flags={**met.flags, flag: variant})
    return taken


def _is_kept(name: str) -> bool:
    return name not in _NOT_KEPT and not name.startswith(_DEBUG)


def _properties(message: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the properties, with what other shapes say elsewhere put where v0 has it."""
    sent = message.get("properties")
    properties = dict(sent) if isinstance(sent, dict) else {}
    for key in ("$set", "$set_once"):
        at_top = message.get(key)
        if isinstance(at_top, dict):
            inside = properties.get(key)
            properties[key] = {**inside, **at_top} if isinstance(inside, dict) else at_top
    return properties


def _name(message: Mapping[str, Any]) -> str:
    name = message.get("event")
    if name is None and ("$set" in message or "$set_once" in message):
        return "$set"  # what Mixpanel's libraries send to /engage
    if not isinstance(name, str) or not name.strip():
        raise Unfit("It has no name. Send a text in `event`.")
    return name


def _distinct_id(message: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    for value in (message.get("distinct_id"), properties.get("distinct_id"), message.get("$distinct_id")):
        found = id_text(value).strip()
        if found == COOKIELESS:
            raise Unfit("It was sent in cookieless mode, without an id. Switch cookieless_mode off to have it counted.")
        if found:
            return found
    raise Unfit("It belongs to nobody. Send a text in `distinct_id`.")


def _link(name: str, distinct_id: str, properties: Mapping[str, Any], door: Door, at: float) -> Link | None:
    if name == "$identify":
        other = id_text(properties.get("$anon_distinct_id"))
    elif name in ALIASES:
        other = id_text(properties.get("alias"))
        if not other:
            raise Unfit("An alias needs two ids. Send `distinct_id` and `properties.alias`.")
    else:
        return None
    found = link(door, distinct_id, other, at) if other else None
    if found is not None and door.source == IMPORT and name != MERGE:
        return replace(found, trusted=False)  # PostHog itself joins two known people by that one alone
    return found


def _same_person(message: Mapping[str, Any], distinct_id: str, door: Door, at: float) -> Iterator[Link]:
    """What an export says PostHog knows: two ids of one `person_id` are one person."""
    person = id_text(message.get("person_id"))
    ids = message.get("distinct_ids")
    others = [f"{GROUP}{person}" if person else "", *(map(id_text, ids[:MOST_IDS]) if isinstance(ids, list) else ())]
    for other in others:
        found = link(door, distinct_id, other, at) if other else None
        if found is not None:
            yield found


def _time(message: Mapping[str, Any], properties: Mapping[str, Any], door: Door) -> float:
    sent = message.get("timestamp")
    if sent is None:
        offset = message.get("offset")
        if isinstance(offset, int | float) and not isinstance(offset, bool):
            return checked_time(door.received_at - offset / 1000, door)  # milliseconds since it happened
        sent = properties.get("time") if "mp_lib" in properties else None
    if sent is None:
        return checked_time(door.received_at, door)
    at = moment(sent)
    if at is None:
        raise Unfit(f"Its timestamp {str(sent)[:60]!r} is no time. Send ISO 8601, as 2026-11-23T17:25:41.123Z.")
    return checked_time(at if properties.get("$ignore_sent_at") is True else at + door.skew, door)


def _is_off(taken: Normalised) -> bool:
    """A flag that was asked for and is off: nobody met a variant. Who is a control group is told by a variant of its own."""
    return taken.event.event == "$feature_flag_called" and taken.event.said.get("$feature_flag_response") == "false"


def _rejected(message: Mapping[str, Any], reason: str) -> Rejected:
    properties = message.get("properties")
    inner = properties if isinstance(properties, dict) else {}
    return Rejected(
        reason,
        id_text(message.get("uuid"))[:MAX_ID],
        scalar_text(message.get("event") or "")[:200],
        (id_text(message.get("distinct_id")) or id_text(inner.get("distinct_id")))[:MAX_ID],
        shown(message),
    )
