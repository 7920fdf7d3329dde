"""The products one belongs to, and one product's own settings."""

from zoneinfo import available_timezones

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from whytree.workspace import queries, services
from whytree.workspace.entry.doors import PageRequest, page, signed_in
from whytree.workspace.models import Product
from whytree.workspace.rights.access import role_of
from whytree.workspace.rights.roles import Role

from .attempt import Attempt, done


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def products(request: PageRequest) -> HttpResponse:
    """All products one is a member of, and a form for a new one."""
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            made = services.create_product(
                request.actor, name=request.POST.get("name", ""), vision=request.POST.get("vision", "")
            )
            return done(request, f"{made.name} is here. Bring events and voices next.", "today", made.slug)
    return attempt.page(
        "workspace/products.html", {"here": "products", "memberships": queries.memberships_of(request.actor)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def product_settings(request: PageRequest, product: Product) -> HttpResponse:
    """Name, vision, time zone: the owner's; the vision also a member's."""
    role = role_of(request.actor, product) or Role.VIEWER
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            services.edit_product(
                request.actor,
                product,
                name=request.POST.get("name"),
                vision=request.POST.get("vision"),
                timezone_name=request.POST.get("timezone"),
            )
            return done(request, "Saved.", "product_settings", product.slug)
        product.refresh_from_db()
    return attempt.page(
        "workspace/settings.html",
        {
            "here": "settings",
            "tab": "product",
            "may_edit_all": role.covers(Role.OWNER),
            "may_edit_vision": role.covers(Role.MEMBER),
            "timezones": sorted(available_timezones()),
        },
    )
