"""Issues and pull requests as trackers write them: which tracker a table comes from, and what its rows say.

    shape = recognise(table.columns)
    told = shape.read(row.values)      # a TicketRow, a RequestRow, or None for what is neither

GitHub (REST, `gh --json`), GitLab (REST, CSV), Linear CSV, Jira CSV: a module each. Rows come with nested objects
flattened to dotted names, as `engines/tables` and `flatten` give them. Nothing is looked up: what a row does not say
stays empty.
"""

from .cells import BODY_LIMIT, COMMENT_LIMIT, TITLE_LIMIT, state_of, ticket_number
from .rows import CommentRow, RequestRow, TicketRow, Told, as_json, with_staff
from .shapes import (
    GITHUB_COMMENTS,
    GITHUB_ISSUES,
    GITHUB_REQUESTS,
    GITLAB_ISSUES,
    GITLAB_REQUESTS,
    SHAPES,
    Shape,
    recognise,
)

__all__ = [
    "BODY_LIMIT",
    "COMMENT_LIMIT",
    "GITHUB_COMMENTS",
    "GITHUB_ISSUES",
    "GITHUB_REQUESTS",
    "GITLAB_ISSUES",
    "GITLAB_REQUESTS",
    "SHAPES",
    "TITLE_LIMIT",
    "CommentRow",
    "RequestRow",
    "Shape",
    "TicketRow",
    "Told",
    "as_json",
    "recognise",
    "state_of",
    "ticket_number",
    "with_staff",
]
