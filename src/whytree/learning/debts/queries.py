"""What may be asked of debts."""

import re
from collections.abc import Iterable

from django.db.models import QuerySet

from whytree.errors import Invalid, NotFound
from whytree.learning.models import Debt
from whytree.tree.models import Solution
from whytree.workspace.models import Product

REF = re.compile(rf"{Debt.PREFIX}-([1-9][0-9]{{0,8}})", re.IGNORECASE)
STATES = ("due", "waiting", "paid", "void")


def find_debt(product: Product, ref: str) -> Debt:
    """The debt people call `ref`, as DEBT-2."""
    matched = REF.fullmatch(ref.strip())
    debt = _debts(product).filter(number=int(matched[1])).first() if matched else None
    if debt is None:
        raise NotFound(
            f"There is no debt {ref.strip()[:40]} in {product.name}. `whytree debt list` shows those there are."
        )
    return debt


def _debts(product: Product) -> QuerySet[Debt]:
    return Debt.objects.filter(product=product).select_related("product", "solution__product", "created_by")


def list_debts(product: Product, state: str = "") -> list[Debt]:
    """Those due first, the oldest on top; then those that wait for a verdict, then closed ones, the newest first."""
    if state and state not in STATES:
        raise Invalid(f"A debt is one of: {', '.join(STATES)}.")
    found = [debt for debt in _debts(product) if not state or debt.state == state]
    return sorted(found, key=urgency)


def urgency(debt: Debt) -> tuple[int, float]:
    moment = debt.due_at or debt.created_at
    if debt.closed_at is not None:
        return 2, -debt.closed_at.timestamp()
    return (0 if debt.due_at else 1), moment.timestamp()


def open_debts_of(solutions: Iterable[Solution]) -> list[Debt]:
    """What is not closed yet on these solutions, due ones first."""
    pks = [solution.pk for solution in solutions]
    found = Debt.objects.filter(solution__in=pks, closing="").select_related(
        "product", "solution__product", "created_by"
    )
    return sorted(found, key=urgency)


def due_debts(product: Product) -> QuerySet[Debt]:
    """What has to be paid now, the oldest first."""
    return _debts(product).filter(closing="", due_at__isnull=False).order_by("due_at", "pk")
