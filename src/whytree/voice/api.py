"""Voices over REST. An operation is named after the service or query that it calls."""

from typing import Literal, cast

from django.http import HttpResponse, StreamingHttpResponse
from ninja import Body, Query, Router, Status

from whytree.engines.texts.words import parse_query
from whytree.errors import Invalid
from whytree.voice import queries, services
from whytree.voice.arriving import mailbox
from whytree.voice.arriving.drafts import FeedbackFields
from whytree.voice.board.api import router as board
from whytree.voice.downloads import as_file
from whytree.voice.incoming.api import router as incoming
from whytree.voice.interviews.api import router as interviews
from whytree.voice.interviews.guide_api import router as guides
from whytree.voice.interviews.recruit_api import router as recruiting
from whytree.voice.models import FeedbackItem, Screenshot
from whytree.voice.replies.api import router as replies
from whytree.voice.rest import imports, loop, schemas, triage
from whytree.voice.rounds.api import router as rounds
from whytree.voice.surveys.api import router as surveys
from whytree.voice.themes.api import router as themes
from whytree.voice.weighing.api import router as weighing
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

router = Router(tags=["Voices"])
router.add_router("", imports.router)
router.add_router("", triage.router)
router.add_router("", loop.router)
router.add_router("", incoming)
router.add_router("", surveys)
router.add_router("", themes)
router.add_router("", interviews)
router.add_router("", guides)
router.add_router("", weighing)
router.add_router("", recruiting)
router.add_router("", board)
router.add_router("", replies)
router.add_router("", rounds)

_ANYTHING = schemas.WantedIn()

MOST_LISTED = 200


def _item_out(item: FeedbackItem) -> schemas.ItemOut:
    links, tags = queries.links_of([item]), queries.tags_of([item])
    shown = schemas.FeedbackOut.of(item, links.get(item.ref, []), tags=tags.get(item.pk, ()))
    marks = [schemas.HighlightOut(**mark.as_json()) for mark in item.highlights.prefetch_related("tags")]
    merged = [part.ref for part in item.merged.order_by("pk")]
    remarks = [schemas.RemarkOut.of(one) for one in item.remarks.select_related("by")]
    has_picture = Screenshot.objects.filter(item=item).exists()
    return schemas.ItemOut(
        **shown.model_dump(), screenshot=has_picture, highlights=marks, merged=merged, remarks=remarks
    )


@router.post(
    "/products/{product}/feedback",
    response={201: schemas.ItemOut, 200: schemas.AddedOut},
    operation_id="add_feedback",
)
def add_feedback(
    request: ApiRequest, product: str, said: Body[schemas.FeedbackBody]
) -> Status[schemas.ItemOut | schemas.AddedOut]:
    """One thing somebody said, or a list; of a list those that cannot be taken are named and the others land."""
    found = api_product(request, product, Role.MEMBER)
    if isinstance(said, list):
        return Status(200, _added_out(services.add_many(request.actor, found, items=said)))
    reporter_id = request.actor.user_id if said.heard else None
    item = services.add_feedback(
        request.actor, found, source=said.source(), reporter_id=reporter_id, **cast(FeedbackFields, said.fields())
    )
    return Status(201, _item_out(queries.find_feedback(found, item.number)))


def _added_out(added: services.Added) -> schemas.AddedOut:
    return schemas.AddedOut(
        created=[item.ref for item in added.created],
        updated=[item.ref for item in added.updated],
        unchanged=added.unchanged,
        refused=[schemas.RefusedOut(index=one.index, reason=one.reason) for one in added.refused],
    )


@router.get("/products/{product}/feedback", response=schemas.FeedbackPage, operation_id="list_feedback")
def list_feedback(
    request: ApiRequest,
    product: str,
    asked: Query[schemas.WantedIn] = _ANYTHING,
    after: str = "",
    limit: int = queries.PAGE,
) -> schemas.FeedbackPage:
    """The voices, the newest first; with `q`, those that hold all its words and, labelled, those alike in meaning, the best first."""
    found = api_product(request, product, Role.VIEWER)
    if not 1 <= limit <= MOST_LISTED:
        raise Invalid(f"limit is a number from 1 to {MOST_LISTED}.")
    page = queries.page_of(found, asked.wanted(), after=after, size=limit)
    return schemas.FeedbackPage(
        items=schemas.FeedbackOut.of_many(page.items, parse_query(asked.q), page.by_meaning), next=page.next or None
    )


@router.get("/products/{product}/feedback-export", operation_id="export_feedback")
def export_feedback(
    request: ApiRequest,
    product: str,
    form: Literal["csv", "jsonl"] = "jsonl",
    asked: Query[schemas.WantedIn] = _ANYTHING,
) -> StreamingHttpResponse:
    """All that the list would show, as a file with stable columns: CSV for spreadsheets, or JSON lines."""
    return as_file(api_product(request, product, Role.MEMBER), asked.wanted(), form)


@router.post("/products/{product}/feedback-mailbox", response=schemas.LookedOut, operation_id="poll_mailbox")
def poll_mailbox(request: ApiRequest, product: str) -> schemas.LookedOut:
    """Look into the mailbox now; it is looked into every five minutes anyway."""
    looked = mailbox.look(request.actor, api_product(request, product, Role.MAINTAINER))
    return schemas.LookedOut(**looked.as_json())


