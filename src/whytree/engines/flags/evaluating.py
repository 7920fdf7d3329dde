"""Which variant a person gets, and why. Pure: rules and a context in, an `Evaluation` out.

    >>> rules = Rules(key="ask-later", variants={"on": True, "off": False}, default_variant="off",
    ...               off_variant="off", weights={"on": 50, "off": 50}, coverage=2_500, is_on=True)
    >>> evaluate(rules, "maria").variant
    'off'

The first that decides, decides: the switch and its schedule, the flags it needs, the person's own override, the holdout,
the group of flags that exclude each other, the targeting rule, the variant that was kept for the person, the rollout.
While a flag switches (`switching`), the arm of somebody in the rollout is that of the period.

The rollout asks two questions with two hashes. *Coverage* decides who is in it, *variant* which arm a person in it gets.
Each hashes a text of its own, so opening a flag further adds people and moves nobody between arms. What is hashed are
plain texts, `"<salt>/coverage/<unit>"` and `"<salt>/variant/<unit>"`, because a flagd file can write them too, as
`{"cat": ["<salt>/coverage/", {"var": "targetingKey"}]}`: a provider that evaluates in its own process reaches the same
arm. (An array it could not write: flagd reads an array there as the list of variants.) How a text becomes a bucket is
the flag's `bucketing`, see `rules.bucketing`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from .rules import (
    BUCKETINGS,
    DEFAULT_BUCKETING,
    Drawn,
    attributes_of,
    compile_logic,
    logic_fault,
    reads_the_clock,
)
from .rules.bucketing import bucket
from .rules.cohorts import BELONGS_TO, cohorts_in
from .switching import Switching, switching_fault

BUCKETING = DEFAULT_BUCKETING
FULL_COVERAGE = 10_000  # coverage is counted in basis points: 2,500 is 25 %
MAX_CHAIN = 20  # flags that need flags that need flags
MAX_WEIGHT = 1_000_000  # keeps the sum of any sensible number of arms below flagd's 2^31 - 1

Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT", "ERROR"]
ErrorCode = Literal["TARGETING_KEY_MISSING", "INVALID_CONTEXT", "PARSE_ERROR", "GENERAL"]
Step = Literal[
    "switch",
    "schedule",
    "prerequisite",
    "override",
    "holdout",
    "group",
    "targeting",
    "kept",
    "rollout",
    "unit",
    "period",
]
Unit = Literal["person", "company"]


class Prerequisite(msgspec.Struct, frozen=True):
    """Another flag that must give one of these variants, else this one is off for the person."""

    flag: str
    variants: tuple[str, ...]


class Slots(msgspec.Struct, frozen=True):
    """The people a flag may have: those whose place under `salt`, 0 to 9,999, is at least `start` and below `end`."""

    name: str
    salt: str
    start: int
    end: int


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides one flag.

    `weights` are relative (1:1 equals 50:50) and taken in `arm_order`, else in the order of their names, since a stored
    JSON object has no order of its own. People outside the rollout get `default_variant`; a flag that is off gives
    everybody `off_variant`. `on_from` and `on_until` are seconds since 1970. `holdout` says who is in none of the
    product's experiments, `group` who is left to this flag by others.
    """

    key: str
    variants: Mapping[str, Any]
    default_variant: str
    off_variant: str
    weights: Mapping[str, int]
    coverage: int
    is_on: bool
    salt: str = ""
    bucketing: str = DEFAULT_BUCKETING
    arm_order: tuple[str, ...] = ()
    targeting: Mapping[str, Any] | None = None
    overrides: Mapping[str, str] = {}
    prerequisites: tuple[Prerequisite, ...] = ()
    on_from: float | None = None
    on_until: float | None = None
    unit: Unit = "person"
    is_sticky: bool = False
    holdout: Slots | None = None
    group: Slots | None = None
    switching: Switching | None = None

    @property
    def arms(self) -> tuple[tuple[str, int], ...]:
        """The variants that somebody can get from the rollout, with their weights, in hashing order."""
        named = [name for name in self.arm_order if name in self.weights]
        order = named + sorted(set(self.weights).difference(named))
        return tuple((name, self.weights[name]) for name in order if self.weights[name] > 0)

    @property
    def seed(self) -> str:
        """What both hashes begin with. Two flags with one salt put the same people into their rollouts."""
        return self.salt or self.key

    @property
    def is_open(self) -> bool:
        """Somebody can be in the rollout, or be drawn or chosen by the targeting rule."""
        return self.is_on and (self.coverage > 0 or self.targeting is not None)

    @property
    def asks_only_for_the_id(self) -> bool:
        """The id alone decides: no attribute, no other flag, nothing that was kept, no clock."""
        is_alone = self.targeting is None and not self.prerequisites and self.switching is None
        return is_alone and self.unit == "person" and not self.is_sticky


