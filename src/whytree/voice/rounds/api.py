"""Usability rounds over REST."""

from datetime import date
from typing import Literal

from ninja import Router, Schema, Status

from whytree.engines.stats import Estimate, NoAnswer
from whytree.tree.models import Solution
from whytree.tree.pages.parts import find
from whytree.tree.queries import find_node
from whytree.voice.interviews.queries import find_by_ref as find_interview
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services, showing
from .models import UsabilityRound

router = Router(tags=["Voices"])


class RoundIn(Body):
    title: str
    tasks: list[str]
    script: str = services.FIRST_SCRIPT
    solution: str = ""
    planned_for: date | None = None


class SessionIn(Body):
    """`person`: the id under which their events come in; what is noted of them is forgotten with them."""

    interview: str = ""
    person: str = ""


class OutcomeIn(Body):
    """`outcome` "" takes it back."""

    outcome: Literal["did", "helped", "failed", ""]


class SeenIn(Body):
    """A `problem` of the round by its number, or the `title` and `severity` (1 to 4) of a new one."""

    problem: int | None = None
    title: str = ""
    severity: int | None = None
    task: int | None = None
    note: str = ""


class FixIn(Body):
    fix: str


class ShowIn(Body):
    node: str


class ShownOut(Schema):
    """What now stands on the node's page."""

    node: str
    stance: str
    statement: str


class RetestIn(Body):
    planned_for: date


class ShareOut(Schema):
    """k of n with Clopper and Pearson's exact 95 % interval; null where nobody was watched."""

    k: int
    n: int
    share: float | None
    low: float | None
    high: float | None

    @staticmethod
    def of(k: int, n: int, share: Estimate | NoAnswer) -> "ShareOut":
        known = share if isinstance(share, Estimate) else None
        return ShareOut(
            k=k,
            n=n,
            share=known.value if known else None,
            low=known.low if known else None,
            high=known.high if known else None,
        )


class TaskOut(Schema):
    number: int
    text: str
    did: ShareOut
    helped: int
    failed: int
    before: str


class ProblemOut(Schema):
    number: int
    title: str
    severity: int
    task: int | None
    seen: ShareOut
    weight: float
    notes: list[str]
    solution: str | None
    before: str


class RoundOut(Schema):
    """Problems come the worst first: severity times the share of people. `before` is how it was in the round that this repeats."""

    ref: str
    title: str
    script: str
    solution: str | None
    planned_for: date | None
    retest_of: str | None
    people: int
    tasks: list[TaskOut]
    problems: list[ProblemOut]

    @staticmethod
    def of(found: UsabilityRound) -> "RoundOut":
        told = queries.findings(found)
        return RoundOut(
            ref=found.ref,
            title=found.title,
            script=found.script,
            solution=found.solution.ref if found.solution else None,
            planned_for=found.planned_for,
            retest_of=found.retest_of.ref if found.retest_of else None,
            people=len(told.sessions),
            tasks=[
                TaskOut(
                    number=one.number,
                    text=one.text,
                    did=ShareOut.of(one.did, one.n, one.share),
                    helped=one.helped,
                    failed=one.failed,
                    before=one.before,
                )
                for one in told.tasks
            ],
            problems=[
                ProblemOut(
                    number=one.problem.number,
                    title=one.problem.title,
                    severity=one.problem.severity,
                    task=one.problem.task,
                    seen=ShareOut.of(one.k, one.n, one.share),
                    weight=round(one.weight, 4),
                    notes=list(one.notes),
                    solution=one.problem.solution.ref if one.problem.solution else None,
                    before=one.before,
                )
                for one in told.problems
            ],
        )


class SessionOut(Schema):
    round: str
    person: int


class FixOut(Schema):
    solution: str


def _round(request: ApiRequest, product: str, ref: str, role: Role = Role.MEMBER) -> UsabilityRound:
    return queries.find_by_ref(api_product(request, product, role), ref)


@router.get("/products/{product}/usability", response=list[RoundOut], operation_id="list_rounds")
def list_rounds(request: ApiRequest, product: str) -> list[RoundOut]:
    """The rounds, the newest first, 100 at most."""
    return [RoundOut.of(one) for one in queries.list_rounds(api_product(request, product, Role.VIEWER))[:100]]


