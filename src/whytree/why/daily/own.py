"""What the command line adds to `daily`: the addresses that one's own commits carry."""

from pathlib import Path

from whytree.code.clone.git import open_clone
from whytree.workspace.terminal.client import CommandError


def own_emails(folder: Path) -> list[str]:
    """As git writes them here, and as .mailmap spells them; none outside a clone."""
    try:
        clone = open_clone(folder)
    except CommandError:
        return []
    email = clone.ask("config", "--get", "user.email")
    if not email:
        return []
    mapped = clone.ask("check-mailmap", f"x <{email}>").rpartition("<")[2].rstrip(">")
    return list(dict.fromkeys(one for one in (email, mapped) if one and " " not in one))
