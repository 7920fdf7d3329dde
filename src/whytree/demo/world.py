"""20,000 people and what they do, made from a seed. Pure: the same seed and day give the same world.

Each person has dice of their own, so that what one person does never depends on another, and moving the calendar by a
day moves when people come but not who they are. What decides and what only colours (names, titles, seconds) are
different dice: a new class in the catalogue changes nobody's mind.

The change under test works on *people*: whoever would leave at the phone field (`refuses_phone`) gets past the sign-up
when the number is deferred, and some of these book. Their share is derived from the true effect, so the difference
between the arms has that expectation exactly.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from whytree.engines.flags import Evaluator, Rules
from whytree.workspace.background.collecting import without_collecting

from . import names, story
from .story import Calendar

WINDOW = timedelta(days=7)


class Event(NamedTuple):
    at: datetime
    person: str  # id on the wire
    name: str
    properties: dict[str, Any]


@dataclass(slots=True)
class Person:
    """Who somebody is, and what became of them: the latter is None where it never happened (or not by today)."""

    id: str
    platform: str
    os: str
    device: str
    country: str
    locale: str
    city: str
    name: str
    email: str
    plan: str
    company: str
    opened_at: datetime
    refuses_phone: bool
    arms: dict[str, str] = field(default_factory=dict)  # the variants they met, by flag
    started_at: datetime | None = None
    left_at_phone: datetime | None = None
    struggled_at: datetime | None = None
    confirmed_at: datetime | None = None
    booked_at: datetime | None = None
    attended_at: datetime | None = None
    last_seen_at: datetime | None = None

    @property
    def deferred(self) -> bool:
        return self.arms.get("defer_phone") == "on"


@dataclass(frozen=True)
class World:
    calendar: Calendar
    people: tuple[Person, ...]
    events: tuple[Event, ...]  # in the order in which they happened

    def person(self, wanted: str) -> Person:
        return next(person for person in self.people if person.id == wanted)


@without_collecting()
def build(calendar: Calendar, *, people: int = story.PEOPLE, seed: int = story.SEED) -> World:
    """The whole world up to today."""
    arrive = _arrivals(calendar, people)
    flags = {key: _History(calendar, key) for key in story.ROLLOUTS}
    events: list[Event] = []
    made: list[Person] = []
    for index in range(people):
        dice, colours = seeded(seed, index), seeded(seed, index, "colours")
        person = _person(index, dice, colours, arrive(index, dice))
        life = _Life(person, dice, colours, calendar, flags)
        life.live()
        events += life.happened
        made.append(person)
    _sort(events)
    events += _fake_door(calendar, events, seed)
    _sort(events)
    return World(calendar, tuple(made), tuple(events))


def _sort(events: list[Event]) -> None:
    events.sort(key=lambda event: (event.at, event.person))


def seeded(*names: int | str) -> Random:
    """Dice of one's own, the same in every run."""
    return Random("/".join(map(str, names)))  # noqa: S311 - meant to be predictable


# --- flags as they were ----------------------------------------------------------------------------------------------


def rules(key: str, step: story.Step) -> Rules:
    """The flag's rules after this step, as the flag service will hold them."""
    return Rules(
        key=key,
        variants={"on": True, "off": False},
        default_variant="off",
        off_variant="off",
        weights=step.weights,
        coverage=step.coverage,
        is_on=True,
    )


def variant(key: str, unit: str) -> str:
    """What somebody gets once the flag's last step is reached."""
    return str(Evaluator(rules(key, story.ROLLOUTS[key][-1])).evaluate(unit).variant)


class _History:
    """What a flag answered at any time: the very evaluator that answers real clients."""

    def __init__(self, calendar: Calendar, key: str) -> None:
        steps = story.ROLLOUTS[key]
        self._from = [calendar.at(step.day, story.OPENED_AT_HOUR) for step in steps]
        self._evaluators = [Evaluator(rules(key, step)) for step in steps]

    def variant(self, unit: str, at: datetime) -> str | None:
        """The arm of somebody in the rollout; None before it began and outside of it."""
        place = bisect_right(self._from, at) - 1
        if place < 0:
            return None
        answer = self._evaluators[place].evaluate(unit)
        return answer.variant if answer.in_rollout else None


# --- who comes when --------------------------------------------------------------------------------------------------

# Saturdays and Sundays, people garden; Mondays, they look for a class.
_WEEKDAY = (1.08, 1.0, 0.98, 0.97, 0.92, 1.02, 1.1)
_HOUR = (1, 1, 1, 1, 1, 2, 4, 7, 9, 8, 7, 7, 9, 8, 7, 7, 8, 10, 12, 14, 14, 11, 7, 3)
_GROWTH = 0.25  # more people a day at the end than at the beginning


