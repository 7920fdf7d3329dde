"""Definitions of other tools: looked at, brought in, again, and taken back, at every door."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from whytree.analytics.importing.services import import_definitions, undo_import
from whytree.analytics.models import Board, Cohort, DefinitionImport, Metric, SavedQuestion
from whytree.errors import Conflict, Forbidden
from whytree.workspace.entry.keys import actor_of_user

PATH = "/products/sprout/definition-imports"
OPENED = {"kind": "EventsNode", "event": "opened"}
INSIDE = {"key": "id", "value": 3, "type": "cohort", "operator": "in"}
INSIGHTS = {"results": [
    {"id": 1, "name": "Opened by loyal", "query": {"kind": "InsightVizNode", "source": {
        "kind": "TrendsQuery", "series": [OPENED | {"properties": [INSIDE]}], "interval": "week"}}},
    {"id": 2, "name": "SQL", "query": {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery"}}},
]}  # fmt: skip
COHORTS = {"results": [{"id": 3, "name": "Loyal folk!", "is_static": False, "filters": {"properties": {
    "type": "OR", "values": [{"type": "behavioral", "value": "performed_event", "key": "opened", "event_type": "events"}]}}}]}  # fmt: skip
METRIC = {"id": 9, "name": "Opened", "query": {"kind": "ExperimentMetric", "metric_type": "mean", "source": OPENED}}
DOCUMENTS: list[Any] = [INSIGHTS, COHORTS, [METRIC]]


@pytest.fixture(autouse=True)
def somebody_opened(happened: Any) -> None:
    happened(1, "opened")


def test_they_come_in_once_name_each_other_and_go_again(actor: Any, product: Any) -> None:
    tool, became, number = import_definitions(actor, product, DOCUMENTS)
    assert tool == "PostHog"
    assert {one.foreign: (one.what, one.ref) for one in became} == {
        "cohort 3": ("made", "loyal_folk"),
        "metric 9": ("made", "opened"),
        "insight 1": ("made", "ASK-1"),
        "insight 2": ("left out", ""),
    }
    where = SavedQuestion.objects.get().question["series"][0]["where"]
    assert where == [{"field": "cohort:loyal_folk", "operator": "is set"}]
    _, again, nothing = import_definitions(actor, product, DOCUMENTS)
    assert nothing is None
    assert {one.what for one in again} == {"known", "left out"}
    assert number is not None
    assert undo_import(actor, product, number) == []
    assert not (SavedQuestion.objects.exists())
    assert not (Metric.objects.exists())
    assert not Cohort.objects.exists()
    with pytest.raises(Conflict):
        undo_import(actor, product, number)
    assert import_definitions(actor, product, DOCUMENTS)[2] == number + 1


def test_a_dashboard_is_a_board_of_what_came_along(actor: Any, product: Any) -> None:
    whole = {"sm": {"x": 0, "y": 0, "w": 12, "h": 1}}
    tiles = [{"insight": one, "layouts": {}} for one in INSIGHTS["results"]]
    words = {"text": {"body": "Hi"}, "layouts": whole}
    dashboard = {"id": 8, "name": "Monday", "filters": {"date_from": "-7d"}, "tiles": [*tiles, words]}
    _, became, number = import_definitions(actor, product, [dashboard, COHORTS])
    made = {one.foreign: one for one in became}
    assert (made["dashboard 8"].what, made["dashboard 8"].sentence) == ("made", "a board of 2 cards")
    assert made["dashboard 8"].notes == ("Without “SQL”, which did not come along.",)
    board = Board.objects.get()
    assert (board.title, board.days, [str(card) for card in board.cards.all()]) == ("Monday", 7, ["Opened by loyal", "Hi"])  # fmt: skip
    assert import_definitions(actor, product, [dashboard, COHORTS])[2] is None
    assert number is not None
    assert undo_import(actor, product, number) == []
    assert not Board.objects.exists()
    assert not SavedQuestion.objects.exists()


def test_what_something_rests_on_stays(actor: Any, product: Any, api: Any) -> None:
    _, _, number = import_definitions(actor, product, DOCUMENTS)
    api.post("/products/sprout/outcomes", {"title": "Open more", "metric_key": "opened"})
    assert number is not None
    (stays,) = undo_import(actor, product, number)
    assert "rests on it" in stays
    assert Metric.objects.filter(key="opened").exists()


def test_looking_makes_nothing_and_names_that_are_taken_are_left_alone(api: Any, activated: Any) -> None:
    found = api.post(PATH, {"documents": [[METRIC | {"name": "Activated 7d"}]], "dry_run": True}).ok
    assert (found["number"], found["definitions"][0]["ref"]) == (None, "activated_7d_2")
    assert found["definitions"][0]["sentence"] == "how often “opened” happened"
    assert not DefinitionImport.objects.exists()
    assert api.post(PATH, {"documents": [{"flags": []}]}).status == 400
    alone = api.post(PATH, {"documents": [INSIGHTS]}).ok["definitions"][0]
    assert (alone["what"], alone["notes"]) == (
        "left out",
        ["Left out: It names the cohort 3, which did not come along."],
    )
    unseen = {**METRIC, "query": {**METRIC["query"], "source": {"kind": "EventsNode", "event": "opend"}}}
    notes = api.post(PATH, {"documents": [[unseen]]}).ok["definitions"][0]["notes"]
    assert notes == ["No event “opend” has been seen yet. Did you mean “opened”?"]


def test_the_page_looks_first_then_brings_in_and_takes_back(as_alice: Any, product: Any) -> None:
    files = [SimpleUploadedFile(f"{n}.json", json.dumps(one).encode()) for n, one in enumerate(DOCUMENTS)]
    page = as_alice.post("/p/sprout/definitions", {"files": files})
    assert "3 of 4 definitions of PostHog can come along." in page.content.decode()
    assert as_alice.post("/p/sprout/definitions", {"text": page.context["text"], "apply": "1"}).status_code == 302
    assert Metric.objects.get().key == "opened"
    listed = as_alice.get("/p/sprout/definitions").content.decode()
    assert "3 of PostHog" in listed
    assert as_alice.post("/p/sprout/definitions/1/undo").status_code == 302
    assert "taken back" in as_alice.get("/p/sprout/definitions").content.decode()
    broken = as_alice.post("/p/sprout/definitions", {"files": [SimpleUploadedFile("x.json", b"{")]})
    assert broken.status_code == 400
    assert "x.json is no JSON" in broken.content.decode()


def test_viewers_and_strangers_may_not(product: Any, viewer: Any, as_charlie: Any) -> None:
    with pytest.raises(Forbidden):
        import_definitions(actor_of_user(viewer), product, DOCUMENTS)
    assert as_charlie.get("/p/sprout/definitions").status_code == 404
