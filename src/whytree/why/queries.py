"""What may be asked of the whole line: `explain` answers for a line, a commit, a flag, a ticket or a node.

line of code / flag / ticket -> commit -> solution + hypothesis -> opportunity + a user's words -> measured outcome
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import urlencode

from django.core.cache import cache
from django.urls import reverse

from whytree.code.models import Commit, CommitKey, FileBlame, PullRequest, Ticket
from whytree.code.queries import (
    FileRef,
    commits_by_pk,
    commits_with_keys,
    find_commit,
    find_file,
    line_count,
    ticket_named,
)
from whytree.code.services import PushedCommit
from whytree.engines.code.symbols import PYTHON, SymbolProblem, find_python
from whytree.engines.git.blame import UNCOMMITTED, Span
from whytree.engines.links.rules import Link, ticket_candidates
from whytree.engines.links.tickets import TicketRef
from whytree.errors import Invalid, NotFound
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag, flags_of
from whytree.tree.models import EvidenceLink, Node, Solution
from whytree.tree.queries import children_of, find_node, nodes_behind, nodes_of_ticket, ticket_keys
from whytree.workspace.models import Product

from .answer import CodeLine, Gone, LinkJson, Other, Why, link
from .answering.commits import Told, Traced, find_links, told_of, trace
from .answering.hops import (
    VOICE_RULE,
    draft_hops,
    evidence_hops,
    evidence_provenance,
    hypothesis_hop,
    open_questions,
    opportunity_hop,
    outcome_hop,
    place_of,
    solution_hop,
    ticket_hop,
    ticket_voice,
    url_of,
)
from .answering.linking import KEPT_SECONDS, findings_of, last_act
from .answering.parts import (
    folder_findings,
    folder_lines,
    is_folder,
    parts_of,
    repository_with,
    requested_commits,
    ticketed_commits,
    touching,
)
from .answering.reviews import hypothesis_of_review, review_hop
from .answering.sentences import advice, headline
from .refs import CommitRef, FlagRef, FolderRef, LineRef, Ref

CONTEXT_LINES = 2
MOST_CODE = 40
MOST_OTHERS = 20
CUT_OFF = "Older than this shallow clone reaches: {numbers}. Fetch the rest: git fetch --unshallow"


@dataclass(frozen=True)
class Ask:
    """What is asked, with what the asker's clone knows of it: who wrote the lines, and those commits' own words.

    `tracker` says whose numbers "#12" are in that clone.
    """

    ref: Ref
    spans: Sequence[Span] = ()
    at: str = ""
    gone: tuple[str, str, str] | None = None  # the commit the file is gone since, where it went, where it is today
    commits: Sequence[PushedCommit] = ()
    cut_off: Sequence[Span] = ()
    looked_through: Sequence[str] = ()
    tracker: str = ""


def explain(product: Product, ask: Ask) -> Why:
    """The five hops behind a reference. `NotFound` for what is not there; "unexplained" is an answer, not an error."""
    ref = ask.ref
    if isinstance(ref, LineRef) and not ask.spans and is_folder(product, ref):
        ref = FolderRef(ref.path, ref.repository)
    if isinstance(ref, LineRef):
        answer = _of_lines(product, ask, ref)
    elif isinstance(ref, FolderRef):
        ref, answer = _of_folder(product, ref)
    elif isinstance(ref, CommitRef):
        answer = _of_commit(product, ask, ref)
    elif isinstance(ref, FlagRef):
        answer = _of_flag(product, find_flag(product, ref.key))
    elif isinstance(ref, TicketRef):
        answer = _of_ticket(product, ticket_named(product, ref, tracker=ask.tracker))
    else:
        answer = _of_node(product, ref.ref)
    written = ref.url or ref.key if isinstance(ref, TicketRef) else str(ref)
    answer = replace(answer, ref=written, page=page_of(product, written))
    answer = replace(answer, sentence=headline(answer))
    return replace(answer, next=advice(answer, _unread_request(product, answer)))


def _unread_request(product: Product, answer: Why) -> str:
    """The pull request of a commit that nothing else explains, while its tracker was not asked about it.

    "!12" is left out: of those that number requests apart, the command line can ask but one.
    """
    number = answer.commit.pull_request if answer.commit else ""
    if answer.explained or answer.ticket or not number.startswith("#"):
        return ""
    return "" if PullRequest.objects.filter(product=product, key=number).exists() else number


def page_of(product: Product, ref: str) -> str:
    """Address of the page that gives the same answer."""
    return f"{reverse('why', args=[product.slug])}?{urlencode({'q': ref})}"


# Lines and commits ------------------------------------------------------------------------------------


def _of_lines(product: Product, ask: Ask, ref: LineRef) -> Why:
    if ask.spans or ask.cut_off:
        return _with_history(product, ask, _of_spans(product, ask, ref))
    try:
        file = find_file(product, FileRef(ref.path, ref.repository))
    except NotFound:
        if known := touching(product, ref.path, ref.repository, MOST_OTHERS):
            return _of_missing(product, ref, known)
        raise
    first, last = lines_meant(file, ref)
    spans = [
        Span(max(start, first), min(end, last), sha) for start, end, sha in file.spans if start <= last and end >= first
    ]
    if ref.symbol:
        ref = replace(ref, first=first, last=last)
    answer = _of_spans(product, replace(ask, spans=spans), ref)
    return replace(
        answer, code=_code(file, [span for span in spans if answer.commit and span.sha == answer.commit.sha])
    )


def _with_history(product: Product, ask: Ask, answer: Why) -> Why:
    """With the revision the lines were read at, and the commit that took them away."""
    if ask.gone is None:
        return replace(answer, at=ask.at)
    sha, moved_to, lives_at = ask.gone
    told = told_of(product, [sha], ask.commits, ask.tracker)
    traced = trace(product, told[sha], find_links(product, told)[sha])
    other, hop = _other(product, traced, ()), traced.told.hop
    gone = Gone(
        sha, hop.short, hop.subject, hop.authored_at, moved_to, lives_at, other.leads_to, other.provenance, other.url
    )
    return replace(answer, at=ask.at, gone=gone)


def _of_missing(product: Product, ref: LineRef, commits: Sequence[Commit]) -> Why:
    """A file that was not there at the last reading: who wrote its lines is not known, but who touched it is."""
    told = told_of(product, [commit.sha for commit in commits])
    findings = find_links(product, told)
    others = [_other(product, trace(product, told[commit.sha], findings[commit.sha]), ()) for commit in commits]
    note = f"{ref.path} is not among the files last read in. These commits touched it; its lines are told in the clone."
    return Why(lines=ref.lines[1:], others=tuple(others), notes=(note,))


def lines_meant(file: FileBlame, ref: LineRef) -> tuple[int, int]:
    """First and last line, of the file as it was last read in."""
    if ref.symbol:
        return _lines_of_symbol(file, ref)
    size = line_count(file)
    if ref.first > size:
        raise Invalid(f"{file.path} has {size:,} lines at {file.rev[:7]}: there is no line {ref.first:,}.")
    return (ref.first, min(ref.last, size)) if ref.first else (1, size)


def _lines_of_symbol(file: FileBlame, ref: LineRef) -> tuple[int, int]:
    if file.text is None:
        raise Invalid(
            f"The text of {file.path} was not sent, so its functions are not known here. Ask in the clone "
            f"(whytree why {ref}), or send it: whytree repository add PATH --with-code"
        )
    if not file.path.endswith(PYTHON):
        raise Invalid(f"Functions of {file.path} are found by git: ask in the clone (whytree why {ref}), or by line.")
    try:
        symbol = find_python(file.path, file.text, ref.symbol)
    except SymbolProblem as error:
        raise Invalid(str(error)) from error
    return symbol.first, symbol.last


def _code(file: FileBlame, spans: Sequence[Span]) -> tuple[CodeLine, ...]:
    """The lines that the answer is about with a little around them, as far as their text was sent."""
    if not spans:
        return ()
    lines = _sent(file)
    first = max(1, spans[0].start - CONTEXT_LINES)
    last = min(spans[-1].end + CONTEXT_LINES, first + MOST_CODE)
    told = {number for span in spans for number in range(span.start, span.end + 1)}
    return tuple(
        CodeLine(number, lines[number], number in told) for number in range(first, last + 1) if number in lines
    )


def _sent(file: FileBlame) -> dict[int, str]:
    """Lines by their numbers: all of them, or those of its hunks."""
    pieces = [(1, 0, file.text)] if file.text is not None else file.hunks
    return {first + at: line for first, _, text in pieces for at, line in enumerate(text.split("\n"))}


def _of_spans(product: Product, ask: Ask, ref: LineRef) -> Why:
    lines: dict[str, list[Span]] = {}
    for span in ask.spans:
        lines.setdefault(span.sha, []).append(span)
    uncommitted = lines.pop(UNCOMMITTED, None)
    cut_off = (CUT_OFF.format(numbers=_numbers(ask.cut_off)),) if ask.cut_off else ()
    if not lines:
        return Why(lines=ref.lines[1:], uncommitted=not cut_off, notes=cut_off)
    told = told_of(product, list(lines), ask.commits, ask.tracker)
    findings = find_links(product, told)
    sizes = {sha: sum(span.size for span in lines[sha]) for sha in lines}
    named = _naming_a_ticket(product, told)
    ranked = sorted(lines, key=lambda sha: (findings[sha].link is not None, sha in named, sizes[sha]), reverse=True)
    main, *rest = ranked
    answer = _from_trace(product, trace(product, told[main], findings[main]), ask.looked_through)
    others = [_other(product, trace(product, told[sha], findings[sha]), lines[sha]) for sha in rest[:MOST_OTHERS]]
    if uncommitted:
        answer = replace(answer, notes=(*answer.notes, f"Not committed yet: {_numbers(uncommitted)}."))
    return replace(
        answer,
        lines=ref.lines[1:],
        notes=(*answer.notes, *_left_out(rest), *cut_off),
        others=(*answer.others, *others),
        parts=parts_of(product, sizes, findings) if rest else (),
    )


def _left_out(commits: Sequence[str]) -> tuple[str, ...]:
    more = len(commits) - MOST_OTHERS
    if more <= 0:
        return ()
    return (
        f"{more:,} more {'commit' if more == 1 else 'commits'} wrote lines here: ask about fewer lines to see them.",
    )


def _naming_a_ticket(product: Product, told: Mapping[str, Told]) -> set[str]:
    """Commits that work on a ticket we know of: they say more than those that say nothing, whoever wrote more lines."""
    keys = {sha: {one.key for one in ticket_candidates(one.facts)} for sha, one in told.items()}
    wanted = sorted(set().union(*keys.values())) if keys else []
    known: set[str] = set()
    for start in range(0, len(wanted), 500):
        rows = Ticket.objects.filter(product=product, key__in=wanted[start : start + 500])
        known |= set(rows.values_list("key", flat=True))
    return {sha for sha, named in keys.items() if named & known}


def _of_folder(product: Product, ref: FolderRef) -> tuple[FolderRef, Why]:
    """The solutions behind a folder's lines, by share, as last read in."""
    repository = repository_with(product, ref.path, ref.repository)
    lines, files = folder_lines(repository, ref.path)
    parts = parts_of(
        product,
        lines,
        folder_findings(repository, lines),
        ticketed_commits(repository, lines),
        requested_commits(repository, lines),
    )
    explained = any(part.ref for part in parts)
    counted = f"{sum(lines.values()):,} lines in {files:,} {'file' if files == 1 else 'files'}"
    return replace(ref, repository=repository.name), Why(
        lines=counted, at=repository.head, parts=parts, explained=explained
    )


