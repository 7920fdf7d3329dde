"""Issues and pull requests as trackers write them: which tracker a table comes from, and what its rows say.

    shape = recognise(table.columns)
    told = shape.read(row.values)      # a TicketRow, a RequestRow, or None for what is neither

GitHub (REST, `gh --json`), GitLab (REST, CSV), Linear CSV, Jira CSV. Rows come with nested objects flattened to dotted
names, as `engines/tables` and `flatten` give them. Nothing is looked up: what a row does not say stays empty.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from whytree.engines.links_tickets import parse_ticket_url
from whytree.engines.tables import BEYOND_HEADER, parse_time

Values = Mapping[str, Any]

# What is kept of a text. A title longer than this is no title; a body or a comment beyond is a log somebody pasted.
TITLE_LIMIT = 500
BODY_LIMIT = 20_000
COMMENT_LIMIT = 4_000
MOST_COMMENTS = 200
MOST_LABELS = 50

# GitHub's words for people who can write to the repository; contributors and everybody else are users.
_TEAM = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_CLOSED = re.compile(r"\b(?:clos|done|complet|resolv|cancel|merged|won.?t|duplicat|releas|archiv)", re.IGNORECASE)
_JIRA_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}")


@dataclass(frozen=True, slots=True)
class CommentRow:
    """One comment. `mark` tells it from the others under its ticket, however often it comes."""

    mark: str
    author: str
    text: str
    said_at: datetime | None = None
    author_is_staff: bool | None = None


@dataclass(frozen=True, slots=True)
class TicketRow:
    """What a row says of a ticket. None and "" say nothing. `doubts` are sentences on what could not be read."""

    ticket: str
    url: str = ""
    title: str = ""
    state: str = ""
    body: str = ""
    author: str = ""
    author_is_staff: bool | None = None
    labels: tuple[str, ...] | None = None
    votes: int | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    comments: tuple[CommentRow, ...] = ()
    comments_only: bool = False
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRow:
    """What a row says of a merged pull request. `closes` are tickets as people name them, told by the tracker itself."""

    request: str
    url: str = ""
    title: str = ""
    body: str = ""
    author: str = ""
    branch: str = ""
    merge_sha: str = ""
    squash_sha: str = ""
    merged_at: datetime | None = None
    updated_at: datetime | None = None
    closes: tuple[str, ...] = ()


Told = TicketRow | RequestRow


@dataclass(frozen=True, slots=True)
class Shape:
    """A tracker's way of writing. `read` gives None for a row that is neither a ticket nor a merged request."""

    name: str
    read: Callable[[Values], Told | None]


def recognise(columns: Sequence[str]) -> Shape | None:
    """The shape a table has, by the names of its columns; None where no tracker is known to write so."""
    names = set(columns)
    return next((shape for marks, shape in SHAPES if any(mark <= names for mark in marks)), None)


def as_json(told: Told) -> dict[str, Any]:
    """A row as it travels to the server."""
    row = asdict(told)
    row.pop("doubts", None)
    for part in (row, *row.get("comments", ())):
        part |= {name: value.isoformat() for name, value in part.items() if isinstance(value, datetime)}
    return row


def with_staff(told: Told, staff: frozenset[str]) -> Told:
    """The same, where these people (in lower letters) are known to belong to the team."""
    if not staff or isinstance(told, RequestRow):
        return told
    comments = tuple(
        replace(one, author_is_staff=True) if one.author.lower() in staff else one for one in told.comments
    )
    is_staff = True if told.author.lower() in staff else told.author_is_staff
    return replace(told, author_is_staff=is_staff, comments=comments)


# GitHub -----------------------------------------------------------------------------------------------


