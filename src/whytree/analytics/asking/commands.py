"""`whytree ask ...`: questions from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import print_json, say, tell

from .terminal import LINES

Events = Annotated[list[str], typer.Argument(metavar="EVENT ...", help="What people do, as your product sends it.")]
Where = Annotated[
    list[str],
    typer.Option(
        metavar="FILTER", help="For every event: plan=free, plan!=a,b, title~word, price>10, coupon, !coupon."
    ),
]
Days = Annotated[int, typer.Option(help="How many days back; 0 is everything there is.")]
Since = Annotated[str, typer.Option(metavar="DAY", help="From this day on, as 2026-05-01, in place of --days.")]
Until = Annotated[str, typer.Option(metavar="DAY", help="Up to this day, it included.")]
By = Annotated[
    list[str],
    typer.Option(
        metavar="FIELD",
        help="Tell groups apart: platform, a property, flag:KEY, cohort:KEY. Again for a second and a third.",
    ),
]
File = Annotated[Path | None, typer.Option(metavar="FILE", help="The question as JSON, in place of the above.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("ask").command("funnel")(ask_funnel)
    group("ask").command("trends")(ask_trends)
    group("ask").command("retention")(ask_retention)
    group("ask").command("lifecycle")(ask_lifecycle)
    group("ask").command("stickiness")(ask_stickiness)
    group("ask").command("paths")(ask_paths)
    group("ask").command("sessions")(ask_sessions)
    group("ask").command("people")(ask_people)
    group("ask").command("code")(ask_code)
    group("ask").command("drivers")(ask_drivers)
    group("ask").command("sql")(ask_sql)
    group("ask").command("keep")(keep_question)
    group("ask").command("saved")(list_saved)
    group("ask").command("again")(ask_again)


def ask_funnel(
    steps: Annotated[
        list[str], typer.Argument(metavar="EVENT ...", help="What people do, in this order; EVENT? is optional.")
    ] = [],  # noqa: B006 - typer reads it once
    within: Annotated[
        str, typer.Option(metavar="SPAN", help="From the first to the last step: 30m, 12h, 1d, 2w.")
    ] = "14d",
    order: Annotated[str, typer.Option(help="ordered; strict: nothing between; any.")] = "ordered",
    hold: Annotated[str, typer.Option(metavar="PROPERTY", help="One and the same value along the way.")] = "",
    without: Annotated[
        list[str], typer.Option(metavar="EVENT", help="What ends a try; EVENT:1:3 between steps 1 and 3.")
    ] = [],  # noqa: B006 - typer reads it once
    first_time: Annotated[bool, typer.Option("--first-time", help="Begin with the first time of their life.")] = False,
    by_any_step: Annotated[
        bool, typer.Option("--by-any-step", help="In the group of each of their steps, not of the first.")
    ] = False,
    times: Annotated[bool, typer.Option("--times", help="Also how long it took.")] = False,
    over: Annotated[str, typer.Option(help="Also by the day, week or month in which people began.")] = "",
    by: By = [],  # noqa: B006 - typer reads it once
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    since: Since = "",
    until: Until = "",
    question: File = None,
    who: Annotated[int, typer.Option(metavar="STEP", help="Name those who came to this step and no further.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How far do people come? Each person's best try, from one step to the next, with 95 % intervals."""
    asked = _asked(question, "funnel") or _said(
        "funnel",
        where,
        (days, since, until),
        steps=[_parsed(name, "parse_step") for name in _named(steps)],
        within=within,
        by=by,
        order=order,
        hold=hold,
        without=[_exclusion(text) for text in without],
        first_time=first_time,
        by_any_step=by_any_step,
        times=times,
        over=over,
    )
    client = connect()
    if who:
        _show_people(client, asked, {"step": who}, as_json=as_json)
        return
    _answer(client, asked, as_json=as_json)


