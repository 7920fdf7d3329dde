"""Take a talk in, with its transcript or before there is one; change what is known of it; take it out."""

from dataclasses import dataclass
from typing import Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from whytree.engines.voices.anchoring import Anchors, only_place
from whytree.engines.voices.transcripts import Problem, Unreadable, read_edited
from whytree.errors import Conflict, Invalid
from whytree.tree.models import EvidenceLink, SourceKind
from whytree.voice.meaning.forgetting import ask_to_place
from whytree.voice.models import NAME_LENGTH, Interview, Transcript, UsabilitySession, VoiceSettings
from whytree.voice.queries import links_of
from whytree.voice.services.storing import ERASED, erased_id
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..fields import InterviewFields, assign
from ..queries import moments, their_words
from ..reading import Told, tell, without_personal
from ..roles import guess_interviewers, is_interviewer


@dataclass(frozen=True)
class Kept:
    """What became of the highlights when the words changed: they stand, went along with corrected words, or are lost."""

    stand: int = 0
    corrected: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Imported:
    """`state`: new, changed or known (the same words came before)."""

    interview: Interview
    state: str
    problems: tuple[Problem, ...] = ()
    redacted: int = 0
    kept: Kept = Kept()


def add_interview(actor: Actor, product: Product, **fields: Unpack[InterviewFields]) -> Interview:
    """A talk without a transcript: planned, or told from notes."""
    require(actor, product, Role.MEMBER)
    if not any(fields.get(name) for name in ("person", "participant", "email", "held_at", "notes")):
        raise Invalid("There is no transcript. Bring one; or, for a talk that lies ahead, say who it is with or when.")
    with transaction.atomic():
        interview = _made(actor, product, fields, source_id="", file_name="")
        record(actor, product, "add_interview", interview)
    return interview


def preview_interview(actor: Actor, product: Product, transcript: str) -> Told:
    """How a transcript would be read, with nothing stored."""
    require(actor, product, Role.MEMBER)
    return tell(transcript, VoiceSettings.of(product).redact)


def import_interview(
    actor: Actor,
    product: Product,
    transcript: str,
    *,
    into: Interview | None = None,
    source_id: str = "",
    file_name: str = "",
    **fields: Unpack[InterviewFields],
) -> Imported:
    """A talk from its transcript. The same words again bring nothing twice; other words under the same `source_id` change it.

    `into` gives the transcript to a talk that is there already.
    """
    require(actor, product, Role.MEMBER)
    told = tell(transcript, VoiceSettings.of(product).redact)
    own_id = _own_id(source_id, told)
    with transaction.atomic():
        known = _known(product, own_id)
        if into is not None and known is not None and known.pk != into.pk:
            raise Conflict(f"These are the words of {known.ref}. One talk is kept once.")
        interview = into or known
        if interview is not None:
            interview = Interview.objects.select_for_update().select_related("product").get(pk=interview.pk)
            _refuse_erased(interview)
            return _again(actor, interview, told, own_id, fields)
        try:
            with transaction.atomic():
                interview = _made(actor, product, fields, source_id=own_id, file_name=file_name)
        except IntegrityError:  # somebody sends the same talk in this moment
            raise Conflict("This transcript is being imported right now. Look at the interviews.") from None
        _name_speakers(interview, told, fields)
        interview.save()
        _write(interview, told)
        record(actor, product, "import_interview", interview)
    return Imported(interview, "new", told.problems, told.redacted)


