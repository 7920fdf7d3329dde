"""Questions over REST: one operation for every kind."""

from datetime import date, datetime
from typing import Any

from ninja import Router, Schema, Status

from whytree.stores.typed_sql import Table, run_typed
from whytree.tree.schemas import OpportunityOut, OutcomeOut
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from ..answers import Answer, Behind, Drivers, answer, checked_part, drivers_of, people_behind
from ..answers.code_behind import CodeBehind, code_behind
from ..cohorts.services import create_cohort_of
from ..models import SavedQuestion
from ..questions import checked_question
from ..saved import queries as kept
from ..saved import services as keeping

router = Router(tags=["Questions"])


class AskIn(Schema):
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


class BehindIn(Schema):
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


class SavedIn(Schema):
    question: dict[str, Any]
    title: str = ""


class SavedEdits(Schema):
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


class DriversIn(Schema):
    """A funnel; without steps, from the first to the last."""

    question: dict[str, Any]
    from_step: int | None = None
    to_step: int | None = None


AnyAnswer = FunnelOut | TrendsOut | RetentionOut | LifecycleOut | StickinessOut | PathsOut


@router.post("/products/{product}/ask", response=AnyAnswer, operation_id="ask")
def ask(request: ApiRequest, product: str, said: AskIn) -> Answer:
    """Ask a question of the events: a funnel, trends, retention, lifecycle, stickiness or paths."""
    return answer(api_product(request, product, Role.VIEWER), checked_question(said.question))


@router.post("/products/{product}/ask/people", response=BehindOut, operation_id="people_behind")
def behind(request: ApiRequest, product: str, said: BehindIn) -> Behind:
    """The people behind a bar, a point or a cell."""
    found = api_product(request, product, Role.VIEWER)
    return people_behind(found, checked_question(said.question), checked_part(said.meant))


@router.post("/products/{product}/ask/code", response=CodeBehindOut, operation_id="code_behind")
def code(request: ApiRequest, product: str, said: BehindIn) -> CodeBehind:
    """The lines that send the events behind a bar, a point or a cell, and the flags that were in force."""
    found = api_product(request, product, Role.VIEWER)
    return code_behind(found, people_behind(found, checked_question(said.question), checked_part(said.meant)))


class SqlIn(Schema):
    """One SELECT over `events`."""

    sql: str


class SqlOut(Schema):
    """`cut`: there was more than a thousand rows."""

    columns: list[str]
    rows: list[list[Any]]
    cut: bool


@router.post("/products/{product}/sql", response=SqlOut, operation_id="ask_sql")
def ask_sql(request: ApiRequest, product: str, said: SqlIn) -> Table:
    """One SELECT over this product's events; everything that is not on a list is refused."""
    return run_typed(api_product(request, product, Role.MEMBER).pk, said.sql)


@router.post("/products/{product}/ask/drivers", response=DriversOut, operation_id="ask_drivers")
def drivers(request: ApiRequest, product: str, said: DriversIn) -> Drivers:
    """What goes with coming further in a funnel: properties and events in between, corrected for how many were looked at."""
    found = api_product(request, product, Role.VIEWER)
    return drivers_of(found, checked_question(said.question), said.from_step, said.to_step)


@router.get("/products/{product}/questions", response=list[SavedOut], operation_id="list_questions")
def list_questions(request: ApiRequest, product: str) -> list[SavedQuestion]:
    """Questions under a name, the newest first."""
    return list(kept.list_saved(api_product(request, product, Role.VIEWER)))


@router.post("/products/{product}/questions", response=SavedOut, operation_id="keep_question")
def keep_question(request: ApiRequest, product: str, said: SavedIn) -> SavedQuestion:
    """Keep a question under a name."""
    found = api_product(request, product, Role.MEMBER)
    return keeping.keep_question(request.actor, found, question=said.question, title=said.title)


@router.get("/products/{product}/questions/{ref}", response=SavedOut, operation_id="get_question")
def get_question(request: ApiRequest, product: str, ref: str) -> SavedQuestion:
    """One question, or frozen answer, by its ref."""
    return kept.find_saved(api_product(request, product, Role.VIEWER), ref)


@router.patch("/products/{product}/questions/{ref}", response=SavedOut, operation_id="edit_question")
def edit_question(request: ApiRequest, product: str, ref: str, said: SavedEdits) -> SavedQuestion:
    """Give it another name, or put another question under it."""
    found = api_product(request, product, Role.MEMBER)
    return keeping.edit_question(request.actor, found, ref, title=said.title, question=said.question)


@router.delete("/products/{product}/questions/{ref}", response={204: None}, operation_id="delete_question")
def delete_question(request: ApiRequest, product: str, ref: str) -> Status[None]:
    """Remove a kept question; refused while something on the tree rests on it."""
    keeping.delete_question(request.actor, api_product(request, product, Role.MEMBER), ref)
    return Status(204, None)


@router.post("/products/{product}/ask/pin", response=SavedOut, operation_id="pin_evidence")
def pin_evidence(request: ApiRequest, product: str, said: PinIn) -> SavedQuestion:
    """Hang an answer on a node as evidence, frozen with its question and the moment."""
    found = api_product(request, product, Role.MEMBER)
    part = checked_part(said.meant) if said.meant else None
    pin = keeping.Pin(said.node, said.stance, said.statement, part)
    return keeping.pin_evidence(request.actor, found, said.question, pin)


@router.post("/products/{product}/ask/signal", response=OpportunityOut, operation_id="make_struggle_signal")
def make_struggle_signal(request: ApiRequest, product: str, said: SignalIn) -> Any:
    """From now on those behind this part of the answer are those who have the opportunity's problem."""
    found = api_product(request, product, Role.MEMBER)
    return keeping.make_struggle_signal(
        request.actor,
        found,
        question=said.question,
        part=checked_part(said.meant),
        opportunity=said.opportunity,
    )


@router.post("/products/{product}/ask/outcome", response=OutcomeOut, operation_id="make_outcome")
def make_outcome(request: ApiRequest, product: str, said: AimIn) -> Any:
    """A metric of this part of the answer and an outcome that aims at it; its value today is the baseline."""
    found = api_product(request, product, Role.MEMBER)
    aim = keeping.Aim(said.target, said.title, said.due, said.parent)
    return keeping.make_outcome(request.actor, found, question=said.question, part=checked_part(said.meant), aim=aim)


@router.post("/products/{product}/ask/cohort", response=CohortMade, operation_id="make_cohort")
def make_cohort(request: ApiRequest, product: str, said: CohortIn) -> dict[str, Any]:
    """A cohort of those behind a part of an answer, as they are now."""
    found = api_product(request, product, Role.MEMBER)
    those = people_behind(found, checked_question(said.question), checked_part(said.meant))
    made = create_cohort_of(request.actor, found, key=said.key, name=said.name, persons=those.people.persons)
    return {"key": made.key, "name": made.name, "people": those.total}
