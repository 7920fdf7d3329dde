"""What stands behind a commit at best: a measured outcome, a test, a user's words, a ticket, or nothing.

The ladder of outcome coverage. A rung is what there *is*, not how good it looks: a change that was measured and did
harm stands on the highest rung, and among what is carried in doubt.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from whytree.code.models import Commit, Repository
from whytree.learning.models import OutcomeReview, Verdict
from whytree.learning.queries import last_result
from whytree.tree.models import (
    AssumptionTest,
    EvidenceLink,
    EvidenceType,
    Hypothesis,
    Opportunity,
    Solution,
    SourceKind,
    Stance,
    State,
)
from whytree.workspace.models import Product

from ..answering.linking import links_of


class Rung(StrEnum):
    """The best first."""

    MEASURED = "measured"
    TESTED = "tested"
    VOICES = "voices"
    TICKET = "ticket"
    UNEXPLAINED = "unexplained"


RUNGS = tuple(Rung)
WORDS = {
    Rung.MEASURED: "a measured outcome",
    Rung.TESTED: "a test",
    Rung.VOICES: "users’ words",
    Rung.TICKET: "a ticket or a bare reason",
    Rung.UNEXPLAINED: "unexplained",
}


class Doubt(StrEnum):
    """Why code may be carried for nothing: its hypothesis was refuted, or nobody ever measured it."""

    REFUTED = "refuted"
    UNMEASURED = "unmeasured"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a commit's lines stand."""

    rung: Rung = Rung.UNEXPLAINED
    doubt: Doubt = Doubt.NONE


NOTHING = Standing()
_USERS = (EvidenceType.USER_EVIDENCE, EvidenceType.ANECDOTAL)
_SPOKEN = (SourceKind.FEEDBACK, SourceKind.INTERVIEW)
_AGAINST = frozenset({Verdict.NOT_ACHIEVED.value, Verdict.HARM.value})
_TAKEN_BACK = frozenset({State.ROLLED_BACK.value, State.DROPPED.value})


def standings(repository: Repository, commits: Iterable[Commit]) -> dict[int, Standing]:
    """Where each of these commits of a repository stands, by primary key."""
    ladder, links = _Ladder(repository.product), links_of(repository)
    return {
        commit.pk: min((ladder.standing_of(ref) for ref in links[commit.pk].refs), key=_place)
        if commit.pk in links
        else Standing(Rung.TICKET)
        if commit.tickets
        else NOTHING
        for commit in commits
    }


def _place(standing: Standing) -> int:
    return RUNGS.index(standing.rung)


class _Ladder:
    """Rungs of a product's solutions and opportunities, read at once."""

    def __init__(self, product: Product) -> None:
        self._reviews = self._read_reviews(product)
        tests = AssumptionTest.objects.filter(product=product).exclude(verdict="")
        self._tested = set(tests.values_list("assumption__solution_id", flat=True))
        self._predicted = set(Hypothesis.objects.filter(product=product).values_list("solution_id", flat=True))
        self._heard = self._read_voices(product)
        self._solutions = {one.ref: one for one in Solution.objects.filter(product=product)}
        self._opportunities = {one.ref: one.pk for one in Opportunity.objects.filter(product=product)}

    def _read_reviews(self, product: Product) -> dict[int, list[OutcomeReview]]:
        found: dict[int, list[OutcomeReview]] = defaultdict(list)
        reviews = OutcomeReview.objects.filter(product=product, decided_at__isnull=False)
        for review in reviews.select_related("hypothesis").order_by("decided_at", "pk"):
            found[review.hypothesis.solution_id].append(review)
        return found

    def _read_voices(self, product: Product) -> set[tuple[str, int]]:
        said = EvidenceLink.objects.filter(product=product, stance=Stance.SUPPORTS)
        spoken = said.filter(source_kind__in=_SPOKEN) | said.filter(evidence_type__in=_USERS)
        return set(spoken.values_list("node_kind", "node_id"))

    def standing_of(self, ref: str) -> Standing:
        """Of a solution or an opportunity; an outcome alone is a bare reason."""
        solution = self._solutions.get(ref)
        if solution is None:
            heard = ("OPP", self._opportunities.get(ref, 0)) in self._heard
            return Standing(Rung.VOICES if heard else Rung.TICKET)
        return Standing(self._rung(solution), self._doubt(solution))

    def _rung(self, solution: Solution) -> Rung:
        if any(_is_measured(review) for review in self._reviews.get(solution.pk, ())):
            return Rung.MEASURED
        if solution.pk in self._tested:
            return Rung.TESTED
        heard = {("SOL", solution.pk), ("OPP", solution.opportunity_id or 0)}
        return Rung.TICKET if heard.isdisjoint(self._heard) else Rung.VOICES

    def _doubt(self, solution: Solution) -> Doubt:
        reviews = self._reviews.get(solution.pk, ())
        if solution.state in _TAKEN_BACK or (reviews and reviews[-1].verdict in _AGAINST):
            return Doubt.REFUTED
        return Doubt.UNMEASURED if solution.pk in self._predicted and not reviews else Doubt.NONE


def _is_measured(review: OutcomeReview) -> bool:
    result = last_result(review)
    return bool(result and result.is_measured and result.contrast and result.contrast.difference)
