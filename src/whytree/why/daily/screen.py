"""`daily` on one terminal screen, two minutes long."""

from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from whytree.engines.texts.words import cut
from whytree.workspace.terminal import printing
from whytree.workspace.terminal.printing import plain

from ..asking.screen import Answer, day

_DIM, _WAITS = "dim", "yellow"
_WORDS = {"review": "verdict", "guard": "guardrail"}


def print_daily(answer: Answer) -> None:
    """Print it, as wide as the terminal is."""
    console = printing.console()
    console.print(Text(plain(answer["sentence"]), style="bold"))
    for one in answer["voices"]:
        console.print()
        console.print(Padding(_voice(one), (0, 0, 0, 2)))
    if answer["waiting"]:
        console.print()
    console.print(_waiting(answer["waiting"]))
    if answer["more_waiting"]:
        console.print(Text(f"and {answer['more_waiting']} more, on Today", style=_DIM))
    if answer["hint"]:
        console.print()
        console.print(Text(plain(answer["hint"]), style=_DIM))


def _voice(one: Answer) -> Text:
    body = Text(f"“{plain(one['words'])}”", style="italic")
    said = [plain(one["who"]) or "somebody", day(one["said_at"]), plain(one["source"]), plain(one["reason"])]
    body.append(
        "\n" + " · ".join(filter(None, said)) + (f" · {plain(one['ref'])}" if one["ref"].startswith("FB-") else ""),
        style=_DIM,
    )
    return body


def _waiting(waiting: Sequence[Answer]) -> Table:
    """What waits, in columns: words that go on below stay behind their kind."""
    grid = Table.grid(padding=(0, 2))
    for one in waiting:
        body = Text(cut(plain(one["text"]), 200))
        body.append(f"  since {day(one['since'])}", style=_DIM)
        grid.add_row(Text(_WORDS.get(one["kind"]) or one["kind"], style=_WAITS), Text(one["ref"], style=_DIM), body)
    return grid


def digest_lines(answer: Answer) -> list[str]:
    """The five lines as they are mailed."""
    lines = [plain(answer["subject"]), ""] if answer["lines"] else ["Nothing to say this week, so nothing is sent."]
    for one in answer["lines"]:
        lines += [f"{plain(one['label'])}: {plain(one['text'])}", f"  {plain(one['url'])}"]
    if answer["sent_to"]:
        lines += ["", f"Sent to {plain(answer['sent_to'])}."]
    return lines
