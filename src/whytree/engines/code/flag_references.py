"""Where flags stand in code: resolved through Python's syntax tree, or matched as text, and said which.

    found = find_references(keys, files, project, search)      # Reference("defer_phone", "app/form.py", 23, "resolved", ...)

`as_csv` writes what LaunchDarkly's ld-find-code-refs writes with `--outDir`.
"""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .python.flags import FlagFinder, collect
from .python.names import Project

How = Literal["resolved", "text"]

CONTEXT_LINES = 2
LINE_LENGTH = 500  # as ld-find-code-refs: a minified file is one line
MOST_PLACES = 500  # of one flag; a key that is a common word stands everywhere
MOST_MODULES = 1500
CSV_COLUMNS = ("flagKey", "projKey", "path", "startingLineNumber", "lines", "aliases", "contentHash")


@dataclass(frozen=True, slots=True)
class Reference:
    """One line that speaks of a flag. `says`: how it is known, or where the text stands."""

    key: str
    path: str
    line: int
    how: How
    says: str = ""
    alias: str = ""

    @property
    def rank(self) -> tuple[str, bool, str, int]:
        return (self.key, self.how != "resolved", self.path, self.line)


def key_pattern(keys: Iterable[str]) -> re.Pattern[bytes]:
    """Finds any key as a whole: `phone` is not found in `phone_number`."""
    alternatives = b"|".join(re.escape(key.encode()) for key in sorted(set(keys), key=len, reverse=True))
    return re.compile(rb"(?<![\w-])(?:" + alternatives + rb")(?![\w-])")


def pcre_of(keys: Iterable[str]) -> str:
    """The same for `git grep -P`."""
    return (
        r"(?<![\w-])(?:" + "|".join(re.escape(key) for key in sorted(set(keys), key=len, reverse=True)) + r")(?![\w-])"
    )


def find_references(
    keys: Collection[str],
    files: Mapping[str, bytes],
    project: Project,
    search: Callable[[Collection[str]], Iterable[str]],
) -> list[Reference]:
    """Every reference in `files` (those that hold a key) and in the modules that go by its constants.

    Sorted by key, resolved ones first. A file with a syntax error is matched as text, and says so.
    """
    if not keys:
        return []
    return references_found(FlagFinder(project, keys), key_pattern(keys), files, project, search)


def references_found(
    finder: FlagFinder,
    pattern: re.Pattern[bytes],
    files: Mapping[str, bytes],
    project: Project,
    search: Callable[[Collection[str]], Iterable[str]],
) -> list[Reference]:
    """The same for whatever `finder` resolves and `pattern` matches as text."""
    python = [path for path in files if path.endswith((".py", ".pyi"))]
    modules = collect(project, finder, python, search, MOST_MODULES)
    matches = {path: list(_matches(pattern, text)) for path, text in files.items()}
    for module in modules:
        text = files.get(module.path) or project.source(module.path) or b""
        lines = {line for _, line in matches.get(module.path, ())}
        module.open(sorted(lines.union(*(_lines_with(name.encode(), text) for name in finder.names))))
    found: dict[tuple[str, str, int], Reference] = {}
    for path, hits in finder.hits(modules).items():
        for hit in hits:
            reference = Reference(hit.key, path, hit.line, "resolved" if hit.is_sure else "text", hit.says, hit.alias)
            earlier = found.get((hit.key, path, hit.line))
            if earlier is None or (earlier.how == "text" and hit.is_sure):
                found[hit.key, path, hit.line] = reference
    parsed = {module.path for module in modules}
    for path, some in matches.items():
        says = "" if path in parsed else "does not parse as Python" if path in python else ""
        for key, line in some:
            found.setdefault((key, path, line), Reference(key, path, line, "text", says or _where(path)))
    return sorted(found.values(), key=lambda one: one.rank)


def _lines_with(name: bytes, text: bytes) -> Iterator[int]:
    """Lines in which a name stands, be it as part of another one."""
    line, at = 1, 0
    position = text.find(name)
    while position >= 0:
        line += text.count(b"\n", at, position)
        at = position
        yield line
        position = text.find(name, position + 1)


