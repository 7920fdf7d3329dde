"""From exposures and events to a result: who is compared with whom, on what, and whether it can be trusted.

In an experiment a person's clock starts with the first exposure. A conversion's first event is replaced by it (whether
somebody *starts* may be just what the change alters, so starters of two arms are not alike), and metrics without a
window of their own follow people for a week. A metric of unique people becomes the share of exposed people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from msgspec.structs import replace

from whytree.analytics import queries as metrics
from whytree.analytics.definitions import FOLLOW_DAYS, Conversion, Count
from whytree.analytics.models import Metric
from whytree.engines import splitnormal
from whytree.engines.stats import (
    Arm,
    Assigned,
    Comparison,
    Estimate,
    NoAnswer,
    SampleRatio,
    Stratum,
    difference_of_means,
    difference_of_proportions,
    sample_ratio,
)
from whytree.flags.models import Flag
from whytree.flags.queries import Period, periods
from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.stores import exposures
from whytree.stores.exposures import ArmSums, Span
from whytree.tree.models import Hypothesis
from whytree.workspace.models import Product

from .constants import FEWEST_PEOPLE, MOST_IN_BOTH, RATIO_BROKEN, RATIO_DOUBTFUL
from .models import OutcomeReview
from .results import (
    ArmValue,
    Contrast,
    Figure,
    Forecast,
    Guardrail,
    RailVerdict,
    RatioVerdict,
    Result,
    Side,
    Stretch,
    Trust,
)
from .voices import count_by_variant


@dataclass(frozen=True)
class Arms:
    """The two variants that are compared."""

    control: str
    treatment: str


@dataclass(frozen=True)
class Counting:
    """What is counted of a person after exposure."""

    metric: Metric
    goal: str
    window: timedelta
    is_share: bool

    @property
    def unit(self) -> str:
        return "%" if self.is_share else f"{self.metric.unit or 'times'} per person"

    @property
    def difference_unit(self) -> str:
        return "pp" if self.is_share else self.unit

    @property
    def scale(self) -> float:
        """Shares are said in percent."""
        return 100.0 if self.is_share else 1.0

    def arm(self, sums: Sequence[ArmSums]) -> Arm:
        n = sum(one.closed for one in sums)
        if self.is_share:
            converted = sum(one.converted for one in sums)
            return Arm(n, converted, converted)
        return Arm(n, sum(one.total for one in sums), sum(one.squares for one in sums))


@dataclass(frozen=True)
class Trial:
    """A flag's exposures from `opened_at` to `now`, ready to be asked about any metric."""

    product: Product
    flag: Flag
    arms: Arms
    stretches: Sequence[Period]
    horizon: timedelta
    now: datetime

    @cached_property
    def _internal(self) -> list[int]:
        """The team's own people, under every id of theirs."""
        rows = Person.objects.filter(product=self.product, internal=True).values_list("key", "merged_into__key")
        keys = {key for row in rows for key in row if key}
        return [person_hash(self.product.pk, key) for key in sorted(keys)]

    def sums(self, counting: Counting) -> list[ArmSums]:
        return exposures.by_period_and_arm(
            self.product.pk,
            self.flag.key,
            [Span(stretch.start, stretch.end) for stretch in self.stretches],
            counting.goal,
            counting.window,
            as_of=self.now,
            without=self._internal,
        )

    def counting(self, metric: Metric) -> Counting:
        definition = metrics.definition_of(metric)
        if isinstance(definition, Conversion):
            return Counting(metric, definition.goal, definition.window, is_share=True)
        follow = min(timedelta(days=FOLLOW_DAYS), self.horizon)
        return Counting(metric, definition.event, follow, is_share=not isinstance(definition, Count))

    def compare(self, counting: Counting, sums: Sequence[ArmSums]) -> Comparison | NoAnswer:
        """Each stretch of constant weights is a stratum."""
        strata = [
            Stratum(*(counting.arm(_of(sums, place, arm)) for arm in (self.arms.control, self.arms.treatment)))
            for place in range(len(self.stretches))
        ]
        fewest = min(sum(stratum.control.n for stratum in strata), sum(stratum.treatment.n for stratum in strata))
        if fewest < FEWEST_PEOPLE:
            return NoAnswer(f"The smaller arm has {fewest} of the {FEWEST_PEOPLE} people it needs.")
        return difference_of_proportions(strata) if counting.is_share else difference_of_means(strata)


