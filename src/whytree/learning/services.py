"""What may change: lock a prediction, fill its review, decide it."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.experiments.models import Experiment
from whytree.experiments.queries import experiment_of
from whytree.experiments.verdict.deciding import FOLLOWS, settle
from whytree.experiments.verdict.doubting import checked_despite
from whytree.flags.models import Flag
from whytree.flags.services import needs_approval
from whytree.tree import services as tree
from whytree.tree.models import MOVES, Hypothesis, Solution, State
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .debts.services import note_corners
from .guards.services import set_guard
from .models import LEARNING_LENGTH, PREFIX, Decision, OutcomeReview, Verdict
from .predictions.services import lock_predictions
from .queries import remember
from .reviews.doubting import STAYS, doubts
from .reviews.measuring import flag_of, measure_review
from .reviews.results import Result, as_json, from_json

#: The states a decision leads a solution through; it enters at the last one that it may move to from where it is.
LEADS_THROUGH = {
    Decision.KEEP: (State.LIVE, State.MEASURED, State.KEPT),
    Decision.ITERATE: (State.LIVE, State.MEASURED, State.BUILDING),
    Decision.ROLL_BACK: (State.LIVE, State.ROLLED_BACK),
    Decision.REMOVE: (State.LIVE, State.ROLLED_BACK, State.DROPPED),
}
#: What a verdict says of the solution, as evidence.
SPEAKS = {
    Verdict.ACHIEVED: "supports",
    Verdict.PARTLY: "supports",
    Verdict.NOT_ACHIEVED: "contradicts",
    Verdict.INCONCLUSIVE: "context",
    Verdict.HARM: "contradicts",
}
#: Harm need not wait for the day of the review.
EARLY_VERDICTS = frozenset({Verdict.HARM})

MOST_POSTPONED = timedelta(days=366)


@transaction.atomic
def lock_prediction(actor: Actor, hypothesis: Hypothesis, *, at: datetime | None = None) -> OutcomeReview:
    """Fix a prediction for good and plan its review: people see the change from `at` on (now, when not said).

    Happens by itself when the flag that carries the hypothesis opens, or at the first exposure. Locking again changes
    nothing.
    """
    require(actor, hypothesis.product, Role.MEMBER)
    locked = tree.lock_prediction(actor, hypothesis, at=at or timezone.now())
    review = OutcomeReview.objects.filter(hypothesis=locked).order_by("pk").first()
    if review is None:
        review = OutcomeReview.objects.create(
            product=locked.product,
            number=next_number(locked.product, PREFIX),
            hypothesis=locked,
            due_at=(locked.opened_at or timezone.now()) + timedelta(days=locked.horizon_days),
        )
        record(actor, locked.product, "plan_review", review, undoable=False)
        lock_predictions(actor, locked)
        if State(locked.solution.state) in {State.IDEA, State.TESTING, State.BUILDING}:
            tree.set_state(actor, locked.solution, State.LIVE)
    return review


@transaction.atomic
def fill_review(actor: Actor, review: OutcomeReview, *, now: datetime | None = None) -> Result:
    """Compute what can be said now and write it down; a decided review stays as it is.

    The first time there is a result, the solution is measured.
    """
    require(actor, review.product, Role.MEMBER)
    fresh = _held(review)
    if fresh.is_decided:
        return from_json(fresh.filled or {})
    return _fill(actor, fresh, now or timezone.now())


def _fill(actor: Actor, review: OutcomeReview, now: datetime) -> Result:
    before, state = snapshot(review), (review.filled or {}).get("state")
    result = measure_review(review, now)
    remember(review, result)
    review.filled, review.filled_at = as_json(result), now
    review.save(update_fields=["filled", "filled_at"])
    if result.state != state:  # looked at every hour; told when it says something new
        record(actor, review.product, "fill_review", review, before=before, after=snapshot(review), undoable=False)
    if result.is_measured and review.hypothesis.solution.state == State.LIVE:
        tree.set_state(actor, review.hypothesis.solution, State.MEASURED)
    return result


@transaction.atomic
def decide_review(
    actor: Actor,
    review: OutcomeReview,
    *,
    verdict: str,
    decision: str,
    learning: str,
    loved: str = "",
    corners: str = "",
    arm: str = "",
    move_flag: bool = True,
    despite: str = "",
    now: datetime | None = None,
) -> OutcomeReview:
    """A person's verdict on the prediction, what becomes of the solution, and what was learned. Once, and for good.

    The result is frozen as it stands, the solution moves on and its flag with it unless told not to, and the learning becomes
    evidence. Corners that were cut, one a line, become debts where the change stays. `arm` is the one that is kept, of several.
    `despite` says why, where checks speak against deciding.
    """
    require(actor, review.product, Role.MEMBER)
    now = now or timezone.now()
    fresh = _held(review)
    _refuse_decision(fresh, verdict, decision, learning, now)
    for text in (loved, corners):
        if len(text) > LEARNING_LENGTH or "\x00" in text:
            raise Invalid(f"Each answer fits into {LEARNING_LENGTH:,} characters of plain text.")
    arm = _kept(fresh, arm) if Decision(decision) is Decision.KEEP else ""
    result = _fill(actor, fresh, now)
    before = snapshot(fresh)
    fresh.despite = checked_despite(doubts(fresh, result, now, keeps=decision in STAYS), despite)
    fresh.verdict, fresh.decision, fresh.learning = verdict, decision, learning.strip()
    fresh.loved, fresh.corners = loved.strip(), corners.strip()
    fresh.decided_at, fresh.decided_by_id = now, actor.user_id
    fresh.save()
    record(actor, fresh.product, "decide_review", fresh, before=before, after=snapshot(fresh), undoable=False)
    solution = Solution.objects.select_related("product").get(pk=fresh.hypothesis.solution_id)
    if Decision(decision) in STAYS:
        note_corners(actor, solution, fresh.corners)
    _bring(actor, solution, Decision(decision), f"{fresh.ref}: {fresh.learning}")
    if Decision(decision) is Decision.KEEP:
        set_guard(actor, fresh, result, now, to_everybody=move_flag and not needs_approval(fresh.product_id))
    _link(actor, fresh, solution)
    tell_fact(
        "review_decided",
        actor=actor,
        product=fresh.product,
        solution_id=solution.pk,
        hypothesis_id=fresh.hypothesis_id,
        decision=decision,
        learning=fresh.learning,
        arm=arm,
        despite=fresh.despite,
    )
    flag = carrier_of(fresh)[0]
    if move_flag and flag is not None:
        settle(actor, flag, FOLLOWS[decision], arm=arm, words=f"{fresh.ref}: {fresh.learning}")
    return fresh


def carrier_of(review: OutcomeReview) -> tuple[Flag | None, list[str]]:
    """The flag that brought the change, and the arms of it that may be kept."""
    experiment: Experiment | None = experiment_of(review.hypothesis)
    if experiment is not None:
        return experiment.flag, list(experiment.design.arms[1:])
    flag = flag_of(review.hypothesis)
    if flag is None:
        return None, []
    return flag, [name for name, weight in flag.weights.items() if weight and name != flag.default_variant]


def _kept(review: OutcomeReview, arm: str) -> str:
    """Of several arms a person says which; without a flag there is none to name."""
    arms, arm = carrier_of(review)[1], arm.strip()
    if arm and arm not in arms:
        raise Invalid(
            f"There is no arm {arm[:60]!r} to keep; there {'is' if len(arms) == 1 else 'are'} {', '.join(arms)}."
        )
    if len(arms) > 1 and not arm:
        raise Invalid(f"Which arm is kept? Name one of: {', '.join(arms)}.")
    return arm or (arms[0] if arms else "")


def _refuse_decision(review: OutcomeReview, verdict: str, decision: str, learning: str, now: datetime) -> None:
    there = review.product.there
    if review.decided_at is not None:
        raise Conflict(
            f"{review.ref} was decided on {there(review.decided_at):%-d %b %Y}. A new prediction gets a new review."
        )
    if verdict not in Verdict.values:
        raise Invalid(f"A verdict is one of: {', '.join(Verdict.values)}.")
    if decision not in Decision.values:
        raise Invalid(f"A decision is one of: {', '.join(Decision.values)}.")
    if not learning.strip():
        raise Invalid("Say what was learned, in a line or three: it is what the next person will find.")
    if len(learning) > LEARNING_LENGTH or "\x00" in learning:
        raise Invalid(f"What was learned fits into {LEARNING_LENGTH:,} characters of plain text.")
    if Verdict(verdict) not in EARLY_VERDICTS and not may_be_decided(review, now):
        raise Conflict(
            f"{review.ref} is due on {there(review.due_at):%-d %b %Y}. Deciding on the day it looks good is how chance becomes a "
            "result; only harm may be decided before."
        )


def may_be_decided(review: OutcomeReview, now: datetime) -> bool:
    """It is due, or its experiment was planned with intervals that may be looked at, and decided from, on any day."""
    if now >= review.due_at:
        return True
    experiment = experiment_of(review.hypothesis)
    return experiment is not None and experiment.design.looks == "always"


def _bring(actor: Actor, solution: Solution, decision: Decision, reason: str) -> None:
    """Walk the solution to its new state by the allowed moves, so that its history has no holes."""
    for state in _steps(State(solution.state), decision):
        solution = tree.set_state(actor, solution, state, reason=reason if state is State.DROPPED else "")


def _steps(current: State, decision: Decision) -> tuple[State, ...]:
    stations = LEADS_THROUGH[decision]
    for place in reversed(range(len(stations))):
        if stations[place] is current:
            return stations[place + 1 :]
        if stations[place] in MOVES[current]:
            return stations[place:]
    raise Conflict(
        f"The solution was {current.label}; it cannot be told to {decision.label}. Reopen it or decide otherwise."
    )


def _link(actor: Actor, review: OutcomeReview, solution: Solution) -> None:
    """What live users did is the strongest evidence there is; it hangs on the solution with the review as its source."""
    tree.link_evidence(
        actor,
        review.product,
        solution,
        stance=SPEAKS[Verdict(review.verdict)],
        evidence_type="launch_data",
        source_kind="review",
        source_id=review.ref,
        statement=review.learning,
        said_at=review.decided_at,
        importance=2,
    )


@transaction.atomic
def postpone_review(actor: Actor, review: OutcomeReview, *, due_on: date) -> OutcomeReview:
    """Look again on that day of the product's calendar, because there is too little to see. Refused once there is a result."""
    require(actor, review.product, Role.MEMBER)
    fresh = _held(review)
    now = timezone.now()
    if fresh.is_decided:
        raise Conflict(f"{fresh.ref} is decided.")
    if now < fresh.due_at:
        raise Conflict(f"{fresh.ref} is not due before {fresh.product.there(fresh.due_at):%-d %b %Y}.")
    due_at = datetime.combine(due_on, time(), ZoneInfo(fresh.product.timezone))
    if not now < due_at <= now + MOST_POSTPONED:
        raise Invalid("Choose a day to come, within a year.")
    if _fill(actor, fresh, now).is_measured:
        raise Conflict("It is measured. Looking until one likes the number makes any change look good: decide.")
    before = snapshot(fresh)
    fresh.due_at = due_at
    fresh.save(update_fields=["due_at"])
    record(actor, fresh.product, "postpone_review", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


@transaction.atomic
def set_due(actor: Actor, review: OutcomeReview, *, due_at: datetime) -> OutcomeReview:
    """The day on which its experiment is read is the day of the review."""
    require(actor, review.product, Role.MEMBER)
    fresh = _held(review)
    if fresh.is_decided or fresh.due_at == due_at:
        return fresh
    before = snapshot(fresh)
    fresh.due_at = due_at
    fresh.save(update_fields=["due_at"])
    record(actor, fresh.product, "set_due", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def _held(review: OutcomeReview) -> OutcomeReview:
    """The review as it stands now, held until the transaction ends."""
    locked = OutcomeReview.objects.select_for_update(of=("self",))
    return locked.select_related("product", "hypothesis__product", "hypothesis__solution__product").get(pk=review.pk)
