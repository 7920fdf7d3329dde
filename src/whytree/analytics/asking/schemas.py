"""What questions and answers look like over REST."""

from datetime import date, datetime
from typing import Any

from ninja import Schema

from whytree.workspace.rest import Body


class AskIn(Body):
    """A question as versioned JSON: `{"version": 1, "kind": "funnel", "steps": ["opened", "paid"], "within": "1d"}`."""

    question: dict[str, Any]


class AnswerOut(Schema):
    """What every answer says: the question as it was understood, a sentence, whom it counts, when, and from what."""

    question: dict[str, Any]
    asked: str
    sentence: str
    n: int
    from_at: datetime
    to_at: datetime
    as_of: datetime
    source: str


class ShareOut(Schema):
    """Percent, with the 95 % interval."""

    value: float
    low: float
    high: float


class StepOut(Schema):
    """`people` came at least here; `left` came no further."""

    at: int
    event: str
    people: int
    left: int
    of_first: ShareOut | None
    of_previous: ShareOut | None
    optional: bool = False


class GroupOut(Schema):
    """`value` is null for everybody who is in none of the larger groups."""

    value: str | None
    steps: list[StepOut]


class PairOut(Schema):
    """Of those who came to one step, the share that came to a later one."""

    from_step: int
    to_step: int
    share: ShareOut | None


class BinOut(Schema):
    """How many took longer than the bin before, up to this one."""

    up_to: str
    people: int


class DurationOut(Schema):
    """Seconds from one step to another: quartiles over those who did it; the last one is the whole way, with its bins."""

    from_step: int
    to_step: int
    people: int
    quarter: float
    median: float
    three_quarters: float
    bins: list[BinOut]


class BeganOut(Schema):
    """The steps of those who began in the stretch that starts on this day."""

    start: date
    steps: list[StepOut]
    complete: bool


class FunnelOut(AnswerOut):
    steps: list[StepOut]
    by: str
    groups: list[GroupOut]
    pairs: list[PairOut]
    took: list[DurationOut]
    over: list[BeganOut]


class StretchOut(Schema):
    """One stretch of the calendar; `n` counts people, or the events that carried the number."""

    start: datetime | date
    value: float | None
    low: float | None
    high: float | None
    n: int
    complete: bool


class LineOut(Schema):
    """One series, or one group of it; `value` is null for all groups that are not told apart. `earlier`: the period before."""

    name: str
    value: str | None
    series: int | None
    earlier: bool
    stretches: list[StretchOut]


class TrendsOut(AnswerOut):
    interval: str
    measure: str
    by: str
    lines: list[LineOut]


class PointOut(Schema):
    """All cohorts that have had the stretches `after` to `until`: `people` began, `back` of them came back."""

    after: int
    until: int
    people: int
    back: int
    share: ShareOut | None


class CellOut(Schema):
    """Null where the stretch lies ahead."""

    people: int | None
    share: ShareOut | None
    complete: bool


class CohortOut(Schema):
    start: date
    people: int
    cells: list[CellOut]


class CurveOut(Schema):
    """The curve of one group; `value` is null for all smaller ones together."""

    value: str | None
    people: int
    points: list[PointOut]


class RetentionOut(AnswerOut):
    interval: str
    curve: list[PointOut]
    cohorts: list[CohortOut]
    by: str
    groups: list[CurveOut]


class LivedOut(Schema):
    """People by state in the stretch that begins on this day."""

    start: date
    new: int
    returning: int
    resurrected: int
    dormant: int
    complete: bool


class LifecycleOut(AnswerOut):
    interval: str
    stretches: list[LivedOut]


class TimesOut(Schema):
    """People who did it in exactly so many stretches, and in so many or more."""

    times: int
    people: int
    at_least: int
    share: ShareOut | None


class StickinessOut(AnswerOut):
    interval: str
    bars: list[TimesOut]


class EdgeOut(Schema):
    """From the event at place `at` to the next: how many ways, and how many people."""

    at: int
    source: str
    target: str
    ways: int
    people: int


class PathsOut(AnswerOut):
    """`backwards` where only the end is named: place 0 is then the end."""

    edges: list[EdgeOut]
    ways: int
    left_out: int
    backwards: bool


