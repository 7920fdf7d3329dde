"""The page that looks forward, beside the one that asks why."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.errors import Invalid, NotFound
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from ..examples import improve_examples
from ..refs import NotAReference
from . import improving


@require_GET
@page(Role.VIEWER)
def improve(request: PageRequest, product: Product) -> HttpResponse:
    """How a place in the code or the product could be better."""
    typed = request.GET.get("q", "").strip()[:400]
    if not typed:
        return render(request, "why/improve.html", {"typed": "", "examples": improve_examples(product)})
    try:
        ahead = improving.improve(product, None, improving.parse_place(typed))
    except (NotAReference, Invalid, NotFound) as error:
        return render(request, "why/improve.html", {"typed": typed, "problem": str(error)}, status=404)
    return render(request, "why/improve.html", {"typed": typed, "ahead": ahead})
