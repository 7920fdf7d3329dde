"""A flag as it is in an environment: the fields in `PLACED` are laid over it, for reading and for a service to change."""

from collections.abc import Iterable, Mapping
from copy import copy

from whytree.workspace.models import Environment, Product

from ..models import PLACED, Flag, FlagState


def placed(flag: Flag, environment: Environment | None) -> Flag:
    """The same object, as it is there."""
    if environment is not None:
        _lay_over(flag, environment, FlagState.objects.filter(flag=flag, environment=environment).first())
    return flag


def all_placed(flags: Iterable[Flag], environment: Environment | None) -> list[Flag]:
    """The same objects, with one query for all."""
    found = list(flags)
    if environment is None:
        return found
    states = {state.flag_id: state for state in FlagState.objects.filter(environment=environment)}
    for flag in found:
        _lay_over(flag, environment, states.get(flag.pk))
    return found


def _lay_over(flag: Flag, environment: Environment, state: FlagState | None) -> None:
    flag.environment, flag.state_there = environment, state
    if state is not None:
        for name in PLACED:
            setattr(flag, name, getattr(state, name))


def everywhere(product: Product, flags: Iterable[Flag]) -> list[Flag]:
    """These flags as they are in production, and a copy of each for every environment where it has a state of its own."""
    found = list(flags)
    by_pk: Mapping[int, Flag] = {flag.pk: flag for flag in found}
    for state in FlagState.objects.filter(flag__product=product).select_related("environment"):
        if state.flag_id in by_pk:
            other = copy(by_pk[state.flag_id])
            _lay_over(other, state.environment, state)
            found.append(other)
    return found
