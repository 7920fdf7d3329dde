"""How often `why` gets all the way, counted where a team wants to know: as events of the product it names.

Off unless `WHYTREE_COUNT_ANSWERS` names a product of this installation. The two events go into its own event store and
nowhere else. They say what kind of thing was asked about and how far the answer came; not which line, and not who asked:
the person is a keyed hash, enough to count people and too little to rank them.
"""

import logging
import time

from django.conf import settings
from django.utils.crypto import salted_hmac

from whytree.engines.links.tickets import TicketRef
from whytree.events.services import accept
from whytree.events.shaping.normalise import Door, event
from whytree.events.shaping.rows import SERVER
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor

from ..answer import Why
from ..refs import CommitRef, FlagRef, FolderRef, LineRef, Ref

log = logging.getLogger("whytree.why")

ASKED, ANSWERED = "why asked", "why answered"
_KINDS = ((LineRef, "line"), (FolderRef, "folder"), (CommitRef, "commit"), (FlagRef, "flag"), (TicketRef, "ticket"))


def count(actor: Actor, ref: Ref, answer: Why) -> None:
    """Note a question, and that its answer came all the way when it did. What is asked is answered whatever happens here."""
    slug = settings.WHYTREE.count_answers
    if not slug:
        return
    try:
        product = Product.objects.filter(slug=slug).first()
        if product is None:
            log.warning("WHYTREE_COUNT_ANSWERS names %r, which is no product here: nothing is counted", slug)
            return
        _write(product, _asker(actor), {"about": _kind(ref), "came_to": came_to(answer)})
    except Exception:  # an answer is worth more than its being counted
        log.exception("an answer could not be counted")


def came_to(answer: Why) -> str:
    """The last hop of an unbroken line: nothing, solution, opportunity, person, outcome.

    `outcome` is a review's measured difference; a metric's value alone does not say what the change did.
    """
    if answer.solution is None:
        return "nothing"
    if answer.opportunity is None:
        return "solution"
    if not any(one.quote for one in answer.evidence):
        return "opportunity"
    return "outcome" if answer.review is not None and answer.review.difference is not None else "person"


def _write(product: Product, asker: str, said: dict[str, str]) -> None:
    now = time.time()
    door = Door(product.pk, SERVER, now)
    names = [ASKED, ANSWERED] if said["came_to"] == "outcome" else [ASKED]
    events = [
        event(door, distinct_id=asker, name=name, properties=dict(said), timestamp=now + place / 1000, known=False)
        for place, name in enumerate(names)  # a millisecond apart, so that one follows the other
    ]
    accept(product.pk, SERVER, events)


def _asker(actor: Actor) -> str:
    who = f"user {actor.user_id}" if actor.user_id is not None else f"key {actor.key_id}"
    return "asker-" + salted_hmac("whytree.why.asker", who).hexdigest()[:16]


def _kind(ref: Ref) -> str:
    return next((kind for of, kind in _KINDS if isinstance(ref, of)), "node")
