"""What people fill in on the tree's pages. A form reads what was typed; the services decide whether it may be."""

from .acts import CloseForm, EvidenceForm, MoveForm, NoteForm, OverrideForm, TicketForm, VisionForm
from .nodes import HypothesisForm, NodeForm, form_for
from .parts import Form

__all__ = [
    "CloseForm",
    "EvidenceForm",
    "Form",
    "HypothesisForm",
    "MoveForm",
    "NodeForm",
    "NoteForm",
    "OverrideForm",
    "TicketForm",
    "VisionForm",
    "form_for",
]