def measure_review(review: OutcomeReview, now: datetime) -> Result:
    """Everything that can be said about this review's prediction now, and once it is due: as of that day.

    Before the review is due the arms are not compared: looking until one likes what one sees turns chance into results.
    Guardrails are, for harm should not wait. From then on it is read once: the same numbers on every page and every day,
    but for events that arrive late.
    """
    now = min(now, review.due_at)
    hypothesis = review.hypothesis
    flag = flag_of(hypothesis)
    blank = _blank(review, flag, now)
    metric = Metric.objects.filter(product=review.product, key=hypothesis.metric_key).select_related("product").first()
    if metric is None:
        reason = f"There is no metric {hypothesis.metric_key}. Define it under Numbers, and this review fills itself."
        return replace(blank, state="no_metric", reason=reason)
    if flag is None:
        return _before_and_after(blank, review, metric, "No flag carries this prediction, so everybody got the change.")
    stretches = _constant(flag, review.opened_at, now)
    arms = arms_of(flag, stretches)
    if arms is None:
        return _before_and_after(
            blank, review, metric, "Everybody got the same variant: nobody is left to compare with."
        )
    trial = Trial(review.product, flag, arms, stretches, timedelta(days=hypothesis.horizon_days), now)
    return _tried(blank, review, trial, metric)


def flag_of(hypothesis: Hypothesis) -> Flag | None:
    """The flag that carries the prediction; of several the one that was opened first, of those the oldest."""
    flags = list(hypothesis.flags.order_by("pk").prefetch_related("changes"))
    opened = [
        (min(at), flag)
        for flag in flags
        if (at := [one.at for one in flag.changes.all() if one.is_on and one.coverage])
    ]
    if opened:
        return min(opened, key=lambda pair: pair[0])[1]
    return flags[0] if flags else None


def arms_of(flag: Flag, stretches: Sequence[Period]) -> Arms | None:
    """Control is what people outside the rollout get. Treatment is the other arm with the most weight beside it."""
    for control in dict.fromkeys((flag.default_variant, flag.off_variant, "control", "off")):
        beside: dict[str, int] = {}
        for stretch in stretches:
            if stretch.weights.get(control, 0) > 0:
                for variant, weight in stretch.weights.items():
                    if weight > 0 and variant != control:
                        beside[variant] = max(weight, beside.get(variant, 0))
        if beside:
            return Arms(control, max(beside, key=lambda variant: (beside[variant], variant)))
    return None


def _constant(flag: Flag, start: datetime, now: datetime) -> list[Period]:
    """The periods of constant weights. A change of coverage alone moves nobody between arms, so it parts nothing.

    A flag that is served from elsewhere was never opened here: then its weights stand for the whole time.
    """
    found: list[Period] = []
    for period in periods(flag, start, now):
        last = found[-1] if found else None
        if last and last.end == period.start and last.weights == period.weights:
            found[-1] = Period(last.start, period.end, period.coverage, period.weights)
        else:
            found.append(period)
    return found or [Period(start, now, flag.coverage, flag.weights)]


def _blank(review: OutcomeReview, flag: Flag | None, now: datetime) -> Result:
    hypothesis = review.hypothesis
    forecast = Forecast(
        low=hypothesis.forecast_low,
        likely=hypothesis.forecast_likely,
        high=hypothesis.forecast_high,
        unit=hypothesis.forecast_unit,
    )
    return Result(
        state="early",
        as_of=now,
        opened_at=review.opened_at,
        due_at=review.due_at,
        flag_key=flag.key if flag else "",
        forecast=forecast,
    )


