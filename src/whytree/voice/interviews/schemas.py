"""What goes in and out at the REST door. An interview is named by its `ref`, as INT-3; a highlight by its number."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema

from whytree.tree.models import Importance
from whytree.voice.models import Consent, Highlight, Interview, InterviewSnapshot, Transcript
from whytree.voice.queries import Linked, links_of
from whytree.voice.rest.schemas import LinkOut
from whytree.workspace.rest import Body

from . import queries
from .cadence import Cadence
from .finding import Talk
from .maps import JoinedMap
from .reading import Told
from .roles import is_interviewer
from .services import Imported, Kept, Span


class AboutIn(Body):
    """What may be said of a talk beside its words; what is left out stays as it is."""

    person: str | None = None  # the id under which their events come in
    participant: str | None = None  # what they are called
    email: str | None = None
    company: str | None = None  # kept with the person
    plan: str | None = None
    held_at: datetime | int | str | None = None
    interviewers: list[str] | None = None
    segment: str | None = None
    consent: Consent | None = None
    media_url: str | None = None
    notes: str | None = None
    guide: str | None = None  # by its name

    def about(self) -> Any:
        said = self.model_dump(exclude_unset=True, include=set(AboutIn.model_fields))
        return {name: value for name, value in said.items() if value is not None}


class InterviewIn(AboutIn):
    """A talk; `transcript` is WebVTT, SRT, Whisper's JSON or plain turns, as text."""

    transcript: str | None = None
    source_id: str = ""
    file_name: str = ""


class TranscriptIn(Body):
    """A transcript as its recorder wrote it."""

    transcript: str
    file_name: str = ""


class EditIn(Body):
    """The whole transcript, one line a row, as `get_transcript` gives it."""

    text: str


class ProblemOut(Schema):
    line: int
    reason: str


class PreviewOut(Schema):
    """How a transcript would be read. `interviewers` are those speakers who are known to be of the team."""

    format: str
    language: str
    lines: int
    speakers: list[str]
    interviewers: list[str]
    redacted: int
    problems: list[ProblemOut]

    @staticmethod
    def of(told: Told, interviewers: Sequence[str]) -> "PreviewOut":
        return PreviewOut(
            format=told.format,
            language=told.language,
            lines=len(told.lines),
            speakers=list(told.speakers),
            interviewers=list(interviewers),
            redacted=told.redacted,
            problems=[ProblemOut(line=one.line, reason=one.reason) for one in told.problems],
        )


class InterviewOut(Schema):
    ref: str
    participant: str
    person: str
    held_at: datetime
    interviewers: list[str]
    segment: str
    consent: str
    media_url: str
    notes: str
    file_name: str
    guide: str
    erased: bool
    links: list[LinkOut]

    @staticmethod
    def facts(interview: Interview, links: Sequence[Linked]) -> dict[str, Any]:
        names = "ref participant held_at interviewers segment consent media_url notes file_name"
        return {name: getattr(interview, name) for name in names.split()} | {
            "person": interview.person_key,
            "guide": interview.guide.name if interview.guide else "",
            "erased": interview.erased_at is not None,
            "links": [LinkOut.of(linked) for linked in links],
        }

    @staticmethod
    def of(interview: Interview, links: Sequence[Linked] | None = None) -> "InterviewOut":
        found = links_of([interview]).get(interview.ref, []) if links is None else links
        return InterviewOut(**InterviewOut.facts(interview, found))


class KeptOut(Schema):
    """What became of the highlights: they stand, went along with corrected words, or are lost."""

    stand: int
    corrected: int
    lost: int

    @staticmethod
    def of(kept: Kept) -> "KeptOut":
        return KeptOut(stand=kept.stand, corrected=kept.corrected, lost=kept.lost)


class ImportedOut(Schema):
    """`state`: new, changed, or known: the same words came before."""

    interview: InterviewOut
    state: str
    redacted: int
    problems: list[ProblemOut]
    highlights: KeptOut

    @staticmethod
    def of(made: Imported) -> "ImportedOut":
        return ImportedOut(
            interview=InterviewOut.of(made.interview),
            state=made.state,
            redacted=made.redacted,
            problems=[ProblemOut(line=one.line, reason=one.reason) for one in made.problems],
            highlights=KeptOut.of(made.kept),
        )


class TalkHighlightOut(Schema):
    """`lost`: the transcript was edited and these words are not in it any more."""

    id: int
    start: int
    end: int
    start_ms: int | None
    end_ms: int | None
    quote: str
    tags: list[str]
    lost: bool

    @staticmethod
    def of(mark: Highlight, text: str) -> "TalkHighlightOut":
        return TalkHighlightOut(
            **mark.as_json(),
            start_ms=mark.start_ms,
            end_ms=mark.end_ms,
            lost=not mark.still_stands(text),
        )


class LineOut(Schema):
    """A line of the transcript. `ours`: said by an interviewer."""

    number: int
    speaker: str
    ours: bool
    start: int
    end: int
    start_ms: int | None
    end_ms: int | None
    text: str


class InterviewPage(InterviewOut):
    lines: list[LineOut]
    highlights: list[TalkHighlightOut]

    @staticmethod
    def whole(interview: Interview, transcript: Transcript | None) -> "InterviewPage":
        text = transcript.text if transcript else ""
        marks = interview.highlights.prefetch_related("tags")
        return InterviewPage(
            **InterviewOut.facts(interview, links_of([interview]).get(interview.ref, [])),
            lines=_lines(interview, transcript) if transcript else [],
            highlights=[TalkHighlightOut.of(mark, text) for mark in marks],
        )


