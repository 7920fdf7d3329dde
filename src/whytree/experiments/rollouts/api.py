"""Guarded rollouts over REST, by the flag they bring."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status

from whytree.engines.flags import percent
from whytree.experiments import queries
from whytree.experiments.models import Rollout
from whytree.flags.queries import find_flag
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import deciding, services

router = Router(tags=["Rollouts"])


class StepOut(Schema):
    percent: str
    days: int
    people: int


class RolloutOut(Schema):
    """`says` is why it stands where it stands; `step` counts from 0. `decision` is a draft until `decided_at`, null where none
    is asked for."""

    flag: str
    variant: str
    state: str
    step: int
    steps: list[StepOut]
    guardrails: list[dict[str, Any]]
    roll_back: bool
    started_at: datetime
    step_since: datetime
    looked_at: datetime | None
    says: str
    owner: str
    decision: str | None
    decided_at: datetime | None

    @staticmethod
    def of(rollout: Rollout) -> dict[str, Any]:
        same = ("variant", "state", "step", "guardrails", "roll_back", "started_at", "step_since", "looked_at", "says")
        return {name: getattr(rollout, name) for name in (*same, "decision", "decided_at")} | {
            "flag": rollout.flag.key,
            "owner": str(rollout.owner or ""),
            "steps": [
                {"percent": percent(step["share"]), "days": step["days"], "people": step["people"]}
                for step in rollout.steps
            ],
        }


class StepIn(Body):
    percent: float
    days: int = 0
    people: int = 0


class RolloutIn(Body):
    """Left out: steps 5, 25, 50 and 100 %; the guardrails of the flag's hypothesis."""

    variant: str = ""
    steps: list[StepIn] = []
    guardrails: list[dict[str, Any]] | None = None
    roll_back: bool = False


class ReasonIn(Body):
    reason: str = ""


class DecisionIn(Body):
    """Left out, `text` is the draft as it stands."""

    decision: str
    text: str = ""


PATH = "/products/{product}/flags/{key}/guarded-rollout"


@router.get("/products/{product}/rollouts", response=list[RolloutOut], operation_id="list_rollouts")
def list_rollouts(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """All guarded rollouts, the newest first."""
    return [RolloutOut.of(one) for one in queries.rollouts(api_product(request, product, Role.VIEWER))]


@router.get(PATH, response=RolloutOut, operation_id="get_rollout")
def get_rollout(request: ApiRequest, product: str, key: str) -> dict[str, Any]:
    """The flag's rollout: its steps, its guardrails, and why it stands where it stands."""
    return RolloutOut.of(queries.find_rollout(api_product(request, product, Role.VIEWER), key))


@router.post(PATH, response={201: RolloutOut}, operation_id="start_rollout")
def start_rollout(request: ApiRequest, product: str, key: str, said: RolloutIn) -> Status[dict[str, Any]]:
    """Bring the flag to people step by step, while guardrails are watched. The first step is taken now."""
    found = api_product(request, product, Role.MEMBER)
    made = services.start_rollout(
        request.actor,
        found,
        flag=find_flag(found, key),
        steps=[step.dict() for step in said.steps],
        guardrails=said.guardrails,
        roll_back=said.roll_back,
        variant=said.variant,
    )
    return Status(201, RolloutOut.of(made))


@router.post(PATH + "/go-on", response=RolloutOut, operation_id="go_on_with_rollout")
def go_on(request: ApiRequest, product: str, key: str) -> dict[str, Any]:
    """The next step now, whatever the plan says; also out of a halt."""
    found = api_product(request, product, Role.MEMBER)
    return RolloutOut.of(services.go_on(request.actor, queries.find_rollout(found, key)))


@router.post(PATH + "/halt", response=RolloutOut, operation_id="halt_rollout")
def halt(request: ApiRequest, product: str, key: str, said: ReasonIn) -> dict[str, Any]:
    """No further step; who has it keeps it."""
    found = api_product(request, product, Role.MEMBER)
    return RolloutOut.of(services.halt(request.actor, queries.find_rollout(found, key), reason=said.reason))


@router.post(PATH + "/resume", response=RolloutOut, operation_id="resume_rollout")
def resume(request: ApiRequest, product: str, key: str) -> dict[str, Any]:
    """Go on watching after a halt."""
    found = api_product(request, product, Role.MEMBER)
    return RolloutOut.of(services.resume(request.actor, queries.find_rollout(found, key)))


@router.post(PATH + "/roll-back", response=RolloutOut, operation_id="roll_back_rollout")
def roll_back(request: ApiRequest, product: str, key: str, said: ReasonIn) -> dict[str, Any]:
    """Everybody gets what was there before."""
    found = api_product(request, product, Role.MEMBER)
    return RolloutOut.of(services.take_back(request.actor, queries.find_rollout(found, key), reason=said.reason))


@router.post(PATH + "/decide", response=RolloutOut, operation_id="decide_rollout")
def decide_rollout(request: ApiRequest, product: str, key: str, said: DecisionIn) -> dict[str, Any]:
    """After a guardrail was harmed: roll_back, mend or go_on. It is done, noted on the solution, and its question answered."""
    found = queries.find_rollout(api_product(request, product, Role.MEMBER), key)
    return RolloutOut.of(deciding.decide_rollout(request.actor, found, decision=said.decision, text=said.text))
