"""What goes in and out at the REST door. Field names are the models' own; a node is named by its `ref`."""

from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema

from whytree.engines.confidence import Confidence
from whytree.tree.models import (
    AssumptionType,
    Draft,
    EvidenceType,
    ForecastUnit,
    Method,
    Node,
    NoteKind,
    OpportunityKind,
    OutcomeType,
    Provenance,
    SourceKind,
    Stance,
    State,
    Strength,
    TicketLink,
    Verdict,
)
from whytree.tree.outline import Branch
from whytree.workspace.rest import Body
from whytree.workspace.sockets import panels


class Said(Body):
    def given(self) -> dict[str, Any]:
        """Only what the caller named; the rest stays as it is."""
        return self.model_dump(exclude_unset=True)


class NodeEdit(Said):
    title: str = ""
    description: str = ""
    owner: str | None = None  # e-mail address of a member


class OutcomeEdit(NodeEdit):
    outcome_type: OutcomeType = OutcomeType.PRODUCT
    metric_key: str = ""
    baseline: float | None = None
    target: float | None = None
    due: date | None = None
    counter_metric_keys: list[str] = []


class OutcomeIn(OutcomeEdit):
    title: str
    parent: str | None = None


class OpportunityEdit(NodeEdit):
    kind: OpportunityKind = OpportunityKind.PAIN_POINT
    segment: str = ""
    struggle_signal: dict[str, Any] | None = None
    in_focus: bool = False


class OpportunityIn(OpportunityEdit):
    title: str
    parent: str | None = None  # an outcome or an opportunity


class SolutionEdit(NodeEdit):
    is_removal: bool = False


class SolutionIn(SolutionEdit):
    title: str
    parent: str | None = None  # an opportunity


class HypothesisEdit(NodeEdit):
    change: str = ""
    who: str = ""
    behaviour: str = ""
    metric_key: str = ""
    forecast_low: float = 0
    forecast_likely: float = 0
    forecast_high: float = 0
    forecast_unit: ForecastUnit = ForecastUnit.POINTS
    horizon_days: int = 28
    guardrails: list[dict[str, Any]] = []


class HypothesisIn(HypothesisEdit):
    parent: str  # a solution
    change: str
    metric_key: str
    forecast_low: float
    forecast_likely: float
    forecast_high: float


class AssumptionEdit(NodeEdit):
    assumption_type: AssumptionType = AssumptionType.DESIRABILITY
    importance: int = 3


class AssumptionIn(AssumptionEdit):
    title: str
    parent: str  # a solution


class TestEdit(NodeEdit):
    method: Method = Method.PROTOTYPE_TEST
    success_criterion: str = ""
    cost_days: float | None = None
    measure: dict[str, Any] | None = None
    due: date | None = None


class TestIn(TestEdit):
    title: str
    parent: str  # an assumption


class NodeOut(Schema):
    ref: str
    kind: str
    parent: str | None
    title: str
    description: str
    owner: str | None
    standing: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    close_reason: str

    @staticmethod
    def resolve_kind(node: Node) -> str:
        return node.word

    @staticmethod
    def resolve_parent(node: Node) -> str | None:
        parent = node.parent_node
        return parent.ref if parent else None

    @staticmethod
    def resolve_owner(node: Node) -> str | None:
        return node.owner.email if node.owner else None


class OutcomeOut(NodeOut):
    outcome_type: str
    metric_key: str
    baseline: float | None
    target: float | None
    due: date | None
    counter_metric_keys: list[str]


class OpportunityOut(NodeOut):
    opportunity_kind: str
    segment: str
    struggle_signal: dict[str, Any] | None
    in_focus: bool

    @staticmethod
    def resolve_opportunity_kind(node: Any) -> str:
        return str(node.kind)


class SolutionOut(NodeOut):
    state: str
    is_removal: bool


class HypothesisOut(NodeOut):
    change: str
    who: str
    behaviour: str
    metric_key: str
    forecast_low: float
    forecast_likely: float
    forecast_high: float
    forecast_unit: str
    horizon_days: int
    guardrails: list[dict[str, Any]]
    opened_at: datetime | None
    locked_at: datetime | None
    lock_hash: str


class HypothesisMade(HypothesisOut):
    """`beside`: what is known of such changes, and what is odd about the forecast, a sentence or some from each part that knows."""

    beside: list[str]

    @staticmethod
    def resolve_beside(node: Any, context: Any) -> list[str]:
        found = panels("hypothesis", context["request"].actor, node.product, node)
        return [panel.headline for panel in found if panel.headline]


class AssumptionOut(NodeOut):
    assumption_type: str
    importance: int
    status: str


class TestOut(NodeOut):
    method: str
    success_criterion: str
    cost_days: float | None
    measure: dict[str, Any] | None
    sessions: list[dict[str, Any]]
    due: date | None
    status: str
    started_at: datetime | None
    concluded_at: datetime | None
    verdict: str
    result: str


class MoveIn(Said):
    parent: str | None


class CloseIn(Said):
    reason: str
    with_children: bool = False


class StateIn(Said):
    state: State
    reason: str = ""


class SessionIn(Said):
    """One person who was watched or asked."""

    passed: bool
    note: str = ""


