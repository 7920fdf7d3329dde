"""Which place somebody asks to improve, on the command line's side: what its clone knows goes along."""

from pathlib import Path
from typing import Any

from whytree.code.clone.git import open_clone
from whytree.workspace.terminal.client import Client, CommandError

from ..asking.clone import read_question
from .changed import base_of, read_change


def look_ahead(client: Client, typed: str, folder: Path) -> dict[str, Any]:
    """The server's answer. A page of the product is told from a path by its leading slash."""
    path = f"/products/{client.product}/improve"
    if base := base_of(typed, folder):
        changed: dict[str, Any] = client.post(path, read_change(base, folder))
        return changed | {"page": ""}  # what is not committed no page can show
    ref = _page_or_folder(typed.strip(), folder)
    body = {"ref": ref} if ref else read_question(typed, folder).body
    answer: dict[str, Any] = client.post(path, body)
    return answer


def _page_or_folder(typed: str, folder: Path) -> str:
    """As the server is asked about a page or a folder; "" for what only the clone can tell more of."""
    place = folder / typed
    try:
        is_file, is_folder = bool(typed) and place.is_file(), bool(typed) and place.is_dir()
    except (OSError, ValueError):
        is_file = is_folder = False
    if is_folder:
        try:
            root = open_clone(place).root.resolve()
        except CommandError:
            return typed if typed.startswith("/") else f"{typed.rstrip('/')}/"
        inside = place.resolve().relative_to(root).as_posix()
        return "." if inside == "." else f"{inside}/"
    if is_file:
        return ""
    return typed if typed.startswith(("/", "http://", "https://")) else ""
