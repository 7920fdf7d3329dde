"""What brings events waits for the disk in no thread, and keeps nobody else waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from waitress import create_server

from whytree.events.wire.answers import answered
from whytree.events.wire.later import LATER, TOO_MUCH, Later
from whytree.site.serving import lanes as module
from whytree.site.serving.lanes import Channel, Lanes

EVENTS, PAGE = "/v1/batch", "/today"


class Disk:
    """An application whose events are on disk when the test says so; its pages are there at once."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []
        self.finish: Callable[[], HttpResponse] = lambda: HttpResponse(b"on disk", content_type="text/x", status=201)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if TOO_MUCH in environ:
            return answered(_request(), lambda: HttpResponse("never asked"))
        if LATER in environ:
            response: HttpResponse = Later(self.waiting.append, lambda: self.finish())
            response["X-On-The-Way"] = "kept"
            return response
        start_response("200 OK", [("Content-Length", "6")])
        return [b"a page"]

    def wait_for(self, number: int) -> None:
        until = time.monotonic() + 10
        while len(self.waiting) < number:
            assert time.monotonic() < until, f"{len(self.waiting)} of {number} arrived"
            time.sleep(0.01)

    def write(self) -> None:
        for then in self.waiting:
            then()


def _request() -> HttpRequest:
    request = RequestFactory().post(EVENTS)
    request.META[TOO_MUCH] = True
    return request


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def url(disk: Disk) -> Iterator[str]:
    """A server with one thread for pages."""
    lanes = Lanes(1)
    server = create_server(disk, host="127.0.0.1", port=0, _dispatcher=lanes)
    server.channel_class = Channel
    loop = threading.Thread(target=server.asyncore.loop, kwargs={"timeout": 0.02, "map": server._map, "use_poll": True})
    loop.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    lanes.shutdown()
    server.asyncore.close_all(server._map)
    loop.join(10)


def _send(url: str, number: int) -> tuple[list[threading.Thread], list[httpx.Response]]:
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(httpx.post(url + EVENTS, timeout=20))) for _ in range(number)
    ]
    for thread in threads:
        thread.start()
    return threads, answers


def test_forty_wait_for_the_disk_and_a_page_is_answered_meanwhile(url: str, disk: Disk) -> None:
    threads, answers = _send(url, 40)
    disk.wait_for(40)
    assert httpx.get(url + PAGE, timeout=5).text == "a page"
    assert answers == []
    disk.write()
    for thread in threads:
        thread.join(10)
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, "on disk")}
    headers = answers[0].headers
    assert (headers["Content-Type"], headers["Content-Length"], headers["X-On-The-Way"]) == ("text/x", "7", "kept")


def test_a_connection_goes_on_after_such_an_answer(url: str, disk: Disk) -> None:
    disk.waiting = Eager()
    with httpx.Client() as client:
        assert [client.post(url + EVENTS).text for _ in range(3)] == ["on disk"] * 3
        assert client.get(url + EVENTS).text == "a page", "only what brings events is answered later"


class Eager(list[Callable[[], None]]):
    """Is on disk before the one who waits has looked."""

    def append(self, then: Callable[[], None]) -> None:
        then()


def test_a_fault_of_ours_while_answering_is_a_500(url: str, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> HttpResponse:
        raise LookupError("a fault of ours")

    disk.finish, disk.waiting = fail, Eager()
    answer = httpx.post(url + EVENTS)
    assert answer.status_code == 500
    assert "a fault of ours" in caplog.text
    assert "a fault of ours" not in answer.text


def test_what_follows_from_events_is_done_though_their_sender_has_gone(url: str, disk: Disk) -> None:
    done = threading.Event()
    finish = disk.finish

    def heard() -> Any:
        done.set()
        return finish()

    disk.finish = heard
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url + EVENTS, timeout=0.5)
    disk.wait_for(1)
    disk.write()
    assert done.wait(10)


def test_beyond_what_can_be_held_a_client_is_told_to_come_again(
    url: str, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    large = threading.Thread(target=lambda: httpx.post(url + EVENTS, content=b"x" * 100, timeout=20))
    large.start()
    disk.wait_for(1)  # one is always taken, however large
    refused = httpx.post(url + EVENTS, content=b"x" * 100)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert refused.json()["code"] == "too_many_requests"
    disk.write()
    large.join(10)
    disk.waiting = Eager()
    assert httpx.post(url + EVENTS, content=b"x" * 100).status_code == 201, "there is room again"
