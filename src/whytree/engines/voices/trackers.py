"""Issues as voices: what their authors wrote, and what users added below."""

from __future__ import annotations

from collections.abc import Iterable

from whytree.engines import trackers
from whytree.engines.tables import BEYOND_HEADER
from whytree.engines.trackers import CommentRow, TicketRow

from .records import Cells, Facts, Format, Read, Said, Speaker, Unread

_SLUGS = {"GitHub": "github", "GitLab": "gitlab", "Linear": "linear", "Jira": "jira"}


def tracker_format(columns: Iterable[str]) -> Format | None:
    """The tracker that writes these columns; `engines.trackers` knows them."""
    shape = trackers.recognise(list(columns))
    if shape is None:
        return None
    name = shape.name.split(" ")[0]

    def reader(facts: Facts) -> Read:
        return lambda cells: _said(shape.read(cells), cells)

    found = next((marks for marks, one in trackers.SHAPES if one is shape), ())
    shown = tuple(mark for mark in found if mark <= set(columns))[:1]
    return Format(_SLUGS[name], shape.name, "issue", shown, reader, name)


def _said(told: trackers.Told | None, cells: Cells) -> Iterable[Said]:
    """A pull request says what the team did, and is no voice."""
    if not isinstance(told, TicketRow):
        return
    if not told.ticket and not told.url:
        raise Unread("it names no issue: no number, no key, no address")
    name = told.url or told.ticket
    if not told.comments_only:
        cells.skip(*_READ_ELSEWHERE)
        yield Said(
            submission_id=name,
            title=told.title,
            text=told.body,
            said_at=told.opened_at,
            person=told.author,
            author_name=told.author,
            url=told.url,
            speaker=_speaker(told.author, told.author_is_staff),
            metadata=cells.beside(
                issue=told.ticket, votes=told.votes, labels=list(told.labels or ()), doubts=list(told.doubts)
            ),
        )
    for comment in told.comments:
        yield _comment(name, told, comment)


_READ_ELSEWHERE = (
    *("id", "node_id", "url", "repository_url", "labels_url", "comments_url", "events_url", "timeline_url", "_links"),
    *("user.avatar_url", "user.url", "user.html_url", "user.node_id", "user.gravatar_id", "performed_via_github_app"),
    *("user.followers_url", "user.following_url", "user.gists_url", "user.starred_url", "user.subscriptions_url"),
    *("user.organizations_url", "user.repos_url", "user.events_url", "user.received_events_url", "reactions.url"),
    *("labels", "Labels", "comments", "reactionGroups", BEYOND_HEADER),
)


def _comment(name: str, told: TicketRow, comment: CommentRow) -> Said:
    return Said(
        submission_id=name,
        field_id=f"comment {comment.mark}",
        text=comment.text,
        said_at=comment.said_at,
        person=comment.author,
        author_name=comment.author,
        url=told.url,
        speaker=_speaker(comment.author, comment.author_is_staff),
        metadata={"issue": told.ticket, "thread": name},
    )


def _speaker(author: str, is_staff: bool | None) -> Speaker:
    if author.endswith("[bot]") or author.startswith("app/"):
        return "machine"
    return "team" if is_staff else "user"
