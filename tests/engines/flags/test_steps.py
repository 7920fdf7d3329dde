"""What decides before the rollout: schedule, needed flags, overrides, holdout, groups, the rule, what was kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.flags import (
    FULL_COVERAGE,
    MAX_CHAIN,
    NOTHING_KNOWN,
    Context,
    Evaluation,
    Evaluator,
    Prerequisite,
    Rules,
    Slots,
    evaluate,
    evaluate_all,
    fault,
)
from whytree.engines.flags.explaining import explain

units = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
RULE = {
    "if": [
        {"==": [{"var": "plan"}, "pro"]},
        "on",
        {"==": [{"var": "plan"}, "trial"]},
        {"fractional": [["on", 1], ["off", 1]]},
    ]
}


def rules(**changes: Any) -> Rules:
    plain: dict[str, Any] = {
        "key": "ask-later",
        "variants": {"on": True, "off": False, "odd": None},
        "default_variant": "off",
        "off_variant": "odd",
        "weights": {"on": 1, "off": 1},
        "coverage": FULL_COVERAGE,
        "is_on": True,
    }
    return Rules(**plain | changes)


def asked(
    asked_rules: Rules, unit: str | None = "maria", context: Context = NOTHING_KNOWN
) -> tuple[Evaluation, list[str]]:
    answer = evaluate(asked_rules, unit, context)
    return answer, explain(asked_rules, answer, context, unit)


def test_the_rule_decides_and_whom_it_leaves_goes_into_the_rollout() -> None:
    one, steps = asked(rules(targeting=RULE), context=Context({"plan": "pro"}))
    assert (one.variant, one.reason, one.in_rollout, one.by) == ("on", "TARGETING_MATCH", False, "targeting")
    assert steps == ["ask-later is on.", 'plan is "pro" (plan: "pro"): yes.', "So the rule gives on."]
    other, steps = asked(rules(targeting=RULE), context=Context({"plan": "free"}))
    assert (other.reason, other.in_rollout, other.by) == ("SPLIT", True, "rollout")
    assert steps[2:4] == ['plan is "trial" (plan: "free"): no.', "No condition of the rule holds."]


def test_who_is_drawn_by_the_rule_is_exposed() -> None:
    drawn, steps = asked(rules(targeting=RULE, coverage=0), context=Context({"plan": "trial"}))
    assert (drawn.reason, drawn.in_rollout, drawn.unit) == ("TARGETING_MATCH", True, "maria")
    assert "Drawn by fractional" in steps[-1]


def test_a_rule_that_cannot_be_answered_leaves_the_codes_default() -> None:
    for rule, says in (({"/": [1, {"var": "n"}]}, "ZeroDivisionError"), ({"cat": ["no", "where"]}, "no variant")):
        answer, steps = asked(rules(targeting=rule), context=Context({"n": 0}))
        assert (answer.variant, answer.value, answer.reason, answer.error) == ("", None, "ERROR", "GENERAL")
        assert says in answer.says
        assert "cannot be answered" in steps[-1]


def test_an_override_comes_before_the_rule_and_is_no_exposure() -> None:
    answer, steps = asked(rules(targeting=RULE, overrides={"maria": "odd"}), context=Context({"plan": "pro"}))
    assert (answer.variant, answer.reason, answer.in_rollout, answer.by) == (
        "odd",
        "TARGETING_MATCH",
        False,
        "override",
    )
    assert steps[-1] == "maria has an override: odd."
    assert asked(rules(overrides={"maria": "odd"}), "jack")[0].by == "rollout"
    assert asked(rules(overrides={"maria": "odd"}, is_on=False))[0].reason == "DISABLED"


@pytest.mark.parametrize(("now", "is_open"), [(99.9, False), (100.0, True), (199.9, True), (200.0, False)])
def test_a_schedule_opens_and_closes_to_the_second(now: float, is_open: bool) -> None:
    answer, steps = asked(rules(on_from=100.0, on_until=200.0), context=Context(now=now))
    assert (answer.reason == "SPLIT") is is_open
    assert is_open or (answer.variant, answer.reason, answer.by) == ("odd", "DISABLED", "schedule")
    assert ("that is now" in steps[1]) is is_open


def test_a_needed_flag_must_give_the_variant() -> None:
    needs = rules(prerequisites=(Prerequisite("base", ("on",)),))
    for variant, reason in (("on", "SPLIT"), ("off", "DISABLED")):
        base = Evaluator(rules(key="base", weights={variant: 1}))
        answer, steps = asked(needs, context=Context(flags={"base": base}))
        assert answer.reason == reason
        assert "It needs base to give on" in steps[1]
    gone, steps = asked(needs)
    assert (gone.reason, gone.by) == ("DISABLED", "prerequisite")
    assert "gives nothing here" in steps[-1]


def test_many_flags_at_once_give_what_each_gives() -> None:
    by_key = {"cat": [{"var": "$flagd.flagKey"}, "-", {"var": "plan"}]}
    read = rules(key="read", targeting={"if": [{"==": [by_key, "read-trial"]}, "on", "off"]})
    needs = rules(key="needs", targeting=RULE, prerequisites=(Prerequisite("read", ("on",)),))
    flags = {one.key: Evaluator(one) for one in (needs, read, rules(key="plain"), rules(key="rule", targeting=RULE))}
    context = Context({"plan": "trial", "$flagd": "theirs"}, flags=flags)
    for unit in ("maria", None, "\ud800"):
        assert evaluate_all(flags.values(), unit, context) == [one.evaluate(unit, context) for one in flags.values()]
    assert evaluate_all(flags.values(), "maria", context)[1].variant == "on"


def test_a_circle_of_needed_flags_is_off_and_ends() -> None:
    one = Evaluator(rules(key="one", prerequisites=(Prerequisite("two", ("on", "off")),)))
    two = Evaluator(rules(key="two", prerequisites=(Prerequisite("one", ("on", "off")),)))
    answer = one.evaluate("maria", Context(flags={"one": one, "two": two}))
    assert (answer.variant, answer.by) == ("odd", "prerequisite")


def test_a_chain_that_is_too_long_is_off_and_ends() -> None:
    flags = {
        f"f{n}": Evaluator(rules(key=f"f{n}", prerequisites=(Prerequisite(f"f{n + 1}", ("on", "off")),)))
        for n in range(MAX_CHAIN + 5)
    }
    assert flags["f0"].evaluate("maria", Context(flags=flags)).by == "prerequisite"


@given(units, st.integers(1, 5_000))
def test_the_holdout_is_the_same_people_for_every_flag_and_only_grows(unit: str, share: int) -> None:
    narrow, wide = (Slots("holdout", "holdout", 0, size) for size in (share // 2 + 1, share))
    outs = [
        evaluate(rules(key=key, holdout=slots), unit).by == "holdout" for key in ("a", "b") for slots in (narrow, wide)
    ]
    assert outs[0] == outs[2]
    assert outs[1] == outs[3]
    assert outs[1] or not outs[0]


@given(units, st.integers(1, 9_999))
def test_flags_of_one_group_share_nobody_and_leave_nobody_out(unit: str, cut: int) -> None:
    one = evaluate(rules(key="one", group=Slots("g", "g", 0, cut)), unit)
    two = evaluate(rules(key="two", group=Slots("g", "g", cut, FULL_COVERAGE)), unit)
    assert one.in_rollout is not two.in_rollout
    assert {one.by, two.by} == {"group", "rollout"}


def test_who_is_kept_out_hears_it() -> None:
    out, steps = asked(rules(holdout=Slots("holdout", "h", 0, FULL_COVERAGE)))
    assert (out.variant, out.reason, out.in_rollout) == ("off", "DEFAULT", False)
    assert "is in the holdout" in steps[-1]
    out, steps = asked(rules(group=Slots("sign-up", "sign-up", 0, 1)))
    assert out.by == "group"
    assert "In the group sign-up, ask-later has the places 0 to 0; maria is at" in steps[-1]


@given(units, units)
def test_a_company_gets_one_variant(one: str, other: str) -> None:
    by_company = Evaluator(rules(unit="company", weights={"on": 1, "off": 1}))
    acme = [
        by_company.evaluate(unit, Context({"company": said}))
        for unit in (one, other)
        for said in ("acme", {"id": "acme", "seats": 3}, {"key": "acme"})
    ]
    assert len({answer.variant for answer in acme}) == 1
    assert {answer.unit for answer in acme} == {"acme"}


def test_without_a_company_it_gives_the_default() -> None:
    answer, steps = asked(rules(unit="company"))
    assert (answer.variant, answer.reason, answer.by, answer.in_rollout) == ("off", "DEFAULT", "unit", False)
    assert "no company is known" in steps[-1]


@given(
    units,
    st.dictionaries(st.sampled_from(["on", "off"]), st.integers(0, 100), min_size=2).filter(
        lambda w: sum(w.values()) > 0
    ),
    st.integers(0, FULL_COVERAGE),
)
def test_a_sticky_variant_outlives_weights_and_coverage(unit: str, weights: dict[str, int], coverage: int) -> None:
    answer = evaluate(
        rules(is_sticky=True, weights=weights, coverage=coverage), unit, Context(kept={"ask-later": "on"})
    )
    assert (answer.variant, answer.in_rollout, answer.by) == ("on", True, "kept")
    assert evaluate(rules(is_sticky=True), unit, Context(kept={"ask-later": "gone"})).by == "rollout"
    assert evaluate(rules(is_sticky=False), unit, Context(kept={"ask-later": "on"})).by == "rollout"


@given(
    units,
    st.sampled_from(["3", "2", "posthog", "growthbook-1", "growthbook-2"]),
    st.integers(0, FULL_COVERAGE),
    st.integers(0, FULL_COVERAGE),
)
def test_under_every_bucketing_a_ramp_changes_nobodys_arm(unit: str, bucketing: str, one: int, other: int) -> None:
    narrow, wide = (evaluate(rules(bucketing=bucketing, coverage=size), unit) for size in sorted((one, other)))
    assert wide.in_rollout or not narrow.in_rollout
    assert not narrow.in_rollout or wide.variant == narrow.variant
    assert not evaluate(rules(bucketing=bucketing, coverage=0), unit).in_rollout
    assert evaluate(rules(bucketing=bucketing, coverage=FULL_COVERAGE), unit).in_rollout


@given(units, st.permutations(["a", "b", "c"]))
def test_a_named_order_of_arms_is_the_one_that_is_hashed(unit: str, order: list[str]) -> None:
    weights = {"a": 1, "b": 2, "c": 3}
    variants = dict.fromkeys("abc", "x")
    named = rules(variants=variants, default_variant="a", off_variant="a", weights=weights, arm_order=tuple(order))
    assert [name for name, _ in named.arms] == order
    answer = evaluate(named, unit)
    start = sum(weights[name] for name in order[: order.index(answer.variant)])
    assert answer.variant_bucket is not None
    assert start <= answer.variant_bucket < start + weights[answer.variant]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"overrides": {"maria": "nope"}}, "the override of maria"),
        ({"on_from": 5.0, "on_until": 5.0}, "ends before it begins"),
        ({"bucketing": "md5"}, "There is no bucketing 'md5'"),
        ({"targeting": {"if": [{"nope": []}]}}, "There is no operator 'nope'"),
    ],
)
def test_it_names_the_fault_of_rules_that_cannot_be_evaluated(changes: dict[str, Any], says: str) -> None:
    assert says in str(fault(rules(**changes)))
