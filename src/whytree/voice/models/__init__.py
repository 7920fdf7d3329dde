"""What people said, where it came in, what was marked in it and what was taken out."""

from ..board.models import Board, Entry, News
from ..incoming.models import FeedbackMessage, FeedbackWebhook
from ..interviews.models import Guide, Interview, InterviewSnapshot, Transcript
from ..meaning.models import MeaningShard, MeaningSpace, MeaningTalk
from ..replies.models import Reply, ReplyWays
from ..rounds.models import ProblemSighting, UsabilityProblem, UsabilityRound, UsabilitySession
from ..surveys.models import Survey, SurveyResponse, SurveyState
from ..themes.models import Theme, ThemeMembership, ThemeRun, ThemeState
from .contacts import Contact, ContactKind, ContactSettings, ContactWish
from .imports import ERRORS_KEPT, UNFINISHED, ColumnMapping, ImportRun, RunState
from .items import Consent, FeedbackItem, Highlight, HighlightTag, ItemTag, Redaction
from .loop import Loop, Requester
from .notes import Remark, RemarkKind
from .screenshots import Screenshot
from .settings import VoiceSettings
from .sizes import NAME_LENGTH, TEXT_LENGTH
from .telling import Feeling, Reading
from .triage import SavedView, Status, Tag

__all__ = [
    "ERRORS_KEPT",
    "NAME_LENGTH",
    "TEXT_LENGTH",
    "UNFINISHED",
    "Board",
    "ColumnMapping",
    "Consent",
    "Contact",
    "ContactKind",
    "ContactSettings",
    "ContactWish",
    "Entry",
    "FeedbackItem",
    "FeedbackMessage",
    "FeedbackWebhook",
    "Feeling",
    "Guide",
    "Highlight",
    "HighlightTag",
    "ImportRun",
    "Interview",
    "InterviewSnapshot",
    "ItemTag",
    "Loop",
    "MeaningShard",
    "MeaningSpace",
    "MeaningTalk",
    "News",
    "ProblemSighting",
    "Reading",
    "Redaction",
    "Remark",
    "RemarkKind",
    "Reply",
    "ReplyWays",
    "Requester",
    "RunState",
    "SavedView",
    "Screenshot",
    "Status",
    "Survey",
    "SurveyResponse",
    "SurveyState",
    "Tag",
    "Theme",
    "ThemeMembership",
    "ThemeRun",
    "ThemeState",
    "Transcript",
    "UsabilityProblem",
    "UsabilityRound",
    "UsabilitySession",
    "VoiceSettings",
]
