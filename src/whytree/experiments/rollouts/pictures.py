"""A rollout's steps as its page shows them."""

from dataclasses import dataclass

from whytree.engines.flags import percent
from whytree.experiments.models import Rollout
from whytree.flags.models import Flag


@dataclass(frozen=True)
class Step:
    percent: str
    says: str
    is_now: bool
    is_past: bool


def steps_of(rollout: Rollout) -> list[Step]:
    """In order; the one it stands at says why."""
    return [
        Step(percent(step["share"]), _says(rollout, place, step), place == rollout.step, place < rollout.step)
        for place, step in enumerate(rollout.steps)
    ]


def rails_of(flag: Flag) -> list[str]:
    """The guardrails of the flag's hypothesis, as people write them: `crashes:up=0.5`."""
    said = flag.hypothesis.guardrails if flag.hypothesis else []
    return [f"{rail['metric_key']}:{rail['direction']}={rail['margin']:g}" for rail in said]


def _says(rollout: Rollout, place: int, step: dict[str, int]) -> str:
    if place < rollout.step:
        return "passed"
    if place == rollout.step:
        return f"since {rollout.step_since:%-d %b}. {rollout.says}".strip()
    earlier = rollout.steps[place - 1]
    least = [f"{earlier['days']} day{'' if earlier['days'] == 1 else 's'}"] if earlier["days"] else []
    least += [f"{earlier['people']:,} people"] if earlier["people"] else []
    return f"after {' and '.join(least)} at {percent(earlier['share'])}" if least else "next"
