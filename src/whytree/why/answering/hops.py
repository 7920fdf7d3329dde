"""From a node of the tree to the hops around it: solution, hypothesis, opportunity, voices, outcome, review."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.db.models import Q
from django.urls import reverse

from whytree.analytics.models import Metric
from whytree.analytics.queries import Measure, measure, metrics_by_key
from whytree.code.models import Repository, Ticket
from whytree.engines.confidence import Confidence
from whytree.engines.links.rules import provenance
from whytree.engines.links.tickets import spelled
from whytree.engines.texts.issues import is_machine, spoken
from whytree.errors import Unavailable
from whytree.flags.queries import flags_of
from whytree.people.models import Person
from whytree.tree.models import (
    EvidenceLink,
    EvidenceType,
    Hypothesis,
    Node,
    Opportunity,
    Outcome,
    Solution,
    SourceKind,
)
from whytree.tree.queries import confidence, evidence_of, open_drafts, open_notes_of, outcome_of, path_of, prediction_of
from whytree.tree.services import commit_key, request_key
from whytree.voice.models import Consent, FeedbackItem, Interview
from whytree.workspace.models import Product

from ..answer import (
    CommitHop,
    DraftHop,
    EvidenceHop,
    FlagFacts,
    HypothesisHop,
    OpportunityHop,
    OutcomeHop,
    SolutionHop,
    TicketHop,
)

# A screen shows three voices; whoever reads JSON or a page wants a few more, never all four hundred.
MOST_EVIDENCE = 12
WORDS_OF_A_TICKET = 600
VOICE_RULE = "author of the ticket"
_SPEAKING = (SourceKind.FEEDBACK, SourceKind.INTERVIEW)


@dataclass(frozen=True)
class Place:
    """Where in the tree an answer stands: the nodes from outcome to hypothesis that there are."""

    outcome: Outcome | None = None
    opportunity: Opportunity | None = None
    solution: Solution | None = None
    hypothesis: Hypothesis | None = None

    @property
    def nodes(self) -> list[Node]:
        found = (self.hypothesis, self.solution, self.opportunity, self.outcome)
        return [node for node in found if node is not None]


def place_of(node: Node) -> Place:
    """The line of nodes through `node`, and below a solution the prediction it is judged by."""
    line = [*path_of(node), node]
    solution = next((one for one in line if isinstance(one, Solution)), None)
    hypothesis = node if isinstance(node, Hypothesis) else prediction_of(solution) if solution else None
    opportunity = next((one for one in reversed(line) if isinstance(one, Opportunity)), None)
    outcome = node if isinstance(node, Outcome) else outcome_of(node)
    return Place(outcome, opportunity, solution, hypothesis)


def url_of(node: Node) -> str:
    return reverse("node", args=[node.product.slug, node.ref])


def ticket_hop(ticket: Ticket, at: str = "") -> TicketHop:
    """`at` is the tracker whose numbers need no name of a repository."""
    return TicketHop(
        spelled(ticket.key, ticket.tracker, at),
        ticket.title,
        ticket.url,
        ticket.state,
        ticket.author,
        " ".join(ticket.body.split())[:WORDS_OF_A_TICKET],
        ticket.opened_at,
    )


def ticket_voice(ticket: Ticket, at: str = "") -> EvidenceHop | None:
    """Its author's own words as a voice, when they are all that is known of who asked. The team's own are none."""
    words = spoken(ticket.body) or ticket.title
    if not words or is_machine(ticket.author) or ticket.author_is_staff:
        return None
    return EvidenceHop(
        ref=spelled(ticket.key, ticket.tracker, at),
        node=spelled(ticket.key, ticket.tracker, at),
        stance="supports",
        type=EvidenceType.ANECDOTAL.label,
        quote=words[:WORDS_OF_A_TICKET],
        statement="",
        who=ticket.author or "its author",
        source=_host(ticket.url) or ticket.tracker or "its tracker",
        said_at=ticket.opened_at,
        importance=1,
        provenance=provenance(VOICE_RULE),
        url=ticket.url,
    )


def _host(url: str) -> str:
    """Whose address it is; "" for what only looks like one, as "http://[x"."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def draft_hops(product: Product, ticket: Ticket | None, commit: CommitHop | None = None) -> tuple[DraftHop, ...]:
    """Drafts of the tree that this ticket speaks for, or that this commit or its request is the work of; the narrowest
    first."""
    url = f"{reverse('tree', args=[product.slug])}#drafts"
    keys = _draft_keys(product, commit) if commit else frozenset()
    rows = [row for row in open_drafts(product) if row.key in keys or (ticket and ticket.pk in row.tickets)]
    return tuple(
        DraftHop(row.pk, row.kind_word, row.title, row.provenance, row.because, url)
        for row in sorted(rows, key=lambda row: len(row.tickets))
    )


