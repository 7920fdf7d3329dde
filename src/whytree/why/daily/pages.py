"""Voices from people your code touched, on Today."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .answer import show_others


@require_POST
@page(Role.VIEWER)
def others(request: PageRequest, product: Product) -> HttpResponse:
    """These are read: the next ones."""
    show_others(request.actor, product)
    return redirect("today", product.slug)
