"""The page on which one says what one expects, without anybody's number on it."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from whytree.engines.typed import number_of
from whytree.errors import WhytreeError
from whytree.tree.models import Hypothesis
from whytree.tree.pages.parts import find
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from . import queries, services
from .pictures import rows
from .sentences import blind_text, spread_text

FIELDS = ("low", "likely", "high")


@page(Role.MEMBER)
def predict(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """What the change is, which metric it moves, and three empty fields: the hypothesis' own numbers are not shown."""
    hypothesis = find(product, f"HYP-{number}", Hypothesis)
    if request.method != "POST":
        return _show(request, product, hypothesis, _sent_before(request, hypothesis))
    sent = {name: request.POST.get(name, "").strip() for name in FIELDS}
    try:
        low, likely, high = (_number(sent[name]) for name in FIELDS)
        services.predict(request.actor, hypothesis, low=low, likely=likely, high=high)
    except WhytreeError as error:
        return _show(request, product, hypothesis, sent, error)
    others = queries.table_of(request.actor, hypothesis).answers - 1
    rest = (
        "Below stands what the others expect."
        if others
        else "Nobody else has said yet; you may think again until then."
    )
    messages.success(request, f"Yours is noted. {rest}")
    return redirect(f"/p/{product.slug}/{hypothesis.solution.ref}#expected")


def _number(text: str) -> float:
    return number_of(text, f"“{text[:40]}” is no number. Write it as 2.5 or -1.")


def _sent_before(request: PageRequest, hypothesis: Hypothesis) -> dict[str, str]:
    """Nobody types twice: who wrote the hypothesis, or answered alone, finds their own numbers."""
    yours = queries.table_of(request.actor, hypothesis).yours
    if yours is not None:
        return {name: f"{getattr(yours, name):g}" for name in FIELDS}
    if request.actor.user_id is not None and queries.wrote(request.actor.user_id, hypothesis):
        return {name: f"{getattr(hypothesis, f'forecast_{name}'):g}" for name in FIELDS}
    return {}


def _show(
    request: PageRequest,
    product: Product,
    hypothesis: Hypothesis,
    sent: dict[str, str],
    error: WhytreeError | None = None,
) -> HttpResponse:
    table = queries.table_of(request.actor, hypothesis)
    unit = hypothesis.forecast_unit
    context = {
        "here": "changes",
        "hypothesis": hypothesis,
        "solution": hypothesis.solution,
        "table": table,
        "blind": blind_text(table),
        "rows": rows(table.said, unit) if table.answers else [],
        "spread": spread_text(table),
        "unit": hypothesis.get_forecast_unit_display(),
        "sent": sent,
        "error": error,
    }
    return render(request, "learning/predict.html", context, status=error.status if error else 200)
