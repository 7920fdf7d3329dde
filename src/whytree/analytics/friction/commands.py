"""`whytree ask form`: where a form hurts."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("ask").command("form")(ask_form)


def ask_form(
    name: Annotated[str, typer.Argument(help="Name of the form; without it, the forms there are.")] = "",
    days: Annotated[int, typer.Option(help="How many days back.")] = 28,
    as_json: AsJson = False,
) -> None:
    """Where does a form hurt? Field by field: who reached it, seconds, corrections, errors, and who left there."""
    client = connect()
    if not name:
        forms = client.get(f"/products/{client.product}/forms", days=days)
        lines = [f"{each['people']:>8,}  {_percent(each['finished']):>18}  {each['form']}" for each in forms]
        show(forms, as_json, *(["  people            finished", *lines] if lines else ["No form was met yet."]))
        return
    found = client.get(f"/products/{client.product}/forms/friction", form=name, days=days)
    show(found, as_json, found["sentence"], *_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    rows = found["by_field"]
    width = min(max((len(row["field"]) for row in rows), default=5), 32)
    head = f"{'field':{width}}  {'reached':>9}  {'seconds':>8}  {'corrected':>18}  {'errors':>18}  {'left here':>18}"
    return [head, *(_line(row, width) for row in rows)]


def _line(row: dict[str, Any], width: int) -> str:
    seconds = f"{row['seconds']:.1f}" if row["seconds"] is not None else "–"
    shares = "  ".join(f"{_percent(row[name]):>18}" for name in ("corrected", "refused", "left"))
    unread = "  no code reads it" if row["verdict"] == "nobody" else ""
    return f"{row['field'][:width]:{width}}  {row['reached']:>9,}  {seconds:>8}  {shares}{unread}"


def _percent(part: dict[str, Any] | None) -> str:
    if part is None:
        return "–"
    return f"{part['value']:.0%} ({part['low']:.0%} to {part['high']:.0%})"
