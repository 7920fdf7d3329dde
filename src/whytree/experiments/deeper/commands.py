"""Deeper questions from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import show

Ref = Annotated[str, typer.Argument(help="An experiment's id, as EXP-4.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("experiment").command("novelty")(novelty)
    group("experiment").command("triggered")(triggered)
    group("experiment").command("parts")(parts)
    group("experiment").command("before-after")(before_after_of_table)
    group("flag").command("allocate")(allocate)
    group("metric").command("before-after")(before_after_of_metric)


def novelty(ref: Ref, as_json: AsJson = False) -> None:
    """Does the effect last? The deciding metric by days since the exposure."""
    client = connect()
    found = client.get(f"/products/{client.product}/experiments/{ref}/novelty")
    lines = [found["reason"] or found["sentence"]]
    for one in found["stretches"]:
        for each in one["metric"]["comparisons"]:
            lines.append(
                f"  days {one['start'] + 1:>2} to {one['end']:<2}  {each['arm']:12} {_interval(each['difference'], one['metric'])}"
            )
    show(found, as_json, *lines)


def triggered(
    ref: Ref,
    event: Annotated[str, typer.Option(help="Event that says the change could reach somebody, as opened_form.")],
    as_json: AsJson = False,
) -> None:
    """The effect among those whom the change could reach, and what that is over everybody."""
    client = connect()
    found = client.get(f"/products/{client.product}/experiments/{ref}/triggered", event=event)
    unit = {"unit": "%" if found["is_share"] else ""}
    lines = [found["reason"]] if found["reason"] else []
    for one in found["arms"]:
        if one["among"] is None:
            lines.append(f"{one['arm']}: {one['reason']}")
            continue
        lines += [
            f"{one['arm']}: {100 * one['share']:.1f} % did “{event}”",
            f"  among them      {_interval(one['among'], unit)}",
            f"  over everybody  {_interval(one['diluted'], unit)}",
        ]
    show(found, as_json, *lines)


def parts(
    ref: Ref,
    by: Annotated[str, typer.Option(help="What people are told apart by, as platform, country or browser.")],
    as_json: AsJson = False,
) -> None:
    """The deciding metric in parts of the people: as measured, shrunken towards each other, and weighed by their size."""
    client = connect()
    found = client.get(f"/products/{client.product}/experiments/{ref}/segments", by=by)
    left = {(one["arm"], part["part"]): part for one in found["over"] for part in one["shrunk"]}
    lines = []
    for one in found["segments"]:
        for each in one["metric"]["comparisons"]:
            shrunk = left.get((each["arm"], one["value"]))
            told = "" if shrunk is None else f"   shrunken {_interval(shrunk, one['metric'])}"
            lines.append(
                f"  {one['value']:16} {one['people']:>9,}  {_interval(each['difference'], one['metric'])}{told}"
            )
    for one in found["over"]:
        lines.append(f"{one['arm']}: {one['sentence'] or one['no_shrunk']}")
        if one["weighed"] is not None and found["segments"]:
            lines.append(
                f"{one['arm']}: weighed by their size {_interval(one['weighed'], found['segments'][0]['metric'])}"
            )
    show(found, as_json, *lines)


def allocate(
    key: Annotated[str, typer.Argument(help="A flag's key.")],
    metric: Annotated[str, typer.Option(help="A share of people: what the best arm has most of.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Set the flag's weights so, and not only show them.")] = False,
    daily: Annotated[bool, typer.Option("--daily", help="Set them so every day from now on.")] = False,
    end: Annotated[bool, typer.Option("--end", help="No longer every day; the weights stay as they are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Share people out by each arm's chance of being best (Thompson). Not for inference."""
    client = connect()
    path = f"/products/{client.product}/flags/{key}/allocation"
    if end:
        ended = client.delete(path)
        return show(ended, as_json, f"{key} keeps its weights from now on. {ended['says']}".rstrip())
    if not metric:
        raise CommandError("What does the best arm have most of? Say --metric KEY.")
    body = {"metric": metric, "daily": daily}
    found = client.post(path, body) if apply or daily else client.get(path, metric=metric)
    lines = [found["reason"]] if found["reason"] else []
    for one in found["arms"]:
        shares = f"{100 * one['share_now']:5.1f} % -> {100 * one['share']:.1f} %"
        lines.append(f"  {one['arm']:16} {one['converted']:>8,} of {one['people']:<8,}  {shares}")
    if daily:
        lines.append(f"Every day from now on. `whytree flag allocate {key} --end` ends it.")
    show(found, as_json, *lines, found["warning"])
    return None


Day = Annotated[str, typer.Option(help="First day of the change, as 2026-03-01.")]


def before_after_of_metric(
    key: Annotated[str, typer.Argument(help="A metric's key.")],
    at: Day,
    against: Annotated[str, typer.Option(help="A metric that the change did not reach, to be compared with.")] = "",
    as_json: AsJson = False,
) -> None:
    """How far a metric moved with a change that nobody drew. Not randomised."""
    client = connect()
    found = client.get(f"/products/{client.product}/metrics/{key}/before-after", at=at, against=against)
    show(found, as_json, *_moved(found))


def before_after_of_table(
    file: Annotated[Path, typer.Argument(help="A table with a row a day: CSV, TSV, JSONL, JSON, XLSX or Parquet.")],
    metric: Annotated[str, typer.Option(help="Column with the number.")],
    at: Day,
    day: Annotated[str, typer.Option(help="Column with the day.")] = "day",
    against: Annotated[str, typer.Option(help="Column of what the change did not reach, to be compared with.")] = "",
    as_json: AsJson = False,
) -> None:
    """How far a daily number moved with a change that nobody drew. Not randomised. Needs no server."""
    from dataclasses import asdict

    from whytree.engines.typed import day_of
    from whytree.errors import Invalid

    from .before_after import before_after_in_table

    try:
        found = before_after_in_table(file, day=day, column=metric, at=day_of(at), against=against)
    except Invalid as error:
        raise CommandError(error.message) from error
    told = asdict(found) | {"at": found.at.isoformat()}
    show(told, as_json, *_moved(told))


def _moved(found: dict[str, Any]) -> list[str]:
    lines = [
        found["sentence"] or found["reason"],
        found["warning"],
        *([found["left_out"]] if found["left_out"] else []),
    ]
    if found["inflation"] is not None and found["inflation"] > 1:
        lines.append(
            f"Steps were found where nothing happened, so the interval is {found['inflation']:.1f} times as wide."
        )
    return lines


def _interval(found: dict[str, Any] | None, metric: dict[str, Any]) -> str:
    if found is None:
        return "no answer"
    times, unit = (100, " points") if metric["unit"] == "%" else (1, "")
    value, low, high = (f"{times * found[name]:+.3g}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high}){unit}"