def _of_commit(product: Product, ask: Ask, ref: CommitRef) -> Why:
    posted = next((commit.sha for commit in ask.commits if commit.sha.startswith(ref.sha)), "")
    sha = posted or find_commit(product, ref.sha).sha
    told = told_of(product, [sha], ask.commits, ask.tracker)
    return _from_trace(product, trace(product, told[sha], find_links(product, told)[sha]), ask.looked_through)


def _from_trace(product: Product, traced: Traced, looked_through: Sequence[str]) -> Why:
    hop = replace(traced.told.hop, looked_through=tuple(looked_through))
    at = traced.told.tracker
    ticket = ticket_hop(traced.ticket, at) if traced.ticket else None
    if traced.node is None:
        drafts = draft_hops(product, traced.ticket, hop)
        answer = Why(
            commit=hop, ticket=ticket, links=traced.links, drafts=drafts, notes=traced.notes, reasons=traced.reasons
        )
        return _with_voice(answer, traced.ticket, at)
    answer = _from_node(traced.node, traced.links)
    found = traced.finding.link
    others = [find_node(traced.node.product, ref) for ref in found.refs] if found and len(found.refs) > 1 else []
    also = tuple(
        Other(node.ref, node.title, url=url_of(node), provenance=found.provenance)
        for node in others
        if found and node not in place_of(traced.node).nodes
    )
    answer = replace(answer, commit=hop, ticket=ticket, others=also, notes=traced.notes, reasons=traced.reasons)
    return _with_voice(answer, traced.ticket, at)


