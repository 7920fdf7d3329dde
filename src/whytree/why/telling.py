"""Say afterwards what a commit is for: a git note in the clone, and the same to the server."""

from collections.abc import Callable

from whytree.code.git import Clone
from whytree.code.reading import find_registered, told_commit
from whytree.workspace.client import Client, CommandError

from .asking import Question, ask
from .refs import NodeRef, NotAReference, parse_ref


def tell_why(client: Client, question: Question, reason: str, again: Callable[[], Question]) -> Question:
    """Note on the question's commit that it is for `reason` (SOL-3, #412); gives the question as it reads now."""
    words = _checked(client, reason)
    clone = question.clone
    commit = ask(client, question)["commit"]
    if clone is None or commit is None:
        raise CommandError("A reason is noted in the clone. Go into yours, and name a line or a commit of it.")
    clone.read("notes", "--ref=whytree", "append", "--message", f"Why: {words}", commit["sha"])
    _send(client, clone, commit["sha"])
    return again()


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
    known = find_registered(client, clone)
    if known is not None:
        commits = [told_commit(commit) for commit in clone.commits([sha]).values()]
        path = f"/products/{client.product}/repositories/{known['id']}/commits"
        client.post(path, {"root_sha": known["root_sha"], "commits": commits})
