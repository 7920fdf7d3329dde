"""What an analyst who knows nothing of the truth would compute from the world's events."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta

from whytree.demo import story
from whytree.demo.world import World
from whytree.engines import stats

WEEK = timedelta(days=7)


def compare(
    world: World, flag: str, entry: str, goal: str, *, until: datetime | None = None
) -> tuple[stats.Comparison, stats.SampleRatio]:
    """The share of exposed people who did `goal` within 7 days of `entry`, by arm, stratified by constant weights.

    Only people whose 7 days were over at `until` (today) count.
    """
    until = until or world.calendar.today
    entered, reached = _first(world, entry, until), _first(world, goal, until)
    strata, drawn = [], []
    for step, arms in _by_period(world, flag, until):
        halves = {variant: [person for person in people if person in entered] for variant, people in arms.items()}
        counted = {
            variant: [person for person in people if entered[person] <= until - WEEK]
            for variant, people in halves.items()
        }
        sides = {
            variant: _arm(sum(_within(entered, reached, person) for person in people), len(people))
            for variant, people in counted.items()
        }
        strata.append(stats.Stratum(sides["off"], sides["on"]))
        drawn.append(stats.Assigned({variant: len(people) for variant, people in arms.items()}, step.weights))
    compared, ratio = stats.difference_of_proportions(strata), stats.sample_ratio(drawn)
    assert isinstance(compared, stats.Comparison)
    assert isinstance(ratio, stats.SampleRatio)
    return compared, ratio


def _within(entered: dict[str, datetime], reached: dict[str, datetime], person: str) -> bool:
    return person in reached and timedelta() <= reached[person] - entered[person] <= WEEK


def _arm(converted: int, n: int) -> stats.Share:
    return stats.Share(n, converted)


def _first(world: World, name: str, until: datetime) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for event in world.events:
        if event.name == name and event.at < until:
            found.setdefault(event.person, event.at)
    return found


def _by_period(world: World, flag: str, until: datetime) -> Iterator[tuple[story.Step, dict[str, list[str]]]]:
    """Who met the flag first in which period, by variant; periods with one arm are left out."""
    steps = story.ROLLOUTS[flag]
    starts = [world.calendar.at(step.day, story.OPENED_AT_HOUR) for step in steps]
    periods: list[dict[str, list[str]]] = [{"on": [], "off": []} for _ in steps]
    seen: set[str] = set()
    for event in world.events:
        if event.name == "$exposure" and event.properties["flag"] == flag and event.person not in seen:
            seen.add(event.person)
            if event.at < until:
                periods[bisect_right(starts, event.at) - 1][event.properties["variant"]].append(event.person)
    return ((step, arms) for step, arms in zip(steps, periods, strict=True) if all(step.weights.values()))
