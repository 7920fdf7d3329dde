"""Who said what, where and when: some 400 pieces of feedback, each from somebody it fits. Pure.

A voice never comes before what it speaks about: each is tied to a moment in the life of the person who speaks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from . import names, story, words
from .words import Interview, Key, Text
from .world import Person, World, seeded, variant

TOTAL = 420  # at most; a theme that runs out of words falls silent
SOURCE_NAMES = {
    "play": "Play reviews",
    "in_app": "In the app",
    "support": "Support",
    "survey": "Sign-up survey",
    "github": "Widget issues",
    "widget": "feedback box",
    "interview": "Interviews",
}
SOURCE_TYPES = {"play": "play_review", "survey": "survey", "github": "github_issue"}
VERSIONS = ((-700, "4.0"), (8, "4.1"), (36, "4.2"), (38, "4.2.1"))  # the app's releases, by day
_TONGUES = {"DE": "German", "GB": "Welsh", "PL": "Polish", "NL": "Dutch", "FR": "French", "US": "Spanish"}
_PLANTS = ("basil", "tomatoes", "mint", "monstera", "roses", "chillies", "strawberries", "lavender", "orchid")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TELL_VERSION = {"play", "in_app", "survey", "widget"}
_REPEATS = 4  # how often a text with slots may be used


@dataclass(frozen=True)
class Voice:
    """One thing one person said. `key` names it when the story leans on it."""

    at: datetime
    source: str
    id: str
    text: str
    theme: str
    person: str = ""
    author: str = ""
    rating: int | None = None
    language: str = "en"
    app_version: str = ""
    consent: str = "internal"
    company: str = ""
    key: str = ""
    flags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def source_type(self) -> str:
        return SOURCE_TYPES.get(self.source, self.source)


# --- whom a text can come from, and the moment it speaks about --------------------------------------------------------

Moment = Callable[[Person], datetime | None]


def _crashed(world: World) -> Moment:
    crashes = {event.person: event.at for event in world.events if event.name == "app_crashed"}
    return lambda person: crashes.get(person.id)


def moments(world: World) -> dict[str, Moment]:
    """For each kind of speaker, when somebody became one; None for who never did."""
    reminders = world.calendar.at(story.REMINDER_OPENED)
    return {
        "any": lambda person: person.opened_at,
        "stranger": lambda person: person.opened_at,
        "anonymous": lambda person: person.opened_at,
        "native": lambda person: person.confirmed_at,
        "left_early": lambda person: None if person.confirmed_at or person.left_at_phone else person.opened_at,
        "left_at_phone": lambda person: person.left_at_phone,
        "struggled": lambda person: person.left_at_phone if person.struggled_at else None,
        "left_at_company": lambda person: person.confirmed_at,
        "confirmed": lambda person: person.confirmed_at,
        "deferred_early": lambda person: person.confirmed_at if person.deferred else None,
        "deferred_booked": lambda person: person.booked_at if person.deferred else None,
        "explained": lambda person: person.started_at if person.arms.get("explain_phone") == "on" else None,
        "booked": lambda person: person.booked_at,
        "booked_before_reminder": lambda person: (
            person.booked_at if person.booked_at and not person.attended_at and not _reminded(person) else None
        ),
        "reminded": lambda person: (
            person.attended_at if _reminded(person) and person.attended_at and person.attended_at > reminders else None
        ),
        "attended": lambda person: person.attended_at,
        "crashed": _crashed(world),
    }


def _reminded(person: Person) -> bool:
    return person.arms.get("evening_reminder") == "on"


# --- everything that was said ------------------------------------------------------------------------------------------


def speak(world: World) -> list[Voice]:
    """All voices, in the order in which they were heard."""
    return sorted(_Choir(world).sing(), key=lambda voice: (voice.at, voice.id))


class _Choir:
    """Hands every text to somebody it fits; nobody speaks twice."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moments = moments(world)
        self._by_who: dict[str, list[tuple[datetime, Person]]] = {}
        self._spoken: set[str] = set()
        self._names = {interview.name for interview in words.interviews()}
        self._texts: set[str] = set()
        self._count = 0

    def sing(self) -> Iterator[Voice]:
        held = words.interviews()
        keys = words.keys()
        for interview in held:
            yield self._interview(interview)
        for name, key in keys.items():
            yield self._keyed(name, key)
        left = TOTAL - len(held) - len(keys)
        whole = sum(words.shares().values())
        for theme, share in words.shares().items():
            yield from self._theme(theme, round(left * share / whole))

    def _theme(self, theme: str, wanted: int) -> Iterator[Voice]:
        rng = seeded(story.SEED, "voices", theme)
        known = [text for text in words.texts() if text.theme == theme]
        rng.shuffle(known)
        again = [text for text in known if text.has_slots] * (_REPEATS - 1)
        for text in (known + again)[:wanted]:
            voice = self._voice(text, rng)
            if voice.text not in self._texts:  # a second filling may come out as the first
                self._texts.add(voice.text)
                yield voice

    def _voice(self, text: Text, rng: Random) -> Voice:
        moment, person = self._somebody(text, rng)
        wait = timedelta(minutes=rng.choice((2, 5, 20, 90, 600, 1400)) * (0.5 + rng.random()))
        at = min(moment + wait, self._world.calendar.today - timedelta(minutes=rng.randint(5, 400)))
        return self._made(
            text.source,
            max(at, moment + timedelta(minutes=1)),
            _filled(text.text, person, rng),
            text.theme,
            person=person,
            rating=rng.choice(text.stars) if text.stars and text.source in {"play", "survey"} else None,
            language=text.language,
        )

    def _keyed(self, name: str, key: Key) -> Voice:
        rng = seeded(story.SEED, "key", name)
        at = self._world.calendar.at(key.day, rng.randint(8, 20), rng.randint(0, 59))
        known = key.source in {"in_app", "support", "widget"} and not key.author
        person = self._somebody_before(key.who, at, rng, fits=_fits(key)) if known else None
        return self._made(
            key.source,
            at,
            key.text,
            name.split("-")[0],
            person=person,
            author=key.author,
            rating=key.stars or None,
            consent=key.consent,
            company=key.company,
            key=name,
        )

    def _interview(self, interview: Interview) -> Voice:
        rng = seeded(story.SEED, "interview", interview.name)
        at = self._world.calendar.at(interview.day, 14, rng.choice((0, 30)))
        fits = _fits(interview, country=interview.country)
        person = self._somebody_before(interview.who, at, rng, fits=fits)
        first, last = interview.name.split(" ", 1)
        person.name, person.email = interview.name, f"{names.plain(first)}.{names.plain(last)}@mail.example"
        if interview.company:
            person.plan, person.company = "business", interview.company
        metadata = {"interviewer": interview.interviewer, "minutes": interview.minutes, "guide": interview.guide}
        voice = self._made(
            "interview", at, interview.text.strip(), "interview", person=person, consent="quotable", key=interview.name
        )
        return replace(voice, metadata=metadata)

    def _made(
        self,
        source: str,
        at: datetime,
        text: str,
        theme: str,
        *,
        person: Person | None = None,
        author: str = "",
        rating: int | None = None,
        language: str = "en",
        consent: str = "internal",
        company: str = "",
        key: str = "",
    ) -> Voice:
        """Stores hide who wrote, and a survey asks nobody's name: only the box in the app and support know the person."""
        self._count += 1
        known = person is not None and source in {"in_app", "support", "interview", "widget"}
        public = person is not None and source in {"play", "github"}
        name = person.name if person else ""
        return Voice(
            at=at,
            source=source,
            id=f"{source}-{1000 + self._count}",
            text=text,
            theme=theme,
            person=person.id if person and known else "",
            author=author or (name if known else _public_name(name, source) if public else ""),
            rating=rating,
            language=language,
            app_version=version_at(self._world.calendar.day_of(at)) if source in _TELL_VERSION else "",
            consent=consent,
            company=company or (person.company if person and source == "support" else ""),
            key=key,
            flags=dict(person.arms) if person and source in {"survey", "widget"} else {},
        )

    def _somebody(self, text: Text, rng: Random) -> tuple[datetime, Person]:
        for _ in range(1000):
            moment, person = rng.choice(self._candidates(text.who))
            fits = text.language == "en" or person.locale.startswith(text.language)
            if fits and person.id not in self._spoken:
                self._spoken.add(person.id)
                return moment, person
        raise LookupError(f"nobody can say: {text.text}")

    def _somebody_before(self, who: str, at: datetime, rng: Random, *, fits: Callable[[Person], bool]) -> Person:
        """Somebody to whom it had happened by then, rather lately."""
        before = [
            person
            for moment, person in self._candidates(who)
            if moment < at - timedelta(hours=1) and person.id not in self._spoken and fits(person)
        ]
        if not before:
            raise LookupError(f"nobody is {who} before {at}")
        person = rng.choice([one for one in before[-25:] if one.name not in self._names] or before)
        self._spoken.add(person.id)
        self._names.add(person.name)  # two of the same name would be taken for one
        return person

    def _candidates(self, who: str) -> list[tuple[datetime, Person]]:
        if who not in self._by_who:
            of, today = self._moments[who], self._world.calendar.today
            found = [(moment, person) for person in self._world.people if (moment := of(person)) is not None]
            self._by_who[who] = sorted(
                ((moment, person) for moment, person in found if moment < today - timedelta(hours=8)),
                key=lambda pair: pair[0],
            )
        return self._by_who[who]


