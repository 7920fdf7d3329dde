"""How an act gets into the script, and what several acts do alike."""

from collections.abc import Callable
from typing import Any

from .. import story
from ..stage import Desk

Play = Callable[[Desk], None]
WRITTEN: list[tuple[float, float, str, Play]] = []


def act(day: float, hour: float, who: str) -> Callable[[Play], Play]:
    """Adds an act to the script."""

    def add(play: Play) -> Play:
        WRITTEN.append((day, hour, who, play))
        return play

    return add


def counted(kind: str, event: str) -> dict[str, Any]:
    return {"version": 1, "kind": kind, "event": event}


def create_flag(desk: Desk, key: str, name: str, hypothesis: str) -> None:
    weights = story.ROLLOUTS[key][0].weights
    desk.post("flags", key=key, name=name, weights=weights, hypothesis=desk.ref(hypothesis))


def plan_experiment(desk: Desk, name: str, flag: str, *, also: str = "") -> None:
    """What decides and what guards is the hypothesis's; the start is small, as the rollout's first step says."""
    first = story.ROLLOUTS[flag][0]
    plan: dict[str, Any] = {"weights": first.weights, "coverage_percent": first.coverage / 100}
    made = desk.make("experiments", name, flag=flag, plan=plan)
    if also:
        metrics = desk.get(f"experiments/{made}")["plan"]["metrics"]
        desk.patch(f"experiments/{made}", plan={"metrics": [metrics[0], {"key": also}, *metrics[1:]]})


def start_experiment(desk: Desk, name: str) -> None:
    desk.catch_up()
    desk.post(f"experiments/{desk.ref(name)}/start")


def roll_out(desk: Desk, key: str, step: int) -> None:
    desk.catch_up()
    wanted = story.ROLLOUTS[key][step]
    desk.post(f"flags/{key}/rollout", coverage_percent=wanted.coverage / 100, weights=wanted.weights)


def expect(desk: Desk, hypothesis: str, flag: str) -> None:
    """Everybody says what they expect, each before they see the others'."""
    for who, (low, likely, high) in story.EXPECTED[flag].items():
        desk.colleague(who).post(f"hypotheses/{desk.ref(hypothesis)}/predictions", low=low, likely=likely, high=high)
