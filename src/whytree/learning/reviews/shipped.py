"""What else went out and broke in a time: beside a review, and beside a guard that broke."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from whytree.code.delivery.queries import deployments_between, incidents_between
from whytree.code.models import Deployment, Incident
from whytree.workspace.models import Product

MOST = 6


@dataclass(frozen=True)
class Shipped:
    """The latest of each; `count` is of all deployments."""

    deployments: Sequence[Deployment]
    count: int
    incidents: Sequence[Incident]

    @property
    def more(self) -> int:
        return self.count - len(self.deployments)

    def lines(self) -> list[str]:
        """In words, for the API and the command line."""
        broke = [
            f"{one.began_at:%Y-%m-%d}: {one.key} {one.title} ({one.get_status_display()})" for one in self.incidents
        ]
        out = [f"{one.finished_at:%Y-%m-%d}: {one.label} went out" for one in self.deployments]
        return [*broke, *out, *([f"and {self.more} more went out"] if self.more else [])]


def shipped_between(product: Product, start: datetime, end: datetime) -> Shipped:
    deployments = deployments_between(product, start, end)
    incidents = incidents_between(product, start, end)
    return Shipped(list(deployments[:MOST]), deployments.count(), list(incidents[:MOST]))
