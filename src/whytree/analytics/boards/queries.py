"""What may be asked of boards: which there are, and every card with its answer."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.utils.safestring import SafeString

from whytree.engines.figures import number
from whytree.errors import NotFound, WhytreeError
from whytree.workspace.entry.keys import hashed
from whytree.workspace.models import Product

from ..answers import Answer, StickinessAnswer, TrendsAnswer
from ..answers.cached import FRESH_SECONDS, fresh_answer
from ..asking.tables import bars_of
from ..drawing.charts import answer_chart, marks_for, measure_chart
from ..models import Board, BoardCard, Metric
from ..queries import USUAL_DAYS, Measure, measure
from ..questions import Question, When, checked_question, filter_json, in_time, parse_filter


def list_boards(product: Product) -> QuerySet[Board]:
    return Board.objects.filter(product=product).annotate(card_count=Count("cards"))


def find_board(product: Product, number: int) -> Board:
    board = Board.objects.filter(product=product, number=number).select_related("product").first()
    if board is None:
        raise NotFound(f"There is no board {number} in {product.name}. `whytree board list` shows those there are.")
    return board


def shared_board(token: str) -> Board:
    """By the link that needs no sign-in. A link that was taken back and one that never was sound the same."""
    board = Board.objects.filter(share_hash=hashed(token)).select_related("product").first() if token else None
    if board is None:
        raise NotFound("This link shows no board any more. Ask whoever gave it to you for another.")
    return board


@dataclass(frozen=True)
class DrawnCard:
    """A card with its answer and picture, or the sentence that says why there is none."""

    card: BoardCard
    answer: Answer | None = None
    measure: Measure | None = None
    chart: SafeString | None = None
    problem: str = ""

    @property
    def steps(self) -> Any:
        return getattr(self.answer, "steps", None)

    @property
    def bars(self) -> Any:
        if isinstance(self.answer, StickinessAnswer):
            return self.answer.bars
        return bars_of(self.answer) if isinstance(self.answer, TrendsAnswer) and self.answer.is_whole else None

    @property
    def found(self) -> Answer | Measure | None:
        """What has an n, a period and a moment."""
        return self.answer or self.measure

    @property
    def sentence(self) -> str:
        if self.answer is not None:
            return self.answer.sentence
        return measure_words(self.measure) if self.measure is not None else ""


def time_of(board: Board) -> When:
    """The time that holds for every card; all there is means that each question says its own."""
    return When(board.days, board.since, board.until)


def drawn(board: Board, when: When | None = None, *, marked: bool = True) -> list[DrawnCard]:
    """`when`: looked at in another time than the board's own. `marked`: with what the team did then, which names flags and plans."""
    when = when or time_of(board)
    return [_drawn(board, card, when, marked) for card in board.cards.select_related("saved", "metric__product")]


def _drawn(board: Board, card: BoardCard, when: When, marked: bool) -> DrawnCard:
    if card.metric is not None:
        return _drawn_metric(board, card, card.metric, when, marked)
    if card.saved is None:
        return DrawnCard(card)
    try:
        found = fresh_answer(board.product, question_on(board, card.saved.question, when))
    except WhytreeError as error:  # one card that cannot be answered leaves the others alone
        return DrawnCard(card, problem=error.message)
    chart = _picture(found, found.question, board, marked, lambda: answer_chart(board.product, found, marked=marked))
    return DrawnCard(card, answer=found, chart=chart)


def _drawn_metric(board: Board, card: BoardCard, metric: Metric, when: When, marked: bool) -> DrawnCard:
    try:
        found = measure_in(metric, when)
    except WhytreeError as error:
        return DrawnCard(card, problem=error.message)

    def draw() -> SafeString:
        return measure_chart(found, marks=marks_for(board.product, found) if marked else ())

    return DrawnCard(card, measure=found, chart=_picture(found, [metric.pk, str(when)], board, marked, draw))


def _picture(
    found: Answer | Measure, what: object, board: Board, marked: bool, draw: Callable[[], SafeString | None]
) -> SafeString | None:
    """Drawn once for everybody who is shown this answer, with what the team did by then: half of a page's time."""
    facts = json.dumps([board.product_id, str(board.product.timezone), what, str(found.as_of), marked], sort_keys=True)
    key = "picture:" + hashlib.sha256(facts.encode()).hexdigest()
    drawn: SafeString | None = cache.get_or_set(key, draw, FRESH_SECONDS)
    return drawn


def measure_in(metric: Metric, when: When) -> Measure:
    """A metric over a board's time. It is one number everywhere: the board's filters leave it alone."""
    zone = ZoneInfo(metric.product.timezone)
    start = datetime.combine(when.since, time(), zone) if when.since else None
    end = datetime.combine(when.until + timedelta(days=1), time(), zone) if when.until else None
    return measure(metric, start, end, days=when.days or USUAL_DAYS)


def measure_words(found: Measure) -> str:
    """31.2 %, between 28.1 and 34.5; or why there is no value."""
    if found.value is None:
        return found.reason
    between = (
        f", between {number(found.low)} and {number(found.high)}"
        if found.low is not None and found.high is not None
        else ""
    )
    return f"{found.text}{between}."


def question_on(board: Board, raw: dict[str, Any], when: When | None = None) -> Question:
    """A kept question with the board's time, or another one, and its filters on top of its own."""
    where = [*raw.get("where", []), *(filter_json(one) for one in board_filters(board.where))]
    return checked_question(in_time(raw, when or time_of(board)) | {"where": where})


def board_filters(where: str) -> Iterable[Any]:
    """Filters as one types them, apart by semicolons."""
    return [parse_filter(text) for text in where.split(";") if text.strip()]
