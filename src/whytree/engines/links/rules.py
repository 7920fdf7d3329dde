"""Which node of the tree a commit belongs to: the link rules, in their order.

    stated     trailer `Why: SOL-12`  >  git note (refs/notes/whytree)  >  told afterwards, where no clone was at hand
               >  confirmed by a person
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
from functools import lru_cache
from itertools import groupby
from typing import Literal

from whytree.engines.git.log import Merge, is_release, is_revert, own_subject, own_words, parse_merge, parse_trailers
from whytree.engines.links.tickets import (
    NODE_PREFIXES,
    TicketMention,
    TicketRef,
    is_another_projects,
    parse_ticket,
    tickets_in_branch,
    tickets_in_message,
)

Kind = Literal["node", "ticket", "flag"]
STATED_RULES = frozenset({"trailer", "git note", "told", "confirmed"})
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
_REASON_LENGTH = 300


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
    (key, value), the branch it came from. `unrelated`: it came with another repository's history, whose numbers and
    branches are not ours. `tracker` ("github.com/acme/sprout") has our own tickets; "" where that is not known.
    """

    subject: str
    body: str = ""
    note: str = ""
    author_name: str = ""
    flags_added: tuple[str, ...] = ()
    merge_subject: str = ""
    merge_body: str = ""
    told: tuple[str, ...] = ()
    unrelated: bool = False
    pull_number: str = ""
    pull_closes: tuple[TicketRef, ...] = ()
    pull_whys: tuple[tuple[str, str], ...] = ()
    pull_branch: str = ""
    answers: tuple[LinkAnswer, ...] = ()
    tracker: str = ""


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

    @property
    def how(self) -> str:
        """With the rule in either case: "stated: trailer"."""
        return f"stated: {self.rule}" if self.provenance == "stated" else self.provenance


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
            doubt = "" if stated else _doubt(facts, tried, refs)
            if refs and not doubt:
                return Finding(Link(refs, hits[0][0].rule, hits[0][0]), False, tuple(unknown), tuple(ambiguous))
            if refs:
                ambiguous.append(f"{hits[0][0].rule}: {doubt}")
    return Finding(maintenance=states_maintenance(facts), unknown=tuple(unknown), ambiguous=tuple(ambiguous))


def _step(candidate: Candidate) -> str:
    """The steps of `docs/why.md`: a ticket key and a closing keyword are one step with two names."""
    return "ticket" if candidate.rule in {"ticket key", "closing keyword"} else candidate.rule


def _doubt(facts: CommitFacts, tried: Sequence[tuple[Candidate, tuple[str, ...]]], refs: Sequence[str]) -> str:
    """Why a rule that found something decides nothing all the same; "" when it decides."""
    solutions = [ref for ref in refs if ref.startswith("SOL-")]
    if len(solutions or refs) > 1:
        return ", ".join(refs)  # one solution, or else one node: more would be a guess
    tickets = {one.key: found for one, found in tried if one.kind == "ticket" and not one.is_request}
    if len(tickets) > MOST_TICKETS:
        return f"{len(tickets)} tickets"
    tickets.pop(request_of(facts), None)
    led = {_numbering(key) for key, found in tickets.items() if found}
    lost = [key for key, found in tickets.items() if not found and _numbering(key) in led]
    # Of two tickets of one tracker each may be about half of the commit: which half is this line?
    return ", ".join([*refs, *(f"{key} which leads nowhere" for key in lost)]) if lost else ""


def _numbering(key: str) -> str:
    return "#" if key[0] in "#!" else key.partition("-")[0]


# Candidates -------------------------------------------------------------------------------------------


def candidates(facts: CommitFacts) -> Iterator[Candidate]:
    """Every key the rules would try, in their order; what a person called wrong is not tried."""
    confirmed = [_confirmed(answer) for answer in facts.answers if answer.right]
    wrong = {(answer.kind, answer.key) for answer in facts.answers if not answer.right}
    for stated, group in groupby(_found_in(facts), key=lambda found: found.rule in STATED_RULES):
        if not stated:
            yield from confirmed
            confirmed = []
        yield from (found for found in group if stated or (found.kind, found.key) not in wrong)
    yield from confirmed


def _confirmed(answer: LinkAnswer) -> Candidate:
    ticket = TicketRef(answer.key, answer.tracker) if answer.kind == "ticket" else None
    return Candidate("confirmed", answer.kind, answer.key, ticket)


@lru_cache(maxsize=2048)
def _found_in(facts: CommitFacts) -> tuple[Candidate, ...]:
    """Once a commit: its link, its tickets and its keys are asked for one after the other."""
    return tuple(_candidates(facts))


def _candidates(facts: CommitFacts) -> Iterator[Candidate]:
    trailers = parse_trailers(facts.body)
    for key, value in trailers:
        yield from _stated("trailer", key, value)
    for key, value in _note_lines(facts.note):
        yield from _stated("git note", key, value)
    for words in facts.told:
        yield from _stated("told", "Why", words)
    if not facts.unrelated:
        yield from _tickets(facts, trailers)
        yield from _pull_request(facts)
    for flag in () if is_revert(facts.subject, facts.body) else facts.flags_added:
        yield Candidate("flag in diff", "flag", flag)
    if not facts.unrelated:
        yield from _branch(branch_of(facts))


