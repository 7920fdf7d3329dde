"""A prediction is made before people see the change, and stays as it was made."""

import math
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from whytree.errors import Conflict
from whytree.tree import services
from whytree.tree.models import Hypothesis
from whytree.workspace.models import Activity
from whytree.workspace.records.activity import last_undoable, undo

from .conftest import Garden


@pytest.fixture
def locked(garden: Garden, actor: Any) -> Hypothesis:
    return services.lock_prediction(actor, garden.hypothesis, at=timezone.now())


@pytest.mark.parametrize(
    ("low", "likely", "high"), [(4, 4, 7), (1, 8, 7), (7, 4, 1), (1, 7, 7), (1, math.inf, 7), (math.nan, 4, 7)]
)
def test_it_refuses_a_forecast_that_does_not_rise(
    api: Any, garden: Garden, low: float, likely: float, high: float
) -> None:
    forecast = {"forecast_low": low, "forecast_likely": likely, "forecast_high": high}
    body = {"parent": "SOL-1", "change": "x", "metric_key": "m", **forecast}
    assert api.post("/products/sprout/hypotheses", body).status == 400
    assert Hypothesis.objects.count() == 1


def test_the_database_holds_the_order_too(garden: Garden) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Hypothesis.objects.update(forecast_low=9)


@pytest.mark.parametrize(
    "guard",
    [
        {"metric_key": "m", "direction": "sideways", "margin": 1},
        {"metric_key": "m", "direction": "up", "margin": -1},
        {"metric_key": "", "direction": "up", "margin": 1},
        {"metric_key": "m", "direction": "up"},
        {"metric_key": "m", "direction": "up", "margin": True},
    ],
)
def test_it_refuses_a_guardrail_that_cannot_guard(api: Any, garden: Garden, guard: dict[str, Any]) -> None:
    answer = api.patch("/products/sprout/hypotheses/HYP-1", {"guardrails": [guard]})
    assert answer.status == 400
    assert "A guardrail needs" in answer.body["message"]


def test_an_edit_of_a_locked_prediction_is_refused_and_logged(api: Any, locked: Hypothesis) -> None:
    answer = api.patch("/products/sprout/hypotheses/HYP-1", {"forecast_high": 2.0, "forecast_likely": 1.5})
    assert answer.status == 409
    assert "locked" in answer.body["message"]
    assert api.get("/products/sprout/hypotheses/HYP-1").ok["forecast_high"] == 7.0
    attempt = Activity.objects.get(verb="refused_edit")
    assert (attempt.actor, attempt.subject_label, attempt.undoable) == ("Alice", "HYP-1", False)
    assert attempt.after == {"forecast_high": 2.0, "forecast_likely": 1.5}


@pytest.mark.relational
@pytest.mark.django_db(transaction=True)
def test_the_log_of_a_refused_edit_outlives_the_request(api: Any, locked: Hypothesis) -> None:
    assert api.patch("/products/sprout/hypotheses/HYP-1", {"who": "everybody"}).status == 409
    assert Activity.objects.filter(verb="refused_edit").count() == 1


def test_the_page_says_so_and_refuses_too(as_alice: Any, locked: Hypothesis) -> None:
    form = as_alice.get("/p/sprout/HYP-1/edit").content.decode()
    assert "This prediction is locked" in form
    fields = {
        "change": "x",
        "metric_key": "m",
        "forecast_low": 1,
        "forecast_likely": 2,
        "forecast_high": 3,
        "horizon_days": 28,
    }
    assert as_alice.post("/p/sprout/HYP-1/edit", fields).status_code == 409
    assert Activity.objects.filter(verb="refused_edit").count() == 1


def test_a_stranger_s_attempt_is_not_logged_as_one(api_viewer: Any, locked: Hypothesis) -> None:
    assert api_viewer.patch("/products/sprout/hypotheses/HYP-1", {"who": "x"}).status == 403
    assert not Activity.objects.filter(verb="refused_edit").exists()


def test_it_can_neither_be_moved_nor_closed(api: Any, locked: Hypothesis, actor: Any, product: Any) -> None:
    services.create_solution(actor, product, title="another")
    assert api.post("/products/sprout/nodes/HYP-1/move", {"parent": "SOL-2"}).status == 409
    assert api.post("/products/sprout/nodes/HYP-1/close", {"reason": "looks bad"}).status == 409
    assert Activity.objects.filter(verb="refused_edit").count() == 2


@pytest.mark.parametrize("change", [{"forecast_high": 9.0}, {"locked_at": None, "lock_hash": ""}, {"guardrails": []}])
def test_no_code_path_saves_another_one(locked: Hypothesis, change: dict[str, Any]) -> None:
    for name, value in change.items():
        setattr(locked, name, value)
    with pytest.raises(Conflict):
        locked.save()


def test_an_edit_from_before_the_lock_cannot_be_undone_after_it(garden: Garden, actor: Any, product: Any) -> None:
    services.edit_hypothesis(actor, garden.hypothesis, forecast_high=8.0)
    edit = last_undoable(actor, product)
    assert edit is not None
    services.lock_prediction(actor, garden.hypothesis, at=timezone.now())
    with pytest.raises(Conflict):
        undo(actor, product, edit.pk)


def test_locking_twice_keeps_the_first_seal(locked: Hypothesis, actor: Any) -> None:
    again = services.lock_prediction(actor, locked, at=timezone.now())
    assert (again.locked_at, again.lock_hash) == (locked.locked_at, locked.lock_hash)
    assert Activity.objects.filter(verb="lock_prediction").count() == 1


def test_the_seal_is_in_the_activity_list_and_fits_the_content(locked: Hypothesis) -> None:
    fresh = Hypothesis.objects.get()
    assert fresh.content_hash() == fresh.lock_hash == Activity.objects.get(verb="lock_prediction").after["lock_hash"]


def test_notes_and_evidence_still_can_be_added(api: Any, locked: Hypothesis) -> None:
    assert api.post("/products/sprout/nodes/HYP-1/notes", {"text": "looks high now"}).status == 201


def test_its_title_is_its_change_until_somebody_says_otherwise(garden: Garden) -> None:
    assert garden.hypothesis.title == "asking for the phone number later"
