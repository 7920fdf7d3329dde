"""Sorting voices over REST: one or many at once, the team's statuses, saved views."""

from django.db.models import Q
from ninja import Router
from ninja import Status as Answer

from whytree.voice import queries, services
from whytree.voice.finding.alike import similar, similar_to
from whytree.voice.models import SavedView, Status
from whytree.voice.rest import triage_schemas
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

router = Router(tags=["Voices"])


@router.post("/products/{product}/feedback-triage", response=triage_schemas.TriageOut, operation_id="triage_feedback")
def triage_feedback(request: ApiRequest, product: str, said: triage_schemas.TriageIn) -> triage_schemas.TriageOut:
    """Put away, bring back, tag, untag, assign, snooze, give a status, link, merge or part: all of these items or none."""
    found = api_product(request, product, Role.MEMBER)
    items = queries.find_many(found, said.refs)
    done = services.triage(request.actor, found, items, services.Act(said.act, said.value, said.importance))
    return triage_schemas.TriageOut(changed=done.changed, said=done.said, activities=done.activities)


@router.post("/products/{product}/feedback-triage/undo", response=triage_schemas.TriageOut, operation_id="undo_triage")
def undo_triage(request: ApiRequest, product: str, said: triage_schemas.UndoTriageIn) -> triage_schemas.TriageOut:
    """Take one's own last act back, whole."""
    found = api_product(request, product, Role.MEMBER)
    lines = services.undo_triage(request.actor, found, said.activities)
    return triage_schemas.TriageOut(changed=lines, said="taken back", activities=[])


@router.get(
    "/products/{product}/feedback/{ref}/similar",
    response=list[triage_schemas.SimilarOut],
    operation_id="similar_feedback",
)
def similar_feedback(request: ApiRequest, product: str, ref: str) -> list[triage_schemas.SimilarOut]:
    """Voices that may say the same as this one, the most alike first. Machine-made: a person merges."""
    found = api_product(request, product, Role.VIEWER)
    return [triage_schemas.SimilarOut.of(one) for one in similar_to(queries.find_by_ref(found, ref))]


@router.post(
    "/products/{product}/feedback-similar",
    response=list[triage_schemas.SimilarOut],
    operation_id="similar_to_text",
)
def similar_to_text(
    request: ApiRequest, product: str, said: triage_schemas.SimilarIn
) -> list[triage_schemas.SimilarOut]:
    """Voices that may say the same as this text, which is not kept."""
    found = api_product(request, product, Role.VIEWER)
    return [triage_schemas.SimilarOut.of(one) for one in similar(found, said.text)]


@router.get(
    "/products/{product}/feedback-statuses", response=list[triage_schemas.StatusOut], operation_id="list_statuses"
)
def list_statuses(request: ApiRequest, product: str) -> list[triage_schemas.StatusOut]:
    """The team's own words for where a voice stands."""
    found = api_product(request, product, Role.VIEWER)
    return [
        triage_schemas.StatusOut(name=one.name, waits=one.waits, tells=one.tells)
        for one in Status.objects.filter(product=found)
    ]


@router.post(
    "/products/{product}/feedback-statuses", response={201: triage_schemas.StatusOut}, operation_id="add_status"
)
def add_status(request: ApiRequest, product: str, said: triage_schemas.StatusIn) -> Answer[triage_schemas.StatusOut]:
    """A new one."""
    found = api_product(request, product, Role.MAINTAINER)
    made = services.add_status(request.actor, found, name=said.name, waits=said.waits, tells=said.tells)
    return Answer(201, triage_schemas.StatusOut(name=made.name, waits=made.waits, tells=made.tells))


@router.delete("/products/{product}/feedback-statuses/{name}", response={204: None}, operation_id="remove_status")
def remove_status(request: ApiRequest, product: str, name: str) -> Answer[None]:
    """Voices that stood so have none then."""
    services.remove_status(request.actor, api_product(request, product, Role.MAINTAINER), name)
    return Answer(204, None)


@router.get("/products/{product}/feedback-views", response=list[triage_schemas.ViewOut], operation_id="list_views")
def list_views(request: ApiRequest, product: str) -> list[triage_schemas.ViewOut]:
    """One's own saved views and the team's."""
    found = api_product(request, product, Role.VIEWER)
    own = Q(owner=None) if request.actor.user_id is None else Q(owner=None) | Q(owner_id=request.actor.user_id)
    return [triage_schemas.ViewOut.of(view) for view in SavedView.objects.filter(own, product=found)]


@router.post("/products/{product}/feedback-views", response={201: triage_schemas.ViewOut}, operation_id="save_view")
def save_view(request: ApiRequest, product: str, said: triage_schemas.ViewIn) -> Answer[triage_schemas.ViewOut]:
    """Keep a search; the same name again replaces it."""
    found = api_product(request, product, Role.MEMBER)
    view = services.save_view(request.actor, found, name=said.name, query=said.query, shared=said.shared)
    return Answer(201, triage_schemas.ViewOut.of(view))


@router.delete("/products/{product}/feedback-views/{view_id}", response={204: None}, operation_id="remove_view")
def remove_view(request: ApiRequest, product: str, view_id: int) -> Answer[None]:
    """One's own or one of the team's."""
    services.remove_view(request.actor, api_product(request, product, Role.MEMBER), view_id)
    return Answer(204, None)
