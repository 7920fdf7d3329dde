"""How much of a repository can say whom it was for, with nothing but its history and its tickets' words.

A line is *told* when its commit leads to a node of the tree, or to a ticket whose author's words are known. It is
*named* when the commit names a ticket of which nothing but the number is known, and *requested* when it leads nowhere
but came with a pull request that no tracker was asked about.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeVar

from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum

from whytree.code.models import Commit, PullRequest, Repository, Ticket
from whytree.code.queries import facts_of_many
from whytree.engines.links.rules import Candidate, find_link, is_looked_through, ticket_candidates
from whytree.engines.texts.issues import is_machine
from whytree.tree.services.drafts import PROPOSE_DRAFTS
from whytree.workspace.models import Activity, Product

from ..answering.linking import Resolver

End = Literal["node", "voice", "ticket", "unknown", "maintenance", ""]


@dataclass(frozen=True)
class Way:
    """Where a commit leads, and by which rule: to a node, to somebody's words, to a bare ticket, to an id that is not
    in the tree ("unknown"), or nowhere."""

    commit: Commit
    end: End = ""
    rule: str = ""
    ticket: Ticket | None = None
    refs: tuple[str, ...] = ()
    via: Candidate | None = None


@dataclass(frozen=True)
class Heard:
    """Surviving lines (commits, where no line was read) by how far they lead. Counted at the last reading."""

    repository: str = ""
    commits: int = 0
    lines: int = 0
    told_lines: int = 0
    named_lines: int = 0
    requested_lines: int = 0
    maintenance_lines: int = 0
    unknown_lines: int = 0
    told_commits: int = 0
    named_commits: int = 0
    requested_commits: int = 0
    unknown_commits: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the lines; of the commits where no line was read."""
        told, all_of_them = (self.told_lines, self.lines) if self.lines else (self.told_commits, self.commits)
        return told / all_of_them if all_of_them else 0.0


class TicketBook:
    """All tickets of a product by key, for many questions at once; answers as `code.queries.find_ticket` does."""

    def __init__(self, product: Product) -> None:
        self._by_key: dict[str, list[Ticket]] = {}
        rows = Ticket.objects.filter(product=product)
        for ticket in rows.only("key", "tracker", "title", "author", "url", "product_id").iterator():
            self._by_key.setdefault(ticket.key, []).append(ticket)

    def find(self, candidate: Candidate, tracker: str) -> Ticket | None:
        ref = candidate.ticket
        rows = self._by_key.get(candidate.key, [])
        if ref is None or not rows:
            return None
        wanted = ref.tracker or (tracker if ref.key[0] in "#!" else "")
        exact = next((row for row in rows if row.tracker == wanted), None)
        if exact is not None or ref.tracker:
            return exact
        others = rows if not wanted else [row for row in rows if not row.tracker]
        return others[0] if len(others) == 1 else None


def ways_of(product: Product, commits: Iterable[Commit]) -> Iterator[Way]:
    """Where each commit leads, by the rules of `why`."""
    book, resolver = TicketBook(product), Resolver(product).for_many()
    by_tracker: dict[str, Resolver] = {}
    for commit, facts in facts_of_many(commits):
        tracker = commit.repository.tracker
        finding = find_link(facts, by_tracker.setdefault(tracker, resolver.at(tracker)))
        if finding.link:
            found = finding.link
            yield Way(commit, "node", found.rule, book.find(found.via, tracker), found.refs, found.via)
            continue
        named = ((one, book.find(one, tracker)) for one in ticket_candidates(facts))
        via, ticket = next(((one, row) for one, row in named if row), (None, None))
        if via is None or ticket is None:
            silent: End = "maintenance" if is_looked_through(facts) else ""
            yield Way(commit, "unknown" if finding.unknown else silent)
        else:
            yield Way(commit, "voice" if speaks(ticket) else "ticket", via.rule, ticket, via=via)


def speaks(ticket: Ticket) -> bool:
    """Whether somebody's words are known of it: a title at least, and neither a machine's nor the team's own."""
    return bool(ticket.title) and not is_machine(ticket.author) and not ticket.author_is_staff


