"""Questions over REST: one operation for every kind."""

from datetime import date, datetime
from typing import Any

from ninja import Router, Schema

from whytree.errors import Invalid
from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from ..answers import Answer, Stopped, answer, who_stopped
from ..questions import Funnel, checked_question

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


class GroupOut(Schema):
    """`value` is null for everybody who is in none of the larger groups."""

    value: str | None
    steps: list[StepOut]


class FunnelOut(AnswerOut):
    steps: list[StepOut]
    by: str
    groups: list[GroupOut]


class StretchOut(Schema):
    """One stretch of the calendar; `n` counts people, or the events that carried the number."""

    start: datetime | date
    value: float | None
    low: float | None
    high: float | None
    n: int
    complete: bool


class LineOut(Schema):
    """One series, or one group of it; `value` is null for all groups that are not told apart."""

    name: str
    value: str | None
    stretches: list[StretchOut]


class TrendsOut(AnswerOut):
    interval: str
    measure: str
    by: str
    lines: list[LineOut]


class PointOut(Schema):
    """All cohorts that have had the stretch `after`: `people` began, `back` of them came back."""

    after: int
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


class RetentionOut(AnswerOut):
    interval: str
    curve: list[PointOut]
    cohorts: list[CohortOut]


class StoppedIn(Schema):
    """A funnel, and the step (1 is the first) at which people stopped."""

    question: dict[str, Any]
    at: int


class StoppedOut(Schema):
    """People whose best try ended at a step; `ids` holds one id of each, the first two hundred."""

    at: int
    event: str
    next_event: str
    total: int
    ids: list[str]


@router.post("/products/{product}/ask", response=FunnelOut | TrendsOut | RetentionOut, operation_id="ask")
def ask(request: ApiRequest, product: str, said: AskIn) -> Answer:
    """Ask a question of the events: a funnel, trends or retention."""
    return answer(api_product(request, product, Role.VIEWER), checked_question(said.question))


@router.post("/products/{product}/ask/people", response=StoppedOut, operation_id="people_who_stopped")
def people_who_stopped(request: ApiRequest, product: str, said: StoppedIn) -> Stopped:
    """Who came to a step of a funnel and not to the next."""
    found = api_product(request, product, Role.VIEWER)
    question = checked_question(said.question)
    if not isinstance(question, Funnel):
        raise Invalid("Only a funnel has steps that people stop at.")
    return who_stopped(found, question, said.at)
