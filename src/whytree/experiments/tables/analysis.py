"""From units to a judged result. The plan is fixed before; nothing here looks at a number to decide what to ask of it."""

from __future__ import annotations

import math
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from whytree.engines.stats import Assigned, NoAnswer
from whytree.engines.stats.blocks import FEWEST_BLOCKS, compare_blocks
from whytree.engines.stats.effects import Effect, compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.multiple import holm
from whytree.engines.stats.quantiles import Quantile, compare_quantiles, quantile
from whytree.engines.stats.ratios import compare_clusters, compare_ratios
from whytree.engines.stats.tails import Tail, tail
from whytree.errors import Invalid

from ..constants import MOST_SEGMENTS
from ..judgement import sentences
from ..judgement.draws import ratio_figure, read_weights, standing_of
from ..judgement.judging import Compare, Measured, correct, result_of
from ..judgement.plan import MetricPlan, Plan
from ..judgement.results import Analysis, ArmFigure, Check, RatioFigure, Role
from . import health, table_parts
from .units import Numbers, Units

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+$")


def analyse(units: Units, plan: Plan, file: str) -> Analysis:
    """Compare every arm with control on every metric, and judge whether the result can be trusted."""
    covariates, checks = _covariates(units, plan)
    ratio = _ratios(units, plan)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy adds up without the interpreter's lock
        measured = list(pool.map(lambda asked: _measure(units, plan, asked[0], asked[1], covariates), _roles(plan)))
    correct(measured, plan.rules)
    if plan.switchback and min(units.sizes().values()) < FEWEST_BLOCKS:
        measured = [_too_few_periods(one, min(units.sizes().values())) for one in measured]
    deciding = next((one for one in measured if one.role == "primary"), measured[0])

    def measure(some: Units, beside: Numbers) -> Measured:
        return _measure(some, plan, deciding.plan, "primary", beside, deciding.cap)

    parts, over_parts = table_parts.by_segment(units, plan, covariates, deciding, measure)
    checks = [
        *health.of_sample_ratio(ratio),
        *health.of_intake(units.intake, plan, sum(units.sizes().values())),
        *health.of_numbers(units, plan),
        *checks,
        *(check for one in measured for check in one.checks),
        *_worst_case(units, plan, ratio[0], measured),
        *table_parts.drawn_again(units, plan, deciding),
    ]
    analysis = Analysis(
        file,
        plan.unit,
        units.arms[0],
        units.intake.rows,
        units.sizes(),
        plan.level,
        plan.correction,
        plan.sequential,
        "" if plan.look is None else f"{plan.look[0]}/{plan.look[1]}",
        [result_of(one, plan.rules) for one in measured],
        ratio,
        checks,
        parts=parts,
        over_parts=over_parts,
        triggered=table_parts.among(units, plan, covariates, deciding.plan, deciding.kind, measure),
    )
    return replace(analysis, headline=sentences.headline(analysis), verdict=sentences.verdict(analysis))


def _too_few_periods(one: Measured, fewest: int) -> Measured:
    few = compare_blocks(np.zeros(fewest), np.zeros(fewest))
    return replace(one, effects=[few if isinstance(few, NoAnswer) else effect for effect in one.effects])


def _roles(plan: Plan) -> list[tuple[MetricPlan, Role]]:
    """The first metric without a margin decides; those with one only must not get worse."""
    roles: list[tuple[MetricPlan, Role]] = []
    for metric in plan.metrics:
        deciding = "primary" not in (role for _, role in roles)
        roles.append((metric, "guardrail" if metric.margin else "primary" if deciding else "secondary"))
    return roles


# --- one metric ------------------------------------------------------------------------------------------------------


def _measure(
    units: Units, plan: Plan, metric: MetricPlan, role: Role, covariates: Numbers, known_cap: float | None = None
) -> Measured:
    """`known_cap`: where the cap of all units lies, when these are some of them."""
    values = units.numbers[metric.column]
    kind = _kind(units, metric, values)
    values, cap = (np.minimum(values, known_cap), known_cap) if known_cap is not None else _capped(values, metric)
    if kind == "quantile":
        figures, compare, checks = _quantiles(units, metric, values)
    else:
        figures, compare, checks = _sums(units, plan, metric, kind, values, covariates)
    return Measured.of(metric, role, kind, figures, compare, plan.rules, cap=cap, checks=checks)


