"""From a part of an answer to the metric that counts the same from day to day."""

from datetime import timedelta

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions.amounts import Part as Added

from ..answers import Part
from ..definitions import Conversion, Count, Definition, Mean, Quantile, Ratio, Sum, Unique
from ..definitions import Retention as RetentionMetric
from ..questions import Funnel, Measured, Question, Retention, Trends, label

_PERCENTILES = {"median": 50, "p90": 90, "p95": 95, "p99": 99}
_OTHERWISE = "Keep the question instead."


def metric_of(question: Question, part: Part) -> tuple[str, Definition]:
    """Its name and its definition. `Invalid` says why no metric counts the same."""
    if isinstance(question, Trends):
        return _of_ratio(question) if question.formula else _of_series(question, part.series)
    if isinstance(question, Funnel):
        return _of_funnel(question, part)
    if isinstance(question, Retention):
        return _of_retention(question, part)
    raise Invalid(f"A metric has one value a day, and this answer has none. {_OTHERWISE}")


def _of_series(question: Trends, series: int) -> tuple[str, Definition]:
    one, measure = question.series[series], question.measures[series]
    name = f"{label(one)}, {measure.text}"
    found: dict[str, Definition] = {
        "total": Count(one),
        "people": Unique(one),
        "companies": Unique(one, by_company=True),
        "average": Mean(one, "", "person"),
        "sum": Sum(one, measure.field),
        "mean": Mean(one, measure.field, "event"),
        **{word: Quantile(one, measure.field, percentile) for word, percentile in _PERCENTILES.items()},
    }
    if measure.name not in found:
        raise Invalid(f"A metric cannot count {measure.name} yet. {_OTHERWISE}")
    return name, found[measure.name]


def _of_ratio(question: Trends) -> tuple[str, Definition]:
    """Only what divides one series by another is a ratio."""
    assert question.formula is not None  # noqa: S101 - for the type checker
    text = question.formula.text.replace(" ", "")
    if text != "A/B" or len(question.series) != 2:
        raise Invalid(f"A metric divides one by another, as A / B, and no more. {_OTHERWISE}")
    top, bottom = (_part(*pair) for pair in zip(question.series, question.measures, strict=True))
    names = [f"{label(one)}, {measure.text}" for one, measure in zip(question.series, question.measures, strict=True)]
    return " / ".join(names), Ratio(top, bottom)


def _part(selection: Selection, measure: Measured) -> Added:
    if measure.name == "total":
        return Added(selection)
    if measure.name == "people":
        return Added(selection, "people")
    if measure.name == "sum":
        return Added(selection, "sum", measure.field)
    raise Invalid(f"A metric divides totals, people and sums, not {measure.name}. {_OTHERWISE}")


def _of_funnel(question: Funnel, part: Part) -> tuple[str, Definition]:
    further = part.to or part.step + 1
    if question.order != "ordered" or question.hold or question.without or question.first_time:
        raise Invalid(f"A metric goes from one event to another, with nothing held, left out or first. {_OTHERWISE}")
    if further > len(question.steps):
        raise Invalid(f"Nothing follows the last step. {_OTHERWISE}")
    entry, goal = question.steps[part.step - 1], question.steps[further - 1]
    days = max(1, round(question.within / timedelta(days=1)))
    return f"From {label(entry)} to {label(goal)}", Conversion(entry, goal, days)


def _of_retention(question: Retention, part: Part) -> tuple[str, Definition]:
    if question.clock != "rolling" or question.interval != "day" or question.how != "on" or not question.first_time:
        raise Invalid(
            f"A metric counts who comes back by everybody's own clock, on days after their first time: ask that. {_OTHERWISE}"
        )
    first, last = question.columns[min(part.after, len(question.columns) - 1)]
    if first < 1:
        raise Invalid(f"A metric counts who comes back from day 1 on. {_OTHERWISE}")
    days = f"day {first}" if first == last else f"days {first} to {last}"
    name = f"{label(question.begin)}, then {label(question.back)} on {days}"
    return name, RetentionMetric(question.begin, question.back, first, last - first + 1)
