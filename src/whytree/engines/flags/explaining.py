"""Why somebody gets a variant: the evaluation in sentences, in the order in which it was decided."""

from collections.abc import Iterator
from datetime import UTC, datetime

from .evaluating import FULL_COVERAGE, NOTHING_KNOWN, Context, Evaluation, Rules, Step, percent
from .rules import BUCKETINGS
from .rules.cohorts import cohorts_in
from .rules.describing import follow
from .switching import Switching

_ORDER: tuple[Step, ...] = ("switch", "schedule", "prerequisite", "override", "holdout", "group", "targeting", "kept")


def explain(rules: Rules, answer: Evaluation, context: Context = NOTHING_KNOWN, unit: str | None = None) -> list[str]:
    """The steps up to the one that decided. `unit` is who was asked for, when the answer does not say."""
    return list(_steps(rules, answer, context, answer.unit or unit or ""))


def _steps(rules: Rules, answer: Evaluation, context: Context, unit: str) -> Iterator[str]:
    if not rules.is_on:
        yield f"{rules.key} is off, so everybody gets {rules.off_variant}."
        return
    yield f"{rules.key} is on."
    reached = _ORDER.index(answer.by) if answer.by in _ORDER else len(_ORDER)
    for at, step in enumerate(_ORDER[1 : reached + 1], start=1):
        yield from _gate(step, rules, answer, context, unit, decides=at == reached)
    if reached < len(_ORDER):
        return
    if answer.by == "unit":
        yield f"It is given by company, and no company is known here, so it gives the default, {answer.variant}."
        return
    yield from _rollout_steps(rules, answer)


def _gate(step: Step, rules: Rules, answer: Evaluation, context: Context, unit: str, *, decides: bool) -> Iterator[str]:
    who = unit or "Somebody without an id"
    if step == "schedule" and (rules.on_from is not None or rules.on_until is not None):
        yield _schedule(rules, decides=decides)
    elif step == "prerequisite" and rules.prerequisites:
        yield from _prerequisites(rules, answer, decides=decides)
    elif step == "override" and rules.overrides:
        yield f"{who} has an override: {answer.variant}." if decides else f"{who} has no override."
    elif step == "holdout" and rules.holdout:
        share = percent(rules.holdout.end - rules.holdout.start)
        if decides:
            yield f"{who} is in the holdout ({share} of the people get no change at all): the default, {answer.variant}."
        else:
            yield f"{who} is not in the holdout ({share})."
    elif step == "group" and rules.group:
        yield _group(rules, answer, who, decides=decides)
    elif step == "targeting" and rules.targeting is not None:
        yield from _targeting(rules, answer, context, unit)
    elif step == "kept" and rules.is_sticky:
        yield f"{answer.variant} was kept for {who} from before." if decides else f"Nothing was kept for {who} yet."


def _schedule(rules: Rules, *, decides: bool) -> str:
    parts = [
        f"{word} {datetime.fromtimestamp(at, UTC):%-d %b %Y %H:%M} UTC"
        for word, at in (("from", rules.on_from), ("until", rules.on_until))
        if at is not None
    ]
    span = " ".join(parts)
    if decides:
        return f"It is scheduled {span}, and that is not now: everybody gets {rules.off_variant}."
    return f"It is scheduled {span}, and that is now."


def _prerequisites(rules: Rules, answer: Evaluation, *, decides: bool) -> Iterator[str]:
    failed, _, given = answer.says.partition("=") if decides else ("", "", "")
    for needed in rules.prerequisites:
        wanted = " or ".join(needed.variants)
        if needed.flag == failed:
            what = f"gives {given}" if given else "gives nothing here"
            yield f"It needs {needed.flag} to give {wanted}, which {what}: off, so {rules.off_variant}."
            return
        yield f"It needs {needed.flag} to give {wanted}, which it does."


