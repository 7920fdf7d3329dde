"""Relays from the command line."""

from collections.abc import Callable
from typing import Annotated

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("event").command("relay")(set_relay)


def set_relay(
    dialect: Annotated[
        str, typer.Argument(metavar="DIALECT", help="posthog or segment; without it, how it goes.")
    ] = "",
    url: Annotated[
        str, typer.Argument(metavar="HOST", help="Where clients sent before: https://eu.i.posthog.com")
    ] = "",
    stop: Annotated[bool, typer.Option("--stop", help="Pass nothing on any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Pass every accepted call on, unchanged, to the host your clients sent to before. What cannot go now waits on disk."""
    client = connect()
    path = f"/products/{client.product}/events/relays"
    if dialect and not url and not stop:
        raise CommandError("Say where to: whytree event relay posthog https://eu.i.posthog.com; or --stop.")
    if stop:
        client.delete(f"{path}/{dialect}")
    elif dialect:
        client.put(f"{path}/{dialect}", {"url": url})
    relays = client.get(path)
    lines = [
        f"{each['dialect']:8} to {each['url']}: {each['delivered']:,} passed on, {each['refused']:,} refused, "
        f"{each['waiting_bytes']:,} bytes wait" + (f" ({each['trouble']})" if each["trouble"] else "")
        for each in relays
    ]
    show(relays, as_json, *(lines or ["Nothing is passed on."]))
