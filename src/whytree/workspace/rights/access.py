"""One place that says who may do what; every service asks it first."""

from whytree.errors import Forbidden, NotFound

from ..background.once import once_a_page
from ..models import Membership, Product
from .actors import Actor
from .roles import Role

NO_SUCH_PRODUCT = "There is no such product here, or you are not a member of it. Ask its owner for an invitation."


@once_a_page
def role_of(actor: Actor, product: Product) -> Role | None:
    """The actor's role in this product; None for an outsider."""
    if actor.is_system:
        return Role.OWNER
    if actor.product_id is not None:
        return Role.MAINTAINER if actor.product_id == product.pk else None
    if actor.user_id is None:
        return None
    role = Membership.objects.filter(user_id=actor.user_id, product=product).values_list("role", flat=True).first()
    return Role(role) if role else None


def may(actor: Actor, product: Product, wanted: Role) -> bool:
    """Whether the actor has this role here, or a higher one: what a page offers. What is done asks `require`."""
    role = role_of(actor, product)
    return role is not None and role.covers(wanted)


def may_write(actor: Actor, product: Product) -> bool:
    return may(actor, product, Role.MEMBER)


def require(actor: Actor, product: Product, wanted: Role) -> None:
    """Raise `NotFound` for outsiders (a product's existence is not revealed), `Forbidden` when the role or scope is too low."""
    role = role_of(actor, product)
    if role is None:
        raise NotFound(NO_SUCH_PRODUCT)
    if not role.covers(wanted):
        raise Forbidden(
            f"This needs the role {wanted.value}; yours in {product.name} is {role.value}. Ask an owner to raise it."
        )
    if wanted is not Role.VIEWER:
        require_writing(actor)


def require_writing(actor: Actor) -> None:
    """Raise for a token that may only read, where no product is asked about."""
    if actor.scopes and "write" not in actor.scopes:
        raise Forbidden("This token may only read. Make one with the scope write.")