class StayedOut(Schema):
    """Some sessions: `bounced` are of one event, `seconds` is the median from the first to the last, `events` and `pages` are means."""

    sessions: int
    people: int
    bounced: int
    bounced_share: ShareOut | None
    seconds: float | None
    p90_seconds: float | None
    events: float | None
    pages: float | None


class StayedSinceOut(Schema):
    """The sessions that began in the stretch from `start` on."""

    start: date | datetime
    stayed: StayedOut
    complete: bool


class StayedGroupOut(Schema):
    """`value` is null for all smaller groups together. A session is of the group that its first event is of."""

    value: str | None
    stayed: StayedOut


class PlaceOut(Schema):
    """A page or a screen; "" for events that say none."""

    name: str
    entered: int
    left: int
    bounced: int


class SessionsOut(AnswerOut):
    """`before` is the period before, where that was asked for."""

    interval: str
    idle_minutes: int
    by: str
    stayed: StayedOut
    before: StayedOut | None
    stretches: list[StayedSinceOut]
    groups: list[StayedGroupOut]
    places: list[PlaceOut]


class BehindIn(Body):
    """A question, and a part of its answer: `{"step": 2, "did": "stopped"}`, `{"start": "2026-05-01"}`, `{"after": 3, "did": "away"}`.

    `at` is short for a step that people stopped at.
    """

    question: dict[str, Any]
    part: dict[str, Any] = {}
    at: int | None = None

    @property
    def meant(self) -> dict[str, Any]:
        return {"step": self.at} if self.at is not None else self.part


class BehindOut(Schema):
    """The people a number is made of; `ids` holds one id of each, the first two hundred. `events` are those that tell them."""

    sentence: str
    total: int
    ids: list[str]
    events: list[str]


class LineOfCode(Schema):
    """A line that sends an event or defines a form field; `how` is sent, text or field. `why` is its page."""

    event: str
    repository: str
    path: str
    line: int
    how: str
    says: str
    why: str


class InForceOut(Schema):
    """A variant that was in force when the events happened, and for how many people."""

    flag: str
    variant: str
    people: int


class CodeBehindOut(Schema):
    lines: list[LineOfCode]
    flags: list[InForceOut]


class SavedOut(Schema):
    """A question under a name; with `frozen_at` it is evidence, and `answer` what was true then."""

    ref: str
    title: str
    question: dict[str, Any]
    part: dict[str, Any] | None
    answer: dict[str, Any] | None
    frozen_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SavedIn(Body):
    question: dict[str, Any]
    title: str = ""


class SavedEdits(Body):
    title: str = ""
    question: dict[str, Any] | None = None


class PinIn(BehindIn):
    """Evidence on a node. Without a statement, the answer's sentence."""

    node: str
    stance: str = "supports"
    statement: str = ""


class SignalIn(BehindIn):
    opportunity: str


class AimIn(BehindIn):
    """Where the number should go, and by when; `parent` is an outcome above."""

    target: float
    title: str = ""
    due: date | None = None
    parent: str = ""


class CohortIn(BehindIn):
    key: str
    name: str = ""


class CohortMade(Schema):
    key: str
    name: str
    people: int


class DriverOut(Schema):
    """One thing that goes with coming further: `with_it` and `without_it` are shares of those who had it and who had not."""

    kind: str
    name: str
    value: str
    people: int
    with_it: ShareOut
    without_it: ShareOut
    difference: float
    low: float
    high: float
    p: float
    holds: bool


class DriversOut(Schema):
    """`looked_at` is how many were compared; `p` and `holds` know of all of them (Benjamini and Hochberg).

    What people did counts in the first `landmark` seconds; whoever was through by then is left out of that.
    """

    sentence: str
    from_step: int
    to_step: int
    people: int
    came: int
    landmark: float
    looked_at: int
    drivers: list[DriverOut]


class DriversIn(Body):
    """A funnel; without steps, from the first to the last."""

    question: dict[str, Any]
    from_step: int | None = None
    to_step: int | None = None


AnyAnswer = FunnelOut | TrendsOut | RetentionOut | LifecycleOut | StickinessOut | PathsOut | SessionsOut


class SqlIn(Body):
    """One SELECT over `events`."""

    sql: str


class SqlOut(Schema):
    """`cut`: there was more than a thousand rows."""

    columns: list[str]
    rows: list[list[Any]]
    cut: bool
