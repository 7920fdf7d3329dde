"""A small tree to lead to, and the clone of a team that leads there in every way."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.code.conftest import cli, clone  # noqa: F401  the same fixtures here


@dataclass(frozen=True)
class Tree:
    outcome: Any
    opportunity: Any
    defer: Any
    explain: Any


@pytest.fixture
def tree(actor: Any, product: Any) -> Tree:
    """OUT-1 > OPP-1 > SOL-1 (defer), SOL-2 (explain); one person's words on OPP-1."""
    from whytree.tree import services

    outcome = services.create_outcome(actor, product, title="Activated in 7 days", baseline=31.2, target=40.0)
    words = "I don't know why you need my phone number"
    opportunity = services.create_opportunity(actor, product, outcome=outcome, title=words)
    defer = services.create_solution(actor, product, opportunity=opportunity, title="Defer phone number")
    explain = services.create_solution(actor, product, opportunity=opportunity, title="Explain why we ask")
    services.link_evidence(
        actor,
        product,
        opportunity,
        quote="I closed it when it wanted my number.",
        source_kind="url",
        source_id="https://example.org/reviews/7",
        person_key="rk",
        evidence_type="anecdotal",
        importance=2,
        said_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    return Tree(outcome, opportunity, defer, explain)


def tie_tickets(actor: Any, product: Any, tree: Tree) -> None:
    """#412, ABC-12 and !9 lead to SOL-1, #77 (a pull request) to SOL-2, #500 to both; #9 nowhere."""
    from whytree.code.models import Ticket
    from whytree.tree.services import link_ticket

    tied = {
        "#412": [tree.defer],
        "ABC-12": [tree.defer],
        "!9": [tree.defer],
        "#77": [tree.explain],
        "#500": [tree.defer, tree.explain],
        "#9": [],
    }
    for key, nodes in tied.items():
        ticket = Ticket.objects.create(
            product=product, key=key, title=f"Ticket {key}", body="Words of its author.", author="tom"
        )
        for node in nodes:
            link_ticket(actor, node, ticket)
