"""Where a PostHog event came from, read off its properties: the low-cardinality columns. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ...shaping.context import MAX_TEXT, Columns
from ...shaping.traits import is_server

_PLATFORMS = {"web": "web", "js": "web", "posthog-ios": "ios", "posthog-android": "android"}
_BY_SYSTEM = {"ios": "ios", "ipados": "ios", "android": "android"}


def columns(properties: Mapping[str, str]) -> Columns:
    """What fills our columns; what a server library says of its own machine is not where the person was."""
    at_server = is_server(properties)
    return Columns(
        platform="server" if at_server else _platform(properties),
        os="" if at_server else _text(properties, "$os"),
        browser=_text(properties, "$browser"),
        app=_text(properties, "$app_name"),
        version=_text(properties, "$app_version"),
        locale=_text(properties, "$locale") or _text(properties, "$browser_language"),
        country=_text(properties, "$geoip_country_code"),
        path=_text(properties, "$pathname") or _path_of(_text(properties, "$current_url")),
    )


def _platform(properties: Mapping[str, str]) -> str:
    system = _text(properties, "$os").lower()
    known = _PLATFORMS.get(_text(properties, "$lib"))
    return known or _BY_SYSTEM.get(system, "web" if properties.get("$browser") else "")


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path[:MAX_TEXT] if "://" in url else ""
    except ValueError:
        return ""


def _text(properties: Mapping[str, str], name: str) -> str:
    return properties.get(name, "")[:MAX_TEXT]
