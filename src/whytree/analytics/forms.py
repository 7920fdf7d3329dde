"""What the pages' forms send, as services take it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import QueryDict

from whytree.errors import Invalid

from .definitions import Conversion
from .models import Metric
from .queries import definition_of


@dataclass(frozen=True)
class MetricForm:
    """The fields as they were typed, so that a refused form comes back as it was."""

    key: str = ""
    name: str = ""
    kind: str = Conversion.kind
    event: str = ""
    entry: str = ""
    goal: str = ""
    within_days: str = "7"
    direction: str = "up"

    @classmethod
    def sent(cls, post: QueryDict) -> "MetricForm":
        names = ("key", "name", "kind", "event", "entry", "goal", "within_days", "direction")
        return cls(**{name: str(post.get(name, "")).strip() for name in names})

    @classmethod
    def suggested(cls, get: QueryDict) -> "MetricForm":
        """What the page one comes from already knows: an event, or a step of a funnel."""
        names = {"event": "event", "entry": "from", "goal": "to", "within_days": "within_days"}
        return cls(**{field: str(get[name]).strip() for field, name in names.items() if get.get(name)})

    @classmethod
    def of(cls, metric: Metric) -> "MetricForm":
        parts = {"direction": metric.direction, "key": metric.key, "name": metric.name}
        definition = definition_of(metric)
        if isinstance(definition, Conversion):
            window = str(definition.within_days)
            return cls(**parts, entry=definition.entry, goal=definition.goal, within_days=window)
        return cls(**parts, kind=definition.kind, event=definition.event)

    @property
    def definition(self) -> dict[str, Any]:
        """The JSON that was meant; whether it is any good is for `checked_definition` to say."""
        if self.kind == Conversion.kind:
            days: object = int(self.within_days) if self.within_days.isdecimal() else self.within_days
            return {"version": 1, "kind": self.kind, "from": self.entry, "to": self.goal, "within_days": days}
        return {"version": 1, "kind": self.kind, "event": self.event}


def optional_number(text: str, name: str) -> float | None:
    """A number as people type it; nothing for nothing."""
    cleaned = text.strip().replace(",", ".").removesuffix("%").strip()
    if not cleaned:
        return None
    try:
        return float(cleaned)
    except ValueError as error:
        raise Invalid(f"{name}: “{text}” is no number. Write it as 31.2.") from error


def optional_day(text: str) -> date | None:
    """A day as the browser's date field sends it."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(f"“{text}” is no day. Write it as 2026-09-30.") from error
