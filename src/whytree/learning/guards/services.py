"""What may change: a guard is set when a change is kept, looked at every day, started again after a repair, ended."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from whytree.analytics.models import Metric
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.sequential import FEWEST_UNITS
from whytree.errors import Conflict, Invalid
from whytree.learning.models import Basis, OutcomeGuard, OutcomeReview
from whytree.learning.reviews.results import Result
from whytree.tree.models import State
from whytree.tree.sentences import short
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .levels import Level, basis_of, lead_of, level, look_at
from .queries import says, since_fine, told

#: Four of each weekday: long enough to see half a gain go, short enough that a fall is not drowned by what was before.
WATCH = timedelta(days=28)
#: An alarm is raised when so much of the gain is surely gone: less would be noise, all of it would be late.
LOST = 0.5
MOST_CHARACTERS = 500


def set_guard(
    actor: Actor, review: OutcomeReview, result: Result, now: datetime, *, to_everybody: bool = False
) -> OutcomeGuard | None:
    """From what was measured, where it moved the way that was wanted; None where there is nothing to guard.

    The line is drawn below today's level over everybody. With `to_everybody` those who were drawn to go without the change
    get it now, and a share is taken as it will be then; otherwise they are counted as they are, and the line is rather too
    low than too high.
    """
    metric = Metric.objects.filter(product=review.product, key=review.hypothesis.metric_key).first()
    basis = basis_of(metric) if metric is not None else None
    wanted = 1 if result.forecast.likely >= 0 else -1
    if metric is None or basis is None or not _has_gained(result, wanted):
        return None
    before = level(metric, basis, now - WATCH - lead_of(metric), now)
    lost = _half_lost(result, basis, before) if before is not None else None
    if before is None or lost is None or before.n < FEWEST_UNITS:
        return None
    baseline = before.value
    if to_everybody and basis == Basis.SHARE:
        baseline = _with_everybody(metric, result, before, now)
    floor = baseline - lost
    guard = OutcomeGuard.objects.create(
        product=review.product,
        review=review,
        metric_key=metric.key,
        basis=basis,
        up_is_good=wanted > 0,
        baseline=baseline,
        floor=min(1.0, max(0.0, floor)) if basis == Basis.SHARE else floor,
        people_a_watch=before.n,
        watch_from=now,
        fine_at=now,
    )
    record(actor, review.product, "set_guard", guard, undoable=False)
    return guard


def _has_gained(result: Result, wanted: int) -> bool:
    """Beyond doubt, the way that was wanted."""
    difference = result.contrast.difference if result.contrast is not None else None
    return difference is not None and min(difference.low * wanted, difference.high * wanted) > 0


def _with_everybody(metric: Metric, result: Result, before: Level, now: datetime) -> float:
    """The level since the change opened, and the gain of those of it who were drawn to go without; never more than those with
    it came to. Drawn half and half, today's level less half of the gain is where the control was: all of it could go unseen.
    """
    contrast = result.contrast
    since = max(now - WATCH - lead_of(metric), result.opened_at)
    during = level(metric, Basis.SHARE, since, now)
    if during is None or during.n < FEWEST_UNITS or contrast is None:
        return before.value
    if contrast.difference is None or contrast.treatment is None:
        return before.value
    drawn = without = 0.0
    for stretch in result.stretches:
        part = max(timedelta(0), stretch.end - max(stretch.start, since)) / (stretch.end - stretch.start)
        people = sum(stretch.closed.values())
        drawn += part * people
        without += part * (people - stretch.closed.get(contrast.treatment.variant, 0))
    share = without / max(drawn, during.n) if drawn else 0.0
    gained, most = during.value + share * contrast.difference.value / 100, contrast.treatment.value / 100
    return (
        min(gained, max(during.value, most)) if contrast.difference.value > 0 else max(gained, min(during.value, most))
    )


def _half_lost(result: Result, basis: Basis, before: Level) -> float | None:
    """How far below today's level the line is. Shares differ in points; of other numbers the part that the change brought is
    taken, for a guard counts by other days than the comparison did."""
    contrast = result.contrast
    if contrast is None or contrast.difference is None or contrast.treatment is None:
        return None
    if basis == Basis.SHARE:
        return LOST * contrast.difference.value / 100
    if contrast.treatment.value <= 0 or before.value <= 0:
        return None
    return LOST * before.value * contrast.difference.value / contrast.treatment.value


@transaction.atomic
def look(guard: OutcomeGuard, now: datetime | None = None) -> OutcomeGuard:
    """Everybody who is counted since the watch began; a broken or ended guard stays as it is, and so does one whose metric is
    gone or counts another way now."""
    now = now or timezone.now()
    fresh = _held(guard)
    metric = Metric.objects.filter(product=fresh.product, key=fresh.metric_key).select_related("product").first()
    is_over = fresh.ended_at is not None or fresh.broken_at is not None or now <= fresh.watch_from
    if is_over or metric is None or basis_of(metric) != fresh.basis:
        return fresh
    before = snapshot(fresh)
    fresh.looked_at = now
    n, found = look_at(
        metric,
        Basis(fresh.basis),
        fresh.watch_from,
        now,
        floor=fresh.floor,
        up_is_good=fresh.up_is_good,
        tightest_at=max(FEWEST_UNITS, fresh.people_a_watch),
    )
    if fresh.value is None or not isinstance(found, NoAnswer):
        fresh.n = n  # a watch that just began has no number yet: the last one stays, with its own n
    if not isinstance(found, NoAnswer):
        fresh.value, fresh.low, fresh.high = found.value, found.low, found.high
        if found.is_broken:
            fresh.broken_at = now
        elif (found.high >= fresh.baseline) if fresh.up_is_good else (found.low <= fresh.baseline):
            fresh.fine_at = now  # today's level may still be what it was
    if fresh.broken_at is None and now - fresh.watch_from >= WATCH + lead_of(metric):
        fresh.watch_from = now  # its last people had their time
    fresh.save()
    if fresh.broken_at is not None:
        actor = Actor.system("Outcome guard")
        record(actor, fresh.product, "guard_broke", fresh, before=before, after=snapshot(fresh), undoable=False)
        _tell(fresh, now)
    return fresh


def _tell(guard: OutcomeGuard, now: datetime) -> None:
    """Whose solution it is, else who decided to keep it, hears what broke and what came since it last was fine."""
    solution = guard.review.hypothesis.solution
    tell_fact(
        "harm_seen",
        product=guard.product,
        owner_id=solution.owner_id or guard.review.decided_by_id,
        key=f"guard {guard.pk} {now.isoformat()}",
        title=f"The gain of “{short(solution.title, 80)}” is gone",
        text="\n".join([says(guard), *told(since_fine(guard))]),
        path=f"/p/{guard.product.slug}/{solution.ref}#guard",
        at=now,
    )


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
