"""Advice on trees, by table: each rule with a node that it speaks on and one that it leaves alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from whytree.tree.lints import EvidenceFacts, NodeFacts, advise, rules

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def node(ref: str, **facts: Any) -> NodeFacts:
    return NodeFacts(ref=ref, kind=ref[:3], title=facts.pop("title", "It takes me too long"), **facts)


def said(person: str, kind: str = "user_evidence", days: int = 1, stance: str = "supports") -> EvidenceFacts:
    return EvidenceFacts(kind, stance, person, NOW - timedelta(days=days))


TWO = (said("ana"), said("ben"))
OPP = node("OPP-1", parent="OUT-1", evidence=TWO)
SOL = node("SOL-1", parent="OPP-1")

CASES: list[tuple[str, list[NodeFacts], list[NodeFacts]]] = [
    ("outcome_without_metric", [node("OUT-1", metric_key="")], [node("OUT-1")]),
    ("outcome_without_baseline", [node("OUT-1", baseline=None)], [node("OUT-1", metric_key="", baseline=None)]),
    ("outcome_without_target", [node("OUT-1", target=None)], [node("OUT-1", target=40.0)]),
    (
        "traction_metric_alone",
        [node("OUT-1", outcome_type="traction_metric")],
        [node("OUT-1", outcome_type="traction_metric", counter_metrics=1)],
    ),
    (
        "business_outcome_with_opportunities",
        [node("OUT-1", outcome_type="business_outcome"), OPP],
        [node("OUT-1", outcome_type="business_outcome")],
    ),
    ("opportunity_not_placed", [node("OPP-1", evidence=TWO)], [OPP]),
    ("phrased_as_feature", [node("OPP-1", title="Add a dark mode")], [node("OPP-1", title="Adding people hurts")]),
    ("phrased_as_feature", [node("OPP-1", title="We should build exports")], [node("OPP-1", title="I build a lot")]),
    (
        "phrased_as_business_need",
        [node("OPP-1", title="Increase retention")],
        [node("OPP-1", title="My costs increase each month")],
    ),
    (
        "solutions_beside_opportunities",
        [OPP, node("OPP-2", parent="OPP-1"), SOL],
        [OPP, node("OPP-2", parent="OPP-1"), node("SOL-1", parent="OPP-1", closed=True)],
    ),
    (
        "only_one_narrower",
        [OPP, node("OPP-2", parent="OPP-1")],
        [OPP, node("OPP-2", parent="OPP-1"), node("OPP-3", parent="OPP-1")],
    ),
    ("no_external_evidence", [node("OPP-1", evidence=(said("us", "self_conviction"),))], [OPP]),
    ("no_external_evidence", [node("OPP-1", evidence=(said("ana", stance="contradicts"),))], [OPP]),
    ("heard_from_one_person", [node("OPP-1", evidence=(said("ana"), said("ana", "anecdotal")))], [OPP]),
    (
        "evidence_past_half_life",
        [node("OPP-1", evidence=(said("ana", days=370),))],
        [node("OPP-1", evidence=(said("ana", days=360),))],
    ),
    # launch data lives twice as long as a voice
    (
        "evidence_past_half_life",
        [node("OPP-1", evidence=(said("x", "launch_data", days=740),))],
        [node("OPP-1", evidence=(said("x", "launch_data", days=370),))],
    ),
    ("one_solution_in_focus", [node("OPP-1", in_focus=True), SOL], [node("OPP-1"), SOL]),
    (
        "one_solution_in_focus",
        [node("OPP-1", in_focus=True)],
        [node("OPP-1", in_focus=True), SOL, node("SOL-2", parent="OPP-1")],
    ),
    ("solution_without_opportunity", [node("SOL-1")], [SOL]),
    (
        "solution_without_assumption",
        [node("SOL-1", state="building")],
        [node("SOL-1", state="building"), node("ASM-1", parent="SOL-1")],
    ),
    (
        "value_untested",
        [node("SOL-1", state="building"), node("ASM-1", parent="SOL-1")],
        [node("SOL-1", state="building"), node("ASM-1", parent="SOL-1", status="supported")],
    ),
    (
        "value_untested",
        [node("SOL-1", state="live"), node("ASM-1", parent="SOL-1")],
        [node("SOL-1", state="idea"), node("ASM-1", parent="SOL-1")],
    ),
    (
        "belief_refuted",
        [node("SOL-1", state="building"), node("ASM-1", parent="SOL-1", status="refuted")],
        [node("SOL-1", state="kept"), node("ASM-1", parent="SOL-1", status="refuted")],
    ),
    (
        "nothing_predicted",
        [node("SOL-1", state="live")],
        [node("SOL-1", state="live"), node("HYP-1", parent="SOL-1")],
    ),
    ("test_without_criterion", [node("TST-1", criterion="")], [node("TST-1")]),
]


@pytest.mark.parametrize(("rule", "speaks", "silent"), CASES, ids=[f"{case[0]}-{at}" for at, case in enumerate(CASES)])
def test_a_rule_speaks_where_it_should_and_only_there(
    rule: str, speaks: list[NodeFacts], silent: list[NodeFacts]
) -> None:
    assert rule in {advice.rule for advice in advise(speaks, NOW)}
    assert rule not in {advice.rule for advice in advise(silent, NOW)}


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(rules())


def test_closed_nodes_get_no_advice() -> None:
    assert advise([node("OUT-1", metric_key="", baseline=None, target=None, closed=True)], NOW) == []


def test_advice_names_the_node_and_is_a_sentence() -> None:
    for advice in advise([node("OUT-1", metric_key="", target=None), node("OPP-1"), node("SOL-1", state="live")], NOW):
        assert advice.ref in {"OUT-1", "OPP-1", "SOL-1"}
        assert advice.text[0].isupper()
        assert advice.text[-1] in ".?"
