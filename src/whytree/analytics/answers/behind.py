"""The people behind a part of an answer: a bar, a point, a cell. What it says of them, and which events it is about."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from whytree.errors import Invalid
from whytree.people.queries import PeopleRef
from whytree.stores.pieces import stretches
from whytree.stores.questions import funnels, lifecycles, retention, trends
from whytree.stores.questions import paths as path_store
from whytree.stores.questions import sessions as session_store
from whytree.workspace.models import Product

from ..measures.resolving import ready, ready_by
from ..questions import (
    Funnel,
    Lifecycle,
    Paths,
    Question,
    Retention,
    Sessions,
    Stickiness,
    Trends,
    by_text,
    events_of,
    label,
)
from . import funnel as funnel_answer
from . import living
from . import paths as paths_answer
from . import retention as retention_answer
from . import sessions as sessions_answer
from .ground import period, refuse_unseen

#: People who are named.
MOST_PEOPLE = 200
#: Events that sessions began with.
MOST_EVENTS = 3
Did = Literal[
    "stopped",
    "came",
    "began",
    "back",
    "away",
    "new",
    "returning",
    "resurrected",
    "dormant",
    "entered",
    "left",
    "bounced",
]
DIDS: tuple[Did, ...] = get_args(Did)


@dataclass(frozen=True)
class Part:
    """Which part of an answer is meant.

    funnel     `step` (1 is the first) and `did`: stopped there, or came; `to` may name a later step, `group` a group
    trends     `series` (0 is the first), `start` of a stretch, `group`; without a start the whole time
    retention  `start` of a cohort (none: all of them), `after`: the place in the curve, `did`: began, back or away, `group`
    lifecycle  `start` of a stretch, `did`: new, returning, resurrected or dormant
    stickiness `step`: in so many stretches
    paths      `step` (1 is the first), `place`: the event there, `then`: the next one, "" for those who ended there
    sessions   `start` of a stretch, `group`, or `place` and `did`: entered, left or bounced there; bounced without one: anywhere
    """

    step: int = 1
    to: int | None = None
    did: Did = "stopped"
    series: int = 0
    start: date | datetime | None = None
    after: int = 0
    group: str | None = None
    place: str | None = None
    then: str | None = None


@dataclass(frozen=True)
class Behind:
    """`people.ids` names the first `MOST_PEOPLE` of them. `events` are those that tell them; the last one may be the one that
    did not come. `everybody` has one id of each."""

    sentence: str
    people: PeopleRef
    events: tuple[str, ...]
    everybody: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.people.total

    @property
    def ids(self) -> tuple[str, ...]:
        return self.people.ids


def checked_part(raw: Mapping[str, Any]) -> Part:
    """From JSON or a page's address. `Invalid` says what to write."""
    known = {"step", "to", "did", "series", "start", "after", "group", "place", "then"}
    if set(raw) - known:
        raise Invalid(f"A part of an answer has {', '.join(sorted(known))}; not {sorted(set(raw) - known)[0]!s:.40}.")
    did = raw.get("did", "stopped")
    if did not in DIDS:
        raise Invalid(f"“did” cannot be {str(did)[:40]!r}. It is one of: {', '.join(DIDS)}.")
    to = raw.get("to")
    for name in ("group", "place", "then"):
        if raw.get(name) is not None and (not isinstance(raw[name], str) or len(raw[name]) > 2_000):
            raise Invalid(f"“{name}” is the name of a group, a page or an event.")
    return Part(
        step=_number(raw, "step", 1),
        to=None if to is None else _number(raw, "to", 1),
        did=did,
        series=_number(raw, "series", 0),
        start=_start(raw.get("start")),
        after=_number(raw, "after", 0),
        group=raw.get("group"),
        place=raw.get("place"),
        then=raw.get("then"),
    )


def people_behind(product: Product, question: Question, part: Part) -> Behind:
    """Those a number is made of, those seen last first."""
    refuse_unseen(product, question)
    if part.group is not None and not getattr(question, "by", ()):
        raise Invalid("This question tells no groups apart, so no group of it can be meant.")
    match question:
        case Funnel():
            return _of_funnel(product, question, part)
        case Trends():
            return _of_trends(product, question, part)
        case Retention():
            return _of_retention(product, question, part)
        case Lifecycle():
            return _of_lifecycle(product, question, part)
        case Stickiness():
            return _of_stickiness(product, question, part)
        case Sessions():
            return _of_sessions(product, question, part)
        case Paths():
            return _of_paths(product, question, part)


