"""Themes of a file on the terminal: how many, how large, and a voice for each."""

from rich.table import Table
from rich.text import Text

from whytree.workspace.terminal import printing
from whytree.workspace.terminal.printing import plain

from .files import FileThemes

SHOWN = 40
NUMBER, LABEL = 5, 36
"""Columns of the terminal that a number and a label take; the quote has what is left."""


def print_themes(answer: FileThemes, name: str) -> None:
    """Print it, as wide as the terminal is."""
    console = printing.console()
    themes, rows = answer.found.themes, answer.texts.rows
    console.print(Text(f"{len(themes):,} themes in {len(rows):,} rows of {plain(name)}", style="bold"))
    console.print(Text(_left_over(answer), style="dim"))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    table.add_column("rows", justify="right", no_wrap=True, min_width=NUMBER)
    table.add_column("", justify="right", no_wrap=True, min_width=NUMBER)
    table.add_column("theme", no_wrap=True, overflow="ellipsis", min_width=LABEL)
    table.add_column("as one of them says", no_wrap=True, overflow="ellipsis", ratio=1)
    for theme in themes[:SHOWN]:
        quote = answer.quotes(theme.quotes[:1])
        table.add_row(
            f"{theme.size:,}",
            Text(f"{theme.size / len(rows):.1%}", style="dim"),
            Text(plain(theme.label)),
            Text(plain(quote[0]) if quote else "", style="italic"),
        )
    console.print(table)
    if len(themes) > SHOWN:
        rest = sum(theme.size for theme in themes[SHOWN:])
        console.print(
            Text(f"\n{len(themes) - SHOWN:,} smaller ones hold {rest:,} rows more; --json has them all.", style="dim")
        )


def _left_over(answer: FileThemes) -> str:
    """What is in no theme, and why."""
    faults, empty = len(answer.texts.faults), answer.empty
    alone = answer.found.left_over - faults - empty
    parts = [
        f"{alone:,} in no theme" if alone else "",
        f"{empty:,} without a text" if empty else "",
        f"{faults:,} unreadable ({next(iter(answer.texts.faults.values()))})" if faults else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"Column “{plain(answer.texts.column)}”; machine-made. {plain(said) or 'Every row is in one'}."
