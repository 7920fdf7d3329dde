"""What is wanted of events, from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("event").command("intake")(set_intake)
    group("event").command("limit")(set_key_limit)


def set_intake(
    bots: Annotated[str, typer.Option(help="apart (kept and not counted), refused, or counted.")] = "",
    sample: Annotated[int, typer.Option(metavar="PERCENT", help="Keep the events of so many percent of people.")] = 0,
    allow: Annotated[str | None, typer.Option(metavar="NAMES", help="Keep these properties only; '' for all.")] = None,
    deny: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Never keep these, as email,card_*; '' for none.")
    ] = None,
    keep_address: Annotated[bool | None, typer.Option("--keep-address/--no-address", help="IP addresses.")] = None,
    session: Annotated[int, typer.Option(metavar="MINUTES", help="A session ends after so long.")] = 0,
    as_json: AsJson = False,
) -> None:
    """What is kept of what is sent; with options it changes, for what comes in from then on."""
    client = connect()
    path = f"/products/{client.product}/events/intake"
    changes: dict[str, Any] = {
        "bots": bots or None,
        "sample": sample or None,
        "allowed": _names(allow),
        "denied": _names(deny),
        "keep_address": keep_address,
        "session_minutes": session or None,
    }
    said = {name: value for name, value in changes.items() if value is not None}
    found = client.get(path)
    if said:
        found = client.put(path, {**{name: found[name] for name in changes}, **said})
    show(found, as_json, *_lines(found))


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name for name in text.split(",") if name.strip()]


def _lines(found: dict[str, Any]) -> list[str]:
    limits = [
        f"  {key['name']:24} {key['events_per_minute']:,} events a minute"
        for key in found["keys"]
        if key["events_per_minute"] is not None
    ]
    return [
        f"bots        {found['bots']}",
        f"sample      {found['sample']} % of people",
        f"properties  {', '.join(found['allowed']) or 'all'}{' without ' + ', '.join(found['denied']) if found['denied'] else ''}",
        f"addresses   {'kept as $ip' if found['keep_address'] else 'not kept'}",
        f"sessions    end after {found['session_minutes']} minutes of doing nothing",
        *(["limits", *limits] if limits else []),
    ]


def set_key_limit(
    key: Annotated[str, typer.Argument(help="Name of the key, as Settings, Keys shows it.")],
    events: Annotated[int, typer.Argument(metavar="EVENTS", help="So many a minute; 0 for no limit.")],
    as_json: AsJson = False,
) -> None:
    """How many events a key may send in a minute; beyond it clients are told when to come again."""
    client = connect()
    path = f"/products/{client.product}/events"
    keys = client.get(f"{path}/intake")["keys"]
    found = [each for each in keys if each["name"] == key]
    if len(found) != 1:
        names = ", ".join(f"“{each['name']}”" for each in keys) or "none"
        raise CommandError(f"{'Several keys are' if found else 'No open key is'} called “{key}”. There are {names}.")
    client.put(f"{path}/keys/{found[0]['id']}/limit", {"events_per_minute": events or None})
    what = f"{events:,} events a minute" if events else "as many events as can be written"
    show({"key": key, "events_per_minute": events or None}, as_json, f"“{key}” may send {what}.")