def ask_trends(
    events: Events = [],  # noqa: B006 - typer reads it once
    unique: Annotated[bool, typer.Option("--unique", help="Count the people instead of how often.")] = False,
    measure: Annotated[
        str,
        typer.Option(
            help="total, people, average (a person), dau, wau, mau, or sum, mean, median, p90, p95, p99, min, max of a "
            "property: sum:price."
        ),
    ] = "total",
    interval: Annotated[str, typer.Option(help="hour, day, week or month; whole: one bar for all of it.")] = "day",
    formula: Annotated[str, typer.Option(help="Of the series, A the first: B / A * 100.")] = "",
    previous: Annotated[bool, typer.Option("--previous", help="Beside the period before.")] = False,
    smooth: Annotated[int, typer.Option(metavar="N", help="The mean of so many stretches.")] = 1,
    cumulative: Annotated[bool, typer.Option("--cumulative", help="Added up from the beginning.")] = False,
    by: By = [],  # noqa: B006 - typer reads it once
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    since: Since = "",
    until: Until = "",
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """How much happens, stretch by stretch of the calendar?"""
    asked = _asked(question, "trends") or _said(
        "trends",
        where,
        (days, since, until),
        series=[_parsed(name, "parse_series") for name in _named(events)],
        measure="people" if unique else measure,
        interval=interval,
        by=by,
        formula=formula,
        previous=previous,
        smooth=smooth,
        cumulative=cumulative,
    )
    _answer(connect(), asked, as_json=as_json)


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
    streak: Annotated[bool, typer.Option("--streak", help="Back in every stretch up to it.")] = False,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="By each person's own 24 hours (7, 30 days) instead of the calendar.")
    ] = False,
    brackets: Annotated[str, typer.Option(metavar="LIST", help="Instead of single stretches: 0,1-3,4-7.")] = "",
    by: By = [],  # noqa: B006 - typer reads it once
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    since: Since = "",
    until: Until = "",
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """Who comes back? A curve over all cohorts, and the triangle behind it."""
    asked = _asked(question, "retention") or _said(
        "retention",
        where,
        (days, since, until),
        begin=_parsed(_named([begin] if begin else [])[0]),
        back=_parsed(back),
        interval=interval,
        first_time=not every_time,
        how="streak" if streak else "later" if or_later else "on",
        clock="rolling" if rolling else "calendar",
        by=by,
        **({"brackets": _brackets(brackets)} if brackets else {"stretches": stretches}),
    )
    _answer(connect(), asked, as_json=as_json)


def ask_lifecycle(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="What counts as being there.")] = "",
    interval: Annotated[str, typer.Option(help="day, week or month.")] = "week",
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    since: Since = "",
    until: Until = "",
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """Who is new, returns, comes back after a gap, or stays away?"""
    asked = _asked(question, "lifecycle") or _said(
        "lifecycle", where, (days, since, until), event=_parsed(_named([event] if event else [])[0]), interval=interval
    )
    _answer(connect(), asked, as_json=as_json)


def ask_stickiness(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="What counts as being there.")] = "",
    interval: Annotated[str, typer.Option(help="day, week or month.")] = "day",
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    since: Since = "",
    until: Until = "",
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """In how many days, weeks or months did people do it?"""
    asked = _asked(question, "stickiness") or _said(
        "stickiness", where, (days, since, until), event=_parsed(_named([event] if event else [])[0]), interval=interval
    )
    _answer(connect(), asked, as_json=as_json)


