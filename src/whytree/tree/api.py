"""The tree over REST. An operation is named after the service or query that it calls."""

from typing import Any, TypeVar, cast

from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from ninja import Body, Router, Status

from whytree.engines.typed import day_of
from whytree.errors import Invalid, NotFound
from whytree.tree import differing, queries, schemas, services, transfer
from whytree.tree.differing import TreeDiff
from whytree.tree.models import (
    Assumption,
    AssumptionTest,
    EvidenceLink,
    Hypothesis,
    Node,
    Note,
    Opportunity,
    Outcome,
    Solution,
    TicketLink,
)
from whytree.tree.outline import load_tree
from whytree.workspace.entry.doors import ApiRequest, api_product, plain
from whytree.workspace.models import Product, User
from whytree.workspace.rights.roles import Role

router = Router(tags=["Tree"])
AnyNode = TypeVar("AnyNode", bound=Node)


def find(product: Product, model: type[AnyNode], ref: str) -> AnyNode:
    """A node of one kind by its ref; `NotFound` for any other kind."""
    node = queries.find_node(product, ref)
    if not isinstance(node, model):
        raise NotFound(f"{ref} is no {model.word}.")
    return node


def _spoken(product: Product, said: schemas.Said) -> dict[str, Any]:
    """The caller's fields as a service takes them: the owner looked up, the parent left to the caller."""
    fields = {name: value for name, value in said.given().items() if name != "parent"}
    if fields.get("owner") is not None:
        email = str(fields["owner"]).strip().lower()
        fields["owner"] = User.objects.filter(email=email, memberships__product=product).first()
        if fields["owner"] is None:
            raise Invalid(f"{email} is not a member of {product.name}. Invite them first.")
    return fields


def _list(request: ApiRequest, product: str, model: type[AnyNode], closed: bool) -> list[AnyNode]:
    found = queries.nodes_of(api_product(request, product, Role.VIEWER), model)
    nodes = cast("list[AnyNode]", list(found if closed else found.filter(closed_at=None)))
    if model is Assumption:
        prefetch_related_objects(nodes, "tests")
    return nodes


# Outcomes


@router.get("/products/{product}/outcomes", response=list[schemas.OutcomeOut], operation_id="list_outcomes")
def list_outcomes(request: ApiRequest, product: str, closed: bool = False) -> list[Outcome]:
    """The product's outcomes; closed ones only when asked for."""
    return _list(request, product, Outcome, closed)


@router.post("/products/{product}/outcomes", response={201: schemas.OutcomeOut}, operation_id="create_outcome")
def create_outcome(request: ApiRequest, product: str, said: schemas.OutcomeIn) -> Status[Outcome]:
    """A metric to move, with baseline, target and day."""
    found = api_product(request, product, Role.MEMBER)
    parent = find(found, Outcome, said.parent) if said.parent else None
    return Status(201, services.create_outcome(request.actor, found, parent=parent, **cast(Any, _spoken(found, said))))


@router.get("/products/{product}/outcomes/{ref}", response=schemas.OutcomeOut, operation_id="get_outcome")
def get_outcome(request: ApiRequest, product: str, ref: str) -> Outcome:
    return find(api_product(request, product, Role.VIEWER), Outcome, ref)


@router.patch("/products/{product}/outcomes/{ref}", response=schemas.OutcomeOut, operation_id="edit_outcome")
def edit_outcome(request: ApiRequest, product: str, ref: str, said: schemas.OutcomeEdit) -> Outcome:
    """Change the fields that are named."""
    found = api_product(request, product, Role.MEMBER)
    return services.edit_outcome(request.actor, find(found, Outcome, ref), **cast(Any, _spoken(found, said)))


# Opportunities


@router.get(
    "/products/{product}/opportunities", response=list[schemas.OpportunityOut], operation_id="list_opportunities"
)
def list_opportunities(request: ApiRequest, product: str, closed: bool = False) -> list[Opportunity]:
    """The product's opportunities; closed ones only when asked for."""
    return _list(request, product, Opportunity, closed)


