"""Start work: the ticket seen, the solution there, the three questions answered or left open."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from whytree.code.trackers.tickets import TicketFacts, see_ticket
from whytree.errors import Invalid
from whytree.tree.models import Opportunity, Solution
from whytree.tree.queries import find_node, notes_of
from whytree.tree.services import (
    add_note,
    answer_note,
    create_opportunity,
    create_solution,
    link_ticket,
    move_node,
)
from whytree.workspace.models import Product, User
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .answer import Why
from .answering.counting import count
from .answering.hops import place_of
from .queries import Ask, explain
from .refs import NodeRef, NotAReference, parse_ref
from .starting.card import QUESTIONS, Subject, find_subject, unanswered

TITLE_LENGTH = 200


def answer_why(actor: Actor, product: Product, ask: Ask) -> Why:
    """Explain a reference to somebody; counted where the team wants that (`counting`)."""
    answer = explain(product, ask)
    count(actor, ask.ref, answer)
    return answer


@dataclass(frozen=True)
class Start:
    """What somebody starts on. `answers` by the keys of `QUESTIONS`; one that is left out stays open."""

    subject: str
    title: str = ""
    tracker: str = ""
    answers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Started:
    """The solution that the work's commits are for."""

    solution: Solution
    created: bool
    ticket_key: str
    open_questions: tuple[str, ...]


def start(actor: Actor, product: Product, begin: Start) -> Started:
    """See the ticket, make or find its solution, keep answers and open questions. Starting again changes nothing."""
    require(actor, product, Role.MEMBER)
    answers = {key: text.strip() for key, text in (begin.answers or {}).items() if text.strip()}
    if strange := answers.keys() - QUESTIONS.keys():
        raise Invalid(f"There is no question {sorted(strange)[0]}; there are {', '.join(QUESTIONS)}.")
    if not begin.subject.strip():
        raise Invalid('Say what you start on: whytree start "#412", or a few words.')
    with transaction.atomic():
        problem = answers.get("problem", "")
        subject = find_subject(product, begin.subject, title=begin.title, tracker=begin.tracker, problem=problem)
        solution, created = _solution(actor, product, subject)
        if subject.ticket_ref is not None:
            ticket = see_ticket(actor, product, TicketFacts(subject.ticket_ref, title=begin.title.strip()))
            link_ticket(actor, solution, ticket)
        solution = _place(actor, product, solution, problem)
        open_questions = _keep_answers(actor, product, solution, answers)
    return Started(solution, created, subject.ticket_ref.key if subject.ticket_ref else "", open_questions)


def _solution(actor: Actor, product: Product, subject: Subject) -> tuple[Solution, bool]:
    """The solution there is, while it is open; else a new one for the same problem."""
    place = subject.place
    if place.solution is not None and not place.solution.is_closed:
        return place.solution, False
    title = subject.words.strip() or (f"Ticket {subject.ticket_ref.key}" if subject.ticket_ref else subject.written)
    starter = User.objects.filter(pk=actor.user_id, memberships__product=product).first() if actor.user_id else None
    made = create_solution(actor, product, opportunity=place.opportunity, title=title[:TITLE_LENGTH], owner=starter)
    return made, True


def _place(actor: Actor, product: Product, solution: Solution, problem: str) -> Solution:
    """Under the problem that was named: by its id, else in new words."""
    if not problem:
        return solution
    return move_node(actor, solution, _problem(actor, product, problem))


def _problem(actor: Actor, product: Product, said: str) -> Opportunity:
    try:
        ref = parse_ref(said)
    except NotAReference:
        ref = None
    if not isinstance(ref, NodeRef):
        return create_opportunity(actor, product, title=said)
    node = find_node(product, ref.ref)
    if not isinstance(node, Opportunity):
        raise Invalid(
            f"{ref.ref} is no problem of somebody's. Name an opportunity, as OPP-2, or say it in their words."
        )
    return node


def _keep_answers(actor: Actor, product: Product, solution: Solution, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Each question is a note on the solution: with its answer, or open until somebody has one."""
    place = place_of(solution)
    asked = {note.text: note for note in notes_of(solution)}
    said = dict(answers)
    if place.opportunity:
        said["problem"] = f"{place.opportunity.ref} {place.opportunity.title}"
    for key, text in QUESTIONS.items():
        if key in said or text not in asked:
            note = asked.get(text) or add_note(actor, product, solution, kind="question", text=text)
            if key in said and note.answered_at is None:
                answer_note(actor, note, said[key])
    waiting = unanswered(place)
    return tuple(text for key, text in QUESTIONS.items() if key in waiting)
