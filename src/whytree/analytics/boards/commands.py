"""`whytree board ...`: kept questions side by side."""

from collections.abc import Callable
from typing import Annotated

import typer

from whytree.workspace.client import connect
from whytree.workspace.commands import AsJson, show

Number = Annotated[int, typer.Argument(help="The board's number.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("board").command("add")(add_board)
    group("board").command("list")(list_boards)
    group("board").command("show")(show_board)
    group("board").command("share")(share_board)


def add_board(
    title: Annotated[str, typer.Argument(help="What it is called.")],
    questions: Annotated[list[str], typer.Argument(metavar="ASK-n ...", help="Kept questions.")] = [],  # noqa: B006 - typer reads it once
    metric: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A metric; several times for several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A board of kept questions and metrics."""
    client = connect()
    made = client.post(
        f"/products/{client.product}/boards", {"title": title, "questions": questions, "metrics": metric or []}
    )
    show(made, as_json, f"Board {made['number']}: {made['title']}")


def list_boards(as_json: AsJson = False) -> None:
    """Boards."""
    client = connect()
    found = client.get(f"/products/{client.product}/boards")
    lines = [f"{one['number']:>4}  {one['title']}{'  (shared)' if one['is_shared'] else ''}" for one in found]
    show(found, as_json, *(lines or ["None yet. Make one: whytree board add “Monday” ASK-1"]))


def show_board(number: Number, as_json: AsJson = False) -> None:
    """Every card's answer in a sentence."""
    client = connect()
    found = client.get(f"/products/{client.product}/boards/{number}")
    lines = [
        f"{one['question'] or one['metric'] or '':8} {one['sentence'] or one['problem'] or one['text']}"
        for one in found["cards"]
    ]
    show(found, as_json, found["title"], "", *lines)


def share_board(
    number: Number,
    stop: Annotated[bool, typer.Option("--stop", help="Take the link back.")] = False,
    as_json: AsJson = False,
) -> None:
    """A link that shows the board without signing in; the one before stops."""
    client = connect()
    if stop:
        client.delete(f"/products/{client.product}/boards/{number}/share")
        show({"shared": False}, as_json, "The link shows nothing any more.")
        return
    found = client.post(f"/products/{client.product}/boards/{number}/share")
    show(found, as_json, f"Behind your server's address: {found['path']}")
