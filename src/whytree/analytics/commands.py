"""Metrics from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.client import CommandError, connect
from whytree.workspace.commands import AsJson, show

from .asking import commands as asking_commands
from .boards import commands as board_commands
from .cohorts import commands as cohort_commands
from .friction import commands as friction
from .sessions import commands as sessions

Key = Annotated[str, typer.Argument(help="Short name, as activated_7d.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("metric").command("add")(add_metric)
    group("metric").command("list")(list_metrics)
    group("metric").command("show")(show_metric)
    group("metric").command("remove")(remove_metric)
    asking_commands.register(group)
    cohort_commands.register(group)
    friction.register(group)
    board_commands.register(group)
    sessions.register(group)


def add_metric(
    key: Key,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    count: Annotated[str, typer.Option(metavar="EVENT", help="Count how often this happens.")] = "",
    unique: Annotated[str, typer.Option(metavar="EVENT", help="Count the people who do this.")] = "",
    entry: Annotated[str, typer.Option("--from", metavar="EVENT", help="Of the people who do this ...")] = "",
    goal: Annotated[str, typer.Option("--to", metavar="EVENT", help="... the share who do this ...")] = "",
    within: Annotated[int, typer.Option(metavar="DAYS", help="... within so many days.")] = 7,
    less_is_better: Annotated[bool, typer.Option("--less-is-better", help="A number that should fall.")] = False,
    as_json: AsJson = False,
) -> None:
    """Define a metric: --count EVENT, --unique EVENT, or --from EVENT --to EVENT --within DAYS."""
    client = connect()
    body = {
        "key": key,
        "name": name,
        "definition": _definition(count, unique, entry, goal, within),
        "direction": "down" if less_is_better else "up",
    }
    made = client.post(f"/products/{client.product}/metrics", body)
    show(made, as_json, f"{made['name']} ({made['key']}): {made['sentence']}.", *made["warnings"])


def _definition(count: str, unique: str, entry: str, goal: str, within: int) -> dict[str, Any]:
    said = [bool(count), bool(unique), bool(entry or goal)]
    if sum(said) != 1 or bool(entry) != bool(goal):
        raise CommandError("Say what it counts, one of: --count EVENT, --unique EVENT, or --from EVENT --to EVENT.")
    if entry:
        return {"version": 1, "kind": "conversion", "from": entry, "to": goal, "within_days": within}
    return {"version": 1, "kind": "count" if count else "unique", "event": count or unique}


def list_metrics(as_json: AsJson = False) -> None:
    """The product's metrics and what each counts."""
    client = connect()
    metrics = client.get(f"/products/{client.product}/metrics")
    lines = [f"{metric['key']:24} {metric['name']}: {metric['sentence']}" for metric in metrics]
    show(
        metrics,
        as_json,
        *(lines or ["No metric yet. Define one: whytree metric add activated --from A --to B --within 7"]),
    )


def show_metric(
    key: Key,
    days: Annotated[int, typer.Option(help="How many days back.")] = 28,
    as_json: AsJson = False,
) -> None:
    """A metric's value with its interval, n and period, and its days."""
    client = connect()
    measure = client.get(f"/products/{client.product}/metrics/{key}/measure", days=days)
    show(measure, as_json, *_lines(measure))


def remove_metric(key: Key, as_json: AsJson = False) -> None:
    """Remove a metric that no outcome and no prediction rests on."""
    client = connect()
    client.delete(f"/products/{client.product}/metrics/{key}")
    show({"removed": key}, as_json, f"{key} is gone. The events stay; `whytree undo` takes it back.")


def _lines(measure: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import number

    unit = f" {measure['unit']}" if measure["unit"] else ""
    lines = [measure["name"]]
    if measure["value"] is None:
        lines.append(f"  no answer: {measure['reason']}")
    else:
        interval = f"{number(measure['low'])} to {number(measure['high'])}"
        lines.append(f"  {number(measure['value'])}{unit}   95 %: {interval}, n = {measure['n']:,} people")
    if measure["open"]:
        lines.append(f"  {measure['open']:,} more are still under way and not counted")
    lines.append(f"  {measure['from_at'][:10]} to before {measure['to_at'][:10]}; {measure['source']}")
    for day in measure["series"]:
        value = "–" if day["value"] is None else number(day["value"])
        lines.append(
            f"  {day['day']}  {value:>8}{unit}   n = {day['n']:,}{'' if day['complete'] else '  (not complete)'}"
        )
    return lines