def _tried(blank: Result, review: OutcomeReview, trial: Trial, metric: Metric) -> Result:
    counting = trial.counting(metric)
    sums = trial.sums(counting)
    found = replace(
        blank,
        trust=_trust(trial, sums),
        stretches=_stretches(trial, sums),
        guardrails=[_guardrail(trial, rail) for rail in review.hypothesis.guardrails],
        voices=count_by_variant(review.product, trial.flag.key, review.opened_at),
    )
    if trial.now < review.due_at:
        day = (trial.now - review.opened_at).days + 1
        return replace(found, reason=f"Day {day} of {review.hypothesis.horizon_days}: too early to say.")
    answer = trial.compare(counting, sums)
    found = replace(found, contrast=_contrast(trial, counting, answer))
    if isinstance(answer, NoAnswer):
        return replace(found, state="too_little", reason=_too_little(answer, sums, counting))
    return replace(found, state="measured", forecast=_held(found.forecast, counting, answer))


def _too_little(answer: NoAnswer, sums: Sequence[ArmSums], counting: Counting) -> str:
    waiting = sum(one.seen - one.closed for one in sums)
    if not waiting:
        return answer.reason
    more = f"{waiting:,} more {'is' if waiting == 1 else 'are'} still within their {_days(counting.window)}."
    return f"{answer.reason} {more}"


def _days(window: timedelta) -> str:
    return "day" if window.days == 1 else f"{window.days} days"


def _of(sums: Sequence[ArmSums], place: int, arm: str) -> list[ArmSums]:
    return [one for one in sums if one.period == place and one.arm == arm]


# --- what is compared -----------------------------------------------------------------------------------------------


def _contrast(trial: Trial, counting: Counting, answer: Comparison | NoAnswer) -> Contrast:
    blank = Contrast(
        metric_key=counting.metric.key,
        metric_name=counting.metric.name,
        unit=counting.unit,
        difference_unit=counting.difference_unit,
        window_days=counting.window.days,
    )
    if isinstance(answer, NoAnswer):
        return replace(blank, reason=answer.reason)
    scale, arms = counting.scale, trial.arms
    return replace(
        blank,
        control=ArmValue(variant=arms.control, value=answer.control * scale, n=answer.n_control),
        treatment=ArmValue(variant=arms.treatment, value=answer.treatment * scale, n=answer.n_treatment),
        difference=_figure(answer.difference, scale),
    )


def _figure(estimate: Estimate, scale: float, shift: float = 0.0) -> Figure:
    """The estimate in people's units: (value + shift) * scale."""
    value, low, high = ((number + shift) * scale for number in (estimate.value, estimate.low, estimate.high))
    return Figure(value=value, low=low, high=high, n=estimate.n, method=estimate.method)


def _held(forecast: Forecast, counting: Counting, answer: Comparison) -> Forecast:
    """What was measured, in the unit of the forecast, and whether its range holds it."""
    measured = _in_unit_of(forecast, counting, answer)
    if isinstance(measured, NoAnswer):
        return replace(forecast, reason=measured.reason)
    return replace(forecast, measured=measured, holds=splitnormal.holds(forecast.low, forecast.high, measured.value))


def _in_unit_of(forecast: Forecast, counting: Counting, answer: Comparison) -> Figure | NoAnswer:
    if forecast.unit == "%":
        return answer.ratio if isinstance(answer.ratio, NoAnswer) else _figure(answer.ratio, 100.0, shift=-1.0)
    if counting.is_share and (forecast.unit == "pp" or counting.metric.unit == "%"):
        return _figure(answer.difference, counting.scale)
    said = "percentage points" if forecast.unit == "pp" else counting.metric.unit or "the metric's own unit"
    return NoAnswer(
        f"It was predicted in {said}, and an experiment measures {counting.difference_unit}. Predict in % next time."
    )


