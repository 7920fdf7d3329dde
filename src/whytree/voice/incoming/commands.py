"""The webhook for feedback from the command line."""

from collections.abc import Callable
from typing import Annotated

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("feedback").command("webhook")(webhook)


def webhook(
    secret: Annotated[
        bool, typer.Option("--secret", help="Make its secret, or a new one; the one before holds another day.")
    ] = False,
    close: Annotated[bool, typer.Option("--close", help="Take no message any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Where other systems post what people say to them, signed as Standard Webhooks says."""
    if secret and close:
        raise CommandError("Make a secret or close the webhook, not both.")
    client = connect()
    path = f"/products/{client.product}/feedback-webhook"
    if close:
        client.delete(path)
        show({"closed": True}, as_json, "No message is taken any more; what came by it stays.")
        return
    told = client.post(path) if secret else client.get(path)
    show(
        told,
        as_json,
        f"POST {told['url']}",
        *([f"Sign with {told['secret']}; it is not shown again."] if told["secret"] else []),
        "It is closed: whytree feedback webhook --secret opens it."
        if told["made_at"] is None
        else (f"The last message came {told['taken_at']}." if told["taken_at"] else "No message has come yet."),
    )
