"""`daily`: three voices of people whom your code touched, and what waits for you. Two minutes to read, no ranking of anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from whytree.code.models import Commit
from whytree.errors import Invalid
from whytree.learning.debts.queries import due_debts
from whytree.learning.queries import due_reviews, last_result, open_reviews
from whytree.tree.models import ASKING, Assumption, Hypothesis, Node, Note, NoteKind, Solution
from whytree.tree.queries import nodes_behind
from whytree.workspace.models import Product, User
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require, require_writing
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..answering.hops import url_of
from ..models import Reader, Shown
from ..starting.card import QUESTIONS
from .hearing import REMEMBER, VOICES, Ear, Heard, Touch, seen_lately, touched_by

MOST_WAITING = 8
MOST_EMAILS = 20


@dataclass(frozen=True)
class Waiting:
    """Something that a person is waited for: a review, a broken guardrail, a challenge, a question."""

    kind: str
    ref: str
    text: str
    url: str
    since: datetime


@dataclass(frozen=True)
class Daily:
    """What somebody should hear and do today. `commits` are theirs of the last 30 days."""

    sentence: str
    commits: int
    solutions: tuple[str, ...]
    voices: tuple[Heard, ...]
    waiting: tuple[Waiting, ...]
    more_waiting: int = 0
    hint: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.voices and not self.waiting


def reader_of(user: User, product: Product) -> Reader:
    """A member's wishes, made on first use."""
    return Reader.objects.get_or_create(user=user, product=product)[0]


def todays(user: User, product: Product, now: datetime | None = None) -> Daily:
    """What `daily` shows: the same all day, then others. Changes nothing."""
    now = now or timezone.now()
    touch = touched_by(user, product, now)
    ear = Ear(product, touch, now)
    today = Shown.objects.filter(user=user, product=product, at__gte=_midnight(product, now))
    shown = list(today.order_by("at", "pk").values_list("ref", flat=True))[-VOICES:]
    voices = ear.named(shown) if shown else []
    if len(voices) < VOICES:
        voices += ear.hear(VOICES - len(voices), {*seen_lately(user, product, now), *shown})
    waiting = waits_for(user, product, touch, now)
    solutions = tuple(solution.ref for solution, _ in touch.solutions.values())
    return Daily(
        _sentence(voices, waiting),
        touch.commits,
        solutions,
        tuple(voices),
        tuple(waiting[:MOST_WAITING]),
        max(0, len(waiting) - MOST_WAITING),
        "" if touch.commits else _hint(user, product),
    )


def read_daily(actor: Actor, product: Product, emails: Sequence[str] = ()) -> Daily:
    """The same, and remember that it was shown. `emails` are those of the reader's own clone: their commits carry them."""
    require(actor, product, Role.VIEWER)
    user = person_of(actor)
    if emails:
        remember_emails(actor, product, user, emails)
    found = todays(user, product)
    mark_shown(user, product, [voice.ref for voice in found.voices])
    return found


def show_others(actor: Actor, product: Product) -> None:
    """Enough of these: they count as read, and the next ones come."""
    require(actor, product, Role.VIEWER)
    user = person_of(actor)
    refs = [voice.ref for voice in todays(user, product).voices]
    mark_shown(user, product, refs)
    day_start = _midnight(product, timezone.now())  # as if read yesterday: today's three are others
    Shown.objects.filter(user=user, product=product, ref__in=refs).update(at=day_start - timedelta(seconds=1))


@transaction.atomic
def mark_shown(user: User, product: Product, refs: Sequence[str]) -> None:
    """Reading is no act on the product, so it leaves no trace in its activity; what is older than a month is forgotten."""
    now = timezone.now()
    known = set(Shown.objects.filter(user=user, product=product, ref__in=refs).values_list("ref", flat=True))
    old = Shown.objects.filter(user=user, product=product, at__lte=now - REMEMBER)
    old.filter(ref__in=refs).update(at=now)
    Shown.objects.bulk_create(
        [Shown(user=user, product=product, ref=ref, at=now) for ref in refs if ref not in known], ignore_conflicts=True
    )
    old.exclude(ref__in=refs).delete()


@transaction.atomic
def remember_emails(actor: Actor, product: Product, user: User, emails: Sequence[str]) -> Reader:
    """Addresses under which this person commits; they widen whom they hear of, and nothing else."""
    reader = reader_of(user, product)
    told = [email.strip().lower() for email in emails if email.strip()]
    if any(len(email) > 200 or "\0" in email or " " in email for email in told):
        raise Invalid(
            "A commit's e-mail address has at most 200 characters and no spaces. Look at: git config user.email"
        )
    fresh = [email for email in dict.fromkeys(told) if email not in {user.email.lower(), *reader.emails}]
    if not fresh:
        return reader
    require_writing(actor)
    if len(reader.emails) + len(fresh) > MOST_EMAILS:
        raise Invalid(f"{MOST_EMAILS} addresses are enough. Remove one under Your mail.")
    reader.emails = [*reader.emails, *fresh]
    reader.save(update_fields=["emails"])
    record(actor, product, "remember_emails", reader, after={"addresses": len(reader.emails)}, undoable=False)
    return reader