class Context(msgspec.Struct, frozen=True):
    """What is known about who is asked for. `now` is in seconds since 1970; `kept` are the variants that sticky flags
    gave this unit before, by flag; `flags` are the others, for prerequisites; `cohorts_at` is when it was last looked who
    belongs to the cohorts that rules ask for, None where it is not known."""

    attributes: Mapping[str, Any] = {}
    now: float = 0.0
    kept: Mapping[str, str] = {}
    flags: Mapping[str, "Evaluator"] = {}
    cohorts_at: float | None = None

    @property
    def company(self) -> str:
        """The company's id: the attribute `company`, a text, a number, or an object with `id` or `key`."""
        said = self.attributes.get("company")
        if isinstance(said, Mapping):
            said = said.get("id") or said.get("key")
        return str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""


NOTHING_KNOWN = Context()


class Evaluation(msgspec.Struct, frozen=True):
    """What one person gets and how that came about.

    `coverage_bucket` (0 to 9,999) and `variant_bucket` (0 to the sum of weights - 1) are None where no hash was needed.
    `in_rollout`, being assigned by chance, is what makes an evaluation an exposure. With reason ERROR the variant is ""
    and the value None: the caller's own default holds. `by` is the step that decided, `says` what it has to add: of a
    flag that switches the period's number and the region, as `14/berlin`.
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
    by: Step = "rollout"
    says: str = ""


#: What a targeting rule reads: the attributes, who is asked for and, anew for each flag, `$flagd`.
_Facts = dict[str, Any]


def _facts(unit: str | None, context: Context) -> _Facts:
    return {**context.attributes, "targetingKey": unit}


class Evaluator:
    """One flag's rules, checked and made ready to be asked often. Never changes, so threads may share it."""

    __slots__ = (
        "_arms",
        "_bounds",
        "_coverage_text",
        "_is_gated",
        "_place",
        "_same_for_all",
        "_same_rollout",
        "_targeting",
        "_variant_text",
        "cohorts",
        "reads",
        "rules",
        "sees_the_clock",
        "wants_more",
    )

    def __init__(self, rules: Rules) -> None:
        problem = fault(rules)
        if problem:
            raise ValueError(problem)
        self.rules = rules
        hashing = BUCKETINGS[rules.bucketing]
        self._place = hashing.place
        self._coverage_text = hashing.around("coverage", rules.seed)
        self._variant_text = hashing.around("variant", rules.seed)
        self._arms = tuple(name for name, _ in rules.arms)
        self._bounds = tuple(accumulate(weight for _, weight in rules.arms))
        self._targeting = (
            compile_logic(rules.targeting, rules.bucketing, rules.key) if rules.targeting is not None else None
        )
        self.cohorts = frozenset(cohorts_in(rules.targeting))
        self.reads = frozenset(name.partition(".")[0] for name in attributes_of(rules.targeting) - {BELONGS_TO})
        self._is_gated = bool(
            rules.overrides
            or rules.prerequisites
            or rules.holdout
            or rules.group
            or rules.is_sticky
            or rules.unit != "person"
            or rules.on_from is not None
            or rules.on_until is not None
            or rules.switching is not None
        )
        # what a client may not send: profiles, companies, cohorts, variants that were kept, and whatever other flags want
        self.wants_more = bool(
            self.cohorts
            or self.reads & {"person", "company"}
            or rules.unit == "company"
            or rules.is_sticky
            or rules.prerequisites
        )
        self.sees_the_clock = (
            rules.on_from is not None
            or rules.on_until is not None
            or rules.switching is not None
            or reads_the_clock(rules.targeting)
        )
        self._same_rollout = self._rollout_for_all()
        self._same_for_all = self._answer_for_all()

    def _answer_for_all(self) -> Evaluation | None:
        """The answer when it does not depend on the person; such a flag needs no targeting key."""
        rules = self.rules
        if not rules.is_on:
            return self._answer(rules.off_variant, "DISABLED", by="switch")
        return self._same_rollout if self._is_plain else None

    @property
    def _is_plain(self) -> bool:
        """Nothing but the rollout decides."""
        return self._targeting is None and not self._is_gated

    def _rollout_for_all(self) -> Evaluation | None:
        rules = self.rules
        if rules.coverage == 0:
            return self._answer(rules.default_variant, "DEFAULT")
        if rules.coverage == FULL_COVERAGE and len(self._arms) == 1:
            return self._answer(self._arms[0], "STATIC" if self._is_plain else "SPLIT", in_rollout=True)
        return None

    def _answer(
        self, variant: str, reason: Reason, *, in_rollout: bool = False, by: Step = "rollout", says: str = ""
    ) -> Evaluation:
        return Evaluation(self.rules.key, variant, self.rules.variants[variant], reason, in_rollout, by=by, says=says)

    def _error(self, code: ErrorCode, says: str = "", by: Step = "rollout") -> Evaluation:
        return Evaluation(self.rules.key, "", None, "ERROR", error=code, by=by, says=says)

    def evaluate(self, unit: str | None, context: Context = NOTHING_KNOWN, facts: _Facts | None = None) -> Evaluation:
        """The variant of `unit`, OpenFeature's targeting key. The same question always gets the same answer.

        `facts` is what rules read of these two, where it was put together before (`evaluate_all`).
        """
        if self._same_for_all is not None:
            return self._same_for_all
        try:
            if self._is_gated:
                return self._in_steps(unit, context, (), facts)
            decided = self._target(unit, context, facts) if self._targeting is not None else None
            return self._roll_out(unit) if decided is None else decided
        except UnicodeEncodeError:  # half a surrogate pair: no text, so nobody's id
            return self._error("INVALID_CONTEXT")

    def _in_steps(
        self, unit: str | None, context: Context, asking: tuple[str, ...], facts: _Facts | None
    ) -> Evaluation:
        rules = self.rules
        if self._same_for_all is not None:
            return self._same_for_all
        gate = self._waits(context.now) or self._lacks(unit, context, asking, facts) or self._chosen(unit)
        if gate is not None:
            return gate
        who = unit if rules.unit == "person" else context.company
        if who:
            gate = self._kept_out(who, rules.holdout, "holdout") or self._kept_out(who, rules.group, "group")
            if gate is not None:
                return gate
        if self._targeting is not None:
            decided = self._target(unit, context, facts)
            if decided is not None:
                return decided
        kept = context.kept.get(rules.key) if rules.is_sticky else None
        if kept in rules.variants and kept is not None:
            return Evaluation(rules.key, kept, rules.variants[kept], "SPLIT", True, who or None, by="kept")
        if rules.unit == "company" and not who:
            return self._answer(rules.default_variant, "DEFAULT", by="unit")
        if (rules.holdout or rules.group) and not who and rules.coverage:
            return self._error("TARGETING_KEY_MISSING")
        return self._roll_out(who) if rules.switching is None else self._switch(rules.switching, who, context)

    def _waits(self, now: float) -> Evaluation | None:
        rules = self.rules
        if (rules.on_from is not None and now < rules.on_from) or (
            rules.on_until is not None and now >= rules.on_until
        ):
            return self._answer(rules.off_variant, "DISABLED", by="schedule")
        return None

    def _lacks(
        self, unit: str | None, context: Context, asking: tuple[str, ...], facts: _Facts | None
    ) -> Evaluation | None:
        """Off while a flag that this one needs gives something else, is gone, or asks for this one in turn."""
        for needed in self.rules.prerequisites:
            other = context.flags.get(needed.flag)
            if other is None or needed.flag in (*asking, self.rules.key) or len(asking) >= MAX_CHAIN:
                return self._answer(self.rules.off_variant, "DISABLED", by="prerequisite", says=f"{needed.flag}=")
            given = other._in_steps(unit, context, (*asking, self.rules.key), facts)
            if given.variant not in needed.variants:
                says = f"{needed.flag}={given.variant}"
                return self._answer(self.rules.off_variant, "DISABLED", by="prerequisite", says=says)
        return None

    def _chosen(self, unit: str | None) -> Evaluation | None:
        variant = self.rules.overrides.get(unit) if unit and self.rules.overrides else None
        return None if variant is None else self._answer(variant, "TARGETING_MATCH", by="override")

    def _kept_out(self, who: str, slots: Slots | None, by: Step) -> Evaluation | None:
        """The holdout takes the people in its slots out, a group those who are in other flags' slots."""
        if slots is None:
            return None
        place = bucket(f"{slots.salt}/{by}/{who}", FULL_COVERAGE)
        if (slots.start <= place < slots.end) is (by == "group"):
            return None
        return self._answer(self.rules.default_variant, "DEFAULT", by=by, says=str(place))

    def _target(self, unit: str | None, context: Context, facts: _Facts | None) -> Evaluation | None:
        """The targeting rule's answer; None when it leaves the person to the rollout."""
        rules = self.rules
        data = _facts(unit, context) if facts is None else facts
        data["$flagd"] = {"flagKey": rules.key, "timestamp": int(context.now)}
        try:
            found = self._targeting(data) if self._targeting is not None else None
            variant = _variant_name(found)
        except Exception as error:  # operators raise what Python raises on input that makes no sense
            return self._error("GENERAL", f"{type(error).__name__}: {error}", "targeting")
        if variant is None:
            return None
        if variant not in rules.variants:
            return self._error("GENERAL", f"The rule gives {variant[:80]!r}, which is no variant.", "targeting")
        drawn = isinstance(found, Drawn)
        variant = str(variant)
        return Evaluation(
            rules.key,
            variant,
            rules.variants[variant],
            "TARGETING_MATCH",
            drawn,
            unit if drawn else None,
            by="targeting",
        )

    def _switch(self, switching: Switching, who: str | None, context: Context) -> Evaluation:
        """Coverage is of people as ever; whoever is in the rollout gets the arm of the period."""
        rules, period = self.rules, switching.period_at(context.now)
        if period is None:
            return self._answer(rules.default_variant, "DEFAULT", by="period")
        if not who and rules.coverage == FULL_COVERAGE:
            covered = self._answer(rules.default_variant, "SPLIT", in_rollout=True)
        else:
            covered = self._roll_out(who)
        if not covered.in_rollout:
            return covered
        region = switching.region_of(context.attributes)
        variant = switching.arm(rules.weights, period, region)
        return replace(
            covered,
            variant=variant,
            value=rules.variants[variant],
            variant_bucket=None,
            by="period",
            says=f"{period}/{region}",
        )

    def _roll_out(self, who: str | None) -> Evaluation:
        rules, place = self.rules, None
        same = self._same_rollout
        if same is not None:
            return replace(same, unit=who) if who and same.in_rollout else same
        if not who:
            return self._error("TARGETING_KEY_MISSING")
        if rules.coverage < FULL_COVERAGE:
            before, after = self._coverage_text
            place = self._place(before + who + after, FULL_COVERAGE)
            if place is None:
                return self._error("INVALID_CONTEXT")
            if place >= rules.coverage:
                variant = rules.default_variant
                return Evaluation(rules.key, variant, rules.variants[variant], "DEFAULT", False, who, place)
        before, after = self._variant_text
        slot = self._place(before + who + after, self._bounds[-1])
        if slot is None:
            return self._error("INVALID_CONTEXT")
        variant = self._arms[bisect_right(self._bounds, slot)]
        return Evaluation(rules.key, variant, rules.variants[variant], "SPLIT", True, who, place, slot)


