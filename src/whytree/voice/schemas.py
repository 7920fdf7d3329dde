"""What goes in and out at the REST door. Field names are the models' own; an item is named by its `ref`, as FB-12."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Discriminator, Tag

from whytree.engines.text import Query, find_spans
from whytree.voice.drafts import Source
from whytree.voice.importing.files import Asked
from whytree.voice.models import Consent, FeedbackItem, ImportRun, SavedView
from whytree.voice.queries import Linked, links_of, tags_of

Importance = Literal[0, 1, 2, 3]


class Said(Schema):
    """What a caller sends; a misspelt field is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class SourceIn(Said):
    """Where it came in. Together with `submission_id` this says which thing was said."""

    source_type: str = "api"
    source_id: str = ""
    source_name: str = ""
    field_id: str = ""

    def source(self) -> Source:
        return Source(self.source_type, self.source_id, self.source_name, self.field_id)


class FeedbackIn(SourceIn):
    """One thing one person said. Only `text` has to be there; the same `submission_id` again changes the same item."""

    text: str
    title: str | None = None
    said_at: datetime | int | str | None = None
    author_name: str | None = None
    author_email: str | None = None
    person: str | None = None  # the id under which their events come in
    rating: float | str | None = None
    language: str | None = None
    app_version: str | None = None
    flags: dict[str, str] | None = None
    url: str | None = None
    consent: Consent | None = None
    metadata: dict[str, Any] | None = None
    submission_id: str | None = None
    company: str | None = None  # kept with the person
    plan: str | None = None
    from_team: bool = False  # said by one of us: weaker evidence than a user's word
    heard: bool = False  # true: somebody told the caller, who passes it on as its reporter

    def fields(self) -> dict[str, Any]:
        """What is said of the item itself, without where and through whom it came in."""
        return self.model_dump(exclude_unset=True, exclude={*SourceIn.model_fields, "heard"})


# One item, or a list of them. Those in a list are checked one by one, so that one bad apple does not spoil the others.
FeedbackBody = Annotated[
    Annotated[FeedbackIn, Tag("one")] | Annotated[list[dict[str, Any]], Tag("many")],
    Discriminator(lambda body: "many" if isinstance(body, list) else "one"),
]


class RefusedOut(Schema):
    index: int
    reason: str


class AddedOut(Schema):
    """Refs of what is new, of what was changed, how many were known already, and what was refused."""

    created: list[str]
    updated: list[str]
    unchanged: int
    refused: list[RefusedOut]


class HighlightOut(Schema):
    id: int
    start: int
    end: int
    quote: str


class LinkOut(Schema):
    """Where an item stands in the tree."""

    opportunity: str
    title: str
    importance: int
    quote: str
    evidence_id: int

    @staticmethod
    def of(linked: Linked) -> "LinkOut":
        return LinkOut(
            opportunity=linked.opportunity.ref,
            title=linked.opportunity.title,
            importance=linked.link.importance,
            quote=linked.link.quote,
            evidence_id=linked.link.pk,
        )


class FeedbackOut(Schema):
    ref: str
    text: str
    said_at: datetime
    said_at_known: bool
    author_name: str
    person: str
    rating: float | None
    language: str
    app_version: str
    flags: dict[str, str]
    url: str
    consent: str
    metadata: dict[str, Any]
    source_type: str
    source_id: str
    source_name: str
    field_id: str
    submission_id: str
    from_team: bool
    redacted: bool
    reporter: str | None
    waiting: bool
    snoozed_until: datetime | None
    status: str | None
    assignee: str | None
    tags: list[str]
    links: list[LinkOut]
    matches: list[tuple[int, int]]  # where the words of the search stand in `text`

    @staticmethod
    def of(
        item: FeedbackItem, links: Sequence[Linked], query: Query | None = None, tags: Sequence[str] = ()
    ) -> "FeedbackOut":
        own = (
            "ref text said_at said_at_known author_name rating language app_version flags url consent metadata "
            "source_type source_id source_name field_id submission_id from_team redacted"
        )
        return FeedbackOut(
            **{name: getattr(item, name) for name in own.split()},
            person=item.person_key,
            reporter=str(item.reporter) if item.reporter else None,
            waiting=item.is_waiting,
            snoozed_until=item.snoozed_until,
            status=item.status.name if item.status else None,
            assignee=item.assignee.email if item.assignee else None,
            tags=list(tags),
            links=[LinkOut.of(linked) for linked in links],
            matches=find_spans(item.text, query) if query else [],
        )

    @staticmethod
    def of_many(items: Sequence[FeedbackItem], query: Query | None = None) -> "list[FeedbackOut]":
        links, tags = links_of(items), tags_of(items)
        return [FeedbackOut.of(item, links.get(item.ref, []), query, tags.get(item.pk, ())) for item in items]


class FeedbackPage(Schema):
    """`next` is the `after` of the next page, null on the last one."""

    items: list[FeedbackOut]
    next: str | None


