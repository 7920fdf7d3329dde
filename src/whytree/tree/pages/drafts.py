"""Yes, no, or better words for a draft."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from whytree.errors import Conflict, Invalid
from whytree.tree import services
from whytree.tree.queries import find_draft
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role


@require_POST
@page(Role.MEMBER)
def confirm(request: PageRequest, product: Product, pk: int) -> HttpResponse:
    """It becomes a node, and that is where one goes on."""
    draft = find_draft(product, pk)
    try:
        node = services.confirm_draft(request.actor, draft)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect(_drafts(product))
    messages.success(request, f"{node.ref} stands in the tree: {node.title}")
    return redirect(_drafts(product))


@require_POST
@page(Role.MEMBER)
def discard(request: PageRequest, product: Product, pk: int) -> HttpResponse:
    """It goes, and does not come back."""
    try:
        services.discard_draft(request.actor, find_draft(product, pk))
    except Conflict as error:
        messages.error(request, error.message)
    return redirect(_drafts(product))


@require_POST
@page(Role.MEMBER)
def edit(request: PageRequest, product: Product, pk: int) -> HttpResponse:
    """Better words, which stay."""
    try:
        services.edit_draft(request.actor, find_draft(product, pk), title=request.POST.get("title", ""))
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    return redirect(f"{_drafts(product)}")


def _drafts(product: Product) -> str:
    return reverse("tree", args=[product.slug]) + "#drafts"
