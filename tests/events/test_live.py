"""Against real servers in other processes: real clients, `kill -9`, two servers on one folder."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Live

pytestmark = pytest.mark.live

BATCH = 20


def _volumes(live: Live) -> dict[str, int]:
    return {event["name"]: event["volume"] for event in live.cli_json("event", "list")["events"]}


def _until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen")


@pytest.fixture
def own(start: Callable[..., Live], begun: Callable[[Path], Path], tmp_path: Path) -> Live:
    """A server of this test's own, with Alice and Sprout."""
    return start(begun(tmp_path / "live"))


@pytest.fixture
def analytics(live: Live) -> Iterator[Callable[..., Any]]:
    """Segment's own Python library, pointed at our server."""
    from segment.analytics.client import Client

    made: list[Any] = []

    def make(**options: Any) -> Any:
        client = Client(live.key("server"), host=live.url, max_retries=3, timeout=20, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.join()


@pytest.mark.parametrize("gzip", [False, True])
def test_segments_python_library_works_unchanged(live: Live, analytics: Callable[..., Any], gzip: bool) -> None:
    errors: list[Any] = []
    client = analytics(gzip=gzip, on_error=lambda error, batch: errors.append(error))
    user = f"user {uuid.uuid4()}"
    client.identify(user, {"email": "ana@example.org", "plan": "pro"})
    client.track(user, "Signed Up", {"price": 9.5})
    client.page(user, "Docs", "Install", {"url": "https://example.org/docs"})
    client.screen(user, "App", "Home", {})
    client.group(user, "acme", {"name": "Acme"})
    client.alias("visit-of-" + user, user)
    client.flush()
    assert errors == []
    person = live.cli_json("person", "show", user)
    assert sorted(moment["event"] for moment in person["timeline"]) == sorted(
        ["$identify", "Signed Up", "$pageview", "$screen", "$group", "$alias"]
    )

    def is_followed() -> bool:
        found = live.cli_json("person", "show", user)
        return found["label"] == "ana@example.org" and "visit-of-" + user in found["ids"]

    _until(is_followed)


def test_segments_python_library_is_told_of_a_wrong_key(live: Live) -> None:
    from segment.analytics.client import Client

    errors: list[Any] = []
    client = Client("wtc_unknown", host=live.url, max_retries=1, on_error=lambda error, batch: errors.append(error))
    client.track("user", "Signed Up")
    client.flush()
    client.join()
    assert len(errors) == 1
    assert "unknown or revoked" in str(errors[0])


def test_every_acknowledged_event_is_there_once_after_kill_9(
    own: Live, start: Callable[..., Live], tmp_path: Path
) -> None:
    key = own.key("capture")
    batches = {
        f"batch {n}": [
            {"type": "track", "event": f"batch {n}", "userId": f"u{m}", "messageId": f"{n}-{m}"} for m in range(BATCH)
        ]
        for n in range(400)
    }
    acknowledged: list[str] = []

    def send(names: list[str]) -> None:
        with httpx.Client(auth=(key, ""), timeout=30) as client:
            for name in names:
                try:
                    answer = client.post(f"{own.url}/v1/batch", json={"batch": batches[name]})
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    acknowledged.append(name)

    names = list(batches)
    senders = [threading.Thread(target=send, args=(names[place::4],)) for place in range(4)]
    for sender in senders:
        sender.start()
    _until(lambda: len(acknowledged) >= 40)
    own.process.send_signal(signal.SIGKILL)
    own.process.wait(10)
    for sender in senders:
        sender.join()
    assert len(acknowledged) < len(batches), "the kill came too late to tell anything"

    again = start(own.data)
    volumes = _volumes(again)
    assert {name: volumes.get(name) for name in acknowledged} == dict.fromkeys(acknowledged, BATCH)

    with httpx.Client(auth=(key, ""), timeout=30) as client:  # clients send again what was not acknowledged, and more
        for messages in batches.values():
            assert client.post(f"{again.url}/v1/batch", json={"batch": messages}).status_code == 200
    volumes = _volumes(again)
    assert {name: volumes.get(name) for name in batches} == dict.fromkeys(batches, BATCH)


def test_a_killed_import_goes_on(own: Live, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    rows = ({"user_id": f"u{n % 50}", "event": "imported", "timestamp": 1_700_000_000 + n} for n in range(15_000))
    file.write_text("\n".join(json.dumps(row) for row in rows))
    importing = subprocess.Popen(
        [sys.executable, "-m", "whytree", "import", "events", str(file)], env=own.env, stdout=subprocess.DEVNULL
    )
    _until(lambda: any(run["rows"] > 1_000 for run in own.cli_json("event", "imports")))
    importing.kill()
    importing.wait(10)
    done = own.cli_json("import", "events", str(file))
    assert (done["rows"], done["created"] + done["repeated"], done["broken"]) == (15_000, 15_000, 0)
    assert _volumes(own)["imported"] == 15_000


def test_a_second_process_on_the_events_is_told_who_holds_them(live: Live) -> None:
    script = "from whytree.site.boot import set_up; set_up()\nfrom whytree.stores.events import store\nstore()"
    second = subprocess.run(
        [sys.executable, "-c", script], env=live.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode != 0
    assert f"held by process {live.process.pid}" in second.stderr
    assert live.url in second.stderr


def test_an_orderly_stop_loses_nothing_that_waits(own: Live, start: Callable[..., Live]) -> None:
    with httpx.Client(auth=(own.key("server"), ""), timeout=30) as client:
        body = {"type": "identify", "userId": "u1", "traits": {"name": "Ana"}, "messageId": "1"}
        assert client.post(f"{own.url}/v1/identify", json=body).status_code == 200
    assert own.stop() == 0
    again = start(own.data)
    assert again.cli_json("person", "show", "u1")["label"] == "Ana"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MB; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(filler: Path, piece: int) -> None:
    """Write until not even one more piece fits."""
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(piece))


def test_a_full_disk_is_503_and_everything_goes_on_when_there_is_room(
    small_disk: Path, start: Callable[..., Live], begun: Callable[[Path], Path]
) -> None:
    live = start(begun(small_disk / "data"))
    key = live.key("capture")

    def send(name: str) -> httpx.Response:
        messages = [{"type": "track", "event": name, "userId": "u", "messageId": f"{name}-{n}"} for n in range(BATCH)]
        return httpx.post(f"{live.url}/v1/batch", json={"batch": messages}, auth=(key, ""), timeout=30)

    assert send("before").status_code == 200
    filler = small_disk / "filler"
    for piece in (65_536, 4_096):
        _fill(filler, piece)
    refused = send("while full")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert "Nothing was taken" in refused.json()["message"]
    filler.unlink()
    assert send("while full").status_code == 200
    _until(lambda: _volumes(live) == {"before": BATCH, "while full": BATCH})
    live.stop()
