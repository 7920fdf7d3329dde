"""Accounts made from the server's own machine: whoever can write the data folder may."""

from typing import TYPE_CHECKING

from whytree import options
from whytree.workspace.terminal.client import CommandError, owner_token

from .boot import prepare

if TYPE_CHECKING:
    from whytree.workspace.models import User


def make_owner(*, email: str, name: str = "", product_name: str = "") -> dict[str, str]:
    """The first owner, their local token (a file only this user reads), and a link to sign in with.

    For an owner that is there, in a data folder whose token is gone (a backup holds none): a new token and link.
    """
    prepare()
    from whytree.errors import WhytreeError
    from whytree.workspace import services
    from whytree.workspace.entry import keys
    from whytree.workspace.models import Product, User

    chosen = options.read()
    try:
        is_first = not services.there_is_an_owner()
        user = services.create_first_owner(email=email, name=name) if is_first else _owner_without_token(chosen, email)
        actor = keys.actor_of_user(user)
        _, secret = keys.create_token(actor, name="command line", scopes=[])
        options.write_private(chosen.data / "owner.token", secret)
        if product_name and not Product.objects.exists():
            services.create_product(actor, name=product_name)
        return {"email": User.objects.get(pk=user.pk).email, "link": _link(chosen, services.issue_sign_in_link(user))}
    except WhytreeError as error:
        raise CommandError(error.message) from error


def _owner_without_token(chosen: options.Options, email: str) -> "User":
    from whytree.workspace.entry import keys
    from whytree.workspace.models import User
    from whytree.workspace.rights.roles import Role

    owners = User.objects.filter(email=email.strip().lower(), is_active=True, memberships__role=Role.OWNER)
    user = None if keys.find_key(owner_token(chosen.data)) else owners.first()
    if user is None:
        raise CommandError(
            "There is an owner already. Invite others under Settings, Members; a new sign-in link: whytree sign-in EMAIL"
        )
    return user


def sign_in_link(email: str, *, reset: bool = False) -> dict[str, str]:
    """A link for an account; for the local owner when no address is given. `reset` takes a lost second factor away,
    and the tie to somebody at the OpenID provider."""
    prepare()
    from whytree.workspace import services
    from whytree.workspace.entry import keys, second_factor
    from whytree.workspace.models import User
    from whytree.workspace.provider import joining

    chosen = options.read()
    if email:
        user = User.objects.filter(email=email.strip().lower()).first()
    else:
        facts = keys.find_key(owner_token(chosen.data))
        user = User.objects.filter(pk=(facts.user_id if facts else None) or 0).first()
    if user is None:
        raise CommandError("There is no such account. The first one: whytree owner you@example.org")
    if reset:
        second_factor.take_away(user)
        joining.untie(user)
    return {"email": user.email, "link": _link(chosen, services.issue_sign_in_link(user))}


def _link(chosen: options.Options, token: str) -> str:
    from whytree.workspace.terminal.serving import running_server

    address = chosen.public_url or running_server(chosen.data) or chosen.base_url
    return f"{address}/sign-in/{token}"
