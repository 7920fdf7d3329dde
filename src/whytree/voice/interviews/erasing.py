"""Forget what a person said in talks, and give it to them. That there was a talk, when and by whom of ours, stays."""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from whytree.engines.voices.transcripts import as_text
from whytree.voice.finding.search import TALKS_INDEX, forget_former_words
from whytree.voice.models import (
    Highlight,
    Interview,
    InterviewSnapshot,
    MeaningTalk,
    ProblemSighting,
    Transcript,
    UsabilitySession,
)
from whytree.voice.services.storing import ERASED, erased_id
from whytree.workspace.models import Activity, Product


def erase_interviews(product: Product, person_key: str) -> int:
    """Take every word of the talks with this person out, the questions too: they say whom we spoke with; and what was noted
    when they were watched. How many talks."""
    if person_key:
        ProblemSighting.objects.filter(_of(product, person_key)).update(note="")
        UsabilitySession.objects.filter(round__product=product, person_key=person_key).update(person_key="")
    found = list(Interview.objects.filter(product=product, person_key=person_key)) if person_key else []
    for interview in found:
        _forget_activity(interview)
        interview.highlights.all().delete()
        InterviewSnapshot.objects.filter(interview=interview).delete()
        transcript = Transcript.objects.filter(interview=interview).first()
        if transcript is not None:
            _blank(transcript)
        interview.person_key = interview.participant = interview.segment = interview.notes = ""
        interview.media_url = interview.file_name = ""
        interview.source_id = erased_id(interview.source_id) if interview.source_id else ""
        interview.erased_at = timezone.now()
        interview.save()
    if found:
        forget_former_words(TALKS_INDEX)
    return len(found)


def _of(product: Product, person_key: str) -> Q:
    """Sightings of somebody who was watched, whether a talk was recorded or not."""
    theirs = Q(session__person_key=person_key) | Q(session__interview__person_key=person_key)
    return Q(session__round__product=product) & theirs


def _blank(transcript: Transcript) -> None:
    """How long it was and how many turns it had stays; who said what goes."""
    nothing = {"speaker": "", "start": 0, "end": 0, "cues": []}
    transcript.lines = [line | nothing for line in transcript.lines]
    transcript.text, transcript.problems = "", []
    transcript.content_hash, transcript.language = ERASED, ""
    transcript.save()
    MeaningTalk.objects.filter(transcript=transcript).delete()


def _forget_activity(interview: Interview) -> None:
    marks = list(interview.highlights.values_list("pk", flat=True))
    told = Activity.objects.filter(product=interview.product)
    told.filter(subject_type=Interview._meta.label, subject_id=interview.pk).update(
        before=None, after=None, undoable=False
    )
    # A mark that was taken off stands in the list only, with the talk it was in.
    for column in ("before", "after"):
        of_talk = {f"{column}__interview_id": interview.pk}
        marks += told.filter(subject_type=Highlight._meta.label, **of_talk).values_list("subject_id", flat=True)
    told.filter(subject_type=Highlight._meta.label, subject_id__in=marks).update(
        before=None, after=None, undoable=False, subject_label="of an erased person"
    )


def export_interviews(product: Product, person_key: str) -> list[dict[str, Any]]:
    """Every talk with this person, as they would want to read it."""
    found = Interview.objects.filter(product=product, person_key=person_key) if person_key else []
    transcripts = {one.interview_id: one for one in Transcript.objects.filter(interview__in=list(found))}
    snapshots = {one.interview_id: one for one in InterviewSnapshot.objects.filter(interview__in=list(found))}
    return [
        {
            "ref": one.ref,
            "held_at": one.held_at.isoformat(),
            "participant": one.participant,
            "segment": one.segment,
            "consent": one.consent,
            "media_url": one.media_url,
            "notes": one.notes,
            "transcript": as_text(transcripts[one.pk].spoken()) if one.pk in transcripts else "",
            "highlights": list(one.highlights.values_list("quote", flat=True)),
            "snapshot": _snapshot(snapshots.get(one.pk)),
        }
        for one in found
    ]


def export_watched(product: Product, person_key: str) -> list[dict[str, Any]]:
    """What they stumbled over while they were watched, and what observers noted of it."""
    seen = ProblemSighting.objects.filter(_of(product, person_key)) if person_key else ProblemSighting.objects.none()
    return [
        {"round": one.problem.round.ref, "problem": one.problem.title, "note": one.note}
        for one in seen.select_related("problem__round").order_by("pk")
    ]


def _snapshot(one: InterviewSnapshot | None) -> dict[str, Any]:
    names = ("name", "photo", "quick_facts", "memorable_quote", "experience_map", "opportunities", "insights")
    return {name: getattr(one, name) for name in names} if one is not None else {}