@router.post("/products/{product}/usability", response={201: RoundOut}, operation_id="plan_round")
def plan_round(request: ApiRequest, product: str, said: RoundIn) -> Status[RoundOut]:
    """A round that lies ahead: tasks, and the script that is read to each person."""
    found = api_product(request, product, Role.MEMBER)
    solution = find(found, said.solution, Solution) if said.solution else None
    made = services.plan_round(
        request.actor,
        found,
        title=said.title,
        tasks=said.tasks,
        script=said.script,
        solution=solution,
        planned_for=said.planned_for,
    )
    return Status(201, RoundOut.of(made))


@router.get("/products/{product}/usability/{ref}", response=RoundOut, operation_id="get_round")
def get_round(request: ApiRequest, product: str, ref: str) -> RoundOut:
    """How each task went, and what people stumbled over, the worst first."""
    return RoundOut.of(_round(request, product, ref, Role.VIEWER))


@router.post("/products/{product}/usability/{ref}/people", response={201: SessionOut}, operation_id="add_session")
def add_session(request: ApiRequest, product: str, ref: str, said: SessionIn) -> Status[SessionOut]:
    """One more person is watched; `interview` names the talk that was recorded with them."""
    found = _round(request, product, ref)
    talk = find_interview(found.product, said.interview) if said.interview else None
    session = services.add_session(request.actor, found, talk, said.person)
    return Status(201, SessionOut(round=found.ref, person=session.number))


@router.put(
    "/products/{product}/usability/{ref}/people/{person}/tasks/{task}", response=RoundOut, operation_id="note_outcome"
)
def note_outcome(request: ApiRequest, product: str, ref: str, person: int, task: int, said: OutcomeIn) -> RoundOut:
    """How a task went with this person."""
    found = _round(request, product, ref)
    services.note_outcome(request.actor, queries.find_session(found, person), task, said.outcome)
    return RoundOut.of(found)


@router.post(
    "/products/{product}/usability/{ref}/people/{person}/problems", response={201: RoundOut}, operation_id="see_problem"
)
def see_problem(request: ApiRequest, product: str, ref: str, person: int, said: SeenIn) -> Status[RoundOut]:
    """This person stumbled over it."""
    found = _round(request, product, ref)
    problem = queries.find_problem(found, said.problem) if said.problem is not None else None
    services.see_problem(
        request.actor,
        queries.find_session(found, person),
        problem=problem,
        title=said.title,
        severity=said.severity,
        task=said.task,
        note=said.note,
    )
    return Status(201, RoundOut.of(found))


@router.post(
    "/products/{product}/usability/{ref}/problems/{problem}/fix", response={201: FixOut}, operation_id="fix_problem"
)
def fix_problem(request: ApiRequest, product: str, ref: str, problem: int, said: FixIn) -> Status[FixOut]:
    """The least that can be done about it becomes a solution."""
    found = _round(request, product, ref)
    made = services.fix_problem(request.actor, queries.find_problem(found, problem), said.fix)
    return Status(201, FixOut(solution=made.ref))


@router.post(
    "/products/{product}/usability/{ref}/problems/{problem}/evidence",
    response={201: ShownOut},
    operation_id="show_problem",
)
def show_problem(request: ApiRequest, product: str, ref: str, problem: int, said: ShowIn) -> Status[ShownOut]:
    """The problem is evidence of a node, with k of n and its interval, which follow the round."""
    found = _round(request, product, ref)
    node = find_node(found.product, said.node)
    link = showing.show_problem(request.actor, queries.find_problem(found, problem), node)
    return Status(201, ShownOut(node=node.ref, stance=link.stance, statement=link.statement))


@router.post("/products/{product}/usability/{ref}/retest", response={201: RoundOut}, operation_id="plan_retest")
def plan_retest(request: ApiRequest, product: str, ref: str, said: RetestIn) -> Status[RoundOut]:
    """The same tasks again on a day to come; the page sets both rounds side by side."""
    return Status(
        201, RoundOut.of(services.plan_retest(request.actor, _round(request, product, ref), said.planned_for))
    )
