"""Outcome guards from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect

Review = Annotated[str, typer.Argument(help="The review that left it, as REV-2.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    guard = group("guard")
    guard.command("list")(list_guards)
    guard.command("restart")(restart_guard)
    guard.command("end")(end_guard)


def list_guards(as_json: AsJson = False) -> None:
    """Whether what was kept still helps; of what broke, the commits since it last was fine."""
    client = connect()
    guards = client.get(f"/products/{client.product}/guards")
    nothing = "Nothing is guarded yet. A change that is kept, and measurably helped, leaves a guard."
    show(guards, as_json, *([line for guard in guards for line in _lines(guard)] or [nothing]))


def restart_guard(review: Review, as_json: AsJson = False) -> None:
    """It was repaired: watch again from now on, by the same line."""
    client = connect()
    guard = client.post(f"/products/{client.product}/guards/{review}/restart")
    show(guard, as_json, *_lines(guard))


def end_guard(
    review: Review,
    reason: Annotated[str, typer.Option(help="Why nobody needs to watch it any more.")],
    as_json: AsJson = False,
) -> None:
    """Stop watching."""
    client = connect()
    guard = client.post(f"/products/{client.product}/guards/{review}/end", {"reason": reason})
    show(guard, as_json, *_lines(guard))


def _lines(guard: dict[str, Any]) -> list[str]:
    lines = [f"{guard['review']:8} {guard['state']:8} {guard['solution']:7} {guard['says']}"]
    since = [f"{one['authored_at'][:10]}: {one['sha'][:7]} {one['subject']}" for one in guard["commits"]]
    dated = sorted((*since, *guard["shipped"], *guard["happened"]), key=lambda line: line[:10], reverse=True)
    return lines + [f"  since then  {line}" for line in dated]
