"""Begin work over REST: the card, and the start itself."""

from ninja import Router, Schema

from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from .. import services
from ..answering.hops import url_of
from .card import Card, card_of, find_subject

router = Router(tags=["Why"])


class StartIn(Body):
    """What work starts on: a ticket, OPP-2, SOL-3 or words. `answers`: problem, who, test; what is left out stays open."""

    subject: str
    title: str = ""
    tracker: str = ""
    answers: dict[str, str] = {}


class StartedOut(Schema):
    """The solution that commits of this work are for; `trailer` is the line their messages carry."""

    ref: str
    title: str
    url: str
    created: bool
    ticket: str
    trailer: str
    open_questions: list[str]


@router.get("/products/{product}/start", response=Card, operation_id="start_card")
def start_card(
    request: ApiRequest, product: str, subject: str, title: str = "", tracker: str = "", problem: str = ""
) -> Card:
    """What somebody should see before they start on a ticket, a node or words. Changes nothing."""
    found = api_product(request, product, Role.VIEWER)
    return card_of(found, find_subject(found, subject, title=title, tracker=tracker, problem=problem))


@router.post("/products/{product}/start", response=StartedOut, operation_id="start")
def start(request: ApiRequest, product: str, body: StartIn) -> StartedOut:
    """Start work: the ticket is seen, its solution is there, answers are kept, skipped questions stay open."""
    found = api_product(request, product, Role.MEMBER)
    begin = services.Start(body.subject, body.title, body.tracker, body.answers)
    done = services.start(request.actor, found, begin)
    return StartedOut(
        ref=done.solution.ref,
        title=done.solution.title,
        url=url_of(done.solution),
        created=done.created,
        ticket=done.ticket_key,
        trailer=f"Why: {done.solution.ref}",
        open_questions=list(done.open_questions),
    )
