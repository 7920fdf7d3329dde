"""How often ranges held, over everything that was predicted and measured; by metric, problem, evidence and role."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from whytree.engines.figures import percent
from whytree.engines.forecasts import reliability
from whytree.engines.forecasts.reliability import Reached, Share
from whytree.engines.forecasts.scoring import LEVEL, Score
from whytree.learning.models import OutcomeReview, Prediction
from whytree.learning.predictions.queries import current_predictions, score_of
from whytree.learning.queries import last_result, measured_reviews
from whytree.learning.reviews.results import Result
from whytree.tree.queries import confidences_at
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Discipline

T = TypeVar("T")

#: Below so many results an interval is wider than anything one would do about it.
LEAST_RESULTS = 5
#: From so many on a curve shows more than chance.
LEAST_FOR_CURVE = 10
#: A role with fewer people behind it is a person.
LEAST_PEOPLE = 3


@dataclass(frozen=True)
class Judged:
    """One forecast and what became of it. `role` is empty for a hypothesis' own; `person` counts, and is never shown."""

    review: OutcomeReview
    score: Score
    role: str = ""
    person: int | None = None


@dataclass(frozen=True)
class Group:
    """Forecasts of one kind. `share` is None where there are too few results, or too few people to stay nameless."""

    name: str
    ref: str
    results: int
    n: int
    share: Share | None
    text: str


@dataclass(frozen=True)
class Calibration:
    """`own`: the hypotheses' own forecasts, one a result. `people`: what colleagues had said. `curve` is empty below
    `LEAST_FOR_CURVE` results; `right`, `wrong`: the direction, where it could be told."""

    results: int
    n: int
    all: Share | None
    own: Share | None
    people: Share | None
    curve: Sequence[Reached]
    right: int
    wrong: int
    better_than_nothing: int
    each: Sequence[Group]  # the results themselves, the newest first
    by_metric: Sequence[Group]
    by_topic: Sequence[Group]
    by_evidence: Sequence[Group]
    by_role: Sequence[Group]

    @property
    def is_enough(self) -> bool:
        return self.results >= LEAST_RESULTS


def calibration(product: Product) -> Calibration:
    """Over every prediction that was measured, decided or not; a hypothesis counts once, by its latest review."""
    measured = [(review, result) for review in measured_reviews(product) if (result := last_result(review))]
    judged = _judged(measured)
    own, people = [one for one in judged if not one.role], [one for one in judged if one.role]
    results = len({one.review.pk for one in judged})
    evidence = _evidence([review for review, _ in measured])
    return Calibration(
        results=results,
        n=len(judged),
        all=_share(judged),
        own=_share(own),
        people=_share(people),
        curve=reliability.curve(_by_result(judged, lambda one: one.score.place)) if results >= LEAST_FOR_CURVE else (),
        right=sum(one.score.direction == "right" for one in judged),
        wrong=sum(one.score.direction == "wrong" for one in judged),
        better_than_nothing=sum(one.score.beats_nothing for one in judged),
        each=[_each(ones) for ones in reversed(_by_result(judged, lambda one: one))],
        by_metric=_groups(judged, lambda one: (one.review.hypothesis.metric_key, "")),
        by_topic=_groups(judged, _topic),
        by_evidence=_groups(judged, lambda one: (evidence[one.review.pk], "")),
        by_role=_groups(people, lambda one: (Discipline(one.role).label, ""), by_person=True),
    )


def _judged(measured: Iterable[tuple[OutcomeReview, Result]]) -> list[Judged]:
    latest: dict[int, tuple[OutcomeReview, Result]] = {}
    for review, result in sorted(measured, key=lambda pair: pair[0].pk):
        latest[review.hypothesis_id] = (review, result)
    said = current_predictions([review.hypothesis for review, _ in latest.values()])
    found: list[tuple[OutcomeReview, str, int | None, Score | None]] = []
    for pk, (review, result) in latest.items():
        forecast = result.forecast
        found.append((review, "", None, score_of(forecast.low, forecast.likely, forecast.high, result)))
        found += [(review, one.discipline, one.user_id, _score(one, result)) for one in said[pk]]
    return [Judged(review, score, role, person) for review, role, person, score in found if score is not None]


def _score(said: Prediction, result: Result) -> Score | None:
    return score_of(said.low, said.likely, said.high, result)


def _evidence(reviews: Sequence[OutcomeReview]) -> dict[int, str]:
    """How strong the evidence was when each prediction locked: what came later cannot have informed it."""
    moments = [(one.hypothesis.solution, one.hypothesis.locked_at or one.created_at) for one in reviews]
    known = confidences_at(moments)
    return {review.pk: one.label for review, one in zip(reviews, known, strict=True)}


def _topic(one: Judged) -> tuple[str, str]:
    opportunity = one.review.hypothesis.solution.opportunity
    return (opportunity.title, opportunity.ref) if opportunity is not None else ("no problem named", "")


def _by_result(judged: Iterable[Judged], value: Callable[[Judged], T]) -> list[list[T]]:
    found: dict[int, list[T]] = defaultdict(list)
    for one in judged:
        found[one.review.pk].append(value(one))
    return list(found.values())


def _share(judged: Iterable[Judged]) -> Share | None:
    return reliability.share(_by_result(judged, lambda one: one.score.held))


def _groups(
    judged: Iterable[Judged], key: Callable[[Judged], tuple[str, str]], *, by_person: bool = False
) -> list[Group]:
    """The largest first, then by name: never by how good they were."""
    found: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        found[key(one)].append(one)
    groups = [_group(name, ref, ones, by_person) for (name, ref), ones in found.items()]
    return sorted(groups, key=lambda group: (-group.results, group.name))


def _group(name: str, ref: str, judged: list[Judged], by_person: bool) -> Group:
    results = len({one.review.pk for one in judged})
    if by_person and len({one.person for one in judged}) < LEAST_PEOPLE:
        return Group(name, ref, results, len(judged), None, f"under {LEAST_PEOPLE} people: that would be somebody")
    if results < LEAST_RESULTS:
        return Group(name, ref, results, len(judged), None, "too few to say")
    share = _share(judged)
    return Group(name, ref, results, len(judged), share, share_text(share) if share else "")


def _each(judged: list[Judged]) -> Group:
    review, held = judged[0].review, sum(one.score.held for one in judged)
    return Group(review.hypothesis.solution.title, review.ref, 1, len(judged), None, f"{held} of {len(judged)}")


def share_text(share: Share) -> str:
    """83 % (95 %: 55 to 95 %)"""
    return f"{percent(share.value)} (95 %: {100 * share.low:.0f} to {100 * share.high:.0f} %)"


def sentence(found: Calibration) -> str:
    """The answer, before any table."""
    if found.all is None:
        return "No prediction has met its result yet."
    if not found.is_enough:
        held = f"{found.all.held} of {found.all.n} range{'' if found.all.n == 1 else 's'} held so far"
        return f"{held}, over {_counted(found.results)}: too few to say whether we are well calibrated."
    share = found.all
    if share.high < LEVEL:
        verdict = "Our ranges are too narrow: we are surer than we should be."
    elif share.low > LEVEL:
        verdict = "Our ranges are wider than they need be: we know more than we say."
    else:
        verdict = "That is compatible with the eight of ten they are meant to hold."
    return f"{percent(share.value)} of our ranges held, over {_counted(found.results)}. {verdict}"


def _counted(results: int) -> str:
    return f"{results} result{'' if results == 1 else 's'}"
