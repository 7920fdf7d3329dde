"""What people ask about: a line, a commit, a flag, an id, a ticket. Read from what they typed; knows nothing yet.

Imports neither Django nor a database: the command line reads references too.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from whytree.engines.links.tickets import NODE_PREFIXES, TicketRef, parse_ticket

SHORTEST_COMMIT = 7
EXAMPLES = "app/form.py:42, app/form.py:40-48, app/form.py::SignUp.clean, app/, 4f2c9d1, flag:KEY, SOL-3, #412 or a ticket's address"

_NODE = re.compile(rf"(?:{'|'.join(sorted(NODE_PREFIXES))}|FB|INT)-[1-9]\d{{0,8}}", re.IGNORECASE)
_COMMIT = re.compile(rf"[0-9a-f]{{{SHORTEST_COMMIT},64}}")
_FLAG = re.compile(r"flag:\s*(?P<key>\S+)")
_LINES = re.compile(r"(?P<path>.+?):L?(?P<first>\d{1,7})(?:(?:-|:|\.\.)L?(?P<last>\d{1,7}))?:?")
_SYMBOL = re.compile(r"(?P<path>.+?)::(?P<symbol>[^\W\d][\w$]*(?:\.[^\W\d][\w$]*)*)(?:\(\))?")
_ANCHOR = re.compile(r"(?P<path>.+)#L(?P<first>\d{1,7})(?:-L?(?P<last>\d{1,7}))?")


@dataclass(frozen=True)
class LineRef:
    """Lines `first` to `last` of a file; the whole file when both are 0. `repository` where it was said; `symbol` is a
    function or class whose lines are still to be found."""

    path: str
    first: int = 0
    last: int = 0
    repository: str = ""
    symbol: str = ""

    def __str__(self) -> str:
        name = f"{self.repository}:{self.path}" if self.repository else self.path
        return f"{name}::{self.symbol}" if self.symbol else name + self.lines

    @property
    def lines(self) -> str:
        if not self.first:
            return ""
        return f":{self.first}" if self.first == self.last else f":{self.first}-{self.last}"


@dataclass(frozen=True)
class FolderRef:
    """Everything below a folder; the whole repository when `path` is empty."""

    path: str
    repository: str = ""

    def __str__(self) -> str:
        name = f"{self.path}/" if self.path else "./"
        return f"{self.repository}:{name}" if self.repository else name


@dataclass(frozen=True)
class CommitRef:
    sha: str

    def __str__(self) -> str:
        return self.sha


@dataclass(frozen=True)
class FlagRef:
    key: str

    def __str__(self) -> str:
        return f"flag:{self.key}"


@dataclass(frozen=True)
class NodeRef:
    ref: str

    def __str__(self) -> str:
        return self.ref


Ref = LineRef | FolderRef | CommitRef | FlagRef | NodeRef | TicketRef


class NotAReference(ValueError):
    """What was typed names nothing that one can ask about; the message shows what does."""


def parse_ref(typed: str) -> Ref:
    """What a person typed, as one of the kinds above; `NotAReference` for anything else.

    What could be two things is taken as the more particular: an id before a ticket, a ticket before a file.
    """
    text = typed.strip()
    for reader in (_node, _flag, _commit, _ticket, _folder, _line):
        if text and (found := reader(text)):
            return found
    raise NotAReference(f"Nothing to ask about in {text[:60]!r}. Ask about {EXAMPLES}.")


def _node(text: str) -> NodeRef | None:
    """SOL-3, or the address of its page."""
    last = path_of(text).rpartition("/")[2] if text.startswith("http") and "/p/" in text else text
    return NodeRef(last.upper()) if _NODE.fullmatch(last) else None


def path_of(address: str) -> str:
    """The path in an address, without a slash at its end, or "/"; "" for what is no address, as http://[x."""
    try:
        return urlsplit(address).path.rstrip("/") or "/"
    except ValueError:
        return ""


def _flag(text: str) -> FlagRef | None:
    found = _FLAG.fullmatch(text)
    return FlagRef(found["key"]) if found else None


def _commit(text: str) -> CommitRef | None:
    """Hexadecimal with at least one digit: "defaced" is a word."""
    return CommitRef(text) if _COMMIT.fullmatch(text) and not text.isalpha() and not text.isdigit() else None


def _ticket(text: str) -> TicketRef | None:
    return None if text.isdigit() else parse_ticket(text)


def _folder(text: str) -> FolderRef | None:
    """`app/`, or `sprout:app/`; `.` and `sprout:./` are all of it."""
    is_folder = text == "." or (text.endswith("/") and text.strip("/"))
    if not is_folder or text.startswith(("http://", "https://")):
        return None
    placed = _placed(text)
    path = placed.path.rstrip("/")
    return FolderRef("" if path == "." else path, placed.repository)


def _line(text: str) -> LineRef | None:
    if text.startswith(("http://", "https://")):
        return None
    if found := _SYMBOL.fullmatch(text):
        return replace(_placed(found["path"]), symbol=found["symbol"])
    for pattern in (_LINES, _ANCHOR):
        if found := pattern.fullmatch(text):
            first = int(found["first"])
            last = int(found["last"] or first)
            return _placed(found["path"], min(first, last), max(first, last)) if first and last else None
    looks_like_path = "." in text.rpartition("/")[2] or "/" in text
    return _placed(text) if looks_like_path and " " not in text else None


def _placed(path: str, first: int = 0, last: int = 0) -> LineRef:
    repository, colon, rest = path.partition(":")
    if colon and rest and rest[0] != ":" and len(repository) > 1:  # "C:" is a drive
        return LineRef(rest.removeprefix("./"), first, last, repository)
    return LineRef(path.removeprefix("./"), first, last)
