"""What goes in and out at the REST doors of imports and of what is done at the door."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema

from whytree.voice.importing.files import Asked, Kept
from whytree.voice.models import ImportRun
from whytree.workspace.rest import Body


class ImportIn(Body):
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


class UploadIn(Body):
    """How an uploaded file is to be read; what is left out is recognised or guessed."""

    source: str = ""
    type: str = ""
    consent: Literal["", "none", "internal", "quotable"] = ""
    format: str = ""
    day_first: bool | None = None
    channels: list[str] = []
    team: list[str] = []
    with_team: bool = False
    mapping: str = ""  # a kept one; found by itself for a table with exactly its columns
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
            mapping=self.mapping,
        )


class RowErrorIn(Body):
    row: int
    reason: str


class RowsIn(Body):
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
    """What became of the items of an import that is taken back; `left` are still to go."""

    removed: int
    kept: int
    left: int


class MappingIn(Body):
    """`columns` is our field to the file's column; `header` all columns of the table."""

    columns: dict[str, str]
    header: list[str]


class MappingOut(Schema):
    name: str
    columns: dict[str, str]
    header: list[str]

    @staticmethod
    def of(kept: Kept) -> "MappingOut":
        return MappingOut(name=kept.name, columns=kept.columns, header=sorted(kept.header))


class VoiceSettingsIn(Body):
    """What is left out stays as it is."""

    redact: list[str] | None = None
    team: list[str] | None = None
    revenue_trait: str | None = None
    from_pages: bool | None = None
    page_origins: list[str] | None = None


class VoiceSettingsOut(Schema):
    """`redact`: kinds of personal data taken out at the door. `team`: domains, addresses and names whose words are ours.

    `revenue_trait`: which trait of people says what they, or their company, pay.
    `from_pages`: visitors may hand in feedback by whytree.js, on pages of `page_origins` only where that is set.
    """

    redact: list[str]
    team: list[str]
    revenue_trait: str
    from_pages: bool
    page_origins: list[str]


class KindsIn(Body):
    kinds: list[str] | None = None  # all of them when left out


class PutBackOut(Schema):
    pieces: int
