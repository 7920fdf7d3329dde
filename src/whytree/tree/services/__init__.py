"""What may change the tree. One verb a function; each asks for the role, acts in one transaction and leaves one Activity."""

from .drafts import (
    Proposal,
    Proposed,
    commit_key,
    confirm_draft,
    discard_draft,
    edit_draft,
    propose_drafts,
    request_key,
)
from .evidence import link_evidence, override_confidence, unlink_evidence
from .lifecycle import close_node, lock_prediction, move_node, refuse_misplaced, reopen_node, set_state
from .nodes import (
    add_assumption,
    create_hypothesis,
    create_opportunity,
    create_outcome,
    create_solution,
    edit_assumption,
    edit_hypothesis,
    edit_opportunity,
    edit_outcome,
    edit_solution,
    edit_test,
    plan_test,
)
from .notes import add_note, answer_note
from .tickets import link_ticket, link_written_ticket, unlink_ticket
from .trials import conclude_test, record_session, start_test

__all__ = [
    "Proposal",
    "Proposed",
    "add_assumption",
    "add_note",
    "answer_note",
    "close_node",
    "commit_key",
    "conclude_test",
    "confirm_draft",
    "create_hypothesis",
    "create_opportunity",
    "create_outcome",
    "create_solution",
    "discard_draft",
    "edit_assumption",
    "edit_draft",
    "edit_hypothesis",
    "edit_opportunity",
    "edit_outcome",
    "edit_solution",
    "edit_test",
    "link_evidence",
    "link_ticket",
    "link_written_ticket",
    "lock_prediction",
    "move_node",
    "override_confidence",
    "plan_test",
    "propose_drafts",
    "record_session",
    "refuse_misplaced",
    "reopen_node",
    "request_key",
    "set_state",
    "start_test",
    "unlink_evidence",
    "unlink_ticket",
]
