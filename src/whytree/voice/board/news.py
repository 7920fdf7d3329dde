"""What is new on the board is noted here, and told by a job: whoever changes something waits for no mail server."""

from django.db import transaction

from whytree.voice.models import FeedbackItem, Remark
from whytree.workspace.background.jobs import enqueue

from .models import Board, Entry, EntryKind, EntryState, News, NewsKind, Progress

JOB = "voice.board_news"


def note_published(post: Entry) -> News:
    return _note(News(post=post, kind=NewsKind.PUBLISHED))


def note_progress(post: Entry) -> News:
    return _note(News(post=post, kind=NewsKind.PROGRESS, progress=Progress(post.progress)))


def on_board(item: FeedbackItem) -> Entry | None:
    """The post that it is, where anybody sees it; None elsewhere."""
    post = Entry.objects.filter(item=item, kind=EntryKind.POST, state=EntryState.PUBLIC).first()
    is_open = post is not None and Board.objects.filter(product=item.product_id, is_open=True).exists()
    return post if is_open else None


def note_answer(item: FeedbackItem, remark: Remark, *, mailed: bool) -> News | None:
    """An official answer to what stands on an open board stands there, too; those it was mailed to by hand are not mailed again."""
    post = on_board(item)
    if post is None:
        return None
    reached = [post.pk, *post.below.values_list("pk", flat=True)] if mailed else []
    return _note(News(post=post, kind=NewsKind.ANSWER, remark=remark, mailed=reached))


def _note(news: News) -> News:
    with transaction.atomic():
        news.save()
        enqueue(JOB, {"news": news.pk}, key=str(news.pk))
    return news
