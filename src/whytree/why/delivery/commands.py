"""`whytree deployment list`."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect


def list_deployments(
    environment: Annotated[str, typer.Option(help="Only those that went out there.")] = "",
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """What went out, the newest first: how many new commits, for which solutions, and what broke after."""
    client = connect()
    found = client.get(f"/products/{client.product}/deployments", environment=environment, limit=limit)
    lines = [line for one in found for line in _lines(one)]
    show(
        found,
        as_json,
        *(lines or ["None was told yet. The last step of a deployment: whytree deployment add --version v1"]),
    )


def _lines(one: dict[str, Any]) -> Iterator[str]:
    count = one["commits"]
    brought = "" if count is None else f"{count:,} new commit{'' if count == 1 else 's'}"
    brought = "the first known" if one["first"] else brought
    told = [one["environment"] if one["environment"] != "production" else "", one["repository"]]
    told += [one["result"] if one["result"] != "success" else "", brought, one["title"]]
    when = one["finished_at"][:16].replace("T", " ")
    yield f"{when}  {one['label']:16} {'  '.join(filter(None, told))}"
    for node in one["shipped_for"]:
        yield f"{'':18}{node['ref']:8} {node['title']}"
    for incident in one["incidents"]:
        yield f"{'':18}{incident['key']:8} {incident['title']} ({incident['rule']})"
