"""Snowplow: enriched events as tab-separated lines of 131 fields without a header (its canonical event model).

`domain_userid` and `network_userid` are a device's, `user_id` is a person's; an event with both joins them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whytree.engines.tables import Row, RowError
from whytree.engines.tables.streams import open_text, sniff_encoding

from .common import Message, Source, Values, said, text

FIELDS = 131
# The fields that are read, by their place.
_PLACES = {
    "app_id": 0,
    "platform": 1,
    "collector_tstamp": 3,
    "event": 5,
    "event_id": 6,
    "user_id": 12,
    "domain_userid": 15,
    "network_userid": 17,
    "geo_country": 18,
    "page_url": 29,
    "page_title": 30,
    "page_referrer": 31,
    "page_urlpath": 35,
    "mkt_medium": 47,
    "mkt_source": 48,
    "mkt_campaign": 51,
    "contexts": 52,
    "se_category": 53,
    "se_action": 54,
    "se_label": 55,
    "se_property": 56,
    "se_value": 57,
    "unstruct_event": 58,
    "useragent": 77,
    "br_lang": 83,
    "os_name": 97,
    "domain_sessionid": 123,
    "derived_tstamp": 124,
    "event_name": 126,
}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PROPERTIES = ("app_id", "page_url", "page_title", "se_category", "se_label", "se_property", "se_value")
_PLATFORMS = {"web": "web", "mob": "mobile", "srv": "server"}


class SnowplowFile:
    """The lines of a file as rows, like a table of `engines.tables`."""

    format, encoding = "snowplow", ""
    columns = list(_PLACES)

    def __init__(self, path: Path) -> None:
        self.path = path
        self.progress = 0.0
        self.sample: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[Row | RowError]:
        content, raw = open_text(self.path, sniff_encoding(self.path))
        size = max(self.path.stat().st_size, 1)
        with raw, content:
            for number, line in enumerate(content, 1):
                if number % 256 == 0:
                    self.progress = min(raw.tell() / size, 1.0)
                fields = line.rstrip("\r\n").split("\t")
                if len(fields) == FIELDS:
                    yield Row(number, {name: fields[place] for name, place in _PLACES.items()})
                elif line.strip():
                    yield RowError(number, f"it has {len(fields)} fields; a Snowplow event has {FIELDS}")
        self.progress = 1.0


def is_snowplow(path: Path) -> bool:
    """Whether its first line is such an event."""
    try:
        content, raw = open_text(path, sniff_encoding(path))
        with raw, content:
            fields = content.readline(1_000_000).rstrip("\r\n").split("\t")
    except (OSError, ValueError):
        return False
    return len(fields) == FIELDS and _UUID.fullmatch(fields[_PLACES["event_id"]]) is not None


def _convert(values: Values) -> Message:
    name, own = _name(values)
    kind: Message = {"type": "page"} if values["event"] == "page_view" else {"type": "track", "event": name}
    return kind | {
        "messageId": text(values["event_id"]),
        "userId": text(values["user_id"]) or None,
        "anonymousId": text(values["domain_userid"]) or text(values["network_userid"]) or None,
        "timestamp": (text(values["derived_tstamp"]) or text(values["collector_tstamp"])).replace(" ", "T") + "Z",
        "properties": said({field: values[field] for field in _PROPERTIES}) | own | _session(values),
        "context": _context(values),
    }


def _name(values: Values) -> tuple[str, dict[str, Any]]:
    """The event's name, and the properties of a self-describing one."""
    if values["event"] == "struct":
        return text(values["se_action"]) or "struct", {}
    own: dict[str, Any] = {}
    if values["unstruct_event"]:
        try:
            own = json.loads(values["unstruct_event"])["data"]["data"]
        except (ValueError, KeyError, TypeError):
            raise ValueError("its self-describing event is no JSON of that kind") from None
    return text(values["event_name"]) or text(values["event"]), own if isinstance(own, dict) else {}


def _session(values: Values) -> dict[str, Any]:
    return said({"$session_id": values["domain_sessionid"]})


def _context(values: Values) -> dict[str, Any]:
    context: dict[str, Any] = {
        "userAgent": values["useragent"],
        "locale": values["br_lang"],
        "os": said({"name": values["os_name"]}),
        "location": said({"country": values["geo_country"]}),
        "campaign": said(
            {"name": values["mkt_campaign"], "source": values["mkt_source"], "medium": values["mkt_medium"]}
        ),
    }
    if _PLATFORMS.get(values["platform"]) == "web":
        context["page"] = said({"path": values["page_urlpath"] or "/", "referrer": values["page_referrer"]})
    elif values["platform"] == "srv":
        context["library"] = {"name": "snowplow"}
    return said(context)


SNOWPLOW = Source("snowplow", "Snowplow enriched events", "segment", lambda columns: False, _convert)
