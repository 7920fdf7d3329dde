"""From a commit's keys to nodes of this product's tree: what the link rules ask when they run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Q

from whytree.code.models import Commit, CommitKey, Repository
from whytree.code.queries import facts_of_many
from whytree.engines.links.rules import Candidate, Finding, find_link
from whytree.engines.links.tickets import TicketRef, titles_agree
from whytree.errors import NotFound
from whytree.flags.models import Flag
from whytree.tree.models import Node, Solution, TicketLink
from whytree.tree.queries import find_node, nodes_behind, path_of
from whytree.workspace.models import Activity, Product

# Keeping a point of coverage changes no answer.
KEEP_COVERAGE = "keep_coverage"
KEPT_SECONDS = 3600


class Resolver:
    """What a candidate key stands for in this product. Asks the database once per key.

    Everything that belongs to a solution (its hypotheses, assumptions, tests, flags) stands for the solution.
    """

    def __init__(self, product: Product, tracker: str = "") -> None:
        self._product = product
        self._tracker = tracker
        self._nodes: dict[str, tuple[str, ...]] = {}
        self._flags: dict[str, tuple[str, ...]] = {}
        self._tickets: dict[str, list[TicketLink]] = {}
        self._lone: bool | None = None
        self._has_all_tickets = False

    def for_many(self) -> "Resolver":
        """Ask for the ties of all tickets at once, where many commits are to be linked."""
        rows = TicketLink.objects.filter(product=self._product).select_related("ticket", "product")
        for row in rows:
            self._tickets.setdefault(row.ticket.key, []).append(row)
        self._has_all_tickets = True
        return self

    def __call__(self, candidate: Candidate) -> Sequence[str]:
        if candidate.kind == "node":
            return self._node(candidate.key)
        return self._flag(candidate.key) if candidate.kind == "flag" else self._ticket(candidate)

    def at(self, tracker: str) -> "Resolver":
        """The same, where bare ticket numbers are those of `tracker`."""
        other = Resolver(self._product, tracker)
        other._nodes, other._flags, other._tickets = self._nodes, self._flags, self._tickets
        other._lone, other._has_all_tickets = self._lone, self._has_all_tickets
        return other

    def _node(self, ref: str) -> tuple[str, ...]:
        if ref not in self._nodes:
            try:
                self._nodes[ref] = (hub_of(find_node(self._product, ref)).ref,)
            except NotFound:
                self._nodes[ref] = ()
        return self._nodes[ref]

    def _flag(self, key: str) -> tuple[str, ...]:
        if key not in self._flags:
            flag = (
                Flag.objects.filter(product=self._product, key=key)
                .select_related("solution", "hypothesis__solution")
                .first()
            )
            solution = flag and (flag.solution or (flag.hypothesis.solution if flag.hypothesis else None))
            self._flags[key] = (solution.ref,) if solution else ()
        return self._flags[key]

    def _ticket(self, candidate: Candidate) -> tuple[str, ...]:
        wanted = candidate.ticket or TicketRef(candidate.key)
        if candidate.key not in self._tickets and self._has_all_tickets:
            return ()
        if candidate.key not in self._tickets:
            rows = TicketLink.objects.filter(product=self._product, ticket__key=candidate.key)
            self._tickets[candidate.key] = list(rows.select_related("ticket", "product"))
        links = [
            link
            for link in self._tickets[candidate.key]
            if self._is_meant(wanted, link.ticket.tracker)
            and (not candidate.title_words or titles_agree(candidate.title_words, link.ticket.title))
        ]
        return tuple(dict.fromkeys(hub_of(node).ref for node in nodes_behind(links).values()))

    def _is_meant(self, wanted: TicketRef, tracker: str) -> bool:
        """Whose ticket 12 is #12? The commit's own repository's; one of no known tracker only while there is but one."""
        if wanted.tracker or wanted.key[0] not in "#!":
            return tracker == wanted.tracker
        if self._lone is None:
            self._lone = Repository.objects.filter(product=self._product).count() < 2
        return tracker == self._tracker if tracker else self._lone


def hub_of(node: Node) -> Node:
    """The solution a node belongs to; an opportunity or an outcome is its own."""
    return next((above for above in path_of(node) if isinstance(above, Solution)), node)


def findings_of(product: Product, commits: Iterable[Commit]) -> dict[int, Finding]:
    """The rules' answer for many commits, by primary key."""
    resolver = Resolver(product).for_many()
    by_tracker: dict[str, Resolver] = defaultdict(lambda: resolver)
    found = {}
    for commit, facts in facts_of_many(commits):
        tracker = commit.repository.tracker
        if tracker not in by_tracker:
            by_tracker[tracker] = resolver.at(tracker)
        found[commit.pk] = find_link(facts, by_tracker[tracker])
    return found


@dataclass(frozen=True, slots=True)
class Linked:
    """Where the rules lead a commit."""

    rule: str
    refs: tuple[str, ...]


def links_of(repository: Repository) -> dict[int, Linked]:
    """All commits of a repository that lead anywhere, by primary key. Read once for every act in the product."""
    key = f"links:{repository.pk}:{last_act(repository.product)}"
    known: dict[int, Linked] | None = cache.get(key)
    if known is None:
        commits = repository.commits.filter(may_be_linked(repository.product)).distinct().select_related("repository")
        found = findings_of(repository.product, commits)
        known = {pk: Linked(one.link.rule, one.link.refs) for pk, one in found.items() if one.link}
        cache.set(key, known, KEPT_SECONDS)
    return known


def last_act(product: Product) -> int:
    """Whatever changes anything in a product writes an activity: the last one says whether an answer can be different."""
    acts = Activity.objects.filter(product=product).exclude(verb=KEEP_COVERAGE)
    return acts.order_by("-pk").values_list("pk", flat=True).first() or 0


def may_be_linked(product: Product) -> Q:
    """Commits worth running the rules on: those that name a node, or a ticket or flag that leads anywhere."""
    tickets = TicketLink.objects.filter(product=product).values("ticket__key")
    flags = Flag.objects.filter(product=product).exclude(solution=None, hypothesis=None).values("key")
    kind = CommitKey.Kind
    return (
        Q(keys__kind=kind.NODE)
        | Q(keys__kind=kind.TICKET, keys__key__in=tickets)
        | Q(keys__kind=kind.FLAG, keys__key__in=flags)
    )
