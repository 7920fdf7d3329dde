"""What a table is asked beside its metrics: the deciding one by segment, among the triggered, and periods drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.blocks import compare_blocks
from whytree.engines.stats.effects import Effect, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.errors import Invalid

from ..constants import MOST_PARTS
from ..judgement.judging import Measured, correct, result_of
from ..judgement.parts import among_triggered, in_parts
from ..judgement.plan import MetricPlan, Plan
from ..judgement.results import ArmInParts, Check, PartOfTable, TriggeredFigure
from ..judgement.sentences import p_text
from .units import Numbers, Units

#: Measures the deciding metric of some of the units, as it is measured of all.
Measure = Callable[[Units, Numbers], Measured]


def by_segment(
    units: Units, plan: Plan, covariates: Numbers, deciding: Measured, measure: Measure
) -> tuple[list[PartOfTable], list[ArmInParts]]:
    """The deciding metric in the largest segments, and what follows of them together."""
    if units.segment is None:
        return [], []
    names, codes = units.segment.names, units.segment.codes
    sizes = np.bincount(codes + 1, minlength=len(names) + 1)
    largest = [at for at in np.argsort(-sizes, kind="stable")[:MOST_PARTS].tolist() if sizes[at]]
    masks = {names[at - 1] if at else "(empty)": codes + 1 == at for at in largest}
    rest = int(sizes.sum() - sum(mask.sum() for mask in masks.values()))
    judged = {
        name: replace(measure(_some(units, mask), covariates[:, mask]), role="secondary")
        for name, mask in masks.items()
    }
    plain = [list(one.effects) for one in judged.values()]
    correct(list(judged.values()), plan.rules)
    found = [PartOfTable(name, int(masks[name].sum()), result_of(one, plan.rules)) for name, one in judged.items()]
    over = []
    for at, arm in enumerate(units.arms[1:]):
        strata = _strata(units, plan, deciding, list(masks.values()), at + 1, rest)
        over.append(in_parts(arm, list(judged), [effects[at] for effects in plain], strata, plan.rules))
    return found, over


def _some(units: Units, mask: np.ndarray) -> Units:
    whose = None if units.whose is None else units.whose[mask]
    numbers = {name: values[mask] for name, values in units.numbers.items()}
    return replace(units, arm=units.arm[mask], numbers=numbers, whose=whose, segment=None)


def _strata(
    units: Units, plan: Plan, deciding: Measured, masks: list[np.ndarray], arm: int, rest: int
) -> list[Stratum[Moments]] | NoAnswer:
    if units.whose is not None or deciding.kind not in ("mean", "proportion", "count"):
        return NoAnswer("Parts are weighed by their size for means and shares of single units.")
    if rest:
        return NoAnswer(f"{rest:,} units are in smaller segments, so the parts cannot be weighed to the whole.")
    values = units.numbers[deciding.plan.column]
    if deciding.cap is not None:
        values = np.minimum(values, deciding.cap)

    def sums(mask: np.ndarray, at: int) -> Moments:
        mine = values[mask & (units.arm == at)]
        return Moments.of(mine[~np.isnan(mine)])

    return [Stratum(sums(mask, 0), sums(mask, arm)) for mask in masks]


def among(
    units: Units, plan: Plan, covariates: Numbers, deciding: MetricPlan, kind: str, measure: Measure
) -> list[TriggeredFigure]:
    """The deciding metric among the units that the change could reach."""
    if not plan.trigger:
        return []
    if kind not in ("mean", "proportion", "count"):
        raise Invalid(
            f"“{deciding.name}” is no mean or share, and only those are diluted by a known share. Leave --trigger out."
        )
    reached = units.numbers[plan.trigger]
    if not np.isin(reached[~np.isnan(reached)], (0.0, 1.0)).all():
        raise Invalid(
            f"“{plan.trigger}” says whether the change could reach a unit: 0 or 1, true or false, and nothing else."
        )
    mask = reached == 1
    some = measure(_some(units, mask), covariates[:, mask])
    found = []
    for at, (arm, effect) in enumerate(zip(units.arms[1:], some.effects, strict=True), start=1):
        cells = [(int((mask & (units.arm == one)).sum()), int((units.arm == one).sum())) for one in (0, at)]
        shares = compare_proportions(*cells[0], *cells[1])
        if isinstance(shares, NoAnswer) and cells[0][0] == cells[0][1] and cells[1][0] == cells[1][1]:
            shares = NoAnswer("Every unit was reached: there is nobody to leave out.")
        found.append(among_triggered(arm, effect, shares, plan.rules))
    return found


def drawn_again(units: Units, plan: Plan, deciding: Measured) -> list[Check]:
    """A switchback's periods: whether as large a difference comes of drawing their arms again."""
    if not plan.switchback or deciding.kind == "ratio":
        return []
    values = units.numbers[deciding.plan.column]
    checks = []
    for at, arm in enumerate(units.arms[1:], start=1):
        control, own = (values[units.places(one)] for one in (0, at))
        answer = compare_blocks(control[~np.isnan(control)], own[~np.isnan(own)], level=plan.level)
        if isinstance(answer, NoAnswer):
            continue
        effect = deciding.effects[at - 1]
        agrees = isinstance(effect, Effect) and (effect.p < 1 - plan.level) == (answer.exact_p < 1 - plan.level)
        told = (
            f"Drawing the periods' arms again gives as large a difference in {p_text(answer.exact_p)} of all draws ({arm}). "
            + ("" if agrees else "The interval says otherwise: with so few periods, believe this one.")
        )
        checks.append(Check("periods drawn again", "ok" if agrees else "look", told.strip()))
    return checks
