"""What may change an interview. One verb a function; each asks for the role, acts in one transaction, leaves one Activity."""

from ..fields import InterviewFields
from .guides import remove_guide, write_guide
from .inviting import contact_of, invite, leave_alone
from .marking import Span, highlight_talk, link_highlight, remove_highlight, unlink_talk
from .snapshots import SnapshotFields, Step, write_snapshot
from .talks import (
    Imported,
    Kept,
    add_interview,
    edit_transcript,
    import_interview,
    preview_interview,
    remove_interview,
    set_interview,
)

__all__ = [
    "Imported",
    "InterviewFields",
    "Kept",
    "SnapshotFields",
    "Span",
    "Step",
    "add_interview",
    "contact_of",
    "edit_transcript",
    "highlight_talk",
    "import_interview",
    "invite",
    "leave_alone",
    "link_highlight",
    "preview_interview",
    "remove_guide",
    "remove_highlight",
    "remove_interview",
    "set_interview",
    "unlink_talk",
    "write_guide",
    "write_snapshot",
]
