"""What may be asked of what lies ahead: `improve` answers for lines, files, folders, flags, pages, tickets and nodes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from whytree.code.models import Commit, FileBlame, Repository
from whytree.code.queries import ADD_FIRST, FileRef, find_commit, find_file, line_count, ticket_named
from whytree.engines.flags import percent
from whytree.engines.git.blame import UNCOMMITTED
from whytree.engines.links.tickets import TicketRef
from whytree.errors import Invalid, NotFound
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag, flags_by_solution
from whytree.learning.queries import last_result, reviews_of
from whytree.learning.reviews.results import Guardrail
from whytree.tree.models import (
    EXPOSED_STATES,
    Assumption,
    AssumptionTest,
    EvidenceLink,
    Hypothesis,
    Method,
    Node,
    NoteKind,
    Opportunity,
    Progress,
    Solution,
    State,
)
from whytree.tree.queries import find_node, nodes_of_ticket, notes_of, open_notes_of, prediction_of
from whytree.voice.models import FeedbackItem
from whytree.voice.queries import links_of
from whytree.workspace.models import Product

from ..answering.commits import find_links, told_of, trace
from ..answering.hops import evidence_hops, opportunity_hop, url_of
from ..answering.linking import findings_of, hub_of, may_be_linked
from ..answering.parts import main_ref
from ..queries import Ask, lines_meant
from ..refs import CommitRef, FlagRef, FolderRef, LineRef, NodeRef, NotAReference, Ref, parse_ref, path_of
from ..starting.card import QUESTIONS, Remark, debt_remarks
from .answer import Ahead, Behind, Belief, Guard, Named, Spent, Struggle, Unmeasured
from .tickets import tickets_behind
from .words import headline, help_most, next_test

MOST_SOLUTIONS = 20
MOST_STRUGGLES = 5
MOST_OF_A_KIND = 8
VOICES_EACH = 2
NEAR = 0.5  # of the margin: half of what was allowed is used up
STEADY = timedelta(days=14)  # as long as everybody got the same before a flag is called spent
MOST_ITEMS = 1_000
AT_ONCE = 500  # values in one IN

# What a test costs, by its method: from reading what is there to building something.
CHEAPEST_FIRST = (
    Method.DATA_MINING,
    Method.ONE_QUESTION_SURVEY,
    Method.FAKE_DOOR,
    Method.PROTOTYPE_TEST,
    Method.USABILITY_TEST,
    Method.RESEARCH_SPIKE,
    Method.CONCIERGE,
    Method.WIZARD_OF_OZ,
    Method.EXPERIMENT,
)


@dataclass(frozen=True)
class PageRef:
    """A page of the product itself, by the path in its address."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True)
class _Found:
    """What stands behind a place, before it is looked at."""

    solutions: Mapping[str, tuple[Solution, int, str]]  # by id: the solution, its lines, how it was found
    problems: Sequence[Opportunity] = ()
    lines: int = 0
    named: int = 0
    tickets: tuple[Named, ...] = ()
    unexplained: int = 0
    unread: int = 0
    flags: Sequence[Flag] = ()


def parse_place(typed: str) -> Ref | PageRef:
    """What a person typed: a path that begins with /, or an address, is a page of the product."""
    text = typed.strip()
    if text.startswith("/"):
        return _page_at(text)
    try:
        return parse_ref(text)
    except NotAReference:
        if text.startswith(("http://", "https://")):
            return _page_at(text)
        raise


def _page_at(address: str) -> PageRef:
    if not (path := path_of(address)):
        raise NotAReference(f"{address[:60]!r} is no address. Give one as /pricing or https://example.org/pricing.")
    return PageRef(path)


def improve(product: Product, ask: Ask | None, place: Ref | PageRef) -> Ahead:
    """What is known there, looking forward. `ask` holds what the asker's clone knows of the lines."""
    found = _find(product, ask, place)
    ahead = _look(product, found)
    ahead = replace(ahead, ref=str(place) if not isinstance(place, TicketRef) else place.url or place.key)
    ahead = replace(ahead, page=f"{reverse('improve', args=[product.slug])}?{urlencode({'q': ahead.ref})}")
    ahead = replace(
        ahead, helps=help_most(ahead, of_page=isinstance(place, PageRef), of_ticket=isinstance(place, TicketRef))
    )
    return replace(ahead, sentence=headline(ahead))