def _variant_name(found: Any) -> str | None:
    """As flagd reads a rule's result: true is "true", a number its digits, nothing is nothing."""
    if found is None or isinstance(found, str):
        return found
    return str(found).lower() if isinstance(found, bool) else str(found)


def evaluate_all(evaluators: Iterable[Evaluator], unit: str | None, context: Context) -> list[Evaluation]:
    """Many flags for one person: what their rules read is put together once."""
    facts = _facts(unit, context)
    return [evaluator.evaluate(unit, context, facts) for evaluator in evaluators]


def evaluate(rules: Rules, unit: str | None, context: Context = NOTHING_KNOWN) -> Evaluation:
    """One evaluation from plain rules; ValueError when they have a fault."""
    return Evaluator(rules).evaluate(unit, context)


def fault(rules: Rules) -> str | None:
    """What is wrong with these rules, as a sentence that says what to do; None when they can be evaluated."""
    return _name_fault(rules) or _number_fault(rules) or _targeting_fault(rules)


def _name_fault(rules: Rules) -> str | None:
    named = {"the default variant": rules.default_variant, "the off variant": rules.off_variant}
    named |= {f"the weight of {name}": name for name in rules.weights}
    named |= {f"the override of {unit}": name for unit, name in rules.overrides.items()}
    for where, name in named.items():
        if name not in rules.variants:
            return f"There is no variant “{name}” ({where}); choose one of {', '.join(sorted(rules.variants))}."
    return None


def _number_fault(rules: Rules) -> str | None:
    for name, weight in rules.weights.items():
        if type(weight) is not int or not 0 <= weight <= MAX_WEIGHT:
            return f"The weight of {name} must be a whole number from 0 to {MAX_WEIGHT:,}."
    if not rules.arms:
        return "All weights are 0, so nobody could get anything; give at least one variant a weight above 0."
    if type(rules.coverage) is not int or not 0 <= rules.coverage <= FULL_COVERAGE:
        return "Coverage must lie between 0 and 100 %."
    if rules.on_from is not None and rules.on_until is not None and rules.on_from >= rules.on_until:
        return "The schedule ends before it begins. Give an end after its start."
    return None if rules.switching is None else switching_fault(rules.switching, rules.weights)


def _targeting_fault(rules: Rules) -> str | None:
    if rules.bucketing not in BUCKETINGS:
        return f"There is no bucketing {rules.bucketing!r}; there are {', '.join(BUCKETINGS)}."
    return None if rules.targeting is None else logic_fault(rules.targeting)


def percent(coverage: int) -> str:
    """2500 -> "25 %", 1250 -> "12.5 %"."""
    return f"{coverage / 100:g} %"
