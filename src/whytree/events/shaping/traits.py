"""Whether an id names a person, and what an event says about them: by the properties that PostHog's libraries send.

Read at the door, and again from the store for what a crash left undone; so it looks at flat text only.
"""

from collections.abc import Mapping
from typing import Any

from whytree.people.identity import Traits
from whytree.stores.pieces.sql import COMPANY_TYPES

from .rows import SERVER, TRUSTED, Event

MERGE = "$merge_dangerously"
ALIASES = ("$create_alias", MERGE)
SET, SET_ONCE = "$set.", "$set_once."

# Libraries that run where people are; every other `posthog-*` runs on a server.
_CLIENTS = {"web", "js", "posthog-js", "posthog-js-lite", "posthog-ios", "posthog-android", "posthog-flutter"}
_CLIENTS |= {"posthog-react-native", "posthog-unity"}


def is_server(properties: Mapping[str, str]) -> bool:
    """Whether a server said it: it speaks of people, never of a device of its own."""
    said = properties.get("$is_server", "")
    library = properties.get("$lib", "")
    return said == "true" or (said != "false" and library.startswith("posthog-") and library not in _CLIENTS)


def names_a_person(name: str, distinct_id: str, properties: Mapping[str, str], *, from_server: bool) -> bool:
    """Whether this id is a person's, and not a device's or a visit's."""
    if properties.get("$process_person_profile") == "false" or name in ALIASES:
        return False
    from_server = from_server or is_server(properties)
    if name == "$groupidentify" and from_server:
        return False  # the id is made up: it is said of a group
    if name == "$identify" or properties.get("$is_identified") == "true":
        return True
    if properties.get("$is_identified") == "false":
        return False
    if properties.get("$user_id") == distinct_id:
        return True
    return from_server and properties.get("$device_id") != distinct_id


def traits_said(event: Event) -> Traits | None:
    """What an event that names a person says about them; None when that is nothing."""
    return _traits(event.product, event.distinct_id, event.said, event.timestamp, event.source in TRUSTED)


def traits_of_row(row: Mapping[str, Any]) -> Traits | None:
    """The same from a row of the store: also what Segment's identify calls said, whose properties are all traits."""
    product, distinct_id, said = row["product"], row["distinct_id"], row["properties"]
    at, trusted = row["timestamp"].timestamp(), row["source"] in TRUSTED
    if row["event"] == "$identify" and "$lib" not in said and not any(name.startswith("$set") for name in said):
        return Traits(product, distinct_id, said, at, trusted=trusted)
    if not names_a_person(row["event"], distinct_id, said, from_server=row["source"] == SERVER):
        return None
    return _traits(product, distinct_id, said, at, trusted)


def _traits(product: int, distinct_id: str, said: Mapping[str, str], at: float, trusted: bool) -> Traits | None:
    values = {name.removeprefix(SET): value for name, value in said.items() if name.startswith(SET)}
    once = {name.removeprefix(SET_ONCE): value for name, value in said.items() if name.startswith(SET_ONCE)}
    if said.get("$group_type") in COMPANY_TYPES and said.get("$group_key"):
        values.setdefault("company", said.get("$group_set.name") or said["$group_key"])
    return Traits(product, distinct_id, values, at, once, trusted) if values or once else None
