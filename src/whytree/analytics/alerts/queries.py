"""What may be asked of alerts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone

from whytree.errors import NotFound
from whytree.stores.pieces.stretches import moment_of, next_start
from whytree.workspace.models import Product

from ..answers.cached import fresh_answer
from ..answers.trends import TrendsAnswer
from ..models import Alert
from ..queries import measure
from ..questions import Trends
from ..saved.queries import question_of
from .rules import Band, Each, Point, Rule, checked_rule

#: So long after a stretch is over it is looked at: what phones send late is there by then.
GRACE = timedelta(hours=1)


def list_alerts(product: Product) -> QuerySet[Alert]:
    return Alert.objects.filter(product=product).select_related("product", "metric__product", "saved", "created_by")


def find_alert(product: Product, number: int) -> Alert:
    found = list_alerts(product).filter(number=number).first()
    if found is None:
        raise NotFound(f"There is no alert {number} in {product.name}. `whytree alert list` shows those there are.")
    return found


def outside(product: Product) -> list[Alert]:
    """What is to be looked at now: outside, and not put to sleep."""
    now = timezone.now()
    awake = Q(snoozed_until=None) | Q(snoozed_until__lte=now)
    return list(list_alerts(product).filter(awake, state=Alert.State.OUTSIDE))


def rule_of(alert: Alert) -> Rule:
    rule: Rule = replace(checked_rule(alert.rule), each=step_of(alert))
    return replace(rule, unit=unit_of(alert)) if isinstance(rule, Band) else rule


def step_of(alert: Alert) -> Each:
    """What the rule says, for a metric; for a question its own stretches."""
    if alert.metric is not None:
        return checked_rule(alert.rule).each
    question = question_of(alert.saved) if alert.saved is not None else None
    own = question.interval if isinstance(question, Trends) else "day"
    return own if own in ("week", "month") else "day"


def unit_of(alert: Alert) -> str:
    return alert.metric.unit if alert.metric is not None else ""


def may_be_over(alert: Alert, now: datetime) -> bool:
    """Whether the stretch after the last one that was looked at can be whole: else the store need not be asked."""
    if alert.bucket is None:
        return True
    step: Any = step_of(alert)
    return _is_over(alert, step, next_start(step, alert.bucket), now)


def points_of(alert: Alert, now: datetime) -> list[Point]:
    """The whole stretches that are over for long enough, oldest first."""
    step: Any = step_of(alert)
    return [point for point in _points(alert) if _is_over(alert, step, point.start, now)]


def _is_over(alert: Alert, step: Any, start: date, now: datetime) -> bool:
    return moment_of(next_start(step, start), ZoneInfo(alert.product.timezone)) + GRACE <= now


def _points(alert: Alert) -> Sequence[Point]:
    if alert.metric is not None:
        rule = rule_of(alert)
        series = measure(alert.metric, days=rule.days, each=rule.each).series
        return [Point(day.day, day.value, day.low, day.high) for day in series if day.complete]
    assert alert.saved is not None  # noqa: S101 - for the type checker: it is on one of the two
    found = fresh_answer(alert.product, question_of(alert.saved))
    assert isinstance(found, TrendsAnswer)  # noqa: S101 - nothing else is taken
    line = found.lines[0]
    return [Point(_day(one.start), one.value, one.low, one.high) for one in line.stretches if one.complete]


def _day(start: date | datetime) -> date:
    return start.date() if isinstance(start, datetime) else start
