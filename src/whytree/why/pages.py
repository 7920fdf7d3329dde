"""The page that answers why, and the hits of the box Why …."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET

from whytree.code.queries import list_repositories
from whytree.engines.charts import Measured, Range, interval_bar
from whytree.errors import Invalid, NotFound
from whytree.workspace.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.roles import Role
from whytree.workspace.sockets import Hit, search

from .answer import Why
from .queries import Ask, page_of
from .refs import CommitRef, LineRef, NodeRef, NotAReference, Ref, parse_ref
from .services import answer_why

MOST_HITS = 12
SHOWN_EVIDENCE = 4


@require_GET
@page(Role.VIEWER)
def why(request: PageRequest, product: Product) -> HttpResponse:
    """Five hops on one page; what cannot be explained is searched for."""
    typed = request.GET.get("q", "").strip()[:400]
    if not typed:
        return render(request, "why/ask.html", {"repositories": list_repositories(product)})
    try:
        answer = answer_why(request.actor, product, Ask(parse_ref(typed)))
    except (NotAReference, NotFound, Invalid) as error:
        hits = search(request.actor, product, typed)[:MOST_HITS]
        problem = "" if isinstance(error, NotAReference) else error.message
        found = {"typed": typed, "hits": hits, "problem": problem}
        return render(request, "why/found.html", found, status=200 if hits else 404)
    context: dict[str, object] = {
        "why": answer,
        "picture": _picture(answer),
        "shown_evidence": answer.evidence[:SHOWN_EVIDENCE],
    }
    if answer.commit:
        context["way"] = answer.way_from(answer.commit.short)
    if answer.ticket:
        context["ticket_way"] = answer.way_from(answer.ticket.key)
        context["ticket_heard"] = any(one.ref == answer.ticket.key for one in answer.evidence)
    return render(request, "why/why.html", context)


@require_GET
@page(Role.VIEWER)
def box(request: PageRequest, product: Product) -> HttpResponse:
    """Hits for what is being typed: first what can be asked about directly, then what the words find."""
    typed = request.GET.get("q", "").strip()[:400]
    if not typed:
        return HttpResponse("")
    direct = _direct(product, typed)
    hits = [*direct, *search(request.actor, product, typed)][:MOST_HITS]
    return render(request, "why/_hits.html", {"hits": hits, "typed": typed})


def _direct(product: Product, typed: str) -> list[Hit]:
    try:
        ref = parse_ref(typed)
    except NotAReference:
        return []
    return [Hit("why", _label(ref), f"Why {typed}?", page_of(product, typed), 1.0)]


def _label(ref: Ref) -> str:
    if isinstance(ref, LineRef):
        return "line" if ref.first else "file"
    if isinstance(ref, CommitRef):
        return "commit"
    return ref.ref if isinstance(ref, NodeRef) else ref.key


def _picture(answer: Why) -> SafeString | str:
    """What was predicted above what was measured."""
    forecast, review = answer.hypothesis, answer.review
    measured = None
    if review and review.difference is not None and review.low is not None and review.high is not None:
        measured = Measured(review.difference, review.low, review.high)
    if forecast is None or measured is None:
        return ""
    drawn = interval_bar(Range(forecast.low, forecast.high), measured, review.difference_unit if review else "")
    return mark_safe(drawn)  # noqa: S308  our own drawing; its words are escaped there
