"""Where answers go, from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect
from whytree.workspace.terminal.printing import plain


def register(group: Callable[[str], typer.Typer]) -> None:
    group("feedback").command("replies")(replies)


def replies(
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Where your own systems hear of them, signed; empty takes it off.")
    ] = None,
    feed: Annotated[
        bool | None, typer.Option("--feed/--no-feed", help="A new secret address of the feed, or none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Where answers and told statuses go, beside the mail to those who said it."""
    client = connect()
    path = f"/products/{client.product}/feedback-replies"
    said: dict[str, Any] = {name: value for name, value in (("webhook", webhook), ("feed", feed)) if value is not None}
    told = client.put(path, said) if said else client.get(path)
    show(
        told,
        as_json,
        f"Webhook {plain(told['webhook'])}" if told["webhook"] else "No webhook: --webhook URL names one.",
        *([f"It signs with {told['secret']}; that is not shown again."] if told["secret"] else []),
        f"Feed {told['feed']}" if told["feed"] else "No feed: --feed makes its address.",
    )
