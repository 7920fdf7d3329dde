"""The one way to the terminal. What people, commits and files say is data: control characters are shown, never obeyed.

    say(f"{node['ref']} {node['title']}")
    show(answer, as_json, "a line", "another")
    console().print(table)

A title may hold an escape sequence that moves the cursor, renames the window or writes into the clipboard. So nothing else
prints (`make check` refuses `typer.echo`, `rich.console.Console` and their like elsewhere), and a colour is an argument.
Imports Rich only when it draws.
"""

import json
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.progress import Progress, ProgressColumn
    from rich.segment import Segment

    Bars = Progress

# C0 but tab and line feed, DEL, C1, and what turns the direction of writing.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: object) -> str:
    """Text with every control character replaced by its visible sign; line breaks and tabs stay."""
    return _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "�", str(text))


def plain(text: object) -> str:
    """The same on one line."""
    return visible(re.sub(r"\s*[\r\n\t\u2028\u2029]+\s*", " ", str(text)))


def quoted(text: str, most: int = 100_000) -> str:
    """Somebody's own words on one line, between the only marks of their kind: nothing in them can end them early."""
    from whytree.engines.texts.words import cut

    inside = cut(plain(text), most).translate({ord("“"): "‘", ord("”"): "’"})
    return f"“{inside}”"


def say(text: object = "", *, bold: bool = False, colour: str = "", end: str = "\n", err: bool = False) -> None:
    """Print a line for a person."""
    shown = visible(text)
    if bold or colour:
        shown = typer.style(shown, bold=bold or None, fg=colour or None)
    stream = sys.stderr if err else sys.stdout
    # While a bar is drawn Rich stands in for the stream and puts what is printed above it; left to itself, click passes by.
    above = stream if hasattr(stream, "rich_proxied_file") else None
    typer.echo(shown + end, nl=False, err=err, file=above)


def tell(text: object, *, bold: bool = False, colour: str = "", indent: str = "", err: bool = False) -> None:
    """Print a sentence for a person: on a terminal it is broken between words, and goes on behind `indent`."""
    shown = str(text)
    if (sys.stderr if err else sys.stdout).isatty() and "\n" not in shown:
        import shutil
        from textwrap import fill

        width = max(shutil.get_terminal_size().columns, 20)
        shown = fill(shown, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    say(shown, bold=bold, colour=colour, err=err)


def show(data: Any, as_json: bool, *lines: str) -> None:
    """Print `data` as JSON, or the lines a person reads."""
    if as_json:
        print_json(data)
        return
    for line in lines:
        say(line)


def print_json(data: Any) -> None:
    """Print for a program; what a terminal would obey is escaped, and means the same."""
    import msgspec.json  # indents ten times as fast, and is not needed to say --help

    text = msgspec.json.format(json.dumps(data, ensure_ascii=False), indent=2)
    typer.echo(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def pour(text: str) -> None:
    """A patch or the like: to a file or a pipe exactly these characters, on a terminal only what it shows and never obeys."""
    typer.echo(visible(text) if sys.stdout.isatty() else text, nl=False)


def ask(question: str, *, err: bool = False) -> str:
    """What the person at the terminal answers; empty when they only press Enter."""
    return str(typer.prompt(visible(question), default="", show_default=False, err=err)).strip()


def agrees(question: str) -> bool:
    """Yes or no; Enter is yes."""
    return typer.confirm(visible(question), default=True)


def console(*, err: bool = False) -> "Console":
    """Rich's console, in which only Rich itself may say what is obeyed."""
    return _console_class()(stderr=err, highlight=False)


def bars(*columns: "str | ProgressColumn", quiet: bool = False, transient: bool = True) -> "Bars":
    """Progress on a terminal; nothing where nobody looks."""
    from rich.progress import Progress

    hidden = quiet or not sys.stderr.isatty()
    return Progress(*columns, console=console(err=True), disable=hidden, transient=transient)


@cache
def _console_class() -> "type[Console]":
    from rich.console import Console

    class VisibleConsole(Console):
        def render(self, renderable: "RenderableType", options: "ConsoleOptions | None" = None) -> "Iterable[Segment]":
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=visible(segment.text))

    return VisibleConsole
