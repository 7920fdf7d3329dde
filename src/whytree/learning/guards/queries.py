"""What may be asked of guards: how the gain stands, and what changed since it last was fine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from whytree.analytics.drawing.marks import acts_between
from whytree.analytics.models import Metric
from whytree.code.models import Commit
from whytree.engines.charts import Mark
from whytree.engines.figures import number
from whytree.errors import NotFound
from whytree.learning.models import Basis, OutcomeGuard
from whytree.learning.queries import REF
from whytree.learning.reviews.shipped import Shipped, shipped_between
from whytree.tree.models import Solution
from whytree.tree.sentences import short
from whytree.workspace.models import Product

from .levels import lead_of

MOST_COMMITS = 12


@dataclass(frozen=True)
class Happened:
    """A commit has its `sha`, a deployment and an incident an `anchor` on their page."""

    day: date
    text: str
    sha: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Since:
    """What came between the last time it was fine and the alarm: commits, what was opened, decided or noted, what went
    out and what broke."""

    commits: Sequence[Commit]
    more_commits: int
    marks: Sequence[Mark]
    shipped: Shipped

    @property
    def happened(self) -> list[Happened]:
        """All of it in one line of time, the latest first."""
        found = [Happened(one.authored_at.date(), one.subject, one.short) for one in self.commits]
        found += [Happened(mark.day, mark.text) for mark in self.marks]
        found += [
            Happened(one.finished_at.date(), f"{one.label} went out", anchor=f"d{one.pk}")
            for one in self.shipped.deployments
        ]
        found += [
            Happened(one.began_at.date(), f"{one.key} {one.title}, {one.get_status_display()}", anchor=f"i{one.pk}")
            for one in self.shipped.incidents
        ]
        return sorted(found, key=lambda one: one.day, reverse=True)


def _guards(product: Product) -> QuerySet[OutcomeGuard]:
    related = ("product", "review__product", "review__hypothesis__solution__product")
    return OutcomeGuard.objects.filter(product=product).select_related(*related)


def find_guard(product: Product, ref: str) -> OutcomeGuard:
    """The guard that the review called `ref` left."""
    matched = REF.fullmatch(ref.strip())
    guard = _guards(product).filter(review__number=int(matched[1])).first() if matched else None
    if guard is None:
        raise NotFound(f"No guard of {ref.strip()[:40]} in {product.name}. `whytree guard list` shows those there are.")
    return guard


def list_guards(product: Product) -> list[OutcomeGuard]:
    """Broken ones first, then those that hold, then those that ended."""
    order = ("broken", "holding", "waiting", "ended")
    return sorted(_guards(product), key=lambda guard: (order.index(guard.state), -guard.pk))


def broken_guards(product: Product) -> QuerySet[OutcomeGuard]:
    return _guards(product).filter(broken_at__isnull=False, ended_at=None).order_by("broken_at", "pk")


def guards_of(solutions: Iterable[Solution]) -> list[OutcomeGuard]:
    """Those that still watch over these solutions, or broke."""
    pks = [solution.pk for solution in solutions]
    related = ("product", "review__product", "review__hypothesis__solution__product")
    found = OutcomeGuard.objects.filter(review__hypothesis__solution__in=pks, ended_at=None)
    return list(found.select_related(*related).order_by("-pk"))


def since_fine(guard: OutcomeGuard) -> Since:
    """Changes in the code and in the rollouts that may have done it: from when it last was fine, a window earlier, for who
    is counted on a day came that much before."""
    end = guard.broken_at or timezone.now()
    start = guard.fine_at - _window(guard)
    found = Commit.objects.filter(repository__product=guard.product_id, authored_at__gt=start, authored_at__lte=end)
    commits = list(found.select_related("repository").order_by("-authored_at", "-pk"))
    return Since(
        commits[:MOST_COMMITS],
        max(0, len(commits) - MOST_COMMITS),
        acts_between(guard.product, start, end),
        shipped_between(guard.product, start, end),
    )


def told(since: Since) -> list[str]:
    """The same as lines of a letter; what a letter has no room for is counted."""
    happened = since.happened
    if not happened:
        return ["", "No commit, deployment or change of a flag is known since it last was fine."]
    lines = [f"- {one.day:%-d %b %Y}: {f'{one.sha} ' if one.sha else ''}{one.text}" for one in happened[:MOST_COMMITS]]
    more = len(happened) - MOST_COMMITS + since.more_commits if len(happened) > MOST_COMMITS else since.more_commits
    return ["", "Since it last was fine, the latest first:", *lines, *([f"- and {more:,} more"] if more else [])]


def _window(guard: OutcomeGuard) -> timedelta:
    metric = Metric.objects.filter(product=guard.product, key=guard.metric_key).first()
    return lead_of(metric) if metric is not None else timedelta(0)


def says(guard: OutcomeGuard) -> str:
    """How the gain stands, in a sentence or two."""
    title = f"“{short(guard.review.hypothesis.solution.title, 60)}”"
    what = f"{guard.metric_key} per active person and day" if guard.basis == Basis.A_DAY else guard.metric_key
    word, line = ("below" if guard.up_is_good else "above"), _said(guard, guard.floor)
    if guard.ended_at is not None:
        return f"Nobody watches it any more: {guard.end_reason}"
    kept = f"it was {_said(guard, guard.baseline)} when {title} was kept"
    if guard.value is None:
        return (
            f"Raises an alarm when {what} is surely {word} {line}: {kept}, and the line lies half its gain {word} that."
        )
    low, high = (_said(guard, end or 0.0) for end in (guard.low, guard.high))
    now = f"{_said(guard, guard.value)} ({low.removesuffix(' %')} to {high}, n = {guard.n:,})"
    if guard.broken_at is not None:
        way = "fell" if guard.up_is_good else "rose"
        return f"{what} is {now}, {word} {line}: {kept}, and {way} by over half of what that had brought."
    return f"{what} is {now}; an alarm is raised when all of that is {word} {line}."


def _said(guard: OutcomeGuard, value: float) -> str:
    return f"{number(100 * value)} %" if guard.basis == Basis.SHARE else number(value)
