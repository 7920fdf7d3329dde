"""Form friction on a page: the forms there are, and one form as a funnel of its fields."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.engines.figures import percent
from whytree.errors import Invalid, NotFound
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from ..answers.head import SOURCE
from ..downloads import as_csv, as_picture
from ..drawing.charts import form_picture
from .links import addresses
from .queries import NAMELESS, USUAL_DAYS, FormSeen, form_friction, forms_seen

PERIODS = (7, 28, 90)


@require_GET
@page(Role.VIEWER)
def forms(request: PageRequest, product: Product) -> HttpResponse:
    """Every form that people met; with `?form=` one of them."""
    context: dict[str, Any] = {"here": "numbers", "periods": PERIODS, "days": _days(request), "error": None}
    if "form" in request.GET:
        try:
            friction = form_friction(product, request.GET["form"], days=context["days"])
            form = friction.form.met.form
            context |= {"friction": friction, "source": SOURCE}
            context["rows"] = [(field, addresses(product, form, field.met, friction.days)) for field in friction.fields]
            return render(request, "analytics/form.html", context)
        except NotFound as error:
            context["error"] = error
    found = forms_seen(product, days=context["days"])
    address = settings.WHYTREE.public_url or request.build_absolute_uri("/").rstrip("/")
    return render(
        request,
        "analytics/forms.html",
        {**context, "forms": found, "sentence": _sentence(found), "address": address, "nameless": NAMELESS},
    )


@require_GET
@page(Role.VIEWER)
def form_csv(request: PageRequest, product: Product) -> HttpResponse:
    """The figures of a form's fields."""
    found = form_friction(product, request.GET.get("form", ""), days=_days(request))
    names = ("shown", "reached", "corrected", "refused", "left", "seconds", "low", "high", "timed")
    rows = [[one.name, *(getattr(one.met, name) for name in names)] for one in found.fields]
    return as_csv("form", [("field", *names), *rows])


@require_GET
@page(Role.VIEWER)
def form_drawn(request: PageRequest, product: Product, form: str) -> HttpResponse:
    """Its bars, as a file."""
    found = form_friction(product, request.GET.get("form", ""), days=_days(request))
    return as_picture("form", form, form_picture(found, form))


def _days(request: PageRequest) -> int:
    text = request.GET.get("days", str(USUAL_DAYS))
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        raise Invalid("days is a whole number, as 28.")
    return int(text)


def _sentence(found: list[FormSeen]) -> str:
    if not found:
        return "No form was met yet."
    begun = [one for one in found if one.finished is not None]
    if not begun:
        return f"{len(found)} form{'s were' if len(found) > 1 else ' was'} filled in."
    worst = min(begun, key=lambda one: one.finished.value if one.finished else 1.0)
    share = worst.finished.value if worst.finished else 0.0
    return f"Of those who begin {worst.title}, {percent(share)} finish it."
