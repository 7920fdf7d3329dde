"""Calibration from the command line."""

from typing import Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect

_PARTS = (("by_metric", "metric"), ("by_topic", "problem"), ("by_evidence", "evidence"), ("by_role", "role"))


def register(root: typer.Typer) -> None:
    root.command("calibration")(calibration)


def calibration(as_json: AsJson = False) -> None:
    """Are we any good at predicting, and on what? How often ranges held what was measured; nobody is named."""
    client = connect()
    found = client.get(f"/products/{client.product}/calibration")
    show(found, as_json, *_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [found["text"]]
    for name, words in (("own", "the hypotheses' own"), ("people", "what colleagues had said")):
        if found[name]:
            lines.append(f"  {words:26} {_share(found[name])}")
    told = found["right"] + found["wrong"]
    if told:
        lines.append(f"  {'right direction':26} {found['right']} of {told} that could be told")
    for key, words in _PARTS:
        lines += [f"  {words:9} {group['name'][:44]:46} {group['n']:>3}  {group['text']}" for group in found[key]]
    return lines


def _share(share: dict[str, Any]) -> str:
    interval = f"95 %: {100 * share['low']:.0f} to {100 * share['high']:.0f} %"
    return f"{share['held']} of {share['n']} held ({interval}, {share['results']} {'result' if share['results'] == 1 else 'results'})"
