"""Environments beside production: their keys reach other flag states, and nothing that comes in with them is counted.

A product has production and nothing else until somebody adds one, and production is no row: all that there ever was is production.
"""

import re
from collections.abc import Sequence

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound

from ..models import Environment, Key, Product
from ..records.activity import record, snapshot
from ..rights.access import require
from ..rights.actors import Actor
from ..rights.roles import Role
from .keys import forget_cached

PRODUCTION = "production"
USUAL = ("staging", "development")
MOST = 8


def environments_of(product: Product) -> Sequence[Environment]:
    """Those beside production, in the order in which they were added."""
    return list(Environment.objects.filter(product=product))


def find_environment(product: Product, key: str) -> Environment | None:
    """The environment; None is production, which "" means too."""
    if key in ("", PRODUCTION):
        return None
    found = Environment.objects.filter(product=product, key=key).first()
    if found is None:
        there = ", ".join([PRODUCTION, *(one.key for one in environments_of(product))])
        raise NotFound(
            f"There is no environment {key[:40]!r} in {product.name}; there is {there}. Add one: whytree environment add staging"
        )
    return found


@transaction.atomic
def add_environment(actor: Actor, product: Product, key: str) -> Environment:
    """One more. Every flag answers there as in production until somebody changes it there."""
    require(actor, product, Role.MAINTAINER)
    key = key.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,29}", key):
        raise Invalid("An environment is called by one word in small letters, digits and dashes, as staging.")
    if key == PRODUCTION or Environment.objects.filter(product=product, key=key).exists():
        raise Conflict(f"There is {key} already.")
    if Environment.objects.filter(product=product).count() >= MOST:
        raise Conflict(f"A product has {MOST} environments beside production at most. Remove one first.")
    made = Environment.objects.create(product=product, key=key)
    record(actor, product, "add_environment", made, undoable=False)
    return made


@transaction.atomic
def remove_environment(actor: Actor, product: Product, key: str) -> None:
    """Take one away, with what flags answered there. Its keys must be revoked first: they would reach production."""
    require(actor, product, Role.MAINTAINER)
    found = find_environment(product, key)
    if found is None:
        raise Conflict("Production stays.")
    keys = Key.objects.filter(environment=found)
    if keys.filter(revoked_at=None).exists():
        raise Conflict(f"Keys of {found.key} are still open. Revoke them first, else they would reach production.")
    keys.update(environment=None)
    record(actor, product, "remove_environment", found, before=snapshot(found), after=None, undoable=False)
    found.delete()
    transaction.on_commit(forget_cached)
