"""Assumption tests: criterion, start, verdict, and what the verdict leaves behind."""

from typing import Any

import pytest

from whytree.tree import services
from whytree.tree.models import Assumption, EvidenceLink, Verdict

from .conftest import Garden


def test_it_does_not_start_without_a_criterion(api: Any, garden: Garden) -> None:
    api.patch("/products/sprout/tests/TST-1", {"success_criterion": ""})
    answer = api.post("/products/sprout/tests/TST-1/start")
    assert answer.status == 409
    assert "success criterion first" in answer.body["message"]


def test_the_criterion_is_fixed_once_it_runs(api: Any, garden: Garden) -> None:
    assert api.post("/products/sprout/tests/TST-1/start").ok["status"] == "in_progress"
    answer = api.patch("/products/sprout/tests/TST-1", {"success_criterion": "2 of 5 do"})
    assert answer.status == 409
    assert "fixed" in answer.body["message"]
    assert api.patch("/products/sprout/tests/TST-1", {"title": "Ask five people"}).status == 200
    assert api.post("/products/sprout/tests/TST-1/start").status == 409


def test_it_has_no_verdict_before_it_ran_and_only_one_after(api: Any, garden: Garden) -> None:
    conclude = "/products/sprout/tests/TST-1/conclude"
    assert api.post(conclude, {"verdict": "validated"}).status == 409
    api.post("/products/sprout/tests/TST-1/start")
    assert api.post(conclude, {"verdict": "perhaps"}).status == 400
    assert api.post(conclude, {"verdict": "validated", "result": "4 of 5"}).ok["verdict"] == "validated"
    assert api.post(conclude, {"verdict": "invalidated"}).status == 409


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([], "untested"),
        (["inconclusive"], "untested"),
        (["validated"], "supported"),
        (["validated", "inconclusive"], "supported"),
        (["invalidated"], "refuted"),
        (["validated", "invalidated"], "mixed"),
    ],
)
def test_the_status_of_a_belief_follows_from_its_tests(
    garden: Garden, actor: Any, verdicts: list[str], status: str
) -> None:
    for verdict in verdicts:
        test = services.plan_test(actor, garden.assumption, title="t", success_criterion="c")
        services.conclude_test(actor, services.start_test(actor, test), verdict=verdict)
    assert Assumption.objects.get().status == status


@pytest.mark.parametrize(
    ("verdict", "stance"), [("validated", "supports"), ("invalidated", "contradicts"), ("inconclusive", "context")]
)
def test_a_verdict_becomes_evidence_on_belief_and_solution(
    garden: Garden, actor: Any, verdict: Verdict, stance: str
) -> None:
    services.conclude_test(actor, services.start_test(actor, garden.test), verdict=verdict, result="4 of 5 did")
    links = EvidenceLink.objects.filter(evidence_type="test_results", source_id="TST-1")
    assert {link.node().ref for link in links} == {"ASM-1", "SOL-1"}
    assert {link.stance for link in links} == {stance}
