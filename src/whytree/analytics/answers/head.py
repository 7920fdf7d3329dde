"""What every answer says first."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from whytree.workspace.models import Product

from ..questions import Question, as_json

SOURCE = "this product's events, each person counted once under all their ids"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The question as it was understood, a sentence that says what the figures say, whom they count, and when.

    `from_at` <= t < `to_at`, by the product's clock; `n` counts people.
    """

    question: dict[str, object]
    asked: str
    sentence: str
    n: int
    from_at: datetime
    to_at: datetime
    as_of: datetime
    source: str = SOURCE

    @property
    def last_day(self) -> datetime:
        return self.to_at - timedelta(microseconds=1)


def head(product: Product, question: Question, sentence: str, n: int, start: datetime, end: datetime) -> dict[str, Any]:
    """The first fields of an answer."""
    made = Head(
        question=as_json(question),
        asked=question.sentence,
        sentence=sentence,
        n=n,
        from_at=product.there(start),
        to_at=product.there(end),
        as_of=timezone.now(),
    )
    return {field.name: getattr(made, field.name) for field in fields(made)}
