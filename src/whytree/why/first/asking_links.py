"""Ask about links at a terminal: one key each. y it is so, n it is not, s skip, q stop."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from whytree.workspace.terminal import printing
from whytree.workspace.terminal.client import Client
from whytree.workspace.terminal.printing import plain

from ..asking.screen import day

if TYPE_CHECKING:
    from rich.console import Console  # noqa: TID251 - a type only: `printing.console` makes it

KEYS = {"y": "yes", "n": "no", "s": "skip", "q": "stop"}
_DIM = "dim"


def ask_links(client: Client, links: Sequence[dict[str, Any]], console: "Console | None" = None) -> int:
    """Ask one after the other, tell the server each answer at once; how many were answered."""
    console = console or printing.console()
    count = "One link carries" if len(links) == 1 else f"{len(links)} links carry"
    console.print(Text(f"{count} the most lines. Is each right?   y yes · n no · s skip · q stop", style="bold"))
    answered = 0
    for number, one in enumerate(links, 1):
        console.print()
        console.print(_drawn(number, len(links), one))
        key = _key(console)
        if key == "q":
            break
        if key in "yn":
            body = {name: one[name] for name in ("sha", "kind", "key", "tracker")} | {"right": key == "y"}
            client.post(f"/products/{client.product}/links/answer", body)
            answered += 1
    rest = len(links) - answered
    console.print(
        Text(f"{answered} answered." + (" The others wait: whytree init --confirm" if rest else ""), style=_DIM)
    )
    return answered


def print_links(links: Sequence[dict[str, Any]], console: "Console | None" = None) -> None:
    """The same without asking, where nobody sits at a keyboard."""
    console = console or printing.console()
    console.print(Text("The links that carry the most lines; confirm them with: whytree init --confirm", style="bold"))
    for one in links:
        console.print(
            Text(f"  {one['share']:>4}  {one['short']} {_cut(plain(one['subject']), 46)}  →  {plain(one['key'])} ")
            .append(_cut(plain(one["title"]), 50))
            .append(f"  inferred: {one['rule']} ({one['score']:g})", style="yellow")
        )


def _drawn(number: int, count: int, one: dict[str, Any]) -> Padding:
    body = Text()
    body.append(f"{number}/{count}  ", style=_DIM)
    body.append(f"{one['short']} {plain(one['subject'])}")
    body.append(
        f"  {plain(one['author'])} · {day(one['authored_at'])} · {one['lines']:,} lines, {one['share']}", style=_DIM
    )
    body.append("\nis for ", style=_DIM)
    body.append(f"{plain(one['key'])} {plain(one['title'])}", style="cyan")
    body.append(f"  inferred: {one['rule']} ({one['score']:g})", style="yellow")
    if one["words"]:
        body.append(f"\n“{_cut(plain(one['words']), 200)}”", style="italic")
        body.append(f"  {plain(one['who'])}", style=_DIM)
    return Padding(body, (0, 0, 0, 2))


def _key(console: "Console") -> str:
    """One of the keys; the end of the input stops."""
    while True:
        console.print(Text("  y/n/s/q ", style="bold"), end="")
        typed = read_key()
        console.print(Text(KEYS.get(typed, ""), style=_DIM))
        if typed in KEYS:
            return typed


def read_key() -> str:
    """One key press where the terminal can give it, else the first letter of a line; "q" at the end of the input."""
    import termios
    import tty

    try:
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (termios.error, OSError, ValueError):  # no terminal
        line = sys.stdin.readline()
        return line.strip()[:1].lower() if line else "q"
    try:
        tty.setcbreak(descriptor, termios.TCSADRAIN)  # what was typed ahead counts
        typed = sys.stdin.read(1)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
    return typed.lower() if typed and typed != "\x04" else "q"


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"
