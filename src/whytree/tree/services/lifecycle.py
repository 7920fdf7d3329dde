"""Move, close, reopen; the states of a solution; the lock of a prediction."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree.models import (
    KINDS,
    MAY_STAND_ALONE,
    MOVES,
    PARENTS,
    SETTLED_STATES,
    Hypothesis,
    Node,
    Solution,
    State,
)
from whytree.tree.queries import children_of
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .checks import AnyNode, for_update, refuse_closed, refuse_other_product, save_checked
from .nodes import refuse_locked


def move_node(actor: Actor, node: AnyNode, parent: Node | None) -> AnyNode:
    """Hang a node under another one, or under none. Refused where it does not fit and where it would close a circle."""
    require(actor, node.product, Role.MEMBER)
    refuse_other_product(node.product, parent)
    refuse_misplaced(node.prefix, parent.prefix if parent else None)
    if isinstance(node, Hypothesis):
        refuse_locked(actor, node, {"solution": parent.ref if parent else None})
    if parent is not None:
        refuse_closed(parent)
    with transaction.atomic():
        # One move at a time in a product: two crossing moves could close a circle that neither of them sees.
        Product.objects.select_for_update().get(pk=node.product_id)
        fresh = for_update(node)
        refuse_circle(fresh, parent)
        before = snapshot(fresh)
        hang_under(fresh, parent)
        if snapshot(fresh) == before:
            return fresh
        save_checked(fresh)
        record(actor, fresh.product, "move_node", fresh, before=before, after=snapshot(fresh))
    return fresh


def hang_under(node: Node, parent: Node | None) -> None:
    """Set the one column that names the parent and empty the others."""
    for prefix, column in PARENTS[node.prefix].items():
        setattr(node, column, parent if parent is not None and parent.prefix == prefix else None)


def refuse_misplaced(child: str, parent: str | None) -> None:
    """Say where a node of this kind may stand, when it may not stand there."""
    allowed = PARENTS[child]
    word = KINDS[child].word
    places = " or ".join(
        f"an {name}" if name[0] in "aeiou" else f"a {name}" for name in (KINDS[p].word for p in allowed)
    )
    if parent is None and child not in MAY_STAND_ALONE:
        raise Invalid(f"The {word} needs a place: {places}.")
    if parent is not None and parent not in allowed:
        raise Invalid(f"A node of the kind {word} stands under {places}, not under {KINDS[parent].word}.")


def refuse_circle(node: Node, parent: Node | None) -> None:
    """Raise `Conflict` when `parent` stands somewhere below `node`."""
    above = parent
    while above is not None:
        if type(above) is type(node) and above.pk == node.pk:
            raise Conflict(f"{node.ref} cannot move there: {parent.ref if parent else ''} stands below it.")
        above = above.parent_node


def close_node(actor: Actor, node: AnyNode, *, reason: str, with_children: bool = False) -> AnyNode:
    """Take a node out of play, with a reason. What still is open below it stops this, unless it is to be closed too."""
    require(actor, node.product, Role.MEMBER)
    reason = _reason(reason)
    if isinstance(node, Hypothesis):
        refuse_locked(actor, node, {"close_reason": reason})
    with transaction.atomic():
        open_below = [child for child in _descendants(node) if _is_open(child)]
        if open_below and not with_children:
            names = ", ".join(child.ref for child in open_below[:5]) + (" …" if len(open_below) > 5 else "")
            raise Conflict(f"Below {node.ref} still is open: {names}. Close or move it first, or close all of it.")
        for child in reversed(open_below):
            _close(actor, child, f"Closed with {node.ref}: {reason}")
        return _close(actor, node, reason)


def reopen_node(actor: Actor, node: AnyNode) -> AnyNode:
    """Back into play; a dropped solution is an idea again. The reason it was closed for stays in the activity list."""
    require(actor, node.product, Role.MEMBER)
    with transaction.atomic():
        fresh = for_update(node)
        if not fresh.is_closed:
            raise Conflict(f"{fresh.ref} is not closed.")
        if fresh.parent_node is not None and fresh.parent_node.is_closed:
            raise Conflict(f"{fresh.parent_node.ref} above it is closed. Reopen that first, or move {fresh.ref}.")
        before = snapshot(fresh)
        fresh.closed_at, fresh.close_reason = None, ""
        if isinstance(fresh, Solution):
            fresh.state = State.IDEA
        save_checked(fresh)
        record(actor, fresh.product, "reopen_node", fresh, before=before, after=snapshot(fresh))
    return fresh


def set_state(actor: Actor, solution: Solution, state: str, *, reason: str = "") -> Solution:
    """Move a solution along the allowed moves (`models.MOVES`). Dropping it closes it and wants a reason."""
    require(actor, solution.product, Role.MEMBER)
    if state not in State.values:
        raise Invalid(f"There is no state {state!r}; there are {', '.join(State.values)}.")
    with transaction.atomic():
        fresh = for_update(solution)
        if fresh.state == state:
            return fresh
        before = snapshot(fresh)
        _enter(fresh, State(state), reason)
        save_checked(fresh)
        record(actor, fresh.product, "set_state", fresh, before=before, after=snapshot(fresh))
        _tell_moved(actor, fresh)
    return fresh


def lock_prediction(actor: Actor, hypothesis: Hypothesis, *, at: datetime) -> Hypothesis:
    """Fix a prediction for good: people see the change from `at` on. Locking twice changes nothing."""
    require(actor, hypothesis.product, Role.MEMBER)
    with transaction.atomic():
        fresh = for_update(hypothesis)
        if fresh.is_locked:
            return fresh
        before = snapshot(fresh)
        fresh.locked_at, fresh.opened_at = timezone.now(), at
        fresh.lock_hash = fresh.content_hash()
        save_checked(fresh)
        record(actor, fresh.product, "lock_prediction", fresh, before=before, after=snapshot(fresh), undoable=False)
    return fresh


def _enter(solution: Solution, state: State, reason: str) -> None:
    allowed = MOVES[State(solution.state)]
    if state not in allowed:
        ways = ", ".join(sorted(move.value for move in allowed))
        raise Conflict(f"{solution.ref} is {solution.standing}; from there it can become: {ways}.")
    if state is State.DROPPED:
        solution.closed_at, solution.close_reason = timezone.now(), _reason(reason)
    else:
        solution.closed_at, solution.close_reason = None, ""
    solution.state = state


def _close(actor: Actor, node: AnyNode, reason: str) -> AnyNode:
    fresh = for_update(node)
    if fresh.is_closed:
        raise Conflict(f"{fresh.ref} is closed already: {fresh.close_reason}")
    before = snapshot(fresh)
    if isinstance(fresh, Solution):
        _enter(fresh, State.DROPPED, reason)
    else:
        fresh.closed_at, fresh.close_reason = timezone.now(), reason
    save_checked(fresh)
    record(actor, fresh.product, "close_node", fresh, before=before, after=snapshot(fresh))
    if isinstance(fresh, Solution):
        _tell_moved(actor, fresh)
    return fresh


def _tell_moved(actor: Actor, solution: Solution) -> None:
    tell_fact("solution_moved", actor=actor, product=solution.product, solution_id=solution.pk, state=solution.state)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid("Say why it is closed: one sentence that somebody understands in a year.")
    return reason.strip()


def _is_open(node: Node) -> bool:
    """Still waiting for something. A locked prediction stays as it is, whatever happens above it."""
    if isinstance(node, Solution):
        return node.state not in SETTLED_STATES
    return not node.is_closed and not (isinstance(node, Hypothesis) and node.is_locked)


def _descendants(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        above = waiting.pop()
        below = children_of(above)
        yield from below
        waiting += below
