"""Mirrors over REST."""

from datetime import datetime

from ninja import Router, Schema, Status

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from ..models import Mirror
from . import services

router = Router(tags=["Code"])


class MirrorIn(Body):
    """A public https address. `with_code`: whole files may be kept; without `with_hunks` not even pieces of them."""

    url: str
    name: str = ""
    with_code: bool = False
    with_hunks: bool = True


class MirrorOut(Schema):
    """`state`: waiting, copying, reading, read or failed; `says` how far it is, or why not. `repository` once it is known."""

    id: int
    url: str
    name: str
    repository: str | None
    with_code: bool
    with_hunks: bool
    state: str
    says: str
    created_at: datetime
    tried_at: datetime | None
    read_at: datetime | None

    @staticmethod
    def resolve_repository(mirror: Mirror) -> str | None:
        return mirror.repository.name if mirror.repository else None


@router.get("/products/{product}/mirrors", response=list[MirrorOut], operation_id="list_mirrors")
def list_mirrors(request: ApiRequest, product: str) -> list[Mirror]:
    """Repositories that the server reads by itself, and how that goes."""
    found = api_product(request, product, Role.VIEWER)
    return list(Mirror.objects.filter(product=found).select_related("repository"))


@router.post("/products/{product}/mirrors", response=MirrorOut, operation_id="mirror_repository")
def mirror_repository(request: ApiRequest, product: str, body: MirrorIn) -> Mirror:
    """Let the server copy and read a public address, soon and every hour; the same one again is read now."""
    return services.mirror_repository(request.actor, api_product(request, product, Role.MAINTAINER), **body.dict())


@router.delete("/products/{product}/mirrors/{pk}", response={204: None}, operation_id="stop_mirror")
def stop_mirror(request: ApiRequest, product: str, pk: int) -> Status[None]:
    """Copy it no more. What was read of it stays."""
    services.stop_mirror(request.actor, api_product(request, product, Role.MAINTAINER), pk)
    return Status(204, None)
