"""Days without data, told from days on which nothing happened. Pure.

A zero is a number where the product was there and nobody did it, and none where capture was down or the event was not sent
yet. What tells them apart is what the same weekday usually has: a day that always has a hundred people does not have none by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from statistics import median

#: From so many usual people on a day without any is no chance: of a Poisson number of that mean, one day in a million.
SURELY_SOMEBODY = 14
#: Capture that was down for most of a day leaves less than this of the usual; told where the usual is `TELLS_OF_HARDLY`.
HARDLY, TELLS_OF_HARDLY = 0.1, 100
#: Weeks on either side whose weekday is the usual.
WEEKS = 4
#: So long without data, and what was before may have been another number: it is not looked at.
LONG = 7


def without_data(people: Mapping[date, int], days: Sequence[date], *, hardly: bool = False) -> set[date]:
    """Of `days`, those that should have had people and had none; `hardly`: or next to none, of all that the product sends."""
    if not days:
        return set()
    usual = {day: _usual(people, day, days[0], days[-1]) for day in days}
    found = {day for day, most in usual.items() if not people.get(day, 0) and most >= SURELY_SOMEBODY}
    if hardly:
        found |= {day for day, most in usual.items() if most >= TELLS_OF_HARDLY and people.get(day, 0) < HARDLY * most}
    return found


def _usual(people: Mapping[date, int], day: date, first: date, last: date) -> float:
    near = [day + timedelta(weeks=week) for week in range(-WEEKS, WEEKS + 1) if week]
    return median([people.get(one, 0) for one in near if first <= one <= last] or [0])


def silent_from(people: Mapping[date, int], days: Sequence[date]) -> date | None:
    """The day from which on nobody is there any more, to the end, where somebody surely would be; None where they are."""
    start = len(days)
    while start and not people.get(days[start - 1], 0):
        start -= 1
    if len(days) - start < LONG or start == 0:
        return None
    before = [people.get(day, 0) for day in days[max(0, start - 7 * WEEKS) : start]]
    return days[start] if median(before) >= SURELY_SOMEBODY else None


def touching(gaps: Collection[date], days: Iterable[date], reach: int) -> set[date]:
    """Those of `days` whose people had a day without data within their `reach` days: what they did then was not heard."""
    return {day for day in days if any(day + timedelta(days=ahead) in gaps for ahead in range(reach + 1))}


def spoken(days: Iterable[date]) -> str:
    """3 to 5 May 2026, 9 May 2026"""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    shown = ", ".join(_run(run[0], run[-1]) for run in runs[:4])
    return shown + (f" and {len(runs) - 4} more" if len(runs) > 4 else "")


def _run(first: date, last: date) -> str:
    if first == last:
        return f"{first:%-d %b %Y}"
    same = (first.month, first.year) == (last.month, last.year)
    return f"{first.day}{'' if same else f' {first:%b %Y}'} to {last:%-d %b %Y}"
