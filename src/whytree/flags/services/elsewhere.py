"""From one environment to another, and back to what production says."""

from django.db import transaction

from whytree.errors import Conflict, Invalid
from whytree.workspace.models import Environment, Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import PLACED, Flag
from ..queries import find_flag
from .changing import refuse_archived, save_change
from .rules import check_rules


@transaction.atomic
def copy_flag(
    actor: Actor, product: Product, key: str, *, source: Environment | None, target: Environment | None
) -> Flag:
    """Make the flag answer in `target` as it does in `source`; None is production."""
    require(actor, product, Role.MEMBER)
    if source == target:
        raise Invalid("Copy from one environment to another one.")
    there = find_flag(product, key, environment=source)
    flag = find_flag(product, key, for_update=True, environment=target)
    refuse_archived(flag)
    before, was_open = snapshot(flag), flag.is_open
    for name in PLACED:
        setattr(flag, name, getattr(there, name))
    check_rules(flag, before, was_open)
    return save_change(actor, flag, before, was_open=was_open, at=None, verb="copy_flag")


@transaction.atomic
def follow_production(actor: Actor, product: Product, key: str, environment: Environment | None) -> Flag:
    """Forget what was said for this environment: it answers as in production again."""
    require(actor, product, Role.MEMBER)
    if environment is None:
        raise Invalid("Production follows nothing.")
    state = find_flag(product, key, for_update=True, environment=environment).state_there
    if state is None:
        raise Conflict(f"{key} answers in {environment.key} as in production already.")
    record(actor, product, "follow_production", state, before=snapshot(state), after=None, undoable=False)
    state.delete()
    return find_flag(product, key, environment=environment)
