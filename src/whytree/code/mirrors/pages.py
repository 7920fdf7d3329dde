"""The page of repositories: those that clones tell of, and those that the server reads by itself."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.pages.attempt import Attempt, done
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..models import Mirror
from ..queries import list_repositories
from . import services

# What may be kept of the code: the form's value, its words, `with_code` and `with_hunks`.
KEPT = (
    ("hunks", "The lines that lead somewhere", False, True),
    ("code", "Whole files, so that any line can be shown", True, True),
    ("nothing", "No line of code", False, False),
)
_BUSY = {Mirror.State.WAITING, Mirror.State.COPYING, Mirror.State.READING}


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def repositories(request: PageRequest, product: Product) -> HttpResponse:
    """What was read, and from where; posting an address lets the server read it."""
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            kept = next((one for one in KEPT if one[0] == request.POST.get("kept")), KEPT[0])
            made = services.mirror_repository(
                request.actor, product, url=request.POST.get("url", ""), with_code=kept[2], with_hunks=kept[3]
            )
            return done(request, f"{made.name} is read soon, and then every hour.", "repositories", product.slug)
    mirrors = list(Mirror.objects.filter(product=product).select_related("repository"))
    context = {
        "here": "changes",
        "repositories": list_repositories(product),
        "mirrors": mirrors,
        "busy": any(mirror.state in _BUSY for mirror in mirrors),
        "kept": KEPT,
        "may_mirror": bool(settings.WHYTREE.mirror_mb) and _may(request, product),
    }
    return attempt.page("code/repositories.html", context)


def _may(request: PageRequest, product: Product) -> bool:
    return may(request.actor, product, Role.MAINTAINER)


@require_POST
@page(Role.VIEWER)
def stop(request: PageRequest, product: Product, pk: int) -> HttpResponse:
    mirror = services.stop_mirror(request.actor, product, pk)
    return done(request, f"{mirror.name} is mirrored no more. What was read of it stays.", "repositories", product.slug)
