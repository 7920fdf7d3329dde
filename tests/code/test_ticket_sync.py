"""`whytree ticket sync` against a tracker over a real socket: what changed, each once, whatever happens on the way."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.code.trackers import FakeTracker, comment, issue, pull, served
from whytree.code.models import PullRequest, Ticket, TicketComment, TrackerReading
from whytree.code.trackers import http
from whytree.code.trackers.sync import find_tracker
from whytree.workspace.terminal.client import CommandError

pytestmark = pytest.mark.slow  # real sockets, real clones: left out of `make quick`

TOKEN = "ghp_SecretSecretSecret"
ISSUES, COMMENTS, PULLS = (f"/api/v3/repos/acme/sprout/{what}" for what in ("issues", "issues/comments", "pulls"))


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own tokens and proxies are nobody's business; nobody waits for half a second."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(http, "FIRST_WAIT_SECONDS", 0.001)


@pytest.fixture
def tracker() -> Iterator[FakeTracker]:
    lists = {ISSUES: [issue(1), issue(2)], COMMENTS: [comment(10, 1)], PULLS: [pull(3)]}
    with served(FakeTracker(lists)) as there:
        yield there


@pytest.fixture
def clone(clone: Clone) -> Clone:
    clone.git("remote", "add", "origin", "git@github.com:Acme/Sprout.git")
    clone.commit("First", README="x\n")
    return clone


@pytest.fixture
def sync(cli: Any, product: Any, clone: Clone, tracker: FakeTracker) -> Any:
    def run(*words: str, api: str = "/api/v3") -> Any:
        return cli("ticket", "sync", "--api", tracker.url + api, "--token", TOKEN, *words, cwd=clone.path)

    return run


def ok(result: Any) -> str:
    assert result.exit_code == 0, result.output or result.exception
    return str(result.output)


def keys() -> list[str]:
    return sorted(Ticket.objects.values_list("key", flat=True), key=lambda key: int(key[1:]))


def test_issues_comments_and_merged_requests_come_in_one_go(sync: Any, tracker: FakeTracker) -> None:
    output = ok(sync())
    assert "2 tickets new" in output
    assert "1 comment new" in output
    assert "1 merged pull request new" in output
    ticket = Ticket.objects.get(key="#1")
    assert (ticket.tracker, ticket.title, ticket.author) == ("github.com/acme/sprout", "Issue 1", "rk")
    assert ticket.comments.get().text == "Me too 10"
    request = PullRequest.objects.get()
    assert (request.key, request.merge_sha, request.branch) == ("#3", f"{3:040x}", "topic-3")
    assert all(asked.headers["authorization"] == f"Bearer {TOKEN}" for asked in tracker.asked)


def test_again_asks_only_what_changed_and_changes_nothing(sync: Any, tracker: FakeTracker) -> None:
    ok(sync())
    ok(sync())
    tracker.asked.clear()
    output = ok(sync())
    assert "0 tickets new, 0 changed, 0 as they were" in output
    assert [asked.status for asked in tracker.asked] == [304, 304, 304], "nothing changed: it says so itself"
    tracker.lists[ISSUES].append(issue(50))
    tracker.lists[ISSUES][0] |= {"state": "closed", "updated_at": "2026-02-01T11:00:00Z"}
    tracker.lists[PULLS].append(pull(60))
    output = ok(sync())
    assert "1 ticket new, 1 changed" in output
    assert "1 merged pull request new" in output
    assert Ticket.objects.get(key="#1").state == "closed"


def test_all_pages_are_read_even_where_many_changed_in_the_same_second(sync: Any, tracker: FakeTracker) -> None:
    tracker.per_page = 3
    same = "2026-02-01T12:00:00Z"
    tracker.lists[ISSUES] = [issue(number) for number in range(1, 8)]
    tracker.lists[ISSUES] += [issue(number, updated_at=same) for number in range(8, 18)]
    tracker.lists[ISSUES] += [issue(number, updated_at="2026-02-01T13:00:00Z") for number in range(18, 21)]
    tracker.lists[PULLS] = [pull(number) for number in range(30, 41)]
    output = ok(sync())
    assert "20 tickets new" in output
    assert "again" not in output
    assert keys() == [f"#{number}" for number in range(1, 21)]
    assert PullRequest.objects.count() == 11


def test_a_limit_in_the_middle_stops_with_the_time_it_goes_on_and_nothing_is_lost(
    sync: Any, tracker: FakeTracker
) -> None:
    tracker.per_page, tracker.limit = 2, 3
    tracker.lists[ISSUES] = [issue(number) for number in range(1, 10)]
    result = sync()
    assert result.exit_code == 1
    assert "GitHub takes no more requests for now. What was read is kept; it goes on at " in result.output
    assert len(tracker.asked) == 3, "it stops by itself, before it is refused"
    read = len(keys())
    assert 2 <= read < 9
    tracker.limit = 5000
    first = tracker.asked[-1].query["since"]
    tracker.asked.clear()
    ok(sync())
    assert tracker.asked[0].query["since"] >= first, "it goes on where it stopped"
    assert len(keys()) == 9


def test_the_first_reading_of_pull_requests_goes_on_at_its_page(sync: Any, tracker: FakeTracker) -> None:
    tracker.per_page = 2
    tracker.lists[PULLS] = [pull(number) for number in range(30, 40)]
    tracker.trouble = lambda path, count: (
        (429, {"Retry-After": "3600"}, b"{}") if path == PULLS and tracker.asked[-1].query["page"] == "3" else None
    )
    assert sync().exit_code == 1
    assert TrackerReading.objects.get(what="requests").page == 3
    assert PullRequest.objects.count() == 4
    tracker.trouble = lambda path, count: None
    tracker.asked.clear()
    ok(sync())
    assert [asked.query["page"] for asked in tracker.asked if asked.path == PULLS] == ["3", "4", "5"]
    assert PullRequest.objects.count() == 10


def test_json_tells_when_it_goes_on(sync: Any, tracker: FakeTracker) -> None:
    tracker.limit = 0
    result = sync("--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert told["again_at"]
    assert told["new"] == 0


def test_a_short_pause_is_waited_for(sync: Any, tracker: FakeTracker) -> None:
    tracker.trouble = lambda path, count: (429, {"Retry-After": "0"}, b"{}") if count == 1 else None
    assert "2 tickets new" in ok(sync())


def test_a_hiccup_is_tried_again_and_an_illness_is_told(sync: Any, tracker: FakeTracker) -> None:
    tracker.trouble = lambda path, count: (502, {}, b"<html>") if count < 3 else None
    assert "2 tickets new" in ok(sync())
    tracker.trouble = lambda path, count: (503, {}, b"")
    assert "answers 503, 4 times. What was read is kept" in refusal(sync())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((401, {}, b'{"message": "Bad credentials"}'), "does not know this token"),
        ((403, {}, b'{"message": "Resource not accessible"}'), "may not read acme/sprout: give it the right"),
        ((403, {"X-GitHub-SSO": "required"}, b"{}"), "waits for single sign-on"),
        ((404, {}, b'{"message": "Not Found"}'), "shows no acme/sprout: a private one looks so"),
        ((422, {}, b'{"message": "Bad \\u001b[31mthing"}'), "answered 422: Bad  [31mthing"),
        ((200, {}, b"<!doctype html><p>Sign in"), "something that is no JSON"),
        ((200, {}, b'{"message": "hello"}'), "answered with no list"),
        ((200, {}, b"[" * 100_000), "something that is no JSON"),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), "does not answer"),
    ],
)
def test_every_refusal_is_a_sentence_and_never_shows_the_token(
    sync: Any, tracker: FakeTracker, answer: Any, sentence: str
) -> None:
    tracker.trouble = lambda path, count: answer
    told = refusal(sync())
    assert sentence in told
    assert TOKEN not in told
    assert not Ticket.objects.exists()


def test_issues_that_are_switched_off_do_not_stop_the_rest(sync: Any, tracker: FakeTracker) -> None:
    gone = (410, {}, b'{"message": "Issues are disabled for this repo"}')
    tracker.trouble = lambda path, count: gone if path == ISSUES else None
    output = ok(sync())
    assert "Issues are switched off for acme/sprout" in output
    assert PullRequest.objects.count() == 1


def test_rows_that_make_no_sense_cost_themselves_only(sync: Any, tracker: FakeTracker) -> None:
    odd = [
        issue(1),
        {**issue(4), "number": "x", "html_url": ""},
        issue(5, user=None, body="\ud83d", labels=None, reactions=None),
    ]
    body = json.dumps([*odd, "nonsense", None, {"title": 7, "body": "\ud83d"}]).encode()
    tracker.trouble = lambda path, count: (200, {}, body) if path == ISSUES else None
    output = ok(sync())
    assert "2 tickets new" in output
    assert "it is no object" in output
    assert keys() == ["#1", "#5"]


# The token -------------------------------------------------------------------------------------------


def test_a_redirect_in_the_house_takes_the_token_along_and_one_elsewhere_does_not(
    sync: Any, tracker: FakeTracker
) -> None:
    moved = "/api/v3/repositories/7/issues"
    tracker.lists[moved] = tracker.lists[ISSUES]
    tracker.trouble = lambda path, count: (301, {"Location": f"{moved}?state=all"}, b"") if path == ISSUES else None
    assert "2 tickets new" in ok(sync())
    assert {asked.headers.get("authorization") for asked in tracker.asked} == {f"Bearer {TOKEN}"}
    with served(FakeTracker({"/steal": [issue(9)]})) as elsewhere:
        tracker.trouble = lambda path, count: (
            (302, {"Location": f"{elsewhere.url}/steal"}, b"") if path == ISSUES else None
        )
        ok(sync("--all"))
        assert [asked.headers.get("authorization") for asked in elsewhere.asked] == [None]


def test_a_next_page_elsewhere_is_asked_without_the_token(sync: Any, tracker: FakeTracker) -> None:
    with served(FakeTracker({"/steal": []})) as elsewhere:
        row = json.dumps([issue(1, updated_at=None)]).encode()
        link = {"Link": f'<{elsewhere.url}/steal>; rel="next"'}
        tracker.trouble = lambda path, count: (200, link, row) if path == ISSUES else None
        ok(sync())
        assert [asked.headers.get("authorization") for asked in elsewhere.asked] == [None]


def test_a_redirect_without_end_or_out_of_https_is_refused(sync: Any, tracker: FakeTracker) -> None:
    tracker.trouble = lambda path, count: (302, {"Location": ISSUES}, b"")
    assert "from address to address" in refusal(sync())
    tracker.trouble = lambda path, count: (302, {"Location": "http://example.org/"}, b"")
    assert "begins with https://" in refusal(sync())
    tracker.trouble = lambda path, count: (302, {"Location": "file:///etc/passwd"}, b"")
    assert "begins with https://" in refusal(sync())


def test_the_token_is_stored_nowhere(sync: Any, product: Any, tracker: FakeTracker) -> None:
    from django.apps import apps

    output = ok(sync("--json"))
    assert TOKEN not in output
    rows = (str(row) for model in apps.get_models() for row in model._default_manager.values())
    assert not [row for row in rows if TOKEN in row]


def test_plain_http_is_only_for_this_machine(cli: Any, product: Any, clone: Clone) -> None:
    result = cli("ticket", "sync", "--api", "http://example.org/api/v3", "--token", TOKEN, cwd=clone.path)
    assert "begins with https://" in refusal(result)


@pytest.mark.parametrize(
    ("remote", "environment", "api", "token"),
    [
        ("git@github.com:Acme/Sprout.git", {"GITHUB_TOKEN": "TOKEN-X"}, "https://api.github.com", "TOKEN-X"),
        ("ssh://git@ssh.github.com:443/Acme/Sprout.git", {"GH_TOKEN": "TOKEN-X"}, "https://api.github.com", "TOKEN-X"),
        (
            "https://gitlab.com/acme/a/b",
            {"GITLAB_TOKEN": "TOKEN-X", "GITHUB_TOKEN": "no"},
            "https://gitlab.com/api/v4",
            "TOKEN-X",
        ),
        ("https://github.acme.com/a/b", {"GITHUB_TOKEN": "no"}, "https://github.acme.com/api/v3", ""),
        (
            "https://github.acme.com/a/b",
            {"GH_HOST": "github.acme.com", "GH_ENTERPRISE_TOKEN": "TOKEN-X", "GITHUB_TOKEN": "no"},
            "https://github.acme.com/api/v3",
            "TOKEN-X",
        ),
        ("https://gitlab.acme.com/a/b", {"GITLAB_TOKEN": "no"}, "https://gitlab.acme.com/api/v4", ""),
        (
            "https://git.acme.com/a/b",
            {
                "GITHUB_SERVER_URL": "https://git.acme.com",
                "GITHUB_API_URL": "https://git.acme.com/api/v3",
                "GITHUB_TOKEN": "TOKEN-X",
            },
            "https://git.acme.com/api/v3",
            "TOKEN-X",
        ),
        (
            "https://git.acme.com/a/b",
            {
                "CI_SERVER_HOST": "git.acme.com",
                "CI_API_V4_URL": "https://git.acme.com/api/v4",
                "GITLAB_TOKEN": "TOKEN-X",
            },
            "https://git.acme.com/api/v4",
            "TOKEN-X",
        ),
    ],
)
def test_a_token_of_the_environment_goes_to_the_host_it_is_for(
    remote: str, environment: dict[str, str], api: str, token: str
) -> None:
    found = find_tracker(remote, environment=environment)
    assert (found.api, found.token) == (api, token)
    assert "TOKEN-X" not in repr(found)


@pytest.mark.parametrize(
    ("remote", "words", "sentence"),
    [
        ("", {}, "no remote whose tracker could be asked"),
        ("/srv/git/sprout.git", {}, "no remote whose tracker could be asked"),
        ("https://git.acme.com/a/b", {}, "Is git.acme.com GitHub or GitLab?"),
        ("https://git.acme.com/a/b", {"api": "https://git.acme.com/rest"}, "does not say whose API it is"),
        ("https://github.com/a/b", {"token": "ghp_x\nghp_y"}, "holds characters that no token has"),
    ],
)
def test_what_cannot_be_asked_is_said(remote: str, words: dict[str, str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence.replace("?", r"\?")):
        find_tracker(remote, environment={}, **words)


def test_proxies_are_those_of_the_environment(
    cli: Any, product: Any, clone: Clone, tracker: FakeTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens behind that address: only the proxy can have answered."""
    monkeypatch.setenv("HTTP_PROXY", tracker.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    words = ("ticket", "sync", "--api", "http://127.0.0.1:9/api/v3", "--token", TOKEN)
    assert "2 tickets new" in ok(cli(*words, cwd=clone.path))
    assert tracker.asked[0].headers["host"] == "127.0.0.1:9"
    monkeypatch.setenv("HTTP_PROXY", "gopher://nowhere")
    assert "The proxy of this environment" in refusal(cli(*words, cwd=clone.path))


# GitLab, renamed repositories ------------------------------------------------------------------------


def test_gitlab_is_read_the_same_way_and_its_members_are_the_team(
    sync: Any, clone: Clone, tracker: FakeTracker
) -> None:
    at = "2026-02-01T10:00:00.000Z"
    row = {"title": "Phone", "description": "Why?", "state": "opened", "labels": [], "upvotes": 2, "project_id": 1}
    row |= {"created_at": at, "updated_at": at, "closed_at": None}
    project = "/api/v4/projects/acme%2Fgroup%2Fsprout"
    where = "https://gitlab.com/acme/group/sprout/-"
    tracker.lists = {
        f"{project}/members/all": [
            {"username": "ann", "access_level": 40, "updated_at": at},
            {"username": "rk", "access_level": 10, "updated_at": at},
        ],
        f"{project}/issues": [
            {**row, "iid": 1, "author": {"username": "rk"}, "web_url": f"{where}/issues/1"},
            {**row, "iid": 2, "author": {"username": "ann"}, "web_url": f"{where}/issues/2"},
        ],
        f"{project}/merge_requests": [
            {
                **row,
                "iid": 3,
                "state": "merged",
                "merged_at": at,
                "description": "Closes #1",
                "merge_commit_sha": None,
                "squash_commit_sha": "b" * 40,
                "sha": "c" * 40,
                "source_branch": "topic",
                "web_url": f"{where}/merge_requests/3",
            }
        ],
    }
    clone.git("remote", "set-url", "origin", "https://gitlab.com/acme/group/sprout.git")
    output = ok(sync(api="/api/v4"))
    assert "2 tickets new" in output
    assert dict(Ticket.objects.values_list("key", "author_is_staff")) == {"#1": None, "#2": True}
    request = PullRequest.objects.get()
    assert (request.key, request.merge_sha) == ("!3", "b" * 40)
    assert request.closes == [{"key": "#1", "tracker": "gitlab.com/acme/group/sprout"}]
    assert "0 tickets new, 0 changed" in ok(sync(api="/api/v4"))


def test_a_renamed_repository_goes_on_under_the_name_the_clone_knows(sync: Any, tracker: FakeTracker) -> None:
    tracker.lists[ISSUES] = [issue(1, html_url="https://github.com/Acme/Seedling/issues/1")]
    assert "is called github.com/acme/seedling now" in ok(sync())
    assert Ticket.objects.get().tracker == "github.com/acme/sprout"


def test_everything_again_changes_nothing(sync: Any, tracker: FakeTracker) -> None:
    ok(sync())
    before = (Ticket.objects.count(), TicketComment.objects.count(), PullRequest.objects.count())
    assert "0 tickets new, 0 changed, 2 as they were" in ok(sync("--all"))
    assert (Ticket.objects.count(), TicketComment.objects.count(), PullRequest.objects.count()) == before


def test_comments_can_be_left_out(sync: Any, tracker: FakeTracker) -> None:
    ok(sync("--no-comments"))
    assert not TicketComment.objects.exists()
    assert COMMENTS not in [asked.path for asked in tracker.asked]
