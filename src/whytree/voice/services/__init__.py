"""What may change the voices. One verb a function; each asks for the role, acts in one transaction, leaves one Activity."""

from .highlights import find_highlight, tag_highlight
from .imports import (
    LEFT_OUT,
    FileFacts,
    find_run,
    finish_import,
    go_on_undoing,
    list_runs,
    start_import,
    take_rows,
    undo_import,
)
from .items import Added, Refused, add_feedback, add_many, bring_back, put_away, set_consent
from .linking import (
    Span,
    find_opportunity,
    find_opportunity_by_words,
    highlight,
    importance_of,
    link_excerpt,
    opportunities_with,
    unlink,
)
from .mappings import find_mapping, keep_mapping, kept_mappings, remove_mapping
from .merging import find_main, group_of, keys_of_group, main_of, merge, part
from .personal import close_import, put_back_personal, set_voice_settings
from .remarks import add_note, answer_voice, recipients, remove_remark
from .screenshots import as_download, find_screenshot, remove_screenshot
from .sorting import add_status, remove_status, remove_view, save_view
from .triage import ACTS, MOST_AT_ONCE, Act, Triaged, find_status, together, triage, undo_triage

__all__ = [
    "ACTS",
    "LEFT_OUT",
    "MOST_AT_ONCE",
    "Act",
    "Added",
    "FileFacts",
    "Refused",
    "Span",
    "Triaged",
    "add_feedback",
    "add_many",
    "add_note",
    "add_status",
    "answer_voice",
    "as_download",
    "bring_back",
    "close_import",
    "find_highlight",
    "find_main",
    "find_mapping",
    "find_opportunity",
    "find_opportunity_by_words",
    "find_run",
    "find_screenshot",
    "find_status",
    "finish_import",
    "go_on_undoing",
    "group_of",
    "highlight",
    "importance_of",
    "keep_mapping",
    "kept_mappings",
    "keys_of_group",
    "link_excerpt",
    "list_runs",
    "main_of",
    "merge",
    "opportunities_with",
    "part",
    "put_away",
    "put_back_personal",
    "recipients",
    "remove_mapping",
    "remove_remark",
    "remove_screenshot",
    "remove_status",
    "remove_view",
    "save_view",
    "set_consent",
    "set_voice_settings",
    "start_import",
    "tag_highlight",
    "take_rows",
    "together",
    "triage",
    "undo_import",
    "undo_triage",
    "unlink",
]
