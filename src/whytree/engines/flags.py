"""Which variant a person gets, and why. Pure: rules and a unit in, an `Evaluation` out.

    >>> rules = Rules(key="ask-later", variants={"on": True, "off": False}, default_variant="off",
    ...               off_variant="off", weights={"on": 50, "off": 50}, coverage=2_500, is_on=True)
    >>> evaluate(rules, "maria").variant
    'off'

Two questions, two hashes. *Coverage* decides who is in the rollout, *variant* which arm a person in it
gets. Each hashes a text of its own, so opening a flag further adds people and moves nobody between arms.

The hash is flagd's fractional bucketing, version 3: 32-bit murmur3 (seed 0) of the value's canonical CBOR
(RFC 8949, 4.2.1), scaled to a range without division (`flagd docs/architecture-decisions/
fractional-non-string-rand-units.md`). What we hash are plain texts, `"<salt>/coverage/<unit>"` and
`"<salt>/variant/<unit>"`, because a flagd file can write them too, as
`{"cat": ["<salt>/coverage/", {"var": "targetingKey"}]}`: a provider that evaluates in its own process
reaches the same arm. (An array it could not write: flagd reads an array there as the list of variants.)
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Literal

import msgspec
from mmh3 import mmh3_32_uintdigest

BUCKETING = 3  # the version above; stored with each flag, since changing it would move everybody
FULL_COVERAGE = 10_000  # coverage is counted in basis points: 2,500 is 25 %
MAX_WEIGHT = 1_000_000  # keeps the sum of any sensible number of arms below flagd's 2^31 - 1

Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT", "ERROR"]
ErrorCode = Literal["TARGETING_KEY_MISSING", "INVALID_CONTEXT"]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides one flag.

    `weights` are relative (1:1 equals 50:50) and taken in the order of their names, since a stored JSON
    object has no order of its own. People outside the rollout get `default_variant`; a flag that is off
    gives everybody `off_variant`.
    """

    key: str
    variants: Mapping[str, Any]
    default_variant: str
    off_variant: str
    weights: Mapping[str, int]
    coverage: int
    is_on: bool
    salt: str = ""

    @property
    def arms(self) -> tuple[tuple[str, int], ...]:
        """The variants that somebody can get, with their weights, in hashing order."""
        return tuple((name, self.weights[name]) for name in sorted(self.weights) if self.weights[name] > 0)

    @property
    def seed(self) -> str:
        """What both hashes begin with. Two flags with one salt put the same people into their rollouts."""
        return self.salt or self.key

    @property
    def is_open(self) -> bool:
        """Somebody can be in the rollout."""
        return self.is_on and self.coverage > 0


class Evaluation(msgspec.Struct, frozen=True):
    """What one person gets and how that came about.

    `coverage_bucket` (0 to 9,999) and `variant_bucket` (0 to the sum of weights - 1) are None where no hash
    was needed. `in_rollout` is what makes an evaluation an exposure. With reason ERROR the variant is ""
    and the value None: the caller's own default holds.
    """

    key: str
    variant: str
    value: Any
    reason: Reason
    in_rollout: bool = False
    unit: str | None = None
    coverage_bucket: int | None = None
    variant_bucket: int | None = None
    error: ErrorCode | None = None


class Evaluator:
    """One flag's rules, checked and made ready to be asked often. Never changes, so threads may share it."""

    __slots__ = ("_arms", "_bounds", "_coverage_text", "_same_for_all", "_variant_text", "rules")

    def __init__(self, rules: Rules) -> None:
        problem = fault(rules)
        if problem:
            raise ValueError(problem)
        self.rules = rules
        self._coverage_text = f"{rules.seed}/coverage/"
        self._variant_text = f"{rules.seed}/variant/"
        self._arms = tuple(name for name, _ in rules.arms)
        self._bounds = tuple(accumulate(weight for _, weight in rules.arms))
        self._same_for_all = self._answer_for_all()

    def _answer_for_all(self) -> Evaluation | None:
        """The answer when it does not depend on the person; such a flag needs no targeting key."""
        rules = self.rules
        if not rules.is_on:
            return self._answer(rules.off_variant, "DISABLED")
        if rules.coverage == 0:
            return self._answer(rules.default_variant, "DEFAULT")
        if rules.coverage == FULL_COVERAGE and len(self._arms) == 1:
            return self._answer(self._arms[0], "STATIC", in_rollout=True)
        return None

    def _answer(self, variant: str, reason: Reason, *, in_rollout: bool = False) -> Evaluation:
        return Evaluation(self.rules.key, variant, self.rules.variants[variant], reason, in_rollout)

    def evaluate(self, unit: str | None) -> Evaluation:
        """The variant of `unit`, OpenFeature's targeting key. The same unit always gets the same answer."""
        if self._same_for_all is not None:
            return self._same_for_all
        if not unit:
            return Evaluation(self.rules.key, "", None, "ERROR", error="TARGETING_KEY_MISSING")
        try:
            return self._decide(unit)
        except UnicodeEncodeError:  # half a surrogate pair: no text, so nobody's id
            return Evaluation(self.rules.key, "", None, "ERROR", error="INVALID_CONTEXT")

    def _decide(self, unit: str) -> Evaluation:
        rules, place = self.rules, None
        if rules.coverage < FULL_COVERAGE:
            place = bucket(self._coverage_text + unit, FULL_COVERAGE)
            if place >= rules.coverage:
                variant = rules.default_variant
                return Evaluation(rules.key, variant, rules.variants[variant], "DEFAULT", False, unit, place)
        slot = bucket(self._variant_text + unit, self._bounds[-1])
        variant = self._arms[bisect_right(self._bounds, slot)]
        return Evaluation(rules.key, variant, rules.variants[variant], "SPLIT", True, unit, place, slot)


