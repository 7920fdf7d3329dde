"""The page that answers why, and the hits of the box Why …."""

from collections.abc import Sequence

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from whytree.code.queries import list_repositories
from whytree.engines.charts.intervals import Measured, Range, interval_bar
from whytree.errors import Invalid, NotFound, WhytreeError
from whytree.tree.models import Solution
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import Hit, search

from .answer import Why
from .answering.reasons import tell_why, withdraw_why, withdrawable
from .examples import why_examples
from .queries import Ask, explain, page_of
from .refs import CommitRef, FolderRef, LineRef, NodeRef, NotAReference, Ref, parse_ref
from .services import answer_why

MOST_HITS = 12
SHOWN_EVIDENCE = 4
MOST_SOLUTIONS = 100


@require_GET
@page(Role.VIEWER)
def why(request: PageRequest, product: Product) -> HttpResponse:
    """Five hops on one page; what cannot be explained is searched for."""
    typed = request.GET.get("q", "").strip()[:400]
    return _show(request, product, typed)


def _show(request: PageRequest, product: Product, typed: str, *, told: str = "", refused: str = "") -> HttpResponse:
    """The answer to what was typed. `told` is a reason that was just `refused`, so that it need not be typed again."""
    if not typed:
        asked = {"repositories": list_repositories(product), "examples": why_examples(product)}
        return render(request, "why/ask.html", asked)
    try:
        ref = parse_ref(typed)
        answer = explain(product, Ask(ref)) if refused else answer_why(request.actor, product, Ask(ref))
    except (NotAReference, NotFound, Invalid) as error:
        hits = search(request.actor, product, typed)[:MOST_HITS]
        if (meant := _called(hits, typed)) is not None:
            return redirect(meant.url)  # EXP-2, ASK-1: a page of its own says it all
        problem = "" if isinstance(error, NotAReference) else error.message
        found = {"typed": typed, "hits": hits, "problem": problem, "examples": () if hits else why_examples(product)}
        return render(request, "why/found.html", found, status=200 if hits else 404)
    context: dict[str, object] = {
        "why": answer,
        "picture": _picture(answer),
        "shown_evidence": answer.evidence[:SHOWN_EVIDENCE],
    }
    context |= {
        "way": answer.way_from(answer.commit.short) if answer.commit else None,
        "can_tell": isinstance(ref, LineRef | CommitRef) and may(request.actor, product, Role.MEMBER),
        "withdrawable": withdrawable(request.actor, product, answer.reasons),
        "solutions": _solutions(product) if not answer.explained else (),
        "typed": typed,
        "told": told,
        "refused": refused,
    }
    if answer.ticket:
        context["ticket_way"] = answer.way_from(answer.ticket.key)
        context["ticket_heard"] = any(one.ref == answer.ticket.key for one in answer.evidence)
    return render(request, "why/why.html", context, status=400 if refused else 200)


def _solutions(product: Product) -> QuerySet[Solution]:
    """What may be meant, those worked on last first."""
    return Solution.objects.filter(product=product).select_related("product").order_by("-updated_at")[:MOST_SOLUTIONS]


@require_POST
@page(Role.MEMBER)
def tell(request: PageRequest, product: Product) -> HttpResponseBase:
    """Say what the commit of a line is for; kept here, and as a git note by the next sync of a clone."""
    typed = request.POST.get("q", "").strip()[:400]
    reason = request.POST.get("reason", "").strip()
    try:
        told = tell_why(request.actor, product, request.POST.get("commit", ""), reason)
    except WhytreeError as error:
        return _show(request, product, typed, told=reason[:400], refused=error.message)
    messages.success(
        request, f"Kept: {told.commit.short} is for “{told.words}”. The next sync of a clone notes it in git."
    )
    return redirect(page_of(product, typed or told.commit.sha))


@require_POST
@page(Role.MEMBER)
def withdraw(request: PageRequest, product: Product, pk: int) -> HttpResponseBase:
    withdraw_why(request.actor, product, pk)
    messages.success(request, "Taken back. A git note of it, where a clone has one, stays until somebody edits it.")
    return redirect(page_of(product, request.POST.get("q", "").strip()[:400]))


@require_GET
@page(Role.VIEWER)
def box(request: PageRequest, product: Product) -> HttpResponse:
    """Hits for what is being typed: what is called so, what can be asked about directly, then what the words find."""
    typed = request.GET.get("q", "").strip()[:400]
    if not typed:
        return HttpResponse("")
    found = search(request.actor, product, typed)
    called = _called(found, typed)
    first = [called] if called is not None else []
    hits = [*first, *_direct(product, typed), *(hit for hit in found if hit is not called)][:MOST_HITS]
    return render(request, "why/_hits.html", {"hits": hits, "typed": typed})


def _called(hits: Sequence[Hit], typed: str) -> Hit | None:
    """The one whose id was typed."""
    return next((hit for hit in hits if hit.label.casefold() == typed.casefold()), None)


def _direct(product: Product, typed: str) -> list[Hit]:
    try:
        ref = parse_ref(typed)
    except NotAReference:
        return []
    return [Hit("why", _label(ref), f"Why {typed}?", page_of(product, typed), 1.0)]


def _label(ref: Ref) -> str:
    if isinstance(ref, LineRef):
        return "function" if ref.symbol else "line" if ref.first else "file"
    if isinstance(ref, FolderRef):
        return "folder"
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
    return vouched(drawn)
