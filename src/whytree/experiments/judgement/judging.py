"""From what was measured to what may be said: corrected over questions, as wide as the looks demand, and judged.

One rule for a table from elsewhere and for what the product's own events tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from whytree.engines.stats import NoAnswer
from whytree.engines.stats.bayes import Prior, posterior, standings
from whytree.engines.stats.effects import Effect, fieller
from whytree.engines.stats.margins import non_inferior
from whytree.engines.stats.multiple import Corrected, benjamini_hochberg, holm, shown_with, uncorrected
from whytree.engines.stats.sequential import always_valid
from whytree.engines.stats.spending import nominal_level, repeated_p

from .plan import MetricPlan, Rules
from .results import ArmFigure, Belief, ChanceOfBest, Check, Comparison, Interval, MetricResult, Role, Standing

CORRECTING = {"holm": holm, "bh": benjamini_hochberg, "none": uncorrected}

#: Compares one arm with control at a level; what it needs is summed up once.
Compare = Callable[[float], Effect | NoAnswer]


@dataclass
class Measured:
    """A metric while it is being judged; `arms` stand with control first, `compare` has one for each other arm."""

    plan: MetricPlan
    role: Role
    kind: str
    cap: float | None
    arms: list[ArmFigure]
    compare: list[Compare]
    effects: list[Effect | NoAnswer]
    checks: list[Check]
    corrected: list[Corrected | None]

    @classmethod
    def of(
        cls,
        plan: MetricPlan,
        role: Role,
        kind: str,
        arms: list[ArmFigure],
        compare: list[Compare],
        rules: Rules,
        *,
        cap: float | None = None,
        checks: Sequence[Check] = (),
    ) -> Measured:
        """Compared once, at the level the rules ask of a single question."""
        effects = [one(nominal(rules.level, rules)) for one in compare]
        return cls(plan, role, kind, cap, arms, compare, effects, list(checks), [None] * len(compare))


def correct(measured: Sequence[Measured], rules: Rules) -> None:
    """The primary metric's arms are one family, all secondary metrics' arms another; guardrails must all pass anyway."""
    for role in ("primary", "secondary"):
        family = [
            (one, at)
            for one in measured
            if one.role == role
            for at, effect in enumerate(one.effects)
            if isinstance(effect, Effect)
        ]
        effects = [one.effects[at] for one, at in family]
        p_values = [_p(effect, rules) for effect in effects if isinstance(effect, Effect)]
        if not p_values:
            continue
        for (one, at), corrected in zip(family, CORRECTING[rules.correction](p_values, level=rules.level), strict=True):
            one.corrected[at] = corrected
            if corrected.level != rules.level:
                one.effects[at] = one.compare[at](nominal(corrected.level, rules))


def nominal(level: float, rules: Rules) -> float:
    """The level a plain interval needs, so that it holds at all planned looks together."""
    return level if rules.look is None else nominal_level(*rules.look, level=level)


def _p(effect: Effect, rules: Rules) -> float:
    if rules.look is not None:
        return repeated_p(effect.p, *rules.look)
    if not rules.sequential:
        return effect.p
    sequence = always_valid(effect.difference.value, effect.error, effect.difference.n, level=rules.level)
    return 1.0 if isinstance(sequence, NoAnswer) else sequence.p


# --- what is shown ---------------------------------------------------------------------------------------------------


def result_of(one: Measured, rules: Rules) -> MetricResult:
    """The metric as it is shown."""
    names = [figure.arm for figure in one.arms]
    comparisons = [
        _comparison(one, effect, corrected, rules, name)
        for effect, corrected, name in zip(one.effects, one.corrected, names[1:], strict=True)
    ]
    return MetricResult(
        one.plan.name,
        one.kind,
        one.role,
        "%" if one.kind == "proportion" else "",
        one.plan.up_is_good,
        one.cap,
        one.arms,
        comparisons,
        _chances(one, names),
    )


def _comparison(
    one: Measured, effect: Effect | NoAnswer, corrected: Corrected | None, rules: Rules, arm: str
) -> Comparison:
    if isinstance(effect, NoAnswer):
        return Comparison(arm, "no answer", effect.reason)
    level = corrected.level if corrected is not None else rules.level
    difference, relative = effect.difference, effect.relative
    p = _p(effect, rules)
    if rules.sequential:
        sequence = always_valid(difference.value, effect.error, difference.n, level=level)
        if isinstance(sequence, NoAnswer):
            return Comparison(arm, "no answer", sequence.reason)
        difference = sequence.difference
        reach = (difference.high - difference.value) / effect.error
        relative = fieller(
            (effect.control, effect.error_control**2),
            (effect.treatment, effect.error_treatment**2),
            difference.n,
            reach,
        )
    low, high = difference.low, difference.high
    if corrected is not None:
        low, high = shown_with(corrected, difference.value, low, high)
    margin = None if one.plan.margin is None else one.plan.margin.of(effect.control)
    return Comparison(
        arm,
        _standing(one, replace(effect, difference=replace(difference, low=low, high=high)), corrected, margin),
        "",
        effect.control,
        effect.treatment,
        Interval(difference.value, low, high, level, difference.method),
        None
        if isinstance(relative, NoAnswer)
        else Interval(relative.value, relative.low, relative.high, level, relative.method),
        relative.reason if isinstance(relative, NoAnswer) else "",
        p,
        None if corrected is None else corrected.p,
        margin,
        effect.variance_reduction,
        _belief(one.plan, effect, rules.level),
        effect.n_control,
        effect.n_treatment,
    )


def _standing(one: Measured, effect: Effect, corrected: Corrected | None, margin: float | None) -> Standing:
    if margin is not None:
        return non_inferior(
            effect.difference, effect.error, effect.freedom, margin, up_is_good=one.plan.up_is_good
        ).standing
    if corrected is None or not corrected.claimed:
        return "no answer yet"
    return "better" if (effect.difference.value > 0) == one.plan.up_is_good else "worse"


def _belief(metric: MetricPlan, effect: Effect, level: float) -> Belief:
    prior = None
    if metric.prior is not None:
        prior = Prior(metric.prior.mean.of(effect.control), metric.prior.deviation.of(effect.control))
    after = posterior(effect.difference.value, effect.error, prior=prior, up_is_good=metric.up_is_good, level=level)
    return Belief(
        after.mean,
        after.low,
        after.high,
        after.better,
        after.loss_if_shipped,
        after.loss_if_not,
        "flat" if metric.prior is None else f"{metric.prior.mean} ± {metric.prior.deviation}",
    )


def _chances(one: Measured, arms: list[str]) -> list[ChanceOfBest]:
    effects = [effect for effect in one.effects if isinstance(effect, Effect)]
    if len(arms) < 3 or len(effects) < len(one.effects):
        return []
    means = [effects[0].control, *(effect.treatment for effect in effects)]
    errors = [effects[0].error_control, *(effect.error_treatment for effect in effects)]
    if min(errors) <= 0:
        return []
    found = standings(means, errors, up_is_good=one.plan.up_is_good)
    return [ChanceOfBest(name, one.best, one.loss) for name, one in zip(arms, found, strict=True)]
