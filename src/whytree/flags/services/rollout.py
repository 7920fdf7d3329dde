"""How far a flag reaches: coverage, weights, the switch, the archive."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.engines import flags as engine
from whytree.errors import Conflict, Invalid
from whytree.workspace.models import Environment, Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Flag
from ..queries import find_flag, needing
from ..rules.definition import full_weights
from .changing import NeedsApproval, is_quiet, needs_approval, refuse_archived, save_change


@transaction.atomic
def set_rollout(
    actor: Actor,
    product: Product,
    key: str,
    *,
    coverage: int | None = None,
    weights: Mapping[str, int] | None = None,
    is_on: bool | None = None,
    switching: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    verb: str = "set_rollout",
    environment: Environment | None = None,
) -> Flag:
    """Change how many people meet the flag (`coverage`, in basis points), the arms' weights, or the switch.

    `switching` draws periods in place of people (`engines.flags.switching`); an empty one draws people again. `at` dates
    the change back when history is loaded; it cannot lie before the last one.
    """
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True, environment=environment)
    refuse_archived(flag)
    before, was_open = snapshot(flag), flag.is_open
    flag.coverage = flag.coverage if coverage is None else coverage
    flag.weights = flag.weights if weights is None else full_weights(flag.variants, weights)
    flag.is_on = flag.is_on if is_on is None else is_on
    flag.switching = flag.switching if switching is None else dict(switching) or None
    return save_change(actor, flag, before, was_open=was_open, at=at, verb=verb)


def open_flag(
    actor: Actor,
    product: Product,
    key: str,
    *,
    coverage: int = engine.FULL_COVERAGE,
    weights: Mapping[str, int] | None = None,
    at: datetime | None = None,
    environment: Environment | None = None,
) -> Flag:
    """Turn the flag on for a share of the people (all, when not said). A prediction tied to it locks now."""
    if coverage == 0:
        raise Invalid("At 0 % a flag is open to nobody. Give a share above 0, or turn it off.")
    return set_rollout(
        actor,
        product,
        key,
        coverage=coverage,
        weights=weights,
        is_on=True,
        at=at,
        verb="open_flag",
        environment=environment,
    )


def turn_on(
    actor: Actor, product: Product, key: str, *, at: datetime | None = None, environment: Environment | None = None
) -> Flag:
    """Switch on at the coverage the flag already has."""
    return set_rollout(actor, product, key, is_on=True, at=at, verb="turn_on", environment=environment)


def turn_off(
    actor: Actor, product: Product, key: str, *, at: datetime | None = None, environment: Environment | None = None
) -> Flag:
    """Everybody gets the off variant; the coverage is kept for the next time."""
    return set_rollout(actor, product, key, is_on=False, at=at, verb="turn_off", environment=environment)


def settle_flag(actor: Actor, product: Product, key: str, *, keep: str = "") -> Flag:
    """Make it what was decided: everybody gets `keep`; without one it goes off. It switches no longer."""
    if not keep:
        return set_rollout(actor, product, key, is_on=False, switching={}, verb="turn_off")
    everybody = engine.FULL_COVERAGE
    return set_rollout(
        actor, product, key, coverage=everybody, weights={keep: 1}, is_on=True, switching={}, verb="settle_flag"
    )


@transaction.atomic
def archive_flag(actor: Actor, product: Product, key: str) -> Flag:
    """Off, and gone from lists and SDKs: code that still asks gets its own default. The history stays."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True)
    users = [other.key for other in needing(flag)]
    if users:
        raise Conflict(
            f"{', '.join(users)} {'needs' if len(users) == 1 else 'need'} {flag.key}. Take that prerequisite away first."
        )
    if flag.is_on:
        flag = turn_off(actor, product, key)
    return _set_archived(actor, flag, "archive_flag", timezone.now())


@transaction.atomic
def restore_flag(actor: Actor, product: Product, key: str) -> Flag:
    """Back from the archive, off. Where changes need approval that is one, as code gets a value again."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True)
    if flag.archived_at is not None and not is_quiet(flag) and needs_approval(product.pk):
        raise unseen(flag)
    return _set_archived(actor, flag, "restore_flag", None)


def unseen(flag: Flag) -> NeedsApproval:
    """What holds a flag in the archive until another maintainer lets it out."""
    before = snapshot(flag)
    return NeedsApproval(flag, "restore_flag", before, {**before, "archived_at": None})


def _set_archived(actor: Actor, flag: Flag, verb: str, at: datetime | None) -> Flag:
    if (flag.archived_at is None) == (at is None):
        return flag
    before = snapshot(flag)
    flag.archived_at = at
    flag.save()
    record(actor, flag.product, verb, flag, before=before, after=snapshot(flag), undoable=False)
    return flag
