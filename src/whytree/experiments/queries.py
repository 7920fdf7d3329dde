"""What may be asked of experiments."""

import re
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from whytree.errors import NotFound
from whytree.tree.models import Hypothesis
from whytree.workspace.background.fresh import kept
from whytree.workspace.models import Product

from .models import PREFIX, Experiment, Rollout, RolloutState
from .verdict.reading import Reading, from_json, read

REF = re.compile(rf"{PREFIX}-([1-9][0-9]{{0,8}})", re.IGNORECASE)

#: How long a page may show a computed result again.
FRESH_SECONDS = 30


def _experiments(product: Product) -> QuerySet[Experiment]:
    related = ("product", "flag__product", "hypothesis__solution__product", "hypothesis__product", "decided_by")
    return Experiment.objects.filter(product=product).select_related(*related)


def find_experiment(product: Product, ref: str) -> Experiment:
    """The experiment people call `ref`, as EXP-4."""
    matched = REF.fullmatch(ref.strip())
    found = _experiments(product).filter(number=int(matched[1])).first() if matched else None
    if found is None:
        raise NotFound(
            f"There is no experiment {ref.strip()[:40]} in {product.name}. `whytree experiment list` shows those there are."
        )
    return found


def list_experiments(product: Product) -> QuerySet[Experiment]:
    """All, the newest first."""
    return _experiments(product)


def experiments_of(solution_id: int) -> QuerySet[Experiment]:
    """A solution's experiments, by its hypotheses or its flags, the newest first."""
    found = Experiment.objects.select_related("product", "flag__product", "hypothesis__solution__product")
    return (found.filter(hypothesis__solution=solution_id) | found.filter(flag__solution=solution_id)).distinct()


def experiment_of(hypothesis: Hypothesis) -> Experiment | None:
    """The experiment that tests this prediction: of those that started, the latest."""
    started = _experiments(hypothesis.product).filter(hypothesis=hypothesis, started_at__isnull=False)
    return started.order_by("-started_at", "-pk").first()


def reading_of(experiment: Experiment) -> Reading | None:
    """What it says: as it stood when it was decided, else now (by some seconds). None before it has started."""
    if experiment.is_decided and experiment.result is not None:
        return from_json(experiment.result)
    if not experiment.is_started:
        return None
    read_at = experiment.read_at
    facts = [experiment.pk, read_at.isoformat() if read_at else ""]
    return kept("experiment", facts, FRESH_SECONDS, lambda: read(experiment, timezone.now()))


def may_be_decided(experiment: Experiment, now: datetime) -> bool:
    """By its plan: on any day, or on the day on which it is read."""
    read_at = experiment.read_at
    if read_at is None or experiment.is_decided:
        return False
    return experiment.design.looks == "always" or now >= read_at


def rollouts(product: Product) -> QuerySet[Rollout]:
    """All guarded rollouts, the newest first."""
    related = ("product", "flag__product", "flag__solution__product", "owner")
    return Rollout.objects.filter(product=product).select_related(*related)


def find_rollout(product: Product, flag_key: str) -> Rollout:
    """The flag's rollout: the one under way, else the latest."""
    found = list(rollouts(product).filter(flag__key=flag_key)[:20])
    if not found:
        raise NotFound(f"{flag_key[:60]} is not rolled out in steps. `whytree rollout start {flag_key[:60]}` begins.")
    return next((one for one in found if one.is_open), found[0])


def waiting_rollouts(product: Product) -> QuerySet[Rollout]:
    """Those that wait for a person: halted, or with a decision that is only a draft."""
    drafted = Q(decision__isnull=False, decided_at=None)
    return rollouts(product).filter(Q(state=RolloutState.HALTED) | drafted)
