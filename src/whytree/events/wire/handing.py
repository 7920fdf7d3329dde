"""The way in that all dialects share, once a request's key is known and its messages are read."""

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse

from whytree.workspace.entry.keys import KeyFacts

from .. import arrivals
from ..intake.rules import rules_of, spend
from ..relay.services import pass_on
from ..services import Accepted, Offer, Refusal
from ..shaping.normalise import Door
from ..shaping.rows import CAPTURE, LeftOut, Outcome, Rejected
from .later import Later, can_wait

ELSEWHERE = LeftOut("The key is of another environment than production, so this is counted nowhere.")


def admit(facts: KeyFacts, messages: int) -> None:
    """Raise `TooMany` when this key has sent as much as it may."""
    spend(facts.id, messages, facts.product_id or 0)


def _look_only(facts: KeyFacts, dialect: str, items: Sequence[Outcome]) -> Accepted:
    refused = [
        Refusal(index, item.message_id, item.reason) for index, item in enumerate(items) if isinstance(item, Rejected)
    ]
    accepted = Accepted(len(items), refused=refused, left_out=len(items) - len(refused))
    left_out = [item if isinstance(item, Rejected) else ELSEWHERE for item in items]
    arrivals.note(facts, dialect, left_out, accepted)
    return accepted


def hand_in(
    request: HttpRequest,
    facts: KeyFacts,
    door: Door,
    dialect: str,
    items: Sequence[Outcome],
    told: Callable[[Accepted], HttpResponse],
) -> HttpResponse:
    """Write what the product wants of it; what `told` makes of that is sent when it is on disk. What comes from elsewhere than
    production is shown among the arrivals and kept nowhere."""
    if facts.environment_id is not None:
        return told(_look_only(facts, dialect, items))
    rules = rules_of(door.product_id)
    if not rules.is_usual:
        address = request.META.get("REMOTE_ADDR", "")
        items = [rules.apply(item, address) for item in items]
    offer = Offer(door.product_id, door.source, items)

    def written() -> HttpResponse:
        accepted = offer.accepted()
        arrivals.note(facts, dialect, items, accepted)
        family = dialect.partition(" ")[0].lower()
        # A server key is a secret that means nothing to another host: what holds one stays here.
        if family in rules.relayed and door.source == CAPTURE and len(accepted.refused) < accepted.sent:
            pass_on(request, door.product_id, family)
        return told(accepted)

    if can_wait(request):
        return Later(offer.write_later, written)
    offer.write()
    return written()
