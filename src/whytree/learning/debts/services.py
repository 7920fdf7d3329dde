"""What may change: write a debt down, let it fall due or become void with its solution, pay it, drop it."""

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.learning.models import Closing, Debt, Decision, OutcomeReview, PayIf
from whytree.tree.models import Solution, State
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_CHARACTERS = 500
MOST_CORNERS = 20
GONE = frozenset({State.ROLLED_BACK, State.DROPPED})


@transaction.atomic
def add_debt(actor: Actor, solution: Solution, *, text: str, pay_if: str = PayIf.KEEP) -> Debt:
    """Write down a corner that is cut. Due at once where the solution was kept already; refused where it is gone."""
    require(actor, solution.product, Role.MEMBER)
    text = " ".join(text.split())
    if not text or "\x00" in text or len(text) > MOST_CHARACTERS:
        raise Invalid(
            f"Say which corner was cut, in up to {MOST_CHARACTERS} characters: “no retry when the code fails”."
        )
    if pay_if not in PayIf.values:
        raise Invalid(f"A debt is paid if the review decides: {', '.join(PayIf.values)}.")
    fresh = Solution.objects.select_for_update(of=("self",)).select_related("product").get(pk=solution.pk)
    if fresh.state in GONE:
        raise Conflict(f"{fresh.ref} is {fresh.standing}: there is nothing to pay. Reopen it first if it comes back.")
    debt = Debt(product=fresh.product, solution=fresh, text=text, pay_if=pay_if, created_by_id=actor.user_id)
    debt.number = next_number(fresh.product, Debt.PREFIX)
    if fresh.state == State.KEPT:
        debt.due_at, debt.due_reason = timezone.now(), f"{fresh.ref} is kept."
    debt.save()
    record(actor, fresh.product, "add_debt", debt)
    return debt


def note_corners(actor: Actor, solution: Solution, lines: str) -> None:
    """Each line that is no open debt yet becomes one."""
    known = {debt.text.casefold() for debt in Debt.objects.filter(solution=solution, closing="")}
    said = [" ".join(line.split()) for line in lines.splitlines() if line.strip()]
    if len(said) > MOST_CORNERS:
        raise Invalid(f"Name up to {MOST_CORNERS} corners, one a line; what is larger is a solution of its own.")
    for text in dict.fromkeys(said):
        if text.casefold() not in known:
            add_debt(actor, solution, text=text)


def pay_debt(actor: Actor, debt: Debt, *, note: str = "") -> Debt:
    """The corner is a corner no more."""
    return _close(actor, debt, "pay_debt", Closing.PAID, note.strip() or "Paid.")


def drop_debt(actor: Actor, debt: Debt, *, reason: str) -> Debt:
    """It need not be paid after all; says why."""
    if not reason.strip():
        raise Invalid("Say why it need not be paid, for whoever meets the corner next.")
    return _close(actor, debt, "drop_debt", Closing.VOID, reason.strip())


@transaction.atomic
def _close(actor: Actor, debt: Debt, verb: str, closing: Closing, reason: str) -> Debt:
    require(actor, debt.product, Role.MEMBER)
    if "\x00" in reason or len(reason) > MOST_CHARACTERS:
        raise Invalid(f"Up to {MOST_CHARACTERS} characters of plain text, please.")
    fresh = Debt.objects.select_for_update(of=("self",)).select_related("product", "solution").get(pk=debt.pk)
    if fresh.closing:
        raise Conflict(f"{fresh.ref} was closed on {fresh.closed_at:%-d %b %Y}: {fresh.close_reason}")
    before = snapshot(fresh)
    fresh.closing, fresh.closed_at, fresh.close_reason = closing, timezone.now(), reason
    fresh.save()
    record(actor, fresh.product, verb, fresh, before=before, after=snapshot(fresh))
    return fresh


def follow_solution(actor: Actor, product: Product, solution_id: int, state: str) -> None:
    """A solution entered a state, in the same transaction: kept, its debts fall due; gone, there is nothing to pay."""
    if state not in {State.KEPT, *GONE}:
        return
    waiting = Debt.objects.filter(solution=solution_id, closing="").select_related("product", "solution")
    for debt in waiting.select_for_update(of=("self",)):
        before = snapshot(debt)
        if state == State.KEPT and debt.due_at is None:
            debt.due_at, debt.due_reason = timezone.now(), _because(debt.solution, state)
        elif state in GONE:
            debt.closing, debt.closed_at, debt.close_reason = (
                Closing.VOID,
                timezone.now(),
                _because(debt.solution, state),
            )
        else:
            continue
        debt.save()
        verb = "debt_fell_due" if state == State.KEPT else "debt_is_void"
        record(actor, product, verb, debt, before=before, after=snapshot(debt), undoable=False)


def _because(solution: Solution, state: str) -> str:
    """Names the review that decided, where it was one: it is written down in this very transaction."""
    word = State(state).label
    latest = OutcomeReview.objects.filter(hypothesis__solution=solution, decided_at__isnull=False)
    review = latest.order_by("-decided_at", "-pk").first()
    leads = {State.KEPT: {Decision.KEEP}}.get(State(state), {Decision.ROLL_BACK, Decision.REMOVE})
    by = f" by {review.ref}" if review is not None and review.decision in leads else ""
    return f"{solution.ref} was {word}{by}."
