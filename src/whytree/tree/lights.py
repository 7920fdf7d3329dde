"""The three lights of a solution: people, business, engineering. Each is derived from what is there, none is typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from whytree.engines.confidence import Confidence
from whytree.tree.lints import EXTERNAL
from whytree.tree.models import EvidenceLink, EvidenceType, Hypothesis, Note, NoteKind, Solution, State, data_set
from whytree.tree.sentences import forecast, short
from whytree.workspace.sockets import Figure, Panel

FRESH = timedelta(days=90)
#: Kinds of source in which a person speaks; the others are counted as data.
VOICES = frozenset({"feedback", "interview", "note", "url"})


@dataclass(frozen=True)
class Light:
    """`tone` is a colour's name in the stylesheet; the text says the same in words."""

    title: str
    tone: str
    text: str


def people_light(links: Sequence[EvidenceLink], strength: Confidence, now: datetime) -> Light:
    """Who asked: the evidence on the solution and on its opportunity."""
    outside = [link for link in links if link.evidence_type in EXTERNAL and link.stance != "context"]
    if not outside:
        return Light("People", "red", "Nobody outside the team has asked for this or was asked about it.")
    heard = [link for link in outside if link.source_kind in VOICES and link.evidence_type != EvidenceType.TEST_RESULTS]
    people = {link.person_key or data_set(link.source_kind, link.source_id) for link in heard}
    data = len({data_set(link.source_kind, link.source_id) for link in outside if link not in heard})
    newest = max(link.said_or_added_at for link in heard or outside)
    said = "voice" if heard else "result"
    against = sum(1 for link in outside if link.stance == "contradicts")
    told = f"{len(people):,} heard" + (
        f", {_count(data, 'test or measurement', 'tests or measurements')}." if data else "."
    )
    doubt = f" {_count(against, 'speaks', 'speak')} against it." if against else ""
    tone = {"strong": "leaf", "moderate": "leaf", "weak": "amber", "none": "red"}[strength.label]
    stale = now - newest > FRESH
    text = f"{told} Newest {said} {_age(now - newest)}.{doubt}"
    return Light("People", "amber" if stale and tone == "leaf" else tone, text)


def business_light(solution: Solution, prediction: Hypothesis | None, figure: Figure, panels: Sequence[Panel]) -> Light:
    """What it should change and what it did; where a result exists, whoever measures says it."""
    told = next((panel for panel in panels if panel.headline), None)
    if told is not None:
        return Light("Business", told.tone or "amber", told.headline)
    if solution.state in {State.KEPT, State.ROLLED_BACK}:
        return Light(
            "Business",
            "leaf" if solution.state == State.KEPT else "red",
            f"{solution.standing.capitalize()} after its measurement.",
        )
    if prediction is None:
        return Light("Business", "red", "Nobody has said what it will change, by how much.")
    said = f"Predicted {forecast(prediction)} on {prediction.metric_key}"
    if not prediction.is_locked:
        return Light("Business", "amber", f"{said}; open until people see it.")
    measured = f" {figure.note}" if figure.note else " Too early to say."
    return Light("Business", figure.tone or "amber", f"{said}, locked.{measured}")


def engineering_light(notes: Sequence[Note], figure: Figure, tickets: int) -> Light:
    """What engineers said it costs, what is questioned, and what the code side shows."""
    challenges = [note for note in notes if note.kind == NoteKind.CHALLENGE and note.wants_answer]
    constraints = [note for note in notes if note.kind == NoteKind.CONSTRAINT]
    if challenges:
        return Light(
            "Engineering", "red", f"{_count(len(challenges), 'challenge')} unanswered: {short(challenges[0].text)}"
        )
    told = "; ".join(chip.text for chip in figure.chips if chip.about == "state")
    if constraints:
        more = f" And {len(constraints) - 1} more." if len(constraints) > 1 else ""
        return Light("Engineering", "amber", f"Constraint: {short(constraints[0].text)}{more}")
    if told or tickets:
        tied = f"{_count(tickets, 'ticket')} tied" if tickets else ""
        return Light(
            "Engineering",
            "leaf",
            "; ".join(part for part in (tied, told) if part).capitalize() + ". No constraint noted.",
        )
    return Light("Engineering", "line-strong", "Nothing noted: no constraint, no ticket, no flag in use.")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _age(passed: timedelta) -> str:
    if passed.days < 1:
        return "of today"
    return f"{_count(passed.days, 'day')} old" if passed.days < 60 else f"{passed.days // 30} months old"
