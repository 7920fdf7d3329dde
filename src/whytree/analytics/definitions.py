"""What a metric counts, as data: stored as versioned JSON, checked here and nowhere else. Pure.

{"version": 1, "kind": "count", "event": "lesson_started"}
{"version": 1, "kind": "unique", "event": "lesson_started"}
{"version": 1, "kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from whytree.errors import Invalid

VERSION = 1
#: Longer, and nobody who entered this year would be counted before the next.
MAX_WITHIN_DAYS = 365
EVENT_LENGTH = 500

#: In an experiment people are followed for this long where the metric itself has no window: one of each weekday.
FOLLOW_DAYS = 7


@dataclass(frozen=True)
class Count:
    """How often an event happened."""

    event: str
    kind = "count"

    @property
    def sentence(self) -> str:
        return f"how often “{self.event}” happened"


@dataclass(frozen=True)
class Unique:
    """How many people did something at least once."""

    event: str
    kind = "unique"

    @property
    def sentence(self) -> str:
        return f"people who did “{self.event}”"


@dataclass(frozen=True)
class Conversion:
    """Of those who did one thing, the share who did another within a window."""

    entry: str
    goal: str
    within_days: int
    kind = "conversion"

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.within_days)

    @property
    def sentence(self) -> str:
        days = "a day" if self.within_days == 1 else f"{self.within_days} days"
        return f"of people who did “{self.entry}”, the share who did “{self.goal}” within {days}"


Definition = Count | Unique | Conversion

KINDS = {
    Conversion.kind: "a share: of people who did one thing, how many did another",
    Unique.kind: "people: how many did something",
    Count.kind: "a count: how often something happened",
}
_FIELDS = {
    Count.kind: {"event"},
    Unique.kind: {"event"},
    Conversion.kind: {"from", "to", "within_days"},
}
UNITS = {Count.kind: "", Unique.kind: "people", Conversion.kind: "%"}


def checked_definition(raw: object) -> Definition:
    """The definition that this JSON means; `Invalid` says what to write instead."""
    if not isinstance(raw, Mapping):
        raise Invalid('A definition is a JSON object, as {"version": 1, "kind": "count", "event": "signed_up"}.')
    if raw.get("version") != VERSION:
        raise Invalid(f'This definition is of version {raw.get("version")!r}; write "version": {VERSION}.')
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise Invalid(f"There is no kind {kind!r} of metric; there are {', '.join(_FIELDS)}.")
    given = set(raw) - {"version", "kind"}
    if given != _FIELDS[kind]:
        wanted = ", ".join(sorted(_FIELDS[kind]))
        raise Invalid(
            f"A {kind} needs exactly these fields: {wanted}. Given: {', '.join(sorted(map(str, given))) or 'none'}."
        )
    if kind == Conversion.kind:
        return Conversion(_event(raw, "from"), _event(raw, "to"), _days(raw["within_days"]))
    return Count(_event(raw, "event")) if kind == Count.kind else Unique(_event(raw, "event"))


def as_json(definition: Definition) -> dict[str, Any]:
    """The form that is stored and sent."""
    head: dict[str, Any] = {"version": VERSION, "kind": definition.kind}
    if isinstance(definition, Conversion):
        return head | {"from": definition.entry, "to": definition.goal, "within_days": definition.within_days}
    return head | {"event": definition.event}


def events_of(definition: Definition) -> tuple[str, ...]:
    """The events it reads."""
    if isinstance(definition, Conversion):
        return tuple(dict.fromkeys((definition.entry, definition.goal)))
    return (definition.event,)


def warnings(definition: Definition, known: Iterable[str]) -> list[str]:
    """Events that were never seen, with the nearest that was: likely a slip, but they may also be yet to come."""
    names = list(known)
    found = []
    for event in events_of(definition):
        if event not in names:
            near = get_close_matches(event, names, n=1, cutoff=0.6)
            hint = f" Did you mean “{near[0]}”?" if near else ""
            found.append(f"No event “{event}” has been seen yet.{hint}")
    return found


def _event(raw: Mapping[str, Any], field: str) -> str:
    name = raw[field]
    if not isinstance(name, str) or not name.strip() or len(name) > EVENT_LENGTH or "\x00" in name:
        raise Invalid(f"“{field}” must be the name of an event, as your product sends it.")
    return name


def _days(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_WITHIN_DAYS:
        raise Invalid(f"“within_days” must be a whole number of days from 1 to {MAX_WITHIN_DAYS}.")
    return value
