"""Who wrote which lines last, read from a clone for the server: all files at once, and only what changed travels."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from whytree.engines.code.indents import nesting
from whytree.engines.git.blame import spans_of
from whytree.engines.git.log import decode
from whytree.workspace.terminal.client import CommandError

from ..blame.ahead import ReadAhead
from ..blame.lines import FileLines, LineReader, Wanted
from ..blame.survivors import Survivors
from ..clone.git import Clone, exact_path, shown_path

Span = tuple[int, int, str]

# Beyond this a file is data, or generated: nobody reads its lines.
MAX_LINES_A_FILE = 10_000
# Files that have to be blamed one by one may take this long; the next reading goes on with what is left.
MAX_SECONDS_FOR_BLAME = 240.0
_BLAMED_AT_ONCE = 50
# So many paths fit on a command line, however long.
_COUNTED_AT_ONCE = 500
_TOOK_TOO_LONG = "that took too long; the next `whytree repository sync` goes on with them"


@dataclass(frozen=True)
class ReadFile:
    """A file as the server takes it. `stamp` changes when anything that is told of it does."""

    path: str
    shown: str
    blob: str
    spans: Sequence[Span]
    stamp: str


class LineReading:
    """One reading of all lines of a clone. `present` are the paths of its text files, `left_out` sentences."""

    def __init__(self, clone: Clone, progress: Callable[[str, int, int], None], ahead: ReadAhead | None = None) -> None:
        self._clone = clone
        self._progress = progress
        self._ahead = ahead
        self.present: set[str] = set()
        self.left_out: list[str] = []

    def read(self) -> Iterator[ReadFile]:
        """Every text file of the head with its lines."""
        sizes = self._sizes()
        long = {path for path, size in sizes.items() if size > MAX_LINES_A_FILE}
        self._leave_out(len(long), f"longer than {MAX_LINES_A_FILE:,} lines")
        survivors = Survivors(self._clone, lambda done, total: self._progress("history", done, total))
        try:
            if self._ahead:
                self._ahead.wait()
            replayed = survivors.read()
        except CommandError as error:
            # A damaged or partial clone: what git can still tell of single files is told.
            replayed = {}
            self.left_out.append(
                f"The history could not be read in one go ({error.message}), so files were blamed singly."
            )
        blobs = survivors.blobs
        wanted = [path for path in sorted(sizes) if path not in long]
        self.present = set(map(shown_path, wanted))
        unsure = []
        for path in wanted:
            version = replayed.get(path)
            if version is None or len(version) != sizes[path]:
                unsure.append(path)
            else:
                yield _told(path, blobs[path], survivors.ledger.commits_of(version.lines))
        if survivors.damaged:
            self.left_out.append(_damage(len(survivors.damaged), len(unsure)))
        for file in self._blamed(unsure):
            spans = spans_of((line.line, line.sha) for line in file.lines)
            yield _told(file.path, blobs[file.path], [(span.start, span.end, span.sha) for span in spans])

    def texts(self, files: Sequence[ReadFile]) -> dict[str, tuple[str, int]]:
        """Text and nesting of these files, by path."""
        contents = self._clone.blobs([file.blob for file in files])
        return {
            file.path: (decode(contents[file.blob].removesuffix(b"\n")), nesting(contents[file.blob])) for file in files
        }

    # Files that the replay cannot tell of: git shows no lines of some of their changes

    def _blamed(self, paths: Sequence[str]) -> Iterator[FileLines]:
        deadline = monotonic() + MAX_SECONDS_FOR_BLAME
        reader = LineReader(self._clone, "HEAD")
        for start in range(0, len(paths), _BLAMED_AT_ONCE):
            if monotonic() > deadline:
                self._leave_out(len(paths) - start, _TOOK_TOO_LONG)
                return
            yield from self._blame(reader, paths[start : start + _BLAMED_AT_ONCE], deadline)
            self._progress("files", min(start + _BLAMED_AT_ONCE, len(paths)), len(paths))

    def _blame(self, reader: LineReader, paths: Sequence[str], deadline: float) -> list[FileLines]:
        """Lines of these files; one that git cannot blame does not stop the others."""
        try:
            return list(reader.read_all([Wanted(path) for path in paths]).values())
        except CommandError:
            if len(paths) == 1:
                self._leave_out(1, f"git could not blame it ({shown_path(paths[0])})")
                return []
        if monotonic() > deadline:
            self._leave_out(len(paths), _TOOK_TOO_LONG)
            return []
        middle = len(paths) // 2
        return self._blame(reader, paths[:middle], deadline) + self._blame(reader, paths[middle:], deadline)

    def _sizes(self) -> dict[str, int]:
        """Lines of each text file at HEAD. Against an empty tree, so binary files say "-" and links are told apart."""
        blobs = self._blobs()
        try:
            listed = self._counted()
        except CommandError:
            lost = self._clone.missing(set(blobs.values()))
            here = [path for path, blob in blobs.items() if blob not in lost]
            if len(here) == len(blobs):
                raise
            self._leave_out(len(blobs) - len(here), "contents missing from this clone (git fetch --refetch)")
            listed = b"".join(
                self._counted(here[at : at + _COUNTED_AT_ONCE]) for at in range(0, len(here), _COUNTED_AT_ONCE)
            )
        rows = (exact_path(row).split("\t", 2) for row in listed.split(b"\0") if row)
        return {path: int(added) for added, _, path in rows if added not in {"-", "0"} and path in blobs}

    def _counted(self, paths: Sequence[str] = ()) -> bytes:
        empty = self._clone.read("hash-object", "-t", "tree", "--stdin", stdin="")
        options = ("--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        return self._clone.read_bytes("diff", *options, empty, "HEAD", "--", *paths)

    def _blobs(self) -> dict[str, str]:
        """Files at HEAD, by path; no links, no submodules."""
        rows = (row.partition(b"\t") for row in self._clone.read_bytes("ls-tree", "-r", "-z", "HEAD").split(b"\0"))
        return {exact_path(path): facts.split()[2].decode() for facts, _, path in rows if facts.startswith(b"100")}

    def _leave_out(self, count: int, reason: str) -> None:
        if count > 0:
            self.left_out.append(f"{count:,} {'file' if count == 1 else 'files'} left out: {reason}.")


def _damage(commits: int, files: int) -> str:
    changed = f"Contents that {commits:,} {'commits' if commits > 1 else 'commit'} changed are missing from this clone"
    if not files:
        return f"{changed}. No line of today came through them."
    blamed = f"{files:,} {'files that they touched were' if files > 1 else 'file that they touched was'} blamed singly"
    return f"{changed}, so {blamed}. Fetch them: git fetch --refetch"


def _told(path: str, blob: str, spans: Sequence[Span]) -> ReadFile:
    stamp = hashlib.sha256(json.dumps([blob, spans]).encode()).hexdigest()[:32]
    return ReadFile(path, shown_path(path), blob, spans, stamp)
