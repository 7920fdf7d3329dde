"""Run an assumption test: the criterion first, then the start, then the verdict."""

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree.models import AssumptionTest, EvidenceType, Progress, SourceKind, Stance, Verdict
from whytree.workspace.access import require
from whytree.workspace.activity import record, snapshot
from whytree.workspace.actors import Actor
from whytree.workspace.roles import Role

from .checks import for_update, refuse_closed, save_checked
from .evidence import link_evidence

STANCE_OF = {
    Verdict.VALIDATED: Stance.SUPPORTS,
    Verdict.INVALIDATED: Stance.CONTRADICTS,
    Verdict.INCONCLUSIVE: Stance.CONTEXT,
}


def start_test(actor: Actor, test: AssumptionTest) -> AssumptionTest:
    """From here on its method and criterion are fixed."""
    require(actor, test.product, Role.MEMBER)
    refuse_closed(test)
    with transaction.atomic():
        fresh = for_update(test)
        if fresh.status != Progress.NOT_STARTED:
            raise Conflict(f"{fresh.ref} has started already.")
        if not fresh.success_criterion:
            raise Conflict("Fix the success criterion first: who, how many of how many, do what.")
        before = snapshot(fresh)
        fresh.status, fresh.started_at = Progress.IN_PROGRESS, timezone.now()
        save_checked(fresh)
        record(actor, fresh.product, "start_test", fresh, before=before, after=snapshot(fresh))
    return fresh


def conclude_test(actor: Actor, test: AssumptionTest, *, verdict: str, result: str = "") -> AssumptionTest:
    """Write the verdict; it becomes evidence on the assumption and on its solution."""
    require(actor, test.product, Role.MEMBER)
    if verdict not in Verdict.values:
        raise Invalid(f"A verdict is one of: {', '.join(Verdict.values)}.")
    with transaction.atomic():
        fresh = for_update(test)
        if fresh.status == Progress.NOT_STARTED:
            raise Conflict(f"{fresh.ref} has not started. Fix its criterion and start it first.")
        if fresh.status == Progress.DONE:
            raise Conflict(f"{fresh.ref} has its verdict: {fresh.verdict}. Plan another test to look again.")
        before = snapshot(fresh)
        fresh.status, fresh.concluded_at = Progress.DONE, timezone.now()
        fresh.verdict, fresh.result = verdict, result.strip()
        save_checked(fresh)
        record(actor, fresh.product, "conclude_test", fresh, before=before, after=snapshot(fresh), undoable=False)
        _leave_evidence(actor, fresh)
    return fresh


def _leave_evidence(actor: Actor, test: AssumptionTest) -> None:
    for node in (test.assumption, test.assumption.solution):
        link_evidence(
            actor,
            test.product,
            node,
            stance=STANCE_OF[Verdict(test.verdict)],
            evidence_type=EvidenceType.TEST_RESULTS,
            source_kind=SourceKind.EXPERIMENT,
            source_id=test.ref,
            statement=f"{test.title}: {test.result or test.verdict}",
            said_at=test.concluded_at,
        )
