"""Who comes back: a curve over all cohorts, and the triangle behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines.figures import number, places
from whytree.stores.questions import retention as store
from whytree.workspace.models import Product

from ..measures.resolving import ready, ready_by
from ..queries import people
from ..questions import Retention, When, bracket_words, by_text, events_of, label
from .ground import Share, period, refuse_unseen, share_of
from .head import Head, head

MOST_COHORTS = 120


@dataclass(frozen=True)
class Cell:
    """People of a cohort who came back so many stretches later; None where that lies ahead."""

    people: int | None
    share: Share | None
    complete: bool


@dataclass(frozen=True)
class Cohort:
    """People who began in the stretch that starts on this day. Its last cell that is not ahead may still grow."""

    start: date
    people: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Point:
    """All cohorts whose stretches `title` (from `after` to `until`) are over: `people` began, `back` of them came back."""

    after: int
    until: int
    people: int
    back: int
    share: Share | None

    @property
    def title(self) -> str:
        return bracket_words((self.after, self.until))


@dataclass(frozen=True)
class Curve:
    """The curve of one group; `value` is None for all groups that are not told apart."""

    value: str | None
    people: int
    points: tuple[Point, ...]

    @property
    def text(self) -> str:
        return "everybody else" if self.value is None else self.value or "not said"


@dataclass(frozen=True, kw_only=True)
class RetentionAnswer(Head):
    """`from_at` <= t < `to_at` is when people began."""

    interval: str
    curve: tuple[Point, ...]
    cohorts: tuple[Cohort, ...]
    by: str = ""
    groups: tuple[Curve, ...] = ()

    @cached_property
    def places(self) -> int | None:
        """Digits behind the point, the same in all cells of the triangle and of the groups."""
        cells = [cell.share for cohort in self.cohorts for cell in cohort.cells]
        points = [point.share for group in self.groups for point in group.points]
        return places(share.value for share in (*cells, *points) if share is not None)


def answer_retention(product: Product, question: Retention) -> RetentionAnswer:
    """Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    coming, followed = asked_of(product, question)
    over = Over(product, question)
    found = store.retention(product.pk, coming, followed)[-MOST_COHORTS:]
    cohorts = tuple(_cohort(cohort, question, over) for cohort in found)
    curve = _curve(question, cohorts)
    return RetentionAnswer(
        **head(
            product,
            question,
            _sentence(question, curve),
            sum(cohort.people for cohort in cohorts),
            followed.start,
            followed.end,
        ),
        interval=question.interval,
        curve=curve,
        cohorts=cohorts,
        by=by_text(question.by),
        groups=_groups(product, question, coming, followed, over),
    )


def asked_of(product: Product, question: Retention) -> tuple[store.Coming, store.Followed]:
    """As the store asks it. The period begins with a stretch."""
    zone = ZoneInfo(product.timezone)
    begin, back = ready(product, (question.begin, question.back))
    start, end = period(product, question.when, question.begin)
    first = store.number_of(question.interval, start.astimezone(zone).date())
    start = min(start, datetime.combine(store.first_day(question.interval, first), datetime.min.time(), zone))
    coming = store.Coming(
        begin, back, question.interval, question.first_time, question.how, question.clock, question.brackets
    )
    return coming, store.Followed(start, end, question.stretches + 1, str(zone))


class Over:
    """Which stretches are over, and which lie ahead."""

    def __init__(self, product: Product, question: Retention) -> None:
        self._zone = ZoneInfo(product.timezone)
        self._question = question
        last_seen = period(product, When(), question.begin, question.back)[1]
        self._known_until = min(timezone.now(), last_seen)
        self._today = store.number_of(question.interval, self._known_until.astimezone(self._zone).date())

    def has_begun(self, cohort: int, after: int) -> bool:
        if self._question.clock == "rolling":
            return self._begins(cohort) + timedelta(days=self._days * after) <= self._known_until
        return cohort + after <= self._today

    def is_over(self, cohort: int, until: int) -> bool:
        """By the rolling clock, also for whoever began last in their stretch of the calendar."""
        if self._question.clock == "rolling":
            return self._begins(cohort + 1) + timedelta(days=self._days * (until + 1)) <= self._known_until
        return cohort + until < self._today

    def last(self, until: int) -> int:
        """The last cohort that has had its whole stretch `until`: the curve holds no later one."""
        cohort = self._today
        while not self.is_over(cohort, until):
            cohort -= 1
        return cohort

    def _begins(self, cohort: int) -> datetime:
        """In UTC: a rolling day has 24 hours also where the clocks change."""
        first = store.first_day(self._question.interval, cohort)
        return datetime.combine(first, datetime.min.time(), self._zone).astimezone(UTC)

    @property
    def _days(self) -> int:
        return store.ROLLING[self._question.interval]


def _cohort(found: store.Cohort, question: Retention, over: Over) -> Cohort:
    cells = tuple(
        Cell(back, share_of(back, found.people), over.is_over(found.number, until))
        if over.has_begun(found.number, after)
        else Cell(None, None, complete=False)
        for (after, until), back in zip(question.columns, found.back, strict=True)
    )
    return Cohort(found.start, found.people, cells)


def _curve(question: Retention, cohorts: Sequence[Cohort]) -> tuple[Point, ...]:
    """Only cohorts that have had the whole stretch: the others would pull the end of the curve down."""
    points = []
    for place, (after, until) in enumerate(question.columns):
        over = [(cohort.people, cohort.cells[place].people or 0) for cohort in cohorts if cohort.cells[place].complete]
        began, back = sum(one for one, _ in over), sum(two for _, two in over)
        points.append(Point(after, until, began, back, share_of(back, began)))
    return tuple(points)


def _groups(
    product: Product, question: Retention, coming: store.Coming, followed: store.Followed, over: Over
) -> tuple[Curve, ...]:
    if not question.by:
        return ()
    by_value: dict[str | None, list[Cohort]] = {}
    for one in store.retention(product.pk, coming, followed, by=ready_by(product, question.by, events_of(question))):
        by_value.setdefault(one.value, []).append(_cohort(one, question, over))
    curves = [
        Curve(value, sum(cohort.people for cohort in cohorts), _curve(question, cohorts))
        for value, cohorts in by_value.items()
    ]
    return tuple(sorted(curves, key=lambda curve: (curve.value is None, -curve.people)))


def _sentence(question: Retention, curve: Sequence[Point]) -> str:
    whole = [point for point in curve if point.share is not None and point.until > 0]
    if not whole:
        began = sum(point.people for point in curve[:1])
        return f"{people(began)} began with “{label(question.begin)}”; no {question.interval} after that is over yet."
    first, last = whole[0], whole[-1]
    share = f"{number(first.share.value) if first.share else 0} %"
    said = f"{share} of those who did “{label(question.begin)}” did “{label(question.back)}” "
    said += f"{_after(question, first)}"
    if last is first or last.share is None:
        return f"{said}."
    return f"{said}, and {last.share.text} {_after(question, last)}."


def _after(question: Retention, point: Point) -> str:
    if question.brackets:
        return f"in {question.interval}{'s' if point.until > point.after else ''} {point.title}"
    later = {"on": "", "later": " or later", "streak": " in a row"}[question.how]
    if question.how == "streak":
        return f"{'a' if point.after == 1 else point.after} {question.interval}{'' if point.after == 1 else 's'}{later}"
    one = f"a {question.interval}" if point.after == 1 else f"{point.after} {question.interval}s"
    return f"{one}{later} after"
