"""What everybody did in a product."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from whytree.errors import Conflict
from whytree.workspace import queries
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.records import activity as trail
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from .attempt import done

PAGE_SIZE = 100


@require_safe
@page(Role.VIEWER)
def activity(request: PageRequest, product: Product) -> HttpResponse:
    """Newest first, of everybody or of one person."""
    return _activity_page(request, product)


def _activity_page(request: PageRequest, product: Product, error: str = "") -> HttpResponse:
    by = request.GET.get("by", "")
    found = queries.activities_of(product, user_id=int(by) if by.isdecimal() and len(by) < 10 else None)
    shown = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    may_undo = may(request.actor, product, Role.MEMBER)
    context = {
        "here": "activity",
        "shown": shown,
        "runs": queries.runs(queries.entries(list(shown.object_list))),
        "members": queries.members_of(product),
        "by": by,
        "undoable": trail.last_undoable(request.actor, product) if may_undo else None,
        "error": error,
    }
    return render(request, "workspace/activity.html", context, status=400 if error else 200)


@require_POST
@page(Role.MEMBER)
def undo(request: PageRequest, product: Product, activity_id: int) -> HttpResponse:
    """Take back one's last act."""
    try:
        taken_back = trail.undo(request.actor, product, activity_id)
    except Conflict as error:
        return _activity_page(request, product, error.message)
    return done(request, f"Taken back: {taken_back.subject_label} is as it was before.", "activity", product.slug)
