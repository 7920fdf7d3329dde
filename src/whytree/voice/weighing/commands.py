"""Weighed opportunities on the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("opportunity").command("weigh")(weigh)


def weigh(
    by: Annotated[str, typer.Option(help="In the order of votes, people, revenue or prevalence.")] = "people",
    revenue_trait: Annotated[str, typer.Option(help="From now on this trait of people says what they pay.")] = "",
    as_json: AsJson = False,
) -> None:
    """Opportunities by votes, people, revenue and measured prevalence side by side, and where these disagree."""
    client = connect()
    if revenue_trait:
        client.put(f"/products/{client.product}/weighed/revenue-trait", {"trait": revenue_trait})
    found = client.get(f"/products/{client.product}/weighed", by=by)
    if not found["opportunities"]:
        show(found, as_json, "Nothing to weigh yet: link a voice to an opportunity, or give one a struggle signal.")
        return
    lines = [f"{'':8} {'votes':>13} {'people':>13} {'revenue':>17} {'have it':>22}"]
    for one in found["opportunities"]:
        lines += [_line(one), f"         {one['title']}"]
    lines += ["", *(f"{one['opportunity']}: {one['sentence']}." for one in found["disagreements"])]
    show(found, as_json, *lines)


def _line(one: dict[str, Any]) -> str:
    places = one["places"]
    share = one["prevalence"]
    measured = f"{share['share']:.1%} ({share['low']:.1%}-{share['high']:.1%})" if share else "-"
    revenue = "-" if one["revenue"] is None else f"{one['revenue']:,.0f}"
    cells = (("votes", f"{one['votes']:,}", 8), ("people", f"{one['people']:,}", 8), ("revenue", revenue, 12))
    shown = " ".join(f"{value:>{width}} {_place(places.get(name))}" for name, value, width in cells)
    return f"{one['opportunity']:8} {shown} {measured:>17} {_place(places.get('prevalence'))}"


def _place(place: int | None) -> str:
    return f"#{place:<3}" if place else "    "
