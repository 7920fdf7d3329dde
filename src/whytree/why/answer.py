"""The answer to "why": five hops and how each was found, as plain data. All doors show this.

A hop that is not there is None, and says so on every door; nothing is ever filled in by guessing.
"""

from dataclasses import dataclass
from datetime import date, datetime

from typing_extensions import TypedDict  # typing's own cannot be read by pydantic before Python 3.12

from whytree.engines.links.rules import score

# "from" is a keyword of Python, and the name of the field.
LinkJson = TypedDict("LinkJson", {"from": str, "to": str, "provenance": str, "rule": str, "score": float | None})


@dataclass(frozen=True)
class CommitHop:
    """The commit the lines came with. `looked_through` are maintenance commits on top of it."""

    sha: str
    short: str
    subject: str
    author: str
    authored_at: datetime
    repository: str = ""
    pull_request: str = ""
    lines: int = 0  # that it still has, where they were counted
    looked_through: tuple[str, ...] = ()
    is_maintenance: bool = False
    known: bool = True  # False: told by the asker's clone, not read in yet
    live_since: datetime | None = None  # when it went out to production, where deployments are told
    live_in: str = ""  # with which deployment
    live_before: bool = False  # that is the first one known: it was out by then


@dataclass(frozen=True)
class TicketHop:
    """A ticket in the team's own tracker; `words` are its author's."""

    key: str
    title: str
    url: str
    state: str
    author: str
    words: str
    opened_at: datetime | None


@dataclass(frozen=True)
class FlagFacts:
    key: str
    state: str
    url: str


@dataclass(frozen=True)
class SolutionHop:
    ref: str
    title: str
    kind: str
    state: str
    url: str
    flags: tuple[FlagFacts, ...] = ()


@dataclass(frozen=True)
class HypothesisHop:
    """What was predicted: 10 % point, most likely, 90 % point of the difference, in `unit`."""

    ref: str
    title: str
    metric_key: str
    metric: str
    low: float
    likely: float
    high: float
    unit: str
    horizon_days: int
    locked_at: datetime | None
    url: str


@dataclass(frozen=True)
class OpportunityHop:
    """The problem, in words of those who have it; `people` are independent voices, counted once each."""

    ref: str
    title: str
    kind: str
    url: str
    people: int
    evidence: str  # strong, moderate, weak, none
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvidenceHop:
    """One piece of evidence. `quote` is a person's own words, `statement` is ours."""

    ref: str
    node: str
    stance: str
    type: str
    quote: str
    statement: str
    who: str
    source: str
    said_at: datetime | None  # not known of some tickets
    importance: int
    provenance: str
    url: str = ""


@dataclass(frozen=True)
class OutcomeHop:
    """The metric it was for. `value` with its 95 % interval is measured now, unless a review measured the change."""

    ref: str
    title: str
    metric_key: str
    unit: str
    baseline: float | None
    target: float | None
    due: date | None
    url: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    from_at: datetime | None = None
    to_at: datetime | None = None
    last_day: date | None = None
    source: str = ""


@dataclass(frozen=True)
class ReviewHop:
    """What it did: both arms, the difference with its 95 % interval, and what was decided."""

    ref: str
    url: str
    metric: str
    unit: str
    verdict: str = ""
    decision: str = ""
    decided_at: datetime | None = None
    due_at: datetime | None = None
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    difference_unit: str = ""
    n: int = 0
    as_wanted: bool | None = None  # did it move the way that was predicted? None where chance alone could have done it
    prediction: str = ""  # in words: inside, above, below the predicted range, or why nobody can say
    guardrails: tuple[str, ...] = ()  # "Spam accounts held"
    warning: str = ""
    learning: str = ""


@dataclass(frozen=True)
class CodeLine:
    number: int
    text: str
    asked: bool


@dataclass(frozen=True)
class Reason:
    """Why a commit was made, in somebody's own words; `told_id` where it was said here, so that it can be taken back."""

    words: str
    rule: str
    who: str = ""
    told_at: datetime | None = None
    told_id: int | None = None


@dataclass(frozen=True)
class Gone:
    """The commit that took a file away; `leads_to` is what that was for. `moved_to` is where it went then, `lives_at`
    where it stands today."""

    sha: str
    short: str
    subject: str
    authored_at: datetime
    moved_to: str = ""
    lives_at: str = ""
    leads_to: str = ""
    provenance: str = ""
    url: str = ""


ONLY_A_TICKET = "name a ticket; what it should change is open"
ONLY_A_REQUEST = "came with a pull request that nobody has read"


@dataclass(frozen=True)
class Part:
    """Of the lines asked about, those of one solution (or another node); an empty `ref`: nobody has said why."""

    ref: str
    title: str
    state: str
    lines: int
    share: float  # of all lines asked about, 0 to 1
    provenance: str  # of most of them
    url: str = ""


@dataclass(frozen=True)
class Other:
    """Another commit of a range, or another commit or node of what was asked about."""

    label: str
    title: str
    lines: str = ""
    leads_to: str = ""
    provenance: str = ""
    url: str = ""


@dataclass(frozen=True)
class DraftHop:
    """A node that was only inferred and that nobody has stated: shown, never followed."""

    id: int
    kind: str
    title: str
    provenance: str
    because: str
    url: str


@dataclass(frozen=True)
class Why:
    """Everything there is to say about one reference."""

    ref: str = ""
    lines: str = ""
    at: str = ""  # the revision that lines were asked at, or read at; "" for the clone as it stands
    sentence: str = ""
    commit: CommitHop | None = None
    ticket: TicketHop | None = None
    solution: SolutionHop | None = None
    hypothesis: HypothesisHop | None = None
    opportunity: OpportunityHop | None = None
    evidence: tuple[EvidenceHop, ...] = ()
    outcome: OutcomeHop | None = None
    review: ReviewHop | None = None
    links: tuple[LinkJson, ...] = ()
    explained: bool = False
    uncommitted: bool = False
    open_questions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader of this answer should know: ambiguous, unknown, not read in
    next: tuple[str, ...] = ()  # what to do about what is missing
    reasons: tuple[Reason, ...] = ()
    gone: Gone | None = None
    parts: tuple[Part, ...] = ()  # of a file, a folder or a range, the largest first
    drafts: tuple[DraftHop, ...] = ()
    others: tuple[Other, ...] = ()
    code: tuple[CodeLine, ...] = ()
    page: str = ""

    @property
    def is_summary(self) -> bool:
        """Of a folder: shares, and no hops."""
        return bool(self.parts) and self.commit is None and not self.uncommitted

    @property
    def is_missing(self) -> bool:
        """A file that was not there at the last reading; only the commits that touched it are known."""
        return bool(self.others) and not self.explained and self.commit is None and self.ticket is None

    @property
    def explained_share(self) -> float:
        return sum(part.share for part in self.parts if part.ref)

    @property
    def inferred(self) -> int:
        """How many of the links nobody stated."""
        return sum(link["provenance"] != "stated" for link in self.links)

    def way_from(self, start: str) -> LinkJson | None:
        """The first link that leads on from there."""
        return next((step for step in self.links if step["from"] == start), None)


def link(start: str, end: str, provenance: str, rule: str) -> LinkJson:
    """`score` tells how far to trust an inferred link, 0 to 1."""
    trust = None if provenance == "stated" else score(rule)
    return {"from": start, "to": end, "provenance": provenance, "rule": rule, "score": trust}


def provenance_words(step: LinkJson) -> str:
    """ "inferred: closing keyword (0.9)", "stated"."""
    return step["provenance"] if step["score"] is None else f"{step['provenance']} ({step['score']:g})"
