"""Who belongs to a product."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from whytree.workspace import queries, services
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import role_of
from whytree.workspace.rights.roles import Discipline, Role

from .attempt import Attempt, done
from .entry import address_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def members(request: PageRequest, product: Product) -> HttpResponse:
    """The list; posting invites somebody and shows the link once."""
    attempt = Attempt(request)
    link = ""
    if request.method == "POST":
        with attempt:
            _, token = services.invite_member(
                request.actor, product, role=request.POST.get("role", ""), email=request.POST.get("email", "")
            )
            link = address_of(request) + reverse("invite", args=[token])
    return _members_page(request, product, attempt, link)


def _members_page(request: PageRequest, product: Product, attempt: Attempt, link: str = "") -> HttpResponse:
    role = role_of(request.actor, product)
    return attempt.page(
        "workspace/members.html",
        {
            "here": "settings",
            "tab": "members",
            "members": list(queries.members_of(product)),
            "invitations": list(queries.open_invitations(product)),
            "roles": list(Role),
            "disciplines": Discipline.choices,
            "is_owner": role is Role.OWNER,
            "link": link,
            "days": services.INVITATION_DAYS,
        },
    )


@require_POST
@page(Role.VIEWER)
def revoke_invitation(request: PageRequest, product: Product, invitation_id: int) -> HttpResponse:
    attempt = Attempt(request)
    with attempt:
        services.revoke_invitation(request.actor, product, invitation_id)
        return done(request, "That link opens nothing any more.", "members", product.slug)
    return _members_page(request, product, attempt)


@require_POST
@page(Role.VIEWER)
def set_member(request: PageRequest, product: Product, user_id: int) -> HttpResponse:
    """Another role (owners only), another discipline (also one's own)."""
    attempt = Attempt(request)
    with attempt:
        changed = services.set_member(
            request.actor,
            product,
            user_id,
            role=request.POST.get("role"),
            discipline=request.POST.get("discipline"),
        )
        return done(request, f"{changed.user}: {changed.role}, {changed.discipline}.", "members", product.slug)
    return _members_page(request, product, attempt)


@require_POST
@page(Role.VIEWER)
def remove_member(request: PageRequest, product: Product, user_id: int) -> HttpResponse:
    attempt = Attempt(request)
    with attempt:
        revoke = request.POST.get("revoke_keys") == "1"
        keys = services.remove_member(request.actor, product, user_id, revoke_keys=revoke)
        told = f"They can no longer see {product.name}."
        if keys:
            names = ", ".join(f"“{key.name}”" for key in keys)
            told += f" Revoked with them: {names}." if revoke else f" Still open, made by them: {names}."
        return done(request, told, "members", product.slug)
    return _members_page(request, product, attempt)
