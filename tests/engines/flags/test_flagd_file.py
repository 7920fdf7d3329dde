"""What a provider answers in its own process, from our file, is what we answer: flagd's evaluator on every kind of flag."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from whytree.engines.flags import FULL_COVERAGE, Context, Prerequisite, Rules, Slots, evaluate
from whytree.engines.flags.flagd_file import as_flagd

FAR, PAST = 4e9, 1e9
places = st.tuples(st.integers(0, 9_999), st.integers(1, 10_000)).map(sorted).filter(lambda pair: pair[0] < pair[1])
rule = st.sampled_from(
    [
        None,
        {"if": [{"==": [{"var": "plan"}, "pro"]}, "on"]},
        {"if": [{"==": [{"var": "plan"}, "pro"]}, {"fractional": [["on", 1], ["off", 3]]}, None]},
        {"if": [{"var": "flag"}, True, {"==": [{"var": "plan"}, "free"]}]},
        {"fractional": [{"var": "plan"}, ["on", 1], ["off", 1]]},
    ]
)
rules = st.builds(
    lambda **changes: Rules(
        key="f",
        variants={"on": 1, "off": 2, "true": 3, "false": 4},
        default_variant="off",
        off_variant="true",
        **changes,
    ),
    weights=st.dictionaries(st.sampled_from(["on", "off", "true"]), st.integers(0, 9), min_size=1).filter(
        lambda w: sum(w.values()) > 0
    ),
    coverage=st.sampled_from([0, 1, 2_500, 9_999, FULL_COVERAGE]),
    is_on=st.sampled_from([True, True, True, False]),
    salt=st.sampled_from(["", "salt"]),
    targeting=rule,
    overrides=st.sampled_from([{}, {"maria": "true"}]),
    on_from=st.sampled_from([None, PAST, FAR]),
    on_until=st.sampled_from([None, PAST + 1, FAR + 1]),
    holdout=st.one_of(st.none(), st.integers(1, 5_000).map(lambda size: Slots("holdout", "h", 0, size))),
    group=st.one_of(st.none(), places.map(lambda pair: Slots("g", "g", *pair))),
).filter(lambda made: not (made.on_from and made.on_until) or made.on_from < made.on_until)


@settings(max_examples=300)
@given(
    rules,
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.just("maria"),
        min_size=1,
        max_size=6,
    ),
    st.fixed_dictionaries({}, optional={"plan": st.sampled_from(["pro", "free", "x"]), "flag": st.booleans()}),
)
def test_flagd_gives_everybody_what_we_give(made: Rules, units: list[str], attributes: dict[str, Any]) -> None:
    definition, left_out = as_flagd(made)
    assert left_out == []
    core = FlagdCore()
    core.set_flags({"flags": {"f": copy.deepcopy(definition)}})
    for unit in units:
        ours = evaluate(made, unit, Context(attributes, now=1.8e9))
        theirs = core.resolve_integer_value("f", 0, EvaluationContext(unit, attributes))
        assert (theirs.variant, theirs.value) == (ours.variant, ours.value)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_sticky": True}, "sticky variants"),
        ({"prerequisites": (Prerequisite("base", ("on",)),)}, "flags it needs"),
        ({"unit": "company"}, "given by company"),
        ({"targeting": {"==": [{"var": "person.plan"}, "pro"]}}, "a rule on people's profiles"),
        ({"bucketing": "posthog"}, "hashed as posthog"),
    ],
)
def test_what_the_file_cannot_carry_is_marked_and_falls_back_to_the_code(changes: dict[str, Any], why: str) -> None:
    plain: dict[str, Any] = {
        "key": "f",
        "variants": {"on": True, "off": False},
        "default_variant": "off",
        "off_variant": "off",
        "weights": {"on": 1},
        "coverage": FULL_COVERAGE,
        "is_on": True,
    }
    definition, left_out = as_flagd(Rules(**plain | changes), {"owner": "growth"})
    assert left_out == [why]
    assert definition["metadata"] == {"owner": "growth", "serverOnly": True, "why": why}
    core = FlagdCore()
    core.set_flags({"flags": {"f": definition}})
    answer = core.resolve_boolean_value("f", False, EvaluationContext("maria"))
    assert (answer.value, str(answer.reason), answer.flag_metadata["serverOnly"]) == (False, "DISABLED", True)
    assert as_flagd(Rules(**plain | changes | {"is_on": False}))[1] == []
