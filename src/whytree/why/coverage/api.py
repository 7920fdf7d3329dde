"""Outcome coverage over REST."""

from ninja import Router

from whytree.code.queries import find_repository
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from . import answer as covered
from .answer import Coverage, Point

router = Router(tags=["Why"])


@router.get("/products/{product}/coverage", response=Coverage, operation_id="coverage")
def coverage(request: ApiRequest, product: str, repository: str = "", within: str = "") -> Coverage:
    """For every line the best that stands behind it, of a folder, a file or a whole repository, as it was last read."""
    return covered.coverage(api_product(request, product, Role.VIEWER), repository, within)


@router.post("/products/{product}/repositories/{pk}/coverage", response=Point, operation_id="keep_coverage")
def keep_coverage(request: ApiRequest, product: str, pk: int) -> Point:
    """Write down how much is explained after a reading, so that it can be seen over time. Twice changes nothing."""
    repository = find_repository(api_product(request, product, Role.MEMBER), pk)
    return covered.keep_coverage(request.actor, repository)
