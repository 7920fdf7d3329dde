"""What whytree.js tells of the form: only what people did, and where they left."""

from collections import Counter, defaultdict

import pytest

from whytree.demo import story
from whytree.demo.watching import watch_the_form
from whytree.demo.world import Event, World

pytestmark = pytest.mark.slow  # the whole story: left out of `make quick`


@pytest.fixture(scope="module")
def told(returned: World) -> dict[str, list[Event]]:
    """By person, in their order."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in watch_the_form(returned).events:
        if event.name.startswith("$form"):
            found[event.person].append(event)
    return found


def test_it_tells_of_people_on_the_web_since_it_is_in_the_pages(returned: World, told: dict[str, list[Event]]) -> None:
    platforms = {person.id: person.platform for person in returned.people}
    assert {platforms[who] for who in told} == {"web"}
    assert min(event.at for events in told.values() for event in events) >= returned.calendar.at(story.PAGES_WATCHED)
    assert len(told) > 1_500


def test_one_in_four_who_reach_the_number_leave_there(told: dict[str, list[Event]]) -> None:
    phone = [e.properties for events in told.values() for e in events if e.properties.get("field") == "phone"]
    reached = [one for one in phone if one["focused"]]
    left = sum(one["left"] for one in reached)
    assert left / len(reached) == pytest.approx(story.REFUSES_PHONE["web"], abs=0.05)
    assert not any(one["left"] for one in phone if not one["focused"])


def test_whoever_is_spared_the_number_never_meets_its_field(returned: World, told: dict[str, list[Event]]) -> None:
    spared = {person.id for person in returned.people if person.deferred and person.id in told}
    assert spared
    met = {who for who, events in told.items() for e in events if e.properties.get("field") == "phone"}
    assert not spared & met


def test_a_visit_ends_once_and_is_left_in_one_field_at_most(told: dict[str, list[Event]]) -> None:
    for events in told.values():
        names = Counter(event.name for event in events)
        assert names["$form_shown"] == 1
        assert names["$form_started"] == names["$form_submitted"] + names["$form_left"] <= 1
        left = sum(event.properties.get("left", False) for event in events)
        assert left == names["$form_left"]
