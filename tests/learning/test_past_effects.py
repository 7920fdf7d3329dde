"""While a hypothesis is written: past effects on its metric, learnings like it, and a forecast outside all ever seen."""

import json
from typing import Any

import pytest

from tests.learning.test_calibration import settle
from whytree.learning.priors.queries import Asked, known_before, sentences
from whytree.learning.services import decide_review

PATH = "/products/sprout/past-effects?metric_key=activated_7d"
SAID = {
    "parent": "SOL-1",
    "change": "Ask for the phone number at the first booking",
    "metric_key": "activated_7d",
    "forecast_low": 20,
    "forecast_likely": 40,
    "forecast_high": 60,
}


@pytest.fixture
def five(actor: Any, solution: Any) -> None:
    for measured in (2.8, -0.3, 1.1, 0.2, -2.5):
        settle(actor, solution, measured)


def test_nothing_measured_shows_nothing(api: Any, as_alice: Any, solution: Any) -> None:
    found = api.get(PATH).ok
    assert (found["effects"], found["text"], found["outside"], found["next"]) == ([], [], "", None)
    assert "What such changes did before" not in as_alice.get("/p/sprout/SOL-1/add?kind=HYP").content.decode()


@pytest.mark.usefixtures("five")
def test_past_effects_on_the_metric_are_the_base_rate(api: Any) -> None:
    found = api.get(PATH).ok
    assert [one["value"] for one in found["effects"]] == [-2.5, 0.2, 1.1, -0.3, 2.8]
    assert (found["rose"], found["fell"]) == (2, 1)
    assert found["text"][0] == (
        "activated_7d was measured after 5 changes: from −2.5 to +2.8 pp, the middle +0.2. "
        "2 rose, 1 fell, 2 cannot be told from no change."
    )
    assert found["text"][1].startswith("Of ten such changes, eight would lie between −")
    assert found["next"]["low"] < -2 < 2.5 < found["next"]["high"]


@pytest.mark.usefixtures("five")
def test_effects_in_another_unit_or_on_another_metric_are_not_mixed_in(api: Any) -> None:
    assert api.get(f"{PATH}&unit=%25").ok["effects"] == []
    other = api.get("/products/sprout/past-effects?metric_key=spam").ok
    assert other["effects"] == []
    assert other["text"] == [
        "Nothing was measured on spam in this unit yet. Of 5 measured changes here, 2 moved the metric the way that was said."
    ]


@pytest.mark.usefixtures("five")
def test_a_forecast_outside_everything_ever_seen_is_flagged_when_it_is_made(api: Any) -> None:
    made = api.post("/products/sprout/hypotheses", SAID)
    assert made.status == 201
    assert made.body["beside"][0].startswith("+40 pp is outside everything ever measured on activated_7d: 5 changes")
    calm = api.patch(
        f"/products/sprout/hypotheses/{made.body['ref']}",
        {"forecast_low": 0, "forecast_likely": 1, "forecast_high": 2},
    ).ok
    assert "outside" not in " ".join(calm["beside"])
    below = api.get(f"{PATH}&likely=-9").ok
    assert below["outside"].startswith("−9 pp is outside")


def test_two_effects_are_too_few_to_call_anything_odd(actor: Any, solution: Any, api: Any) -> None:
    settle(actor, solution, 1.0)
    settle(actor, solution, 2.0)
    found = api.get(f"{PATH}&likely=40").ok
    assert (found["outside"], found["next"]) == ("", None)


@pytest.mark.usefixtures("five")
def test_the_form_shows_it_while_one_types_and_without_scripts(as_alice: Any, as_viewer: Any, as_charlie: Any) -> None:
    typed = {
        "metric_key": "activated_7d",
        "forecast_likely": "40",
        "forecast_low": "",
        "forecast_high": "x",
        "change": "…",
    }
    beside = as_alice.get("/p/sprout/tree/beside", typed).content.decode()
    assert "+40 pp is outside everything ever measured" in beside
    assert "REV-5" in beside
    assert "<html" not in beside
    refused = as_alice.post("/p/sprout/SOL-1/add", {**typed, "add": "HYP"})
    assert refused.status_code == 400
    assert "+40 pp is outside everything ever measured" in refused.content.decode()
    assert as_viewer.get("/p/sprout/tree/beside", typed).status_code == 403
    assert as_charlie.get("/p/sprout/tree/beside", typed).status_code == 404


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"metric_key": "\x00", "forecast_likely": "nan", "forecast_unit": "?"},
        {"metric_key": "m" * 9_000, "change": "word " * 20_000, "forecast_low": "1e999", "forecast_unit": "<b>"},
    ],
)
@pytest.mark.usefixtures("five")
def test_whatever_is_typed_halfway_breaks_nothing(as_alice: Any, typed: dict[str, str]) -> None:
    answer = as_alice.get("/p/sprout/tree/beside", typed)
    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode().replace("<b>+", "")


@pytest.mark.usefixtures("five")
def test_the_solution_shows_it_until_the_prediction_locks(api: Any, as_alice: Any, actor: Any, product: Any) -> None:
    from whytree.learning.services import lock_prediction
    from whytree.tree.queries import find_node
    from whytree.tree.services import create_solution

    other = create_solution(actor, product, title="Another way")
    ref = api.post("/products/sprout/hypotheses", SAID | {"parent": other.ref}).body["ref"]
    assert "outside everything ever measured" in as_alice.get(f"/p/sprout/{other.ref}").content.decode()
    lock_prediction(actor, find_node(product, ref))
    assert "What such changes did before" not in as_alice.get(f"/p/sprout/{other.ref}").content.decode()


def test_what_was_learned_from_changes_like_it(actor: Any, product: Any, solution: Any) -> None:
    review = settle(actor, solution, 3)
    review.due_at = review.opened_at
    review.save()
    decide_review(
        actor, review, verdict="achieved", decision="keep", learning="People type a phone number when they trust us."
    )
    asked = Asked(metric_key="x", words="Explain why we want the phone number")
    (found,) = known_before(product, asked).similar
    assert (found.ref, found.decision) == ("REV-1", "keep it")
    unlike = known_before(product, Asked(metric_key="x", words="Darker buttons"))
    assert (unlike.similar, sentences(unlike)) == ([], [])


def test_strangers_learn_nothing(api_charlie: Any, api_viewer: Any, five: Any) -> None:
    assert api_charlie.get(PATH).status == 404
    assert len(api_viewer.get(PATH).ok["effects"]) == 5


@pytest.mark.usefixtures("five")
def test_the_command_line_tells_the_same(invoke: Any) -> None:
    told = invoke("hypothesis", "past", "activated_7d", "--likely", "40")
    assert told.startswith("+40 pp is outside everything")
    assert "REV-5" in told
    assert json.loads(invoke("hypothesis", "past", "activated_7d", "--json"))["rose"] == 2
    made = invoke(
        "hypothesis",
        "add",
        "SOL-1",
        "--change",
        "x",
        "--metric",
        "activated_7d",
        "--low",
        "20",
        "--likely",
        "40",
        "--high",
        "60",
    )
    assert "outside everything ever measured" in made
