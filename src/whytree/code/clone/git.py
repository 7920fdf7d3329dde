"""Running git, on the command line's side: the server never reads a path it is told.

Every failure is a `CommandError`, one sentence that says what to do.
"""

import os
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from whytree.engines.git.log import LOG_ARGUMENTS, NOTES_REF, LogCommit, decode, is_one_piece, merged_through, parse_log
from whytree.engines.links.tickets import tracker_of_remote
from whytree.workspace.terminal.client import CommandError

from .headstart import CONFIGURATION, Settings, environment, settings_at, without_filters

_CHUNK = 1 << 16
NO_GIT = "There is no git on this machine's PATH. Install it (Debian, Ubuntu: apt install git) and try again."

FILTER = (
    "The settings of this clone name a filter that cannot be turned off, and reading would run it. "
    "Look at them: git config --get-regexp '^filter'"
)


@dataclass(frozen=True)
class Clone:
    """A working tree with its history. `root` is its top folder; `head` is empty while nothing was committed.

    `is_bare`: a mirror of the server's, with no work tree; what it says of itself stands in its head. `git_folder` is
    the one that all its work trees share.
    """

    root: Path
    head: str
    is_shallow: bool
    git_folder: Path
    is_bare: bool = False

    def read(self, *arguments: str, stdin: str | None = None) -> str:
        """Output of a git command; raises `CommandError` with git's own words when it fails."""
        return decode(self.read_bytes(*arguments, stdin=stdin)).rstrip("\n")

    def read_bytes(self, *arguments: str, stdin: str | None = None) -> bytes:
        done = _run(self._git, arguments, stdin)
        if done.returncode:
            raise CommandError(f"git {arguments[0]} failed: {_complaint(done.stderr)}")
        return done.stdout

    def attempt(self, *arguments: str) -> str:
        """All that git complained about; "" when the command did what it should.

        For what changes the work tree as git itself would: here the repository's filters stay on.
        """
        done = _run(_git(self.root), arguments)
        return decode(done.stderr).strip() or "it gave no reason" if done.returncode else ""

    def ask(self, *arguments: str) -> str:
        """Output of a git command, or "" when it says no."""
        return decode(self.ask_bytes(*arguments)).strip()

    def ask_bytes(self, *arguments: str) -> bytes:
        done = _run(self._git, arguments)
        return b"" if done.returncode else done.stdout

    def stream(self, *arguments: str, stdin: str | None = None) -> Iterator[bytes]:
        """Output of a long git command in chunks, as it comes. git reads all of `stdin` before it answers."""
        import tempfile

        with tempfile.TemporaryFile() as complaint:
            process = subprocess.Popen(
                [*self._git, *arguments],
                env=environment(),
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaint,
            )
            with process:
                if process.stdin:
                    process.stdin.write((stdin or "").encode())
                    process.stdin.close()
                while process.stdout and (chunk := os.read(process.stdout.fileno(), _CHUNK)):
                    yield chunk
            if process.returncode > 0:
                complaint.seek(0)
                raise CommandError(f"git {arguments[0]} failed: {_complaint(complaint.read())}")

    def search(self, *arguments: str) -> bytes | None:
        """Output of a git command that ends with 1 when it finds nothing; None when it cannot be run like this."""
        done = _run(self._git, arguments)
        return done.stdout if done.returncode in (0, 1) else None

    def commits(self, shas: Sequence[str]) -> dict[str, LogCommit]:
        """Facts of these commits; one that the clone does not hold is absent."""
        if not shas:
            return {}
        arguments = ("log", "--no-walk=unsorted", "--ignore-missing", *LOG_ARGUMENTS, "--stdin")
        found = parse_log([self.read_bytes(*arguments, stdin="\n".join(shas) + "\n")])
        return {commit.sha: commit for commit in found}

    def blobs(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Contents by their ids; `CommandError` where one is missing, as in a clone that fetches them later."""
        output = self.read_bytes("cat-file", "--batch", stdin="".join(f"{one}\n" for one in dict.fromkeys(ids)))
        found, at = {}, 0
        for one in dict.fromkeys(ids):
            head, _, size = output[at : output.index(b"\n", at)].rpartition(b" ")
            if not size.isdigit():
                raise CommandError(f"This clone lacks the contents of {one[:7]}. Fetch them: git fetch --refetch")
            start = at + len(head) + 1 + len(size) + 1
            found[one] = output[start : start + int(size)]
            at = start + int(size) + 1
        return found

    def missing(self, ids: Collection[str]) -> set[str]:
        """Which of these objects the clone lacks."""
        listed = self.read("cat-file", "--batch-check", stdin="".join(f"{one}\n" for one in sorted(ids)))
        return {row.split(" ")[0] for row in listed.splitlines() if row.endswith(" missing")}

    def has_ancestor(self, sha: str) -> bool:
        """Whether a commit stands in the history of the head."""
        return not _run(self._git, ("merge-base", "--is-ancestor", sha, "HEAD")).returncode

    def noted(self) -> set[str]:
        """Commits that have a note in our own ref."""
        listed = self.ask("notes", f"--ref={NOTES_REF}", "list")
        return {line.split()[1] for line in listed.splitlines() if len(line.split()) == 2}

    def count(self) -> int:
        """How many commits HEAD's history has."""
        return int(self.read("rev-list", "--count", "HEAD"))

    def graph(self, since: Sequence[str] = ()) -> dict[str, list[str]]:
        """Every commit of HEAD's history with its parents, but what is in the history of `since`."""
        rows = map(str.split, self.read("rev-list", "--parents", *_new(since)).splitlines())
        return {row[0]: row[1:] for row in rows}

    def merged_through(self, graph: Mapping[str, Sequence[str]], since: Sequence[str] = ()) -> dict[str, str]:
        """For each commit of the graph that came through a merge, the one that speaks for it."""
        tracker = tracker_of_remote(self.remote)
        merges = parse_log(self.stream("log", "--merges", *LOG_ARGUMENTS, *_new(since)))
        whole = {merge.sha for merge in merges if is_one_piece(merge.subject, merge.body, tracker)}
        return merged_through(graph, self.head, whole)

    @cached_property
    def _git(self) -> list[str]:
        """How git is called to read: no program runs that the repository names for cleaning its files."""
        try:
            return [*_git(self.root), *without_filters(self._settings)]
        except ValueError as error:
            raise CommandError(FILTER) from error

    @cached_property
    def _settings(self) -> Settings:
        try:
            return settings_at(str(self.root))
        except FileNotFoundError as error:
            raise CommandError(NO_GIT) from error

    @cached_property
    def cut_off(self) -> frozenset[str]:
        """Commits where a shallow clone's history begins: they seem to have written all that is older, too."""
        if not self.is_shallow:
            return frozenset()
        try:
            listed = (self.root / self.read("rev-parse", "--git-path", "shallow")).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return frozenset()
        return frozenset(listed.split())

    @cached_property
    def settings(self) -> dict[str, str]:
        """What the repository's configuration says of its remotes and of lines to look through; keys in lower case."""
        return {name: value for name, value in self._settings if value and not name.startswith("filter.")}

    def missing_objects(self) -> int:
        """How many objects of the history a partial clone left on its server; they are never fetched from here."""
        if not self.ask("config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$"):
            return 0
        listed = self.stream("rev-list", "--objects", "--missing=print", "HEAD")
        return sum(line.startswith(b"?") for line in split_lines(listed))

    @property
    def remote(self) -> str:
        """Address of `origin`, or of another remote; "" when there is none."""
        remotes = {name: url for name, url in self.settings.items() if name.startswith("remote.")}
        return remotes.get("remote.origin.url") or next(iter(remotes.values()), "")


def open_clone(path: Path) -> Clone:
    """The clone that holds `path`, a folder or a file."""
    if not path.exists():
        raise CommandError(f"There is nothing at {path}. Give the path of your clone.")
    folder = path if path.is_dir() else path.parent
    asked = ("rev-parse", "--show-toplevel", "--is-shallow-repository", "--git-common-dir", "--verify", "HEAD")
    done = _run(_git(folder), asked)
    lines = decode(done.stdout).splitlines()
    if done.returncode and len(lines) < 3:
        raise CommandError(_why_no_clone(folder, _complaint(done.stderr)))
    head = lines[3] if len(lines) > 3 and not done.returncode else ""
    return Clone(Path(lines[0]), head, lines[1] == "true", _from(folder, lines[2]))


def open_mirror(folder: Path) -> Clone:
    """A bare copy that the server has made."""
    mirror = Clone(folder, "", is_shallow=False, git_folder=folder, is_bare=True)
    return replace(mirror, head=mirror.read("rev-parse", "--verify", "HEAD"))


def split_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends, from a stream."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def exact_path(raw: bytes) -> str:
    """A path as git must be given it again, whatever its bytes."""
    return raw.decode("utf-8", "surrogateescape")


def shown_path(path: str) -> str:
    """The same for people and databases: bytes that are no text are spelled out."""
    return decode(path.encode("utf-8", "surrogateescape"))


def _why_no_clone(folder: Path, complaint: str) -> str:
    if "dubious ownership" in complaint:
        return f"git distrusts {folder}: it belongs to somebody else. If you trust it: git config --global --add safe.directory {folder}"
    if "work tree" in complaint:
        return f"{folder} is a bare repository: it has no files to read. Give the path of a clone with its files."
    return f"{folder} is no git repository. Go into your clone, or give its path."


def _new(since: Sequence[str]) -> list[str]:
    """HEAD's history without what was known; a commit that this clone does not have leaves nothing out."""
    return ["--ignore-missing", "HEAD", *(f"^{sha}" for sha in since)]


def _from(folder: Path, told: str) -> Path:
    """A path that git told from a folder on, as one that holds from anywhere."""
    return Path(os.path.normpath(folder.resolve() / told))


def _git(folder: Path) -> list[str]:
    return ["git", "-C", str(folder), "--no-pager", *CONFIGURATION]


def _run(git: Sequence[str], arguments: Sequence[str], stdin: str | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [*git, *arguments],
            env=environment(),
            input=stdin.encode() if stdin is not None else None,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(NO_GIT) from error


def _complaint(stderr: bytes) -> str:
    """git's last word without its prefix."""
    lines = [line for line in decode(stderr).splitlines() if line.strip()]
    return lines[-1].removeprefix("fatal: ").removeprefix("error: ") if lines else "it gave no reason"
