"""Files of a clone as they are, were, or no longer are. On the command line's side."""

from dataclasses import dataclass

from whytree.engines.git.log import decode
from whytree.workspace.terminal.client import CommandError

from .git import Clone

_MODES = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a folder"}
SNIFFED = 8_000
# Files may be moved to and fro.
MOST_MOVES = 8


@dataclass(frozen=True)
class Deletion:
    """The commit a file is gone since. `moved_to` where git sees that it was renamed; `lives_at` where it stands today,
    which is elsewhere when it moved on."""

    sha: str
    moved_to: str = ""
    lives_at: str = ""


def find_revision(clone: Clone, typed: str) -> str:
    """Full id of a commit, by whatever name git knows it: a tag, a branch, `HEAD~3`, part of an id."""
    sha = clone.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{typed.strip()}^{{commit}}")
    if not typed.strip() or not sha:
        raise CommandError(
            f"{typed[:80]!r} is no revision here. Give a commit, a tag or a branch: v1.2, HEAD~3, 4f2c9d1"
        )
    return sha


def kind_at(clone: Clone, revision: str, path: str) -> str:
    """What stands at a path: "file", "a folder", "a submodule", "a symbolic link", or "" for nothing."""
    listed = clone.ask("ls-tree", "-z", "--full-tree", revision, "--", path.rstrip("/")).strip("\0")
    mode = listed.partition(" ")[0]
    return _MODES.get(mode, "file") if listed else ""


def bytes_at(clone: Clone, revision: str, path: str) -> bytes:
    return clone.read_bytes("cat-file", "blob", f"{revision}:{path}")


def text_lines(raw: bytes, path: str) -> list[str]:
    """Lines of a text file without their ends; `CommandError` for what is no text."""
    if b"\0" in raw[:SNIFFED]:
        raise CommandError(f"{path} is a binary file: its lines mean nothing. Ask about its commit: git log -1 {path}")
    lines = decode_text(raw).split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def decode_text(raw: bytes) -> str:
    return raw.decode("utf-8-sig", "replace")


def find_deletion(clone: Clone, path: str, moves: int = MOST_MOVES) -> Deletion | None:
    """The newest commit that took a file away; None for one that never was there. So many further moves are followed."""
    look = ("log", "-1", "--format=%H", "--full-history", "--diff-filter=D", "--no-renames")
    sha = clone.ask(*look, "HEAD", "--", path) or clone.ask(*look, "-m", "--first-parent", "HEAD", "--", path)
    if not sha:
        return None
    moved_to = _moved_to(clone, sha, path)
    return Deletion(sha, moved_to, _lives_at(clone, moved_to, moves) if moved_to else "")


def _lives_at(clone: Clone, path: str, moves: int) -> str:
    """Where a file that went there stands today; "" where it is gone after all."""
    if kind_at(clone, "HEAD", path) == "file":
        return path
    further = find_deletion(clone, path, moves - 1) if moves else None
    return further.lives_at if further else ""


def _moved_to(clone: Clone, sha: str, path: str) -> str:
    """Where the file went in that commit, if git takes it for a rename."""
    listed = clone.read_bytes("show", "--format=", "--name-status", "-z", "-M", "--diff-filter=R", "-m", sha)
    words = [decode(word) for word in listed.split(b"\0")]
    moves = {words[at + 1]: words[at + 2] for at in range(0, len(words) - 2, 3)}
    return moves.get(path, "")