def _arrivals(calendar: Calendar, people: int) -> Callable[[int, Random], datetime]:
    weights = [
        (1 + _GROWTH * day / story.DAYS) * _WEEKDAY[calendar.at(day).weekday()] * hour
        for day in range(story.DAYS)
        for hour in _HOUR
    ]
    ends = list(accumulate(weights))

    def arrive(index: int, rng: Random) -> datetime:
        place = (index + rng.random()) / people * ends[-1]
        slot = bisect_right(ends, place, hi=len(ends) - 1)
        return calendar.at(0, slot + rng.random())

    return arrive


def _person(index: int, dice: Random, colours: Random, opened_at: datetime) -> Person:
    platform = _pick(dice, story.PLATFORMS)
    country = _pick(colours, {code: share for code, (share, _) in story.COUNTRIES.items()})
    first, last = colours.choice(names.FIRST[country]), colours.choice(names.LAST[country])
    os, device = colours.choice(names.DEVICES[platform])
    plan = _pick(colours, {"free": 0.89, "plus": 0.08, "business": 0.03})
    return Person(
        id=f"sp-{blake2b(str(index).encode(), digest_size=5, person=b'sprout').hexdigest()}",
        platform=platform,
        os=os,
        device=device,
        country=country,
        locale=story.COUNTRIES[country][1],
        city=colours.choice(story.CITIES[country]),
        name=f"{first} {last}",
        email=f"{names.plain(first)}.{names.plain(last)}{index}@mail.example",
        plan=plan,
        company=colours.choice(story.COMPANIES) if plan == "business" else "",
        opened_at=opened_at,
        refuses_phone=dice.random() < story.REFUSES_PHONE[platform],
    )


def _pick(rng: Random, shares: Mapping[str, float]) -> str:
    return rng.choices(tuple(shares), tuple(shares.values()))[0]


# --- what one person does --------------------------------------------------------------------------------------------

_REFUSING = sum(story.PLATFORMS[platform] * share for platform, share in story.REFUSES_PHONE.items())
_FINISHES = story.GIVES_EMAIL * story.CHOOSES_COMPANY_SIZE * story.CONFIRMS  # the form without the phone field
#: Of those who signed up and do not mind giving a number, so many book within the window.
BOOKS = story.ACTIVATED / (_FINISHES * (1 - _REFUSING))
#: Of those who do mind, and are asked at the first booking only.
REFUSER_BOOKS = story.TRUE_EFFECTS["defer_phone"] / (_FINISHES * _REFUSING)
#: Of those who do mind, the explanation makes so many give it after all. Only people outside the deferral see it, so
#: the effect is a difference among them.
PERSUADED = story.TRUE_EFFECTS["explain_phone"] / (_FINISHES * _REFUSING * BOOKS)

_REACH_PHONE = story.GIVES_EMAIL
_CALM_STRUGGLES = 0.01  # somebody without objections who mistypes until it hurts
_REFUSER_STRUGGLES = (story.STRUGGLED / _REACH_PHONE - (1 - _REFUSING) * _CALM_STRUGGLES) / _REFUSING
_REFUSER_TRIES = 0.31  # of those who mind, to book, where the number is asked there; the others among them give up
_REFUSER_STRUGGLES_LATE = (story.STRUGGLED_DEFERRED - _FINISHES * (1 - _REFUSING) * BOOKS * _CALM_STRUGGLES) / (
    _FINISHES * _REFUSING * _REFUSER_TRIES
)
_STARTS_SIGN_UP = 0.965


