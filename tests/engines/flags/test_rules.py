"""Targeting rules, held to flagd's Python evaluator: the same flag file, the same context, the same answer."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from json_logic import jsonLogic
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.contrib.tools.flagd.core.targeting.targeting import OPERATORS
from openfeature.evaluation_context import EvaluationContext

from whytree.engines.flags.rules import (
    BUCKETINGS,
    MAX_DEPTH,
    Drawn,
    attributes_of,
    compile_logic,
    draws,
    logic_fault,
    operators,
    resolve_references,
)
from whytree.engines.flags.rules.describing import follow, in_words, laid_out

CASES = json.loads(Path(__file__).with_name("rules_cases.json").read_text(encoding="utf-8"))
KEY = "the-flag"

# --- generated rules ----------------------------------------------------------------------------------------------

texts = st.sampled_from(
    ["", "on", "off", "pro", "free", "1", "1.5", " 2 ", "true", "1.2.3", "v2.0", "2.0.0-rc.1", "é😀", "a.b"]
)
numbers = st.sampled_from([0, 1, -1, 2, 10, 0.0, 1.0, -0.0, 1.5, 1e300, 2**40, -7])
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
names = st.sampled_from(
    ["plan", "age", "tags", "address.city", "tags.0", "nobody", "", "targetingKey", "deep.list.1", "company"]
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["pro", "free", "on", 3, None]),
        "age": st.one_of(numbers, texts),
        "tags": st.lists(scalars, max_size=3),
        "address": st.fixed_dictionaries({}, optional={"city": texts, "zip": numbers}),
        "deep": st.just({"list": [1, "on", None]}),
        "company": st.fixed_dictionaries({"id": texts, "seats": numbers}),
    },
)
units = st.sampled_from(["maria", "jack", "person-7", "", None, "日本"])


def _rules(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def calls(names: list[str], least: int, most: int) -> st.SearchStrategy[Any]:
        return st.builds(
            lambda name, words: {name: words}, st.sampled_from(names), st.lists(inner, min_size=least, max_size=most)
        )

    arms = st.one_of(
        st.lists(st.tuples(st.sampled_from(["on", "off"]), st.integers(-2, 50)).map(list), min_size=1, max_size=3),
        st.lists(st.lists(inner, max_size=3), max_size=3),
    )
    return st.one_of(
        calls(["==", "!=", "===", "!==", "<", ">", "<=", ">=", "in", "starts_with", "ends_with"], 0, 3),
        calls(["+", "*", "-", "/", "%", "min", "max", "cat", "merge", "missing", "substr"], 0, 3),
        calls(["and", "or", "if", "?:", "!", "!!"], 0, 5),
        calls(["map", "filter", "all", "some", "none", "reduce", "missing_some"], 0, 3),
        st.builds(
            lambda one, how, two: {"sem_ver": [one, how, two]},
            inner,
            st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "^", "~", "?"]),
            inner,
        ),
        st.builds(lambda some: {"fractional": some}, arms),
        st.builds(lambda value, some: {"fractional": [value, *some]}, inner, arms),
        st.builds(
            lambda word: {next(iter(word)): word[next(iter(word))][0] if word[next(iter(word))] else None},
            calls(["!", "!!", "var", "cat"], 0, 1),
        ),
    )


variables = st.one_of(
    st.builds(lambda name: {"var": name}, names),
    st.builds(lambda name, default: {"var": [name, default]}, names, scalars),
)
logics = st.recursive(st.one_of(scalars, variables, st.lists(scalars, max_size=3)), _rules, max_leaves=12)


def theirs(logic: Any, unit: str | None, context: dict[str, Any]) -> tuple[str, Any]:
    data = {**copy.deepcopy(context), "$flagd": {"flagKey": KEY, "timestamp": 0}, "targetingKey": unit}
    try:
        return "gives", jsonLogic(copy.deepcopy(logic), data, OPERATORS)
    except Exception as error:
        return "fails", type(error).__name__


def ours(logic: Any, unit: str | None, context: dict[str, Any], bucketing: str = "3") -> tuple[str, Any]:
    data = {**context, "$flagd": {"flagKey": KEY, "timestamp": 0}, "targetingKey": unit}
    try:
        return "gives", compile_logic(logic, bucketing, KEY)(data)
    except Exception as error:
        return "fails", type(error).__name__


def same(one: Any, two: Any) -> bool:
    """Also in type: 1, 1.0 and true are three answers; not-a-number is itself."""
    if isinstance(one, float) and isinstance(two, float) and math.isnan(one):
        return math.isnan(two)
    if isinstance(one, str):
        return isinstance(two, str) and str(one) == str(two)
    if isinstance(one, list):
        return isinstance(two, list) and len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and bool(one == two)


@settings(max_examples=600)
@given(logics, units, contexts)
def test_every_rule_gives_what_flagds_evaluator_gives(logic: Any, unit: str | None, context: dict[str, Any]) -> None:
    mine, reference = ours(logic, unit, context), theirs(logic, unit, context)
    assert mine[0] == reference[0], (mine, reference)
    assert mine[0] == "fails" or same(mine[1], reference[1]), (mine, reference)


@settings(max_examples=200)
@given(
    st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(2**70), 2**70),
            st.floats(allow_nan=False),
            st.text(st.characters(exclude_categories=["Cs"])),
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
        max_leaves=8,
    ),
    st.integers(1, 2**31 - 1),
)
def test_any_value_falls_into_the_bucket_that_flagd_gives_it(value: Any, total: int) -> None:
    logic = {"fractional": [{"var": "by"}, ["low", total // 2], ["high", total - total // 2]]}
    assert ours(logic, "maria", {"by": value})[1] == theirs(logic, "maria", {"by": value})[1]


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(["on", "off", "a", "true"]), st.text(max_size=3), min_size=1),
    st.one_of(st.none(), st.sampled_from(["on", "true"])),
    logics,
    units,
    contexts,
)
def test_a_whole_flag_gives_the_variant_and_reason_that_flagd_gives(
    variants: dict[str, str], default: str | None, logic: Any, unit: str | None, context: dict[str, Any]
) -> None:
    from whytree.engines.flags import Context, Evaluator, Rules

    default = default if default in variants else next(iter(variants))
    targeting = {"if": [logic, {"var": "plan"}, logic]}
    rules = Rules(
        key=KEY,
        variants=variants,
        default_variant=default,
        off_variant=default,
        weights=dict.fromkeys(variants, 1),
        coverage=0,
        is_on=True,
        targeting=targeting,
    )
    mine = Evaluator(rules).evaluate(unit, Context(context))
    core = FlagdCore()
    core.set_flags(
        {"flags": {KEY: {"state": "ENABLED", "variants": variants, "defaultVariant": default, "targeting": targeting}}}
    )
    try:
        details = core.resolve_string_value(KEY, "code", EvaluationContext(unit, context))
        reference = (details.variant, str(details.reason), details.value)
    except Exception:
        reference = ("", "ERROR", None)
    assert (mine.variant, mine.reason, mine.value) == reference


# --- cases for any implementation to run --------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES["rules"], ids=lambda case: case["name"])
def test_every_shared_case_gets_its_answer(case: dict[str, Any]) -> None:
    data = {
        "targetingKey": case.get("unit"),
        "$flagd": {"flagKey": case.get("flag", KEY), "timestamp": case.get("timestamp", 0)},
    } | case.get("context", {})
    answer = compile_logic(case["rule"], case.get("bucketing", "3"), case.get("flag", KEY))(data)
    assert answer == case["gives"]
    assert type(answer) is type(case["gives"]) or isinstance(answer, Drawn)


@pytest.mark.parametrize("case", CASES["faults"], ids=lambda case: case["name"])
def test_what_cannot_be_a_rule_is_named(case: dict[str, Any]) -> None:
    assert case["says"] in str(logic_fault(case["rule"]))


def test_no_memory_is_kept_of_versions_that_nobody_has() -> None:
    before = operators._compared.cache_info().currsize
    assert operators.OPERATORS["sem_ver"]({}, "1." + "0" * 1_000, "=", "1.0") is None
    assert operators._compared.cache_info().currsize == before


def test_a_rule_500_deep_is_refused_with_a_sentence() -> None:
    rule: Any = {"var": "plan"}
    for _ in range(500):
        rule = {"!": [rule]}
    assert f"nested more than {MAX_DEPTH} deep" in str(logic_fault(rule))


def test_the_deepest_rule_that_is_taken_can_be_answered() -> None:
    rule: Any = "on"
    for _ in range(MAX_DEPTH // 2 - 1):
        rule = {"if": [rule]}
    assert logic_fault(rule) is None
    assert compile_logic(rule, "3", KEY)({}) == "on"


def test_a_reference_becomes_the_condition_and_an_unknown_one_is_named() -> None:
    conditions = {"ours": {"ends_with": [{"var": "email"}, "@acme.com"]}}
    rule = {"if": [{"$ref": "ours"}, "on", {"$ref": "theirs"}]}
    resolved = resolve_references(rule, conditions)
    assert resolved == {"if": [conditions["ours"], "on", {"$ref": "theirs"}]}
    assert "There is no condition 'theirs'" in str(logic_fault(resolved))
    core = FlagdCore()
    flag = {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": "off",
        "targeting": {"if": [{"$ref": "ours"}, "on"]},
    }
    core.set_flags({"flags": {KEY: flag}, "$evaluators": conditions})
    mine = compile_logic(resolve_references(flag["targeting"], conditions), "3", KEY)
    for email in ("a@acme.com", "a@other.com"):
        reference = core.resolve_boolean_value(KEY, False, EvaluationContext("a", {"email": email}))
        assert (mine({"email": email}) == "on") is reference.value


def test_only_what_chance_gave_in_the_end_is_drawn() -> None:
    draw = {"fractional": [["on", 1], ["off", 1]]}
    data = {"targetingKey": "maria"}
    assert isinstance(compile_logic(draw, "3", KEY)(data), Drawn)
    assert isinstance(compile_logic({"if": [True, draw]}, "3", KEY)(data), Drawn)
    assert not isinstance(compile_logic({"if": [{"in": [draw, ["on", "off"]]}, "on", "off"]}, "3", KEY)(data), Drawn)


@given(logics)
def test_what_a_rule_reads_and_whether_it_draws_can_be_seen(logic: Any) -> None:
    assert all(isinstance(name, str) for name in attributes_of(logic))
    assert draws(logic) is ('"fractional"' in json.dumps(logic))


@settings(max_examples=60)
@given(logics, contexts)
def test_any_rule_can_be_said_in_words(logic: Any, context: dict[str, Any]) -> None:
    assert in_words(logic)
    if logic_fault(logic) is None and ours(logic, "maria", context)[0] == "gives":
        assert follow(logic, "3", KEY, {**context, "targetingKey": "maria"})


def test_the_words_name_each_condition_with_what_it_read() -> None:
    rule = {
        "if": [
            {"==": [{"var": "plan"}, "pro"]},
            "on",
            {"and": [{">=": [{"var": "age"}, 18]}, {"in": ["de", {"var": "locales"}]}]},
            "off",
            None,
        ]
    }
    assert follow(rule, "3", KEY, {"plan": "free", "age": 20, "locales": ["de", "en"]}) == [
        'plan is "pro" (plan: "free"): no.',
        'age ≥ 18 and "de" in locales (age: 20, locales: ["de", "en"]): yes.',
        "So the rule gives off.",
    ]
    assert follow(rule, "3", KEY, {})[-1] == "The rule leaves it to the rollout."


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(sorted(BUCKETINGS)),
    st.integers(1, 2**31 - 1),
)
def test_every_bucketing_stays_within_its_range(text: str, version: str, total: int) -> None:
    place = BUCKETINGS[version].place(text, total)
    assert place is not None
    assert 0 <= place < total


@pytest.mark.parametrize("version", sorted(BUCKETINGS))
def test_what_cannot_be_hashed_has_no_place(version: str) -> None:
    assert BUCKETINGS[version].place("\ud800", 10) is None or version.startswith("growthbook")


@given(logics)
def test_a_rule_laid_out_is_the_same_rule(logic: Any) -> None:
    for width in (10, 40, 76):
        assert json.loads(laid_out(logic, width)) == logic


def test_what_fits_on_a_line_stays_on_one() -> None:
    rule = {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", {"fractional": [["on", 10], ["off", 90]]}]}
    assert laid_out(rule, 100) == json.dumps(rule)
    assert laid_out(rule, 60).splitlines() == [
        '{"if": [',
        '  {"==": [{"var": "plan"}, "pro"]},',
        '  "on",',
        '  {"fractional": [["on", 10], ["off", 90]]}',
        "]}",
    ]
