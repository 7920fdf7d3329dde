"""Five lines on Monday: what `daily` shows, for a person; for the product's channel, what waits for anybody.

Nothing is written down but ids: words are looked up again each time, so that whoever is forgotten is not quoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from whytree.engines.texts.words import cut
from whytree.learning.models import Decision, OutcomeReview, Verdict
from whytree.learning.queries import decided_reviews, due_reviews
from whytree.tree.models import NoteKind
from whytree.tree.queries import nodes_behind, open_notes
from whytree.workspace.models import Product, User
from whytree.workspace.terminal.printing import plain

from ..answering.hops import url_of
from .answer import Waiting, waits_for
from .hearing import VOICES, Ear, Heard, Touch, seen_lately, touched_by

HOUR = 8  # on Monday, where the product is
WEEK = timedelta(days=7)
LONG_QUOTE, SHORT_QUOTE, LONG_TEXT = 220, 90, 140


@dataclass(frozen=True)
class Line:
    """One of the five: what it is about, in words, and where it leads."""

    label: str
    text: str
    url: str


@dataclass(frozen=True)
class Digest:
    """A week's lines for one person, or for the channel. Without any line nothing is sent."""

    product: Product
    week: str
    subject: str
    lines: tuple[Line, ...]
    voices: tuple[str, ...]


def week_of(product: Product, now: datetime) -> tuple[str, datetime]:
    """The ISO week where the product is, and when its mail is due: Monday at eight."""
    local = now.astimezone(ZoneInfo(product.timezone))
    year, week, day = local.isocalendar()
    monday = (local - timedelta(days=day - 1)).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return f"{year}-W{week:02}", monday


def digest_of(product: Product, user: User | None, now: datetime | None = None, voices: Sequence[str] = ()) -> Digest:
    """This week's lines. `voices` are the ids that were quoted already this week; they stay the ones."""
    now = now or timezone.now()
    touch = touched_by(user, product, now) if user else Touch(0, {}, (), {})
    ear = Ear(product, touch, now)
    heard = ear.named(voices) if voices else ear.hear(VOICES, seen_lately(user, product, now) if user else ())
    waiting = waits_for(user, product, touch, now) if user else _waits_for_all(product, now)
    lines = [*_voices(heard), *_verdicts(waiting), *_questions(waiting), *_learned(product, now)]
    week, _ = week_of(product, now)
    return Digest(product, week, _subject(product, heard, waiting), tuple(lines), tuple(one.ref for one in heard))


def _voices(heard: Sequence[Heard]) -> list[Line]:
    """One person in full, two in short."""
    if not heard:
        return []
    first, *others = heard
    who = ", ".join(filter(None, (plain(first.who) or "somebody", plain(first.source), plain(first.reason))))
    lines = [Line("Heard", f"“{cut(plain(first.words), LONG_QUOTE)}” ({who})", _address(first.url))]
    if others:
        quotes = " ".join(f"“{cut(plain(one.words), SHORT_QUOTE)}”" for one in others)
        lines.append(Line("Also", quotes, _address(others[0].url)))
    return lines


def _verdicts(waiting: Sequence[Waiting]) -> list[Line]:
    found = [one for one in waiting if one.kind in {"guard", "review"}]
    if not found:
        return []
    first, more = found[0], len(found) - 1
    label = "Broken" if first.kind == "guard" else "Verdict"
    return [Line(label, f"{first.ref}: {cut(plain(first.text), LONG_TEXT)}{_more(more)}", _address(first.url))]


def _questions(waiting: Sequence[Waiting]) -> list[Line]:
    found = [one for one in waiting if one.kind in {"challenge", "question"}]
    if not found:
        return []
    first, more = found[0], len(found) - 1
    label = "Challenge" if first.kind == "challenge" else "Question"
    return [Line(label, f"{first.ref}: {cut(plain(first.text), LONG_TEXT)}{_more(more)}", _address(first.url))]


def _learned(product: Product, now: datetime) -> list[Line]:
    """What was decided in the last week, and what the team took from it."""
    decided = list(decided_reviews(product).filter(decided_at__gt=now - WEEK, decided_at__lte=now)[:20])
    if not decided:
        return []
    first = decided[0]
    return [Line("Learned", f"{_said(first)}{_more(len(decided) - 1)}", _address(first.url))]


def _said(review: OutcomeReview) -> str:
    verdict, decision = Verdict(review.verdict).label, Decision(review.decision).label
    title = cut(plain(review.hypothesis.solution.title), 70)
    return f"{review.ref}: “{title}” {verdict}, {decision}. {cut(plain(review.learning), LONG_TEXT)}"


def _waits_for_all(product: Product, now: datetime) -> list[Waiting]:
    due = [
        Waiting("review", one.ref, f"what “{one.hypothesis.solution.title}” did wants a verdict.", one.url, one.due_at)
        for one in due_reviews(product, now)[:20]
    ]
    notes = list(open_notes(product).filter(Q(kind=NoteKind.CHALLENGE)).select_related("product")[:20])
    nodes = nodes_behind(notes)
    asked = [
        Waiting(note.kind, node.ref, note.text, f"{url_of(node)}#note-{note.pk}", note.created_at)
        for note in notes
        if (node := nodes.get((note.node_kind, note.node_id))) is not None
    ]
    return [*due, *asked]


def _subject(product: Product, heard: Sequence[Heard], waiting: Sequence[Waiting]) -> str:
    """What is most urgent, in a few words."""
    kinds = {one.kind for one in waiting}
    if "guard" in kinds:
        head = "a guardrail broke"
    elif "review" in kinds:
        due = sum(one.kind == "review" for one in waiting)
        head = "a result wants your verdict" if due == 1 else f"{due} results want your verdict"
    elif "challenge" in kinds:
        head = "a challenge wants an answer"
    else:
        head = f"“{cut(plain(heard[0].words), 50)}”" if heard else "a question is open"
    return f"{plain(product.name)}: {head}"


def _more(count: int) -> str:
    return f" And {count} more." if count else ""


def _address(path: str) -> str:
    """As a mail needs it; other people's addresses stay what they are."""
    base: str = settings.WHYTREE.base_url
    return f"{base}{path}" if path.startswith("/") else path


def today_url(product: Product) -> str:
    return _address(f"/p/{product.slug}/today")
