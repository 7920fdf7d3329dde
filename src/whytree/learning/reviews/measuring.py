"""From a prediction to what became of it: measured by the same rules as an experiment (`experiments.underway.trial`), or by the
experiment itself where one tests the prediction; without either, before and after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace as dataclass_replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from whytree.analytics import queries as metrics
from whytree.analytics.models import Metric
from whytree.engines.forecasts import splitnormal
from whytree.engines.stats import Estimate, NoAnswer, SampleRatio, always_valid_ratio, sample_ratio
from whytree.engines.stats.effects import Effect
from whytree.engines.stats.margins import Standing, non_inferior
from whytree.engines.stats.sequential import always_valid
from whytree.experiments.constants import MOST_SET_ASIDE, RATIO_BROKEN, RATIO_DOUBTFUL
from whytree.experiments.deeper.gaps import spoken, without_data
from whytree.experiments.judgement.draws import ratio_figure
from whytree.experiments.judgement.results import Comparison, Interval
from whytree.experiments.models import Experiment
from whytree.experiments.queries import experiment_of
from whytree.experiments.tables.health import of_sample_ratio
from whytree.experiments.underway.countings import Counting, counting, not_judged
from whytree.experiments.underway.running import Run, run
from whytree.experiments.underway.trial import Arms, Counted, Trial, arms_of, constant_stretches, unit_of
from whytree.experiments.underway.trusting import checks_of, silent, two_arms
from whytree.experiments.verdict.doubting import of_checks
from whytree.experiments.verdict.reading import ratio_of
from whytree.experiments.verdict.telling import unmet
from whytree.experiments.verdict.voices import count_by_variant
from whytree.flags.models import Flag
from whytree.stores.questions import metrics as store
from whytree.tree.models import Hypothesis
from whytree.workspace.models import Product

from ..models import OutcomeReview
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

RAIL_VERDICTS: dict[Standing, RailVerdict] = {"not worse": "held", "harm": "harmed", "no answer yet": "open"}


def measure_review(review: OutcomeReview, now: datetime) -> Result:
    """Everything that can be said about this review's prediction now, and once it is due: as of that day.

    Before the review is due the arms are not compared: looking until one likes what one sees turns chance into results.
    Guardrails are, for harm should not wait. From then on it is read once: the same numbers on every page and every day,
    but for events that arrive late.
    """
    now = min(now, review.due_at)
    hypothesis = review.hypothesis
    experiment = experiment_of(hypothesis)
    flag = experiment.flag if experiment is not None else flag_of(hypothesis)
    blank = _blank(review, flag, now)
    metric = Metric.objects.filter(product=review.product, key=hypothesis.metric_key).select_related("product").first()
    if experiment is not None:
        return _of_experiment(blank, review, experiment)
    if metric is None:
        reason = f"There is no metric {hypothesis.metric_key}. Define it under Numbers, and this review fills itself."
        return replace(blank, state="no_metric", reason=reason)
    if flag is None:
        return _before_and_after(blank, review, metric, "No flag carries this prediction, so everybody got the change.")
    if reason := not_judged(metrics.definition_of(metric), unit_of(flag)):
        return _before_and_after(blank, review, metric, reason)
    stretches = constant_stretches(flag, review.opened_at, now)
    arms = arms_of(flag, stretches)
    if arms is None:
        return _before_and_after(
            blank, review, metric, "Everybody got the same variant: nobody is left to compare with."
        )
    trial = Trial(review.product, flag.key, stretches, now, unit=unit_of(flag))
    return _tried(blank, review, trial, arms, metric)


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
        unmet=unmet(flag) if flag else "",
        forecast=forecast,
    )


def _tried(blank: Result, review: OutcomeReview, trial: Trial, arms: Arms, metric: Metric) -> Result:
    hypothesis = review.hypothesis
    horizon = timedelta(days=hypothesis.horizon_days)
    known = metrics.metrics_by_key(review.product, [str(rail["metric_key"]) for rail in hypothesis.guardrails])
    judged = [one for one in known.values() if not not_judged(metrics.definition_of(one), trial.unit)]
    asked = [counting(one, horizon, trial.unit) for one in (metric, *judged)]
    primary, *others = trial.count(asked)
    rails = {one.counting.metric.key: one for one in others}
    early = trial.now < review.due_at
    found = replace(
        blank,
        trust=_trust(trial, primary, early=early),
        doubts=_doubts(trial, arms, primary, others, early=early),
        stretches=_stretches(trial, primary),
        guardrails=[
            _guardrail(arms, rail, rails.get(str(rail["metric_key"])), early=early) for rail in hypothesis.guardrails
        ],
        voices=count_by_variant(review.product, trial.flag_key, review.opened_at),
    )
    if early:
        return replace(found, reason=_too_early(review, trial.now))
    answer = primary.compare(arms.control, arms.treatment)
    found = replace(found, contrast=_contrast(arms, primary.counting, answer))
    if isinstance(answer, NoAnswer):
        return replace(found, state="too_little", reason=_too_little(answer.reason, primary))
    measured = _in_unit_of(found.forecast, primary.counting, answer.difference, answer.relative)
    return replace(found, state="measured", forecast=_held(found.forecast, measured))


def _too_early(review: OutcomeReview, now: datetime) -> str:
    day = (now - review.opened_at).days + 1
    return f"Day {day} of {(review.due_at - review.opened_at).days}: too early to say."


def _too_little(reason: str, counted: Counted) -> str:
    if not counted.waiting:
        return reason
    more = f"{counted.waiting:,} more {'is' if counted.waiting == 1 else 'are'} still within their"
    return f"{reason} {more} {_days(counted.counting.window)}."


# --- where an experiment tests the prediction -----------------------------------------------------------------------


def _of_experiment(blank: Result, review: OutcomeReview, experiment: Experiment) -> Result:
    """What the experiment says, on the day on which it is read: its arms, its plan, its intervals."""
    ran = run(experiment, blank.as_of)
    found = replace(
        blank,
        experiment=experiment.ref,
        trust=_trust(ran.trial, ran.heads, early=ran.rules.sequential),
        doubts=of_checks(checks_of(ran, ratio_of(ran), most_aside=MOST_SET_ASIDE)),
        stretches=_stretches(ran.trial, ran.heads),
        guardrails=_rails_of(ran),
        voices=count_by_variant(review.product, ran.trial.flag_key, review.opened_at),
    )
    if not ran.may_compare:
        return replace(found, reason=_too_early(review, blank.as_of))
    compared = _compared(ran, ran.design.primary.key)
    found = replace(found, contrast=_contrast_of(ran, ran.design.primary.key))
    if compared is None or compared.difference is None:
        return replace(found, state="too_little", reason=_too_little(compared.reason if compared else "", ran.heads))
    n = (compared.n_control or 0) + (compared.n_treatment or 0)
    relative = compared.relative and _estimate(compared.relative, n)
    measured = _in_unit_of(
        found.forecast,
        ran.heads.counting,
        _estimate(compared.difference, n),
        relative or NoAnswer(compared.no_relative),
    )
    return replace(found, state="measured", forecast=_held(found.forecast, measured))


def _compared(ran: Run, key: str) -> Comparison | None:
    metric = ran.metrics.get(key)
    return next((one for one in metric.comparisons if one.arm == ran.treatment), None) if metric else None


def _contrast_of(ran: Run, key: str) -> Contrast:
    compared, counting = _compared(ran, key), ran.counted[key].counting
    blank = _blank_contrast(counting)
    if compared is None or compared.difference is None:
        return replace(blank, reason=compared.reason if compared else "")
    n0, n1 = compared.n_control or 0, compared.n_treatment or 0
    control, treatment = (compared.control or 0.0) * counting.scale, (compared.treatment or 0.0) * counting.scale
    return replace(
        blank,
        control=ArmValue(variant=ran.design.control, value=control, n=n0),
        treatment=ArmValue(variant=ran.treatment, value=treatment, n=n1),
        difference=_figure(_estimate(compared.difference, n0 + n1), counting.scale),
    )


def _estimate(interval: Interval, n: int) -> Estimate:
    return Estimate(interval.value, interval.low, interval.high, n, interval.method)


def _rails_of(ran: Run) -> list[Guardrail]:
    rails = []
    for planned in ran.design.metrics:
        if planned.role == "guardrail":
            compared, contrast = _compared(ran, planned.key), _contrast_of(ran, planned.key)
            way: Literal["up", "down"] = "down" if ran.metrics[planned.key].up_is_good else "up"
            verdict = _verdict_of(compared)
            rails.append(Guardrail(direction=way, margin=planned.margin or 0.0, verdict=verdict, contrast=contrast))
    return rails


def _verdict_of(compared: Comparison | None) -> RailVerdict:
    standing = compared.standing if compared is not None else "no answer"
    return "held" if standing == "not worse" else "harmed" if standing == "harm" else "open"


def _days(window: timedelta) -> str:
    return "day" if window.days == 1 else f"{window.days} days"


# --- what is compared -----------------------------------------------------------------------------------------------


def _blank_contrast(counting: Counting) -> Contrast:
    return Contrast(
        metric_key=counting.metric.key,
        metric_name=counting.metric.name,
        unit=counting.unit,
        difference_unit=counting.difference_unit,
        window_days=counting.window.days,
    )


def _contrast(arms: Arms, counting: Counting, answer: Effect | NoAnswer) -> Contrast:
    blank = _blank_contrast(counting)
    if isinstance(answer, NoAnswer):
        return replace(blank, reason=answer.reason)
    scale = counting.scale
    return replace(
        blank,
        control=ArmValue(variant=arms.control, value=answer.control * scale, n=answer.n_control),
        treatment=ArmValue(variant=arms.treatment, value=answer.treatment * scale, n=answer.n_treatment),
        difference=_figure(answer.difference, scale),
    )


def _figure(estimate: Estimate, scale: float) -> Figure:
    """The estimate in people's units."""
    value, low, high = (number * scale for number in (estimate.value, estimate.low, estimate.high))
    return Figure(value=value, low=low, high=high, n=estimate.n, method=estimate.method)


