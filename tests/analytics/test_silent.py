"""Metrics and predictions that name an event nobody sends are flagged where one looks."""

from collections.abc import Callable
from typing import Any

import pytest

from whytree.analytics.services import create_metric
from whytree.analytics.silent import check_metrics, silent
from whytree.tree.services import create_hypothesis, create_opportunity, create_outcome, create_solution

FORECAST = {"forecast_low": 1.0, "forecast_likely": 2.0, "forecast_high": 3.0}


@pytest.fixture
def metrics(actor: Any, product: Any, happened: Callable[..., None]) -> dict[str, Any]:
    happened(1, "planted", 1)
    happened(1, "watered", 30)
    events = {"plants": "planted", "waters": "watered", "slips": "plantedd"}
    return {
        key: create_metric(actor, product, key=key, definition={"version": 1, "kind": "count", "event": event})
        for key, event in events.items()
    }


def test_never_and_not_for_a_week_are_told_apart(product: Any, metrics: dict[str, Any]) -> None:
    assert silent(product, [metrics["plants"]]) == []
    (late,) = silent(product, [metrics["waters"]])
    assert late.says.endswith("for 30 days nobody sent it.")
    assert late.last_at is not None
    (never,) = silent(product, [metrics["slips"]])
    assert (never.says, never.last_at) == ("No event “plantedd” has been seen yet. Did you mean “planted”?", None)


def test_a_ratio_is_silent_where_one_of_its_parts_is(actor: Any, product: Any, metrics: dict[str, Any]) -> None:
    ratio = {"version": 1, "kind": "ratio", "top": "planted", "bottom": "watered"}
    found = silent(product, [create_metric(actor, product, key="r", definition=ratio)])
    assert [one.event for one in found] == ["watered"]


def test_what_rests_on_it_is_named_and_a_metric_there_is_none_of(
    actor: Any, product: Any, metrics: dict[str, Any], api: Any, api_charlie: Any, as_alice: Any
) -> None:
    create_outcome(actor, product, title="More water", metric_key="waters")
    opportunity = create_opportunity(actor, product, title="“It dries out.”")
    solution = create_solution(actor, product, opportunity=opportunity, title="Remind them")
    said = {"metric_key": "slips", "horizon_days": 30, **FORECAST}
    rail = {"metric_key": "nothing", "direction": "up", "margin": 1.0}
    create_hypothesis(actor, solution, change="A reminder", guardrails=[rail], **said)
    found = {one.metric_key: one for one in check_metrics(product)}
    assert {key: one.refs for key, one in found.items()} == {
        "waters": ("OUT-1",),
        "slips": ("HYP-1",),
        "nothing": ("HYP-1",),
    }
    assert found["nothing"].says == "There is no metric nothing, and HYP-1 names it."
    assert len(api.get("/products/sprout/metrics-check").ok) == 3
    assert api_charlie.get("/products/sprout/metrics-check").status == 404
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "Nobody sends what was predicted" in page
    assert "Did you mean “planted”?" in page
    assert "nobody sent it" in as_alice.get("/p/sprout/OUT-1").content.decode()
    assert "nobody sent it" in as_alice.get("/p/sprout/numbers/waters").content.decode()
    numbers = as_alice.get("/p/sprout/numbers").content.decode()
    assert numbers.count("an event is not sent") == 2


def test_where_all_is_sent_nothing_is_said(product: Any, actor: Any, happened: Callable[..., None]) -> None:
    happened(1, "planted", 1)
    create_metric(actor, product, key="plants", definition={"version": 1, "kind": "count", "event": "planted"})
    assert check_metrics(product) == []


def test_the_command_line_and_doctor_say_it(terminal: Any) -> None:
    terminal.cli("metric", "add", "unsent", "--count", "never_sent_at_all")
    checked = terminal.cli("metric", "check", check=False)
    assert checked.returncode == 1
    assert "No event “never_sent_at_all” has been seen yet." in checked.stdout
    found = {one["subject"]: one for one in terminal.cli_json("doctor")}
    assert found["metrics"]["state"] == "advice"
