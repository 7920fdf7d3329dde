"""From a definition to its value and interval, of a whole period and of each stretch of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from whytree.engines import stats
from whytree.engines.stats import LEVEL, Estimate, NoAnswer
from whytree.engines.stats.answers import z
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.quantiles import FEWEST_BEYOND
from whytree.engines.stats.tails import Tail
from whytree.stores.pieces.companies import Unit
from whytree.stores.pieces.filters import Selection
from whytree.stores.pieces.stretches import Interval, key_of
from whytree.stores.questions import amounts
from whytree.stores.questions import metrics as store
from whytree.stores.questions.amounts import WHOLE, Part, Period, Placed, Sums
from whytree.stores.questions.metrics import Converted, Counted
from whytree.workspace.models import Product

from ..definitions import (
    SECONDS_IN,
    Conversion,
    Count,
    Definition,
    Mean,
    Quantile,
    Ratio,
    Retention,
    Sum,
    TimeTo,
    Unique,
)
from .resolving import companies_of, ready

NOT_HAPPENED = "It has not happened in this period."
TOO_FEW_BEYOND = (
    f"no interval: fewer than {FEWEST_BEYOND} people lie beyond it, and below that its ends would be guesses"
)
#: Where each interval comes from.
METHODS = {
    "Wilson": "Wilson 1927, score interval of a share",
    "Garwood": "Garwood 1936, exact Poisson interval",
    "Fay-Feuer": "Fay and Feuer 1997: a person with ten counts as one person with ten, not as ten",
    "Student": "Student's t over people",
    "delta": "delta method over people (Deng, Knoblich and Lu 2018), with Student's t",
    "Woodruff": "Woodruff 1952: order statistics, several values of one person taken together",
}


@dataclass(frozen=True)
class Found:
    """A value with its interval, or the reason why one of them is missing.

    `n` counts people: those who entered and whose window has closed, or those who did it. `numerator` are those who
    converted, or occurrences. `open` are people still under way, who are in neither.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    numerator: int = 0
    open: int = 0
    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Measured:
    """The whole period, the stretches in which something happened, and what one without anything comes to."""

    whole: Found
    days: Mapping[date, Found]
    nothing: Found


def measured(
    product: Product, definition: Definition, start: datetime, end: datetime, now: datetime, each: Interval = "day"
) -> Measured:
    """Stretches are those of the calendar of `start`'s zone."""
    if isinstance(definition, Conversion | Retention):
        return _shares(product, definition, start, end, now, each)
    if isinstance(definition, Count | Unique):
        return _sizes(product, definition, start, end, each)
    whole, days = Period(start, end), Period(start, end, str(start.tzinfo), each)
    if isinstance(definition, Quantile | TimeTo):
        none = _nowhere(definition, 0)
        in_whole = _placed(product, definition, whole, now).get(WHOLE, none)
        return Measured(in_whole, _placed(product, definition, days, now), none)
    by_start = {key_of(at): _of_sums(definition, one) for at, one in sums_of(product, definition, days).items()}
    in_all = sums_of(product, definition, whole).get(WHOLE)
    nothing = Found(0.0) if isinstance(definition, Sum) else Found(reason=NOT_HAPPENED)
    return Measured(_of_sums(definition, in_all) if in_all else Found(reason=NOT_HAPPENED), by_start, nothing)


def unit_of(product: Product, definition: Definition) -> Unit:
    """Companies where they are counted; None for people."""
    return companies_of(product) if definition.by_company else None


def _one(product: Product, selection: Selection) -> Selection:
    return ready(product, [selection])[0]


# --- shares of people who are followed ------------------------------------------------------------------------------


def _shares(
    product: Product, definition: Conversion | Retention, start: datetime, end: datetime, now: datetime, each: Interval
) -> Measured:
    zone = str(start.tzinfo)
    entry, goal = ready(product, definition.selections)
    unit, whom = unit_of(product, definition), definition.whom
    if isinstance(definition, Retention):
        days = store.retention_over(
            product.pk,
            entry,
            goal,
            definition.lead,
            definition.window,
            start,
            end,
            as_of=now,
            zone=zone,
            each=each,
            unit=unit,
        )
    else:
        days = store.conversion_over(
            product.pk, entry, goal, definition.window, start, end, as_of=now, zone=zone, each=each, unit=unit
        )
    total = Converted(*(sum(getattr(day, part) for day in days.values()) for part in ("entered", "converted", "open")))
    by_start = {key_of(at): _share(one, whom) for at, one in days.items()}
    return Measured(_share(total, whom), by_start, _share(Converted(0, 0, 0), whom))


def _share(counted: Converted, whom: str) -> Found:
    """In percent, since that is what people say."""
    found = Found(n=counted.entered, numerator=counted.converted, open=counted.open)
    share = stats.proportion(counted.converted, counted.entered)
    if isinstance(share, NoAnswer):
        return replace(found, reason=_under_way(counted.open, whom))
    return replace(found, value=share.value * 100, low=share.low * 100, high=share.high * 100, method=share.method)


def _under_way(still_open: int, whom: str) -> str:
    if not still_open:
        return "Nobody has started in this period."
    people = f"1 {'person' if whom == 'people' else 'company'}" if still_open == 1 else f"{still_open:,} {whom}"
    return f"{people} started; nobody has had the whole time yet."


# --- how often, how many --------------------------------------------------------------------------------------------