def _held(forecast: Forecast, measured: Figure | NoAnswer) -> Forecast:
    """What was measured, in the unit of the forecast, and whether its range holds it."""
    if isinstance(measured, NoAnswer):
        return replace(forecast, reason=measured.reason)
    return replace(forecast, measured=measured, holds=splitnormal.holds(forecast.low, forecast.high, measured.value))


def _in_unit_of(
    forecast: Forecast, counting: Counting, difference: Estimate, relative: Estimate | NoAnswer
) -> Figure | NoAnswer:
    if forecast.unit == "%":
        return relative if isinstance(relative, NoAnswer) else _figure(relative, 100.0)
    if counting.is_share and (forecast.unit == "pp" or counting.metric.unit == "%"):
        return _figure(difference, counting.scale)
    said = "percentage points" if forecast.unit == "pp" else counting.metric.unit or "the metric's own unit"
    return NoAnswer(
        f"It was predicted in {said}, and an experiment measures {counting.difference_unit}. Predict in % next time."
    )


def _guardrail(arms: Arms, rail: Mapping[str, object], counted: Counted | None, *, early: bool) -> Guardrail:
    """Not worse than its margin: the whole interval must lie on the harmless side of it. `early`: looked at every day."""
    key, margin = str(rail["metric_key"]), float(str(rail["margin"]))
    way: Literal["up", "down"] = "up" if rail["direction"] == "up" else "down"
    if counted is None:
        nothing = Contrast(
            metric_key=key,
            metric_name=key,
            unit="",
            difference_unit="",
            window_days=0,
            reason=f"There is no metric {key} that can be compared.",
        )
        return Guardrail(direction=way, margin=margin, verdict="open", contrast=nothing)
    answer = counted.compare(arms.control, arms.treatment, nothing_tells=True)
    if early and isinstance(answer, Effect):
        answer = _always_valid(answer)
    contrast = _contrast(arms, counted.counting, answer)
    return Guardrail(
        direction=way,
        margin=margin,
        verdict=_rail_verdict(answer, way, margin / counted.counting.scale),
        contrast=contrast,
    )


