"""Metrics as a file: applied, compared, written, at every door; and every file that cannot be."""

from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile

from whytree.analytics.applying.services import apply_file, export_metrics
from whytree.analytics.models import Metric
from whytree.errors import Forbidden, Invalid
from whytree.events.plan.services import plan_of
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity

PATH = "/products/sprout/metrics-file"
FILE = """\
# what we look at on Mondays
whytree_metrics: 1
metrics:
  activated_7d:
    name: Activated in 7 days
    description: |
      The first lesson planted.
      Looked at every Monday.
    kind: conversion
    from: signed_up
    to: {event: planted, where: [plan=pro, "price>10", {field: coupon, operator: does not contain, values: ["x,y"]}]}
    within_days: 7
    role: north_star
    category: adoption
    owner: growth
  revenue: {kind: sum, event: paid, property: price, unit: EUR}
  load_p95: {kind: quantile, event: loaded, property: seconds, percentile: 95, direction: down}
  back: {kind: retention, begin: signed_up, back: {events: [planted, watered]}, after_days: 7, for_days: 7}
  per_open: {kind: ratio, top: {event: paid, measure: "sum:price"}, bottom: opened}
"""


def test_a_file_makes_metrics_and_twice_does_no_more_than_once(actor: Any, product: Any) -> None:
    changes = apply_file(actor, product, FILE)
    assert [(one.kind, one.name, one.what) for one in changes] == [
        ("metric", key, "added") for key in ("activated_7d", "revenue", "load_p95", "back", "per_open")
    ]
    made = Metric.objects.get(key="activated_7d")
    assert (made.role, made.category, made.owner, made.unit) == ("north_star", "adoption", "growth", "%")
    assert made.description == "The first lesson planted.\nLooked at every Monday."
    assert made.definition["to"]["where"][1] == {"field": "price", "operator": "above", "values": ["10"]}
    before = Activity.objects.count()
    assert apply_file(actor, product, FILE) == []
    assert Activity.objects.count() == before


def test_an_event_that_nobody_sends_is_pointed_at(api: Any, as_alice: Any, product: Any) -> None:
    (first, *_) = api.post(PATH, {"text": FILE, "dry_run": True}).ok
    assert first["warnings"][0] == "No event “signed_up” has been seen yet."
    page = as_alice.post("/p/sprout/metrics-file", {"text": FILE}).content.decode()
    assert "No event “paid” has been seen yet." in page


def test_what_is_written_reads_back_as_the_same(actor: Any, product: Any) -> None:
    apply_file(actor, product, FILE)
    text, stored = (
        export_metrics(product),
        list(Metric.objects.values("key", "definition", "role", "unit", "description")),
    )
    assert "plan=pro" in text
    assert apply_file(actor, product, text) == []
    Metric.objects.all().delete()
    apply_file(actor, product, text)
    assert list(Metric.objects.values("key", "definition", "role", "unit", "description")) == stored
    assert export_metrics(product) == text
    assert list(yaml.safe_load(export_metrics(product, ["back"]))["metrics"]) == ["back"]


def test_a_dry_run_says_what_would_change_and_changes_nothing(actor: Any, product: Any) -> None:
    apply_file(actor, product, FILE)
    changed = FILE.replace("within_days: 7", "within_days: 14").replace("owner: growth", "owner: onboarding")
    (change,) = apply_file(actor, product, changed, dry_run=True)
    assert (change.name, change.what) == ("activated_7d", "changed")
    assert change.details == ("owner: growth → onboarding", "within_days: 7 → 14")
    assert Metric.objects.get(key="activated_7d").owner == "growth"
    apply_file(actor, product, changed)
    assert Metric.objects.get(key="activated_7d").definition["within_days"] == 14


def test_what_a_metric_no_longer_says_becomes_the_usual_and_what_is_not_named_stays(actor: Any, product: Any) -> None:
    apply_file(actor, product, FILE)
    (change,) = apply_file(
        actor, product, "whytree_metrics: 1\nmetrics:\n  revenue: {kind: sum, event: paid, property: price}"
    )
    assert change.details == ("unit: EUR → nothing",)
    assert Metric.objects.count() == 5


