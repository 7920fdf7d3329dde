"""The one record that every export comes to, and what readers share."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Literal

MOST_BESIDE = 16_000
"""Characters of columns kept beside an item; what goes beyond is named, not kept."""

Speaker = Literal["user", "team", "machine"]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing one person said. `submission_id` and `field_id` tell it from all others of its source.

    `text` and `title` may both be empty, as in a rating by stars only. `person` is an id that belongs to this person
    alone; `speaker` says whether a user said it, somebody of the team, or a machine.
    """

    submission_id: str = ""
    text: str = ""
    title: str = ""
    said_at: Any = None
    author_name: str = ""
    author_email: str = ""
    person: str = ""
    company: str = ""
    plan: str = ""
    rating: Any = None
    language: str = ""
    app_version: str = ""
    url: str = ""
    field_id: str = ""
    speaker: Speaker = "user"
    metadata: dict[str, Any] = field(default_factory=dict)


class Unread(ValueError):
    """A row that is of this format and still cannot be read; the message says why, for the file's owner."""


class Cells(Mapping[str, Any]):
    """A row that remembers what was read of it, so that everything else can be kept beside."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def items(self) -> ItemsView[str, Any]:
        """Looking all through is not reading."""
        return self._values.items()

    def text(self, *names: str) -> str:
        """The first of these that says anything, as text."""
        return next((said for name in names if (said := text_of(self.get(name)))), "")

    def listed(self, name: str) -> list[dict[str, Any]]:
        """The objects of a list; nothing for anything else."""
        value = self.get(name)
        return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

    def skip(self, *names: str) -> None:
        """These say nothing that is worth keeping."""
        self._read.update(names)

    def beside(self, **more: Any) -> dict[str, Any]:
        """What nobody read, up to `MOST_BESIDE` characters, and `more`."""
        kept: dict[str, Any] = {name: value for name, value in more.items() if value not in (None, "", [], ())}
        size, left = sum(len(str(value)) for value in kept.values()), []
        for name, value in self._values.items():
            if name in self._read or value in (None, "", [], {}):
                continue
            size += len(name) + len(value if isinstance(value, str) else str(value))
            if size > MOST_BESIDE:
                left.append(name)
            else:
                kept[name] = value
        if left:
            kept["too long to keep"] = ", ".join(left)[:1000]
        return kept


Read = Callable[[Cells], Iterable[Said]]


@dataclass(frozen=True)
class Facts:
    """What is known of a table before its rows are read."""

    columns: Sequence[str]
    sample: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Format:
    """One system's way of writing. `marks` are sets of column names of which any one is enough to know it.

    `reader` is called once per pass, so that it may remember rows. `slug` is the source's id: a second export of the
    same system finds what the first one brought.
    """

    slug: str
    name: str
    source_type: str
    marks: tuple[frozenset[str], ...]
    reader: Callable[[Facts], Read]
    source_name: str = ""

    @property
    def source(self) -> str:
        return self.source_name or self.name.split(" ")[0]


def reading(read: Read) -> Callable[[Facts], Read]:
    """For formats whose rows need no other rows to be understood."""
    return lambda facts: read


def marks(*sets: str) -> tuple[frozenset[str], ...]:
    """`marks("id, title", "id, name")`: either both of the first or both of the second."""
    return tuple(frozenset(name.strip() for name in one.split(",")) for one in sets)


def text_of(value: Any) -> str:
    """A cell as text; lists, objects and truth values are none. Half an emoji would fail later, far from its row."""
    if value is None or isinstance(value, list | dict | bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def unguarded(value: Any) -> str:
    """Exports put a ' before what a spreadsheet would take for a formula, phone numbers among them."""
    text = text_of(value)
    return text[1:] if re.match(r"'[=+\-@\t\r]", text) else text


def names_of(value: Any, key: str = "name") -> list[str]:
    """Tags and labels: a list of names, a list of objects with names, or names in one cell."""
    if isinstance(value, str):
        return [name for part in value.split(",") if (name := part.strip())]
    if not isinstance(value, list):
        return []
    names = (text_of(one.get(key) if isinstance(one, dict) else one) for one in value)
    return [name for name in names if name]


_BREAKS = frozenset({"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ul", "ol"})
_SILENT = frozenset({"script", "style", "head", "template", "title"})


# Comments and declarations go first, and what begins like a tag and is none is text: on many that are never closed the parser's
# time grows with their square, and on some that are malformed it fails.
_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^>]*(?:>|\Z)", re.DOTALL)
_NO_TAG = re.compile(r"<(?=[^<>]*(?:<|\Z))")
MOST_MARKUP = 2_000_000


class _Words(HTMLParser):
    """What a reader would see of HTML."""

    def __init__(self, *, quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0
        self.quotes = quotes
        self.quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag in _BREAKS:
            self.parts.append("\n")
        if tag == "blockquote" and (self.quoted or (not self.quotes and ("type", "cite") in attrs)):
            self.quoted += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _BREAKS:
            self.parts.append("\n")
        if tag == "blockquote":
            self.quoted = max(0, self.quoted - 1)

    def handle_data(self, data: str) -> None:
        if not self.silent and not self.quoted:
            self.parts.append(data)


def plain(markup: Any, *, quotes: bool = True) -> str:
    """The words of a piece of HTML; what is no HTML stays as it is. Nothing it names is ever fetched.

    Without `quotes` what a mail program marks as the mail that is answered is left out.
    """
    text = text_of(markup)
    if "<" not in text:
        return html.unescape(text) if "&" in text else text
    if not re.search(r"<(?:[a-zA-Z!/])", text):
        return text
    words = _Words(quotes=quotes)
    words.feed(_NO_TAG.sub("&lt;", _UNSEEN.sub("", text[:MOST_MARKUP])))
    words.close()
    lines = (" ".join(line.split()) for line in "".join(words.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
