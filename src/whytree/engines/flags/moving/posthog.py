"""PostHog's flag definitions, from local evaluation or the list of flags, over PostHog's own hash.

A flag with one group of everybody becomes coverage and weights; any other becomes a rule, group by group.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .incoming import FULL, CannotCarry, Incoming, LeftOut

OUT = "off"  # what people outside a flag with variants get, whom PostHog gives false
YES, NO = "true", "false"  # a switch's variants are called what PostHog's clients say in their exposure events
_UNIT = {"var": "targetingKey"}
_SEMVER = {"eq": "=", "neq": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "tilde": "~", "caret": "^"}
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def read_posthog(document: Any) -> list[Incoming | LeftOut]:
    flags = document if isinstance(document, list) else document.get("flags") or document.get("results")
    kinds = document.get("group_type_mapping") or {} if isinstance(document, Mapping) else {}
    return [_flag(said, kinds) for said in flags if not (isinstance(said, Mapping) and said.get("deleted"))]


def _flag(said: Any, kinds: Mapping[str, Any]) -> Incoming | LeftOut:
    key = str(said.get("key", "")) if isinstance(said, Mapping) else ""
    try:
        return _Reader(said, key, kinds).incoming()
    except CannotCarry as error:
        return LeftOut(key or "?", str(error))


class _Reader:
    """One flag on its way: what was said of it, and what there is to note."""

    def __init__(self, said: Any, key: str, kinds: Mapping[str, Any]) -> None:
        if not key or not isinstance(said, Mapping):
            raise CannotCarry("it has no key")
        self.said, self.key = said, key
        filters = said.get("filters")
        self.filters: Mapping[str, Any] = filters if isinstance(filters, Mapping) else {}
        self.notes: list[str] = []
        self.moves_nobody = True
        self._refuse()
        index = self.filters.get("aggregation_group_type_index")
        self.unit = "person" if index is None else "company"
        if index is not None and kinds.get(str(index), "company") != "company":
            raise CannotCarry(f"it goes by the group {kinds[str(index)]}; here flags go by person or company")

    def _refuse(self) -> None:
        for name, why in (
            ("super_groups", "early access"),
            ("feature_enrollment", "early access"),
            ("holdout", "a holdout of its own"),
            ("holdout_groups", "a holdout of its own"),
            ("early_exit", "early exit"),
        ):
            if self.filters.get(name):
                raise CannotCarry(f"it uses {why}")
        if self.said.get("bucketing_identifier") == "device_id":
            raise CannotCarry("it goes by device, not by person")

    def incoming(self) -> Incoming:
        groups = self.filters.get("groups")
        groups = groups if isinstance(groups, list) else []
        arms = self._arms()
        sticky = bool(self.said.get("ensure_experience_continuity"))
        if sticky:
            self.notes.append("Sticky from now on; who was given a variant before is not known here.")
        is_plain = len(groups) == 1 and not groups[0].get("properties") and not groups[0].get("variant")
        kind, variants = self._variants(arms)
        weights = dict(arms) if arms else {YES: 1}
        out = OUT if arms else NO
        return Incoming(
            key=self.key,
            name=str(self.said.get("name") or "")[:200],
            kind=kind,
            variants=variants,
            default_variant=out,
            weights=weights,
            coverage=_share(groups[0]) if is_plain else 0,
            is_on=bool(self.said.get("active", True)),
            bucketing="posthog",
            arm_order=[*weights, *(name for name in variants if name not in weights)],
            targeting=None if is_plain else self._rule(groups, arms),
            unit=self.unit,
            is_sticky=sticky,
            notes=self.notes,
            moves_nobody=self.moves_nobody and not sticky,
        )

    def _arms(self) -> list[tuple[str, int]]:
        """Variants with their shares in hundredths of a percent; none for a plain switch."""
        said = (self.filters.get("multivariate") or {}).get("variants") or []
        arms = [(str(each.get("key")), round(100 * float(each.get("rollout_percentage") or 0))) for each in said]
        if arms and sum(share for _, share in arms) != FULL:
            raise CannotCarry("its variants do not add up to 100 %")
        if OUT in dict(arms):
            raise CannotCarry(f"one of its variants is called {OUT}, as those outside are here")
        return arms

    def _variants(self, arms: Sequence[tuple[str, int]]) -> tuple[str, dict[str, Any]]:
        payloads = self.filters.get("payloads") or {}
        if not arms:
            if payloads:
                self.notes.append("Its payload is not carried over: a switch here is true or false.")
            return "boolean", {YES: True, NO: False}
        self.notes.append(f"People outside get {OUT}, where PostHog says false.")
        values = {name: _payload(payloads.get(name)) for name, _ in arms}
        if any(value is not None for value in values.values()):
            if all(isinstance(value, dict) or value is None for value in values.values()):
                return "json", {name: value or {} for name, value in values.items()} | {OUT: {}}
            if all(isinstance(value, str) or value is None for value in values.values()):
                return "string", {name: name if value is None else value for name, value in values.items()} | {OUT: OUT}
            self.notes.append("Its payloads are of several types and are not carried over.")
        return "string", {name: name for name, _ in arms} | {OUT: OUT}

    def _rule(self, groups: Sequence[Mapping[str, Any]], arms: Sequence[tuple[str, int]]) -> dict[str, Any]:
        """Group by group; the first that takes somebody in decides."""
        unit = _UNIT if self.unit == "person" else {"var": "company.id"}
        names = {name for name, _ in arms}
        steps: list[Any] = []
        for group in groups:
            held = [self._condition(each) for each in group.get("properties") or []]
            share = _share(group)
            if share < FULL:
                place = {"cat": [f"{self.key}.", unit]}
                held.append({"==": [{"fractional": [place, ["in", share], ["out", FULL - share]]}, "in"]})
            gives: Any = YES
            if arms:
                place = {"cat": [f"{self.key}.", unit, "variant"]}
                gives = {"fractional": [place, *([name, share] for name, share in arms)]}
                gives = group["variant"] if group.get("variant") in names else gives
            steps += [{"and": held} if held else True, gives]
        return {"if": [*steps, OUT if arms else NO]}

    def _condition(self, said: Mapping[str, Any]) -> Any:
        kind, operator, value = said.get("type", "person"), said.get("operator") or "exact", said.get("value")
        if kind not in ("person", "group"):
            raise CannotCarry(f"it asks for a {kind}")
        known = {"var": f"{'person' if kind == 'person' else 'company'}.{said.get('key')}"}
        if operator in ("is_set", "is_not_set"):
            return {"!==" if operator == "is_set" else "===": [known, None]}
        if operator in ("exact", "is_not"):
            among = {"in": [{"cat": [known]}, self._spellings(value)]}
            return among if operator == "exact" else {"and": [{"!==": [known, None]}, {"!": [among]}]}
        if operator in _COMPARED and not isinstance(value, list):
            return {"and": [{"!==": [known, None]}, {_COMPARED[operator]: [known, _number(value)]}]}
        if operator.startswith("semver_") and operator[7:] in _SEMVER:
            return {"sem_ver": [known, _SEMVER[operator[7:]], str(value)]}
        if operator in ("icontains", "not_icontains"):
            self._case(value)
            found = {"in": [str(value), {"cat": [known]}]}
            return found if operator == "icontains" else {"and": [{"!==": [known, None]}, {"!": [found]}]}
        raise CannotCarry(f"it compares by {operator}, which no rule here can say")

    def _spellings(self, value: Any) -> list[str]:
        """A value as texts; PostHog takes no notice of case, a rule does."""
        values = value if isinstance(value, list) else [value]
        found: list[str] = []
        for each in values:
            text = str(each).lower() if isinstance(each, bool) else str(each)
            self._case(text)
            found += [text, text.lower(), text.upper(), text.capitalize()]
        return list(dict.fromkeys(found))

    def _case(self, value: Any) -> None:
        note = "PostHog compares texts whatever their case; here they are spelt as written, in small, in capitals, or with one capital."
        if (
            str(value).lower() not in ("true", "false")
            and str(value).lower() != str(value).upper()
            and note not in self.notes
        ):
            self.notes.append(note)
            self.moves_nobody = False


def _share(group: Mapping[str, Any]) -> int:
    said = group.get("rollout_percentage")
    share = 100.0 if said is None else float(said)
    if not 0 <= share <= 100:
        raise CannotCarry(f"a group is rolled out to {share:g} %")
    if abs(round(100 * share) - 100 * share) > 1e-6:
        raise CannotCarry(f"a group is rolled out to {share} %, finer than a hundredth of a percent")
    return round(100 * share)


def _payload(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise CannotCarry(f"it compares with {value!r}, which is no number") from error
