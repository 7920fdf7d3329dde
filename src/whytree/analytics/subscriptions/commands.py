"""`whytree subscription ...`: boards and kept questions that come by themselves."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Number = Annotated[int, typer.Argument(help="The subscription's number.")]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def register(group: Callable[[str], typer.Typer]) -> None:
    group("subscription").command("add")(add_subscription)
    group("subscription").command("list")(list_subscriptions)
    group("subscription").command("remove")(remove_subscription)


def add_subscription(
    to: Annotated[str, typer.Argument(metavar="BOARD|ASK-n", help="A board's number, or a kept question.")],
    daily: Annotated[bool, typer.Option("--daily", help="Every day, not every week.")] = False,
    on: Annotated[str, typer.Option(metavar="DAY", help="Day of the week.")] = "monday",
    hour: Annotated[int, typer.Option(min=0, max=23, help="Hour of the day.")] = 8,
    zone: Annotated[str, typer.Option(metavar="ZONE", help="As Europe/Berlin; the product's without it.")] = "",
    webhook: Annotated[str, typer.Option(metavar="URL", help="Post it there, signed, in place of a mail.")] = "",
    as_json: AsJson = False,
) -> None:
    """Have a board or question sent to you every week, or to a webhook."""
    if on.lower() not in _DAYS:
        raise CommandError(f"{on} is no day. Write {', '.join(_DAYS)}.")
    what = {"board": int(to)} if to.isdecimal() else {"question": to}
    when = {"every": "day" if daily else "week", "weekday": _DAYS.index(on.lower()), "hour": hour, "zone": zone}
    client = connect()
    made = client.post(f"/products/{client.product}/subscriptions", {**what, **when, "webhook": webhook})
    secret = [f"Its signatures are checked with {made['secret']}; it is not shown again."] if made["secret"] else []
    show(made, as_json, f"{made['title']}, {made['when']}.", *secret)


def list_subscriptions(as_json: AsJson = False) -> None:
    """Your own, and those that go to a webhook."""
    client = connect()
    found = client.get(f"/products/{client.product}/subscriptions")
    lines = [
        f"{one['number']:>4}  {one['title']}, {one['when']}{'' if one['is_on'] else '  (off)'}{_became(one['last'])}"
        for one in found
    ]
    show(found, as_json, *(lines or ["None yet. Make one: whytree subscription add ASK-1"]))


def _became(last: dict[str, Any] | None) -> str:
    if last is None or not last["error"]:
        return ""
    return f"\n      {'Will be tried again' if last['state'] == 'failed' else 'Not sent'}: {last['error']}"


def remove_subscription(number: Number, as_json: AsJson = False) -> None:
    """End it."""
    client = connect()
    client.delete(f"/products/{client.product}/subscriptions/{number}")
    show({"removed": number}, as_json, f"Subscription {number} has ended.")
