"""What goes in and out at the REST door. Field names are the models' own; an item is named by its `ref`, as FB-12."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Discriminator, Tag

from whytree.engines.texts.words import Query, find_spans
from whytree.voice.arriving.drafts import Source
from whytree.voice.models import Consent, FeedbackItem, Reading, Remark
from whytree.voice.queries import Linked, State, Wanted, links_of, tags_of
from whytree.workspace.rest import Body

Importance = Literal[0, 1, 2, 3]


class SourceIn(Body):
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
    tags: list[str]


class TagsIn(Body):
    tags: list[str]


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


class ToldOut(Schema):
    """What a machine makes of the text; "" is no answer. Beside `language`, which came with it, and `rating`."""

    language: str
    sentiment: str

    @staticmethod
    def of(reading: Reading | None) -> "ToldOut | None":
        return ToldOut(language=reading.language, sentiment=reading.sentiment) if reading else None


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
    merged_into: str | None
    told: ToldOut | None  # by a machine; null: not asked yet
    links: list[LinkOut]
    matches: list[tuple[int, int]]  # where the words of the search stand in `text`
    by_meaning: bool  # it lacks the words, and means something like them: a machine's guess

    @staticmethod
    def of(
        item: FeedbackItem,
        links: Sequence[Linked],
        query: Query | None = None,
        tags: Sequence[str] = (),
        *,
        by_meaning: bool = False,
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
            merged_into=item.merged_into.ref if item.merged_into else None,
            told=ToldOut.of(getattr(item, "reading", None)),
            links=[LinkOut.of(linked) for linked in links],
            matches=find_spans(item.text, query) if query else [],
            by_meaning=by_meaning,
        )

    @staticmethod
    def of_many(
        items: Sequence[FeedbackItem], query: Query | None = None, by_meaning: Collection[int] = ()
    ) -> "list[FeedbackOut]":
        links, tags = links_of(items), tags_of(items)
        return [
            FeedbackOut.of(
                item, links.get(item.ref, []), query, tags.get(item.pk, ()), by_meaning=item.pk in by_meaning
            )
            for item in items
        ]


class FeedbackPage(Schema):
    """`next` is the `after` of the next page, null on the last one."""

    items: list[FeedbackOut]
    next: str | None


class RemarkOut(Schema):
    """`kind`: note, for the team alone, or answer. `mailed`: to how many people it went by mail."""

    id: int
    kind: str
    text: str
    by: str
    mailed: int
    created_at: datetime

    @staticmethod
    def of(remark: Remark) -> "RemarkOut":
        own = {name: getattr(remark, name) for name in ("kind", "text", "mailed", "created_at")}
        return RemarkOut(id=remark.pk, by=str(remark.by or ""), **own)


class RemarkIn(Body):
    """`by_mail`: an answer goes to proved addresses; with `unproved` also to those that only a page or a mail said."""

    text: str
    kind: Literal["note", "answer"] = "note"
    by_mail: bool = False
    unproved: bool = False


class ItemOut(FeedbackOut):
    """`merged` are the voices that were merged into it; `screenshot`: whether a picture came with it."""

    screenshot: bool
    highlights: list[HighlightOut]
    merged: list[str]
    remarks: list[RemarkOut]


class SpanIn(Body):
    """A part of the text: by place (`start`, `end` in characters), by its words (`quote`), or, left out, the whole."""

    start: int | None = None
    end: int | None = None
    quote: str = ""


class LinkIn(SpanIn):
    opportunity: str
    importance: Importance = 1


class NarrowIn(Schema):
    """Further filters: `plan`, `company` and `segment` (a cohort's key) are of the person who spoke, `variant` a flag's as
    `flag:variant`, `language` (as `de`) and `sentiment` (positive, neutral, negative) are told by a machine, `since` and
    `until` are days, `assignee` a member's address or `none`."""

    tag: str = ""
    status: str = ""
    assignee: str = ""
    plan: str = ""
    company: str = ""
    version: str = ""
    variant: str = ""
    segment: str = ""
    language: str = ""
    sentiment: str = ""
    since: str = ""
    until: str = ""


class WantedIn(NarrowIn):
    """Which voices: `q` are words, `opportunity` any node's ref, `person` an id; `only_words` leaves out what is found by meaning."""

    q: str = ""
    only_words: bool = False
    source: str = ""
    rating: int | None = None
    person: str = ""
    opportunity: str = ""
    state: State = "all"

    def wanted(self) -> Wanted:
        return Wanted(words=self.q, **self.model_dump(exclude={"q"}))


class LookedOut(Schema):
    """What became of the mails that nobody had read. `left_out` were automatic, or of the team."""

    taken: int
    known: int
    left_out: int
    empty: int
    unreadable: int


class ConsentIn(Body):
    consent: Consent
