"""Undo takes back one's own last act, exactly, and nothing else."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from whytree.analytics.boards.services import add_card, create_board
from whytree.errors import Conflict, Forbidden
from whytree.tree.models import Outcome
from whytree.tree.services import create_outcome
from whytree.workspace import services
from whytree.workspace.entry.keys import actor_of_user, create_key
from whytree.workspace.models import Activity, Product
from whytree.workspace.records import activity

pytestmark = pytest.mark.django_db


def test_it_puts_the_old_value_back(actor: Any, product: Any) -> None:
    services.edit_product(actor, product, vision="Everybody grows something.")
    services.edit_product(actor, product, vision="Something else.")
    activity.undo(actor, product, activity.last_undoable(actor, product).pk)
    product.refresh_from_db()
    assert product.vision == "Everybody grows something."
    assert Activity.objects.filter(verb="undo").get().undoes.verb == "edit_product"


def test_times_come_back_to_the_microsecond(actor: Any, product: Any) -> None:
    """Whatever zone they were written in: a moment is no other moment because of it."""
    made = timezone.now().replace(microsecond=123_456)
    Product.objects.filter(pk=product.pk).update(created_at=made)
    product.created_at = made.astimezone(ZoneInfo("Asia/Tokyo"))
    services.edit_product(actor, product, vision="Something else.")
    activity.undo(actor, product, activity.last_undoable(actor, product).pk)
    product.refresh_from_db()
    assert product.created_at == made


def test_it_removes_what_was_made(actor: Any, product: Any) -> None:
    made = create_outcome(actor, product, title="People come back")
    activity.undo(actor, product, activity.last_undoable(actor, product).pk)
    assert not Outcome.objects.filter(pk=made.pk).exists()


def test_who_belongs_is_never_changed_by_undo(actor: Any, product: Any, bob: Any) -> None:
    """Else somebody who was made a lesser member could make others owners, or leave none."""
    services.set_member(actor, product, bob.pk, role="owner")
    assert activity.last_undoable(actor, product) is None
    services.remove_member(actor, product, bob.pk)
    assert activity.last_undoable(actor, product) is None


def test_it_refuses_somebody_elses_act(actor: Any, product: Any, bob: Any) -> None:
    services.edit_product(actor, product, vision="Mine.")
    last = activity.last_undoable(actor, product)
    with pytest.raises(Forbidden, match="Only your own"):
        activity.undo(actor_of_user(bob), product, last.pk)


def test_it_refuses_when_it_was_changed_since(actor: Any, product: Any, bob: Any) -> None:
    services.edit_product(actor, product, vision="Mine.")
    last = activity.last_undoable(actor, product)
    services.edit_product(actor_of_user(bob), product, vision="Bob's.")
    with pytest.raises(Conflict, match="changed since"):
        activity.undo(actor, product, last.pk)


def test_it_takes_nobody_elses_work_along(actor: Any, product: Any, bob: Any) -> None:
    made = create_board(actor, product, title="Weekly")
    last = activity.last_undoable(actor, product)
    add_card(actor_of_user(bob), product, made.number, text="What Bob wants to see")
    with pytest.raises(Conflict, match="Somebody else"):
        activity.undo(actor, product, last.pk)
    assert made.cards.count() == 1


def test_it_refuses_all_but_the_last(actor: Any, product: Any) -> None:
    services.edit_product(actor, product, vision="One.")
    first = activity.last_undoable(actor, product)
    services.edit_product(actor, product, vision="Two.")
    with pytest.raises(Conflict, match="Only your last"):
        activity.undo(actor, product, first.pk)


def test_it_refuses_twice(actor: Any, product: Any) -> None:
    services.edit_product(actor, product, vision="One.")
    last = activity.last_undoable(actor, product)
    activity.undo(actor, product, last.pk)
    with pytest.raises(Conflict, match="already"):
        activity.undo(actor, product, last.pk)


def test_a_key_is_never_unmade_by_undo(actor: Any, product: Any) -> None:
    create_key(actor, product, kind="server", name="x")
    assert activity.last_undoable(actor, product) is None


def test_no_secret_reaches_the_activity_list(actor: Any, product: Any) -> None:
    key, secret = create_key(actor, product, kind="server", name="x")
    services.invite_member(actor, product, role="viewer")
    written = str(list(Activity.objects.values("before", "after")))
    assert secret not in written
    assert key.secret_hash not in written
    assert "token_hash" not in written
    assert "password" not in written
