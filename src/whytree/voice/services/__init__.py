"""What may change the voices. One verb a function; each asks for the role, acts in one transaction, leaves one Activity."""

from .imports import FileFacts, find_run, finish_import, start_import, take_rows, undo_import
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

__all__ = [
    "Added",
    "FileFacts",
    "Refused",
    "Span",
    "add_feedback",
    "add_many",
    "bring_back",
    "find_opportunity",
    "find_opportunity_by_words",
    "find_run",
    "finish_import",
    "highlight",
    "importance_of",
    "link_excerpt",
    "put_away",
    "set_consent",
    "start_import",
    "take_rows",
    "undo_import",
    "unlink",
]
