"""While an act of the past is played, it is then: for services, for defaults of models, and only there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.demo.clock import moved_to
from whytree.workspace.models import Product, User

THEN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_it_is_then_inside_the_block_and_now_outside() -> None:
    before = timezone.now()
    with moved_to(THEN):
        assert timezone.now() == THEN
    assert timezone.now() >= before


def test_it_is_now_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), moved_to(THEN):
        raise ValueError("x")
    assert abs(timezone.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_datetime_stays_one() -> None:
    with moved_to(THEN):
        assert timezone.localtime(THEN) == THEN
        assert timezone.template_localtime(THEN, use_tz=True) == THEN
        assert type(timezone.now()) is datetime


def test_what_a_service_writes_is_dated_then(actor: Any, product: Product) -> None:
    from whytree.tree.services import create_outcome
    from whytree.workspace.models import Activity

    with moved_to(THEN):
        made = create_outcome(actor, product, title="Activated in 7 days", metric_key="activated_7d")
    made.refresh_from_db()
    assert made.created_at == made.updated_at == THEN
    assert Activity.objects.latest("pk").at == THEN


def test_a_default_of_a_model_is_dated_then(db: None) -> None:
    with moved_to(THEN):
        assert User.objects.create_user("dora@example.org").created_at == THEN
