"""The way back on pages: the list on a solution's page, and the one question that needs no sign-in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.errors import Conflict, Invalid, NotFound
from whytree.voice.queries.loop import find_solution, loop_of
from whytree.voice.services import loop
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import is_set
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role


@require_GET
@page(Role.VIEWER)
def requesters(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Everybody who asked, and how far the change has come to them."""
    solution = find_solution(product, f"SOL-{number}")
    way = loop_of(solution)
    context = {
        "here": "changes",
        "way": way,
        "solution": solution,
        "may_write": may_write(request.actor, product),
        "mail_is_set": is_set(),
    }
    return render(request, "voice/requesters.html", context)


@require_POST
@page(Role.MEMBER)
def act(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Set the message, tell, ask, or show the link for one person."""
    solution = find_solution(product, f"SOL-{number}")
    form, actor = request.POST, request.actor
    keys = form.getlist("person")
    how = {"by_mail": form.get("by") == "mail", "unproved": form.get("unproved") == "1"}
    try:
        match form.get("act"):
            case "set" | "switch_on" | "switch_off" as what:
                tells = None if what == "set" else what == "switch_on"
                used_event, message = form.get("used_event", ""), form.get("message", "")
                loop.set_loop(actor, solution, used_event=used_event, message=message, tells=tells)
                said = "Saved." if tells is None else f"Saved, and switched {'on' if tells else 'off'}."
            case "tell":
                said = f"{loop.tell(actor, solution, keys, **how)} told."
            case "ask":
                said = f"{loop.ask(actor, solution, keys, **how)} asked."
            case "link" if keys:
                said = f"For {keys[0]} alone: {request.build_absolute_uri(loop.link_for(actor, solution, keys[0]))}"
            case _:
                raise Invalid("Choose somebody, and what to do.")
        messages.success(request, said)
    except (Conflict, Invalid, NotFound) as error:
        messages.error(request, error.message)
    return redirect("requesters", product.slug, number)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def did_it_solve(request: HttpRequest, token: str) -> HttpResponse:
    """One question. GET only shows it: programs that look into mails must not answer it."""
    requester = loop.requester_of(token)
    error = None
    if request.method == "POST":
        try:
            if request.POST.get("solved") not in ("yes", "no"):
                raise Invalid("Yes or no?")
            solved = request.POST["solved"] == "yes"
            requester = loop.answer(token, solved=solved, words=request.POST.get("words", ""))
        except Invalid as refused:
            error = refused
    context = {"requester": requester, "solution": requester.solution, "subject": requester.product, "error": error}
    response = render(request, "voice/did_it_solve.html", context, status=error.status if error else 200)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response