def _of_funnel(product: Product, question: Funnel, part: Part) -> Behind:
    names, last = funnel_answer.step_names(question), len(question.steps)
    if not 1 <= part.step <= last or (part.to is not None and not part.step < part.to <= last):
        raise Invalid(f"This funnel has {last} steps; there is no step {max(part.step, part.to or 0)}.")
    steps, span = funnel_answer.asked_of(product, question)
    after = part.to or _next_required(question, part.step)
    further = None if part.did == "came" and part.to is None else after
    by = ready_by(product, question.by, events_of(question)) if part.group is not None else ()
    some = funnels.Some(part.step, further, part.did == "came", by, part.group, question.by_any_step)
    rows = funnels.who(product.pk, steps, span, some)
    here, there = names[part.step - 1], names[after - 1] if after else ""
    if further is None:
        said = f"did “{here}”" if part.step < last else "came to the end"
    else:
        said = f"did “{here}” and {'then' if part.did == 'came' else 'not'} “{there}”"
    events = [*question.steps[part.step - 1].events, *(question.steps[after - 1].events if after else ())]
    return _behind(product, said + _in_group(question.by, part), rows, events)


def _next_required(question: Funnel, step: int) -> int | None:
    later = range(step + 1, len(question.steps) + 1)
    return next((one for one in later if one not in question.optional), None)


def _of_trends(product: Product, question: Trends, part: Part) -> Behind:
    if not 0 <= part.series < len(question.series):
        raise Invalid(f"This question has {len(question.series)} series; there is no series {part.series}.")
    (one,) = ready(product, [question.series[part.series]])
    start, end = period(product, question.when, *question.series)
    said = ""
    if part.start is not None and question.interval != "whole":
        begins, ends = _stretch(product, question.interval, part.start)
        start, end = max(start, begins), min(end, ends)
        said = f" in the {question.interval} of {begins:%Y-%m-%d}"
    if start >= end:
        return _behind(product, f"did “{label(question.series[part.series])}”{said}", [], list(one.events))
    asked = trends.Asked(one, start, end, question.interval, product.timezone)
    by = ready_by(product, question.by, events_of(question)) if part.group is not None else ()
    rows = trends.who(product.pk, asked, by=by, value=part.group)
    return _behind(
        product, f"did “{label(question.series[part.series])}”{said}{_in_group(question.by, part)}", rows, one.events
    )


def _of_retention(product: Product, question: Retention, part: Part) -> Behind:
    if not 0 <= part.after < len(question.columns):
        raise Invalid(f"This curve has {len(question.columns)} places, from 0; there is no place {part.after}.")
    coming, followed = retention_answer.asked_of(product, question)
    cohort = upto = None
    said = f"began with “{label(question.begin)}”"
    if part.start is not None:
        day = part.start.date() if isinstance(part.start, datetime) else part.start
        cohort = retention.number_of(question.interval, day)
        said += f" in the {question.interval} of {retention.first_day(question.interval, cohort)}"
    came = {"back": True, "away": False}.get(part.did)
    events = [*question.begin.events]
    if came is not None:
        one, two = question.columns[part.after]
        if cohort is None:  # as the curve: who may still come back has not stayed away
            upto = retention_answer.Over(product, question).last(two)
        when = f"{question.interval} {one}" if one == two else f"{question.interval}s {one} to {two}"
        said += f" and {'came back' if came else 'did not come back'} for “{label(question.back)}” in {when}"
        events += question.back.events
    by = ready_by(product, question.by, events_of(question)) if part.group is not None else ()
    rows = retention.who(
        product.pk,
        coming,
        followed,
        cohort=cohort,
        after=part.after,
        came=came,
        by=by,
        value=part.group or "",
        upto=upto,
    )
    return _behind(product, said + _in_group(question.by, part), rows, events)


