"""What may be asked of interviews: the list, one of them with its lines, and what it speaks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import Count, QuerySet

from whytree.engines.voices.questions import Finding, lint_lines
from whytree.engines.voices.transcripts import as_text
from whytree.errors import NotFound
from whytree.tree.models import Opportunity
from whytree.voice.models import Guide, Highlight, Interview, InterviewSnapshot, Transcript
from whytree.voice.queries import links_of
from whytree.workspace.models import Product

from .roles import is_interviewer

_REF = re.compile(r"INT-([1-9][0-9]{0,8})", re.IGNORECASE)


def interviews(product: Product) -> QuerySet[Interview]:
    """The talks, the latest first, without their words."""
    found = Interview.objects.filter(product=product).select_related("product", "guide")
    return found.order_by("-held_at", "-number")  # said again: a count beside it makes Django forget the model's own


def counted(found: QuerySet[Interview]) -> QuerySet[Interview]:
    """With how many highlights each has."""
    return found.annotate(marked=Count("highlights"))


def find_interview(product: Product, number: int) -> Interview:
    found = interviews(product).filter(number=number).first()
    if found is None:
        raise NotFound(
            f"There is no interview INT-{number} in {product.name}. `whytree interview list` shows those there are."
        )
    return found


def find_by_ref(product: Product, ref: str) -> Interview:
    found = _REF.fullmatch(ref.strip())
    if found is None:
        raise NotFound(f"“{ref[:40]}” is no interview. Name it as INT-3.")
    return find_interview(product, int(found[1]))


def find_highlight(interview: Interview, pk: int) -> Highlight:
    found = interview.highlights.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no such highlight in {interview.ref}. It may have been removed.")
    return found


def transcript_of(interview: Interview) -> Transcript | None:
    return Transcript.objects.filter(interview=interview).first()


def interviews_of_person(product: Product, person_keys: Sequence[str], limit: int = 20) -> list[Interview]:
    """Talks with a person, the latest first; `person_keys` are all ids they go by."""
    return list(interviews(product).filter(person_key__in=[key for key in person_keys if key])[:limit])


@dataclass(frozen=True)
class Piece:
    """Some words of a line; `marks` are the highlights they are part of."""

    text: str
    marks: tuple[int, ...] = ()


@dataclass(frozen=True)
class SpokenLine:
    """A line as the page shows it. `number` counts from 1; `says_who` where the speaker differs from the line above."""

    number: int
    speaker: str
    start: int
    start_ms: int | None
    pieces: tuple[Piece, ...]
    is_ours: bool
    says_who: bool
    begins: tuple[int, ...]  # highlights whose first word is here


def lines_of(interview: Interview, transcript: Transcript, marks: Sequence[Highlight]) -> list[SpokenLine]:
    """The transcript, line by line, cut where a highlight begins or ends."""
    standing = [mark for mark in marks if mark.still_stands(transcript.text)]
    ours = {name: is_interviewer(name, interview.interviewers) for name in transcript.speakers}
    found: list[SpokenLine] = []
    before = ""
    for number, line in enumerate(transcript.lines, start=1):
        here = [mark for mark in standing if mark.start < line["end"] and mark.end > line["start"]]
        speaker = line["speaker"]
        found.append(
            SpokenLine(
                number,
                speaker,
                line["start"],
                line["start_ms"],
                _pieces(transcript.text, line["start"], line["end"], here),
                ours.get(speaker, False),
                bool(speaker) and speaker != before,
                tuple(mark.pk for mark in here if mark.start >= line["start"]),
            )
        )
        before = speaker
    return found


def _pieces(text: str, start: int, end: int, marks: Sequence[Highlight]) -> tuple[Piece, ...]:
    cuts = sorted({start, end, *(min(max(place, start), end) for mark in marks for place in (mark.start, mark.end))})
    return tuple(
        Piece(text[a:b], tuple(mark.pk for mark in marks if mark.start <= a and mark.end >= b))
        for a, b in pairwise(cuts)
    )


def moments(transcript: Transcript, start: int, end: int) -> tuple[int | None, int | None]:
    """When the words `text[start:end]` were said, as near as the cues tell: from, to, in milliseconds."""
    began = ended = None
    for line in transcript.lines:
        if line["start"] < end and line["end"] > start:
            if began is None and line["start_ms"] is not None:
                before = [ms for offset, ms in line["cues"] if line["start"] + offset <= start]
                began = before[-1] if before else line["start_ms"]
            after = [ms for offset, ms in line["cues"] if line["start"] + offset >= end]
            ended = after[0] if after else line["end_ms"] if line["end_ms"] is not None else ended
    return began, ended if began is None or ended is None or ended >= began else None


def their_words(interview: Interview, transcript: Transcript, start: int, end: int) -> str:
    """What the participant says between these places; " … " stands where one of us speaks in between."""
    said: list[str] = []
    cut = False
    for line in transcript.lines:
        a, b = max(start, line["start"]), min(end, line["end"])
        if a >= b:
            continue
        words = transcript.text[a:b].strip()
        if is_interviewer(line["speaker"], interview.interviewers):
            cut = bool(said)
            continue
        if words:
            said.append(f"… {words}" if cut else words)
            cut = False
    return " ".join(said)


def text_of(interview: Interview) -> str:
    return Transcript.objects.filter(interview=interview).values_list("text", flat=True).first() or ""


def editable(interview: Interview) -> dict[str, str]:
    """The transcript as rows that somebody can edit, with its format and language."""
    transcript = transcript_of(interview)
    if transcript is None:
        raise NotFound(f"{interview.ref} has no transcript yet. Import one first.")
    return {"text": as_text(transcript.spoken()), "format": transcript.format, "language": transcript.language}


def snapshot_of(interview: Interview) -> InterviewSnapshot | None:
    return InterviewSnapshot.objects.filter(interview=interview).first()


@dataclass(frozen=True)
class Heard:
    """An opportunity as a snapshot names it: one in the tree, or only in words."""

    text: str
    opportunity: Opportunity | None = None
    quote: str = ""


_OPPORTUNITY = re.compile(r"(OPP-([1-9][0-9]{0,8}))\b[\s:–-]*(.*)", re.IGNORECASE)


def heard_in(interview: Interview, snapshot: InterviewSnapshot | None) -> list[Heard]:
    """The opportunities of a snapshot: those the talk is linked to, then those that were only written down."""
    linked = [
        Heard(one.opportunity.title, one.opportunity, one.link.quote)
        for one in links_of([interview]).get(interview.ref, [])
    ]
    known = {one.opportunity.number for one in linked if one.opportunity}
    named = [(line, _OPPORTUNITY.match(line)) for line in (snapshot.opportunities if snapshot else "").splitlines()]
    numbers = [int(found[2]) for _, found in named if found]
    there = {one.number: one for one in Opportunity.objects.filter(product=interview.product, number__in=numbers)}
    for line, found in named:
        one = there.get(int(found[2])) if found else None
        if one is None:
            linked.append(Heard(line))
        elif one.number not in known:
            known.add(one.number)
            linked.append(Heard(one.title, one, found[3] if found else ""))
    return linked


@dataclass(frozen=True)
class MapStep:
    """A step of the experience map with the words in which it was told."""

    step: str
    mark: Highlight | None
    stands: bool


def map_of(interview: Interview, snapshot: InterviewSnapshot | None) -> list[MapStep]:
    marks = {mark.pk: mark for mark in interview.highlights.all()}
    text = text_of(interview) if marks else ""
    steps = []
    for one in snapshot.experience_map if snapshot else ():
        mark = marks.get(one["highlight"])
        steps.append(MapStep(one["step"], mark, mark is not None and mark.still_stands(text)))
    return steps


def find_guide(product: Product, name: str) -> Guide:
    found = Guide.objects.filter(product=product, name__iexact=" ".join(name.split())).first()
    if found is None:
        raise NotFound(f"There is no guide “{name[:60]}”. `whytree interview guide` lists those there are.")
    return found


def asked_in(interview: Interview, transcript: Transcript | None) -> tuple[int, tuple[Finding, ...]]:
    """How many questions our side asked in a talk, and which of them brought opinions in place of stories."""
    if transcript is None:
        return 0, ()
    ours = [
        (number, transcript.text[line["start"] : line["end"]])
        for number, line in enumerate(transcript.lines, start=1)
        if is_interviewer(line["speaker"], interview.interviewers)
    ]
    return sum(text.count("?") for _, text in ours), lint_lines(ours)
