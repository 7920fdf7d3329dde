"""What changes a node from its own page."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from whytree.errors import Invalid
from whytree.tree import queries, services
from whytree.tree.forms import EvidenceForm, Form, NoteForm, OverrideForm, TicketForm
from whytree.tree.models import AssumptionTest, EvidenceLink, Node, Note, Opportunity, Solution, TicketLink
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .node import show
from .parts import find, home_of, url_of


@require_POST
@page(Role.MEMBER)
def add_note(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found, form = queries.find_node(product, ref), NoteForm(request.POST)
    return _formed(
        request, found, form, lambda: services.add_note(request.actor, product, found, **form.cleaned_data), "notes"
    )


@require_POST
@page(Role.MEMBER)
def answer_note(request: PageRequest, product: Product, note_id: int) -> HttpResponse:
    note = queries.find_attached(product, Note, note_id)
    services.answer_note(request.actor, note, request.POST.get("answer", ""))
    return _done(note.node(), "notes")


@require_POST
@page(Role.MEMBER)
def link_evidence(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found, form = queries.find_node(product, ref), EvidenceForm(request.POST)
    return _formed(
        request, found, form, lambda: services.link_evidence(request.actor, product, found, **form.said()), "evidence"
    )


@require_POST
@page(Role.MEMBER)
def unlink_evidence(request: PageRequest, product: Product, link_id: int) -> HttpResponse:
    link = queries.find_attached(product, EvidenceLink, link_id)
    found = link.node()
    services.unlink_evidence(request.actor, link)
    return _done(found, "evidence")


@require_POST
@page(Role.MEMBER)
def link_ticket(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found, form = queries.find_node(product, ref), TicketForm(request.POST)
    return _formed(
        request,
        found,
        form,
        lambda: services.link_written_ticket(request.actor, found, form.cleaned_data["ticket"]),
        "tickets",
    )


@require_POST
@page(Role.MEMBER)
def unlink_ticket(request: PageRequest, product: Product, link_id: int) -> HttpResponse:
    link = queries.find_attached(product, TicketLink, link_id)
    found = link.node()
    services.unlink_ticket(request.actor, link)
    return _done(found, "tickets")


@require_POST
@page(Role.MEMBER)
def override_confidence(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found, form = queries.find_node(product, ref), OverrideForm(request.POST)
    return _formed(
        request,
        found,
        form,
        lambda: services.override_confidence(request.actor, found, **form.cleaned_data),
        "confidence",
    )


@require_POST
@page(Role.MEMBER)
def set_state(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found = find(product, ref, Solution)
    services.set_state(request.actor, found, request.POST.get("state", ""))
    return redirect(url_of(found))


@require_POST
@page(Role.MEMBER)
def set_focus(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found = find(product, ref, Opportunity)
    services.edit_opportunity(request.actor, found, in_focus=request.POST.get("in_focus") == "1")
    return redirect(url_of(found))


@require_POST
@page(Role.MEMBER)
def start_test(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found = find(product, ref, AssumptionTest)
    services.start_test(request.actor, found)
    return redirect(url_of(found))


@require_POST
@page(Role.MEMBER)
def record_session(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found = find(product, ref, AssumptionTest)
    passed = request.POST.get("passed") == "1"
    services.record_session(request.actor, found, passed=passed, note=request.POST.get("note", ""))
    return redirect(url_of(found))


@require_POST
@page(Role.MEMBER)
def conclude_test(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    found = find(product, ref, AssumptionTest)
    services.conclude_test(
        request.actor, found, verdict=request.POST.get("verdict", ""), result=request.POST.get("result", "")
    )
    return redirect(url_of(found))


def _formed(request: PageRequest, found: Node, form: Form, act: Callable[[], object], section: str) -> HttpResponse:
    """A form that is refused comes back on the node's page with what was typed."""
    if form.is_valid():
        try:
            act()
            return _done(found, section)
        except Invalid as error:
            form.refuse(error)
    return show(request, found.product, home_of(found), form)


def _done(found: Node, section: str) -> HttpResponse:
    """Back to the page, at the section that changed."""
    home = home_of(found)
    return redirect(f"{url_of(home)}#{section if home == found else found.ref}")