def evaluate(rules: Rules, unit: str | None) -> Evaluation:
    """One evaluation from plain rules; ValueError when they have a fault."""
    return Evaluator(rules).evaluate(unit)


def fault(rules: Rules) -> str | None:
    """What is wrong with these rules, as a sentence that says what to do; None when they can be evaluated."""
    named = {"the default variant": rules.default_variant, "the off variant": rules.off_variant}
    named |= {f"the weight of {name}": name for name in rules.weights}
    for where, name in named.items():
        if name not in rules.variants:
            return f"There is no variant “{name}” ({where}); choose one of {', '.join(sorted(rules.variants))}."
    for name, weight in rules.weights.items():
        if type(weight) is not int or not 0 <= weight <= MAX_WEIGHT:
            return f"The weight of {name} must be a whole number from 0 to {MAX_WEIGHT:,}."
    if not rules.arms:
        return "All weights are 0, so nobody could get anything; give at least one variant a weight above 0."
    if type(rules.coverage) is not int or not 0 <= rules.coverage <= FULL_COVERAGE:
        return "Coverage must lie between 0 and 100 %."
    return None


def bucket(text: str, size: int) -> int:
    """The text's place under flagd's bucketing version 3: 0 to size - 1, evenly spread."""
    return int(mmh3_32_uintdigest(_cbor(text), 0) * size) >> 32


def _cbor(text: str) -> bytes:
    """Canonical CBOR of a text (RFC 8949, 3.1): major type 3 with the shortest length, then the UTF-8."""
    utf8 = text.encode()
    length = len(utf8)
    if length < 256:
        return _SHORT_HEADS[length] + utf8
    if length < 65_536:
        return b"\x79" + length.to_bytes(2, "big") + utf8
    return b"\x7a" + length.to_bytes(4, "big") + utf8


_SHORT_HEADS = tuple(bytes([0x60 | n]) if n < 24 else bytes([0x78, n]) for n in range(256))


def explain(rules: Rules, answer: Evaluation) -> list[str]:
    """The evaluation step by step, in sentences, in the order in which it was decided."""
    return list(_steps(rules, answer))


def _steps(rules: Rules, answer: Evaluation) -> Iterator[str]:
    if not rules.is_on:
        yield f"{rules.key} is off, so everybody gets {rules.off_variant}."
        return
    yield f"{rules.key} is on."
    if answer.error == "TARGETING_KEY_MISSING":
        yield "It gives different people different variants, but the context has no targetingKey to tell them apart."
        return
    if answer.error == "INVALID_CONTEXT":
        yield "The targetingKey is no valid text (half a surrogate pair), so it cannot be hashed."
        return
    yield _coverage_step(rules, answer)
    if answer.in_rollout:
        yield _variant_step(rules, answer)


def _coverage_step(rules: Rules, answer: Evaluation) -> str:
    share = percent(rules.coverage)
    if rules.coverage == 0:
        return f"Coverage is 0 %: nobody is in the rollout, so everybody gets the default, {answer.variant}."
    if answer.coverage_bucket is None:
        return "Coverage is 100 %: everybody is in the rollout."
    where = f"“{rules.seed}/coverage/{answer.unit}” falls into bucket {answer.coverage_bucket:,} of 10,000"
    reach = f"coverage {share} takes those below {rules.coverage:,}"
    if answer.in_rollout:
        return f"{where}; {reach}: {answer.unit} is in the rollout."
    return f"{where}; {reach}: {answer.unit} is not in the rollout and gets the default, {answer.variant}."


def _variant_step(rules: Rules, answer: Evaluation) -> str:
    if len(rules.arms) == 1:
        return f"All weight is on {answer.variant}, so everybody in the rollout gets it."
    slots, start = [], 0
    for name, weight in rules.arms:
        slots.append(f"{name} has {start:,}" + (f" to {start + weight - 1:,}" if weight > 1 else ""))
        start += weight
    where = f"“{rules.seed}/variant/{answer.unit}” falls into slot {answer.variant_bucket:,} of {start:,}"
    return f"{where}; {', '.join(slots)}: {answer.unit} gets {answer.variant}."


def percent(coverage: int) -> str:
    """2500 -> "25 %", 1250 -> "12.5 %"."""
    return f"{coverage / 100:g} %"
