"""An evaluation as PostHog's clients read it, and the definitions with which they evaluate themselves.

One record serves clients of all versions: those that ask for version 2 read `enabled`, `variant` and
`metadata.payload`, those that ask for version 4 read `value` and, to send `$experiment_exposure`, the rule's attribution.
Pure.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from .evaluating import Evaluation, Evaluator, Rules
from .rules import draws

_SPACE = uuid.UUID("6b0a3c6e-3f5e-5f0e-9a51-6d1f2f0c1b55")  # of our rule ids; any fixed one does
_MISSED = frozenset({"rollout", "group", "unit"})


def record(evaluator: Evaluator, answer: Evaluation, *, id: int, version: int) -> dict[str, Any]:
    """One flag's record in the answer of `/flags`."""
    rules = evaluator.rules
    is_split = answer.in_rollout and is_experiment(rules)
    on = is_enabled(answer)
    payload = _payload(answer) if on else None
    metadata: dict[str, Any] = {
        "id": id,
        "version": version,
        "description": None,
        "payload": payload,
        "has_experiment": is_experiment(rules),
        "config_version": 2,
        "rule_type": _rule_type(answer, is_split=is_split),
        "rule_id": str(uuid.uuid5(_SPACE, f"{id}:{answer.by}")),
        "variant_key": answer.variant if on or answer.in_rollout else None,
    }
    return {
        "key": answer.key,
        "enabled": on,
        "variant": answer.variant if on and not isinstance(answer.value, bool) else None,
        "value": _value(answer) if on else (False if isinstance(answer.value, bool) else None),
        "failed": answer.error is not None,
        "reason": {"code": _code(answer, is_split=is_split), "condition_index": 0, "description": _said(answer)},
        "metadata": metadata,
    }


def is_experiment(rules: Rules) -> bool:
    """Chance decides between several variants."""
    return len(rules.arms) > 1 or (rules.targeting is not None and draws(rules.targeting))


def is_enabled(answer: Evaluation) -> bool:
    """What PostHog calls on: true, or a variant that somebody was given rather than left with."""
    if answer.error:
        return False
    if isinstance(answer.value, bool):
        return answer.value
    return answer.in_rollout or answer.by in ("override", "targeting", "kept")


def _value(answer: Evaluation) -> Any:
    return answer.variant if isinstance(answer.value, str) else answer.value


def _payload(answer: Evaluation) -> str | None:
    if isinstance(answer.value, bool) or answer.value == answer.variant:
        return None
    return json.dumps(answer.value, ensure_ascii=False)


def _rule_type(answer: Evaluation, *, is_split: bool) -> str:
    if is_split:
        return "experiment"
    return "targeted_release" if answer.by in ("override", "targeting") else "percentage_rollout"


def _code(answer: Evaluation, *, is_split: bool) -> str:
    if answer.by == "holdout":
        return "holdout"
    if answer.by in ("switch", "schedule", "prerequisite"):
        return "flag_disabled"
    if is_split:
        return "experiment_split"
    if answer.in_rollout or answer.by in ("override", "targeting"):
        return "targeting_match"
    return "rollout_miss" if answer.by in _MISSED else "no_condition_match"


def _said(answer: Evaluation) -> str:
    return answer.says if answer.error and answer.says else f"{answer.reason.replace('_', ' ').lower()} by {answer.by}"


def definition(rules: Rules, *, id: int, version: int) -> dict[str, Any]:
    """The flag for clients that evaluate themselves. One that they would answer otherwise than we do is marked as bound to
    what somebody experienced before, which they take as: ask the server.
    """
    is_local = can_be_local(rules)
    return {
        "id": id,
        "name": rules.key,
        "key": rules.key,
        "active": rules.is_on if is_local else True,
        "deleted": False,
        "version": version,
        "ensure_experience_continuity": not is_local,
        "bucketing_identifier": "distinct_id",
        "filters": _filters(rules) if is_local else {"groups": [{"properties": [], "rollout_percentage": 100}]},
    }


def _filters(rules: Rules) -> dict[str, Any]:
    found: dict[str, Any] = {
        "groups": [{"properties": [], "rollout_percentage": rules.coverage / 100}],
        "payloads": {},
        "multivariate": None,
    }
    if _is_switch(rules):
        return found
    total = sum(weight for _, weight in rules.arms)
    shares = [{"key": name, "name": name, "rollout_percentage": 100 * weight / total} for name, weight in rules.arms]
    payloads = {name: json.dumps(value, ensure_ascii=False) for name, value in rules.variants.items() if value != name}
    return found | {"multivariate": {"variants": shares}, "payloads": payloads}


def can_be_local(rules: Rules) -> bool:
    """PostHog's hash, and nothing but coverage and weights; a switch's rollout gives true to everybody in it."""
    if rules.bucketing != "posthog" or rules.seed != rules.key or rules.unit != "person" or rules.is_sticky:
        return False
    if rules.targeting is not None or rules.overrides or rules.prerequisites or rules.holdout or rules.group:
        return False
    if rules.on_from is not None or rules.on_until is not None or rules.switching is not None:
        return False
    has_booleans = any(isinstance(value, bool) for value in rules.variants.values())
    return _is_switch(rules) if has_booleans else True


def _is_switch(rules: Rules) -> bool:
    arms = rules.arms
    return len(arms) == 1 and rules.variants[arms[0][0]] is True and rules.variants[rules.default_variant] is False


def attributes(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a client said of the person and its groups, as our rules read it: at the top, as `person`, and as `company`."""
    person = body.get("person_properties")
    found: dict[str, Any] = dict(person) if isinstance(person, dict) else {}
    found["person"] = dict(found)
    groups, about = body.get("groups"), body.get("group_properties")
    for kind, key in groups.items() if isinstance(groups, dict) else ():
        said = about.get(kind) if isinstance(about, dict) else None
        found[str(kind)] = {**(said if isinstance(said, dict) else {}), "id": key}
    return found
