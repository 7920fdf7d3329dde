"""Mark what matters in a talk, sort it by tags, and hang it on the problem it shows."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import EvidenceLink, EvidenceType, Importance, Opportunity, Provenance, SourceKind
from whytree.tree.queries import evidence_from
from whytree.tree.services import link_evidence, unlink_evidence
from whytree.voice.models import Highlight, Interview, Transcript
from whytree.voice.services import Span as TextSpan
from whytree.voice.services.highlights import add_tags
from whytree.voice.services.linking import MOST_WORDS, place_of, trimmed
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..queries import moments, their_words, transcript_of


@dataclass(frozen=True)
class Span:
    """The part of a transcript somebody means: by place, or by lines (from 1), in them the words of `quote` when there are any."""

    start: int | None = None
    end: int | None = None
    first: int | None = None
    last: int | None = None
    quote: str = ""

    def within(self, transcript: Transcript) -> TextSpan:
        if self.start is not None and self.end is not None:
            return trimmed(transcript.text, self.start, self.end)
        first, last = self.first, self.last or self.first
        if first is None or last is None:
            if not self.quote.strip():
                raise Invalid("Say which words: the lines from and to, or the words themselves.")
            return place_of(transcript.text, self.quote)
        if not 1 <= first <= last <= len(transcript.lines):
            raise Invalid(f"There are {len(transcript.lines):,} lines; {first} to {last} is not among them.")
        start, end = transcript.lines[first - 1]["start"], transcript.lines[last - 1]["end"]
        if not self.quote.strip():
            return trimmed(transcript.text, start, end)
        inside = place_of(transcript.text[start:end], self.quote)
        return TextSpan(start + inside.start, start + inside.end)


def highlight_talk(actor: Actor, interview: Interview, span: Span, *, tags: Iterable[str] = ()) -> Highlight:
    """Mark a part of the transcript; marking the same part again adds its tags and changes nothing else."""
    require(actor, interview.product, Role.MEMBER)
    with transaction.atomic():
        Interview.objects.select_for_update().get(pk=interview.pk)
        transcript = _transcript(interview)
        place = span.within(transcript)
        if place.end - place.start > MOST_WORDS:
            raise Invalid(f"That is a long part. Choose the words that matter, {MOST_WORDS:,} characters at most.")
        quote = transcript.text[place.start : place.end]
        mark = interview.highlights.filter(start=place.start, end=place.end, quote=quote).first()
        if mark is None:
            start_ms, end_ms = moments(transcript, place.start, place.end)
            mark = Highlight.objects.create(
                interview=interview,
                start=place.start,
                end=place.end,
                start_ms=start_ms,
                end_ms=end_ms,
                quote=quote,
                created_by_id=actor.user_id,
            )
            record(actor, interview.product, "highlight", mark)
        add_tags(mark, tags)
    return mark


def remove_highlight(actor: Actor, mark: Highlight) -> None:
    """Take the mark off. What was linked as evidence stays linked."""
    interview = _interview(mark)
    require(actor, interview.product, Role.MEMBER)
    with transaction.atomic():
        before, pk = snapshot(mark), mark.pk
        mark.delete()
        mark.pk = pk
        record(actor, interview.product, "remove_highlight", mark, before=before, after=None)


def link_highlight(
    actor: Actor, mark: Highlight, opportunity: Opportunity, *, importance: int = Importance.NICE_TO_HAVE
) -> EvidenceLink:
    """These words speak for this opportunity, as user evidence of one person. A talk speaks once for it: the latest words count."""
    interview = _interview(mark)
    require(actor, interview.product, Role.MEMBER)
    if importance not in Importance.values:
        raise Invalid("Importance is 0 (not important), 1 (nice to have), 2 (important) or 3 (critical).")
    transcript = _transcript(interview)
    if not mark.still_stands(transcript.text):
        raise Conflict("These words are not in the transcript any more. Mark them again where they stand now.")
    words = their_words(interview, transcript, mark.start, mark.end)
    if not words:
        raise Invalid("These are the interviewer's words. Evidence is what the other person says: mark their answer.")
    with transaction.atomic():
        return link_evidence(
            actor,
            interview.product,
            opportunity,
            stance="supports",
            evidence_type=EvidenceType.USER_EVIDENCE,
            source_kind=SourceKind.INTERVIEW,
            source_id=interview.ref,
            person_key=interview.person_key,
            quote=words if interview.may_be_quoted else "",
            said_at=interview.held_at,
            importance=importance,
            provenance=Provenance.STATED,
            rule="",
        )


def unlink_talk(actor: Actor, interview: Interview, opportunity: Opportunity) -> None:
    """The talk does not speak for this opportunity after all. What was marked stays marked."""
    require(actor, interview.product, Role.MEMBER)
    link = evidence_from(SourceKind.INTERVIEW, opportunity).filter(source_id=interview.ref).first()
    if link is None:
        raise NotFound(f"{interview.ref} is not linked to {opportunity.ref}.")
    unlink_evidence(actor, link)


def _interview(mark: Highlight) -> Interview:
    if mark.interview is None:
        raise NotFound("This highlight is in no interview.")
    return mark.interview


def _transcript(interview: Interview) -> Transcript:
    transcript = transcript_of(interview)
    if transcript is None:
        raise Conflict(f"{interview.ref} has no transcript yet. Import one: its words are what can be marked.")
    return transcript
