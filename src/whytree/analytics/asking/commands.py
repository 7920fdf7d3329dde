"""`whytree ask ...`: questions from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.client import CommandError, connect
from whytree.workspace.commands import AsJson, show

Events = Annotated[list[str], typer.Argument(metavar="EVENT ...", help="What people do, as your product sends it.")]
Where = Annotated[
    list[str],
    typer.Option(
        metavar="FILTER", help="For every event: plan=free, plan!=a,b, title~word, price>10, coupon, !coupon."
    ),
]
Days = Annotated[int, typer.Option(help="How many days back; 0 is everything there is.")]
By = Annotated[str, typer.Option(metavar="FIELD", help="Tell groups apart: platform, a property, flag:KEY.")]
File = Annotated[Path | None, typer.Option(metavar="FILE", help="The question as JSON, in place of the above.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("ask").command("funnel")(ask_funnel)
    group("ask").command("trends")(ask_trends)
    group("ask").command("retention")(ask_retention)


def ask_funnel(
    steps: Annotated[list[str], typer.Argument(metavar="EVENT ...", help="What people do, in this order.")] = [],  # noqa: B006 - typer reads it once
    within: Annotated[
        str, typer.Option(metavar="SPAN", help="From the first to the last step: 30m, 12h, 1d, 2w.")
    ] = "14d",
    by: Annotated[str, typer.Option(metavar="FIELD", help="Tell groups apart: platform, a property, flag:KEY.")] = "",
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    question: File = None,
    who: Annotated[int, typer.Option(metavar="STEP", help="Name those who came to this step and no further.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How far do people come? Each person's best try, from one step to the next, with 95 % intervals."""
    asked = _asked(question, "funnel") or _said("funnel", where, days, steps=_named(steps), within=within, by=by)
    client = connect()
    if who:
        stopped = client.post(f"/products/{client.product}/ask/people", {"question": asked, "at": who})
        more = stopped["total"] - len(stopped["ids"])
        show(stopped, as_json, *stopped["ids"], *([f"and {more:,} more"] if more > 0 else []))
        return
    answer = client.post(f"/products/{client.product}/ask", {"question": asked})
    show(answer, as_json, *_funnel_lines(answer))


