"""Which node of the tree a commit belongs to: the link rules, in their order.

    stated     trailer `Why: SOL-12`  >  git note (refs/notes/whytree)  >  confirmed by a person
    inferred   ticket key or closing keyword (then a mere reference)  >  pull request of the merge or squash
               >  flag key added in the diff  >  branch name

The first rule that yields a link wins and is named. An inferred rule that points to two solutions yields
nothing: "unexplained" is an answer, a wrong reason is not. `Why: none` says maintenance, which is looked
through to whatever the line was before.

Pure: what a key stands for is asked of the caller's `resolve`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from whytree.engines.gitlog import Merge, own_subject, parse_merge, parse_trailers
from whytree.engines.links_tickets import (
    NODE_PREFIXES,
    TicketMention,
    TicketRef,
    parse_ticket,
    tickets_in_branch,
    tickets_in_message,
)

Kind = Literal["node", "ticket", "flag"]
STATED_RULES = frozenset({"trailer", "git note", "confirmed"})
# How far to trust a link of each rule, 0 to 1. Round on purpose: they order what a person is asked first and tell a
# reader how much to believe; no rule decides by them.
SCORES: dict[str, float] = {
    "closing keyword": 0.9,  # the author said that this commit ends it
    "ticket key": 0.9,  # the author put it where teams put the ticket they work on
    "pull request": 0.8,  # said once for all commits of the request: some are by the way
    "flag in diff": 0.8,  # the key is there; the commit may only have moved or tested it
    "branch name": 0.7,  # branches live on and take up other work
    "ticket reference": 0.6,  # "refs #12" may be the reason, or a neighbour
    "author of the ticket": 0.7,  # who opens a ticket mostly has the problem; some write down another's
}
# A commit that names more tickets than this sums up others' work: a release, a changelog. It is for none of them.
MOST_TICKETS = 3


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """What a person said about a key that a rule had found in a commit: yes, it is for that; or no, it is not."""

    kind: Kind
    key: str
    right: bool
    tracker: str = ""


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """What is known of one commit. `merge_*` tell of the merge that brought it to the main line, if any.

    `pull_*` tell of its pull request as the tracker knows it: its number, the tickets it closes, its `Why:` lines as
    (key, value), the branch it came from.
    """

    subject: str
    body: str = ""
    note: str = ""
    author_name: str = ""
    flags_added: tuple[str, ...] = ()
    merge_subject: str = ""
    merge_body: str = ""
    pull_number: str = ""
    pull_closes: tuple[TicketRef, ...] = ()
    pull_whys: tuple[tuple[str, str], ...] = ()
    pull_branch: str = ""
    answers: tuple[LinkAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key that may lead to a node, and the rule that found it. `ticket` is set where `kind` is "ticket".

    `is_request`: the key is the pull request's own number, not that of a ticket it is for.
    """

    rule: str
    kind: Kind
    key: str
    ticket: TicketRef | None = None
    title_words: tuple[str, ...] = ()
    is_request: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A commit's link: node ids ("SOL-3"), the rule, and the candidate that led there."""

    refs: tuple[str, ...]
    rule: str
    via: Candidate

    @property
    def provenance(self) -> str:
        return provenance(self.rule)


@dataclass(frozen=True, slots=True)
class Finding:
    """The rules' answer. `unknown`: stated ids that name nothing; `ambiguous`: rules that pointed to several."""

    link: Link | None = None
    maintenance: bool = False
    unknown: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def provenance(rule: str) -> str:
    """ "stated", or "inferred: <rule>"."""
    return "stated" if rule in STATED_RULES else f"inferred: {rule}"


def score(rule: str) -> float | None:
    """How far to trust an inferred link, 0 to 1; None for what was stated, or found by no rule of ours."""
    return SCORES.get(rule)


