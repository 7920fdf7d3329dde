"""What several people expect, from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.engines.figures import number
from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect

Hypothesis = Annotated[str, typer.Argument(help="A hypothesis, as HYP-2.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("hypothesis").command("predict")(predict)
    group("hypothesis").command("predictions")(list_predictions)


def predict(
    ref: Hypothesis,
    low: Annotated[float, typer.Option(help="One time in ten it will be less.")],
    likely: Annotated[float, typer.Option(help="Most likely by this much.")],
    high: Annotated[float, typer.Option(help="One time in ten it will be more.")],
    as_json: AsJson = False,
) -> None:
    """Say what you expect a change to do, before you see what your colleagues expect."""
    client = connect()
    body = {"low": low, "likely": likely, "high": high}
    found = client.post(f"/products/{client.product}/hypotheses/{ref}/predictions", body)
    show(found, as_json, *_lines(found))


def list_predictions(ref: Hypothesis, as_json: AsJson = False) -> None:
    """What each role expects of a change: blind until you have answered, scored once it was measured."""
    client = connect()
    found = client.get(f"/products/{client.product}/hypotheses/{ref}/predictions")
    show(found, as_json, *_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['hypothesis']} on {found['metric_key']}: {found['text']}"]
    for one in found["said"]:
        said = f"{_signed(one['low'])} to {_signed(one['high'])} {found['unit']}".rstrip()
        who = f"{one['who']}{' (yours)' if one['is_yours'] else ''}"
        lines.append(f"  {who:22} {said:16} most likely {_signed(one['likely'])}{_score(one['score'])}")
    return lines


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def _score(score: dict[str, Any] | None) -> str:
    if score is None:
        return ""
    held = "inside" if score["inside"] else "just outside" if score["held"] else "outside"
    return f"   {held}, direction {score['direction']}, CRPS {number(score['crps'])}"
