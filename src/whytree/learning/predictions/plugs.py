"""Where predictions show: on the solution's page, and on Today of whoever has not said theirs."""

from typing import Any

from whytree.learning import queries as reviews
from whytree.learning.reviews.results import Result
from whytree.tree.models import Solution
from whytree.tree.queries import hypotheses_of
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Panel, on_fact, plug_panel

from . import queries, services
from .pictures import rows
from .queries import Table
from .sentences import blind_text, spread_text

MOST_WANTED = 3


def plug() -> None:
    on_fact("hypothesis_changing", services.refuse_after_seeing)
    on_fact("act_undone", services.refuse_undo_after_seeing)
    plug_panel("solution", expected_panel, order=9)
    plug_panel("today", wanted_panel, order=60)


def expected_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """What each role expects; the question to those who have not said it yet."""
    hypotheses = [one for one in hypotheses_of(solution) if not one.is_closed]
    results = {review.hypothesis_id: reviews.result_of(review) for review in reviews.reviews_of_one(solution)}
    tables = queries.tables_of(actor, hypotheses, results)
    shown = [shown_table(one, results.get(one.hypothesis.pk)) for one in tables if one.answers or one.may_say]
    if not shown:
        return None
    title = (
        "What each of us expects" if any(not one.is_locked for one in hypotheses) else "What each of us had expected"
    )
    return Panel(title, "learning/_expected_panel.html", {"expected": shown})


def shown_table(table: Table, result: Result | None) -> dict[str, Any]:
    """A table ready for its template."""
    unit = table.hypothesis.forecast_unit
    measured = result.forecast.measured if result is not None else None
    return {
        "table": table,
        # the hypothesis' own range stands above; alone it says nothing new
        "rows": rows(table.said, unit, measured) if table.answers else [],
        "scored": any(one.score for one in table.said),
        "spread": spread_text(table),
        "blind": blind_text(table),
    }


def wanted_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Changes being built of which this person has not said what they expect."""
    if actor.user_id is None or not may_write(actor, product):
        return None
    wanted = list(queries.wanted_from(actor.user_id, product)[:MOST_WANTED])
    if not wanted:
        return None
    return Panel("Before it opens: what do you expect?", "learning/_wanted_panel.html", {"wanted": wanted})
