"""What people said, where it came in, what was marked in it and what was taken out."""

from ..interviews.models import Guide, Interview, InterviewSnapshot, Transcript
from ..themes.models import Theme, ThemeMembership, ThemeRun, ThemeState
from .contacts import Contact, ContactKind, ContactSettings, ContactWish
from .imports import ERRORS_KEPT, UNFINISHED, ImportRun, RunState
from .items import Consent, FeedbackItem, Highlight, HighlightTag, ItemTag, Redaction
from .loop import Loop, Requester
from .settings import VoiceSettings
from .sizes import NAME_LENGTH, TEXT_LENGTH
from .triage import SavedView, Status, Tag

__all__ = [
    "ERRORS_KEPT",
    "NAME_LENGTH",
    "TEXT_LENGTH",
    "UNFINISHED",
    "Consent",
    "Contact",
    "ContactKind",
    "ContactSettings",
    "ContactWish",
    "FeedbackItem",
    "Guide",
    "Highlight",
    "HighlightTag",
    "ImportRun",
    "Interview",
    "InterviewSnapshot",
    "ItemTag",
    "Loop",
    "Redaction",
    "Requester",
    "RunState",
    "SavedView",
    "Status",
    "Tag",
    "Theme",
    "ThemeMembership",
    "ThemeRun",
    "ThemeState",
    "Transcript",
    "VoiceSettings",
]
