"""Where debts show: on the solution's page, and once they are due on Today; they follow what becomes of the solution."""

from typing import Any

from whytree.learning.models import Debt
from whytree.tree.models import Solution
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Panel, on_fact, plug_panel

from . import queries, services

MOST_SHOWN = 5


def plug() -> None:
    on_fact("solution_moved", services.follow_solution)
    plug_panel("solution", solution_panel, order=45)
    plug_panel("today", today_panel, order=20)


def solution_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """Its corners, and the line on which to write one down."""
    debts = sorted(Debt.objects.filter(solution=solution).select_related("product", "solution"), key=queries.urgency)
    may_add = may_write(actor, product) and solution.state not in services.GONE
    if not debts and not may_add:
        return None
    is_due = any(debt.state == "due" for debt in debts)
    context = {"debts": debts, "solution": solution, "may_add": may_add, "from": "solution"}
    return Panel(
        "Corners we cut", "learning/_debts_panel.html", context, column="aside", tone="amber" if is_due else ""
    )


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """What has to be paid now, because its change stays."""
    due = list(queries.due_debts(product))
    if not due:
        return None
    says = "One debt fell due." if len(due) == 1 else f"{len(due)} debts fell due."
    context = {"debts": due[:MOST_SHOWN], "more": len(due) - MOST_SHOWN}
    return Panel("To be mended: it stays", "learning/_debts_today.html", context, tone="amber", headline=says)
