"""What is known before one predicts, from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.engines.figures import between, number
from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("hypothesis").command("past")(list_past_effects)


def list_past_effects(
    metric: Annotated[str, typer.Argument(help="A metric's key, as activated_7d.")],
    change: Annotated[str, typer.Option(help="The change in words: finds what was learned from ones like it.")] = "",
    likely: Annotated[
        float | None, typer.Option(help="What you think most likely: is it outside all ever seen?")
    ] = None,
    unit: Annotated[str, typer.Option(help='"pp", "%" or "", as in a hypothesis.')] = "pp",
    as_json: AsJson = False,
) -> None:
    """What earlier changes did to a metric: the base rate to predict from."""
    client = connect()
    asked = {"metric_key": metric, "unit": unit, "change": change, "likely": likely}
    found = client.get(f"/products/{client.product}/past-effects", **asked)
    show(found, as_json, *effect_lines(found))


def effect_lines(found: dict[str, Any]) -> list[str]:
    lines = list(found["text"])
    for one in found["effects"]:
        interval = f"({between(one['low'], one['high'])})"
        lines.append(f"  {one['ref']:8} {number(one['value']):>6} {found['unit']:2} {interval:18} {one['title']}")
    lines += [
        f"  like it: {one['ref']} {one['title']}, {one['decision']}: {one['learning']}" for one in found["similar"]
    ]
    return lines or [f"Nothing was measured on {found['metric_key']} yet, nor on anything else."]
