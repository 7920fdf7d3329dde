"""Which way people go."""

from dataclasses import dataclass

from whytree.engines.figures import number
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import paths as store
from whytree.stores.questions.paths import Edge
from whytree.workspace.models import Product

from ..measures.resolving import ready
from ..queries import MOST_OFFERED, known_events
from ..questions import Paths, label
from .ground import period, refuse_unseen
from .head import Head, head


@dataclass(frozen=True, kw_only=True)
class PathsAnswer(Head):
    """`edges` are the most frequent ones; `left_out` ways go along others. Told backwards where only the end is named."""

    edges: tuple[Edge, ...]
    ways: int
    left_out: int
    backwards: bool


def answer_paths(product: Product, question: Paths) -> PathsAnswer:
    """Raises `Invalid` for a name that was never seen."""
    refuse_unseen(product, question)
    asked = asked_of(product, question)
    found = store.edges(product.pk, asked)
    going_on = [one for one in found if one.target]
    kept = sorted(going_on, key=lambda one: -one.ways)[: question.top]
    ways = sum(one.ways for one in found if one.at == 0)
    edges = tuple(one for one in found if one in kept)
    people = store.people(product.pk, asked)
    return PathsAnswer(
        **head(product, question, _sentence(question, found, ways), people, asked.start, asked.end),
        edges=edges,
        ways=ways,
        left_out=sum(one.ways for one in going_on) - sum(one.ways for one in kept),
        backwards=question.finish is not None and question.begin is None,
    )


def asked_of(product: Product, question: Paths) -> store.Asked:
    """As the store asks it."""
    begin, finish, (shared,) = (
        next(iter(ready(product, [question.begin])), None) if question.begin else None,
        next(iter(ready(product, [question.finish])), None) if question.finish else None,
        ready(product, [Selection(("",), question.where)]),
    )
    whole = Selection(tuple(known_events(product, MOST_OFFERED)) or ("",))
    start, end = period(product, question.when, whole)  # what comes after the last beginning belongs to its way
    return store.Asked(start, end, question.depth, question.pause, begin, finish, question.hidden, shared.filters)


def _sentence(question: Paths, found: list[Edge], ways: int) -> str:
    if not ways:
        return "Nobody went this way in this time."
    first = [one for one in found if one.at == 0]
    ended = sum(one.ways for one in first if not one.target)
    going = [one for one in first if one.target]
    if not going:
        return "Nobody did anything else before they paused."
    next_ = max(going, key=lambda one: one.ways)
    share = number(100 * next_.ways / ways)
    if question.finish and not question.begin:
        return f"Before “{label(question.finish)}” people most often did “{next_.target}”: {share} % of {ways:,} ways."
    where = f"After “{label(question.begin)}”" if question.begin else f"From “{next_.source}”"
    said = f"{where} people most often went on to “{next_.target}”: {share} % of {ways:,} ways"
    return f"{said}; {number(100 * ended / ways)} % ended there."
