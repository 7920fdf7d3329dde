"""What may change: a guard is set when a change is kept, looked at every day, started again after a repair, ended."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from whytree.analytics import queries as metrics
from whytree.analytics.definitions import Share
from whytree.analytics.models import Metric
from whytree.engines import guards as engine
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.sequential import FEWEST_UNITS
from whytree.errors import Conflict, Invalid
from whytree.learning.models import OutcomeGuard, OutcomeReview
from whytree.learning.results import Result
from whytree.tree.models import State
from whytree.workspace.access import require
from whytree.workspace.activity import record, snapshot
from whytree.workspace.actors import Actor
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

#: Four of each weekday: long enough to see half a gain go, short enough that a fall is not drowned by what was before.
WATCH = timedelta(days=28)
#: An alarm is raised when so much of the gain is surely gone: less would be noise, all of it would be late.
LOST = 0.5
MOST_CHARACTERS = 500


def set_guard(actor: Actor, review: OutcomeReview, result: Result, now: datetime) -> OutcomeGuard | None:
    """From what was measured, where a share of people moved the way that was wanted; None where there is nothing to guard.

    The line is drawn below today's level over everybody, in which those without the change are still counted: it is
    rather too low than too high.
    """
    contrast = result.contrast
    metric = Metric.objects.filter(product=review.product, key=review.hypothesis.metric_key).first()
    if metric is None or contrast is None or contrast.difference is None or contrast.difference_unit != "pp":
        return None
    definition = metrics.definition_of(metric)
    wanted = 1 if result.forecast.likely >= 0 else -1
    gain = contrast.difference.value / 100
    if (
        not isinstance(definition, Share)
        or min(contrast.difference.low * wanted, contrast.difference.high * wanted) <= 0
    ):
        return None
    before = metrics.measure(metric, now - WATCH - timedelta(days=definition.within_days), now)
    if before.n < FEWEST_UNITS:
        return None
    baseline = before.numerator / before.n
    guard = OutcomeGuard.objects.create(
        product=review.product,
        review=review,
        metric_key=metric.key,
        up_is_good=wanted > 0,
        baseline=baseline,
        floor=min(1.0, max(0.0, baseline - LOST * gain)),
        people_a_watch=before.n,
        watch_from=now,
        fine_at=now,
    )
    record(actor, review.product, "set_guard", guard, undoable=False)
    return guard


@transaction.atomic
def look(guard: OutcomeGuard, now: datetime | None = None) -> OutcomeGuard:
    """Everybody who entered since the watch began and had their time; a broken or ended guard stays as it is."""
    now = now or timezone.now()
    fresh = _held(guard)
    metric = Metric.objects.filter(product=fresh.product, key=fresh.metric_key).select_related("product").first()
    if fresh.ended_at is not None or fresh.broken_at is not None or metric is None or now <= fresh.watch_from:
        return fresh
    before = snapshot(fresh)
    measured = metrics.measure(metric, fresh.watch_from, now)
    fresh.looked_at, fresh.n = now, measured.n
    found = engine.look(
        measured.numerator,
        measured.n,
        floor=fresh.floor,
        up_is_good=fresh.up_is_good,
        tightest_at=max(FEWEST_UNITS, fresh.people_a_watch),
    )
    if not isinstance(found, NoAnswer):
        fresh.value, fresh.low, fresh.high = found.value, found.low, found.high
        if found.is_broken:
            fresh.broken_at = now
        elif (found.high >= fresh.baseline) if fresh.up_is_good else (found.low <= fresh.baseline):
            fresh.fine_at = now  # today's level may still be what it was
    if fresh.broken_at is None and now - fresh.watch_from >= _length(metric):
        fresh.watch_from = now
    fresh.save()
    if fresh.broken_at is not None:
        actor = Actor.system("Outcome guard")
        record(actor, fresh.product, "guard_broke", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def _length(metric: Metric) -> timedelta:
    """A watch ends when its last people had their time."""
    definition = metrics.definition_of(metric)
    return WATCH + timedelta(days=definition.within_days if isinstance(definition, Share) else 0)


@transaction.atomic
def restart_guard(actor: Actor, guard: OutcomeGuard) -> OutcomeGuard:
    """It was repaired: watch again from now on, by the same line."""
    require(actor, guard.product, Role.MEMBER)
    fresh = _held(guard)
    if fresh.ended_at is not None:
        raise Conflict(f"The guard of {fresh.ref} ended: {fresh.end_reason}")
    before, now = snapshot(fresh), timezone.now()
    fresh.watch_from = fresh.fine_at = now
    fresh.broken_at = fresh.looked_at = fresh.value = fresh.low = fresh.high = None
    fresh.n = 0
    fresh.save()
    record(actor, fresh.product, "restart_guard", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def end_guard(actor: Actor, guard: OutcomeGuard, *, reason: str) -> OutcomeGuard:
    """Nobody needs to watch this any more; says why."""
    require(actor, guard.product, Role.MEMBER)
    reason = reason.strip()
    if not reason or "\x00" in reason or len(reason) > MOST_CHARACTERS:
        raise Invalid(f"Say in up to {MOST_CHARACTERS} characters why nobody needs to watch it any more.")
    return _end(actor, guard, reason)


@transaction.atomic
def _end(actor: Actor, guard: OutcomeGuard, reason: str) -> OutcomeGuard:
    fresh = _held(guard)
    if fresh.ended_at is not None:
        raise Conflict(f"The guard of {fresh.ref} ended: {fresh.end_reason}")
    before = snapshot(fresh)
    fresh.ended_at, fresh.end_reason = timezone.now(), reason
    fresh.save()
    record(actor, fresh.product, "end_guard", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def follow_solution(actor: Actor, product: Product, solution_id: int, state: str) -> None:
    """What is taken back, dropped or built anew has no gain left to guard."""
    if state not in {State.ROLLED_BACK, State.DROPPED, State.BUILDING}:
        return
    for guard in OutcomeGuard.objects.filter(review__hypothesis__solution=solution_id, ended_at=None):
        _end(actor, guard, f"The solution is {State(state).label}.")


def _held(guard: OutcomeGuard) -> OutcomeGuard:
    related = ("product", "review__product", "review__hypothesis__solution__product")
    return OutcomeGuard.objects.select_for_update(of=("self",)).select_related(*related).get(pk=guard.pk)
