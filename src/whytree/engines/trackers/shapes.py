"""Which tracker wrote a table, by marks that only its columns have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import github, gitlab, jira, linear
from .rows import Told, Values


@dataclass(frozen=True, slots=True)
class Shape:
    """A tracker's way of writing. `read` gives None for a row that is neither a ticket nor a merged request."""

    name: str
    read: Callable[[Values], Told | None]


GITHUB_ISSUES = Shape("GitHub issues (REST)", github.issue)
GITHUB_REQUESTS = Shape("GitHub pull requests (REST)", github.request)
GITHUB_COMMENTS = Shape("GitHub issue comments (REST)", github.comment)
GITLAB_ISSUES = Shape("GitLab issues (REST)", gitlab.issue)
GITLAB_REQUESTS = Shape("GitLab merge requests (REST)", gitlab.request)

# Marks that only this shape has, the most telling first: any of the sets is enough.
SHAPES: tuple[tuple[tuple[frozenset[str], ...], Shape], ...] = (
    ((frozenset({"issue_url", "html_url", "body"}),), GITHUB_COMMENTS),
    ((frozenset({"iid", "title", "source_branch"}),), GITLAB_REQUESTS),
    ((frozenset({"iid", "title", "web_url"}), frozenset({"iid", "title", "project_id"})), GITLAB_ISSUES),
    ((frozenset({"number", "title", "merge_commit_sha"}),), GITHUB_REQUESTS),
    (
        (
            frozenset({"number", "title", "html_url"}),
            frozenset({"number", "title", "user.login"}),
            frozenset({"number", "title", "author_association"}),
            frozenset({"number", "title", "pull_request.url"}),
        ),
        GITHUB_ISSUES,
    ),
    (
        (
            frozenset({"number", "mergedAt"}),
            frozenset({"number", "headRefName"}),
            frozenset({"number", "mergeCommit.oid"}),
        ),
        Shape("GitHub pull requests (gh --json)", github.gh_request),
    ),
    (
        tuple(
            frozenset({"number", "title", mark})
            for mark in ("createdAt", "author.login", "stateReason", "closedAt", "updatedAt", "reactionGroups")
        ),
        Shape("GitHub issues (gh --json)", github.gh_issue),
    ),
    ((frozenset({"Issue ID", "URL", "Title", "State"}),), Shape("GitLab issues (CSV)", gitlab.csv_issue)),
    (
        (frozenset({"ID", "Team", "Title", "Status"}), frozenset({"Id", "Title", "Status", "Creator"})),
        Shape("Linear issues (CSV)", linear.issue),
    ),
    ((frozenset({"Issue key", "Summary"}),), Shape("Jira issues (CSV)", jira.issue)),
)


def recognise(columns: Sequence[str]) -> Shape | None:
    """The shape a table has, by the names of its columns; None where no tracker is known to write so."""
    names = set(columns)
    return next((shape for marks, shape in SHAPES if any(mark <= names for mark in marks)), None)
