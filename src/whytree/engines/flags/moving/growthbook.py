"""GrowthBook's features, as its SDK endpoint gives them, over GrowthBook's own hash.

Rules become one `or`: the first that gives something decides. A draw is a `fractional` over all of GrowthBook's steps,
with gaps where coverage leaves people out, so that each step keeps its arm.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .growthbook_conditions import condition_of, variable
from .incoming import FULL, CannotCarry, Incoming, LeftOut, kind_of

STEPS = {2: 10_000, 1: 1_000}
_UNKNOWN = ("parentConditions", "filters", "contextualBandit", "urlPatterns")


STICKY = (
    "A rule leaves out whom GrowthBook remembers from before it was started anew (minBucketVersion). Who that is is not known here: "
    "they are drawn like everybody."
)


def _attributes_read(rule: Any) -> list[str]:
    """All that code has to send beside the id, for a rule to give what it gave."""
    names = sorted(set(_variables(rule)) - {"targetingKey", ""})
    return [f"Its rules read {', '.join(names)}: send them with each evaluation, as to GrowthBook."] if names else []


def _variables(logic: Any) -> Iterator[str]:
    if isinstance(logic, Mapping):
        for name, said in logic.items():
            if name == "var":
                yield str(said)
            else:
                yield from _variables(said)
    elif isinstance(logic, list):
        for part in logic:
            yield from _variables(part)


def read_growthbook(document: Mapping[str, Any]) -> list[Incoming | LeftOut]:
    return [_flag(key, said) for key, said in document["features"].items()]


def _flag(key: str, said: Any) -> Incoming | LeftOut:
    try:
        return _Reader(key, said if isinstance(said, Mapping) else {}).incoming()
    except CannotCarry as error:
        return LeftOut(key, str(error))


class _Reader:
    """One feature on its way; values get names as they are met."""

    def __init__(self, key: str, said: Mapping[str, Any]) -> None:
        self.key, self.said = key, said
        self.names: dict[str, Any] = {}
        self.version: int | None = None
        self.notes: list[str] = []

    def incoming(self) -> Incoming:
        default = self.said.get("defaultValue")
        if default is None:
            raise CannotCarry("it has no default value")
        values = [default, *self._all_values()]
        kind = kind_of(values)
        out = self._name(default)
        rules = [
            each for each in self.said.get("rules") or [] if isinstance(each, Mapping) and each.get("enabled", True)
        ]
        steps = [self._rule(rule) for rule in rules]
        targeting = {"or": steps} if len(steps) > 1 else {"if": [True, steps[0]]} if steps else None
        return Incoming(
            key=self.key,
            kind=kind,
            variants=dict(self.names),
            default_variant=out,
            weights={out: 1},
            coverage=0 if steps else FULL,
            bucketing=f"growthbook-{self.version or 2}",
            targeting=targeting,
            notes=[*self.notes, *_attributes_read(targeting)],
            moves_nobody=not self.notes,
        )

    def _all_values(self) -> list[Any]:
        found = []
        for rule in self.said.get("rules") or []:
            found += [rule["force"]] if "force" in rule else list(rule.get("variations") or [])
        return found

    def _name(self, value: Any) -> str:
        """on and off, a short text itself, or v0, v1 ... in the order of meeting."""
        for name, known in self.names.items():
            if type(known) is type(value) and known == value:
                return name
        if isinstance(value, bool):
            name = "on" if value else "off"
        elif (
            isinstance(value, str)
            and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._:-]{0,99}", value)
            and value not in self.names
        ):
            name = value
        else:
            name = f"v{len(self.names)}"
        self.names[name] = value
        return name

    def _rule(self, rule: Mapping[str, Any]) -> Any:
        for name in _UNKNOWN:
            if rule.get(name):
                raise CannotCarry(f"a rule uses {name}")
        if (rule.get("minBucketVersion") or 0) > 0 and STICKY not in self.notes:
            self.notes.append(STICKY)
        gives = self._force(rule) if "force" in rule else self._draw(rule)
        held = [condition_of(rule["condition"])] if rule.get("condition") else []
        return {"if": [*held, gives]} if held else gives

    def _force(self, rule: Mapping[str, Any]) -> Any:
        name = self._name(rule["force"])
        bounds = rule.get("range")
        if bounds is None and rule.get("coverage") is None:
            return {"if": [True, name]}
        start, end = bounds or (0.0, float(rule["coverage"]))
        draw = self._fractional(rule, str(rule.get("seed") or self.key), [(name, start, end)])
        return {"if": [{"==": [draw, name]}, name]}  # a forced value is chosen, not drawn

    def _draw(self, rule: Mapping[str, Any]) -> Any:
        variations = rule.get("variations")
        if not isinstance(variations, Sequence) or isinstance(variations, str) or not variations:
            raise CannotCarry("a rule gives nothing that is known")
        names = [self._name(value) for value in variations]
        ranges = rule.get("ranges") or _ranges(rule, len(names))
        arms = [(name, start, end) for name, (start, end) in zip(names, ranges, strict=True)]
        draw = self._fractional(rule, str(rule.get("seed") or rule.get("key") or self.key), arms)
        if not rule.get("namespace"):
            return draw
        space, low, high = rule["namespace"]
        if self.version != 1:
            raise CannotCarry("a rule in a namespace hashes it by version 1 and its arms by version 2")
        inside = self._fractional(rule, f"__{space}", [("in", low, high)])
        return {"if": [{"==": [inside, "in"]}, draw]}

    def _fractional(self, rule: Mapping[str, Any], seed: str, arms: Sequence[tuple[str, float, float]]) -> Any:
        version = int(rule.get("hashVersion") or 1)
        if self.version not in (None, version) or version not in STEPS:
            raise CannotCarry("its rules hash by different versions")
        self.version = version
        if rule.get("fallbackAttribute"):
            raise CannotCarry("a rule falls back to another attribute")
        unit = variable(str(rule.get("hashAttribute") or "id"))
        text = {"cat": [seed, unit] if version == 2 else [unit, seed]}
        draw = {"fractional": [text, *_places(arms, STEPS[version])]}
        return {"if": [unit, draw]}  # nobody without the attribute


def _ranges(rule: Mapping[str, Any], count: int) -> list[tuple[float, float]]:
    """GrowthBook's getBucketRanges, in its order of floating-point operations."""
    coverage = min(max(float(rule.get("coverage", 1.0)), 0.0), 1.0)
    weights = rule.get("weights")
    if not isinstance(weights, list) or len(weights) != count or not 0.99 <= sum(weights) <= 1.01:
        weights = [1 / count] * count
    found, start = [], 0.0
    for weight in weights:
        found.append((start, start + coverage * weight))
        start += weight
    return found


def _places(arms: Sequence[tuple[str, float, float]], steps: int) -> list[list[Any]]:
    """Each step of the hash goes to the first arm whose range it lies in, as GrowthBook asks them; nobody's steps are gaps."""
    owners = [next((name for name, start, end in arms if start <= at / steps < end), None) for at in range(steps)]
    found: list[list[Any]] = []
    for owner in owners:
        if found and found[-1][0] == owner:
            found[-1][1] += 1
        else:
            found.append([owner, 1])
    return found
