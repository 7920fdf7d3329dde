"""What goes with coming further: each property and each event in between, with and without it, corrected for how many."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from whytree.engines.figures import number
from whytree.engines.stats.answers import NoAnswer
from whytree.engines.stats.effects import Effect, compare_proportions
from whytree.engines.stats.multiple import benjamini_hochberg
from whytree.errors import Invalid
from whytree.stores.questions import funnel_drivers as store
from whytree.stores.questions.funnel_drivers import Between, Counted, Whole
from whytree.workspace.models import Product

from ..queries import people
from ..questions import Funnel, Question
from .durations import seconds_words
from .funnel import asked_of, step_names
from .ground import Share, refuse_unseen, share_of

#: With fewer on either side nothing is compared.
FEWEST = 20
#: A property with more values than this names somebody or something; it tells no groups apart.
MOST_VALUES_EACH = 40
SHOWN = 40


@dataclass(frozen=True)
class Driver:
    """A property's value at the first step, or an event after it: how many of those with it came further, and of those without.

    `difference` is in percentage points; its interval is as wide as the number of comparisons demands. It `holds` where
    chance alone would, over all that were looked at, be rare (Benjamini and Hochberg at 5 %).
    """

    kind: str
    name: str
    value: str
    people: int
    with_it: Share
    without_it: Share
    difference: float
    low: float
    high: float
    p: float
    holds: bool

    @property
    def title(self) -> str:
        return f"{self.name} = {self.value}" if self.kind == "property" else f"did “{self.name}”"

    @property
    def helps(self) -> bool:
        return self.difference > 0


@dataclass(frozen=True)
class Drivers:
    """Those that hold first, the largest difference first. `looked_at` were compared in all.

    What people did counts in the first `landmark` seconds only, in which a quarter of those who came further had come there;
    these are left out of it. Else whoever was slow would seem to have come further by doing more, or less.
    """

    sentence: str
    from_step: int
    to_step: int
    from_event: str
    to_event: str
    people: int
    came: int
    #: For how long what people did was looked at.
    landmark: float
    looked_at: int
    drivers: tuple[Driver, ...]

    @property
    def landmark_text(self) -> str:
        return seconds_words(self.landmark)


def drivers_of(product: Product, question: Question, first: int | None = None, last: int | None = None) -> Drivers:
    """From one step to a later one; from the first to the last where none are named."""
    if not isinstance(question, Funnel) or question.order == "any":
        raise Invalid("What goes with coming further is asked of a funnel whose steps have an order.")
    begin, end = first or 1, last or len(question.steps)
    if not 1 <= begin < end <= len(question.steps) or {begin, end} & question.optional:
        raise Invalid(f"Name two of the {len(question.steps)} steps, one after the other, neither of them optional.")
    refuse_unseen(product, question)
    steps, span = asked_of(product, question)
    between = Between(begin, end, FEWEST)
    base = store.whole(product.pk, steps, span, between)
    candidates = [(base, "property", one) for one in _grouping(store.properties(product.pk, steps, span, between))]
    if base.came >= FEWEST and base.quarter > 0:
        later = store.whole_after(product.pk, steps, span, between, base.quarter)
        done = store.events(product.pk, steps, span, between, base.quarter)
        candidates += [(later, "event", one) for one in done]
    compared = [
        (whole, kind, one, effect) for whole, kind, one in candidates if (effect := _compared(whole, one)) is not None
    ]
    names = step_names(question)
    found = _corrected(compared)
    return Drivers(
        sentence=_sentence(base, found, names[begin - 1], names[end - 1], len(compared)),
        from_step=begin,
        to_step=end,
        from_event=names[begin - 1],
        to_event=names[end - 1],
        people=base.people,
        came=base.came,
        landmark=base.quarter / 1000,
        looked_at=len(compared),
        drivers=tuple(found[:SHOWN]),
    )


def _grouping(counted: Sequence[Counted]) -> list[Counted]:
    """Values of properties that tell groups apart: not those of which nearly everybody has one of their own."""
    values = Counter(one.name for one in counted)
    return [one for one in counted if values[one.name] <= MOST_VALUES_EACH]


def _compared(base: Whole, one: Counted) -> Effect | None:
    others = base.people - one.people
    if one.people < FEWEST or others < FEWEST:
        return None
    effect = compare_proportions(base.came - one.came, others, one.came, one.people)
    return None if isinstance(effect, NoAnswer) else effect


def _corrected(compared: Sequence[tuple[Whole, str, Counted, Effect]]) -> list[Driver]:
    if not compared:
        return []
    judged = benjamini_hochberg([effect.p for *_, effect in compared])
    found = []
    for (base, kind, one, _), verdict in zip(compared, judged, strict=True):
        others = base.people - one.people
        wide = compare_proportions(base.came - one.came, others, one.came, one.people, level=verdict.level)
        with_it, without_it = share_of(one.came, one.people), share_of(base.came - one.came, others)
        if isinstance(wide, NoAnswer) or with_it is None or without_it is None:
            continue
        difference = wide.difference
        found.append(
            Driver(
                kind=kind,
                name=one.name,
                value=one.value,
                people=one.people,
                with_it=with_it,
                without_it=without_it,
                difference=100 * difference.value,
                low=100 * difference.low,
                high=100 * difference.high,
                p=verdict.p,
                holds=verdict.claimed,
            )
        )
    return sorted(found, key=lambda one: (not one.holds, -abs(one.difference)))


def _sentence(base: Whole, found: Sequence[Driver], here: str, there: str, looked_at: int) -> str:
    if not base.people:
        return f"Nobody came to “{here}” in this time."
    if not looked_at:
        return f"{people(base.people)} came to “{here}”: nothing told two groups of {FEWEST} or more apart."
    holding = [one for one in found if one.holds]
    if not holding:
        return f"Of {looked_at} properties and events, none goes with coming to “{there}” beyond chance."
    one = holding[0]
    way = "more" if one.helps else "less"
    size = f"{number(abs(one.difference))} pp"
    those = f"Those with {one.title}" if one.kind == "property" else f"Those who {one.title}"
    return f"{those} came to “{there}” {way} often, by {size}; that does not say why."
