"""How far people come, how long it takes them, and who came no further."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from zoneinfo import ZoneInfo

from whytree.engines.figures import number
from whytree.stores.pieces import stretches
from whytree.stores.questions import funnels as store
from whytree.workspace.models import Product

from ..measures.resolving import ready, ready_by
from ..queries import people
from ..questions import Funnel, by_text, events_of
from .durations import Duration, durations, edges_within, seconds_words
from .ground import Share, known_until, period, refuse_unseen, share_of
from .head import Head, head


@dataclass(frozen=True)
class Step:
    """One step: people who came at least here, their share of those who began and of those at the step before.

    `left` are those whose best try ended here. Shares are None where nobody came before. `skipped` are those who went on
    without an optional step.
    """

    at: int
    event: str
    people: int
    left: int
    of_first: Share | None
    of_previous: Share | None
    optional: bool = False

    @property
    def width(self) -> str:
        """For the bar, in percent."""
        return f"{self.of_first.value:.1f}" if self.of_first else "0"


@dataclass(frozen=True)
class Group:
    """The same steps for those with one value of a breakdown; `value` is None for all the smaller groups together."""

    value: str | None
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        return "everybody else" if self.value is None else self.value or "not said"


@dataclass(frozen=True)
class Pair:
    """Of those who came to one step, the share that came to a later one."""

    from_step: int
    to_step: int
    share: Share | None


@dataclass(frozen=True)
class Began:
    """The steps of those whose first first step lies in the stretch that begins on this day.

    `complete` is false while somebody's window in it, or the stretch itself, is open.
    """

    start: date
    steps: tuple[Step, ...]
    complete: bool

    @property
    def share(self) -> Share | None:
        return self.steps[-1].of_first


@dataclass(frozen=True, kw_only=True)
class FunnelAnswer(Head):
    """`from_at` <= t < `to_at` is when people began. `sentence` says what the figures say."""

    steps: tuple[Step, ...]
    by: str = ""
    groups: tuple[Group, ...] = ()
    pairs: tuple[Pair, ...] = ()
    took: tuple[Duration, ...] = ()
    over: tuple[Began, ...] = ()

    @property
    def worst(self) -> Step | None:
        """The step that the largest share of those who came to it did not go on from."""
        going_on = [step for step in self.steps[:-1] if step.people and not step.optional]
        return max(going_on, key=lambda step: step.left / step.people, default=None) if len(self.steps) > 1 else None

    @property
    def whole_way(self) -> Duration | None:
        return self.took[-1] if self.took else None

    @property
    def reached_table(self) -> list[tuple[Step, list[Pair]]]:
        """A row for each step but the first: from each earlier step to it."""
        rows = []
        for step in self.steps[1:]:
            rows.append((step, [pair for pair in self.pairs if pair.to_step == step.at]))
        return rows


def answer_funnel(product: Product, question: Funnel) -> FunnelAnswer:
    """Each person's best try. Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    steps, span = asked_of(product, question)
    reached = store.funnel(product.pk, steps, span)
    by = ready_by(product, question.by, events_of(question))
    groups = store.funnel_by(product.pk, steps, span, by, any_step=question.by_any_step) if by else []
    shown = _steps(question, reached.people)
    took = (
        durations(question, store.times(product.pk, steps, span, edges_within(question.within)))
        if question.times
        else ()
    )
    return FunnelAnswer(
        **head(product, question, _whole_sentence(question, shown, took), reached.people[0], span.start, span.end),
        steps=shown,
        by=by_text(question.by),
        groups=tuple(Group(group.value, _steps(question, group.people)) for group in groups),
        pairs=_pairs(question, reached.people),
        took=took,
        over=_over(product, question, steps, span) if question.over else (),
    )


