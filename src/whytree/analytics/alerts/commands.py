"""`whytree alert ...`: numbers that say by themselves when they move."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Number = Annotated[int, typer.Argument(help="The alert's number.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("alert").command("add")(add_alert)
    group("alert").command("list")(list_alerts)
    group("alert").command("show")(show_alert)
    group("alert").command("snooze")(snooze_alert)
    group("alert").command("remove")(remove_alert)


def add_alert(
    on: Annotated[str, typer.Argument(metavar="METRIC|ASK-n", help="A metric's key, or a kept trend with one line.")],
    low: Annotated[float | None, typer.Option(help="Tell when it is below this ...")] = None,
    high: Annotated[float | None, typer.Option(help="... or above this.")] = None,
    change: Annotated[float | None, typer.Option(metavar="PERCENT", help="Tell when it moves by more.")] = None,
    weeks: Annotated[
        int, typer.Option(help="... than the same weekday of so many weeks; than so many weeks or months.")
    ] = 4,
    each: Annotated[str, typer.Option(metavar="day|week|month", help="What a metric is cut into.")] = "day",
    way: Annotated[str, typer.Option(metavar="both|up|down", help="Which way it moves.")] = "both",
    webhook: Annotated[str, typer.Option(metavar="URL", help="Also post it there, signed.")] = "",
    mail: Annotated[bool, typer.Option("--mail/--no-mail", help="Mail to yourself.")] = True,
    as_json: AsJson = False,
) -> None:
    """Tell when a value leaves a band: --low 30 --high 60, or --change 30 against the same weekday."""
    if (change is None) == (low is None and high is None):
        raise CommandError("Say when to tell: --low and --high, or --change PERCENT.")
    rule: dict[str, Any] = {"version": 1, "kind": "band", "low": low, "high": high}
    if change is not None:
        rule = {"version": 1, "kind": "change", "percent": change, "weeks": weeks, "way": way}
    rule |= {} if each == "day" else {"each": each}
    client = connect()
    is_question = on.upper().startswith("ASK-") and on[4:].isdecimal()
    body = {"rule": rule, "webhook": webhook, "mail": mail, "question" if is_question else "metric": on}
    made = client.post(f"/products/{client.product}/alerts", body)
    secret = [f"Its signatures are checked with {made['secret']}; it is not shown again."] if made["secret"] else []
    show(made, as_json, f"Alert {made['number']}: {made['on']} {made['sentence']}.", *secret)


def list_alerts(as_json: AsJson = False) -> None:
    """Every alert and where it stands."""
    client = connect()
    found = client.get(f"/products/{client.product}/alerts")
    lines = [f"{one['number']:>4}  {_state(one):8} {one['on']}: {one['sentence']}" for one in found]
    show(found, as_json, *(lines or ["None yet. Make one: whytree alert add activated_7d --change 30"]))


def _state(alert: dict[str, Any]) -> str:
    return str(alert["state"]) if alert["bucket"] else "new"


def show_alert(number: Number, as_json: AsJson = False) -> None:
    """One alert, and what it told."""
    client = connect()
    found = client.get(f"/products/{client.product}/alerts/{number}")
    looked = f"{found['bucket']}: {found['says']}" if found["bucket"] else "Not looked at yet."
    events = [f"  {one['at'][:16]}  {one['says']}" for one in found["events"]]
    show(found, as_json, f"{found['on']} {found['sentence']}: {_state(found)}.", looked, *events)


def snooze_alert(
    number: Number,
    hours: Annotated[int, typer.Option(help="For so long; 0 wakes it.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Nothing is told for a while; what is still outside afterwards is told anew."""
    client = connect()
    found = client.post(f"/products/{client.product}/alerts/{number}/snooze", {"hours": hours})
    until = found["snoozed_until"]
    show(found, as_json, f"Alert {number} sleeps until {until[:16]} UTC." if until else f"Alert {number} is awake.")


def remove_alert(number: Number, as_json: AsJson = False) -> None:
    """End an alert, with what it told."""
    client = connect()
    client.delete(f"/products/{client.product}/alerts/{number}")
    show({"removed": number}, as_json, f"Alert {number} is gone.")
