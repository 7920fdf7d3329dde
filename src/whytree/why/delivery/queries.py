"""Deployments, the commits each brought and whom they were for, and the incidents after."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from whytree.code.delivery.queries import Tied, first_known, list_deployments, tied
from whytree.code.models import Commit, Deployment, Incident
from whytree.errors import NotFound
from whytree.tree.queries import find_node
from whytree.workspace.models import Product

from ..answering.hops import url_of
from ..answering.linking import links_of
from ..queries import page_of

MOST_COMMITS = 50


@dataclass(frozen=True)
class ShippedCommit:
    sha: str
    subject: str
    authored_at: datetime
    url: str


@dataclass(frozen=True)
class ShippedFor:
    """A node that commits of a deployment are for, and how many."""

    ref: str
    title: str
    url: str
    commits: int


@dataclass(frozen=True)
class Shipment:
    """A deployment and all there is to say of it. `is_first`: knowledge begins with it, so what it brought is not told."""

    deployment: Deployment
    is_first: bool
    commit_count: int
    commits: Sequence[ShippedCommit]
    shipped_for: Sequence[ShippedFor]
    incidents: Sequence[Tied]


def shipments(product: Product, *, limit: int, environment: str = "") -> list[Shipment]:
    """The newest first."""
    rows: list[Any] = list(list_deployments(product, environment=environment)[:limit])
    first = first_known(product)
    brought = _brought([row.pk for row in rows if row.pk not in first])
    nodes = _Nodes(product)
    linked = {
        pk: one.refs
        for repository in {row.repository for row in rows}
        if repository
        for pk, one in links_of(repository).items()
    }
    broke = defaultdict[int, list[Tied]](list)
    if rows:
        for one in tied(Incident.objects.filter(product=product, began_at__gte=min(row.started_at for row in rows))):
            broke[one.deployment.pk if one.deployment else 0].append(one)
    return [
        Shipment(
            row,
            row.pk in first,
            row.commit_count,
            [
                ShippedCommit(one.sha, one.subject, one.authored_at, page_of(product, one.sha))
                for one in brought[row.pk][:MOST_COMMITS]
            ],
            nodes.of(brought[row.pk], linked),
            broke[row.pk],
        )
        for row in rows
    ]


def _brought(deployments: Sequence[int]) -> dict[int, list[Commit]]:
    found = defaultdict[int, list[Commit]](list)
    commits = Commit.objects.filter(deployment__in=deployments)
    for commit in commits.only("sha", "subject", "authored_at", "deployment").order_by("-authored_at", "-pk"):
        found[commit.deployment_id or 0].append(commit)
    return found


class _Nodes:
    """Titles of nodes, each asked for once."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._known: dict[str, tuple[str, str] | None] = {}

    def of(self, commits: Sequence[Commit], linked: Mapping[int, Sequence[str]]) -> list[ShippedFor]:
        counts = Counter(ref for commit in commits for ref in linked.get(commit.pk, ()))
        found = [(ref, number, self._named(ref)) for ref, number in counts.most_common()]
        return [ShippedFor(ref, named[0], named[1], number) for ref, number, named in found if named]

    def _named(self, ref: str) -> tuple[str, str] | None:
        if ref not in self._known:
            try:
                node = find_node(self._product, ref)
                self._known[ref] = (node.title, url_of(node))
            except NotFound:
                self._known[ref] = None
        return self._known[ref]
