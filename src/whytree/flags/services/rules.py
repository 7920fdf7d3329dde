"""Who is singled out: targeting, overrides, needed flags, schedule, unit, exclusion group; and the way back to an earlier state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from whytree.analytics.cohorts.queries import refuse_missing
from whytree.engines.flags.rules import cohorts
from whytree.errors import Conflict, Invalid, NotFound
from whytree.workspace.models import Environment, Product
from whytree.workspace.records.activity import activity_for, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..environments.placing import all_placed
from ..models import PLACED, BucketBy, Bucketing, ExclusionGroup, Flag
from ..queries import find_flag, list_flags
from ..rules.definition import (
    checked_cohorts,
    checked_key,
    checked_logic,
    checked_metadata,
    checked_order,
    checked_overrides,
    checked_prerequisites,
)
from .changing import ANSWERS, check, refuse_archived, save_change

MOVES_EVERYBODY = ("bucketing", "arm_order", "unit", "salt")


class RuleEdits(TypedDict, total=False):
    """What `set_rules` may change; what is left out stays.

    `targeting` is JsonLogic in flagd's format, None for no rule; `cohorts` are those that it gives a variant before
    anything else, by key, and are put in front of it. `group` is the key of an exclusion group, made when it
    is new, "" for none; `group_start` and `group_end` are the flag's places in it, 0 to 10,000.
    """

    targeting: Mapping[str, Any] | None
    cohorts: Mapping[str, str]
    overrides: Mapping[str, str]
    prerequisites: Sequence[Mapping[str, Any]]
    on_from: datetime | None
    on_until: datetime | None
    unit: str
    is_sticky: bool
    group: str
    group_start: int
    group_end: int
    heeds_holdout: bool
    bucketing: str
    arm_order: Sequence[str]
    metadata: Mapping[str, Any]


@transaction.atomic
def set_rules(
    actor: Actor,
    product: Product,
    key: str,
    *,
    at: datetime | None = None,
    environment: Environment | None = None,
    **edits: Unpack[RuleEdits],
) -> Flag:
    """Change who is singled out, and how. A prediction tied to the flag locks when people begin to meet it."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True, environment=environment)
    refuse_archived(flag)
    before, was_open = snapshot(flag), flag.is_open
    _put(flag, edits)
    return _saved(actor, flag, before, was_open, at, "set_rules")


def _put(flag: Flag, edits: RuleEdits) -> None:
    if "targeting" in edits or "cohorts" in edits:
        flag.targeting = _targeting(flag, edits)
    if "overrides" in edits:
        flag.overrides = checked_overrides(edits["overrides"])
    if "prerequisites" in edits:
        flag.prerequisites = checked_prerequisites(edits["prerequisites"])
    if "group" in edits:
        flag.group = _group(flag, edits["group"])
    if "bucketing" in edits:
        flag.bucketing = _known(edits["bucketing"], Bucketing.values, "bucketing")
    if "unit" in edits:
        flag.unit = _known(edits["unit"], BucketBy.values, "unit")
    if "arm_order" in edits:
        flag.arm_order = checked_order(edits["arm_order"], flag.variants)
    if "metadata" in edits:
        flag.metadata = checked_metadata(edits["metadata"])
    for name in ("on_from", "on_until", "is_sticky", "group_start", "group_end", "heeds_holdout"):
        if name in edits:
            setattr(flag, name, edits[name])


def _targeting(flag: Flag, edits: RuleEdits) -> dict[str, Any] | None:
    targeting: Any = edits["targeting"] if "targeting" in edits else cohorts.split(flag.targeting)[1]
    if "cohorts" in edits:
        given, rest = checked_cohorts(edits["cohorts"], flag.variants), targeting
        if cohorts.split(flag.targeting) == (given, rest):
            return flag.targeting  # as it was written
        targeting = cohorts.joined(given, rest)
    if targeting is None:
        return None
    checked = checked_logic(targeting)
    refuse_missing(flag.product, sorted(cohorts.cohorts_in(checked)))
    return checked


def _known(value: str, known: Sequence[str], what: str) -> str:
    if value not in known:
        raise Invalid(f"There is no {what} {value!r}; there are {', '.join(known)}.")
    return value


def _group(flag: Flag, key: str) -> ExclusionGroup | None:
    if not key.strip():
        return None
    return ExclusionGroup.objects.get_or_create(product=flag.product, key=checked_key(key))[0]