def _sizes(product: Product, definition: Count | Unique, start: datetime, end: datetime, each: Interval) -> Measured:
    did, unit = _one(product, definition.did), unit_of(product, definition)
    days = store.count_over(product.pk, did, start, end, zone=str(start.tzinfo), each=each, unit=unit)
    whole = store.count(product.pk, did, start, end, unit=unit)
    none = stats.count(0)  # a stretch without any is an answer too: none
    found = _size(definition, whole) if whole.people else Found(reason=NOT_HAPPENED)
    return Measured(found, {key_of(at): _size(definition, one) for at, one in days.items()}, _found(none, n=0))


def _size(definition: Count | Unique, counted: Counted) -> Found:
    answer = stats.count(counted.people)
    if isinstance(definition, Count):
        answer = stats.clustered_count(counted.events, counted.squares, counted.largest, counted.people)
    return _found(answer, n=counted.people, numerator=counted.events)


# --- sums, means, ratios --------------------------------------------------------------------------------------------


def sums_of(product: Product, definition: Sum | Mean | Ratio, period: Period) -> dict[date, Sums]:
    """What stands above the line and what below, by day or under `WHOLE`."""
    top, bottom = (part_of(product, part) for part in (definition.top, definition.bottom))
    return amounts.sums(product.pk, top, bottom, period, unit=unit_of(product, definition))


def part_of(product: Product, part: Part) -> Part:
    """As the store is asked for it."""
    return Part(_one(product, part.selection), part.measure, part.field)


def _of_sums(definition: Sum | Mean | Ratio, sums: Sums) -> Found:
    n = sums.people if isinstance(definition, Ratio) else sums.bearers
    if isinstance(definition, Sum):
        return _total(sums, n, definition.field)
    if sums.bottom == 0:
        words = "Nothing to divide by" if isinstance(definition, Ratio) else f"No number came as “{definition.field}”"
        return Found(n=n, reason=f"{words} in this period.")
    value = sums.top / sums.bottom
    moments = Moments(
        sums.people,
        np.array([sums.top_mean, sums.bottom_mean]),
        np.array([[sums.top_m2, sums.together], [sums.together, sums.bottom_m2]]),
    )
    answer = ruled_by_one(sums) or stats.ratio_of_sums(moments)
    if isinstance(answer, NoAnswer):
        return Found(value, n=n, numerator=round(sums.bottom), reason=f"no interval: {_lower(answer.reason)}")
    return Found(value, answer.low, answer.high, n, round(sums.bottom), method=answer.method)


def ruled_by_one(sums: Sums) -> NoAnswer | None:
    """Where one person makes the mean, an interval would only tell of that person."""
    farthest = max(sums.largest - sums.top_mean, sums.top_mean - sums.smallest)
    share = farthest**2 / sums.top_m2 if sums.top_m2 > 0 else 0.0
    if sums.people > 2 and Tail(share, 0, sums.largest, None, None).ruled:
        return NoAnswer(f"One person makes {100 * share:.0f} % of the spread, so the value is theirs.")
    return None


def _total(sums: Sums, n: int, field: str) -> Found:
    if not n:
        return Found(reason=f"No number came as “{field}” in this period.")
    if sums.smallest < 0:
        return Found(sums.top, n=n, numerator=round(sums.bottom), reason="no interval: some people's sums are negative")
    if sums.top == 0:
        return Found(0.0, n=n, numerator=round(sums.bottom), reason="no interval: every number was 0")
    answer = stats.clustered_count(sums.top, sums.squares, sums.largest, n)
    return _found(answer, n=n, numerator=round(sums.bottom))


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


# --- quantiles of numbers and of times ------------------------------------------------------------------------------


def _placed(product: Product, definition: Quantile | TimeTo, period: Period, now: datetime) -> dict[date, Found]:
    share, reach, unit = definition.percentile / 100, z(LEVEL), unit_of(product, definition)
    if isinstance(definition, Quantile):
        did = _one(product, definition.did)
        placed = amounts.quantile(product.pk, did, definition.field, share, reach, period, unit=unit)
    else:
        entry, goal = ready(product, definition.selections)
        placed = amounts.time_to(product.pk, entry, goal, definition.window, share, reach, period, as_of=now, unit=unit)
    return {key_of(at): _quantile(definition, one) for at, one in placed.items()}


def _quantile(definition: Quantile | TimeTo, placed: Placed) -> Found:
    """Woodruff's interval (JASA 47, 1952, p. 635-646): the values at both ends of the interval of the share below it."""
    if not placed.people:
        return _nowhere(definition, placed.open)
    scale = 1.0 if isinstance(definition, Quantile) else 1 / SECONDS_IN[definition.unit]
    found = Found(placed.value * scale, n=placed.people, numerator=placed.rows, open=placed.open)
    share = definition.percentile / 100
    if round(min(share, 1 - share) * placed.people, 6) < FEWEST_BEYOND:
        return replace(found, reason=TOO_FEW_BEYOND)
    if placed.high <= placed.low:
        return replace(found, reason="no interval: too many values are exactly the same")
    return replace(found, low=placed.low * scale, high=placed.high * scale, method="Woodruff")


def _nowhere(definition: Quantile | TimeTo, still_open: int) -> Found:
    if isinstance(definition, Quantile):
        return Found(reason=f"No number came as “{definition.field}” in this period.")
    reason = "Nobody got there in this period, or nobody's time is over yet."
    return Found(open=still_open, reason=reason)


def _found(answer: Estimate, *, n: int, numerator: int = 0) -> Found:
    return Found(answer.value, answer.low, answer.high, n, numerator, method=answer.method)
