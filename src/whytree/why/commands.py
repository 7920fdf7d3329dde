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
    root.command("start")(start)
    root.command("coverage")(coverage)


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


def start(
    subject: Annotated[
        list[str],
        typer.Argument(help='What you start on: a ticket ("#412", ABC-12, its address), OPP-2, SOL-3 or words.'),
    ],
    problem: Annotated[
        str, typer.Option(help="Which problem are we solving? OPP-2, or in the words of those who have it.")
    ] = "",
    who: Annotated[str, typer.Option(help="Whose life gets better, and how?")] = "",
    test: Annotated[str, typer.Option(help="What could show cheaply that it is not the right thing?")] = "",
    no_branch: Annotated[bool, typer.Option("--no-branch", help="Make no branch and set no trailer.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: open questions stay open, the hook is put there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Begin work with its why: one screen, three questions (each may stay open), a branch whose commits say what they are for."""
    from .starting import begin

    answers = {"problem": problem, "who": who, "test": test}
    begin(connect(), subject, answers, with_branch=not no_branch, yes=yes, as_json=as_json)


def coverage(
    path: Annotated[str, typer.Argument(help="Your clone, or a folder or file in it.")] = ".",
    repository: Annotated[
        str, typer.Option(help="Ask about a repository that was read in, by its name; PATH is then a path in it.")
    ] = "",
    no_sync: Annotated[
        bool, typer.Option("--no-sync", help="As it was read last, without reading what is new.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What does the code rest on? For every line the best behind it, from a measured outcome down to nothing."""
    from .covering import cover, print_coverage

    answer = cover(connect(), path, repository=repository, sync=not no_sync, as_json=as_json)
    if as_json:
        _print_json(answer)
    else:
        print_coverage(answer)


def _print_json(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
