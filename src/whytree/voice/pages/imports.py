"""Imports on pages: choose a file, look at what it holds, import it in steps, and what can still be taken back."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.engines.texts.personal import KINDS
from whytree.errors import Conflict, Invalid, NotFound, TooLarge, WhytreeError
from whytree.voice import services
from whytree.voice.arriving import mailbox
from whytree.voice.importing import uploads
from whytree.voice.importing.columns import WANTED
from whytree.voice.importing.files import Asked
from whytree.voice.incoming import services as incoming
from whytree.voice.incoming.api import address_of
from whytree.voice.models import ColumnMapping, Consent, ImportRun, RunState, VoiceSettings
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.outside import uploaded
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

LABELS = {
    "text": "What was said",
    "title": "A title above it",
    "said_at": "When",
    "author_name": "Who said it",
    "author_email": "Their e-mail address",
    "person": "Their id in your product",
    "rating": "Rating",
    "submission_id": "Its own id",
    "language": "Language",
    "app_version": "App version",
    "url": "A link to it",
}
"""What people call our fields; `importing.columns.WANTED` has no other."""


@require_http_methods(["GET", "POST"])
@page(Role.VIEWER)
def imports(request: PageRequest, product: Product) -> HttpResponse:
    """What came in by file, and the form for the next one; sending it leads to a preview."""
    if request.method != "POST":
        return _list(request, product)
    upload = request.FILES.get("file")
    try:
        if not isinstance(upload, UploadedFile):
            raise Invalid("Choose a file first.")
        run = uploads.look_at(request.actor, product, upload, _asked(request, product, upload.name or ""))
        if run.brings_nothing:
            uploads.forget(request.actor, run)
    except (Conflict, Invalid, NotFound, TooLarge) as error:
        return _list(request, product, error)
    return redirect("import_run", product.slug, run.pk)


def _asked(request: PageRequest, product: Product, name: str) -> Asked:
    form = request.POST
    channels = tuple(part for part in form.get("channels", "").replace(",", " ").split() if part)
    column = form.get("text_column", "").strip()[:500]
    return Asked(
        columns={"text": column} if column else {},
        source=form.get("source", "").strip()[:200],
        consent=form.get("consent", ""),
        name=name[:200],
        channels=channels,
        team=tuple(VoiceSettings.of(product).team),
        keep_team=form.get("with_team") == "1",
        mapping=form.get("mapping", "").strip()[:200],
    )


def _list(request: PageRequest, product: Product, error: WhytreeError | None = None) -> HttpResponse:
    runs = services.list_runs(product)
    context = {
        "here": "voices",
        "runs": runs,
        "standing": sum(run.undone_at is None for run in runs),
        "waiting": uploads.waiting(product),
        "resumable": {run.pk for run in runs if uploads.has_file(run)},
        "may_import": may(request.actor, product, Role.MAINTAINER),
        "consents": Consent.choices,
        "form": request.POST,
        "most_mb": uploaded.most_mb(),
        "settings": VoiceSettings.of(product),
        "kinds": KINDS,
        "mappings": ColumnMapping.objects.filter(product=product),
        "webhook": incoming.find_webhook(product),
        "webhook_url": address_of(product),
        "secret": request.session.pop("webhook_secret", ""),
        "reads_mail": mailbox.reads_for(product),
        "error": error,
    }
    return render(request, "voice/imports.html", context, status=error.status if error else 200)


@require_GET
@page(Role.VIEWER)
def import_run(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    """One import: its preview, how far it has come, or what it brought."""
    run = services.find_run(product, run_id)
    begun = uploads.begun_from(run)
    if begun is not None:
        return redirect("import_run", product.slug, begun.pk)
    return render(request, "voice/import_run.html", _run_context(request, product, run))


def _run_context(request: PageRequest, product: Product, run: ImportRun) -> dict[str, Any]:
    looked_at = run.state == RunState.DRY_RUN
    try:
        preview = uploads.preview(run) if looked_at else None
    except (Invalid, NotFound):
        preview = None
    left = run.left_out
    return {
        "here": "voices",
        "run": run,
        "found": _found(run) if looked_at else ("", ""),
        "looked_at": looked_at,
        "preview": preview,
        "going_on": run.state == RunState.RUNNING,
        "percent": None if (share := uploads.progress(run)) is None else int(share * 100),
        "still_there": run.items.count() if run.is_going_out else 0,
        "has_file": uploads.has_file(run),
        "kept_until": run.started_at + uploaded.KEPT_FOR,
        "fields": [(name, LABELS[name], preview.mapping.get(name, "")) for name in WANTED]
        if preview and preview.columns
        else [],
        "left": {name: left.get(name, 0) for name in services.LEFT_OUT},
        "may_import": may(request.actor, product, Role.MAINTAINER),
    }


def _found(run: ImportRun) -> tuple[str, str]:
    """What a file that was looked at would bring, in one sentence, and what to do where it brings nothing."""
    name = run.file_name or "The file"
    if run.created:
        return f"{name} would bring {_counted(run.created, 'new voice')}", ""
    if run.updated:
        return f"{name} would change {_counted(run.updated, 'voice')}, and brings none that is new", ""
    if run.skipped:
        return f"Nothing new: what {name} says is known already", ""
    if run.broken:
        return f"No row of {name} can be taken", "What is wrong with each stands below."
    if run.empty:
        return f"{name} holds ratings without a word", ""
    if run.left_out.get("team"):
        return (
            f"{name} holds only what the team said",
            "Upload it once more with “Keep the team's own words too” to have it.",
        )
    if run.left_out.get("silent"):
        return (
            f"Nobody speaks in {name}",
            "No column of it looks like people's own words. If one is, upload it once more and name that column.",
        )
    return f"{name} holds nothing to read", ""


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


@require_POST
@page(Role.MAINTAINER)
def look_again(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    """The same file, with its columns, or its days and months, read as the form says."""
    run = services.find_run(product, run_id)
    form = request.POST
    columns = {name: form.get(name, "") for name in WANTED} if any(name in form for name in WANTED) else None
    day_first = {"day": True, "month": False}.get(form.get("first", ""))
    try:
        run = uploads.look_again(request.actor, run, columns, day_first=day_first)
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    return redirect("import_run", product.slug, run.pk)


@require_POST
@page(Role.MAINTAINER)
def keep_mapping(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    """Keep how this file is read under a name."""
    run = services.find_run(product, run_id)
    try:
        kept = uploads.keep_as(request.actor, run, request.POST.get("name", ""))
        messages.success(request, f"“{kept.name}” is kept: the next table with these columns is read so.")
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    return redirect("import_run", product.slug, run.pk)


@require_POST
@page(Role.MAINTAINER)
def remove_mapping(request: PageRequest, product: Product) -> HttpResponse:
    services.remove_mapping(request.actor, product, request.POST.get("name", ""))
    messages.success(request, "The mapping is gone; what was imported with it stays.")
    return redirect("feedback_imports", product.slug)


@require_POST
@page(Role.MAINTAINER)
def begin(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    """Import what was looked at, or forget it."""
    run = services.find_run(product, run_id)
    if request.POST.get("act") != "forget":
        return _step(request, product, uploads.begin(request.actor, product, run))
    try:
        uploads.forget(request.actor, run)
        messages.success(request, f"{run.file_name or 'The file'} is gone, and nothing of it was stored.")
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("feedback_imports", product.slug)


@require_POST
@page(Role.MAINTAINER)
def go_on(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    """The next seconds of an import; the page asks for them by itself, or the person presses the button."""
    return _step(request, product, services.find_run(product, run_id))


def _step(request: PageRequest, product: Product, run: ImportRun) -> HttpResponse:
    try:
        run = uploads.go_on(request.actor, run)
    except NotFound:  # its file went meanwhile, as the page says
        run.refresh_from_db()
    if request.htmx:
        return render(request, "voice/_import_run.html", _run_context(request, product, run))
    return redirect("import_run", product.slug, run.pk)


@require_POST
@page(Role.MAINTAINER)
def put_back(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    run = services.find_run(product, run_id)
    pieces = services.put_back_personal(request.actor, run)
    messages.success(request, f"{pieces:,} pieces of personal data are back where they stood.")
    return redirect("import_run", product.slug, run.pk)


@require_POST
@page(Role.MAINTAINER)
def close(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    run = services.close_import(request.actor, services.find_run(product, run_id))
    messages.success(request, "What was taken out of this import is gone for good.")
    return redirect("import_run", product.slug, run.pk)


@require_POST
@page(Role.MAINTAINER)
def undo_import(request: PageRequest, product: Product, run_id: int) -> HttpResponse:
    undone = services.undo_import(request.actor, services.find_run(product, run_id))
    if undone.left:
        return redirect("import_run", product.slug, run_id)
    stay = f" Those that are linked stay: {undone.kept:,}." if undone.kept else ""
    name = undone.run.file_name or undone.run.source_name
    messages.success(request, f"{_counted(undone.removed, 'voice')} of {name} went out again.{stay}")
    return redirect("feedback_imports", product.slug)


@require_POST
@page(Role.MAINTAINER)
def voice_settings(request: PageRequest, product: Product) -> HttpResponse:
    """What is taken out at the door from now on, who is of the team, and whether pages may hand in feedback."""
    team, origins = (request.POST.get(name, "").replace(",", " ").split() for name in ("team", "page_origins"))
    try:
        services.set_voice_settings(
            request.actor,
            product,
            redact=request.POST.getlist("redact"),
            team=team,
            from_pages="from_pages" in request.POST,
            page_origins=origins,
        )
    except Invalid as error:
        return _list(request, product, error)
    messages.success(request, "Saved. It holds for what comes in from now on.")
    return redirect("feedback_imports", product.slug)


@require_POST
@page(Role.MAINTAINER)
def webhook(request: PageRequest, product: Product) -> HttpResponse:
    """Open the webhook, change its secret, or close it."""
    if request.POST.get("do") == "close":
        incoming.close_webhook(request.actor, product)
        messages.success(request, "The webhook is closed; what came by it stays.")
    else:
        _, request.session["webhook_secret"] = incoming.make_secret(request.actor, product)
    return redirect("feedback_imports", product.slug)
