"""Answers to questions: a sentence, the figures with their intervals, and the people behind each of them."""

from whytree.workspace.models import Product

from ..questions import Funnel, Question, Trends
from .behind import Behind, Part, checked_part, people_behind
from .drivers import Drivers, drivers_of
from .funnel import FunnelAnswer, answer_funnel
from .retention import RetentionAnswer, answer_retention
from .trends import TrendsAnswer, answer_trends

Answer = FunnelAnswer | TrendsAnswer | RetentionAnswer


def answer(product: Product, question: Question) -> Answer:
    """Ask the store. Raises `Invalid` for an event or a property that was never seen."""
    if isinstance(question, Funnel):
        return answer_funnel(product, question)
    return answer_trends(product, question) if isinstance(question, Trends) else answer_retention(product, question)


__all__ = [
    "Answer",
    "Behind",
    "Drivers",
    "FunnelAnswer",
    "Part",
    "RetentionAnswer",
    "TrendsAnswer",
    "answer",
    "answer_funnel",
    "answer_retention",
    "answer_trends",
    "checked_part",
    "drivers_of",
    "people_behind",
]