def _guardrail(trial: Trial, rail: Mapping[str, object]) -> Guardrail:
    """Not worse than its margin: the whole interval must lie on the harmless side of it."""
    key, direction, margin = str(rail["metric_key"]), rail["direction"], float(str(rail["margin"]))
    metric = Metric.objects.filter(product=trial.product, key=key).select_related("product").first()
    if metric is None:
        contrast = Contrast(
            metric_key=key,
            metric_name=key,
            unit="",
            difference_unit="",
            window_days=0,
            reason=f"There is no metric {key}.",
        )
    else:
        counting = trial.counting(metric)
        contrast = _contrast(trial, counting, trial.compare(counting, trial.sums(counting)))
    way: Literal["up", "down"] = "up" if direction == "up" else "down"
    return Guardrail(
        direction=way, margin=margin, verdict=_rail_verdict(contrast.difference, way, margin), contrast=contrast
    )


def _rail_verdict(difference: Figure | None, harms: str, margin: float) -> RailVerdict:
    if difference is None:
        return "open"
    mildest, worst = (difference.low, difference.high) if harms == "up" else (-difference.high, -difference.low)
    if worst <= margin:
        return "held"
    return "harmed" if mildest > margin else "open"


# --- can it be trusted? ---------------------------------------------------------------------------------------------


def _trust(trial: Trial, sums: Sequence[ArmSums]) -> Trust:
    assigned = [
        Assigned({one.arm: one.seen for one in sums if one.period == place}, stretch.weights)
        for place, stretch in enumerate(trial.stretches)
    ]
    answer = sample_ratio(assigned)
    tested = answer if isinstance(answer, SampleRatio) else None
    seen = sum(one.seen for one in sums)
    quarantined = sum(one.quarantined for one in sums)
    both_share = quarantined / (seen + quarantined) if quarantined else 0.0
    return Trust(
        seen=dict(tested.seen) if tested else {},
        expected=dict(tested.expected) if tested else {},
        ratio_p=tested.p if tested and seen else None,
        ratio=_ratio_verdict(tested if seen else None),
        waiting=sum(one.seen - one.closed for one in sums),
        quarantined=quarantined,
        moved=sum(one.moved for one in sums),
        unexpected=tested.unexpected if tested else 0,
        both_share=both_share,
        both_is_much=both_share > MOST_IN_BOTH,
    )


def _ratio_verdict(tested: SampleRatio | None) -> RatioVerdict:
    if tested is None:
        return "unknown"
    if tested.p < RATIO_BROKEN:
        return "broken"
    return "doubtful" if tested.p < RATIO_DOUBTFUL else "fair"


def _stretches(trial: Trial, sums: Sequence[ArmSums]) -> list[Stretch]:
    return [
        Stretch(
            start=stretch.start,
            end=stretch.end,
            weights=dict(stretch.weights),
            closed={one.arm: one.closed for one in sums if one.period == place},
        )
        for place, stretch in enumerate(trial.stretches)
    ]


# --- when there is nobody to compare with ---------------------------------------------------------------------------


def _before_and_after(blank: Result, review: OutcomeReview, metric: Metric, why: str) -> Result:
    """The number over everybody before and after. Seasons, other changes and chance move it as well: no verdict in it."""
    if blank.as_of < review.due_at:
        return replace(blank, reason=f"{why} Before and after are shown when the review is due.")
    span = timedelta(days=review.hypothesis.horizon_days)
    opened: datetime = review.opened_at
    return replace(
        blank,
        state="no_comparison",
        reason=why,
        before=_side(metric, opened - span, opened),
        after=_side(metric, opened, min(opened + span, blank.as_of)),
    )


def _side(metric: Metric, start: datetime, end: datetime) -> Side:
    measured = metrics.measure(metric, start, end)
    return Side(text=measured.text, interval=measured.interval_text, n=measured.n, start=start, end=end)
