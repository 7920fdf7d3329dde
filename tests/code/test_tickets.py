"""Tickets from trackers' exports: in once, filled in later, refused row by row."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from whytree.code.models import Ticket
from whytree.code.services import register_repository

GITHUB = [
    {
        "number": 412,
        "title": "Build sign-up form",
        "state": "OPEN",
        "body": "Collect user info.",
        "author": {"login": "tom"},
        "url": "https://github.com/acme/sprout/issues/412",
        "createdAt": "2026-02-01T10:00:00Z",
    },
    {
        "number": 413,
        "title": "Add a fax number",
        "state": "CLOSED",
        "body": None,
        "author": {"login": "ann"},
        "url": "https://github.com/acme/sprout/issues/413",
        "createdAt": "2026-02-02T10:00:00Z",
    },
]
JIRA = (
    "Summary,Issue key,Issue id,Status,Reporter,Created,Description,Labels,Labels\n"
    "Form,ABC-12,10012,Done,Tom,12/Mar/24 9:41 AM,Words,a,b\n"
    "No key,,10013,Open,Tom,,,,\n"
)
LINEAR = "ID,Team,Title,Description,Status,Creator,Created\nENG-7,Eng,Form,Words,In Progress,tom@example.org,2026-02-01T10:00:00.000Z\n"


def test_github_json_is_read_and_reading_it_again_changes_nothing(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "issues.json"
    file.write_text(json.dumps(GITHUB))
    assert "2 tickets new" in cli("import", "tickets", str(file)).output
    again = cli("import", "tickets", str(file)).output
    assert "0 tickets new, 0 changed, 2 as they were" in again
    ticket = Ticket.objects.get(key="#412")
    assert (ticket.title, ticket.state, ticket.author, ticket.tracker) == (
        "Build sign-up form",
        "open",
        "tom",
        "github.com/acme/sprout",
    )
    assert ticket.url.endswith("/412")
    assert ticket.opened_at
    assert ticket.opened_at.isoformat() == "2026-02-01T10:00:00+00:00"


@pytest.mark.parametrize(("text", "key", "state"), [(JIRA, "ABC-12", "closed"), (LINEAR, "ENG-7", "open")])
def test_other_trackers_columns_are_found(
    cli: Any, product: Any, tmp_path: Path, text: str, key: str, state: str
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(text)
    result = json.loads(cli("import", "tickets", str(file), "--json").output)
    assert result["new"] == 1
    ticket = Ticket.objects.get()
    assert (ticket.key, ticket.title, ticket.state) == (key, "Form", state)


def test_rows_that_are_no_tickets_are_listed_and_the_rest_is_taken(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "jira.csv"
    file.write_text(JIRA)
    output = cli("import", "tickets", str(file)).output
    assert "row 3" in output
    assert Ticket.objects.count() == 1


def test_a_dry_run_changes_nothing(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "issues.json"
    file.write_text(json.dumps(GITHUB))
    assert "2 tickets would be new" in cli("import", "tickets", str(file), "--dry-run").output
    assert not Ticket.objects.exists()


def test_bare_numbers_belong_to_the_only_repository(cli: Any, actor: Any, product: Any, tmp_path: Path) -> None:
    register_repository(actor, product, name="app", root_sha="a" * 40, tracker="github.com/acme/sprout")
    file = tmp_path / "issues.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([["number", "title"], [412, "Form"]])
    cli("import", "tickets", str(file))
    assert Ticket.objects.get().tracker == "github.com/acme/sprout"


def test_pull_requests_among_the_issues_are_left_out(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "issues.json"
    file.write_text(
        json.dumps([{"number": 1, "title": "a"}, {"number": 2, "title": "b", "pull_request": {"url": "x"}}])
    )
    cli("import", "tickets", str(file))
    assert [ticket.key for ticket in Ticket.objects.all()] == ["#1"]


def test_a_file_without_ticket_numbers_or_no_file_is_a_clear_sentence(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("colour,size\nred,3\n")
    assert "number" in refusal(cli("import", "tickets", str(file)))
    assert refusal(cli("import", "tickets", str(tmp_path / "none.csv")))


def test_an_address_that_a_browser_would_run_is_not_kept(api: Any) -> None:
    made = api.post("/products/sprout/tickets", {"ticket": "ABC-1", "url": "javascript:alert(1)"}).ok
    assert made["url"] == ""
    assert api.post("/products/sprout/tickets", {"ticket": "no ticket"}).status == 400
    refused = api.post("/products/sprout/tickets", {"ticket": "ABC-2", "state": "almost"})
    assert (refused.status, "open or closed" in refused.body["message"]) == (400, True)


def test_a_ticket_seen_again_keeps_what_it_had(api: Any) -> None:
    api.post("/products/sprout/tickets", {"ticket": "#4", "title": "Form", "body": "Words"}).must_succeed()
    again = api.post("/products/sprout/tickets", {"ticket": "#4", "state": "closed"}).ok
    assert (again["title"], again["body"], again["state"]) == ("Form", "Words", "closed")


def test_a_person_who_is_forgotten_is_forgotten_in_their_tickets_too(api: Any, product: Any) -> None:
    from whytree.code.plugs import erase_person, export_person
    from whytree.workspace.models import Activity

    path = "/products/sprout/tickets"
    api.post(path, {"ticket": "#4", "title": "Form", "body": "My words", "author": "rk"})
    api.post(path, {"ticket": "#5", "title": "Other", "body": "Theirs", "author": "tom"})
    assert export_person(product, "rk")["tickets"] == [{"key": "#4", "url": "", "title": "Form", "body": "My words"}]
    erase_person(product, "rk")
    assert set(Ticket.objects.values_list("key", "title", "author", "body")) == {
        ("#4", "Form", "", ""),
        ("#5", "Other", "tom", "Theirs"),
    }
    told = [activity.after["body"] for activity in Activity.objects.filter(verb="see_ticket")]
    assert sorted(told) == ["", "Theirs"]


# What trackers write ----------------------------------------------------------------------------------


def rest(number: int, **more: Any) -> dict[str, Any]:
    """An issue as GitHub's REST tells it."""
    return {
        "number": number,
        "title": f"Issue {number}",
        "body": "Words",
        "state": "open",
        "user": {"login": "rk", "type": "User"},
        "author_association": "NONE",
        "labels": [{"name": "bug"}],
        "reactions": {"+1": 2},
        "created_at": "2026-02-01T10:00:00Z",
        "updated_at": "2026-02-02T10:00:00Z",
        "closed_at": None,
        "html_url": f"https://github.com/acme/sprout/issues/{number}",
        **more,
    }


