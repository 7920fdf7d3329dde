"""Who came in, who went out, and who tried: the rules of signing in. Browsers' sessions are the pages' business.

Each leaves an `Activity` outside any product, with the address it came from and never with what was typed: people type
passwords into the wrong field.
"""

from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import QuerySet

from whytree.errors import Invalid

from .. import services
from ..models import Activity, User
from ..provider.joining import account_of
from ..provider.openid import Claims
from ..records.activity import record
from ..rights.actors import Actor
from ..services import use_sign_in_link
from . import attempts, second_factor
from .keys import actor_of_user

WRONG = "The address or the password is not right. Try again, or get a link on the server: whytree sign-in"
VERBS = (
    *("sign_in", "fail_to_sign_in", "sign_out", "sign_out_everywhere", "change_password"),
    *("turn_on_second_factor", "turn_off_second_factor", "renew_recovery_codes", "tie_to_provider"),
)
NOBODY = User(pk=0, name="an unknown account")


def sign_in(address: str, *, email: str, password: str) -> User:
    """Whose e-mail and password these are, or an error that does not tell which of the two is wrong.

    Somebody with a second factor is not in before `second_step`; nobody is, before the page begins a session.
    """
    services.require_passwords()
    email = email.strip().lower()
    attempts.refuse_too_many(address, email)
    user = authenticate(None, username=email, password=password)
    if not isinstance(user, User):
        _record_wrong(address, email)
        raise Invalid(WRONG)
    attempts.forget_wrong(address, email)
    return _arrived(address, user, "password")


@transaction.atomic
def sign_in_by_link(address: str, token: str) -> User:
    """The account behind a link that was not used yet."""
    return _arrived(address, use_sign_in_link(token), "link")


def sign_in_by_provider(address: str, claims: Claims, *, invitation: str = "") -> User:
    """The account of whoever the OpenID provider says this is."""
    return _arrived(address, account_of(claims, invitation=invitation), "provider")


def _arrived(address: str, user: User, by: str) -> User:
    if not second_factor.is_asked_for(user):
        _record(user, "sign_in", address, by=by)
    return user


def first_factor(address: str, user: User, *, by: str, seed: str, code: str) -> list[str]:
    """Let in who came so far and sets up the second factor that everybody needs here; returns the recovery codes."""
    codes = second_factor.turn_on(actor_of_user(user), user, seed=seed, code=code, password=None)
    _record(user, "sign_in", address, by=f"{by} and code")
    return codes


def second_step(address: str, user: User, *, by: str, code: str) -> None:
    """Let in who came so far `by` password or link and has this code."""
    try:
        how = second_factor.check(user, code)
    except Invalid:
        if attempts.is_worth_recording(attempts.count_wrong(address, f"code-{user.pk}")):
            somebody = Actor(None, "Somebody", "page")
            record(somebody, None, "fail_to_sign_in", user, after={"address": address, "code": True}, undoable=False)
        raise
    _record(user, "sign_in", address, by=f"{by} and {how}" if how else by)


@transaction.atomic
def change_password(actor: Actor, user: User, *, proof: str, new: str) -> None:
    """`proof` is the old one; of an account without one, a code of its second factor, where it has that."""
    second_factor.require_proof(user, proof)
    services.change_password(actor, user, new)


@transaction.atomic
def sign_out_others(address: str, user: User) -> None:
    """Of all browsers only the one that asks stays signed in; its page sees to that."""
    services.sign_out_everywhere(user)
    _record(user, "sign_out_everywhere", address)


def sign_out(address: str, user: User) -> None:
    """Note that somebody left."""
    _record(user, "sign_out", address)


def _record(user: User, verb: str, address: str, **more: str) -> None:
    record(actor_of_user(user), None, verb, user, after={"address": address, **more}, undoable=False)


def _record_wrong(address: str, email: str) -> None:
    """The first wrong password and the one that closes the door, not those between: guessing must not fill the table."""
    account = User.objects.filter(email=email).first()
    count = attempts.count_wrong(address, email if account else "")
    if attempts.is_worth_recording(count):
        somebody = Actor(None, "Somebody", "page")
        after = {"address": address, "wrong": count}
        record(somebody, None, "fail_to_sign_in", account or NOBODY, after=after, undoable=False)


def comings_and_goings(user: User) -> QuerySet[Activity]:
    """When and from where somebody signed in to this account, or tried to; newest first."""
    found = Activity.objects.filter(product=None, subject_type=User._meta.label, subject_id=user.pk, verb__in=VERBS)
    return found.order_by("-at", "-pk")
