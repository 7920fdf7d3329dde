"""GitLab, as REST tells it and as its CSV export does."""

import re

from whytree.engines.tables import parse_time

from . import cells
from .rows import RequestRow, TicketRow, Values


def issue(values: Values) -> TicketRow:
    author = cells.handle(values.get("author.username"))
    return TicketRow(
        ticket=cells.number(values.get("iid")),
        url=cells.text(values.get("web_url")),
        title=cells.title(values.get("title")),
        state=cells.state_of(cells.text(values.get("state"))),
        body=cells.body(values.get("description")),
        author=author,
        author_is_staff=_is_staff(author),
        labels=cells.labels(values.get("labels")),
        votes=cells.count(values.get("upvotes")),
        opened_at=parse_time(values.get("created_at")),
        closed_at=parse_time(values.get("closed_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def _is_staff(author: str) -> bool | None:
    """GitLab does not say who belongs to the team; its bots are named by rule."""
    return True if re.fullmatch(r"(?:project|group)_\d+_bot\w*|(?:ghost|support|alert)-bot", author) else None


def request(values: Values) -> RequestRow | None:
    """Fast-forwarded without a squash, the branch's own head is what stands on the main line."""
    if values.get("state") != "merged" and not cells.is_told(values, "merged_at"):
        return None
    merge, squash = cells.sha(values.get("merge_commit_sha")), cells.sha(values.get("squash_commit_sha"))
    return RequestRow(
        request="!" + cells.number(values.get("iid")).removeprefix("#"),
        url=cells.text(values.get("web_url")),
        title=cells.title(values.get("title")),
        body=cells.body(values.get("description")),
        author=cells.handle(values.get("author.username")),
        branch=cells.text(values.get("source_branch"))[:200],
        merge_sha=merge or squash or cells.sha(values.get("sha")),
        squash_sha=squash if merge else "",
        merged_at=parse_time(values.get("merged_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def csv_issue(values: Values) -> TicketRow:
    opened_at, closed_at, updated_at, doubts = cells.times(
        values, "Created At (UTC)", "Closed At (UTC)", "Updated At (UTC)"
    )
    return TicketRow(
        ticket=cells.number(values.get("Issue ID")),
        url=cells.text(values.get("URL")),
        title=cells.title(values.get("Title")),
        state=cells.state_of(cells.text(values.get("State"))),
        body=cells.body(values.get("Description")),
        author=cells.handle(values.get("Author Username")) or cells.handle(values.get("Author")),
        author_is_staff=_is_staff(cells.text(values.get("Author Username"))),
        labels=cells.split(values.get("Labels")),
        opened_at=opened_at,
        closed_at=closed_at,
        updated_at=updated_at,
        doubts=doubts,
    )