class ConcludeIn(Said):
    verdict: Verdict
    result: str = ""


class OverrideIn(Said):
    strength: Strength | Literal[""]
    reason: str = ""


class EvidenceIn(Said):
    evidence_type: EvidenceType
    stance: Stance = Stance.SUPPORTS
    source_kind: SourceKind = SourceKind.NOTE
    source_id: str = ""
    person_key: str = ""
    quote: str = ""
    statement: str = ""
    said_at: datetime | None = None
    importance: int = 1
    provenance: Provenance = Provenance.STATED
    rule: str = ""


class EvidenceOut(Schema):
    id: int
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
    created_at: datetime


class NoteIn(Said):
    kind: NoteKind = NoteKind.COMMENT
    text: str
    cost: str = ""
    alternative: str = ""


class AnswerIn(Said):
    answer: str


class NoteOut(Schema):
    id: int
    kind: str
    text: str
    cost: str
    alternative: str
    author_name: str
    created_at: datetime
    answer: str
    answered_at: datetime | None


class OpenNoteOut(NoteOut):
    ref: str


class TicketIn(Said):
    ticket: str  # an address, "#12" or "ABC-12"
    title: str = ""


class TicketOut(Schema):
    id: int
    key: str
    url: str
    title: str
    state: str
    provenance: str
    rule: str

    @staticmethod
    def of(link: TicketLink) -> "TicketOut":
        ticket = link.ticket
        return TicketOut(
            id=link.pk,
            key=ticket.key,
            url=ticket.url,
            title=ticket.title,
            state=ticket.state,
            provenance=link.provenance,
            rule=link.rule,
        )


class BreakdownRow(Schema):
    evidence_type: str
    label: str
    stance: str
    weight: float
    half_life_years: float
    people: int
    k_eff: float
    contribution: float
    newest_at: datetime


class ConfidenceOut(Schema):
    """`label` is what pages say; `override` replaces it where somebody sees it differently, with the reason."""

    value: float
    label: str
    support: float
    contradiction: float
    breakdown: list[BreakdownRow]
    raise_most: str
    override: str
    override_reason: str

    @staticmethod
    def of(node: Node, found: Confidence) -> "ConfidenceOut":
        return ConfidenceOut(
            value=found.value,
            label=found.label,
            support=found.support,
            contradiction=found.contradiction,
            breakdown=[BreakdownRow.from_orm(row) for row in found.breakdown],
            raise_most=str(found.raise_most or ""),
            override=node.override,
            override_reason=node.override_reason,
        )


class AdviceOut(Schema):
    ref: str
    rule: str
    text: str


class TreeNodeOut(Schema):
    """One line of the outline. `depth` 0 is a root; nodes come parents first."""

    ref: str
    kind: str
    kind_word: str
    parent: str | None
    depth: int
    title: str
    standing: str
    closed: bool
    evidence: str
    people: int
    open_notes: int
    value: str
    change: str
    note: str
    chips: list[str]
    advice: list[AdviceOut]

    @staticmethod
    def of(branch: Branch) -> "TreeNodeOut":
        node, figure = branch.node, branch.figure
        parent = node.parent_node
        return TreeNodeOut(
            ref=node.ref,
            kind=node.word,
            kind_word=node.kind_word,
            parent=parent.ref if parent else None,
            depth=branch.depth,
            title=node.title,
            standing=node.standing,
            closed=node.is_closed,
            evidence=branch.strength,
            people=branch.people,
            open_notes=branch.open_notes,
            value=figure.value,
            change=figure.change,
            note=figure.note,
            chips=[chip.text for chip in figure.chips],
            advice=[AdviceOut(ref=one.ref, rule=one.rule, text=one.text) for one in branch.advice],
        )


class TreeOut(Schema):
    product: str
    vision: str
    nodes: list[TreeNodeOut]


class DifferenceOut(Schema):
    """`what`: came, state, evidence (its strength), heard, locked, verdict, note, answer or closed."""

    what: str
    was: str
    now: str
    words: str


class DifferentOut(Schema):
    ref: str
    title: str
    kind: str
    differences: list[DifferenceOut]


class TreeDiffOut(Schema):
    since: datetime
    until: datetime
    nodes: list[DifferentOut]
    left_out: int


class ImportOut(Schema):
    created: list[str]
    changed: list[str]
    unchanged: list[str]
    evidence: int
    notes: int
    tickets: int
    preview: bool


class DraftOut(Schema):
    """A node that was inferred and that nobody has stated. `parent` is another draft's number; `lines` are those of code
    that are still there, where tests, documents and data count a fifth."""

    id: int
    kind: str
    title: str
    parent: int | None
    rule: str
    score: float
    because: str
    lines: int
    state: str
    node: str

    @staticmethod
    def of(draft: Draft) -> "DraftOut":
        return DraftOut(
            id=draft.pk,
            kind=draft.kind_word,
            title=draft.title,
            parent=draft.parent_id,
            rule=draft.rule,
            score=draft.score,
            because=draft.because,
            lines=draft.lines,
            state=draft.state,
            node=draft.node_ref,
        )


class DraftWords(Body):
    title: str
