"""Definitions of other tools on a page: choose the files, see what each becomes, bring them in, take them back."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from whytree.errors import Invalid, WhytreeError
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from . import services

MOST_BYTES = 20_000_000


@page(Role.MEMBER)
def definitions(request: PageRequest, product: Product) -> HttpResponseBase:
    """What came in before; a file, looked at first."""
    context: dict[str, Any] = {"here": "numbers", "imports": services.list_imports(product)}
    if request.method != "POST":
        return render(request, "analytics/definitions.html", context)
    try:
        text = _sent(request)
        tool, became, _ = services.import_definitions(
            request.actor, product, json.loads(text), dry_run="apply" not in request.POST
        )
    except WhytreeError as error:
        return render(request, "analytics/definitions.html", context | {"error": error}, status=error.status)
    made = sum(one.what == "made" for one in became)
    if "apply" in request.POST:
        where = "Questions and boards stand under Boards, metrics under Numbers, cohorts under Cohorts."
        messages.success(request, f"{made} of {len(became)} definitions of {tool} are here now. {where}")
        return redirect("definitions", product=product.slug)
    return render(
        request, "analytics/definitions.html", context | {"tool": tool, "became": became, "made": made, "text": text}
    )


@require_POST
@page(Role.MEMBER)
def undo(request: PageRequest, product: Product, number: int) -> HttpResponseBase:
    """Take one import back."""
    stays = services.undo_import(request.actor, product, number)
    for one in stays:
        messages.warning(request, f"Stays: {one}")
    messages.success(request, "Taken back.")
    return redirect("definitions", product=product.slug)


def _sent(request: PageRequest) -> str:
    """The chosen files as one list of documents; looked at already, it comes back with the page."""
    if not request.FILES:
        return _checked(request.POST.get("text", ""))
    documents = []
    for file in request.FILES.getlist("files"):
        if (file.size or 0) > MOST_BYTES:
            raise Invalid(
                f"{file.name} has more than {MOST_BYTES // 1_000_000} MB. Bring it from the command line, in parts."
            )
        try:
            documents.append(json.loads(bytes(file.read()).decode("utf-8")))
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{file.name} is no JSON. Save what the tool's API answers.") from error
    return json.dumps(documents)


def _checked(text: str) -> str:
    try:
        if isinstance(json.loads(text), list):
            return text
    except (ValueError, RecursionError):
        pass
    raise Invalid("Choose a file first.")
