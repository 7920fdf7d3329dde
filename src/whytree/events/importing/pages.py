"""Imports of events on pages: choose a file, look at what it holds, bring it in in steps, take it back."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.errors import Conflict, Invalid, NotFound, TooLarge, WhytreeError
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside import uploaded
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from ..history import SOURCES
from ..models import EventImport
from . import services as imports
from . import uploads
from .files import COLUMNS, TABLE, Asked

LABELS = {"person": "Whose event it is", "event": "What they did", "time": "When", "message_id": "Its own id, if any"}
"""What people call the columns we look for."""
MISSING = {"person": "whose event it is", "event": "what they did", "time": "when it was"}


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.VIEWER)
def event_imports(request: PageRequest, product: Product) -> HttpResponse:
    """Files that were brought in, and the form for the next one; sending it leads to a preview."""
    if request.method != "POST":
        return _list(request, product)
    upload = request.FILES.get("file")
    try:
        if not isinstance(upload, UploadedFile):
            raise Invalid("Choose a file first.")
        run = uploads.look_at(request.actor, product, upload, Asked(source=request.POST.get("source", "")))
    except (Invalid, TooLarge) as error:
        return _list(request, product, error)
    return redirect("event_import", product.slug, run.pk)


def _list(request: PageRequest, product: Product, error: WhytreeError | None = None) -> HttpResponse:
    context = {
        "here": "numbers",
        "runs": imports.list_imports(product),
        "may_import": may(request.actor, product, Role.MAINTAINER),
        "may_undo": may(request.actor, product, Role.MAINTAINER),
        "most_mb": uploaded.most_mb(),
        "sources": [(one.name, one.title) for one in SOURCES.values()],
        "error": error,
    }
    return render(request, "events/imports.html", context, status=error.status if error else 200)


@require_GET
@page(Role.VIEWER)
def event_import(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """One import: its preview, how far it has come, or what it brought."""
    template = "events/_import.html" if request.htmx else "events/import.html"
    return render(request, template, _context(request, product, uploads.find_run(product, number)))


def _context(request: PageRequest, product: Product, run: EventImport) -> dict[str, Any]:
    looked_at = run.state == EventImport.State.PREVIEW
    try:
        preview = uploads.preview(run) if looked_at else None
    except (Invalid, NotFound):
        preview = None
    reads_table = preview is not None and not preview.title
    return {
        "here": "numbers",
        "run": run,
        "looked_at": looked_at,
        "preview": preview,
        "going_on": run.state == EventImport.State.RUNNING,
        "going_back": run.state == EventImport.State.UNDOING,
        "percent": None if (share := uploads.progress(run)) is None else int(share * 100),
        "fields": [(name, LABELS[name], preview.chosen.get(name, "")) for name in COLUMNS]
        if preview and reads_table
        else [],
        "missing": MISSING.get(preview.missing, "") if preview else "",
        "sources": [(one.name, one.title) for one in SOURCES.values()],
        "source": run.reading.get("source", ""),
        "table": TABLE,
        "may_import": may(request.actor, product, Role.MAINTAINER),
        "may_undo": may(request.actor, product, Role.MAINTAINER),
    }


@require_POST
@page(Role.MAINTAINER)
def look_again(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The same file, read as the form says."""
    sent = request.POST
    source = sent.get("source", "")
    said = {} if source not in ("", TABLE) else {name: sent.get(name, "")[:500] for name in (*COLUMNS, "event_name")}
    if said.get("event_name"):
        said["event"] = ""
    try:
        uploads.look_again(request.actor, uploads.find_run(product, number), Asked(**said, source=source))
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    return redirect("event_import", product.slug, number)


@require_POST
@page(Role.MAINTAINER)
def begin_import(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Import what was looked at, or forget it."""
    run = uploads.find_run(product, number)
    try:
        if request.POST.get("act") == "forget":
            uploads.forget(request.actor, run)
            return redirect("event_imports", product.slug)
        return _step(request, product, uploads.begin(request.actor, product, run))
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
        return redirect("event_import", product.slug, number)


@require_POST
@page(Role.MAINTAINER)
def go_on(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The next seconds of an import; the page asks for them by itself, or the person presses the button."""
    return _step(request, product, uploads.find_run(product, number))


def _step(request: PageRequest, product: Product, run: EventImport) -> HttpResponse:
    run = uploads.go_on(request.actor, run)
    if request.htmx:
        return render(request, "events/_import.html", _context(request, product, run))
    return redirect("event_import", product.slug, run.pk)


@require_POST
@page(Role.MAINTAINER)
def undo_import(request: PageRequest, product: Product, number: int) -> HttpResponse:
    uploads.undo(request.actor, product, number)
    return redirect("event_import", product.slug, number)
