"""What may be said about each kind of node; create takes these, edit takes any of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypedDict

from whytree.workspace.models import User


class NodeFields(TypedDict, total=False):
    title: str
    description: str
    owner: User | None


class OutcomeFields(NodeFields, total=False):
    outcome_type: str
    metric_key: str
    baseline: float | None
    target: float | None
    due: date | None
    counter_metric_keys: Sequence[str]


class OpportunityFields(NodeFields, total=False):
    kind: str
    segment: str
    struggle_signal: dict[str, Any] | None
    in_focus: bool


class SolutionFields(NodeFields, total=False):
    is_removal: bool


class HypothesisFields(NodeFields, total=False):
    change: str
    who: str
    behaviour: str
    metric_key: str
    forecast_low: float
    forecast_likely: float
    forecast_high: float
    forecast_unit: str
    horizon_days: int
    guardrails: Sequence[dict[str, Any]]


class AssumptionFields(NodeFields, total=False):
    assumption_type: str
    importance: int


class TestFields(NodeFields, total=False):
    method: str
    success_criterion: str
    cost_days: float | None
    measure: dict[str, Any] | None
    due: date | None


class EvidenceFields(TypedDict, total=False):
    stance: str
    evidence_type: str
    source_kind: str
    source_id: str
    person_key: str
    quote: str
    statement: str
    said_at: datetime | None
    importance: int
    provenance: str
    rule: str
