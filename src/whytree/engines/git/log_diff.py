"""What a diff says about a commit: flags it brought in.

Reads `git log -p -U0 --format="commit %H"` (or `git show`) line by line, so that a long history needs no memory.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from whytree.engines.git.blame import unquote_path
from whytree.engines.git.log import decode

DIFF_ARGUMENTS = (
    "-p",
    "-U0",
    "--format=commit %H",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@dataclass(slots=True)
class Hunk:
    """Removed and added lines that stand at one place."""

    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FileDiff:
    """What one commit did to one file. A binary file has no hunks."""

    sha: str
    path: str
    hunks: list[Hunk] = field(default_factory=list)


def parse_diffs(lines: Iterable[bytes]) -> Iterator[FileDiff]:
    """File by file, in git's order. Hunk headers say how many lines follow, so content is never read as a header."""
    sha = ""
    current: FileDiff | None = None
    to_remove = to_add = 0
    for raw in lines:
        line = raw.rstrip(b"\n")
        if current and current.hunks and to_remove and line.startswith(b"-"):
            current.hunks[-1].removed.append(decode(line[1:]))
            to_remove -= 1
        elif current and current.hunks and to_add and line.startswith(b"+"):
            current.hunks[-1].added.append(decode(line[1:]))
            to_add -= 1
        elif current and (header := _HUNK.match(line)):
            current.hunks.append(Hunk())
            to_remove, to_add = (1 if count is None else int(count) for count in header.groups())
        elif line.startswith(b"diff --git "):
            if current:
                yield current
            current = FileDiff(sha, "")
        elif current and line.startswith((b"--- a/", b'--- "a/', b"+++ b/", b'+++ "b/')):
            current.path = unquote_path(decode(line[4:]).rstrip("\t"))[2:]
        elif line.startswith(b"commit "):
            if current:
                yield current
            current, sha = None, decode(line[7:])
    if current:
        yield current


def flags_pattern(keys: Iterable[str]) -> str:
    """A regular expression for `git log -G`, POSIX extended, that finds any of the flag keys; "" for none."""
    return "|".join(re.sub(r"([^\w-])", r"\\\1", key) for key in sorted(set(keys)) if key.strip())


def flags_added(diffs: Iterable[FileDiff], keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each commit the flag keys that stand in more of its added than of its removed code.

    Moving or re-indenting a line that holds a key adds none, and `phone` is not found in `phone_number`. A key that
    is a mere word ("search") only counts in quotation marks, and none counts in a changelog or other prose.
    """
    balances = flags_balance(diffs, keys, only_code=True)
    added = {sha: tuple(sorted(key for key, more in count.items() if more > 0)) for sha, count in balances}
    return {sha: keys for sha, keys in added.items() if keys}


def flags_balance(
    diffs: Iterable[FileDiff], keys: Iterable[str], *, only_code: bool = False
) -> Iterator[tuple[str, Counter[str]]]:
    """For each commit, in git's order, how many more times each key stands in its added than in its removed text."""
    wanted = sorted({key for key in keys if key.strip()}, key=len, reverse=True)
    if not wanted:
        return
    pattern = re.compile("|".join(_in_code(key) if only_code else _anywhere(key) for key in wanted))
    for sha, files in groupby(diffs, key=lambda diff: diff.sha):
        count: Counter[str] = Counter()
        for diff in files:
            if only_code and _PROSE.search(diff.path):
                continue
            for hunk in diff.hunks:
                count.update(key for line in hunk.added for key in pattern.findall(line))
                count.subtract(key for line in hunk.removed for key in pattern.findall(line))
        yield sha, count


_PROSE = re.compile(r"\.(?:md|markdown|rst|txt|adoc|po)$|(?:^|/)(?:changelog|changes|news|history)\b", re.IGNORECASE)


def _in_code(key: str) -> str:
    return rf"(?<=[\"'`]){re.escape(key)}(?=[\"'`])" if key.isalpha() else _anywhere(key)


def _anywhere(key: str) -> str:
    return rf"(?<![\w-]){re.escape(key)}(?![\w-])"
