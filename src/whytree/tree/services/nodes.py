"""Create and edit the six kinds of node."""

from collections.abc import Mapping
from typing import Any, Unpack, cast

from django.db import transaction

from whytree.errors import Conflict, Invalid
from whytree.tree.models import (
    LOCKED,
    TITLE_LENGTH,
    Assumption,
    AssumptionTest,
    Hypothesis,
    Opportunity,
    Outcome,
    Progress,
    Solution,
)
from whytree.workspace.models import Membership, Product, User
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .checks import AnyNode, assign, for_update, refuse_closed, refuse_other_product, save_checked
from .fields import (
    AssumptionFields,
    HypothesisFields,
    OpportunityFields,
    OutcomeFields,
    SolutionFields,
    TestFields,
)

# A test's method and criterion are fixed once it runs: else the criterion would follow the result.
FIXED_AT_START = frozenset({"method", "success_criterion", "measure"})


def create_outcome(
    actor: Actor, product: Product, *, parent: Outcome | None = None, **fields: Unpack[OutcomeFields]
) -> Outcome:
    """A metric we want to move; under another outcome when it serves that one."""
    return _create(actor, Outcome(product=product, parent=parent), "create_outcome", fields)


def edit_outcome(actor: Actor, outcome: Outcome, **changes: Unpack[OutcomeFields]) -> Outcome:
    return _edit(actor, outcome, "edit_outcome", changes)


def create_opportunity(
    actor: Actor,
    product: Product,
    *,
    outcome: Outcome | None = None,
    parent: Opportunity | None = None,
    **fields: Unpack[OpportunityFields],
) -> Opportunity:
    """A need, pain point or desire; under an outcome, under a wider opportunity, or not placed yet."""
    node = Opportunity(product=product, outcome=outcome, parent=parent)
    return _create(actor, node, "create_opportunity", fields)


def edit_opportunity(actor: Actor, opportunity: Opportunity, **changes: Unpack[OpportunityFields]) -> Opportunity:
    return _edit(actor, opportunity, "edit_opportunity", changes)


def create_solution(
    actor: Actor, product: Product, *, opportunity: Opportunity | None = None, **fields: Unpack[SolutionFields]
) -> Solution:
    """One way to address an opportunity; without one, "which problem are we solving?" is still open."""
    return _create(actor, Solution(product=product, opportunity=opportunity), "create_solution", fields)


def edit_solution(actor: Actor, solution: Solution, **changes: Unpack[SolutionFields]) -> Solution:
    return _edit(actor, solution, "edit_solution", changes)


def create_hypothesis(actor: Actor, solution: Solution, **fields: Unpack[HypothesisFields]) -> Hypothesis:
    """A prediction of what a solution will do: low < most likely < high, by which metric, within how many days."""
    node = Hypothesis(product=solution.product, solution=solution)
    missing = {"forecast_low", "forecast_likely", "forecast_high"} - fields.keys()
    if missing:
        raise Invalid("A forecast has three numbers: low, most likely and high.", details={"missing": sorted(missing)})
    return _create(actor, node, "create_hypothesis", _titled(fields))


def edit_hypothesis(actor: Actor, hypothesis: Hypothesis, **changes: Unpack[HypothesisFields]) -> Hypothesis:
    """Refused once the prediction is locked, and its numbers once others' were seen; the attempt stays in the activity list."""
    require(actor, hypothesis.product, Role.MEMBER)
    refuse_locked(actor, hypothesis, changes)
    tell_fact("hypothesis_changing", actor=actor, hypothesis=hypothesis, changes=changes)
    return _edit(actor, hypothesis, "edit_hypothesis", changes)


def add_assumption(actor: Actor, solution: Solution, **fields: Unpack[AssumptionFields]) -> Assumption:
    """A belief that must be true for the solution to work."""
    return _create(actor, Assumption(product=solution.product, solution=solution), "add_assumption", fields)


def edit_assumption(actor: Actor, assumption: Assumption, **changes: Unpack[AssumptionFields]) -> Assumption:
    return _edit(actor, assumption, "edit_assumption", changes)


def plan_test(actor: Actor, assumption: Assumption, **fields: Unpack[TestFields]) -> AssumptionTest:
    """The smallest activity that could prove the assumption wrong."""
    return _create(actor, AssumptionTest(product=assumption.product, assumption=assumption), "plan_test", fields)


def edit_test(actor: Actor, test: AssumptionTest, **changes: Unpack[TestFields]) -> AssumptionTest:
    """Its method and criterion are fixed once it has started."""
    require(actor, test.product, Role.MEMBER)
    started = test.status != Progress.NOT_STARTED
    altered = {name for name in FIXED_AT_START & changes.keys() if getattr(test, name) != cast(Any, changes)[name]}
    if started and altered:
        raise Conflict(f"{test.ref} has started: what it must show is fixed. Plan another test.")
    return _edit(actor, test, "edit_test", changes)


def refuse_locked(actor: Actor, hypothesis: Hypothesis, attempted: Mapping[str, Any]) -> None:
    """Raise `Conflict` for a locked prediction, after the attempt was logged: the log outlives the refusal.

    Called before any transaction of the act itself, so that rolling that back does not take the log with it.
    """
    now = Hypothesis.objects.select_related("product", "solution").get(pk=hypothesis.pk)
    if not now.is_locked:
        return
    wanted = {name: value if isinstance(value, int | float | None) else str(value) for name, value in attempted.items()}
    record(actor, now.product, "refused_edit", now, before=snapshot(now), after=wanted, undoable=False)
    raise Conflict(LOCKED.format(ref=now.ref))


def _titled(fields: HypothesisFields) -> HypothesisFields:
    """A hypothesis is called by its change unless somebody gives it another title."""
    if fields.get("title", "").strip():
        return fields
    return {**fields, "title": fields.get("change", "").strip()[:TITLE_LENGTH]}


def _create(actor: Actor, node: AnyNode, verb: str, fields: Mapping[str, object]) -> AnyNode:
    require(actor, node.product, Role.MEMBER)
    parent = node.parent_node
    refuse_other_product(node.product, parent)
    if parent is not None:
        refuse_closed(parent)
    _check_owner(node.product, fields)
    with transaction.atomic():
        assign(node, fields)
        node.number = next_number(node.product, node.prefix)
        save_checked(node)
        record(actor, node.product, verb, node)
    return node


def _edit(actor: Actor, node: AnyNode, verb: str, changes: Mapping[str, object]) -> AnyNode:
    require(actor, node.product, Role.MEMBER)
    _check_owner(node.product, changes)
    with transaction.atomic():
        fresh = for_update(node)
        before = snapshot(fresh)
        assign(fresh, changes)
        if snapshot(fresh) == before:
            return fresh
        save_checked(fresh)
        record(actor, fresh.product, verb, fresh, before=before, after=snapshot(fresh))
    return fresh


def _check_owner(product: Product, fields: Mapping[str, object]) -> None:
    owner = fields.get("owner")
    if isinstance(owner, User) and not Membership.objects.filter(product=product, user=owner).exists():
        raise Invalid(f"{owner} is not a member of {product.name}. Invite them first.")