@router.post(
    "/products/{product}/opportunities", response={201: schemas.OpportunityOut}, operation_id="create_opportunity"
)
def create_opportunity(request: ApiRequest, product: str, said: schemas.OpportunityIn) -> Status[Opportunity]:
    """A need, pain point or desire, under an outcome or an opportunity (`parent`)."""
    found = api_product(request, product, Role.MEMBER)
    parent = queries.find_node(found, said.parent) if said.parent else None
    services.refuse_misplaced("OPP", parent.prefix if parent else None)
    made = services.create_opportunity(
        request.actor,
        found,
        outcome=parent if isinstance(parent, Outcome) else None,
        parent=parent if isinstance(parent, Opportunity) else None,
        **cast(Any, _spoken(found, said)),
    )
    return Status(201, made)


@router.get("/products/{product}/opportunities/{ref}", response=schemas.OpportunityOut, operation_id="get_opportunity")
def get_opportunity(request: ApiRequest, product: str, ref: str) -> Opportunity:
    return find(api_product(request, product, Role.VIEWER), Opportunity, ref)


@router.patch(
    "/products/{product}/opportunities/{ref}", response=schemas.OpportunityOut, operation_id="edit_opportunity"
)
def edit_opportunity(request: ApiRequest, product: str, ref: str, said: schemas.OpportunityEdit) -> Opportunity:
    """Change the fields that are named."""
    found = api_product(request, product, Role.MEMBER)
    return services.edit_opportunity(request.actor, find(found, Opportunity, ref), **cast(Any, _spoken(found, said)))


# Solutions


@router.get("/products/{product}/solutions", response=list[schemas.SolutionOut], operation_id="list_solutions")
def list_solutions(request: ApiRequest, product: str, closed: bool = False) -> list[Solution]:
    """The product's solutions; dropped ones only when asked for."""
    return _list(request, product, Solution, closed)


@router.post("/products/{product}/solutions", response={201: schemas.SolutionOut}, operation_id="create_solution")
def create_solution(request: ApiRequest, product: str, said: schemas.SolutionIn) -> Status[Solution]:
    """One way to address an opportunity (`parent`)."""
    found = api_product(request, product, Role.MEMBER)
    parent = find(found, Opportunity, said.parent) if said.parent else None
    return Status(
        201, services.create_solution(request.actor, found, opportunity=parent, **cast(Any, _spoken(found, said)))
    )


@router.get("/products/{product}/solutions/{ref}", response=schemas.SolutionOut, operation_id="get_solution")
def get_solution(request: ApiRequest, product: str, ref: str) -> Solution:
    return find(api_product(request, product, Role.VIEWER), Solution, ref)


@router.patch("/products/{product}/solutions/{ref}", response=schemas.SolutionOut, operation_id="edit_solution")
def edit_solution(request: ApiRequest, product: str, ref: str, said: schemas.SolutionEdit) -> Solution:
    """Change the fields that are named. The state has its own operation."""
    found = api_product(request, product, Role.MEMBER)
    return services.edit_solution(request.actor, find(found, Solution, ref), **cast(Any, _spoken(found, said)))


@router.post("/products/{product}/solutions/{ref}/state", response=schemas.SolutionOut, operation_id="set_state")
def set_state(request: ApiRequest, product: str, ref: str, said: schemas.StateIn) -> Solution:
    """Move a solution along the allowed moves; 409 names them."""
    found = api_product(request, product, Role.MEMBER)
    return services.set_state(request.actor, find(found, Solution, ref), said.state, reason=said.reason)


# Hypotheses


@router.get("/products/{product}/hypotheses", response=list[schemas.HypothesisOut], operation_id="list_hypotheses")
def list_hypotheses(request: ApiRequest, product: str, closed: bool = False) -> list[Hypothesis]:
    """The product's predictions; closed ones only when asked for."""
    return _list(request, product, Hypothesis, closed)


@router.post("/products/{product}/hypotheses", response={201: schemas.HypothesisMade}, operation_id="create_hypothesis")
def create_hypothesis(request: ApiRequest, product: str, said: schemas.HypothesisIn) -> Status[Hypothesis]:
    """What a solution (`parent`) will change: low < likely < high, the 10 % point, the mode and the 90 % point."""
    found = api_product(request, product, Role.MEMBER)
    solution = find(found, Solution, said.parent)
    return Status(201, services.create_hypothesis(request.actor, solution, **cast(Any, _spoken(found, said))))


