"""Past effects on a metric, past learnings like a change, and whether a forecast is outside everything ever seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from whytree.engines.forecasts.base_rates import NextEffect, Past, next_effect
from whytree.engines.forecasts.scoring import Observed
from whytree.engines.texts.topics import Text, nearest
from whytree.learning.models import Decision, OutcomeReview
from whytree.learning.queries import decided_reviews, last_result, measured_reviews
from whytree.learning.reviews.sentences import amount, signed
from whytree.workspace.models import Product

#: A forecast beyond one or two effects is beyond nothing much.
LEAST_SEEN = 3
MOST_SIMILAR = 3
MOST_SHOWN = 8


@dataclass(frozen=True)
class Asked:
    """What is being written, as far as it is. `hypothesis_id`: of the one it is, where it is stored already."""

    metric_key: str = ""
    unit: str = "pp"
    words: str = ""
    low: float | None = None
    likely: float | None = None
    high: float | None = None
    hypothesis_id: int | None = None


@dataclass(frozen=True)
class Effect:
    """What one change did to the metric, with its 95 % interval."""

    ref: str
    title: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Similar:
    """What was learned from a change that was spoken of in like words."""

    ref: str
    title: str
    decision: str
    learning: str
    alike: float


@dataclass(frozen=True)
class Known:
    """`effects`: the newest first. `rose`, `fell`: those whose interval lies on one side of zero. `next`: the range for one more.
    `outside`: what is odd about the forecast; empty where nothing is. `right_way` of `judged`: over all metrics."""

    metric_key: str
    unit: str
    effects: Sequence[Effect]
    rose: int
    fell: int
    next: NextEffect | None
    outside: str
    similar: Sequence[Similar]
    judged: int
    right_way: int


def known_before(product: Product, asked: Asked) -> Known:
    """Everything that was measured here and bears on what is being written."""
    measured = [one for one in measured_reviews(product) if one.hypothesis_id != asked.hypothesis_id]
    effects = [effect for one in reversed(measured) if (effect := _effect(one, asked.metric_key, asked.unit))]
    ways = [way for one in measured if (way := _went_right(one)) is not None]
    return Known(
        metric_key=asked.metric_key,
        unit=asked.unit,
        effects=effects,
        rose=sum(one.low > 0 for one in effects),
        fell=sum(one.high < 0 for one in effects),
        next=next_effect([Past(one.value, Observed(one.value, one.low, one.high).error) for one in effects]),
        outside=_outside(asked, effects),
        similar=_similar(product, asked),
        judged=len(ways),
        right_way=sum(ways),
    )


def _effect(review: OutcomeReview, metric_key: str, unit: str) -> Effect | None:
    result = last_result(review)
    if result is None or result.forecast.measured is None or not result.is_trusted:
        return None
    if review.hypothesis.metric_key != metric_key or result.forecast.unit != unit:
        return None
    figure = result.forecast.measured
    return Effect(review.ref, review.hypothesis.solution.title, figure.value, figure.low, figure.high, figure.n)


def _went_right(review: OutcomeReview) -> bool | None:
    """Whether it moved its metric, beyond doubt, the way that was said; None where nothing was measured in that unit."""
    result = last_result(review)
    if result is None or result.forecast.measured is None or not result.is_trusted:
        return None
    figure, wanted = result.forecast.measured, 1 if result.forecast.likely >= 0 else -1
    return min(figure.low * wanted, figure.high * wanted) > 0


def _outside(asked: Asked, effects: Sequence[Effect]) -> str:
    """Whether the most likely value lies beyond what any past measurement is compatible with."""
    if asked.likely is None or len(effects) < LEAST_SEEN:
        return ""
    lowest, highest = min(one.low for one in effects), max(one.high for one in effects)
    if lowest <= asked.likely <= highest:
        return ""
    seen = f"between {signed(lowest)} and {amount(highest, asked.unit, sign=True)}, counting every interval"
    return (
        f"{amount(asked.likely, asked.unit, sign=True)} is outside everything ever measured on {asked.metric_key}: "
        f"{len(effects)} changes, {seen}. What makes this one different?"
    )


def _similar(product: Product, asked: Asked) -> list[Similar]:
    if not asked.words.strip():
        return []
    decided = [one for one in decided_reviews(product) if one.hypothesis_id != asked.hypothesis_id]
    texts = [
        Text(
            one.ref, f"{one.hypothesis.solution.title} {one.hypothesis.change}", f"{one.hypothesis.who} {one.learning}"
        )
        for one in decided
    ]
    return [
        Similar(
            ref=decided[place].ref,
            title=decided[place].hypothesis.solution.title,
            decision=Decision(decided[place].decision).label,
            learning=decided[place].learning,
            alike=round(alike, 2),
        )
        for place, alike in nearest(Text("", asked.words), texts, most=MOST_SIMILAR)
    ]


def sentences(known: Known) -> list[str]:
    """What is known, a sentence each; what is odd about the forecast first."""
    said = [known.outside] if known.outside else []
    if known.effects:
        said.append(_spread(known))
    elif known.judged:
        said.append(
            f"Nothing was measured on {known.metric_key or 'this metric'} in this unit yet. Of {known.judged} measured "
            f"{'change' if known.judged == 1 else 'changes'} here, {known.right_way} moved the metric the way that was said."
        )
    if known.next is not None:
        said.append(
            f"Of ten such changes, eight would lie between {signed(known.next.low)} and "
            f"{amount(known.next.high, known.unit, sign=True)}; the mean is {signed(known.next.mean)}."
        )
    return said


def _spread(known: Known) -> str:
    values = [one.value for one in known.effects]
    if len(values) == 1:
        return f"{known.metric_key} was measured once after a change: {amount(values[0], known.unit, sign=True)}."
    unclear = len(values) - known.rose - known.fell
    return (
        f"{known.metric_key} was measured after {len(values)} changes: from {signed(min(values))} to "
        f"{amount(max(values), known.unit, sign=True)}, the middle {signed(median(values))}. "
        f"{known.rose} rose, {known.fell} fell, {unclear} cannot be told from no change."
    )
