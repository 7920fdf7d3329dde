"""From lines and commits to a node: who wrote them, what the link rules say, and what is known of the ticket."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from whytree.code.delivery.queries import first_known
from whytree.code.models import Commit, Ticket
from whytree.code.queries import Origin, commits_by_sha, facts_of_many, find_ticket, who_told, with_requests
from whytree.code.services import PushedCommit
from whytree.engines.git.log import reverted
from whytree.engines.links.rules import (
    Candidate,
    CommitFacts,
    Finding,
    Link,
    find_link,
    is_looked_through,
    provenance,
    reasons,
    request_of,
    ticket_candidates,
)
from whytree.engines.links.tickets import spelled
from whytree.errors import NotFound
from whytree.tree.models import Node, TicketLink
from whytree.tree.queries import find_node
from whytree.workspace.models import Product

from ..answer import CommitHop, LinkJson, Reason, link
from .linking import Resolver, hub_of
from .parts import main_ref


@dataclass(frozen=True)
class Told:
    """A commit as it is known: from the store, and from the asker's clone, whose notes are the newer ones."""

    hop: CommitHop
    facts: CommitFacts
    tracker: str


@dataclass(frozen=True)
class Traced:
    """Where a commit leads: the node, the ticket on the way, the links passed, and what the reader should know."""

    told: Told
    finding: Finding
    node: Node | None
    ticket: Ticket | None
    links: tuple[LinkJson, ...]
    notes: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()


def told_of(
    product: Product, shas: Sequence[str], posted: Sequence[PushedCommit] = (), tracker: str = ""
) -> dict[str, Told]:
    """What is known of these commits; `NotFound` for one that neither the store nor the clone knows."""
    stored = commits_by_sha(product, shas)
    from_clone = {commit.sha: commit for commit in posted}
    unknown = [sha for sha in shas if sha not in stored and sha not in from_clone]
    if unknown:
        raise NotFound(f"Commit {unknown[0][:7]} is not known here. Read it in: whytree repository sync")
    facts = {commit.sha: known for commit, known in facts_of_many(stored.values())}
    first = first_known(product) if any(commit.deployment_id for commit in stored.values()) else set()
    return {
        sha: _stored(stored[sha], facts[sha], from_clone.get(sha), first)
        if sha in stored
        else _unread(product, sha, from_clone, tracker)
        for sha in shas
    }


def _stored(commit: Commit, facts: CommitFacts, posted: PushedCommit | None, first: Collection[int]) -> Told:
    if posted is not None:
        facts = replace(facts, note=posted.note)
    hop = CommitHop(
        sha=commit.sha,
        short=commit.short,
        subject=commit.subject,
        author=commit.author_name,
        authored_at=commit.authored_at,
        repository=commit.repository.name,
        pull_request=commit.pr_number,
        lines=commit.lines,
        is_maintenance=is_looked_through(facts),
        live_since=commit.deployment.finished_at if commit.deployment else None,
        live_in=commit.deployment.label if commit.deployment else "",
        live_before=commit.deployment_id in first,
    )
    return Told(hop, facts, commit.repository.tracker)


def _unread(product: Product, sha: str, posted: dict[str, PushedCommit], tracker: str) -> Told:
    commit = posted[sha]
    merge = posted.get(commit.merged_by)
    below = commits_by_sha(product, commit.stands_on).values()
    facts = CommitFacts(
        subject=commit.subject,
        body=commit.body,
        note=commit.note,
        author_name=commit.author_name,
        merge_subject=merge.subject if merge else "",
        merge_body=merge.body if merge else "",
        unrelated=commit.unrelated or (bool(commit.stands_on) and all(one.is_unrelated for one in below)),
        tracker=tracker,
    )
    facts = with_requests(product.pk, [Origin(sha, commit.merged_by, tracker, facts)])[0]
    hop = CommitHop(
        sha=sha,
        short=sha[:7],
        subject=commit.subject,
        author=commit.author_name,
        authored_at=commit.authored_at,
        pull_request=request_of(facts),
        is_maintenance=is_looked_through(facts),
        known=False,
    )
    return Told(hop, facts, tracker)


