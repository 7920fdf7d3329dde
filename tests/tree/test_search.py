"""Nodes are found in the box Why ..."""

from typing import Any

import pytest

from whytree.tree import services
from whytree.tree.plugs import search_nodes

from .conftest import Garden


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sol-1", ["SOL-1"]),
        ("SOL-9", []),
        ("defer phone", ["SOL-1"]),
        ("PHONE", ["SOL-1", "OPP-1", "HYP-1"]),
        ("activàted", ["OUT-1"]),
        ("zebra", []),
        ("", []),
    ],
)
def test_by_id_or_by_words(garden: Garden, actor: Any, product: Any, words: str, found: list[str]) -> None:
    hits = search_nodes(actor, product, words, 10)
    assert sorted(hit.label for hit in hits) == sorted(found)
    assert all(hit.url == f"/p/sprout/{hit.label}" for hit in hits)


def test_open_nodes_come_before_closed_ones(garden: Garden, actor: Any, product: Any) -> None:
    services.close_node(actor, garden.solution, reason="x", with_children=True)
    services.create_solution(actor, product, title="Defer phone again")
    assert [hit.label for hit in search_nodes(actor, product, "defer", 10)] == ["SOL-2", "SOL-1"]


def test_nothing_of_another_product_is_found(garden: Garden, actor: Any, other_product: Any) -> None:
    assert search_nodes(actor, other_product, "phone", 10) == []
