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


def test_a_ticket_seen_again_keeps_what_it_had(api: Any) -> None:
    api.post("/products/sprout/tickets", {"ticket": "#4", "title": "Form", "body": "Words"}).ok  # noqa: B018
    again = api.post("/products/sprout/tickets", {"ticket": "#4", "state": "closed"}).ok
    assert (again["title"], again["body"], again["state"]) == ("Form", "Words", "closed")


def test_a_person_who_is_forgotten_is_forgotten_in_their_tickets_too(api: Any, product: Any) -> None:
    from whytree.code.plugs import erase_person, export_person
    from whytree.workspace.models import Activity

    path = "/products/sprout/tickets"
    api.post(path, {"ticket": "#4", "title": "Form", "body": "My words", "author": "rk"})
    api.post(path, {"ticket": "#5", "title": "Other", "body": "Theirs", "author": "tom"})
    assert export_person(product, "rk") == {"tickets": [{"key": "#4", "url": "", "title": "Form", "body": "My words"}]}
    erase_person(product, "rk")
    assert set(Ticket.objects.values_list("key", "title", "author", "body")) == {
        ("#4", "Form", "", ""),
        ("#5", "Other", "tom", "Theirs"),
    }
    told = [activity.after["body"] for activity in Activity.objects.filter(verb="see_ticket")]
    assert sorted(told) == ["", "Theirs"]
