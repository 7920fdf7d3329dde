"""Who linked whose words to what."""

from collections.abc import Iterator

from .. import words
from ..stage import Act
from ..story import Calendar
from .writing import Play

# The opportunity, the voice's key, how much it matters to them (0 to 3), who linked it, and on which day at the earliest.
LINKS = (
    ("forgotten", "forgot-paid", 2, "priya", 1),
    ("forgotten", "forgot-shift", 1, "priya", 1),
    ("forgotten", "forgot-store", 2, "priya", 1),
    ("forgotten", "forgot-survey", 1, "luis", 2),
    ("phone", "phone-store", 2, "mei", 5),
    ("phone", "phone-prices", 3, "mei", 5),
    ("phone", "phone-trainees", 2, "priya", 5),
    ("phone", "phone-survey", 1, "jonas", 7),
    ("phone", "phone-github", 2, "luis", 9),
    ("phone", "phone-why", 2, "mei", 10),
    ("phone", "phone-dating", 3, "mei", 15),
    ("phone", "phone-scared", 2, "priya", 23),
    ("phone", "phone-work", 2, "ana", 40),
    ("phone", "phone-again", 2, "priya", 42),
    ("phone", "phone-newest", 2, "jonas", 55),
    ("work", "phone-trainees", 3, "ana", 12),
    ("work", "work-council", 3, "tom", 17),
    ("look", "look-store", 2, "jonas", 7),
    ("look", "look-balcony", 1, "jonas", 7),
    ("look", "look-survey", 1, "jonas", 8),
    ("look", "look-husband", 2, "priya", 20),
    ("look", "look-school", 3, "priya", 29),
    ("look", "look-door", 2, "mei", 37),
    ("look", "look-newest", 3, "mei", 48),
    ("code", "code-1", 3, "luis", 9),
    ("code", "code-2", 3, "luis", 9),
    ("code", "code-3", 2, "luis", 9),
    ("move", "date-again", 2, "priya", 33),
    ("move", "date-cancel", 3, "priya", 39),
    ("move", "date-nurse", 3, "priya", 45),
    ("move", "date-two", 2, "luis", 53),
)
# The opportunity that an interview's marked words speak for, by the first part of their name.
SPEAKS_FOR = {"phone": "phone", "look": "look", "work": "work", "forgot": "forgotten"}
AFTER_THE_TALK = 26.0  # hours: highlights are marked on the day after


def linking(calendar: Calendar) -> Iterator[Act]:
    keys = words.keys()
    for opportunity, key, importance, who, day in LINKS:
        at = max(calendar.at(day, 18), calendar.at(keys[key].day + 0.9, 18))
        yield Act(at, who, _link(opportunity, key, keys[key].marked, importance))
    for talk in words.interviews():
        at = calendar.at(talk.day, 14 + AFTER_THE_TALK)
        first = dict(_one_for_each(talk))
        for quote, said in first.items():
            yield Act(at, "mei", _link(SPEAKS_FOR[quote], talk.name, said, 3 if talk.company else 2))
        for said in talk.quotes.values():
            if said not in first.values():
                yield Act(at, "mei", _mark(talk.name, said))
        if talk.snapshot:
            yield Act(calendar.at(talk.day, 15.2), "mei", _snapshot(talk))


def _one_for_each(talk: words.Interview) -> Iterator[tuple[str, str]]:
    """The first highlight for each opportunity: a person counts once."""
    first: dict[str, str] = {}
    for name, said in talk.quotes.items():
        first.setdefault(name.split("-")[0], said)
    yield from first.items()


def _snapshot(talk: words.Interview) -> Play:
    """In the quarter of an hour after the talk."""
    parts = {**talk.snapshot, "name": talk.name.split()[0]}
    return lambda desk: desk.put(f"interviews/{desk.heard(talk.name)}/snapshot", **parts)


def _mark(key: str, quote: str) -> Play:
    return lambda desk: desk.mark(key, quote=quote)


def _link(opportunity: str, key: str, quote: str, importance: int) -> Play:
    return lambda desk: desk.link(opportunity, key, quote=quote, importance=importance)
