"""Which lines of a clone are worth showing on pages: those whose commit leads to a node. Never whole files."""

from collections.abc import Sequence
from dataclasses import dataclass

from whytree.code.models import FileBlame, Repository

from .linking import links_of

CONTEXT_LINES = 2
LONGEST = 40  # lines of one hunk
MOST_LINES = 200  # of one file
MOST_SHARE = 0.5  # of a file's lines: what a person did not send whole must not be put together from pieces

Range = tuple[int, int]


@dataclass(frozen=True)
class WantedHunks:
    """Lines of a file, as (first, last), that its clone may send; `stamp` is the reading they are of."""

    path: str
    stamp: str
    ranges: tuple[Range, ...]


def wanted_hunks(repository: Repository, most_files: int = 2000) -> list[WantedHunks]:
    """Files whose stored hunks are not what they should be by now; with no ranges, they should go."""
    if repository.with_code:
        return []
    leading = set()
    if repository.with_hunks:
        leading = set(repository.commits.filter(pk__in=links_of(repository)).values_list("sha", flat=True))
    wanted = []
    for file in repository.files.only("repository", "path", "stamp", "spans", "hunks").iterator(500):
        ranges = ranges_of(file.spans, leading)
        if ranges != ranges_kept(file):
            wanted.append(WantedHunks(file.path, file.stamp, ranges))
            if len(wanted) == most_files:
                break
    return wanted


def ranges_of(spans: Sequence[tuple[int, int, str]], leading: set[str]) -> tuple[Range, ...]:
    """What to show of a file: the lines of commits that lead somewhere, with a little around them."""
    size = spans[-1][1] if spans else 0
    left = min(MOST_LINES, int(size * MOST_SHARE))
    ranges: list[Range] = []
    for start, end, sha in spans:
        if sha not in leading:
            continue
        first = max(start - CONTEXT_LINES, ranges[-1][1] + 1 if ranges else 1)
        last = min(end + CONTEXT_LINES, size, first + LONGEST - 1, first + left - 1)
        if last < max(first, start):
            continue
        left -= last - first + 1
        if ranges and ranges[-1][1] + 1 == first:
            first = ranges.pop()[0]
        ranges.append((first, last))
    return tuple(ranges)


def ranges_kept(file: FileBlame) -> tuple[Range, ...]:
    return tuple((first, last) for first, last, _ in file.hunks)
