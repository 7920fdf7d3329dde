"""The page for those who would rather write SQL: its answer, and what there is to ask of."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from whytree.errors import WhytreeError
from whytree.events.queries import property_names
from whytree.stores.questions.typed_sql import COLUMNS, MOST_ROWS, run_typed
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from ..downloads import as_csv
from ..queries import MOST_OFFERED, known_events

EXAMPLE = "SELECT event, count() AS times, uniqExact(person) AS people\nFROM events\nGROUP BY event\nORDER BY times DESC\nLIMIT 20"


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def typed(request: PageRequest, product: Product) -> HttpResponseBase:
    """One SELECT over this product's events. Sent by POST, so that no text of it stands in a log."""
    text = request.POST.get("sql", "") if request.method == "POST" else ""
    context: dict[str, Any] = {
        "here": "numbers",
        "kind": "sql",
        "sql": text or EXAMPLE,
        "columns": [(names.split(", "), words) for names, words in COLUMNS.items()],
        "events": known_events(product, MOST_OFFERED),
        "properties": property_names(product, most=MOST_OFFERED),
        "most": MOST_ROWS,
    }
    if not text:
        return render(request, "analytics/sql.html", context)
    try:
        found = run_typed(product.pk, text)
    except WhytreeError as error:
        return render(request, "analytics/sql.html", context | {"error": error}, status=error.status)
    if request.POST.get("form") == "csv":
        return as_csv("answer", [found.columns, *found.rows])
    return render(request, "analytics/sql.html", context | {"found": found})
