"""Whose account it is that comes from the provider: one tied to it already, one with the same address, or a new one."""

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid
from whytree.workspace import services
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Invitation, Membership, Product, ProviderAccount, User
from whytree.workspace.records.activity import record
from whytree.workspace.rights.roles import Discipline

from .openid import Claims, provider_name


def account_of(claims: Claims, *, invitation: str = "") -> User:
    """The account that these claims sign in to. `invitation` is the token of a link that they came by.

    Who it is says `subject` alone once an account is tied to it; the address ties it the first time, if the provider has
    verified it.
    """
    try:
        with transaction.atomic():
            return _account_of(claims, invitation)
    except IntegrityError as error:
        raise Conflict("You came in twice at the same moment. Sign in once more.") from error


def _account_of(claims: Claims, invitation: str) -> User:
    allowed = frozenset(settings.WHYTREE.oidc_groups)
    if allowed and not allowed & claims.groups:
        raise Forbidden(f"{provider_name()} has you in no group that may come in here. Ask who runs it.")
    tied = ProviderAccount.objects.filter(issuer=claims.issuer, subject=claims.subject).select_related("user").first()
    user = tied.user if tied is not None else _with_this_address(claims)
    if user is None:
        return _new_person(claims, invitation)
    if not user.is_active:
        raise Forbidden("This account is closed. Ask an owner.")
    if tied is None:
        _tie(user, claims)
    if invitation:
        services.accept_invitation(invitation, user=user)
    return user


def _with_this_address(claims: Claims) -> User | None:
    if not claims.email:
        raise Invalid(f"{provider_name()} does not tell your e-mail address. It has to allow the scope `email`.")
    user = User.objects.filter(email=claims.email).first()
    if user is None:
        return None
    if not claims.is_verified:
        raise Conflict(
            f"There is an account with the address {claims.email}, and {provider_name()} has not verified that it is yours. "
            "Verify it there, and come again."
        )
    if ProviderAccount.objects.filter(user=user, issuer=claims.issuer).exists():
        raise Conflict(
            f"The account with the address {claims.email} belongs to somebody else at {provider_name()}, or to you before you "
            "were set up there anew. Then, on the server: whytree sign-in EMAIL --reset"
        )
    return user


def _tie(user: User, claims: Claims) -> None:
    ProviderAccount.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
    record(actor_of_user(user), None, "tie_to_provider", user, after={"provider": claims.issuer}, undoable=False)


def _new_person(claims: Claims, invitation: str) -> User:
    """An account for whoever may have one: invited by link, or by their verified address, or of a domain or group that may."""
    waiting = _invitations(claims) if claims.is_verified else []
    is_let_in = bool(settings.WHYTREE.oidc_groups) or _is_of_our_domain(claims)
    if not invitation and not waiting and not is_let_in:
        told = "" if claims.is_verified else f" {provider_name()} has not verified that address."
        raise Forbidden(
            f"Nobody has invited {claims.email} yet.{told} Ask an owner for an invitation, and open its link."
        )
    user = services.ensure_user(email=claims.email, name=claims.name)
    _tie(user, claims)
    if invitation:  # first, for its role counts; it may be one of those that wait, too
        services.accept_invitation(invitation, user=user)
    for each in waiting:
        if Invitation.objects.filter(pk=each.pk, used_at=None).update(used_at=timezone.now()):
            _join(user, each.product, each.role, "accept_invitation")
    if is_let_in:
        for product in Product.objects.all():
            _join(user, product, settings.WHYTREE.oidc_role, "join_product")
    return user


def _invitations(claims: Claims) -> list[Invitation]:
    still_open = Invitation.objects.filter(email=claims.email, used_at=None, expires_at__gt=timezone.now())
    return list(still_open.select_related("product").order_by("pk"))


def _is_of_our_domain(claims: Claims) -> bool:
    domains = {domain.lower().removeprefix("@") for domain in settings.WHYTREE.oidc_domains}
    return claims.is_verified and claims.email.rpartition("@")[2] in domains


def _join(user: User, product: Product, role: str, verb: str) -> None:
    membership, created = Membership.objects.get_or_create(
        user=user, product=product, defaults={"role": role, "discipline": Discipline.OTHER}
    )
    if created:
        record(actor_of_user(user), product, verb, membership, undoable=False)


def untie(user: User) -> bool:
    """For whoever was set up anew at the provider: the next one with this address is tied. Whether there was one."""
    deleted, _ = ProviderAccount.objects.filter(user=user).delete()
    return bool(deleted)
