"""Experiments over REST."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from whytree.engines.flags import Switching
from whytree.flags.queries import find_flag, find_hypothesis
from whytree.tree.models import AssumptionTest
from whytree.tree.pages.parts import find
from whytree.workspace.entry.doors import ApiRequest, api_product, plain
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services
from .deeper.api import router as deeper_router
from .early.before_code import standing_of
from .judgement.design import whole_weights
from .models import Experiment
from .preparing.planning import Words, prospect, question_of
from .rollouts.api import router as rollout_router
from .switchbacks.schedule import coming
from .underway.segments import segments_of
from .verdict import deciding
from .verdict.doubting import doubts_of
from .verdict.reading import as_json, state_of
from .verdict.table import as_csv
from .verdict.telling import headline, setting, standing, summary

router = Router(tags=["Experiments"])
router.add_router("", rollout_router)
router.add_router("", deeper_router)


class ExperimentOut(Schema):
    """An experiment and where it stands."""

    ref: str
    title: str
    flag: str
    hypothesis: str | None
    solution: str | None
    state: str
    standing: str
    plan: dict[str, Any]
    started_at: datetime | None
    ends_at: datetime | None
    stopped_at: datetime | None
    stop_reason: str
    decision: str
    shipped: str
    learning: str
    decided_at: datetime | None
    decided_by: str
    url: str

    @staticmethod
    def of(experiment: Experiment) -> dict[str, Any]:
        now = timezone.now()
        hypothesis = experiment.hypothesis
        same = ("ref", "title", "plan", "stop_reason", "decision", "shipped", "learning", "url")
        moments = {name: getattr(experiment, name) for name in ("started_at", "ends_at", "stopped_at", "decided_at")}
        there = {name: experiment.product.there(at) if at else None for name, at in moments.items()}
        return (
            {name: getattr(experiment, name) for name in same}
            | there
            | {
                "flag": experiment.flag.key,
                "hypothesis": hypothesis.ref if hypothesis is not None else None,
                "solution": hypothesis.solution.ref if hypothesis is not None else None,
                "state": state_of(experiment, now),
                "standing": standing(experiment, now),
                "decided_by": str(experiment.decided_by or ""),
            }
        )


class ShiftOut(Schema):
    """One period of a switchback; `counts_from` is the end of its washout, `arms` by region ("": no regions)."""

    begins_at: datetime
    counts_from: datetime
    ends_at: datetime
    arms: dict[str, str]
    is_now: bool


class ExperimentDetail(ExperimentOut):
    """`result` is what it says: as it stood when it was decided, else now; null before the start. `schedule` is what a
    switchback has in force and next, `doubts` what speaks against deciding now; once decided with `despite`, what did."""

    headline: str
    summary: str
    setting: str
    result: dict[str, Any] | None
    doubts: list[str] = []
    despite: str = ""
    schedule: list[ShiftOut] = []


class MetricIn(Schema):
    """A metric of the plan; `margin` in points for shares, `harms` the way that is worse where it is not the metric's own.

    One that was read may be sent back with its definition, which the start fixes anew.
    """

    key: str
    role: str = "secondary"
    margin: float | None = None
    harms: str = ""
    amount: str = ""
    cap: str = ""
    days_before: int = 0


class SwitchbackIn(Body):
    """Everybody gets the arm of the period: of `minutes` (60 to 10,080), without the `washout` minutes at its start. `by`: the
    context attribute whose values are drawn apart, as city. Minutes of 0 draw people again."""

    minutes: int
    washout: int = 0
    by: str = ""


class PlanIn(Body):
    """What is fixed by the start. Left out: the flag's arms and weights; the hypothesis's metric, guardrails and horizon."""

    control: str | None = None
    weights: dict[str, float] | None = None
    metrics: list[MetricIn] | None = None
    days: int | None = None
    looks: str | None = None
    correction: str | None = None
    level: float | None = None
    coverage_percent: float | None = None
    rule: str | None = None
    switchback: SwitchbackIn | None = None

    def fields(self) -> dict[str, Any]:
        said = {name: value for name, value in self.dict(exclude_unset=True).items() if value is not None}
        if "weights" in said:
            said["weights"] = whole_weights(said["weights"])
        if "coverage_percent" in said:
            said["coverage"] = round(said.pop("coverage_percent") * 100)
        if "switchback" in said and not said["switchback"]["minutes"]:
            said["switchback"] = {}
        return said


class ExperimentIn(Body):
    flag: str
    hypothesis: str | None = None
    title: str = ""
    plan: PlanIn = PlanIn()


class ExperimentEdit(Body):
    title: str | None = None
    plan: PlanIn | None = None


class StopIn(Body):
    reason: str
    close_flag: bool = False


class DecideIn(Body):
    """`decision`: ship, stay or iterate. `verdict`, where a prediction hangs on it: achieved, partly, not_achieved,
    inconclusive or harm; left out, what the data propose."""

    decision: str
    learning: str
    arm: str = ""
    verdict: str = ""
    move_flag: bool = Field(True, description="Everybody gets what is shipped, or what was there before.")
    despite: str = Field("", description="Why, where `doubts` speak against it: required then.")


@router.get("/products/{product}/experiments", response=list[ExperimentOut], operation_id="list_experiments")
def list_experiments(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """All experiments, the newest first."""
    found = api_product(request, product, Role.VIEWER)
    return [ExperimentOut.of(one) for one in queries.list_experiments(found)]


@router.get("/products/{product}/experiments/design", operation_id="design_experiment")
def design_experiment(
    request: ApiRequest,
    product: str,
    metric: str = "",
    flag: str = "",
    days: int | None = None,
    effect: float | None = None,
    looks: str = "once",
    coverage_percent: float | None = None,
    lots: bool = False,
    switch_minutes: int = 0,
    washout: int = 0,
    by: str = "",
) -> dict[str, Any]:
    """What an experiment could show, from this product's own traffic and spread: the smallest effect by weeks, the chance
    of finding `effect` (in points for shares), and with `lots` an A/A test on people of the past. Of a switchback, with
    `switch_minutes`: what its blocks of periods would show."""
    found = api_product(request, product, Role.VIEWER)
    switchback = Switching(minutes=switch_minutes, washout=washout, by=by.strip()) if switch_minutes else None
    said = Words(metric, flag, days, effect, looks, coverage_percent, switchback)
    question = question_of(found, said, timezone.now())
    hypothesis = question.flag.hypothesis if question.flag is not None else None
    return asdict(prospect(question, hypothesis=hypothesis, with_lots=lots))


@router.post("/products/{product}/experiments", response={201: ExperimentDetail}, operation_id="create_experiment")
def create_experiment(request: ApiRequest, product: str, said: ExperimentIn) -> Status[dict[str, Any]]:
    """Plan an experiment on a flag. Nobody is exposed before it starts."""
    found = api_product(request, product, Role.MEMBER)
    made = services.create_experiment(
        request.actor,
        found,
        flag=find_flag(found, said.flag),
        hypothesis=find_hypothesis(found, said.hypothesis),
        title=said.title,
        plan=said.plan.fields(),
    )
    return Status(201, _detail(queries.find_experiment(found, made.ref)))


@router.get("/products/{product}/experiments/{ref}", response=ExperimentDetail, operation_id="get_experiment")
def get_experiment(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """One experiment with everything it says."""
    return _detail(queries.find_experiment(api_product(request, product, Role.VIEWER), ref))


@router.get("/products/{product}/experiments/{ref}/csv", operation_id="get_experiment_csv")
def get_experiment_csv(request: ApiRequest, product: str, ref: str) -> HttpResponse:
    """Its table of metrics and arms as CSV."""
    found = queries.find_experiment(api_product(request, product, Role.VIEWER), ref)
    return plain(HttpResponse(as_csv(queries.reading_of(found)), content_type="text/csv; charset=utf-8"))


@router.get("/products/{product}/experiments/{ref}/segments", operation_id="get_experiment_segments")
def get_experiment_segments(request: ApiRequest, product: str, ref: str, by: str) -> dict[str, Any]:
    """The deciding metric by platform, country, version and the like at the first exposure; parts correct each other."""
    found = queries.find_experiment(api_product(request, product, Role.VIEWER), ref)
    return asdict(segments_of(found, by, timezone.now()))


@router.patch("/products/{product}/experiments/{ref}", response=ExperimentDetail, operation_id="edit_experiment")
def edit_experiment(request: ApiRequest, product: str, ref: str, said: ExperimentEdit) -> dict[str, Any]:
    """Change the title; the plan too, until it starts. Later attempts are refused and logged."""
    found = api_product(request, product, Role.MEMBER)
    edits = services.PlanEdits()
    if said.title is not None:
        edits["title"] = said.title
    if said.plan is not None:
        edits["plan"] = said.plan.fields()
    services.edit_experiment(request.actor, queries.find_experiment(found, ref), **edits)
    return _detail(queries.find_experiment(found, ref))


@router.post("/products/{product}/experiments/{ref}/start", response=ExperimentDetail, operation_id="start_experiment")
def start_experiment(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """Fix plan and decision rule, and open the flag as planned."""
    found = api_product(request, product, Role.MEMBER)
    services.start_or_ask(request.actor, queries.find_experiment(found, ref))
    return _detail(queries.find_experiment(found, ref))


@router.post("/products/{product}/experiments/{ref}/stop", response=ExperimentDetail, operation_id="stop_experiment")
def stop_experiment(request: ApiRequest, product: str, ref: str, said: StopIn) -> dict[str, Any]:
    """End it now, with a reason."""
    found = api_product(request, product, Role.MEMBER)
    services.stop_experiment(
        request.actor, queries.find_experiment(found, ref), reason=said.reason, close_flag=said.close_flag
    )
    return _detail(queries.find_experiment(found, ref))


@router.post(
    "/products/{product}/experiments/{ref}/decide", response=ExperimentDetail, operation_id="decide_experiment"
)
def decide_experiment(request: ApiRequest, product: str, ref: str, said: DecideIn) -> dict[str, Any]:
    """Decide it, once; the prediction's review is decided with it."""
    found = api_product(request, product, Role.MEMBER)
    deciding.decide_experiment(request.actor, queries.find_experiment(found, ref), **said.dict())
    return _detail(queries.find_experiment(found, ref))