def find_link(facts: CommitFacts, resolve: Callable[[Candidate], Sequence[str]]) -> Finding:
    """Apply the rules. `resolve` gives the node ids a candidate stands for: none, one, or several.

    It is asked rule by rule, so that a commit with a trailer costs one question.
    """
    unknown: list[str] = []
    ambiguous: list[str] = []
    for stated, group in groupby(candidates(facts), key=lambda found: found.rule in STATED_RULES):
        if not stated and states_maintenance(facts):
            break
        for _, rule in groupby(group, key=_step):
            tried = [(candidate, tuple(resolve(candidate))) for candidate in rule]
            hits = [(candidate, refs) for candidate, refs in tried if refs]
            if stated:
                unknown += [found.key for found, refs in tried if not refs and found.rule != "confirmed"]
            refs = tuple(dict.fromkeys(ref for _, found in hits for ref in found))
            if refs and (stated or (_agree(refs) and not _sums_up(tried))):
                return Finding(Link(refs, hits[0][0].rule, hits[0][0]), False, tuple(unknown), tuple(ambiguous))
            if refs:
                named = ", ".join(refs) if not _agree(refs) else f"{len(tried)} tickets"
                ambiguous.append(f"{hits[0][0].rule}: {named}")
    return Finding(maintenance=states_maintenance(facts), unknown=tuple(unknown), ambiguous=tuple(ambiguous))


def _step(candidate: Candidate) -> str:
    """DESIGN's steps: a ticket key and a closing keyword are one step with two names."""
    return "ticket" if candidate.rule in {"ticket key", "closing keyword"} else candidate.rule


def _agree(refs: Sequence[str]) -> bool:
    """One solution, or else one node: more would be a guess."""
    solutions = [ref for ref in refs if ref.startswith("SOL-")]
    return len(solutions or refs) == 1


def _sums_up(tried: Sequence[tuple[Candidate, object]]) -> bool:
    tickets = {candidate.key for candidate, _ in tried if candidate.kind == "ticket" and not candidate.is_request}
    return len(tickets) > MOST_TICKETS


# Candidates -------------------------------------------------------------------------------------------


def candidates(facts: CommitFacts) -> Iterator[Candidate]:
    """Every key the rules would try, in their order; what a person called wrong is not tried."""
    confirmed = [_confirmed(answer) for answer in facts.answers if answer.right]
    wrong = {(answer.kind, answer.key) for answer in facts.answers if not answer.right}
    for stated, group in groupby(_candidates(facts), key=lambda found: found.rule in STATED_RULES):
        if not stated:
            yield from confirmed
            confirmed = []
        yield from (found for found in group if stated or (found.kind, found.key) not in wrong)
    yield from confirmed


def _confirmed(answer: LinkAnswer) -> Candidate:
    ticket = TicketRef(answer.key, answer.tracker) if answer.kind == "ticket" else None
    return Candidate("confirmed", answer.kind, answer.key, ticket)


def _candidates(facts: CommitFacts) -> Iterator[Candidate]:
    trailers = parse_trailers(facts.body)
    for key, value in trailers:
        yield from _stated("trailer", key, value)
    for key, value in _note_lines(facts.note):
        yield from _stated("git note", key, value)
    # A bot's message quotes other people's release notes: "Fixes #12" is not about our ticket 12.
    body = "" if facts.author_name.endswith("[bot]") else facts.body
    body = "\n".join(map(own_subject, body.splitlines()))
    for mention in tickets_in_message(own_subject(facts.subject), body, trailers if body else ()):
        yield _ticket(mention.place, mention)
    yield from _pull_request(facts)
    for flag in facts.flags_added:
        yield Candidate("flag in diff", "flag", flag)
    yield from _branch(branch_of(facts))


def branch_of(facts: CommitFacts) -> str:
    """As its merge names it, else as its pull request does."""
    return merge_of(facts).branch or facts.pull_branch


def request_of(facts: CommitFacts) -> str:
    """Number of its pull request, as its merge or squash names it, else as the tracker does."""
    return merge_of(facts).pull_request or facts.pull_number


def ticket_candidates(facts: CommitFacts) -> list[Candidate]:
    """The tickets a commit is for by its own words or its request's, surest first; none that it only sums up."""
    found = []
    for _, group in groupby(candidates(facts), key=_step):
        tickets = [one for one in group if one.ticket and not one.title_words and not one.is_request]
        if len({one.key for one in tickets}) <= MOST_TICKETS:
            found += tickets
    return found


