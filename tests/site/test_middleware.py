"""What every answer gets, and what becomes of errors nobody answered for."""

import errno
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from whytree.site import pages
from whytree.site.log_routes import route_of
from whytree.site.middleware import as_known
from whytree.workspace.entry import keys

pytestmark = pytest.mark.django_db


@pytest.mark.relational
def test_a_nul_in_text_is_never_a_server_error(as_alice: Any, api: Any) -> None:
    """SQLite keeps it; PostgreSQL cannot, and says so."""
    answer = api.patch("/products/sprout", {"vision": "a\x00b"})
    assert answer.status == (400 if connection.vendor == "postgresql" else 200)
    assert as_alice.get("/p/sprout/people", {"q": "a\x00b"}).status_code in {200, 400}
    assert as_alice.get("/p/sprout/voices", {"q": "a\x00b"}).status_code in {200, 400}


@pytest.mark.parametrize(
    ("words", "says"),
    [("database or disk is full", "disk is full"), ("database is locked", "busy")],
)
def test_a_database_that_cannot_write_is_a_503_that_says_try_again(words: str, says: str) -> None:
    known = as_known(OperationalError(words))
    assert known is not None
    assert known.status == 503
    assert says in known.message


def test_a_backup_without_room_says_so_and_leaves_nothing_behind(
    api: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("whytree.workspace.archive.tarfile.TarFile.add", fill)
    answer = api.get("/workspace/backup")
    assert answer.status == 503
    assert "The disk is full" in answer.body["message"]
    assert not list((settings.WHYTREE.data / "copies").iterdir())


def test_a_full_disk_reaches_the_asker_as_503(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("whytree.workspace.services.edit_product", full)
    answer = api.patch("/products/sprout", {"vision": "x"})
    assert answer.status == 503
    assert "Free some space" in answer.body["message"]


def test_under_a_name_that_nobody_allowed_it_says_what_allows_it(client: Client, product: Any, caplog: Any) -> None:
    """Whoever opens a new server by its address in the network meets this first; scanners meet it all day."""
    for answer in (
        client.get("/sign-in", headers={"Host": "whytree.lan:8787"}),
        client.get("/sign-in", HTTP_HOST="a\\@b"),
    ):
        assert answer.status_code == 400
        assert "WHYTREE_ALLOWED_HOSTS" in answer.content.decode()
    assert caplog.text == ""


def test_a_surprise_is_logged_under_a_reference_the_asker_gets(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def surprise(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("whytree.workspace.services.edit_product", surprise)
    answer = api.patch("/products/sprout", {"vision": "x"})
    assert answer.status == 500
    assert "a secret detail" not in str(answer.body)
    reference = answer.body["message"].rstrip(".").split()[-1]
    assert reference in caplog.text
    assert "a secret detail" in caplog.text


def test_the_policy_allows_no_inline_script_and_no_other_host(as_alice: Any) -> None:
    policy = as_alice.get("/p/sprout/settings").headers["Content-Security-Policy"]
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert script == "script-src 'self'"
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("error", [RuntimeError("a surprise"), OperationalError("database is locked")])
def test_the_log_says_which_route_failed_and_no_secret_of_its_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(token: str) -> str:
        raise error

    monkeypatch.setattr("whytree.why.daily.sending.feed", fail)
    status = Client(raise_request_exception=False).get("/feed/s3cret-token").status_code
    assert status == (503 if isinstance(error, OperationalError) else 500)
    assert "/feed/<str:token>" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_form_from_elsewhere_is_logged_without_the_secret_too(caplog: pytest.LogCaptureFixture) -> None:
    assert Client(enforce_csrf_checks=True).post("/sign-in/s3cret-token").status_code == 403
    assert "Forbidden" in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(("path", "said"), [("/feed/s3cret", "/feed/…"), ("/", "/"), ("/health", "/health")])
def test_of_an_address_nobody_looked_up_only_the_first_part_is_said(path: str, said: str) -> None:
    assert route_of(RequestFactory().get(path)) == said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("LIKE or GLOB pattern too complex"), "too long to look for"),
        (
            ValueError("Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits"),
            "too many digits",
        ),
    ],
)
def test_what_is_absurdly_long_is_told_to_the_sender(error: Exception, words: str) -> None:
    known = as_known(error)
    assert known is not None
    assert (known.status, words in known.message) == (400, True)


def test_an_absurdly_long_number_is_refused_on_a_page_and_by_the_api(as_alice: Any, api: Any, product: Any) -> None:
    metric = {"key": "k", "kind": "conversion", "from": "a", "to": "b", "within_days": "9" * 5_000}
    assert as_alice.post("/p/sprout/numbers/new", metric).status_code == 400
    api.post("/products/sprout/metrics", {"key": "k", "definition": {"version": 1, "kind": "count", "event": "a"}})
    rule = {"version": 1, "kind": "band", "low": 10**400}
    assert api.post("/products/sprout/alerts", {"metric": "k", "rule": rule, "mail": False}).status == 400


def test_half_a_character_is_told_to_the_sender(api: Any, product: Any) -> None:
    sent = api._send("PUT", "/products/sprout/interview-guides", '{"name": "\\ud800", "questions": "Tell me"}')
    assert (sent.status, "surrogates" in sent.body["message"]) == (400, True)


def test_another_method_is_told_in_words_too(as_alice: Any, api: Any) -> None:
    """Mostly met by whoever had to sign in again in the middle of an act."""
    page = as_alice.get("/sign-out")
    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "Go back, and press the button there" in page.content.decode()
    answer = api.patch("/products", {})
    assert (answer.status, answer.body["code"]) == (405, "method_not_allowed")
    assert "not PATCH" in answer.body["message"]
    for door in ("/v1/batch", "/i/v1/analytics/events", "/v1/feedback"):
        refused = Client().get(door)
        assert (refused.status_code, refused["Allow"]) == (405, "POST, OPTIONS")
        assert "Send with POST, not GET" in refused.content.decode()


def test_which_folder_is_damaged_is_told_to_no_stranger(
    alice: Any, server_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "damage", lambda: "1 part could not be read. Delete /var/lib/whytree/events/broken.")
    token = keys.create_token(keys.actor_of_user(alice), name="doctor", scopes=[])[1]

    def told(secret: str) -> str:
        return str(Client().get("/readyz", headers={"Authorization": f"Bearer {secret}"}).json()["damaged"])

    for stranger in ("", "made up", server_key):
        assert "/var/lib" not in told(stranger)
        assert "whytree doctor" in told(stranger)
    assert "/var/lib" in told(token)
