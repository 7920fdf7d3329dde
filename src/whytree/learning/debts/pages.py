"""Debts on pages: the list, and what is done about one."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from whytree.errors import WhytreeError
from whytree.tree.models import Solution
from whytree.tree.pages.parts import find
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from . import queries, services


@page()
def debts(request: PageRequest, product: Product) -> HttpResponse:
    """Every corner that was cut, those to be paid now first."""
    found = queries.list_debts(product)
    due = [debt for debt in found if debt.state == "due"]
    waiting = [debt for debt in found if debt.state == "waiting"]
    context = {
        "here": "changes",
        "due": due,
        "waiting": waiting,
        "closed": [debt for debt in found if debt.closing],
        "sentence": _sentence(len(due), len(waiting)),
        "may_write": may_write(request.actor, product),
    }
    return render(request, "learning/debts.html", context)


def _sentence(due: int, waiting: int) -> str:
    if due:
        return "One debt is due now." if due == 1 else f"{due} debts are due now."
    if waiting:
        return "No debt is due yet: " + ("one waits" if waiting == 1 else f"{waiting} wait") + " for a verdict."
    return "There is no debt to pay."


@require_POST
@page(Role.MEMBER)
def add(request: PageRequest, product: Product) -> HttpResponseBase:
    """From the solution's page."""
    solution = find(product, request.POST.get("solution", ""), Solution)
    try:
        debt = services.add_debt(request.actor, solution, text=request.POST.get("text", ""))
    except WhytreeError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{debt.ref} is noted. {debt.says}")
    return redirect(f"/p/{product.slug}/{solution.ref}#debts")


@require_POST
@page(Role.MEMBER)
def close(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """Pay it, or say why it need not be paid."""
    debt = queries.find_debt(product, f"DEBT-{number}")
    reason = request.POST.get("reason", "")
    try:
        if request.POST.get("how") == "drop":
            services.drop_debt(request.actor, debt, reason=reason)
        else:
            services.pay_debt(request.actor, debt, note=reason)
    except WhytreeError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{debt.ref} is closed.")
    back = request.POST.get("from", "")
    return redirect(f"/p/{product.slug}/debts" if back == "debts" else f"/p/{product.slug}/{debt.solution.ref}#debts")
