"""One flag of five rules as each evaluator writes it. Every one is asked `evaluate(person, attributes) -> bool`.

on for our own people; for adults in three countries; for the plan pro; from version 2.4.0 on; for a quarter of the others.
Hashes differ, so the quarter is another one for each; the share of people who get it is the same.
"""

import json
from collections.abc import Callable
from typing import Any

Evaluate = Callable[[str, dict[str, Any]], bool]

FIVE_RULES: dict[str, Any] = {
    "if": [
        *({"ends_with": [{"var": "email"}, "@acme.com"]}, "on"),
        *({"and": [{"in": [{"var": "country"}, ["de", "fr", "es"]]}, {">=": [{"var": "age"}, 18]}]}, "on"),
        *({"==": [{"var": "plan"}, "pro"]}, "on"),
        *({"sem_ver": [{"var": "version"}, ">=", "2.4.0"]}, "on"),
        {"fractional": [["on", 25], ["off", 75]]},
    ]
}


def people_with_attributes(count: int) -> list[tuple[str, dict[str, Any]]]:
    """Most of them reach the last rules, as most people do."""
    return [
        (
            f"person-{n}",
            {
                "email": f"p{n}@{'acme.com' if n % 50 == 0 else 'example.org'}",
                "country": ("us", "de", "in", "br")[n % 4],
                "age": 10 + n % 60,
                "plan": "pro" if n % 9 == 0 else "free",
                "version": f"{1 + n % 3}.{n % 7}.0",
            },
        )
        for n in range(count)
    ]


def whytree() -> Evaluate:
    from whytree.engines.flags import Context, Evaluator, Rules

    rules = Rules(
        key="five",
        variants={"on": True, "off": False},
        default_variant="off",
        off_variant="off",
        weights={"on": 1},
        coverage=0,
        is_on=True,
        targeting=FIVE_RULES,
    )
    ask = Evaluator(rules).evaluate
    return lambda person, attributes: bool(ask(person, Context(attributes)).value)


def flagd() -> Evaluate:
    from openfeature.contrib.tools.flagd.core import FlagdCore
    from openfeature.evaluation_context import EvaluationContext

    core = FlagdCore()
    variants = {"on": True, "off": False}
    flag = {"state": "ENABLED", "variants": variants, "defaultVariant": "off", "targeting": FIVE_RULES}
    core.set_flags({"flags": {"five": flag}})
    return lambda person, attributes: (
        core.resolve_boolean_value("five", False, EvaluationContext(person, attributes)).value
    )


def posthog() -> Evaluate:
    from posthog.feature_flags import match_feature_flag_properties

    def group(share: int, *properties: tuple[str, str, Any]) -> dict[str, Any]:
        asked = [{"key": key, "operator": how, "value": value, "type": "person"} for key, how, value in properties]
        return {"properties": asked, "rollout_percentage": share}

    groups = [
        group(100, ("email", "ends_with", "@acme.com")),
        group(100, ("country", "exact", ["de", "fr", "es"]), ("age", "gte", 18)),
        group(100, ("plan", "exact", "pro")),
        group(100, ("version", "semver_gte", "2.4.0")),
        group(25),
    ]
    flag = {"id": 1, "key": "five", "active": True, "filters": {"groups": groups}}
    return lambda person, attributes: bool(
        match_feature_flag_properties(flag, person, attributes, bucketing_value=person)
    )


def growthbook() -> Evaluate:
    from growthbook.common_types import EvaluationContext, Feature, GlobalContext, Options, StackContext, UserContext
    from growthbook.core import eval_feature

    rules = [
        {"condition": {"email": {"$regex": "@acme.com$"}}, "force": True},
        {"condition": {"country": {"$in": ["de", "fr", "es"]}, "age": {"$gte": 18}}, "force": True},
        {"condition": {"plan": "pro"}, "force": True},
        {"condition": {"version": {"$vgte": "2.4.0"}}, "force": True},
        {"force": True, "coverage": 0.25, "hashVersion": 2},
    ]
    everywhere = GlobalContext(Options(), {"five": Feature(defaultValue=False, rules=rules)})

    def evaluate(person: str, attributes: dict[str, Any]) -> bool:
        who = UserContext(attributes={"id": person, **attributes})
        context = EvaluationContext(who, everywhere, StackContext(evaluated_features=set()))
        return bool(eval_feature("five", context).value)

    return evaluate


