"""What events show elsewhere: on Today, what was sent and counts nowhere."""

from typing import Any

from whytree.errors import Unavailable
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Panel, plug_erase, plug_panel

from . import queries
from .importing.uploads import throw_away_for


def plug() -> None:
    """Called once at start-up."""
    plug_panel("today", today_panel, order=50)
    plug_erase(throw_away_for)


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """How much was put aside lately, with the latest reason: figures miss it until somebody looks."""
    try:
        count = queries.put_aside_lately(product)
        latest = queries.put_aside(product, limit=1)
    except Unavailable:
        return None
    if not count or not latest:
        return None
    return Panel(
        "Sent, and counted nowhere",
        "events/_today_panel.html",
        {"product": product, "count": count, "reason": latest[0].reason},
        column="aside",
        tone="amber",
    )
