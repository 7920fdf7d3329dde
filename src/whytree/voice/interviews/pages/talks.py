"""The list of talks, the form that takes one in, and one talk with its transcript."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from whytree.engines.texts.personal import taken_out
from whytree.engines.voices.transcripts import MOST_BYTES
from whytree.errors import Conflict, Invalid, NotFound, WhytreeError
from whytree.tree.models import Importance, Opportunity
from whytree.voice.models import Consent, Guide, Interview, Tag
from whytree.voice.pages.reading import suggested_opportunities
from whytree.voice.queries import links_of
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.records.activity import activity_for
from whytree.workspace.rights.access import may, may_write
from whytree.workspace.rights.roles import Role

from .. import media, queries, services
from ..cadence import cadence
from ..reading import Told, text_of
from ..roles import guess_interviewers, is_interviewer
from ..services import InterviewFields

PAGE = 50
ACTS = 12


@require_GET
@page(Role.VIEWER)
def interviews(request: PageRequest, product: Product) -> HttpResponse:
    """The talks, the latest first."""
    place = request.GET.get("from", "")
    start = int(place) if place.isascii() and place.isdigit() and len(place) < 7 else 0
    found = list(queries.counted(queries.interviews(product))[start : start + PAGE + 1])
    links = links_of(found)
    context = {
        "here": "voices",
        "talks": [(one, links.get(one.ref, [])) for one in found[:PAGE]],
        "total": queries.interviews(product).count(),
        "cadence": cadence(product, timezone.now()),
        "start": start,
        "next": start + PAGE if len(found) > PAGE else 0,
        "may_write": may_write(request.actor, product),
    }
    return render(request, "voice/interviews.html", context)


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def new_interview(request: PageRequest, product: Product) -> HttpResponse:
    """Take a talk in: by file or pasted, looked at first or at once; or without a transcript."""
    if request.method != "POST":
        return _form(request, product, request.GET)
    try:
        transcript, file_name = sent_transcript(request)
        if "look" in request.POST:
            if not transcript:
                raise Invalid("There is no transcript to look at. Choose its file, or paste it.")
            told = services.preview_interview(request.actor, product, transcript)
            return _form(request, product, request.POST, transcript=transcript, file_name=file_name, told=told)
        fields = _said(request.POST, told_only=True)
        if not transcript:
            made = services.Imported(services.add_interview(request.actor, product, **fields), "new")
        else:
            made = services.import_interview(request.actor, product, transcript, file_name=file_name, **fields)
    except (Invalid, Conflict, NotFound) as error:
        return _form(request, product, request.POST, error=error)
    tell_import(request, made)
    return redirect("interview", product.slug, made.interview.number)


def sent_transcript(request: PageRequest) -> tuple[str, str]:
    """The text of the file that was chosen, else what was pasted; and the file's name."""
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        return request.POST.get("transcript", "").strip(), request.POST.get("file_name", "")
    if (upload.size or 0) > MOST_BYTES:
        raise Invalid(f"The file has {(upload.size or 0) // 1024 // 1024:,} MB. A transcript, not the recording?")
    return text_of(upload.read()), upload.name or ""


def tell_import(request: PageRequest, made: services.Imported) -> None:
    """What an import did, in a sentence or two."""
    ref, who = made.interview.ref, made.interview.who
    if made.state == "known":
        messages.info(request, f"These words are known already: they are {ref}, the talk with {who}.")
        return
    parts = [f"{ref}, the talk with {who}, is in." if made.state == "new" else f"{ref} was changed."]
    if made.redacted:
        parts.append(taken_out(made.redacted))
    if made.problems:
        parts.append(f"{len(made.problems)} things could not be read; they are listed beside the transcript.")
    if made.kept.lost:
        parts.append(f"{made.kept.lost} highlights are lost: their words are not in it any more.")
    messages.success(request, " ".join(parts))


def _said(form: QueryDict, *, told_only: bool = False) -> InterviewFields:
    """What the form says of the talk. `told_only`: what was left empty says nothing, for a talk that may be there already."""
    names = (
        "person",
        "participant",
        "email",
        "company",
        "segment",
        "consent",
        "media_url",
        "notes",
        "held_at",
        "guide",
    )
    said: Any = {name: form.get(name, "") for name in names if name in form}
    if told_only:
        said = {name: value for name, value in said.items() if value.strip()}
    if "interviewers" in form:
        said["interviewers"] = [name for part in form.getlist("interviewers") for name in part.split(",")]
        if not any(name.strip() for name in said["interviewers"]):
            del said["interviewers"]
    fields: InterviewFields = said
    return fields


