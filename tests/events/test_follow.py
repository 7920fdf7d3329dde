"""What follows from events while the store is away: it waits, within bounds."""

import time
from typing import Any

import pytest

from whytree.events.durable import follow
from whytree.events.durable.follow import MAX_ASIDE, Follower
from whytree.events.shaping.rows import Rejected
from whytree.stores.errors import StoreUnavailable
from whytree.stores.events import EventStore

pytestmark = pytest.mark.django_db


def test_messages_that_are_none_are_kept_up_to_a_bound_however_often_the_store_refuses_them(
    product: Any, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(store)
    monkeypatch.setattr(follower, "_go_on", lambda: None)  # the test says when

    def send() -> None:
        follower.note_rejected(product.pk, "capture", time.time(), [Rejected("no event", body=b"{}")] * 400)

    def away(rows: Any) -> None:
        send()  # others go on sending meanwhile
        raise StoreUnavailable("away")

    send()
    with monkeypatch.context() as broken:
        broken.setattr(follow.stored, "put_aside", away)
        for _ in range(6):
            with pytest.raises(StoreUnavailable):
                follower.settle()
            send()
    follower.settle()
    assert store.value("SELECT count() FROM quarantine") == MAX_ASIDE
