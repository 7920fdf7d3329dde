"""A branch for a piece of work, and the line its commits carry. On the command line's side."""

import re
import unicodedata

from whytree.code.clone.git import Clone
from whytree.workspace.terminal.client import CommandError

SLUG_LENGTH = 40


def branch_name(ref: str, title: str) -> str:
    """`SOL-3`, "Défer phone; rm -rf /" -> `sol-3-defer-phone-rm-rf`: letters, digits and dashes, whatever the title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    name = ref.lower()
    for word in re.findall(r"[a-z0-9]+", plain.lower()):
        if len(name) + len(word) >= SLUG_LENGTH:
            break
        name += f"-{word}"
    return name


def current_branch(clone: Clone) -> str:
    """Name of the branch one is on; "" between branches."""
    return clone.ask("symbolic-ref", "--quiet", "--short", "HEAD")


def switch_to(clone: Clone, name: str) -> bool:
    """Be on the branch called `name`; whether it is new. Work that is not committed comes along, as git lets it."""
    if current_branch(clone) == name:
        return False
    exists = bool(clone.ask("show-ref", "--verify", f"refs/heads/{name}"))
    done = clone.attempt("switch", *([] if exists else ["--create"]), name)
    if done:
        state = "" if exists else f" The branch {name} was not made."
        raise CommandError(f"{_what_to_do(done, name)}{state}")
    return not exists


# What git says, and what to do about it.
_TROUBLE = (
    ("would be overwritten", "What is not committed here would be lost on {name}. Commit it, or git stash; then start again."),
    ("is already checked out", "{name} is checked out in another worktree. Go on there: git worktree list"),
    ("is already used by worktree", "{name} is checked out in another worktree. Go on there: git worktree list"),
    ("while rebasing", "A rebase is in the middle. End it (git rebase --continue, or --abort); then start again."),
    ("while merging", "A merge is in the middle. End it (git commit, or git merge --abort); then start again."),
    ("while cherry-picking", "A cherry-pick is in the middle. End it (git cherry-pick --continue, or --abort); then start again."),
    ("while reverting", "A revert is in the middle. End it (git revert --continue, or --abort); then start again."),
    ("while bisecting", "A bisection is in the middle. End it: git bisect reset; then start again."),
    ("am session", "A series of patches is in the middle. End it (git am --continue, or --abort); then start again."),
    ("resolve your current index", "Files here have conflicts. Resolve and commit them; then start again."),
    ("cannot lock ref", "Another branch's name is in the way of {name}. Rename that one (git branch -m); then start again."),
    (".lock", "Another git runs in this clone. Wait for it (or remove its lock file); then start again."),
)  # fmt: skip


def _what_to_do(complaint: str, name: str) -> str:
    for words, sentence in _TROUBLE:
        if words in complaint:
            return sentence.format(name=name)
    lines = [line for line in complaint.splitlines() if line.strip()]
    said = lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else "it gave no reason"
    return f"git switch failed: {said}"


def begins_at(clone: Clone) -> str:
    """Where a new branch would begin, when that is not plain: on another piece of work, or between branches."""
    branch = current_branch(clone)
    if not branch:
        head = clone.ask("rev-parse", "--short", "HEAD")
        return f"It begins at {head}: no branch was checked out." if head else ""
    before = clone.ask("config", "--get", f"branch.{branch}.whytree")
    return f"It begins at {branch}, so what you did for {before} comes along." if before else ""


def branch_for(clone: Clone, ref: str, title: str) -> str:
    """The branch that was started for `ref` before, whatever it is called; else a new name."""
    listed = clone.ask("config", "--get-regexp", r"^branch\..*\.whytree$")
    for line in listed.splitlines():
        key, _, value = line.partition(" ")
        name = key.removeprefix("branch.").removesuffix(".whytree")
        if value == ref and clone.ask("show-ref", "--verify", f"refs/heads/{name}"):
            return name
    return branch_name(ref, title)


def set_trailer(clone: Clone, branch: str, ref: str) -> None:
    """Commits on this branch are for `ref`; the hook reads it."""
    clone.read("config", f"branch.{branch}.whytree", ref)
