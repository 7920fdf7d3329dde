"""Plan a round, watch people, write down what they stumble over, fix the few worst, and look again."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction

from whytree.errors import Conflict, Invalid
from whytree.tree.models import Solution
from whytree.tree.services import create_solution
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..interviews.models import Interview
from ..models.sizes import NAME_LENGTH
from .models import (
    SCRIPT,
    SEVERITIES,
    TITLE,
    Outcome,
    ProblemSighting,
    UsabilityProblem,
    UsabilityRound,
    UsabilitySession,
)
from .showing import follow_round, show_problem

MOST_TASKS = 12
MOST_SESSIONS = 50
MOST_PROBLEMS = 200

FIRST_SCRIPT = """Thank you for coming. We are testing the product, not you: you cannot do anything wrong here.
Say aloud what you look at, what you want to do and what you think. You will hurt nobody's feelings.
If you ask me something I may not answer now: we want to know what people do when nobody is there. I answer afterwards.
May we record this? Only the team sees it.
First, look at this page. What do you make of it: whose is it, what can you do here, what is it for? Do not click yet.
Then the tasks, one by one. Let them read each aloud. Do not help before they would have given up.
At the end: what was different from what you expected?"""
"""In our words, after the script of Krug's book."""


def plan_round(
    actor: Actor,
    product: Product,
    *,
    title: str,
    tasks: Sequence[str],
    script: str = FIRST_SCRIPT,
    solution: Solution | None = None,
    planned_for: date | None = None,
    retest_of: UsabilityRound | None = None,
) -> UsabilityRound:
    """A round that lies ahead. The tasks are fixed once somebody was watched, so that all did the same."""
    require(actor, product, Role.MEMBER)
    said = UsabilityRound(
        product=product,
        title=_line(title, "A round has a title"),
        tasks=_tasks(tasks),
        script=_script(script),
        solution=solution,
        planned_for=planned_for,
        retest_of=retest_of,
        created_by_id=actor.user_id,
    )
    with transaction.atomic():
        said.number = next_number(product, "USR")
        said.save()
        record(actor, product, "plan_round", said, after=snapshot(said))
    return said


def edit_round(
    actor: Actor,
    found: UsabilityRound,
    *,
    title: str,
    tasks: Sequence[str],
    script: str,
    planned_for: date | None = None,
) -> UsabilityRound:
    require(actor, found.product, Role.MEMBER)
    with transaction.atomic():
        found = _locked(found)
        asked = _tasks(tasks)
        if asked != found.tasks and found.sessions.exists():
            raise Conflict("Somebody was watched with these tasks. Plan another round to ask for others.")
        before = snapshot(found)
        found.title, found.tasks, found.script = _line(title, "A round has a title"), asked, _script(script)
        found.planned_for = planned_for
        found.save()
        record(actor, found.product, "edit_round", found, before=before, after=snapshot(found))
    return found


def add_session(
    actor: Actor, found: UsabilityRound, interview: Interview | None = None, person: str = ""
) -> UsabilitySession:
    """One more person is watched: `person` is the id of their events, `interview` the talk that was recorded with them."""
    require(actor, found.product, Role.MEMBER)
    person = " ".join(person.replace("\0", " ").split())
    if len(person) > NAME_LENGTH:
        raise Invalid(f"An id has at most {NAME_LENGTH} characters; this has {len(person):,}.")
    with transaction.atomic():
        found = _locked(found)
        number = found.sessions.count() + 1
        if number > MOST_SESSIONS:
            raise Conflict(
                f"{MOST_SESSIONS} people is the most in a round. Three show most of what is worst; plan another."
            )
        session = UsabilitySession.objects.create(round=found, number=number, interview=interview, person_key=person)
        record(actor, found.product, "add_session", found, after={"person": number}, undoable=False)
        follow_round(actor, found)
    return session


def note_outcome(actor: Actor, session: UsabilitySession, task: int, outcome: str) -> UsabilitySession:
    """How a task went; what is said last holds. An empty outcome takes it back."""
    require(actor, session.round.product, Role.MEMBER)
    if not 1 <= task <= len(session.round.tasks):
        raise Invalid(f"{session.round.ref} has {len(session.round.tasks)} tasks; there is no task {task}.")
    if outcome and outcome not in Outcome.values:
        raise Invalid(f"How did it go? One of {', '.join(Outcome.values)}.")
    with transaction.atomic():
        session = (
            UsabilitySession.objects.select_for_update(of=("self",)).select_related("round__product").get(pk=session.pk)
        )
        session.outcomes = {place: said for place, said in session.outcomes.items() if place != str(task)}
        if outcome:
            session.outcomes[str(task)] = outcome
        session.save(update_fields=["outcomes"])
    return session


