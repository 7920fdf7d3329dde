"""What a product wants of what is sent to it: bots, a sample, which properties, addresses, and how much per key.

The doors ask `rules_of` for every request; it answers from memory for some seconds, so a change holds soon everywhere.
"""

import threading
import time
from dataclasses import dataclass, field, replace

from django.db import DatabaseError

from whytree.errors import TooMany

from ..models import Intake, KeyLimit, Relay
from ..shaping.rows import SERVER, LeftOut, Normalised, Outcome
from ..shaping.traits import SET, SET_ONCE

FRESH_SECONDS = 2.0

# Without these nobody could be told from anybody, nor a variant from another: they are kept whatever the lists say.
_NEEDED = frozenset({"$anon_distinct_id", "alias", "previousId", "groupId", "flag", "variant", "$import"})


@dataclass(frozen=True, slots=True)
class Rules:
    """An intake as the doors need it."""

    bots: str = Intake.Bots.APART.value
    sample: int = 100
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    denied_beginnings: tuple[str, ...] = ()
    keep_address: bool = False
    limits: dict[int, int] = field(default_factory=dict)  # events a minute, by key
    relayed: frozenset[str] = frozenset()  # dialects whose calls are passed on

    @property
    def is_usual(self) -> bool:
        """Whether every message passes as it is."""
        return self == Rules(limits=self.limits, relayed=self.relayed)

    def apply(self, item: Outcome, address: str) -> Outcome:
        """The message as the product wants it."""
        if not isinstance(item, Normalised):
            return item
        event = item.event
        if event.person % 100 >= self.sample:
            return LeftOut("It is outside the sample that this product keeps.")
        if event.bot and self.bots == Intake.Bots.REFUSED:
            return LeftOut("It is a bot's, and this product keeps none.")
        if event.bot and self.bots == Intake.Bots.COUNTED:
            event.bot = False
            if item.exposure is not None:
                item.exposure.bot = False
        if self.allowed or self.denied or self.denied_beginnings or (self.keep_address and address):
            self._choose(item, address)
        return item

    def _choose(self, item: Normalised, address: str) -> None:
        """Keep of the properties what is wanted."""
        letters = dict(item.typed())
        kept = {name: value for name, value in item.event.said.items() if self.keeps(name)}
        if self.keep_address and address and item.event.source != SERVER:
            kept["$ip"], letters["$ip"] = address, "s"
        item.event.properties = kept
        item.types = "".join(letters[name] for name in kept)
        if item.traits is not None:
            item.traits = replace(
                item.traits, values=self._not_denied(item.traits.values), once=self._not_denied(item.traits.once)
            )

    def keeps(self, name: str) -> bool:
        """Whether an event keeps a property. What is said of its person (`$set`) is only subject to what is denied."""
        if name in _NEEDED:
            return True
        bare = name.removeprefix(SET).removeprefix(SET_ONCE)
        return not self.denies(bare) and (not self.allowed or name in self.allowed or bare != name)

    def denies(self, name: str) -> bool:
        return name in self.denied or (bool(self.denied_beginnings) and name.startswith(self.denied_beginnings))

    def _not_denied(self, said: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in said.items() if not self.denies(name)}


_cache: dict[int, tuple[float, Rules]] = {}
USUAL = Rules()


def rules_of(product_id: int) -> Rules:
    """What holds for a product now, or held some seconds ago."""
    found = _cache.get(product_id)
    if found is not None and found[0] > time.monotonic():
        return found[1]
    try:
        rules = _load(product_id)
    except DatabaseError:
        rules = found[1] if found is not None else USUAL  # events come in though the database does not answer
    _cache[product_id] = (time.monotonic() + FRESH_SECONDS, rules)
    return rules


def forget() -> None:
    """Read the rules anew."""
    _cache.clear()


def _load(product_id: int) -> Rules:
    limits = dict(KeyLimit.objects.filter(key__product_id=product_id).values_list("key_id", "events_per_minute"))
    relayed = frozenset(Relay.objects.filter(product_id=product_id).values_list("dialect", flat=True))
    intake = Intake.objects.filter(product_id=product_id).first()
    if intake is None:
        return Rules(limits=limits, relayed=relayed)
    return Rules(
        bots=intake.bots,
        sample=intake.sample,
        allowed=frozenset(intake.allowed),
        denied=frozenset(name for name in intake.denied if not name.endswith("*")),
        denied_beginnings=tuple(name[:-1] for name in intake.denied if name.endswith("*")),
        keep_address=intake.keep_address,
        limits=limits,
        relayed=relayed,
    )


# ---- so much per key -----------------------------------------------------------------------------------------------

_spent: dict[int, tuple[float, float]] = {}  # by key: when, and how many events were left then
_guard = threading.Lock()


def spend(key_id: int, events: int, product_id: int) -> None:
    """Count these events against the key's limit. Raises `TooMany` with the seconds until there is room.

    A bucket of a minute's events that fills evenly: a batch is taken when anything is left, and may overdraw it.
    """
    limit = rules_of(product_id).limits.get(key_id)
    if limit is None:
        return
    now = time.monotonic()
    with _guard:
        then, left = _spent.get(key_id, (now, float(limit)))
        left = min(float(limit), left + (now - then) * limit / 60)
        if left >= 1:
            _spent[key_id] = (now, left - events)
            return
        _spent[key_id] = (now, left)
    wait = max(1, round((1 - left) * 60 / limit))
    raise TooMany(f"This key may send {limit:,} events a minute. Send this again in {wait} s.", retry_after=wait)
