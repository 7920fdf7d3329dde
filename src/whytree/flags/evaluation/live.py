"""The flags of a product, in memory and ready to be asked: an evaluation makes no database query.

Each process holds its own set and looks at most once a second whether the product's `FlagSetVersion` has changed. One
thread looks, the others go on with what is there; so they do when the database does not answer. A change made in this
process is seen at once, and so is any after a time in which nobody asked: then the others wait for the one that looks.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import DatabaseError, transaction

from whytree.engines.flags import Context, Evaluator
from whytree.workspace.models import Environment, Product

from ..environments.placing import all_placed
from ..models import Flag, FlagSetVersion
from . import membership
from .assembling import rules_of, shared_of

log = logging.getLogger("whytree.flags")

FRESH_SECONDS = 1.0
#: After so long without a look what is held may be anything, so it is waited for, but not for a database that hangs.
OLD_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 0.5
REMEMBERED_PEOPLE = 50_000  # whose variants are kept per flag set, so that a busy capture door hashes each person once


@dataclass(frozen=True)
class FlagSet:
    """All flags of one product that are not archived, as they were at `version` in one environment; None is production."""

    version: str = ""
    evaluators: Mapping[str, Evaluator] = field(default_factory=dict)
    product: str = ""  # its short name
    ids: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stamps: Mapping[str, int] = field(default_factory=dict)  # seconds since 1970 of each flag's last change
    environment_id: int | None = None
    _by_id: tuple[Evaluator, ...] = ()
    _in_force: dict[str, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)
    #: What the wire made of these flags before: a flag's answers as they are written out, and contexts' answers by digest.
    written: dict[tuple[str, str, str, bool], bytes] = field(default_factory=dict, compare=False, repr=False)
    _etags: dict[bytes, str] = field(default_factory=dict, compare=False, repr=False)

    def in_force(self, unit: str) -> dict[str, str]:
        """Flag key to variant, for the open flags whose rollout includes this person. Do not change what you get.

        Only flags that the id alone decides: of the others an event does not say enough.
        """
        known = self._in_force.get(unit)
        if known is not None:
            return known
        context = Context(now=time.time())
        answers = (evaluator.evaluate(unit, context) for evaluator in self._by_id)
        variants = {answer.key: answer.variant for answer in answers if answer.in_rollout}
        if len(self._in_force) >= REMEMBERED_PEOPLE:
            self._in_force.clear()
        if not self._is_scheduled:
            self._in_force[unit] = variants
        return variants

    def etag_of(self, digest: bytes) -> str:
        """What was answered to a context with this digest, for all flags; empty where that is not known, or may differ now."""
        return self._etags.get(digest, "")

    def remember(self, digest: bytes, etag: str) -> None:
        """Only where the same context always gets the same answer while these flags stand."""
        if not self._asks_for_more:
            if len(self._etags) >= REMEMBERED_PEOPLE:
                self._etags.clear()
            self._etags[digest] = etag

    @cached_property
    def keeps_any(self) -> bool:
        """Whether there is a sticky flag."""
        return any(each.rules.is_sticky for each in self.evaluators.values())

    @cached_property
    def _asks_for_more(self) -> bool:
        """Something else than the context that was sent may decide: the time, a profile, a cohort, what was kept."""
        return any(each.wants_more or each.sees_the_clock for each in self.evaluators.values())

    @property
    def opens_any(self) -> bool:
        """Whether there is a flag that an id alone decides."""
        return bool(self._by_id)

    @cached_property
    def _is_scheduled(self) -> bool:
        """Time alone changes what people get, so nothing is remembered."""
        return any(each.rules.on_from is not None or each.rules.on_until is not None for each in self._by_id)


class _Held:
    """A flag set, when to look whether it is still the newest, and until when it may be answered from meanwhile."""

    def __init__(self, flags: FlagSet) -> None:
        self.flags = flags
        self.look_at = time.monotonic() + FRESH_SECONDS
        self.good_until = time.monotonic() + OLD_SECONDS
        self.looking = threading.Lock()


_held: dict[tuple[int, int | None], _Held] = {}


def flag_set(product_id: int, environment_id: int | None = None) -> FlagSet:
    """The product's flags as they are in production or elsewhere, a second old at most."""
    held = _held.get((product_id, environment_id))
    if held is None:
        held = _held[product_id, environment_id] = _Held(_load(product_id, environment_id))
        return held.flags
    now = time.monotonic()
    is_old = held.good_until <= now
    if is_old or held.look_at <= now:
        if held.looking.acquire(timeout=LONGEST_WAIT_SECONDS if is_old else 0):
            try:
                if held.look_at <= time.monotonic():
                    _refresh(held, product_id)
            finally:
                held.looking.release()
        elif is_old:
            held.good_until = (
                now + OLD_SECONDS
            )  # it hangs: the last known rules hold, and nobody else waits for a while
    return held.flags


