from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.conftest import long_ago
from whytree.errors import Conflict, Forbidden, NotFound
from whytree.events.durable.follow import stop_following
from whytree.flags.models import Flag
from whytree.flags.services import create_flag, edit_flag, open_flag, turn_off
from whytree.learning.models import OutcomeReview
from whytree.learning.services import lock_prediction
from whytree.tree.models import Hypothesis, State
from whytree.tree.services import edit_hypothesis
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity
from whytree.workspace.sockets import tell_fact

pytestmark = pytest.mark.usefixtures("store")


def test_opening_the_flag_locks_the_prediction_and_plans_its_review(
    actor: Any, product: Any, flag: Any, hypothesis: Any
) -> None:
    at = long_ago(3)
    open_flag(actor, product, flag.key, coverage=500, at=at)
    hypothesis.refresh_from_db()
    review = OutcomeReview.objects.get()
    assert (hypothesis.is_locked, hypothesis.opened_at) == (True, at)
    assert hypothesis.lock_hash == hypothesis.content_hash()
    assert (review.ref, review.due_at, review.is_decided) == ("REV-1", at + timedelta(days=28), False)
    assert hypothesis.solution.state == State.LIVE
    lock = Activity.objects.get(verb="lock_prediction")
    assert lock.undoable is False
    assert lock.after is not None
    assert lock.after["lock_hash"] == hypothesis.lock_hash


def test_a_flag_at_zero_percent_locks_nothing(actor: Any, product: Any, flag: Any, hypothesis: Any) -> None:
    from whytree.flags.services import set_rollout

    set_rollout(actor, product, flag.key, is_on=True)
    hypothesis.refresh_from_db()
    assert not hypothesis.is_locked


def test_an_edit_after_the_lock_is_refused_and_logged(actor: Any, product: Any, flag: Any, hypothesis: Any) -> None:
    open_flag(actor, product, flag.key)
    with pytest.raises(Conflict, match="HYP-1 is locked"):
        edit_hypothesis(actor, hypothesis, forecast_high=20.0)
    hypothesis.refresh_from_db()
    assert hypothesis.forecast_high == 9.0
    refused = Activity.objects.get(verb="refused_edit")
    assert refused.after == {"forecast_high": 20.0}


def test_opening_it_again_changes_neither_lock_nor_review(actor: Any, product: Any, flag: Any, hypothesis: Any) -> None:
    open_flag(actor, product, flag.key, at=long_ago(3))
    before = OutcomeReview.objects.get()
    turn_off(actor, product, flag.key)
    open_flag(actor, product, flag.key)
    after = OutcomeReview.objects.get()
    assert (after.due_at, after.pk) == (before.due_at, before.pk)
    assert Activity.objects.filter(verb="lock_prediction").count() == 1


def test_the_first_exposure_from_elsewhere_locks_too_and_may_be_told_twice(
    product: Any, flag: Any, hypothesis: Any
) -> None:
    at = long_ago(1)
    Hypothesis.objects.update(created_at=long_ago(2))
    for _ in range(2):
        tell_fact("exposure_received", product_id=product.pk, flag_key=flag.key, at=at, trusted=True)
    tell_fact("exposure_received", product_id=product.pk, flag_key="unknown", at=at, trusted=True)
    hypothesis.refresh_from_db()
    assert hypothesis.opened_at == at
    assert OutcomeReview.objects.count() == 1


def test_an_exposure_said_to_be_of_another_decade_locks_when_the_prediction_was_written(
    product: Any, flag: Any, hypothesis: Any
) -> None:
    """Public keys can be forged, and so can the times sent with them."""
    tell_fact("exposure_received", product_id=product.pk, flag_key=flag.key, at=long_ago(3_000), trusted=True)
    hypothesis.refresh_from_db()
    assert hypothesis.opened_at == hypothesis.created_at


def _exposure(key: str, flag: str) -> None:
    from tests.events.conftest import Sender, track

    properties = {"experiment_id": flag, "variation_name": "on"}
    assert Sender(key).batch(track("Experiment Viewed", "u-1", properties=properties)).status == 200


def test_a_public_key_cannot_lock_the_prediction_of_a_flag_that_is_closed_here(
    store: Any, capture_key: str, flag: Any, hypothesis: Any, product: Any
) -> None:
    for _ in range(2):
        _exposure(capture_key, flag.key)
        stop_following()  # what a restart tells again
    hypothesis.refresh_from_db()
    assert not hypothesis.is_locked
    assert store.value("SELECT count() FROM events WHERE event = '$exposure'") == 2, "kept all the same"
    claims = store.query("SELECT kind, reason FROM quarantine")
    assert len(claims) == 1
    assert "ask_later, which is closed here" in claims[0]["reason"]


def test_a_server_key_locks_it_even_after_a_public_one_tried(
    store: Any, capture_key: str, server_key: str, flag: Any, hypothesis: Any
) -> None:
    _exposure(capture_key, flag.key)
    _exposure(server_key, flag.key)
    hypothesis.refresh_from_db()
    assert hypothesis.is_locked


def test_a_public_key_is_believed_where_the_flag_is_open(
    store: Any, capture_key: str, actor: Any, product: Any, flag: Any, hypothesis: Any
) -> None:
    Flag.objects.filter(pk=flag.pk).update(is_on=True, coverage=1_000)
    _exposure(capture_key, flag.key)
    hypothesis.refresh_from_db()
    assert hypothesis.is_locked


def test_a_flag_without_a_hypothesis_locks_nothing_until_it_gets_one(actor: Any, product: Any, hypothesis: Any) -> None:
    create_flag(actor, product, key="bare")
    open_flag(actor, product, "bare")
    assert not OutcomeReview.objects.exists()
    edit_flag(actor, product, "bare", hypothesis=hypothesis)
    assert OutcomeReview.objects.get().hypothesis == hypothesis


def test_without_a_flag_a_person_locks_by_hand(api: Any, hypothesis: Any, product: Any) -> None:
    review = api.post("/products/sprout/hypotheses/HYP-1/lock").ok
    assert (review["ref"], review["state"], review["predicted"]) == ("REV-1", "early", "+1 to +9 pp")
    hypothesis.refresh_from_db()
    assert hypothesis.is_locked
    assert hypothesis.solution.state == State.LIVE
    assert api.post("/products/sprout/hypotheses/HYP-1/lock").ok["ref"] == "REV-1"


def test_only_members_lock_and_only_hypotheses(api_viewer: Any, api: Any, charlie: Any, hypothesis: Any) -> None:
    assert api_viewer.post("/products/sprout/hypotheses/HYP-1/lock").status == 403
    assert api.post("/products/sprout/hypotheses/SOL-1/lock").status == 404
    with pytest.raises(NotFound):
        lock_prediction(actor_of_user(charlie), hypothesis)


def test_a_viewers_own_lock_is_refused(viewer: Any, hypothesis: Any) -> None:
    with pytest.raises(Forbidden):
        lock_prediction(actor_of_user(viewer), hypothesis, at=timezone.now())
