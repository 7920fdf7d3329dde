"""Read a clone and tell the server: commits, the flags they added, and who wrote which lines last.

Only what is new travels, in pieces that may be sent again: a reading that was cut off goes on where it stopped.
Of contents only the lines that pages show; whole files where the person said `--with-code`, nothing with `--no-code`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from whytree.engines.git.log import LOG_ARGUMENTS, PATHS_TOO, LogCommit, parse_log, unrelated
from whytree.engines.git.log_diff import DIFF_ARGUMENTS, flags_added, flags_pattern, parse_diffs
from whytree.engines.links.tickets import tracker_of_remote
from whytree.workspace.terminal.client import Client, CommandError

from ..blame.ahead import ReadAhead
from ..clone.git import Clone, split_lines
from .reading_lines import LineReading, ReadFile
from .telling import keep_note, note_of, told_commit

Item = TypeVar("Item")
# Called as it goes: what is being done, how much of it, of how much (0: not known).
Progress = Callable[[str, int, int], None]

# One request stays small whatever the messages.
COMMITS_AT_ONCE = 250
FILES_AT_ONCE = 100
# What the server answers when it cannot write now.
UNAVAILABLE = 503
_GOES_ON = "What was read so far is kept: when that is mended, the same command goes on from there."


@dataclass
class Found:
    """What a reading found."""

    commits: int = 0
    new_commits: int = 0
    new_tickets: int = 0
    files: int = 0
    kept_notes: int = 0
    left_out: list[str] = field(default_factory=list)


class Reading:
    """One reading of one clone for one registered repository."""

    def __init__(
        self,
        client: Client,
        clone: Clone,
        repository: dict[str, Any],
        progress: Progress,
        *,
        ahead: ReadAhead | None = None,
        after_commits: Callable[[Found], None] = lambda found: None,
    ) -> None:
        """`ahead` reads the lines already; `after_commits` hears what is known before they are there."""
        self._client = client
        self._clone = clone
        self._repository = repository
        self._progress = progress
        self._ahead = ahead
        self._after_commits = after_commits
        self._path = f"/products/{client.product}/repositories/{repository['id']}"
        self._found = Found()
        self._elsewhere: frozenset[str] = frozenset()

    def run(self, *, lines: bool = True, everything: bool = False, remarks: Sequence[str] = ()) -> Found:
        """Send what is new; with `everything`, send all of it again. `remarks` are kept with what was left out."""
        try:
            return self._run(lines=lines, everything=everything, remarks=remarks)
        except CommandError as error:
            if error.status != UNAVAILABLE:
                raise
            what = error.message.partition(",")[0].rstrip(".")  # a full disk, a busy database
            raise CommandError(f"{what}. {_GOES_ON}", status=error.status) from error

    def _run(self, *, lines: bool, everything: bool, remarks: Sequence[str]) -> Found:
        self._found.left_out += remarks
        graph = self._clone.graph()
        self._found.commits = len(graph)
        known_head = self._repository["head"]
        since = [f"^{known_head}"] if known_head in graph and not everything else []
        flags = sorted(flag["key"] for flag in self._client.get(f"/products/{self._client.product}/flags"))
        self._keep_told(graph)
        self._send_commits(graph, since, flags)
        self._after_commits(self._found)
        told = self._send_lines() if lines else None
        self._finish(flags)
        if told is not None:
            self._send_hunks(*told)
        return self._found

    # Commits

    def _send_commits(self, graph: dict[str, list[str]], since: Sequence[str], flags: Sequence[str]) -> None:
        merged = self._clone.merged_through(graph)
        self._elsewhere = unrelated(graph, self._clone.head)
        added = self._flags_added(since, flags)
        new = self._clone.read("rev-list", "HEAD", *since).splitlines() if since else list(graph)
        total = len(new)
        self._push(self._log("log", "--date-order", "HEAD", *since), merged, added, total)
        # What changed about commits told before: a merge or a note came later, or a flag was registered later.
        told = graph.keys() - set(new)
        later = {commit for commit, merge in merged.items() if commit in told and merge not in told}
        later |= (added.keys() | self._clone.noted()) & told
        if later:
            listing = "".join(f"{sha}\n" for sha in sorted(later))
            self._push(self._log("log", "--no-walk=unsorted", "--stdin", stdin=listing), merged, added, len(later))

    def _log(self, *arguments: str, stdin: str | None = None) -> Iterator[LogCommit]:
        command, *rest = arguments
        return parse_log(self._clone.stream(command, *LOG_ARGUMENTS, *PATHS_TOO, *rest, stdin=stdin))

    def _keep_told(self, graph: dict[str, list[str]]) -> None:
        """What was told on a page or by somebody without a clone becomes a git note here, once. A mirror's go nowhere."""
        if self._clone.is_bare:
            return
        told = [one for one in self._client.get(f"{self._path}/told") if one["sha"] in graph]
        notes = {
            sha: commit.note.splitlines() for sha, commit in self._clone.commits([one["sha"] for one in told]).items()
        }
        missing = [one for one in told if note_of(one["words"]) not in notes.get(one["sha"], [])]
        for done, one in enumerate(missing):
            try:
                keep_note(self._clone, one["sha"], one["words"])
            except CommandError as error:
                self._found.left_out.append(
                    f"{len(missing) - done:,} reasons told elsewhere could not be kept as git notes here: {error.message}"
                )
                break
            self._found.kept_notes += 1

    def _push(
        self, commits: Iterable[LogCommit], merged: dict[str, str], added: dict[str, tuple[str, ...]], total: int
    ) -> None:
        done = 0
        for batch in _batches(commits, COMMITS_AT_ONCE):
            body = [
                {
                    **told_commit(commit, merged.get(commit.sha, ""), added.get(commit.sha, ())),
                    "unrelated": commit.sha in self._elsewhere,
                }
                for commit in batch
            ]
            answer = self._post("commits", {"commits": body})
            self._found.new_commits += answer["new_commits"]
            self._found.new_tickets += answer["new_tickets"]
            done += len(batch)
            self._progress("commits", done, total)

    def _flags_added(self, since: Sequence[str], flags: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Which commits brought in which flags: new commits for all flags, the whole history for new flags."""
        fresh = [key for key in flags if key not in self._repository["flags_scanned"]]
        found = self._search(["HEAD", *since], flags)
        if since and fresh:
            for sha, keys in self._search(["HEAD"], fresh).items():
                found[sha] = tuple(sorted({*keys, *found.get(sha, ())}))
        return found

    def _search(self, revisions: Sequence[str], flags: Sequence[str]) -> dict[str, tuple[str, ...]]:
        pattern = flags_pattern(flags)
        if not pattern:
            return {}
        self._progress("flags in code", 0, 0)
        # git looks for the pattern itself and prints only the files that have it.
        output = self._clone.stream("log", *DIFF_ARGUMENTS, f"-G{pattern}", *revisions)
        try:
            return flags_added(parse_diffs(split_lines(output)), flags)
        except CommandError as error:
            self._found.left_out.append(f"Which commits brought in which flags is not known: {error.message}")
            return {}

    # Lines

    def _send_lines(self) -> tuple[LineReading, dict[str, ReadFile]]:
        """What the server does not know of yet, or no longer as it is. Gives what was read."""
        known = {file["path"]: file for file in self._client.get(f"{self._path}/files")}
        textless = self._repository["with_code"]
        reading = LineReading(self._clone, self._progress, self._ahead)
        files = {file.shown: file for file in reading.read()}
        new = [
            file
            for path, file in files.items()
            if path not in known or known[path]["stamp"] != file.stamp or (textless and not known[path]["has_text"])
        ]
        gone = sorted(known.keys() - reading.present)
        for done, batch in enumerate(_batches(new, FILES_AT_ONCE)):
            self._post("lines", {"rev": self._clone.head, "gone": gone, "files": self._told(reading, batch)})
            gone = []
            self._progress("files", min((done + 1) * FILES_AT_ONCE, len(new)), len(new))
        if gone:
            self._post("lines", {"rev": self._clone.head, "gone": gone, "files": []})
        self._found.files = len(new)
        self._found.left_out += reading.left_out
        return reading, files

    def _send_hunks(self, reading: LineReading, files: dict[str, ReadFile]) -> None:
        """The lines that pages are to show: the server knows by now which commits lead anywhere."""
        wanted = self._client.get(f"{self._path}/hunks/wanted")
        known = [one for one in wanted if one["path"] in files and files[one["path"]].stamp == one["stamp"]]
        for done, batch in enumerate(_batches(known, FILES_AT_ONCE)):
            texts = reading.texts([files[one["path"]] for one in batch])
            told = [
                {
                    "path": one["path"],
                    "stamp": one["stamp"],
                    "hunks": _cut(texts[files[one["path"]].path][0].split("\n"), one["ranges"]),
                }
                for one in batch
            ]
            self._post("hunks", {"files": told})
            self._progress("code for pages", min((done + 1) * FILES_AT_ONCE, len(known)), len(known))

    def _told(self, reading: LineReading, files: Sequence[ReadFile]) -> list[dict[str, Any]]:
        texts = reading.texts(files)
        return [
            {
                "path": file.shown,
                "spans": file.spans,
                "text": texts[file.path][0] if self._repository["with_code"] else None,
                "stamp": file.stamp,
                "nesting": texts[file.path][1],
            }
            for file in files
        ]

    # The server

    def _finish(self, flags: Sequence[str]) -> None:
        branch = self._clone.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        reading = {"head": self._clone.head, "branch": branch, "tracker": tracker_of_remote(self._clone.remote)}
        self._post("finish", {**reading, "flags_scanned": flags, "left_out": self._found.left_out})

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        return self._client.post(f"{self._path}/{what}", {"root_sha": self._repository["root_sha"], **body})


def _cut(lines: Sequence[str], ranges: Iterable[tuple[int, int]]) -> list[tuple[int, str]]:
    return [(first, "\n".join(lines[first - 1 : last])) for first, last in ranges]


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch
