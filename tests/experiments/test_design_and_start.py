"""Plan an experiment, and start it: what is filled in, what is refused, and what the start fixes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.experiments.world import long_ago
from whytree.errors import Conflict, Invalid
from whytree.experiments.models import Experiment
from whytree.experiments.services import create_experiment, edit_experiment, start_experiment
from whytree.learning.models import OutcomeReview
from whytree.tree.models import Hypothesis
from whytree.workspace.models import Activity

Ran = Callable[..., Any]


def test_what_flag_and_hypothesis_know_is_not_typed_again(planned: Any) -> None:
    design = planned.design
    assert (planned.ref, planned.title) == ("EXP-1", "Ask for the phone number later")
    assert (design.control, design.weights, design.days) == ("off", {"on": 1, "off": 1}, 30)
    assert [(one.key, one.role, one.margin) for one in design.metrics] == [
        ("activated", "primary", None),
        ("spam", "guardrail", 3.0),
    ]


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ({"weights": {"on": 0, "off": 1}}, "compares two arms at least"),
        ({"weights": {"on": -1, "off": 1}}, "A weight is 0 or more"),
        ({"weights": {"on": 1, "maybe": 1, "off": 1}}, "has no variant “maybe”. Its variants are on, off."),
        ({"control": "maybe"}, "Control “maybe” gets nobody"),
        ({"days": 0}, "runs 1 to 366 days"),
        ({"days": 7}, "gives people 7 days, and the experiment runs 7: nobody's time would be over"),
        ({"level": 1.0}, "makes no interval"),
        ({"looks": "sometimes"}, "The plan cannot be read"),
        ({"metrics": []}, "Exactly one metric decides"),
        ({"metrics": [{"key": "spam", "role": "primary"}]}, "predicts activated, so that decides"),
        (
            {"metrics": [{"key": "activated", "role": "primary"}, {"key": "spam", "role": "guardrail"}]},
            "By how much may spam get worse?",
        ),
        (
            {"metrics": [{"key": "activated", "role": "primary"}, {"key": "activated", "role": "secondary"}]},
            "activated is named twice",
        ),
        ({"rule": "not_worse"}, "A primary needs its margin before the start"),
        (
            {"metrics": [{"key": "activated", "role": "primary"}, {"key": "orders", "cap": "a lot"}]},
            "“a lot” is no cap",
        ),
    ],
)
def test_a_plan_that_cannot_work_is_refused_in_a_sentence(
    actor: Any, product: Any, flag: Any, plan: dict[str, Any], says: str
) -> None:
    with pytest.raises(Invalid, match=says.replace("?", r"\?")):
        create_experiment(actor, product, flag=flag, plan=plan)
    assert not Experiment.objects.exists()


@pytest.mark.parametrize(
    ("plan", "says"),
    [({}, "Which metric decides"), ({"metrics": [{"key": "spam", "role": "primary"}]}, "How many days")],
)
def test_what_no_hypothesis_brings_is_asked_for(
    actor: Any, product: Any, flag: Any, plan: dict[str, Any], says: str
) -> None:
    from whytree.flags.services import edit_flag

    edit_flag(actor, product, flag.key, hypothesis=None)
    flag.refresh_from_db()
    with pytest.raises(Invalid, match=says):
        create_experiment(actor, product, flag=flag, plan=plan)


@pytest.mark.parametrize(
    ("weights", "says"), [({"on": float("nan"), "off": 1}, "A weight"), ({"on": 1e-9, "off": 1}, "4 decimals")]
)
def test_weights_that_flags_cannot_keep_are_refused(weights: dict[str, float], says: str) -> None:
    from whytree.experiments.judgement.design import whole_weights

    with pytest.raises(Invalid, match=says):
        whole_weights(weights)
    assert whole_weights({"on": 33.3, "off": 66.7}) == {"on": 333, "off": 667}


def test_weights_in_per_cent_that_do_not_sum_are_refused(api: Any, flag: Any) -> None:
    from whytree.experiments.judgement.draws import read_weights

    with pytest.raises(Invalid, match="add up to 90 and not to 100"):
        read_weights("off=50%,on=40%", ["off", "on"])


@pytest.mark.usefixtures("ran")
def test_the_start_fixes_the_plan_opens_the_flag_and_plans_the_review(ran: Ran, store: Any) -> None:
    experiment = ran(10, coverage=5_000)
    assert experiment.ends_at == experiment.started_at + timedelta(days=30)
    flag = experiment.flag
    flag.refresh_from_db()
    assert (flag.is_open, flag.coverage, flag.weights) == (True, 5_000, {"on": 1, "off": 1})
    review = OutcomeReview.objects.get()
    assert review.due_at == experiment.ends_at
    assert Hypothesis.objects.get().is_locked
    assert all(one.definition for one in experiment.design.metrics)


def test_after_the_start_no_edit_of_the_plan_gets_in_and_the_attempt_is_logged(actor: Any, ran: Ran, api: Any) -> None:
    experiment = ran(10)
    with pytest.raises(Conflict, match="its plan and decision rule are fixed"):
        edit_experiment(actor, experiment, plan={"rule": "not_worse"})
    assert api.patch("/products/sprout/experiments/EXP-1", {"plan": {"days": 20}}).status == 409
    attempts = Activity.objects.filter(verb="refused_edit", subject_label="EXP-1").order_by("pk")
    assert [one.after for one in attempts] == [{"rule": "not_worse"}, {"days": 20}]
    fresh = Experiment.objects.get()
    fresh.plan = fresh.plan | {"days": 20}
    with pytest.raises(Conflict):
        fresh.save()
    assert api.patch("/products/sprout/experiments/EXP-1", {"title": "Later"}).ok["title"] == "Later"


def test_a_metric_redefined_later_does_not_reach_into_a_running_experiment(
    actor: Any, product: Any, ran: Ran, api: Any
) -> None:
    from whytree.analytics.services import edit_metric

    ran(10, metrics=[{"key": "activated", "role": "primary"}, {"key": "orders", "role": "secondary"}])
    edit_metric(actor, product, "orders", definition={"version": 1, "kind": "count", "event": "other"})
    (_, orders) = Experiment.objects.get().design.metrics
    assert orders.definition is not None
    assert orders.definition["event"] == "ordered"


def test_an_arm_without_a_weight_is_no_arm(actor: Any, product: Any, hypothesis: Any) -> None:
    from whytree.flags.services import create_flag

    variants = {"off": "a", "short": "b", "long": "c"}
    flag = create_flag(actor, product, key="text", kind="string", variants=variants, at=long_ago(9))
    plan = {
        "days": 30,
        "weights": {"off": 1, "short": 1, "long": 0},
        "metrics": [{"key": "activated", "role": "primary"}],
    }
    assert create_experiment(actor, product, flag=flag, plan=plan).design.arms == ["off", "short"]


def test_one_flag_runs_one_experiment_at_a_time(actor: Any, product: Any, ran: Ran, flag: Any) -> None:
    ran(10)
    second = create_experiment(actor, product, flag=flag, plan={})
    with pytest.raises(Conflict, match="EXP-1 runs on ask_later and is not decided"):
        start_experiment(actor, second)
    with pytest.raises(Conflict, match="has started already"):
        start_experiment(actor, Experiment.objects.get(number=1))


def test_an_archived_flag_starts_nothing(actor: Any, product: Any, planned: Any, flag: Any) -> None:
    from whytree.flags.services import archive_flag

    archive_flag(actor, product, flag.key)
    with pytest.raises(Conflict, match="is archived, so nobody can be exposed"):
        start_experiment(actor, planned)
    with pytest.raises(Conflict, match="is archived"):
        create_experiment(actor, product, flag=Experiment.objects.get().flag, plan={})


def test_viewers_read_and_strangers_see_nothing(
    api_viewer: Any, api_charlie: Any, planned: Any, as_viewer: Any, as_charlie: Any
) -> None:
    assert api_viewer.get("/products/sprout/experiments/EXP-1").ok["state"] == "draft"
    assert api_viewer.post("/products/sprout/experiments/EXP-1/start").status == 403
    assert api_charlie.get("/products/sprout/experiments").status == 404
    assert as_charlie.get("/p/sprout/experiments/EXP-1").status_code == 404
    page = as_viewer.get("/p/sprout/experiments/EXP-1").content.decode()
    assert "is planned, and has not started" in page
    assert ">Start<" not in page
    assert as_viewer.post("/p/sprout/experiments/EXP-1/start").status_code == 403


def test_over_the_api_a_plan_is_what_was_said(api: Any, flag: Any) -> None:
    body = {"flag": "ask_later", "plan": {"weights": {"on": 25, "off": 75}, "coverage_percent": 10, "looks": "always"}}
    made = api.post("/products/sprout/experiments", body).ok
    assert (made["ref"], made["plan"]["weights"], made["plan"]["coverage"]) == ("EXP-1", {"on": 1, "off": 3}, 1_000)
    assert api.post("/products/sprout/experiments", body | {"flag": "none"}).status == 404
    assert api.get("/products/sprout/experiments/EXP-9").status == 404
    started = api.post("/products/sprout/experiments/EXP-1/start").ok
    assert started["state"] == "running"
    assert long_ago(1).isoformat() < started["started_at"]