def _group(rules: Rules, answer: Evaluation, who: str, *, decides: bool) -> str:
    slots = rules.group
    assert slots is not None  # noqa: S101 - asked only where there is a group
    mine = f"In the group {slots.name}, {rules.key} has the places {slots.start:,} to {slots.end - 1:,}"
    if decides:
        return f"{mine}; {who} is at {int(answer.says):,}, so it gives the default, {answer.variant}."
    return f"{mine}, and {who} is among them."


def _targeting(rules: Rules, answer: Evaluation, context: Context, unit: str) -> Iterator[str]:
    if answer.by == "targeting" and answer.error:
        yield f"The rule cannot be answered: {answer.says} The code’s own default holds."
        return
    data = {
        **context.attributes,
        "$flagd": {"flagKey": rules.key, "timestamp": int(context.now)},
        "targetingKey": unit or None,
    }
    if cohorts_in(rules.targeting):
        yield _known_cohorts(context, unit)
    yield from follow(rules.targeting, rules.bucketing, rules.key, data)


def _known_cohorts(context: Context, unit: str) -> str:
    if context.cohorts_at is None:
        return "Who belongs to its cohorts is not known at the moment, so nobody does."
    age = max(0, context.now - context.cohorts_at)
    old = f"{age:.0f} seconds" if age < 90 else f"{age / 60:.0f} minutes"
    return f"Who belongs to its cohorts was looked up {old} ago{'' if unit else '; somebody without an id is in none'}."


def _rollout_steps(rules: Rules, answer: Evaluation) -> Iterator[str]:
    if answer.error == "TARGETING_KEY_MISSING":
        yield "It gives different people different variants, but the context has no targetingKey to tell them apart."
        return
    if answer.error == "INVALID_CONTEXT":
        yield "The targetingKey is no valid text (half a surrogate pair), so it cannot be hashed."
        return
    if answer.by == "period" and not answer.in_rollout:
        yield f"Its first period has not begun, so it gives the default, {answer.variant}."
        return
    yield _coverage_step(rules, answer)
    if answer.in_rollout:
        yield _variant_step(rules, answer) if rules.switching is None else _period_step(rules.switching, answer)


def _hashed(rules: Rules, which: str, unit: str | None) -> str:
    before, after = BUCKETINGS[rules.bucketing].around(which, rules.seed)
    return f"“{before}{unit}{after}”"


def _coverage_step(rules: Rules, answer: Evaluation) -> str:
    share = percent(rules.coverage)
    if rules.coverage == 0:
        return f"Coverage is 0 %: nobody is in the rollout, so everybody gets the default, {answer.variant}."
    if answer.coverage_bucket is None:
        return "Coverage is 100 %: everybody is in the rollout."
    where = (
        f"{_hashed(rules, 'coverage', answer.unit)} falls into bucket {answer.coverage_bucket:,} of {FULL_COVERAGE:,}"
    )
    reach = f"coverage {share} takes those below {rules.coverage:,}"
    if answer.in_rollout:
        return f"{where}; {reach}: {answer.unit} is in the rollout."
    return f"{where}; {reach}: {answer.unit} is not in the rollout and gets the default, {answer.variant}."


def _variant_step(rules: Rules, answer: Evaluation) -> str:
    if len(rules.arms) == 1:
        return f"All weight is on {answer.variant}, so everybody in the rollout gets it."
    slots, start = [], 0
    for name, weight in rules.arms:
        slots.append(f"{name} has {start:,}" + (f" to {start + weight - 1:,}" if weight > 1 else ""))
        start += weight
    where = f"{_hashed(rules, 'variant', answer.unit)} falls into slot {answer.variant_bucket:,} of {start:,}"
    return f"{where}; {', '.join(slots)}: {answer.unit} gets {answer.variant}."


def _period_step(switching: Switching, answer: Evaluation) -> str:
    number, _, region = answer.says.partition("/")
    begins, ends = (
        datetime.fromtimestamp(switching.begins(int(number) + one), UTC).strftime("%-d %b %Y %H:%M") for one in (0, 1)
    )
    where = f" in {region or f'no {switching.by}'}" if switching.by else ""
    return (
        f"It switches: for the period from {begins} until {ends} UTC{where}, {answer.variant} was drawn for everybody."
    )
