"""Flag evaluation: by table (`cases.json`, for any implementation to run), by property, and against flagd."""

import json
from pathlib import Path
from typing import Any

import cbor2
import mmh3
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from scipy import stats

from whytree.engines.flags import FULL_COVERAGE, Evaluator, Rules, bucket, evaluate, fault
from whytree.engines.flags.explaining import explain

CASES = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))

units = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
weights = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 1000), min_size=1).filter(
    lambda w: sum(w.values()) > 0
)
coverages = st.integers(0, FULL_COVERAGE)


def rules(**changes: Any) -> Rules:
    plain: dict[str, Any] = {
        "key": "ask-later",
        "variants": {name: name for name in "abcde"},
        "default_variant": "a",
        "off_variant": "a",
        "weights": {"a": 1, "b": 1},
        "coverage": FULL_COVERAGE,
        "is_on": True,
    }
    return Rules(**plain | changes)


@pytest.mark.parametrize("group", CASES["evaluations"], ids=lambda group: group["name"])
def test_every_shared_case_gets_its_answer(group: dict[str, Any]) -> None:
    evaluator = Evaluator(msgspec.convert(group["flag"], Rules))
    for case in group["cases"]:
        answer = evaluator.evaluate(case["unit"])
        assert {name: getattr(answer, name) for name in case if name != "unit"} == {
            n: v for n, v in case.items() if n != "unit"
        }
        assert type(answer.value) is type(case["value"])
        assert answer.coverage_bucket == case.get("coverage_bucket")
        assert answer.variant_bucket == case.get("variant_bucket")


@pytest.mark.parametrize("case", CASES["buckets"], ids=lambda case: case["text"][:30])
def test_a_text_falls_into_its_bucket(case: dict[str, Any]) -> None:
    assert bucket(case["text"], case["size"]) == case["bucket"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from([1, 100, 70_000]), st.integers(1, 2**31))
def test_the_bucket_is_murmur3_of_canonical_cbor(text: str, repeat: int, size: int) -> None:
    encoded = cbor2.dumps(text * repeat, canonical=True)
    assert bucket(text * repeat, size) == mmh3.hash(encoded, 0, signed=False) * size >> 32


@pytest.mark.parametrize("case", CASES["faults"], ids=lambda case: case["name"])
def test_it_names_the_fault_of_rules_that_cannot_be_evaluated(case: dict[str, Any]) -> None:
    faulty = msgspec.convert(case["flag"], Rules)
    assert case["says"] in str(fault(faulty))
    with pytest.raises(ValueError, match=r"\w+"):
        evaluate(faulty, "maria")


@given(units, weights)
def test_a_coverage_of_0_lets_nobody_in_and_100_everybody(unit: str, split: dict[str, int]) -> None:
    assert not evaluate(rules(weights=split, coverage=0), unit).in_rollout
    assert evaluate(rules(weights=split, coverage=FULL_COVERAGE), unit).in_rollout


@given(units, weights, coverages, coverages)
def test_a_ramp_changes_nobodys_arm_and_lets_nobody_out_again(
    unit: str, split: dict[str, int], one: int, other: int
) -> None:
    narrow = evaluate(rules(weights=split, coverage=min(one, other)), unit)
    wide = evaluate(rules(weights=split, coverage=max(one, other)), unit)
    if narrow.in_rollout:
        assert wide.in_rollout
        assert wide.variant == narrow.variant


@given(units, weights, st.integers(2, 900))
def test_weights_are_relative(unit: str, split: dict[str, int], factor: int) -> None:
    larger = {name: weight * factor for name, weight in split.items()}
    assert evaluate(rules(weights=split), unit).variant == evaluate(rules(weights=larger), unit).variant


@given(units, weights, st.randoms())
def test_the_order_in_which_weights_were_stored_does_not_matter(unit: str, split: dict[str, int], random: Any) -> None:
    names = list(split)
    random.shuffle(names)
    assert evaluate(rules(weights=split), unit) == evaluate(rules(weights={name: split[name] for name in names}), unit)


@given(units, weights)
def test_an_arm_of_weight_0_is_given_to_nobody(unit: str, split: dict[str, int]) -> None:
    assert split[evaluate(rules(weights=split), unit).variant] > 0


