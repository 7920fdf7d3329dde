"""What may change the voices. One verb a function; each asks for the role, acts in one transaction, leaves one Activity."""

from .imports import LEFT_OUT, FileFacts, find_run, finish_import, start_import, take_rows, undo_import
from .items import Added, Refused, add_feedback, add_many, bring_back, put_away, set_consent
from .linking import (
    Span,
    find_opportunity,
    find_opportunity_by_words,
    highlight,
    importance_of,
    link_excerpt,
    unlink,
)
from .personal import close_import, put_back_personal, set_voice_settings

__all__ = [
    "LEFT_OUT",
    "Added",
    "FileFacts",
    "Refused",
    "Span",
    "add_feedback",
    "add_many",
    "bring_back",
    "close_import",
    "find_opportunity",
    "find_opportunity_by_words",
    "find_run",
    "finish_import",
    "highlight",
    "importance_of",
    "link_excerpt",
    "put_away",
    "put_back_personal",
    "set_consent",
    "set_voice_settings",
    "start_import",
    "take_rows",
    "undo_import",
    "unlink",
]
