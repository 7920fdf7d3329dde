"""A board's or question's answers as a mail and as a webhook's message."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.html import escape

from whytree.errors import Conflict, WhytreeError
from whytree.workspace.outside import mail, webhooks

from ..answers.cached import fresh_answer
from ..boards.queries import measure_in, measure_words, question_on, time_of
from ..models import Board, Letter, Metric, SavedQuestion, Subscription
from ..questions import Question
from ..saved.queries import question_of
from .services import stop_url
from .telling import is_member


@dataclass(frozen=True)
class Line:
    """One answer: what it is called, its sentence, on what it rests, and where it stands; or words of a board."""

    title: str
    says: str
    ground: str = ""
    url: str = ""


def send_answers(letter: Letter) -> None:
    """Raises `Conflict` where nobody may have it any more."""
    found = letter.subscription
    assert found is not None  # noqa: S101 - for the type checker: nothing else is handed here
    if not found.is_on:
        raise Conflict("It was switched off meanwhile.")
    if not is_member(found.product, found.user):
        raise Conflict("Whoever asked for it is no member any more.")
    lines = lines_of(found)
    if found.webhook:
        return webhooks.post_signed(found.webhook, found.secret, f"msg_answers_{letter.pk}", _message(letter, lines))
    stop = stop_url(found)
    subject = f"{found}, {found.product.name}"
    return mail.send(
        mail.Mail(found.user.email, subject, as_text(found, lines, stop), as_html(found, lines, stop), stop)
    )


def lines_of(found: Subscription) -> list[Line]:
    """The answers as of now."""
    if found.saved is not None:
        return [_line(found, found.saved, question_of(found.saved))]
    assert found.board is not None  # noqa: S101 - for the type checker: it is to one of the two
    lines = []
    for card in found.board.cards.select_related("saved", "metric__product"):
        if card.metric is not None:
            lines.append(_metric_line(found.board, card.metric))
            continue
        if card.saved is None:
            lines.append(Line("", card.text))
            continue
        try:
            lines.append(_line(found, card.saved, question_on(found.board, card.saved.question)))
        except WhytreeError as error:
            lines.append(Line(card.saved.title, error.message))
    return lines


def _line(found: Subscription, saved: SavedQuestion, question: Question) -> Line:
    url = settings.WHYTREE.base_url + reverse("saved_question", args=[found.product.slug, saved.number])
    try:
        answer = fresh_answer(found.product, question)
    except WhytreeError as error:  # one that cannot be answered leaves the others alone
        return Line(saved.title, error.message, url=url)
    ground = f"n = {answer.n:,}, {answer.from_at:%-d %b} to {answer.last_day:%-d %b %Y}"
    return Line(saved.title, answer.sentence, ground, url)


def _metric_line(board: Board, metric: Metric) -> Line:
    url = settings.WHYTREE.base_url + reverse("metric", args=[board.product.slug, metric.key])
    try:
        measured = measure_in(metric, time_of(board))
    except WhytreeError as error:
        return Line(metric.name, error.message, url=url)
    ground = f"n = {measured.n:,}, {measured.from_at:%-d %b} to {measured.last_day:%-d %b %Y}"
    return Line(metric.name, measure_words(measured), ground, url)


def _where(found: Subscription) -> str:
    name = "board" if found.board else "saved_question"
    return settings.WHYTREE.base_url + reverse(name, args=[found.product.slug, found.subject.number])


def as_text(found: Subscription, lines: list[Line], stop: str) -> str:
    parts = [str(found), _where(found)]
    for line in lines:
        ground = f" ({line.ground})" if line.ground else ""
        parts.append(f"{line.title}: {line.says}{ground}" if line.title else line.says)
    parts.append(f"No more of this mail: {stop}")
    return "\n\n".join(parts) + "\n"


def as_html(found: Subscription, lines: list[Line], stop: str) -> str:
    """No picture, no style sheet, no script: reads the same wherever it is opened."""
    rows = "".join(
        f'<p dir="auto">{_title(line)}{escape(line.says)} <span style="color:#666">{escape(line.ground)}</span></p>'
        for line in lines
    )
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;line-height:1.5;max-width:40em">'
        f'<h1 style="font-size:1.2em" dir="auto"><a href="{escape(_where(found))}">{escape(str(found))}</a></h1>{rows}'
        f'<p style="color:#666"><a href="{escape(stop)}">No more of this mail</a></p></body></html>'
    )


def _title(line: Line) -> str:
    if not line.title:
        return ""
    linked = f'<a href="{escape(line.url)}">{escape(line.title)}</a>' if line.url else escape(line.title)
    return f"<b>{linked}</b> "


def _message(letter: Letter, lines: list[Line]) -> dict[str, object]:
    found = letter.subscription
    assert found is not None  # noqa: S101 - for the type checker
    data = {
        "product": found.product.slug,
        "title": str(found),
        "board": found.board.number if found.board else None,
        "question": found.saved.ref if found.saved else None,
        "day": letter.occasion,
        "answers": [{"title": line.title, "says": line.says, "ground": line.ground, "url": line.url} for line in lines],
        "url": _where(found),
    }
    return {"type": "answers.due", "timestamp": letter.at.isoformat(), "data": data}
