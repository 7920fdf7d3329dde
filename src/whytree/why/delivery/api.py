"""Deployments over REST: told by CI, asked for with the commits each brought and whom they were for."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema
from pydantic import AwareDatetime

from whytree.code.delivery.api import IncidentOut, Word
from whytree.code.delivery.queries import first_known
from whytree.code.delivery.services import DeploymentFacts
from whytree.code.delivery.services import add_deployment as keep
from whytree.code.models import Deployment
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .queries import Shipment, shipments

router = Router(tags=["Code"])
MOST = 500


class DeploymentIn(Body):
    """A deployment. The same `id` again corrects it; `environment` is production unless said; `result`: success, failure,
    cancelled; `repository`: its address or name, where a commit or a name is in several."""

    id: Word
    finished_at: AwareDatetime
    started_at: AwareDatetime | None = None
    commit: Word = ""
    version: Word = ""
    environment: Word = ""
    result: Word = ""
    repository: Word = ""
    title: Word = ""
    url: Word = ""


class AddedDeployment(Schema):
    """`commits`: how many it brought to production that were not out before; None until its commit is read in, or where
    people did not meet it. `first`: the first one known of its repository, which holds all that was before it."""

    id: str
    label: str
    commit: str
    version: str
    environment: str
    result: str
    repository: str
    started_at: datetime
    finished_at: datetime
    commits: int | None
    first: bool

    @staticmethod
    def told(row: Deployment, commits: int, is_first: bool) -> dict[str, Any]:
        same = ("label", "version", "environment", "result", "started_at", "finished_at")
        return {name: getattr(row, name) for name in same} | {
            "id": row.sent_id,
            "commit": row.commit_sha,
            "repository": row.repository.name if row.repository else row.repo,
            "commits": commits if row.is_placed and row.is_live else None,
            "first": is_first,
        }


class CommitOut(Schema):
    sha: str
    subject: str
    authored_at: datetime


class ForOut(Schema):
    """A node of the tree, and how many commits are for it."""

    ref: str
    title: str
    commits: int


class DeploymentOut(AddedDeployment):
    """`new_commits`: at most 50 of its commits, the newest first; the first one known lists none. `incidents`: those it is
    known or supposed to have caused."""

    title: str
    url: str
    shipped_for: list[ForOut]
    new_commits: list[CommitOut]
    incidents: list[IncidentOut]

    @staticmethod
    def of(one: Shipment) -> dict[str, Any]:
        row = one.deployment
        return AddedDeployment.told(row, one.commit_count, one.is_first) | {
            "title": row.title,
            "url": row.url,
            "shipped_for": [vars(node) for node in one.shipped_for],
            "new_commits": [vars(commit) for commit in one.commits],
            "incidents": [IncidentOut.of(incident) for incident in one.incidents],
        }


@router.get("/products/{product}/deployments", response=list[DeploymentOut], operation_id="list_deployments")
def list_deployments(request: ApiRequest, product: str, environment: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """What went out, the newest first: new commits, the solutions they are for, incidents after it."""
    found = api_product(request, product, Role.VIEWER)
    rows = shipments(found, limit=max(1, min(limit, MOST)), environment=environment)
    return [DeploymentOut.of(one) for one in rows]


@router.post("/products/{product}/deployments", response=AddedDeployment, operation_id="add_deployment")
def add_deployment(request: ApiRequest, product: str, body: DeploymentIn) -> dict[str, Any]:
    """Tell that something went out; the same id again changes only what is told differently."""
    found = api_product(request, product, Role.MEMBER)
    told = body.dict()
    told |= {"sent_id": told.pop("id"), "commit_sha": told.pop("commit"), "repo": told.pop("repository")}
    made = keep(request.actor, found, DeploymentFacts(**told))
    return AddedDeployment.told(made, made.commits.count(), made.pk in first_known(found))
