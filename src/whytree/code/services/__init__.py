"""What may change the facts of delivery: `reading` keeps what a clone tells, `reasons` what people add. Tickets: `trackers/`."""

from .reading import (
    PushedCommit,
    PushedFile,
    PushedHunks,
    Reading,
    answer_link,
    finish_sync,
    keep_survey,
    push_commits,
    push_hunks,
    push_lines,
    refuse_another,
    register_repository,
)
from .reasons import tell_reason, withdraw_reason

__all__ = [
    "PushedCommit",
    "PushedFile",
    "PushedHunks",
    "Reading",
    "answer_link",
    "finish_sync",
    "keep_survey",
    "push_commits",
    "push_hunks",
    "push_lines",
    "refuse_another",
    "register_repository",
    "tell_reason",
    "withdraw_reason",
]
