"""What somebody should see before they start: the vision, the outcome, three people, what was tried, what is in the way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from whytree.code.models import Ticket
from whytree.code.queries import find_ticket, only_tracker
from whytree.engines.links.tickets import TicketRef, parse_ticket
from whytree.engines.texts.words import fold
from whytree.errors import Invalid, NotFound
from whytree.learning.debts.queries import open_debts_of
from whytree.tree.models import (
    EXPOSED_STATES,
    SETTLED_STATES,
    Assumption,
    Node,
    Note,
    NoteKind,
    Opportunity,
    Outcome,
    Solution,
)
from whytree.tree.queries import find_node, nodes_of_ticket, notes_of, open_notes_of
from whytree.workspace.models import Product

from ..answer import EvidenceHop, OpportunityHop, OutcomeHop, SolutionHop, TicketHop
from ..answering.hops import (
    Place,
    evidence_hops,
    opportunity_hop,
    outcome_hop,
    place_of,
    solution_hop,
    ticket_hop,
    url_of,
)
from ..answering.linking import hub_of
from ..answering.reviews import review_hop
from ..refs import NodeRef, NotAReference, parse_ref

VOICES = 3
SUGGESTIONS = 5
TRIED = 5
MOST_OTHERS = 100
LONGEST_SUBJECT = 2_000

# The essay's three questions; a skipped one stays an open question on the solution.
QUESTIONS = {
    "problem": "Which problem are we solving?",
    "who": "Whose life gets better, and how?",
    "test": "Is it the right thing: what could show cheaply that it is not?",
}


@dataclass(frozen=True)
class Tried:
    """Another solution of the same problem, and what came of it."""

    ref: str
    title: str
    state: str
    result: str
    url: str
    learned: str = ""


@dataclass(frozen=True)
class Remark:
    """A constraint, challenge, question or debt on the way."""

    node: str
    kind: str
    text: str
    author: str
    cost: str = ""
    alternative: str = ""


@dataclass(frozen=True)
class Choice:
    """A problem that may be the one."""

    ref: str
    title: str


@dataclass(frozen=True)
class Question:
    key: str
    text: str


@dataclass(frozen=True)
class Card:
    """The one screen of `start`. `questions` are those nobody has answered yet."""

    subject: str
    vision: str
    ticket: TicketHop | None
    solution: SolutionHop | None
    opportunity: OpportunityHop | None
    outcome: OutcomeHop | None
    voices: tuple[EvidenceHop, ...]
    tried: tuple[Tried, ...]
    tested: str
    remarks: tuple[Remark, ...]
    choices: tuple[Choice, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Subject:
    """What work starts on: a ticket, a node, or words; and the solution there is for it already."""

    written: str
    words: str = ""
    ticket_ref: TicketRef | None = None
    ticket: Ticket | None = None
    node: Node | None = None
    problem: Opportunity | None = None

    @property
    def place(self) -> Place:
        place = place_of(self.node) if self.node else Place()
        if self.problem is None:
            return place
        above = place_of(self.problem)
        return replace(above, solution=place.solution, hypothesis=place.hypothesis)


def find_subject(product: Product, written: str, *, title: str = "", tracker: str = "", problem: str = "") -> Subject:
    """Read what work starts on. A ticket nobody has seen is no error: starting is how it is first seen.

    `problem` may name the opportunity (OPP-2) where what is written does not lead to one.
    """
    if len(written) > LONGEST_SUBJECT:
        raise Invalid(f"Say it in fewer words: at most {LONGEST_SUBJECT:,} characters. The ticket has the rest.")
    text = " ".join(written.split())
    subject = _named(product, text, title, tracker)
    if subject.place.opportunity is None and (said := _node(product, problem)) and isinstance(said, Opportunity):
        subject = replace(subject, problem=said)
    return subject


def _named(product: Product, text: str, title: str, tracker: str) -> Subject:
    if (node := _node(product, text)) is not None:
        return Subject(text, words=title or node.title, node=node)
    ref = parse_ticket(text)
    if ref is None:
        return Subject(text, words=text)
    tracker = tracker or only_tracker(product)
    ticket = find_ticket(product, ref, tracker=tracker)
    if not ref.tracker and ref.key[0] in "#!":
        ref = replace(ref, tracker=ticket.tracker if ticket else tracker)
    tied = [hub_of(node) for node in nodes_of_ticket(ticket)] if ticket else []
    main = next((one for one in tied if isinstance(one, Solution)), tied[0] if tied else None)
    words = title or (ticket.title if ticket else "") or (main.title if main else "")
    return Subject(text, words=words, ticket_ref=ref, ticket=ticket, node=main)


def _node(product: Product, text: str) -> Node | None:
    """The node that was named; `NotFound` where it is not there, since nobody writes OPP-7 by accident."""
    try:
        ref = parse_ref(text)
    except NotAReference:
        return None
    if not isinstance(ref, NodeRef):
        return None
    if ref.ref.startswith(("OUT-", "REV-", "FB-", "INT-")):
        raise NotFound(f"Work starts on a ticket, an opportunity or a solution, not on {ref.ref}.")
    return hub_of(find_node(product, ref.ref))


def card_of(product: Product, subject: Subject) -> Card:
    """Everything the tree knows that somebody should know before they start."""
    place = subject.place
    outcome = place.outcome or _only(Outcome.objects.filter(product=product, closed_at=None)[:2])
    perhaps = [] if place.opportunity else _choices(product, subject.words)
    return Card(
        subject=subject.written,
        vision=product.vision,
        ticket=ticket_hop(subject.ticket) if subject.ticket else None,
        solution=solution_hop(place.solution) if place.solution else None,
        opportunity=opportunity_hop(place.opportunity) if place.opportunity else None,
        outcome=outcome_hop(outcome, measured=True) if outcome else None,
        voices=_voices(place.opportunity),
        tried=_tried(place),
        tested=_tested([place.opportunity] if place.opportunity else perhaps),
        remarks=_remarks(place.nodes),
        choices=tuple(Choice(one.ref, one.title) for one in perhaps),
        questions=tuple(Question(key, text) for key, text in QUESTIONS.items() if key in unanswered(place)),
    )


def unanswered(place: Place) -> set[str]:
    """Keys of the questions that still have no answer on the solution."""
    asked = {note.text: note for note in notes_of(place.solution)} if place.solution else {}
    open_keys = {key for key, text in QUESTIONS.items() if text not in asked or asked[text].answered_at is None}
    return open_keys - {"problem"} if place.opportunity else open_keys


def _only(outcomes: Iterable[Outcome]) -> Outcome | None:
    found = list(outcomes)
    return found[0] if len(found) == 1 else None


def _voices(opportunity: Opportunity | None) -> tuple[EvidenceHop, ...]:
    """Three people: whoever said more than one thing is heard once."""
    if opportunity is None:
        return ()
    people: dict[str, EvidenceHop] = {}
    for one in evidence_hops([opportunity]):
        if one.quote:
            people.setdefault(one.who or one.ref, one)
    return tuple(people.values())[:VOICES]


def _tried(place: Place) -> tuple[Tried, ...]:
    """Other solutions; what people had in their hands, or what was given up, before what is only meant."""
    if place.opportunity is None:
        return ()
    others = (
        place.opportunity.solutions.exclude(pk=place.solution.pk) if place.solution else place.opportunity.solutions
    )
    shown = list(others.select_related("product", "opportunity").order_by("-updated_at")[:MOST_OTHERS])
    shown.sort(key=lambda one: one.state not in EXPOSED_STATES | SETTLED_STATES)
    return tuple(_came_of(one) for one in shown[:TRIED])


def _tested(problems: Sequence[Opportunity]) -> str:
    """How much of what solutions of these problems rest on was ever put to a test, and what weighs most of the rest."""
    rows = Assumption.objects.filter(solution__opportunity__in=[one.pk for one in problems])
    beliefs = list(rows.select_related("product").prefetch_related("tests").order_by("-importance", "number"))
    if not beliefs:
        return ""
    untested = [one for one in beliefs if not any(test.verdict for test in one.tests.all())]
    whose = "its" if len(problems) == 1 else "their"
    tested = len(beliefs) - len(untested)
    said = f"Of {len(beliefs)} beliefs behind {whose} solutions, {tested or 'none'} {'was' if tested < 2 else 'were'} ever tested"
    if len(beliefs) == 1:
        said = f"The one belief behind {whose} solutions was {'tested' if tested else 'never tested'}"
    waiting = next((one for one in untested if one.closed_at is None), None)
    return f"{said}; not {waiting.ref} “{waiting.title}”" if waiting else said


def _came_of(solution: Solution) -> Tried:
    hypothesis = place_of(solution).hypothesis
    review = review_hop(hypothesis) if hypothesis else None
    result = solution.close_reason
    if review and review.difference is not None:
        result = f"{review.difference:+.3g} {review.difference_unit} {review.metric}".strip()
    learned = review.learning if review else ""
    return Tried(solution.ref, solution.title, solution.standing, result, url_of(solution), learned)


def _remarks(nodes: Sequence[Node]) -> tuple[Remark, ...]:
    found: list[tuple[Node, Note]] = []
    for node in nodes:
        found += [(node, note) for note in notes_of(node).filter(kind=NoteKind.CONSTRAINT)]
        found += [(node, note) for note in open_notes_of(node)]
    remarks = [
        Remark(node.ref, note.kind, note.text, note.author_name, note.cost, note.alternative)
        for node, note in found
        if note.text not in QUESTIONS.values()
    ]
    return (*remarks, *debt_remarks(nodes))


def debt_remarks(nodes: Sequence[Node]) -> list[Remark]:
    """Corners that were cut on these solutions and are not mended; those due first."""
    debts = open_debts_of([node for node in nodes if isinstance(node, Solution)])
    return [
        Remark(debt.solution.ref, "debt due" if debt.due_at else "debt", debt.text, str(debt.created_by or ""))
        for debt in debts
    ]


def _choices(product: Product, words: str) -> list[Opportunity]:
    """Problems that share words with what is started, then those in focus."""
    wanted = {word for word in fold(words).split() if len(word) > 3}
    scored = []
    for one in Opportunity.objects.filter(product=product, closed_at=None).only("number", "title", "in_focus"):
        common = len(wanted & set(fold(one.title).split()))
        if common or one.in_focus:
            scored.append((-common, not one.in_focus, one.number, one))
    return [one for _, _, _, one in sorted(scored, key=lambda row: row[:3])[:SUGGESTIONS]]
