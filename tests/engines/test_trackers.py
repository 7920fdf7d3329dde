"""Exports as each tracker writes them: the shape is recognised, and each row says what it says."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from whytree.engines.links.tickets import TicketRef, is_of_request, tickets_of_request
from whytree.engines.tables import Row, open_table
from whytree.engines.tables.rows import flatten
from whytree.engines.trackers import (
    GITHUB_COMMENTS,
    GITHUB_ISSUES,
    GITHUB_REQUESTS,
    GITLAB_REQUESTS,
    RequestRow,
    TicketRow,
    Told,
    recognise,
    with_staff,
)

REST: dict[str, Any] = {
    "number": 38,
    "title": "Phone field scares people",
    "body": None,
    "state": "closed",
    "state_reason": "completed",
    "user": {"login": "rk", "id": 7, "type": "User"},
    "labels": [{"id": 1, "name": "bug", "color": "f00"}, {"name": "signup"}],
    "comments": 2,
    "author_association": "NONE",
    "reactions": {"total_count": 9, "+1": 7, "-1": 1, "heart": 1},
    "created_at": "2026-02-01T10:00:00Z",
    "updated_at": "2026-02-03T10:00:00Z",
    "closed_at": "2026-02-03T10:00:00Z",
    "html_url": "https://github.com/acme/sprout/issues/38",
}
LINEAR = (
    "ID,Team,Title,Description,Status,Estimate,Priority,Project ID,Project,Creator,Assignee,Labels,Created,Updated,"
    "Started,Triaged,Completed,Canceled,Archived,Due Date,Parent issue,SLA Status\n"
    'ENG-7,Eng,\'=SUM of fields,Words,Done,,,,,tom@example.org,,"bug, signup",2026-02-01T10:00:00.000Z,'
    "2026-02-04T10:00:00.000Z,,,2026-02-03T10:00:00.000Z,,,,\n"
)
JIRA = (
    "Summary,Issue key,Issue id,Status,Reporter,Created,Resolved,Votes,Labels,Labels,Description,Status Category,Comment\n"
    'Form,ABC-12,10012,Shipped,Tom,12/Mar/24 9:41 AM,,3,a,b,h1. Words {code}x{code},Done,"13/Mar/24 9:00 AM;ann;Me too",'
    "14/Mar/24 9:00 AM;bob;+1;really\n"
)


def rows_of(tmp_path: Path, text: str, name: str = "export.csv") -> list[Told | None]:
    file = tmp_path / name
    file.write_bytes(text.encode())
    table = open_table(file, ragged=True)
    shape = recognise(table.columns)
    assert shape is not None, table.columns
    return [shape.read(row.values) for row in table if isinstance(row, Row)]


def ticket(told: Told | None) -> TicketRow:
    assert isinstance(told, TicketRow)
    return told


def read(shape: Any, values: dict[str, Any]) -> Any:
    return shape.read(flatten(values))


def test_githubs_rest_says_who_asked_how_many_agree_and_whether_they_are_of_the_team() -> None:
    told = read(GITHUB_ISSUES, REST)
    assert told == TicketRow(
        ticket="#38",
        url="https://github.com/acme/sprout/issues/38",
        title="Phone field scares people",
        state="closed",
        author="rk",
        author_is_staff=False,
        labels=("bug", "signup"),
        votes=7,
        opened_at=datetime(2026, 2, 1, 10, tzinfo=UTC),
        closed_at=datetime(2026, 2, 3, 10, tzinfo=UTC),
        updated_at=datetime(2026, 2, 3, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("user", "association", "author", "is_staff"),
    [
        ({"login": "ann", "type": "User"}, "MEMBER", "ann", True),
        ({"login": "ann", "type": "User"}, "CONTRIBUTOR", "ann", False),
        ({"login": "dependabot[bot]", "type": "Bot"}, "NONE", "dependabot[bot]", True),
        ({"login": "ghost", "type": "User"}, "NONE", "", False),
        (None, "NONE", "", False),
        ({"login": "ann"}, None, "ann", None),
    ],
)
def test_the_team_bots_and_those_who_left_are_told_apart(
    user: Any, association: Any, author: str, is_staff: bool | None
) -> None:
    told = read(GITHUB_ISSUES, {**REST, "user": user, "author_association": association})
    assert (told.author, told.author_is_staff) == (author, is_staff)


def test_a_pull_request_among_the_issues_is_a_request_if_it_was_merged_and_nothing_else() -> None:
    url = "https://github.com/acme/sprout/pull/40"
    listed = {
        **REST,
        "number": 40,
        "body": "Fixes #38",
        "pull_request": {"url": "x", "html_url": url, "merged_at": None},
    }
    assert read(GITHUB_ISSUES, listed) is None
    listed["pull_request"]["merged_at"] = "2026-02-03T10:00:00Z"
    told = read(GITHUB_ISSUES, listed)
    assert isinstance(told, RequestRow)
    assert (told.request, told.url, told.body, told.merge_sha) == ("#40", url, "Fixes #38", "")


def test_githubs_trial_merge_of_an_open_request_is_no_commit() -> None:
    request = {"number": 40, "title": "x", "merge_commit_sha": "a" * 40, "merged_at": None, "head": {"ref": "topic"}}
    assert read(GITHUB_REQUESTS, request) is None
    told = read(GITHUB_REQUESTS, {**request, "merged_at": "2026-02-03T10:00:00Z"})
    assert (told.merge_sha, told.branch) == ("a" * 40, "topic")


def test_a_comment_belongs_to_its_ticket_and_not_to_a_pull_request() -> None:
    comment = {
        "id": 5,
        "html_url": "https://github.com/acme/sprout/issues/38#issuecomment-5",
        "issue_url": "https://api.github.com/repos/acme/sprout/issues/38",
        "body": "Me too",
        "user": {"login": "eve"},
        "author_association": "NONE",
        "created_at": "2026-02-02T10:00:00Z",
    }
    told = read(GITHUB_COMMENTS, comment)
    assert (told.ticket, told.comments_only) == ("#38", True)
    assert (told.comments[0].mark, told.comments[0].author, told.comments[0].text) == ("5", "eve", "Me too")
    under_a_request = comment["html_url"].replace("issues", "pull")
    assert read(GITHUB_COMMENTS, {**comment, "html_url": under_a_request}) is None


def test_gh_writes_the_same_in_camel_case(tmp_path: Path) -> None:
    text = """[{"number": 38, "title": "Phone", "body": "Why?", "author": {"login": "rk", "name": "R", "is_bot": false},
        "labels": [{"name": "bug"}], "state": "OPEN", "stateReason": "", "createdAt": "2026-02-01T10:00:00Z",
        "closedAt": null, "url": "https://github.com/acme/sprout/issues/38",
        "comments": [{"id": "IC_1", "author": {"login": "ann"}, "authorAssociation": "OWNER", "body": "Noted",
                      "createdAt": "2026-02-02T10:00:00Z", "url": "https://github.com/acme/sprout/issues/38#issuecomment-5"},
                     {"author": null, "body": "+1", "createdAt": "2026-02-02T11:00:00Z"}, "nonsense"],
        "reactionGroups": [{"content": "HEART", "users": {"totalCount": 9}},
                           {"content": "THUMBS_UP", "users": {"totalCount": 4}}]}]"""
    told = ticket(rows_of(tmp_path, text, "issues.json")[0])
    assert (told.ticket, told.state, told.votes, told.labels, told.author_is_staff) == (
        "#38",
        "open",
        4,
        ("bug",),
        None,
    )
    assert [(one.author, one.text, one.author_is_staff) for one in told.comments] == [
        ("ann", "Noted", True),
        ("", "+1", None),
    ]
    assert told.comments[0].mark == "5", "REST knows the comment under the same number"


def test_gh_tells_which_tickets_a_request_closes(tmp_path: Path) -> None:
    text = """[{"number": 40, "title": "Defer", "mergedAt": "2026-02-03T10:00:00Z", "headRefName": "topic",
        "mergeCommit": {"oid": "%s"}, "closingIssuesReferences": [{"number": 38}]},
        {"number": 41, "title": "Never", "mergedAt": null, "headRefName": "other", "mergeCommit": null}]"""
    told, never = rows_of(tmp_path, text % ("b" * 40), "prs.json")
    assert isinstance(told, RequestRow)
    assert (told.merge_sha, told.closes, told.branch) == ("b" * 40, ("#38",), "topic")
    assert never is None


def test_pages_written_one_after_the_other_are_one_list(tmp_path: Path) -> None:
    one = '{"number": 1, "title": "a", "html_url": "x"}'
    two = '{"number": 2, "title": "b", "html_url": "x"}'
    for text in (f"[{one}]\n[{two}]", f"[[{one}], [{two}]]", f"[{one}, {two}]", f"{one}\n{two}\n"):
        assert [ticket(row).ticket for row in rows_of(tmp_path, text, "pages.json")] == ["#1", "#2"]


def test_gitlabs_json_and_csv(tmp_path: Path) -> None:
    json = """[{"id": 900, "iid": 12, "title": "Phone", "description": "Why?", "state": "opened", "labels": ["bug"],
        "upvotes": 3, "author": {"username": "rk"}, "created_at": "2026-02-01T10:00:00Z", "closed_at": null,
        "web_url": "https://gitlab.com/acme/sprout/-/issues/12", "project_id": 1}]"""
    csv = (
        "\ufeffTitle,Description,Issue ID,URL,State,Author,Author Username,Created At (UTC),Updated At (UTC),"
        "Closed At (UTC),Labels\n"
        'Phone,Why?,12,https://gitlab.com/acme/sprout/-/issues/12,Open,R K,rk,2026-02-01 10:00:00,,,"bug,signup"\n'
    )
    told = ticket(rows_of(tmp_path, json, "issues.json")[0])
    assert (told.ticket, told.state, told.votes, told.author, told.labels) == ("#12", "open", 3, "rk", ("bug",))
    same = ticket(rows_of(tmp_path, csv)[0])
    assert (same.ticket, same.state, same.author, same.labels) == ("#12", "open", "rk", ("bug", "signup"))
    assert same.opened_at == told.opened_at == datetime(2026, 2, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("merge", "squash", "expected"),
    [("a", "b", ("a" * 40, "b" * 40)), (None, "b", ("b" * 40, "")), (None, None, ("c" * 40, ""))],
)
def test_gitlabs_merge_squash_and_fast_forward_each_leave_another_commit(
    merge: str | None, squash: str | None, expected: tuple[str, str]
) -> None:
    told = read(
        GITLAB_REQUESTS,
        {
            "iid": 4,
            "title": "x",
            "state": "merged",
            "merge_commit_sha": merge and merge * 40,
            "squash_commit_sha": squash and squash * 40,
            "sha": "c" * 40,
            "source_branch": "topic",
        },
    )
    assert (told.request, told.merge_sha, told.squash_sha) == ("!4", *expected)


def test_linear_rows_may_lack_their_last_cell_and_guard_formulas(tmp_path: Path) -> None:
    told = ticket(rows_of(tmp_path, LINEAR)[0])
    assert (told.ticket, told.title, told.state, told.labels) == (
        "ENG-7",
        "=SUM of fields",
        "closed",
        ("bug", "signup"),
    )
    assert told.closed_at == datetime(2026, 2, 3, 10, tzinfo=UTC)
    assert told.author_is_staff, "only members of the workspace create issues"


def test_linears_older_header_is_known_too(tmp_path: Path) -> None:
    told = ticket(
        rows_of(tmp_path, "Id,Title,Description,Status,Creator,Created\neng-7,Form,,Todo,tom,2026-02-01\n")[0]
    )
    assert (told.ticket, told.state) == ("ENG-7", "open")


def test_jira_rows_may_be_wider_than_the_header_and_repeat_it(tmp_path: Path) -> None:
    told = ticket(rows_of(tmp_path, JIRA)[0])
    assert (told.ticket, told.state, told.labels, told.votes) == ("ABC-12", "closed", ("a", "b"), 3)
    assert told.body == "h1. Words {code}x{code}", "markup is kept as it is"
    assert told.opened_at == datetime(2024, 3, 12, 9, 41, tzinfo=UTC)
    assert [(one.author, one.text) for one in told.comments] == [("ann", "Me too"), ("bob", "+1;really")]


def test_of_a_jira_row_that_slipped_only_its_start_is_believed(tmp_path: Path) -> None:
    told = ticket(rows_of(tmp_path, JIRA.replace("14/Mar/24 9:00 AM;bob;+1;really", "High"))[0])
    assert (told.ticket, told.title, told.state, told.comments) == ("ABC-12", "Form", "", ())
    assert "more cells than the header (1)" in told.doubts[0]


def test_a_time_nobody_can_read_is_said_and_costs_no_row(tmp_path: Path) -> None:
    told = ticket(rows_of(tmp_path, JIRA.replace("12/Mar/24 9:41 AM", "neulich"))[0])
    assert told.opened_at is None
    assert "“neulich” in Created" in told.doubts[0]


@pytest.mark.parametrize(("written", "ticket_name"), [("12.0", "#12"), (12.0, "#12"), ("#12", "#12"), ("twelve", "")])
def test_spreadsheets_numbers_are_numbers(written: Any, ticket_name: str) -> None:
    assert read(GITHUB_ISSUES, {**REST, "number": written}).ticket == ticket_name


def test_a_table_of_no_tracker_is_not_taken_for_one() -> None:
    assert recognise(["colour", "size"]) is None
    assert recognise(["number", "title"]) is None
    assert recognise(["id", "title", "status", "description"]) is None


def test_a_title_of_a_megabyte_is_cut() -> None:
    assert len(read(GITHUB_ISSUES, {**REST, "title": "x" * 1_000_000}).title) == 500


def test_people_named_as_staff_are() -> None:
    told = with_staff(read(GITHUB_ISSUES, REST), frozenset({"rk"}))
    assert isinstance(told, TicketRow)
    assert told.author_is_staff is True


# What a pull request is for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "body", "keys"),
    [
        ("Defer phone", "Fixes #38", ["#38"]),
        ("Defer phone", "Fixes: acme/other#38, and closes ABC-12.", ["#38", "ABC-12"]),
        ("ABC-12: defer phone", "", ["ABC-12"]),
        ("Defer phone", "Refs #38. Part of #9.", []),
        ("Defer phone", "<!-- Write here: Fixes #123 -->\nNothing.", []),
        ("Defer phone", "<!-- Fixes #123", []),
        ("Defer phone", "> Fixes #9\n\nThat was wrong.", []),
        ("Defer phone", "```\nFixes #9\n```\nCloses #38", ["#38"]),
        ("Defer phone", "Say `fixes #9` to close it.", []),
        ("Defer phone", "This does not fix #38.", []),
    ],
)
def test_only_what_its_author_says_it_closes_counts(title: str, body: str, keys: list[str]) -> None:
    assert [ref.key for ref in tickets_of_request(title, body, ())] == keys


def test_a_ticket_elsewhere_stays_elsewhere() -> None:
    assert tickets_of_request("x", "Fixes acme/other#38", ()) == [TicketRef("#38", "github.com/acme/other")]


@pytest.mark.parametrize(
    ("subject", "merge_body", "title", "same"),
    [
        ("Defer phone to first booking (#40)", "", "Defer phone to first booking", True),
        ("Fix typo (#40)", "", "Defer phone to first booking", False),
        ("", "Defer phone to first booking\n\nmore", "Defer phone to first booking", True),
        ("", "", "Defer phone", False),
        ("Fix crash (#40)", "", "Fix crash on start of the phone book", False),
    ],
)
def test_a_number_is_believed_where_the_words_agree(subject: str, merge_body: str, title: str, same: bool) -> None:
    assert is_of_request(subject, merge_body, title) is same
