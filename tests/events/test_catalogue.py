"""What a product sends, at the page, the API and the command line; and what did not become an event."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from whytree.events import pages, queries
from whytree.events.durable.commit import commit
from whytree.events.durable.follow import SAMPLE, TYPED_EACH, Pending
from whytree.events.jobs import recount_catalogues
from whytree.events.shaping.rows import Event, Normalised
from whytree.stores.events import EventStore
from whytree.stores.usage.catalogue import roll_up

from .conftest import Sender, track

pytestmark = pytest.mark.django_db


def _catalogue(api: Any) -> dict[str, Any]:
    found = api.get("/products/sprout/events/catalogue").ok
    return {event["name"]: event for event in found["events"]}


def test_it_lists_events_and_their_properties_with_types(web: Sender, api: Any) -> None:
    web.batch(track("bought", properties={"price": 9.5, "coupon": "x", "gift": True, "items": [1]}))
    web.batch(track("bought", "u2", properties={"price": "9,50"}), track("left"))
    found = _catalogue(api)
    assert (found["bought"]["volume"], found["bought"]["people"]) == (2, 2)
    types = {each["name"]: (each["types"], each["volume"]) for each in found["bought"]["properties"]}
    assert types == {
        "price": (["number", "text"], 2),
        "coupon": (["text"], 1),
        "gift": (["boolean"], 1),
        "items": (["list"], 1),
    }
    assert found["left"]["properties"] == []


def test_first_and_last_seen_are_times_of_the_events(web: Sender, api: Any) -> None:
    for at in ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"):
        web.batch(track("bought", timestamp=at, properties={"price": 1}))
    found = _catalogue(api)["bought"]
    assert found["first_seen"].startswith("2026-03-01T00:00:00")
    assert found["properties"][0]["last_seen"].startswith("2026-03-02T00:00:00")


def test_what_was_added_up_and_what_is_newer_make_the_volume(web: Sender, api: Any, store: EventStore) -> None:
    web.batch(*(track("bought", properties={"price": n}) for n in range(5)))
    roll_up(datetime.now(UTC))
    web.batch(track("bought", properties={"price": "free"}))
    for _ in range(2):
        (price,) = _catalogue(api)["bought"]["properties"]
        assert (price["volume"], price["types"]) == (6, ["number", "text"])
        roll_up(datetime.now(UTC))


def test_a_recount_puts_the_volumes_right_and_keeps_the_types(
    web: Sender, api: Any, store: EventStore, product: Any
) -> None:
    web.batch(*(track("bought", properties={"price": n}) for n in range(5)))
    roll_up(datetime.now(UTC))
    wrong = {"product": product.pk, "event": "bought", "property": "price", "type": "", "volume": 500}
    store.insert("catalogue", [wrong])
    recount_catalogues({})
    (price,) = _catalogue(api)["bought"]["properties"]
    assert (price["volume"], price["types"]) == (5, ["number"])


def test_another_products_events_are_not_listed(web: Sender, api: Any, api_charlie: Any, other_product: Any) -> None:
    web.batch(track("secret"))
    assert api_charlie.get(f"/products/{other_product.slug}/events/catalogue").ok["events"] == []
    assert api_charlie.get("/products/sprout/events/catalogue").status == 404


def test_what_was_put_aside_is_shown_with_its_reason(web: Sender, api: Any, as_alice: Any) -> None:
    web.batch(track(event="", messageId="nameless", properties={"<b>": "x"}))
    (aside,) = api.get("/products/sprout/events/put-aside").ok
    assert (aside["kind"], aside["message_id"]) == ("rejected", "nameless")
    assert "has no name" in aside["reason"]
    page = as_alice.get("/p/sprout/events/put-aside").content.decode()
    assert "has no name" in page
    assert "<b>" not in page.split("What was sent")[1].split("</pre>")[0].replace("</pre>", "")
    assert "1 message of the last 7 days is no event" in as_alice.get("/p/sprout/events").content.decode()


def test_today_says_what_was_sent_and_counts_nowhere(web: Sender, as_alice: Any) -> None:
    assert "Sent, and counted nowhere" not in as_alice.get("/p/sprout/today").content.decode()
    web.batch(track(event="", messageId="nameless"))
    today = as_alice.get("/p/sprout/today").content.decode()
    assert "1 message of the last 7 days is no event, so no figure holds it." in today
    assert "has no name" in today


def test_the_page_says_how_to_send_the_first_event(store: EventStore, as_alice: Any) -> None:
    page = as_alice.get("/p/sprout/events").content.decode()
    assert "No event has come in yet." in page
    assert "curl http://testserver/v1/track -u &#x27;YOUR_CAPTURE_KEY:&#x27;" in page.replace("'", "&#x27;")


def test_the_page_lists_the_events_and_the_properties_of_the_one_that_is_opened(web: Sender, as_viewer: Any) -> None:
    web.batch(track("bought & <paid>", properties={"price": 9.5}), track("left"))
    page = as_viewer.get("/p/sprout/events").content.decode()
    assert "2 kinds of event have come in, 2 times in all." in page
    assert "price" not in page
    (address,) = set(re.findall(r'href="(\?event=bought[^"#]*)#opened"', page))
    opened = as_viewer.get(f"/p/sprout/events{address}").content.decode()
    assert opened.count("price</dt><dd>number, 1 time") == 1
    piece = as_viewer.get(f"/p/sprout/events{address}", headers={"HX-Request": "true"}).content.decode()
    assert piece.startswith("<dl")
    assert "price</dt>" in piece
    nothing = as_viewer.get("/p/sprout/events?event=left", headers={"HX-Request": "true"}).content.decode()
    assert "without properties" in nothing


def test_names_that_somebody_makes_up_by_the_thousand_make_no_page_endless(
    web: Sender, as_viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public key is enough for that. What is rare is found by its name."""
    monkeypatch.setattr(pages, "MOST_SHOWN", 2)
    web.batch(*(track(name, "ana") for name in ["Signed Up"] * 3 + ["Opened"] * 2 + ["Made up 1", "Made up 2"]))
    page = as_viewer.get("/p/sprout/events").content.decode()
    assert "4 kinds of event have come in" in page
    assert "2 rarer ones are not shown" in page
    assert "Made up" not in page
    assert "Made up 2" in as_viewer.get("/p/sprout/events?q=up+2").content.decode()
    assert "No event is called so" in as_viewer.get("/p/sprout/events?q=nothing").content.decode()
    assert "It came, and is not among those below" in as_viewer.get("/p/sprout/events?event=Made+up+1").content.decode()