def asked_of(product: Product, question: Funnel) -> tuple[store.Steps, store.Period]:
    """As the store asks it."""
    without = [
        replace(one, selection=selection)
        for one, selection in zip(
            question.without, ready(product, (one.selection for one in question.without)), strict=True
        )
    ]
    steps = store.Steps(
        ready(product, question.steps),
        question.within,
        question.order,
        question.hold,
        tuple(without),
        question.optional,
        question.first_time,
    )
    begins = question.steps if question.order == "any" else question.steps[:1]
    return steps, store.Period(*period(product, question.when, *begins))


def step_names(question: Funnel) -> list[str]:
    """What stands beside each bar. In any order steps have no names of their own."""
    if question.order != "any":
        return question.labels
    names = ["any of them", *(f"{number} of them" for number in range(2, len(question.steps)))]
    return [*names, "all of them"][-len(question.steps) :] if len(question.steps) > 1 else names[:1]


def _steps(question: Funnel, reached: Sequence[int]) -> tuple[Step, ...]:
    before = store.Steps(question.steps, question.within, optional=question.optional).before
    names = step_names(question)
    found = []
    for at, came in enumerate(reached, 1):
        further = next(
            (reached[later - 1] for later in range(at + 1, len(reached) + 1) if later not in question.optional), 0
        )
        came_from = before[at - 1]
        found.append(
            Step(
                at=at,
                event=names[at - 1],
                people=came,
                left=0 if at in question.optional else came - further,
                of_first=share_of(came, reached[0]),
                of_previous=share_of(came, reached[came_from - 1]) if came_from else None,
                optional=at in question.optional,
            )
        )
    return tuple(found)


def _pairs(question: Funnel, reached: Sequence[int]) -> tuple[Pair, ...]:
    required = [at for at in range(1, len(reached) + 1) if at not in question.optional]
    return tuple(
        Pair(one, two, share_of(reached[two - 1], reached[one - 1]))
        for one in required
        for two in required
        if one < two
    )


def _over(product: Product, question: Funnel, steps: store.Steps, span: store.Period) -> tuple[Began, ...]:
    """Every stretch in which somebody began."""
    assert question.over is not None  # noqa: S101 - for the type checker
    found = store.steps_over(product.pk, steps, span, stretches.bucket_sql(question.over), product.timezone)
    zone = ZoneInfo(product.timezone)
    began = []
    for start, reached in found.items():
        ends = stretches.next_start(question.over, start)
        over = stretches.moment_of(ends, zone)
        # in UTC: a window has its whole hours also where the clocks change
        closed = over.astimezone(UTC) + question.within <= known_until(question.when, span.end)
        cut = over > span.end or not (
            stretches.moment_of(start, zone) >= span.start or question.when.is_from_the_beginning
        )
        began.append(Began(start, _steps(question, reached), closed and not cut))
    return tuple(began)


def _whole_sentence(question: Funnel, steps: tuple[Step, ...], took: tuple[Duration, ...]) -> str:
    said = _sentence(question, steps, took)
    return f"Where {question.common_words}: {said}" if question.common else said


def _sentence(question: Funnel, steps: tuple[Step, ...], took: tuple[Duration, ...]) -> str:
    first, last = steps[0], steps[-1]
    if not first.people:
        return f"Nobody did “{first.event}” in this time." if question.order != "any" else "Nobody did any of them."
    if len(steps) == 1:
        return f"{people(first.people)} did “{first.event}”."
    share = last.of_first.text if last.of_first else "0 %"
    if question.order == "any":
        return f"{share} of those who did any of these {len(steps)} did all of them."
    whole = f"{share} of those who did “{first.event}” came to “{last.event}”"
    if took and took[-1].people:
        whole += f", half of them within {seconds_words(took[-1].median)}"
    going_on = [step for step in steps[:-1] if not step.optional]
    at = max(going_on, key=lambda step: step.left / step.people if step.people else 0.0)
    if not at.left or len(steps) == 2:
        return f"{whole}."
    lost = 100 * at.left / at.people
    return f"{whole}; most leave after “{at.event}”, where {number(lost)} % do not go on."