def _with_voice(answer: Why, ticket: Ticket | None, at: str = "") -> Why:
    """The words of the ticket's author, where nobody's words are known better."""
    if ticket is not None and not answer.drafts:
        answer = replace(answer, drafts=draft_hops(ticket.product, ticket))
    voice = ticket_voice(ticket, at) if ticket and not any(one.quote for one in answer.evidence) else None
    if ticket is None or voice is None:
        return answer
    heard = link(voice.ref, f"the words of {voice.ref}", voice.provenance, VOICE_RULE)
    return replace(answer, evidence=(voice, *answer.evidence), links=(*answer.links, heard))


def _other(product: Product, traced: Traced, spans: Sequence[Span]) -> Other:
    commit, found = traced.told.hop, traced.finding.link
    return Other(
        commit.short,
        commit.subject,
        lines=_numbers(spans),
        leads_to=f"{traced.node.ref} {traced.node.title}" if traced.node else "",
        provenance=found.provenance if found else "",
        url=page_of(product, commit.sha),
    )


def _numbers(spans: Sequence[Span]) -> str:
    return ", ".join(str(span.start) if span.size == 1 else f"{span.start}–{span.end}" for span in spans[:6])


# Flags, tickets, nodes --------------------------------------------------------------------------------


def _of_flag(product: Product, flag: Flag) -> Why:
    """A flag's way up is its solution; its commit is the first that brought it in."""
    solution = flag.solution or (flag.hypothesis.solution if flag.hypothesis else None)
    commits = commits_with_keys(product, [(CommitKey.Kind.FLAG, flag.key)]).order_by("authored_at", "id")
    brought = [commit for commit in commits if flag.key in commit.flags_added]
    links = [link(f"flag:{flag.key}", brought[0].short, "inferred: flag in diff", "flag in diff")] if brought else []
    if solution:
        links.append(link(f"flag:{flag.key}", solution.ref, "stated", "flag"))
    answer = _from_node(solution, tuple(links)) if solution else Why(links=tuple(links))
    return _with_commits(answer, brought)


