"""Guides as pages: the list, and one with what the lint says of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.engines.voices.questions import lint_guide
from whytree.errors import Invalid, NotFound, WhytreeError
from whytree.voice.models import Guide
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from .. import services
from ..models import GUIDE_NAME
from ..services.guides import GUIDE_LENGTH

FIRST = """Tell me about the last time you …
What happened then?
What made that hard?
What did you do in the end?
What else should I have asked?"""


@require_GET
@page(Role.VIEWER)
def guides(request: PageRequest, product: Product) -> HttpResponse:
    found = [(guide, lint_guide(guide.questions)) for guide in Guide.objects.filter(product=product)]
    context = {"here": "voices", "guides": found, "may_write": may_write(request.actor, product)}
    return render(request, "voice/guides.html", context)


@require_http_methods(["GET", "POST"])
@page(Role.VIEWER)
def guide(request: PageRequest, product: Product, pk: int = 0) -> HttpResponse:
    """One guide, or a new one: read it, look at it, keep it."""
    found = _find(product, pk) if pk else None
    name = request.POST.get("name", found.name if found else "")
    questions = request.POST.get("questions", found.questions if found else FIRST)[: GUIDE_LENGTH + 1]
    error: WhytreeError | None = None
    if request.method == "POST" and "look" not in request.POST:
        try:
            kept = services.write_guide(request.actor, product, found.name if found else name, questions)
        except Invalid as refused:
            error = refused
        else:
            messages.success(request, f"“{kept.name}” is kept.")
            return redirect("guide", product.slug, kept.pk)
    shown = found is not None or request.method == "POST"
    context = {
        "here": "voices",
        "guide": found,
        "name": name,
        "questions": questions,
        "lines": list(enumerate(questions.splitlines(), start=1)),
        "findings": lint_guide(questions) if shown else (),
        "linted": shown,
        "name_length": GUIDE_NAME,
        "length": GUIDE_LENGTH,
        "may_write": may_write(request.actor, product),
        "error": error,
    }
    return render(request, "voice/guide.html", context, status=error.status if error else 200)


@require_POST
@page(Role.MEMBER)
def remove_guide(request: PageRequest, product: Product, pk: int) -> HttpResponse:
    found = _find(product, pk)
    services.remove_guide(request.actor, found)
    messages.success(request, f"“{found.name}” is out. The activity list can bring it back.")
    return redirect("guides", product.slug)


def _find(product: Product, pk: int) -> Guide:
    found = Guide.objects.filter(product=product, pk=pk).first()
    if found is None:
        raise NotFound("There is no such guide. It may have been taken out.")
    return found