@router.get("/products/{product}/hypotheses/{ref}", response=schemas.HypothesisOut, operation_id="get_hypothesis")
def get_hypothesis(request: ApiRequest, product: str, ref: str) -> Hypothesis:
    return find(api_product(request, product, Role.VIEWER), Hypothesis, ref)


@router.patch("/products/{product}/hypotheses/{ref}", response=schemas.HypothesisMade, operation_id="edit_hypothesis")
def edit_hypothesis(request: ApiRequest, product: str, ref: str, said: schemas.HypothesisEdit) -> Hypothesis:
    """Change the fields that are named; 409 once the prediction is locked, and the attempt is logged."""
    found = api_product(request, product, Role.MEMBER)
    return services.edit_hypothesis(request.actor, find(found, Hypothesis, ref), **cast(Any, _spoken(found, said)))


# Assumptions and their tests


@router.get("/products/{product}/assumptions", response=list[schemas.AssumptionOut], operation_id="list_assumptions")
def list_assumptions(request: ApiRequest, product: str, closed: bool = False) -> list[Assumption]:
    """The product's assumptions; closed ones only when asked for."""
    return _list(request, product, Assumption, closed)


@router.post("/products/{product}/assumptions", response={201: schemas.AssumptionOut}, operation_id="add_assumption")
def add_assumption(request: ApiRequest, product: str, said: schemas.AssumptionIn) -> Status[Assumption]:
    """A belief that must be true for a solution (`parent`) to work."""
    found = api_product(request, product, Role.MEMBER)
    solution = find(found, Solution, said.parent)
    return Status(201, services.add_assumption(request.actor, solution, **cast(Any, _spoken(found, said))))


@router.get("/products/{product}/assumptions/{ref}", response=schemas.AssumptionOut, operation_id="get_assumption")
def get_assumption(request: ApiRequest, product: str, ref: str) -> Assumption:
    return find(api_product(request, product, Role.VIEWER), Assumption, ref)


@router.patch("/products/{product}/assumptions/{ref}", response=schemas.AssumptionOut, operation_id="edit_assumption")
def edit_assumption(request: ApiRequest, product: str, ref: str, said: schemas.AssumptionEdit) -> Assumption:
    """Change the fields that are named."""
    found = api_product(request, product, Role.MEMBER)
    return services.edit_assumption(request.actor, find(found, Assumption, ref), **cast(Any, _spoken(found, said)))


@router.get("/products/{product}/tests", response=list[schemas.TestOut], operation_id="list_tests")
def list_tests(request: ApiRequest, product: str, closed: bool = False) -> list[AssumptionTest]:
    """The product's assumption tests; closed ones only when asked for."""
    return _list(request, product, AssumptionTest, closed)


@router.post("/products/{product}/tests", response={201: schemas.TestOut}, operation_id="plan_test")
def plan_test(request: ApiRequest, product: str, said: schemas.TestIn) -> Status[AssumptionTest]:
    """The smallest activity that could prove an assumption (`parent`) wrong."""
    found = api_product(request, product, Role.MEMBER)
    assumption = find(found, Assumption, said.parent)
    return Status(201, services.plan_test(request.actor, assumption, **cast(Any, _spoken(found, said))))


@router.get("/products/{product}/tests/{ref}", response=schemas.TestOut, operation_id="get_test")
def get_test(request: ApiRequest, product: str, ref: str) -> AssumptionTest:
    return find(api_product(request, product, Role.VIEWER), AssumptionTest, ref)


@router.patch("/products/{product}/tests/{ref}", response=schemas.TestOut, operation_id="edit_test")
def edit_test(request: ApiRequest, product: str, ref: str, said: schemas.TestEdit) -> AssumptionTest:
    """Change the fields that are named; method and criterion are fixed once it has started."""
    found = api_product(request, product, Role.MEMBER)
    return services.edit_test(request.actor, find(found, AssumptionTest, ref), **cast(Any, _spoken(found, said)))