def _draft_keys(product: Product, commit: CommitHop) -> frozenset[str]:
    pk = Repository.objects.filter(product=product, name=commit.repository).values_list("pk", flat=True).first()
    return frozenset() if pk is None else frozenset({commit_key(pk, commit.sha), request_key(pk, commit.pull_request)})


def solution_hop(solution: Solution) -> SolutionHop:
    flags = flags_of(solution)
    return SolutionHop(
        solution.ref,
        solution.title,
        solution.kind_word,
        solution.standing,
        url_of(solution),
        tuple(
            FlagFacts(flag.key, flag.standing, reverse("flag", args=[solution.product.slug, flag.key]))
            for flag in flags
        ),
    )


def hypothesis_hop(hypothesis: Hypothesis) -> HypothesisHop:
    return HypothesisHop(
        hypothesis.ref,
        hypothesis.title,
        hypothesis.metric_key,
        metric_name(hypothesis.product, hypothesis.metric_key),
        hypothesis.forecast_low,
        hypothesis.forecast_likely,
        hypothesis.forecast_high,
        hypothesis.forecast_unit,
        hypothesis.horizon_days,
        hypothesis.locked_at,
        url_of(hypothesis),
    )


def opportunity_hop(opportunity: Opportunity) -> OpportunityHop:
    earned = confidence(opportunity)
    return OpportunityHop(
        opportunity.ref,
        opportunity.title,
        opportunity.kind_word,
        url_of(opportunity),
        _people(opportunity),
        opportunity.override or earned.label,
        _rungs(earned),
    )


def _people(opportunity: Opportunity) -> int:
    """People who spoke for it, each counted once however often; a study or a page is nobody."""
    somebody = ~Q(person_key="") | (Q(source_kind__in=_SPEAKING) & ~Q(source_id=""))
    told = evidence_of(opportunity).filter(somebody, stance="supports").values_list("person_key", "source_id")
    return len({person or source for person, source in told})


def _rungs(earned: Confidence) -> tuple[str, ...]:
    """What kinds of evidence there are, the strongest first: "user evidence 3"."""
    supporting = (row for row in earned.breakdown if row.stance == "supports")
    rows = sorted(supporting, key=lambda row: -row.weight)
    return tuple(f"{row.label} {row.people}" for row in rows)


def evidence_hops(nodes: Iterable[Node]) -> tuple[EvidenceHop, ...]:
    """Evidence on these nodes: people's words first, the most important and newest of them first."""
    hops = hops_of([(node, link) for node in nodes for link in evidence_of(node)[: MOST_EVIDENCE * 3]])
    hops.sort(key=lambda hop: (bool(hop.quote), hop.importance, hop.said_at), reverse=True)
    return tuple(hops[:MOST_EVIDENCE])


def hops_of(pairs: Sequence[tuple[Node, EvidenceLink]]) -> list[EvidenceHop]:
    """Pieces of evidence as all doors show them, in this order; two queries for all of them."""
    links = [link for _, link in pairs]
    items, talks, people = _items(links), _talks(links), _people_behind(links)
    return [
        _evidence_hop(node, link, items.get(link.source_id) or talks.get(link.source_id), people.get(link.person_key))
        for node, link in pairs
    ]


