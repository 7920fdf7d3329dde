"""Metrics from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

from .alerts import commands as alert_commands
from .applying import commands as applying_commands
from .asking import commands as asking_commands
from .boards import commands as board_commands
from .cohorts import commands as cohort_commands
from .friction import commands as friction
from .importing import commands as importing
from .subscriptions import commands as subscription_commands

Key = Annotated[str, typer.Argument(help="Short name, as activated_7d.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("metric").command("add")(add_metric)
    group("metric").command("edit")(edit_metric)
    group("metric").command("list")(list_metrics)
    group("metric").command("show")(show_metric)
    group("metric").command("remove")(remove_metric)
    group("metric").command("check")(check_metrics)
    alert_commands.register(group)
    applying_commands.register(root, group)
    asking_commands.register(group)
    cohort_commands.register(group)
    friction.register(group)
    importing.register(group)
    board_commands.register(group)
    subscription_commands.register(group)


Name = Annotated[str, typer.Option("--name", help="What people call it.")]
Unit = Annotated[str, typer.Option("--unit", help="What it is counted in, as EUR.")]
MetricRole = Annotated[
    str, typer.Option("--role", help="north_star, input, outcome, guardrail, counter or diagnostic.", metavar="ROLE")
]
Category = Annotated[
    str, typer.Option("--category", help="happiness, engagement, adoption, retention or task_success.", metavar="HEART")
]
Owner = Annotated[str, typer.Option("--owner", help="Who answers for it: a team or a role.")]
Description = Annotated[str, typer.Option("--description", help="What it is for.")]


def add_metric(
    key: Key,
    name: Name = "",
    count: Annotated[str, typer.Option(metavar="EVENT", help="Count how often this happens.")] = "",
    unique: Annotated[str, typer.Option(metavar="EVENT", help="Count the people who do this.")] = "",
    sum_of: Annotated[str, typer.Option("--sum", metavar="EVENT", help="Add up the --property of this.")] = "",
    mean: Annotated[str, typer.Option(metavar="EVENT", help="The mean --property of this, for each --per.")] = "",
    quantile: Annotated[str, typer.Option(metavar="EVENT", help="The --percentile of this one's --property.")] = "",
    prop: Annotated[str, typer.Option("--property", metavar="NAME", help="A number that comes with the event.")] = "",
    per: Annotated[str, typer.Option(metavar="person|event", help="What a mean is taken over.")] = "person",
    top: Annotated[str, typer.Option(metavar="EVENT[:MEASURE]", help="Above the line, as paid:sum:price.")] = "",
    bottom: Annotated[str, typer.Option(metavar="EVENT[:MEASURE]", help="Below the line, as opened:people.")] = "",
    entry: Annotated[str, typer.Option("--from", metavar="EVENT", help="Of the people who do this ...")] = "",
    goal: Annotated[str, typer.Option("--to", metavar="EVENT", help="... the share who do this ...")] = "",
    within: Annotated[int, typer.Option(metavar="DAYS", help="... within so many days.")] = 7,
    after: Annotated[int, typer.Option(metavar="DAY", help="... on this day after it (retention) ...")] = 0,
    stretch: Annotated[int, typer.Option("--for", metavar="DAYS", help="... and so many days from it on.")] = 1,
    time: Annotated[bool, typer.Option("--time", help="How long from --from to --to, not how many.")] = False,
    percentile: Annotated[int, typer.Option(min=1, max=99, help="Of a quantile or time; 50 is the median.")] = 50,
    time_unit: Annotated[str, typer.Option("--in", metavar="UNIT", help="seconds, minutes, hours or days.")] = "hours",
    where: Annotated[
        list[str] | None, typer.Option(metavar="FILTER", help="Only such events, as plan=pro. Of --from, the first.")
    ] = None,
    by_company: Annotated[bool, typer.Option("--by-company", help="Count companies in place of people.")] = False,
    unit: Unit = "",
    role: MetricRole = "",
    category: Category = "",
    owner: Owner = "",
    description: Description = "",
    less_is_better: Annotated[bool, typer.Option("--less-is-better", help="A number that should fall.")] = False,
    as_json: AsJson = False,
) -> None:
    """Define a metric, as --count EVENT, --unique EVENT, --from EVENT --to EVENT --within DAYS, or --sum EVENT --property P.

    Many at once, and what no option can say, come from a file: whytree apply metrics.yaml
    """
    client = connect()
    number = {"property": prop} if prop else {}
    follow = {"from": _event(entry, where), "to": goal, "within_days": within}
    days = {"after_days": after, "for_days": stretch}
    ways: list[tuple[bool, dict[str, Any]]] = [
        (bool(count), {"kind": "count", "event": _event(count, where)}),
        (bool(unique), {"kind": "unique", "event": _event(unique, where)}),
        (bool(sum_of), {"kind": "sum", "event": _event(sum_of, where), **number}),
        (bool(mean), {"kind": "mean", "event": _event(mean, where), **number, "per": per}),
        (bool(quantile), {"kind": "quantile", "event": _event(quantile, where), **number, "percentile": percentile}),
        (bool(top and bottom), {"kind": "ratio", "top": _part(top), "bottom": _part(bottom)}),
        (bool(entry and goal and time), {"kind": "time_to", **follow, "percentile": percentile, "in": time_unit}),
        (bool(entry and goal and after), {"kind": "retention", "begin": _event(entry, where), "back": goal, **days}),
        (bool(entry and goal and not time and not after), {"kind": "conversion", **follow}),
    ]
    said = [definition for is_said, definition in ways if is_said]
    if len(said) != 1 or bool(entry) != bool(goal) or bool(top) != bool(bottom):
        raise CommandError(
            "Say what it counts, one of: --count EVENT, --unique EVENT, --from EVENT --to EVENT (with --after DAY or --time), "
            "--sum, --mean or --quantile EVENT --property NAME, --top EVENT --bottom EVENT."
        )
    fields = {"name": name, "role": role, "category": category, "owner": owner, "description": description}
    body = {
        "key": key,
        "definition": {"version": 1, **said[0], **({"by_company": True} if by_company else {})},
        "direction": "down" if less_is_better else "up",
        **fields,
        **({"unit": unit} if unit else {}),
    }
    made = client.post(f"/products/{client.product}/metrics", body)
    show(made, as_json, f"{made['name']} ({made['key']}): {made['sentence']}.", *made["warnings"])


def _event(name: str, where: list[str] | None) -> object:
    if not where:
        return name
    from whytree.analytics.questions import filter_json, parse_filter

    return {"event": name, "where": [filter_json(parse_filter(text)) for text in where]}


def _part(text: str) -> dict[str, str]:
    """paid, paid:people, paid:sum:price"""
    event, _, measure = text.partition(":")
    return {"event": event, "measure": measure or "total"}


def edit_metric(
    key: Key,
    name: Name = "",
    unit: Unit = "",
    direction: Annotated[str, typer.Option(metavar="up|down", help="Which way is good.")] = "",
    role: MetricRole = "",
    category: Category = "",
    owner: Owner = "",
    description: Description = "",
    as_json: AsJson = False,
) -> None:
    """Change what a metric is called and what it is for. What it counts is changed on its page or by whytree apply."""
    client = connect()
    fields = {"name": name, "unit": unit, "direction": direction, "role": role, "category": category, "owner": owner}
    body = {field: value for field, value in {**fields, "description": description}.items() if value}
    if not body:
        raise CommandError("Say what to change, as --owner growth.")
    saved = client.patch(f"/products/{client.product}/metrics/{key}", body)
    show(saved, as_json, f"{saved['name']} ({saved['key']}): {saved['sentence']}.")


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
    each: Annotated[str, typer.Option(metavar="STRETCH", help="By hour, day, week or month.")] = "day",
    as_json: AsJson = False,
) -> None:
    """A metric's value with its interval, n and period, and its days, or what else it is cut into."""
    client = connect()
    measure = client.get(f"/products/{client.product}/metrics/{key}/measure", days=days, each=each)
    show(measure, as_json, *measure_lines(measure))


