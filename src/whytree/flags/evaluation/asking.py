"""Who is asked for: the context that a client sent, what we know of the person beside it, and what sticky flags gave before.

A flag whose rule reads `person.plan` or `company` gets from the profile what the client did not send. Profiles and
kept variants are held for some seconds, so that a busy person costs one query now and then; flags that need neither make
none. While the database does not answer, rules see what the client sent, and the hash decides.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import DatabaseError

from whytree.engines.flags import Context, Evaluation, Evaluator
from whytree.people.models import Person

from ..models import Flag, KeptVariant
from . import live, membership
from .assembling import rules_of, shared_of

log = logging.getLogger("whytree.flags")

HELD_SECONDS = 15.0
MOST_HELD = 20_000
MOST_ID = 400  # characters of an id; nothing is known of a longer one, and none is remembered

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Held(Generic[Key, Value]):
    """Values that are looked up again after `HELD_SECONDS`."""

    def __init__(self) -> None:
        self._known: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key, look_up: Callable[[], Value], otherwise: Value) -> Value:
        found = self._known.get(key)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        try:
            value = look_up()
        except DatabaseError:
            log.warning("what is known of somebody could not be read; rules see what the client sent", exc_info=True)
            return found[1] if found is not None else otherwise
        if len(self._known) >= MOST_HELD:
            self._known.clear()
        self._known[key] = (time.monotonic() + HELD_SECONDS, value)
        return value

    def drop(self, key: Key) -> None:
        self._known.pop(key, None)

    def clear(self) -> None:
        self._known.clear()


_profiles: _Held[tuple[int, str], dict[str, Any]] = _Held()
_kept: _Held[tuple[int, str], dict[int, str]] = _Held()


def forget() -> None:
    """Drop everything held, as a new process would start."""
    _profiles.clear()
    _kept.clear()


def context_for(
    product_id: int, flags: live.FlagSet, asked: Iterable[Evaluator], unit: str | None, sent: Mapping[str, Any]
) -> Context:
    """What these flags may read about the person; makes a query only for flags that need one."""
    now = time.time()
    evaluators = _with_needed(flags, asked)
    if not evaluators:
        return Context(sent, now, {}, flags.evaluators)
    attributes = _attributes(product_id, evaluators, unit, sent)
    cohorts = frozenset[str]().union(*(each.cohorts for each in evaluators))
    cohorts_at = None
    if cohorts:
        belongs, cohorts_at = membership.cohorts_of(product_id, unit, cohorts)
        said = attributes.get("person")
        attributes = {**attributes, "person": {**(said if isinstance(said, dict) else {}), "cohorts": belongs}}
    context = Context(attributes, now, {}, flags.evaluators, cohorts_at)
    sticky = [each.rules for each in evaluators if each.rules.is_sticky]
    if not sticky or not unit or flags.environment_id is not None:  # what was kept is production's
        return context
    kept: dict[str, str] = {}
    for who, by in ((unit, "person"), (context.company, "company")):
        wanted = {flags.ids[rules.key]: rules.key for rules in sticky if rules.unit == by}
        if wanted and who and _is_id(who):
            given = _kept.get((product_id, f"{by}:{who}"), partial(_look_up_kept, product_id, who), {})
            kept |= {key: given[pk] for pk, key in wanted.items() if pk in given}
    return Context(attributes, now, kept, flags.evaluators, cohorts_at)


def _with_needed(flags: live.FlagSet, asked: Iterable[Evaluator]) -> list[Evaluator]:
    """Those of the flags, and of the flags they need, that want to know more than the client sent."""
    found: dict[str, Evaluator] = {}
    waiting = [each for each in asked if each.wants_more]
    while waiting:
        each = waiting.pop()
        if each.rules.key not in found:
            found[each.rules.key] = each
            waiting.extend(
                flags.evaluators[one.flag] for one in each.rules.prerequisites if one.flag in flags.evaluators
            )
    return list(found.values())


def _attributes(
    product_id: int, evaluators: Iterable[Evaluator], unit: str | None, sent: Mapping[str, Any]
) -> Mapping[str, Any]:
    wants_person, wants_company = False, False
    for each in evaluators:
        wants_company = wants_company or each.rules.unit == "company"
        wants_company = wants_company or "company" in each.reads
        wants_person = wants_person or "person" in each.reads
    wants_company = wants_company and "company" not in sent
    if not unit or not (wants_person or wants_company):
        return sent
    profile = _profiles.get((product_id, unit), lambda: _look_up_profile(product_id, unit), {}) if _is_id(unit) else {}
    found = dict(sent)
    if wants_person:
        said = sent.get("person")
        found["person"] = {**profile, **said} if isinstance(said, dict) else profile
    if wants_company and profile.get("company"):
        found["company"] = {"id": profile["company"]}
    return found


def _is_id(text: str) -> bool:
    return len(text) <= MOST_ID and "\0" not in text


def _look_up_profile(product_id: int, unit: str) -> dict[str, Any]:
    """Name, e-mail, plan, company and every trait that identify and group calls said."""
    person = Person.objects.filter(product_id=product_id, key=unit).select_related("merged_into").first()
    person = person.merged_into or person if person else None
    if person is None:
        return {}
    said = {"name": person.name, "email": person.email, "plan": person.plan, "company": person.company}
    return {**person.traits, **{name: value for name, value in said.items() if value}, "internal": person.internal}


def _look_up_kept(product_id: int, who: str) -> dict[int, str]:
    return dict(KeptVariant.objects.filter(flag__product_id=product_id, unit=who).values_list("flag_id", "variant"))


def keep(product_id: int, flags: live.FlagSet, answers: Iterable[Evaluation]) -> None:
    """Write down what sticky flags gave somebody by the hash for the first time, in production."""
    if flags.environment_id is not None or not flags.keeps_any:
        return
    new = [
        answer
        for answer in answers
        if answer.in_rollout and answer.by == "rollout" and answer.unit and flags.evaluators[answer.key].rules.is_sticky
    ]
    if not new:
        return
    rows = [
        KeptVariant(flag_id=flags.ids[answer.key], unit=answer.unit, variant=answer.variant)
        for answer in new
        if answer.unit and _is_id(answer.unit)
    ]
    try:
        KeptVariant.objects.bulk_create(rows, ignore_conflicts=True)
    except DatabaseError:
        log.warning(
            "variants of %s sticky flags could not be kept; the hash gives them again", len(rows), exc_info=True
        )
    for answer in new:
        _kept.drop((product_id, f"{flags.evaluators[answer.key].rules.unit}:{answer.unit}"))


def evaluator_of(flag: Flag) -> Evaluator:
    """The flag as it is stored now, also an archived one."""
    return Evaluator(rules_of(flag, shared_of(flag.product_id)))


def context_of(flag: Flag, evaluator: Evaluator, unit: str, sent: Mapping[str, Any]) -> Context:
    """The context in which this process would answer for one person."""
    flags = live.flag_set(flag.product_id, flag.environment.pk if flag.environment else None)
    return context_for(flag.product_id, flags, [evaluator], unit, sent)
