"""Tickets that lines were written for, and that lead to no solution: where somebody who has no tree yet can begin."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from whytree.code.models import Commit, Ticket
from whytree.engines.links.tickets import spelled
from whytree.workspace.models import Product

from .answer import MOST_NAMED, Named

_AT_ONCE = 500


def tickets_behind(
    product: Product, counted: Mapping[str, int], linked: Iterable[str]
) -> tuple[int, tuple[Named, ...]]:
    """Of these commits' lines those that name a ticket and lead nowhere: how many, and the tickets of most of them."""
    lines: Counter[tuple[str, str]] = Counter()
    at: dict[tuple[str, str], str] = {}
    shas = sorted(counted.keys() - set(linked))
    for start in range(0, len(shas), _AT_ONCE):
        rows = Commit.objects.filter(repository__product=product, sha__in=shas[start : start + _AT_ONCE])
        for sha, tickets, tracker in rows.exclude(tickets=[]).values_list("sha", "tickets", "repository__tracker"):
            first = (tickets[0]["tracker"], tickets[0]["key"])
            lines[first] += counted[sha]
            at[first] = tracker
    most = lines.most_common(MOST_NAMED)
    titles = defaultdict(str, _titles(product, [key for (_, key), _ in most]))
    named = tuple(
        Named(spelled(key, tracker, at[tracker, key]), titles[tracker, key], count) for (tracker, key), count in most
    )
    return lines.total(), named


def _titles(product: Product, keys: Iterable[str]) -> dict[tuple[str, str], str]:
    rows = Ticket.objects.filter(product=product, key__in=list(keys)).values_list("tracker", "key", "title")
    return {(tracker, key): title for tracker, key, title in rows}