# Where it is --------------------------------------------------------------------------------------


def _find(product: Product, ask: Ask | None, place: Ref | PageRef) -> _Found:
    if isinstance(place, PageRef):
        return _of_page(product, place)
    if isinstance(place, FolderRef):
        return _of_lines(product, ask, LineRef(place.path, repository=place.repository))
    if isinstance(place, LineRef):
        return _of_lines(product, ask, place)
    if isinstance(place, FlagRef):
        flag = find_flag(product, place.key)
        solution = flag.solution or (flag.hypothesis.solution if flag.hypothesis else None)
        return replace(_of_nodes([solution] if solution else []), flags=[flag])
    if isinstance(place, TicketRef):
        ticket = ticket_named(product, place, tracker=ask.tracker if ask else "")
        return _of_nodes([hub_of(node) for node in nodes_of_ticket(ticket)])
    if isinstance(place, CommitRef):
        return replace(_of_shas(product, ask, {_whole_sha(product, ask, place): 1}), lines=0, named=0, unexplained=0)
    return _of_node(product, place)


def _whole_sha(product: Product, ask: Ask | None, place: CommitRef) -> str:
    posted = (commit.sha for commit in ask.commits) if ask else iter(())
    return next((sha for sha in posted if sha.startswith(place.sha)), "") or find_commit(product, place.sha).sha


def _of_node(product: Product, place: NodeRef) -> _Found:
    node = hub_of(find_node(product, place.ref))
    if isinstance(node, Opportunity):
        solutions = node.solutions.filter(closed_at=None).select_related("product", "opportunity__product")
        return replace(_of_nodes(list(solutions[:MOST_SOLUTIONS])), problems=[node])
    return _of_nodes([node])


def _of_nodes(nodes: Sequence[Node]) -> _Found:
    solutions = {node.ref: (node, 0, "stated") for node in nodes if isinstance(node, Solution)}
    return _Found(solutions, [node for node in nodes if isinstance(node, Opportunity)])


def _of_lines(product: Product, ask: Ask | None, place: LineRef) -> _Found:
    if ask and ask.spans:
        counted = _counted((span.sha, span.size) for span in ask.spans)
        counted.pop(UNCOMMITTED, None)
        return _of_shas(product, ask, counted)
    if place.symbol and not place.first:
        first, last = lines_meant(find_file(product, FileRef(place.path, place.repository)), place)
        place = replace(place, first=first, last=last)
    files = _files_below(product, place)
    spans = (
        (sha, min(end, place.last or end) - max(start, place.first or start) + 1)
        for file in files
        for start, end, sha in file.spans
        if not place.first or (start <= place.last and end >= place.first)
    )
    return _of_shas(product, ask, _counted(spans))


def _files_below(product: Product, place: LineRef) -> list[FileBlame]:
    """The file, or all files of the folder as they were last read."""
    path = place.path.strip("/")
    files = FileBlame.objects.filter(repository__product=product).select_related("repository")
    if place.repository:
        files = files.filter(repository__name=place.repository)
    inside = files if path in {"", "."} else files.filter(path__startswith=f"{path}/")
    if not place.first and (below := list(inside)):
        if len({file.repository_id for file in below}) == 1:
            return below
        names = ", ".join(sorted({f"{file.repository.name}:{path}" for file in below}))
        raise NotFound(f"Several repositories have {path}. Say which: {names}")
    if not place.first and "." not in path.rpartition("/")[2]:
        known = Repository.objects.filter(product=product).exists()
        todo = "Read it in: whytree repository sync" if known else ADD_FIRST
        raise NotFound(f"No file below {path or '.'} is known here. {todo}")
    file = find_file(product, FileRef(path, place.repository))
    if place.first > line_count(file):
        raise Invalid(f"{path} has {line_count(file):,} lines at {file.rev[:7]}: there is no line {place.first:,}.")
    return [file]


