"""One server a folder; the command line finds it, works without it, and starts light."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.servers import ROOT, Live, live_env, whytree


def _run(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return whytree(live_env(data), *words, check=False)


def test_the_command_line_loads_neither_django_nor_the_engine() -> None:
    code = (
        "import sys; from whytree.site.cli import build; build(); "
        "heavy = {'django', 'chdb', 'clickhouse_connect', 'numpy', 'scipy', 'httpx', 'ninja', 'openpyxl'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=live_env(ROOT), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.live
class TestServer:
    def test_it_answers_is_ready_and_describes_its_api(self, live: Live) -> None:
        assert httpx.get(live.url + "/healthz").json() == {"status": "ok"}
        assert httpx.get(live.url + "/readyz").json() == {"status": "ok"}
        docs = httpx.get(live.url + "/api/docs")
        assert docs.status_code == 200
        assert "//cdn" not in docs.text
        assert "script-src 'self'" in docs.headers["Content-Security-Policy"]

    def test_the_command_line_finds_the_server(self, live: Live) -> None:
        assert live.cli_json("product", "list")[0]["slug"] == "sprout"
        found = {row["subject"]: row for row in live.cli_json("doctor")}
        assert found["server"]["state"] == "ok"
        assert live.url in found["server"]["text"]

    def test_it_writes_down_when_a_token_was_used_last(self, live: Live) -> None:
        deadline = time.monotonic() + 30
        while not live.cli_json("token", "list")[0]["last_used_at"]:
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def test_a_second_server_names_the_first(self, live: Live) -> None:
        done = live.cli("serve", check=False)
        assert done.returncode == 1
        assert live.url in done.stderr

    def test_a_second_owner_is_refused(self, live: Live) -> None:
        done = live.cli("owner", "eve@example.org", check=False)
        assert done.returncode == 1
        assert "There is an owner already" in done.stderr

    def test_an_owner_whose_token_is_gone_gets_another_as_after_a_restore(self, live: Live) -> None:
        kept = live.data / "owner.token"
        token = kept.read_text()
        email = live.cli_json("member", "list")[0]["email"]
        kept.unlink()
        try:
            assert "owner you@example.org" in live.cli("product", "list", check=False).stderr
            assert live.cli("owner", "eve@example.org", check=False).returncode == 1
            assert live.cli_json("owner", email)["email"] == email
            assert kept.read_text() != token
            assert live.cli_json("product", "list")
        finally:
            kept.write_text(token)

    def test_a_backup_that_cannot_be_written_is_a_sentence(self, live: Live, tmp_path: Path) -> None:
        done = live.cli("backup", str(tmp_path / "none" / "backup.tar.gz"), check=False)
        assert done.returncode == 1
        assert "cannot be written: No such file or directory" in done.stderr

    def test_a_link_signs_in_once_and_only_when_pressed(self, live: Live) -> None:
        link = live.cli_json("sign-in")["link"]
        with httpx.Client(follow_redirects=True) as browser:
            assert browser.get(link).status_code == 200, "a preview of the link uses nothing up"
            page = browser.get(link)
            token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
            done = browser.post(link, data={"csrfmiddlewaretoken": token})
            assert done.url.path.startswith("/p/sprout/")
        assert httpx.get(link).status_code == 404

    def test_a_backup_is_taken_while_it_runs(self, live: Live, tmp_path: Path) -> None:
        live.cli("backup", str(tmp_path / "b.tar.gz"))
        fresh = tmp_path / "fresh"
        done = _run(fresh, "restore", str(tmp_path / "b.tar.gz"))
        assert done.returncode == 0, done.stderr
        assert json.loads(_run(fresh, "sign-in", "alice@example.org", "--json").stdout)["email"] == "alice@example.org"


@pytest.mark.live
def test_it_works_without_a_server(tmp_path: Path) -> None:
    assert _run(tmp_path, "product", "list").returncode == 1
    made = _run(tmp_path, "owner", "alice@example.org", "--product-name", "Sprout", "--json")
    assert json.loads(made.stdout)["link"].startswith("http://127.0.0.1:8787/sign-in/")
    products = _run(tmp_path, "product", "list", "--json")
    assert [product["slug"] for product in json.loads(products.stdout)] == ["sprout"]


@pytest.mark.live
def test_it_stops_cleanly_and_comes_back_after_kill_9(
    tmp_path: Path, begun: Callable[[Path], Path], start: Callable[..., Live]
) -> None:
    begun(tmp_path)
    first = start(tmp_path)
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(30) == 0
    assert not (tmp_path / "server.json").exists()
    second = start(tmp_path)
    second.process.kill()
    second.process.wait(10)
    assert (tmp_path / "server.json").exists(), "nobody was left to remove it"
    third = start(tmp_path)
    assert third.cli_json("product", "list")[0]["slug"] == "sprout"


def test_a_malformed_setting_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "whytree", "settings"],
        env={**live_env(tmp_path), "WHYTREE_PORT": "eighty"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "WHYTREE_PORT cannot be 'eighty': use a number from 1 to 65535."


def test_settings_hides_secrets(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "whytree", "settings"],
        env={
            **live_env(tmp_path),
            "WHYTREE_SECRET_KEY": "hunter2",
            "WHYTREE_DATABASE_URL": "postgresql://u:hunter2@h/d",
        },
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert "hunter2" not in done.stdout


@pytest.mark.live
def test_behind_a_proxy_people_get_the_public_address_and_the_command_line_the_port(
    tmp_path: Path, begun: Callable[[Path], Path], start: Callable[..., Live]
) -> None:
    live = start(begun(tmp_path), {"WHYTREE_PUBLIC_URL": "https://whytree.example.org"})
    assert json.loads((tmp_path / "server.json").read_text())["url"] == live.url
    assert live.cli_json("product", "list")[0]["slug"] == "sprout"
    assert live.cli_json("sign-in")["link"].startswith("https://whytree.example.org/sign-in/")
