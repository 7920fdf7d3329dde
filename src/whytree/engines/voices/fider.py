"""Fider's backup: one JSON array a table. Unlike its CSV it knows who wrote and what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from whytree.engines.tables import RowError, UnreadableTable

from .archives import Archive
from .records import Said, Speaker, names_of, text_of

_STAFF_ROLES = frozenset({"2", "3", "collaborator", "administrator"})


def is_fider(names: list[str]) -> bool:
    return {"posts.json", "users.json"} <= {PurePosixPath(name).name for name in names}


def read_fider(archive: Archive) -> Iterator[tuple[int, Said | RowError]]:
    """Posts, then comments, each with its place in the file."""
    users = {text_of(user.get("id")): user for user in _table(archive, "users")}
    votes = Counter(text_of(vote.get("post_id")) for vote in _table(archive, "post_votes"))
    posts = _table(archive, "posts", wanted=True)
    numbers = {text_of(post.get("id")): text_of(post.get("number")) or text_of(post.get("id")) for post in posts}
    row = 0
    for post in posts:
        row += 1
        number = numbers[text_of(post.get("id"))]
        if not number:
            yield row, RowError(row, "posts.json: the post has no number")
            continue
        beside = {
            "votes": votes[text_of(post.get("id"))],
            "status": text_of(post.get("status")),
            "tags": names_of(post.get("tags")),
        }
        said = _by(users.get(text_of(post.get("user_id"))), post)
        yield (
            row,
            Said(
                **said,
                submission_id=f"post {number}",
                title=text_of(post.get("title")),
                text=text_of(post.get("description")),
                metadata={k: v for k, v in beside.items() if v},
            ),
        )
    for comment in _table(archive, "comments"):
        row += 1
        post_number = numbers.get(text_of(comment.get("post_id")), "")
        said = _by(users.get(text_of(comment.get("user_id"))), comment)
        yield (
            row,
            Said(
                **said,
                submission_id=f"post {post_number}",
                field_id=f"comment {text_of(comment.get('id'))}",
                text=text_of(comment.get("content")),
                metadata={"thread": f"post {post_number}"},
            ),
        )


def _table(archive: Archive, table: str, *, wanted: bool = False) -> list[dict[str, Any]]:
    name = next((name for name in archive.names if PurePosixPath(name).name == f"{table}.json"), "")
    if not name:
        return []
    try:
        rows = archive.json(name)
    except ValueError as error:
        if wanted:
            raise UnreadableTable(f"{name} in {archive.path.name} cannot be read: {error}.") from error
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _by(user: dict[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    user = user or {}
    speaker: Speaker = "team" if text_of(user.get("role")).lower() in _STAFF_ROLES else "user"
    email, number = text_of(user.get("email")), text_of(user.get("id"))
    return {
        "said_at": row.get("created_at"),
        "author_name": text_of(user.get("name")),
        "author_email": email,
        "person": email or (f"fider:{number}" if number else ""),
        "speaker": speaker,
    }
