"""Say afterwards what a commit is for: a git note in the clone, and the same to the server."""

from pathlib import Path
from typing import Any

from whytree.code.git import Clone
from whytree.code.reading import identity, told_commit
from whytree.workspace.client import Client, CommandError

from .asking import Question, ask, read_question
from .refs import NodeRef, NotAReference, parse_ref


def tell_why(client: Client, question: Question, reason: str, typed: str) -> Question:
    """Note on the question's commit that it is for `reason` (SOL-3, #412); gives the question as it reads now."""
    words = _checked(client, reason)
    clone = question.clone
    commit = ask(client, question)["commit"]
    if clone is None or commit is None:
        raise CommandError("A reason is noted in the clone. Go into yours, and name a line or a commit of it.")
    clone.read("notes", "--ref=whytree", "append", "--message", f"Why: {words}", commit["sha"])
    _send(client, clone, commit["sha"])
    return read_question(typed, Path.cwd())


def _checked(client: Client, reason: str) -> str:
    """The reason as one writes it; refused when nothing here is called so."""
    try:
        ref = parse_ref(reason)
    except NotAReference as error:
        raise CommandError(f"{reason!r} names nothing. Say an id or a ticket: --tell SOL-3") from error
    client.get(f"/products/{client.product}/why", ref=reason)
    return str(ref) if isinstance(ref, NodeRef) else reason


def _send(client: Client, clone: Clone, sha: str) -> None:
    """To the server too, where this clone is registered; else the next `repository add` brings it."""
    if clone.is_shallow:
        return
    root_sha = identity(clone)
    repositories: list[dict[str, Any]] = client.get(f"/products/{client.product}/repositories")
    known = next((one for one in repositories if one["root_sha"] == root_sha), None)
    if known is not None:
        commits = [told_commit(commit) for commit in clone.commits([sha]).values()]
        path = f"/products/{client.product}/repositories/{known['id']}/commits"
        client.post(path, {"root_sha": root_sha, "commits": commits})