@router.post("/products/{product}/tests/{ref}/start", response=schemas.TestOut, operation_id="start_test")
def start_test(request: ApiRequest, product: str, ref: str) -> AssumptionTest:
    """Start a test whose criterion is fixed."""
    found = api_product(request, product, Role.MEMBER)
    return services.start_test(request.actor, find(found, AssumptionTest, ref))


@router.post("/products/{product}/tests/{ref}/sessions", response=schemas.TestOut, operation_id="record_session")
def record_session(request: ApiRequest, product: str, ref: str, said: schemas.SessionIn) -> AssumptionTest:
    """One more person was watched or asked: passed or not."""
    found = api_product(request, product, Role.MEMBER)
    return services.record_session(request.actor, find(found, AssumptionTest, ref), passed=said.passed, note=said.note)


@router.post("/products/{product}/tests/{ref}/conclude", response=schemas.TestOut, operation_id="conclude_test")
def conclude_test(request: ApiRequest, product: str, ref: str, said: schemas.ConcludeIn) -> AssumptionTest:
    """Write the verdict; it becomes evidence on the assumption and on its solution."""
    found = api_product(request, product, Role.MEMBER)
    test = find(found, AssumptionTest, ref)
    return services.conclude_test(request.actor, test, verdict=said.verdict, result=said.result)


# Any node


@router.get("/products/{product}/nodes/{ref}", response=schemas.NodeOut, operation_id="find_node")
def find_node(request: ApiRequest, product: str, ref: str) -> Node:
    """A node of any kind, with what all kinds have."""
    return queries.find_node(api_product(request, product, Role.VIEWER), ref)


@router.post("/products/{product}/nodes/{ref}/move", response=schemas.NodeOut, operation_id="move_node")
def move_node(request: ApiRequest, product: str, ref: str, said: schemas.MoveIn) -> Node:
    """Hang a node under another one, or under none."""
    found = api_product(request, product, Role.MEMBER)
    parent = queries.find_node(found, said.parent) if said.parent else None
    return services.move_node(request.actor, queries.find_node(found, ref), parent)


@router.post("/products/{product}/nodes/{ref}/close", response=schemas.NodeOut, operation_id="close_node")
def close_node(request: ApiRequest, product: str, ref: str, said: schemas.CloseIn) -> Node:
    """Take a node out of play, with a reason; 409 while something below it is open, unless `with_children`."""
    found = api_product(request, product, Role.MEMBER)
    node = queries.find_node(found, ref)
    return services.close_node(request.actor, node, reason=said.reason, with_children=said.with_children)


@router.post("/products/{product}/nodes/{ref}/reopen", response=schemas.NodeOut, operation_id="reopen_node")
def reopen_node(request: ApiRequest, product: str, ref: str) -> Node:
    """Back into play."""
    found = api_product(request, product, Role.MEMBER)
    return services.reopen_node(request.actor, queries.find_node(found, ref))


@router.get("/products/{product}/nodes/{ref}/confidence", response=schemas.ConfidenceOut, operation_id="confidence")
def confidence(request: ApiRequest, product: str, ref: str) -> schemas.ConfidenceOut:
    """How much evidence stands behind a node: derived, with its breakdown and what would raise it most."""
    node = queries.find_node(api_product(request, product, Role.VIEWER), ref)
    return schemas.ConfidenceOut.of(node, queries.confidence(node))


@router.put(
    "/products/{product}/nodes/{ref}/confidence", response=schemas.ConfidenceOut, operation_id="override_confidence"
)
def override_confidence(request: ApiRequest, product: str, ref: str, said: schemas.OverrideIn) -> schemas.ConfidenceOut:
    """Show another strength than the evidence gives, with the reason; an empty strength takes that back."""
    found = api_product(request, product, Role.MEMBER)
    node = queries.find_node(found, ref)
    changed = services.override_confidence(request.actor, node, strength=said.strength, reason=said.reason)
    return schemas.ConfidenceOut.of(changed, queries.confidence(changed))


