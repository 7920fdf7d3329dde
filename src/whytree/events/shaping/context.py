"""Where an event came from, read off Segment's `context`: the low-cardinality columns. Pure."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from .bots import is_bot
from .properties import variants

MAX_TEXT = 200


class Columns(NamedTuple):
    platform: str = ""
    os: str = ""
    browser: str = ""
    app: str = ""
    version: str = ""
    locale: str = ""
    country: str = ""
    path: str = ""


NOTHING = Columns()

_MOBILE = {"ios": "ios", "ipados": "ios", "iphone": "ios", "android": "android"}
_OS = (
    ("iOS", re.compile(r"iPhone|iPad|iPod")),
    ("Android", re.compile(r"Android")),
    ("Windows", re.compile(r"Windows")),
    ("macOS", re.compile(r"Macintosh|Mac OS X")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Linux", re.compile(r"Linux|X11")),
)
# The order matters: every browser also claims to be an older one.
_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"OPR/|Opera")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("Safari", re.compile(r"Version/[\d.]+.*Safari/")),
)


class Place(NamedTuple):
    """What one `context` says: columns, flags in force, and what goes along as properties."""

    columns: Columns = NOTHING
    flags: dict[str, str] = {}
    properties: dict[str, Any] = {}
    bot: bool = False

    def filled_from(self, outer: "Place") -> "Place":
        """This one, and what only the outer one says."""
        columns = Columns(*(own or other for own, other in zip(self.columns, outer.columns, strict=True)))
        flags, properties = {**outer.flags, **self.flags}, {**outer.properties, **self.properties}
        return Place(columns, flags, properties, self.bot or outer.bot)


NOWHERE = Place()


@lru_cache(maxsize=4_096)
def read_context(context: bytes) -> Place:
    """Read a context given as JSON. Remembered, since most events of a sender carry the same one: change nothing in it."""
    try:
        said = msgspec.json.decode(context)
    except (msgspec.MsgspecError, RecursionError):
        return NOWHERE
    return place(said) if isinstance(said, dict) else NOWHERE


def place(context: dict[str, Any]) -> Place:
    """The same for a context that is decoded already."""
    agent = _text(context.get("userAgent"))
    agent_os, agent_browser = read_agent(agent) if agent else ("", "")
    os_name = _text(_part(context, "os").get("name")) or agent_os
    app = _part(context, "app")
    columns = Columns(
        platform=_platform(context, os_name, bool(agent)),
        os=os_name,
        browser=agent_browser,
        app=_text(app.get("name")),
        version=_text(app.get("version")),
        locale=_text(context.get("locale")),
        country=_text(_part(context, "location").get("country")),
        path=_text(_part(context, "page").get("path")),
    )
    return Place(columns, variants(_part(context, "flags")), _origin(context), is_bot(agent))


def _origin(context: dict[str, Any]) -> dict[str, Any]:
    """What brought somebody here, as properties under the usual names."""
    found = {f"utm_{'campaign' if key == 'name' else key}": value for key, value in _part(context, "campaign").items()}
    referrer = _part(context, "page").get("referrer")
    if isinstance(referrer, str) and referrer:
        found["$referrer"] = referrer
    return found


def _platform(context: dict[str, Any], os_name: str, has_agent: bool) -> str:
    kind = _text(_part(context, "device").get("type")).lower()
    library = _text(_part(context, "library").get("name")).lower()
    if kind in _MOBILE:
        return _MOBILE[kind]
    if "analytics.js" in library or context.get("page"):
        return "web"
    if has_agent and not library:
        return "web"
    if os_name.lower() in _MOBILE:
        return _MOBILE[os_name.lower()]
    return "server" if library else ""


@lru_cache(maxsize=8_192)
def read_agent(agent: str) -> tuple[str, str]:
    """Operating system and browser in a User-Agent text."""
    os_name = next((name for name, pattern in _OS if pattern.search(agent)), "")
    browser = next((name for name, pattern in _BROWSERS if pattern.search(agent)), "")
    return os_name, browser


def _part(context: dict[str, Any], name: str) -> dict[str, Any]:
    part = context.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""