def see_problem(
    actor: Actor,
    session: UsabilitySession,
    *,
    problem: UsabilityProblem | None = None,
    title: str = "",
    severity: int | None = None,
    task: int | None = None,
    note: str = "",
) -> UsabilityProblem:
    """It happened to this person: a problem of the round, or a new one. Several observers who saw it are one person stumbling."""
    require(actor, session.round.product, Role.MEMBER)
    note = note.replace("\0", "").strip()
    if len(note) > 2_000:
        raise Invalid(f"The note has {len(note):,} characters; 2,000 is the most.")
    with transaction.atomic():
        found = _locked(session.round)
        if problem is None:
            problem = _problem(found, title, severity, task)
        elif severity is not None and severity != problem.severity:
            problem.severity = _severity(severity)
            problem.save(update_fields=["severity"])
        seen, is_new = ProblemSighting.objects.get_or_create(
            problem=problem, session=session, observer_id=actor.user_id, defaults={"note": note}
        )
        if not is_new and note:
            seen.note = note
            seen.save(update_fields=["note"])
        follow_round(actor, found)
    return problem


def unsee_problem(actor: Actor, session: UsabilitySession, problem: UsabilityProblem) -> None:
    """One's own sighting; a problem that nobody saw is none."""
    require(actor, session.round.product, Role.MEMBER)
    with transaction.atomic():
        ProblemSighting.objects.filter(problem=problem, session=session, observer_id=actor.user_id).delete()
        if problem.solution_id is None and not problem.sightings.exists():
            problem.delete()
        follow_round(actor, session.round)


def fix_problem(actor: Actor, problem: UsabilityProblem, fix: str) -> Solution:
    """The least that can be done about it becomes a solution, to be built like any other."""
    require(actor, problem.round.product, Role.MEMBER)
    fix = _line(fix, "Say the smallest change that would do")
    with transaction.atomic():
        _locked(problem.round)
        problem.refresh_from_db()
        if problem.solution is not None:
            raise Conflict(f"{problem.solution.ref} is to fix it already.")
        tested = problem.round.solution
        opportunity = tested.opportunity if tested is not None else None
        made = create_solution(actor, problem.round.product, title=fix, opportunity=opportunity)
        problem.solution = made
        problem.save(update_fields=["solution"])
        show_problem(actor, problem, made)
        what = {"problem": problem.title, "solution": made.ref}
        record(actor, problem.round.product, "fix_problem", problem.round, after=what, undoable=False)
    return made


def plan_retest(actor: Actor, found: UsabilityRound, planned_for: date) -> UsabilityRound:
    """The same tasks again, after the fixes: did the problems go?"""
    there = found.retests.filter(planned_for=planned_for).first()
    if there is not None:
        return there
    title = found.title if found.title.endswith(", again") else f"{found.title[: TITLE - 7]}, again"
    return plan_round(
        actor,
        found.product,
        title=title,
        tasks=found.tasks,
        script=found.script,
        solution=found.solution,
        planned_for=planned_for,
        retest_of=found,
    )


def _locked(found: UsabilityRound) -> UsabilityRound:
    rows = UsabilityRound.objects.select_for_update(of=("self",)).select_related("product", "solution")
    return rows.get(pk=found.pk)


def _problem(found: UsabilityRound, title: str, severity: int | None, task: int | None) -> UsabilityProblem:
    title = _line(title, "Say what happened")
    same = found.problems.filter(title__iexact=title).first()
    if same is not None:
        return same
    last = found.problems.order_by("-number").first()
    if found.problems.count() >= MOST_PROBLEMS:
        raise Conflict(f"{MOST_PROBLEMS} problems is the most. Fix the worst first.")
    if task is not None and not 1 <= task <= len(found.tasks):
        raise Invalid(f"{found.ref} has no task {task}.")
    number = (last.number if last is not None else 0) + 1
    return UsabilityProblem.objects.create(
        round=found, number=number, title=title, severity=_severity(severity), task=task
    )


def _severity(severity: int | None) -> int:
    if severity not in SEVERITIES:
        raise Invalid("How bad was it? From 1, hardly noticed, to 4, they could not go on.")
    return severity


def _line(text: str, wanted: str) -> str:
    line = " ".join(text.replace("\0", " ").split())
    if not line or len(line) > TITLE:
        raise Invalid(f"{wanted}, in one line of 1 to {TITLE} characters.")
    return line


def _tasks(tasks: Sequence[str]) -> list[str]:
    kept = [" ".join(one.replace("\0", " ").split()) for one in tasks]
    kept = [one for one in kept if one]
    if not kept or len(kept) > MOST_TASKS or any(len(one) > 500 for one in kept):
        raise Invalid(f"Say what each person is to do: 1 to {MOST_TASKS} tasks, one a line, of 500 characters at most.")
    return kept


def _script(script: str) -> str:
    script = script.replace("\0", "").replace("\r\n", "\n").strip()
    if len(script) > SCRIPT:
        raise Invalid(f"The script has {len(script):,} characters; {SCRIPT:,} is the most.")
    return script
