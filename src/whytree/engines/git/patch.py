"""What commits changed, read from the bytes of `git log --raw -p`: files with their hunks, and what merges joined.

Lines are kept without their blanks, as `-w` compares them, and with the "+" or "-" that git puts before them. Paths are
text in which bytes that are none are surrogates, so that git can be given them again. Pure.
"""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

# Nothing of a person's own settings may change what we read: every setting that bears on a diff is said here.
_PLAIN = (
    *("--no-abbrev", "-z", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--submodule=short"),
    *("--root", "--ignore-submodules=none", "--diff-algorithm=myers", "-O/dev/null", "--format=%ncommit %H"),
)
_HUNKS = ("-p", "--full-index", "--inter-hunk-context=0", "-w")
PATCH_ARGUMENTS = (*_PLAIN, *_HUNKS, "-U0", "--raw", "-M")
# Which files of a merge differ from its first parent; and those that differ from all of its parents, with their lines.
JOINED_ARGUMENTS = (*_PLAIN, "--raw", "--no-renames", "--diff-merges=first-parent")
# Without a line of context git leaves out lines within a hunk of these.
_COMBINED = ("--diff-merges=combined", "--combined-all-paths")
COMBINED_ARGUMENTS = (*_PLAIN, *_HUNKS, "-U1", "--raw", "-M", *_COMBINED)
# The same without a look into any file, for commits some of whose contents a clone lacks.
NAMES_ARGUMENTS = (*_PLAIN, "--raw", "-M100%")
COMBINED_NAMES_ARGUMENTS = (*NAMES_ARGUMENTS, *_COMBINED)

# What git takes for a blank; the line's end is not among them here.
_BLANKS = b" \t\r"
_COMMIT = re.compile(rb"\ncommit ([0-9a-f]{40,64})\0")
_INDEX = re.compile(rb"^index ([0-9a-f,]+)\.\.([0-9a-f]+)", re.MULTILINE)
_HUNK = re.compile(rb"@@-(\d+)(?:,(\d+))?\+\d+(?:,(\d+))?@@")
_COMBINED_HUNK = re.compile(rb"@{3,}((?:-\d+(?:,\d+)?)+)\+\d+(?:,\d+)?@{3,}")
_COMBINED_START = re.compile(rb"-(\d+)")
_NO_NEWLINE = b"\\ No newline at end of file"
_REGULAR = frozenset({b"100644", b"100755", b"100664"})


@dataclass(slots=True)
class PatchHunk:
    """`before` lines of the old file are replaced by what is `added`. `start` counts from 0 in the old file."""

    start: int
    removed: list[bytes]
    added: list[bytes]


@dataclass(slots=True)
class Change:
    """What a commit did to one file: `path` is "" where it is gone, `source` is "" where it is new.

    `hunks` is None where git shows no lines: a binary file. A link or a submodule is a file that is not there.
    """

    path: str
    source: str
    blob: str
    hunks: list[PatchHunk] | None = field(default_factory=list)


@dataclass(slots=True)
class CombinedHunk:
    """Lines that a merge's parents do not agree on. `starts` count from 0, one a parent.

    Each row begins with a column a parent: " " or "+" before a line of the result, " " where that parent has it; "-"
    before a line that this parent had and the result has not.
    """

    starts: list[int]
    rows: list[bytes]


@dataclass(slots=True)
class Joined:
    """A file of a merge that equals that of no parent. `sources` and `blobs` say what it was there; "" where nothing."""

    path: str
    blob: str
    sources: list[str]
    blobs: list[str]
    hunks: list[CombinedHunk] | None = field(default_factory=list)


def parse_patches(output: bytes) -> Iterator[tuple[str, list[Change]]]:
    """Commits and what they changed, from `git log` with PATCH_ARGUMENTS or JOINED_ARGUMENTS."""
    for sha, raw, patch in _commits(output):
        sections = dict(_sections(patch))
        yield sha, [change for record in _records(raw) for change in _change(record, sections)]


def parse_joined(output: bytes) -> Iterator[tuple[str, list[Joined]]]:
    """Merges and the files in which they differ from all parents, from `git log` with COMBINED_ARGUMENTS."""
    for sha, raw, patch in _commits(output):
        sections = dict(_raw_sections(patch))
        yield sha, [joined for record in _records(raw) if (joined := _joined(record, sections))]


def blobs_named(output: bytes) -> set[str]:
    """Contents before and after, of all files that `git log --raw` names."""
    records = [record for _, raw, _ in _commits(output) for record in _records(raw)]
    return {blob.decode() for record in records for blob in record.blobs if blob.strip(b"0")}


def paths_by_contents(output: bytes, missing: Set[str]) -> tuple[list[str], list[str]]:
    """Paths, old and new ones, of the files that `git log --raw` names: those of all contents there, and the others."""
    lacking = {blob.encode() for blob in missing}
    records = [record for _, raw, _ in _commits(output) for record in _records(raw)]
    lost = {path for record in records if lacking.intersection(record.blobs) for path in record.paths}
    return sorted({path for record in records for path in record.paths} - lost), sorted(lost)


# The stream -------------------------------------------------------------------------------------------


def _commits(output: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Commit, list of files, patch. A line of a patch begins with a sign, so no content is taken for a commit."""
    heads = list(_heads(output))
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(output)
        patch = output.find(b"\0\0diff --", head.end(), end)
        whole = end if patch < 0 else patch
        yield head[1].decode(), output[head.end() : whole], b"" if patch < 0 else output[patch + 2 : end]


def _heads(output: bytes) -> Iterator[re.Match[bytes]]:
    at = output.find(b"\ncommit ")
    while at >= 0:
        if head := _COMMIT.match(output, at):
            yield head
        at = output.find(b"\ncommit ", at + 1)


@dataclass(slots=True)
class _Record:
    modes: list[bytes]
    blobs: list[bytes]
    status: str
    paths: list[str]


def _records(raw: bytes) -> Iterator[_Record]:
    """`:100644 100644 1a2b... 3c4d... M`, path, and for a rename the new path; merges have a colon and a path a parent."""
    tokens = iter(raw.strip(b"\n\0").split(b"\0"))
    for token in tokens:
        token = token.lstrip(b"\n")
        if not token.startswith(b":"):
            continue
        parents = len(token) - len(token.lstrip(b":"))
        words = token[parents:].split(b" ")
        status = words[-1].decode("ascii", "replace")
        many = parents + 1 if parents > 1 else 2 if status[0] in "RC" else 1
        paths = [next(tokens, b"").decode("utf-8", "surrogateescape") for _ in range(many)]
        yield _Record(words[: parents + 1], words[parents + 1 : 2 * parents + 2], status, paths)


def _change(record: _Record, sections: dict[tuple[bytes, bytes], list[PatchHunk] | None]) -> Iterator[Change]:
    before = record.paths[0] if record.modes[0] in _REGULAR else ""
    after = record.paths[-1] if record.modes[1] in _REGULAR else ""
    old, new = record.blobs
    if record.status[0] == "T" or not before:
        # git shows a change of type as one file gone and another one new, and so do we.
        if before:
            yield Change("", before, "")
        before, old = "", b"0" * len(old)
    if after:
        yield Change(after, before, new.decode(), sections.get((old, new), []))
    elif before:
        yield Change("", before, "")


# The patch --------------------------------------------------------------------------------------------


def _raw_sections(patch: bytes) -> Iterator[tuple[tuple[bytes, bytes], bytes | None]]:
    """Hunks of each file by its blobs, unparsed; None for a binary file. The same blobs have the same hunks."""
    for section in (b"\n" + patch).split(b"\ndiff --")[1:]:
        begin = section.find(b"\n@@")
        head = section if begin < 0 else section[:begin]
        index = _INDEX.search(head)
        if index is None:
            continue
        if begin < 0:
            yield (index[1], index[2]), None if b"\nBinary files " in head else b""
        else:
            yield (index[1], index[2]), section[begin + 1 :]


def _sections(patch: bytes) -> Iterator[tuple[tuple[bytes, bytes], list[PatchHunk] | None]]:
    for key, section in _raw_sections(patch):
        yield key, None if section is None else list(_hunks(section))


def _hunks(section: bytes) -> Iterator[PatchHunk]:
    rows = _rows(section)
    at = 0
    while at < len(rows) and (head := _HUNK.match(rows[at])):
        start, before, after = (1 if count is None else int(count) for count in head.groups())
        middle = at + 1 + before
        # Of nothing, git names the line it stands behind.
        yield PatchHunk(start - 1 if before else start, rows[at + 1 : middle], rows[middle : middle + after])
        at = middle + after


def _rows(section: bytes) -> list[bytes]:
    rows = section.translate(None, _BLANKS).split(b"\n")
    return [row for row in rows if row[:1] != b"\\"] if b"\n\\" in section else rows


# Merges -----------------------------------------------------------------------------------------------


def _joined(record: _Record, sections: dict[tuple[bytes, bytes], bytes | None]) -> Joined | None:
    *before, after = record.modes
    if after not in _REGULAR:
        return None
    *blobs, blob = record.blobs
    sources = [path if mode in _REGULAR else "" for path, mode in zip(record.paths, before, strict=False)]
    section = sections.get((b",".join(blobs), blob), b"")
    hunks = None if section is None else list(_combined_hunks(section, len(before)))
    return Joined(record.paths[-1], blob.decode(), sources, [each.decode() for each in blobs], hunks)


def _combined_hunks(section: bytes, parents: int) -> Iterator[CombinedHunk]:
    hunk: CombinedHunk | None = None
    for line in section.split(b"\n"):
        head = _COMBINED_HUNK.match(line.translate(None, _BLANKS)) if line.startswith(b"@@@") else None
        if head:
            if hunk:
                yield hunk
            hunk = CombinedHunk([max(int(start) - 1, 0) for start in _COMBINED_START.findall(head[1])], [])
        elif hunk and len(line) >= parents and line.strip(b" ") != _NO_NEWLINE:
            hunk.rows.append(line[:parents] + line[parents:].translate(None, _BLANKS))
    if hunk:
        yield hunk