class ProgressOut(Schema):
    """What a test before code shows so far; `proposed` is the verdict the data propose, empty while they decide nothing."""

    ref: str
    counts: bool
    text: str
    detail: str
    proposed: str
    is_over: bool


@router.get("/products/{product}/tests/{ref}/progress", response=ProgressOut, operation_id="get_test_progress")
def get_test_progress(request: ApiRequest, product: str, ref: str) -> dict[str, Any]:
    """What a test before code shows so far. A person gives the verdict."""
    test = find(api_product(request, product, Role.VIEWER), ref, AssumptionTest)
    shows = standing_of(test)
    if shows is None:
        return {"ref": test.ref, "counts": False, "text": "", "detail": "", "proposed": "", "is_over": False}
    return {"ref": test.ref, "counts": True, **asdict(shows)}


def _detail(experiment: Experiment) -> dict[str, Any]:
    reading = queries.reading_of(experiment)
    return ExperimentOut.of(experiment) | {
        "headline": headline(experiment, reading),
        "summary": summary(experiment, reading),
        "setting": setting(experiment),
        "result": as_json(reading) if reading is not None else None,
        "doubts": doubts_of(experiment, reading),
        "despite": experiment.despite,
        "schedule": list(
            map(asdict, coming(experiment, timezone.now(), reading.regions if reading is not None else []))
        ),
    }
