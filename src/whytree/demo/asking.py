"""Whom the app asks how easy it was to sign up, and what they answer. Pure.

Only who finished the sign-up is asked: those who left at the phone number are not among them, and the answers cannot tell.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from . import story, words
from .world import Person, World, seeded

QUESTIONS = (
    {"kind": "seq", "text": "How difficult or easy was it to sign up?"},
    {"kind": "open", "text": "What would have made it easier?", "required": False},
)
SCALE = range(1, 8)
HARD = 4  # up to here it was hard
WRITES = 0.35  # of those who answer, also in their own words


@dataclass(frozen=True)
class Moment:
    """Somebody is asked (no answers), or answers."""

    at: datetime
    person: str
    answers: dict[str, int | str] | None = None


def moments(world: World) -> list[Moment]:
    """In their order, until the survey has its answers."""
    begins = world.calendar.at(story.SURVEY_STARTED, 11)
    asked, answered = [], []
    left = {name: list(texts) for name, texts in words.eases().items()}
    for person in sorted(world.people, key=lambda one: one.confirmed_at or begins):
        at = person.confirmed_at
        if at is None or at < begins or person.platform != "web" or "defer_phone" not in person.arms:
            continue
        dice = seeded(story.SEED, "how easy", person.id)
        if 100 * dice.random() >= story.SURVEY_SHARE:
            continue
        asked.append(Moment(at + timedelta(seconds=2), person.id))
        if dice.random() < story.ANSWERS_SURVEY:
            wait = timedelta(seconds=15 + 120 * dice.random())
            answered.append(Moment(at + wait, person.id, _answers(person, dice, left)))
    answered = sorted(answered, key=_when)[: story.SURVEY_ANSWERS]
    full = answered[-1].at if len(answered) == story.SURVEY_ANSWERS else world.calendar.today
    return sorted((one for one in (*asked, *answered) if one.at <= full), key=_when)


def _when(moment: Moment) -> tuple[datetime, str]:
    return moment.at, moment.person


def _answers(person: Person, dice: Random, left: dict[str, list[str]]) -> dict[str, int | str]:
    arm = person.arms["defer_phone"]
    ease = dice.choices(SCALE, story.EASE[arm])[0]
    texts = left[f"{arm} {'hard' if ease <= HARD else 'easy'}"]
    return {"q1": ease} | ({"q2": texts.pop(0)} if dice.random() < WRITES and texts else {})
