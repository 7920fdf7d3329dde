"""Google Analytics 4: its BigQuery export as JSON lines or Parquet.

`user_pseudo_id` is a device's, `user_id` a person's; an event with both joins them. Events have no id of their own: a
row is known by what it says.
"""

from typing import Any
from urllib.parse import urlsplit

from .common import Message, Source, Values, said, text

_VALUES = ("string_value", "int_value", "float_value", "double_value")


def _fits(columns: set[str]) -> bool:
    return {"event_name", "event_timestamp", "user_pseudo_id"} <= columns


def _convert(values: Values) -> Message:
    parameters = _parameters(values.get("event_params"))
    try:
        at = int(text(values.get("event_timestamp"))) / 1_000_000
    except ValueError:
        raise ValueError("its event_timestamp is no number of microseconds") from None
    name = text(values.get("event_name"))
    kind: Message = {"type": "page"} if name == "page_view" else {"type": "track", "event": name}
    return kind | {
        "userId": text(values.get("user_id")) or None,
        "anonymousId": text(values.get("user_pseudo_id")) or None,
        "timestamp": at,
        "properties": parameters | _money(values),
        "context": _context(values, parameters),
    }


def _parameters(pairs: Any) -> dict[str, Any]:
    """`[{"key": "page_title", "value": {"string_value": "Home"}}]` as plain properties."""
    found: dict[str, Any] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, dict) and isinstance(pair.get("value"), dict):
            value = next((pair["value"][kind] for kind in _VALUES if pair["value"].get(kind) is not None), None)
            if value is not None:
                found[text(pair.get("key"))] = value
    return found


def _money(values: Values) -> dict[str, Any]:
    revenue = values.get("ecommerce.purchase_revenue")
    return said({"purchase_revenue": revenue, "transaction_id": values.get("ecommerce.transaction_id")})


def _context(values: Values, parameters: dict[str, Any]) -> dict[str, Any]:
    platform = text(values.get("platform")).lower()
    context: dict[str, Any] = {
        "os": said({"name": values.get("device.operating_system")}),
        "app": said({"name": values.get("app_info.id"), "version": values.get("app_info.version")}),
        "location": said({"country": values.get("geo.country")}),
        "locale": values.get("device.language"),
    }
    if platform == "web":
        context["page"] = {"path": _path(text(parameters.get("page_location")))}
    elif platform in ("ios", "android"):
        context["device"] = {"type": platform}
    return said(context)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return "/"


GA4 = Source("ga4", "Google Analytics 4 export", "segment", _fits, _convert)
