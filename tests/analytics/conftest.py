"""A few people of Sprout, written straight into the event store."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

_ids = count(1)


@pytest.fixture
def happened(store: Any, product: Any) -> Callable[..., None]:
    """`happened(person, event, days_ago)`: one event."""

    def write(person: int, event: str, days_ago: float = 1.0) -> None:
        store.insert("events", [_row(product, person, event, days_ago)])

    return write


def _row(product: Any, person: int, event: str, days_ago: float) -> dict[str, Any]:
    at: datetime = timezone.now() - timedelta(days=days_ago)
    return {
        "product": product.pk,
        "person": person,
        "timestamp": at,
        "event": event,
        "event_id": next(_ids),
        "distinct_id": str(person),
        "received_at": at,
    }


ACTIVATED = {"version": 1, "kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}


@pytest.fixture
def activated(actor: Any, product: Any) -> Any:
    from whytree.analytics.services import create_metric

    return create_metric(actor, product, key="activated_7d", name="Activated in 7 days", definition=ACTIVATED)


@pytest.fixture
def five_sign_up_three_plant(store: Any, product: Any) -> None:
    """Ten days ago; a sixth signed up yesterday and has time left."""
    told = [(person, "signed_up", 10.0) for person in range(1, 6)] + [
        (person, "planted", 9.0) for person in range(1, 4)
    ]
    told += [(6, "signed_up", 1.0), (6, "planted", 0.5)]
    store.insert("events", [_row(product, *one) for one in told])  # one insert: each costs as much as all
