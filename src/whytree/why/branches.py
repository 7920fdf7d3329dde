"""A branch for a piece of work, and the line its commits carry. On the command line's side."""

import re
import unicodedata

from whytree.code.git import Clone
from whytree.workspace.client import CommandError

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
    try:
        clone.read("switch", *([] if exists else ["--create"]), name)
    except CommandError as error:
        raise CommandError(f"{error.message} The branch {name} was not made; clear that up and start again.") from error
    return not exists


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
