"""The snapshot of a talk: one page to read and print, one form to write it."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from whytree.engines.photos import MOST_BYTES
from whytree.errors import Conflict, Invalid, WhytreeError
from whytree.people.queries import people_by_key
from whytree.voice.models import NAME_LENGTH, Interview, InterviewSnapshot
from whytree.voice.queries import links_of
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role

from .. import maps, queries, services
from ..picture import draw_stages
from ..services import SnapshotFields, Step

EMPTY_STEPS = 3


@require_GET
@page(Role.VIEWER)
def snapshot(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """What the talk taught, on one page."""
    found = queries.find_interview(product, number)
    one = queries.snapshot_of(found)
    context = {
        "here": "voices",
        "talk": found,
        "snapshot": one,
        "steps": queries.map_of(found, one),
        "heard": queries.heard_in(found, one),
        "may_write": may_write(request.actor, product) and found.erased_at is None,
    }
    return render(request, "voice/snapshot.html", context)


@require_GET
@page(Role.VIEWER)
def experience_map(request: PageRequest, product: Product) -> HttpResponse:
    """The stories of all talks as one."""
    segment = request.GET.get("segment", "")[:NAME_LENGTH]
    joined = maps.joined_map(product, segment)
    context = {
        "here": "voices",
        "joined": joined,
        "picture": draw_stages(joined),
        "segment": segment,
        "segments": maps.segments(product),
        "sentence": _sentence(joined),
    }
    return render(request, "voice/experience_map.html", context)


def _sentence(joined: maps.JoinedMap) -> str:
    if not joined.stages:
        return "No story was told yet"
    lows = [stage for stage in joined.stages if stage.low]
    if not lows:
        return f"{joined.talks} {'story' if joined.talks == 1 else 'stories'} in {len(joined.stages)} steps"
    worst = max(lows, key=lambda stage: stage.low)
    return f"“{worst.words}”: {worst.low} of {worst.told} felt bad"


@require_http_methods(["GET", "POST"])
@page(Role.MEMBER)
def edit_snapshot(request: PageRequest, product: Product, number: int) -> HttpResponse:
    """The seven parts in one form."""
    found = queries.find_interview(product, number)
    if request.method != "POST":
        return _form(request, product, found)
    try:
        services.write_snapshot(request.actor, found, **_said(request))
    except (Invalid, Conflict) as error:
        return _form(request, product, found, error)
    messages.success(request, f"The snapshot of {found.ref} is kept.")
    return redirect("snapshot", product.slug, number)


def _said(request: PageRequest) -> SnapshotFields:
    form = request.POST
    names = ("name", "quick_facts", "memorable_quote", "opportunities", "insights")
    said: Any = {name: form.get(name, "") for name in names}
    said["experience_map"] = _steps(form)
    upload = request.FILES.get("photo")
    if isinstance(upload, UploadedFile):
        said["photo"] = upload.read(MOST_BYTES + 1)
    elif form.get("no_photo"):
        said["photo"] = ""
    fields: SnapshotFields = said
    return fields


def _steps(form: QueryDict) -> list[Step]:
    nothing = [""] * len(form.getlist("step"))
    marks, feelings = ([*form.getlist(name), *nothing] for name in ("mark", "feeling"))
    return [
        {
            "step": words,
            "highlight": int(mark) if mark.isascii() and mark.isdigit() and len(mark) < 18 else None,
            "feeling": feeling,
        }
        for words, mark, feeling in zip(form.getlist("step"), marks, feelings, strict=False)
    ]


def _form(request: PageRequest, product: Product, found: Interview, error: WhytreeError | None = None) -> HttpResponse:
    one = queries.snapshot_of(found)
    shown = one or InterviewSnapshot(interview=found, name=found.participant, quick_facts=_known_facts(found))
    if error is not None:
        for name in ("name", "quick_facts", "memorable_quote", "opportunities", "insights"):
            setattr(shown, name, request.POST.get(name, ""))
        shown.experience_map = _steps(request.POST)
    context = {
        "here": "voices",
        "talk": found,
        "shown": shown,
        "steps": [*shown.experience_map, *({"step": "", "highlight": None},) * EMPTY_STEPS],
        "marks": list(found.highlights.all()),
        "known_steps": maps.known_steps(found.product),
        "linked": links_of([found]).get(found.ref, []),
        "most_kb": MOST_BYTES // 1024,
        "error": error,
    }
    return render(request, "voice/snapshot_edit.html", context, status=error.status if error else 200)


def _known_facts(found: Interview) -> str:
    """What is known of them already, so that nobody types it twice."""
    person = people_by_key(found.product, [found.person_key]).get(found.person_key) if found.person_key else None
    facts = [found.segment]
    if person is not None:
        facts += [person.company, f"{person.plan} plan" if person.plan else ""]
    return "\n".join(fact for fact in facts if fact)
