"""Segment and RudderStack: raw messages as they lie in S3, and the tables of their warehouses."""

from collections.abc import Mapping
from typing import Any

from .common import Message, Source, Values, nested, said, text, under, when

_KEPT = ("type", "messageId", "userId", "anonymousId", "previousId", "groupId", "event", "name", "category")


def _fits_raw(columns: set[str]) -> bool:
    return {"type", "messageId"} <= columns and bool({"userId", "anonymousId"} & columns)


def _convert_raw(values: Values) -> Message:
    message: Message = {name: values[name] for name in _KEPT if values.get(name) is not None}
    # `timestamp` is corrected already: with `sentAt` beside it, it would be corrected again
    message["timestamp"] = when(values.get("timestamp") or values.get("originalTimestamp") or values.get("receivedAt"))
    message["properties"] = under(values, "properties.")
    message["traits"] = under(values, "traits.")
    message["context"] = nested(under(values, "context."))
    return message


# Columns of a warehouse's tables that are no property of the event.
_OWN = {
    *("id", "event", "event_text", "user_id", "anonymous_id", "previous_id", "group_id", "name", "category"),
    *("timestamp", "original_timestamp", "sent_at", "received_at", "uuid", "uuid_ts", "loaded_at", "channel"),
}
_PAGE = {"path", "title", "search", "referrer", "url"}


def _fits_table(columns: set[str]) -> bool:
    has_ids = bool({"anonymous_id", "user_id"} & columns)
    return {"id", "received_at"} <= columns and has_ids and any(name.startswith("context_") for name in columns)


def _convert_table(values: Values) -> Message:
    properties = {
        name: value for name, value in said(values).items() if name not in _OWN and not name.startswith("context_")
    }
    message: Message = {
        "messageId": text(values.get("id")),
        "userId": values.get("user_id"),
        "anonymousId": values.get("anonymous_id"),
        "timestamp": when(values.get("timestamp") or values.get("original_timestamp") or values.get("received_at")),
        "context": _context(values),
    }
    return message | _kind(values, properties)


def _kind(values: Values, properties: dict[str, Any]) -> Message:
    """Each kind of call has its table; which one this is shows in its columns."""
    event = text(values.get("event_text")) or text(values.get("event"))
    if event:
        return {"type": "track", "event": event, "properties": properties}
    if values.get("previous_id"):
        return {"type": "alias", "previousId": values["previous_id"]}
    if values.get("group_id"):
        return {"type": "group", "groupId": values["group_id"], "traits": properties}
    if _PAGE & values.keys():
        named = {name: values.get(name) for name in ("name", "category")}
        return {"type": "page", "properties": properties, **said(named)}
    if "name" in values and "email" not in values:
        return {"type": "screen", "name": values["name"], "properties": properties}
    traits = properties | said({"name": values.get("name")})
    return {"type": "identify", "traits": traits}


_CONTEXT = {
    "context_page_path": "page.path",
    "context_page_referrer": "page.referrer",
    "context_user_agent": "userAgent",
    "context_locale": "locale",
    "context_os_name": "os.name",
    "context_device_type": "device.type",
    "context_app_name": "app.name",
    "context_app_version": "app.version",
    "context_library_name": "library.name",
    "context_campaign_name": "campaign.name",
    "context_campaign_source": "campaign.source",
    "context_campaign_medium": "campaign.medium",
}


def _context(values: Mapping[str, Any]) -> dict[str, Any]:
    return nested(said({ours: values.get(theirs) for theirs, ours in _CONTEXT.items()}))


SEGMENT = Source("segment", "Segment or RudderStack messages", "segment", _fits_raw, _convert_raw)
WAREHOUSE = Source("warehouse", "Segment or RudderStack warehouse table", "segment", _fits_table, _convert_table)