def _kind(units: Units, metric: MetricPlan, values: Numbers) -> str:
    there = values[~np.isnan(values)] if units.columns[metric.column].counts else values
    if len(there) == 0:
        texts = [one.text for faults in units.columns[metric.column].faults.values() for one in faults if one.text]
        shown = f" (“{texts[0]}”, say)" if texts else ""
        comma = " Write decimals with a point." if texts and _DECIMAL_COMMA.match(texts[0]) else ""
        raise Invalid(
            f"“{metric.column}” holds no number in any row{shown}.{comma} Name a column of numbers, or of true and false."
        )
    truth = all(bool(((part == 0) | (part == 1)).all()) for part in (there[:1000], there))
    if metric.kind == "auto":
        return "proportion" if truth and not metric.cap else "mean"
    if metric.kind == "proportion" and not truth:
        odd = there[~np.isin(there, (0.0, 1.0))][0]
        raise Invalid(f"“{metric.column}” is no proportion: it holds {odd:g}, and not only 0 and 1. Ask for its mean.")
    if metric.kind == "count" and bool(((there < 0) | (there != np.floor(there))).any()):
        odd = there[(there < 0) | (there != np.floor(there))][0]
        raise Invalid(f"“{metric.column}” is no count: it holds {odd:g}. Ask for its mean.")
    return metric.kind


def _capped(values: Numbers, metric: MetricPlan) -> tuple[Numbers, float | None]:
    """Winsorised above at the cap, and below at its mirror where there are negative values (Wilcox 2012, 2.2.2)."""
    if metric.cap is None:
        return values, None
    there = values[~np.isnan(values)]
    percentile = metric.cap.percentile or 100.0
    if metric.cap.value is not None:
        return np.minimum(values, metric.cap.value), metric.cap.value
    top = float(np.percentile(there, percentile))
    bottom = float(np.percentile(there, 100 - percentile)) if there.min() < 0 else -math.inf
    return np.clip(values, bottom, top), top


def _sums(
    units: Units, plan: Plan, metric: MetricPlan, kind: str, values: Numbers, covariates: Numbers
) -> tuple[list[ArmFigure], list[Compare], list[Check]]:
    """Means, shares, counts and ratios: everything that centred sums can tell."""
    rows, whose = [values], units.whose
    if kind == "ratio":
        rows.append(units.numbers[metric.per])
    elif whose is not None and (kind != "count" or plan.cluster):
        rows.append(np.where(np.isnan(values), np.nan, 1.0))  # a mean of rows is a ratio of sums, over units
    as_ratio = len(rows) > 1
    gaps = any(units.columns[name].counts for name in metric.columns)
    arms, tails = [], []
    for at in range(len(units.arms)):
        here = units.places(at)
        columns = [column[here] for column in rows]
        there = np.flatnonzero(~np.isnan(sum(columns))) if gaps else None
        if there is not None:
            columns = [column[there] for column in columns]
        if whose is not None:
            owners = whose[here] if there is None else whose[here][there]
            _, owner = np.unique(owners, return_inverse=True)
            columns = [np.asarray(np.bincount(owner, column), dtype=np.float64) for column in columns]
        else:
            columns += [column[here] if there is None else column[here][there] for column in covariates]
        arms.append(Moments.of(*columns))
        heavy = tail(columns[0], arms[-1]) if kind != "proportion" and len(columns[0]) > 1 else None
        if heavy is not None and whose is None:
            heavy = replace(heavy, at=here.start + (heavy.at if there is None else int(there[heavy.at])))
        tails.append(heavy)
    figures = [ArmFigure(name, arm.n, _value(arm, as_ratio)) for name, arm in zip(units.arms, arms, strict=True)]
    checks = health.of_tails(metric, units, tails, arms) if metric.kind != "proportion" else []
    compare = [
        _compare(kind if not plan.cluster else "clusters", as_ratio, arms[0], arm, metric, tails[0], own)
        for arm, own in zip(arms[1:], tails[1:], strict=True)
    ]
    return figures, compare, checks


def _value(arm: Moments, as_ratio: bool) -> float | None:
    if arm.n == 0:
        return None
    if as_ratio:
        return float(arm.mean[0] / arm.mean[1]) if arm.mean[1] > 0 else None
    return float(arm.mean[0])


def _compare(
    kind: str, as_ratio: bool, control: Moments, treatment: Moments, metric: MetricPlan, *tails: Tail | None
) -> Compare:
    if kind == "proportion" and not as_ratio and len(control.mean) == 1:
        cells = [round(float(arm.mean[0]) * arm.n) for arm in (control, treatment)]
        return lambda level: compare_proportions(cells[0], control.n, cells[1], treatment.n, level=level)
    if kind == "clusters":
        return lambda level: compare_clusters(control, treatment, level=level)
    ruled = [one for one in tails if one is not None and one.ruled]
    if ruled and kind != "proportion":
        return lambda level: NoAnswer(sentences.no_mean(metric, max(ruled, key=lambda one: one.share)))
    if as_ratio:
        return lambda level: compare_ratios(control, treatment, level=level)
    return lambda level: compare_means(control, treatment, level=level)


