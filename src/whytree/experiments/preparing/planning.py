"""What is asked before the start, from a plan or from a few words: the door to `outlook` and `lots`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from whytree.analytics.queries import find_metric
from whytree.engines.flags import FULL_COVERAGE, Switching
from whytree.engines.flags.switching import switching_fault
from whytree.engines.stats import NoAnswer
from whytree.errors import Invalid
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag
from whytree.tree.models import Hypothesis
from whytree.workspace.models import Product

from ..judgement.design import LOOKS, MOST_DAYS, Looks
from ..models import Experiment
from ..switchbacks.outlook import outlook_of_blocks
from .lots import AaTest, aa_test
from .outlook import Outlook, outlook, predicted_of, weights_of
from .past import Question

#: Days of an experiment of which nobody said how long: four of each weekday.
USUAL_DAYS = 28


@dataclass(frozen=True)
class Words:
    """What somebody said; what they left out is the flag's, the hypothesis's, or usual."""

    metric: str = ""
    flag: str = ""
    days: int | None = None
    effect: float | None = None
    looks: str = "once"
    coverage_percent: float | None = None
    switchback: Switching | None = None


@dataclass(frozen=True)
class Prospect:
    """What an experiment could show, or why that cannot be told; and what lots drawn in the past claimed, where asked."""

    outlook: Outlook | None
    reason: str
    aa: AaTest | None
    aa_reason: str


def question_of(product: Product, said: Words, now: datetime) -> Question:
    """From a few words."""
    flag = find_flag(product, said.flag) if said.flag else None
    hypothesis = flag.hypothesis if flag is not None else None
    key = said.metric or (hypothesis.metric_key if hypothesis is not None else "")
    if not key:
        raise Invalid("Which metric decides? Name it, or name a flag that carries a hypothesis.")
    if said.looks not in LOOKS:
        raise Invalid(f"An experiment is looked at {' or '.join(LOOKS)}, not “{said.looks[:20]}”.")
    looks: Looks = "always" if said.looks == "always" else "once"
    days = said.days or (hypothesis.horizon_days if hypothesis is not None else USUAL_DAYS)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"An experiment runs 1 to {MOST_DAYS} days.")
    percent = 100.0 if said.coverage_percent is None else said.coverage_percent
    if not 0 < percent <= 100:
        raise Invalid("The rollout covers more than 0 % and at most 100 % of the people.")
    if said.switchback is not None and (fault := switching_fault(said.switchback, _named(flag))):
        raise Invalid(fault)
    metric = find_metric(product, key)
    predicted = said.effect if said.effect is not None else predicted_of(hypothesis, metric)
    return Question(
        product,
        metric,
        now,
        flag,
        _weights(flag),
        percent / 100,
        days,
        looks,
        predicted=predicted,
        switchback=said.switchback,
    )


def _named(flag: Flag | None) -> dict[str, int]:
    return {str(at): weight for at, weight in enumerate(_weights(flag))}


def _weights(flag: Flag | None) -> tuple[int, ...]:
    if flag is None:
        return (1, 1)
    weights = weights_of(flag.weights, flag.default_variant)
    return weights if len(weights) > 1 and weights[0] > 0 else (1, 1)


def question_of_experiment(experiment: Experiment, now: datetime) -> Question:
    """From a plan."""
    design, hypothesis = experiment.design, experiment.hypothesis
    metric = find_metric(experiment.product, design.primary.key)
    return Question(
        experiment.product,
        metric,
        now,
        experiment.flag,
        weights_of(design.weights, design.control),
        design.coverage / FULL_COVERAGE,
        design.days,
        design.looks,
        design.level,
        predicted_of(hypothesis, metric),
        design.switchback,
    )


def _outlook(question: Question) -> Outlook | NoAnswer:
    return outlook(question) if question.switchback is None else outlook_of_blocks(question)


def prospect(question: Question, *, hypothesis: Hypothesis | None = None, with_lots: bool = False) -> Prospect:
    """What it could show; with an A/A test where asked for, which takes a second or two."""
    found = _outlook(question)
    if isinstance(found, Outlook) and question.predicted is None and hypothesis is not None:
        relative = predicted_of(hypothesis, question.metric, found.baseline)
        if relative is not None:  # predicted in per cent of the value, which is known only now
            found = _outlook(replace(question, predicted=relative))
    lots = aa_test(question) if with_lots and question.switchback is None else None
    return Prospect(
        found if isinstance(found, Outlook) else None,
        found.reason if isinstance(found, NoAnswer) else "",
        lots if isinstance(lots, AaTest) else None,
        lots.reason if isinstance(lots, NoAnswer) else "",
    )
