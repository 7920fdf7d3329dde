"""What a change cost, as far as anything here tells: each line with where it is from. No money is computed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.code.delivery.queries import tied
from whytree.code.models import Incident
from whytree.tree.models import Note, NoteKind, Solution, State
from whytree.tree.queries import notes_of
from whytree.workspace.models import Activity, Product
from whytree.workspace.sockets import Work, work_of

from ..models import OutcomeReview

What = Literal["commits", "lines", "people", "to_live", "to_decision", "incident", "said"]


@dataclass(frozen=True)
class CostLine:
    """One thing it took. `value` is the number in `text` where it is one: commits, lines, people, days."""

    what: What
    text: str
    source: str
    value: int | None = None
    url: str = ""


@dataclass(frozen=True)
class Day:
    """When something was, by the product's calendar; how a sentence calls it; where it is known from."""

    called: str
    on: date
    source: str


def cost_of(review: OutcomeReview) -> list[CostLine]:
    """Of the review's solution, until it was decided: what nobody told is not there, missing commits are said to be."""
    solution, until = review.hypothesis.solution, review.decided_at or timezone.now()
    work = work_of(solution, until)
    return [
        *_work(solution, work),
        *_days(review, work),
        *(_incidents(solution, work, until) if work and work.deployments else ()),
        *(
            _said(solution, note)
            for note in notes_of(solution).filter(kind=NoteKind.CONSTRAINT, created_at__lte=until).exclude(cost="")
        ),
    ]


def _work(solution: Solution, work: Work | None) -> Iterator[CostLine]:
    if work is None:
        yield CostLine(
            "commits", f"No commit says that it is for {solution.ref}, so what the work took is not known.", ""
        )
        return
    yield CostLine("commits", _counted(work.commits, "commit"), ", ".join(work.rules), work.commits, work.url)
    if work.lines_left is not None:
        lines = _counted(work.lines_left, "line") if work.lines_left else "no line"
        read = f", {_written(_on(solution.product, work.read_at))}" if work.read_at else ""
        yield CostLine("lines", f"{lines} of theirs left", f"as its clone was last read in{read}", work.lines_left)
    if work.people:
        people = f"{work.people} {'person' if work.people == 1 else 'people'} wrote them"
        yield CostLine("people", people, "authors and co-authors by address", work.people)


def _days(review: OutcomeReview, work: Work | None) -> Iterator[CostLine]:
    """From its beginning until people met it, and until it was decided."""
    opened = Day("live", _on(review.product, review.opened_at), "live")
    began = _began(review, work)
    if began is not None:
        yield _apart("to_live", began, opened)
    if review.decided_at is not None:
        decided = Day("the decision", _on(review.product, review.decided_at), "decided")
        yield _apart("to_decision", began or opened, decided)


def _began(review: OutcomeReview, work: Work | None) -> Day | None:
    """The first commit; else when it was said to be in building. What came after people met it was no beginning."""
    if work is not None and work.first_at <= review.opened_at:
        return Day("the first commit", _on(review.product, work.first_at), work.first_sha)
    solution = review.hypothesis.solution
    entered = Activity.objects.filter(
        subject_type=Solution._meta.label, subject_id=solution.pk, verb="set_state", after__state=State.BUILDING.value
    )
    act = entered.filter(at__lte=review.opened_at).order_by("at").first()
    return Day("“building”", _on(review.product, act.at), "building") if act else None


def _apart(what: What, start: Day, end: Day) -> CostLine:
    days = (end.on - start.on).days
    source = ", ".join(f"{one.source} {_written(one.on)}" for one in (start, end))
    return CostLine(what, f"{_counted(days, 'day')} from {start.called} to {end.called}", source, days)


def _incidents(solution: Solution, work: Work, until: datetime) -> Iterator[CostLine]:
    """Those of the deployments that brought its commits; other commits may have come with them."""
    began = Incident.objects.filter(product=solution.product_id, began_at__range=(work.first_at, until))
    for one in tied(began):
        if one.deployment is not None and one.deployment.pk in work.deployments:
            incident = one.incident
            text = f"{incident.key} {incident.title} ({incident.get_status_display()})"
            source = f"{one.rule}, {one.deployment.label} brought its commits"
            yield CostLine("incident", text, source, url=f"/p/{solution.product.slug}/deployments#i{incident.pk}")


def _said(solution: Solution, note: Note) -> CostLine:
    who = f"{note.author_name}, " if note.author_name else ""
    source = f"{who}{_written(_on(solution.product, note.created_at))}: {note.text}"
    return CostLine("said", note.cost, source, url=f"/p/{solution.product.slug}/{solution.ref}")


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _on(product: Product, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(product.timezone)).date()


def _written(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
