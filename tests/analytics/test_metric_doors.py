"""The page, its JSON and the command line show the same answer."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from tests.analytics.conftest import ACTIVATED
from whytree.analytics.forms import MetricForm
from whytree.analytics.models import Metric
from whytree.analytics.services import create_metric
from whytree.tree.models import Outcome

BASE = "/products/sprout/metrics"
BODY = {"key": "activated_7d", "name": "Activated in 7 days", "definition": ACTIVATED}


def test_the_api_makes_edits_measures_and_removes(api: Any, five_sign_up_three_plant: None) -> None:
    made = api.post(BASE, BODY)
    assert (made.status, made.body["unit"], made.body["warnings"]) == (201, "%", [])
    assert api.get(BASE).ok[0]["sentence"].startswith("of people who did “signed_up”")
    assert api.patch(f"{BASE}/activated_7d", {"name": "Activated"}).ok["name"] == "Activated"
    measured = api.get(f"{BASE}/activated_7d/measure").ok
    assert (measured["value"], measured["n"], measured["open"]) == (60.0, 5, 1)
    assert measured["series"][-1]["complete"] is False
    assert api.delete(f"{BASE}/activated_7d").status == 204
    assert api.get(f"{BASE}/activated_7d").status == 404


def test_the_api_warns_of_a_slip_and_refuses_nonsense(api: Any, five_sign_up_three_plant: None) -> None:
    slip = BODY | {"definition": ACTIVATED | {"to": "plantedd"}}
    assert api.post(BASE, slip).ok["warnings"] == ["No event “plantedd” has been seen yet. Did you mean “planted”?"]
    refused = api.post(BASE, BODY | {"key": "other", "definition": {"version": 1, "kind": "count"}})
    assert (refused.status, refused.body["code"]) == (400, "invalid")
    assert "event" in refused.body["message"]


def test_a_measure_takes_a_period(api: Any, activated: Any, five_sign_up_three_plant: None) -> None:
    path = f"{BASE}/activated_7d/measure"
    assert api.get(f"{path}?start=2020-01-01T00:00:00&end=2020-02-01").ok["n"] == 0
    assert api.get(f"{path}?start=2020-02-01T00:00:00Z&end=2020-01-01").status == 400
    assert api.get(f"{path}?days=x").status == 400


def test_other_products_metrics_do_not_exist(
    api_charlie: Any, other_product: Any, activated: Any, api_viewer: Any
) -> None:
    assert api_charlie.get(BASE).status == 404
    assert api_charlie.get("/products/elsewhere/metrics/activated_7d").status == 404
    assert api_viewer.get(f"{BASE}/activated_7d").status == 200
    assert api_viewer.delete(f"{BASE}/activated_7d").status == 403


def test_the_place_is_empty_at_first_and_says_what_to_do(as_alice: Any, as_viewer: Any, store: Any) -> None:
    page = as_alice.get("/p/sprout/numbers").content.decode()
    assert "<h1>Nothing is counted yet.</h1>" in page
    assert "numbers/new" in page
    assert "numbers/new" not in as_viewer.get("/p/sprout/numbers").content.decode()


@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_the_list_and_the_page_show_value_interval_and_n(as_alice: Any, activated: Any) -> None:
    for path in ("numbers", "numbers/activated_7d"):
        page = as_alice.get(f"/p/sprout/{path}").content.decode()
        assert "60 %" in page
        assert "23.1 to 88.2" in page
    assert "1 more is still under way and not counted" in page
    assert 'class="chart wide"' in page


@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_the_form_offers_the_events_that_were_seen(as_alice: Any) -> None:
    page = as_alice.get("/p/sprout/numbers/new").content.decode()
    assert '<option value="signed_up">' in page
    assert '<option value="planted">' in page


def test_a_refused_form_comes_back_as_it_was(as_alice: Any, store: Any) -> None:
    sent = {"key": "x y", "name": "Mine", "kind": "conversion", "entry": "a", "goal": "b", "within_days": "many"}
    page = as_alice.post("/p/sprout/numbers/new", sent)
    assert page.status_code == 400
    text = page.content.decode()
    assert "whole number of days" in text
    assert 'value="Mine"' in text
    assert 'value="many"' in text
    assert not Metric.objects.exists()


def test_a_short_name_left_empty_is_made_from_the_name() -> None:
    assert MetricForm.sent(QueryDict("key=&name=Activated in 7 days!")).key == "activated_in_7_days"
    assert MetricForm.sent(QueryDict("key=act&name=Activated")).key == "act"


def test_the_form_makes_and_edits(as_alice: Any, store: Any) -> None:
    sent = {
        "key": "act",
        "name": "Act",
        "kind": "conversion",
        "entry": "a",
        "goal": "b",
        "within_days": "3",
        "direction": "up",
    }
    made = as_alice.post("/p/sprout/numbers/new", sent, follow=True)
    assert made.redirect_chain[-1][0] == "/p/sprout/numbers/act"
    assert "No event “a” has been seen yet." in made.content.decode()
    as_alice.post("/p/sprout/numbers/act/edit", sent | {"kind": "unique", "event": "a", "name": "Actors"})
    metric = Metric.objects.get()
    assert (metric.name, metric.definition["kind"], metric.unit) == ("Actors", "unique", "people")
    assert 'value="a"' in as_alice.get("/p/sprout/numbers/act/edit").content.decode()
    as_alice.post("/p/sprout/numbers/act/delete")
    assert not Metric.objects.exists()


KINDS = [
    {"kind": "sum", "event": "paid", "where": "plan=pro; price>10", "number": "price"},
    {"kind": "mean", "event": "paid", "number": "", "per": "person"},
    {"kind": "mean", "event": "paid", "number": "price", "per": "event"},
    {"kind": "ratio", "top": "paid", "top_measure": "sum:price", "bottom": "opened", "bottom_measure": "people"},
    {"kind": "retention", "entry": "a", "goal": "b", "after_days": "7", "for_days": "7"},
    {"kind": "time_to", "entry": "a", "goal": "b", "within_days": "7", "percentile": "90", "time_unit": "minutes"},
    {"kind": "quantile", "event": "paid", "number": "price", "percentile": "95"},
]


@pytest.mark.parametrize("fields", KINDS, ids=[f"{one['kind']}-{at}" for at, one in enumerate(KINDS)])
def test_the_form_says_every_kind_and_comes_back_as_it_was(as_alice: Any, store: Any, fields: dict[str, str]) -> None:
    sent = {"key": "k", "name": "K", "role": "guardrail", "category": "task_success", "owner": "growth"} | fields
    assert as_alice.post("/p/sprout/numbers/new", sent).status_code == 302
    made = Metric.objects.get()
    assert (made.role, made.category, made.owner) == ("guardrail", "task_success", "growth")
    as_alice.post("/p/sprout/numbers/k/edit", asdict(MetricForm.of(made)) | {"raw": "", "description": "Why."})
    again = Metric.objects.get()
    assert (again.definition, again.unit, again.description) == (made.definition, made.unit, "Why.")
    page = as_alice.get("/p/sprout/numbers/k").content.decode()
    assert "guardrail" in page
    assert "growth" in page
    assert as_alice.get("/p/sprout/numbers").status_code == 200


def test_what_the_fields_cannot_say_stands_as_json(as_alice: Any, actor: Any, product: Any, store: Any) -> None:
    several = {"version": 1, "kind": "count", "event": {"events": ["a", "b"]}}
    create_metric(actor, product, key="k", definition=several)
    page = as_alice.get("/p/sprout/numbers/k/edit").content.decode()
    assert "&quot;events&quot;: [&quot;a&quot;, &quot;b&quot;]" in page
    refused = as_alice.post("/p/sprout/numbers/k/edit", {"name": "K", "direction": "up", "raw": "{"})
    assert refused.status_code == 400
    assert "This is no JSON" in refused.content.decode()
    raw = json.dumps(several | {"kind": "unique"})
    as_alice.post("/p/sprout/numbers/k/edit", {"name": "K", "direction": "up", "raw": raw})
    assert Metric.objects.get().definition["kind"] == "unique"


def test_role_and_category_are_of_those_there_are(api: Any) -> None:
    refused = api.post(BASE, BODY | {"role": "boss"})
    assert (refused.status, refused.body["code"]) == (400, "invalid")
    assert api.post(BASE, BODY | {"description": "x" * 2_001}).status == 400
    assert api.post(BASE, BODY | {"owner": "a\x00"}).status == 400
    made = api.post(BASE, BODY | {"role": "north_star", "category": "adoption", "owner": "growth"}).ok
    assert (made["role"], made["category"], made["owner"]) == ("north_star", "adoption", "growth")
    assert api.patch(f"{BASE}/activated_7d", {"role": ""}).ok["role"] == ""


@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_a_number_becomes_an_outcome_with_its_value_as_baseline(as_alice: Any, activated: Any) -> None:
    assert (
        'name="baseline" inputmode="decimal" value="60"'
        in as_alice.get("/p/sprout/numbers/activated_7d").content.decode()
    )
    sent = {"title": "Activated", "baseline": "60", "target": "70,5 %", "due": "2026-12-31"}
    answer = as_alice.post("/p/sprout/numbers/activated_7d/outcome", sent)
    assert answer["Location"] == "/p/sprout/OUT-1"
    outcome = Outcome.objects.get()
    assert (outcome.metric_key, outcome.baseline, outcome.target) == ("activated_7d", 60.0, 70.5)


def test_an_outcome_without_a_target_or_with_words_for_numbers_is_refused(
    as_alice: Any, activated: Any, store: Any
) -> None:
    for sent in ({"baseline": "60"}, {"target": "high"}, {"target": "5", "due": "soon"}):
        assert as_alice.post("/p/sprout/numbers/activated_7d/outcome", sent).status_code == 400
    assert not Outcome.objects.exists()


@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_the_days_download_as_csv(as_alice: Any, activated: Any) -> None:
    answer = as_alice.get("/p/sprout/numbers/activated_7d.csv")
    lines = answer.content.decode().splitlines()
    assert lines[0] == "day,value,low,high,n,numerator,open,complete"
    assert len(lines) == 1 + 28 + 7
    assert "activated_7d.csv" in answer["Content-Disposition"]


def test_charlie_sees_nothing(as_charlie: Any, activated: Any, store: Any) -> None:
    for path in ("numbers", "numbers/activated_7d", "numbers/activated_7d.csv", "numbers/new"):
        assert as_charlie.get(f"/p/sprout/{path}").status_code == 404


@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_an_outcome_shows_its_live_value(actor: Any, product: Any, activated: Any) -> None:
    from datetime import date

    from whytree.analytics.plugs import outcome_figures
    from whytree.tree.services import create_outcome
    from whytree.workspace.sockets import panels

    outcome = create_outcome(
        actor, product, title="Activated", metric_key="activated_7d", baseline=10.0, target=70.0, due=date(2031, 9, 30)
    )
    bare = create_outcome(actor, product, title="Another")
    figures = outcome_figures(product, [outcome, bare])
    assert set(figures) == {outcome.pk}
    figure = figures[outcome.pk]
    assert (figure.value, figure.change, figure.note) == ("60 %", "+50 pp", "from 10 % · target 70 %, 30 Sep 2031")
    assert figure.tone == "leaf"
    shown = next(panel for panel in panels("outcome", actor, product, outcome) if panel.title == "Measured")
    from django.template.loader import render_to_string

    text = render_to_string(shown.template, shown.context | {"product": product})
    assert "60 %" in text
    assert "target 70 %" in text


def test_an_outcome_whose_metric_is_missing_says_so(actor: Any, product: Any, store: Any) -> None:
    from whytree.analytics.plugs import outcome_panel
    from whytree.tree.services import create_outcome

    outcome = create_outcome(actor, product, title="Activated", metric_key="gone")
    panel = outcome_panel(actor, product, outcome)
    assert panel is not None
    assert (panel.template, panel.tone) == ("analytics/_no_metric.html", "amber")
    assert outcome_panel(actor, product, create_outcome(actor, product, title="Another")) is None


def test_the_box_finds_metrics(actor: Any, product: Any, activated: Any) -> None:
    from whytree.analytics.plugs import find_by_words

    (hit,) = find_by_words(actor, product, "Activated", 5)
    assert (hit.label, hit.url) == ("activated_7d", "/p/sprout/numbers/activated_7d")
    assert find_by_words(actor, product, "  ", 5) == []


def test_the_command_line_says_the_same(terminal: Any) -> None:
    made = terminal.cli_json("metric", "add", "lessons", "--unique", "lesson_started", "--name", "Learners")
    assert made["definition"] == {"version": 1, "kind": "unique", "event": "lesson_started"}
    assert "Learners" in terminal.cli("metric", "list").stdout
    shown = terminal.cli("metric", "show", "lessons").stdout
    assert "no answer: It has not happened in this period." in shown
    told = terminal.cli_json("metric", "show", "lessons")
    assert (told["n"], date.fromisoformat(told["last_day"])) == (0, timezone.localdate())
    assert f" to {told['last_day']}; " in shown
    ratio = terminal.cli_json(
        "metric", "add", "price", "--top", "paid:sum:price", "--bottom", "paid:people", "--role", "input"
    )
    assert (ratio["definition"]["top"], ratio["role"]) == ({"event": "paid", "measure": "sum:price"}, "input")
    mean = terminal.cli_json("metric", "add", "spend", "--mean", "paid", "--property", "price", "--where", "plan=pro")
    assert mean["definition"]["event"]["where"][0]["field"] == "plan"
    assert terminal.cli_json("metric", "edit", "spend", "--owner", "growth")["owner"] == "growth"
    refused = terminal.cli("metric", "add", "x", "--count", "a", "--unique", "b", check=False)
    assert refused.returncode == 1
    assert "one of" in refused.stderr
    assert json.loads(terminal.cli("metric", "remove", "lessons", "--json").stdout) == {"removed": "lessons"}


@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_the_chart_marks_what_the_team_did(as_alice: Any, actor: Any, product: Any, activated: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from whytree.flags.services import create_flag, open_flag
    from whytree.workspace.models import Activity

    create_flag(actor, product, key="ask_later")
    open_flag(actor, product, "ask_later")
    Activity.objects.filter(verb="open_flag").update(at=timezone.now() - timedelta(days=12))
    assert ">ask_later opened<" in as_alice.get("/p/sprout/numbers/activated_7d").content.decode()


def test_a_conversion_to_what_nobody_sends_says_so_beside_its_zero(
    happened: Callable[..., None], actor: Any, product: Any, as_viewer: Any
) -> None:
    from whytree.analytics.services import create_metric

    for person in range(5):
        happened(person, "signed_up", 10)
    slip = {"version": 1, "kind": "conversion", "from": "signed_up", "to": "signed_upp", "within_days": 7}
    create_metric(actor, product, key="slip", name="Slip", definition=slip)
    page = as_viewer.get("/p/sprout/numbers/slip").content.decode()
    assert "No event “signed_upp” has been seen yet. Did you mean “signed_up”?" in page
