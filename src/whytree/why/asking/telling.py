"""Say afterwards what a commit is for: a git note in the clone, and the same to the server."""

from collections.abc import Callable
from typing import Any

from whytree.code.clone.git import Clone
from whytree.code.scanning.telling import find_registered, keep_note, told_commit
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.printing import ask as ask_person
from whytree.workspace.terminal.printing import say

from ..refs import CommitRef, LineRef, NodeRef, NotAReference, parse_ref
from .clone import Question, ask


def tell_why(client: Client, question: Question, reason: str, again: Callable[[], Question]) -> Question:
    """Keep that the question's commit is for `reason` (SOL-3, #412, words); gives the question as it reads now.

    As a git note in the clone; where there is none, or none can be written, the server keeps it for the next sync.
    """
    words = _checked(client, reason)
    if isinstance(question.ref, LineRef) and (several := len({sha for *_, sha in question.body.get("spans", ())})) > 1:
        raise CommandError(
            f"These lines came with {several:,} commits, and a reason belongs to one. Name a line: "
            f"whytree why {question.ref.path}:12 --tell …"
        )
    commit = ask(client, question)["commit"] if is_tellable(question) else None
    if commit is None:
        raise CommandError(
            "A reason belongs to a commit. Name a line or a commit, in your clone or as it was last read in: "
            "whytree why app/form.py:42 --tell SOL-3"
        )
    if question.clone is None:
        _keep_there(client, commit["sha"], words)
        return question
    try:
        keep_note(question.clone, commit["sha"], words)
    except CommandError as error:
        if not commit["known"]:
            raise CommandError(
                f"{error.message}. The note could not be kept, and the server does not know this commit."
            ) from error
        _keep_there(client, commit["sha"], words)
        return again()
    _send(client, question.clone, commit["sha"])
    return again()


def is_tellable(question: Question) -> bool:
    """Of a ticket or a node one can say much, but not what its newest commit is for."""
    return isinstance(question.ref, LineRef | CommitRef)


def _checked(client: Client, reason: str) -> str:
    """The reason as one writes it; refused when it looks like an id or a ticket and nothing here is called so."""
    words = " ".join(reason.split())
    try:
        ref = parse_ref(words)
    except NotAReference as error:
        if " " not in words:
            raise CommandError(f"{reason!r} names nothing. Say an id, a ticket or a few words: --tell SOL-3") from error
        return words
    if isinstance(ref, NodeRef) or " " not in words:
        client.get(f"/products/{client.product}/why", ref=words)
    return str(ref) if isinstance(ref, NodeRef) else words


def _keep_there(client: Client, sha: str, words: str) -> None:
    client.post(f"/products/{client.product}/why/tell", {"commit": sha, "reason": words})


def _send(client: Client, clone: Clone, sha: str) -> None:
    """To the server too, where this clone is registered; else the next `repository add` brings it."""
    if clone.is_shallow:
        return
    known = find_registered(client, clone)
    if known is not None:
        commits = [told_commit(commit) for commit in clone.commits([sha]).values()]
        path = f"/products/{client.product}/repositories/{known['id']}/commits"
        client.post(path, {"root_sha": known["root_sha"], "commits": commits})


def offer(question: Question, answer: dict[str, Any]) -> str:
    """One key after an answer that nobody explained: "t" asks what it is for, anything else leaves. Gives the reason."""
    import typer

    commit = answer["commit"]
    if answer["explained"] or commit is None or not is_tellable(question):
        return ""
    say("t", colour="cyan", end="", err=True)
    say(" tell why   Enter leave ", end="", err=True)
    try:
        key = typer.getchar()
    except (KeyboardInterrupt, EOFError, OSError):
        key = ""
    say(err=True)
    if key.lower() != "t":
        return ""
    return ask_person(f"What is {commit['short']} for? SOL-3, #412 or a few words", err=True)
