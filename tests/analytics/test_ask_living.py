"""Lifecycle, stickiness and paths at all doors."""

from typing import Any

import pytest

ASK = "/products/sprout/ask"
LIFECYCLE = {"version": 1, "kind": "lifecycle", "event": "signed_up", "interval": "day"}
STICKINESS = {"version": 1, "kind": "stickiness", "event": "planted", "interval": "day"}
PATHS = {"version": 1, "kind": "paths", "from": "signed_up", "pause": "2d"}

pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


def test_states_add_up_and_name_their_people(api: Any) -> None:
    answer = api.post(ASK, {"question": LIFECYCLE}).ok
    assert sum(one["new"] for one in answer["stretches"]) == 6
    assert sum(one["dormant"] for one in answer["stretches"]) >= 5
    first = answer["stretches"][0]
    behind = api.post(ASK + "/people", {"question": LIFECYCLE, "part": {"start": first["start"], "did": "new"}}).ok
    assert behind["total"] == first["new"] == 5
    assert api.post(ASK + "/people", {"question": LIFECYCLE, "part": {"did": "new"}}).status == 400


def test_stickiness_counts_days(api: Any, happened: Any) -> None:
    happened(1, "planted", 3)
    happened(1, "planted", 5)
    bars = api.post(ASK, {"question": STICKINESS}).ok["bars"]
    assert [(bar["times"], bar["people"], bar["at_least"]) for bar in bars] == [(1, 3, 4), (2, 0, 1), (3, 1, 1)]
    behind = api.post(ASK + "/people", {"question": STICKINESS, "part": {"step": 3}}).ok
    assert behind["ids"] == ["1"]


def test_paths_count_ways_and_people(api: Any) -> None:
    answer = api.post(ASK, {"question": PATHS}).ok
    assert [(edge["source"], edge["target"], edge["ways"]) for edge in answer["edges"]] == [("signed_up", "planted", 4)]
    assert answer["sentence"].startswith("After “signed_up” people most often went on to “planted”: 66.7 % of 6 ways")
    back = api.post(ASK, {"question": {**PATHS, "from": "", "to": "planted"}}).ok
    assert back["backwards"]
    assert back["sentence"].startswith("Before “planted” people most often did “signed_up”")
    assert api.post(ASK + "/people", {"question": PATHS}).status == 400
    went = {"step": 1, "place": "signed_up", "then": "planted"}
    behind = api.post(ASK + "/people", {"question": PATHS, "part": went}).ok
    assert behind["total"] == answer["edges"][0]["people"] == len(behind["ids"])
    assert (behind["sentence"], behind["events"]) == ("did “signed_up” and then “planted”", ["signed_up", "planted"])
    ended = api.post(ASK + "/people", {"question": PATHS, "part": {**went, "then": ""}}).ok
    assert ended["total"] == answer["ways"] - answer["edges"][0]["ways"]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("lifecycle?event=signed_up&interval=day", "People by day"),
        ("stickiness?event=planted&interval=day&step=1", "did “planted” in 1 day"),
        ("paths?begin=signed_up&pause=2d", 'class="sankey"'),
        ("paths?go=1&pause=2d", "ways"),
        ("paths?begin=signed_up&pause=2d&step=1&place=signed_up&then=planted", "did “signed_up” and then “planted”"),
        ("paths", "Show all ways"),
        ("lifecycle", "Begin with what your product sends most"),
        ("lifecycle?event=signd_up", "Did you mean “signed_up”?"),
        ("paths?begin=signed_up&depth=99", "whole number from 1 to 10"),
    ],
)
def test_the_pages(as_viewer: Any, page: str, said: str) -> None:
    assert said in as_viewer.get(f"/p/sprout/ask/{page}").content.decode()


@pytest.mark.parametrize(
    ("question", "said"), [(LIFECYCLE, "Dormant"), (STICKINESS, "So many or more"), (PATHS, "Ways")]
)
def test_what_is_frozen_still_shows_its_figures(api: Any, as_viewer: Any, question: Any, said: str) -> None:
    node = api.post("/products/sprout/opportunities", {"title": "They leave", "kind": "pain_point"}).ok
    pinned = api.post(ASK + "/pin", {"question": question, "node": node["ref"]}).ok
    page = as_viewer.get(f"/p/sprout/{pinned['ref']}").content.decode()
    assert f">{said}</th>" in page


@pytest.mark.parametrize("form", ["csv", "svg", "png"])
@pytest.mark.parametrize(
    "query",
    [
        "lifecycle.{}?event=signed_up&interval=day",
        "stickiness.{}?event=planted",
        "paths.{}?begin=signed_up&pause=2d",
        "funnel.{}?event=signed_up&event=planted",
        "trends.{}?event=signed_up&interval=day",
        "retention.{}?event=signed_up&interval=day",
        "sessions.{}",
    ],
)
def test_each_can_be_taken_out_as_figures_and_as_a_picture(as_viewer: Any, query: str, form: str) -> None:
    answer = as_viewer.get(f"/p/sprout/ask/{query.format(form)}")
    assert answer.status_code == 200
    begins = {
        "csv": (b"start", b"times", b"place", b"group", b"series", b"began", b"of,"),
        "svg": (b"<svg",),
        "png": (b"\x89PNG",),
    }
    assert answer.content.startswith(begins[form])
    assert b"var(--" not in answer.content
    assert "attachment" in answer["Content-Disposition"]


def test_a_kept_one_leads_to_its_page(as_bob: Any, api: Any) -> None:
    for question in (LIFECYCLE, STICKINESS, PATHS):
        saved = api.post("/products/sprout/questions", {"question": question}).ok
        page = as_bob.get(f"/p/sprout/{saved['ref']}")
        assert as_bob.get(page.url).status_code == 200
