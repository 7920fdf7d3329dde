"""What people said, where it came in, what was marked in it and what was taken out."""

from .imports import ERRORS_KEPT, UNFINISHED, ImportRun, RunState
from .items import Consent, FeedbackItem, Highlight, Redaction
from .settings import VoiceSettings
from .sizes import NAME_LENGTH, TEXT_LENGTH

__all__ = [
    "ERRORS_KEPT",
    "NAME_LENGTH",
    "TEXT_LENGTH",
    "UNFINISHED",
    "Consent",
    "FeedbackItem",
    "Highlight",
    "ImportRun",
    "Redaction",
    "RunState",
    "VoiceSettings",
]
