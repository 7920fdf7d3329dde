"""What `git blame --porcelain` says, read from bytes: who wrote each line last, and in which file.

Pure. Which commits to look through is decided by the caller and by `whytree.engines.links.rules`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from whytree.engines.git.log import decode

from .blame_arguments import BLAME_ARGUMENTS as BLAME_ARGUMENTS

UNCOMMITTED = "0" * 40

_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\d+) (\d+)(?: \d+)?")


@dataclass(frozen=True, slots=True)
class BlamedLine:
    """Line `line` of the file came with `sha`, where it was line `source_line` of `path`."""

    line: int
    sha: str
    source_line: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring lines, first and last included, that came with one commit."""

    start: int
    end: int
    sha: str

    @property
    def size(self) -> int:
        return self.end - self.start + 1


def parse_blame(output: bytes) -> Iterator[BlamedLine]:
    """Lines of `git blame --porcelain`, in the file's order. A commit's path is told once and remembered."""
    paths: dict[str, str] = {}
    sha, line, source_line = "", 0, 0
    for raw in output.split(b"\n"):
        if raw.startswith(b"\t"):
            yield BlamedLine(line, sha, source_line, paths.get(sha, ""), decode(raw[1:]))
        elif raw.startswith(b"filename "):
            paths[sha] = unquote_path(decode(raw[len(b"filename ") :]))
        elif header := _HEADER.fullmatch(raw):
            sha, source_line, line = header[1].decode(), int(header[2]), int(header[3])


def spans_of(lines: Iterable[tuple[int, str]]) -> list[Span]:
    """Runs of one commit, from (line number, commit) in order."""
    spans: list[Span] = []
    for number, sha in lines:
        if spans and spans[-1].sha == sha and spans[-1].end == number - 1:
            spans[-1] = Span(spans[-1].start, number, sha)
        else:
            spans.append(Span(number, number, sha))
    return spans


def parse_ignore_revs(text: str) -> tuple[str, ...]:
    """Full commit ids of a `.git-blame-ignore-revs`; comments, blanks and what git would refuse are left out."""
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", line))


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\"}


def unquote_path(path: str) -> str:
    r"""A path as git prints it: `"a\tb"` is quoted like a C string, everything else is meant literally."""
    if not (len(path) > 1 and path.startswith('"') and path.endswith('"')):
        return path

    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1], 8)) if found[1].isdigit() else _ESCAPES.get(found[1], found[1])

    text = re.sub(r"\\([0-7]{3}|.)", plain, path[1:-1])
    try:
        return text.encode("latin-1").decode("utf-8")  # octal escapes are bytes of UTF-8
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