def states_maintenance(facts: CommitFacts) -> bool:
    """`Why: none` in a trailer or a note. Ids beside it weigh more: squashes mix both."""
    lines = [*parse_trailers(facts.body), *_note_lines(facts.note)]
    return any(key.lower() == "why" and value.lower() == "none" for key, value in lines)


def is_stated(facts: CommitFacts) -> bool:
    """Whether a trailer or a note names something, known or not."""
    return next(candidates(facts), Candidate("", "node", "")).rule in STATED_RULES


def is_looked_through(facts: CommitFacts) -> bool:
    """Maintenance by its own word: its lines are explained by what they were before."""
    return states_maintenance(facts) and not is_stated(facts)


def tickets_named(facts: CommitFacts) -> list[TicketRef]:
    """Tickets a commit works on, whether or not anything is linked to them: those worth a row.

    A key in lower letters in a branch ("python-3") is only believed where the ticket is known already.
    """
    branch = branch_of(facts)
    named = [
        found.ticket
        for found in candidates(facts)
        if found.ticket and not found.is_request and not found.title_words
        if found.rule != "branch name" or found.key[0] == "#" or found.key in branch
    ]
    return list(dict.fromkeys(named))


_NODE = re.compile(rf"(?:{'|'.join(sorted(NODE_PREFIXES))})-[1-9]\d{{0,8}}")
_WHY_KEYS = {"why", "why-solution", "why-opportunity", "why-hypothesis", "why-outcome"}


def _stated(rule: str, key: str, value: str) -> Iterator[Candidate]:
    if key.lower() == "why-flag":
        yield Candidate(rule, "flag", value.split()[0])
    if key.lower() not in _WHY_KEYS:
        return
    for word in re.split(r"[\s,;]+", value):
        if _NODE.fullmatch(word.upper()):
            yield Candidate(rule, "node", word.upper())
        elif (ticket := parse_ticket(word)) and not word.isdigit():
            yield Candidate(rule, "ticket", ticket.key, ticket)
        elif word.lower() != "and":
            return  # the ids come first; what follows is prose


def _note_lines(note: str) -> Iterator[tuple[str, str]]:
    """A note may say `Why: SOL-3`, or just `SOL-3`."""
    for line in note.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().lower().startswith("why"):
            yield key.strip(), value.strip()
        elif line.strip():
            yield "Why", line.strip()


def _ticket(rule: str, mention: TicketMention) -> Candidate:
    return Candidate(rule, "ticket", mention.ticket.key, mention.ticket, mention.title_words)


def merge_of(facts: CommitFacts) -> Merge:
    """The squash's own words first, else those of the merge that brought the commit in."""
    own = parse_merge(facts.subject, facts.body)
    return own if own.pull_request or own.branch else parse_merge(facts.merge_subject, facts.merge_body)


def _pull_request(facts: CommitFacts) -> Iterator[Candidate]:
    """The request itself, where somebody linked it, what its merge commit says it is for, and what its own words say."""
    number = request_of(facts)
    if number:
        yield Candidate("pull request", "ticket", number, TicketRef(number), is_request=True)
    trailers = parse_trailers(facts.merge_body)
    for key, value in trailers:
        yield from _stated("pull request", key, value)
    for mention in tickets_in_message("", facts.merge_body, trailers):
        yield _ticket("pull request", mention)
    for key, value in facts.pull_whys:
        yield from _stated("pull request", key, value)
    for ticket in facts.pull_closes:
        yield Candidate("pull request", "ticket", ticket.key, ticket)


def _branch(branch: str) -> Iterator[Candidate]:
    node = re.search(rf"(?:^|/)(?P<ref>{_NODE.pattern})(?!\d)", branch, re.IGNORECASE)
    if node:
        yield Candidate("branch name", "node", node["ref"].upper())
    for mention in tickets_in_branch(branch):
        yield _ticket("branch name", mention)
