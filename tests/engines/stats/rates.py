"""How often each estimator is wrong, in worlds whose truth is known. ``make statistics`` runs this with 2,000 runs a row
and writes the tables into ``docs/statistics.md`` (a table's title after it writes that one); the tests run some of the
rows with fewer.

A *row* promises a rate and measures it. Seeds are fixed: the same numbers come out every time.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.engines.stats import guarding, ramps, rates_depth
from whytree.engines.stats import Assigned, Estimate, NoAnswer, SampleRatio, always_valid_ratio, sample_ratio
from whytree.engines.stats.bayes import Prior, posterior
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.margins import non_inferior
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.multiple import benjamini_hochberg, holm, shown_with
from whytree.engines.stats.quantiles import Quantile, compare_quantiles, quantile
from whytree.engines.stats.ratios import compare_ratios
from whytree.engines.stats.sequential import AlwaysValid, always_valid
from whytree.engines.stats.spending import nominal_level
from whytree.engines.stats.tails import tail

PAGE = Path(__file__).resolve().parents[3] / "docs" / "statistics.md"
RUNS = 2_000

#: Answers from which a rate is shown.
FEWEST_ANSWERS = 100

Rng = np.random.Generator
Draw = Callable[[Rng, int], np.ndarray]
#: One run of a world: was it wrong? None: no answer was given.
Run = Callable[[Rng], bool | None]


@dataclass(frozen=True)
class Row:
    """One thing promised of one world. ``promised`` is the rate of being wrong (or of being found, for power)."""

    what: str
    world: str
    promised: float | None
    run: Run

    def rate(self, runs: int = RUNS) -> tuple[float, float]:
        """How often wrong among the answers, and how often no answer was given."""
        rng = np.random.default_rng(zlib.crc32(f"{self.what}|{self.world}".encode()))
        outcomes = [self.run(rng) for _ in range(runs)]
        answers = [outcome for outcome in outcomes if outcome is not None]
        return (float(np.mean(answers)) if answers else float("nan"), 1 - len(answers) / runs)


# --- metrics, each with its true mean --------------------------------------------------------------------------------

ZERO = 0.97


def normal(rng: Rng, n: int) -> np.ndarray:
    return rng.normal(5, 2, n)


def skewed(rng: Rng, n: int) -> np.ndarray:
    return rng.lognormal(0, 1, n)


def mostly_zero(rng: Rng, n: int) -> np.ndarray:
    return np.where(rng.random(n) < ZERO, 0.0, rng.lognormal(3, 1, n))


def heavy(rng: Rng, n: int) -> np.ndarray:
    return rng.pareto(2.5, n)


def infinite(rng: Rng, n: int) -> np.ndarray:
    return rng.pareto(1.5, n)


METRICS: dict[str, tuple[Draw, float]] = {
    "normal": (normal, 5.0),
    "skewed (lognormal)": (skewed, float(np.exp(0.5))),
    "97 % zero": (mostly_zero, float(0.03 * np.exp(3.5))),
    "heavy tail (Pareto 2.5)": (heavy, 1 / 1.5),
    "infinite variance (Pareto 1.5)": (infinite, 2.0),
}


# --- means -----------------------------------------------------------------------------------------------------------


def missed(answer: Effect | NoAnswer, truth: float) -> bool | None:
    if isinstance(answer, NoAnswer):
        return None
    return not answer.difference.low <= truth <= answer.difference.high


def means(draw: Draw, mean: float, n0: int, n1: int, lift: float = 0.0, *, guarded: bool = True) -> Run:
    """Treatment is control times (1 + lift). ``guarded``: without an answer where a tail rules, as analyses do."""

    def run(rng: Rng) -> bool | None:
        control, treatment = draw(rng, n0), draw(rng, n1) * (1 + lift)
        if guarded and (tail(control).ruled or tail(treatment).ruled):
            return None
        return missed(compare_means(Moments.of(control), Moments.of(treatment)), lift * mean)

    return run


def capped(draw: Draw, n: int, percentile: float) -> Run:
    """No effect, capped at a percentile of both arms together."""

    def run(rng: Rng) -> bool | None:
        control, treatment = draw(rng, n), draw(rng, n)
        top = np.percentile(np.concatenate([control, treatment]), percentile)
        return missed(compare_means(*(Moments.of(np.minimum(arm, top)) for arm in (control, treatment))), 0.0)

    return run


def mean_rows() -> list[Row]:
    rows = []
    for name, (draw, mean) in METRICS.items():
        for n0, n1 in ((50, 50), (1_000, 1_000), (1_000, 9_000), (10_000, 10_000)):
            rows.append(Row("no effect", f"{name}, {n0:,} : {n1:,}", 0.05, means(draw, mean, n0, n1)))
        rows.append(Row("effect +10 %", f"{name}, 10,000 : 10,000", 0.05, means(draw, mean, 10_000, 10_000, 0.1)))
    return rows


def unguarded_rows() -> list[Row]:
    """What the guard against tails spares people."""
    rows = [
        Row(
            "no effect, tails not looked at",
            f"{name}, 1,000 : 9,000",
            0.05,
            means(draw, mean, 1_000, 9_000, guarded=False),
        )
        for name, (draw, mean) in METRICS.items()
    ]
    rows += [
        Row("no effect, capped at p99", f"{name}, 1,000 : 1,000", 0.05, capped(draw, 1_000, 99))
        for name, (draw, _) in METRICS.items()
    ]
    return rows


# --- shares, ratios, quantiles, covariates ---------------------------------------------------------------------------


def shares(p0: float, p1: float, n0: int, n1: int) -> Run:
    def run(rng: Rng) -> bool | None:
        return missed(compare_proportions(int(rng.binomial(n0, p0)), n0, int(rng.binomial(n1, p1)), n1), p1 - p0)

    return run


def ratio(n: int) -> Run:
    """Orders a session; sessions of one person share a mood."""

    def people(rng: Rng) -> Moments:
        sessions = rng.geometric(0.3, n).astype(float)
        return Moments.of(rng.poisson(rng.gamma(2, 0.5, n) * sessions).astype(float), sessions)

    def run(rng: Rng) -> bool | None:
        return missed(compare_ratios(people(rng), people(rng)), 0.0)

    return run


def ratio_of_rows(n: int) -> Run:
    """The mistake: sessions taken for independent."""

    def rows(rng: Rng) -> Moments:
        sessions = rng.geometric(0.3, n)
        return Moments.of(rng.poisson(np.repeat(rng.gamma(2, 0.5, n), sessions)).astype(float))

    def run(rng: Rng) -> bool | None:
        return missed(compare_means(rows(rng), rows(rng)), 0.0)

    return run


def quantiles(draw: Draw, share: float, n: int, *, rows: int = 1, clustered: bool = True) -> Run:
    def arm(rng: Rng) -> Quantile | NoAnswer:
        values = np.repeat(draw(rng, n), rows) * (rng.lognormal(0, 0.2, n * rows) if rows > 1 else 1.0)
        return quantile(values, share, np.repeat(np.arange(float(n)), rows) if rows > 1 and clustered else None)

    def run(rng: Rng) -> bool | None:
        control, treatment = arm(rng), arm(rng)
        if isinstance(control, NoAnswer) or isinstance(treatment, NoAnswer):
            return None
        return missed(compare_quantiles(control, treatment), 0.0)

    return run


def adjusted(n: int, rho: float, effect: float, *, use: bool, found: bool = False) -> Run:
    """A metric that its own past explains to rho^2; skewed past, so theory has to work."""

    def arm(rng: Rng, shift: float) -> Moments:
        past = rng.gamma(2, 1, n)
        now = rho * past / np.sqrt(2) + np.sqrt(1 - rho**2) * rng.normal(0, 1, n) + shift
        return Moments.of(now, past) if use else Moments.of(now)

    def run(rng: Rng) -> bool | None:
        answer = compare_means(arm(rng, 0.0), arm(rng, effect))
        return missed(answer, 0.0 if found else effect)

    return run


def other_rows() -> list[Row]:
    rows = [
        Row(
            "shares (Miettinen-Nurminen)",
            f"{100 * p0:g} % and {100 * p1:g} %, {n0:,} : {n1:,}",
            0.05,
            shares(p0, p1, n0, n1),
        )
        for p0, p1, n0, n1 in (
            (0.2, 0.2, 20, 20),
            (0.2, 0.5, 20, 40),
            (0.01, 0.01, 300, 300),
            (0.01, 0.02, 300, 2_700),
            (0.2, 0.22, 2_000, 2_000),
        )
    ]
    rows += [
        Row("ratio (delta method)", f"orders a session, {n:,} people an arm", 0.05, ratio(n)) for n in (50, 500, 5_000)
    ]
    rows.append(Row("the same, sessions taken for independent", "500 people an arm", 0.05, ratio_of_rows(500)))
    for draw, name in ((normal, "normal"), (skewed, "skewed"), (infinite, "infinite variance")):
        for share in (0.5, 0.9):
            for n in (200, 2_000):
                rows.append(
                    Row(f"quantile p{100 * share:g}", f"{name}, {n:,} : {n:,}", 0.05, quantiles(draw, share, n))
                )
    rows.append(Row("quantile p90, 10 rows a unit", "skewed, 500 : 500", 0.05, quantiles(skewed, 0.9, 500, rows=10)))
    rows.append(
        Row(
            "the same, rows taken for independent",
            "skewed, 500 : 500",
            0.05,
            quantiles(skewed, 0.9, 500, rows=10, clustered=False),
        )
    )
    rows += [
        Row("covariate (CUPED)", "correlation 0.8, no effect, 50 : 50", 0.05, adjusted(50, 0.8, 0.0, use=True)),
        Row(
            "covariate (CUPED)",
            "correlation 0.8, effect 0.15, 1,000 : 1,000",
            0.05,
            adjusted(1_000, 0.8, 0.15, use=True),
        ),
    ]
    return rows


# --- relative changes ------------------------------------------------------------------------------------------------


def relative(n: int, baseline: float, *, delta: bool) -> Run:
    """True change +50 % on a baseline this many standard deviations from zero."""

    def run(rng: Rng) -> bool | None:
        answer = compare_means(Moments.of(rng.normal(baseline, 1, n)), Moments.of(rng.normal(1.5 * baseline, 1, n)))
        assert isinstance(answer, Effect)
        if isinstance(answer.relative, NoAnswer):
            return None
        low, high = answer.relative.low, answer.relative.high
        if delta:
            ratio = answer.treatment / answer.control
            half = 1.96 * np.hypot(answer.error_treatment, ratio * answer.error_control) / answer.control
            low, high = ratio - 1 - half, ratio - 1 + half
        return not low <= 0.5 <= high

    return run


def relative_rows() -> list[Row]:
    return [
        Row(
            f"relative change ({'delta method' if delta else 'Fieller'})",
            f"baseline {z:g} errors from zero",
            0.05,
            relative(400, z / 20, delta=delta),
        )
        for z in (3.0, 5.0, 20.0)
        for delta in (False, True)
    ]


# --- looking before the end ------------------------------------------------------------------------------------------

LOOKS = (
    500,
    1_000,
    2_000,
    3_000,
    4_000,
    5_000,
    6_000,
    7_000,
    8_000,
    9_000,
    10_000,
    12_000,
    14_000,
    16_000,
    18_000,
    20_000,
)


def peeking(draw: Draw, *, sequential: bool, lift: float = 0.0) -> Run:
    """Two growing arms, looked at 16 times; True when any look says there is a difference."""

    def run(rng: Rng) -> bool | None:
        control, treatment = draw(rng, LOOKS[-1] // 2), draw(rng, LOOKS[-1] // 2) * (1 + lift)
        for n in LOOKS:
            answer = compare_means(Moments.of(control[: n // 2]), Moments.of(treatment[: n // 2]))
            if isinstance(answer, NoAnswer):
                continue
            shown: Estimate = answer.difference
            if sequential:
                sequence = always_valid(answer.difference.value, answer.error, n)
                assert isinstance(sequence, AlwaysValid)
                shown = sequence.difference
            if not shown.low <= 0 <= shown.high:
                return True
        return False

    return run


def share_draw(rng: Rng, n: int) -> np.ndarray:
    return (rng.random(n) < 0.05).astype(float)


def peeking_rows() -> list[Row]:
    worlds: dict[str, Draw] = {name: draw for name, (draw, _) in METRICS.items() if draw is not infinite}
    worlds["5 % share"] = share_draw
    return [
        Row(
            "always-valid interval" if sequential else "the same, fixed interval",
            f"{name}, no effect",
            0.05,
            peeking(draw, sequential=sequential),
        )
        for name, draw in worlds.items()
        for sequential in (True, False)
    ]


def planned(draw: Draw, *, spending: bool) -> Run:
    """Five looks in equal steps up to 10,000 an arm."""
    levels = [nominal_level(look, 5) if spending else 0.95 for look in range(1, 6)]

    def run(rng: Rng) -> bool | None:
        control, treatment = draw(rng, 10_000), draw(rng, 10_000)
        for look, level in enumerate(levels, start=1):
            n = look * 2_000
            answer = compare_means(Moments.of(control[:n]), Moments.of(treatment[:n]), level=level)
            if isinstance(answer, Effect) and not answer.difference.low <= 0 <= answer.difference.high:
                return True
        return False

    return run


def planned_rows() -> list[Row]:
    worlds: dict[str, Draw] = {"normal": normal, "97 % zero": mostly_zero, "5 % share": share_draw}
    return [
        Row(
            "five planned looks" if spending else "the same, plain intervals",
            f"{name}, no effect",
            0.05,
            planned(draw, spending=spending),
        )
        for name, draw in worlds.items()
        for spending in (True, False)
    ]


# --- several questions -----------------------------------------------------------------------------------------------


def questions(effects: int, judge: str) -> Run:
    """Ten metrics, correlated 0.5, ``effects`` of them truly moved by 3.5 standard errors."""

    def run(rng: Rng) -> bool | None:
        common = rng.normal()
        z = np.sqrt(0.5) * common + np.sqrt(0.5) * rng.normal(0, 1, 10)
        truth = np.where(np.arange(10) < effects, 3.5, 0.0)
        z += truth
        p_values = list(2 * _upper(np.abs(z)))
        answers = benjamini_hochberg(p_values) if judge in ("fdr", "fcr") else holm(p_values)
        claimed = np.array([one.claimed for one in answers])
        if judge == "any":
            return bool((claimed & (truth == 0)).any())
        if judge == "fdr":
            return float((claimed & (truth == 0)).sum() / max(claimed.sum(), 1))  # type: ignore[return-value]
        reach = np.array([_reach(one.level) for one in answers])
        ends = [shown_with(one, v, v - r, v + r) for one, v, r in zip(answers, z, reach, strict=True)]
        out = np.array([not low <= true <= high for (low, high), true in zip(ends, truth, strict=True)])
        if judge == "fcr":
            return float((claimed & out).sum() / max(claimed.sum(), 1))  # type: ignore[return-value]
        return bool(out.any())

    return run


def _upper(z: np.ndarray) -> np.ndarray:
    from scipy.stats import norm

    return np.asarray(norm.sf(z))


def _reach(level: float) -> float:
    from scipy.stats import norm

    return float(norm.isf((1 - level) / 2))


def question_rows() -> list[Row]:
    return [
        Row("Holm: any false claim", "10 metrics, none moved", 0.05, questions(0, "any")),
        Row("Holm: any false claim", "10 metrics, 3 moved", 0.05, questions(3, "any")),
        Row("Holm: any interval misses", "10 metrics, 3 moved", 0.05, questions(3, "simultaneous")),
        Row("Benjamini-Hochberg: false share of claims", "10 metrics, none moved", 0.05, questions(0, "fdr")),
        Row("Benjamini-Hochberg: false share of claims", "10 metrics, 3 moved", 0.05, questions(3, "fdr")),
        Row("the same: missing share of claimed intervals", "10 metrics, 3 moved", 0.05, questions(3, "fcr")),
    ]


# --- margins, draws, beliefs -----------------------------------------------------------------------------------------


def margin(true: float) -> Run:
    """A guardrail share of 20 % that may fall by a point, and truly changes by ``true``."""

    def run(rng: Rng) -> bool | None:
        answer = compare_proportions(
            int(rng.binomial(20_000, 0.2)), 20_000, int(rng.binomial(20_000, 0.2 + true)), 20_000
        )
        assert isinstance(answer, Effect)
        return non_inferior(answer.difference, answer.error, answer.freedom, 0.01).standing == "not worse"

    return run


def draw(level: float, lost: float = 0.0) -> Run:
    def run(rng: Rng) -> bool | None:
        blue = int(rng.binomial(20_000, 0.5))
        answer = sample_ratio(
            [Assigned({"a": 20_000 - blue, "b": blue - int(rng.binomial(blue, lost))}, {"a": 1, "b": 1})]
        )
        assert isinstance(answer, SampleRatio)
        return answer.p < level

    return run


def looked_draw(judge: Callable[..., SampleRatio | NoAnswer], lost: float = 0.0, days: int = 60) -> Run:
    """A draw of 600 people a day, looked at on each of so many days: is its p ever below 0.01?"""

    def run(rng: Rng) -> bool | None:
        blue = rng.binomial(600, 0.5, days)
        came = np.cumsum(np.stack([600 - blue, blue - rng.binomial(blue, lost)]), axis=1)
        for day in range(days):
            seen = {"a": int(came[0, day]), "b": int(came[1, day])}
            answer = judge([Assigned(seen, {"a": 1, "b": 1})])
            if isinstance(answer, SampleRatio) and answer.p < 0.01:
                return True
        return False

    return run


def believing(prior_right: bool) -> Run:
    """True effects are normal(0, 1); the prior is that, or twice as wide and off by one."""

    def run(rng: Rng) -> bool | None:
        truth = rng.normal(0, 1)
        after = posterior(rng.normal(truth, 1), 1.0, prior=Prior(0, 1) if prior_right else Prior(1, 0.5))
        return not after.low <= truth <= after.high

    return run


def sundry_rows() -> list[Row]:
    return [
        Row("guardrail passes", "truly worse by exactly the margin", 0.025, margin(-0.01)),
        Row("guardrail passes", "truly unchanged", None, margin(0.0)),
        Row("sample ratio below 0.01", "fair draw", 0.01, draw(0.01)),
        Row("sample ratio below 0.001", "fair draw", 0.001, draw(0.001)),
        Row("sample ratio below 0.001", "5 % of one arm lost", None, draw(0.001, 0.05)),
        Row(
            "always-valid sample ratio below 0.01",
            "fair draw, looked at on 60 days",
            0.01,
            looked_draw(always_valid_ratio),
        ),
        Row("the same, fixed sample ratio", "fair draw, looked at on 60 days", 0.01, looked_draw(sample_ratio)),
        Row("always-valid sample ratio below 0.01", "5 % of one arm lost", None, looked_draw(always_valid_ratio, 0.05)),
        Row(
            "always-valid sample ratio below 0.01",
            "20 % of one arm lost, the first 3 days",
            None,
            looked_draw(always_valid_ratio, 0.2, 3),
        ),
        Row("belief misses", "effects spread like the prior", 0.05, believing(True)),
        Row("belief misses", "prior off by one and half as wide", 0.05, believing(False)),
    ]


def power_rows() -> list[Row]:
    """How often a true effect is found; nothing is promised, more is better."""
    half = dict(METRICS)
    return [
        Row(
            "found, covariate used",
            "correlation 0.8, effect 0.1, 1,000 : 1,000",
            None,
            adjusted(1_000, 0.8, 0.1, use=True, found=True),
        ),
        Row(
            "found, covariate not used",
            "correlation 0.8, effect 0.1, 1,000 : 1,000",
            None,
            adjusted(1_000, 0.8, 0.1, use=False, found=True),
        ),
        Row(
            "found by the last of 16 looks, always valid",
            "normal, effect +2 %",
            None,
            peeking(half["normal"][0], sequential=True, lift=0.02),
        ),
        Row("found in one look at the end", "normal, effect +2 %", None, one_look(0.02)),
    ]


def one_look(lift: float) -> Run:
    def run(rng: Rng) -> bool | None:
        n = LOOKS[-1] // 2
        return missed(compare_means(Moments.of(normal(rng, n)), Moments.of(normal(rng, n) * (1 + lift))), 0.0)

    return run


TABLES: dict[str, Callable[[], list[Row]]] = {
    "Means (Welch)": mean_rows,
    "Tails": unguarded_rows,
    "Shares, ratios, quantiles, covariates": other_rows,
    "Relative changes": relative_rows,
    "Looking before the end": peeking_rows,
    "Planned looks": planned_rows,
    "Several questions": question_rows,
    "Margins, draws, beliefs": sundry_rows,
    "Power": power_rows,
    "Ramps": lambda: [Row(*row) for row in ramps.ROWS],
    "Guards": lambda: [Row(*row) for row in guarding.ROWS],
    "Parts, groups, periods, steps": lambda: [Row(*row) for row in rates_depth.ROWS],
}


def table(rows: list[Row], runs: int) -> str:
    lines = ["| what | world | promised | measured | no answer |", "|---|---|---|---|---|"]
    for row in rows:
        wrong, silent = row.rate(runs)
        promised = "" if row.promised is None else f"{100 * row.promised:g} %"
        measured = "" if (1 - silent) * runs < FEWEST_ANSWERS else f"{100 * wrong:.1f} %"
        lines.append(
            f"| {row.what} | {row.world} | {promised} | {measured} | {'' if not silent else f'{100 * silent:.0f} %'} |"
        )
    return "\n".join(lines)


def main(titles: list[str], runs: int = RUNS) -> None:
    page = PAGE.read_text("utf-8")
    for title, rows in TABLES.items():
        if titles and title not in titles:
            continue
        sys.stdout.write(f"{title}\n")
        begin, end = f"<!-- rates: {title} -->", "<!-- end -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n\n{table(rows(), runs)}\n\n{end}{after}"
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
