"""Hanging a node under another one."""

from typing import Any

from whytree.tree import services
from whytree.workspace.models import Activity

from .conftest import Garden


def test_it_moves_across_parents_and_kinds(api: Any, garden: Garden, actor: Any, product: Any) -> None:
    services.create_opportunity(actor, product, title="Signing up takes too long")
    assert api.post("/products/sprout/nodes/OPP-1/move", {"parent": "OPP-2"}).ok["parent"] == "OPP-2"
    assert api.post("/products/sprout/nodes/OPP-1/move", {"parent": "OUT-1"}).ok["parent"] == "OUT-1"
    assert api.post("/products/sprout/nodes/OPP-1/move", {"parent": None}).ok["parent"] is None
    assert Activity.objects.filter(verb="move_node").count() == 3


def test_it_refuses_a_circle(api: Any, garden: Garden, actor: Any, product: Any) -> None:
    middle = services.create_opportunity(actor, product, parent=garden.opportunity, title="middle")
    services.create_opportunity(actor, product, parent=middle, title="low")
    for below in ("OPP-1", "OPP-2", "OPP-3"):
        answer = api.post("/products/sprout/nodes/OPP-1/move", {"parent": below})
        assert answer.status == 409, below
        assert "stands below it" in answer.body["message"]
    services.create_outcome(actor, product, title="lower", parent=garden.outcome)
    assert api.post("/products/sprout/nodes/OUT-1/move", {"parent": "OUT-2"}).status == 409


def test_it_refuses_places_where_a_kind_does_not_stand(api: Any, garden: Garden) -> None:
    for ref, parent in (
        ("SOL-1", "OUT-1"),
        ("OUT-1", "OPP-1"),
        ("ASM-1", None),
        ("TST-1", "SOL-1"),
        ("HYP-1", "OPP-1"),
    ):
        assert api.post(f"/products/sprout/nodes/{ref}/move", {"parent": parent}).status == 400, (ref, parent)


def test_moving_to_where_it_stands_changes_nothing(api: Any, garden: Garden) -> None:
    assert api.post("/products/sprout/nodes/OPP-1/move", {"parent": "OUT-1"}).ok
    assert not Activity.objects.filter(verb="move_node").exists()


def test_it_cannot_move_under_a_node_of_another_product(
    api_charlie: Any, api: Any, garden: Garden, other_product: Any
) -> None:
    api_charlie.post("/products/elsewhere/outcomes", {"title": "theirs"})
    api_charlie.post("/products/elsewhere/outcomes", {"title": "theirs too"})
    assert api.post("/products/sprout/nodes/OPP-1/move", {"parent": "OUT-2"}).status == 404
