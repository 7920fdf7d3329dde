"""Interviews over REST. An operation is named after the service or query that it calls."""

from django.db import transaction
from django.utils import timezone
from ninja import Router, Status

from whytree.engines.texts.words import parse_query
from whytree.errors import Invalid
from whytree.voice.queries import links_of
from whytree.voice.services import find_opportunity
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from . import maps, queries, schemas, services
from .cadence import cadence
from .finding import talks_with
from .models import Interview
from .roles import guess_interviewers

router = Router(tags=["Voices"])

MOST_LISTED = 500


def _interview(request: ApiRequest, product: str, ref: str, role: Role = Role.MEMBER) -> Interview:
    return queries.find_by_ref(api_product(request, product, role), ref)


@router.get("/products/{product}/interviews", response=list[schemas.InterviewOut], operation_id="list_interviews")
def list_interviews(request: ApiRequest, product: str, start: int = 0, limit: int = 100) -> list[schemas.InterviewOut]:
    """The talks, the latest first, without their words."""
    if not 1 <= limit <= MOST_LISTED or start < 0:
        raise Invalid(f"limit is a number from 1 to {MOST_LISTED}, start one from 0.")
    found = list(queries.interviews(api_product(request, product, Role.VIEWER))[start : start + limit])
    links = links_of(found)
    return [schemas.InterviewOut.of(one, links.get(one.ref, [])) for one in found]


@router.get("/products/{product}/interview-search", response=list[schemas.SaidOut], operation_id="search_interviews")
def search_interviews(
    request: ApiRequest, product: str, q: str, limit: int = 20, only_words: bool = False
) -> list[schemas.SaidOut]:
    """Talks in which all these words were said, the best match first, each with the line that holds most of them; then,
    labelled, those in which something like it was said.
    """
    if not 1 <= limit <= MOST_LISTED:
        raise Invalid(f"limit is a number from 1 to {MOST_LISTED}.")
    found = api_product(request, product, Role.VIEWER)
    return [schemas.SaidOut.of(one) for one in talks_with(found, parse_query(q), limit=limit, only_words=only_words)]


@router.post(
    "/products/{product}/interviews",
    response={201: schemas.ImportedOut, 200: schemas.ImportedOut},
    operation_id="import_interview",
)
def import_interview(request: ApiRequest, product: str, said: schemas.InterviewIn) -> Status[schemas.ImportedOut]:
    """A talk with its transcript; sent again it is the same talk. Without one: a talk that lies ahead, or told from notes."""
    found = api_product(request, product, Role.MEMBER)
    if said.transcript is None:
        made = services.Imported(services.add_interview(request.actor, found, **said.about()), "new")
    else:
        made = services.import_interview(
            request.actor,
            found,
            said.transcript,
            source_id=said.source_id,
            file_name=said.file_name,
            **said.about(),
        )
    return Status(201 if made.state == "new" else 200, schemas.ImportedOut.of(made))


@router.post("/products/{product}/interviews/preview", response=schemas.PreviewOut, operation_id="preview_interview")
def preview_interview(request: ApiRequest, product: str, said: schemas.TranscriptIn) -> schemas.PreviewOut:
    """How a transcript would be read: its format, who speaks, what would be taken out, what cannot be read. Stores nothing."""
    found = api_product(request, product, Role.MEMBER)
    told = services.preview_interview(request.actor, found, said.transcript)
    return schemas.PreviewOut.of(told, guess_interviewers(found, told.speakers))


@router.get("/products/{product}/interview-cadence", response=schemas.CadenceOut, operation_id="cadence")
def get_cadence(request: ApiRequest, product: str) -> schemas.CadenceOut:
    """Weeks with a touchpoint: how steadily the team talks to its users. Never counted for a person."""
    return schemas.CadenceOut.of(cadence(api_product(request, product, Role.VIEWER), timezone.now()))


@router.get("/products/{product}/interviews/{ref}", response=schemas.InterviewPage, operation_id="get_interview")
def get_interview(request: ApiRequest, product: str, ref: str) -> schemas.InterviewPage:
    """One talk with its lines, its highlights and what it speaks for."""
    found = _interview(request, product, ref, Role.VIEWER)
    return schemas.InterviewPage.whole(found, queries.transcript_of(found))


@router.patch("/products/{product}/interviews/{ref}", response=schemas.InterviewOut, operation_id="set_interview")
def set_interview(request: ApiRequest, product: str, ref: str, said: schemas.AboutIn) -> schemas.InterviewOut:
    """Change what is known of it; its evidence follows."""
    found = _interview(request, product, ref)
    return schemas.InterviewOut.of(services.set_interview(request.actor, found, **said.about()))


@router.delete("/products/{product}/interviews/{ref}", response={204: None}, operation_id="remove_interview")
def remove_interview(request: ApiRequest, product: str, ref: str) -> Status[None]:
    """Take out a talk that came in by mistake; not while it counts as evidence."""
    services.remove_interview(request.actor, _interview(request, product, ref))
    return Status(204, None)