def _github_issue(values: Values) -> Told | None:
    """REST lists pull requests among the issues: those are no tickets, but what a merged one closes is worth keeping."""
    if _is_told(values, "pull_request"):
        return _github_listed_request(values)
    author = _handle(values.get("user.login"))
    return TicketRow(
        ticket=_number(values.get("number")),
        url=_text(values.get("html_url")),
        title=_title(values.get("title")),
        state=state_of(_text(values.get("state"))),
        body=_body(values.get("body")),
        author=author,
        author_is_staff=_github_staff(author, values.get("author_association"), values.get("user.type") == "Bot"),
        labels=_labels(values.get("labels")),
        votes=_count(values.get("reactions.+1")),
        opened_at=parse_time(values.get("created_at")),
        closed_at=parse_time(values.get("closed_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def _github_listed_request(values: Values) -> RequestRow | None:
    """A pull request in the list of issues: its commit is not told, its number and words are."""
    if not _is_told(values, "pull_request.merged_at"):
        return None
    request = _github_request({**values, "merged_at": values["pull_request.merged_at"], "merge_commit_sha": ""})
    return request and replace(request, url=_text(values.get("pull_request.html_url")) or request.url)


def _github_request(values: Values) -> RequestRow | None:
    """REST `/pulls`. `merge_commit_sha` of one that is not merged is only GitHub's trial."""
    if not _is_told(values, "merged_at"):
        return None
    return RequestRow(
        request=_number(values.get("number")),
        url=_text(values.get("html_url")),
        title=_title(values.get("title")),
        body=_body(values.get("body")),
        author=_handle(values.get("user.login")),
        branch=_text(values.get("head.ref"))[:200],
        merge_sha=_sha(values.get("merge_commit_sha")),
        merged_at=parse_time(values.get("merged_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def _github_comment(values: Values) -> TicketRow | None:
    """REST `/issues/comments`; those under pull requests are the team's own talk."""
    where = parse_ticket_url(_text(values.get("html_url")))
    if where is None or "/issues/" not in where.url:
        return None
    author = _handle(values.get("user.login"))
    staff = _github_staff(author, values.get("author_association"), values.get("user.type") == "Bot")
    comment = _comment(_text(values.get("id")), author, values.get("body"), values.get("created_at"), staff)
    return TicketRow(where.key, where.url, comments=(comment,), comments_only=True) if comment else None


def _gh_issue(values: Values) -> TicketRow:
    author = _handle(values.get("author.login"))
    votes = values.get("reactionGroups")
    return TicketRow(
        ticket=_number(values.get("number")),
        url=_text(values.get("url")),
        title=_title(values.get("title")),
        state=state_of(_text(values.get("state"))),
        body=_body(values.get("body")),
        author=author,
        author_is_staff=_github_staff(author, values.get("authorAssociation"), bool(values.get("author.is_bot"))),
        labels=_labels(values.get("labels")),
        votes=_thumbs(votes) if isinstance(votes, list) else None,
        opened_at=parse_time(values.get("createdAt")),
        closed_at=parse_time(values.get("closedAt")),
        updated_at=parse_time(values.get("updatedAt")),
        comments=_comments(_gh_comment(one) for one in _objects(values.get("comments"))),
    )


def _gh_comment(values: Values) -> CommentRow | None:
    author = _handle(_inner(values.get("author"), "login"))
    staff = _github_staff(author, values.get("authorAssociation"), is_bot=False)
    # gh tells the comment's node id, REST its number; the address ends with the number in both.
    mark = _text(values.get("url")).partition("#issuecomment-")[2] or _text(values.get("id"))
    return _comment(mark, author, values.get("body"), values.get("createdAt"), staff)


def _gh_request(values: Values) -> RequestRow | None:
    if not _is_told(values, "mergedAt"):
        return None
    closes = _objects(values.get("closingIssuesReferences"))
    return RequestRow(
        request=_number(values.get("number")),
        url=_text(values.get("url")),
        title=_title(values.get("title")),
        body=_body(values.get("body")),
        author=_handle(values.get("author.login")),
        branch=_text(values.get("headRefName"))[:200],
        merge_sha=_sha(values.get("mergeCommit.oid")),
        merged_at=parse_time(values.get("mergedAt")),
        updated_at=parse_time(values.get("updatedAt")),
        closes=tuple(filter(None, (_text(one.get("url")) or _number(one.get("number")) for one in closes))),
    )


def _github_staff(author: str, association: Any, is_bot: bool) -> bool | None:
    if is_bot or author.endswith("[bot]") or author.startswith("app/"):
        return True
    return association in _TEAM if isinstance(association, str) and association else None


def _thumbs(groups: list[Any]) -> int:
    """`reactionGroups` of gh: only thumbs up say "me too"."""
    up = [group for group in _objects(groups) if group.get("content") == "THUMBS_UP"]
    return sum(_count(_inner(group.get("users"), "totalCount")) or 0 for group in up)


# GitLab -----------------------------------------------------------------------------------------------


def _gitlab_issue(values: Values) -> TicketRow:
    author = _handle(values.get("author.username"))
    return TicketRow(
        ticket=_number(values.get("iid")),
        url=_text(values.get("web_url")),
        title=_title(values.get("title")),
        state=state_of(_text(values.get("state"))),
        body=_body(values.get("description")),
        author=author,
        author_is_staff=_gitlab_staff(author),
        labels=_labels(values.get("labels")),
        votes=_count(values.get("upvotes")),
        opened_at=parse_time(values.get("created_at")),
        closed_at=parse_time(values.get("closed_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def _gitlab_staff(author: str) -> bool | None:
    """GitLab does not say who belongs to the team; its bots are named by rule."""
    return True if re.fullmatch(r"(?:project|group)_\d+_bot\w*|(?:ghost|support|alert)-bot", author) else None


def _gitlab_request(values: Values) -> RequestRow | None:
    """Fast-forwarded without a squash, the branch's own head is what stands on the main line."""
    if values.get("state") != "merged" and not _is_told(values, "merged_at"):
        return None
    merge, squash = _sha(values.get("merge_commit_sha")), _sha(values.get("squash_commit_sha"))
    return RequestRow(
        request="!" + _number(values.get("iid")).removeprefix("#"),
        url=_text(values.get("web_url")),
        title=_title(values.get("title")),
        body=_body(values.get("description")),
        author=_handle(values.get("author.username")),
        branch=_text(values.get("source_branch"))[:200],
        merge_sha=merge or squash or _sha(values.get("sha")),
        squash_sha=squash if merge else "",
        merged_at=parse_time(values.get("merged_at")),
        updated_at=parse_time(values.get("updated_at")),
    )


def _gitlab_csv(values: Values) -> TicketRow:
    opened_at, closed_at, updated_at, doubts = _times(values, "Created At (UTC)", "Closed At (UTC)", "Updated At (UTC)")
    return TicketRow(
        ticket=_number(values.get("Issue ID")),
        url=_text(values.get("URL")),
        title=_title(values.get("Title")),
        state=state_of(_text(values.get("State"))),
        body=_body(values.get("Description")),
        author=_handle(values.get("Author Username")) or _handle(values.get("Author")),
        author_is_staff=_gitlab_staff(_text(values.get("Author Username"))),
        labels=_split(values.get("Labels")),
        opened_at=opened_at,
        closed_at=closed_at,
        updated_at=updated_at,
        doubts=doubts,
    )


# Linear, Jira -----------------------------------------------------------------------------------------


def _linear(values: Values) -> TicketRow:
    """Only members of a workspace create issues in Linear: none of them is a user."""
    opened_at, completed_at, canceled_at, updated_at, doubts = _times(
        values, "Created", "Completed", "Canceled", "Updated"
    )
    closed_at = completed_at or canceled_at
    return TicketRow(
        ticket=_unguarded(values.get("ID") or values.get("Id")).upper(),
        title=_title(_unguarded(values.get("Title"))),
        state="closed" if closed_at else state_of(_text(values.get("Status"))),
        body=_body(_unguarded(values.get("Description"))),
        author=_handle(_unguarded(values.get("Creator"))),
        author_is_staff=True,
        labels=_split(_unguarded(values.get("Labels"))),
        opened_at=opened_at,
        closed_at=closed_at,
        updated_at=updated_at,
        doubts=doubts,
    )


def _unguarded(value: Any) -> str:
    """Linear puts a ' before what a spreadsheet would take for a formula."""
    text = _text(value)
    return text[1:] if re.match(r"'[=+\-@\t\r]", text) else text


def _jira(values: Values) -> TicketRow:
    """Jira repeats a header for each further value, and writes more comments than headers behind the last one.

    Other cells beyond the header mean that the row has slipped: only what stands at its start is believed.
    """
    written = _text(values.get("Issue key")).strip()
    key = written if _JIRA_KEY.fullmatch(written) else ""
    beyond = [_text(cell) for cell in values.get(BEYOND_HEADER) or ()]
    if not all(not cell or _JIRA_COMMENT.match(cell) for cell in beyond):
        doubt = f"it has more cells than the header ({len(beyond)}), and they are no comments; only its key and title are taken"
        return TicketRow(key, title=_title(values.get("Summary")), doubts=(doubt,))
    opened_at, closed_at, updated_at, doubts = _times(values, "Created", "Resolved", "Updated")
    comments = [*_repeated(values, "Comment"), *beyond]
    return TicketRow(
        ticket=key,
        title=_title(values.get("Summary")),
        state=state_of(_text(values.get("Status Category")) or _text(values.get("Status"))),
        body=_body(values.get("Description")),
        author=_handle(values.get("Reporter")) or _handle(values.get("Creator")),
        labels=tuple(dict.fromkeys(_repeated(values, "Labels")))[:MOST_LABELS] if "Labels" in values else None,
        votes=_count(values.get("Votes")),
        opened_at=opened_at,
        closed_at=closed_at,
        updated_at=updated_at,
        comments=_comments(_jira_comment(cell) for cell in comments),
        doubts=doubts,
    )


_JIRA_COMMENT = re.compile(r"(?P<at>[^;\n]{6,40});(?P<author>[^;\n]{0,200});(?P<text>.*)", re.DOTALL)


def _jira_comment(cell: str) -> CommentRow | None:
    """`12/Mar/24 9:41 AM;author;text`."""
    told = _JIRA_COMMENT.match(cell)
    return _comment("", _handle(told["author"]), told["text"], told["at"], None) if told else None


def _repeated(values: Values, name: str) -> list[str]:
    """All values of a header that stands several times: the reader calls them `Labels`, `Labels (2)` ..."""
    numbered = re.compile(rf"{re.escape(name)}(?: \(\d+\))?")
    return [text for column, value in values.items() if numbered.fullmatch(column) if (text := _text(value).strip())]


# Parts ------------------------------------------------------------------------------------------------


def state_of(word: str) -> str:
    """Every tracker has its own words; we only need to know whether somebody still waits."""
    if not word.strip():
        return ""
    return "closed" if _CLOSED.search(word) else "open"


def ticket_number(value: Any) -> str:
    """A key as somebody's table holds it: spreadsheets turn 12 into 12.0."""
    text = _text(value).strip()
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text


def _number(value: Any) -> str:
    number = ticket_number(value).removeprefix("#")
    return f"#{number}" if re.fullmatch(r"[1-9]\d{0,6}", number) else ""


def _text(value: Any) -> str:
    """Half an emoji, as cut-off texts end with, would be refused with everything beside it."""
    text = "" if value is None or isinstance(value, list | dict | bool) else str(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _title(value: Any) -> str:
    return _text(value).strip()[:TITLE_LIMIT]


def _body(value: Any) -> str:
    return _text(value)[:BODY_LIMIT]


def _handle(value: Any) -> str:
    """`ghost` is where GitHub and GitLab put everybody who left: nobody in particular."""
    handle = _text(value).strip()[:200]
    return "" if handle.lower() == "ghost" else handle


def _sha(value: Any) -> str:
    sha = _text(value).strip().lower()
    return sha if re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", sha) else ""


def _count(value: Any) -> int | None:
    number = ticket_number(value)
    return min(int(number), 2_000_000_000) if re.fullmatch(r"\d{1,15}", number) else None


def _is_told(values: Values, name: str) -> bool:
    """Whether a field, or anything inside it, has a value."""
    if values.get(name):
        return True
    return any(value for column, value in values.items() if column.startswith(f"{name}."))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _inner(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _labels(value: Any) -> tuple[str, ...] | None:
    """A list of names, or of objects with a name."""
    if not isinstance(value, list):
        return _split(value) if isinstance(value, str) else None
    names = (_text(one.get("name") if isinstance(one, dict) else one).strip()[:100] for one in value)
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_LABELS]


def _split(value: Any) -> tuple[str, ...] | None:
    """Names in one cell, with commas between."""
    if value is None:
        return None
    names = (name.strip()[:100] for name in _text(value).split(","))
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_LABELS]


def _times(values: Values, *names: str) -> tuple[Any, ...]:
    """The moments in these columns, and last the doubts about them."""
    moments = [parse_time(values.get(name)) for name in names]
    doubts = tuple(
        f"“{_text(values[name])[:40]}” in {name} is no time that can be read with certainty; it is left out"
        for name, moment in zip(names, moments, strict=True)
        if moment is None and _text(values.get(name)).strip()
    )
    return (*moments, doubts)


def _comments(rows: Iterable[CommentRow | None]) -> tuple[CommentRow, ...]:
    return tuple({row.mark: row for row in rows if row}.values())[:MOST_COMMENTS]


def _comment(mark: str, author: str, text: Any, said_at: Any, is_staff: bool | None) -> CommentRow | None:
    words = _text(text).strip()[:COMMENT_LIMIT]
    if not words:
        return None
    at = parse_time(said_at)
    told = mark[:64] or hashlib.sha256(f"{author}\n{at}\n{words}".encode("utf-8", "replace")).hexdigest()[:32]
    return CommentRow(told, author, words, at, is_staff)


GITHUB_ISSUES = Shape("GitHub issues (REST)", _github_issue)
GITHUB_REQUESTS = Shape("GitHub pull requests (REST)", _github_request)
GITHUB_COMMENTS = Shape("GitHub issue comments (REST)", _github_comment)
GITLAB_ISSUES = Shape("GitLab issues (REST)", _gitlab_issue)
GITLAB_REQUESTS = Shape("GitLab merge requests (REST)", _gitlab_request)

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
        Shape("GitHub pull requests (gh --json)", _gh_request),
    ),
    (
        tuple(
            frozenset({"number", "title", mark})
            for mark in ("createdAt", "author.login", "stateReason", "closedAt", "updatedAt", "reactionGroups")
        ),
        Shape("GitHub issues (gh --json)", _gh_issue),
    ),
    ((frozenset({"Issue ID", "URL", "Title", "State"}),), Shape("GitLab issues (CSV)", _gitlab_csv)),
    (
        (frozenset({"ID", "Team", "Title", "Status"}), frozenset({"Id", "Title", "Status", "Creator"})),
        Shape("Linear issues (CSV)", _linear),
    ),
    ((frozenset({"Issue key", "Summary"}),), Shape("Jira issues (CSV)", _jira)),
)
