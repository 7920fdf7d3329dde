"""PostHog: batch exports of events and persons (JSON lines, Parquet), and what its APIs of events and persons answer.

An export repeats with each event what was known of its person. It is taken where it changed: else a year of events would
hold everybody's profile a thousand times. Which ids are one person PostHog has decided: `person_id`, or the person's
`distinct_ids`. That comes along with each event, for merges leave no event where they were made by hand or long ago.
"""

import json
import re
from typing import Any

from .common import Message, Source, Values, as_object, said, text, under, when


def _fits(columns: set[str]) -> bool:
    has_properties = any(name == "properties" or name.startswith("properties.") for name in columns)
    return {"event", "distinct_id", "timestamp"} <= columns and bool({"uuid", "id"} & columns) and has_properties


def _convert(values: Values) -> Message:
    message: Message = {
        "event": text(values.get("event")),
        "distinct_id": text(values.get("distinct_id")),
        "uuid": text(values.get("uuid")) or text(values.get("id")),
        "timestamp": when(values.get("timestamp")),
        "properties": under(values, "properties."),
        **said({"person_id": _person(values), "distinct_ids": _ids(values.get("person.distinct_ids")) or None}),
    }
    for name, column in (("$set", "set"), ("$set_once", "set_once")):  # columns of their own in batch exports
        if found := said(as_object(values.get(column)) or under(values, f"{column}.")):
            message[name] = found
    return message


def _person(values: Values) -> str:
    return next((found for name in _PERSON if (found := text(values.get(name))) and found != _NO_PERSON), "")


_PERSON = ("person_id", "person.id", "person.uuid")
_NO_PERSON = "00000000-0000-0000-0000-000000000000"


def _ids(value: Any) -> list[str]:
    """A list of ids, given as one or as its JSON text."""
    if isinstance(value, str) and value[:1] == "[":
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return [found for each in value if (found := text(each))] if isinstance(value, list) else []


def _profile(values: Values) -> tuple[str, Message]:
    known = under(values, "person_properties.") or under(values, "person.properties.")
    return text(values.get("distinct_id")), dict(said(known))


def _fits_persons(columns: set[str]) -> bool:
    """A batch export has a row for each id, the API one for each person with all of their ids."""
    has_properties = any(name == "properties" or name.startswith("properties.") for name in columns)
    of_export = {"distinct_id", "person_id"} <= columns and "event" not in columns
    of_api = "distinct_ids" in columns and bool({"uuid", "id"} & columns)
    return has_properties and (of_export or of_api)


def _convert_person(values: Values) -> Message:
    """A person as an event that says who they are; it happened when they were seen last, as far as that is told."""
    if text(values.get("is_deleted")) in {"1", "true", "True"} or values.get("is_deleted") is True:
        raise ValueError("this person was deleted in PostHog")
    ids = [one for one in (text(values.get("distinct_id")), *_ids(values.get("distinct_ids"))) if one]
    if not ids:
        raise ValueError("this person has no id that an event could carry")
    named = next((one for one in ids if not _MADE_BY_A_DEVICE.fullmatch(one)), "")
    return {
        "event": "$set",
        "distinct_id": named or ids[0],
        "timestamp": when(next((found for name in _SEEN if (found := values.get(name))), None)),
        "properties": {"$is_identified": bool(named)},
        **said({"person_id": text(values.get("person_id")) or text(values.get("uuid")) or text(values.get("id"))}),
        **said(
            {"distinct_ids": ids if len(ids) > 1 else None, "$set": dict(said(under(values, "properties."))) or None}
        ),
    }


# What PostHog's libraries make up for a device: a UUID of version 7, before that five parts of odd lengths. Nothing in an
# export says which of somebody's ids is their name.
_MADE_BY_A_DEVICE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{13,16}-[0-9a-f]{13,16}(-[0-9a-f]{4,16}){3}"
)
_SEEN = ("last_seen_at", "_inserted_at", "created_at")

POSTHOG = Source("posthog", "PostHog export", "posthog", _fits, _convert, _profile)
POSTHOG_PERSONS = Source("posthog-persons", "PostHog persons", "posthog", _fits_persons, _convert_person)
