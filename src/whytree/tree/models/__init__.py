"""The opportunity solution tree: what we want to change, for whom, by what, and what would prove us wrong.

    Outcome (may stand under an Outcome)
    └── Opportunity (may stand under an Opportunity)
        └── Solution
            ├── Hypothesis            locks at first exposure
            └── Assumption
                └── AssumptionTest

Evidence, notes and tickets hang on any of these six. They point at a node by `node_kind` ("OPP") and `node_id`
(the node's primary key, not its number), because one foreign key cannot name six tables.
"""

from .attached import (
    ASKING,
    ERASED,
    Attached,
    EvidenceLink,
    EvidenceType,
    Importance,
    Note,
    NoteKind,
    Provenance,
    SourceKind,
    Stance,
    TicketLink,
    data_set,
)
from .columns import (
    TEXT_LENGTH,
    TITLE_LENGTH,
    finite,
    guardrail_list,
    key_list,
    one_of,
    storable_text,
    text_field,
    versioned,
)
from .drafts import Draft, DraftKind, DraftState
from .nodes import (
    EXPOSED_STATES,
    KINDS,
    LOCKED,
    MAY_STAND_ALONE,
    MOVES,
    PARENTS,
    SETTLED_STATES,
    Assumption,
    AssumptionTest,
    AssumptionType,
    ForecastUnit,
    Hypothesis,
    Method,
    Node,
    Opportunity,
    OpportunityKind,
    Outcome,
    OutcomeType,
    Progress,
    Solution,
    State,
    Strength,
    Verdict,
    child_kinds,
)

__all__ = [
    "ASKING",
    "ERASED",
    "EXPOSED_STATES",
    "KINDS",
    "LOCKED",
    "MAY_STAND_ALONE",
    "MOVES",
    "PARENTS",
    "SETTLED_STATES",
    "TEXT_LENGTH",
    "TITLE_LENGTH",
    "Assumption",
    "AssumptionTest",
    "AssumptionType",
    "Attached",
    "Draft",
    "DraftKind",
    "DraftState",
    "EvidenceLink",
    "EvidenceType",
    "ForecastUnit",
    "Hypothesis",
    "Importance",
    "Method",
    "Node",
    "Note",
    "NoteKind",
    "Opportunity",
    "OpportunityKind",
    "Outcome",
    "OutcomeType",
    "Progress",
    "Provenance",
    "Solution",
    "SourceKind",
    "Stance",
    "State",
    "Strength",
    "TicketLink",
    "Verdict",
    "child_kinds",
    "data_set",
    "finite",
    "guardrail_list",
    "key_list",
    "one_of",
    "storable_text",
    "text_field",
    "versioned",
]
