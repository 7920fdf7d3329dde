"""Mixpanel: what its raw export API gives, one event a line; and its profiles, one person a line.

Who is who as Mixpanel says it: an event with `$device_id` and `$user_id` joins the two, and so does `$identify`, but never two
users of one device; `$create_alias` and `$merge` always join the ids they name. An id that begins with `$device:` is a device's.
"""

from datetime import UTC, datetime
from typing import Any

from .common import Message, Source, Values, said, text, under, when

_DEVICE = "$device:"
_OWN = {"distinct_id", "time", "$insert_id", "token", "mp_api_endpoint", "mp_processing_time_ms", "mp_api_timestamp_ms"}


def _fits(columns: set[str]) -> bool:
    return {"event", "properties.distinct_id", "properties.time"} <= columns


def _convert(values: Values) -> Message:
    properties = under(values, "properties.")
    name = text(values.get("event"))
    message: Message = {
        "messageId": text(properties.get("$insert_id")),
        "timestamp": when(properties.get("time")),
        "context": _context(properties),
    }
    joined = _joined(name, properties)
    if joined and name == "$identify":
        return message | {"type": "identify", "userId": joined[0], "anonymousId": joined[1]}
    if joined:
        return message | {"type": "alias", "userId": joined[0], "previousId": joined[1]}
    kept = {key: value for key, value in said(properties).items() if key not in _OWN}
    return message | _ids(properties) | {"type": "track", "event": name, "properties": kept}


def _ids(properties: Values) -> Message:
    user, device = text(properties.get("$user_id")), text(properties.get("$device_id"))
    if not user and not device:
        distinct = text(properties.get("distinct_id"))
        if distinct.startswith(_DEVICE):
            device = distinct.removeprefix(_DEVICE)
        else:
            user = distinct
    return said({"userId": user, "anonymousId": device})


def _joined(name: str, properties: Values) -> tuple[str, str] | None:
    """The two ids that an event of identity names."""
    if name == "$merge":
        ids = properties.get("$distinct_ids")
        pair: list[Any] = ids if isinstance(ids, list) else []
    elif name == "$create_alias":
        pair = [properties.get("distinct_id"), properties.get("alias")]
    elif name == "$identify":
        pair = [properties.get("$identified_id"), properties.get("$anon_id")]
    else:
        return None
    found = [text(each).removeprefix(_DEVICE) for each in pair]
    if len(found) < 2 or not all(found[:2]):
        raise ValueError(f"its {name} does not name two ids")
    return found[0], found[1]


def _context(properties: Values) -> dict[str, Any]:
    path = text(properties.get("$current_url")).partition("://")[2].partition("/")[2].partition("?")[0]
    context: dict[str, Any] = {
        "os": said({"name": properties.get("$os")}),
        "location": said({"country": properties.get("mp_country_code")}),
        "app": said({"version": properties.get("$app_version_string")}),
    }
    if properties.get("$browser") or properties.get("mp_lib") == "web":
        context["page"] = {"path": f"/{path}"}
    return said(context)


_NAMES = {"$email": "email", "$name": "name", "$first_name": "firstName", "$last_name": "lastName", "$phone": "phone"}


def _fits_people(columns: set[str]) -> bool:
    return "$distinct_id" in columns and any(name.startswith("$properties") for name in columns)


def _convert_person(values: Values) -> Message:
    """A profile as its person's client would have said it; Mixpanel's own bookkeeping stays there."""
    distinct, known = text(values.get("$distinct_id")), said(under(values, "$properties."))
    traits = {_NAMES.get(name, name): value for name, value in known.items() if name in _NAMES or name[:1] != "$"}
    is_device = distinct.startswith(_DEVICE)
    return {
        "type": "identify",
        ("anonymousId" if is_device else "userId"): distinct.removeprefix(_DEVICE),
        "timestamp": when(known.get("$last_seen") or known.get("$created") or datetime.now(UTC).isoformat()),
        "traits": traits,
    }


MIXPANEL_PEOPLE = Source("mixpanel-people", "Mixpanel profiles", "segment", _fits_people, _convert_person)
MIXPANEL = Source("mixpanel", "Mixpanel export", "segment", _fits, _convert)
