"""The world as Segment messages and API bodies, as the app and the importers of other tools would send them. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from hashlib import blake2b
from ipaddress import IPv4Address
from typing import Any

import msgspec

from . import story
from .story import Calendar
from .transcripts import webvtt
from .voices import SOURCE_NAMES, Voice, version_at
from .world import Event, Person

# What only the product's own servers can know comes in with their key, the rest with the app's public one.
SERVER_EVENTS = frozenset(
    {"first_booking", "class_booked", "class_attended", "reminder_sent", "account_flagged_spam", "support_contacted"}
)
BATCH = 6_000  # messages in a request: about 2 MB

_encode = msgspec.json.Encoder().encode


def batches(events: Iterable[tuple[int, Event, Person]], calendar: Calendar) -> Iterator[tuple[str, bytes]]:
    """(kind of key, body) for `/v1/batch`. The number beside an event makes its message id."""
    waiting: dict[str, list[dict[str, Any]]] = {"capture": [], "server": []}
    for number, event, person in events:
        kind = "server" if event.name in SERVER_EVENTS else "capture"
        waiting[kind].extend(messages(number, event, person, calendar))
        if len(waiting[kind]) >= BATCH:
            yield kind, _encode({"batch": waiting[kind]})
            waiting[kind] = []
    for kind, left in waiting.items():
        if left:
            yield kind, _encode({"batch": left})


def messages(number: int, event: Event, person: Person, calendar: Calendar) -> Iterator[dict[str, Any]]:
    """An event; and who somebody is, at the moment they tell it by finishing the sign-up.

    The app makes an id when it is installed and keeps it for the account, so that nobody changes arm by signing up.
    """
    known = person.confirmed_at is not None and event.at >= person.confirmed_at
    id_field = "userId" if known else "anonymousId"
    common = {
        id_field: person.id,
        "timestamp": event.at.isoformat(timespec="milliseconds"),
        "context": _context(
            person.platform,
            person.os,
            person.locale,
            person.country,
            version_at(calendar.day_of(event.at)),
            "/sign-up" if event.name.startswith("$form") else "/",
        ),
    }
    if event.name == "sign_up_confirmed":
        yield {"type": "identify", "messageId": f"sprout-{number}-who", "traits": _traits(person), **common}
    yield {
        "type": "track",
        "event": event.name,
        "messageId": f"sprout-{number}",
        "properties": event.properties,
        **common,
    }


@cache
def _context(platform: str, os: str, locale: str, country: str, version: str, path: str = "/") -> dict[str, Any]:
    name, _, number = os.partition(" ")
    context: dict[str, Any] = {
        "app": {"name": "Sprout", "version": version},
        "os": {"name": name, "version": number},
        "locale": locale,
        "location": {"country": country},
    }
    return context | ({"page": {"path": path}} if platform == "web" else {"device": {"type": platform}})


def _traits(person: Person) -> dict[str, str]:
    traits = {"name": person.name, "email": person.email, "plan": person.plan, "company": person.company}
    return {name: value for name, value in traits.items() if value}


def feedback(voice: Voice) -> dict[str, Any]:
    """The body that brings a voice in."""
    body = {
        "source_type": voice.source_type,
        "source_id": story.SLUG,
        "source_name": SOURCE_NAMES[voice.source],
        "submission_id": voice.id,
        "text": voice.text,
        "said_at": voice.at.isoformat(timespec="seconds"),
        "author_name": voice.author,
        "person": voice.person,
        "rating": voice.rating,
        "language": voice.language,
        "app_version": voice.app_version,
        "consent": voice.consent,
        "flags": voice.flags,
        "metadata": {**voice.metadata, **({"company": voice.company} if voice.company else {})},
    }
    return {name: value for name, value in body.items() if value not in ("", None, {})}


PAGES = "https://sprout.example"


def in_page(person: Person, at: datetime, calendar: Calendar, **said: Any) -> dict[str, Any]:
    """What a page tells of whoever is on it, as whytree.js does."""
    context = _context(person.platform, person.os, person.locale, person.country, version_at(calendar.day_of(at)))
    page = {"path": "/sign-up", "url": f"{PAGES}/sign-up"}
    return {"userId": person.id, "context": {**context, "page": page, "flags": person.arms}, **said}


def address(person: Person) -> str:
    """Everybody has one of their own."""
    return str(IPv4Address(int(blake2b(person.id.encode(), digest_size=3).hexdigest(), 16) + (10 << 24)))


def interview(voice: Voice) -> dict[str, Any]:
    """The body that brings a talk in, with its transcript."""
    return {
        "transcript": webvtt(voice),
        "file_name": f"{voice.id}.vtt",
        "source_id": voice.id,
        "participant": voice.author,
        "person": voice.person,
        "held_at": voice.at.isoformat(timespec="seconds"),
        "interviewers": [voice.metadata["interviewer"]],
        "consent": voice.consent,
        **({"guide": voice.metadata["guide"]} if voice.metadata["guide"] else {}),
    }
