"""Mirrors: a real git speaks to a real git server over HTTP, with the one allowance for a loopback address without TLS."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from tests.code.repositories import Clone
from whytree.code.mirrors import fetching
from whytree.code.mirrors.fetching import Limits, Source, fetch
from whytree.code.mirrors.models import Mirror
from whytree.code.mirrors.reading import Wish, _answer
from whytree.code.models import Repository
from whytree.errors import Conflict, Unavailable
from whytree.workspace.background.jobs import run_next

pytestmark = pytest.mark.slow  # a server, and git's own processes


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class GitServer:
    """`git http-backend` over a folder of repositories. `instead` answers in its place; `asked` are headers and paths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.instead: Callable[[dict[str, Any], Any], list[bytes]] | None = None
        self.asked: list[dict[str, Any]] = []
        self._server = make_server("127.0.0.1", 0, self._app, WSGIServer, Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _app(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.asked.append(environ)
        if self.instead is not None:
            return self.instead(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        words = {name: value for name, value in environ.items() if isinstance(value, str)}
        words |= {"GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH": os.environ["PATH"]}
        words |= {"GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", "")}
        done = subprocess.run(["git", "http-backend"], input=body, env=words, capture_output=True, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        start(status, [(name, value) for name, value in headers if name != "Status"])
        return [answer]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    server = GitServer(tmp_path_factory.mktemp("served"))
    yield server
    server.close()


@pytest.fixture
def server(served: GitServer, settings: Any, tmp_path: Path) -> GitServer:
    served.instead, served.asked = None, []
    settings.WHYTREE = replace(settings.WHYTREE, outgoing_private=True, data=tmp_path / "data")
    return served


@pytest.fixture
def origin(server: GitServer, request: pytest.FixtureRequest) -> Clone:
    """A repository that the server shows as /<name of the test>/.git"""
    origin = Clone(server.folder / request.node.name[:60])
    origin.commit("Ask for an e-mail address", **{"app/form.py": "class SignUp:\n    email = 1\n"})
    origin.commit(
        "Defer the phone number\n\nWhy: it put people off", **{"app/form.py": "class SignUp:\n    phone = 2\n"}
    )
    return origin


def address(server: GitServer, origin: Clone) -> str:
    return f"{server.url}/{origin.path.name}/.git"


def work() -> None:
    while run_next("test", lane="long"):
        pass


def test_a_public_address_is_read_without_a_clone_and_again_when_there_is_something_new(
    api: Any, product: Any, server: GitServer, origin: Clone, open_connection: None
) -> None:
    origin.git("tag", "v1.0")
    mirror = api.post("/products/sprout/mirrors", {"url": address(server, origin), "name": "app"}).ok
    assert (mirror["state"], mirror["repository"]) == ("waiting", None)
    work()
    (mirror,) = api.get("/products/sprout/mirrors").ok
    assert (mirror["state"], mirror["says"], mirror["repository"]) == ("read", "", "app")
    repository = Repository.objects.get()
    assert (repository.head, repository.branch, repository.survey["releases"]) == (origin.head, "main", 1)
    answer = api.post("/products/sprout/why", {"ref": "app/form.py:2"}).ok
    assert answer["reasons"][0]["words"] == "it put people off"
    asked = len(server.asked)
    newest = origin.commit("Explain it", **{"app/form.py": "class SignUp:\n    phone = 3\n"})
    assert api.post("/products/sprout/mirrors", {"url": address(server, origin)}).ok["name"] == "app"
    work()
    repository.refresh_from_db()
    assert (repository.head, Mirror.objects.count()) == (newest, 1)
    assert len(server.asked) > asked


def test_what_was_not_pushed_to_is_not_read_again(
    api: Any, server: GitServer, origin: Clone, open_connection: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.code.mirrors import jobs

    api.post("/products/sprout/mirrors", {"url": address(server, origin)})
    work()
    monkeypatch.setattr(jobs, "read_apart", lambda *words: pytest.fail("there is nothing new"))
    api.post("/products/sprout/mirrors", {"url": address(server, origin)})
    work()
    assert Mirror.objects.get().state == "read"


def test_who_stops_it_keeps_what_was_read_and_the_copy_goes(
    api: Any, settings: Any, server: GitServer, origin: Clone, open_connection: None
) -> None:
    mirror = api.post("/products/sprout/mirrors", {"url": address(server, origin)}).ok
    work()
    copy = settings.WHYTREE.data / "mirrors" / f"{mirror['id']}.git"
    assert copy.exists()
    assert api.delete(f"/products/sprout/mirrors/{mirror['id']}").status == 204
    work()
    assert not copy.exists()
    assert Repository.objects.get().commits.count() == 2


def test_a_maintainer_begins_a_member_looks_and_a_stranger_sees_nothing(
    api: Any, api_bob: Any, charlie: Any, as_bob: Any, server: GitServer, origin: Clone
) -> None:
    body = {"url": address(server, origin)}
    assert api_bob.post("/products/sprout/mirrors", body).status == 403
    assert api_bob.get("/products/sprout/mirrors").ok == []
    mirror = api.post("/products/sprout/mirrors", body).ok
    assert api_bob.delete(f"/products/sprout/mirrors/{mirror['id']}").status == 403
    page = as_bob.get("/p/sprout/repositories").content.decode()
    assert mirror["url"] in page
    assert "Mirror it" not in page
    assert as_bob.post("/p/sprout/repositories", body).status_code == 403


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("git@github.com:acme/sprout.git", "begins with https://"),
        ("file:///etc", "begins with https://"),
        ("/home/alice/clone", "begins with https://"),
        ("ssh://github.com/acme/sprout", "begins with https://"),
        ("ext::sh -c touch% /tmp/x", "begins with https://"),
        ("--upload-pack=touch", "begins with https://"),
        ("http://github.com/acme/sprout", "begins with https://"),
        ("https://alice:secret@github.com/acme/sprout", "password in it"),
        ("https://github.com/", "own address"),
        ("https://github.com/acme/sprout?x=1", "own address"),
        ("https://github.com/acme/sprout#x", "own address"),
        ("https://github.com/acme/\nsprout", "begins with https://"),
    ],
)
def test_only_a_public_https_address_is_taken(api: Any, product: Any, url: str, sentence: str) -> None:
    refused = api.post("/products/sprout/mirrors", {"url": url})
    assert (refused.status, sentence in refused.body["message"]) == (400, True), refused.body
    assert "secret" not in str(refused.body)


def test_a_private_network_is_never_asked(
    api: Any, product: Any, settings: Any, served: GitServer, tmp_path: Path
) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, data=tmp_path)
    served.asked = []
    api.post("/products/sprout/mirrors", {"url": served.url.replace("http:", "https:") + "/x"})
    work()
    assert "private network" in Mirror.objects.get().says
    assert not served.asked


def told(server: GitServer, tmp_path: Path, path: str = "/x", **limits: Any) -> str:
    """The sentence of a copy that fails."""
    port = int(server.url.rpartition(":")[2])
    source = Source(server.url + path, "127.0.0.1", port, "127.0.0.1")
    with pytest.raises((Conflict, Unavailable)) as caught:
        fetch(source, tmp_path / "copy.git", Limits(**{"most_bytes": 10**8, **limits}))
    return caught.value.message


def answering(status: str, *headers: tuple[str, str]) -> Callable[[dict[str, Any], Any], list[bytes]]:
    def answer(environ: dict[str, Any], start: Any) -> list[bytes]:
        start(status, list(headers))
        return [b""]

    return answer


def test_whatever_the_other_side_answers_is_a_sentence(server: GitServer, tmp_path: Path) -> None:
    assert "shows no repository there" in told(server, tmp_path)
    server.instead = answering("401 Unauthorized", ("WWW-Authenticate", 'Basic realm="x"'))
    assert "shows no repository there" in told(server, tmp_path)
    server.instead = answering("302 Found", ("Location", "http://169.254.169.254/latest"))
    assert "redirect, which is not followed" in told(server, tmp_path)
    server.instead = answering("500 Oops")
    assert "could not be read" in told(server, tmp_path)
    server.instead = answering("200 OK", ("Content-Type", "text/html"))
    assert "shows no commit there" in told(server, tmp_path)
    assert not (tmp_path / "copy.git").exists()


def test_no_password_of_this_machine_is_sent(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login alice password secret\n")
    (tmp_path / ".gitconfig").write_text('[credential]\n\thelper = "!echo password=secret; echo username=alice"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.instead = answering("401 Unauthorized", ("WWW-Authenticate", 'Basic realm="x"'))
    told(server, tmp_path)
    assert server.asked
    assert not any("HTTP_AUTHORIZATION" in environ for environ in server.asked)


def test_an_empty_a_huge_and_an_endless_one_are_given_up(server: GitServer, tmp_path: Path) -> None:
    empty = Clone(server.folder / "empty")
    assert "shows no commit there" in told(server, tmp_path, "/empty/.git")
    empty.commit("Much", **{"data.txt": os.urandom(400_000).hex()})
    monkey = pytest.MonkeyPatch()
    monkey.setattr(fetching, "_LOOK_EVERY", 0.01)
    assert "more than one mirror may take" in told(server, tmp_path, "/empty/.git", most_bytes=50_000)
    assert not (tmp_path / "copy.git").exists()
    released = threading.Event()

    def hang(environ: dict[str, Any], start: Any) -> list[bytes]:
        released.wait(20)
        start("500 Oops", [])
        return [b""]

    server.instead = hang
    assert "took longer" in told(server, tmp_path, most_seconds=0.3)
    released.set()
    assert "goes on when it is back" in told(server, tmp_path, stopping=lambda: True)
    monkey.undo()


def test_a_submodule_and_a_hook_are_left_alone(server: GitServer, origin: Clone, tmp_path: Path) -> None:
    origin.write(".gitmodules", f'[submodule "x"]\n\tpath = x\n\turl = {server.url}/x/.git\n')
    origin.git("update-index", "--add", "--cacheinfo", f"160000,{origin.head},x")
    newest = origin.commit("Add a module")
    port = int(server.url.rpartition(":")[2])
    source = Source(address(server, origin), "127.0.0.1", port, "127.0.0.1")
    copy = tmp_path / "copy.git"
    assert fetch(source, copy, Limits(10**8)) == newest
    named = replace(source, url=source.url.replace("127.0.0.1", "nowhere.invalid"), host="nowhere.invalid")
    assert fetch(named, copy, Limits(10**8)) == newest, "git goes where it was checked, whatever the name says now"
    assert not any("/x/" in environ["PATH_INFO"] for environ in server.asked)
    assert not (copy / "hooks").exists()
    assert not (copy / "modules").exists()


def test_the_process_that_reads_may_speak_of_its_own_product_only() -> None:
    wish = Wish("sprout", "/nowhere", "x", "", with_code=False, with_hunks=True)
    asked = {"method": "GET", "path": "/products/elsewhere/flags", "params": {}, "body": None}
    with pytest.raises(Conflict, match="another product"):
        _answer(None, wish, asked, lambda *words: pytest.fail("it was asked"))  # type: ignore[arg-type]


def test_an_actor_cannot_be_claimed_over_a_socket(client: Any, product: Any) -> None:
    headers = {"HTTP_WHYTREE_ACTOR": "owner", "HTTP_WHYTREE.ACTOR": "owner"}
    assert client.get("/api/products/sprout/mirrors", **headers).status_code == 401


def test_the_page_takes_an_address_says_what_is_wrong_and_stops(as_alice: Any, product: Any) -> None:
    refused = as_alice.post("/p/sprout/repositories", {"url": "git@github.com:acme/sprout.git"})
    assert (refused.status_code, b"begins with https://" in refused.content) == (400, True)
    as_alice.post("/p/sprout/repositories", {"url": "https://github.com/acme/sprout.git", "kept": "nothing"})
    mirror = Mirror.objects.get()
    assert (mirror.name, mirror.with_hunks) == ("sprout", False)
    assert b"waiting" in as_alice.get("/p/sprout/repositories").content
    as_alice.post(f"/p/sprout/repositories/{mirror.pk}/stop")
    assert not Mirror.objects.exists()


def test_the_command_line_begins_lists_and_stops(cli: Any, product: Any) -> None:
    begun = cli("repository", "mirror", "https://github.com/acme/sprout", "--no-code")
    assert begun.output.startswith("sprout is read soon")
    assert "waiting" in cli("repository", "mirror").output
    assert cli("repository", "stop-mirror", "sprout").exit_code == 0
    assert "None yet" in cli("repository", "mirror").output