class _Life:
    """One person's way through the app."""

    def __init__(
        self, person: Person, dice: Random, colours: Random, calendar: Calendar, flags: Mapping[str, _History]
    ) -> None:
        self.person = person
        self.happened: list[Event] = []
        self._dice = dice
        self._colours = colours
        self._calendar = calendar
        self._flags = flags
        self._now = person.opened_at

    def live(self) -> None:
        self._look_around()
        if self._dice.random() < _STARTS_SIGN_UP:
            self._sign_up()
            if self.person.confirmed_at:
                self._first_week()
                self._stay()
            else:
                self._come_back_once()
        self.happened = [event for event in self.happened if event.at < self._calendar.today]
        self._forget_the_future()

    def _do(self, name: str, after: float = 1.0, /, **properties: Any) -> datetime:
        """After so many seconds, something happens."""
        self._now += timedelta(seconds=after)
        self.happened.append(Event(self._now, self.person.id, name, properties))
        return self._now

    def _look_around(self) -> None:
        self._do("app_opened", 0.0, first=True)
        for _ in range(_some(self._colours, 2.6)):
            self._see_a_class()

    def _see_a_class(self) -> None:
        title = self._colours.choice(story.CLASSES)
        self._do(
            "class_viewed", 6 + self._colours.random() * 40, title=title, city=self.person.city, price=price(title)
        )

    # The form. `deferred` people never see the phone field here.

    def _sign_up(self) -> None:
        person, rng = self.person, self._colours
        chances = [self._dice.random() for _ in range(4)]
        person.started_at = self._do("sign_up_started", 4 + rng.random() * 30, path="/sign-up")
        deferred = self._meet("defer_phone") == "on"
        explained = not deferred and self._meet("explain_phone") == "on"
        if chances[0] >= story.GIVES_EMAIL:
            return
        self._fill_field("email", "email_entered")
        if not deferred and not self._phone_field(explained):
            return
        if chances[1] >= story.CHOOSES_COMPANY_SIZE:
            return
        self._fill_field("company_size", "company_size_chosen", choice=rng.choice(("just me", "2-10", "11-50", "51+")))
        if chances[2] >= story.CONFIRMS:
            return
        person.confirmed_at = self._do("sign_up_confirmed", 20 + rng.random() * 90, plan=person.plan)
        if chances[3] < (story.SPAM_DEFERRED if deferred else story.SPAM) / self._confirming:
            self._later("account_flagged_spam", hours=2 + 40 * rng.random())

    def _phone_field(self, explained: bool) -> bool:
        """True for those who give their number."""
        person, rng = self.person, self._colours
        persuaded, struggle = self._dice.random() < PERSUADED, self._dice.random()
        refuses = person.refuses_phone and not (explained and persuaded)
        if struggle < (_REFUSER_STRUGGLES if person.refuses_phone else _CALM_STRUGGLES):
            person.struggled_at = self._do(
                "phone_struggled", 8 + rng.random() * 40, **self._place("phone"), corrections=rng.randint(2, 6)
            )
        if refuses:
            person.left_at_phone = self._now + timedelta(seconds=3 + rng.random() * 25)
            return False
        corrections = rng.choice((1, 1, 2, 3)) if rng.random() < story.PHONE_CORRECTED else 0
        self._fill_field("phone", "phone_entered", corrections=corrections)
        return True

    def _fill_field(self, field_name: str, event: str, **properties: Any) -> None:
        median, spread = story.FIELD_SECONDS[field_name]
        seconds = round(median * math.exp(self._colours.gauss(0, spread)), 1)
        self._do(event, seconds, **self._place(field_name), seconds=seconds, **properties)

    def _place(self, field_name: str) -> dict[str, str]:
        """The app says which field it was; of the web pages, whytree.js tells that."""
        if self.person.platform == "web":
            return {}
        return {"form": story.FORM_OF_BOOKING if self.person.confirmed_at else story.FORM_IN_APP, "field": field_name}

    def _meet(self, flag: str) -> str | None:
        """The code asks for the flag: an exposure, when the person is in its rollout."""
        variant = self._flags[flag].variant(self.person.id, self._now)
        if variant is not None:
            self.person.arms[flag] = variant
            self._do("$exposure", 0.2, flag=flag, variant=variant, reason="SPLIT")
        return variant

    @property
    def _confirming(self) -> float:
        """The share of all who open the sign-up that finishes it, in this person's arm."""
        return _FINISHES * (1 if self.person.deferred else 1 - _REFUSING)

    # After the form.

    def _first_week(self) -> None:
        person, rng = self.person, self._colours
        chance, late_chance, struggle, soon = (self._dice.random() for _ in range(4))
        for _ in range(_some(rng, 3.4)):
            self._see_a_class()
        minds = person.refuses_phone and person.deferred  # and will meet the question only now
        wants = chance < (REFUSER_BOOKS if minds else BOOKS)
        gives_up = minds and not wants and chance < _REFUSER_TRIES
        late = not wants and not gives_up and late_chance < 0.05  # some book after the window has closed
        if late:
            self._skip(days=8 + 14 * rng.random())
        elif soon > 0.45:
            self._skip(days=min(6.7, -math.log(rng.random()) * 1.7))
        if wants or gives_up or late:
            self._book(wants or late, struggle)

    def _book(self, gives_number: bool, struggle: float) -> None:
        person, rng = self.person, self._colours
        title = rng.choice(story.CLASSES)
        self._do("app_opened", first=False)
        self._do("booking_started", 20 + rng.random() * 60, title=title, city=person.city)
        if person.deferred:
            if struggle < (_REFUSER_STRUGGLES_LATE if person.refuses_phone else _CALM_STRUGGLES):
                person.struggled_at = self._do(
                    "phone_struggled", 10.0, **self._place("phone"), corrections=rng.randint(2, 6)
                )
            if gives_number:
                self._fill_field("phone", "phone_entered", corrections=0)
        if gives_number:
            person.booked_at = self._do("first_booking", 15 + rng.random() * 40, title=title, price=price(title))
            self._attend()

    def _attend(self) -> None:
        person = self.person
        reminded = self._meet("evening_reminder") == "on"
        chance, wait = self._dice.random(), 0.4 + 6.2 * self._dice.random()
        limit = story.ATTENDED + (story.TRUE_EFFECTS["evening_reminder"] if reminded else 0)
        if reminded:
            self._later("reminder_sent", hours=max(0.1, wait * 24 - 14))
        if chance < limit:
            self._skip(days=wait)
            person.attended_at = self._do("class_attended", 1.0, city=person.city)

    def _stay(self) -> None:
        """The weeks after: those who booked come back, the others less and less."""
        person, rng = self.person, self._dice
        stays = 0.82 if person.attended_at else 0.6 if person.booked_at else 0.35
        if rng.random() < story.WRITES_TO_SUPPORT / self._confirming:
            self._later(
                "support_contacted",
                hours=1 + 60 * rng.random(),
                topic=self._colours.choice(("booking", "payment", "account")),
            )
        while rng.random() < stays and self._now < self._calendar.today:
            self._skip(days=1.5 - math.log(rng.random()) * 4)
            self._visit()
            stays *= 0.97

    def _visit(self) -> None:
        rng = self._colours
        self._do("app_opened", first=False)
        if rng.random() < self._crashes():
            self._do("app_crashed", 3.0, screen=rng.choice(("map", "class", "calendar")))
        if rng.random() < 0.3:
            self._do(
                "class_searched", 8.0, words=rng.choice(("tomato", "herbs", "kids", "weekend", "compost", "near me"))
            )
        for _ in range(_some(rng, 2.4)):
            self._see_a_class()
        if self.person.booked_at and rng.random() < 0.22:
            title = rng.choice(story.CLASSES)
            self._do("class_booked", 30.0, title=title, price=price(title), city=self.person.city)
            if rng.random() < 0.7:
                self._later("class_attended", hours=24 + 120 * rng.random(), city=self.person.city)
        if rng.random() < 0.18:
            self._do("plant_logged", 20.0, plant=rng.choice(("tomato", "basil", "mint", "rose", "pumpkin")))

    def _crashes(self) -> float:
        broken = story.RELEASE_CRASHED <= self._calendar.day_of(self._now) < story.RELEASE_MENDED
        return story.CRASHES_OF_RELEASE if broken else story.CRASHES

    def _come_back_once(self) -> None:
        """Of those who left the form, some open the app again, look, and do not try a second time."""
        if self._dice.random() < 0.24:
            self._skip(days=0.5 + 5 * self._dice.random())
            self._do("app_opened", first=False)
            self._see_a_class()

    def _skip(self, *, days: float) -> None:
        self._now += timedelta(days=days)

    def _later(self, name: str, *, hours: float, **properties: Any) -> None:
        """Something that happens besides, without moving the person on."""
        self.happened.append(Event(self._now + timedelta(hours=hours), self.person.id, name, properties))

    def _forget_the_future(self) -> None:
        person, today = self.person, self._calendar.today
        for moment in ("started_at", "left_at_phone", "struggled_at", "confirmed_at", "booked_at", "attended_at"):
            when = getattr(person, moment)
            if when is not None and when >= today:
                setattr(person, moment, None)
        person.last_seen_at = max((event.at for event in self.happened), default=None)