def test_only_the_most_frequent_names_are_asked_for(web: Sender, product: Any) -> None:
    web.batch(*(track(f"event {n}", properties={f"own {n}": 1, "common": 1}) for n in range(6)))
    web.batch(track("group made", properties={"$group_set.size": 3, "common": 1}))
    roll_up(datetime.now(UTC))
    web.batch(track("event 5", properties={"own 5": 1, "common": 1}))  # newer than what is added up
    assert queries.property_names(product, most=2) == ["common", "own 5"]
    assert len(queries.property_names(product)) == 8
    assert queries.property_names(product, "event 3") == ["common", "own 3"]
    assert queries.known_names(product, 1) == queries.KnownNames(["common"], ["size"])
    assert queries.event_names(product, 1) == ["event 5"]


def test_outsiders_see_no_page(store: EventStore, as_charlie: Any, product: Any) -> None:
    assert as_charlie.get("/p/sprout/events").status_code == 404


def test_a_store_that_cannot_be_written_is_said_on_the_page(web: Sender, store: EventStore, as_alice: Any) -> None:
    web.batch(track())
    with commit().spool.taken():  # as if another process were about to replay it
        store.execute("RENAME TABLE events TO events_away")
        web.batch(track())
        store.execute("RENAME TABLE events_away TO events")
        page = as_alice.get("/p/sprout/events").content.decode()
    assert "1 commit" in page
    assert "wait on disk" in page


def test_types_are_learnt_from_all_events_at_first_and_then_from_every_hundredth() -> None:
    """However few come at once: a thousand requests with one event each are no thousand samples."""
    events: list[Any] = [Normalised(Event(1, n, 1.0, "e", n, "u", 1.0, "server", {}, {})) for n in range(1_000)]
    one_by_one, at_once = Pending(), Pending()
    for event in events:
        one_by_one.add([event], [])
    for start in range(0, 1_000, 50):
        at_once.add(events[start : start + 50], [])
    assert one_by_one.sample == at_once.sample
    assert [item.event.event_id for item in at_once.sample] == [*range(SAMPLE), *range(SAMPLE, 1_000, TYPED_EACH)]
