"""Questions over REST: one operation for every kind."""

from typing import Any

from ninja import Router, Status

from whytree.stores.questions.typed_sql import Table, run_typed
from whytree.tree.schemas import OpportunityOut, OutcomeOut
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from ..answers import Answer, Behind, Drivers, answer, checked_part, drivers_of, people_behind
from ..answers.code_behind import CodeBehind, code_behind
from ..cohorts.services import create_cohort_of
from ..models import SavedQuestion
from ..questions import checked_question
from ..saved import queries as kept
from ..saved import services as keeping
from .schemas import (
    AimIn,
    AnyAnswer,
    AskIn,
    BehindIn,
    BehindOut,
    CodeBehindOut,
    CohortIn,
    CohortMade,
    DriversIn,
    DriversOut,
    PinIn,
    SavedEdits,
    SavedIn,
    SavedOut,
    SignalIn,
    SqlIn,
    SqlOut,
)

router = Router(tags=["Questions"])


@router.post("/products/{product}/ask", response=AnyAnswer, operation_id="ask")
def ask(request: ApiRequest, product: str, said: AskIn) -> Answer:
    """Ask a question of the events: a funnel, trends, retention, lifecycle, stickiness, paths or sessions."""
    return answer(api_product(request, product, Role.VIEWER), checked_question(said.question))


@router.post("/products/{product}/ask/people", response=BehindOut, operation_id="people_behind")
def behind(request: ApiRequest, product: str, said: BehindIn) -> Behind:
    """The people behind a bar, a point or a cell."""
    found = api_product(request, product, Role.VIEWER)
    return people_behind(found, checked_question(said.question), checked_part(said.meant))


@router.post("/products/{product}/ask/code", response=CodeBehindOut, operation_id="code_behind")
def code(request: ApiRequest, product: str, said: BehindIn) -> CodeBehind:
    """The lines that send the events behind a bar, a point or a cell, and the flags that were in force."""
    found = api_product(request, product, Role.VIEWER)
    behind = people_behind(found, checked_question(said.question), checked_part(said.meant))
    return code_behind(found, behind.events)


@router.post("/products/{product}/sql", response=SqlOut, operation_id="ask_sql")
def ask_sql(request: ApiRequest, product: str, said: SqlIn) -> Table:
    """One SELECT over this product's events; everything that is not on a list is refused."""
    return run_typed(api_product(request, product, Role.MEMBER).pk, said.sql)


@router.post("/products/{product}/ask/drivers", response=DriversOut, operation_id="ask_drivers")
def drivers(request: ApiRequest, product: str, said: DriversIn) -> Drivers:
    """What goes with coming further in a funnel: properties and events in between, corrected for how many were looked at."""
    found = api_product(request, product, Role.VIEWER)
    return drivers_of(found, checked_question(said.question), said.from_step, said.to_step)


@router.get("/products/{product}/questions", response=list[SavedOut], operation_id="list_questions")
def list_questions(request: ApiRequest, product: str) -> list[SavedQuestion]:
    """Questions under a name, the newest first."""
    return list(kept.list_saved(api_product(request, product, Role.VIEWER)))


@router.post("/products/{product}/questions", response=SavedOut, operation_id="keep_question")
def keep_question(request: ApiRequest, product: str, said: SavedIn) -> SavedQuestion:
    """Keep a question under a name."""
    found = api_product(request, product, Role.MEMBER)
    return keeping.keep_question(request.actor, found, question=said.question, title=said.title)


@router.get("/products/{product}/questions/{ref}", response=SavedOut, operation_id="get_question")
def get_question(request: ApiRequest, product: str, ref: str) -> SavedQuestion:
    """One question, or frozen answer, by its ref."""
    return kept.find_saved(api_product(request, product, Role.VIEWER), ref)


@router.patch("/products/{product}/questions/{ref}", response=SavedOut, operation_id="edit_question")
def edit_question(request: ApiRequest, product: str, ref: str, said: SavedEdits) -> SavedQuestion:
    """Give it another name, or put another question under it."""
    found = api_product(request, product, Role.MEMBER)
    return keeping.edit_question(request.actor, found, ref, title=said.title, question=said.question)


@router.delete("/products/{product}/questions/{ref}", response={204: None}, operation_id="delete_question")
def delete_question(request: ApiRequest, product: str, ref: str) -> Status[None]:
    """Remove a kept question; refused while something on the tree rests on it."""
    keeping.delete_question(request.actor, api_product(request, product, Role.MEMBER), ref)
    return Status(204, None)


@router.post("/products/{product}/ask/pin", response=SavedOut, operation_id="pin_evidence")
def pin_evidence(request: ApiRequest, product: str, said: PinIn) -> SavedQuestion:
    """Hang an answer on a node as evidence, frozen with its question and the moment."""
    found = api_product(request, product, Role.MEMBER)
    part = checked_part(said.meant) if said.meant else None
    pin = keeping.Pin(said.node, said.stance, said.statement, part)
    return keeping.pin_evidence(request.actor, found, said.question, pin)


@router.post("/products/{product}/ask/signal", response=OpportunityOut, operation_id="make_struggle_signal")
def make_struggle_signal(request: ApiRequest, product: str, said: SignalIn) -> Any:
    """From now on those behind this part of the answer are those who have the opportunity's problem."""
    found = api_product(request, product, Role.MEMBER)
    return keeping.make_struggle_signal(
        request.actor,
        found,
        question=said.question,
        part=checked_part(said.meant),
        opportunity=said.opportunity,
    )


@router.post("/products/{product}/ask/outcome", response=OutcomeOut, operation_id="make_outcome")
def make_outcome(request: ApiRequest, product: str, said: AimIn) -> Any:
    """A metric of this part of the answer and an outcome that aims at it; its value today is the baseline."""
    found = api_product(request, product, Role.MEMBER)
    aim = keeping.Aim(said.target, said.title, said.due, said.parent)
    return keeping.make_outcome(request.actor, found, question=said.question, part=checked_part(said.meant), aim=aim)


@router.post("/products/{product}/ask/cohort", response=CohortMade, operation_id="make_cohort")
def make_cohort(request: ApiRequest, product: str, said: CohortIn) -> dict[str, Any]:
    """A cohort of those behind a part of an answer, as they are now."""
    found = api_product(request, product, Role.MEMBER)
    those = people_behind(found, checked_question(said.question), checked_part(said.meant))
    made = create_cohort_of(request.actor, found, key=said.key, name=said.name, persons=those.people.persons)
    return {"key": made.key, "name": made.name, "people": those.total}
