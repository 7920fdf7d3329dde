"""Which surveys run in pages: held in memory for some seconds, so that a page that asks costs no query."""

import time

from django.db import DatabaseError

from .models import Survey, SurveyState

FRESH_SECONDS = 10.0

_held: dict[int, tuple[float, list[Survey]]] = {}


def running_in_pages(product_id: int) -> list[Survey]:
    """Those that pages may show now, the oldest first; another process sees a change some seconds later."""
    found = _held.get(product_id)
    if found is not None and found[0] > time.monotonic():
        return found[1]
    try:
        running = Survey.objects.filter(product_id=product_id, state=SurveyState.RUNNING, in_page=True)
        surveys = list(running.select_related("product").order_by("number"))
    except DatabaseError:
        surveys = found[1] if found is not None else []
    _held[product_id] = (time.monotonic() + FRESH_SECONDS, surveys)
    return surveys


def forget(product_id: int | None = None) -> None:
    """Look anew; without a product, for all of them."""
    if product_id is None:
        _held.clear()
    else:
        _held.pop(product_id, None)
