"""Run an assumption test: the criterion first, then the start, then the verdict."""

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree.measures import criterion_of
from whytree.tree.models import AssumptionTest, EvidenceType, Progress, SourceKind, Stance, Verdict
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from .checks import for_update, refuse_closed, save_checked
from .evidence import link_evidence

#: Characters of a note on one session.
NOTE_LENGTH = 500

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
        before = snapshot(fresh)
        if not fresh.success_criterion and fresh.measure is not None:
            fresh.success_criterion = criterion_of(fresh.measure)
        if not fresh.success_criterion:
            raise Conflict("Fix the success criterion first: who, how many of how many, do what.")
        tell_fact("test_starting", test=fresh)
        fresh.status, fresh.started_at = Progress.IN_PROGRESS, timezone.now()
        save_checked(fresh)
        record(actor, fresh.product, "start_test", fresh, before=before, after=snapshot(fresh))
    return fresh


def record_session(actor: Actor, test: AssumptionTest, *, passed: bool, note: str = "") -> AssumptionTest:
    """One more person was watched or asked. How many there are to be was fixed before the start."""
    require(actor, test.product, Role.MEMBER)
    note = note.strip()
    if len(note) > NOTE_LENGTH or "\x00" in note:
        raise Invalid(f"A note on a session fits into {NOTE_LENGTH} characters of plain text.")
    with transaction.atomic():
        fresh = for_update(test)
        if fresh.measure is None or fresh.measure["kind"] != "people":
            raise Conflict(f"{fresh.ref} counts no people one by one. Give it a measure: how many of how many.")
        if fresh.status != Progress.IN_PROGRESS:
            raise Conflict(f"{fresh.ref} is {Progress(fresh.status).label}, and takes sessions while it runs.")
        if len(fresh.sessions) >= fresh.measure["of"]:
            raise Conflict(
                f"All {fresh.measure['of']} of {fresh.ref} are there. More of them, because the answer is not liked, is another test."
            )
        before = snapshot(fresh)
        fresh.sessions = [*fresh.sessions, {"at": timezone.now().isoformat(), "passed": passed, "note": note}]
        save_checked(fresh)
        record(actor, fresh.product, "record_session", fresh, before=before, after=snapshot(fresh))
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
        tell_fact("test_concluded", test=fresh)
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