def _items(links: list[EvidenceLink]) -> dict[str, FeedbackItem]:
    numbers = {
        int(link.source_id[3:])
        for link in links
        if link.source_kind == SourceKind.FEEDBACK and link.source_id[3:].isdigit()
    }
    if not numbers:
        return {}
    found = FeedbackItem.objects.filter(product=links[0].product_id, number__in=numbers)
    return {item.ref: item for item in found}


def _talks(links: list[EvidenceLink]) -> dict[str, Interview]:
    numbers = {
        int(link.source_id[4:])
        for link in links
        if link.source_kind == SourceKind.INTERVIEW and link.source_id[4:].isdigit()
    }
    if not numbers:
        return {}
    found = Interview.objects.filter(product=links[0].product_id, number__in=numbers)
    return {talk.ref: talk for talk in found}


def _people_behind(links: list[EvidenceLink]) -> dict[str, Person]:
    keys = {link.person_key for link in links} - {""}
    if not keys:
        return {}
    return {person.key: person for person in Person.objects.filter(product=links[0].product_id, key__in=keys)}


def _evidence_hop(
    node: Node, link: EvidenceLink, said: FeedbackItem | Interview | None, person: Person | None
) -> EvidenceHop:
    silent = said is not None and said.consent == Consent.NONE
    item = said if isinstance(said, FeedbackItem) else None
    told = item.author_name if item else said.participant if isinstance(said, Interview) else ""
    name = told or (person.name if person else "")
    plan = person.plan if person else ""
    return EvidenceHop(
        ref=link.source_id or f"evidence {link.pk}",
        node=node.ref,
        stance=link.stance,
        type=EvidenceType(link.evidence_type).label,
        quote="" if silent else link.quote,
        statement="asked not to be quoted" if silent and not link.statement else link.statement,
        who=", ".join(filter(None, (name, f"{plan} plan" if plan else ""))),
        source=(item.source if item else "") or _host(link.source_url) or link.source_kind,
        said_at=link.said_or_added_at,
        importance=link.importance,
        provenance=evidence_provenance(link),
        url=_page_of(node, said) or link.source_url,
    )


def _page_of(node: Node, said: FeedbackItem | Interview | None) -> str:
    if said is None:
        return ""
    name = "feedback_item" if isinstance(said, FeedbackItem) else "interview"
    return reverse(name, args=[node.product.slug, said.number])


def evidence_provenance(link: EvidenceLink) -> str:
    return "stated" if link.provenance == "stated" else f"inferred: {link.rule}"


def outcome_hop(outcome: Outcome, *, measured: bool) -> OutcomeHop:
    """`measured`: also compute the value as of now, from the events."""
    metric = metrics_by_key(outcome.product, [outcome.metric_key]).get(outcome.metric_key)
    now = _measured(metric) if metric and measured else None
    facts = OutcomeHop(
        outcome.ref,
        outcome.title,
        outcome.metric_key,
        metric.unit if metric else "",
        outcome.baseline,
        outcome.target,
        outcome.due,
        url_of(outcome),
    )
    if now is None or now.value is None:
        return facts
    return replace(
        facts,
        value=now.value,
        low=now.low,
        high=now.high,
        n=now.n,
        from_at=now.from_at,
        to_at=now.to_at,
        last_day=now.last_day,
        source=now.source,
    )


def _measured(metric: Metric) -> Measure | None:
    try:
        return measure(metric)
    except Unavailable:
        return None  # the rest of the answer stands without the event store


def metric_name(product: Product, key: str) -> str:
    metric = metrics_by_key(product, [key]).get(key)
    return metric.name if metric else key


def open_questions(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Questions and challenges that wait on these nodes, as "SOL-3: Whose life gets better?"."""
    return tuple(f"{node.ref}: {note.text}" for node in nodes for note in open_notes_of(node)[:5])
