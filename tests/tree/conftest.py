"""A small tree of Sprout: one outcome, one problem, one solution with all that hangs on it."""

from dataclasses import dataclass
from typing import Any

import pytest

from whytree.tree import services
from whytree.tree.models import Assumption, AssumptionTest, Hypothesis, Opportunity, Outcome, Solution


@dataclass
class Garden:
    outcome: Outcome
    opportunity: Opportunity
    solution: Solution
    hypothesis: Hypothesis
    assumption: Assumption
    test: AssumptionTest


@pytest.fixture
def garden(actor: Any, product: Any) -> Garden:
    outcome = services.create_outcome(
        actor, product, title="Activated in 7 days", metric_key="activated_7d", baseline=31.2, target=40.0
    )
    opportunity = services.create_opportunity(
        actor, product, outcome=outcome, title="I don’t know why you need my phone number"
    )
    solution = services.create_solution(actor, product, opportunity=opportunity, title="Defer phone to first booking")
    hypothesis = services.create_hypothesis(
        actor,
        solution,
        change="asking for the phone number later",
        who="new people",
        behaviour="more finished sign-ups",
        metric_key="activated_7d",
        forecast_low=1.0,
        forecast_likely=4.0,
        forecast_high=7.0,
        guardrails=[{"metric_key": "spam_accounts", "direction": "up", "margin": 0.5}],
    )
    assumption = services.add_assumption(actor, solution, title="They give the number at booking", importance=5)
    test = services.plan_test(actor, assumption, title="Ask five at their first booking", success_criterion="4 of 5 do")
    return Garden(outcome, opportunity, solution, hypothesis, assumption, test)
