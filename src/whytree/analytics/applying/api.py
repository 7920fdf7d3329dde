"""A file of metrics over REST."""

from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import services

router = Router(tags=["Metrics"])


class FileIn(Body):
    text: str = Field(description="YAML, or JSON: whytree_metrics: 1, and metrics by their keys.")
    dry_run: bool = Field(False, description="Say what would change, and change nothing.")


class FileOut(Schema):
    text: str


class ChangeOut(Schema):
    kind: str = Field(description="metric or event")
    name: str
    what: str = Field(description="added, changed or removed")
    details: list[str]
    warnings: list[str] = Field(description="Events that a metric names and nobody has sent yet.")


@router.get("/products/{product}/metrics-file", response=FileOut, operation_id="export_metrics")
def export_metrics(request: ApiRequest, product: str, key: str = "") -> Any:
    """The metrics as YAML, or those of some keys, parted by commas."""
    found = api_product(request, product, Role.VIEWER)
    return {"text": services.export_metrics(found, key.split(",") if key else None)}


@router.post("/products/{product}/metrics-file", response=list[ChangeOut], operation_id="apply_metrics")
def apply_metrics(request: ApiRequest, product: str, body: FileIn) -> Any:
    """Make metrics, and the tracking plan where the file has one, what it says; all of it or nothing."""
    found = api_product(request, product, Role.MEMBER)
    return services.apply_file(request.actor, found, body.text, dry_run=body.dry_run)