def _again(actor: Actor, interview: Interview, told: Told, own_id: str, fields: InterviewFields) -> Imported:
    """The talk is there: what is said of it now counts, and its words where they differ."""
    before = snapshot(interview)
    if not interview.source_id:
        interview.source_id = own_id
    old = Transcript.objects.filter(interview=interview).first()
    assign(interview, fields)
    _name_speakers(interview, told, fields)
    interview.save()
    _follow(interview, before["person_key"])
    kept = Kept()
    changed = old is None or old.content_hash != told.content_hash
    if changed:
        kept = _write(interview, told, old)
    elif snapshot(interview) == before:
        return Imported(interview, "known", told.problems, told.redacted)
    verb = "replace_transcript" if changed and old is not None else "import_interview" if changed else "set_interview"
    record(actor, interview.product, verb, interview, before=before, after=snapshot(interview), undoable=not changed)
    return Imported(interview, "changed", told.problems, told.redacted, kept)


def _own_id(source_id: str, told: Told) -> str:
    own_id = " ".join(source_id.replace("\0", "").split())
    if len(own_id) > NAME_LENGTH:
        raise Invalid(f"The id of a talk is one line of at most {NAME_LENGTH} characters.")
    return own_id or f"sha256:{told.content_hash[:40]}"


def _known(product: Product, own_id: str) -> Interview | None:
    return Interview.objects.filter(product=product, source_id__in=[own_id, erased_id(own_id)]).first()


def _refuse_erased(interview: Interview) -> None:
    if interview.erased_at is not None:
        raise Conflict(f"{interview.ref} was with somebody who had themselves forgotten. Their words do not come back.")


def _made(actor: Actor, product: Product, fields: InterviewFields, *, source_id: str, file_name: str) -> Interview:
    interview = Interview(
        product=product,
        source_id=source_id,
        file_name=" ".join(file_name.replace("\0", "").split())[:NAME_LENGTH],
        created_by_id=actor.user_id,
    )
    assign(interview, fields)
    interview.number = next_number(product, "INT")
    interview.save()
    return interview


def _name_speakers(interview: Interview, told: Told, fields: InterviewFields) -> None:
    """Nothing typed twice: members are known by name, and the only other speaker is who the talk was with."""
    if "interviewers" not in fields and not interview.interviewers:
        interview.interviewers = guess_interviewers(interview.product, told.speakers, interview.participant)
    others = [speaker for speaker in told.speakers if not is_interviewer(speaker, interview.interviewers)]
    if not interview.participant and len(others) == 1 and interview.interviewers:
        interview.participant = others[0][:NAME_LENGTH]


def _write(interview: Interview, told: Told, old: Transcript | None = None) -> Kept:
    transcript = old or Transcript(interview=interview)
    before = _as_it_was(transcript)
    transcript.speak(told.lines)
    transcript.format, transcript.language = told.format, told.language
    transcript.content_hash, transcript.redacted = told.content_hash, told.redacted
    transcript.problems = [[problem.line, problem.reason] for problem in told.problems]
    transcript.save()
    ask_to_place(interview.product)
    return _move_highlights(interview, transcript, before)


def edit_transcript(actor: Actor, interview: Interview, text: str) -> Kept:
    """Correct the words, one line a row: `[00:00:12.400 - 00:00:15.900] Wiktor: ...`. Highlights go where their words go."""
    require(actor, interview.product, Role.MEMBER)
    with transaction.atomic():
        interview = Interview.objects.select_for_update().select_related("product").get(pk=interview.pk)
        _refuse_erased(interview)
        transcript = Transcript.objects.filter(interview=interview).first()
        if transcript is None:
            raise Conflict(f"{interview.ref} has no transcript yet. Import one first.")
        before = _as_it_was(transcript)
        try:
            lines = read_edited(text.replace("\0", ""), transcript.spoken())
        except Unreadable as error:
            raise Invalid(str(error)) from error
        lines, taken = without_personal(lines, VoiceSettings.of(interview.product).redact)
        transcript.speak(lines)
        if (transcript.text, transcript.lines) == (before.text, before.lines):
            return Kept(stand=interview.highlights.count())
        transcript.redacted += taken
        transcript.edited_at = timezone.now()
        transcript.save()
        ask_to_place(interview.product)
        kept = _move_highlights(interview, transcript, before)
        lengths = {"characters": len(before.text)}, {"characters": len(transcript.text)}
        record(
            actor, interview.product, "edit_transcript", interview, before=lengths[0], after=lengths[1], undoable=False
        )
    return kept


