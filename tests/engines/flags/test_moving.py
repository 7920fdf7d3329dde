"""Flags that move in: everybody keeps the variant that the tool's own evaluator gives them."""

from typing import Any

import pytest
from growthbook import GrowthBook
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from posthog.feature_flags import match_feature_flag_properties

from whytree.engines.flags import Context, Rules, evaluate
from whytree.engines.flags.moving import Incoming, LeftOut, Unreadable, read_flags, tool_of
from whytree.engines.flags.rules import resolve_references

PEOPLE = [f"person-{n}" for n in range(400)] + ["日本", "a b", "x@y.org"]
SAID: list[dict[str, Any]] = [
    {},
    {"plan": "pro", "age": 20, "v": "2.1.0"},
    {"plan": "free", "age": 10, "v": "1.0.0", "tags": ["a", "b"]},
]


def rules_of(flag: Incoming) -> Rules:
    return Rules(
        key=flag.key,
        variants=flag.variants,
        default_variant=flag.default_variant,
        off_variant=flag.default_variant,
        weights=dict.fromkeys(flag.variants, 0) | dict(flag.weights),
        coverage=flag.coverage,
        is_on=flag.is_on,
        bucketing=flag.bucketing,
        arm_order=tuple(flag.arm_order),
        targeting=None if flag.targeting is None else resolve_references(flag.targeting, flag.conditions),
    )


def taken(document: Any) -> Incoming:
    (one,) = read_flags(document)
    assert isinstance(one, Incoming), one
    return one


# --- flagd --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "targeting",
    [
        None,
        {},
        {"fractional": [["on", 25], ["off", 75]]},
        {
            "if": [
                {"$ref": "pro"},
                {"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}, ["on", 1], ["off", 1]]},
                None,
            ]
        },
    ],
)
def test_a_flagd_flag_gives_everybody_the_same(targeting: Any) -> None:
    flag = {
        "state": "ENABLED",
        "variants": {"on": "yes", "off": "no"},
        "defaultVariant": "off",
        "targeting": targeting,
        "metadata": {"owner": "x"},
    }
    document = {
        "flags": {"f": {name: value for name, value in flag.items() if value is not None}},
        "$evaluators": {"pro": {"==": [{"var": "plan"}, "pro"]}},
    }
    mine = taken(document)
    core = FlagdCore()
    core.set_flags({"flags": {"f": dict(document["flags"]["f"])}, "$evaluators": document["$evaluators"]})
    for unit in PEOPLE:
        for said in SAID:
            theirs = core.resolve_string_value("f", "", EvaluationContext(unit, said))
            ours = evaluate(rules_of(mine), unit, Context(said))
            assert (ours.variant, ours.reason) == (theirs.variant, str(theirs.reason))
    assert mine.metadata == {"owner": "x"}
    assert mine.moves_nobody


