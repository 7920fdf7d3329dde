"""Rows of ``docs/statistics.md`` about outcome guards: people who come back, looked at every day of a watch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from whytree.engines.stats import NoAnswer
from whytree.engines.stats.guards import Look, look, look_at_level
from whytree.engines.stats.moments import Moments

Rng = np.random.Generator
Run = Callable[[Rng], bool | None]

DAYS, PEOPLE = 28, 1_000


def shares(share: float, floor: float, *, swing: float = 0.0) -> Run:
    """A hundred new people a day; ``swing``: weekends differ by that much."""
    weekly = np.array([swing if day % 7 >= 5 else -swing * 2 / 5 for day in range(DAYS)])

    def run(rng: Rng) -> bool | None:
        did = rng.binomial(100, share + weekly).cumsum()
        looks = (
            look(int(count), 100 * (day + 1), floor=floor, up_is_good=True, tightest_at=100 * DAYS)
            for day, count in enumerate(did)
        )
        return any(isinstance(one, Look) and one.is_broken for one in looks)

    return run


def levels(kind: str, part: float) -> Run:
    """The same people on the days on which they come, some nearly always, most seldom; each does it at a pace of their own.

    The level is 1 per active person and day, the line at ``part`` of it. "sums": a tenth of what they do has a price.
    """

    def run(rng: Rng) -> bool | None:
        here = rng.random((PEOPLE, DAYS)) < rng.beta(0.7, 2.0, PEOPLE)[:, None]
        pace = rng.gamma(0.5, 2.0, PEOPLE) if kind != "alike" else np.ones(PEOPLE)
        done = rng.poisson(pace[:, None], (PEOPLE, DAYS)).astype(float) * here
        if kind == "sums":
            done *= np.where(
                rng.random((PEOPLE, DAYS)) < 0.1, rng.lognormal(np.log(10) - 0.5, 1.0, (PEOPLE, DAYS)), 0.0
            )
        top, bottom = done.cumsum(axis=1), here.cumsum(axis=1).astype(float)
        for day in range(DAYS):
            came = bottom[:, day] > 0
            units = Moments.of(top[came, day], bottom[came, day])
            doers = int((top[came, day] > 0).sum())
            found = look_at_level(units, doers, floor=1 / part, up_is_good=True, tightest_at=PEOPLE)
            if not isinstance(found, NoAnswer) and found.is_broken:
                return True
        return False

    return run


#: What is promised, the world, the rate, and how it is measured.
ROWS: list[tuple[str, str, float | None, Run]] = [
    ("guard cries", "share of 30 %, on the line", 0.025, shares(0.3, 0.3)),
    ("guard cries", "share of 30 %, on the line, weekends differ by 5 points", 0.025, shares(0.3, 0.3, swing=0.05)),
    ("guard cries", "share fell from 35 to 25 %, line at 30 %", None, shares(0.25, 0.3)),
    ("guard cries", "counts a day, people alike, on the line", 0.025, levels("alike", 1.0)),
    ("guard cries", "counts a day, people unlike, on the line", 0.025, levels("counts", 1.0)),
    ("guard cries", "sums a day, few pay, on the line", 0.025, levels("sums", 1.0)),
    ("guard cries", "counts a day, people unlike, fell by a third below it", None, levels("counts", 0.67)),
]
