"""A plan as a document: what it may say, written and read as YAML. No Django: the command line uses it too.

whytree_plan: 1
strict: true                  # what stands in no plan breaks it; false: it may come
events:
  Signed Up:
    status: expected          # or deprecated, or unexpected
    owner: growth
    description: The account is made.
    properties:
      plan: {type: text, required: true}
      price: number
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1
#: Events and properties that libraries and Whytree itself make: nobody plans them, and nobody is told of them.
BY_ITSELF = "$"
STATUSES = ("expected", "deprecated", "unexpected")
TYPES = ("text", "number", "boolean", "list")
MOST_EVENTS = 5_000
MOST_PROPERTIES = 500
MOST_NAME = 200
MOST_TEXT = 500


class NotAPlan(ValueError):
    """The document says something that a plan cannot; the message says where, and what it may say."""


@dataclass(frozen=True)
class PlannedProperty:
    """What a property of an event should be. `type` empty: any."""

    type: str = ""
    required: bool = False
    description: str = ""

    def as_plain(self) -> Any:
        """The shortest way to write it."""
        said = {name: value for name, value in asdict(self).items() if value}
        return said.get("type", "any") if set(said) <= {"type"} else said


@dataclass(frozen=True)
class PlannedEvent:
    """What is meant by an event. Without properties any may come."""

    status: str = "expected"
    owner: str = ""
    description: str = ""
    properties: Mapping[str, PlannedProperty] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        said: dict[str, Any] = {"status": self.status}
        said |= {name: value for name, value in (("owner", self.owner), ("description", self.description)) if value}
        if self.properties:
            said["properties"] = {name: self.properties[name].as_plain() for name in sorted(self.properties)}
        return said


@dataclass(frozen=True)
class Plan:
    """What is meant by which event. A `strict` one is the whole of it: an event or a property that it does not name breaks it.

    A file is strict unless it says otherwise; where single events were described, nobody has said anything of the others.
    """

    events: Mapping[str, PlannedEvent] = field(default_factory=dict)
    strict: bool = True


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain data, in one order always."""
    events = {name: plan.events[name].as_plain() for name in sorted(plan.events)}
    return {"whytree_plan": VERSION, "strict": plan.strict, "events": events}


def read_document(value: Any) -> Plan:
    """Plain data as a plan. Raises `NotAPlan`."""
    if not isinstance(value, dict) or value.get("whytree_plan") != VERSION:
        raise NotAPlan(f"A plan begins with whytree_plan: {VERSION}.")
    _only(value, {"whytree_plan", "strict", "events"}, "A plan")
    strict = value.get("strict", True)
    if not isinstance(strict, bool):
        raise NotAPlan("strict: is true or false.")
    events = value.get("events") or {}
    if not isinstance(events, dict):
        raise NotAPlan("events: is a list of names, each with what it is.")
    if len(events) > MOST_EVENTS:
        raise NotAPlan(f"A plan has at most {MOST_EVENTS:,} events.")
    return Plan({_name(name, "an event"): _event(name, said) for name, said in events.items()}, strict)


def _event(name: Any, said: Any) -> PlannedEvent:
    where = f"“{str(name)[:60]}”"
    said = said or {}
    if not isinstance(said, dict):
        raise NotAPlan(f"{where} says {str(said)[:40]!r}. Write status, owner, description or properties below it.")
    _only(said, {"status", "owner", "description", "properties"}, where)
    status = said.get("status", "expected")
    if status not in STATUSES:
        raise NotAPlan(f"The status of {where} is {str(status)[:40]!r}. It is one of {', '.join(STATUSES)}.")
    properties = said.get("properties") or {}
    if not isinstance(properties, dict) or len(properties) > MOST_PROPERTIES:
        raise NotAPlan(f"The properties of {where} are names with what each is, at most {MOST_PROPERTIES}.")
    return PlannedEvent(
        status,
        _text(said.get("owner"), f"The owner of {where}"),
        _text(said.get("description"), f"The description of {where}"),
        {_name(key, f"a property of {where}"): _property(f"{where}, {key}", one) for key, one in properties.items()},
    )


def _property(where: str, said: Any) -> PlannedProperty:
    if said is None:
        return PlannedProperty()
    if isinstance(said, str):
        said = {"type": said}
    if not isinstance(said, dict):
        raise NotAPlan(f"{where}: write its type, or {{type: text, required: true}}.")
    _only(said, {"type", "required", "description"}, where)
    kind = said.get("type", "any")
    if kind not in (*TYPES, "any", ""):
        raise NotAPlan(f"{where}: {str(kind)[:40]!r} is no type. It is one of {', '.join(TYPES)}, any.")
    required = said.get("required", False)
    if not isinstance(required, bool):
        raise NotAPlan(f"{where}: required is true or false.")
    return PlannedProperty("" if kind == "any" else kind, required, _text(said.get("description"), where))


def _only(said: Mapping[Any, Any], allowed: set[str], where: str) -> None:
    unknown = [str(name)[:40] for name in said if name not in allowed]
    if unknown:
        raise NotAPlan(f"{where} has no “{unknown[0]}”. It has {', '.join(sorted(allowed))}.")


def _name(value: Any, what: str) -> str:
    text = value if isinstance(value, str) else str(value)  # YAML reads 404 as a number, and `on` as true
    if not text.strip() or len(text) > MOST_NAME or "\0" in text:
        raise NotAPlan(f"{text[:40]!r} cannot be the name of {what}.")
    return text


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    text = value.strip() if isinstance(value, str) else str(value)
    if len(text) > MOST_TEXT or "\0" in text:
        raise NotAPlan(f"{where} is longer than {MOST_TEXT} characters.")
    return text


@dataclass(frozen=True)
class Change:
    """One difference between two plans. `what` is added, removed or changed; without an event it is about the whole plan."""

    event: str
    what: str
    details: tuple[str, ...] = ()


def differences(first: Plan, second: Plan) -> list[Change]:
    """What must happen to the first so that it becomes the second."""
    before, after = first.events, second.events
    changes = [Change(name, "added") for name in after.keys() - before.keys()]
    changes += [Change(name, "removed") for name in before.keys() - after.keys()]
    changes += [
        Change(name, "changed", tuple(_details(before[name], after[name])))
        for name in before.keys() & after.keys()
        if before[name] != after[name]
    ]
    if before and first.strict != second.strict:
        words = "strict: what stands in no plan breaks it" if second.strict else "not strict: others may come"
        changes.append(Change("", "changed", (words,)))
    return sorted(changes, key=lambda change: change.event)


def _details(before: PlannedEvent, after: PlannedEvent) -> list[str]:
    found = [
        f"{name}: {getattr(before, name) or 'nothing'} → {getattr(after, name) or 'nothing'}"
        for name in ("status", "owner", "description")
        if getattr(before, name) != getattr(after, name)
    ]
    for name in sorted(before.properties.keys() | after.properties.keys()):
        was, now = before.properties.get(name), after.properties.get(name)
        if was is None:
            found.append(f"property {name} added")
        elif now is None:
            found.append(f"property {name} removed")
        elif was != now:
            found.append(f"property {name}: {was.as_plain()} → {now.as_plain()}")
    return found
