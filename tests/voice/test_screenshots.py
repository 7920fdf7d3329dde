"""A picture comes with what somebody wrote, is looked at before it is kept, and goes with its person."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from whytree.engines.pictures import Picture, look_at
from whytree.voice.models import FeedbackItem, Screenshot
from whytree.voice.plugs import export_person
from whytree.voice.services import screenshots, set_voice_settings
from whytree.voice.services.erasing import erase_feedback

from .conftest import Done

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080010002001011100ffd9") + b"\0" * 8


def png(width: int = 2, height: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 14)) + chunk(b"IEND", b"")
    )


def url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
def send(capture_key: str, actor: Any, product: Any, store: Any) -> Callable[..., Any]:
    set_voice_settings(actor, product, from_pages=True)

    def post(**said: Any) -> Any:
        body = {"key": capture_key, "id": "0b6a", "text": "It looks odd", "kind": "problem", "userId": "mira", **said}
        return Client().post("/v1/feedback", json.dumps(body), content_type="text/plain")

    return post


def test_pictures_are_known_by_their_bytes() -> None:
    assert look_at(png(640, 480)) == Picture("image/png", 640, 480)
    assert look_at(JPEG) == Picture("image/jpeg", 32, 16)
    halves = [JPEG[:at] for at in range(20)] + [png()[:20], b"\xff\xd8\xff\xe0\x00\x00" * 40, png(0, 5)]
    assert {look_at(data) for data in [*halves, b"<svg/>", b"GIF89a", b""]} == {None}


def test_members_see_it_as_what_it_is_and_take_it_away(
    send: Any, as_alice: Any, as_viewer: Any, as_charlie: Any, cli: Callable[..., Done], tmp_path: Path
) -> None:
    assert send(screenshot=url(png(), "svg+xml")).json() == {"success": True}
    send(screenshot=url(JPEG))  # the same id again: what came first stays
    page = f"/p/sprout/{FeedbackItem.objects.get().ref}"
    shown = as_viewer.get(f"{page}/screenshot")
    assert (shown.content, shown["Content-Type"], shown["X-Content-Type-Options"]) == (png(), "image/png", "nosniff")
    assert (shown["Content-Disposition"], shown["Cache-Control"]) == (
        'attachment; filename="FB-1.png"',
        "private, no-store",
    )
    assert f"{page}/screenshot" in as_viewer.get(page).content.decode()
    assert as_charlie.get(f"{page}/screenshot").status_code == 404
    assert Client().get(f"{page}/screenshot").status_code == 302
    cli("feedback", "screenshot", "FB-1", "--to", str(tmp_path / "one.png"))
    assert (tmp_path / "one.png").read_bytes() == png()
    assert cli("feedback", "show", "FB-1", "--json").json["screenshot"] is True
    assert as_viewer.post(f"{page}/screenshot/remove").status_code == 403
    as_alice.post(f"{page}/screenshot/remove")
    assert not Screenshot.objects.exists()
    assert cli("feedback", "screenshot", "FB-1", "--remove").code == 1
    assert as_alice.get(f"{page}/screenshot").status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("https://example.org/x.png", 400),
        ({"a": 1}, 400),
        ("data:image/png;base64,%%%", 400),
        (url(b"<script>alert(1)</script>"), 400),
        (url(png(4_001, 10)), 400),
        (url(b"\xff\xd8\xff" + b"\0" * screenshots.MOST_BYTES), 413),
        ("x" * 2_000_000, 413),
    ],
)
def test_what_is_no_picture_is_refused_with_the_words(send: Any, said: Any, status: int) -> None:
    refused = send(screenshot=said)
    assert (refused.status_code, bool(refused.json()["message"])) == (status, True)
    assert not FeedbackItem.objects.exists()


def test_where_too_many_came_the_words_are_kept_without(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenshots, "PER_HOUR", 1)
    assert [send(id=own, screenshot=url(png())).json().get("screenshot") for own in "ab"] == [None, "left out"]
    assert (FeedbackItem.objects.count(), Screenshot.objects.count()) == (2, 1)


def test_it_is_given_to_its_person_and_forgotten_with_them(send: Any, product: Any) -> None:
    send(screenshot=url(png()))
    assert export_person(product, "mira")["feedback"][0]["screenshot"] == url(png())
    erase_feedback(product, "mira")
    assert not Screenshot.objects.exists()
