"""Changes that wait for another maintainer, and copies between environments, over REST."""

from datetime import datetime

from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.entry.environments import find_environment
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..models import ChangeRequest
from ..rules.versions import between, differences

router = Router(tags=["Flags"])


class DifferenceOut(Schema):
    field: str
    before: str
    after: str


class RequestOut(Schema):
    """A change of a flag in production that another maintainer approves or declines."""

    id: int
    flag: str
    state: str
    verb: str
    words: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    answer: str
    differences: list[DifferenceOut]
    outdated: bool = Field(description="The flag was changed since: approving lets it expire.")

    @staticmethod
    def of(request: ChangeRequest) -> "RequestOut":
        flag = request.flag
        return RequestOut(
            id=request.pk,
            flag=flag.key,
            state=request.state,
            verb=request.verb,
            words=request.words,
            asked_by=request.asked_by,
            asked_at=request.asked_at,
            decided_by=request.decided_by,
            decided_at=request.decided_at,
            answer=request.answer,
            differences=[
                DifferenceOut(**vars(one)) for one in differences(flag.product, request.before, request.after)
            ],
            outdated=services.is_outdated(request, flag),
        )


class Approvals(Body):
    needed: bool


class Answer(Body):
    words: str = ""


class Copying(Body):
    source: str = Field("production", description="An environment.")
    target: str = Field(description="The environment that shall answer likewise.")


@router.get("/products/{product}/flag-approvals", response=Approvals, operation_id="find_approvals")
def find_approvals(request: ApiRequest, product: str) -> Approvals:
    """Whether changes of flags in production need another maintainer."""
    return Approvals(needed=services.needs_approval(api_product(request, product, Role.VIEWER).pk))


@router.put("/products/{product}/flag-approvals", response=Approvals, operation_id="set_approvals")
def set_approvals(request: ApiRequest, product: str, body: Approvals) -> Approvals:
    """Ask for another maintainer from now on, or no longer."""
    found = api_product(request, product, Role.OWNER)
    return Approvals(needed=services.set_approvals(request.actor, found, needed=body.needed))


@router.get("/products/{product}/flag-requests", response=list[RequestOut], operation_id="list_change_requests")
def list_change_requests(request: ApiRequest, product: str, state: str = "open") -> list[RequestOut]:
    """Changes that wait, newest first; with `state` those that were approved, declined, withdrawn or expired, or `all`."""
    found = api_product(request, product, Role.VIEWER)
    return [RequestOut.of(one) for one in queries.list_requests(found, state=state)]


@router.post("/products/{product}/flag-requests/{number}/approve", response=RequestOut, operation_id="approve_change")
def approve_change(request: ApiRequest, product: str, number: int, body: Answer) -> RequestOut:
    """Make the change. Not by whoever asked for it; it expires when the flag was changed meanwhile."""
    found = api_product(request, product, Role.MAINTAINER)
    return RequestOut.of(services.approve_change(request.actor, found, number, words=body.words))


@router.post("/products/{product}/flag-requests/{number}/decline", response=RequestOut, operation_id="decline_change")
def decline_change(request: ApiRequest, product: str, number: int, body: Answer) -> RequestOut:
    """Leave the flag as it is, with words."""
    found = api_product(request, product, Role.MAINTAINER)
    return RequestOut.of(services.decline_change(request.actor, found, number, words=body.words))


@router.post("/products/{product}/flag-requests/{number}/withdraw", response=RequestOut, operation_id="withdraw_change")
def withdraw_change(request: ApiRequest, product: str, number: int) -> RequestOut:
    """Take back what you asked for."""
    return RequestOut.of(services.withdraw_change(request.actor, api_product(request, product, Role.MEMBER), number))


@router.get(
    "/products/{product}/flags/{key}/differences", response=list[DifferenceOut], operation_id="compare_environments"
)
def compare_environments(request: ApiRequest, product: str, key: str, source: str, target: str) -> list[DifferenceOut]:
    """What a copy would change: `before` is the target as it is, `after` as the source is."""
    found = api_product(request, product, Role.VIEWER)
    one, two = (queries.find_flag(found, key, environment=find_environment(found, name)) for name in (target, source))
    return [DifferenceOut(**vars(each)) for each in between(one, two)]
