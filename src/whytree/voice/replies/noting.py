"""What there is to tell is noted here, and told by a job: whoever changes something waits for no mail server."""

from datetime import timedelta

from django.utils import timezone

from whytree.voice.board.news import on_board
from whytree.workspace.background.jobs import enqueue

from ..models.items import FeedbackItem
from ..models.notes import Remark
from ..models.triage import Status
from .models import Reply, ReplyKind

JOB = "voice.tell_voters"
TELL_AFTER = timedelta(minutes=2)
"""Until then an act can be taken back unheard, and what comes meanwhile goes in one mail."""


def note_status(item: FeedbackItem, status: Status) -> None:
    """It stands so now. Of a post on an open board its voters hear by what the board says of it."""
    if status.tells and on_board(item) is None:
        _note(Reply(item=item, kind=ReplyKind.STATUS, status=status.name))


def note_reply(item: FeedbackItem, remark: Remark) -> None:
    """It was officially answered."""
    _note(Reply(item=item, kind=ReplyKind.ANSWER, remark=remark))


def _note(reply: Reply) -> None:
    reply.save()
    product = reply.item.product_id
    enqueue(JOB, {"product": product}, key=str(product), run_after=timezone.now() + TELL_AFTER)
