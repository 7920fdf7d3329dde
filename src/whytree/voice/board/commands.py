"""The public board from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect
from whytree.workspace.terminal.printing import plain

Ref = Annotated[str, typer.Argument(help="As FB-12.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    for name, command in (
        ("show", show_board),
        ("open", open_board),
        ("close", close_board),
        ("posts", list_board),
        ("publish", publish),
        ("refuse", refuse),
        ("status", set_progress),
        ("invite", invite),
    ):
        group("portal").command(name)(command)


def show_board(as_json: AsJson = False) -> None:
    """How the public board is run, and how much waits for a reader."""
    client = connect()
    _show(client.get(f"/products/{client.product}/board"), as_json)


def open_board(
    intro: Annotated[str | None, typer.Option(help="What stands above the posts.")] = None,
    indexable: Annotated[
        bool | None, typer.Option("--indexable/--not-indexable", help="May search engines list it?")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(help="An address that hears what is new, signed; empty takes it off.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open the board to everybody, or change how it is run."""
    client = connect()
    said = {"is_open": True, "intro": intro, "indexable": indexable, "webhook": webhook}
    _show(client.put(f"/products/{client.product}/board", said), as_json)


def close_board(as_json: AsJson = False) -> None:
    """Nobody sees it any more; what stands on it stays."""
    client = connect()
    _show(client.put(f"/products/{client.product}/board", {"is_open": False}), as_json)


def _show(board: dict[str, Any], as_json: bool) -> None:
    lines = [
        f"The board is {'open' if board['is_open'] else 'closed'}; {board['waiting']:,} wait for a reader.",
        *([f"Webhook {plain(board['webhook'])}"] if board["webhook"] else []),
        *([f"Its secret, shown once: {board['secret']}"] if board["secret"] else []),
    ]
    show(board, as_json, *lines)


def list_board(
    waiting: Annotated[bool, typer.Option("--waiting", help="What waits for a reader.")] = False,
    as_json: AsJson = False,
) -> None:
    """What stands on the board, most wanted first."""
    client = connect()
    found = client.get(f"/products/{client.product}/board-posts", state="waiting" if waiting else "public")
    lines = [f"{one['ref']:8} {one['votes'] or '':>5}  {_place(one):10} {plain(one['title'])}" for one in found]
    show(found, as_json, *(lines or ["Nothing waits." if waiting else "Nothing stands on the board yet."]))


def _place(one: dict[str, Any]) -> str:
    return str(one["status"]) if one["kind"] == "post" else f"on {one['on']}"


def publish(ref: Ref, as_json: AsJson = False) -> None:
    """Put a post or comment on the board."""
    client = connect()
    entry = client.post(f"/products/{client.product}/board-posts/{ref}/publish")
    show(entry, as_json, f"{entry['ref']} is on the board.")


def refuse(ref: Ref, as_json: AsJson = False) -> None:
    """Not on the board, or no longer; it stays a voice."""
    client = connect()
    entry = client.post(f"/products/{client.product}/board-posts/{ref}/refuse")
    show(entry, as_json, f"{entry['ref']} is not on the board.")


def set_progress(
    ref: Ref,
    status: Annotated[str, typer.Argument(help="open, planned, building, done or declined.")],
    as_json: AsJson = False,
) -> None:
    """Say where a post stands; those who want it are told."""
    client = connect()
    entry = client.put(f"/products/{client.product}/board-posts/{ref}/status", {"status": status})
    show(entry, as_json, f"{entry['ref']} is now {entry['status']}. Those who want it are told.")


def invite(person: Annotated[str, typer.Argument(help="Their id in your product.")], as_json: AsJson = False) -> None:
    """A link to the board that says who this person is."""
    client = connect()
    made = client.post(f"/products/{client.product}/board-visitors", {"person": person})
    show(made, as_json, made["url"])
