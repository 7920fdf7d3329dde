"""Debts over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status

from whytree.learning.models import Debt, PayIf
from whytree.tree.models import Solution
from whytree.tree.pages.parts import find
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rest import Body
from whytree.workspace.rights.roles import Role

from . import queries, services

router = Router(tags=["Learning"])


class DebtOut(Schema):
    """`state`: waiting for the verdict, due, paid or void; `says` why."""

    ref: str
    solution: str
    text: str
    pay_if: str
    state: str
    says: str
    created_at: datetime
    created_by: str
    due_at: datetime | None
    closed_at: datetime | None

    @staticmethod
    def of(debt: Debt) -> dict[str, Any]:
        same = ("ref", "text", "pay_if", "state", "says", "created_at", "due_at", "closed_at")
        return {name: getattr(debt, name) for name in same} | {
            "solution": debt.solution.ref,
            "created_by": str(debt.created_by or ""),
        }


class DebtIn(Body):
    solution: str
    text: str
    pay_if: str = PayIf.KEEP.value


class NoteIn(Body):
    note: str = ""


class ReasonIn(Body):
    reason: str


@router.get("/products/{product}/debts", response=list[DebtOut], operation_id="list_debts")
def list_debts(request: ApiRequest, product: str, state: str = "") -> list[dict[str, Any]]:
    """Corners that were cut: due ones first, then those that wait for a verdict, then closed ones. `state` picks one kind."""
    return [DebtOut.of(debt) for debt in queries.list_debts(api_product(request, product, Role.VIEWER), state)]


@router.post("/products/{product}/debts", response={201: DebtOut}, operation_id="add_debt")
def add_debt(request: ApiRequest, product: str, said: DebtIn) -> Status[dict[str, Any]]:
    """Write down a corner that is cut: it falls due when the solution is kept, and is void when the solution goes."""
    found = api_product(request, product, Role.MEMBER)
    solution = find(found, said.solution, Solution)
    return Status(201, DebtOut.of(services.add_debt(request.actor, solution, text=said.text, pay_if=said.pay_if)))


@router.post("/products/{product}/debts/{ref}/pay", response=DebtOut, operation_id="pay_debt")
def pay_debt(request: ApiRequest, product: str, ref: str, said: NoteIn | None = None) -> dict[str, Any]:
    """The corner is a corner no more."""
    found = api_product(request, product, Role.MEMBER)
    note = said.note if said is not None else ""
    return DebtOut.of(services.pay_debt(request.actor, queries.find_debt(found, ref), note=note))


@router.post("/products/{product}/debts/{ref}/drop", response=DebtOut, operation_id="drop_debt")
def drop_debt(request: ApiRequest, product: str, ref: str, said: ReasonIn) -> dict[str, Any]:
    """It need not be paid after all, with the reason."""
    found = api_product(request, product, Role.MEMBER)
    return DebtOut.of(services.drop_debt(request.actor, queries.find_debt(found, ref), reason=said.reason))
