"""Themes of any table: no server, no data folder. Every row of the file gets its theme, in the file's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from whytree.engines.tables import RowError, Table, UnreadableTable, guess_mapping, open_table
from whytree.engines.themes import LEAST_TEXTS, Found, TooAlike, TooFew, find_themes
from whytree.engines.themes.finding import Embed
from whytree.errors import Invalid
from whytree.voice.importing.columns import WANTED

QUOTE_LENGTH = 400
COLUMNS_SHOWN = 40


@dataclass(frozen=True)
class Texts:
    """A column of a table, row by row; None where the row holds no text or could not be read."""

    column: str
    rows: list[str | None]
    faults: dict[int, str]
    """Place in `rows` -> why it could not be read."""


@dataclass(frozen=True)
class FileThemes:
    """What was found in a file."""

    texts: Texts
    found: Found

    @property
    def empty(self) -> int:
        return sum(row is None for row in self.texts.rows) - len(self.texts.faults)

    def quotes(self, places: Sequence[int]) -> list[str]:
        """The words as they stand in the file; very long ones are cut."""
        said = [(self.texts.rows[at] or "").strip() for at in places]
        return [text if len(text) <= QUOTE_LENGTH else text[: QUOTE_LENGTH - 1].rstrip() + "…" for text in said]

    def as_json(self) -> dict[str, Any]:
        themes = [
            {
                "id": theme.id,
                "label": theme.label,
                "size": theme.size,
                "words": list(theme.terms),
                "quotes": self.quotes(theme.quotes),
            }
            for theme in self.found.themes
        ]
        rows: list[dict[str, Any]] = [{"theme": theme} for theme in self.found.of_text]
        for place, reason in self.texts.faults.items():
            rows[place]["error"] = reason
        return {"column": self.texts.column, "themes": themes, "rows": rows}


def themes_of_file(path: Path, *, column: str = "", format: str = "", embed: Embed | None = None) -> FileThemes:
    """Read a column and sort its texts into themes; a sentence for whatever stands in the way."""
    texts = read_texts(path, column=column, format=format)
    if not texts.rows:
        raise Invalid(f"{path.name} has a header and no rows. Export it again, with its rows.")
    try:
        return FileThemes(texts, find_themes(texts.rows, embed=embed))
    except TooFew as error:
        raise Invalid(_too_few(texts, error.count)) from error
    except TooAlike as error:
        said = error.text if len(error.text) <= 80 else error.text[:79] + "…"
        raise Invalid(
            f"All {error.count:,} texts in column “{texts.column}” say the same: “{said}”. There is nothing to tell apart."
        ) from error


def read_texts(path: Path, *, column: str = "", format: str = "") -> Texts:
    """Every row's text, in the file's order."""
    try:
        table = open_table(path, format=format or None, ragged=True)
        column = _chosen(table, column)
        rows: list[str | None] = []
        faults: dict[int, str] = {}
        for row in table:
            if isinstance(row, RowError):
                faults[len(rows)] = f"row {row.row_number:,}: {row.reason}"
                rows.append(None)
            else:
                rows.append(_text(row.values.get(column)))
    except UnreadableTable as error:
        raise Invalid(str(error)) from error
    return Texts(column, rows, faults)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    return text if text.strip() else None


def _chosen(table: Table, column: str) -> str:
    """The column that was named; without a name the only one, or the one that looks like what people said."""
    if not column:
        guessed = table.columns[0] if len(table.columns) == 1 else _guessed(table)
        if not guessed:
            raise Invalid(f"Which column holds the texts? Say --text COLUMN. {_columns(table)}")
        return guessed
    if column in table.columns:
        return column
    folded = {name.casefold(): name for name in reversed(table.columns)}
    near = get_close_matches(column.casefold(), folded, n=1, cutoff=0.5)
    meant = f" Did you mean “{folded[near[0]]}”?" if near else ""
    raise Invalid(f"There is no column “{column}”.{meant} {_columns(table)}")


def _guessed(table: Table) -> str:
    return guess_mapping(table.columns, table.sample, {"text": WANTED["text"]}).get("text", "")


def _columns(table: Table) -> str:
    names = [f"“{name}”" for name in table.columns[:COLUMNS_SHOWN]]
    return f"The columns are {', '.join(names)}{' …' if len(table.columns) > COLUMNS_SHOWN else ''}."


def _too_few(texts: Texts, count: int) -> str:
    there = f"{count} different texts with words in them" if count != 1 else "one text with words in it"
    unread = (
        f" {len(texts.faults):,} rows could not be read, the first: {next(iter(texts.faults.values()))}."
        if texts.faults
        else ""
    )
    return f"Column “{texts.column}” holds {there}, and themes need {LEAST_TEXTS} at least. Read them yourself, or bring more.{unread}"
