"""The links worth asking a person about: those that explain many lines and are least sure."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.text import Truncator

from whytree.code.models import Commit, Repository, Ticket
from whytree.code.queries import find_commit
from whytree.code.services import answer_link
from whytree.engines.links.rules import STATED_RULES, Kind, LinkAnswer, score
from whytree.engines.texts.issues import spoken
from whytree.errors import NotFound
from whytree.tree.queries import find_node
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor

from .first_look import percent
from .heard import Way, heard, keyed_commits, ways_of

MOST_ASKED = 10
# The longest commits explain nearly everything; the tail is not worth a question.
_LOOKED_AT = 600
_WORDS = 280


@dataclass(frozen=True)
class Question:
    """Is this commit for that? `key` and `kind` are what the rule found; `share` of all lines hangs on it."""

    sha: str
    short: str
    subject: str
    author: str
    authored_at: datetime
    lines: int
    share: str
    rule: str
    score: float
    kind: str
    key: str
    tracker: str
    title: str
    words: str
    who: str
    url: str


def questions(
    repository: Repository, *, limit: int = MOST_ASKED, skipped: frozenset[str] = frozenset()
) -> list[Question]:
    """Open questions, those first whose answer matters most: lines times doubt. `skipped` holds commit ids."""
    commits = [commit for commit in keyed_commits(repository, _LOOKED_AT) if commit.lines]
    ways = [way for way in ways_of(repository.product, commits) if _is_open(way) and way.commit.sha not in skipped]
    ways.sort(key=_worth, reverse=True)
    total = heard(repository).lines
    return [_question(way, total) for way in ways[:limit]]


def _is_open(way: Way) -> bool:
    """Inferred, and about something a person can judge: it has a title."""
    if way.via is None or way.rule in STATED_RULES or not way.end:
        return False
    return bool(way.refs) or bool(way.ticket and way.ticket.title)


def _worth(way: Way) -> float:
    return way.commit.lines * (1 - (score(way.rule) or 0.0))


def _question(way: Way, total: int) -> Question:
    commit, via, ticket = way.commit, way.via, way.ticket
    if via is None:
        raise LookupError("a question is about something a rule found")
    node = find_node(commit.repository.product, way.refs[0]) if way.refs else None
    full = Ticket.objects.get(pk=ticket.pk) if ticket else None
    return Question(
        sha=commit.sha,
        short=commit.short,
        subject=commit.subject,
        author=commit.author_name,
        authored_at=commit.authored_at,
        lines=commit.lines,
        share=percent(commit.lines, total),
        rule=way.rule,
        score=score(way.rule) or 0.0,
        kind=via.kind,
        key=via.key,
        tracker=ticket.tracker if ticket else "",
        title=full.title if full and full.title else f"{node.ref} {node.title}" if node else "",
        words=Truncator(spoken(full.body)).chars(_WORDS) if full else "",
        who=full.author if full else "",
        url=full.url if full else "",
    )


def answer(actor: Actor, product: Product, sha: str, *, kind: str, key: str, tracker: str, right: bool) -> Commit:
    """Keep a person's yes or no."""
    kinds: dict[str, Kind] = {"ticket": "ticket", "flag": "flag", "node": "node"}
    if kind not in kinds:
        raise NotFound(f"{kind[:40]!r} is no kind of link: ticket, flag or node.")
    return answer_link(actor, find_commit(product, sha), LinkAnswer(kinds[kind], key, right, tracker))