def waits_for(user: User, product: Product, touch: Touch, now: datetime) -> list[Waiting]:
    """Reviews that are due, guardrails that broke, challenges and questions, on solutions a person owns or works on."""
    owned = Solution.objects.filter(product=product, owner=user, closed_at=None)
    mine = {one.pk: one for one in owned.select_related("product")}
    mine |= {pk: solution for pk, (solution, _) in touch.solutions.items()}
    if not mine:
        return []
    return [
        *_broken(product, mine),
        *_reviews(product, mine, now),
        *_debts(product, mine),
        *_asked(user, product, mine),
    ]


def _reviews(product: Product, mine: dict[int, Solution], now: datetime) -> list[Waiting]:
    due = due_reviews(product, now).filter(hypothesis__solution__in=mine)
    return [
        Waiting(
            "review", one.ref, f"What “{one.hypothesis.solution.title}” did wants your verdict.", one.url, one.due_at
        )
        for one in due
    ]


def _debts(product: Product, mine: dict[int, Solution]) -> list[Waiting]:
    return [
        Waiting("debt", one.ref, f"{one.text} ({one.due_reason})", f"{url_of(one.solution)}#debts", one.due_at)
        for one in due_debts(product).filter(solution__in=mine)
        if one.due_at is not None
    ]


def _broken(product: Product, mine: dict[int, Solution]) -> list[Waiting]:
    found = []
    for review in open_reviews(product).filter(hypothesis__solution__in=mine):
        result = last_result(review)
        broken = [rail.contrast.metric_name for rail in result.guardrails if rail.verdict == "harmed"] if result else []
        if result and broken:
            names = ", ".join(f"“{name}”" for name in broken)
            text = f"“{review.hypothesis.solution.title}” harms {names}."
            found.append(Waiting("guard", review.ref, text, review.url, result.as_of))
    return found


def _asked(user: User, product: Product, mine: dict[int, Solution]) -> list[Waiting]:
    """Challenges first; one's own challenge waits for others."""
    below = Q(node_kind="SOL", node_id__in=list(mine))
    below |= Q(node_kind="HYP", node_id__in=Hypothesis.objects.filter(solution__in=mine).values("pk"))
    below |= Q(node_kind="ASM", node_id__in=Assumption.objects.filter(solution__in=mine).values("pk"))
    notes = Note.objects.filter(below, product=product, kind__in=ASKING, answered_at=None).select_related("product")
    notes = notes.exclude(kind=NoteKind.CHALLENGE, author=user).order_by("kind", "created_at", "pk")
    nodes = nodes_behind(notes)
    shown = [(note, nodes[note.node_kind, note.node_id]) for note in notes if (note.node_kind, note.node_id) in nodes]
    asked = [_of_note(note, node, note.text) for note, node in shown if note.text not in QUESTIONS.values()]
    return [*asked, *_left_open([pair for pair in shown if pair[0].text in QUESTIONS.values()])]


def _of_note(note: Note, node: Node, text: str) -> Waiting:
    return Waiting(note.kind, node.ref, text, f"{url_of(node)}#note-{note.pk}", note.created_at)


def _left_open(notes: Sequence[tuple[Note, Node]]) -> list[Waiting]:
    """The questions of `start` that were skipped: one thing a solution, however many."""
    by_node: dict[str, list[tuple[Note, Node]]] = {}
    for note, node in notes:
        by_node.setdefault(node.ref, []).append((note, node))
    return [_of_note(*pairs[0], " ".join(note.text for note, _ in pairs)) for pairs in by_node.values()]


def _sentence(voices: Sequence[Heard], waiting: Sequence[Waiting]) -> str:
    people = {0: "", 1: "One person speaks."}.get(len(voices), f"{_word(len(voices))} people speak.")
    things = {0: "", 1: "One thing waits for you."}.get(len(waiting), f"{_word(len(waiting))} things wait for you.")
    return " ".join(filter(None, (people, things))) or "Nobody new spoke, and nothing waits for you."


def _word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if count < len(words) else f"{count:,}"


def _hint(user: User, product: Product) -> str:
    newest = Commit.objects.filter(repository__product=product).order_by("-authored_at").first()
    if newest is None:
        return "No clone is read in here yet. Go into yours: whytree init"
    written = newest.authored_at
    return (
        f"No commit of the last 30 days is yours (looked for {user.email} and what your clone told); the newest read in is "
        f"of {written.day} {written:%b %Y}. Read in what is newer, from inside your clone: whytree repository sync"
    )


def _midnight(product: Product, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(product.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)


def person_of(actor: Actor) -> User:
    user = User.objects.filter(pk=actor.user_id or 0).first()
    if user is None:
        raise Invalid("A server key is nobody's: ask with a personal token.")
    return user
