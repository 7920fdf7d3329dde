"""Accounts, products and members: what may change them."""

import re
import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from whytree.errors import Conflict, Forbidden, Invalid, NotFound

from .entry import attempts
from .entry.keys import hashed, open_keys_by, revoke_key
from .models import Invitation, Key, Membership, Product, SignInLink, User
from .records.activity import record, snapshot
from .rights.access import require, require_writing
from .rights.actors import Actor
from .rights.roles import Discipline, Role

INVITATION_DAYS = 14
SIGN_IN_MINUTES = 30


def checked_email(email: str) -> str:
    """The address as we keep it, or `Invalid`."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(f"{email!r} is not an e-mail address.") from error
    return email


def _checked_password(password: str, user: User | None = None) -> str:
    require_passwords()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    return password


def require_passwords() -> None:
    """Raise where people sign in through the OpenID provider alone."""
    if not settings.WHYTREE.passwords:
        raise Forbidden("Passwords are switched off here. Sign in through the provider, or by a link: whytree sign-in")


def has_password(user: User) -> bool:
    """Whether this account can sign in, and prove itself, with a password."""
    return bool(settings.WHYTREE.passwords) and user.has_usable_password()


def there_is_an_owner() -> bool:
    return Membership.objects.filter(role=Role.OWNER).exists() or User.objects.exists()


@transaction.atomic
def create_first_owner(*, email: str, name: str = "", password: str | None = None) -> User:
    """The first account; refused once there is one, so that the open first-run page closes by itself."""
    if there_is_an_owner():
        raise Conflict("There is an owner already. Sign in, or ask them for an invitation.")
    email = checked_email(email)
    if password is not None:
        _checked_password(password, User(email=email, name=name))
    user = User.objects.create_user(email, password, name.strip()[:120])
    record(Actor(user.pk, str(user), "system"), None, "create_first_owner", user, after=_public(user), undoable=False)
    return user


@transaction.atomic
def ensure_user(*, email: str, name: str = "") -> User:
    """The account with this address, made (without a password) when missing. For the command line on the server's own machine."""
    email = checked_email(email)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, None, name.strip()[:120])
        record(Actor.system(), None, "create_user", user, after=_public(user), undoable=False)
    return user


def _public(user: User) -> dict[str, object]:
    return {name: value for name, value in snapshot(user).items() if name != "password"}


@transaction.atomic
def change_password(actor: Actor, user: User, new: str) -> None:
    """All sessions but the page's own end. Who asks has proved to be this person (`entry.entering.change_password`)."""
    if actor.user_id != user.pk:
        raise Forbidden("Only you can change your password.")
    _checked_password(new, user)
    user.set_password(new)
    user.save(update_fields=["password"])
    record(actor, None, "change_password", user, after={}, undoable=False)


def sign_out_everywhere(user: User) -> None:
    """No session that was begun before opens anything; a page may keep its own (`update_session_auth_hash`)."""
    User.objects.filter(pk=user.pk).update(sign_outs=F("sign_outs") + 1)
    user.refresh_from_db(fields=["sign_outs"])


def require_password(user: User, password: str) -> None:
    """Raise unless this is the account's password, where it has one; guesses are counted."""
    attempts.refuse_too_many(f"account-{user.pk}", user.email)
    if has_password(user) and not user.check_password(password):
        attempts.count_wrong(f"account-{user.pk}", user.email)
        raise Invalid("That is not your password. Try again.")