def _quantiles(units: Units, metric: MetricPlan, values: Numbers) -> tuple[list[ArmFigure], list[Compare], list[Check]]:
    arms: list[Quantile | NoAnswer] = []
    figures = []
    for at, name in enumerate(units.arms):
        here = units.places(at)
        there = ~np.isnan(values[here])
        mine = values[here][there]
        whose = None if units.whose is None else units.whose[here][there].astype(np.float64)
        arms.append(quantile(mine, metric.share, whose))
        n = len(mine) if whose is None else len(np.unique(whose))
        figures.append(ArmFigure(name, n, float(np.quantile(mine, metric.share)) if n else None))

    def compare(control: Quantile | NoAnswer, treatment: Quantile | NoAnswer) -> Compare:
        for arm in (control, treatment):
            if isinstance(arm, NoAnswer):
                return lambda level: arm
        return lambda level: compare_quantiles(control, treatment, level=level)  # type: ignore[arg-type]

    return figures, [compare(arms[0], arm) for arm in arms[1:]], []


# --- covariates from before ------------------------------------------------------------------------------------------


def _covariates(units: Units, plan: Plan) -> tuple[Numbers, list[Check]]:
    """Covariates without gaps (a missing one is the mean of all), and whether the arms were alike in them."""
    if plan.covariates and units.whose is not None:
        raise Invalid("A covariate belongs to a unit, and rows stay rows here. Leave --covariate or --repeat rows out.")
    filled, checks = [], []
    for name in plan.covariates:
        values = units.numbers[name]
        gaps = np.isnan(values)
        if gaps.all():
            raise Invalid(f"“{name}” holds no number in any row, so it cannot be a covariate.")
        whole = np.where(gaps, values[~gaps].mean(), values)
        filled.append(whole)
        checks += health.of_covariate(name, [Moments.of(whole[units.places(at)]) for at in range(len(units.arms))])
    shape = (len(filled), len(units.arm))
    return (np.array(filled) if filled else np.empty(shape)), checks


# --- the draw --------------------------------------------------------------------------------------------------------


def _ratios(units: Units, plan: Plan) -> list[RatioFigure]:
    """Over all units, then by segment, the segments' p-values corrected for each other (Holm)."""
    weights = read_weights(plan.weights, units.arms)
    whole = ratio_figure("", [Assigned(units.sizes(), weights)], list(weights))
    if units.segment is None:
        return [whole]
    first = np.arange(len(units.arm)) if units.whose is None else np.unique(units.whose, return_index=True)[1]
    arm, segment = units.arm[first], units.segment.codes[first]
    largest = np.argsort(-np.bincount(segment + 1, minlength=len(units.segment.names) + 1))[:MOST_SEGMENTS].tolist()
    names = {code: units.segment.names[code - 1] if code else "(empty)" for code in largest}
    parts = {name: np.bincount(arm[segment + 1 == code], minlength=len(units.arms)) for code, name in names.items()}
    rest = np.bincount(arm[~np.isin(segment + 1, largest)], minlength=len(units.arms))
    if rest.sum():
        parts["(all others)"] = rest
    figures = [
        ratio_figure(name, [Assigned(dict(zip(units.arms, seen.tolist(), strict=True)), weights)], list(weights))
        for name, seen in parts.items()
        if seen.sum()
    ]
    tested = [figure.p for figure in figures if figure.p is not None]
    adjusted = iter(holm(tested)) if tested else iter(())
    return [
        whole,
        *(
            figure if figure.p is None else replace(figure, standing=standing_of(next(adjusted).p))
            for figure in figures
        ),
    ]


def _worst_case(units: Units, plan: Plan, ratio: RatioFigure, measured: list[Measured]) -> list[Check]:
    """What the deciding share would be if the units an arm lacks were all of the kind that shrinks the difference.

    Worst-case bounds (Horowitz and Manski, JASA 95, 2000, p. 77-84). A finding that survives them needs no explanation of the split.
    """
    deciding = next((one for one in measured if one.role == "primary"), None)
    if deciding is None or deciding.kind != "proportion" or ratio.standing == "ok" or len(units.arms) != 2:
        return []
    effect, weights = deciding.effects[0], read_weights(plan.weights, units.arms)
    (name0, name1), sizes = units.arms, units.sizes()
    n0, n1 = sizes[name0], sizes[name1]
    if (
        not isinstance(effect, Effect)
        or len(weights) != 2
        or not min(weights.values()) > 0
        or effect.n_control != n0
        or effect.n_treatment != n1
    ):
        return []
    cells = {name0: (round(effect.control * n0), n0), name1: (round(effect.treatment * n1), n1)}
    lacking, other = (name0, name1) if n0 / weights[name0] < n1 / weights[name1] else (name1, name0)
    missing = round(sizes[other] * weights[lacking] / weights[other]) - sizes[lacking]
    lacks_more = (effect.treatment > effect.control) == (lacking == name1)
    x, n = cells[lacking]
    cells[lacking] = (x if lacks_more else x + missing, n + missing)
    bound = compare_proportions(*cells[name0], *cells[name1], level=plan.level)
    if isinstance(bound, NoAnswer):
        return []
    return [health.of_worst_case(deciding.plan.name, lacking, missing, lacks_more, effect.difference, bound.difference)]