def heard(repository: Repository) -> Heard:
    """Counted once after each change of the product, then remembered."""
    return once_a_change("heard", repository, _count)


Answer = TypeVar("Answer")


def once_a_change(what: str, repository: Repository, find: Callable[[Repository], Answer], but: str = "") -> Answer:
    """What `find` says, remembered until somebody changes something in the product, but by the verb `but`."""
    acts = Activity.objects.filter(product=repository.product_id).exclude(verb=but)
    latest = acts.order_by("-pk").values_list("pk", flat=True).first()
    key = f"{what}:{repository.pk}:{latest}"
    known: Answer | None = cache.get(key)
    if known is None:
        known = find(repository)
        cache.set(key, known, timeout=24 * 3600)
    return known


class Led(NamedTuple):
    """What is worth keeping of a commit's way: its lines, where it leads, and what it was for."""

    commit: int
    lines: int
    end: End
    rule: str
    ticket: int | None
    request: str
    by_machine: bool


def led(repository: Repository) -> tuple[Led, ...]:
    """Of every commit that names anything. A draft leads nowhere, so proposing some changes none of it."""
    return once_a_change("led", repository, _follow, but=PROPOSE_DRAFTS)


def _follow(repository: Repository) -> tuple[Led, ...]:
    return tuple(
        Led(
            way.commit.pk,
            way.commit.lines,
            way.end,
            way.rule,
            way.ticket.pk if way.ticket else None,
            way.commit.pr_number,
            way.commit.author_name.endswith("[bot]"),
        )
        for way in ways_of(repository.product, keyed_commits(repository))
    )


def _count(repository: Repository) -> Heard:
    lines: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    for one in led(repository):
        end = "told" if one.end in {"node", "voice"} else one.end
        lines[end] += one.lines
        counts[end] += 1
        if end == "told":
            by_rule[one.rule] += one.lines
    own = Commit.objects.filter(repository=repository)
    total = own.aggregate(total=Sum("lines"))["total"] or 0
    requested_commits, requested_lines = _requested(repository)
    found = Heard(repository=repository.name, commits=own.count(), lines=total)
    return replace(
        found,
        told_lines=lines["told"],
        named_lines=lines["ticket"],
        requested_lines=requested_lines,
        maintenance_lines=lines["maintenance"],
        unknown_lines=lines["unknown"],
        told_commits=counts["told"],
        named_commits=counts["ticket"],
        requested_commits=requested_commits,
        unknown_commits=counts["unknown"],
        by_rule={rule: number for rule, number in by_rule.most_common() if number},
    )


def _requested(repository: Repository) -> tuple[int, int]:
    """Commits, and their lines, that lead nowhere but came with a request whose words were never read."""
    whole = came_unread(repository).aggregate(commits=Count("pk"), lines=Sum("lines"))
    known = set(_read_requests(repository).values_list("key", flat=True))
    ended = [one.lines for one in led(repository) if one.end and one.request and one.request not in known]
    return whole["commits"] - len(ended), (whole["lines"] or 0) - sum(ended)


def came_unread(repository: Repository) -> QuerySet[Commit]:
    """Commits that came with a request whose words were never read."""
    own = Commit.objects.filter(repository=repository)
    return own.exclude(pr_number="").exclude(pr_number__in=_read_requests(repository).values("key"))


def _read_requests(repository: Repository) -> QuerySet[PullRequest]:
    return PullRequest.objects.filter(product=repository.product_id, tracker=repository.tracker)


def keyed_commits(repository: Repository, most: int | None = None) -> list[Commit]:
    """Commits that name anything at all, or say they are maintenance, those of most lines first; others lead nowhere."""
    own = Commit.objects.filter(repository=repository).select_related("repository")
    named = own.filter(pk__in=own.filter(keys__isnull=False).values("pk"))
    return list((named | own.filter(is_maintenance=True)).defer("files", "parents").order_by("-lines", "-pk")[:most])