def test_a_tracking_plan_may_stand_in_the_same_file(actor: Any, product: Any) -> None:
    both = FILE + "whytree_plan: 1\nevents:\n  paid:\n    owner: shop\n    properties: {price: number}\n"
    changes = apply_file(actor, product, both)
    assert [(one.kind, one.name) for one in changes][-1] == ("event", "paid")
    assert plan_of(product).events["paid"].owner == "shop"
    assert apply_file(actor, product, both) == []
    (change,) = apply_file(actor, product, both + "strict: false\n")
    assert (change.name, change.details) == ("the plan", ("not strict: others may come",))
    with pytest.raises(Invalid, match=r"^line 22: .*“paid” is 'maybe'"):
        apply_file(actor, product, both.replace("owner: shop", "status: maybe"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty"),
        ("a: [1", r"line 1: this is no YAML|line \d: this is no YAML"),
        ("just words", "line 1: a file of metrics begins with whytree_metrics: 1"),
        ("whytree_metrics: 2", "line 1: write whytree_metrics: 1"),
        ("metrics: {}\nwhytree_plan: 1", "line 1: metrics need whytree_metrics"),
        ("whytree_metrics: 1\nmetric: {}", "line 2: there is no 'metric' here"),
        ("whytree_metrics: 1\nmetrics:\n  a: 3", "line 3: a: write its kind"),
        ("whytree_metrics: 1\nmetrics:\n  a:\n    event: x", "line 3: a: There is no kind"),
        ("whytree_metrics: 1\nmetrics:\n  a:\n    kind: sum\n    event: x\n    property: ''", "line 6: a: “property”"),
        (
            "whytree_metrics: 1\nmetrics:\n  a: {kind: count, event: x}\n  a: {kind: count, event: y}",
            "line 4: 'a' stands",
        ),
        ("whytree_metrics: 1\nmetrics:\n  yes: {kind: count, event: x}", "line 3: put the name into quotes"),
        ("whytree_metrics: 1\nmetrics:\n  a b: {kind: count, event: x}", "line 3: a b: Key"),
        ("whytree_metrics: 1\nmetrics:\n  new: {kind: count, event: x}", "line 3: new: 'new' is an address"),
        ("whytree_metrics: 1\nmetrics:\n  a: {kind: count, event: x, role: boss}", "line 3: a: Role"),
        ("whytree_metrics: 1\nmetrics:\n  a: {kind: count, event: x, owner: [b]}", "“owner” is a text"),
        ("whytree_metrics: 1\nmetrics: &m\n  a: {kind: count, event: x}\nevents: *m", "anchors"),
        ("whytree_metrics: 1\nmetrics: " + "[" * 3_000, "no YAML|nested too deep"),
        ("x" * 2_000_001, "Split it"),
        ("a: \x00", "no YAML"),
        ("whytree_metrics: 1\nmetrics: " + "{a: " * 60 + "1" + "}" * 60, "nested too deep"),
    ],
)
def test_it_says_the_line_and_what_to_write(actor: Any, product: Any, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        apply_file(actor, product, text)
    assert not Metric.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("k: " + "[" * 200_000, "nest"),
        ("k: " + "[" * 60 + "]" * 60, "line 1: this is nested too deep"),
        ("k: 0x" + "f" * 6_000, "too large a number"),
        ("k: 1.0e+999", "too large a number"),
        ("k: .nan", "too large a number"),
        ('k: "a\\0b"', "cannot be stored"),
        ('"a\\0b": k', "cannot be stored"),
        ("k: &a [1]\nl: [*a, *a]", "anchors"),
        ("? [a]\n: b", "line 1: a name is a text"),
    ],
)
def test_a_hostile_file_is_refused_before_it_costs_anything(actor: Any, product: Any, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        apply_file(actor, product, text)


def test_a_text_that_is_called_a_number_is_never_read_as_yaml_again(actor: Any, product: Any) -> None:
    bomb = "a0: &a0 {x: 1}\\n" + "".join(f"a{n}: &a{n}\\n  <<: [*a{n - 1}, *a{n - 1}]\\n" for n in range(1, 60))
    with pytest.raises(Invalid, match="begins with whytree_metrics"):
        apply_file(actor, product, f'k: !!int "{bomb}"')


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_applied(actor: Any, product: Any) -> None:
    text = "whytree_metrics: 1\nmetrics:\n  fine: {kind: count, event: x}\n  a: {kind: nothing}\n  b: {kind: count}\n"
    with pytest.raises(Invalid) as refused:
        apply_file(actor, product, text)
    assert refused.value.details is not None
    assert [one["line"] for one in refused.value.details["faults"]] == [4, 5]
    text = "whytree_metrics: 1\nmetrics:\n  fine: {kind: count, event: x}\n  new: {kind: count, event: x}\n  b b: {kind: count, event: x}\n"
    with pytest.raises(Invalid, match=r"line 4: new: .*\nline 5: b b: "):
        apply_file(actor, product, text)
    assert not Metric.objects.exists()


def test_what_a_locked_prediction_rests_on_keeps_its_meaning(actor: Any, product: Any, activated: Any) -> None:
    from whytree.tree.services import create_hypothesis, create_opportunity, create_solution, lock_prediction

    opportunity = create_opportunity(actor, product, title="“Why?”")
    solution = create_solution(actor, product, opportunity=opportunity, title="Ask later")
    said = {"metric_key": "activated_7d", "forecast_low": 1.0, "forecast_likely": 2.0, "forecast_high": 3.0}
    hypothesis = create_hypothesis(actor, solution, change="Later", horizon_days=30, **said)
    lock_prediction(actor, hypothesis, at=hypothesis.created_at)
    with pytest.raises(Invalid, match=r"line 4: activated_7d: .* is locked"):
        apply_file(actor, product, FILE)


def test_a_viewer_and_charlie_may_not(api_viewer: Any, api_charlie: Any, viewer: Any, product: Any) -> None:
    assert api_viewer.post(PATH, {"text": FILE}).status == 403
    assert api_viewer.get(PATH).status == 200
    assert api_charlie.get(PATH).status == 404
    with pytest.raises(Forbidden):
        apply_file(actor_of_user(viewer), product, FILE, dry_run=True)


def test_the_api_and_the_page_say_the_same(api: Any, as_alice: Any, as_charlie: Any, store: Any) -> None:
    assert [one["what"] for one in api.post(PATH, {"text": FILE, "dry_run": True}).ok] == ["added"] * 5
    shown = as_alice.post("/p/sprout/metrics-file", {"text": FILE}).content.decode()
    assert "It would change 5 things." in shown
    assert not Metric.objects.exists()
    refused = as_alice.post("/p/sprout/metrics-file", {"text": "whytree_metrics: 3"})
    assert (refused.status_code, "line 1: write" in refused.content.decode()) == (400, True)
    file = SimpleUploadedFile("m.yaml", FILE.encode())
    assert as_alice.post("/p/sprout/metrics-file", {"file": file, "text": "", "apply": "1"}).status_code == 302
    assert Metric.objects.count() == 5
    assert api.get(PATH).ok["text"] == as_alice.get("/p/sprout/numbers.yaml").content.decode()
    assert "activated_7d:" in as_alice.get("/p/sprout/metrics-file").content.decode()
    odd = SimpleUploadedFile("m.yaml", b"\xff\xfe")
    assert as_alice.post("/p/sprout/metrics-file", {"file": odd}).status_code == 400
    assert as_charlie.get("/p/sprout/metrics-file").status_code == 404


def test_the_command_line_applies_and_exports(terminal: Any, tmp_path: Any) -> None:
    file = tmp_path / "metrics.yaml"
    file.write_text(FILE, "utf-8")
    dry = terminal.cli("apply", str(file), "--dry-run").stdout
    assert "+ metric activated_7d" in dry
    assert "this was a dry run" in dry
    assert len(terminal.cli_json("apply", str(file))) == 5
    assert "Everything is so already." in terminal.cli("apply", str(file)).stdout
    written = tmp_path / "again.yaml"
    terminal.cli("metric", "export", str(written))
    assert terminal.cli_json("apply", str(written)) == []
    file.write_text("whytree_metrics: 1\nmetrics:\n  a: {kind: count}\n", "utf-8")
    refused = terminal.cli("apply", str(file), check=False)
    assert refused.returncode == 1
    assert f"{file}, line 3: a: A count needs exactly these fields" in refused.stderr.replace("\n", " ")
