"""Adding nodes, through the API."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from whytree.tree.models import Opportunity, Outcome
from whytree.workspace.models import Activity

from .conftest import Garden


def test_it_numbers_nodes_by_kind_and_product(api: Any) -> None:
    first = api.post("/products/sprout/outcomes", {"title": "Activated in 7 days", "baseline": 31.2}).ok
    second = api.post("/products/sprout/outcomes", {"title": "Harvests twice", "parent": first["ref"]}).ok
    problem = api.post("/products/sprout/opportunities", {"title": "I wanted to look first", "parent": "OUT-2"}).ok
    assert [first["ref"], second["ref"], problem["ref"]] == ["OUT-1", "OUT-2", "OPP-1"]
    assert (second["parent"], problem["parent"]) == ("OUT-1", "OUT-2")


def test_every_kind_can_be_added_listed_read_and_edited(api: Any) -> None:
    forecast = {"metric_key": "m", "forecast_low": 1, "forecast_likely": 2, "forecast_high": 3}
    bodies = {
        "outcomes": {"title": "o"},
        "opportunities": {"title": "p", "parent": "OUT-1"},
        "solutions": {"title": "s", "parent": "OPP-1"},
        "hypotheses": {"parent": "SOL-1", "change": "later", **forecast},
        "assumptions": {"title": "a", "parent": "SOL-1"},
        "tests": {"title": "t", "parent": "ASM-1"},
    }
    for plural, body in bodies.items():
        made = api.post(f"/products/sprout/{plural}", body)
        assert made.status == 201, made.body
        path = f"/products/sprout/{plural}/{made.body['ref']}"
        assert api.patch(path, {"title": "another"}).ok["title"] == "another"
        assert api.get(path).ok["title"] == "another"
        assert [node["ref"] for node in api.get(f"/products/sprout/{plural}").ok] == [made.body["ref"]]


def test_it_records_who_added_what(api: Any, alice: Any, garden: Garden) -> None:
    act = Activity.objects.get(verb="create_outcome")
    assert (act.user, act.subject_label, act.before) == (alice, "OUT-1", None)
    assert act.after["title"] == "Activated in 7 days"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "x", "outcome_type": "wish"}, "outcome_type"),
        ({"title": "x", "titel": "y"}, "titel"),
        ({"title": "x", "due": "soon"}, "due"),
        ({"title": "nul \x00 byte"}, "title"),
        ({"title": "x", "description": "y" * 20_001}, "description"),
        ({"title": "x", "counter_metric_keys": [""]}, "counter_metric_keys"),
    ],
)
def test_it_names_the_field_that_is_wrong(api: Any, body: dict[str, Any], field: str) -> None:
    answer = api.post("/products/sprout/outcomes", body)
    assert answer.status == 400
    assert any(problem["field"] == field for problem in answer.body["details"]["fields"])
    assert not Outcome.objects.exists()


def test_it_refuses_a_parent_of_the_wrong_kind(api: Any, garden: Garden) -> None:
    answer = api.post("/products/sprout/opportunities", {"title": "x", "parent": "SOL-1"})
    assert answer.status == 400
    assert "stands under an outcome or an opportunity" in answer.body["message"]
    assert api.post("/products/sprout/solutions", {"title": "x", "parent": "OUT-1"}).status == 404


def test_it_refuses_to_add_below_a_closed_node(api: Any, garden: Garden) -> None:
    api.post("/products/sprout/nodes/OPP-1/close", {"reason": "nobody has it", "with_children": True})
    answer = api.post("/products/sprout/solutions", {"title": "x", "parent": "OPP-1"})
    assert answer.status == 409
    assert "Reopen it first" in answer.body["message"]


def test_an_owner_has_to_be_a_member(api: Any, bob: Any, charlie: Any) -> None:
    assert api.post("/products/sprout/outcomes", {"title": "x", "owner": "bob@example.org"}).ok["owner"] == bob.email
    answer = api.post("/products/sprout/outcomes", {"title": "x", "owner": "charlie@example.org"})
    assert answer.status == 400
    assert "not a member" in answer.body["message"]


def test_a_viewer_reads_and_may_not_write(api_viewer: Any, garden: Garden) -> None:
    assert api_viewer.get("/products/sprout/outcomes").status == 200
    assert api_viewer.post("/products/sprout/outcomes", {"title": "x"}).status == 403
    assert api_viewer.patch("/products/sprout/outcomes/OUT-1", {"title": "x"}).status == 403
    assert api_viewer.post("/products/sprout/nodes/OUT-1/close", {"reason": "x"}).status == 403


def test_another_product_does_not_exist(api_charlie: Any, garden: Garden, other_product: Any) -> None:
    assert api_charlie.get("/products/sprout/outcomes").status == 404
    assert api_charlie.post("/products/sprout/outcomes", {"title": "x"}).status == 404
    # nor do its nodes from inside one's own product
    assert api_charlie.get("/products/elsewhere/outcomes/OUT-1").status == 404
    assert api_charlie.post("/products/elsewhere/solutions", {"title": "x", "parent": "OPP-1"}).status == 404


def test_the_database_itself_refuses_two_parents_and_a_node_under_itself(garden: Garden) -> None:
    for wrong in ({"parent_id": garden.opportunity.pk}, {"parent_id": 0, "outcome_id": garden.outcome.pk}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Opportunity.objects.filter(pk=garden.opportunity.pk).update(**wrong)