@given(units | st.just(""), weights, coverages, st.booleans())
def test_every_answer_explains_itself(unit: str, split: dict[str, int], coverage: int, is_on: bool) -> None:
    asked = rules(weights=split, coverage=coverage, is_on=is_on)
    answer = evaluate(asked, unit)
    steps = explain(asked, answer)
    assert steps
    assert answer.error or answer.variant in steps[-1]


def test_the_explanation_names_each_step_with_its_numbers() -> None:
    asked = rules(key="quarter", coverage=2_500, weights={"a": 50, "b": 50})
    inside = next(answer for n in range(100) if (answer := evaluate(asked, f"u-{n}")).in_rollout)
    assert inside.coverage_bucket is not None
    assert inside.coverage_bucket < 2_500
    switch, coverage, variant = explain(asked, inside)
    assert switch == "quarter is on."
    assert f"“quarter/coverage/{inside.unit}” falls into bucket {inside.coverage_bucket:,} of 10,000" in coverage
    assert f"slot {inside.variant_bucket} of 100; a has 0 to 49, b has 50 to 99" in variant
    assert variant.endswith(f"gets {inside.variant}.")


def test_half_a_surrogate_pair_is_nobodys_id() -> None:
    answer = evaluate(rules(), "\ud800")
    assert (answer.reason, answer.error) == ("ERROR", "INVALID_CONTEXT")
    assert "cannot be hashed" in explain(rules(), answer)[-1]


def test_people_spread_evenly_over_buckets_and_arms() -> None:
    """Chi-square at 1 in a million: a fixed draw of 200,000 ids, so the result never changes."""
    evaluator = Evaluator(rules(weights={"a": 1, "b": 2, "c": 5}, coverage=5_000))
    answers = [evaluator.evaluate(f"person-{n}") for n in range(200_000)]
    buckets = [0] * 100
    for answer in answers:
        buckets[(answer.coverage_bucket or 0) // 100] += 1
    assert stats.chisquare(buckets).pvalue > 1e-6
    inside = [answer.variant for answer in answers if answer.in_rollout]
    counts = [inside.count(name) for name in "abc"]
    assert stats.chisquare(counts, [len(inside) * share / 8 for share in (1, 2, 5)]).pvalue > 1e-6


def test_the_two_hashes_know_nothing_of_each_other() -> None:
    """Within every tenth of the coverage range the arms are split alike, and two flags split people independently."""
    one, two = Evaluator(rules(key="one")), Evaluator(rules(key="two"))
    by_tenth = [[0, 0] for _ in range(10)]
    across = [[0, 0], [0, 0]]
    for n in range(100_000):
        unit = f"person-{n}"
        arm = int(one.evaluate(unit).variant == "b")
        by_tenth[bucket(f"one/coverage/{unit}", 10)][arm] += 1
        across[arm][int(two.evaluate(unit).variant == "b")] += 1
    assert stats.chi2_contingency(by_tenth).pvalue > 1e-6
    assert stats.chi2_contingency(across).pvalue > 1e-6


def as_flagd(asked: Rules) -> dict[str, Any]:
    """The same flag in flagd's definition format: coverage as an outer `fractional`, the arms as an inner one."""

    def place(which: str) -> dict[str, Any]:
        return {"cat": [f"{asked.seed}/{which}/", {"var": "targetingKey"}]}

    arms = {"fractional": [place("variant"), *([name, weight] for name, weight in asked.arms)]}
    coverage = {"fractional": [place("coverage"), ["in", asked.coverage], ["out", FULL_COVERAGE - asked.coverage]]}
    return {
        "state": "ENABLED",
        "variants": dict(asked.variants),
        "defaultVariant": asked.default_variant,
        "targeting": {"if": [{"==": [coverage, "in"]}, arms, None]},
    }


@settings(max_examples=60)
@given(st.lists(units, min_size=1, max_size=20), weights, coverages)
def test_flagd_reaches_the_same_variant_from_the_same_rules(
    ids: list[str], split: dict[str, int], coverage: int
) -> None:
    asked = rules(weights=split, coverage=coverage)
    flagd = FlagdCore()
    flagd.set_flags({"flags": {asked.key: as_flagd(asked)}})
    for unit in ids:
        theirs = flagd.resolve_string_value(asked.key, "none", EvaluationContext(unit))
        assert theirs.variant == evaluate(asked, unit).variant
