"""What a round shows: how each task went, and its problems, the worst first."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from whytree.engines.stats import Estimate, NoAnswer, exact_proportion
from whytree.errors import NotFound
from whytree.workspace.models import Product

from .models import SEVERITIES, Outcome, ProblemSighting, UsabilityProblem, UsabilityRound, UsabilitySession

WORST = 3
"""To be dealt with first: Krug's "focus ruthlessly on a small number of the most important problems"."""

_REF = re.compile(r"USR-([1-9][0-9]{0,8})", re.IGNORECASE)


@dataclass(frozen=True)
class TaskFigure:
    """Who did it without help, of those whose outcome was noted; `before` in the round that this one repeats."""

    number: int
    text: str
    did: int
    helped: int
    failed: int
    share: Estimate | NoAnswer
    before: str = ""

    @property
    def n(self) -> int:
        return self.did + self.helped + self.failed


@dataclass(frozen=True)
class ProblemFigure:
    """`k` of `n` people stumbled over it, with the exact interval of the share; `weight` is severity times share."""

    problem: UsabilityProblem
    k: int
    n: int
    share: Estimate | NoAnswer
    notes: tuple[str, ...]
    before: str = ""

    @property
    def weight(self) -> float:
        return self.problem.severity * self.k / self.n if self.n else 0.0

    @property
    def severity(self) -> str:
        return SEVERITIES[self.problem.severity]


@dataclass(frozen=True)
class Findings:
    """A round as the debrief needs it."""

    sessions: list[UsabilitySession]
    tasks: list[TaskFigure]
    problems: list[ProblemFigure]

    @property
    def worst(self) -> list[ProblemFigure]:
        return self.problems[:WORST]


def list_rounds(product: Product) -> QuerySet[UsabilityRound]:
    return UsabilityRound.objects.filter(product=product).select_related("product", "solution", "retest_of")


def find_round(product: Product, number: int) -> UsabilityRound:
    found = list_rounds(product).filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no USR-{number} in {product.name}. `whytree usability list` shows those there are.")
    return found


def find_by_ref(product: Product, ref: str) -> UsabilityRound:
    match = _REF.fullmatch(ref.strip())
    if match is None:
        raise NotFound(f"“{ref[:40]}” is no usability round. Name it as USR-3.")
    return find_round(product, int(match[1]))


def find_session(found: UsabilityRound, number: int) -> UsabilitySession:
    session = UsabilitySession.objects.filter(round=found, number=number).select_related("round__product").first()
    if session is None:
        raise NotFound(f"{found.ref} has no person {number}.")
    return session


def find_problem(found: UsabilityRound, number: int) -> UsabilityProblem:
    problems = UsabilityProblem.objects.filter(round=found, number=number).select_related("round__product", "solution")
    problem = problems.first()
    if problem is None:
        raise NotFound(f"{found.ref} has no problem {number}.")
    return problem


def findings(found: UsabilityRound) -> Findings:
    """Counted by people: several observers who saw one person stumble are one."""
    sessions = list(found.sessions.all())
    then = findings(found.retest_of) if found.retest_of is not None else None
    problems = [_problem(one, len(sessions), then) for one in _with_sightings(found)]
    problems.sort(key=lambda one: (-one.weight, -one.problem.severity, one.problem.number))
    tasks = [_task(number, text, sessions, then) for number, text in enumerate(found.tasks, start=1)]
    return Findings(sessions, tasks, problems)


def _with_sightings(found: UsabilityRound) -> list[tuple[UsabilityProblem, list[ProblemSighting]]]:
    seen: dict[int, list[ProblemSighting]] = defaultdict(list)
    for one in ProblemSighting.objects.filter(problem__round=found).select_related("session").order_by("pk"):
        seen[one.problem_id].append(one)
    return [(one, seen[one.pk]) for one in found.problems.select_related("solution")]


def _problem(held: tuple[UsabilityProblem, list[ProblemSighting]], n: int, then: Findings | None) -> ProblemFigure:
    problem, seen = held
    k = len({one.session_id for one in seen})
    notes = tuple(f"Person {one.session.number}: {one.note}" for one in seen if one.note)
    title = problem.title.casefold()
    before = next(
        (f"{one.k} of {one.n}" for one in (then.problems if then else []) if one.problem.title.casefold() == title), ""
    )
    return ProblemFigure(problem, k, n, exact_proportion(k, n), notes, before)


def _task(number: int, text: str, sessions: Sequence[UsabilitySession], then: Findings | None) -> TaskFigure:
    went = [one.outcomes.get(str(number)) for one in sessions]
    did, helped, failed = (went.count(outcome) for outcome in (Outcome.DID, Outcome.HELPED, Outcome.FAILED))
    earlier = next((one for one in (then.tasks if then else []) if one.text == text), None)
    before = f"{earlier.did} of {earlier.n}" if earlier is not None and earlier.n else ""
    return TaskFigure(number, text, did, helped, failed, exact_proportion(did, did + helped + failed), before)
