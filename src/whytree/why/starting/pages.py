"""The page that begins work with its why: the same card and questions as `whytree start`, without the branch."""

import shlex

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from whytree.engines.links.tickets import parse_ticket
from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import Opportunity
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role
from whytree.workspace.terminal.printing import plain

from .. import services
from ..answering.hops import url_of
from ..examples import start_examples
from .card import QUESTIONS, card_of, find_subject


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def start(request: PageRequest, product: Product) -> HttpResponse:
    """What one should see before one starts; posting starts."""
    sent = request.POST if request.method == "POST" else request.GET
    subject, title = sent.get("subject", "").strip(), sent.get("title", "").strip()
    answers = {key: sent.get(key, "") for key in QUESTIONS}
    context: dict[str, object] = {"subject": subject, "title": title, "answers": answers, "error": ""}
    context["shell_subject"] = shlex.quote(plain(subject))
    context["may_write"] = may(request.actor, product, Role.MEMBER)
    try:
        if request.method == "POST":
            return _started(request, product, services.Start(subject, title, answers=answers))
        if not subject:
            context["examples"] = start_examples(product)
        else:
            context |= _card(product, subject, title, answers["problem"])
    except (Invalid, Conflict, NotFound) as error:
        context |= _card_again(product, subject, title) | {"error": error.message}
    return render(request, "why/start.html", context, status=400 if context["error"] else 200)


def _card(product: Product, subject: str, title: str, problem: str = "") -> dict[str, object]:
    found = find_subject(product, subject, title=title, problem=problem)
    is_unnamed = found.node is None and parse_ticket(subject) is not None and not found.words
    return {
        "card": card_of(product, found),
        "asks_title": is_unnamed or isinstance(found.node, Opportunity),
    }


def _card_again(product: Product, subject: str, title: str) -> dict[str, object]:
    """The card beside a refused form, where what was typed leads to one."""
    try:
        return _card(product, subject, title) if subject else {}
    except (Invalid, NotFound):
        return {}


def _started(request: PageRequest, product: Product, begin: services.Start) -> HttpResponse:
    done = services.start(request.actor, product, begin)
    made = "is started" if done.created else "goes on"
    messages.success(
        request,
        format_html(
            '{} {}. In your clone: <code class="mono">whytree start {}</code> makes the branch whose commits say “Why: {}”.',
            done.solution.ref,
            made,
            done.solution.ref,
            done.solution.ref,
        ),
    )
    return HttpResponseRedirect(url_of(done.solution))
