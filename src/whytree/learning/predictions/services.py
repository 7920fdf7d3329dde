"""What may change: say what one expects, once, before anybody is exposed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.engines.forecasts import scoring
from whytree.errors import Conflict, Forbidden, Invalid
from whytree.learning.models import Prediction, question_hash
from whytree.tree.models import LOCKED, Hypothesis
from whytree.workspace.models import Activity, Membership, Product
from whytree.workspace.records.activity import activity_for, record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Discipline, Role

#: The hypothesis' own numbers.
FORECAST = ("forecast_low", "forecast_likely", "forecast_high")

SEEN = (
    "You have seen what others expect of {ref}, so its own numbers stand. Say what you expect now in a note, or close it and write a "
    "new hypothesis."
)


def predict(actor: Actor, hypothesis: Hypothesis, *, low: float, likely: float, high: float) -> Prediction:
    """Say what one expects: three numbers in the unit of the hypothesis, as its own forecast has them.

    It may be said again while nobody else has answered, and when the question itself was changed. Once others have
    answered it stands, since from then on one has seen theirs.
    """
    require(actor, hypothesis.product, Role.MEMBER)
    if actor.user_id is None:
        raise Forbidden("A prediction is somebody's. Use your own token, not a server key.")
    forecast = scoring.Forecast(low, likely, high)
    if problem := scoring.problem_of(forecast):
        raise Invalid(problem)
    _refuse_closed(actor, hypothesis)
    with transaction.atomic():
        # one at a time, and never while it locks
        fresh = Hypothesis.objects.select_for_update(of=("self",)).select_related("product").get(pk=hypothesis.pk)
        if fresh.is_locked:
            raise Conflict(LOCKED.format(ref=fresh.ref))
        return _say(actor, actor.user_id, fresh, forecast)


def _say(actor: Actor, user_id: int, hypothesis: Hypothesis, forecast: scoring.Forecast) -> Prediction:
    asked = question_hash(hypothesis)
    mine = Prediction.objects.filter(hypothesis=hypothesis, user_id=user_id).first()
    if mine is not None and (mine.question_hash == asked or _answered_before(mine, asked)):
        if (mine.question_hash, mine.low, mine.likely, mine.high) == (asked, *astuple(forecast)):
            return mine
        if Prediction.objects.filter(hypothesis=hypothesis, question_hash=asked).exclude(pk=mine.pk).exists():
            raise Conflict(
                f"You have answered {hypothesis.ref}, and seen what others expect: yours stands. "
                "Say in a note what made you think again."
            )
    said = mine or Prediction(product=hypothesis.product, hypothesis=hypothesis, user_id=user_id)
    said.low, said.likely, said.high = forecast.low, forecast.likely, forecast.high
    said.discipline, said.question_hash, said.said_at = _discipline(user_id, hypothesis), asked, timezone.now()
    said.save()
    # that somebody answered is told; what they said is nobody's before they answered themselves
    told = {"hypothesis": hypothesis.ref, "discipline": said.discipline, "question": asked}
    record(actor, hypothesis.product, "predict", said, after=told, undoable=False)
    return said


def _answered_before(mine: Prediction, asked: str) -> bool:
    """Whether this very question was answered by them once: it may have been changed and changed back since."""
    return activity_for(mine).filter(verb="predict", after__question=asked).exists()


def lock_predictions(actor: Actor, hypothesis: Hypothesis) -> None:
    """Write down, once, what everybody had said when the hypothesis locked; from here on all may read it."""
    current = list(Prediction.objects.filter(hypothesis=hypothesis, question_hash=question_hash(hypothesis)))
    if not current:
        return
    said = [{"discipline": one.discipline, "low": one.low, "likely": one.likely, "high": one.high} for one in current]
    told = {"predictions": said, "seal": seal(current)}
    record(actor, hypothesis.product, "lock_predictions", hypothesis, after=told, undoable=False)


def seal(predictions: list[Prediction]) -> str:
    """SHA-256 over what was said, by which question and when. Never shown before the lock: three numbers can be guessed."""
    said = [[one.question_hash, one.said_at.isoformat(), one.low, one.likely, one.high] for one in predictions]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _discipline(user_id: int, hypothesis: Hypothesis) -> str:
    membership = Membership.objects.filter(user_id=user_id, product_id=hypothesis.product_id)
    return membership.values_list("discipline", flat=True).first() or Discipline.OTHER


def _refuse_closed(actor: Actor, hypothesis: Hypothesis) -> None:
    """Before the act's own transaction, so that the log of a refused attempt outlives the refusal."""
    now = Hypothesis.objects.select_related("product").get(pk=hypothesis.pk)
    if now.is_locked:
        record(actor, now.product, "refused_prediction", now, after={"hypothesis": now.ref}, undoable=False)
        raise Conflict(f"{now.ref} is locked: people have seen the change. What one expects is said before.")
    if now.is_closed:
        raise Conflict(f"{now.ref} is closed. Reopen it first.")


def refuse_after_seeing(actor: Actor, hypothesis: Hypothesis, changes: Mapping[str, Any]) -> None:
    """Whoever has seen others' predictions moves the hypothesis' own numbers no more: they are scored as said blind.

    Seen once is seen, whatever was asked then: changing the question and changing it back is no way around.
    """
    now = Hypothesis.objects.select_related("product").get(pk=hypothesis.pk)
    moved = {name: changes[name] for name in FORECAST if name in changes and changes[name] != getattr(now, name)}
    if moved and actor.user_id is not None and _has_seen(actor.user_id, now):
        after = {"hypothesis": now.ref, **{name: str(value) for name, value in moved.items()}}
        record(actor, now.product, "refused_forecast", now, after=after, undoable=False)
        raise Conflict(SEEN.format(ref=now.ref))


def refuse_undo_after_seeing(product: Product, activity: Activity) -> None:
    """Taking an edit back moves the numbers too; whoever does it, somebody has seen."""
    if activity.verb != "edit_hypothesis" or activity.subject_type != Hypothesis._meta.label:
        return
    before, after = activity.before or {}, activity.after or {}
    if all(before.get(name) == after.get(name) for name in FORECAST):
        return
    hypothesis = Hypothesis.objects.get(pk=activity.subject_id)
    answers = Prediction.objects.filter(hypothesis=hypothesis).count()
    if answers > 1:
        raise Conflict(SEEN.format(ref=hypothesis.ref))


def _has_seen(user_id: int, hypothesis: Hypothesis) -> bool:
    """Whether they and somebody else answered one and the same question about it."""
    asked: dict[str, set[int | None]] = {}
    for one in Prediction.objects.filter(hypothesis=hypothesis):
        for act in activity_for(one).filter(verb="predict"):
            asked.setdefault((act.after or {}).get("question", ""), set()).add(one.user_id)
    return any(user_id in who and len(who) > 1 for who in asked.values())