def _tickets(facts: CommitFacts, trailers: tuple[tuple[str, str], ...]) -> Iterator[Candidate]:
    """What the message itself says. A release, or a merge of several branches, sums up the work of others."""
    if is_release(facts.subject) or parse_merge(facts.subject, facts.body).sums_up:
        return
    body = own_words(facts.subject, facts.body, facts.author_name)
    subject = own_subject(facts.subject)
    if is_revert(facts.subject, "") and _LONE_NUMBER.fullmatch(subject):
        subject = ""  # behind a revert's quotation stands its request
    for mention in tickets_in_message(subject, body, trailers if body else ()):
        if not _is_background(facts, mention):
            yield _ticket(mention.place, mention)


_LONE_NUMBER = re.compile(r"\(?[#!]\d+\)?")


def _is_background(facts: CommitFacts, mention: TicketMention) -> bool:
    """Whether it is only referred to and another project's: the bug behind a workaround, the release note one read."""
    return mention.place == "ticket reference" and is_another_projects(mention.ticket.tracker, facts.tracker)


def request_of(facts: CommitFacts) -> str:
    """Number of its pull request, as its merge or squash names it, else as the tracker does."""
    return merge_of(facts).pull_request or ("" if _brought_by(facts) is None else facts.pull_number)


def ticket_candidates(facts: CommitFacts) -> list[Candidate]:
    """The tickets a commit is for by its own words or its request's, surest first; none that it only sums up."""
    found: list[Candidate] = []
    for _, group in groupby(candidates(facts), key=_step):
        tickets = [one for one in group if one.ticket and not one.title_words and not one.is_request]
        keys = {one.key for one in tickets}
        if len(keys) > MOST_TICKETS or (len(keys) > 1 and tickets[0].rule == "pull request"):
            continue  # a merge that names several does not say which of them each of its commits is for
        found += tickets
    return found


def states_maintenance(facts: CommitFacts) -> bool:
    """`Why: none` in a trailer or a note. Ids beside it weigh more: squashes mix both."""
    lines = [*parse_trailers(facts.body), *_note_lines(facts.note)]
    return any(key.lower() == "why" and value.lower() == "none" for key, value in lines)


def is_stated(facts: CommitFacts) -> bool:
    """Whether a trailer or a note names something, known or not."""
    return next(candidates(facts), Candidate("", "node", "")).rule in STATED_RULES


def reasons(facts: CommitFacts) -> list[tuple[str, str]]:
    """Reasons somebody gave in words rather than by an id, each with the rule it was found by."""
    said = [("trailer", key, value) for key, value in parse_trailers(facts.body)]
    said += [("git note", key, value) for key, value in _note_lines(facts.note)]
    said += [("told", "Why", words) for words in facts.told]
    found = [
        (rule, value[:_REASON_LENGTH])
        for rule, key, value in said
        if key.lower() == "why" and " " in value and next(_stated(rule, key, value), None) is None
    ]
    return list({words: (rule, words) for rule, words in reversed(found)}.values())[::-1]


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
        for found in ticket_candidates(facts)
        if found.ticket and (found.rule != "branch name" or found.key[0] == "#" or found.key in branch)
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
    return own if own.pull_request or own.branch else _brought_by(facts) or Merge()


def _brought_by(facts: CommitFacts) -> Merge | None:
    """The merge that speaks for this commit too. One of the trunk or of a release brought the work of many, and a
    revert is not what its branch is for."""
    through = parse_merge(facts.merge_subject, facts.merge_body)
    if through.sums_up or is_release(facts.merge_subject) or is_revert(facts.subject, facts.body):
        return None
    return through


def _pull_request(facts: CommitFacts) -> Iterator[Candidate]:
    """The request itself, where somebody linked it, what its merge commit says it is for, and what its own words say."""
    number = request_of(facts)
    if is_release(facts.subject):
        return
    if number and not parse_merge(facts.subject, facts.body).sums_up:
        yield Candidate("pull request", "ticket", number, TicketRef(number), is_request=True)
    if _brought_by(facts) is None:
        return
    trailers = parse_trailers(facts.merge_body)
    for key, value in trailers:
        yield from _stated("pull request", key, value)
    for mention in tickets_in_message("", own_words(facts.merge_subject, facts.merge_body), trailers):
        if not _is_background(facts, mention):
            yield _ticket("pull request", mention)
    for key, value in facts.pull_whys:
        yield from _stated("pull request", key, value)
    for ticket in facts.pull_closes:
        yield Candidate("pull request", "ticket", ticket.key, ticket)


def branch_of(facts: CommitFacts) -> str:
    """The topic a commit was made on, as its merge names it, else as its pull request does. A merge's own lines, where
    two topics met, are of neither alone."""
    own = parse_merge(facts.subject, facts.body)
    if own.branch and own.into:
        return ""
    if own.branch or own.into:
        return own.branch or own.into
    return merge_of(facts).branch or ("" if _brought_by(facts) is None else facts.pull_branch)


def _branch(branch: str) -> Iterator[Candidate]:
    node = re.search(rf"(?:^|/)(?P<ref>{_NODE.pattern})(?!\d)", branch, re.IGNORECASE)
    if node:
        yield Candidate("branch name", "node", node["ref"].upper())
    for mention in tickets_in_branch(branch):
        yield _ticket("branch name", mention)
