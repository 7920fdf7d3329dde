"""What may be asked of several people's predictions: what one may see of them, how far they differ, how good they were."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from django.db.models import QuerySet
from django.utils import timezone

from whytree.engines.forecasts import scoring
from whytree.engines.forecasts.scoring import Score
from whytree.learning.models import Prediction, question_hash
from whytree.learning.reviews.results import Result
from whytree.tree.models import Hypothesis, State
from whytree.workspace.models import Activity, Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Discipline

#: Solutions on which a prediction is wanted: work has begun, nobody has seen it.
WANTED_IN = (State.TESTING, State.BUILDING)
#: Nobody is asked for ever: a hypothesis that was left alone for so long is asleep.
ASKED_FOR = timedelta(days=60)


@dataclass(frozen=True)
class Said:
    """One prediction as others may read it: the role it came from, never a name. `score` once something was measured."""

    who: str
    discipline: str
    low: float
    likely: float
    high: float
    is_yours: bool = False
    is_own: bool = False  # the hypothesis' own forecast
    score: Score | None = None


@dataclass(frozen=True)
class Spread:
    """How far people differ. `apart`: two of them leave no number that both think likely."""

    low: float
    high: float
    least: float
    most: float
    median: float
    apart: bool


@dataclass(frozen=True)
class Table:
    """What one person may see of a hypothesis' predictions. `said` is empty while they are blind to the others'."""

    hypothesis: Hypothesis
    answers: int
    yours: Said | None
    may_see: bool
    may_say: bool
    said: Sequence[Said]
    spread: Spread | None


def current_predictions(hypotheses: Iterable[Hypothesis]) -> dict[int, list[Prediction]]:
    """What was said about each hypothesis as it is asked now, by its primary key."""
    asked = {one.pk: question_hash(one) for one in hypotheses}
    found: dict[int, list[Prediction]] = {pk: [] for pk in asked}
    for prediction in Prediction.objects.filter(hypothesis_id__in=asked):
        if prediction.question_hash == asked[prediction.hypothesis_id]:
            found[prediction.hypothesis_id].append(prediction)
    return found


def table_of(actor: Actor, hypothesis: Hypothesis, result: Result | None = None) -> Table:
    """What this person may see; with what was measured, where something was."""
    return tables_of(actor, [hypothesis], {hypothesis.pk: result} if result else {})[0]


def tables_of(actor: Actor, hypotheses: Sequence[Hypothesis], results: dict[int, Result]) -> list[Table]:
    """The same for several hypotheses of one product."""
    if not hypotheses:
        return []
    predictions = current_predictions(hypotheses)
    writes = actor.user_id is not None and may_write(actor, hypotheses[0].product)
    return [_table(actor, one, predictions[one.pk], results.get(one.pk), writes) for one in hypotheses]


def _table(
    actor: Actor, hypothesis: Hypothesis, predictions: list[Prediction], result: Result | None, writes: bool
) -> Table:
    mine = next((one for one in predictions if actor.user_id is not None and one.user_id == actor.user_id), None)
    may_see = hypothesis.is_locked or mine is not None
    said = _said(hypothesis, predictions, mine, result) if may_see else []
    return Table(
        hypothesis=hypothesis,
        answers=len(predictions),
        yours=next((one for one in said if one.is_yours), None),
        may_see=may_see,
        may_say=writes and not hypothesis.is_locked and not hypothesis.is_closed and _is_open_for(mine, predictions),
        said=said,
        spread=spread_of(said),
    )


def _is_open_for(mine: Prediction | None, predictions: list[Prediction]) -> bool:
    return mine is None or len(predictions) == 1


def _said(
    hypothesis: Hypothesis, predictions: list[Prediction], mine: Prediction | None, result: Result | None
) -> list[Said]:
    """The hypothesis' own first, then by role; of one role by what was said, so that the order tells nobody's name."""
    order = list(Discipline.values)
    predictions = sorted(predictions, key=lambda one: (order.index(one.discipline), one.likely, one.low, one.high))
    several = {role for role, count in Counter(one.discipline for one in predictions).items() if count > 1}
    seen: Counter[str] = Counter()
    own = Said(
        who="the hypothesis",
        discipline="",
        low=hypothesis.forecast_low,
        likely=hypothesis.forecast_likely,
        high=hypothesis.forecast_high,
        is_own=True,
        score=score_of(hypothesis.forecast_low, hypothesis.forecast_likely, hypothesis.forecast_high, result),
    )
    found = [own]
    for one in predictions:
        seen[one.discipline] += 1
        name = Discipline(one.discipline).label.lower()
        found.append(
            Said(
                who=f"{name} {seen[one.discipline]}" if one.discipline in several else name,
                discipline=one.discipline,
                low=one.low,
                likely=one.likely,
                high=one.high,
                is_yours=one is mine,
                score=score_of(one.low, one.likely, one.high, result),
            )
        )
    return found


def score_of(low: float, likely: float, high: float, result: Result | None) -> Score | None:
    """How good three numbers were against what was measured in their unit; None before, and where the draw was broken."""
    figure = result.forecast.measured if result is not None and result.is_trusted else None
    if figure is None:
        return None
    return scoring.score(scoring.Forecast(low, likely, high), scoring.Observed(figure.value, figure.low, figure.high))


def spread_of(said: Sequence[Said]) -> Spread | None:
    """Over what people said; the hypothesis' own number is not one more person."""
    people = [one for one in said if not one.is_own]
    if len(people) < 2:
        return None
    likely = [one.likely for one in people]
    return Spread(
        low=min(one.low for one in people),
        high=max(one.high for one in people),
        least=min(likely),
        most=max(likely),
        median=median(likely),
        apart=max(one.low for one in people) > min(one.high for one in people),
    )


def wanted_from(user_id: int, product: Product) -> QuerySet[Hypothesis]:
    """Hypotheses being built that this person has said nothing about, and did not write; the newest first."""
    wrote = Activity.objects.filter(
        product=product, user_id=user_id, verb="create_hypothesis", subject_type=Hypothesis._meta.label
    )
    found = Hypothesis.objects.filter(
        product=product,
        locked_at=None,
        closed_at=None,
        solution__state__in=WANTED_IN,
        created_at__gte=timezone.now() - ASKED_FOR,
    )
    found = found.exclude(pk__in=wrote.values("subject_id")).exclude(predictions__user_id=user_id)
    return found.select_related("product", "solution__product").order_by("-number")


def wrote(user_id: int, hypothesis: Hypothesis) -> bool:
    """Whether the hypothesis' own numbers are this person's."""
    return Activity.objects.filter(
        product=hypothesis.product_id,
        user_id=user_id,
        verb="create_hypothesis",
        subject_type=Hypothesis._meta.label,
        subject_id=hypothesis.pk,
    ).exists()