def remove_metric(key: Key, as_json: AsJson = False) -> None:
    """Remove a metric that no outcome and no prediction rests on."""
    client = connect()
    client.delete(f"/products/{client.product}/metrics/{key}")
    show({"removed": key}, as_json, f"{key} is gone. The events stay; `whytree undo` takes it back.")


def check_metrics(as_json: AsJson = False) -> None:
    """Metrics and predictions that name an event nobody sends; ends with 1 when there are some, for CI."""
    client = connect()
    found = client.get(f"/products/{client.product}/metrics-check")
    lines = [f"  {one['metric_key'][:24]:24} {one['says']} {' '.join(one['refs'])}".rstrip() for one in found]
    show(found, as_json, *(lines or ["Every event that a metric names was sent in the last week."]))
    if found:
        raise typer.Exit(1)


def measure_lines(measure: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import between, number, places

    unit = f" {measure['unit']}" if measure["unit"] else ""
    lines = [measure["name"]]
    if measure["value"] is None:
        lines.append(f"  no answer: {measure['reason']}")
    else:
        interval = measure["reason"]
        if measure["low"] is not None:
            interval = f"95 %: {between(measure['low'], measure['high'])}"
        lines.append(f"  {number(measure['value'])}{unit}   {interval}, n = {measure['n']:,} {measure['counted']}")
    if measure["open"]:
        lines.append(f"  {measure['open']:,} more are still under way and not counted")
    lines.append(f"  {measure['from_at'][:10]} to {measure['last_day']}; {measure['source']}")
    digits = places(day["value"] for day in measure["series"])
    for day in measure["series"]:
        value = "–" if day["value"] is None else number(day["value"], digits)
        lines.append(
            f"  {day['day']}  {value:>8}{unit}   n = {day['n']:,}{'' if day['complete'] else '  (not complete)'}"
        )
    return lines
