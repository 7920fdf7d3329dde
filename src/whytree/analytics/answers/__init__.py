"""Answers to questions: a sentence, the figures with their intervals, and the people behind each of them."""

from dataclasses import replace

from django.utils import timezone

from whytree.stores.events import at_one_moment
from whytree.workspace.models import Product

from ..questions import Funnel, Lifecycle, Paths, Question, Retention, Sessions, Stickiness, Trends
from .behind import Behind, Part, checked_part, people_behind
from .drivers import Drivers, drivers_of
from .funnel import FunnelAnswer, answer_funnel
from .living import LifecycleAnswer, StickinessAnswer, answer_lifecycle, answer_stickiness
from .paths import PathsAnswer, answer_paths
from .retention import RetentionAnswer, answer_retention
from .sessions import SessionsAnswer, answer_sessions
from .trends import TrendsAnswer, answer_trends

Answer = (
    FunnelAnswer | TrendsAnswer | RetentionAnswer | LifecycleAnswer | StickinessAnswer | PathsAnswer | SessionsAnswer
)


def answer(product: Product, question: Question) -> Answer:
    """Ask the store. Everything counts that was acknowledged by `as_of`, and perhaps some that came while it was asked.

    Raises `Invalid` for an event or a property that was never seen.
    """
    as_of = timezone.now()
    with at_one_moment():
        return replace(_asked(product, question), as_of=as_of)


def _asked(product: Product, question: Question) -> Answer:
    match question:
        case Funnel():
            return answer_funnel(product, question)
        case Trends():
            return answer_trends(product, question)
        case Retention():
            return answer_retention(product, question)
        case Lifecycle():
            return answer_lifecycle(product, question)
        case Stickiness():
            return answer_stickiness(product, question)
        case Paths():
            return answer_paths(product, question)
        case Sessions():
            return answer_sessions(product, question)


__all__ = [
    "Answer",
    "Behind",
    "Drivers",
    "FunnelAnswer",
    "LifecycleAnswer",
    "Part",
    "PathsAnswer",
    "RetentionAnswer",
    "SessionsAnswer",
    "StickinessAnswer",
    "TrendsAnswer",
    "answer",
    "answer_funnel",
    "answer_retention",
    "answer_trends",
    "checked_part",
    "drivers_of",
    "people_behind",
]