def _lines(interview: Interview, transcript: Transcript) -> list[LineOut]:
    return [
        LineOut(
            number=number,
            ours=is_interviewer(line["speaker"], interview.interviewers),
            text=transcript.text[line["start"] : line["end"]],
            **{name: line[name] for name in ("speaker", "start", "end", "start_ms", "end_ms")},
        )
        for number, line in enumerate(transcript.lines, start=1)
    ]


class TranscriptOut(Schema):
    """`text`: one line a row, to be edited and put back."""

    text: str
    format: str
    language: str


class HighlightIn(Body):
    """Which words: characters from `start` to `end`, or lines `first` to `last` (from 1), in them `quote`; or `quote` alone.

    With `opportunity` they are linked to it at once.
    """

    start: int | None = None
    end: int | None = None
    first: int | None = None
    last: int | None = None
    quote: str = ""
    tags: list[str] = []
    opportunity: str = ""
    importance: int = int(Importance.NICE_TO_HAVE)

    def span(self) -> Span:
        return Span(self.start, self.end, self.first, self.last, self.quote)


class LinkIn(Body):
    opportunity: str
    importance: int = int(Importance.NICE_TO_HAVE)


class WeekOut(Schema):
    """`monday` is its first day; `talks` were held in it, by whomever of the team."""

    monday: date
    talks: int


class CadenceOut(Schema):
    """The last twelve weeks, the running one last."""

    sentence: str
    touched: int
    in_a_row: int
    last_at: datetime | None
    weeks: list[WeekOut]

    @staticmethod
    def of(kept: Cadence) -> "CadenceOut":
        names = ("sentence", "touched", "in_a_row", "last_at")
        weeks = [WeekOut(monday=week.monday, talks=week.talks) for week in kept.weeks]
        return CadenceOut(weeks=weeks, **{name: getattr(kept, name) for name in names})


class StepIn(Body):
    """`feeling`: low or high, where that was plain."""

    step: str
    highlight: int | None = None
    feeling: Literal["", "low", "high"] = ""


class SnapshotIn(Body):
    """Torres' seven parts; what is left out stays as it is. Facts, opportunities and insights one a line."""

    name: str | None = None
    photo: str | None = None  # a data URL of a small JPEG or PNG; empty takes it off
    quick_facts: str | None = None
    memorable_quote: str | None = None  # has to stand in the transcript
    experience_map: list[StepIn] | None = None
    opportunities: str | None = None
    insights: str | None = None

    def parts(self) -> Any:
        return {name: value for name, value in self.model_dump(exclude_unset=True).items() if value is not None}


class HeardOut(Schema):
    """An opportunity heard in the talk; `opportunity` names it where it is in the tree."""

    opportunity: str
    text: str
    quote: str


class SnapshotOut(Schema):
    interview: str
    name: str
    photo: str
    quick_facts: list[str]
    memorable_quote: str
    experience_map: list[StepIn]
    opportunities: list[HeardOut]
    insights: list[str]

    @staticmethod
    def of(interview: Interview, snapshot: InterviewSnapshot | None) -> "SnapshotOut":
        one = snapshot or InterviewSnapshot(interview=interview)
        return SnapshotOut(
            interview=interview.ref,
            name=one.name or interview.who,
            photo=one.photo,
            quick_facts=one.facts,
            memorable_quote=one.memorable_quote,
            experience_map=[StepIn(**step) for step in one.experience_map],
            opportunities=[
                HeardOut(
                    opportunity=heard.opportunity.ref if heard.opportunity else "", text=heard.text, quote=heard.quote
                )
                for heard in queries.heard_in(interview, snapshot)
            ],
            insights=one.learnt,
        )


class SaidOut(Schema):
    """Where something was said in a talk: `line` counts from 1. `by_meaning`: not in these words, as a machine finds."""

    ref: str
    held_at: datetime
    participant: str
    line: int
    speaker: str
    excerpt: str
    by_meaning: bool
    url: str

    @staticmethod
    def of(talk: Talk) -> "SaidOut":
        one = talk.interview
        return SaidOut(
            ref=one.ref,
            held_at=one.held_at,
            participant=one.participant,
            line=talk.line,
            speaker=talk.speaker,
            excerpt="".join(piece.text for piece in talk.shown),
            by_meaning=talk.by_meaning,
            url=talk.url,
        )


class SaidInOut(Schema):
    """Words of a talk, by the number of their highlight."""

    interview: str
    highlight: int
    quote: str


class StageOut(Schema):
    """A step that was told in `talks`; `low` and `high` are how many felt so there, where that was noted."""

    step: str
    talks: list[str]
    low: int
    high: int
    quotes: list[SaidInOut]
    opportunities: dict[str, int]


class JoinedMapOut(Schema):
    """The steps in their order. `left_out` were told by the fewest."""

    talks: int
    steps: list[StageOut]
    left_out: int

    @staticmethod
    def of(joined: JoinedMap) -> "JoinedMapOut":
        steps = [
            StageOut(
                step=stage.words,
                talks=[talk.ref for talk in stage.talks],
                low=stage.low,
                high=stage.high,
                quotes=[
                    SaidInOut(interview=talk.ref, highlight=mark.pk, quote=mark.quote) for talk, mark in stage.quotes
                ],
                opportunities={one.ref: n for one, n in stage.opportunities.most_common()},
            )
            for stage in joined.stages
        ]
        return JoinedMapOut(talks=joined.talks, steps=steps, left_out=joined.left_out)
