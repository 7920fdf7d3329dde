"""A change that nobody drew: how far a metric moved on a day, beside what it does on days on which nothing happened.

It needs no server: what is asked of a product's metrics stands in `metric_before_after`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from whytree.engines.figures import number
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.unrandomised import Step, difference_in_differences, interrupted
from whytree.engines.tables import UnreadableTable, open_table
from whytree.engines.tables.columns import read_columns
from whytree.engines.typed import day_of
from whytree.errors import Invalid
from whytree.experiments.judgement.sentences import p_text

from .gaps import LONG, spoken

#: Days before and after that are looked at: older habits and later changes tell less of this one.
MOST_BEFORE, MOST_AFTER = 182, 56

NOT_RANDOMISED = "Not randomised: whatever else happened that day is in it too."


@dataclass(frozen=True)
class BeforeAfter:
    """`value` to `high` in the metric's own unit (points for per cent). Without an answer `reason` says why."""

    name: str
    against: str
    unit: str
    at: date
    sentence: str
    reason: str
    warning: str = NOT_RANDOMISED
    value: float | None = None
    low: float | None = None
    high: float | None = None
    before: float | None = None
    p: float | None = None
    placebos: int = 0
    placebo_p: float | None = None
    inflation: float | None = None
    without: list[str] = field(default_factory=list)
    """Days in between that have no data, and are left out; `left_out` says so."""
    left_out: str = ""
    days: list[tuple[str, float]] = field(default_factory=list)
    days_against: list[tuple[str, float]] = field(default_factory=list)


def before_after_in_table(
    path: Path, *, day: str, column: str, at: date, against: str = "", format: str = ""
) -> BeforeAfter:
    """Of a table with a row a day; `against` is a column that the change did not reach."""
    numbers = [column, *([against] if against else [])]
    try:
        table = open_table(path, format=format or None)
        columns = read_columns(table, texts=[day], numbers=numbers)
    except UnreadableTable as error:
        raise Invalid(str(error)) from error
    texts = columns.texts[day]
    days = [day_of(texts.names[code].strip()[:10]) if code >= 0 else None for code in texts.codes.tolist()]
    known = [one for one in days if one is not None]
    if len(set(known)) < len(known):
        twice = next(one for one in known if known.count(one) > 1)
        raise Invalid(f"{twice} stands in several rows. A row is one day: add them up first.")

    def of(name: str) -> dict[date, float]:
        values = columns.numbers[name].values
        pairs = zip(days, values.tolist(), strict=True)
        return dict(sorted((one, value) for one, value in pairs if one is not None and np.isfinite(value)))

    mine, theirs = of(column), of(against) if against else {}
    shared = [one for one in mine if not against or one in theirs]
    return told(column, against, "", at, unbroken(shared, at), mine, theirs)


def unbroken(days: Sequence[date], at: date) -> list[date]:
    """The days around `at` without a long gap: before one the number may have been another."""
    earliest, latest = at - timedelta(days=MOST_BEFORE), at + timedelta(days=MOST_AFTER)
    before = [day for day in sorted(days, reverse=True) if earliest <= day < at]
    after = [day for day in sorted(days) if at <= day <= latest]
    return [*reversed(_near(before, at)), *_near(after, at - timedelta(days=1))]


def _near(days: Sequence[date], last: date) -> list[date]:
    """Those that follow each other, from `last` on, by less than a long gap."""
    found: list[date] = []
    for day in days:
        if abs(day - last) > timedelta(days=LONG):
            break
        found.append(day)
        last = day
    return found


def told(
    name: str,
    against: str,
    unit: str,
    at: date,
    days: list[date],
    mine: dict[date, float],
    theirs: dict[date, float],
) -> BeforeAfter:
    """`days` are those with a number around `at`, in order; those between them have none."""
    whole = [days[0] + timedelta(days=one) for one in range((days[-1] - days[0]).days + 1)] if days else []
    there = set(days)
    without = [day for day in whole if day not in there]
    left_out = f"No data on {spoken(without)}: left out, not counted as zero." if without else ""
    values = np.array([mine[day] if day in there else np.nan for day in whole])
    compared = np.array([theirs[day] if day in there else np.nan for day in whole]) if against else None
    place = sum(day < at for day in whole)
    found = interrupted(values, place) if compared is None else difference_in_differences(values, compared, place)
    drawn = [(day.isoformat(), mine[day]) for day in days]
    beside = [(day.isoformat(), theirs[day]) for day in days] if against else []
    if isinstance(found, NoAnswer):
        gap = " (days in a row with a number, around that day)" if len(days) < len(mine) else ""
        reason = f"{found.reason}{gap}"
        gone = [day.isoformat() for day in without]
        return BeforeAfter(
            name, against, unit, at, "", reason, without=gone, left_out=left_out, days=drawn, days_against=beside
        )
    return BeforeAfter(
        name,
        against,
        unit,
        at,
        _sentence(name, against, unit, at, found),
        "",
        value=found.step.value,
        low=found.step.low,
        high=found.step.high,
        before=found.before,
        p=found.p,
        placebos=found.placebos,
        placebo_p=found.placebo_p,
        inflation=found.inflation,
        without=[day.isoformat() for day in without],
        left_out=left_out,
        days=drawn,
        days_against=beside,
    )


def _sentence(name: str, against: str, unit: str, at: date, found: Step) -> str:
    low, high = number(found.step.low), number(found.step.high)
    size = f"{number(abs(found.step.value))} {unit}".strip()
    beside = f", beside {against}," if against else ""
    when = f"from {at:%-d %b %Y} on"
    common = (
        f"of {found.placebos} days before on which nothing happened, {100 * found.placebo_p:.0f} % show as large a step"
    )
    if found.step.low <= 0 <= found.step.high:
        return f"{name}{beside} shows no step {when} beyond what it does by itself ({low} to {high}); {common}."
    way = "rose" if found.step.value > 0 else "fell"
    return f"{name}{beside} {way} by {size} {when} ({low} to {high}, p = {p_text(found.p)}); {common}."