def _matches(pattern: re.Pattern[bytes], text: bytes) -> Iterator[tuple[str, int]]:
    """(key, line) of each match, once a line."""
    line, at, seen = 1, 0, set[tuple[bytes, int]]()
    for match in pattern.finditer(text):
        line += text.count(b"\n", at, match.start())
        at = match.start()
        if (match[0], line) not in seen:
            seen.add((match[0], line))
            yield match[0].decode(), line


_PROSE = (".md", ".rst", ".txt", ".adoc", ".html", ".po", ".pot", ".csv")


def _where(path: str) -> str:
    if path.endswith((".py", ".pyi")):
        return "a name, a comment or a longer text"
    return "in prose" if path.lower().endswith(_PROSE) else "not Python"


def capped(references: Sequence[Reference]) -> tuple[list[Reference], dict[str, int]]:
    """At most so many places for a flag, resolved ones first; and how many were left out, by key."""
    by_key: dict[str, list[Reference]] = defaultdict(list)
    for one in references:
        by_key[one.key].append(one)
    kept = [one for some in by_key.values() for one in some[:MOST_PLACES]]
    return kept, {key: len(some) - MOST_PLACES for key, some in by_key.items() if len(some) > MOST_PLACES}


# Hunks ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hunk:
    """Some lines around references of one flag in one file, the first of them numbered `start`."""

    key: str
    path: str
    start: int
    lines: tuple[str, ...]
    aliases: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def around(lines: Sequence[str], line: int) -> tuple[int, tuple[str, ...]]:
    """The line with two before and two after it, long ones cut: (number of the first, lines)."""
    start = max(1, line - CONTEXT_LINES)
    return start, tuple(_cut(one) for one in lines[start - 1 : line + CONTEXT_LINES])


def _cut(line: str) -> str:
    line = line.rstrip("\r")
    return line if len(line) <= LINE_LENGTH else line[:LINE_LENGTH] + "…"


def hunks(references: Iterable[Reference], lines_of: Callable[[str], Sequence[str]]) -> list[Hunk]:
    """Hunks of each flag, file by file; those that touch or overlap are one."""
    places: dict[tuple[str, str], list[Reference]] = defaultdict(list)
    for one in references:
        places[one.key, one.path].append(one)
    found: list[Hunk] = []
    for (key, path), some in sorted(places.items()):
        lines = lines_of(path)
        last: Hunk | None = None
        for one in sorted(some, key=lambda each: each.line):
            start, shown = around(lines, one.line)
            names = (one.alias,) if one.alias else ()
            if last and start <= last.start + len(last.lines):
                joined = last.lines[: start - last.start] + shown
                last = Hunk(key, path, last.start, joined, tuple(dict.fromkeys((*last.aliases, *names))))
                found[-1] = last
            else:
                last = Hunk(key, path, start, shown, names)
                found.append(last)
    return found


def csv_name(repository: str, product: str, sha: str) -> str:
    """`coderefs_<project>_<repository>_<sha7>.csv`, with nothing in it that a file's name may not hold."""
    safe = [re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.") or "x" for name in (product, repository)]
    return f"coderefs_{'_'.join(safe)}_{sha[:7]}.csv"


_FORMULA = re.compile(r"\s*[=+@-]")


def _as_text(cell: str) -> str:
    """A cell that a spreadsheet would compute, as text. A line that is merely indented stays as it is."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_csv(some: Iterable[Hunk], product: str) -> str:
    """Rows in the order of flag, path and line. `contentHash` is the SHA-256 of the lines.

    Where a text begins like a formula, a ' stands before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    quoting = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)  # readers end a row at a bare CR
    writer.writerow(CSV_COLUMNS)
    for one in sorted(some, key=lambda each: (each.key, each.path, each.start)):
        digest = hashlib.sha256(one.text.encode()).hexdigest()
        cells = [_as_text(cell) for cell in (one.key, product, one.path, one.text, " ".join(one.aliases))]
        chosen = quoting if any("\r" in cell for cell in cells) else writer
        chosen.writerow((*cells[:3], one.start, *cells[3:], digest))
    return out.getvalue()
