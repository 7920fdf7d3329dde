"""A funnel as a question. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Condition, Selection
from whytree.stores.pieces.stretches import Interval
from whytree.stores.questions import funnels

from .parts import (
    checked_field,
    checked_filters,
    checked_selection,
    filter_words,
    label,
    parse_span,
    selection_json,
    span,
    span_words,
)
from .reading import by_words, checked_by, listed, one_of, optional_json, yes_or_no
from .when import ALL_THERE_IS, TIME, When

MOST_STEPS = 20
MOST_WITHOUT = 5
#: Long enough for all but what is sold over months.
USUAL_WINDOW = timedelta(days=14)
_ORDERS: tuple[funnels.Order, ...] = get_args(funnels.Order)
_STRETCHES = ("day", "week", "month")


@dataclass(frozen=True)
class Funnel:
    """How many people do one thing, then the next, and so on, within a window that begins with the first."""

    steps: tuple[Selection, ...]
    within: timedelta = USUAL_WINDOW
    by: tuple[str, ...] = ()
    when: When = ALL_THERE_IS
    order: funnels.Order = "ordered"
    #: A property that has one and the same value along the way.
    hold: str = ""
    without: tuple[funnels.Without, ...] = ()
    optional: frozenset[int] = frozenset()
    first_time: bool = False
    #: Somebody is in the group of each of their steps, in place of that of the first one.
    by_any_step: bool = False
    #: Also by the stretch in which people began.
    over: Interval | None = None
    #: Also how long it took.
    times: bool = False
    kind: ClassVar = "funnel"
    fields: ClassVar = {
        "steps",
        "within",
        "by",
        "where",
        *TIME,
        "order",
        "hold",
        "without",
        "first_time",
        "by_any_step",
        "over",
        "times",
    }

    @property
    def sentence(self) -> str:
        between = " and " if self.order == "any" else ", right after it " if self.order == "strict" else ", then "
        steps = between.join(
            f"{'perhaps ' if at in self.optional else ''}“{name}”" for at, name in enumerate(self.labels, 1)
        )
        said = (
            f"people who did {steps} {'for the first time ' if self.first_time else ''}within {span_words(self.within)}"
        )
        said += ", in any order" if self.order == "any" else ""
        said += f", with one and the same {self.hold}" if self.hold else ""
        said += f", where {self.common_words}" if self.common else ""
        for one in self.without:
            said += f", without “{label(one.selection)}” between steps {one.after} and {one.before}"
        return said + by_words(self.by) + (" at any step" if self.by_any_step else "")

    @property
    def common(self) -> tuple[Condition, ...]:
        """What is asked of every step alike: said once, not beside each."""
        first, *others = self.steps
        return tuple(one for one in first.filters if others and all(one in step.filters for step in others))

    @property
    def common_words(self) -> str:
        return " and ".join(filter_words(one) for one in self.common)

    @property
    def labels(self) -> list[str]:
        """Each step as people read it, without what holds for all of them."""
        common = self.common
        own = (tuple(one for one in step.filters if one not in common) for step in self.steps)
        return [label(replace(step, filters=filters)) for step, filters in zip(self.steps, own, strict=True)]

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (*self.steps, *(one.selection for one in self.without))

    @property
    def spoken(self) -> tuple[str, ...]:
        """Fields beside those of filters."""
        return (*self.by, *([self.hold] if self.hold else []))

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Funnel":
        where = checked_filters(raw.get("where", []))
        steps, optional = [], set()
        for at, step in enumerate(listed(raw, "steps", MOST_STEPS), 1):
            if isinstance(step, Mapping) and "optional" in step:
                if yes_or_no(step, "optional", usual=False):
                    optional.add(at)
                step = {name: value for name, value in step.items() if name != "optional"}
            steps.append(checked_selection(step, where))
        found = cls(
            steps=tuple(steps),
            within=parse_span(raw["within"]) if "within" in raw else USUAL_WINDOW,
            by=checked_by(raw.get("by", "")),
            when=When.of(raw),
            order=one_of(raw.get("order", "ordered"), "order", _ORDERS),
            hold=checked_field(raw.get("hold", "")),
            without=_without(raw.get("without", []), len(steps)),
            optional=frozenset(optional),
            first_time=yes_or_no(raw, "first_time", usual=False),
            by_any_step=yes_or_no(raw, "by_any_step", usual=False),
            over=one_of(raw["over"], "over", _STRETCHES) if raw.get("over") else None,
            times=yes_or_no(raw, "times", usual=False),
        )
        found.refuse_contradictions()
        return found

    def refuse_contradictions(self) -> None:
        if self.by_any_step and not self.by:
            raise Invalid("“by_any_step” says where groups are told: name a “by”, or leave it out.")
        if self.optional & {1, len(self.steps)}:
            raise Invalid("The first and the last step cannot be optional. Leave such a step out instead.")
        if self.order == "any" and (self.optional or self.without or self.first_time):
            raise Invalid("In any order there is no step before another: leave out optional, without and first_time.")
        if self.order == "strict" and (self.optional or self.without):
            raise Invalid("Where nothing may lie between steps, leave out optional and without.")
        events = [event for step in self.steps for event in step.events]
        if self.order == "any" and len(set(events)) < len(events):
            raise Invalid("In any order each step needs events of its own: one event cannot be two steps.")

    @property
    def json(self) -> dict[str, Any]:
        steps = [
            selection_json(step) | ({"optional": True} if at in self.optional else {})
            for at, step in enumerate(self.steps, 1)
        ]
        said: dict[str, Any] = {"steps": steps, "within": span(self.within)} | optional_json(self.by, self.when)
        if self.order != "ordered":
            said["order"] = self.order
        if self.hold:
            said["hold"] = self.hold
        if self.without:
            said["without"] = [
                selection_json(one.selection) | {"after": one.after, "before": one.before} for one in self.without
            ]
        flags = {"first_time": self.first_time, "by_any_step": self.by_any_step, "times": self.times}
        return said | {name: True for name, on in flags.items() if on} | ({"over": self.over} if self.over else {})


def _without(raw: object, steps: int) -> tuple[funnels.Without, ...]:
    shape = 'Write “without” as [{"event": "cancelled", "after": 1, "before": 3}], or as the name of an event.'
    if isinstance(raw, str | Mapping):
        raw = [raw]
    if not isinstance(raw, list) or len(raw) > MOST_WITHOUT:
        raise Invalid(shape)
    found = []
    for one in raw:
        said = {"event": one} if isinstance(one, str) else one
        if not isinstance(said, Mapping):
            raise Invalid(shape)
        after, before = _step(said.get("after", 1)), _step(said.get("before", steps))
        if not 1 <= after < before <= steps:
            raise Invalid(f"“without” lies after one step and before a later one, of 1 to {steps}.")
        rest = {name: value for name, value in said.items() if name not in ("after", "before")}
        found.append(funnels.Without(checked_selection(rest), after, before))
    return tuple(found)


def _step(value: object) -> int:
    """0, which is no step, for what is no number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
