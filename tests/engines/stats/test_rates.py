"""Samples of the tables in docs/statistics.md: does each estimator keep its promise?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.engines.stats.rates import PAGE, TABLES, Row

pytestmark = pytest.mark.slow

RUNS = 300
ROWS = {f"{row.what} | {row.world}": row for make in TABLES.values() for row in make()}

#: Rows that must hold; with 300 runs chance keeps a true 5 % below 9.5 % in 999 of 1,000 tries.
KEPT = [
    "no effect | normal, 50 : 50",
    "no effect | skewed (lognormal), 1,000 : 9,000",
    "no effect | 97 % zero, 10,000 : 10,000",
    "no effect, capped at p99 | infinite variance (Pareto 1.5), 1,000 : 1,000",
    "shares (Miettinen-Nurminen) | 20 % and 20 %, 20 : 20",
    "shares (Miettinen-Nurminen) | 1 % and 2 %, 300 : 2,700",
    "ratio (delta method) | orders a session, 500 people an arm",
    "quantile p90 | skewed, 2,000 : 2,000",
    "quantile p90, 10 rows a unit | skewed, 500 : 500",
    "covariate (CUPED) | correlation 0.8, no effect, 50 : 50",
    "relative change (Fieller) | baseline 5 errors from zero",
    "Holm: any false claim | 10 metrics, none moved",
    "Holm: any interval misses | 10 metrics, 3 moved",
    "Benjamini-Hochberg: false share of claims | 10 metrics, 3 moved",
    "the same: missing share of claimed intervals | 10 metrics, 3 moved",
    "guardrail passes | truly worse by exactly the margin",
    "sample ratio below 0.01 | fair draw",
    "belief misses | effects spread like the prior",
    "stratified mean with a covariate | ramp, both drift, no effect",
    "stratified ratio | 3 steps, drifting baseline, no effect",
    "groups drawn | 30 of unlike size an arm",
    "periods drawn (switchback) | 40, moods last",
    "blocks of periods (a flag's switchback) | 10 blocks of a day, effect 1",
    "the same, after the washout | 28 days of 12, effect 1 that lingers",
    "parts: their share missed | 8, effects differ by 1",
    "weighed by size (post-stratified) | 4 parts, effect 0.2",
    "diluted from the triggered | 10 % reached, effect 0.5",
    "quantile p75 within periods | ramp, all gets slower",
    "median, looked at ten times | skewed, no effect",
    "step nobody drew | 84 + 28 days, memory 0.8",
    "step against another | 84 + 28 days, memory 0.5",
]
PLANNED = "five planned looks | 5 % share, no effect"
LOOKS = ["always-valid interval | 97 % zero, no effect", "always-valid interval | 5 % share, no effect"]

#: Rows that break, and by how much at least: a simulation that finds nothing wrong proves nothing.
BROKEN = {
    "the same, sessions taken for independent | 500 people an arm": 0.10,
    "the same, rows taken for independent | skewed, 500 : 500": 0.20,
    "relative change (delta method) | baseline 3 errors from zero": 0.07,
    "no effect, tails not looked at | 97 % zero, 1,000 : 9,000": 0.07,
    "belief misses | prior off by one and half as wide": 0.25,
    "pooled mean, as a mistake | ramp, drifting baseline, no effect": 0.95,
    "the same, people taken for drawn | 30 of unlike size an arm": 0.25,
    "the same without burn-in, as a mistake | 200, effect 1 that lingers": 0.80,
    "the same without washout, as a mistake | 84 days of 24, effect 2 that lingers": 0.80,
    "the same pooled, as a mistake | ramp, all gets slower": 0.90,
    "days taken for independent, as a mistake | 84 + 28 days, memory 0.8": 0.10,
}


def row(name: str) -> Row:
    return ROWS[name]


@pytest.mark.parametrize("name", KEPT)
def test_it_is_wrong_no_more_often_than_promised(name: str) -> None:
    promised = row(name).promised
    assert promised is not None
    wrong, silent = row(name).rate(RUNS)
    assert wrong < promised + 3.3 * np.sqrt(promised * (1 - promised) / RUNS) + 0.005
    assert silent < 0.5


@pytest.mark.parametrize("name", LOOKS)
def test_looking_sixteen_times_does_not_break_the_promise(name: str) -> None:
    wrong, _ = row(name).rate(60)
    assert wrong < 0.15
    fixed, _ = row(name.replace("always-valid interval", "the same, fixed interval")).rate(60)
    assert fixed > wrong + 0.05


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_said_to_break_does(name: str) -> None:
    assert row(name).rate(RUNS)[0] > BROKEN[name]


def test_planned_looks_keep_the_promise() -> None:
    assert row(PLANNED).rate(150)[0] < 0.12
    assert row(PLANNED.replace("five planned looks", "the same, plain intervals")).rate(150)[0] > 0.08


def test_an_infinite_variance_gets_no_answer() -> None:
    for n in ("1,000 : 9,000", "10,000 : 10,000"):
        _, silent = row(f"no effect | infinite variance (Pareto 1.5), {n}").rate(30)
        assert silent > 0.95


def test_covariates_find_more() -> None:
    world = "correlation 0.8, effect 0.1, 1,000 : 1,000"
    with_it, without = (row(f"found, covariate {used} | {world}").rate(200)[0] for used in ("used", "not used"))
    assert with_it > without + 0.2


def test_every_row_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for one in ROWS.values():
        assert f"| {one.what} | {one.world} |" in page, "run: make statistics"
