"""The plan held against what is sent."""

from dataclasses import dataclass, field
from datetime import timedelta
from zlib import crc32

from django.utils import timezone

from whytree.stores.usage.catalogue import CataloguedEvent, CataloguedProperty
from whytree.workspace.models import Product

from ..queries import Catalogue, catalogue, properties_of, samples_of
from .document import BY_ITSELF, Plan, PlannedEvent, PlannedProperty
from .services import plan_of

LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Violation:
    """Something that is sent otherwise than planned, or not at all. `kind` names the rule."""

    event: str
    kind: str
    says: str


@dataclass(frozen=True)
class PlanCheck:
    """A plan, what breaks it, and what was sent."""

    plan: Plan
    violations: list[Violation] = field(default_factory=list)

    @property
    def broken(self) -> list[Violation]:
        """What is wrong with planned events."""
        return [one for one in self.violations if one.kind != "unplanned"]

    @property
    def unplanned(self) -> list[str]:
        """Events that stand in no plan."""
        return [one.event for one in self.violations if one.kind == "unplanned"]

    @property
    def sentence(self) -> str:
        if not self.plan.events:
            return "Nobody said yet which events should come."
        broken, more = len({one.event for one in self.broken}), len(self.unplanned)
        planned = (
            f"{broken:,} planned event{'s come' if broken > 1 else ' comes'} otherwise than planned"
            if broken
            else f"All {len(self.plan.events):,} planned events come as planned"
            if len(self.plan.events) > 1
            else "The one planned event comes as planned"
        )
        return planned + (f"; {more:,} more {'stand' if more > 1 else 'stands'} in no plan." if more else ".")


@dataclass(frozen=True)
class DescribedProperty:
    """A property of an event: what is sent, some of its values, and what was planned. One of the two may be missing."""

    name: str
    seen: CataloguedProperty | None
    planned: PlannedProperty | None
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class DescribedEvent:
    """An event with all that is known of it, properties most frequent first, then those that are planned and never came."""

    name: str
    planned: PlannedEvent | None
    properties: tuple[DescribedProperty, ...]

    @property
    def key(self) -> str:
        """Tells its fields from another event's on one page."""
        return f"event-{crc32(self.name.encode('utf-8', 'surrogatepass')):x}"


def describe_event(product: Product, event: str) -> DescribedEvent:
    """What is sent of one event, and what was said of it."""
    planned = plan_of(product).events.get(event)
    wanted = dict(planned.properties) if planned else {}
    seen, samples = properties_of(product, event), samples_of(product, event)
    found = [
        DescribedProperty(each.name, each, wanted.pop(each.name, None), samples.get(each.name, ())) for each in seen
    ]
    found += [DescribedProperty(name, None, one) for name, one in wanted.items()]
    return DescribedEvent(event, planned, tuple(found))


def check_plan(product: Product, found: Catalogue | None = None) -> PlanCheck:
    """Hold the plan against the catalogue."""
    plan = plan_of(product)
    if not plan.events:
        return PlanCheck(plan)
    found = found or catalogue(product)
    seen = {event.name: event for event in found.events}
    violations = [
        one
        for name, planned in plan.events.items()
        for one in _of_planned(name, planned, seen, found, strict=plan.strict)
    ]
    violations += [
        Violation(name, "unplanned", "It is sent and stands in no plan.")
        for name in seen
        if plan.strict and name not in plan.events and not name.startswith(BY_ITSELF)
    ]
    return PlanCheck(plan, sorted(violations, key=lambda one: (one.event, one.kind, one.says)))


def _of_planned(
    name: str, planned: PlannedEvent, seen: dict[str, CataloguedEvent], found: Catalogue, *, strict: bool
) -> list[Violation]:
    event = seen.get(name)
    if planned.status != "expected":
        if event is None or event.last_seen < timezone.now() - LATELY:
            return []
        says = f"It is {planned.status} and still came in the last {LATELY.days} days."
        return [Violation(name, planned.status, says)]
    if event is None:
        return [Violation(name, "not sent", "It is expected and nobody has sent it yet.")]
    if not planned.properties:
        return []
    return _of_properties(event, planned, {one.name: one for one in found.properties.get(name, [])}, strict=strict)


def _of_properties(
    event: CataloguedEvent, planned: PlannedEvent, seen: dict[str, CataloguedProperty], *, strict: bool
) -> list[Violation]:
    violations = []
    for name, wanted in planned.properties.items():
        says = _wrong_with(event, name, wanted, seen.get(name))
        if says:
            violations.append(Violation(event.name, "property", says))
    violations += [
        Violation(event.name, "property", f"{name} is sent and not planned.")
        for name in seen
        if strict and name not in planned.properties and not name.startswith(BY_ITSELF) and not name.startswith("utm_")
    ]
    return violations


def _wrong_with(event: CataloguedEvent, name: str, wanted: PlannedProperty, seen: CataloguedProperty | None) -> str:
    if seen is None:
        return f"{name} is required and never sent." if wanted.required else ""
    others = [kind for kind in seen.types if kind != wanted.type]
    if wanted.type and others:
        return f"{name} should be {wanted.type} and is also sent as {', '.join(others)}."
    if wanted.required and seen.volume < event.volume:
        return f"{name} is required and missing in {event.volume - seen.volume:,} of {event.volume:,}."
    return ""
