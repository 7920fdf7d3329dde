"""What goes on by itself: fake doors close, rollouts are watched and take their steps, bandits share people out."""

from datetime import timedelta
from typing import Any

from whytree.workspace.background.jobs import enqueue, handler

from .deeper.sharing import share_out
from .early.before_code import close_full_doors
from .models import Bandit, Rollout, RolloutState
from .rollouts.services import look_after

#: How often open fake doors are looked at: nobody is fooled much longer than was needed.
LOOK_EVERY = timedelta(minutes=10)


@handler("experiments.close_full_doors", every=LOOK_EVERY)
def close_doors(payload: dict[str, Any]) -> None:
    """Turn off the flag of each fake door that enough people have seen."""
    close_full_doors()


@handler("experiments.look_after_rollouts", every=LOOK_EVERY)
def look_after_rollouts(payload: dict[str, Any]) -> None:
    """Ask for a look at every running rollout: one job each, so that none waits for another's trouble."""
    for pk in Rollout.objects.filter(state=RolloutState.RUNNING).values_list("pk", flat=True):
        enqueue("experiments.look_after", {"rollout": pk}, key=str(pk))


@handler("experiments.look_after")
def look_after_one(payload: dict[str, Any]) -> None:
    """One look; gone or ended meanwhile is no trouble."""
    related = ("product", "flag__product", "flag__solution__product", "owner")
    rollout = Rollout.objects.filter(pk=payload["rollout"]).select_related(*related).first()
    if rollout is not None:
        look_after(rollout)


@handler("experiments.share_out_all", every=timedelta(days=1))
def share_out_all(payload: dict[str, Any]) -> None:
    """Ask for a look at every bandit that goes on, one job each."""
    for pk in Bandit.objects.filter(ended_at=None).values_list("pk", flat=True):
        enqueue("experiments.share_out", {"bandit": pk}, key=str(pk))


@handler("experiments.share_out")
def share_out_one(payload: dict[str, Any]) -> None:
    """One look; gone meanwhile is no trouble."""
    bandit = Bandit.objects.filter(pk=payload["bandit"]).first()
    if bandit is not None:
        share_out(bandit)