def _of_lifecycle(product: Product, question: Lifecycle, part: Part) -> Behind:
    if part.start is None or part.did not in lifecycles.STATES:
        raise Invalid("Name a stretch (start) and a state (did): new, returning, resurrected or dormant.")
    day = part.start.date() if isinstance(part.start, datetime) else part.start
    number = retention.number_of(question.interval, day)
    rows = lifecycles.who(product.pk, living.asked_of(product, question), number, part.did)
    when = f"in the {question.interval} of {retention.first_day(question.interval, number)}"
    return _behind(product, f"were {part.did} {when}, by “{label(question.event)}”", rows, question.event.events)


def _of_stickiness(product: Product, question: Stickiness, part: Part) -> Behind:
    rows = lifecycles.who_sticks(product.pk, living.asked_of(product, question), max(part.step, 0))
    times = f"{part.step} {question.interval}{'' if part.step == 1 else 's'}"
    return _behind(product, f"did “{label(question.event)}” in {times}", rows, question.event.events)


def _of_paths(product: Product, question: Paths, part: Part) -> Behind:
    if not part.place or part.step < 1:
        raise Invalid(
            "Name a step of the ways: step (1 is the first), place (the event there) and then (the next one)."
        )
    backwards = question.finish is not None and question.begin is None
    said = f"did “{part.place}”" + (f" as step {part.step}" if part.step > 1 else "")
    said += f" and {'before that' if backwards else 'then'} “{part.then}”" if part.then else " and nothing more"
    asked = paths_answer.asked_of(product, question)
    rows = path_store.who(product.pk, asked, part.step - 1, part.place, part.then or "")
    return _behind(product, said, rows, [part.place, *([part.then] if part.then else [])])


def _of_sessions(product: Product, question: Sessions, part: Part) -> Behind:
    asked = sessions_answer.asked_of(product, question)
    said = "had such a session" if question.only else "had a session"
    if part.start is not None:
        begins, ends = _stretch(product, question.interval, part.start)
        asked = replace(asked, start=max(asked.start, begins), end=min(asked.end, ends))
        said += f" in the {question.interval} of {begins:%Y-%m-%d}"
    end = next((one for one in session_store.ENDS if one == part.did), None)
    if part.place is not None:
        said += f" that {_AT_PLACE[end or 'entered']} {part.place or 'without a page'}"
    elif end == "bounced":
        said += " of one event"
    by = ready_by(product, question.by, ()) if part.group is not None else ()
    some = session_store.Some(by, part.group or "", part.place, end)
    rows = session_store.who(product.pk, asked, some) if asked.start < asked.end else []
    # what code is it: that with which they came in, or left
    most = Counter(event for _, _, event in rows).most_common(MOST_EVENTS)
    people = [(who, one_id) for who, one_id, _ in rows]
    return _behind(product, said + _in_group(question.by, part), people, [event for event, _ in most])


_AT_PLACE = {"entered": "began at", "left": "ended at", "bounced": "was one event at"}


def _stretch(product: Product, interval: stretches.Interval, start: date | datetime) -> tuple[datetime, datetime]:
    """When a stretch begins and ends, by the product's clock; so is a moment that names no zone."""
    zone = ZoneInfo(product.timezone)
    at = start if interval == "hour" or not isinstance(start, datetime) else start.date()
    if isinstance(at, datetime) and at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    ends = stretches.moment_of(stretches.next_start(interval, at), zone)
    return stretches.moment_of(at, zone).astimezone(zone), ends


def _in_group(by: tuple[str, ...], part: Part) -> str:
    return f", {by_text(by)}: {part.group or 'not said'}" if part.group is not None else ""


def _behind(product: Product, said: str, rows: list[tuple[int, str]], events: list[str] | tuple[str, ...]) -> Behind:
    people = PeopleRef(frozenset(who for who, _ in rows), tuple(one for _, one in rows[:MOST_PEOPLE]))
    return Behind(said, people, tuple(dict.fromkeys(events)), tuple(one for _, one in rows))


def _number(raw: Mapping[str, Any], name: str, usual: int) -> int:
    value = raw.get(name, usual)
    if isinstance(value, str) and value.isdecimal() and len(value) < 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(f"“{name}” is a whole number.")
    return value


def _start(value: object) -> date | datetime | None:
    if value in (None, ""):
        return None
    try:
        text = str(value)
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"“start” is a day or a moment, as 2026-05-01, not {str(value)[:40]!r}.") from error
