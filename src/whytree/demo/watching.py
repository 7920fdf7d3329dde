"""What whytree.js tells of the sign-up form on the web pages, since it is in them. Pure.

It adds nothing to what people did: whoever filled a field in was in it, and whoever went was last in the field that comes next.
The app on phones has no such pages; its own events say that a field was filled in, and no more.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from . import story
from .world import Event, Person, World, seeded

FILLED = {"email": "email_entered", "phone": "phone_entered", "company_size": "company_size_chosen"}
#: Of 100 who go without an address, so many were never in the form; of those who go later, so many look at the next field first.
NEVER_BEGAN, TRIES_NEXT = 55, 92
NUMBER_REFUSED = 30  # of 100 who struggle with the number, so many are shown an error beside it


def watch_the_form(world: World) -> World:
    """The same world, with what the pages tell of everybody who met the form on the web."""
    begins, today = world.calendar.at(story.PAGES_WATCHED), world.calendar.today
    watched = {one.id: one for one in world.people if one.platform == "web"}
    lives: dict[str, list[Event]] = defaultdict(list)
    for event in world.events:
        if event.person in watched and event.at >= begins:
            lives[event.person].append(event)
    told = [event for who, life in lives.items() for event in _told(watched[who], life) if event.at < today]
    events = sorted((*world.events, *told), key=lambda event: (event.at, event.person))
    return World(world.calendar, world.people, tuple(events))


def _told(person: Person, life: list[Event]) -> Iterator[Event]:
    """One visit of the form, from meeting to leaving it."""
    opened = next((event for event in life if event.name == "sign_up_started"), None)
    if opened is None:
        return
    rng = seeded(story.SEED, "form", person.id)
    visit = _visit(life, opened.at)
    fields = [name for name in FILLED if name != "phone" or not person.deferred]
    filled = [name for name in fields if FILLED[name] in visit]
    yield _event(opened.at, person, "$form_shown", fields=len(fields))
    sent = visit.get("sign_up_confirmed")
    last = filled[-1] if filled else ""
    waiting = [name for name in fields if name not in filled]
    tries = 100 * rng.random() < (TRIES_NEXT if filled else 100 - NEVER_BEGAN)
    if not sent and waiting and (tries or "phone_struggled" in visit):
        last = waiting[0]
    ends = sent.at if sent else max(event.at for event in visit.values()) + timedelta(seconds=4 + 30 * rng.random())
    if last:
        began = opened.at + timedelta(seconds=1 + 2 * rng.random())
        yield _event(began, person, "$form_started", first_field=fields[0])
    for position, name in enumerate(fields, 1):
        how = _how(name, visit, rng, met=name in filled or name == last)
        yield _event(ends, person, "$form_field", field=name, position=position, **how, left=not sent and name == last)
    if last:
        seconds = round((ends - began).total_seconds(), 1)
        yield _event(ends, person, "$form_submitted" if sent else "$form_left", last_field=last, form_seconds=seconds)


def _visit(life: list[Event], opened: datetime) -> dict[str, Event]:
    """What happened in the form, by name: nobody takes longer than ten minutes over three fields."""
    closes = opened + timedelta(minutes=10)
    names = {"sign_up_started", "phone_struggled", "sign_up_confirmed", *FILLED.values()}
    return {event.name: event for event in reversed(life) if event.name in names and opened <= event.at < closes}


def _how(name: str, visit: dict[str, Event], rng: Random, *, met: bool) -> dict[str, Any]:
    """How it went in one field, in the words of whytree.js."""
    filled = visit.get(FILLED[name])
    struggled = visit.get("phone_struggled") if name == "phone" else None
    corrected = max((event.properties.get("corrections", 0) for event in (filled, struggled) if event), default=0)
    refused = int(struggled is not None and 100 * rng.random() < NUMBER_REFUSED)
    changed = corrected + 1 if filled or struggled else 0
    told = {"focused": int(met), "changed": changed, "corrected": corrected, "errors": refused}
    if not met:
        return told
    return told | {"seconds": filled.properties["seconds"] if filled else round(3 + 25 * rng.random(), 1)}


def _event(at: datetime, person: Person, name: str, **properties: Any) -> Event:
    return Event(at, person.id, name, {"form": story.FORM, **properties})