def find_links(product: Product, told: dict[str, Told]) -> dict[str, Finding]:
    """What the link rules say of each commit."""
    resolver = Resolver(product)
    return {sha: find_link(one.facts, resolver.at(one.tracker)) for sha, one in told.items()}


def trace(product: Product, told: Told, finding: Finding) -> Traced:
    """Follow one commit's link to its node, past the ticket on the way."""
    start = told.hop.short
    if finding.link is None:
        named, ticket = _ticket_named(product, told)
        links = [link(start, _spelled(named, told), provenance(named.rule), named.rule)] if named and ticket else []
        others = sorted(
            {_spelled(one, told) for one in ticket_candidates(told.facts) if ticket and one.key != ticket.key}
        )
        also = (f"The commit names {', '.join(others)} too; its lines may be for any of them.",) if others else ()
        notes = (*also, *_notes(told, finding))
        return Traced(told, finding, None, ticket, tuple(links), notes, _reasons(product, told))
    via, rule = finding.link.via, finding.link.rule
    said = f"told by {teller}" if (teller := _teller(product, told, finding.link)) else rule
    node = find_node(
        product, via.key if via.kind == "node" and len(finding.link.refs) == 1 else main_ref(finding.link.refs)
    )
    if via.kind == "ticket" and via.ticket:
        ticket = find_ticket(product, via.ticket, tracker=told.tracker)
        links = [link(start, _spelled(via, told), provenance(rule), said), _ticket_link(via, ticket, node, told)]
    else:
        _, ticket = _ticket_named(product, told)
        links = [link(start, node.ref, provenance(rule), said)]
    return Traced(told, finding, node, ticket, tuple(links), _notes(told, finding), _reasons(product, told))


def _teller(product: Product, told: Told, found: Link) -> str:
    """ "Bob on 3 May 2026", where a reason was said here; a note that a sync made of it is still Bob's word."""
    if found.rule not in {"told", "git note"} or not told.facts.told:
        return ""
    words = next((said for said in told.facts.told if found.via.key in said.upper().split()), "")
    row = who_told(told.hop.sha, product, words)
    return f"{row.teller} on {row.told_at.day} {row.told_at:%b %Y}" if row else ""


def _reasons(product: Product, told: Told) -> tuple[Reason, ...]:
    """What was said in words, and everything that was told here, so that it can be taken back."""
    said = {words: Reason(words, rule) for rule, words in reasons(told.facts)}
    for words in told.facts.told:
        if row := who_told(told.hop.sha, product, words):
            said[words] = Reason(words, "told", row.teller, row.told_at, row.pk)
    return tuple(said.values())


def _spelled(named: Candidate, told: Told) -> str:
    return spelled(named.ticket.key, named.ticket.tracker, told.tracker) if named.ticket else named.key


def _ticket_link(via: Candidate, ticket: Ticket | None, node: Node, told: Told) -> LinkJson:
    """Who tied the ticket to the node: a person, or a rule."""
    rows = TicketLink.objects.filter(ticket=ticket, product=node.product)
    tied = next((row for row in rows if hub_of(row.node()).ref == hub_of(node).ref), None)
    if tied is None or tied.provenance == "stated":
        return link(_spelled(via, told), node.ref, "stated", "ticket")
    return link(_spelled(via, told), node.ref, f"inferred: {tied.rule}", tied.rule)


def _ticket_named(product: Product, told: Told) -> tuple[Candidate | None, Ticket | None]:
    """The first ticket the commit works on that we have a row for, whether or not it leads anywhere."""
    for candidate in ticket_candidates(told.facts):
        ticket = find_ticket(product, candidate.ticket, tracker=told.tracker) if candidate.ticket else None
        if ticket:
            return candidate, ticket
    return None, None


def _notes(told: Told, finding: Finding) -> tuple[str, ...]:
    notes = [f"The commit names {ref}, which is not in the tree." for ref in finding.unknown]
    for where in finding.ambiguous:
        rule, _, refs = where.partition(": ")
        notes.append(f"Its {rule} points to several ({refs}), so it decides nothing. A trailer “Why: …” would.")
    if finding.link is None and (undone := reverted(told.facts.body)):
        notes.append(f"It brought back what stood there before {undone[:7]}, which it reverts.")
    if not told.hop.known:
        notes.append("This commit is not read in yet: whytree repository sync")
    return tuple(notes)
