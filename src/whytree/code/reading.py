"""Read a clone and tell the server: commits, the flags they added, and who wrote which lines last.

Only what is new travels, in pieces that may be sent again: a reading that was cut off goes on where it stopped.
Contents stay here, unless the person said `--with-code`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from whytree.engines.blame import spans_of
from whytree.engines.gitlog import LOG_ARGUMENTS, PATHS_TOO, LogCommit, merged_through, parse_log
from whytree.engines.gitlog_diff import DIFF_ARGUMENTS, flags_added, flags_pattern, parse_diffs
from whytree.engines.links_tickets import tracker_of_remote
from whytree.workspace.client import Client, CommandError

from .git import Clone, exact_path, shown_path, split_lines
from .lines import FileLines, LineReader, Wanted

Item = TypeVar("Item")
# Called as it goes: what is being done, how much of it, of how much (0: not known).
Progress = Callable[[str, int, int], None]

# One request stays small whatever the messages.
COMMITS_AT_ONCE = 250
FILES_AT_ONCE = 100
# A page shows lines of files people read; beyond these sizes it is data, or generated.
MAX_FILES = 5000
MAX_LINES_A_FILE = 10_000
# A first reading ends after this long and says so; the next one goes on.
MAX_SECONDS_FOR_LINES = 240.0


@dataclass
class Found:
    """What a reading found."""

    commits: int = 0
    new_commits: int = 0
    new_tickets: int = 0
    files: int = 0
    left_out: list[str] = field(default_factory=list)


def identity(clone: Clone) -> str:
    """First commit of the main line; `CommandError` where there is none or the history is cut off."""
    if not clone.head:
        raise CommandError(f"{clone.root} has no commit yet. Commit something, then add it.")
    if clone.is_shallow:
        raise CommandError(
            f"{clone.root} is a shallow clone: its history is cut off, so it cannot say why. "
            "Fetch the rest first: git fetch --unshallow"
        )
    return clone.read("rev-list", "--max-parents=0", "--first-parent", "HEAD").splitlines()[-1]


def registered(client: Client, clone: Clone) -> dict[str, Any] | None:
    """The repository that this clone is on the server; None while it was not added."""
    if clone.is_shallow:
        return None
    root_sha = identity(clone)
    repositories: list[dict[str, Any]] = client.get(f"/products/{client.product}/repositories")
    return next((one for one in repositories if one["root_sha"] == root_sha), None)


class Reading:
    """One reading of one clone for one registered repository."""

    def __init__(self, client: Client, clone: Clone, repository: dict[str, Any], progress: Progress) -> None:
        self._client = client
        self._clone = clone
        self._repository = repository
        self._progress = progress
        self._path = f"/products/{client.product}/repositories/{repository['id']}"
        self._found = Found()

    def run(self, *, lines: bool = True, everything: bool = False) -> Found:
        """Send what is new; with `everything`, send all of it again."""
        graph = self._graph()
        self._found.commits = len(graph)
        known_head = self._repository["head"]
        since = [f"^{known_head}"] if known_head in graph and not everything else []
        flags = sorted(flag["key"] for flag in self._client.get(f"/products/{self._client.product}/flags"))
        self._send_commits(graph, since, flags)
        if lines:
            self._send_lines(graph)
        self._finish(flags)
        return self._found

    def _graph(self) -> dict[str, list[str]]:
        rows = (line.split() for line in self._clone.read("rev-list", "--parents", "HEAD").splitlines())
        return {row[0]: row[1:] for row in rows}

    # Commits

    def _send_commits(self, graph: dict[str, list[str]], since: Sequence[str], flags: Sequence[str]) -> None:
        merged = merged_through(graph, self._clone.head)
        added = self._flags_added(since, flags)
        new = self._clone.read("rev-list", "HEAD", *since).splitlines() if since else list(graph)
        total = len(new)
        self._push(self._log("log", "--date-order", "HEAD", *since), merged, added, total)
        # What changed about commits told before: a merge or a note came later, or a flag was registered later.
        told = graph.keys() - set(new)
        later = {commit for commit, merge in merged.items() if commit in told and merge not in told}
        later |= (added.keys() | self._noted()) & told
        if later:
            listing = "".join(f"{sha}\n" for sha in sorted(later))
            self._push(self._log("log", "--no-walk=unsorted", "--stdin", stdin=listing), merged, added, len(later))

    def _log(self, *arguments: str, stdin: str | None = None) -> Iterator[LogCommit]:
        command, *rest = arguments
        return parse_log(self._clone.stream(command, *LOG_ARGUMENTS, *PATHS_TOO, *rest, stdin=stdin))

    def _noted(self) -> set[str]:
        listed = self._clone.ask("notes", "--ref=whytree", "list")
        return {line.split()[1] for line in listed.splitlines() if len(line.split()) == 2}

    def _push(
        self, commits: Iterable[LogCommit], merged: dict[str, str], added: dict[str, tuple[str, ...]], total: int
    ) -> None:
        done = 0
        for batch in _batches(commits, COMMITS_AT_ONCE):
            body = [told_commit(commit, merged.get(commit.sha, ""), added.get(commit.sha, ())) for commit in batch]
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
        return flags_added(parse_diffs(split_lines(output)), flags)

    # Lines

    def _send_lines(self, graph: dict[str, list[str]]) -> None:
        sizes = self._text_files()
        shown = {shown_path(path): path for path in sizes}
        known = {file["path"]: file for file in self._client.get(f"{self._path}/files")}
        wanted = [shown[path] for path in self._unread(list(shown), known, graph)]
        deadline = time.monotonic() + MAX_SECONDS_FOR_LINES
        reader = LineReader(self._clone, "HEAD")
        gone = sorted(known.keys() - shown.keys())
        done = 0
        for batch in _batches(wanted, FILES_AT_ONCE):
            files = [self._lines_of(one) for one in self._blamed(reader, batch)]
            self._post("lines", {"rev": self._clone.head, "gone": gone, "files": files})
            gone, done = [], done + len(batch)
            self._progress("files", done, len(wanted))
            if time.monotonic() > deadline and done < len(wanted):
                self._leave_out(
                    len(wanted) - done, "took too long; the next `whytree repository sync` goes on with them"
                )
                break
        if gone:
            self._post("lines", {"rev": self._clone.head, "gone": gone, "files": []})
        self._found.files = done

    def _blamed(self, reader: LineReader, paths: Sequence[str]) -> list[FileLines]:
        """Lines of these files; one that git cannot blame does not stop the others."""
        try:
            return list(reader.read_all([Wanted(path) for path in paths]).values())
        except CommandError:
            if len(paths) == 1:
                self._leave_out(1, f"could not be blamed by git ({shown_path(paths[0])})")
                return []
        middle = len(paths) // 2
        return self._blamed(reader, paths[:middle]) + self._blamed(reader, paths[middle:])

    def _lines_of(self, file: FileLines) -> dict[str, Any]:
        spans = spans_of((line.line, line.sha) for line in file.lines)
        text = "\n".join(line.text for line in file.lines) if self._repository["with_code"] else None
        return {
            "path": shown_path(file.path),
            "spans": [(span.start, span.end, span.sha) for span in spans],
            "text": text,
        }

    def _text_files(self) -> dict[str, int]:
        """Text files of HEAD with their number of lines, those worked on last first; what is left out is noted."""
        sizes = self._sizes()
        long = [path for path, size in sizes.items() if size > MAX_LINES_A_FILE]
        self._leave_out(len(long), f"are longer than {MAX_LINES_A_FILE:,} lines")
        kept = {path: sizes[path] for path in self._by_recency(sizes) if path not in set(long)}
        self._leave_out(len(kept) - MAX_FILES, f"are beyond the {MAX_FILES:,} that were worked on last")
        return dict(islice(kept.items(), MAX_FILES))

    def _sizes(self) -> dict[str, int]:
        """Lines of each text file at HEAD. Against an empty tree, so binary files say "-" and links are told apart."""
        empty = self._clone.read("hash-object", "-t", "tree", "--stdin", stdin="")
        listed = self._clone.read_bytes(
            "diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", empty, "HEAD"
        )
        rows = (exact_path(row).split("\t", 2) for row in listed.split(b"\0") if row)
        sizes = {path: int(added) for added, _, path in rows if added not in {"-", "0"}}
        modules = self._clone.read_bytes("ls-tree", "-r", "-z", "HEAD").split(b"\0")
        linked = {exact_path(row.partition(b"\t")[2]) for row in modules if row.startswith((b"160000", b"120000"))}
        return {path: size for path, size in sizes.items() if path not in linked}

    def _by_recency(self, sizes: dict[str, int]) -> list[str]:
        if len(sizes) <= MAX_FILES:
            return sorted(sizes)
        recent = self._clone.read_bytes("log", "--format=", "--name-only", "-z", "--no-renames", "-n5000", "HEAD")
        touched = dict.fromkeys(exact_path(path).strip("\n") for path in recent.split(b"\0"))
        return list(dict.fromkeys([*(path for path in touched if path in sizes), *sorted(sizes)]))

    def _unread(self, paths: Sequence[str], known: dict[str, Any], graph: dict[str, list[str]]) -> list[str]:
        """Files that nobody read yet, that changed since, or that were read in a history that was rewritten."""
        changed = {rev: set(paths) for rev in {file["rev"] for file in known.values()}}
        for rev in changed.keys() & graph.keys():
            names = self._clone.ask("diff", "--name-only", "-z", "--no-renames", rev, "HEAD", "--")
            changed[rev] = set(names.split("\0"))
        looked_through = any(".git-blame-ignore-revs" in names for names in changed.values())
        textless = self._repository["with_code"]
        return [
            path
            for path in paths
            if looked_through
            or path not in known
            or path in changed[known[path]["rev"]]
            or (textless and not known[path]["has_text"])
        ]

    def _leave_out(self, count: int, reason: str) -> None:
        if count > 0:
            self._found.left_out.append(f"{count:,} {'file' if count == 1 else 'files'} left out: they {reason}.")

    # The server

    def _finish(self, flags: Sequence[str]) -> None:
        branch = self._clone.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        reading = {"head": self._clone.head, "branch": branch, "tracker": tracker_of_remote(self._clone.remote)}
        self._post("finish", {**reading, "flags_scanned": flags, "left_out": self._found.left_out})

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        return self._client.post(f"{self._path}/{what}", {"root_sha": self._repository["root_sha"], **body})


def told_commit(commit: LogCommit, merged_by: str = "", flags: Sequence[str] = ()) -> dict[str, Any]:
    """A commit as the server takes it."""
    return {
        "sha": commit.sha,
        "authored_at": commit.authored_at.isoformat(),
        "subject": commit.subject,
        "body": commit.body,
        "note": commit.note,
        "author_name": commit.author_name,
        "author_email": commit.author_email,
        "parents": commit.parents,
        "files": commit.paths,
        "merged_by": merged_by,
        "flags_added": flags,
    }


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while batch := list(islice(waiting, size)):
        yield batch
