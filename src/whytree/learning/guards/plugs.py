"""Where guards show: on the solution's page, and on Today once one broke."""

from typing import Any

from whytree.tree.models import Solution
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Panel, on_fact, plug_doubt, plug_panel

from . import queries, services


def plug() -> None:
    on_fact("solution_moved", services.follow_solution)
    plug_doubt(gains_gone)
    plug_panel("solution", solution_panel, order=44)
    plug_panel("today", today_panel, order=1)


def gains_gone(product: Product) -> dict[int, str]:
    """Solutions that were kept for a gain which is gone."""
    return {
        guard.review.hypothesis.solution_id: f"its gain is gone ({guard.review.ref})"
        for guard in queries.broken_guards(product)
    }


def solution_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """The check that its gain is still there."""
    guards = queries.guards_of([solution])
    if not guards:
        return None
    broken = any(guard.state == "broken" for guard in guards)
    context = {"guards": [_shown(guard) for guard in guards], "with_solution": False}
    return Panel(
        "Is it still so?", "learning/_guards_panel.html", context, column="aside", tone="red" if broken else ""
    )


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Gains that are gone, with what changed since they were there."""
    broken = list(queries.broken_guards(product))
    if not broken:
        return None
    one = len(broken) == 1
    says = "A gain that was kept is gone." if one else f"{len(broken)} gains that were kept are gone."
    context = {"guards": [_shown(guard) for guard in broken], "with_solution": True}
    return Panel("It does not hold any more", "learning/_guards_panel.html", context, tone="red", headline=says)


def _shown(guard: Any) -> dict[str, Any]:
    broken = guard.state == "broken"
    return {"guard": guard, "says": queries.says(guard), "since": queries.since_fine(guard) if broken else None}
