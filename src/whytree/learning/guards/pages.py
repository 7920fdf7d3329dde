"""What is done about a guard, from the solution's page."""

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from whytree.errors import WhytreeError
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from . import queries, services


@require_POST
@page(Role.MEMBER)
def change(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """Watch again, or end it with a reason."""
    guard = queries.find_guard(product, f"REV-{number}")
    try:
        if request.POST.get("how") == "end":
            services.end_guard(request.actor, guard, reason=request.POST.get("reason", ""))
        else:
            services.restart_guard(request.actor, guard)
    except WhytreeError as error:
        messages.error(request, error.message)
    return redirect(f"/p/{product.slug}/{guard.review.hypothesis.solution.ref}#guard")
