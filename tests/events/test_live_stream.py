"""The page that shows what arrives: taken, told before, left out, refused, turned away, and why."""

from typing import Any

import pytest

from whytree.stores.events import EventStore

from .conftest import Sender, track

pytestmark = pytest.mark.django_db

PAGE = "/p/sprout/events/live"


def text(client: Any, path: str = PAGE, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_before_the_first_event_it_waits_and_shows_what_to_paste(as_viewer: Any, store: EventStore) -> None:
    page = text(as_viewer)
    assert "Waiting for your first event" in page
    assert "whytree.js" in page


def test_it_shows_what_became_of_each_message_and_why(web: Sender, store: EventStore, as_viewer: Any) -> None:
    web.batch(track("good <b>", properties={"plan": "<i>pro</i>"}, messageId="1"), track(event="", messageId="2"))
    web.batch(track("good <b>", messageId="1"))
    page = text(as_viewer)
    assert "good &lt;b&gt; had been taken before." in page
    assert page.count('<span class="chip leaf">taken</span>') == 1
    assert page.count('<span class="chip">told before</span>') == 1
    assert page.count('<span class="chip red">refused</span>') == 1
    assert "It has no name" in page
    assert "&lt;i&gt;pro&lt;/i&gt;" in page
    assert "Segment, capture key web" in page


def test_it_can_show_one_key_only(web: Sender, backend: Sender, store: EventStore, as_viewer: Any, api: Any) -> None:
    web.batch(track("from the web"))
    backend.batch(track("from the server"))
    keys = {key["name"]: key["id"] for key in api.get("/products/sprout/events/intake").ok["keys"]}
    page = text(as_viewer, f"{PAGE}?key={keys['backend']}")
    assert "from the server" in page
    assert "from the web" not in page
    assert "Nothing yet with this key" in text(as_viewer, f"{PAGE}?key=999999")
    assert as_viewer.get(f"{PAGE}?key=nonsense'").status_code == 200


def test_a_wrong_key_is_shown_to_those_who_make_keys(
    web: Sender, store: EventStore, as_alice: Any, as_viewer: Any
) -> None:
    web.key = "wtc_mistyped_and_secret"
    web.batch(track())
    page = text(as_alice)
    assert "Turned away as a whole" in page
    assert "wtc_mist" in page
    assert "and_secret" not in page
    assert "Turned away" not in text(as_viewer)


def test_who_gave_the_host_a_path_is_told_so_and_by_no_cors_error(store: EventStore, as_alice: Any) -> None:
    for path in ("/p/sprout/e/", "/capture/i/v0/e/", "/api/v1/batch", "/ingest/batch/"):
        asked = as_alice.options(path, headers={"Origin": "https://shop.example"})
        assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
        sent = as_alice.post(path, b"{}", content_type="application/json", headers={"Origin": "https://shop.example"})
        assert (sent.status_code, sent["Access-Control-Allow-Origin"]) == (404, "https://shop.example")
        assert "without a path" in sent.content.decode()
        assert as_alice.get(path).status_code == 404
    page = text(as_alice)
    assert "No events are taken below /p/sprout." in page
    assert "https://shop.example" in page


def test_the_page_is_drawn_anew_only_when_there_is_news(web: Sender, store: EventStore, as_viewer: Any) -> None:
    web.batch(track("first"))
    page = text(as_viewer)
    mark = page.split("after=")[1].split('"')[0]
    asked = {"HX-Request": "true"}
    assert as_viewer.get(f"{PAGE}?key=&after={mark}", headers=asked).status_code == 204
    web.batch(track("second"))
    part = as_viewer.get(f"{PAGE}?key=&after={mark}", headers=asked)
    assert part.status_code == 200
    assert "second" in part.content.decode()
    assert "<html" not in part.content.decode()


def test_another_products_events_are_not_shown(web: Sender, store: EventStore, as_charlie: Any) -> None:
    web.batch(track("secret plan"))
    assert as_charlie.get(PAGE).status_code == 404
    assert "secret plan" not in text(as_charlie, "/p/elsewhere/events/live")