def _always_valid(answer: Effect) -> Effect | NoAnswer:
    """The same with an interval that bears being looked at every day."""
    found = always_valid(answer.difference.value, answer.error, answer.difference.n)
    return found if isinstance(found, NoAnswer) else dataclass_replace(answer, difference=found.difference)


def _rail_verdict(answer: Effect | NoAnswer, harms: str, margin: float) -> RailVerdict:
    if isinstance(answer, NoAnswer):
        return "open"
    judged = non_inferior(answer.difference, answer.error, answer.freedom, margin, up_is_good=harms == "down")
    return RAIL_VERDICTS[judged.standing]


# --- can it be trusted? ---------------------------------------------------------------------------------------------


def _trust(trial: Trial, counted: Counted, *, early: bool) -> Trust:
    """`early`: looked at every day, before it is read."""
    assigned = trial.assigned(counted)
    answer = always_valid_ratio(assigned) if early else sample_ratio(assigned)
    tested = answer if isinstance(answer, SampleRatio) else None
    seen = sum(one.seen for one in counted.cells)
    quarantined = sum(one.quarantined for one in counted.cells)
    both_share = quarantined / (seen + quarantined) if quarantined else 0.0
    return Trust(
        seen=dict(tested.seen) if tested else {},
        expected=dict(tested.expected) if tested else {},
        ratio_p=tested.p if tested and seen else None,
        ratio=_ratio_verdict(tested if seen else None),
        waiting=counted.waiting,
        quarantined=quarantined,
        moved=sum(one.moved for one in counted.cells),
        unexpected=tested.unexpected if tested else 0,
        both_share=both_share,
        both_is_much=both_share > MOST_SET_ASIDE,
    )


