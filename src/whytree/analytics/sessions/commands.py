"""`whytree ask sessions`."""

from collections.abc import Callable
from typing import Annotated

import typer

from whytree.workspace.client import connect
from whytree.workspace.commands import AsJson, show


def register(group: Callable[[str], typer.Typer]) -> None:
    group("ask").command("sessions")(ask_sessions)


def ask_sessions(
    days: Annotated[int, typer.Option(help="How many days back.")] = 28,
    as_json: AsJson = False,
) -> None:
    """How long do people stay, where do they come in and where do they go?"""
    client = connect()
    found = client.get(f"/products/{client.product}/sessions", days=days)
    places = [
        f"{each['entered']:>9,}  {each['left']:>9,}  {each['bounced']:>9,}  {each['name'] or '(no page)'}"
        for each in found["places"][:20]
    ]
    show(
        found,
        as_json,
        found["sentence"],
        f"{found['sessions']:,} sessions of {found['people']:,} people; one ends after {found['idle_minutes']} min of nothing",
        *(["  entered       left    bounced", *places] if places else []),
    )
