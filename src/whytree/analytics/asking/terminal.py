"""Answers as lines on a terminal. Imports nothing heavy: a command against a running server loads neither Django nor the engine."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any


def head(answer: dict[str, Any], counted: str = "n") -> list[str]:
    """What it says and what it rests on, two sentences; then a line that is empty."""
    last = datetime.fromisoformat(answer["to_at"]) - timedelta(microseconds=1)
    period = f"{_day(answer['from_at'])} to {_day(last.isoformat())}"
    asked = answer["asked"][:1].upper() + answer["asked"][1:]
    return [answer["sentence"], f"{asked}; {period}, {counted} = {answer['n']:,}", ""]


def _day(moment: str) -> str:
    day = date.fromisoformat(moment[:10])
    return f"{day.day} {day:%b %Y}"


def _group_name(value: str | None) -> str:
    return "everybody else" if value is None else value or "not said"


def funnel_lines(answer: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import between, number

    lines = head(answer) + _step_lines(answer["steps"])
    for group in answer["groups"]:
        lines += ["", f"{answer['by']}: {_group_name(group['value'])}", *_step_lines(group["steps"])]
    for took in answer["took"]:
        middle = (
            f"middle {_seconds(took['median'])} ({_seconds(took['quarter'])} to {_seconds(took['three_quarters'])})"
        )
        lines.append(f"  step {took['from_step']} to {took['to_step']}: {middle}, n = {took['people']:,}")
    if answer["over"]:
        lines.append("")
    for began in answer["over"]:
        share = began["steps"][-1]["of_first"]
        said = f"{number(share['value'])} % ({between(share['low'], share['high'])})" if share else "–"
        note = "" if began["complete"] else "  (still open)"
        lines.append(f"  {began['start']}  {began['steps'][0]['people']:>9,}  {said}{note}")
    return lines


def _seconds(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _step_lines(steps: list[dict[str, Any]]) -> list[str]:
    from whytree.engines.figures import between, number

    wide = max(len(step["event"]) for step in steps)
    lines = []
    for step in steps:
        first, before = step["of_first"], step["of_previous"]
        bar = _bar(first["value"] / 100 if first else 0.0, step["people"])
        line = f"  {step['event']:{wide}}  {step['people']:>9,}  {bar:20}"
        if before:
            line += f"  {number(before['value']):>5} % of before ({between(before['low'], before['high'])})"
        lines.append(line.rstrip())
    return lines


def _bar(share: float, n: float) -> str:
    return "█" * round(share * 20) or ("▏" if n else "")


def trend_lines(answer: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import number, places

    lines = head(answer)
    if answer["interval"] == "whole":
        return lines + _bar_lines(answer)
    long = 16 if answer["interval"] == "hour" else 10
    for line in answer["lines"]:
        if len(answer["lines"]) > 1:
            group = f", {answer['by']}: {_group_name(line['value'])}" if answer["by"] else ""
            lines.append(line["name"] + group + (", the period before" if line["earlier"] else ""))
        largest = max((each["value"] or 0 for each in line["stretches"]), default=0) or 1
        digits = places(each["value"] for each in line["stretches"])
        for each in line["stretches"]:
            value = "–" if each["value"] is None else number(each["value"], digits)
            bar = _bar(max(each["value"] or 0, 0) / largest, each["n"])
            note = "" if each["complete"] else "  (not complete)"
            lines.append(f"  {each['start'][:long].replace('T', ' ')}  {value:>9}  {bar:20}{note}".rstrip())
        lines.append("")
    return lines[:-1]


def _bar_lines(answer: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import number

    bars = [(line, line["stretches"][0]) for line in answer["lines"] if line["stretches"]]
    names = [
        line["name"]
        + (f", {_group_name(line['value'])}" if answer["by"] else "")
        + (", the period before" if line["earlier"] else "")
        for line, _ in bars
    ]
    wide = max(map(len, names), default=0)
    largest = max((each["value"] or 0 for _, each in bars), default=0) or 1
    return [
        f"  {name:{wide}}  {'–' if each['value'] is None else number(each['value']):>9}  "
        f"{_bar(max(each['value'] or 0, 0) / largest, each['n'])}".rstrip()
        for name, (_, each) in zip(names, bars, strict=True)
    ]


def retention_lines(answer: dict[str, Any]) -> list[str]:
    from whytree.engines.figures import between, number, places

    lines = head(answer)
    digits = places(point["share"]["value"] for point in answer["curve"] if point["share"])
    for point in answer["curve"]:
        said = "not over yet"
        if share := point["share"]:
            interval = f"({between(share['low'], share['high'])})"
            bar = _bar(share["value"] / 100, point["back"])
            said = f"{bar:20}  {number(share['value'], digits):>5} % {interval}  n = {point['people']:,}"
        lines.append(f"  {answer['interval']} {_place(point):>5}  {said}")
    lines += ["", f"  {'began':10}  {'people':>7}  " + " ".join(f"{_place(point):>6}" for point in answer["curve"])]
    for cohort in answer["cohorts"]:
        cells = " ".join(f"{_cell(cell):>6}" for cell in cohort["cells"])
        lines.append(f"  {cohort['start']}  {cohort['people']:>7,}  {cells}".rstrip())
    return [*lines, "", "  In percent; * may still grow."]


def _place(point: dict[str, Any]) -> str:
    one, two = point["after"], point["until"]
    return str(one) if one == two else f"{one}-{two}"


def _cell(cell: dict[str, Any]) -> str:
    if cell["share"] is None:
        return ""
    return f"{cell['share']['value']:.1f}" + ("" if cell["complete"] else "*")


def lifecycle_lines(answer: dict[str, Any]) -> list[str]:
    states = ("new", "returning", "resurrected", "dormant")
    lines = [*head(answer), f"  {'':10}  " + "".join(f"{state:>12}" for state in states)]
    for one in answer["stretches"]:
        note = "" if one["complete"] else "  (not complete)"
        lines.append(f"  {one['start']}  " + "".join(f"{one[state]:>12,}" for state in states) + note)
    return lines


def stickiness_lines(answer: dict[str, Any]) -> list[str]:
    lines = head(answer)
    for bar in answer["bars"]:
        share = bar["share"]["value"] / 100 if bar["share"] else 0.0
        lines.append(f"  {bar['times']:>4}  {bar['people']:>9,}  {_bar(share, bar['people'])}".rstrip())
    return lines


def paths_lines(answer: dict[str, Any]) -> list[str]:
    arrow = "<-" if answer["backwards"] else "->"
    lines = head(answer)
    for edge in answer["edges"]:
        lines.append(f"  {edge['at'] + 1:>2}. {edge['source']} {arrow} {edge['target']}  {edge['ways']:,}")
    return [*lines, *([f"  and {answer['left_out']:,} along other ways"] if answer["left_out"] else [])]


def sessions_lines(answer: dict[str, Any]) -> list[str]:
    lines = [*head(answer, "people"), f"  {'':16}  {'sessions':>9}  {'middle':>9}  {'one event':>9}  {'people':>9}"]
    lines += [_stayed("all of it", answer["stayed"])]
    lines += [_stayed("period before", answer["before"])] if answer["before"] else []
    if answer["groups"]:
        lines += ["", f"  by {answer['by']}"]
        lines += [_stayed(_group_name(one["value"]), one["stayed"]) for one in answer["groups"]]
    lines.append("")
    for one in answer["stretches"]:
        note = "" if one["complete"] else "  (not complete)"
        lines.append(_stayed(one["start"][:16].replace("T", " "), one["stayed"]) + note)
    if answer["places"]:
        lines += ["", f"  {'came in':>9}  {'left':>9}  {'at once':>9}"]
    for place in answer["places"][:20]:
        lines.append(
            f"  {place['entered']:>9,}  {place['left']:>9,}  {place['bounced']:>9,}  {place['name'] or '(no page)'}"
        )
    return [*lines, "", f"  A session ends after {answer['idle_minutes']} minutes of nothing."]


def _stayed(name: str, stayed: dict[str, Any]) -> str:
    from whytree.engines.figures import number

    share = stayed["bounced_share"]
    middle = "–" if stayed["seconds"] is None else _seconds(stayed["seconds"])
    bounced = f"{number(share['value'])} %" if share else "–"
    return f"  {name:16.16}  {stayed['sessions']:>9,}  {middle:>9}  {bounced:>9}  {stayed['people']:>9,}"


#: An answer's lines, by the kind of its question; the first two are sentences.
LINES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "funnel": funnel_lines,
    "trends": trend_lines,
    "retention": retention_lines,
    "lifecycle": lifecycle_lines,
    "stickiness": stickiness_lines,
    "paths": paths_lines,
    "sessions": sessions_lines,
}
