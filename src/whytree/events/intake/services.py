"""Saying what a product wants of what is sent to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from whytree.errors import Invalid, NotFound
from whytree.workspace.models import Key, Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Intake, KeyLimit
from .rules import forget

MOST_NAMES = 500
MOST_A_MINUTE = 10_000_000


@dataclass(frozen=True)
class Wanted:
    """An intake as somebody asks for it."""

    bots: str
    sample: int
    allowed: Sequence[str]
    denied: Sequence[str]
    keep_address: bool
    session_minutes: int


def intake_of(product: Product) -> Intake:
    """The product's, or what holds without one (not stored)."""
    return Intake.objects.filter(product=product).first() or Intake(product=product)


def set_intake(actor: Actor, product: Product, wanted: Wanted) -> Intake:
    """Say what is wanted from now on; what is stored stays as it is."""
    require(actor, product, Role.MAINTAINER)
    _check(wanted)
    with transaction.atomic():
        intake, is_new = Intake.objects.get_or_create(product=product)
        before = None if is_new else snapshot(intake)
        intake.bots, intake.sample = wanted.bots, wanted.sample
        intake.allowed, intake.denied = _names(wanted.allowed), _names(wanted.denied)
        intake.keep_address, intake.session_minutes = wanted.keep_address, wanted.session_minutes
        intake.save()
        record(actor, product, "set_intake", intake, before=before, after=snapshot(intake), undoable=False)
    transaction.on_commit(forget)
    return intake


def _check(wanted: Wanted) -> None:
    if wanted.bots not in Intake.Bots.values:
        raise Invalid(f"Bots are {', '.join(Intake.Bots.values)}; not {wanted.bots[:40]!r}.")
    if not 1 <= wanted.sample <= 100:
        raise Invalid("The sample is a whole number of percent from 1 to 100.")
    if not 1 <= wanted.session_minutes <= 1440:
        raise Invalid("A session ends after 1 to 1440 minutes of doing nothing.")
    if any(name.strip() == "*" for name in wanted.denied):
        raise Invalid("* alone would keep no property at all. Name those that are never kept, as card_*.")
    if any("*" in name for name in wanted.allowed) or any("*" in name.strip()[:-1] for name in wanted.denied):
        raise Invalid("* stands only at the end of a name that is never kept, as card_*.")
    for names in (wanted.allowed, wanted.denied):
        if len(names) > MOST_NAMES or any(len(name) > 200 or "\0" in name for name in names):
            raise Invalid(f"At most {MOST_NAMES} names of at most 200 characters.")


def _names(names: Sequence[str]) -> list[str]:
    return sorted({name.strip() for name in names} - {""})


def set_key_limit(actor: Actor, product: Product, key_id: int, events_per_minute: int | None) -> None:
    """How many events a key of this product may send in a minute; None for as many as can be written."""
    require(actor, product, Role.MAINTAINER)
    key = Key.objects.filter(pk=key_id, product=product).first()
    if key is None:
        raise NotFound("There is no such key in this product.")
    if events_per_minute is not None and not 1 <= events_per_minute <= MOST_A_MINUTE:
        raise Invalid(f"A limit is 1 to {MOST_A_MINUTE:,} events a minute.")
    with transaction.atomic():
        before = KeyLimit.objects.filter(key=key).values_list("events_per_minute", flat=True).first()
        if events_per_minute is None:
            KeyLimit.objects.filter(key=key).delete()
        else:
            KeyLimit.objects.update_or_create(key=key, defaults={"events_per_minute": events_per_minute})
        after = {"events_per_minute": events_per_minute}
        record(actor, product, "set_key_limit", key, before={"events_per_minute": before}, after=after, undoable=False)
    transaction.on_commit(forget)


@dataclass(frozen=True)
class LimitedKey:
    """A key that is open, and its limit."""

    id: int
    name: str
    kind: str
    prefix: str
    events_per_minute: int | None


def limited_keys(product: Product) -> list[LimitedKey]:
    """Every open key of the product."""
    limits = dict(KeyLimit.objects.filter(key__product=product).values_list("key_id", "events_per_minute"))
    keys = Key.objects.filter(product=product, revoked_at=None).order_by("name", "pk")
    return [LimitedKey(key.pk, key.name, key.kind, key.prefix, limits.get(key.pk)) for key in keys]