def _of_ticket(product: Product, ticket: Ticket) -> Why:
    nodes = nodes_of_ticket(ticket)
    keys = [(CommitKey.Kind.TICKET, ticket.key)]
    spoken = {"key": ticket.key, "tracker": ticket.tracker}
    wrong = {"kind": "ticket", **spoken, "right": False}
    commits = [
        commit
        for commit in commits_with_keys(product, keys)
        if spoken in commit.tickets and wrong not in commit.answers
    ]
    if not nodes:
        return _with_commits(_with_voice(Why(ticket=ticket_hop(ticket)), ticket), commits)
    main = next((node for node in nodes if isinstance(node, Solution)), nodes[0])
    answer = _from_node(main, (link(ticket.key, main.ref, "stated", "ticket"),))
    others = tuple(Other(node.ref, node.title, url=url_of(node)) for node in nodes if node != main)
    return _with_commits(replace(answer, ticket=ticket_hop(ticket), others=others), commits)


def _of_node(product: Product, ref: str) -> Why:
    if ref.startswith("REV-"):
        return _from_node(hypothesis_of_review(product, ref), ())
    if ref.startswith(("FB-", "INT-")):
        return _of_voice(product, ref)
    node = find_node(product, ref)
    answer = _from_node(node, ())
    solution = place_of(node).solution
    if solution is None:
        below = [Other(child.ref, child.title, url=url_of(child)) for child in children_of(node)]
        return replace(answer, others=tuple(below[:MOST_OTHERS]))
    linked = commits_of(solution)
    answer = _with_commits(answer, [commit for commit, _ in linked])
    first = [link(commit.short, solution.ref, found.provenance, found.rule) for commit, found in linked[:1]]
    return replace(answer, links=(*first, *answer.links))