class ItemOut(FeedbackOut):
    highlights: list[HighlightOut]


class SpanIn(Said):
    """A part of the text: by place (`start`, `end` in characters), by its words (`quote`), or, left out, the whole."""

    start: int | None = None
    end: int | None = None
    quote: str = ""


class LinkIn(SpanIn):
    opportunity: str
    importance: Importance = 1


class NarrowIn(Schema):
    """Further filters: `plan` and `company` are of the person who spoke, `variant` a flag's as `flag:variant`, `since` and
    `until` days, `assignee` a member's address or `none`."""

    tag: str = ""
    status: str = ""
    assignee: str = ""
    plan: str = ""
    company: str = ""
    version: str = ""
    variant: str = ""
    since: str = ""
    until: str = ""


class TriageIn(Said):
    """One thing to do to these items: see `act`'s values in the guide on voices."""

    refs: list[str]
    act: Literal["put_away", "bring_back", "tag", "untag", "assign", "snooze", "set_status", "link"]
    value: str = ""
    importance: Importance = 1


class TriageOut(Schema):
    """`changed`: how many were not so already. `activities` are what `undo_triage` takes back."""

    changed: int
    said: str
    activities: list[int]


class UndoTriageIn(Said):
    activities: list[int]


class StatusIn(Said):
    name: str
    waits: bool = True


class StatusOut(Schema):
    """`waits`: a voice that stands so still waits for a reader."""

    name: str
    waits: bool


class ViewIn(Said):
    """`query` is that of the inbox's address, as `state=all&tag=signup`."""

    name: str
    query: str
    shared: bool = False


class ViewOut(Schema):
    id: int
    name: str
    query: str
    shared: bool

    @staticmethod
    def of(view: SavedView) -> "ViewOut":
        return ViewOut(id=view.pk, name=view.name, query=view.query, shared=view.owner_id is None)


class ConsentIn(Said):
    consent: Consent


class ImportIn(Said):
    """What identifies an import. The same one started again goes on where the interrupted one stopped."""

    fingerprint: str
    source_name: str
    file_name: str = ""
    source_type: str = "file"
    source_id: str = ""
    mapping: dict[str, str] = {}
    day_first: bool | None = None
    format_name: str = ""  # whose export it is, when it was recognised
    dry_run: bool = False


class UploadIn(Said):
    """How an uploaded file is to be read; what is left out is recognised or guessed."""

    source: str = ""
    type: str = ""
    consent: Literal["", "none", "internal", "quotable"] = ""
    format: str = ""
    day_first: bool | None = None
    channels: list[str] = []
    team: list[str] = []
    with_team: bool = False
    dry_run: bool = False

    def asked(self, team: tuple[str, ...], name: str) -> Asked:
        return Asked(
            source=self.source,
            kind=self.type,
            consent=self.consent,
            name=name,
            day_first=self.day_first,
            format=self.format,
            channels=tuple(self.channels),
            team=team,
            keep_team=self.with_team,
        )


class RowErrorIn(Said):
    row: int
    reason: str


class RowsIn(Said):
    """The next rows up to `upto`, the number of the last row of this batch. A row is `[number, {field: value}]`; one that
    holds several voices comes several times, always within one batch."""

    rows: list[tuple[int, dict[str, Any]]]
    errors: list[RowErrorIn] = []
    upto: int
    left_out: dict[str, int] = {}  # what the reader passed over: team, machine, silent


class ImportOut(Schema):
    """`open`: personal data that was taken out (`redacted` pieces) can still be put back."""

    id: int
    file_name: str
    format_name: str
    source_type: str
    source_id: str
    source_name: str
    mapping: dict[str, str]
    state: str
    row_offset: int
    rows: int
    created: int
    updated: int
    skipped: int
    empty: int
    broken: int
    redacted: int
    left_out: dict[str, int]
    open: bool
    errors: list[RowErrorIn]
    started_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None

    @staticmethod
    def of(run: ImportRun) -> "ImportOut":
        own = (
            "file_name format_name source_type source_id source_name mapping state row_offset rows created updated skipped "
            "empty broken redacted left_out started_at finished_at undone_at"
        )
        return ImportOut(
            id=run.pk,
            open=run.is_open,
            errors=[RowErrorIn(row=row, reason=reason) for row, reason in run.errors],
            **{name: getattr(run, name) for name in own.split()},
        )


class UndoneOut(Schema):
    """What became of the items of an import that was taken back."""

    removed: int
    kept: int


class VoiceSettingsIn(Said):
    """What is left out stays as it is."""

    redact: list[str] | None = None
    team: list[str] | None = None


class VoiceSettingsOut(Schema):
    """`redact`: kinds of personal data taken out at the door. `team`: domains, addresses and names whose words are ours."""

    redact: list[str]
    team: list[str]


class KindsIn(Said):
    kinds: list[str] | None = None  # all of them when left out


class PutBackOut(Schema):
    pieces: int
