"""A bandit that goes on by itself: once a day the weights follow what each arm has earned, until somebody ends it.

Its flag may test nothing: no hypothesis, experiment or rollout. Each day with new weights is a period of its own in whatever
is ever read of the flag, and a person's own weights end it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from whytree.engines.figures import number
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.experiments.models import TEXT_LENGTH, Bandit
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag
from whytree.flags.services import needs_approval, set_rollout
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .bandit import Allocation, allocation_of, refuse_bandit, weights_of

#: How far an arm's share has to have moved before the weights are touched: each touch begins a new period.
LEAST_MOVE = 0.01


def bandits(product: Product) -> list[Bandit]:
    """Those that go on, the newest first."""
    return list(Bandit.objects.filter(product=product, ended_at=None).select_related("product", "flag__product"))


def find_bandit(product: Product, key: str) -> Bandit:
    """The one that goes on for this flag."""
    found = next((one for one in bandits(product) if one.flag.key == key), None)
    if found is None:
        raise NotFound(
            f"{key[:60]} does not share its people out by results. `whytree flag allocate {key[:60]} --daily` begins."
        )
    return found


@transaction.atomic
def start_bandit(actor: Actor, product: Product, key: str, metric_key: str) -> Bandit:
    """Share the flag's people out by results from now on, every day. The first time is now."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True)
    _refuse_learning(flag)
    refuse_bandit(flag)
    allocation_of(flag, metric_key, timezone.now())
    bandit = Bandit(
        product=product, flag=flag, metric_key=metric_key.strip(), weights=flag.weights, started_at=timezone.now()
    )
    bandit.save()
    record(actor, product, "start_bandit", bandit, undoable=False)
    return share_out(bandit)


def _refuse_learning(flag: Flag) -> None:
    if flag.hypothesis is not None:
        raise Conflict(
            f"{flag.key} tests {flag.hypothesis.ref}, and shares that follow the results would spoil its answer. Run an experiment, "
            "or take the hypothesis off the flag."
        )
    if not flag.is_open:
        raise Conflict(f"{flag.key} is {flag.state}, so nobody is shared out. Open it first.")
    if needs_approval(flag.product_id):
        raise Conflict(
            "Changes in production need the approval of another maintainer, and this would change weights every day by itself. "
            "Share out by hand, and let each be approved."
        )


def end_bandit(actor: Actor, bandit: Bandit, *, reason: str = "") -> Bandit:
    """Leave the weights as they are from now on."""
    require(actor, bandit.product, Role.MEMBER)
    reason = reason.strip() or "Ended by hand."
    if len(reason) > TEXT_LENGTH or "\x00" in reason:
        raise Invalid(f"A reason fits into {TEXT_LENGTH:,} characters of plain text.")
    return _end(actor, bandit, reason)


@transaction.atomic
def share_out(bandit: Bandit, *, now: datetime | None = None) -> Bandit:
    """One look, by the daily job: weights follow where they moved; what no longer goes ends it, and says why."""
    fresh, now = _held(bandit), now or timezone.now()
    actor, flag = Actor.system(f"Bandit of {fresh.flag.key}"), fresh.flag
    if fresh.ended_at is not None:
        return fresh
    if flag.archived_at is not None:
        return _end(actor, fresh, f"{flag.key} was archived.")
    if flag.weights != fresh.weights:
        return _end(actor, fresh, "Its weights were changed by hand, and stay as they are now.")
    if not flag.is_open:
        says = f"{flag.key} is {flag.state}; this goes on when it reaches people again."
        Bandit.objects.filter(pk=fresh.pk).update(looked_at=now, says=says)
        return _held(fresh)
    try:
        _refuse_learning(flag)
        found = allocation_of(flag, fresh.metric_key, now)
        if _moved(found):
            with transaction.atomic():
                flag = set_rollout(
                    actor, fresh.product, flag.key, weights=weights_of(found), switching={}, verb="allocate_flag"
                )
    except WhytreeError as error:
        return _end(actor, fresh, error.message)
    Bandit.objects.filter(pk=fresh.pk).update(looked_at=now, weights=flag.weights, says=_said(found))
    return _held(fresh)


def _moved(found: Allocation) -> bool:
    return not found.reason and any(abs(one.share - one.share_now) >= LEAST_MOVE for one in found.arms)


def _said(found: Allocation) -> str:
    shares = ", ".join(f"{one.arm} {number(round(100 * one.share, 1))} %" for one in found.arms)
    return found.reason or f"Earned so far: {shares}."


@transaction.atomic
def _end(actor: Actor, bandit: Bandit, reason: str) -> Bandit:
    fresh = _held(bandit)
    if fresh.ended_at is not None:
        raise Conflict(f"It ended already: {fresh.end_reason}")
    before = snapshot(fresh)
    fresh.ended_at, fresh.end_reason = timezone.now(), reason
    fresh.save()
    record(actor, fresh.product, "end_bandit", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def _held(bandit: Bandit) -> Bandit:
    locked = Bandit.objects.select_for_update(of=("self",))
    return locked.select_related("product", "flag__product", "flag__hypothesis").get(pk=bandit.pk)
