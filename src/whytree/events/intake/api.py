"""What is wanted of events, over REST."""

from typing import Any

from ninja import Router, Schema, Status
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.models import Product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import services
from .services import Wanted

router = Router(tags=["Events"])


class IntakeIn(Schema):
    """What is kept from now on. What was read may be changed and sent back whole, with the keys."""

    bots: str = Field(description="apart (kept, and left out of every number), refused, or counted.")
    sample: int = Field(description="Percent of people whose events are kept.")
    allowed: list[str] = Field(description="Names of properties that are kept; empty for all.")
    denied: list[str] = Field(description="Names of properties that are never kept; * at the end for any.")
    keep_address: bool = Field(description="Keep the IP address of browsers and apps as $ip.")
    session_minutes: int = Field(description="A session ends after so many minutes of doing nothing.")


class LimitedKeyOut(Schema):
    id: int
    name: str
    kind: str
    prefix: str
    events_per_minute: int | None


class IntakeOut(IntakeIn):
    keys: list[LimitedKeyOut]


class LimitIn(Body):
    events_per_minute: int | None = Field(description="null for as many as can be written.")


@router.get("/products/{product}/events/intake", response=IntakeOut, operation_id="get_intake")
def get_intake(request: ApiRequest, product: str) -> Any:
    """What is kept of what is sent, and how much each key may send."""
    return _shown(api_product(request, product, Role.VIEWER))


@router.put("/products/{product}/events/intake", response=IntakeOut, operation_id="set_intake")
def set_intake(request: ApiRequest, product: str, body: IntakeIn) -> Any:
    """Say what is kept from now on; what is stored stays as it is."""
    found = api_product(request, product, Role.MAINTAINER)
    services.set_intake(request.actor, found, Wanted(**body.dict()))
    return _shown(found)


@router.put("/products/{product}/events/keys/{key}/limit", response={204: None}, operation_id="set_key_limit")
def set_key_limit(request: ApiRequest, product: str, key: int, body: LimitIn) -> Status[None]:
    """How many events a key may send in a minute; beyond it the answer is 429 with Retry-After."""
    found = api_product(request, product, Role.MAINTAINER)
    services.set_key_limit(request.actor, found, key, body.events_per_minute)
    return Status(204, None)


def _shown(product: Product) -> dict[str, Any]:
    intake = services.intake_of(product)
    names = ("bots", "sample", "allowed", "denied", "keep_address", "session_minutes")
    return {**{name: getattr(intake, name) for name in names}, "keys": services.limited_keys(product)}
