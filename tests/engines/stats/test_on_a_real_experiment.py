"""A mobile game's real A/B test: the first gate at level 30 or 40 (Cookie Cats, 90,189 players)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from pathlib import Path

import pytest

from whytree.engines.stats import (
    Assigned,
    Comparison,
    SampleRatio,
    Share,
    Stratum,
    difference_of_proportions,
    sample_ratio,
)
from whytree.engines.stats.effects import Effect, compare_means
from whytree.engines.stats.moments import Moments

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def _read() -> dict[str, dict[str, Rows]]:
    return {}


@pytest.fixture
def arms(shared_data: Path, _read: dict[str, dict[str, Rows]]) -> dict[str, Rows]:
    if not _read:
        by_arm: dict[str, Rows] = {"gate_30": [], "gate_40": []}
        with gzip.open(shared_data / "cookie-cats" / "cookie_cats.csv.gz", "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                by_arm[row["version"]].append(row)
        _read["arms"] = by_arm
    return _read["arms"]


def share(values: Iterable[bool]) -> Share:
    did = list(values)
    return Share(len(did), sum(did))


def shares(arms: dict[str, Rows], column: str) -> Comparison:
    control, treatment = (
        share(row[column].lower() in ("1", "true") for row in arms[one]) for one in ("gate_30", "gate_40")
    )
    answer = difference_of_proportions([Stratum(control, treatment)])
    assert isinstance(answer, Comparison)
    return answer


def test_retention_is_as_published(arms: dict[str, Rows]) -> None:
    day_1, day_7 = shares(arms, "retention_1"), shares(arms, "retention_7")
    assert (day_1.control, day_1.treatment) == (pytest.approx(0.4482, abs=5e-5), pytest.approx(0.4423, abs=5e-5))
    assert (day_7.control, day_7.treatment) == (pytest.approx(0.1902, abs=5e-5), pytest.approx(0.1820, abs=5e-5))
    assert day_1.difference.low < 0 < day_1.difference.high
    assert day_7.difference.high < 0  # published p = 0.0016


def test_the_draw_itself_is_doubtful(arms: dict[str, Rows]) -> None:
    seen = {name: len(rows) for name, rows in arms.items()}
    answer = sample_ratio([Assigned(seen, {"gate_30": 1, "gate_40": 1})])
    assert isinstance(answer, SampleRatio)
    assert seen == {"gate_30": 44_700, "gate_40": 45_489}
    assert answer.p == pytest.approx(0.0086, abs=5e-5)


def test_one_player_with_49854_rounds_widens_the_interval_of_the_mean(arms: dict[str, Rows]) -> None:
    control, treatment = ([float(row["sum_gamerounds"]) for row in arms[one]] for one in ("gate_30", "gate_40"))
    with_them = compare_means(Moments.of(control), Moments.of(treatment))
    without = compare_means(Moments.of([n for n in control if n < 40_000]), Moments.of(treatment))
    assert isinstance(with_them, Effect)
    assert isinstance(without, Effect)
    assert max(control) == 49_854
    width, tamed = (one.difference.high - one.difference.low for one in (with_them, without))
    assert width > 1.3 * tamed
    assert with_them.difference.low < 0 < with_them.difference.high
