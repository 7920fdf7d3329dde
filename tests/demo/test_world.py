"""The generator: as many people and events as promised, the same every time, and nothing before it could be."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from whytree.demo import story, world
from whytree.demo.story import Calendar
from whytree.demo.world import Event, World
from whytree.engines.flags import Evaluator

pytestmark = pytest.mark.slow  # the whole story: left out of `make quick`


def _counts(events: tuple[Event, ...], until: datetime) -> Counter[str]:
    return Counter(event.name for event in events if event.at < until)


def test_it_makes_the_promised_number_of_people_and_events(whole: World) -> None:
    assert len(whole.people) == 20_000
    assert len({person.id for person in whole.people}) == 20_000
    assert 285_000 < len(whole.events) < 315_000


def test_the_same_seed_and_day_make_the_same_world(calendar: Calendar, small: World) -> None:
    again = world.build(calendar, people=2_000)
    assert again.events == small.events
    assert again.people == small.people


def test_another_hour_of_the_same_day_changes_nothing() -> None:
    morning, evening = (Calendar.of(datetime(2026, 6, 10, hour, tzinfo=UTC)) for hour in (1, 23))
    assert morning == evening


def test_another_day_moves_when_people_come_but_not_who_they_are(small: World) -> None:
    tomorrow = Calendar(small.calendar.today + timedelta(days=1))
    moved = world.build(tomorrow, people=2_000)
    for before, after in zip(small.people, moved.people, strict=True):
        assert (before.id, before.name, before.refuses_phone) == (after.id, after.name, after.refuses_phone)
        assert abs(after.opened_at - before.opened_at - timedelta(days=1)) < timedelta(days=1)


def test_everything_happens_between_the_first_day_and_today(whole: World) -> None:
    times = [event.at for event in whole.events]
    assert times == sorted(times)
    assert times[0] >= whole.calendar.at(0)
    assert times[-1] < whole.calendar.today
    assert len({event.at.date() for event in whole.events}) == story.DAYS


def test_one_in_four_leaves_at_the_phone_field_before_the_change(whole: World) -> None:
    before = _counts(whole.events, whole.calendar.at(story.DEFER_OPENED))
    left = 1 - before["phone_entered"] / before["email_entered"]
    assert left == pytest.approx(0.248, abs=0.02)


def test_the_form_is_walked_in_its_order(small: World) -> None:
    steps = ["sign_up_started", "email_entered", "phone_entered", "company_size_chosen", "sign_up_confirmed"]
    seen: dict[str, list[str]] = defaultdict(list)
    for event in small.events:
        if event.name in steps and event.at < small.calendar.at(story.DEFER_OPENED):
            seen[event.person].append(event.name)
    assert seen
    for walked in seen.values():
        assert walked == steps[: len(walked)]


def test_deferred_people_are_asked_for_the_number_at_the_booking_only(small: World) -> None:
    for person in small.people:
        if person.deferred:
            own = [event.name for event in small.events if event.person == person.id]
            confirmed = own.index("sign_up_confirmed") if "sign_up_confirmed" in own else len(own)
            assert "phone_entered" not in own[:confirmed]


def test_company_size_takes_about_seven_seconds(whole: World) -> None:
    seconds = sorted(e.properties["seconds"] for e in whole.events if e.name == "company_size_chosen")
    assert seconds[len(seconds) // 2] == pytest.approx(7.2, abs=0.2)


def test_an_exposure_is_what_the_flags_answered_then(whole: World) -> None:
    for key, steps in story.ROLLOUTS.items():
        evaluators = [Evaluator(world.rules(key, step)) for step in steps]
        starts = [whole.calendar.at(step.day, story.OPENED_AT_HOUR) for step in steps]
        met = [event for event in whole.events if event.name == "$exposure" and event.properties["flag"] == key]
        assert met
        for event in met:
            assert event.at >= starts[0]
            evaluator = [e for start, e in zip(starts, evaluators, strict=True) if start <= event.at][-1]
            answer = evaluator.evaluate(event.person)
            assert answer.in_rollout
            assert answer.variant == event.properties["variant"]


def test_a_ramp_changes_nobodys_arm(whole: World) -> None:
    arms: dict[str, set[str]] = defaultdict(set)
    for event in whole.events:
        if event.name == "$exposure" and event.properties["flag"] == "defer_phone":
            arms[event.person].add(event.properties["variant"])
    assert all(len(variants) == 1 for variants in arms.values())


def test_the_explanation_is_shown_only_where_the_field_is(whole: World) -> None:
    explained = [person for person in whole.people if "explain_phone" in person.arms]
    assert explained
    assert not any(person.deferred for person in explained)


def test_nine_of_four_hundred_press_the_fake_door(whole: World) -> None:
    day = whole.calendar.at(story.FAKE_DOOR_DAY), whole.calendar.at(story.FAKE_DOOR_DAY + 1)
    shown = [event for event in whole.events if event.name == "social_sign_in_shown"]
    pressed = [event for event in whole.events if event.name == "social_sign_in_pressed"]
    assert len({event.person for event in shown}) == len(shown) == 400
    assert len({event.person for event in pressed}) == len(pressed) == 9
    assert all(day[0] <= event.at < day[1] for event in shown + pressed)


def test_the_review_of_the_deferral_falls_due_as_today_begins(calendar: Calendar) -> None:
    due = calendar.at(story.DEFER_OPENED, story.OPENED_AT_HOUR) + timedelta(days=story.DEFER_HORIZON)
    assert timedelta() < calendar.today - due <= timedelta(days=1)


def test_the_explanation_is_on_its_ninth_day(calendar: Calendar) -> None:
    opened = calendar.at(story.EXPLAIN_OPENED, story.OPENED_AT_HOUR)
    assert (calendar.at(story.DAYS, 12) - opened).days + 1 == 9
