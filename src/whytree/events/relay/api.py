"""Relays over REST."""

from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import services

router = Router(tags=["Events"])


class RelayOut(Schema):
    """Where calls are passed on to, and how that is going."""

    dialect: str
    url: str
    waiting_bytes: int
    delivered: int
    refused: int
    trouble: str = Field(description="Why nothing moves now, or the last refusal.")


class RelayIn(Body):
    url: str = Field(max_length=1_000, description="The host clients sent to before, as https://eu.i.posthog.com.")


@router.get("/products/{product}/events/relays", response=list[RelayOut], operation_id="list_relays")
def list_relays(request: ApiRequest, product: str) -> Any:
    """Where accepted calls are passed on to."""
    return services.relays_of(api_product(request, product, Role.VIEWER))


@router.put("/products/{product}/events/relays/{dialect}", response=list[RelayOut], operation_id="set_relay")
def set_relay(request: ApiRequest, product: str, dialect: str, body: RelayIn) -> Any:
    """Pass every accepted call of a dialect (posthog or segment) on, unchanged, to the host clients sent to before."""
    found = api_product(request, product, Role.MAINTAINER)
    services.set_relay(request.actor, found, dialect, body.url)
    return services.relays_of(found)


@router.delete("/products/{product}/events/relays/{dialect}", response={204: None}, operation_id="stop_relay")
def stop_relay(request: ApiRequest, product: str, dialect: str) -> Status[None]:
    """Pass nothing on any more; what waits stays on disk."""
    services.stop_relay(request.actor, api_product(request, product, Role.MAINTAINER), dialect)
    return Status(204, None)
