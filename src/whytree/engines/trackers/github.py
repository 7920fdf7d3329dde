"""GitHub, as REST and as `gh --json` tell it."""

from dataclasses import replace
from typing import Any

from whytree.engines.links.tickets import parse_ticket_url
from whytree.engines.tables import parse_time

from . import cells
from .rows import CommentRow, RequestRow, TicketRow, Told, Values

# GitHub's words for people who can write to the repository; contributors and everybody else are users.
_TEAM = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


def issue(values: Values) -> Told | None:
    """REST lists pull requests among the issues: those are no tickets, but what a merged one closes is worth keeping."""
    if cells.is_told(values, "pull_request"):
        return _listed_request(values)
    author = cells.handle(values.get("user.login"))
    return TicketRow(
        ticket=cells.number(values.get("number")),
        url=cells.text(values.get("html_url")),
        title=cells.title(values.get("title")),
        state=cells.state_of(cells.text(values.get("state"))),
        body=cells.body(values.get("body")),
        author=author,
        author_is_staff=_is_staff(author, values.get("author_association"), values.get("user.type") == "Bot"),
        labels=cells.labels(values.get("labels")),
        votes=cells.count(values.get("reactions.+1")),
        opened_at=parse_time(values.get("created_at")),
        closed_at=parse_time(values.get("closed_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def _listed_request(values: Values) -> RequestRow | None:
    """A pull request in the list of issues: its commit is not told, its number and words are."""
    if not cells.is_told(values, "pull_request.merged_at"):
        return None
    told = request({**values, "merged_at": values["pull_request.merged_at"], "merge_commit_sha": ""})
    return told and replace(told, url=cells.text(values.get("pull_request.html_url")) or told.url)


def request(values: Values) -> RequestRow | None:
    """REST `/pulls`. `merge_commit_sha` of one that is not merged is only GitHub's trial."""
    if not cells.is_told(values, "merged_at"):
        return None
    return RequestRow(
        request=cells.number(values.get("number")),
        url=cells.text(values.get("html_url")),
        title=cells.title(values.get("title")),
        body=cells.body(values.get("body")),
        author=cells.handle(values.get("user.login")),
        branch=cells.text(values.get("head.ref"))[:200],
        merge_sha=cells.sha(values.get("merge_commit_sha")),
        merged_at=parse_time(values.get("merged_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def comment(values: Values) -> TicketRow | None:
    """REST `/issues/comments`; those under pull requests are the team's own talk."""
    where = parse_ticket_url(cells.text(values.get("html_url")))
    if where is None or "/issues/" not in where.url:
        return None
    author = cells.handle(values.get("user.login"))
    staff = _is_staff(author, values.get("author_association"), values.get("user.type") == "Bot")
    said = cells.comment(cells.text(values.get("id")), author, values.get("body"), values.get("created_at"), staff)
    return TicketRow(where.key, where.url, comments=(said,), comments_only=True) if said else None


def gh_issue(values: Values) -> TicketRow:
    author = cells.handle(values.get("author.login"))
    votes = values.get("reactionGroups")
    return TicketRow(
        ticket=cells.number(values.get("number")),
        url=cells.text(values.get("url")),
        title=cells.title(values.get("title")),
        state=cells.state_of(cells.text(values.get("state"))),
        body=cells.body(values.get("body")),
        author=author,
        author_is_staff=_is_staff(author, values.get("authorAssociation"), bool(values.get("author.is_bot"))),
        labels=cells.labels(values.get("labels")),
        votes=_thumbs(votes) if isinstance(votes, list) else None,
        opened_at=parse_time(values.get("createdAt")),
        closed_at=parse_time(values.get("closedAt")),
        updated_at=parse_time(values.get("updatedAt")),
        comments=cells.comments(_gh_comment(one) for one in cells.objects(values.get("comments"))),
    )


def _gh_comment(values: Values) -> CommentRow | None:
    author = cells.handle(cells.inner(values.get("author"), "login"))
    staff = _is_staff(author, values.get("authorAssociation"), is_bot=False)
    # gh tells the comment's node id, REST its number; the address ends with the number in both.
    mark = cells.text(values.get("url")).partition("#issuecomment-")[2] or cells.text(values.get("id"))
    return cells.comment(mark, author, values.get("body"), values.get("createdAt"), staff)


def gh_request(values: Values) -> RequestRow | None:
    if not cells.is_told(values, "mergedAt"):
        return None
    closes = cells.objects(values.get("closingIssuesReferences"))
    return RequestRow(
        request=cells.number(values.get("number")),
        url=cells.text(values.get("url")),
        title=cells.title(values.get("title")),
        body=cells.body(values.get("body")),
        author=cells.handle(values.get("author.login")),
        branch=cells.text(values.get("headRefName"))[:200],
        merge_sha=cells.sha(values.get("mergeCommit.oid")),
        merged_at=parse_time(values.get("mergedAt")),
        updated_at=parse_time(values.get("updatedAt")),
        closes=tuple(filter(None, (cells.text(one.get("url")) or cells.number(one.get("number")) for one in closes))),
    )


def _is_staff(author: str, association: Any, is_bot: bool) -> bool | None:
    if is_bot or author.endswith("[bot]") or author.startswith("app/"):
        return True
    return association in _TEAM if isinstance(association, str) and association else None


def _thumbs(groups: list[Any]) -> int:
    """`reactionGroups` of gh: only thumbs up say "me too"."""
    up = [group for group in cells.objects(groups) if group.get("content") == "THUMBS_UP"]
    return sum(cells.count(cells.inner(group.get("users"), "totalCount")) or 0 for group in up)
