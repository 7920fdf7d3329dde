"""What becomes of an answer: keep the question, freeze it as evidence, make an outcome or a struggle signal of it."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree import services as tree
from whytree.tree.models import EvidenceLink, EvidenceType, Opportunity, Outcome, SourceKind, Stance
from whytree.tree.queries import find_node
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .. import definitions
from ..answers import Part, answer, checked_part, people_behind
from ..models import PREFIX, Metric, SavedQuestion
from ..queries import measure
from ..questions import Question, as_json, checked_question, events_of
from ..services import create_metric
from .as_metric import metric_of
from .queries import find_saved, signal_json

TITLE_LENGTH, NAME_LENGTH = 300, 200


@transaction.atomic
def keep_question(actor: Actor, product: Product, *, question: object, title: str = "") -> SavedQuestion:
    """A question under a name; without one it is called by its own sentence."""
    require(actor, product, Role.MEMBER)
    checked = checked_question(question)
    saved = _saved(actor, product, checked, title)
    saved.save()
    record(actor, product, "keep_question", saved)
    return saved


@transaction.atomic
def edit_question(
    actor: Actor, product: Product, ref: str, *, title: str = "", question: object = None
) -> SavedQuestion:
    """Another name, or another question under it. A frozen answer stays what it is."""
    require(actor, product, Role.MEMBER)
    saved = find_saved(product, ref)
    if saved.frozen_at is not None:
        raise Conflict(
            f"{saved.ref} is evidence: it shows what was true on that day. Ask again, and keep the new answer."
        )
    before = snapshot(saved)
    saved.title = _titled(title) or saved.title
    if question is not None:
        saved.question = as_json(checked_question(question))
    saved.save()
    record(actor, product, "edit_question", saved, before=before, after=snapshot(saved))
    return saved


@transaction.atomic
def delete_question(actor: Actor, product: Product, ref: str) -> None:
    """Remove a kept question. Evidence stays where something rests on it."""
    require(actor, product, Role.MEMBER)
    saved = find_saved(product, ref)
    if EvidenceLink.objects.filter(product=product, source_kind=SourceKind.QUESTION, source_id=saved.ref).exists():
        raise Conflict(f"{saved.ref} is evidence on the tree. Take it off there first.")
    record(actor, product, "delete_question", saved, before=snapshot(saved), after=None)
    saved.delete()


@dataclass(frozen=True)
class Pin:
    """Evidence to be: which node it speaks for or against, and what is said of it; by itself, the answer's sentence."""

    node: str
    stance: str = Stance.SUPPORTS
    statement: str = ""
    part: Part | None = None


@transaction.atomic
def pin_evidence(actor: Actor, product: Product, question: object, pin: Pin) -> SavedQuestion:
    """Hang an answer on a node as evidence, frozen as it is now, with its question and the moment."""
    require(actor, product, Role.MEMBER)
    checked = checked_question(question)
    node = find_node(product, pin.node)
    found = answer(product, checked)
    behind = people_behind(product, checked, pin.part) if pin.part is not None else None
    said = (
        f"{behind.total:,} {'person' if behind.total == 1 else 'people'} {behind.sentence}."
        if behind
        else found.sentence
    )
    saved = _saved(actor, product, checked, pin.statement.strip() or said)
    saved.part = part_json(pin.part) if pin.part is not None else None
    saved.answer = msgspec.to_builtins(found)
    saved.answer["people"] = behind.total if behind else None
    saved.frozen_at = timezone.now()
    saved.save()
    record(actor, product, "pin_evidence", saved)
    days = (found.last_day.date() - found.from_at.date()).days + 1
    about = f"{found.sentence} ({found.asked}; n = {found.n:,}, {days} days up to {found.last_day.date()})"
    tree.link_evidence(
        actor,
        product,
        node,
        stance=pin.stance,
        evidence_type=EvidenceType.USER_EVIDENCE,
        source_kind=SourceKind.QUESTION,
        source_id=saved.ref,
        statement=f"{saved.title}\n{about}" if saved.title != found.sentence else about,
        said_at=found.last_day,
    )
    return saved


