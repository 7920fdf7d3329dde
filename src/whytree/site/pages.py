"""Pages that belong to no app: where to go first, health, and what is shown when nothing else is."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from whytree.errors import NotFound, WhytreeError
from whytree.stores.engine.damage import damage
from whytree.workspace.entry.keys import find_key
from whytree.workspace.models import Key, Product, User
from whytree.workspace.services import there_is_an_owner

DAMAGED = "The event store holds a part that cannot be read. On the server, whytree doctor says which, and what to do."


def home(request: HttpRequest) -> HttpResponse:
    """First run, sign-in, the product last seen, or the list to choose from."""
    if not isinstance(request.user, User):
        return redirect("sign_in" if there_is_an_owner() else "first_run")
    products = list(Product.objects.filter(memberships__user=request.user).order_by("name"))
    last = next((p for p in products if p.slug == request.session.get("product")), None)
    if last or len(products) == 1:
        return redirect(reverse("today", args=[(last or products[0]).slug]))
    return redirect("products")


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Both stores answer; 503 names the one that does not. That something is damaged is said beside it, for the rest can be used.

    Anybody may ask; which folder it lies in is told to whoever shows a personal token, as `whytree doctor` does.
    """
    problems, damaged = {}, ""
    told_all = _shows_a_token(request)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # whatever is wrong, the answer is "not ready"
        problems["database"] = type(error).__name__
    try:
        damaged = damage()
    except Exception as error:  # likewise
        problems["events"] = error.message if isinstance(error, WhytreeError) and told_all else type(error).__name__
    if problems:
        return JsonResponse({"status": "not ready", "problems": problems}, status=503)
    return JsonResponse({"status": "ok"} | ({"damaged": damaged if told_all else DAMAGED} if damaged else {}))


def _shows_a_token(request: HttpRequest) -> bool:
    try:
        found = find_key(request.headers.get("Authorization", "").removeprefix("Bearer "))
    except DatabaseError:
        return False
    return found is not None and found.kind == Key.Kind.PERSONAL


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    error = NotFound("There is nothing at this address. It may have moved.")
    if request.path.startswith("/api/"):
        return JsonResponse(error.as_json(), status=404)
    return render(request, "error.html", {"error": error}, status=404)


def broken(request: HttpRequest) -> HttpResponseBase:
    error = WhytreeError(
        "Something went wrong on our side. Nothing you wrote was changed; the server's log has the details."
    )
    return render(request, "error.html", {"error": error}, status=500)
