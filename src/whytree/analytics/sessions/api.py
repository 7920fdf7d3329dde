"""Sessions over REST."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from whytree.workspace.doors import ApiRequest, api_product
from whytree.workspace.roles import Role

from .queries import USUAL_DAYS, sessions

router = Router(tags=["Questions"])


class BouncedOut(Schema):
    """A share from 0 to 1 of `n` sessions, with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


class PlaceOut(Schema):
    name: str = Field(description="Path of a page or screen; empty when the event had none.")
    entered: int
    left: int
    bounced: int


class SessionsOut(Schema):
    """The sessions that began in the period."""

    sentence: str
    sessions: int
    people: int
    bounced: BouncedOut | None = Field(description="Sessions of one event.")
    seconds: float | None = Field(description="Median from the first to the last event.")
    p90_seconds: float | None
    events: float | None = Field(description="Mean in a session.")
    pages: float | None = Field(description="Mean of page views and screens, in sessions that have any.")
    idle_minutes: int
    from_at: datetime
    to_at: datetime
    places: list[PlaceOut]


@router.get("/products/{product}/sessions", response=SessionsOut, operation_id="ask_sessions")
def ask_sessions(request: ApiRequest, product: str, days: int = USUAL_DAYS) -> Any:
    """How long people stay, where they come in and where they go."""
    found = sessions(api_product(request, product, Role.VIEWER), days=days)
    sums, bounced = found.sums, found.bounced
    return {
        "sentence": found.sentence,
        "sessions": sums.sessions,
        "people": sums.people,
        "bounced": bounced and {name: getattr(bounced, name) for name in ("value", "low", "high", "n")},
        "seconds": sums.seconds,
        "p90_seconds": sums.p90_seconds,
        "events": sums.events,
        "pages": sums.pages,
        "idle_minutes": found.idle_minutes,
        "from_at": found.from_at,
        "to_at": found.to_at,
        "places": found.places,
    }
