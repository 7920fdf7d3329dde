"""Metrics from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.client import CommandError, connect
from whytree.workspace.commands import AsJson, show

Key = Annotated[str, typer.Argument(help="Short name, as activated_7d.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("metric").command("add")(add_metric)
    group("metric").command("list")(list_metrics)
    group("metric").command("show")(show_metric)
    group("metric").command("remove")(remove_metric)
    group("ask").command("funnel")(ask_funnel)


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


def ask_funnel(
    steps: Annotated[list[str], typer.Argument(metavar="EVENT ...", help="What people do, in this order.")] = [],  # noqa: B006 - typer reads it once
    within: Annotated[
        str, typer.Option(metavar="SPAN", help="From the first to the last step: 30m, 12h, 1d, 2w.")
    ] = "14d",
    by: Annotated[str, typer.Option(metavar="FIELD", help="Tell groups apart: platform, a property, flag:KEY.")] = "",
    where: Annotated[
        list[str],
        typer.Option(
            metavar="FILTER", help="For every step: plan=free, plan!=a,b, title~word, price>10, coupon, !coupon."
        ),
    ] = [],  # noqa: B006
    days: Annotated[int, typer.Option(help="How many days back; 0 is everything there is.")] = 0,
    question: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The question as JSON, in place of the above.")
    ] = None,
    who: Annotated[int, typer.Option(metavar="STEP", help="Name those who came to this step and no further.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How far do people come? Each person's best try, from one step to the next, with 95 % intervals."""
    asked = _asked(question) if question else _funnel(steps, within, by, where, days)
    client = connect()
    if who:
        stopped = client.post(f"/products/{client.product}/ask/people", {"question": asked, "at": who})
        more = stopped["total"] - len(stopped["ids"])
        show(stopped, as_json, *stopped["ids"], *([f"and {more:,} more"] if more > 0 else []))
        return
    answer = client.post(f"/products/{client.product}/ask", {"question": asked})
    show(answer, as_json, *_funnel_lines(answer))


def _asked(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}.") from error


def _funnel(steps: list[str], within: str, by: str, where: list[str], days: int) -> dict[str, Any]:
    from .questions import filter_json, parse_filter

    if not steps:
        raise CommandError("Name the steps: whytree ask funnel opened paid. See what there is: whytree event list")
    filters = [filter_json(parse_filter(text)) for text in where]
    asked: dict[str, Any] = {
        "version": 1,
        "kind": "funnel",
        "steps": steps,
        "within": within,
        "by": by,
        "where": filters,
    }
    return asked | ({"days": days} if days else {})


def _funnel_lines(answer: dict[str, Any]) -> list[str]:
    period = f"{answer['from_at'][:10]} to {answer['to_at'][:10]}"
    lines = [answer["sentence"], f"{answer['asked']}; {period}, n = {answer['n']:,}", ""]
    lines += _step_lines(answer["steps"])
    for group in answer["groups"]:
        name = "everybody else" if group["value"] is None else group["value"] or "not said"
        lines += ["", f"{answer['by']}: {name}", *_step_lines(group["steps"])]
    return lines


def _step_lines(steps: list[dict[str, Any]]) -> list[str]:
    from whytree.engines.figures import number

    wide = max(len(step["event"]) for step in steps)
    lines = []
    for step in steps:
        first, before = step["of_first"], step["of_previous"]
        share = first["value"] if first else 0.0
        bar = "█" * round(share / 5) or ("▏" if step["people"] else "")
        line = f"  {step['event']:{wide}}  {step['people']:>9,}  {bar:20}"
        if before:
            line += f"  {number(before['value']):>5} % of before ({number(before['low'])} to {number(before['high'])})"
        lines.append(line.rstrip())
    return lines