@router.get("/products/{product}/nodes/{ref}/evidence", response=list[schemas.EvidenceOut], operation_id="evidence_of")
def evidence_of(request: ApiRequest, product: str, ref: str) -> list[EvidenceLink]:
    """What speaks for and against a node."""
    return list(queries.evidence_of(queries.find_node(api_product(request, product, Role.VIEWER), ref)))


@router.post(
    "/products/{product}/nodes/{ref}/evidence", response={201: schemas.EvidenceOut}, operation_id="link_evidence"
)
def link_evidence(request: ApiRequest, product: str, ref: str, said: schemas.EvidenceIn) -> Status[EvidenceLink]:
    """Hang evidence on a node. The same source (`source_kind`, `source_id`) again replaces what it said."""
    found = api_product(request, product, Role.MEMBER)
    node = queries.find_node(found, ref)
    return Status(201, services.link_evidence(request.actor, found, node, **cast(Any, said.model_dump())))


@router.delete("/products/{product}/evidence/{link_id}", response={204: None}, operation_id="unlink_evidence")
def unlink_evidence(request: ApiRequest, product: str, link_id: int) -> Status[None]:
    """Take evidence off its node."""
    found = api_product(request, product, Role.MEMBER)
    services.unlink_evidence(request.actor, queries.find_attached(found, EvidenceLink, link_id))
    return Status(204, None)


@router.get("/products/{product}/nodes/{ref}/notes", response=list[schemas.NoteOut], operation_id="notes_of")
def notes_of(request: ApiRequest, product: str, ref: str) -> list[Note]:
    """What people have to say about a node, oldest first."""
    return list(queries.notes_of(queries.find_node(api_product(request, product, Role.VIEWER), ref)))


@router.post("/products/{product}/nodes/{ref}/notes", response={201: schemas.NoteOut}, operation_id="add_note")
def add_note(request: ApiRequest, product: str, ref: str, said: schemas.NoteIn) -> Status[Note]:
    """A comment, question, challenge, constraint or decision."""
    found = api_product(request, product, Role.MEMBER)
    return Status(201, services.add_note(request.actor, found, queries.find_node(found, ref), **said.model_dump()))


@router.post("/products/{product}/notes/{note_id}/answer", response=schemas.NoteOut, operation_id="answer_note")
def answer_note(request: ApiRequest, product: str, note_id: int, said: schemas.AnswerIn) -> Note:
    """Answer a question or a challenge."""
    found = api_product(request, product, Role.MEMBER)
    return services.answer_note(request.actor, queries.find_attached(found, Note, note_id), said.answer)


@router.get("/products/{product}/notes/open", response=list[schemas.OpenNoteOut], operation_id="open_notes")
def open_notes(request: ApiRequest, product: str) -> list[dict[str, Any]]:
    """Questions and challenges that nobody has answered."""
    waiting = list(queries.open_notes(api_product(request, product, Role.VIEWER)).select_related("product"))
    nodes = queries.nodes_behind(waiting)
    return [
        schemas.NoteOut.from_orm(note).dict() | {"ref": nodes[note.node_kind, note.node_id].ref} for note in waiting
    ]


@router.get("/products/{product}/nodes/{ref}/tickets", response=list[schemas.TicketOut], operation_id="tickets_of")
def tickets_of(request: ApiRequest, product: str, ref: str) -> list[schemas.TicketOut]:
    """The team's own tickets that belong to a node."""
    node = queries.find_node(api_product(request, product, Role.VIEWER), ref)
    return [schemas.TicketOut.of(link) for link in queries.tickets_of(node)]


@router.post("/products/{product}/nodes/{ref}/tickets", response={201: schemas.TicketOut}, operation_id="link_ticket")
def link_ticket(request: ApiRequest, product: str, ref: str, said: schemas.TicketIn) -> Status[schemas.TicketOut]:
    """Tie a ticket to a node: by its address, `#12` or `ABC-12`."""
    found = api_product(request, product, Role.MEMBER)
    link = services.link_written_ticket(request.actor, queries.find_node(found, ref), said.ticket, title=said.title)
    return Status(201, schemas.TicketOut.of(link))


