"""A world made once: it is pure, so that tests may share it."""

from datetime import UTC, datetime

import pytest

from whytree.demo import returning, voices, world
from whytree.demo.story import Calendar
from whytree.demo.voices import Voice
from whytree.demo.world import World

TODAY = datetime(2026, 6, 10, 15, 30, tzinfo=UTC)  # a Wednesday afternoon


@pytest.fixture(scope="session")
def calendar() -> Calendar:
    return Calendar.of(TODAY)


@pytest.fixture(scope="session")
def small(calendar: Calendar) -> World:
    """A tenth of the people: enough for rules that hold for everybody."""
    return world.build(calendar, people=2_000)


@pytest.fixture(scope="session")
def whole(calendar: Calendar) -> World:
    """The world that `whytree demo` loads."""
    return world.build(calendar)


@pytest.fixture(scope="session")
def heard(whole: World) -> list[Voice]:
    return voices.speak(whole)


@pytest.fixture(scope="session")
def returned(whole: World, heard: list[Voice]) -> World:
    """The same, once some of those who spoke tried again."""
    return returning.come_back(whole, heard)
