"""Who comes back: a curve over all cohorts, and the triangle behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.engines.figures import number
from whytree.stores import retention as store
from whytree.workspace.models import Product

from ..queries import people
from ..questions import Retention, as_json, label
from .ground import SOURCE, Share, period, refuse_unseen, share_of

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
    """All cohorts whose stretch `after` is over, together: `people` began, `back` of them came back."""

    after: int
    people: int
    back: int
    share: Share | None


@dataclass(frozen=True)
class RetentionAnswer:
    """`from_at` <= t < `to_at` is when people began. `sentence` says what the figures say."""

    question: dict[str, object]
    asked: str
    sentence: str
    n: int
    from_at: datetime
    to_at: datetime
    as_of: datetime
    interval: str
    curve: tuple[Point, ...]
    cohorts: tuple[Cohort, ...]
    source: str = SOURCE

    @property
    def last_day(self) -> datetime:
        return self.to_at - timedelta(microseconds=1)


def answer_retention(product: Product, question: Retention) -> RetentionAnswer:
    """Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    zone = ZoneInfo(product.timezone)
    start, end = period(product, question.days, question.begin)
    first = store.number_of(question.interval, start.astimezone(zone).date())
    start = min(start, datetime.combine(store.first_day(question.interval, first), datetime.min.time(), zone))
    now = timezone.now()
    last_seen = period(product, None, question.begin, question.back)[1]
    today = store.number_of(question.interval, min(now, last_seen).astimezone(zone).date())
    coming = store.Coming(question.begin, question.back, question.interval, question.first_time, question.or_later)
    found = store.retention(product.pk, coming, start, end, stretches=question.stretches + 1, zone=str(zone))
    cohorts = tuple(_cohort(cohort, today) for cohort in found[-MOST_COHORTS:])
    curve = tuple(_point(after, cohorts) for after in range(question.stretches + 1))
    return RetentionAnswer(
        question=as_json(question),
        asked=question.sentence,
        sentence=_sentence(question, curve),
        n=sum(cohort.people for cohort in cohorts),
        from_at=start,
        to_at=end,
        as_of=now,
        interval=question.interval,
        curve=curve,
        cohorts=cohorts,
    )


def _cohort(found: store.Cohort, today: int) -> Cohort:
    cells = tuple(
        Cell(back, share_of(back, found.people), found.number + after < today)
        if found.number + after <= today
        else Cell(None, None, complete=False)
        for after, back in enumerate(found.back)
    )
    return Cohort(found.start, found.people, cells)


def _point(after: int, cohorts: Sequence[Cohort]) -> Point:
    """Only cohorts that have had the whole stretch: the others would pull the end of the curve down."""
    over = [(cohort.people, cohort.cells[after].people or 0) for cohort in cohorts if cohort.cells[after].complete]
    began, back = sum(one for one, _ in over), sum(two for _, two in over)
    return Point(after, began, back, share_of(back, began))


def _sentence(question: Retention, curve: Sequence[Point]) -> str:
    whole = [point for point in curve[1:] if point.share is not None]
    if not whole:
        began = sum(point.people for point in curve[:1])
        return f"{people(began)} began with “{label(question.begin)}”; no {question.interval} after that is over yet."
    first, last = whole[0], whole[-1]
    share = f"{number(first.share.value) if first.share else 0} %"
    said = f"{share} of those who did “{label(question.begin)}” did “{label(question.back)}” "
    said += f"{_after(question, first.after)}"
    if last is first or last.share is None:
        return f"{said}."
    return f"{said}, {last.share.text} {_after(question, last.after)}."


def _after(question: Retention, after: int) -> str:
    later = " or later" if question.or_later else ""
    return f"a {question.interval}{later} after" if after == 1 else f"{after} {question.interval}s{later} after"
