"""Forget what a person said. Numbers and times stay, so that what was counted and decided stays true."""

import re
import secrets
from urllib.parse import urlencode

from django.db import transaction
from django.utils import timezone

from whytree.voice.finding.search import INDEX, forget_former_words
from whytree.voice.meaning.forgetting import forget_places, forget_words
from whytree.voice.models import (
    Entry,
    FeedbackItem,
    FeedbackMessage,
    Highlight,
    ImportRun,
    Reading,
    Redaction,
    Remark,
    Requester,
    SavedView,
    Screenshot,
    SurveyResponse,
)
from whytree.voice.themes.forgetting import forget_in_themes
from whytree.workspace.models import Activity, Product

from .storing import ERASED, erased_id

TOMBSTONE = "(erased)"


@transaction.atomic
def erase_feedback(product: Product, person_key: str) -> int:
    """Take the words, the name and everything that came with them out of all items of this person; how many."""
    items = list(FeedbackItem.objects.filter(product=product, person_key=person_key)) if person_key else []
    marks = Highlight.objects.filter(item__in=items)
    # The activity list holds the words too, as what there was before and after.
    _forget_activity(FeedbackItem._meta.label, [item.pk for item in items])
    _forget_activity(Highlight._meta.label, list(marks.values_list("pk", flat=True)))
    remarks = Remark.objects.filter(item__in=items)
    _forget_activity(Remark._meta.label, list(remarks.values_list("pk", flat=True)))
    remarks.delete()
    marks.delete()
    Redaction.objects.filter(item__in=items).delete()
    Reading.objects.filter(item__in=items).delete()
    Screenshot.objects.filter(item__in=items).delete()
    for item in items:
        _blank(item)
    FeedbackItem.objects.bulk_update(items, _BLANKED, batch_size=100)
    if items:
        forget_places(product, [item.pk for item in items])
        forget_words(product)
        forget_in_themes(product, [item.pk for item in items], TOMBSTONE)
        forget_former_words(INDEX)
    Entry.objects.filter(item__in=items).exclude(kind="vote").update(state="refused")
    _forget_what_imports_quote(product)
    if person_key:
        _forget_requester(product, person_key)
        _forget_responses(product, person_key)
        views = SavedView.objects.filter(product=product, query__contains=urlencode({"person": person_key}))
        _forget_activity(SavedView._meta.label, list(views.values_list("pk", flat=True)))
        views.delete()
    return len(items)


_QUOTED = re.compile("“[^”]*”")


def _forget_what_imports_quote(product: Product) -> None:
    """The reasons why rows were left out quote their cells, and nobody knows whose they were."""
    runs = list(ImportRun.objects.filter(product=product, broken__gt=0))
    for run in runs:
        run.errors = [[row, _QUOTED.sub("“…”", reason)] for row, reason in run.errors]
    ImportRun.objects.bulk_update(runs, ["errors"])
    for message in FeedbackMessage.objects.filter(product=product):
        refused = message.answer.get("refused", [])
        if refused:
            message.answer["refused"] = [{**one, "reason": _QUOTED.sub("“…”", one["reason"])} for one in refused]
            message.save(update_fields=["answer"])


def _forget_requester(product: Product, person_key: str) -> None:
    """That somebody asked, got it and answered stays counted; who it was goes."""
    rows = Requester.objects.filter(product=product, person_key=person_key)
    _forget_activity(Requester._meta.label, list(rows.values_list("pk", flat=True)))
    for row in rows:
        row.person_key = f"erased:{secrets.token_hex(8)}"
        row.save(update_fields=["person_key"])


def _forget_responses(product: Product, person_key: str) -> None:
    """What was counted stays: points and choices. Who it was, where, and every word of their own goes."""
    for row in SurveyResponse.objects.filter(survey__product=product, person_key=person_key).select_related("survey"):
        words = {one.id for one in row.survey.asked if one.kind == "open"}
        row.answers = {name: value for name, value in row.answers.items() if name not in words}
        row.person_key = row.respondent = f"erased:{secrets.token_hex(8)}"
        row.hidden, row.url, row.app_version = {}, "", ""
        row.save()


_EMPTY = {
    "text": TOMBSTONE,
    "author_name": "",
    "person_key": "",
    "url": "",
    "language": "",
    "app_version": "",
    "rating": None,
    "redacted": False,
    "content_hash": ERASED,
}
_BLANKED = [*_EMPTY, "submission_id", "metadata", "flags", "handled_at"]


def _blank(item: FeedbackItem) -> None:
    for name, value in _EMPTY.items():
        setattr(item, name, value)
    item.submission_id = erased_id(item.submission_id)
    item.metadata, item.flags = {}, {}
    item.handled_at = item.handled_at or timezone.now()  # there is nothing left to read


def _forget_activity(label: str, ids: list[int]) -> None:
    mine = Activity.objects.filter(subject_type=label, subject_id__in=ids)
    mine.update(before=None, after=None, undoable=False)
    if label != FeedbackItem._meta.label:  # an item is called by its number; a mark by the words themselves
        mine.update(subject_label="of an erased person")