def ask_paths(
    begin: Annotated[str, typer.Option("--from", metavar="EVENT", help="Ways that begin with it.")] = "",
    finish: Annotated[str, typer.Option("--to", metavar="EVENT", help="Ways that lead to it.")] = "",
    hide: Annotated[list[str], typer.Option(metavar="EVENT", help="Does not count.")] = [],  # noqa: B006 - typer reads it once
    depth: Annotated[int, typer.Option(help="How many steps, 1 to 10.")] = 5,
    pause: Annotated[str, typer.Option(metavar="SPAN", help="A longer one ends a way.")] = "30m",
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Days = 0,
    since: Since = "",
    until: Until = "",
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """Which way do people go, from one event or to another?"""
    asked = _asked(question, "paths") or _said(
        "paths",
        where,
        (days, since, until),
        **{"from": _parsed(begin), "to": _parsed(finish), "hide": hide, "depth": depth, "pause": pause},
    )
    _answer(connect(), asked, as_json=as_json)


def ask_sessions(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Only sessions in which they did this.")] = "",
    interval: Annotated[str, typer.Option(help="hour, day, week or month.")] = "day",
    previous: Annotated[bool, typer.Option("--previous", help="Beside the period before.")] = False,
    by: By = [],  # noqa: B006 - typer reads it once
    where: Where = [],  # noqa: B006 - typer reads it once
    days: Annotated[int | None, typer.Option(help="How many days back, 28; 0 is everything there is.")] = None,
    since: Since = "",
    until: Until = "",
    question: File = None,
    as_json: AsJson = False,
) -> None:
    """How long do people stay, where do they come in and where do they go?"""
    back = days if days is not None or since or until else USUAL_DAYS
    asked = _asked(question, "sessions") or _said(
        "sessions",
        where,
        (back or 0, since, until),
        event=_parsed(event) if event else "",
        interval=interval,
        previous=previous,
        by=by,
    )
    _answer(connect(), asked, as_json=as_json)


USUAL_DAYS = 28

Question = Annotated[Path, typer.Argument(metavar="FILE", help="The question as JSON.")]
Part = Annotated[
    list[str],
    typer.Option(
        "--part", metavar="NAME=VALUE", help="step=2, did=came, to=3, group=ios, start=2026-05-01, after=3, series=0."
    ),
]


def ask_people(question: Question, part: Part = [], as_json: AsJson = False) -> None:  # noqa: B006 - typer reads it once
    """Who is behind a bar, a point or a cell of an answer?"""
    _show_people(connect(), _file(question), _part(part), as_json=as_json)


def ask_code(question: Question, part: Part = [], as_json: AsJson = False) -> None:  # noqa: B006 - typer reads it once
    """Which lines send the events behind a part of an answer, and which flags were in force?"""
    client = connect()
    body = {"question": _file(question), "part": _part(part)}
    found = client.post(f"/products/{client.product}/ask/code", body)
    lines = [
        f"  {line['path']}:{line['line']}  {line['says'] or line['how']} ({line['event']})" for line in found["lines"]
    ]
    flags = [f"  {one['flag']} = {one['variant']} for {one['people']:,} people" for one in found["flags"]]
    nothing = "No line is known that sends these. Let your clone tell: whytree repository add ."
    show(found, as_json, *(lines or [nothing]), *(["", "Flags in force:", *flags] if flags else []))


def ask_drivers(question: Question, as_json: AsJson = False) -> None:
    """What goes with coming to the end of a funnel: properties and events in between, corrected for how many."""
    from whytree.engines.figures import between, number

    client = connect()
    found = client.post(f"/products/{client.product}/ask/drivers", {"question": _file(question)})
    lines = [found["sentence"], f"{found['looked_at']} looked at; {found['people']:,} people", ""]
    for one in found["drivers"]:
        what = f"{one['name']} = {one['value']}" if one["kind"] == "property" else f"did {one['name']}"
        size = f"{number(one['difference'])} pp ({between(one['low'], one['high'])})"
        lines.append(f"  {what:40.40} {one['people']:>7,}  {size}{'' if one['holds'] else '  within chance'}")
    show(found, as_json, *lines)


def ask_sql(
    sql: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT over events.")], as_json: AsJson = False
) -> None:
    """One SELECT over this product's events, ten seconds and a thousand rows at most."""
    client = connect()
    found = client.post(f"/products/{client.product}/sql", {"sql": sql})
    lines = ["\t".join(map(str, row)) for row in [found["columns"], *found["rows"]]]
    show(found, as_json, *lines, *(["and more"] if found["cut"] else []))


def keep_question(
    question: Question,
    title: Annotated[str, typer.Option(help="What people call it; its own sentence otherwise.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep a question under a name, for the page and for later."""
    client = connect()
    saved = client.post(f"/products/{client.product}/questions", {"question": _file(question), "title": title})
    show(saved, as_json, f"{saved['ref']}  {saved['title']}")


def list_saved(as_json: AsJson = False) -> None:
    """Questions under a name."""
    client = connect()
    found = client.get(f"/products/{client.product}/questions")
    lines = [f"{one['ref']:8} {one['question']['kind']:10} {one['title']}" for one in found]
    show(found, as_json, *(lines or ["None yet. Keep one: whytree ask keep FILE"]))


def ask_again(
    ref: Annotated[str, typer.Argument(metavar="ASK-n", help="A kept question.")], as_json: AsJson = False
) -> None:
    """The answer of a kept question as of now."""
    client = connect()
    saved = client.get(f"/products/{client.product}/questions/{ref}")
    _answer(client, saved["question"], as_json=as_json)


def _answer(client: Client, question: dict[str, Any], *, as_json: bool) -> None:
    answer = client.post(f"/products/{client.product}/ask", {"question": question})
    if as_json:
        print_json(answer)
        return
    said, asked, *rows = LINES[question["kind"]](answer)
    tell(said)
    tell(asked)
    for row in rows:
        say(row)


def _show_people(client: Client, question: Any, part: dict[str, Any], *, as_json: bool) -> None:
    found = client.post(f"/products/{client.product}/ask/people", {"question": question, "part": part})
    more = found["total"] - len(found["ids"])
    show(found, as_json, *found["ids"], *([f"and {more:,} more"] if more > 0 else []))


def _parsed(text: str, how: str = "parse_event") -> Any:
    """An event as one types it, as a question's JSON has it."""
    from whytree.errors import Invalid

    from .. import questions

    try:
        return getattr(questions, how)(text)
    except Invalid as error:
        raise CommandError(error.message) from error


def _exclusion(text: str) -> Any:
    """cancelled, or cancelled:1:3"""
    event, *numbers = text.rsplit(":", 2)
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        return {"event": event, "after": int(numbers[0]), "before": int(numbers[1])}
    return text


def _brackets(text: str) -> list[list[int]]:
    found = []
    for part in text.split(","):
        one, _, two = part.strip().partition("-")
        if not one.isdecimal() or not (two or one).isdecimal():
            raise CommandError(f"{part!r} is no bracket. Write them as 0,1-3,4-7.")
        found.append([int(one), int(two or one)])
    return found


def _part(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise CommandError(f"{word!r} names no part. Write it as step=2.")
        found[name] = int(value) if value.isdecimal() and name != "group" else value
    return found


def _asked(path: Path | None, kind: str) -> Any:
    """The question in a file; nothing where there is none."""
    if path is None:
        return None
    asked = _file(path)
    said = asked.get("kind") if isinstance(asked, dict) else None
    if said != kind:
        raise CommandError(f"{path} holds no question of kind {kind}" + (f": try whytree ask {said}" if said else "."))
    return asked


def _file(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is no JSON: {error}.") from error


def _named(events: list[str]) -> list[str]:
    if not events:
        raise CommandError("Name what people do. See what there is: whytree event list")
    return events


def _said(kind: str, where: list[str], when: tuple[int, str, str], **parts: Any) -> dict[str, Any]:
    from whytree.errors import Invalid

    from ..questions import filter_json, parse_filter

    try:
        filters = [filter_json(parse_filter(text)) for text in where]
    except Invalid as error:
        raise CommandError(error.message) from error
    time = {name: value for name, value in zip(("days", "since", "until"), when, strict=True) if value}
    return {"version": 1, "kind": kind, **parts, "where": filters} | time