def _counted(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for sha, size in pairs:
        counted[sha] += size
    return counted


def _of_shas(product: Product, ask: Ask | None, counted: Mapping[str, int]) -> _Found:
    """The solutions that these commits are for, by the link rules."""
    lines = sum(counted.values())
    led = _led_by_clone(product, ask, counted) if ask and ask.commits else _led_by_store(product, counted)
    solutions: dict[str, tuple[Solution, int, str]] = {}
    problems: dict[str, Opportunity] = {}
    explained = 0
    for sha, (ref, provenance) in led.items():
        node = solutions[ref][0] if ref in solutions else problems.get(ref) or find_node(product, ref)
        explained += counted.get(sha, 0)
        if isinstance(node, Solution):
            before = solutions.get(ref, (node, 0, provenance))
            solutions[ref] = (node, before[1] + counted.get(sha, 0), before[2])
        elif isinstance(node, Opportunity):
            problems[ref] = node
    most = sorted(solutions.items(), key=lambda entry: -entry[1][1])[:MOST_SOLUTIONS]
    named, tickets = tickets_behind(product, counted, led)
    return _Found(dict(most), list(problems.values()), lines, named, tickets, lines - explained - named)


def _led_by_clone(product: Product, ask: Ask, counted: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    told = told_of(product, list(counted), ask.commits, ask.tracker)
    traced = [trace(product, told[sha], finding) for sha, finding in find_links(product, told).items() if finding.link]
    return {
        one.told.hop.sha: (hub_of(one.node).ref, one.finding.link.provenance)
        for one in traced
        if one.node and one.finding.link
    }


def _led_by_store(product: Product, counted: Mapping[str, int]) -> dict[str, tuple[str, str]]:
    """Many commits at once: those that no key of theirs can link are not looked at."""
    shas, keyed = sorted(counted), Commit.objects.filter(may_be_linked(product), repository__product=product).distinct()
    wanted = [
        commit
        for start in range(0, len(shas), AT_ONCE)
        for commit in keyed.filter(sha__in=shas[start : start + AT_ONCE]).select_related("repository")
    ]
    findings = findings_of(product, wanted)
    links = ((commit, findings[commit.pk].link) for commit in wanted)
    return {commit.sha: (main_ref(link.refs), link.provenance) for commit, link in links if link}


def _of_page(product: Product, place: PageRef) -> _Found:
    """What people said from that page: the problems their words are linked to, and how many nobody has read."""
    told = FeedbackItem.objects.filter(product=product, url__contains=place.path).select_related("product")
    items = [item for item in told.order_by("-said_at")[:MOST_ITEMS] if path_of(item.url) == place.path]
    problems = {linked.opportunity.pk: linked.opportunity for linkeds in links_of(items).values() for linked in linkeds}
    solutions = Solution.objects.filter(opportunity__in=problems, state__in=EXPOSED_STATES | {State.KEPT})
    found = _of_nodes(list(solutions.select_related("product", "opportunity__product")[:MOST_SOLUTIONS]))
    waiting = sum(item.is_waiting for item in items)
    return replace(found, problems=list(problems.values()), unread=waiting)


# What is known there ------------------------------------------------------------------------------


def _look(product: Product, found: _Found) -> Ahead:
    solutions = [solution for solution, _, _ in found.solutions.values()]
    problems = {one.pk: one for one in found.problems}
    problems |= {one.opportunity_id: one.opportunity for one in solutions if one.opportunity and one.opportunity_id}
    open_problems = [one for one in problems.values() if not one.is_closed]
    beliefs = _untested(solutions)
    predictions = {one.pk: prediction_of(one) for one in solutions}
    return Ahead(
        ref="",
        lines=found.lines,
        named=found.named,
        tickets=found.tickets,
        unexplained=found.unexplained,
        solutions=tuple(
            Behind(one.ref, one.title, one.standing, url_of(one), lines, provenance)
            for one, lines, provenance in found.solutions.values()
        ),
        struggles=_struggles(open_problems, solutions, predictions),
        guards=tuple(_guards(solutions)),
        unmeasured=tuple(_unmeasured(solutions, predictions)),
        remarks=tuple(_remarks([*solutions, *open_problems]))[:MOST_OF_A_KIND],
        untested=tuple(beliefs),
        spent=tuple(_spent(product, solutions, found.flags)),
        unread=found.unread,
        next=next_test(_cheapest(solutions), beliefs, open_problems),
    )


def _struggles(
    problems: Sequence[Opportunity], solutions: Sequence[Solution], predictions: Mapping[int, Hypothesis | None]
) -> tuple[Struggle, ...]:
    """The problems, those with most people first."""
    live: dict[int, datetime] = {}
    for solution in solutions:
        hypothesis = predictions[solution.pk]
        if hypothesis and hypothesis.opened_at and solution.opportunity_id:
            live[solution.opportunity_id] = max(
                live.get(solution.opportunity_id, hypothesis.opened_at), hypothesis.opened_at
            )
    shown = [_struggle(one, live.get(one.pk)) for one in problems]
    return tuple(sorted(shown, key=lambda one: -one.people)[:MOST_STRUGGLES])


def _struggle(problem: Opportunity, live_at: datetime | None) -> Struggle:
    hop = opportunity_hop(problem)
    quoted = [one for one in evidence_hops([problem]) if one.quote]
    quoted.sort(
        key=lambda one: live_at is None or one.said_at is None or one.said_at <= live_at
    )  # what is still said comes first
    return Struggle(
        hop.ref,
        hop.title,
        hop.url,
        hop.people,
        hop.evidence,
        tuple(quoted[:VOICES_EACH]),
        _since(problem, live_at) if live_at else 0,
        live_at,
    )


def _since(problem: Opportunity, live_at: datetime) -> int:
    """People who spoke of it after the change was live, each once."""
    later = EvidenceLink.objects.filter(
        product=problem.product_id, node_kind=problem.prefix, node_id=problem.pk, stance="supports", said_at__gt=live_at
    ).exclude(quote="")
    return len({person or source for person, source in later.values_list("person_key", "source_id")})


def _guards(solutions: Sequence[Solution]) -> Iterable[Guard]:
    for reviews in reviews_of(solutions).values():
        review = reviews[0]
        result = last_result(review)
        for rail in result.guardrails if result else []:
            state = _state(rail, is_decided=review.is_decided)
            if result is None or not state:
                continue
            figure = rail.contrast.difference
            yield Guard(
                review.ref,
                review.url,
                rail.contrast.metric_name,
                state,
                figure.value if figure else None,
                figure.low if figure else None,
                figure.high if figure else None,
                rail.contrast.difference_unit,
                rail.margin,
                result.as_of,
            )


def _state(rail: Guardrail, *, is_decided: bool) -> str:
    """ "near": the likely value has used half of what was allowed, though the whole interval still holds."""
    if rail.verdict == "open" and is_decided:
        return "untold"
    if rail.verdict != "held":
        return rail.verdict
    figure = rail.contrast.difference
    moved = 0.0 if figure is None else figure.value if rail.direction == "up" else -figure.value
    return "near" if rail.margin > 0 and moved >= NEAR * rail.margin else ""


def _unmeasured(solutions: Sequence[Solution], predictions: Mapping[int, Hypothesis | None]) -> Iterable[Unmeasured]:
    reviews = reviews_of(solutions)
    for solution in solutions:
        if solution.state not in EXPOSED_STATES | {State.KEPT}:
            continue
        hypothesis = predictions[solution.pk]
        review = reviews.get(solution.pk, [None])[0]
        result = last_result(review) if review else None
        if hypothesis is None:
            yield Unmeasured(solution.ref, solution.title, "nobody predicted what it would change", url_of(solution))
        elif review is not None and not review.is_decided and review.due_at <= timezone.now():
            measured = result is not None and result.is_measured
            reason = "it was measured and wants a verdict" if measured else "its review wants a verdict"
            yield Unmeasured(review.ref, solution.title, reason, review.url, is_measured=measured)
        elif review is None:
            yield Unmeasured(
                hypothesis.ref, solution.title, "people have it, and no review is planned", url_of(hypothesis)
            )
        elif review.is_decided and (result is None or not result.is_measured):
            yield Unmeasured(review.ref, solution.title, "decided without a measurement", review.url)


def _remarks(nodes: Sequence[Node]) -> Iterable[Remark]:
    """Challenges and questions that wait, then constraints; the three questions of `start` among them."""
    waiting = [(node, note) for node in nodes for note in open_notes_of(node)]
    limits = [(node, note) for node in nodes for note in notes_of(node).filter(kind=NoteKind.CONSTRAINT)]
    waiting.sort(
        key=lambda pair: (pair[1].kind != NoteKind.CHALLENGE, pair[1].text in QUESTIONS.values(), pair[1].created_at)
    )
    for node, note in [*waiting, *limits]:
        yield Remark(node.ref, note.kind, note.text, note.author_name, note.cost, note.alternative)
    yield from debt_remarks(nodes)


def _untested(solutions: Sequence[Solution]) -> list[Belief]:
    """Assumptions that no test has settled, of solutions that are still alive; what matters most first."""
    alive = [one.pk for one in solutions if not one.is_closed and one.state != State.ROLLED_BACK]
    rows = Assumption.objects.filter(solution__in=alive, closed_at=None).select_related("product", "solution__product")
    unsettled = [one for one in rows.prefetch_related("tests") if one.status in {"untested", "mixed"}]
    unsettled.sort(key=lambda one: (-one.importance, one.number))
    return [
        Belief(
            one.ref, one.title, one.assumption_type, one.importance, one.status, one.solution.ref, url_of(one.solution)
        )
        for one in unsettled[:MOST_OF_A_KIND]
    ]


def _cheapest(solutions: Sequence[Solution]) -> AssumptionTest | None:
    """Of the tests that are planned or run: one that runs, else the one whose method costs least."""
    rows = AssumptionTest.objects.filter(
        Q(assumption__solution__in=[one.pk for one in solutions if not one.is_closed]),
        closed_at=None,
        status__in=(Progress.IN_PROGRESS, Progress.NOT_STARTED),
    ).select_related("product", "assumption__solution__product")
    price = {method.value: place for place, method in enumerate(CHEAPEST_FIRST)}
    return min(
        rows,
        key=lambda test: (
            test.status != Progress.IN_PROGRESS,
            price[test.method],
            -test.assumption.importance,
            test.number,
        ),
        default=None,
    )


def _spent(product: Product, solutions: Sequence[Solution], asked: Sequence[Flag]) -> Iterable[Spent]:
    """Flags whose answer is the same for everybody since a while, or whose solution was taken back."""
    flags = {flag.pk: flag for flag in asked if flag.archived_at is None}
    for found in flags_by_solution(product, [one.pk for one in solutions]).values():
        flags |= {flag.pk: flag for flag in found}
    for flag in sorted(flags.values(), key=lambda one: one.key):
        if (spent := _as_spent(product, flag)) is not None:
            yield spent


def _as_spent(product: Product, flag: Flag) -> Spent | None:
    last = flag.changes.order_by("-at", "-pk").first()
    if last is None or timezone.now() - last.at < STEADY:
        return None
    given = [name for name, weight in flag.weights.items() if weight > 0]
    solution = flag.solution
    reason = ""
    if solution is not None and solution.state in {State.ROLLED_BACK, State.DROPPED}:
        reason = f"{solution.ref} was {solution.standing}"
    elif flag.is_on and flag.coverage_percent == "100" and len(given) == 1 and _is_decided(solution):
        reason = f"everybody gets {given[0]}"
    elif not flag.is_on and _is_decided(solution):
        reason = "it is off for everybody"
    if not reason:
        return None
    url = reverse("flag", args=[product.slug, flag.key])
    return Spent(flag.key, f"on {percent(flag.coverage)}" if flag.is_on else "off", reason, last.at, url)


def _is_decided(solution: Solution | None) -> bool:
    """While a solution is live or measured, its flag is how it would be taken back."""
    return solution is None or solution.state not in EXPOSED_STATES | {State.TESTING, State.BUILDING, State.IDEA}