def _as_it_was(transcript: Transcript) -> Transcript:
    return Transcript(interview=transcript.interview, text=transcript.text, lines=transcript.lines)


def _move_highlights(interview: Interview, transcript: Transcript, before: Transcript) -> Kept:
    """Look for what was marked in the words as they are now. Quotes that count as evidence are corrected with them."""
    counted = {"stand": 0, "corrected": 0, "lost": 0}
    anchors = Anchors(before.text, transcript.text)
    for mark in interview.highlights.all():
        was, said = mark.quote, their_words(interview, before, mark.start, mark.end)
        # One that was lost before is looked for by its words alone.
        stood = mark.still_stands(before.text)
        place = anchors.find(mark.start, mark.end) if stood else only_place(transcript.text, was)
        if place is None:
            counted["lost"] += 1
            continue
        mark.start, mark.end = place
        mark.quote = transcript.text[mark.start : mark.end]
        mark.start_ms, mark.end_ms = moments(transcript, mark.start, mark.end)
        mark.save(update_fields=["start", "end", "quote", "start_ms", "end_ms"])
        same = mark.quote.split() == was.split()
        counted["stand" if same else "corrected"] += 1
        if not same and interview.may_be_quoted and stood:
            _correct_evidence(interview, said, their_words(interview, transcript, mark.start, mark.end))
    return Kept(**counted)


def _correct_evidence(interview: Interview, was: str, now: str) -> None:
    """Where exactly these words stand as the quote, they are corrected too; what somebody else chose to quote stays."""
    for linked in links_of([interview]).get(interview.ref, []):
        if was and now and linked.link.quote == was:
            EvidenceLink.objects.filter(pk=linked.link.pk).update(quote=now)


def set_interview(actor: Actor, interview: Interview, **fields: Unpack[InterviewFields]) -> Interview:
    """Change what is known of the talk. Evidence follows: whose it is, when it was said, and whether it may be quoted."""
    require(actor, interview.product, Role.MEMBER)
    with transaction.atomic():
        interview = Interview.objects.select_for_update().select_related("product").get(pk=interview.pk)
        _refuse_erased(interview)
        before = snapshot(interview)
        assign(interview, fields)
        if snapshot(interview) == before:
            return interview
        interview.save()
        _follow(interview, before["person_key"])
        record(actor, interview.product, "set_interview", interview, before=before, after=snapshot(interview))
    return interview


def _follow(interview: Interview, was: str) -> None:
    links = EvidenceLink.objects.filter(
        product=interview.product, source_kind=SourceKind.INTERVIEW, source_id=interview.ref
    )
    links.update(said_at=interview.held_at)
    if interview.person_key != was:
        links.update(person_key=interview.person_key)
    if not interview.may_be_quoted:
        links.update(quote="")


def remove_interview(actor: Actor, interview: Interview) -> None:
    """Take a talk out that came in by mistake. Refused while it counts as evidence: what was decided on it must stay readable."""
    require(actor, interview.product, Role.MAINTAINER)
    with transaction.atomic():
        linked = links_of([interview]).get(interview.ref, [])
        if linked:
            refs = ", ".join(one.opportunity.ref for one in linked[:5])
            raise Conflict(f"{interview.ref} speaks for {refs}. Unlink it there first.")
        facts = {"number": interview.number, "content_hash": ERASED}
        if interview.person_key:  # what was noted while they were watched stays, and is still theirs to have forgotten
            watched = UsabilitySession.objects.filter(interview=interview, person_key="")
            watched.update(person_key=interview.person_key)
        record(actor, interview.product, "remove_interview", interview, before=facts, after=None, undoable=False)
        interview.delete()