@router.get("/products/{product}/feedback/{ref}", response=schemas.ItemOut, operation_id="get_feedback")
def get_feedback(request: ApiRequest, product: str, ref: str) -> schemas.ItemOut:
    """One item with its highlights and links."""
    return _item_out(queries.find_by_ref(api_product(request, product, Role.VIEWER), ref))


@router.get("/products/{product}/feedback/{ref}/screenshot", operation_id="get_screenshot")
def get_screenshot(request: ApiRequest, product: str, ref: str) -> HttpResponse:
    """The picture that came with it, a JPEG or a PNG."""
    item = queries.find_by_ref(api_product(request, product, Role.VIEWER), ref)
    return services.as_download(services.find_screenshot(item.product, item.number))


@router.delete("/products/{product}/feedback/{ref}/screenshot", response={204: None}, operation_id="remove_screenshot")
def remove_screenshot(request: ApiRequest, product: str, ref: str) -> Status[None]:
    """Take the picture away for good; the words stay."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    services.remove_screenshot(request.actor, services.find_screenshot(item.product, item.number))
    return Status(204, None)


@router.post(
    "/products/{product}/feedback/{ref}/highlights", response={201: schemas.HighlightOut}, operation_id="highlight"
)
def highlight(request: ApiRequest, product: str, ref: str, said: schemas.SpanIn) -> Status[schemas.HighlightOut]:
    """Mark a part of the text."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    span = services.Span.of(item, start=said.start, end=said.end, quote=said.quote)
    return Status(201, schemas.HighlightOut(**services.highlight(request.actor, item, span).as_json()))


@router.put("/products/{product}/highlights/{number}", response=schemas.HighlightOut, operation_id="tag_highlight")
def tag_highlight(request: ApiRequest, product: str, number: int, said: schemas.TagsIn) -> schemas.HighlightOut:
    """Give marked words exactly these tags, whether somebody wrote them or said them in a talk."""
    mark = services.find_highlight(api_product(request, product, Role.MEMBER), number)
    return schemas.HighlightOut(**services.tag_highlight(request.actor, mark, said.tags).as_json())


@router.post("/products/{product}/feedback/{ref}/links", response={201: schemas.ItemOut}, operation_id="link_excerpt")
def link_excerpt(request: ApiRequest, product: str, ref: str, said: schemas.LinkIn) -> Status[schemas.ItemOut]:
    """Link an excerpt to an opportunity. Linking it there again replaces the excerpt and the importance."""
    found = api_product(request, product, Role.MEMBER)
    item = queries.find_by_ref(found, ref)
    opportunity = services.find_opportunity(found, said.opportunity)
    span = services.Span.of(item, start=said.start, end=said.end, quote=said.quote)
    services.link_excerpt(request.actor, item, opportunity, span=span, importance=said.importance)
    return Status(201, _item_out(item))


@router.delete(
    "/products/{product}/feedback/{ref}/links/{opportunity}", response=schemas.ItemOut, operation_id="unlink_excerpt"
)
def unlink_excerpt(request: ApiRequest, product: str, ref: str, opportunity: str) -> schemas.ItemOut:
    """Take the link off; the highlight stays."""
    found = api_product(request, product, Role.MEMBER)
    item = queries.find_by_ref(found, ref)
    services.unlink(request.actor, item, services.find_opportunity(found, opportunity))
    return _item_out(item)


@router.post("/products/{product}/feedback/{ref}/put-away", response=schemas.ItemOut, operation_id="put_away")
def put_away(request: ApiRequest, product: str, ref: str) -> schemas.ItemOut:
    """Read, and nothing to link."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    return _item_out(services.put_away(request.actor, item))


@router.post("/products/{product}/feedback/{ref}/bring-back", response=schemas.ItemOut, operation_id="bring_back")
def bring_back(request: ApiRequest, product: str, ref: str) -> schemas.ItemOut:
    """Let it wait for a reader again."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    return _item_out(services.bring_back(request.actor, item))


@router.put("/products/{product}/feedback/{ref}/consent", response=schemas.ItemOut, operation_id="set_consent")
def set_consent(request: ApiRequest, product: str, ref: str, said: schemas.ConsentIn) -> schemas.ItemOut:
    """What the person allows us to do with their words."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    return _item_out(services.set_consent(request.actor, item, said.consent))


@router.post("/products/{product}/feedback/{ref}/remarks", response={201: schemas.RemarkOut}, operation_id="add_remark")
def add_remark(request: ApiRequest, product: str, ref: str, said: schemas.RemarkIn) -> Status[schemas.RemarkOut]:
    """A private note to the team, or an official answer, which goes by mail where that is wanted."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    if said.kind == "answer":
        made = services.answer_voice(request.actor, item, said.text, by_mail=said.by_mail, unproved=said.unproved)
    else:
        made = services.add_note(request.actor, item, said.text)
    return Status(201, schemas.RemarkOut.of(made))


@router.delete(
    "/products/{product}/feedback/{ref}/remarks/{remark_id}", response={204: None}, operation_id="remove_remark"
)
def remove_remark(request: ApiRequest, product: str, ref: str, remark_id: int) -> Status[None]:
    """Take one's own back; what went by mail is out."""
    item = queries.find_by_ref(api_product(request, product, Role.MEMBER), ref)
    services.remove_remark(request.actor, item, remark_id)
    return Status(204, None)