def test_what_flagd_leaves_open_is_left_out_with_the_reason() -> None:
    bad: dict[str, Any] = {
        "no-default": {"state": "ENABLED", "variants": {"on": True}},
        "mixed": {"state": "ENABLED", "variants": {"on": True, "off": "no"}, "defaultVariant": "on"},
        "none": {"state": "ENABLED", "variants": {}},
        "word": "x",
        "other": {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "off"},
    }
    found = read_flags({"flags": bad})
    assert [one.why.split(",")[0] for one in found if isinstance(one, LeftOut)] == [
        "it has no defaultVariant",
        "its values are of several types",
        "it has no variants",
        "it has no variants",
        "its defaultVariant 'off' is no variant",
    ]
    off = taken(
        {"flags": {"f": {"state": "DISABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}}}
    )
    assert not off.is_on
    assert "leaves code its own default" in off.notes[0]


# --- PostHog ------------------------------------------------------------------------------------------------------

VARIANTS = {
    "variants": [
        {"key": "test", "rollout_percentage": 33.33},
        {"key": "control", "rollout_percentage": 50},
        {"key": "third", "rollout_percentage": 16.67},
    ]
}


def posthog(**filters: Any) -> dict[str, Any]:
    return {"flags": [{"id": 1, "key": "f", "active": True, "filters": filters}]}


def group(share: float | None, *properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"properties": list(properties), "rollout_percentage": share, **more}


@pytest.mark.parametrize(
    "filters",
    [
        {"groups": [group(37)]},
        {"groups": [group(None)]},
        {"groups": [group(60.25)], "multivariate": VARIANTS},
        {
            "groups": [group(50, {"key": "age", "operator": "gte", "value": 18, "type": "person"}), group(10)],
            "multivariate": VARIANTS,
        },
        {
            "groups": [
                group(100, {"key": "age", "operator": "lt", "value": "15", "type": "person"}, variant="third"),
                group(40),
            ],
            "multivariate": VARIANTS,
        },
        {"groups": [group(30, {"key": "v", "operator": "semver_gte", "value": "2.0.0", "type": "person"}), group(0)]},
    ],
)
def test_a_posthog_flag_gives_everybody_the_same(filters: dict[str, Any]) -> None:
    document = posthog(**filters)
    mine = taken(document)
    rules = rules_of(mine)
    given = set()
    for unit in PEOPLE:
        for said in SAID[1:]:
            theirs = match_feature_flag_properties(document["flags"][0], unit, said, bucketing_value=unit)
            ours = evaluate(rules, unit, Context({"person": said}))
            outside = "off" if "multivariate" in filters else "false"
            expected = outside if theirs is False else "true" if theirs is True else theirs
            assert ours.variant == expected
            given.add(expected)
    assert mine.moves_nobody
    assert mine.bucketing == "posthog"
    assert len(given) > 1 or filters == {"groups": [group(None)]}


def test_texts_are_compared_by_case_here_and_the_importer_says_so() -> None:
    document = posthog(groups=[group(100, {"key": "plan", "operator": "exact", "value": ["Pro"], "type": "person"})])
    mine = taken(document)
    assert not mine.moves_nobody
    assert "whatever their case" in mine.notes[0]
    for plan in ("Pro", "pro", "PRO", "free"):
        theirs = match_feature_flag_properties(document["flags"][0], "a", {"plan": plan}, bucketing_value="a")
        assert (evaluate(rules_of(mine), "a", Context({"person": {"plan": plan}})).value) is theirs


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ({"groups": [group(5, {"key": "id", "type": "cohort", "value": 3})]}, "it asks for a cohort"),
        (
            {"groups": [group(5, {"key": "email", "operator": "regex", "value": ".*", "type": "person"})]},
            "it compares by regex",
        ),
        ({"groups": [group(5.005)]}, "finer than a hundredth"),
        (
            {"groups": [group(5)], "multivariate": {"variants": [{"key": "a", "rollout_percentage": 50}]}},
            "do not add up",
        ),
        ({"groups": [group(5)], "super_groups": [{}]}, "it uses early access"),
        ({"groups": [group(5)], "holdout_groups": [{}]}, "a holdout of its own"),
        ({"groups": [group(5)], "aggregation_group_type_index": 1}, "it goes by the group project"),
        (
            {"groups": [group(5, {"key": "age", "operator": "gt", "value": "old", "type": "person"})]},
            "which is no number",
        ),
    ],
)
def test_what_no_rule_can_say_is_left_out(filters: dict[str, Any], why: str) -> None:
    (one,) = read_flags(posthog(**filters) | {"group_type_mapping": {"0": "company", "1": "project"}})
    assert isinstance(one, LeftOut)
    assert why in one.why


def test_payloads_become_values_where_they_are_of_one_type() -> None:
    one = taken(posthog(groups=[group(50)], multivariate=VARIANTS, payloads={"test": '{"a": 1}'}))
    assert (one.kind, one.variants["test"], one.variants["off"]) == ("json", {"a": 1}, {})
    two = taken(posthog(groups=[group(50)], multivariate=VARIANTS, payloads={"test": '{"a": 1}', "control": "3"}))
    assert two.kind == "string"
    assert any("several types" in note for note in two.notes)


# --- GrowthBook ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "feature",
    [
        {"defaultValue": False},
        {"defaultValue": False, "rules": [{"force": True, "coverage": 0.3, "hashVersion": 2}]},
        {
            "defaultValue": "blue",
            "rules": [
                {"condition": {"plan": "pro"}, "force": "red"},
                {
                    "variations": ["blue", "green", "red"],
                    "weights": [0.2, 0.3, 0.5],
                    "coverage": 0.7,
                    "hashVersion": 2,
                    "key": "exp",
                    "seed": "s",
                },
            ],
        },
        {
            "defaultValue": 1,
            "rules": [
                {
                    "condition": {
                        "age": {"$gte": 18},
                        "$or": [{"plan": {"$in": ["pro", "team"]}}, {"tags": {"$in": ["a"]}}],
                    },
                    "variations": [1, 2],
                    "hashVersion": 1,
                },
                {"force": 3, "coverage": 0.5},
            ],
        },
        {
            "defaultValue": {"a": 1},
            "rules": [{"variations": [{"a": 1}, {"a": 2}, {"a": 3}], "namespace": ["ns", 0.2, 0.7], "hashVersion": 1}],
        },
        {"defaultValue": "x", "rules": [{"variations": ["x", "y"], "hashAttribute": "plan", "hashVersion": 2}]},
        {
            "defaultValue": False,
            "rules": [
                {
                    "condition": {"v": {"$vgte": "2.0.0"}, "age": {"$not": {"$lt": 5}}, "nope": {"$exists": False}},
                    "force": True,
                }
            ],
        },
    ],
)
def test_a_growthbook_feature_gives_everybody_the_same(feature: dict[str, Any]) -> None:
    mine = taken({"status": 200, "features": {"f": feature}})
    rules = rules_of(mine)
    for unit in PEOPLE[:200]:
        for said in SAID:
            book = GrowthBook(attributes={"id": unit, **said}, features={"f": feature})
            theirs = book.eval_feature("f").value
            book.destroy()
            assert evaluate(rules, unit, Context(said)).value == theirs
    assert mine.moves_nobody


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"parentConditions": [{"id": "x"}], "force": True}, "parentConditions"),
        ({"condition": {"email": {"$regex": "x"}}, "force": True}, "$regex"),
        ({"condition": {"$savedGroup": {"id": "x"}}, "force": True}, "$savedGroup"),
        ({"force": True, "coverage": 0.5, "hashVersion": 1, "fallbackAttribute": "anon"}, "falls back"),
        ({"variations": [False, True], "namespace": ["n", 0, 1], "hashVersion": 2}, "in a namespace"),
        ({}, "gives nothing"),
    ],
)
def test_a_rule_that_cannot_be_written_leaves_the_feature_out(rule: dict[str, Any], why: str) -> None:
    (one,) = read_flags({"features": {"f": {"defaultValue": False, "rules": [rule]}}})
    assert isinstance(one, LeftOut)
    assert why in one.why


def test_the_tool_is_known_by_the_shape_of_its_file() -> None:
    assert [tool_of(each) for each in ({"flags": {}}, {"flags": []}, {"results": []}, [], {"features": {}})] == [
        "flagd",
        "posthog",
        "posthog",
        "posthog",
        "growthbook",
    ]
    for each in ({}, "x", None, {"flags": 3}):
        with pytest.raises(Unreadable, match="no flag file that is known"):
            tool_of(each)
