"""`whytree why` and `whytree start`. Git runs here, where the clone is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.client import connect

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("init")(init)
    root.command("why")(why)
    root.command("start")(start)


def init(
    path: Annotated[Path, typer.Argument(help="Your clone; the folder you are in when left out.")] = Path(),
    tickets: Annotated[
        list[Path] | None,
        typer.Option(help="An export of your tracker (GitHub, GitLab, Jira, Linear); may be given more than once."),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the repository; the folder's name otherwise.")] = "",
    confirm: Annotated[bool, typer.Option("--confirm", help="Read nothing; only go on with the ten links.")] = False,
    no_questions: Annotated[bool, typer.Option("--no-questions", help="Ask nothing at the end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin in a clone: whom was this code for? Reads the history; sends nothing anywhere but to your own Whytree."""
    from .initial import begin, go_on

    if confirm:
        go_on(path, as_json=as_json)
        return
    begin(path, tickets=tickets or [], name=name, questions=not no_questions, as_json=as_json)


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


def _print_json(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))
