"""Themes at the REST door."""

from datetime import datetime

from ninja import Schema

from whytree.workspace.rest import Body

from .models import Theme, ThemeRun
from .queries import Member, ThemeShown


class RenameIn(Body):
    name: str


class JoinIn(Body):
    into: str  # THM-3


class SplitIn(Body):
    items: list[str]  # FB-12, FB-13
    name: str


class AdoptIn(Body):
    """Where the opportunity stands; of an adopted theme nothing is needed: what came since is linked."""

    title: str = ""
    kind: str = "pain_point"
    parent: str = ""  # OUT-1 or OPP-2


class RunOut(Schema):
    """One look at all voices. `error` is a sentence where it found nothing."""

    state: str
    by_meaning: bool
    items: int
    themes: int
    left_over: int
    seconds: float
    error: str
    asked_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, run: ThemeRun) -> "RunOut":
        return cls(**run.as_json())


class ThemeOut(Schema):
    """`label` is the machine's, `title` what it is called. `weeks`: voices in each of the last twelve weeks."""

    ref: str
    title: str
    label: str
    words: list[str]
    state: str
    size: int
    people: int
    weeks: list[int]
    sources: dict[str, int]
    stars: float | None
    quotes: list[str]
    opportunity: str | None
    joined_to: str | None

    @classmethod
    def of(cls, shown: ThemeShown) -> "ThemeOut":
        theme: Theme = shown.theme
        return cls(
            ref=theme.ref,
            title=theme.title,
            label=theme.label,
            words=theme.terms,
            state=theme.state,
            size=shown.facts.size,
            people=shown.facts.people,
            weeks=list(shown.facts.weeks),
            sources=dict(shown.facts.sources),
            stars=None if shown.facts.stars is None else round(shown.facts.stars, 2),
            quotes=[item.text for item in shown.quotes],
            opportunity=theme.opportunity.ref if theme.opportunity else None,
            joined_to=theme.joined_to.ref if theme.joined_to else None,
        )


class ThemesOut(Schema):
    themes: list[ThemeOut]
    dismissed: list[ThemeOut]
    alone: int
    run: RunOut | None


class MemberOut(Schema):
    """`near` is 1 for the most typical; `speaks_for` is stated, inferred or null."""

    ref: str
    text: str
    author: str
    source: str
    said_at: datetime
    near: float
    speaks_for: str | None

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        item = member.item
        return cls(
            ref=item.ref,
            text=item.text,
            author=item.author,
            source=item.source,
            said_at=item.said_at,
            near=round(member.near, 3),
            speaks_for=member.provenance or None,
        )


class ThemePage(ThemeOut):
    voices: list[MemberOut]
    next: int | None


class AdoptedOut(Schema):
    opportunity: str
    linked: int
