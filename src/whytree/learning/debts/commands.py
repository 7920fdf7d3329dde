"""Debts from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Ref = Annotated[str, typer.Argument(help="A debt's id, as DEBT-2.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    debt = group("debt")
    debt.command("add")(add_debt)
    debt.command("list")(list_debts)
    debt.command("pay")(pay_debt)
    debt.command("drop")(drop_debt)


def add_debt(
    text: Annotated[str, typer.Argument(help="The corner that is cut, as “no retry”.")],
    on: Annotated[
        str, typer.Option("--on", help="The solution, as SOL-3; left out: what this branch was started for.")
    ] = "",
    pay_if: Annotated[str, typer.Option("--pay-if", help="The decision that makes it due: keep.")] = "keep",
    as_json: AsJson = False,
) -> None:
    """Write down a corner you cut to learn sooner: due if the change is kept, void if it goes."""
    solution = on or _of_branch()
    client = connect()
    debt = client.post(f"/products/{client.product}/debts", {"solution": solution, "text": text, "pay_if": pay_if})
    show(debt, as_json, _line(debt))


def list_debts(
    state: Annotated[str, typer.Option(help="Only those that are due, waiting, paid or void.")] = "",
    as_json: AsJson = False,
) -> None:
    """Corners that were cut: due ones first, then those that wait for a verdict."""
    client = connect()
    debts = client.get(f"/products/{client.product}/debts", state=state or None)
    nothing = f"No debt is {state}." if state else 'No corner was cut, or nobody said so: whytree debt add "no retry"'
    show(debts, as_json, *([_line(debt) for debt in debts] or [nothing]))


def pay_debt(
    ref: Ref,
    note: Annotated[str, typer.Option(help="How, where it is worth a word.")] = "",
    as_json: AsJson = False,
) -> None:
    """The corner is a corner no more."""
    client = connect()
    debt = client.post(f"/products/{client.product}/debts/{ref}/pay", {"note": note})
    show(debt, as_json, _line(debt))


def drop_debt(
    ref: Ref,
    reason: Annotated[str, typer.Option(help="Why it need not be paid.")],
    as_json: AsJson = False,
) -> None:
    """It need not be paid after all."""
    client = connect()
    debt = client.post(f"/products/{client.product}/debts/{ref}/drop", {"reason": reason})
    show(debt, as_json, _line(debt))


def _line(debt: dict[str, Any]) -> str:
    return f"{debt['ref']:8} {debt['state']:8} {debt['solution']:7} {debt['text']}  ({debt['says']})"


def _of_branch() -> str:
    """What `whytree start` wrote down for the branch one is on."""
    from whytree.code.clone.git import open_clone

    clone = open_clone(Path.cwd())
    branch = clone.ask("symbolic-ref", "--quiet", "--short", "HEAD")
    solution = clone.ask("config", "--get", f"branch.{branch}.whytree") if branch else ""
    if not solution:
        raise CommandError("Which solution? Say --on SOL-3, or be on a branch that `whytree start` made.")
    return solution
