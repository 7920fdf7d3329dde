"""Outcome guards over REST, by the review that left them."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema

from whytree.learning.models import OutcomeGuard
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services

router = Router(tags=["Learning"])


class CommitOut(Schema):
    sha: str
    subject: str
    authored_at: datetime


class GuardOut(Schema):
    """`state`: waiting for people, holding, broken or ended. Numbers are of `basis`: a share of people from 0 to 1, per active
    person and day, or one sum over another; `low` and `high` bear being looked at daily."""

    review: str
    solution: str
    metric_key: str
    basis: str
    state: str
    says: str
    baseline: float
    floor: float
    value: float | None
    low: float | None
    high: float | None
    n: int
    watch_from: datetime
    looked_at: datetime | None
    fine_at: datetime
    broken_at: datetime | None
    commits: list[CommitOut]
    shipped: list[str]
    happened: list[str]

    @staticmethod
    def of(guard: OutcomeGuard) -> dict[str, Any]:
        same = (
            "metric_key",
            "basis",
            "state",
            "baseline",
            "floor",
            "value",
            "low",
            "high",
            "n",
            "watch_from",
            "looked_at",
        )
        since = queries.since_fine(guard) if guard.state == "broken" else None
        return {name: getattr(guard, name) for name in (*same, "fine_at", "broken_at")} | {
            "review": guard.review.ref,
            "solution": guard.review.hypothesis.solution.ref,
            "says": queries.says(guard),
            "commits": [
                {"sha": one.sha, "subject": one.subject, "authored_at": one.authored_at}
                for one in (since.commits if since else ())
            ],
            "shipped": since.shipped.lines() if since else [],
            "happened": [f"{mark.day}: {mark.text}" for mark in (since.marks if since else ())],
        }


class EndIn(Body):
    reason: str


@router.get("/products/{product}/guards", response=list[GuardOut], operation_id="list_guards")
def list_guards(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """Standing checks on what was kept: broken ones first, with the commits since it last was fine."""
    return [GuardOut.of(guard) for guard in queries.list_guards(api_product(request, product, Role.VIEWER))]


@router.post("/products/{product}/guards/{review}/restart", response=GuardOut, operation_id="restart_guard")
def restart_guard(request: ApiRequest, product: str, review: str) -> dict[str, Any]:
    """It was repaired: watch again from now on, by the same line."""
    found = api_product(request, product, Role.MEMBER)
    return GuardOut.of(services.restart_guard(request.actor, queries.find_guard(found, review)))


@router.post("/products/{product}/guards/{review}/end", response=GuardOut, operation_id="end_guard")
def end_guard(request: ApiRequest, product: str, review: str, said: EndIn) -> dict[str, Any]:
    """Nobody needs to watch it any more, with the reason."""
    found = api_product(request, product, Role.MEMBER)
    return GuardOut.of(services.end_guard(request.actor, queries.find_guard(found, review), reason=said.reason))