@transaction.atomic
def create_product(actor: Actor, *, name: str, slug: str = "", vision: str = "", timezone_name: str = "UTC") -> Product:
    """A new product; its maker owns it. Somebody has to: a server key cannot make one."""
    require_writing(actor)
    if actor.user_id is None and not actor.is_system:
        raise Forbidden("Only a person can make a product. Use a personal token.")
    name = name.strip()
    if not name:
        raise Invalid("Give the product a name.")
    slug = slug.strip() or _free_slug(name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", slug):
        raise Invalid("A product's short name has lower-case letters, digits and dashes, 60 at most.")
    _checked_timezone(timezone_name)
    try:
        with transaction.atomic():
            product = Product.objects.create(
                name=name[:120], slug=slug, vision=vision.strip()[:300], timezone=timezone_name
            )
    except IntegrityError as error:
        raise Conflict(f"There is a product called {slug} already. Choose another short name.") from error
    if actor.user_id is not None:
        Membership.objects.create(
            user_id=actor.user_id, product=product, role=Role.OWNER, discipline=Discipline.ENGINEERING
        )
    record(actor, product, "create_product", product, undoable=False)
    return product


def _free_slug(name: str) -> str:
    base = slugify(name.replace("ß", "ss"))[:50] or "product"
    taken = set(Product.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return base if base not in taken else next(f"{base}-{n}" for n in range(2, 10_000) if f"{base}-{n}" not in taken)


def _checked_timezone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(f"{name!r} is no time zone. Use a name like Europe/Berlin.") from error


@transaction.atomic
def edit_product(
    actor: Actor,
    product: Product,
    *,
    name: str | None = None,
    vision: str | None = None,
    timezone_name: str | None = None,
) -> Product:
    """Change the name, the vision or the time zone."""
    require(actor, product, Role.MEMBER if name is None and timezone_name is None else Role.OWNER)
    before = snapshot(product)
    if name is not None:
        if not name.strip():
            raise Invalid("Give the product a name.")
        product.name = name.strip()[:120]
    if vision is not None:
        if len(vision.strip()) > 300:
            raise Invalid("A vision is one sentence: 300 characters at most.")
        product.vision = vision.strip()
    if timezone_name is not None:
        _checked_timezone(timezone_name)
        product.timezone = timezone_name
    product.save()
    only_vision = name is None and timezone_name is None  # the rest is the owners', and an undo asks for a member
    record(actor, product, "edit_product", product, before=before, after=snapshot(product), undoable=only_vision)
    return product


@transaction.atomic
def invite_member(actor: Actor, product: Product, *, role: str, email: str = "") -> tuple[Invitation, str]:
    """A link that makes its bearer a member; returns the token for it, which is not kept."""
    require(actor, product, Role.OWNER)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        product=product,
        email=checked_email(email) if email.strip() else "",
        role=_checked_role(role),
        token_hash=hashed(token),
        invited_by_id=actor.user_id,
        expires_at=timezone.now() + timedelta(days=INVITATION_DAYS),
    )
    record(actor, product, "invite_member", invitation, after=_without_secret(invitation), undoable=False)
    return invitation, token


@transaction.atomic
def revoke_invitation(actor: Actor, product: Product, invitation_id: int) -> Invitation:
    """Make an open invitation's link useless from now on."""
    require(actor, product, Role.OWNER)
    invitation = Invitation.objects.filter(product=product, pk=invitation_id, used_at=None).first()
    if invitation is None:
        raise NotFound("There is no such open invitation in this product.")
    before = _without_secret(invitation)
    invitation.expires_at = min(invitation.expires_at, timezone.now())
    invitation.save(update_fields=["expires_at"])
    after = _without_secret(invitation)
    record(actor, product, "revoke_invitation", invitation, before=before, after=after, undoable=False)
    return invitation


def _without_secret(invitation: Invitation) -> dict[str, object]:
    return {name: value for name, value in snapshot(invitation).items() if name != "token_hash"}


def _checked_role(role: str) -> Role:
    if role not in Role.values:
        raise Invalid(f"There is no role {role!r}; there are {', '.join(Role.values)}.")
    return Role(role)


def find_invitation(token: str) -> Invitation:
    """The open invitation behind a link, or `NotFound`."""
    invitation = (
        Invitation.objects.select_related("product")
        .filter(token_hash=hashed(token), used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if invitation is None:
        raise NotFound("This invitation was used or has run out. Ask for a new one.")
    return invitation


@transaction.atomic
def accept_invitation(
    token: str, *, user: User | None, email: str = "", name: str = "", password: str = "", discipline: str = ""
) -> User:
    """Make the bearer a member: somebody signed in, or a new account."""
    invitation = find_invitation(token)
    taken = Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=timezone.now())
    if not taken:
        raise NotFound("This invitation was used or has run out. Ask for a new one.")
    if user is None:
        email = checked_email(email)
        if User.objects.filter(email=email).exists():
            raise Conflict("There is an account with this address. Sign in first, then open the link again.")
        user = User.objects.create_user(
            email, _checked_password(password, User(email=email, name=name)), name.strip()[:120]
        )
    discipline = discipline if discipline in Discipline.values else Discipline.OTHER
    membership, created = Membership.objects.get_or_create(
        user=user, product=invitation.product, defaults={"role": invitation.role, "discipline": discipline}
    )
    if created:
        record(Actor(user.pk, str(user), "page"), invitation.product, "accept_invitation", membership, undoable=False)
    return user


@transaction.atomic
def set_member(
    actor: Actor, product: Product, user_id: int, *, role: str | None = None, discipline: str | None = None
) -> Membership:
    """Change a member's role (owners only) or discipline (also one's own). The last owner stays one."""
    own = user_id == actor.user_id and role is None
    require(actor, product, Role.VIEWER if own else Role.OWNER)
    require_writing(actor)
    membership = _membership(product, user_id)
    before = snapshot(membership)
    if role is not None:
        _keep_an_owner(product, membership, _checked_role(role))
        membership.role = role
    if discipline is not None:
        if discipline not in Discipline.values:
            raise Invalid(f"There is no discipline {discipline!r}; there are {', '.join(Discipline.values)}.")
        membership.discipline = discipline
    membership.save()
    # Never undone by one act: who may undo, and whether an owner is left, may have changed since.
    record(actor, product, "set_member", membership, before=before, after=snapshot(membership), undoable=False)
    return membership


@transaction.atomic
def remove_member(actor: Actor, product: Product, user_id: int, *, revoke_keys: bool = False) -> list[Key]:
    """Nothing they sign in with, and no token of theirs, opens this product from now on.

    Keys are the product's and may be what a server runs on: they stay, unless `revoke_keys`. Returns those that they had made
    and that were open.
    """
    require(actor, product, Role.OWNER)
    membership = _membership(product, user_id)
    _keep_an_owner(product, membership, None)
    before, pk = snapshot(membership), membership.pk
    membership.delete()
    membership.pk = pk
    record(actor, product, "remove_member", membership, before=before, after=None, undoable=False)
    made = list(open_keys_by(product, user_id))
    for key in made if revoke_keys else ():
        revoke_key(actor, key.pk, product)
    return made


def _membership(product: Product, user_id: int) -> Membership:
    membership = Membership.objects.select_related("user", "product").filter(product=product, user_id=user_id).first()
    if membership is None:
        raise NotFound("There is no such member in this product.")
    return membership


def _keep_an_owner(product: Product, membership: Membership, role: Role | None) -> None:
    if membership.role != Role.OWNER or role is Role.OWNER:
        return
    others = Membership.objects.select_for_update().filter(product=product, role=Role.OWNER).exclude(pk=membership.pk)
    if not others.exists():
        raise Conflict("A product needs an owner. Make somebody else one first.")


@transaction.atomic
def issue_sign_in_link(user: User) -> str:
    """A token that signs `user` in once, within half an hour. Only the command line on the server's own machine makes these."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        user=user, token_hash=hashed(token), expires_at=timezone.now() + timedelta(minutes=SIGN_IN_MINUTES)
    )
    return token


@transaction.atomic
def use_sign_in_link(token: str) -> User:
    """The account behind a link that was not used yet."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(token_hash=hashed(token), used_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if link is None or not SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now()):
        raise NotFound("This link was used or has run out. Make a new one on the server: whytree sign-in")
    return link.user
