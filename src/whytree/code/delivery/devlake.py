"""Apache DevLake's incoming webhooks: who sends there sends here, with this server's address and a server key.

    POST /api/rest/plugins/webhook/connections/1/deployments
    POST /api/rest/plugins/webhook/connections/1/issues
    POST /api/rest/plugins/webhook/connections/1/issue/INC-7/close

The number says nothing here: the key knows its product. A personal token, which has none, says it by its short name:
`connections/by-name/sprout/...`. Field names are DevLake's own; what it holds beyond ours is taken and not kept.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from ninja import Router, Schema
from pydantic import AwareDatetime, Field

from whytree.errors import Invalid, NotFound
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.rights.access import NO_SUCH_PRODUCT, require
from whytree.workspace.rights.roles import Role

from . import queries, services
from .services import DeploymentFacts, IncidentFacts

router = Router(tags=["Code"])

MOST_REPOSITORIES = 100
Word = Annotated[str, Field(max_length=2000)]
Maybe = Word | None
DONE = {"success": True, "message": "success"}


class CommitIn(Schema):
    """What went out of one repository."""

    repoUrl: Word
    commitSha: Word
    refName: Maybe = None
    result: Maybe = None
    startedDate: AwareDatetime | None = None
    finishedDate: AwareDatetime | None = None


class DeploymentIn(Schema):
    id: Word
    startedDate: AwareDatetime
    finishedDate: AwareDatetime
    deploymentCommits: Annotated[list[CommitIn], Field(min_length=1, max_length=MOST_REPOSITORIES)]
    displayTitle: Maybe = None
    name: Maybe = None
    result: Maybe = None
    environment: Maybe = None
    url: Maybe = None


class IssueIn(Schema):
    issueKey: Word
    title: Word
    createdDate: AwareDatetime
    status: Maybe = None
    type: Maybe = None
    url: Maybe = None
    resolutionDate: AwareDatetime | None = None
    caused_by_deployment: Maybe = None


View = TypeVar("View", bound=Callable[..., Any])


def _at(path: str) -> Callable[[View], View]:
    """Under every prefix that DevLake's own server answers at. Not in the reference: it is theirs."""

    def at_all(view: View) -> View:
        for api in ("/rest", ""):
            for connection in ("connections/by-name/{connection}", "connections/{connection}", "{connection}"):
                view = router.post(f"{api}/plugins/webhook/{connection}/{path}", include_in_schema=False)(view)
        return view

    return at_all


@_at("deployments")
def take_deployment(request: ApiRequest, connection: str, body: DeploymentIn) -> dict[str, Any]:
    """One deployment of one or more repositories."""
    product = _product(request, connection)
    # Of several commits of one repository the first counts, as there.
    first: dict[str, CommitIn] = {}
    for commit in body.deploymentCommits:
        first.setdefault(commit.repoUrl, commit)
    services.add_deployments(request.actor, product, [_facts(body, one) for one in first.values()])
    return DONE


def _facts(body: DeploymentIn, commit: CommitIn) -> DeploymentFacts:
    return DeploymentFacts(
        sent_id=body.id,
        started_at=commit.startedDate or body.startedDate,
        finished_at=commit.finishedDate or body.finishedDate,
        commit_sha=commit.commitSha,
        repo=commit.repoUrl,
        environment=body.environment or "",
        # A branch, as main, names no version: the deployment is called by its commit then.
        version=commit.refName if commit.refName and any(map(str.isdigit, commit.refName)) else "",
        title=body.displayTitle or body.name or "",
        url=body.url or "",
        result=commit.result or body.result or "",
    )


@_at("issues")
def take_issue(request: ApiRequest, connection: str, body: IssueIn) -> dict[str, Any]:
    """An incident; what DevLake takes of other types has its place in a tracker."""
    product = _product(request, connection)
    if (body.type or "INCIDENT").upper() != "INCIDENT":
        return {"success": True, "message": "Not kept: only what has the type INCIDENT is an incident."}
    facts = IncidentFacts(
        key=body.issueKey,
        title=body.title,
        began_at=body.createdDate,
        resolved_at=body.resolutionDate,
        status=body.status or "",
        url=body.url or "",
        caused_by=body.caused_by_deployment or "",
    )
    services.add_incident(request.actor, product, facts)
    return DONE


@_at("issue/{path:key}/close")
def close_issue(request: ApiRequest, connection: str, key: str) -> dict[str, Any]:
    """The incident is over now."""
    services.close_incident(request.actor, queries.find_incident(_product(request, connection), key))
    return DONE


def _product(request: ApiRequest, connection: str) -> Product:
    if not connection.isdecimal():
        return api_product(request, connection, Role.MEMBER)
    if request.actor.product_id is None:
        raise Invalid("Send a server key: it knows its product. Or name the product: connections/by-name/NAME/...")
    product = Product.objects.filter(pk=request.actor.product_id).first()
    if product is None:
        raise NotFound(NO_SUCH_PRODUCT)
    require(request.actor, product, Role.MEMBER)
    return product
