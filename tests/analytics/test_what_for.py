"""What can be made of an answer: an outcome, a struggle signal, evidence that is frozen, a cohort, a question kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest

QUESTION = {"version": 1, "kind": "funnel", "steps": ["signed_up", "planted"], "within": "7d"}
ASK = "/products/sprout/ask"
REPOSITORY, REV = "a" * 40, "b" * 40

pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


@pytest.fixture
def problem(actor: Any, product: Any) -> Any:
    from whytree.tree.services import create_opportunity

    return create_opportunity(actor, product, title="I don't know what to plant")


def act(client: Any, verb: str, **fields: str) -> Any:
    said = {"act": verb, "question": json.dumps(QUESTION), "part": json.dumps({"step": 1}), **fields}
    return client.post("/p/sprout/ask/act", said)


def test_a_drop_becomes_an_outcome_whose_baseline_is_measured(as_bob: Any, api: Any) -> None:
    answer = act(as_bob, "outcome", target="80", title="More people plant", due="2030-01-01")
    outcome = api.get("/products/sprout/outcomes").ok[0]
    assert answer.url == f"/p/sprout/{outcome['ref']}"
    # of those whose week is over: five signed up, three planted
    assert (outcome["title"], outcome["baseline"], outcome["target"]) == ("More people plant", 60.0, 80.0)
    metric = api.get("/products/sprout/metrics").ok[0]
    assert metric["definition"] == {
        "version": 1,
        "kind": "conversion",
        "from": "signed_up",
        "to": "planted",
        "within_days": 7,
    }
    act(as_bob, "outcome", target="90")
    assert len(api.get("/products/sprout/metrics").ok) == 1  # the same number is counted once


def test_what_no_metric_counts_is_refused_in_a_sentence(api: Any) -> None:
    question = QUESTION | {"steps": ["signed_up", "planted"], "hold": "platform"}
    refused = api.post(ASK + "/outcome", {"question": question, "part": {"step": 1}, "target": 5})
    assert refused.status == 400
    assert "Keep the question instead" in refused.body["message"]


def test_a_drop_becomes_a_struggle_signal_that_counts_on_its_opportunity(
    as_bob: Any, actor: Any, product: Any, problem: Any
) -> None:
    from whytree.code import services
    from whytree.code.references import event_references

    repository = services.register_repository(actor, product, name="app", root_sha=REPOSITORY)
    place = event_references.PushedEvent("planted", "app/plant.py", 7, "sent")
    reading = event_references.EventReading(REV, ["planted"], [place])
    event_references.push_event_references(actor, repository, REPOSITORY, reading)
    answer = act(as_bob, "signal", opportunity=problem.ref)
    assert answer.url == f"/p/sprout/{problem.ref}"
    problem.refresh_from_db()
    assert problem.struggle_signal["kind"] == "behind"
    body = as_bob.get(f"/p/sprout/{problem.ref}").content.decode()
    assert "Who struggles" in body
    assert '<span class="stat">2</span> people in the last 28 days' in body
    assert "app/plant.py:7" in body
    assert "why?q=app%2Fplant.py%3A7" in body


def test_one_stretch_or_group_is_no_signal(api: Any, problem: Any) -> None:
    body = {"question": QUESTION, "part": {"step": 1, "group": "ios"}, "opportunity": problem.ref}
    assert "from day to day" in api.post(ASK + "/signal", body).body["message"]
    assert api.post(ASK + "/signal", {**body, "part": {"step": 1}, "opportunity": "OPP-99"}).status == 404


def test_what_cannot_go_on_says_why_and_where_it_can(as_bob: Any, api: Any, problem: Any) -> None:
    asked = "/p/sprout/ask/trends?event=signed_up&interval=day"
    page = as_bob.get(f"{asked}&series=0&start=2026-05-01").content.decode()
    assert "go on from day to day" in page
    assert "the whole figure" in page
    assert (
        "No outcome: A metric has one value a day"
        in as_bob.get("/p/sprout/ask/stickiness?event=signed_up&step=1").content.decode()
    )


def test_evidence_is_frozen_with_its_question_and_its_day(
    as_bob: Any, api: Any, problem: Any, happened: Callable[..., None]
) -> None:
    act(as_bob, "pin", node=problem.ref, stance="supports")
    (saved,) = [api.get("/products/sprout/questions/ASK-1").ok]
    assert saved["question"]["steps"] == [{"events": ["signed_up"]}, {"events": ["planted"]}]
    assert [step["people"] for step in saved["answer"]["steps"]] == [6, 4]
    for person in range(20, 40):
        happened(person, "signed_up", 2)
    body = as_bob.get("/p/sprout/ASK-1").content.decode()
    assert "66.7 % of those who did “signed_up” came to “planted”." in body  # as it was
    assert "Ask it today" in body
    page = as_bob.get(f"/p/sprout/{problem.ref}").content.decode()
    assert "/p/sprout/ASK-1" in page
    assert "2 people did “signed_up” and not “planted”." in page
    assert api.patch("/products/sprout/questions/ASK-1", {"title": "Other"}).status == 409
    assert api.delete("/products/sprout/questions/ASK-1").status == 409  # something rests on it
    assert api.get("/products/sprout/questions").ok == []


def test_those_behind_a_bar_become_a_cohort_and_a_filter(as_bob: Any, api: Any) -> None:
    answer = act(as_bob, "cohort", key="left_early")
    assert answer.url == "/p/sprout/cohorts/left_early"
    inside = {"field": "cohort:left_early", "operator": "is set"}
    assert api.post(ASK, {"question": QUESTION | {"where": [inside]}}).ok["n"] == 2
    outside = {"field": "cohort:left_early", "operator": "is not set"}
    assert api.post(ASK, {"question": QUESTION | {"where": [outside]}}).ok["n"] == 4
    groups = api.post(ASK, {"question": QUESTION | {"by": "cohort:left_early"}}).ok["groups"]
    assert {group["value"]: group["steps"][0]["people"] for group in groups} == {"left_early": 2, "not left_early": 4}
    again = act(as_bob, "cohort", key="left_early")
    assert again.status_code == 302
    assert "ask/funnel" in again.url
    assert "There is a cohort left_early already" in as_bob.get(again.url).content.decode()


def test_a_question_is_kept_and_asked_again(as_bob: Any, api: Any) -> None:
    answer = act(as_bob, "keep", title="Do they plant?")
    assert answer.url == "/p/sprout/ASK-1"
    again = as_bob.get("/p/sprout/ASK-1")
    assert again.status_code == 302
    assert "came to “planted”" in as_bob.get(again.url).content.decode()
    assert [one["title"] for one in api.get("/products/sprout/questions").ok] == ["Do they plant?"]
    assert api.delete("/products/sprout/questions/ASK-1").status == 204


def test_viewers_and_strangers_make_nothing(as_viewer: Any, as_charlie: Any, api_viewer: Any, api_charlie: Any) -> None:
    assert (act(as_viewer, "keep").status_code, act(as_charlie, "keep").status_code) == (403, 404)
    wanted: dict[str, dict[str, Any]] = {
        "/ask/pin": {"node": "OPP-1"},
        "/ask/outcome": {"target": 1},
        "/ask/signal": {"opportunity": "OPP-1"},
        "/ask/cohort": {"key": "k"},
        "/questions": {},
    }
    for path, more in wanted.items():
        body = {"question": QUESTION, **more}
        statuses = [one.post("/products/sprout" + path, body).status for one in (api_viewer, api_charlie)]
        assert statuses == [403, 404], path


@pytest.mark.parametrize(
    "fields", [{"question": "{"}, {"question": "[1]"}, {"part": '{"step": "x"}'}, {"act": "guess"}]
)
def test_a_broken_form_leads_back_with_a_sentence(as_bob: Any, fields: dict[str, str]) -> None:
    said = {"act": "keep", "question": json.dumps(QUESTION), "part": "{}", **fields}
    assert as_bob.post("/p/sprout/ask/act", said).url == "/p/sprout/ask/funnel"
