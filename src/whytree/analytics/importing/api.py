"""Definitions of other tools over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import services

router = Router(tags=["Metrics"])


class DefinitionsIn(Body):
    documents: list[Any] = Field(
        description="What PostHog's or GrowthBook's API answered, as it came; several are read together.", max_length=50
    )
    dry_run: bool = Field(False, description="Say what would become of each, and make none.")


class BecameOut(Schema):
    foreign: str = Field(description="What it goes by there.")
    name: str
    kind: str = Field(description="question, board, metric or cohort")
    what: str = Field(description="made, known or left out")
    ref: str = Field(description="What it goes by here.")
    sentence: str
    notes: list[str]


class DefinitionsOut(Schema):
    tool: str
    number: int | None = Field(description="To take all of it back by; none where nothing was made.")
    definitions: list[BecameOut]


class DefinitionImportOut(Schema):
    number: int
    tool: str
    made: list[dict[str, str]]
    created_at: datetime
    undone_at: datetime | None


class UndoneOut(Schema):
    stays: list[str] = Field(description="What something rests on by now, with the reason.")


@router.post("/products/{product}/definition-imports", response=DefinitionsOut, operation_id="import_definitions")
def import_definitions(request: ApiRequest, product: str, body: DefinitionsIn) -> Any:
    """Bring in questions, boards, metrics and cohorts of PostHog or GrowthBook. Again brings nothing twice."""
    found = api_product(request, product, Role.MEMBER)
    tool, became, number = services.import_definitions(request.actor, found, body.documents, dry_run=body.dry_run)
    return {"tool": tool, "number": number, "definitions": became}


@router.get(
    "/products/{product}/definition-imports",
    response=list[DefinitionImportOut],
    operation_id="list_definition_imports",
)
def list_definition_imports(request: ApiRequest, product: str) -> Any:
    """When definitions were brought in, newest first."""
    return services.list_imports(api_product(request, product, Role.VIEWER))


@router.post(
    "/products/{product}/definition-imports/{number}/undo",
    response=UndoneOut,
    operation_id="undo_definition_import",
)
def undo_definition_import(request: ApiRequest, product: str, number: int) -> Any:
    """Take back what was brought in at one time."""
    found = api_product(request, product, Role.MEMBER)
    return {"stays": services.undo_import(request.actor, found, number)}