def _fits(said: Key | Interview, *, country: str = "") -> Callable[[Person], bool]:
    """Whoever comes back is to get the change then; the feedback box is in the web pages."""

    def fits(person: Person) -> bool:
        return (
            country in {"", person.country}
            and (not said.back or variant("defer_phone", person.id) == "on")
            and (getattr(said, "source", "") != "widget" or person.platform == "web")
        )

    return fits


@cache
def version_at(day: int) -> str:
    """The app's release of that day."""
    return next(version for since, version in reversed(VERSIONS) if day >= since)


def _public_name(name: str, source: str) -> str:
    """ "Mira Tran" in a store: "Mira T."; in a tracker: "mira-tran"."""
    first, _, last = name.partition(" ")
    return f"{first} {last[:1]}." if source == "play" else f"{names.plain(first)}-{names.plain(last)}"


def _filled(text: str, person: Person, rng: Random) -> str:
    slots = {
        "city": person.city,
        "first": person.name.split()[0],
        "cls": rng.choice(story.CLASSES),
        "plant": rng.choice(_PLANTS),
        "day": rng.choice(_WEEKDAYS),
        "euro": rng.choice((15, 18, 22, 24, 29, 35, 42)),
        "n": rng.choice((31, 44, 48, 49, 33)),
        "device": person.device,
        "tongue": _TONGUES[person.country],
    }
    return text.format_map(slots) if "{" in text else text
