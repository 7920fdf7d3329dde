"""The programme from the command line."""

from typing import Any

import typer

from whytree.engines.figures import between, number
from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect


def register(root: typer.Typer) -> None:
    root.command("programme")(programme)


def programme(as_json: AsJson = False) -> None:
    """What all changes together came to: how many helped, by how much, how fast we learn."""
    client = connect()
    found = client.get(f"/products/{client.product}/programme")
    show(found, as_json, *_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [found["text"]]
    if found["decided"]:
        lines.append(f"  {found['decided']} decided, {found['kept']} kept, {found['harms']} did harm")
    if found["days_to_decision"] is not None:
        spread = (
            f", the middle of {found['fastest']} to {found['slowest']}" if found["fastest"] != found["slowest"] else ""
        )
        lines.append(f"  {number(found['days_to_decision'])} days from exposure to decision{spread}")
    lines.append("  by month  " + "  ".join(f"{one['month'][:7]} {one['decided']}" for one in found["months"]))
    for one in found["metrics"]:
        spread = f"{between(one['smallest'], one['largest'])} {one['unit']}, middle {number(one['middle'])}"
        lines.append(f"  {one['metric_key']:24} n = {len(one['effects'])}: {spread}; {_total(one)}")
    return lines


def _total(one: dict[str, Any]) -> str:
    if one["total_shrunk"] is None:
        return f"kept add up to {number(one['total'])} as measured"
    return f"kept add up to {number(one['total_shrunk'])} with most of the luck taken out ({number(one['total'])} as measured)"
