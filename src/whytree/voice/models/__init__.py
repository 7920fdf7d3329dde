"""What people said, where it came in, what was marked in it and what was taken out."""

from ..themes.models import Theme, ThemeMembership, ThemeRun, ThemeState
from .imports import ERRORS_KEPT, UNFINISHED, ColumnMapping, ImportRun, RunState
from .items import Consent, FeedbackItem, Highlight, ItemTag, Redaction
from .loop import Loop, Requester
from .notes import Remark, RemarkKind
from .settings import VoiceSettings
from .sizes import NAME_LENGTH, TEXT_LENGTH
from .telling import Feeling, Reading
from .triage import SavedView, Status, Tag

__all__ = [
    "ERRORS_KEPT",
    "NAME_LENGTH",
    "TEXT_LENGTH",
    "UNFINISHED",
    "ColumnMapping",
    "Consent",
    "FeedbackItem",
    "Feeling",
    "Highlight",
    "ImportRun",
    "ItemTag",
    "Loop",
    "Reading",
    "Redaction",
    "Remark",
    "RemarkKind",
    "Requester",
    "RunState",
    "SavedView",
    "Status",
    "Tag",
    "Theme",
    "ThemeMembership",
    "ThemeRun",
    "ThemeState",
    "VoiceSettings",
]
