"""`whytree board ...`: kept questions side by side."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Number = Annotated[int, typer.Argument(help="The board's number.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("board").command("add")(add_board)
    group("board").command("list")(list_boards)
    group("board").command("show")(show_board)
    group("board").command("edit")(edit_board)
    group("board").command("put")(put_card)
    group("board").command("move")(move_card)
    group("board").command("take-off")(take_off)
    group("board").command("share")(share_board)
    group("board").command("remove")(remove_board)


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


Since = Annotated[str, typer.Option(metavar="DAY", help="From this day on, as 2026-05-01.")]
Until = Annotated[str, typer.Option(metavar="DAY", help="Up to this day, which counts.")]


def show_board(
    number: Number,
    days: Annotated[int | None, typer.Option(help="Looked at over so many days, in place of its own time.")] = None,
    since: Since = "",
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Every card's answer in a sentence."""
    client = connect()
    when = {"days": days, "since": since, "until": until}
    asked = {name: said for name, said in when.items() if said}
    found = client.get(f"/products/{client.product}/boards/{number}", **asked)
    show(found, as_json, *_lines(found))


def edit_board(
    number: Number,
    title: Annotated[str, typer.Option(help="What it is called.")] = "",
    days: Annotated[int | None, typer.Option(help="Days for every card; 0 is what each says itself.")] = None,
    since: Since = "",
    until: Until = "",
    where: Annotated[
        str | None, typer.Option(metavar="FILTER", help='For every question, as "plan=pro; os=ios"; "" for none.')
    ] = None,
    refresh: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Ask anew every 60, 300, 900 or 3600 seconds; 0 is never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Its title, and the days and filters that hold for all of it."""
    said = {"title": title or None, "days": days, "where": where, "refresh_seconds": refresh}
    said |= {"since": since or None, "until": until or None}
    edits = {name: value for name, value in said.items() if value is not None}
    if not edits:
        raise CommandError("Say what to change, as --days 28.")
    client = connect()
    found = client.patch(f"/products/{client.product}/boards/{number}", edits)
    show(found, as_json, f"Board {found['number']}: {found['title']}")


def put_card(
    number: Number,
    question: Annotated[str, typer.Argument(metavar="[ASK-n]", help="A kept question.")] = "",
    metric: Annotated[str, typer.Option(metavar="KEY", help="A metric instead.")] = "",
    text: Annotated[str, typer.Option(metavar="WORDS", help="Words instead.")] = "",
    wide: Annotated[bool, typer.Option("--wide", help="Over the whole width.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a kept question, a metric or words at the end of a board."""
    client = connect()
    body = {"question": question, "metric": metric, "text": text, "wide": wide}
    found = client.post(f"/products/{client.product}/boards/{number}/cards", body)
    show(found, as_json, *_lines(found))


Card = Annotated[int, typer.Argument(metavar="CARD", help="Its number, as `whytree board show` says it.")]


def move_card(
    number: Number,
    card: Card,
    place: Annotated[int, typer.Argument(help="1 is the first.")],
    as_json: AsJson = False,
) -> None:
    """Put a card at another place."""
    client = connect()
    found = client.patch(f"/products/{client.product}/boards/{number}/cards/{card}", {"place": place})
    show(found, as_json, *_lines(found))


def take_off(number: Number, card: Card, as_json: AsJson = False) -> None:
    """Take a card off a board. Its question stays."""
    client = connect()
    client.delete(f"/products/{client.product}/boards/{number}/cards/{card}")
    show({"removed": card}, as_json, "The card is off the board.")


def remove_board(number: Number, as_json: AsJson = False) -> None:
    """Remove a board. Its questions stay."""
    client = connect()
    client.delete(f"/products/{client.product}/boards/{number}")
    show({"removed": number}, as_json, "The board is gone. Its questions stay.")


def _lines(board: dict[str, Any]) -> list[str]:
    cards = [
        f"  {one['id']:>4}  {one['question'] or one['metric'] or '':8} {one['sentence'] or one['problem'] or one['text']}"
        for one in board["cards"]
    ]
    return [board["title"], "", *cards]


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
    show(found, as_json, found["link"])
