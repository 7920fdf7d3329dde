"""Over all decided reviews: win rate, pace, time to a decision, the spread of effects, and the total with luck taken out."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines.forecasts.scoring import Observed
from whytree.engines.stats import Estimate
from whytree.engines.stats.groups import proportion
from whytree.engines.stats.shrinkage import Measured, james_stein
from whytree.learning.models import Decision, OutcomeReview
from whytree.learning.queries import decided_reviews, last_result
from whytree.learning.reviews.results import Figure
from whytree.workspace.models import Product

#: Months that the pace is shown for.
MONTHS = 6


@dataclass(frozen=True)
class Rate:
    """How many of how many, with Wilson's 95 % interval."""

    count: int
    of: int
    low: float
    high: float


@dataclass(frozen=True)
class Month:
    month: date
    decided: int


@dataclass(frozen=True)
class Effect:
    """What one change did, and what is left of it once most of the luck is taken out; `shrunk` is None below `LEAST_EFFECTS` effects."""

    ref: str
    title: str
    value: float
    low: float
    high: float
    kept: bool
    shrunk: float | None


@dataclass(frozen=True)
class OnMetric:
    """Every measured effect on one metric in one unit. `total` sums what was kept as measured, `total_shrunk` shrunk."""

    metric_key: str
    unit: str
    effects: Sequence[Effect]
    smallest: float
    middle: float
    largest: float
    kept: int
    total: float
    total_shrunk: float | None
    factor: float | None


@dataclass(frozen=True)
class Programme:
    """`wins`: of the changes that were measured, those that moved their metric beyond doubt the way that was wanted."""

    decided: int
    measured: int
    kept: int
    wins: Rate | None
    harms: int
    days_to_decision: float | None
    fastest: int | None
    slowest: int | None
    months: Sequence[Month]
    metrics: Sequence[OnMetric]


def programme(product: Product) -> Programme:
    """Everything that was decided here; what was decided without a measurement counts for the pace only."""
    decided = list(decided_reviews(product))
    measured = [(one, figure, wanted) for one in decided if (found := _measured(one)) for figure, wanted in [found]]
    wins = sum(min(figure.low * wanted, figure.high * wanted) > 0 for _, figure, wanted in measured)
    days = sorted((one.decided_at - one.opened_at).days for one in decided if one.decided_at and one.opened_at)
    return Programme(
        decided=len(decided),
        measured=len(measured),
        kept=sum(one.decision == Decision.KEEP for one in decided),
        wins=_rate(wins, len(measured)),
        harms=sum(max(figure.low * wanted, figure.high * wanted) < 0 for _, figure, wanted in measured),
        days_to_decision=median(days) if days else None,
        fastest=days[0] if days else None,
        slowest=days[-1] if days else None,
        months=_months(product, decided),
        metrics=_by_metric([(one, figure) for one, figure, _ in measured]),
    )


def _measured(review: OutcomeReview) -> tuple[Figure, int] | None:
    """The effect in the unit of its forecast, and the way that was wanted."""
    result = last_result(review)
    if result is None or result.forecast.measured is None or not result.is_trusted:
        return None
    return result.forecast.measured, 1 if result.forecast.likely >= 0 else -1


def _rate(count: int, of: int) -> Rate | None:
    found = proportion(count, of)
    return Rate(count, of, found.low, found.high) if isinstance(found, Estimate) else None


def _months(product: Product, decided: Sequence[OutcomeReview]) -> list[Month]:
    zone = ZoneInfo(product.timezone)
    counted = Counter(one.decided_at.astimezone(zone).date().replace(day=1) for one in decided if one.decided_at)
    month = timezone.now().astimezone(zone).date().replace(day=1)
    months = []
    for _ in range(MONTHS):
        months.append(Month(month, counted[month]))
        month = month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1)
    return months[::-1]


def _by_metric(measured: Sequence[tuple[OutcomeReview, Figure]]) -> list[OnMetric]:
    groups: dict[tuple[str, str], list[tuple[OutcomeReview, Figure]]] = defaultdict(list)
    for review, figure in measured:
        groups[review.hypothesis.metric_key, review.hypothesis.forecast_unit].append((review, figure))
    found = [_on_metric(key, unit, ones) for (key, unit), ones in groups.items()]
    return sorted(found, key=lambda one: (-len(one.effects), one.metric_key))


def _on_metric(key: str, unit: str, ones: Sequence[tuple[OutcomeReview, Figure]]) -> OnMetric:
    errors = [Observed(figure.value, figure.low, figure.high).error for _, figure in ones]
    shrunk = james_stein([Measured(figure.value, error) for (_, figure), error in zip(ones, errors, strict=True)])
    effects = [
        Effect(
            ref=review.ref,
            title=review.hypothesis.solution.title,
            value=figure.value,
            low=figure.low,
            high=figure.high,
            kept=review.decision == Decision.KEEP,
            shrunk=shrunk.values[place] if shrunk else None,
        )
        for place, (review, figure) in enumerate(ones)
    ]
    values = [one.value for one in effects]
    kept = [one for one in effects if one.kept]
    return OnMetric(
        metric_key=key,
        unit=unit,
        effects=effects,
        smallest=min(values),
        middle=median(values),
        largest=max(values),
        kept=len(kept),
        total=sum(one.value for one in kept),
        total_shrunk=sum(one.shrunk or 0.0 for one in kept) if shrunk else None,
        factor=shrunk.factor if shrunk else None,
    )


def sentence(found: Programme) -> str:
    """The answer, before any table."""
    if found.wins is None:
        return "Nothing was measured and decided yet."
    share = f"{100 * found.wins.low:.0f} to {100 * found.wins.high:.0f} %"
    changes = "change" if found.wins.of == 1 else "changes"
    return f"{found.wins.count} of {found.wins.of} measured {changes} moved the metric the way that was wanted (95 %: {share})."
