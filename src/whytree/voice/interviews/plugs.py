"""What interviews show on others' pages and find for the box, and how they forget a person."""

from django.utils import timezone

from whytree.engines.texts.words import is_unspaced, parse_query
from whytree.people.queries import PersonRef
from whytree.tree.models import Opportunity
from whytree.voice.contacts import contacts_of, reach_of
from whytree.voice.queries import links_of
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Hit, Panel, plug_erase, plug_panel, plug_search

from . import queries
from .cadence import cadence
from .erasing import erase_interviews
from .finding import talks_with
from .models import Interview
from .recruiting import wanted_for

SHOWN = 5
MOST_FOUND = 4
SHORTEST = 3
"""Letters; fewer begin nearly every word there is."""


def plug() -> None:
    """Called once at start-up."""
    plug_panel("person", person_panel, order=22)
    plug_panel("person", contacts_panel, order=60)
    plug_panel("opportunity", wanted_panel, order=22)
    plug_panel("today", today_panel, order=45)
    plug_search(search)
    plug_erase(erase_interviews)


def person_panel(actor: Actor, product: Product, person: PersonRef) -> Panel | None:
    """The talks with them, and what was marked there."""
    found = queries.interviews_of_person(product, person.ids, limit=SHOWN)
    if not found:
        return None
    links = links_of(found)
    context = {"talks": [(one, links.get(one.ref, []), list(one.highlights.all()[:3])) for one in found]}
    return Panel("Talks with them", "voice/_panel_talks.html", context)


def contacts_panel(actor: Actor, product: Product, person: PersonRef) -> Panel | None:
    """Whether they may be asked for anything, and what they were asked for."""
    context = {
        "product": product,
        "key": person.key,
        "reach": reach_of(product, [person.key])[person.key],
        "log": contacts_of(product, person.ids, limit=SHOWN),
        "may_write": may_write(actor, product),
    }
    return Panel("Asking them", "voice/_panel_contacts.html", context, column="aside")


def wanted_panel(actor: Actor, product: Product, opportunity: Opportunity) -> Panel | None:
    """Where an opportunity rests on an old or a single voice: whom to ask next."""
    wanted = None if opportunity.is_closed else wanted_for(opportunity)
    if wanted is None or not may_write(actor, product):
        return None
    return Panel("Ask for one new talk", "voice/_panel_wanted.html", {"wanted": wanted}, column="aside", tone="amber")


def today_panel(actor: Actor, product: Product, subject: None) -> Panel | None:
    """Weeks with a touchpoint, once the team has begun to talk to users."""
    kept = cadence(product, timezone.now())
    if kept.last_at is None:
        return None
    context = {"product": product, "cadence": kept}
    return Panel("Talks with users", "voice/_panel_cadence.html", context, column="aside")


def search(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Interviews by their id, by whom they were with, or by what was said in them."""
    words = words.strip()
    if words.upper().startswith("INT-") and words[4:].isdecimal() and len(words) < 14:
        found = queries.interviews(product).filter(number=int(words[4:]))[:1]
        return [_hit(product, one, 1.0) for one in found]
    if len(words) < 2:
        return []
    found = queries.interviews(product).filter(participant__icontains=words, erased_at=None)
    most = min(limit, MOST_FOUND)
    by_name = [_hit(product, one, 0.55) for one in found[:most]]
    query = parse_query(words)
    longest = max((word for term in query.wanted for word in term.words), key=len, default="")
    said = talks_with(product, query, limit=most) if len(longest) >= SHORTEST or is_unspaced(longest) else []
    return by_name + [
        Hit(
            "talk, by meaning" if one.by_meaning else "talk",
            one.interview.ref,
            "".join(piece.text for piece in one.shown),
            one.url,
            0.38,
        )
        for one in said
    ]


def _hit(product: Product, one: Interview, rank: float) -> Hit:
    title = f"Talk with {one.who}, {one.held_at:%Y-%m-%d}"
    return Hit("interview", one.ref, title, f"/p/{product.slug}/{one.ref}", rank)
