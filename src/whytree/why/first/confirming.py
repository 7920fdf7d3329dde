"""The page that asks about links, one at a time: y, n or s."""

from dataclasses import asdict, dataclass, field

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from whytree.errors import Invalid, NotFound
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from .first_look import find_repository
from .heard import heard
from .questions import MOST_ASKED, answer, questions

# A sitting: who skips more than this is done for today.
MOST_SKIPPED = 50


@dataclass
class Sitting:
    """What one person did in one go."""

    skipped: list[str] = field(default_factory=list)
    answered: int = 0


@require_http_methods(["GET", "POST"])
@page(Role.VIEWER)
def links(request: PageRequest, product: Product) -> HttpResponse:
    """The link worth most; answering it brings the next."""
    sitting = f"links:{product.slug}"
    state = Sitting(**request.session.get(sitting, {}))
    if request.method == "POST":
        _take(request, product, state)
        request.session[sitting] = asdict(state)
        return redirect("confirm_links", product.slug)
    repository = find_repository(product)
    waiting = questions(repository, limit=MOST_ASKED, skipped=frozenset(state.skipped))
    if not waiting:
        request.session.pop(sitting, None)
    context = {
        "here": "today",
        "question": waiting[0] if waiting else None,
        "waiting": len(waiting),
        "answered": state.answered,
        "heard": heard(repository),
        "may_write": may_write(request.actor, product),
    }
    return render(request, "why/links.html", context)


def _take(request: PageRequest, product: Product, state: Sitting) -> None:
    told = {name: request.POST.get(name, "")[:300] for name in ("sha", "kind", "key", "tracker")}
    said = request.POST.get("answer")
    if said not in {"yes", "no"}:
        state.skipped = [*state.skipped, told["sha"]][-MOST_SKIPPED:]
        return
    try:
        answer(request.actor, product, told.pop("sha"), **told, right=said == "yes")
    except (Invalid, NotFound) as error:
        messages.error(request, error.message)
        return
    state.answered += 1