def _ratio_verdict(tested: SampleRatio | None) -> RatioVerdict:
    if tested is None:
        return "unknown"
    if tested.p < RATIO_BROKEN:
        return "broken"
    return "doubtful" if tested.p < RATIO_DOUBTFUL else "fair"


def _doubts(trial: Trial, arms: Arms, primary: Counted, others: Sequence[Counted], *, early: bool) -> list[str]:
    """What speaks against deciding from it, by the checks of an experiment."""
    asked = [primary, *others]
    ratio = ratio_figure("", trial.assigned(primary), [arms.control, arms.treatment], looked_at=early)
    events = list({one.counting.goal.event for one in asked})
    seen = store.last_seen_each(trial.product.pk, events, as_of=trial.now)
    checks = [
        *of_sample_ratio([ratio]),
        *two_arms(primary, MOST_SET_ASIDE),
        *silent(asked, seen, trial.now),
    ]
    return of_checks(checks)


def _stretches(trial: Trial, counted: Counted) -> list[Stretch]:
    return [
        Stretch(
            start=stretch.start,
            end=stretch.end,
            weights=dict(stretch.weights),
            closed={one.arm: one.closed for one in counted.cells if one.period == place},
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
    end = min(opened + span, blank.as_of)
    return replace(
        blank,
        state="no_comparison",
        reason=f"{why}{_unheard(review.product, opened - span, end)}",
        before=_side(metric, opened - span, opened),
        after=_side(metric, opened, end),
    )


def _unheard(product: Product, start: datetime, end: datetime) -> str:
    """Days on which capture was down, as a sentence to add: what happened on them is in neither number."""
    zone = ZoneInfo(product.timezone)
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    days = [first + timedelta(days=one) for one in range(1, (last - first).days)]  # the whole ones
    live = store.active_each_day(product.pk, start, end, zone=product.timezone)
    gaps = without_data(live, days, hardly=True)
    return f" No data on {spoken(gaps)}: what happened then is in neither number." if gaps else ""


def _side(metric: Metric, start: datetime, end: datetime) -> Side:
    measured = metrics.measure(metric, start, end)
    return Side(text=measured.text, interval=measured.interval_text, n=measured.n, start=start, end=end)
