from typing import Any

import pytest

from tests.analytics.conftest import ACTIVATED
from whytree.analytics.services import create_metric, delete_metric, edit_metric
from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.tree.services import (
    create_hypothesis,
    create_opportunity,
    create_outcome,
    create_solution,
    lock_prediction,
)
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity

COUNT = {"version": 1, "kind": "count", "event": "planted"}


def test_a_metric_takes_its_unit_from_its_kind_and_its_name_from_its_key(actor: Any, product: Any) -> None:
    made = create_metric(actor, product, key="activated", definition=ACTIVATED)
    assert (made.name, made.unit, made.direction) == ("activated", "%", "up")
    activity = Activity.objects.get(verb="create_metric")
    assert (activity.subject_label, activity.before, activity.undoable) == ("activated", None, True)


@pytest.mark.parametrize("key", ["", "two words", "ä", "-x", "a/b", "a.b", "x" * 101])
def test_a_key_must_fit_an_address(actor: Any, product: Any, key: str) -> None:
    with pytest.raises(Invalid, match="Key"):
        create_metric(actor, product, key=key, definition=COUNT)


def test_a_key_is_taken_once(actor: Any, product: Any, activated: Any) -> None:
    with pytest.raises(Conflict, match="already"):
        create_metric(actor, product, key="activated_7d", definition=COUNT)
    with pytest.raises(Invalid, match="address of ours"):
        create_metric(actor, product, key="new", definition=COUNT)


def test_an_edit_keeps_what_was_not_named_and_can_be_told_from_before(actor: Any, product: Any, activated: Any) -> None:
    edited = edit_metric(actor, product, "activated_7d", name="Activated")
    assert (edited.name, edited.definition, edited.unit) == ("Activated", ACTIVATED, "%")
    activity = Activity.objects.get(verb="edit_metric")
    assert activity.before is not None
    assert activity.before["name"] == "Activated in 7 days"
    edit_metric(actor, product, "activated_7d", name="Activated")
    assert Activity.objects.filter(verb="edit_metric").count() == 1


def test_another_kind_brings_its_unit(actor: Any, product: Any, activated: Any) -> None:
    assert edit_metric(actor, product, "activated_7d", definition=COUNT).unit == ""


def test_a_viewer_may_not_define_and_an_outsider_sees_no_product(product: Any, viewer: Any, charlie: Any) -> None:
    with pytest.raises(Forbidden, match="role member"):
        create_metric(actor_of_user(viewer), product, key="x", definition=COUNT)
    with pytest.raises(NotFound):
        create_metric(actor_of_user(charlie), product, key="x", definition=COUNT)


def _hypothesis(actor: Any, product: Any, **fields: Any) -> Any:
    solution = create_solution(
        actor, product, opportunity=create_opportunity(actor, product, title="“Why my phone?”"), title="Ask later"
    )
    forecast = {"forecast_low": 1.0, "forecast_likely": 4.0, "forecast_high": 7.0}
    return create_hypothesis(
        actor, solution, change="phone number later", metric_key="activated_7d", **forecast, **fields
    )


def test_what_a_locked_prediction_counts_cannot_change(actor: Any, product: Any, activated: Any) -> None:
    hypothesis = _hypothesis(actor, product)
    edit_metric(actor, product, "activated_7d", definition=ACTIVATED | {"within_days": 14})
    lock_prediction(actor, hypothesis, at=hypothesis.created_at)
    with pytest.raises(Conflict, match="HYP-1 is locked"):
        edit_metric(actor, product, "activated_7d", definition=ACTIVATED)
    assert edit_metric(actor, product, "activated_7d", name="Still renamed").name == "Still renamed"


def test_a_guardrail_of_a_locked_prediction_is_as_fixed(actor: Any, product: Any, activated: Any) -> None:
    create_metric(actor, product, key="spam", definition=COUNT)
    rail = {"metric_key": "spam", "direction": "up", "margin": 0.5}
    hypothesis = _hypothesis(actor, product, guardrails=[rail])
    lock_prediction(actor, hypothesis, at=hypothesis.created_at)
    with pytest.raises(Conflict, match="HYP-1"):
        edit_metric(actor, product, "spam", definition=COUNT | {"event": "other"})


def test_a_metric_that_something_rests_on_stays(actor: Any, product: Any, activated: Any) -> None:
    create_outcome(actor, product, title="Activated", metric_key="activated_7d")
    with pytest.raises(Conflict, match="OUT-1 rests on it"):
        delete_metric(actor, product, "activated_7d")


def test_a_removed_metric_can_be_brought_back(actor: Any, product: Any, activated: Any) -> None:
    from whytree.analytics.models import Metric
    from whytree.workspace.records.activity import undo

    delete_metric(actor, product, "activated_7d")
    assert not Metric.objects.exists()
    undo(actor, product, Activity.objects.get(verb="delete_metric").pk)
    assert Metric.objects.get().definition == ACTIVATED
