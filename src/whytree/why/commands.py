"""`whytree why` and `whytree start`. Git runs here, where the clone is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.client import connect

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("why")(why)


def why(
    ref: Annotated[
        str,
        typer.Argument(
            help="A line (app/form.py:42 or :40-48), a file, a commit, flag:KEY, SOL-3, #412 or a ticket's address."
        ),
    ],
    tell: Annotated[str, typer.Option(help="Say what its commit is for, as SOL-3 or #412; kept as a git note.")] = "",
    as_json: AsJson = False,
) -> None:
    """Why is this here? From the line to the people who asked and to what it did, on one screen."""
    from .asking import ask, read_question

    question = read_question(ref, Path.cwd())
    client = connect()
    if tell:
        from .telling import tell_why

        question = tell_why(client, question, tell, ref)
    answer = ask(client, question)
    if as_json:
        _print_json(answer)
        return
    from .screen import print_answer

    print_answer(answer)


def _print_json(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
