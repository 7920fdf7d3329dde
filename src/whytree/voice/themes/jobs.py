"""Themes find themselves: after new voices came in, a few times a day, in a process of its own."""

from datetime import timedelta
from typing import Any

from whytree.workspace.background.jobs import handler
from whytree.workspace.models import Product

from .models import ThemeRun
from .refreshing import refresh_themes
from .services import JOB, run_next_if_changed

EVERY = timedelta(hours=6)


@handler("voice.look_for_themes", every=EVERY)
def look_for_themes(payload: dict[str, Any]) -> None:
    """Ask for a look at every product that heard something new."""
    for product in Product.objects.all():
        run_next_if_changed(product)


@handler(JOB)
def find_themes(payload: dict[str, Any]) -> None:
    """Carry out one run; one that was done meanwhile is no trouble."""
    run = ThemeRun.objects.filter(pk=payload["run"]).select_related("product").first()
    if run is not None and run.state == ThemeRun.State.WAITING:
        refresh_themes(run)