def _form(
    request: PageRequest,
    product: Product,
    form: QueryDict,
    *,
    error: WhytreeError | None = None,
    transcript: str = "",
    file_name: str = "",
    told: Told | None = None,
) -> HttpResponse:
    context = {
        "here": "voices",
        "form": form,
        "transcript": transcript or form.get("transcript", ""),
        "file_name": file_name or form.get("file_name", ""),
        "told": told,
        "guides": Guide.objects.filter(product=product),
        "ours": guess_interviewers(product, told.speakers, form.get("participant", "")) if told else [],
        "consents": Consent.choices,
        "most_mb": MOST_BYTES // 1024 // 1024,
        "error": error,
    }
    return render(request, "voice/interview_new.html", context, status=error.status if error else 200)


@require_GET
@page(Role.VIEWER)
def interview(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """INT-3: what was said, what was marked in it, and what it speaks for."""
    found = queries.find_interview(product, number)
    return drawn(request, product, found)


def drawn(
    request: PageRequest,
    product: Product,
    found: Interview,
    *,
    form: QueryDict | None = None,
    error: WhytreeError | None = None,
) -> HttpResponse:
    """The talk's page; with what somebody typed into the form and why it was not taken."""
    transcript = queries.transcript_of(found)
    marks = list(found.highlights.prefetch_related("tags"))
    links = links_of([found]).get(found.ref, [])
    speakers = transcript.speakers if transcript else ()
    kind = media.player(found.media_url)
    text = transcript.text if transcript else ""
    asked, findings = queries.asked_in(found, transcript)
    context = {
        "here": "voices",
        "talk": found,
        "transcript": transcript,
        "lines": queries.lines_of(found, transcript, marks) if transcript and found.erased_at is None else [],
        "marks": [(mark, mark.still_stands(text)) for mark in marks],
        "links": links,
        "speakers": [(name, is_interviewer(name, found.interviewers)) for name in speakers],
        "player": kind,
        "asked": asked,
        "findings": findings,
        "tags": Tag.objects.filter(product=product)[:200],
        "opportunities": suggested_opportunities(product),
        "suggested": _last_linked(request, product),
        "importances": Importance.choices,
        "default_importance": Importance.NICE_TO_HAVE.value,
        "consents": Consent.choices,
        "form": form or QueryDict(),
        "error": error,
        "may_write": may_write(request.actor, product),
        "may_remove": may(request.actor, product, Role.MAINTAINER),
        "activity": activity_for(found)[:ACTS],
    }
    response = render(request, "voice/interview.html", context, status=error.status if error else 200)
    if kind:
        response.media_source = media.source(found.media_url)  # type: ignore[attr-defined]  # our middleware's, read for the policy
    return response


def _last_linked(request: PageRequest, product: Product) -> Opportunity | None:
    ref = str(request.session.get("voices_opportunity", "")).removeprefix("OPP-")
    if not ref.isdigit():
        return None
    return Opportunity.objects.filter(product=product, number=int(ref), closed_at=None).first()


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def about_interview(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """Who it was with, when, what they allow."""
    found = queries.find_interview(product, number)
    error: WhytreeError | None = None
    if request.method == "POST":
        fields = _said(request.POST)
        fields.setdefault("interviewers", [])
        try:
            services.set_interview(request.actor, found, **fields)
        except (Invalid, Conflict, NotFound) as refused:
            error = refused
        else:
            messages.success(request, f"{found.ref} is kept.")
            return redirect("interview", product.slug, number)
    transcript = queries.transcript_of(found)
    context = {
        "here": "voices",
        "talk": found,
        "form": request.POST,
        "speakers": transcript.speakers if transcript else (),
        "guides": Guide.objects.filter(product=product),
        "consents": Consent.choices,
        "error": error,
    }
    return render(request, "voice/interview_about.html", context, status=error.status if error else 200)


@require_POST
@page(Role.MAINTAINER)
def remove_interview(request: PageRequest, product: Product, number: int) -> HttpResponse:
    found = queries.find_interview(product, number)
    try:
        services.remove_interview(request.actor, found)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("interview", product.slug, number)
    messages.success(request, f"{found.ref} is out.")
    return redirect("interviews", product.slug)
