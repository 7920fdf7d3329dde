"""What single cells hold, read the same way for every tracker. What cannot be read is empty, never a guess."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from whytree.engines.tables import parse_time

from .rows import CommentRow, Values

# What is kept of a text. A title longer than this is no title; a body or a comment beyond is a log somebody pasted.
TITLE_LIMIT = 500
BODY_LIMIT = 20_000
COMMENT_LIMIT = 4_000
MOST_COMMENTS = 200
MOST_LABELS = 50

_CLOSED = re.compile(r"\b(?:clos|done|complet|resolv|cancel|merged|won.?t|duplicat|releas|archiv)", re.IGNORECASE)


def state_of(word: str) -> str:
    """Every tracker has its own words; we only need to know whether somebody still waits."""
    if not word.strip():
        return ""
    return "closed" if _CLOSED.search(word) else "open"


def ticket_number(value: Any) -> str:
    """A key as somebody's table holds it: spreadsheets turn 12 into 12.0."""
    written = text(value).strip()
    return written[:-2] if re.fullmatch(r"\d+\.0", written) else written


def number(value: Any) -> str:
    digits = ticket_number(value).removeprefix("#")
    return f"#{digits}" if re.fullmatch(r"[1-9]\d{0,6}", digits) else ""


def text(value: Any) -> str:
    """Half an emoji, as cut-off texts end with, would be refused with everything beside it."""
    written = "" if value is None or isinstance(value, list | dict | bool) else str(value)
    return written if written.isascii() else written.encode("utf-8", "replace").decode("utf-8")


def title(value: Any) -> str:
    return text(value).strip()[:TITLE_LIMIT]


def body(value: Any) -> str:
    return text(value)[:BODY_LIMIT]


def handle(value: Any) -> str:
    """`ghost` is where GitHub and GitLab put everybody who left: nobody in particular."""
    name = text(value).strip()[:200]
    return "" if name.lower() == "ghost" else name


def sha(value: Any) -> str:
    digits = text(value).strip().lower()
    return digits if re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", digits) else ""


def count(value: Any) -> int | None:
    digits = ticket_number(value)
    return min(int(digits), 2_000_000_000) if re.fullmatch(r"\d{1,15}", digits) else None


def is_told(values: Values, name: str) -> bool:
    """Whether a field, or anything inside it, has a value."""
    if values.get(name):
        return True
    return any(value for column, value in values.items() if column.startswith(f"{name}."))


def objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def inner(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def labels(value: Any) -> tuple[str, ...] | None:
    """A list of names, or of objects with a name."""
    if not isinstance(value, list):
        return split(value) if isinstance(value, str) else None
    names = (text(one.get("name") if isinstance(one, dict) else one).strip()[:100] for one in value)
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_LABELS]


def split(value: Any) -> tuple[str, ...] | None:
    """Names in one cell, with commas between."""
    if value is None:
        return None
    names = (name.strip()[:100] for name in text(value).split(","))
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_LABELS]


def times(values: Values, *names: str) -> tuple[Any, ...]:
    """The moments in these columns, and last the doubts about them."""
    moments = [parse_time(values.get(name)) for name in names]
    doubts = tuple(
        f"“{text(values[name])[:40]}” in {name} is no time that can be read with certainty; it is left out"
        for name, moment in zip(names, moments, strict=True)
        if moment is None and text(values.get(name)).strip()
    )
    return (*moments, doubts)


def comments(rows: Iterable[CommentRow | None]) -> tuple[CommentRow, ...]:
    return tuple({row.mark: row for row in rows if row}.values())[:MOST_COMMENTS]


def comment(mark: str, author: str, words: Any, said_at: Any, is_staff: bool | None) -> CommentRow | None:
    words = text(words).strip()[:COMMENT_LIMIT]
    if not words:
        return None
    at = parse_time(said_at)
    told = mark[:64] or hashlib.sha256(f"{author}\n{at}\n{words}".encode("utf-8", "replace")).hexdigest()[:32]
    return CommentRow(told, author, words, at, is_staff)
