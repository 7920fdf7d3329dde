"""The answer to "how could this be better": what is known of a place in the code or the product, looking forward.

Plain data, shown by all doors. Every entry is a fact of the tree, of a review or of a flag; where there is none, the
answer says so and what would help most.
"""

from dataclasses import dataclass
from datetime import datetime

from ..answer import EvidenceHop
from ..starting.card import Remark


@dataclass(frozen=True)
class Behind:
    """A solution behind the place: `lines` of it came with its commits, where lines were asked about."""

    ref: str
    title: str
    state: str
    url: str
    lines: int = 0
    provenance: str = "stated"


@dataclass(frozen=True)
class Struggle:
    """A problem people have here. `since` of them spoke after the change for it was live, on `live_at`."""

    ref: str
    title: str
    url: str
    people: int
    evidence: str
    voices: tuple[EvidenceHop, ...]
    since: int = 0
    live_at: datetime | None = None


@dataclass(frozen=True)
class Belief:
    """An assumption that no test has settled."""

    ref: str
    title: str
    kind: str
    importance: int  # of 5
    status: str
    solution: str
    url: str


@dataclass(frozen=True)
class Guard:
    """A guardrail that was harmed, that cannot be told yet (or never was), or that came nearer than half its margin."""

    review: str
    url: str
    metric: str
    state: str  # harmed, open, untold, near
    difference: float | None
    low: float | None
    high: float | None
    unit: str
    margin: float
    as_of: datetime


@dataclass(frozen=True)
class Spent:
    """A flag that gives everybody the same, or whose solution is decided: its code could go."""

    key: str
    state: str
    reason: str
    since: datetime
    url: str


@dataclass(frozen=True)
class Unmeasured:
    """A change people have, of which nobody knows what it did; `is_measured` when only the verdict is missing."""

    ref: str
    title: str
    reason: str
    url: str
    is_measured: bool = False


# Tickets of one place that are named.
MOST_NAMED = 3


@dataclass(frozen=True)
class Named:
    """A ticket that lines were written for, and that no solution stands behind."""

    key: str
    title: str
    lines: int


@dataclass(frozen=True)
class Ahead:
    """All there is to say about one place. `named` lines lead to a ticket and no further; `unexplained` ones nowhere."""

    ref: str
    sentence: str = ""
    lines: int = 0
    named: int = 0
    unexplained: int = 0
    tickets: tuple[Named, ...] = ()  # of the named lines, those of most of them
    solutions: tuple[Behind, ...] = ()
    struggles: tuple[Struggle, ...] = ()
    guards: tuple[Guard, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    remarks: tuple[Remark, ...] = ()
    untested: tuple[Belief, ...] = ()
    spent: tuple[Spent, ...] = ()
    unread: int = 0  # voices from this page that nobody has read
    next: str = ""  # the cheapest next test
    helps: tuple[str, ...] = ()  # what would help most where something is not known
    page: str = ""

    @property
    def is_harmed(self) -> bool:
        return any(one.state == "harmed" for one in self.guards)

    @property
    def is_empty(self) -> bool:
        return not (self.solutions or self.struggles or self.unread)