def _some(rng: Random, mean: float) -> int:
    """A few: geometric, from 0, with this mean."""
    return int(math.log(1 - rng.random()) / math.log(mean / (1 + mean)))


def price(title: str) -> int:
    """Euros; each class has its own."""
    return 12 + blake2b(title.encode(), digest_size=1).digest()[0] % 34


# --- the fake door ---------------------------------------------------------------------------------------------------


def _fake_door(calendar: Calendar, events: list[Event], seed: int) -> list[Event]:
    """On its day, the first 400 people who open the app find "Continue with ..." on the welcome screen; 9 press it."""
    opens, closes = calendar.at(story.FAKE_DOOR_DAY, 6), calendar.at(story.FAKE_DOOR_DAY + 1)
    first: dict[str, datetime] = {}
    for event in events:
        if event.name == "app_opened" and opens <= event.at < closes and len(first) < story.FAKE_DOOR_SEEN:
            first.setdefault(event.person, event.at)
    pressing = seeded(seed, "door").sample(sorted(first), min(story.FAKE_DOOR_PRESSED, len(first)))
    provider = {"provider": "google"}
    return [
        *(Event(at + timedelta(milliseconds=400), who, "social_sign_in_shown", provider) for who, at in first.items()),
        *(Event(first[who] + timedelta(seconds=3), who, "social_sign_in_pressed", provider) for who in pressing),
    ]