@transaction.atomic
def make_struggle_signal(
    actor: Actor, product: Product, *, question: object, part: Part, opportunity: str
) -> Opportunity:
    """From now on those behind this part of the answer are those who have the opportunity's problem."""
    require(actor, product, Role.MEMBER)
    checked = checked_question(question)
    node = find_node(product, opportunity)
    if not isinstance(node, Opportunity):
        raise Invalid(f"{node.ref} is no opportunity. Name one, as OPP-2.")
    asked = {name: value for name, value in as_json(checked).items() if name not in ("days", "by", "times", "over")}
    if part.start is not None or part.group is not None:
        raise Invalid("A signal goes on from day to day: take a step or a series, not one stretch or group of it.")
    people_behind(product, checked_question(asked), part)  # refuses what cannot be asked
    return tree.edit_opportunity(actor, node, struggle_signal=signal_json(asked, part_json(part)))


@dataclass(frozen=True)
class Aim:
    """Where a number should go, and by when."""

    target: float
    title: str = ""
    due: date | None = None
    parent: str = ""


@transaction.atomic
def make_outcome(actor: Actor, product: Product, *, question: object, part: Part, aim: Aim) -> Outcome:
    """A metric of this part of the answer, and an outcome that aims at it; its value today is the baseline."""
    require(actor, product, Role.MEMBER)
    metric = _metric_for(actor, product, checked_question(question), part)
    parent = find_node(product, aim.parent) if aim.parent else None
    if parent is not None and not isinstance(parent, Outcome):
        raise Invalid(f"{parent.ref} is no outcome, so none can stand under it.")
    measured = measure(metric)
    return tree.create_outcome(
        actor,
        product,
        parent=parent,
        title=aim.title.strip() or metric.name,
        metric_key=metric.key,
        baseline=measured.value,
        target=aim.target,
        due=aim.due,
    )


def metric_definition(question: Question, part: Part) -> tuple[str, dict[str, Any]]:
    """The metric that counts the same from day to day: its name and its definition. `Invalid` where there is none."""
    name, definition = metric_of(question, part)
    return name[:NAME_LENGTH], definitions.as_json(definition)


def _metric_for(actor: Actor, product: Product, question: Question, part: Part) -> Metric:
    """The metric that counts this already, or a new one."""
    name, definition = metric_definition(question, part)
    for metric in Metric.objects.filter(product=product):
        if metric.definition == definition:
            return metric
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "metric"
    taken = set(Metric.objects.filter(product=product, key__startswith=words).values_list("key", flat=True))
    key = next(key for key in (words, *(f"{words}_{n}" for n in range(2, 1_000))) if key not in taken)
    return create_metric(actor, product, key=key, name=name, definition=definition)


def _saved(actor: Actor, product: Product, question: Question, title: str) -> SavedQuestion:
    said = _titled(title) or _titled(question.sentence[:1].upper() + question.sentence[1:])
    return SavedQuestion(
        product=product,
        number=next_number(product, PREFIX),
        title=said or " ".join(events_of(question))[:TITLE_LENGTH],
        question=as_json(question),
        created_by_id=actor.user_id,
    )


def _titled(title: str) -> str:
    if "\x00" in title:
        raise Invalid("A title is plain text.")
    return " ".join(title.split())[:TITLE_LENGTH]


def part_json(part: Part) -> dict[str, Any]:
    usual = Part()
    found = {
        name: getattr(part, name) for name in Part.__dataclass_fields__ if getattr(part, name) != getattr(usual, name)
    }
    if "start" in found:
        found["start"] = found["start"].isoformat()
    return found


__all__ = [
    "Aim",
    "Pin",
    "checked_part",
    "delete_question",
    "edit_question",
    "keep_question",
    "make_outcome",
    "make_struggle_signal",
    "metric_definition",
    "part_json",
    "pin_evidence",
]