def flagsmith() -> Evaluate:
    from flag_engine.engine import get_evaluation_result

    off = {"feature_key": "1", "key": "1", "name": "five", "enabled": False, "value": None}
    conditions: list[list[tuple[str, str, str]]] = [
        [("email", "REGEX", ".*@acme.com$")],
        [("country", "IN", "de,fr,es"), ("age", "GREATER_THAN_INCLUSIVE", "18")],
        [("plan", "EQUAL", "pro")],
        [("version", "GREATER_THAN_INCLUSIVE", "2.4.0:semver")],
        [("$.identity.key", "PERCENTAGE_SPLIT", "25")],
    ]
    segments = {
        str(n): {
            "key": str(n),
            "name": f"rule {n}",
            "rules": [
                {
                    "type": "ALL",
                    "conditions": [{"property": p, "operator": o, "value": v} for p, o, v in some],
                    "rules": [],
                }
            ],
            "overrides": [off | {"enabled": True, "priority": n}],
        }
        for n, some in enumerate(conditions)
    }
    fixed = {"environment": {"key": "env", "name": "env"}, "features": {"five": off}, "segments": segments}

    def evaluate(person: str, attributes: dict[str, Any]) -> bool:
        context: Any = {**fixed, "identity": {"identifier": person, "key": person, "traits": attributes}}
        return bool(get_evaluation_result(context)["flags"]["five"]["enabled"])

    return evaluate


def unleash() -> Evaluate:
    from yggdrasil_engine.engine import UnleashEngine

    def strategy(share: int, *constraints: dict[str, Any]) -> dict[str, Any]:
        spread = {"rollout": str(share), "stickiness": "userId", "groupId": "five"}
        return {"name": "flexibleRollout", "parameters": spread, "constraints": list(constraints)}

    strategies = [
        strategy(100, {"contextName": "email", "operator": "STR_ENDS_WITH", "values": ["@acme.com"]}),
        strategy(
            100,
            {"contextName": "country", "operator": "IN", "values": ["de", "fr", "es"]},
            {"contextName": "age", "operator": "NUM_GTE", "value": "18"},
        ),
        strategy(100, {"contextName": "plan", "operator": "IN", "values": ["pro"]}),
        strategy(100, {"contextName": "version", "operator": "SEMVER_LT", "value": "2.4.0", "inverted": True}),
        strategy(25),
    ]
    feature = {"name": "five", "type": "release", "enabled": True, "strategies": strategies}
    engine = UnleashEngine()
    engine.take_state(json.dumps({"version": 2, "features": [feature]}))

    def evaluate(person: str, attributes: dict[str, Any]) -> bool:
        properties = {name: str(value) for name, value in attributes.items()}
        return bool(engine.is_enabled("five", {"userId": person, "properties": properties}).is_enabled)

    return evaluate


_ALL: dict[str, Callable[[], Evaluate]] = {
    "whytree": whytree,
    "flagd-core": flagd,
    "posthog": posthog,
    "growthbook": growthbook,
    "flagsmith": flagsmith,
    "unleash": unleash,
}


def evaluators() -> tuple[dict[str, Evaluate], dict[str, str]]:
    """Those that are installed, ready to be asked; and of the others what is missing."""
    ready, missing = {}, {}
    for name, make in _ALL.items():
        try:
            ready[name] = make()
        except ImportError as error:
            missing[name] = str(error.name)
    return ready, missing