def _of_voice(product: Product, ref: str) -> Why:
    """Where somebody's words led."""
    rows = EvidenceLink.objects.filter(product=product, source_id=ref).select_related("product")
    links = list(rows.order_by("-importance", "pk"))
    nodes = list(nodes_behind(links).values())
    if not nodes:
        raise NotFound(f"{ref} is not linked to anything yet. Link it under Voices.")
    first = evidence_provenance(links[0])
    answer = _from_node(nodes[0], (link(ref, nodes[0].ref, first, "evidence"),))
    others = tuple(Other(node.ref, node.title, url=url_of(node)) for node in nodes[1:])
    return replace(answer, others=others)


def commits_of(solution: Solution) -> list[tuple[Commit, Link]]:
    """Commits that the rules link to this solution, newest first, and how. The rules are asked once for every act in the product."""
    key = f"commits:{solution.pk}:{last_act(solution.product)}"
    known: dict[int, Link] | None = cache.get(key)
    if known is None:
        known = _linked_to(solution)
        cache.set(key, known, KEPT_SECONDS)
    return [(commit, known[commit.pk]) for commit in commits_by_pk(solution.product, known)]


def _linked_to(solution: Solution) -> dict[int, Link]:
    below = children_of(solution)
    nodes = [solution, *below, *children_of(*below)]
    keys = [(CommitKey.Kind.NODE.value, node.ref) for node in nodes]
    keys += [(CommitKey.Kind.TICKET.value, key) for key in ticket_keys(nodes)]
    flags = flags_of(solution)
    keys += [(CommitKey.Kind.FLAG.value, flag.key) for flag in flags]
    commits = list(commits_with_keys(solution.product, keys))
    findings = findings_of(solution.product, commits)
    found = {commit.pk: findings[commit.pk].link for commit in commits}
    return {pk: linked for pk, linked in found.items() if linked and solution.ref in linked.refs}


def _with_commits(answer: Why, commits: Sequence[Commit]) -> Why:
    """An answer that did not begin at a commit, with the commits that lead to it."""
    if not commits:
        return answer
    commits = sorted(commits, key=lambda commit: -commit.lines)  # who did the work first; else as given: newest first
    product = commits[0].repository.product
    first = told_of(product, [commits[0].sha])[commits[0].sha]
    rest = [
        Other(
            commit.short,
            commit.subject,
            url=page_of(product, commit.sha),
            lines=f"{commit.lines:,} lines" if commit.lines else "",
        )
        for commit in commits[1:MOST_OTHERS]
    ]
    return replace(answer, commit=first.hop, others=(*answer.others, *rest))


def _from_node(node: Node, links: tuple[LinkJson, ...]) -> Why:
    """The hops of the tree around a node."""
    place = place_of(node)
    hypothesis = place.hypothesis
    review = review_hop(hypothesis) if hypothesis else None
    is_measured = review is not None and review.difference is not None
    told = [place.opportunity] if place.opportunity else place.nodes[:1]
    evidence = evidence_hops([one for one in told if one])
    line = [one for one in (place.solution, place.opportunity, place.outcome) if one]
    steps = [link(low.ref, high.ref, "stated", "tree") for low, high in pairwise(line)]
    steps += [link(hop.node, hop.ref, hop.provenance, "evidence") for hop in evidence]
    if place.solution and hypothesis:
        steps.append(link(place.solution.ref, hypothesis.ref, "stated", "tree"))
    if hypothesis and review:
        steps.append(link(hypothesis.ref, review.ref, "stated", "review"))
    return Why(
        solution=solution_hop(place.solution) if place.solution else None,
        hypothesis=hypothesis_hop(hypothesis) if hypothesis else None,
        opportunity=opportunity_hop(place.opportunity) if place.opportunity else None,
        evidence=evidence,
        outcome=outcome_hop(place.outcome, measured=not is_measured) if place.outcome else None,
        review=review,
        links=(*links, *steps),
        explained=True,
        open_questions=open_questions(place.nodes),
    )