@router.delete("/products/{product}/tickets/links/{link_id}", response={204: None}, operation_id="unlink_ticket")
def unlink_ticket(request: ApiRequest, product: str, link_id: int) -> Status[None]:
    """Unlink a ticket from its node; the ticket itself stays."""
    found = api_product(request, product, Role.MEMBER)
    services.unlink_ticket(request.actor, queries.find_attached(found, TicketLink, link_id))
    return Status(204, None)


# The whole tree


@router.get("/products/{product}/tree", response=schemas.TreeOut, operation_id="load_tree")
def whole_tree(request: ApiRequest, product: str) -> schemas.TreeOut:
    """The whole tree as an outline, parents first, with evidence, live figures and advice."""
    tree = load_tree(api_product(request, product, Role.VIEWER))
    nodes = [schemas.TreeNodeOut.of(branch) for branch in tree.walk()]
    return schemas.TreeOut(product=tree.product.name, vision=tree.product.vision, nodes=nodes)


@router.get("/products/{product}/tree/diff", response=schemas.TreeDiffOut, operation_id="tree_diff")
def tree_diff(request: ApiRequest, product: str, since: str) -> TreeDiff:
    """What the tree says today and did not when that day began: new nodes, other states, numbers that moved, predictions that came out,
    stronger or weaker evidence, verdicts, notes."""
    return differing.tree_diff(api_product(request, product, Role.VIEWER), day_of(since))


@router.get("/products/{product}/tree/export", operation_id="export_tree")
def export_tree(request: ApiRequest, product: str) -> HttpResponse:
    """The whole tree as a file that can be imported again."""
    found = api_product(request, product, Role.VIEWER)
    text = transfer.as_text(transfer.export_tree(found))
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.slug}-tree.json"'
    return plain(response)


@router.post("/products/{product}/tree/import", response=schemas.ImportOut, operation_id="import_tree")
def import_tree(
    request: ApiRequest, product: str, document: Body[dict[str, Any]], preview: bool = False
) -> transfer.ImportReport:
    """Bring in a tree file by id; all of it or nothing. `preview` only says what would change."""
    found = api_product(request, product, Role.MAINTAINER)
    return transfer.import_tree(request.actor, found, document, preview=preview)


# Drafts


@router.get("/products/{product}/drafts", response=list[schemas.DraftOut], operation_id="list_drafts")
def list_drafts(request: ApiRequest, product: str) -> list[schemas.DraftOut]:
    """Drafts that wait for a yes or no, each after the one it stands under."""
    return [schemas.DraftOut.of(row) for row in queries.open_drafts(api_product(request, product, Role.VIEWER))]


@router.patch("/products/{product}/drafts/{int:pk}", response=schemas.DraftOut, operation_id="edit_draft")
def edit_draft(request: ApiRequest, product: str, pk: int, body: schemas.DraftWords) -> schemas.DraftOut:
    """Put a draft into better words; later readings leave them alone."""
    draft = queries.find_draft(api_product(request, product, Role.MEMBER), pk)
    return schemas.DraftOut.of(services.edit_draft(request.actor, draft, title=body.title))


@router.post("/products/{product}/drafts/{int:pk}/confirm", response=schemas.DraftOut, operation_id="confirm_draft")
def confirm_draft(request: ApiRequest, product: str, pk: int) -> schemas.DraftOut:
    """Make a draft a node of the tree; `node` is its id."""
    found = api_product(request, product, Role.MEMBER)
    services.confirm_draft(request.actor, queries.find_draft(found, pk))
    return schemas.DraftOut.of(queries.find_draft(found, pk))


@router.post("/products/{product}/drafts/{int:pk}/discard", response=schemas.DraftOut, operation_id="discard_draft")
def discard_draft(request: ApiRequest, product: str, pk: int) -> schemas.DraftOut:
    """Say no to a draft; no later reading proposes it again."""
    found = api_product(request, product, Role.MEMBER)
    services.discard_draft(request.actor, queries.find_draft(found, pk))
    return schemas.DraftOut.of(queries.find_draft(found, pk))
