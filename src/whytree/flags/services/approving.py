"""Changes in production that wait for another maintainer.

    changed_or_asked(actor, lambda: set_rollout(actor, product, "ask-later", coverage=2_500), words="The test is green.")

gives the flag where the change could be made, and a `ChangeRequest` where it waits. A request holds the fields that differ,
before and after; it expires when one of the flag's answers was changed meanwhile, so nobody approves what they have not seen.
"""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.workspace.entry.keys import maker_of
from whytree.workspace.models import Membership, Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import ChangeRequest, Flag, FlagSettings
from ..queries import find_flag
from .changing import ANSWERS, NeedsApproval, needs_approval, refuse_archived, save_change
from .rules import check_rules, lay_down

MOST_WORDS = 1_000
OPEN = ChangeRequest.State.OPEN


@transaction.atomic
def set_approvals(actor: Actor, product: Product, *, needed: bool) -> bool:
    """Whether changes of flags in production need another maintainer. Requests that wait are withdrawn when they no longer do."""
    require(actor, product, Role.OWNER)
    settings = FlagSettings.objects.select_for_update().filter(product=product).first()
    before = snapshot(settings) if settings else None
    if needed and _maintainers(product) < 2:
        raise Conflict("Nobody else could approve anything. Make another member a maintainer first.")
    settings = settings or FlagSettings(product=product)
    if settings.needs_approval == needed:
        return needed
    settings.needs_approval = needed
    settings.save()
    record(actor, product, "set_approvals", settings, before=before, after=snapshot(settings), undoable=False)
    if not needed:
        for request in ChangeRequest.objects.filter(flag__product=product, state=OPEN):
            _close(actor, request, ChangeRequest.State.WITHDRAWN, "Approvals are no longer needed: make the change.")
    return needed


def _maintainers(product: Product) -> int:
    roles = [role for role in Role if role.covers(Role.MAINTAINER)]
    return Membership.objects.filter(product=product, role__in=roles, user__is_active=True).count()


def changed_or_asked(actor: Actor, change: Callable[[], Flag], *, words: str = "") -> Flag | ChangeRequest:
    """The flag as it is after the change, or the request that waits for another maintainer."""
    words = _checked(words)
    try:
        return change()
    except NeedsApproval as held:
        return ask_for(actor, held, words)


@transaction.atomic
def ask_for(actor: Actor, held: NeedsApproval, words: str) -> ChangeRequest:
    """Let the change that was held wait for another maintainer; asked twice is asked once."""
    same = ChangeRequest.objects.filter(flag_id=held.flag.pk, state=OPEN, after=held.after).first()
    if same is not None and same.before == held.before:
        return same
    request = ChangeRequest.objects.create(
        flag_id=held.flag.pk,
        verb=held.verb,
        before=held.before,
        after=held.after,
        words=words,
        asked_by=actor.label[:160],
        user_id=actor.user_id,
        key_id=actor.key_id if actor.user_id is None else None,
    )
    record(actor, held.flag.product, "ask_for_change", request, undoable=False)
    return request


def _checked(words: str) -> str:
    words = words.strip()
    if len(words) > MOST_WORDS or "\x00" in words:
        raise Invalid(f"A reason fits into {MOST_WORDS:,} characters of plain text.")
    return words


def find_request(product: Product, number: int, *, for_update: bool = False) -> ChangeRequest:
    requests = ChangeRequest.objects.select_for_update(of=("self",)) if for_update else ChangeRequest.objects.all()
    found = requests.select_related("flag__product").filter(flag__product=product, pk=number).first()
    if found is None:
        raise NotFound(
            f"There is no request {number} in {product.name}. `whytree flag requests` lists those there are."
        )
    return found


@transaction.atomic
def approve_change(actor: Actor, product: Product, number: int, *, words: str = "") -> ChangeRequest:
    """Make the change that was asked for. When the flag was changed meanwhile the request expires instead, and says so."""
    request = _decidable(actor, product, number)
    flag = find_flag(product, request.flag.key, for_update=True)
    if is_outdated(request, flag):
        return _close(actor, request, ChangeRequest.State.EXPIRED, "The flag was changed meanwhile. Ask again.")
    before, was_open = snapshot(flag), flag.is_open
    if "archived_at" in request.after:
        flag.archived_at = None
    refuse_archived(flag)
    lay_down(flag, request.after)
    check_rules(flag, before, was_open)
    save_change(actor, flag, before, was_open=was_open, at=None, verb=request.verb, is_approved=True)
    return _close(actor, request, ChangeRequest.State.APPROVED, words)


def is_outdated(request: ChangeRequest, flag: Flag) -> bool:
    """Whether the flag answers otherwise than when the change was asked for."""
    if request.state != OPEN:
        return False
    now = snapshot(flag)
    known = flag.changes.filter(at__gt=request.asked_at).exists()
    return known or any(now[name] != value for name, value in request.before.items() if name in ANSWERS)


@transaction.atomic
def decline_change(actor: Actor, product: Product, number: int, *, words: str) -> ChangeRequest:
    """Leave the flag as it is, with words for whoever asked."""
    request = _decidable(actor, product, number)
    if not words.strip():
        raise Invalid("Say in a line why not: whoever asked will want to know.")
    return _close(actor, request, ChangeRequest.State.DECLINED, words)


@transaction.atomic
def withdraw_change(actor: Actor, product: Product, number: int) -> ChangeRequest:
    """Take back what one asked for oneself."""
    require(actor, product, Role.MEMBER)
    request = find_request(product, number, for_update=True)
    _refuse_closed(request)
    if not is_own(actor, request):
        raise Forbidden(f"Only {request.asked_by} can withdraw it. Decline it, with words.")
    return _close(actor, request, ChangeRequest.State.WITHDRAWN, "")


def is_own(actor: Actor, request: ChangeRequest) -> bool:
    """Whether this actor asked, or made the key that did. Who has no account any more is somebody else to everybody."""
    if actor.user_id is not None:
        return actor.user_id == (request.user_id or maker_of(request.key_id))
    return request.user_id is None and actor.key_id == request.key_id


def _decidable(actor: Actor, product: Product, number: int) -> ChangeRequest:
    require(actor, product, Role.MAINTAINER)
    request = find_request(product, number, for_update=True)
    _refuse_closed(request)
    if is_own(actor, request):
        raise Forbidden("You asked for this yourself. Another maintainer has to look at it.")
    if actor.user_id is None and not actor.is_system:
        raise Forbidden("A server key is nobody: a maintainer has to look at it.")
    return request


def _refuse_closed(request: ChangeRequest) -> None:
    if request.state != OPEN:
        raise Conflict(f"Request {request.pk} is {ChangeRequest.State(request.state).label} already.")


def _close(actor: Actor, request: ChangeRequest, state: ChangeRequest.State, words: str) -> ChangeRequest:
    before = snapshot(request)
    request.state, request.answer = state, _checked(words)
    request.decided_by, request.decided_at = actor.label[:160], timezone.now()
    request.save()
    record(actor, request.flag.product, _VERBS[state], request, before=before, after=snapshot(request), undoable=False)
    return request


_VERBS = {
    ChangeRequest.State.APPROVED: "approve_change",
    ChangeRequest.State.DECLINED: "decline_change",
    ChangeRequest.State.WITHDRAWN: "withdraw_change",
    ChangeRequest.State.EXPIRED: "expire_change",
}

__all__ = [
    "approve_change",
    "ask_for",
    "changed_or_asked",
    "decline_change",
    "find_request",
    "is_outdated",
    "is_own",
    "needs_approval",
    "set_approvals",
    "withdraw_change",
]
