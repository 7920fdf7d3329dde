"""What people do with the words of a talk: import and edit them, mark them, sort and link what was marked."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.voice.models import Interview
from whytree.voice.services import find_opportunity, find_opportunity_by_words, importance_of, tag_highlight
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..services import Span
from .talks import drawn, sent_transcript, tell_import


@require_POST
@page(Role.MEMBER)
def import_transcript(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Give a talk its transcript, or another one."""
    found = queries.find_interview(product, number)
    try:
        transcript, file_name = sent_transcript(request)
        if not transcript:
            raise Invalid("Choose a file, or paste the transcript.")
        made = services.import_interview(request.actor, product, transcript, into=found, file_name=file_name)
    except (Invalid, Conflict) as error:
        return drawn(request, product, found, form=request.POST, error=error)
    tell_import(request, made)
    return redirect("interview", product.slug, number)


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def edit_transcript(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The transcript as text, one line a row."""
    found = queries.find_interview(product, number)
    text, error = queries.editable(found)["text"], None
    if request.method == "POST":
        text = request.POST.get("text", "")
        try:
            kept = services.edit_transcript(request.actor, found, text)
        except (Invalid, Conflict) as refused:
            error = refused
        else:
            _tell_kept(request, kept)
            return redirect("interview", product.slug, number)
    context = {"here": "voices", "talk": found, "text": text, "error": error}
    return render(request, "voice/interview_edit.html", context, status=error.status if error else 200)


def _tell_kept(request: PageRequest, kept: services.Kept) -> None:
    parts = ["The transcript is corrected."]
    if kept.stand or kept.corrected:
        parts.append(f"{_highlights(kept.stand + kept.corrected)} went along.")
    if kept.corrected:
        parts.append(
            f"{_highlights(kept.corrected)} {'quotes' if kept.corrected == 1 else 'quote'} the corrected words now."
        )
    messages.success(request, " ".join(parts))
    if kept.lost:
        messages.warning(request, f"{_highlights(kept.lost)} lost: the words are not there any more.")


def _highlights(number: int) -> str:
    return "One highlight" if number == 1 else f"{number} highlights"


@require_POST
@page(Role.MEMBER)
def mark(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Mark words, and hang them on an opportunity when one is named."""
    found = queries.find_interview(product, number)
    form = request.POST
    named = form.get("opportunity", "").strip() if form.get("do") == "link" else ""
    try:
        if form.get("do") == "link" and not named:
            raise Invalid("Choose the opportunity these words speak for.")
        opportunity = find_opportunity_by_words(product, named) if named else None
        with transaction.atomic():
            made = services.highlight_talk(
                request.actor, found, _span(form, found), tags=form.get("tags", "").split(",")
            )
            if opportunity is not None:
                importance = importance_of(form.get("importance", "1"))
                services.link_highlight(request.actor, made, opportunity, importance=importance)
    except (Invalid, Conflict, NotFound) as error:
        return drawn(request, product, found, form=form, error=error)
    if opportunity is not None:
        request.session["voices_opportunity"] = opportunity.ref
        messages.success(request, f"{found.ref} speaks for {opportunity.ref} “{opportunity.title}”.")
    else:
        messages.success(request, "Marked.")
    return redirect(_at_mark(product, number, made.pk))


def _span(form: QueryDict, found: Interview) -> Span:
    """The selection, unless the words beside it were changed by hand; else lines, and words in them."""
    numbers = {name: _number(form.get(name, "")) for name in ("start", "end", "first", "last")}
    quote = form.get("quote", "")
    start, end = numbers["start"], numbers["end"]
    if start is not None and end is not None:
        selected = queries.text_of(found)[start:end]
        if selected.split() == quote.split() and selected.strip():
            return Span(start, end)
    if numbers["first"] is None and not quote.strip():
        raise Invalid("Say which words: select them, name their lines, or copy them.")
    return Span(first=numbers["first"], last=numbers["last"], quote=quote)


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else None


def _at_mark(product: Product, number: int, pk: int) -> str:
    return f"{reverse('interview', args=[product.slug, number])}#mark-{pk}"


@require_POST
@page(Role.MEMBER)
def change_mark(request: PageRequest, product: Product, number: int, pk: int, verb: str) -> HttpResponse:
    """Tag a highlight, link it, or take it off."""
    found = queries.find_interview(product, number)
    marked = queries.find_highlight(found, pk)
    there = _at_mark(product, number, pk)
    try:
        if verb == "tag":
            tag_highlight(request.actor, marked, request.POST.get("tags", "").split(","))
        elif verb == "link":
            opportunity = find_opportunity_by_words(product, request.POST.get("opportunity", ""))
            importance = importance_of(request.POST.get("importance", "1"))
            services.link_highlight(request.actor, marked, opportunity, importance=importance)
            request.session["voices_opportunity"] = opportunity.ref
            messages.success(request, f"{found.ref} speaks for {opportunity.ref} “{opportunity.title}”.")
        else:
            services.remove_highlight(request.actor, marked)
            there = reverse("interview", args=[product.slug, number])
    except (Invalid, Conflict, NotFound) as error:
        messages.error(request, error.message)
    return redirect(there)


VERBS = ("tag", "link", "remove")


@require_POST
@page(Role.MEMBER)
def unlink(request: PageRequest, product: Product, number: int, ref: str) -> HttpResponse:
    found = queries.find_interview(product, number)
    try:
        services.unlink_talk(request.actor, found, find_opportunity(product, ref))
        messages.success(request, f"{found.ref} speaks for {ref.upper()} no longer. What was marked stays marked.")
    except WhytreeError as error:
        messages.error(request, error.message)
    return redirect("interview", product.slug, number)
