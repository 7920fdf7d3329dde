"""`whytree coverage`: what a clone's lines rest on, read first where there is anything new, and printed."""

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from whytree.code.clone.git import Clone, open_clone
from whytree.code.commands import read_clone
from whytree.code.scanning.reading_all import keep_point
from whytree.code.scanning.telling import find_registered
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.printing import console, plain

_BAR = 20
# A sign and a colour each, so that neither is needed.
_SIGNS = (
    ("measured", "█", "green", "measured outcome"),
    ("tested", "▓", "blue", "test"),
    ("voices", "▒", "magenta", "users' words"),
    ("ticket", "░", "default", "ticket"),
    ("unexplained", "·", "yellow", "unexplained"),
)
_MOST_AREAS = 40


def cover(client: Client, path: str, *, repository: str, sync: bool, as_json: bool) -> dict[str, Any]:
    """The answer for a path of this machine, or with `repository` for one of a repository that was read in."""
    if repository:
        return _asked(client, repository, path)
    place = Path(path)
    clone = open_clone(place if place.exists() else Path())
    known = _registered(client, clone)
    if sync and (known["head"] != clone.head or not known["files"]):
        read_clone(client, clone, known, quiet=as_json)
        keep_point(client, known)
    return _asked(client, known["name"], _within(clone, place))


def _registered(client: Client, clone: Clone) -> dict[str, Any]:
    found = find_registered(client, clone)
    if found is None:
        raise CommandError(f"{clone.root.name} is not registered yet. Add it: whytree repository add {clone.root}")
    return found


def _within(clone: Clone, place: Path) -> str:
    inside = place.resolve().relative_to(clone.root.resolve()) if place.exists() else place
    return "" if inside == Path() else inside.as_posix()


def _asked(client: Client, repository: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/products/{client.product}/coverage", repository=repository, within=path)
    return found


def print_coverage(answer: dict[str, Any]) -> None:
    """Two sentences, then a line for each folder and file, the largest first."""
    out = console()
    for sentence in answer["sentences"]:
        out.print(Text(plain(sentence), style="bold"))
    out.print()
    room = max(12, min(44, out.width - _BAR - 40))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, max_width=room)
    grid.add_column(no_wrap=True, min_width=_BAR)
    for width in (9, 9, 7):
        grid.add_column(justify="right", no_wrap=True, min_width=width)
    grid.add_column(no_wrap=True, min_width=3)
    changed = "changes" if any(area["recent_changes"] for area in answer["areas"]) else ""
    grid.add_row(*(Text(word, style="dim") for word in ("", "", "explained", "lines", changed, "")))
    for area in answer["areas"][:_MOST_AREAS]:
        name = plain(area["name"]) + ("" if area["is_file"] else "/")
        grid.add_row(
            Text(name if len(name) <= room else f"{name[: room - 1]}…"),
            _bar(area),
            f"{100 * area['explained'] / area['lines']:.0f} %" if area["lines"] else "",
            f"{area['lines']:,}",
            f"{area['recent_changes']:,}" if area["recent_changes"] else "",
            Text("hot", style="red") if area["is_hot"] else "",
        )
    out.print(grid)
    if len(answer["areas"]) > _MOST_AREAS:
        out.print(f"and {len(answer['areas']) - _MOST_AREAS:,} smaller ones (--json has them all)")
    out.print()
    out.print(Text("  ").join(Text(f"{sign} {word}", style=colour) for _, sign, colour, word in _SIGNS))
    if changed:
        out.print(Text("changes: in 90 days; hot: changes much and is deeply nested", style="dim"))
    for sentence in answer["left_out"]:
        out.print(Text(plain(sentence), style="dim"))


def _bar(area: dict[str, Any]) -> Text:
    """Cells by rung: whoever has any line has a share of the bar that adds up."""
    bar, filled, seen = Text(), 0, 0
    for rung, sign, colour, _ in _SIGNS:
        seen += area["by_rung"][rung]
        upto = round(_BAR * seen / area["lines"]) if area["lines"] else 0
        bar.append(sign * (upto - filled), style=colour)
        filled = upto
    return bar
