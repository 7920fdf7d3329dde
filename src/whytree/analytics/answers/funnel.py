"""How far people come, and who came no further."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from whytree.engines.figures import number
from whytree.errors import Invalid
from whytree.people.queries import PeopleRef
from whytree.stores import funnels as store
from whytree.workspace.models import Product

from ..queries import people
from ..questions import Funnel, as_json, label
from .ground import SOURCE, Share, period, refuse_unseen, share_of

#: People of one step who are named.
MOST_PEOPLE = 200


@dataclass(frozen=True)
class Step:
    """One step: people who came at least here, their share of those who began and of those at the step before.

    `left` are those whose best try ended here. Shares are None where nobody came before.
    """

    at: int
    event: str
    people: int
    left: int
    of_first: Share | None
    of_previous: Share | None

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
class FunnelAnswer:
    """`from_at` <= t < `to_at` is when people began. `sentence` says what the figures say."""

    question: dict[str, object]
    asked: str
    sentence: str
    n: int
    from_at: datetime
    to_at: datetime
    as_of: datetime
    steps: tuple[Step, ...]
    by: str = ""
    groups: tuple[Group, ...] = ()
    source: str = SOURCE

    @property
    def worst(self) -> Step | None:
        """The step that the largest share of those who came to it did not go on from."""
        going_on = [step for step in self.steps[:-1] if step.people]
        return max(going_on, key=lambda step: step.left / step.people, default=None) if len(self.steps) > 1 else None

    @property
    def last_day(self) -> datetime:
        return self.to_at - timedelta(microseconds=1)


def answer_funnel(product: Product, question: Funnel) -> FunnelAnswer:
    """Each person's best try. Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    start, end = period(product, question.days, question.steps[0])
    steps = store.Steps(question.steps, question.within)
    reached = store.funnel(product.pk, steps, start, end)
    groups = store.funnel_by(product.pk, steps, start, end, question.by) if question.by else []
    shown = _steps(question, reached.people)
    return FunnelAnswer(
        question=as_json(question),
        asked=question.sentence,
        sentence=_sentence(shown),
        n=reached.people[0],
        from_at=start,
        to_at=end,
        as_of=timezone.now(),
        steps=shown,
        by=question.by,
        groups=tuple(Group(group.value, _steps(question, group.people)) for group in groups),
    )


@dataclass(frozen=True)
class Stopped:
    """People whose best try ended at a step, `people.ids` naming the first `MOST_PEOPLE` of them."""

    at: int
    event: str
    next_event: str
    people: PeopleRef

    @property
    def total(self) -> int:
        return self.people.total

    @property
    def ids(self) -> tuple[str, ...]:
        return self.people.ids


def who_stopped(product: Product, question: Funnel, at: int) -> Stopped:
    """Those who came to step `at` (1 is the first) and not to the next, those who were seen last first."""
    if not 1 <= at <= len(question.steps):
        raise Invalid(f"This funnel has {len(question.steps)} steps; there is no step {at}.")
    refuse_unseen(product, question)
    steps = store.Steps(question.steps, question.within)
    rows = store.who_stopped(product.pk, steps, *period(product, question.days, question.steps[0]), level=at)
    ids = tuple(one for _, one in rows[:MOST_PEOPLE])
    after = label(question.steps[at]) if at < len(question.steps) else ""
    return Stopped(at, label(question.steps[at - 1]), after, PeopleRef(frozenset(who for who, _ in rows), ids))


def _steps(question: Funnel, reached: tuple[int, ...]) -> tuple[Step, ...]:
    ahead = (*reached[1:], 0)
    return tuple(
        Step(
            at=at + 1,
            event=label(question.steps[at]),
            people=came,
            left=came - ahead[at],
            of_first=share_of(came, reached[0]),
            of_previous=share_of(came, reached[at - 1]) if at else None,
        )
        for at, came in enumerate(reached)
    )


def _sentence(steps: tuple[Step, ...]) -> str:
    first, last = steps[0], steps[-1]
    if not first.people:
        return f"Nobody did “{first.event}” in this time."
    if len(steps) == 1:
        return f"{people(first.people)} did “{first.event}”."
    share = last.of_first
    whole = f"{share.text if share else '0 %'} of those who did “{first.event}” came to “{last.event}”"
    at = max(steps[:-1], key=lambda step: step.left / step.people if step.people else 0.0)
    if not at.left or len(steps) == 2:
        return f"{whole}."
    lost = 100 * at.left / at.people
    return f"{whole}; most leave after “{at.event}”, where {number(lost)} % do not go on."