def ask_trends(
    events: Events = [],  # noqa: B006 - typer reads it once
    unique: Annotated[bool, typer.Option("--unique", help="Count the people instead of how often.")] = False,
    measure: Annotated[
        str,
        typer.Option(
            help="total, people, average (a person), or sum, mean, median, p90, p95, p99, min, max of a property: sum:price."
        ),
    ] = "total",
    interval: Annotated[str, typer.Option(help="hour, day, week or month.")] = "day",
    by: By = "",
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """How much happens, stretch by stretch of the calendar?"""
    counted = "people" if unique else measure
    asked = _asked(question, "trends") or _said(
        "trends", where, days, series=_named(events), measure=counted, interval=interval, by=by
    )
    client = connect()
    answer = client.post(f"/products/{client.product}/ask", {"question": asked})
    show(answer, as_json, *_trend_lines(answer))


def ask_retention(
    begin: Annotated[str, typer.Argument(metavar="BEGIN", help="The event that people begin with.")] = "",
    back: Annotated[
        str, typer.Argument(metavar="BACK", help="What counts as coming back; the same event, if left out.")
    ] = "",
    interval: Annotated[str, typer.Option(help="day, week or month.")] = "week",
    stretches: Annotated[int, typer.Option("--for", metavar="N", help="How many of them people are followed.")] = 8,
    every_time: Annotated[
        bool, typer.Option("--every-time", help="Not only a person's first beginning: one in each stretch counts.")
    ] = False,
    or_later: Annotated[bool, typer.Option("--or-later", help="Back in that stretch or any later one.")] = False,
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """Who comes back? A curve over all cohorts, and the triangle behind it."""
    asked = _asked(question, "retention") or _said(
        "retention",
        where,
        days,
        begin=_named([begin] if begin else [])[0],
        back=back,
        interval=interval,
        first_time=not every_time,
        or_later=or_later,
        stretches=stretches,
    )
    client = connect()
    answer = client.post(f"/products/{client.product}/ask", {"question": asked})
    show(answer, as_json, *_retention_lines(answer))


def _asked(path: Path | None, kind: str) -> Any:
    """The question in a file; nothing where there is none."""
    if path is None:
        return None
    try:
        asked = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}.") from error
    said = asked.get("kind") if isinstance(asked, dict) else None
    if said != kind:
        raise CommandError(f"{path} holds no question of kind {kind}" + (f": try whytree ask {said}" if said else "."))
    return asked


def _named(events: list[str]) -> list[str]:
    if not events:
        raise CommandError("Name what people do. See what there is: whytree event list")
    return events


def _said(kind: str, where: list[str], days: int, **parts: Any) -> dict[str, Any]:
    from whytree.errors import Invalid

    from ..questions import filter_json, parse_filter

    try:
        filters = [filter_json(parse_filter(text)) for text in where]
    except Invalid as error:
        raise CommandError(error.message) from error
    return {"version": 1, "kind": kind, **parts, "where": filters} | ({"days": days} if days else {})


def _head(answer: dict[str, Any], counted: str = "n") -> list[str]:
    period = f"{answer['from_at'][:10]} to {answer['to_at'][:10]}"
    return [answer["sentence"], f"{answer['asked']}; {period}, {counted} = {answer['n']:,}", ""]


def _group_name(value: str | None) -> str:
    return "everybody else" if value is None else value or "not said"


def _funnel_lines(answer: dict[str, Any]) -> list[str]:
    lines = _head(answer) + _step_lines(answer["steps"])
    for group in answer["groups"]:
        lines += ["", f"{answer['by']}: {_group_name(group['value'])}", *_step_lines(group["steps"])]
    return lines


def _step_lines(steps: list[dict[str, Any]]) -> list[str]:
    from whytree.engines.figures import number

    wide = max(len(step["event"]) for step in steps)
    lines = []
    for step in steps:
        first, before = step["of_first"], step["of_previous"]
        bar = _bar(first["value"] / 100 if first else 0.0, step["people"])
        line = f"  {step['event']:{wide}}  {step['people']:>9,}  {bar:20}"
        if before:
            line += f"  {number(before['value']):>5} % of before ({number(before['low'])} to {number(before['high'])})"
        lines.append(line.rstrip())
    return lines


def _bar(share: float, n: float) -> str:
    return "█" * round(share * 20) or ("▏" if n else "")


def _trend_lines(answer: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import number

    lines = _head(answer)
    long = 16 if answer["interval"] == "hour" else 10
    for line in answer["lines"]:
        if len(answer["lines"]) > 1:
            lines.append(line["name"] + (f", {answer['by']}: {_group_name(line['value'])}" if answer["by"] else ""))
        largest = max((each["value"] or 0 for each in line["stretches"]), default=0) or 1
        for each in line["stretches"]:
            value = "–" if each["value"] is None else number(each["value"])
            bar = _bar(max(each["value"] or 0, 0) / largest, each["n"])
            note = "" if each["complete"] else "  (not complete)"
            lines.append(f"  {each['start'][:long].replace('T', ' ')}  {value:>9}  {bar:20}{note}".rstrip())
        lines.append("")
    return lines[:-1]


def _retention_lines(answer: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import number

    lines = _head(answer)
    for point in answer["curve"]:
        said = "not over yet"
        if share := point["share"]:
            interval = f"({number(share['low'])} to {number(share['high'])})"
            bar = _bar(share["value"] / 100, point["back"])
            said = f"{bar:20}  {number(share['value']):>5} % {interval}  n = {point['people']:,}"
        lines.append(f"  {answer['interval']} {point['after']:>2}  {said}")
    lines += ["", f"  {'began':10}  {'people':>7}  " + " ".join(f"{point['after']:>6}" for point in answer["curve"])]
    for cohort in answer["cohorts"]:
        cells = " ".join(f"{_cell(cell):>6}" for cell in cohort["cells"])
        lines.append(f"  {cohort['start']}  {cohort['people']:>7,}  {cells}".rstrip())
    return [*lines, "", "  In percent; * may still grow."]


def _cell(cell: dict[str, Any]) -> str:
    if cell["share"] is None:
        return ""
    return f"{cell['share']['value']:.1f}" + ("" if cell["complete"] else "*")