def _refresh(held: _Held, product_id: int) -> None:
    held.look_at = time.monotonic() + FRESH_SECONDS
    try:
        if _version(product_id) != held.flags.version:
            held.flags = _load(product_id, held.flags.environment_id)
    except DatabaseError:
        log.warning(
            "flags of product %s: the database does not answer, the last known rules hold", product_id, exc_info=True
        )
    if held.look_at:  # nothing was changed here meanwhile
        held.good_until = time.monotonic() + OLD_SECONDS


def _version(product_id: int) -> str:
    return FlagSetVersion.objects.filter(product_id=product_id).values_list("token", flat=True).first() or ""


def _load(product_id: int, environment_id: int | None) -> FlagSet:
    version = _version(product_id)  # before the flags: a change in between leaves an old version, which is noticed
    shared = shared_of(product_id)
    evaluators: dict[str, Evaluator] = {}
    ids, metadata, stamps = {}, {}, {}
    environment = Environment.objects.filter(pk=environment_id).first() if environment_id is not None else None
    flags = Flag.objects.filter(product_id=product_id, archived_at=None).select_related("group")
    for flag in all_placed(flags, environment):
        ids[flag.key], metadata[flag.key], stamps[flag.key] = flag.pk, flag.metadata, int(flag.updated_at.timestamp())
        try:
            evaluators[flag.key] = Evaluator(rules_of(flag, shared))
        except (ValueError, TypeError, KeyError):  # a row no service wrote; the other flags must not suffer from it
            log.exception("flag %s of product %s cannot be evaluated and is left out", flag.key, product_id)
    membership.hold(product_id, frozenset[str]().union(*(each.cohorts for each in evaluators.values())))
    by_id = tuple(each for each in evaluators.values() if each.rules.is_open and each.rules.asks_only_for_the_id)
    product = Product.objects.filter(pk=product_id).values_list("slug", flat=True).first() or ""
    return FlagSet(version, evaluators, product, ids, metadata, stamps, environment_id, by_id)


def changed(product_id: int) -> None:
    """Some flag of the product was written: tell the other processes, and this one now and after the commit."""
    FlagSetVersion.objects.update_or_create(product_id=product_id, defaults={"token": secrets.token_hex(8)})
    look_again(product_id)
    transaction.on_commit(lambda: look_again(product_id))


def look_again(product_id: int) -> None:
    for (held_for, _), held in list(_held.items()):
        if held_for == product_id:
            held.look_at = held.good_until = 0.0


def forget() -> None:
    """Drop everything held, as a new process would start."""
    _held.clear()
    membership.forget()


def flags_in_force(product_id: int, distinct_id: str) -> dict[str, str]:
    """Flag key to variant, for the flags that are on and whose rollout includes this person. Makes no query."""
    return dict(flag_set(product_id).in_force(distinct_id))


def tell_in_force(product_id: int) -> Callable[[str], dict[str, str]] | None:
    """The same as a function of the id, for many people of one product; None while no flag is open to anybody."""
    flags = flag_set(product_id)
    return flags.in_force if flags.opens_any else None