def brought(cli: Any, tmp_path: Path, rows: list[dict[str, Any]], *words: str) -> Any:
    file = tmp_path / "issues.json"
    file.write_text(json.dumps(rows))
    result = cli("import", "tickets", str(file), *words)
    assert result.exit_code == 0, result.output or result.exception
    return result


def test_it_says_whose_shape_the_file_has(cli: Any, product: Any, tmp_path: Path) -> None:
    assert "GitHub issues (REST)" in brought(cli, tmp_path, [rest(1)]).output
    ticket = Ticket.objects.get()
    assert (ticket.labels, ticket.votes, ticket.author_is_staff) == (["bug"], 2, False)


def test_a_guessed_file_shows_its_columns_instead(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("key,summary,votes\nABC-1,Form,4.0\n")
    assert "ticket from “key”, title from “summary”" in cli("import", "tickets", str(file)).output
    assert Ticket.objects.get().votes == 4


def test_of_a_ticket_that_stands_twice_the_newest_words_are_kept_and_it_is_said(
    cli: Any, product: Any, tmp_path: Path
) -> None:
    rows = [rest(1, title="New", updated_at="2026-03-01T00:00:00Z"), rest(1, title="Old"), rest(2)]
    output = brought(cli, tmp_path, rows).output
    assert "again: 1 row; the newest words were kept" in output
    assert Ticket.objects.get(key="#1").title == "New"


def test_a_file_that_repeats_itself_changes_nothing_the_second_time(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("key,title\nABC-1,First words\nABC-2,Other\nABC-1,Last words\n")
    for output in ("2 tickets new, 0 changed", "0 tickets new, 0 changed, 2 as they were"):
        assert output in cli("import", "tickets", str(file)).output
        assert Ticket.objects.get(key="ABC-1").title == "Last words"


def test_a_dry_run_tells_what_a_real_one_would(cli: Any, product: Any, tmp_path: Path) -> None:
    comments = [{"author": {"login": "eve"}, "body": "Me too", "createdAt": "2026-02-02T10:00:00Z"}]
    rows = [{**GITHUB[0], "comments": comments}]
    before = json.loads(brought(cli, tmp_path, rows, "--dry-run", "--json").output)
    assert (before["new"], before["comments"]) == (1, 1)
    assert not Ticket.objects.exists()
    brought(cli, tmp_path, rows)
    after = json.loads(brought(cli, tmp_path, rows, "--dry-run", "--json").output)
    assert (after["new"], after["unchanged"], after["comments"]) == (0, 1, 0)


def test_an_older_export_takes_nothing_back(cli: Any, product: Any, tmp_path: Path) -> None:
    brought(cli, tmp_path, [rest(1, state="closed", updated_at="2026-03-01T00:00:00Z")])
    output = brought(cli, tmp_path, [rest(1)]).output
    assert "Older than what is here already, and left: 1 row." in output
    assert Ticket.objects.get().state == "closed"


def test_a_ticket_that_was_opened_again_and_lost_its_labels_says_so(cli: Any, product: Any, tmp_path: Path) -> None:
    closed = rest(1, state="closed", closed_at="2026-02-02T00:00:00Z")
    brought(cli, tmp_path, [closed])
    assert Ticket.objects.get().closed_at
    brought(cli, tmp_path, [rest(1, labels=[], updated_at="2026-02-05T00:00:00Z")])
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.closed_at, ticket.labels) == ("open", None, [])


def test_words_of_the_team_are_marked_and_more_of_the_team_can_be_named(cli: Any, product: Any, tmp_path: Path) -> None:
    rows = [rest(1), rest(2, author_association="MEMBER"), rest(3, user={"login": "Ann", "type": "User"})]
    brought(cli, tmp_path, rows, "--staff", "@ann")
    assert dict(Ticket.objects.values_list("key", "author_is_staff")) == {"#1": False, "#2": True, "#3": True}


def test_comments_come_once_however_often_they_are_sent(cli: Any, product: Any, tmp_path: Path) -> None:
    comments = [{"author": {"login": "eve"}, "body": "Me too", "createdAt": "2026-02-02T10:00:00Z"}]
    rows = [{**GITHUB[0], "comments": comments}]
    assert "1 comment new" in brought(cli, tmp_path, rows).output
    assert "comments" not in brought(cli, tmp_path, rows).output
    comment = Ticket.objects.get().comments.get()
    assert (comment.author, comment.text, comment.author_is_staff) == ("eve", "Me too", None)


def test_comments_of_tickets_that_are_not_here_make_none(cli: Any, product: Any, tmp_path: Path) -> None:
    where = "https://github.com/acme/sprout/issues/9#issuecomment-1"
    row = {"id": 1, "html_url": where, "issue_url": "x", "body": "Me too", "user": None, "created_at": None}
    assert "On tickets that are not here: 1 comment." in brought(cli, tmp_path, [row]).output
    assert not Ticket.objects.exists()


def test_who_is_forgotten_is_forgotten_in_comments_and_pull_requests_too(
    cli: Any, product: Any, tmp_path: Path
) -> None:
    from django.apps import apps

    from whytree.code.models import PullRequest, TicketComment
    from whytree.code.plugs import erase_person, export_person

    naming = {model for model in apps.get_app_config("code").get_models() if hasattr(model, "author")}
    assert naming == {Ticket, TicketComment, PullRequest}, "whoever names an author forgets them: add it below"
    comments = [{"author": {"login": "rk"}, "body": "Me too", "createdAt": "2026-02-02T10:00:00Z"}]
    brought(cli, tmp_path, [{**GITHUB[0], "comments": comments}])
    merged = {"url": "x", "merged_at": "2026-02-03T10:00:00Z"}
    brought(cli, tmp_path, [rest(40, body="Fixes #412", pull_request=merged)])
    told = export_person(product, "rk")
    assert [one["text"] for one in told["ticket_comments"]] == ["Me too"]
    assert [one["body"] for one in told["pull_requests"]] == ["Fixes #412"]
    erase_person(product, "rk")
    assert [(one.author, one.text) for one in TicketComment.objects.all()] == [("", "")]
    request = PullRequest.objects.get()
    assert (request.author, request.body) == ("", "")
    assert [one["key"] for one in request.closes] == ["#412"], "the line to the ticket does not break"


def test_who_is_forgotten_stays_forgotten_when_the_same_file_comes_again(
    cli: Any, product: Any, tmp_path: Path
) -> None:
    from whytree.code.models import PullRequest, TicketComment
    from whytree.code.plugs import erase_person, export_person

    comments = [
        {"author": {"login": "rk"}, "body": "Me too", "createdAt": "2026-02-02T10:00:00Z"},
        {"author": {"login": "eve"}, "body": "And I", "createdAt": "2026-02-02T11:00:00Z"},
    ]
    merged = {"url": "x", "merged_at": "2026-02-03T10:00:00Z"}
    files = [
        [{**GITHUB[0], "author": {"login": "rk"}, "comments": comments}, GITHUB[1]],
        [rest(40, body="Fixes #412", pull_request=merged)],
    ]
    for rows in files:
        brought(cli, tmp_path, rows)
    erase_person(product, "rk")
    for rows in files:
        brought(cli, tmp_path, rows)
    assert export_person(product, "rk") == {"tickets": [], "ticket_comments": [], "pull_requests": []}
    assert set(Ticket.objects.values_list("key", "author", "body")) == {("#412", "", ""), ("#413", "ann", "")}
    assert set(TicketComment.objects.values_list("author", "text")) == {("", ""), ("eve", "And I")}
    request = PullRequest.objects.get()
    assert (request.author, request.body) == ("", "")
    assert [one["key"] for one in request.closes] == ["#412"]
    brought(cli, tmp_path, [{**GITHUB[0], "title": "Shorter form", "state": "CLOSED"}])
    brought(cli, tmp_path, [rest(40, title="Defer it", body="Fixes #412 and fixes #413", pull_request=merged)])
    ticket, request = Ticket.objects.get(key="#412"), PullRequest.objects.get()
    assert (ticket.title, ticket.state, ticket.body, ticket.author) == ("Shorter form", "closed", "", "")
    assert [one["key"] for one in request.closes] == ["#412", "#413"], "what it is for is read, its words are not kept"
    assert (request.title, request.body, request.author) == ("Defer it", "", "")
    brought(cli, tmp_path, [rest(40, title="Defer it all", body="", pull_request=merged)])
    assert len(PullRequest.objects.get().closes) == 2


def test_bare_numbers_can_be_placed_by_saying_whose_they_are(cli: Any, product: Any, tmp_path: Path) -> None:
    rows = [{"number": 1, "title": "a", "createdAt": "2026-02-01T10:00:00Z"}]
    brought(cli, tmp_path, rows, "--tracker", "GitHub.com/Acme/Sprout")
    assert Ticket.objects.get().tracker == "github.com/acme/sprout"


def test_bare_numbers_of_several_repositories_are_not_guessed(
    cli: Any, actor: Any, product: Any, tmp_path: Path
) -> None:
    for name, sha in (("app", "a"), ("api", "b")):
        register_repository(actor, product, name=name, root_sha=sha * 40, tracker=f"github.com/acme/{name}")
    rows = [{"number": 1, "title": "a", "createdAt": "2026-02-01T10:00:00Z"}]
    assert "row 1: #1 of which repository? Say it: --tracker" in brought(cli, tmp_path, rows).output
    assert not Ticket.objects.exists()
    brought(cli, tmp_path, rows, "--tracker", "github.com/acme/api")
    assert Ticket.objects.get().tracker == "github.com/acme/api"


def test_hostile_words_are_kept_as_words_and_never_reach_a_terminal(cli: Any, product: Any, tmp_path: Path) -> None:
    file = tmp_path / "x\x1b[31m.csv"
    file.write_text("key,title\x1b[2J,created\nABC-1,\x1b]0;pwned\x07<b>x</b>,x\n\x1b[31mred,b,x\n")
    output = cli("import", "tickets", str(file)).output
    assert "\x1b" not in output
    assert "row 3" in output
    assert Ticket.objects.get().title == "\x1b]0;pwned\x07<b>x</b>"


def test_a_viewer_or_a_stranger_imports_nothing(product: Any, api_bob: Any, viewer: Any, charlie: Any) -> None:
    from tests.conftest import Api

    for where in ("tickets/import", "pull-requests/import", "trackers"):
        body = {"tickets": [], "requests": [], "tracker": "github.com/a/b", "what": "issues"}
        assert api_bob.post(f"/products/sprout/{where}", body).status == 403
        assert Api(viewer).post(f"/products/sprout/{where}", body).status == 403
        assert Api(charlie).post(f"/products/sprout/{where}", body).status == 404


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["x", "😀"])
def test_no_request_is_large_however_long_the_file(
    cli: Any, product: Any, tmp_path: Path, letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 rows of 10,000 letters: far more than a server takes at once."""
    from whytree.code.trackers import telling

    sent: list[int] = []
    post = telling.Telling._post

    def watched(self: Any, where: str, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        sent.append(len(json.dumps(rows)))
        return post(self, where, name, rows)

    monkeypatch.setattr(telling.Telling, "_post", watched)
    file = tmp_path / "big.jsonl"
    with file.open("w") as out:
        out.writelines(json.dumps(rest(number, body=letter * 10_000)) + "\n" for number in range(1, 1001))
    assert "1,000 tickets new" in cli("import", "tickets", str(file)).output
    assert max(sent) < telling.CHARACTERS_AT_ONCE * 1.3


def test_half_an_emoji_costs_only_itself(cli: Any, product: Any, tmp_path: Path) -> None:
    comment = {"author": None, "body": "Cut \ud83d", "createdAt": "2026-02-02T10:00:00Z"}
    brought(cli, tmp_path, [{**GITHUB[0], "comments": [comment], "labels": [{"name": "\ud83d"}]}, GITHUB[1]])
    assert Ticket.objects.count() == 2
    assert Ticket.objects.get(key="#412").comments.get().text == "Cut ?"


@pytest.mark.parametrize("written", ["acme/sprout", "x" * 400 + ".com/a", "github.com", "git\x1bhub.com/a/b", " "])
def test_a_tracker_that_is_none_is_refused(api: Any, product: Any, written: str) -> None:
    for where, more in (("tickets/import", {"tickets": []}), ("trackers", {"what": "issues"})):
        answer = api.post(f"/products/sprout/{where}", {"tracker": written, **more})
        assert answer.status == 400
        assert "Name it as github.com/acme/sprout" in answer.body["message"]


def test_times_beyond_every_calendar_and_endless_names_break_nothing(api: Any, product: Any) -> None:
    never = "9999-12-31T23:59:59-12:00"
    times = dict.fromkeys(("opened_at", "closed_at", "updated_at"), never)
    comment = {"mark": "m" * 500, "text": "Hm\x00", "said_at": never, "author": "a" * 500}
    rows = [
        {"row": 1, "ticket": "ABC-1", "title": "Kept", "labels": ["l" * 999] * 99, "comments": [comment], **times},
        {"row": 2, "ticket": "", "url": f"https://git.acme.com/{'a' * 400}/b/issues/1"},
        {"row": 3, "ticket": "", "url": f"https://acme.atlassian.net/browse/{'A' * 400}-1"},
    ]
    done = api.post("/products/sprout/tickets/import", {"tickets": rows}).ok
    assert (done["new"], done["comments"], [one["row"] for one in done["refused"]]) == (1, 1, [2, 3])
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.opened_at, ticket.updated_at) == ("Kept", None, None)
    assert (ticket.comments.get().text, len(ticket.labels)) == ("Hm", 50)
    reading = {"tracker": "github.com/a/b", "what": "issues", "since_at": never, "etag": "e" * 900}
    assert api.post("/products/sprout/trackers", reading).ok["since_at"] is None
    assert api.post("/products/sprout/trackers", {**reading, "what": "secrets"}).status == 400


def test_the_same_comment_twice_in_one_request_is_one(api: Any, product: Any) -> None:
    comment = {"mark": "1", "text": "Me too"}
    rows = [{"row": row, "ticket": "ABC-1", "comments": [comment, comment]} for row in (1, 2)]
    assert api.post("/products/sprout/tickets/import", {"tickets": rows}).ok["comments"] == 1
    later = [{"row": 1, "ticket": "ABC-1", "comments": [{"mark": "1", "text": "Me too!"}], "comments_only": True}]
    assert api.post("/products/sprout/tickets/import", {"tickets": later}).ok["comments"] == 0
    assert Ticket.objects.get().comments.get().text == "Me too!"