def _saved(actor: Actor, flag: Flag, before: dict[str, Any], was_open: bool, at: datetime | None, verb: str) -> Flag:
    check_rules(flag, before, was_open)
    return save_change(actor, flag, before, was_open=was_open, at=at, verb=verb)


def check_rules(flag: Flag, before: Mapping[str, Any], was_open: bool) -> None:
    """Raise for rules that move people without a word, wait for each other, or take another flag's places."""
    check(flag)
    _check_place(flag, before)
    _check_moves(flag, before, was_open)
    _check_prerequisites(flag)
    _check_group(flag)


def _check_place(flag: Flag, before: Mapping[str, Any]) -> None:
    if flag.environment is None:
        return
    now = snapshot(flag)
    same = [name for name in ANSWERS if name not in PLACED and now[name] != before[name]]
    if same:
        what = same[0].removesuffix("_id").replace("_", " ")
        raise Invalid(f"The {what} of {flag.key} is the same in every environment. Change it in production.")


def _check_moves(flag: Flag, before: Mapping[str, Any], was_open: bool) -> None:
    changed = [name for name in MOVES_EVERYBODY if snapshot(flag)[name] != before[name]]
    if changed and was_open:
        raise Conflict(
            f"Another {changed[0].replace('_', ' ')} moves everybody to another arm. Turn the flag off first."
        )


def _check_prerequisites(flag: Flag) -> None:
    """Each must be there, with the variants that are named; no flag may wait for itself."""
    flags = {other.key: other for other in all_placed(list_flags(flag.product), flag.environment)} | {flag.key: flag}
    for needed in flag.prerequisites:
        other = flags.get(needed["flag"])
        if other is None:
            raise Invalid(
                f"There is no flag {needed['flag']!r} in use to need. `whytree flag list` shows those there are."
            )
        unknown = [name for name in needed["variants"] if name not in other.variants]
        if unknown:
            raise Invalid(f"{other.key} has no variant “{unknown[0]}”; it has {', '.join(sorted(other.variants))}.")
    circle = _circle(flag.key, {each.key: [one["flag"] for one in each.prerequisites] for each in flags.values()})
    if circle:
        raise Conflict(f"A circle: {' needs '.join(circle)}. Take one of these prerequisites away.")


def _circle(start: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """The way from `start` back to itself; empty when there is none."""
    waiting, seen = [[start]], {start}
    while waiting:
        way = waiting.pop()
        for other in needs.get(way[-1], ()):
            if other == start:
                return [*way, start]
            if other not in seen:
                seen.add(other)
                waiting.append([*way, other])
    return []


def _check_group(flag: Flag) -> None:
    """Flags of one group share no place in it."""
    if flag.group is None:
        return
    if not 0 <= flag.group_start < flag.group_end <= 10_000:
        raise Invalid("A flag's places in its group lie between 0 and 10,000, the first below the last, as 0 to 5,000.")
    for other in Flag.objects.filter(group=flag.group, archived_at=None).exclude(pk=flag.pk):
        if flag.group_start < other.group_end and other.group_start < flag.group_end:
            raise Conflict(
                f"{other.key} has the places {other.group_start:,} to {other.group_end:,} of {flag.group.key}. "
                "Choose places that are free."
            )


@transaction.atomic
def go_back(
    actor: Actor, product: Product, key: str, activity_id: int, *, environment: Environment | None = None
) -> Flag:
    """Make the flag answer again as it did after that change. Its name and what it is for stay as they are."""
    require(actor, product, Role.MEMBER)
    flag = find_flag(product, key, for_update=True, environment=environment)
    refuse_archived(flag)
    subject = flag if environment is None else flag.state_there
    activity = activity_for(subject).filter(pk=activity_id).first() if subject is not None else None
    if activity is None or activity.after is None:
        raise NotFound(f"There is no such change of {flag.key}. Its history lists them.")
    before, was_open = snapshot(flag), flag.is_open
    lay_down(flag, {name: value for name, value in activity.after.items() if environment is None or name in PLACED})
    return _saved(actor, flag, before, was_open, None, "go_back")


def lay_down(flag: Flag, values: Mapping[str, Any]) -> None:
    """Make the flag answer as these stored values say, those of a snapshot; nothing is written yet."""
    fields = {field.attname: field for field in Flag._meta.concrete_fields}
    for name in ANSWERS:
        if name in values:
            is_json = fields[name].get_internal_type() == "JSONField"
            setattr(flag, name, values[name] if is_json else fields[name].to_python(values[name]))
    if flag.group_id is not None and not ExclusionGroup.objects.filter(pk=flag.group_id).exists():
        flag.group = None
