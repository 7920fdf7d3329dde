"""Reasons to trust a result, or not to, each a check with a sentence that says what to do next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from whytree.engines.stats import Estimate, NoAnswer
from whytree.engines.stats.effects import compare_means, compare_proportions
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.tails import HEAVY, Tail

from ..constants import COVARIATE_DIFFERS, MISSING_DIFFERS, MOST_SET_ASIDE, MOST_WITHOUT_NUMBER, NAMED
from ..judgement.plan import MetricPlan, Plan
from ..judgement.results import Check, RatioFigure, Trust
from ..judgement.sentences import figure, in_percent, listed, p_text, several
from .units import Intake, SetAside, Units

#: Where a broken draw usually comes from, likeliest first (Fabijan et al., KDD 2019, table 1 and section 4).
CAUSES = (
    "one arm loses users before they are counted (a crash, a slow page, a redirect)",
    "the event that counts a user is not sent alike in both arms",
    "a filter after the assignment, such as “only active users” or bots, that the change itself moves",
    "some users were assigned again, or came in under older weights",
)


def of_sample_ratio(ratios: Sequence[RatioFigure]) -> list[Check]:
    whole, segments = ratios[0], ratios[1:]
    checks = [Check("sample ratio", whole.standing, _ratio_sentence(whole))]
    odd = [one for one in segments if one.standing != "ok"]
    if segments and not odd:
        checks.append(Check("sample ratio by segment", "ok", f"As expected in each of {len(segments)} segments."))
    for one in odd:
        checks.append(Check(f"sample ratio in {one.segment}", one.standing, _ratio_sentence(one)))
    return checks


def _people(expected: float) -> str:
    """1.5, not 2, where three people are to be halved."""
    return f"{expected:,.0f}" if expected >= 100 else f"{expected:.1f}".removesuffix(".0")


def _ratio_sentence(ratio: RatioFigure) -> str:
    sizes = " : ".join(f"{count:,}" for count in ratio.seen.values())
    if not any(ratio.seen.values()):
        return "Nobody is in it yet, so there is nothing to test."
    if ratio.p is None:
        return f"{sizes}; only one arm had a weight, so there is nothing to test."
    told = f"{sizes} where {' : '.join(map(_people, ratio.expected.values()))} were expected, p = {p_text(ratio.p)}"
    empty = [arm for arm, count in ratio.seen.items() if count == 0 and ratio.expected.get(arm, 0) > 0]
    if ratio.standing == "ok":
        return told + "."
    if empty:
        return f"{told}. No unit is in {listed(empty)}: its rows are missing from this table, or it was never served."
    if ratio.standing == "look":
        return (
            f"{told}: suspicious, not conclusive. A fair draw does this once in {round(1 / ratio.p):,} times. "
            f"Look whether {CAUSES[0]}, or {CAUSES[1]}."
        )
    return (
        f"{told}: not by chance. Units are missing from an arm, and whoever is missing is not like the rest. "
        f"Likely: {'; '.join(CAUSES)}."
    )


def of_worst_case(name: str, lacking: str, missing: int, none_did: bool, found: Estimate, bound: Estimate) -> Check:
    """``found`` is the difference as measured, ``bound`` with the missing units filled in against it."""
    low, high = (f"{100 * end:+.2f}".replace("-", "−") for end in (bound.low, bound.high))
    value = f"{100 * bound.value:+.2f}".replace("-", "−")
    if bound.value * found.value <= 0:
        reading = "it could explain the whole finding"
    elif bound.low <= 0 <= bound.high:
        reading = "it could explain part of the finding, and then chance the rest"
    else:
        reading = "the finding stands even then"
    return Check(
        "if the missing are unlike the rest",
        "ok" if reading.startswith("the finding") else "look",
        f"{lacking} lacks {missing:,} units. If {'none' if none_did else 'all'} of them had {name}, the difference would be "
        f"{value} points ({low} to {high}): {reading}.",
    )


def of_intake(intake: Intake, plan: Plan, units: int) -> list[Check]:
    checks = []
    if intake.cut_off:
        checks.append(Check("file", "broken", f"The file ends early ({intake.errors[-1]}). Export it again."))
    elif intake.unreadable:
        shown = "; ".join(intake.errors[:NAMED])
        checks.append(
            Check(
                "rows",
                _over(intake.unreadable, intake.rows, MOST_SET_ASIDE),
                f"{several(intake.unreadable, 'row')} could not be read and {_is(intake.unreadable)} left out: {shown}.",
            )
        )
    without = (intake.without_unit, plan.unit), (intake.without_arm, plan.arm), (intake.without_group, plan.cluster)
    for count, column in without:
        if count:
            told = f"{several(count, 'row')} without “{column}” {_is(count)} left out."
            checks.append(Check("rows", _over(count, intake.rows, MOST_SET_ASIDE), told))
    if plan.burn_in:
        told = f"{several(intake.burnt_in, 'row')} within the first {plan.burn_in:g} of a period {_is(intake.burnt_in)} left out."
        checks.append(Check("burn-in", "ok", told))
    if intake.in_two_arms.count:
        checks.append(
            Check(
                "seen in two arms",
                _over(intake.in_two_arms.count, units, MOST_SET_ASIDE),
                f"{several(intake.in_two_arms.count, 'unit')} {_is(intake.in_two_arms.count)} in more than one arm and left out"
                f"{_such(intake.in_two_arms)}: for them the draw was broken.",
            )
        )
    if intake.repeated:
        checks.append(
            Check("repeats", "ok", f"{several(intake.repeated, 'row')} repeat a unit word for word and count once.")
        )
    if intake.differing.count:
        checks.append(
            Check(
                "repeats",
                _over(intake.differing.count, units, MOST_SET_ASIDE),
                f"{several(intake.differing.count, 'unit')} {'has' if intake.differing.count == 1 else 'have'} several rows that "
                f"differ and {_is(intake.differing.count)} left out{_such(intake.differing)}. Say what a unit's rows make together: "
                "--repeat sum, mean, max, last; or rows, to keep each.",
            )
        )
    return checks


def of_numbers(units: Units, plan: Plan) -> list[Check]:
    """Cells of a metric that hold no number, and whether the arms differ in how many there are."""
    checks = []
    for name in plan.numbers:
        column = units.columns[name]
        total = sum(column.counts.values())
        if total:
            checks.append(
                Check(f"{name}: no number", _over(total, units.intake.rows, MOST_WITHOUT_NUMBER), _gaps(units, name))
            )
        checks += _uneven(units, name) if name not in plan.covariates else []
    return checks


def _gaps(units: Units, name: str) -> str:
    column = units.columns[name]
    words = {"missing": "empty", "text": "text", "infinite": "infinite or beyond 1e100"}
    parts = []
    for fault, count in column.counts.items():
        rows = ", ".join(
            f"row {one.row_number:,}{f' “{one.text}”' if one.text else ''}" for one in column.faults[fault][:NAMED]
        )
        parts.append(f"{count:,} {words[fault]} ({rows}{' …' if count > NAMED else ''})")
    return f"{'; '.join(parts)}. These units are not in this metric; if a gap means nothing happened, write 0."


def _uneven(units: Units, name: str) -> list[Check]:
    if not units.columns[name].counts or units.whose is not None:
        return []
    gaps = np.isnan(units.numbers[name])
    cells = [(int(gaps[here].sum()), here.stop - here.start) for here in map(units.places, range(len(units.arms)))]
    worst = 1.0
    for missing, n in cells[1:]:
        answer = compare_proportions(*cells[0], missing, n)
        if not isinstance(answer, NoAnswer):
            worst = min(worst, answer.p * (len(cells) - 1))
    if worst >= MISSING_DIFFERS:
        return []
    told = ", ".join(f"{in_percent(missing / n)} in {arm}" for arm, (missing, n) in zip(units.arms, cells, strict=True))
    return [
        Check(
            f"{name}: missing unevenly",
            "broken",
            f"Missing for {told} (p = {p_text(worst)}). Whoever is missing differs between the arms, so the rest cannot be "
            "compared. Find out why it is not written, or write 0 for those without.",
        )
    ]


def of_covariate(name: str, arms: Sequence[Moments]) -> list[Check]:
    """What was measured before the exposure cannot differ by the change."""
    p_values = [
        answer.p * (len(arms) - 1)
        for answer in (compare_means(arms[0], arm) for arm in arms[1:])
        if not isinstance(answer, NoAnswer)
    ]
    if not p_values or min(p_values) >= COVARIATE_DIFFERS:
        return []
    return [
        Check(
            f"{name}: differs beforehand",
            "broken",
            f"The arms differ in the covariate “{name}” (p = {p_text(min(p_values))}). Either it was not measured before the exposure, "
            "and then it takes the effect away, or the draw was not fair. Leave it out, or find out.",
        )
    ]


def of_tails(metric: MetricPlan, units: Units, tails: Sequence[Tail | None], arms: Sequence[Moments]) -> list[Check]:
    """Name the unit that carries an arm's spread, and what the mean is without it."""
    checks = []
    for name, one, arm in zip(units.arms, tails, arms, strict=True):
        if one is None or one.share <= HEAVY or arm.n < 3:
            continue
        who = units.names(one.at) if units.whose is None else "One unit"
        without = (float(arm.mean[0]) * arm.n - one.value) / (arm.n - 1)
        checks.append(
            Check(
                f"{metric.column}: outlier",
                "look",
                f"{who} has {figure(one.value)}, {in_percent(one.share, 0)} of all squared deviations in {name}. The mean there is "
                f"{figure(float(arm.mean[0]))} with and {figure(without)} without. Find out whether it is a person; "
                f"--cap {metric.column}=p99.9 bounds what one unit can do.",
            )
        )
    return checks


def _over(count: int, total: int, most: float) -> Trust:
    return "broken" if count > most * max(total, 1) else "look"


def _such(aside: SetAside) -> str:
    return f" ({', '.join(aside.named)}{' …' if aside.count > len(aside.named) else ''})"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
