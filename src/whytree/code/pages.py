"""Form fields: what each costs people, and whether code reads it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.errors import Unavailable
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .references.form_fields import USUAL_DAYS, FormField, form_fields


@require_GET
@page(Role.VIEWER)
def fields(request: PageRequest, product: Product) -> HttpResponse:
    """Every field that events speak of, those that nobody reads first."""
    try:
        found = form_fields(product)
    except Unavailable:
        found = None
    context = {"here": "numbers", "fields": found, "days": USUAL_DAYS, "sentence": _sentence(found)}
    return render(request, "code/fields.html", context)


def _sentence(found: list[FormField] | None) -> str:
    if found is None:
        return "The event store does not answer at the moment."
    if not found:
        return "No event speaks of a form field yet."
    unread = [one for one in found if one.verdict == "nobody" and one.people]
    if not unread:
        return f"{len(found)} form {'field is' if len(found) == 1 else 'fields are'} filled in; of none is it sure that nobody reads it."
    one = unread[0]
    takes = f" takes {one.seconds:.0f} s (median), and" if one.seconds is not None else " is filled in, and"
    more = f" Nor of {len(unread) - 1} more." if len(unread) > 1 else ""
    return f"{one.name}{takes} no code reads it.{more}"
