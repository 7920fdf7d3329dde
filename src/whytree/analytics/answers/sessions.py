"""How long people stay, where they come in and where they go."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines.figures import number
from whytree.errors import Invalid
from whytree.events.intake.services import intake_of
from whytree.stores.pieces import stretches as calendar
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import sessions as store
from whytree.stores.questions.sessions import Place
from whytree.workspace.models import Product

from ..measures.resolving import ready, ready_by
from ..queries import MOST_OFFERED, MOST_POINTS, known_events
from ..questions import Sessions, by_text
from .ground import Share, period, refuse_unseen, share_of
from .head import Head, head


@dataclass(frozen=True)
class Stayed:
    """Some sessions together: `seconds` is the median from the first to the last event, `events` and `pages` are means.

    `bounced` of them are of one event only. Pages are those of sessions that have any.
    """

    sessions: int
    people: int
    bounced: int
    bounced_share: Share | None
    seconds: float | None
    p90_seconds: float | None
    events: float | None
    pages: float | None

    @property
    def length_text(self) -> str:
        return length_words(self.seconds)

    @property
    def p90_text(self) -> str:
        return length_words(self.p90_seconds)

    @property
    def each(self) -> float:
        """Sessions a person."""
        return self.sessions / self.people if self.people else 0.0


@dataclass(frozen=True)
class Began:
    """The sessions that began in the stretch from `start` on. `complete` is false while it lasts, or was cut by the period."""

    start: date | datetime
    stayed: Stayed
    complete: bool

    @property
    def at(self) -> str:
        return self.start.isoformat()


@dataclass(frozen=True)
class Group:
    """Those of one group; `value` is None for all smaller ones together."""

    value: str | None
    stayed: Stayed

    @property
    def text(self) -> str:
        return "everybody else" if self.value is None else self.value or "not said"


@dataclass(frozen=True, kw_only=True)
class SessionsAnswer(Head):
    """`before` is the period before, where that was asked for. A session ends when its person paused for `idle_minutes`."""

    interval: str
    idle_minutes: int
    by: str
    stayed: Stayed
    before: Stayed | None
    stretches: tuple[Began, ...]
    groups: tuple[Group, ...]
    places: tuple[Place, ...]

    @property
    def newest_first(self) -> tuple[Began, ...]:
        return self.stretches[::-1]


def asked_of(product: Product, question: Sessions) -> store.Asked:
    """As the store asks it."""
    only = next(iter(ready(product, [question.only])), None) if question.only else None
    seen = question.event or Selection(tuple(known_events(product, MOST_OFFERED)) or ("",))
    start, end = period(product, question.when, seen)
    return store.Asked(
        start, end, intake_of(product).session_minutes, question.interval, str(ZoneInfo(product.timezone)), only
    )


def answer_sessions(product: Product, question: Sessions) -> SessionsAnswer:
    """Raises `Invalid` for a name that was never seen, and for more stretches than anybody could read."""
    refuse_unseen(product, question)
    asked, by = asked_of(product, question), ready_by(product, question.by, ())
    starts = _starts(asked)
    told = store.sums(product.pk, asked, by)
    stayed, before = _stayed(told.whole), None
    if question.previous:
        earlier = store.Asked(
            asked.start - (asked.end - asked.start),
            asked.start,
            *(asked.idle_minutes, asked.interval, asked.zone, asked.only),
        )
        before = _stayed(store.sums(product.pk, earlier).whole)
    return SessionsAnswer(
        **head(product, question, _sentence(stayed, before), stayed.people, asked.start, asked.end),
        interval=question.interval,
        idle_minutes=asked.idle_minutes,
        by=by_text(question.by),
        stayed=stayed,
        before=before,
        stretches=_began(question, asked, starts, told),
        groups=tuple(Group(value, _stayed(one)) for value, one in told.groups.items()),
        places=tuple(store.places(product.pk, asked)),
    )


def _starts(asked: store.Asked) -> list[Any]:
    zone = ZoneInfo(asked.zone)
    starts = calendar.starts(asked.interval, asked.start.astimezone(zone), asked.end.astimezone(zone))
    few = list(islice(starts, MOST_POINTS + 1))
    if len(few) > MOST_POINTS:
        raise Invalid(
            f"That is more than {MOST_POINTS:,} points. Take a longer interval than {asked.interval}, or fewer days."
        )
    return few


def _began(question: Sessions, asked: store.Asked, starts: list[Any], told: store.Told) -> tuple[Began, ...]:
    """Every stretch of the period, also those in which nobody came."""
    zone, last = ZoneInfo(asked.zone), asked.end if question.when.until else timezone.now()
    found = {calendar.key_of(start): sums for start, sums in told.stretches.items()}
    stretches = []
    for start in starts:
        begins = calendar.moment_of(start, zone)
        ends = calendar.moment_of(calendar.next_start(asked.interval, start), zone)
        begun = question.when.is_from_the_beginning or begins >= asked.start
        sums = found.get(calendar.key_of(start), store.NONE)
        stretches.append(Began(calendar.by_clock(start, zone), _stayed(sums), begun and ends <= last))
    return tuple(stretches)


def _stayed(sums: store.Sums) -> Stayed:
    return Stayed(
        sums.sessions,
        sums.people,
        sums.bounced,
        share_of(sums.bounced, sums.sessions),
        *(sums.seconds, sums.p90_seconds, sums.events, sums.pages),
    )


def _sentence(stayed: Stayed, before: Stayed | None) -> str:
    if not stayed.sessions or stayed.bounced_share is None:
        return "There is no such session in this time."
    said = f"Half of all sessions last {stayed.length_text} or less; {stayed.bounced_share.text} end after one event"
    if before is None:
        return f"{said}."
    if before.bounced_share is None:
        return f"{said}; there was none in the period before."
    return f"{said}; in the period before {before.length_text} and {before.bounced_share.text}."


def length_words(seconds: float | None) -> str:
    """ "40 s", "3.2 min", "1.4 h"; a dash for nothing."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{number(round(seconds, 1))} s"
    return f"{number(seconds / 60)} min" if seconds < 5_400 else f"{number(seconds / 3_600)} h"
