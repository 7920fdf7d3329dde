"""What lies ahead on one terminal screen. Other people's words are shown, never obeyed."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from whytree.engines.figures import number
from whytree.workspace.terminal import printing
from whytree.workspace.terminal.printing import plain, quoted

from ..asking.screen import Answer, day, flat

_DIM, _WAITS = "dim", "yellow"
_COLOURS = {"struggle": "magenta", "guard": "red", "solution": "blue", "next test": "green"}
_STATES = {
    "harmed": "was harmed",
    "open": "cannot be told yet",
    "untold": "was never told",
    "near": "is near its margin",
}
MOST_SOLUTIONS = 6


def print_ahead(answer: Answer) -> None:
    """Print it, as wide as the terminal is."""
    console = printing.console()
    console.print(Text(plain(answer["ref"]), style="cyan"))
    console.print(Text(plain(answer["sentence"]), style="bold"))
    console.print()
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    for label, body in _rows(answer):
        grid.add_row(Text(label, style=_COLOURS.get(label, _DIM)), body)
    console.print(grid)


def ahead_lines(answer: Answer) -> list[str]:
    """The same for whoever has no screen."""
    return [answer["ref"], answer["sentence"], *flat((label, body, "") for label, body in _rows(answer))]


def _rows(answer: Answer) -> Iterator[tuple[str, Text]]:
    for one in answer["struggles"]:
        yield "struggle", _struggle(one)
        for voice in one["voices"]:
            yield "", _voice(voice)
    for one in answer["guards"]:
        yield "guard", _guard(one)
    for one in answer["unmeasured"]:
        yield "verdict" if one["is_measured"] else "no result", _named(one["ref"], one["title"], one["reason"])
    for one in answer["remarks"]:
        yield one["kind"], _remark(one)
    for one in answer["untested"]:
        yield (
            "untested",
            _named(one["ref"], one["title"], f"{one['kind']}, importance {one['importance']} of 5, {one['status']}"),
        )
    for one in answer["spent"]:
        yield "could go", _named(f"flag {one['key']}", one["state"], f"{one['reason']}, since {day(one['since'])}")
    for one in answer["tickets"]:
        lines = "one line" if one["lines"] == 1 else f"{one['lines']:,} lines"
        yield "ticket", _named(one["key"], one["title"], f"{f'{lines}, ' * bool(answer['lines'])}tied to no solution")
    if answer["unread"]:
        yield "unread", Text(f"{answer['unread']:,} voices from this page wait for a reader")
    if answer["next"]:
        yield "next test", Text(plain(answer["next"]))
    yield from _behind(answer)
    for step in answer["helps"]:
        yield "helps", Text(plain(step), style=_WAITS)


def _struggle(one: Answer) -> Text:
    body = _named(one["ref"], one["title"])
    people = (
        f"{one['people']:,} independent {'voice' if one['people'] == 1 else 'voices'}" if one["people"] else "no voice"
    )
    since = f", {one['since']:,} of them since it was live on {day(one['live_at'])}" if one["since"] else ""
    body.append(f"\n{people}{since}, evidence: {one['evidence']}", style=_DIM)
    return body


def _voice(one: Answer) -> Text:
    body = Text(quoted(one["quote"], 220), style="italic")
    said = [plain(one["who"]) or "somebody", day(one["said_at"]), plain(one["source"])]
    if one["stance"] == "contradicts":
        said.append("speaks against it")
    body.append("  " + " · ".join(filter(None, said)), style=_DIM)
    return body


def _guard(one: Answer) -> Text:
    body = Text(f"{plain(one['metric'])} {_STATES[one['state']]}", style=_WAITS if one["state"] != "harmed" else "red")
    if one["difference"] is not None:
        low, high = number(one["low"]), number(one["high"])
        body.append(f"  moved {_signed(one['difference'])} {one['unit']} (95 %: {low} to {high})", style="default")
    body.append(f"  margin {number(one['margin'])} · {one['review']}, {day(one['as_of'])}", style=_DIM)
    return body


def _remark(one: Answer) -> Text:
    body = Text(plain(one["text"]), style=_WAITS if one["kind"] != "constraint" else "default")
    more = [f"instead: {plain(one['alternative'])}" if one["alternative"] else ""]
    more += [f"costs {plain(one['cost'])}" if one["cost"] else "", plain(one["author"]), one["node"]]
    body.append("  " + " · ".join(filter(None, more)), style=_DIM)
    return body


def _behind(answer: Answer) -> Iterator[tuple[str, Text]]:
    for one in answer["solutions"][:MOST_SOLUTIONS]:
        lines = f"{one['lines']:,} line{'s' if one['lines'] > 1 else ''}" if one["lines"] else ""
        yield (
            "solution",
            _named(one["ref"], one["title"], ", ".join(filter(None, (one["state"], lines, one["provenance"])))),
        )
    if len(answer["solutions"]) > MOST_SOLUTIONS:
        yield "", Text(f"and {len(answer['solutions']) - MOST_SOLUTIONS} more", style=_DIM)


def _named(ref: str, title: str, more: str = "") -> Text:
    body = Text(plain(ref), style=_DIM)
    body.append(f" {plain(title)}" if title else "", style="default")
    body.append(f"  {plain(more)}" if more else "", style=_DIM)
    return body


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)
