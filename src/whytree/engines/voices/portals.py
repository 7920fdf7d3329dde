"""Feedback portals: Canny, UserVoice, Fider, Quackback, Productboard.

A vote without a word is no voice; how many there were stays with the post.
"""

from __future__ import annotations

from collections.abc import Iterable

from .records import Cells, Format, Said, Unread, marks, names_of, plain, reading


def _canny_post(cells: Cells) -> Iterable[Said]:
    name = cells.text("id") or cells.text("url")
    if not name:
        raise Unread("the post has no id")
    yield Said(
        submission_id=name,
        title=cells.text("title"),
        text=cells.text("details"),
        said_at=cells.get("created"),
        author_name=cells.text("author.name", "authorName", "author"),
        author_email=cells.text("author.email", "authorEmail"),
        # what the product itself calls them, when its code told Canny
        person=cells.text("author.userID", "authorUserID"),
        url=cells.text("url"),
        speaker="team" if cells.get("author.isAdmin") in (True, "true") else "user",
        metadata=cells.beside(votes=cells.get("score"), tags=names_of(cells.get("tags"))),
    )


def _canny_comment(cells: Cells) -> Iterable[Said]:
    if cells.get("private") is True or cells.get("internal") is True:
        return
    yield Said(
        submission_id=cells.text("id"),
        text=cells.text("value"),
        said_at=cells.get("created"),
        author_name=cells.text("author.name"),
        author_email=cells.text("author.email"),
        person=cells.text("author.userID"),
        speaker="team" if cells.get("author.isAdmin") in (True, "true") else "user",
        metadata=cells.beside(thread=cells.text("post.id")),
    )


def _uservoice(cells: Cells) -> Iterable[Said]:
    """The export still says suggestion for what the pages call idea; `parent.id` is what it was merged into."""
    name = cells.text("suggestion.id")
    if not name:
        raise Unread("suggestion.id is empty")
    yield Said(
        submission_id=name,
        title=cells.text("suggestion.title"),
        text=plain(cells.get("suggestion.body")),
        said_at=cells.text("suggestion.created_timestamp", "suggestion.created_at"),
        author_name=cells.text("external_user.name", "suggestion.creator.name", "user.name"),
        author_email=cells.text("external_user.email_address", "suggestion.creator.email_address", "user.email"),
        person=cells.text("external_user.external_id"),
        company=cells.text("account.name", "account.external_id"),
        url=cells.text("suggestion.portal_url"),
        metadata=cells.beside(merged_into=cells.text("suggestion.parent.id")),
    )


def _fider(cells: Cells) -> Iterable[Said]:
    name = cells.text("number")
    if not name:
        raise Unread("the post has no number")
    yield Said(
        submission_id=f"post {name}",
        title=cells.text("title"),
        text=cells.text("description"),
        said_at=cells.get("created_at"),
        author_name=cells.text("created_by"),
        metadata=cells.beside(
            votes=cells.get("votes_count"),
            tags=names_of(cells.get("tags")),
            merged_into=cells.text("original_number"),
        ),
    )


def _quackback_post(cells: Cells) -> Iterable[Said]:
    yield Said(
        submission_id=cells.text("id", "source_id"),
        title=cells.text("title"),
        text=plain(cells.get("body") if "body" in cells else cells.get("content")),
        said_at=cells.get("created_at"),
        author_name=cells.text("author_name"),
        author_email=cells.text("author_email"),
        metadata=cells.beside(votes=cells.get("vote_count"), tags=names_of(cells.get("tags"))),
    )


def _quackback_comment(cells: Cells) -> Iterable[Said]:
    is_staff = cells.text("is_staff").lower() in ("true", "t", "1", "yes") or cells.get("is_staff") is True
    post = cells.text("post_id")
    yield Said(
        submission_id=f"{post} {cells.text('created_at')} {cells.text('author_email')}".strip(),
        field_id="comment",
        text=plain(cells.get("body")),
        said_at=cells.get("created_at"),
        author_name=cells.text("author_name"),
        author_email=cells.text("author_email"),
        speaker="team" if is_staff else "user",
        metadata=cells.beside(thread=post),
    )


def _nothing_said(cells: Cells) -> Iterable[Said]:
    return ()


def _productboard(cells: Cells) -> Iterable[Said]:
    """A note: its words are the customer's, its owner is ours."""
    name = cells.text("source.record_id", "id", "display_url")
    if not name:
        raise Unread("the note has neither source.record_id nor id nor display_url")
    yield Said(
        submission_id=name,
        title=cells.text("title"),
        text=plain(cells.get("content")),
        said_at=cells.get("created_at") or cells.get("createdAt"),
        author_name=cells.text("user.name"),
        author_email=cells.text("user.email"),
        person=cells.text("user.external_id"),
        company=cells.text("company.name", "company.domain", "company.id"),
        url=cells.text("display_url", "external_display_url"),
        metadata=cells.beside(tags=names_of(cells.get("tags")), kept_by=cells.text("owner.email")),
    )


FORMATS = (
    Format(
        "uservoice",
        "UserVoice suggestions (CSV)",
        "portal",
        marks("suggestion.id, suggestion.title"),
        reading(_uservoice),
    ),
    Format(
        "canny",
        "Canny posts",
        "portal",
        marks(
            *(f"id, title, details, {mark}" for mark in ("commentCount", "score", "board.name", "board", "board.id")),
        ),
        reading(_canny_post),
        "Canny",
    ),
    Format("canny", "Canny comments", "portal", marks("id, value, post.id"), reading(_canny_comment), "Canny"),
    Format(
        "fider",
        "Fider posts (CSV)",
        "portal",
        marks("number, title, description, votes_count, created_by"),
        reading(_fider),
        "Fider",
    ),
    Format(
        "quackback",
        "Quackback posts (CSV)",
        "portal",
        marks("title, content, vote_count, author_email", "id, title, body, moderation, vote_count"),
        reading(_quackback_post),
        "Quackback",
    ),
    Format(
        "quackback",
        "Quackback comments (CSV)",
        "portal",
        marks("post_id, body, is_staff"),
        reading(_quackback_comment),
        "Quackback",
    ),
    Format(
        "quackback",
        "Quackback votes (CSV)",
        "portal",
        marks("post_id, voter_email"),
        reading(_nothing_said),
        "Quackback",
    ),
    Format(
        "productboard",
        "Productboard notes",
        "portal",
        marks("title, content, display_url", "title, content, source.origin", "title, content, source.record_id"),
        reading(_productboard),
        "Productboard",
    ),
)
