"""Rows of events, written straight into the store."""

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

_products = count(1000)


def event_row(number: int, person: int, event: str, at: datetime, **more: Any) -> dict[str, Any]:
    """An event as the store takes it; `number` is its id."""
    told = {"person": person, "event": event, "timestamp": at, "event_id": number}
    return told | {"distinct_id": str(person), "received_at": at, **more}


def written(store: Any, rows: Iterable[dict[str, Any]]) -> int:
    """Put them under a product of their own, which is given back."""
    product = next(_products)
    store.insert("events", [{"product": product, **one} for one in rows])
    return product
