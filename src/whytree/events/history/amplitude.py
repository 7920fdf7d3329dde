"""Amplitude: what its export API gives, one event a line. Ids of one `amplitude_id`, and of one event, are one person.

A user has one `amplitude_id`, and whoever uses a device before or after them, without signing in, has it too
(https://amplitude.com/docs/data/sources/amplitude-id-assignment). So it tells whose a device is whose sign-in lies before
the export began; and two users of one device have two, and stay two.

Each event says what was known of its user and which groups they were in; as `$set` and `$groups` these are what our own
clients say: the newest is the profile, and questions can ask what was known then.
"""

from typing import Any

from whytree.people.identity import means_nobody

from .common import Message, Source, Values, said, text, under, when


def _fits(columns: set[str]) -> bool:
    return {"event_type", "event_time"} <= columns and bool({"$insert_id", "uuid", "amplitude_id"} & columns)


def _convert(values: Values) -> Message:
    at = when(values.get("event_time"))
    return {
        "type": "track",
        "event": text(values.get("event_type")),
        "messageId": text(values.get("$insert_id")) or text(values.get("uuid")),
        "userId": text(values.get("user_id")) or None,
        "anonymousId": text(values.get("device_id")) or None,
        "person": _person(values),
        "timestamp": at,
        "properties": said(under(values, "event_properties.")) | _about_the_user(values),
        "context": _context(values),
    }


def _person(values: Values) -> str | None:
    number = text(values.get("amplitude_id"))
    return f"amplitude {number}" if number and not means_nobody(number) else None


def _about_the_user(values: Values) -> dict[str, Any]:
    known = said(under(values, "user_properties."))
    groups = {name: text(_first(value)) for name, value in said(under(values, "groups.")).items()}
    return said({"$set": known or None, "$groups": groups or None})


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _context(values: Values) -> dict[str, Any]:
    platform = text(values.get("platform"))
    context: dict[str, Any] = {
        "os": said({"name": values.get("os_name")}),
        "app": said({"version": values.get("version_name")}),
        "location": said({"country": values.get("country")}),
        "locale": values.get("language"),
        "library": said({"name": values.get("library")}),
    }
    if platform.lower() == "web":
        context["page"] = {"path": text(values.get("event_properties.[Amplitude] Page Path"))}
    elif platform.lower() in ("ios", "android"):
        context["device"] = {"type": platform.lower()}
    return said(context)


AMPLITUDE = Source("amplitude", "Amplitude export", "segment", _fits, _convert)
