"""What the frame around every page needs."""

from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest

from whytree.workspace.background.once import current_page
from whytree.workspace.models import Product, User


@dataclass(frozen=True)
class Place:
    """One of the six places in the bar. `key` is pressed after "g"; `inner` pages are shown while one is there."""

    name: str
    label: str
    key: str
    inner: tuple[tuple[str, str], ...] = ()


PLACES = (
    Place("today", "Today", "h"),
    Place(
        "voices",
        "Voices",
        "v",
        inner=(
            ("interviews", "Interviews"),
            ("themes", "Themes"),
            ("surveys", "Surveys"),
            ("people", "People"),
        ),
    ),
    Place(
        "numbers",
        "Numbers",
        "n",
        inner=(
            ("ask", "Ask"),
            ("boards", "Boards"),
            ("cohorts", "Cohorts"),
            ("alerts", "Alerts"),
            ("events", "Events"),
        ),
    ),
    Place("tree", "Tree", "t", inner=(("weighed", "Weighed"),)),
    Place(
        "changes",
        "Changes",
        "c",
        inner=(
            ("experiments", "Experiments"),
            ("flags", "Flags"),
            ("deployments", "Deployments"),
            ("debts", "Debts"),
            ("coverage", "Coverage"),
        ),
    ),
    Place("learned", "Learned", "l", inner=(("calibration", "Calibration"), ("programme", "Programme"))),
)


# Inner places by the ids of what stands on their pages, and by pages that lie beside them.
_PLACE_OF = {
    "ASK": "ask",
    "forms": "events",
    "subscriptions": "alerts",
    "INT": "interviews",
    "USR": "interviews",
    "usability": "interviews",
    "SUR": "surveys",
    "THM": "themes",
    "EXP": "experiments",
}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Who is signed in, the product the bar speaks of, and the products to switch to."""
    me = _signed_in(request)
    if me is None:
        return {"me": None, "places": (), "product": None, "my_products": ()}
    mine = Product.objects.filter(memberships__user=me).order_by("name")
    product = getattr(request, "product", None) or _last_seen(request, mine)
    return {
        "me": me,
        "numbers_of": current_page(),
        "places": PLACES if product else (),
        "inside": request.path.removeprefix("/p/").split("/")[1:2],
        "above": _above(request.path),
        "product": product,
        "my_products": mine,
    }


def _above(path: str) -> str:
    """The inner place that the page of an interview, a survey, a theme or an experiment belongs to."""
    page = path.removeprefix("/p/").split("/")[1:2]
    return _PLACE_OF.get(page[0].partition("-")[0], "") if page else ""


def _signed_in(request: HttpRequest) -> User | None:
    """Nobody while the database does not answer: the page that says so is drawn in this very frame."""
    try:
        user = getattr(request, "user", None)
        return user if isinstance(user, User) else None
    except DatabaseError:
        return None


def _last_seen(request: HttpRequest, mine: QuerySet[Product]) -> Product | None:
    """Pages outside a product keep the bar of the one that was open."""
    slug = request.session.get("product")
    return mine.filter(slug=slug).first() if slug else None