@router.get(
    "/products/{product}/interviews/{ref}/transcript", response=schemas.TranscriptOut, operation_id="get_transcript"
)
def get_transcript(request: ApiRequest, product: str, ref: str) -> schemas.TranscriptOut:
    """The transcript as rows to edit."""
    return schemas.TranscriptOut(**queries.editable(_interview(request, product, ref, Role.VIEWER)))


@router.post(
    "/products/{product}/interviews/{ref}/transcript", response=schemas.ImportedOut, operation_id="import_transcript"
)
def import_transcript(request: ApiRequest, product: str, ref: str, said: schemas.TranscriptIn) -> schemas.ImportedOut:
    """Give a talk its transcript, or another one; highlights go where their words go."""
    found = _interview(request, product, ref)
    made = services.import_interview(
        request.actor, found.product, said.transcript, into=found, file_name=said.file_name
    )
    return schemas.ImportedOut.of(made)


@router.put("/products/{product}/interviews/{ref}/transcript", response=schemas.KeptOut, operation_id="edit_transcript")
def edit_transcript(request: ApiRequest, product: str, ref: str, said: schemas.EditIn) -> schemas.KeptOut:
    """Correct the words. Highlights go where their words go; those whose words are gone are kept as lost."""
    return schemas.KeptOut.of(services.edit_transcript(request.actor, _interview(request, product, ref), said.text))


@router.post(
    "/products/{product}/interviews/{ref}/highlights",
    response={201: schemas.TalkHighlightOut},
    operation_id="highlight_talk",
)
def highlight_talk(
    request: ApiRequest, product: str, ref: str, said: schemas.HighlightIn
) -> Status[schemas.TalkHighlightOut]:
    """Mark words of the transcript, with tags, and with `opportunity` hang them on it as evidence."""
    found = _interview(request, product, ref)
    opportunity = find_opportunity(found.product, said.opportunity) if said.opportunity else None
    with transaction.atomic():
        mark = services.highlight_talk(request.actor, found, said.span(), tags=said.tags)
        if opportunity is not None:
            services.link_highlight(request.actor, mark, opportunity, importance=said.importance)
    return Status(201, schemas.TalkHighlightOut.of(mark, queries.text_of(found)))


@router.delete(
    "/products/{product}/interviews/{ref}/highlights/{number}", response={204: None}, operation_id="remove_highlight"
)
def remove_highlight(request: ApiRequest, product: str, ref: str, number: int) -> Status[None]:
    """Take the mark off; evidence stays."""
    services.remove_highlight(request.actor, queries.find_highlight(_interview(request, product, ref), number))
    return Status(204, None)


@router.post(
    "/products/{product}/interviews/{ref}/highlights/{number}/link",
    response=schemas.InterviewOut,
    operation_id="link_highlight",
)
def link_highlight(
    request: ApiRequest, product: str, ref: str, number: int, said: schemas.LinkIn
) -> schemas.InterviewOut:
    """Hang marked words on an opportunity as user evidence. A talk speaks once for it: the latest words count."""
    found = _interview(request, product, ref)
    mark = queries.find_highlight(found, number)
    opportunity = find_opportunity(found.product, said.opportunity)
    services.link_highlight(request.actor, mark, opportunity, importance=said.importance)
    return schemas.InterviewOut.of(found)


@router.delete(
    "/products/{product}/interviews/{ref}/links/{opportunity}",
    response=schemas.InterviewOut,
    operation_id="unlink_talk",
)
def unlink_talk(request: ApiRequest, product: str, ref: str, opportunity: str) -> schemas.InterviewOut:
    """Take its evidence off an opportunity; what was marked stays marked."""
    found = _interview(request, product, ref)
    services.unlink_talk(request.actor, found, find_opportunity(found.product, opportunity))
    return schemas.InterviewOut.of(found)


@router.get("/products/{product}/experience-map", response=schemas.JoinedMapOut, operation_id="joined_map")
def joined_map(request: ApiRequest, product: str, segment: str = "") -> schemas.JoinedMapOut:
    """The stories of all talks as one: steps in order, how people felt, their words, and the opportunities these speak for."""
    return schemas.JoinedMapOut.of(maps.joined_map(api_product(request, product, Role.VIEWER), segment))


@router.get("/products/{product}/interviews/{ref}/snapshot", response=schemas.SnapshotOut, operation_id="get_snapshot")
def get_snapshot(request: ApiRequest, product: str, ref: str) -> schemas.SnapshotOut:
    """What the talk taught, in seven parts; opportunities it is linked to are among them."""
    found = _interview(request, product, ref, Role.VIEWER)
    return schemas.SnapshotOut.of(found, queries.snapshot_of(found))


@router.put(
    "/products/{product}/interviews/{ref}/snapshot", response=schemas.SnapshotOut, operation_id="write_snapshot"
)
def write_snapshot(request: ApiRequest, product: str, ref: str, said: schemas.SnapshotIn) -> schemas.SnapshotOut:
    """Write parts of it; a quote has to stand in the transcript."""
    found = _interview(request, product, ref)
    return schemas.SnapshotOut.of(found, services.write_snapshot(request.actor, found, **said.parts()))
