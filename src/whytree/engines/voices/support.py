"""Support desks: Intercom conversations and Zendesk tickets. Replies of the team and notes among themselves are no voices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .records import Cells, Format, Said, Speaker, Unread, marks, names_of, plain, reading, text_of

# Only these parts of a conversation hold words; the others say that it was assigned, snoozed, tagged ...
_WORDS = frozenset({"comment", "open", "close", "note", "note_and_reopen", "assignment"})
_INTERCOM_PEOPLE = frozenset({"user", "lead", "contact"})


def _intercom(cells: Cells) -> Iterable[Said]:
    """Times are epoch seconds, bodies HTML."""
    name = cells.text("id")
    if not name:
        raise Unread("the conversation has no id")
    cells.skip("type", "contacts.contacts", "contacts.type", "tags.type", "conversation_parts.type")
    tags = names_of(cells.get("tags.tags"))
    url = cells.text("source.url")
    author = {key: cells.get(f"source.author.{key}") for key in ("type", "id", "name", "email")}
    body, subject = plain(cells.get("source.body")), plain(cells.get("source.subject"))
    rating, remark = cells.get("conversation_rating.rating"), plain(cells.get("conversation_rating.remark"))
    rated_at = cells.get("conversation_rating.created_at")
    parts = cells.listed("conversation_parts.conversation_parts")
    beside = cells.beside(tags=tags)
    if body or subject:
        yield _intercom_said(name, "", author, body, cells.get("created_at"), beside, title=subject, url=url)
    for part in parts:
        words = plain(part.get("body"))
        if not words or text_of(part.get("part_type")) not in _WORDS:
            continue
        by = part.get("author") if isinstance(part.get("author"), dict) else {}
        note = "note" in text_of(part.get("part_type"))
        said = _intercom_said(
            name,
            f"part {text_of(part.get('id'))}",
            by or {},
            words,
            part.get("created_at"),
            {"thread": name},
            is_note=note,
        )
        yield said
    if remark:
        yield _intercom_said(name, "rating", author, remark, rated_at, {"thread": name}, rating=rating)


def _intercom_said(
    name: str,
    part: str,
    author: dict[str, Any],
    words: str,
    at: Any,
    beside: dict[str, Any],
    *,
    title: str = "",
    url: str = "",
    rating: Any = None,
    is_note: bool = False,
) -> Said:
    kind = text_of(author.get("type"))
    speaker: Speaker = "user" if kind in _INTERCOM_PEOPLE and not is_note else "machine" if kind == "bot" else "team"
    number, email = text_of(author.get("id")), text_of(author.get("email"))
    return Said(
        submission_id=name,
        field_id=part,
        title=title,
        text=words,
        said_at=at,
        author_name=text_of(author.get("name")),
        author_email=email,
        person=email or (f"intercom:{number}" if number else ""),
        rating=rating,
        url=url if url.startswith(("http://", "https://")) else "",
        speaker=speaker,
        metadata=beside,
    )


def _intercom_row(cells: Cells) -> Iterable[Said]:
    """One message a row, as exporters write conversations to CSV."""
    kind = cells.text("message_author_type")
    number, email = cells.text("message_author_id"), cells.text("message_author_email")
    cells.skip("message_type")
    is_note = text_of(cells.get("message_type")) == "note"
    yield Said(
        submission_id=cells.text("conversation_id"),
        field_id=f"part {cells.text('message_id')}",
        text=plain(cells.get("message_body")),
        said_at=cells.get("message_created_at"),
        author_email=email,
        person=email or (f"intercom:{number}" if number else ""),
        company=cells.text("message_author_companies"),
        speaker="user" if kind in _INTERCOM_PEOPLE and not is_note else "machine" if kind == "bot" else "team",
        metadata=cells.beside(tags=names_of(cells.get("conversation_tags")), thread=cells.text("conversation_id")),
    )


def _zendesk(cells: Cells) -> Iterable[Said]:
    name, requester = cells.text("id"), cells.text("requester_id", "requester.id")
    if not name:
        raise Unread("the ticket has no id")
    cells.skip("raw_subject", "url", "comments", "submitter_id", "generated_timestamp", "fields")
    email = cells.text("requester.email")
    who = email or (f"zendesk:{requester}" if requester else "")
    description, subject = cells.text("description"), cells.text("subject", "raw_subject")
    opener = cells.text("submitter_id") or requester
    remark, score = cells.text("satisfaction_rating.comment"), cells.text("satisfaction_rating.score")
    company = cells.text("organization.name", "organization_id")
    tags = names_of(cells.get("tags"))
    custom = {f"field {one.get('id')}": one.get("value") for one in cells.listed("custom_fields") if one.get("value")}
    yield Said(
        submission_id=name,
        title=subject,
        text=description,
        said_at=cells.get("created_at"),
        author_name=cells.text("requester.name"),
        author_email=email,
        person=who,
        company=company if not company.isdigit() else "",
        speaker="user" if opener == requester else "team",
        metadata=cells.beside(tags=tags, organization=company, **custom),
    )
    for comment in cells.listed("comments"):
        yield from _zendesk_comment(name, requester, who, description, comment)
    if remark:
        yield Said(
            submission_id=name,
            field_id="satisfaction",
            text=remark,
            said_at=cells.get("updated_at"),
            author_email=email,
            person=who,
            metadata={"thread": name, "satisfaction": score},
        )


def _zendesk_comment(name: str, requester: str, who: str, description: str, comment: dict[str, Any]) -> Iterable[Said]:
    """The first comment is the description again; private ones are the team's own."""
    words = text_of(comment.get("plain_body")) or plain(comment.get("html_body")) or text_of(comment.get("body"))
    if not words or words.strip() == description.strip() or text_of(comment.get("body")) == description.strip():
        return
    by = text_of(comment.get("author_id"))
    is_theirs = by == requester and comment.get("public") is not False
    yield Said(
        submission_id=name,
        field_id=f"comment {text_of(comment.get('id'))}",
        text=words,
        said_at=comment.get("created_at"),
        person=who if is_theirs else f"zendesk:{by}",
        speaker="user" if is_theirs else "team",
        metadata={"thread": name},
    )


FORMATS = (
    Format(
        "intercom",
        "Intercom conversations (JSON)",
        "support",
        marks("id, source.body, source.author.type", "id, conversation_parts.conversation_parts"),
        reading(_intercom),
    ),
    Format(
        "intercom",
        "Intercom messages (CSV)",
        "support",
        marks("message_id, message_body, conversation_id"),
        reading(_intercom_row),
    ),
    Format(
        "zendesk",
        "Zendesk tickets (JSON)",
        "support",
        marks("id, subject, description, requester_id", "id, subject, description, requester.id"),
        reading(_zendesk),
    ),
)
