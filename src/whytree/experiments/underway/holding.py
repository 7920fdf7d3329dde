"""What may not be taken from under something that runs: the metric that watches it, the arms that people have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from whytree.errors import Conflict
from whytree.flags.models import Flag
from whytree.workspace.models import Product

from ..models import OPEN_STATES, Bandit, Experiment, Rollout


def running(product: Product) -> QuerySet[Experiment]:
    """Experiments that people are in now."""
    return Experiment.objects.filter(product=product, started_at__isnull=False, stopped_at=None, decided_at=None)


def running_on(flag: Flag) -> Experiment | None:
    """The experiment whose plan the flag's weights are."""
    return running(flag.product).filter(flag=flag).select_related("product").first()


def refuse_metric(product: Product, key: str, is_leaving: bool) -> None:
    """A rollout and a bandit count as the metric does now. An experiment has a copy of what it counts, and no more than that."""
    makes = "" if is_leaving else " Or make a new metric."
    for rollout in Rollout.objects.filter(product=product, state__in=OPEN_STATES).select_related("flag"):
        if any(rail["metric_key"] == key for rail in rollout.guardrails):
            raise Conflict(f"{key} guards the rollout of {rollout.flag.key}. End that first.{makes}")
    bandit = Bandit.objects.filter(product=product, metric_key=key, ended_at=None).select_related("flag").first()
    if bandit is not None:
        raise Conflict(f"{bandit.flag.key} shares its people out by {key}. End that first.{makes}")
    undecided = Experiment.objects.filter(product=product, started_at__isnull=False, decided_at=None)
    for experiment in undecided if is_leaving else ():
        if any(one.key == key for one in experiment.design.metrics):
            raise Conflict(f"{experiment.ref} counts {key} and is not decided. Decide it first.")


def refuse_edit(flag: Flag, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """While an experiment runs, its arms stay what they are, and the flag with the hypothesis that is tested on it."""
    experiment = running_on(flag)
    if experiment is None:
        return
    arms = experiment.design.arms
    other = [arm for arm in arms if before["variants"].get(arm) != after["variants"].get(arm)]
    if other:
        raise Conflict(
            f"{experiment.ref} runs on {flag.key}, and “{other[0]}” is an arm of it: what people have must stay. Decide or stop it first."
        )
    if experiment.hypothesis_id is not None and flag.hypothesis_id != experiment.hypothesis_id:
        ref = experiment.hypothesis.ref if experiment.hypothesis is not None else ""
        raise Conflict(f"{experiment.ref} tests {ref} on {flag.key}. Decide or stop it first.")
