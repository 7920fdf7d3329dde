"""What a clone says of itself and of single commits to the server. Light: every `why` needs it, a reading does too."""

from collections.abc import Sequence
from typing import Any

from whytree.engines.git.log import NOTES_REF, LogCommit
from whytree.workspace.terminal.client import Client, CommandError

from ..clone.git import Clone


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


def find_registered(client: Client, clone: Clone) -> dict[str, Any] | None:
    """The repository of this product that the clone is one of, by its first commit."""
    root_sha = identity(clone)
    repositories: list[dict[str, Any]] = client.get(f"/products/{client.product}/repositories")
    return next((one for one in repositories if one["root_sha"] == root_sha), None)


def registered(client: Client, clone: Clone) -> dict[str, Any] | None:
    """The same; a shallow clone cannot be told by its first commit, and was never added."""
    return None if clone.is_shallow else find_registered(client, clone)


def note_of(words: str) -> str:
    return f"Why: {words}"


def keep_note(clone: Clone, sha: str, words: str) -> None:
    """Note in the clone what a commit is for, beside what was noted of it before."""
    clone.read("notes", "--ref=whytree", "append", "--file=-", sha, stdin=note_of(words) + "\n")
    if not clone.ask("config", "--get-all", "notes.rewriteRef"):
        # So that the reason stays with a commit that is amended or rebased later.
        clone.ask("config", "notes.rewriteRef", NOTES_REF)


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
