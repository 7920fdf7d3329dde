"""The tree: as an outline, or drawn."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from whytree.errors import NotFound
from whytree.tree.forms import form_for
from whytree.tree.layout import view_of
from whytree.tree.models import Draft, Hypothesis, Outcome
from whytree.tree.outline import load_tree
from whytree.tree.queries import open_drafts
from whytree.tree.sentences import tree_sentence
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.sockets import search


@page()
def tree(request: PageRequest, product: Product) -> HttpResponse:
    """`?view=drawn` draws it, `?under=OPP-2` shows one branch, `?closed=0` leaves out what is closed."""
    loaded = load_tree(product)
    under = request.GET.get("under", "").strip().upper()
    top = loaded.find(under) if under else None
    if under and top is None:
        raise NotFound(f"There is no {under[:40]} in {product.name}.")
    start = request.GET.get("from", "")
    view = view_of(
        loaded,
        top=top,
        with_closed=request.GET.get("closed") != "0",
        start=int(start) if start.isdigit() and len(start) < 9 else 0,
    )
    writes = may_write(request.actor, product)
    return render(
        request,
        "tree/tree.html",
        {
            "here": "tree",
            "sentence": tree_sentence(loaded),
            "view": view,
            "total": len(loaded),
            "advice": loaded.advice,
            "drawn": request.GET.get("view") == "drawn",
            "with_closed": request.GET.get("closed") != "0",
            "drafts": _with_depth(open_drafts(product)) if top is None else [],
            "may_write": writes,
            "form": form_for(Outcome.prefix, product) if writes and not len(loaded) else None,
        },
    )


def _with_depth(drafts: list[Draft]) -> list[tuple[Draft, int]]:
    """Each draft with how deep it stands below other drafts."""
    depths: dict[int | None, int] = {None: -1}
    for draft in drafts:
        depths[draft.pk] = depths.get(draft.parent_id, -1) + 1
    return [(draft, depths[draft.pk]) for draft in drafts]


@page()
def advice(request: PageRequest, product: Product) -> HttpResponse:
    """All advice on the tree, node by node."""
    loaded = load_tree(product)
    advised = [branch for branch in loaded.walk() if branch.advice]
    return render(request, "tree/advice.html", {"here": "tree", "advised": advised, "count": len(loaded.advice)})


@page()
def metric_keys(request: PageRequest, product: Product) -> HttpResponse:
    """Keys to choose from while somebody types one: those in use here, and what the metrics' own search finds."""
    typed = (request.GET.get("metric_key") or request.GET.get("q") or "").strip()[:100]
    used = {
        *Outcome.objects.filter(product=product).values_list("metric_key", flat=True),
        *Hypothesis.objects.filter(product=product).values_list("metric_key", flat=True),
    }
    found = (
        {hit.label: hit.title for hit in search(request.actor, product, typed) if hit.kind == "metric"} if typed else {}
    )
    keys = {key: "" for key in sorted(used) if key and typed.lower() in key.lower()} | found
    if request.htmx:
        return render(request, "tree/_metric_keys.html", {"keys": keys})
    return JsonResponse({"keys": list(keys)})
