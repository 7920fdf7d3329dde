"""PostHog: batch exports (JSON lines, Parquet) and what its events API answers.

A batch export repeats with each event what was known of its person. It is taken where it changed: else a year of events
would hold everybody's profile a thousand times.
"""

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
    }
    for name, column in (("$set", "set"), ("$set_once", "set_once")):  # columns of their own in batch exports
        if found := said(as_object(values.get(column)) or under(values, f"{column}.")):
            message[name] = found
    return message


def _profile(values: Values) -> tuple[str, Message]:
    return text(values.get("distinct_id")), dict(said(under(values, "person_properties.")))


POSTHOG = Source("posthog", "PostHog export", "posthog", _fits, _convert, _profile)
