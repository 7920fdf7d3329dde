"""Some of those who stopped at the phone number, and said so, try again once it is asked at the booking. Pure.

They are six beside 20,000, so that nothing that is measured rests on them.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from . import story, words
from .voices import Voice
from .world import Event, Person, World, price, seeded, variant


def come_back(world: World, heard: Iterable[Voice]) -> World:
    """The same world, with what they do at their second try."""
    speakers = words.speakers()
    people = {person.id: person for person in world.people}
    events = list(world.events)
    for voice in heard:
        said = speakers.get(voice.key)
        if said is not None and said.back:
            person = people[voice.person] = replace(people[voice.person], arms={})
            events += _second_try(person, world.calendar.at(said.back), books=said.books)
    events = [event for event in events if event.at < world.calendar.today]
    events.sort(key=lambda event: (event.at, event.person))
    return World(world.calendar, tuple(people.values()), tuple(events))


def _second_try(person: Person, at: datetime, *, books: bool) -> list[Event]:
    """Through the form without the phone number; whoever books is asked for it there, the day after."""
    rng = seeded(story.SEED, "again", person.id)
    title = rng.choice(story.CLASSES)
    happened: list[Event] = []

    def do(name: str, after: float, **properties: Any) -> datetime:
        nonlocal at
        at += timedelta(seconds=after)
        happened.append(Event(at, person.id, name, properties))
        return at

    def meet(flag: str) -> None:
        person.arms[flag] = variant(flag, person.id)
        do("$exposure", 0.2, flag=flag, variant=person.arms[flag], reason="SPLIT")

    do("app_opened", 0, first=False)
    do("class_viewed", 12, title=title, city=person.city, price=price(title))
    do("sign_up_started", 9, path="/sign-up")
    meet("defer_phone")
    do("email_entered", 5.2, seconds=5.2)
    do("company_size_chosen", 7.6, seconds=7.6, choice="just me")
    person.confirmed_at = do("sign_up_confirmed", 40, plan=person.plan)
    if books:
        do("app_opened", 26 * 3_600, first=False)
        do("booking_started", 30, title=title, city=person.city)
        do("phone_entered", 11, seconds=9.8, corrections=0)
        person.booked_at = do("first_booking", 25, title=title, price=price(title))
        meet("evening_reminder")
    person.last_seen_at = at
    return happened
