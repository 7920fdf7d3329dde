"""Segment's API: what is taken, what is answered, what is kept."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whytree.stores.events import EventStore
from whytree.workspace.entry.keys import create_key, revoke_key

from .conftest import Sender, track

pytestmark = pytest.mark.django_db


def _rows(store: EventStore, columns: str = "*") -> list[dict[str, Any]]:
    return store.query(f"SELECT {columns} FROM events ORDER BY timestamp, event_id")


def test_an_event_is_kept_as_it_was_sent(web: Sender, store: EventStore, product: Any) -> None:
    properties = {"plan": "pro", "price": 9.5, "count": 3, "paid": True, "gone": None, "cart": {"items": [1, "two"]}}
    answer = web.batch(track("Signed Up", properties=properties))
    assert (answer.status, answer.body) == (200, {"success": True})
    (row,) = _rows(store)
    assert row["product"] == product.pk
    assert row["event"] == "Signed Up"
    assert row["distinct_id"] == "user-1"
    assert row["source"] == "capture"
    assert row["properties"] == {
        "plan": "pro",
        "price": "9.5",
        "count": "3",
        "paid": "true",
        "cart.items": '[1,"two"]',
    }


@pytest.mark.parametrize("path", ["/v1/track", "/v1/track/", "/v1/t"])
def test_single_calls_have_long_and_short_paths(web: Sender, store: EventStore, path: str) -> None:
    message = track()
    del message["type"]
    assert web.post(path, message).status == 200
    assert [row["event"] for row in _rows(store)] == ["opened"]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_batches_have_three_paths(web: Sender, store: EventStore, path: str) -> None:
    assert web.post(path, {"batch": [track(), track()]}).status == 200
    assert len(_rows(store)) == 2


@pytest.mark.parametrize(
    ("message", "event", "properties"),
    [
        ({"type": "page", "name": "Install", "properties": {"url": "u"}}, "$pageview", {"name": "Install", "url": "u"}),
        ({"type": "screen", "name": "Home"}, "$screen", {"name": "Home"}),
        ({"type": "identify", "traits": {"plan": "pro"}}, "$identify", {"plan": "pro"}),
        ({"type": "group", "groupId": "acme", "traits": {"seats": 5}}, "$group", {"groupId": "acme", "seats": "5"}),
        ({"type": "alias", "previousId": "anon-1"}, "$alias", {"previousId": "anon-1"}),
    ],
)
def test_every_kind_of_call_has_its_event(
    web: Sender, store: EventStore, message: dict[str, Any], event: str, properties: dict[str, str]
) -> None:
    assert web.batch({"userId": "user-1", "messageId": "m", **message}).body == {"success": True}
    (row,) = _rows(store)
    assert (row["event"], row["properties"]) == (event, properties)


def test_a_server_key_is_kept_as_the_source(backend: Sender, store: EventStore) -> None:
    backend.batch(track())
    assert _rows(store, "source") == [{"source": "server"}]


def test_the_key_may_stand_in_the_body_or_be_a_bearer(web: Sender, store: EventStore) -> None:
    key, web.key = web.key, "nothing"
    assert web.post("/v1/track", {**track(), "writeKey": key}).status == 200
    assert web.post("/v1/track", track(), Authorization=f"Bearer {key}").status == 200


def test_an_unknown_key_is_401_and_nothing_is_kept(web: Sender, store: EventStore) -> None:
    web.key = "wtc_unknown"
    answer = web.batch(track())
    assert answer.status == 401
    assert "unknown or revoked" in answer.body["message"]
    assert _rows(store) == []


def test_a_revoked_key_is_401(store: EventStore, actor: Any, product: Any) -> None:
    key, secret = create_key(actor, product, kind="capture", name="old")
    sender = Sender(secret)
    assert sender.batch(track()).status == 200
    revoke_key(actor, key.pk, product)
    from whytree.workspace.entry.keys import forget_cached

    forget_cached()
    assert sender.batch(track()).status == 401


def test_a_personal_token_is_no_key_for_events(web: Sender, api: Any) -> None:
    web.key = api.token
    answer = web.batch(track())
    assert answer.status == 401
    assert "personal token" in answer.body["message"]


def test_gzip_is_read_declared_or_not(web: Sender, store: EventStore) -> None:
    assert web.post("/v1/batch", {"batch": [track()]}, packed=True, **{"Content-Encoding": "gzip"}).status == 200
    assert web.post("/v1/batch", {"batch": [track()]}, packed=True, **{"Content-Type": "text/plain"}).status == 200
    assert len(_rows(store)) == 2


def test_a_gzip_bomb_is_400(web: Sender, store: EventStore) -> None:
    bomb = gzip.compress(b'{"batch":[' + b" " * (64 * 1024 * 1024) + b"]}")
    answer = web.post("/v1/batch", bomb, **{"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert "unpacks to more" in answer.body["message"]


@pytest.mark.parametrize(
    "cut", [b"\x1f\x8bnonsense", gzip.compress(b'{"batch":[]}', mtime=0)[:-9]], ids=["no gzip", "cut short"]
)
def test_damaged_gzip_is_400(web: Sender, cut: bytes) -> None:
    assert web.post("/v1/batch", cut, **{"Content-Encoding": "gzip"}).status == 400


def test_a_body_too_large_is_413(web: Sender, store: EventStore) -> None:
    answer = web.post("/v1/batch", b'{"batch":[' + b" " * (5 * 1024 * 1024) + b"]}")
    assert answer.status == 413
    assert "Send smaller batches" in answer.body["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nonsense", b'"text"', b"{}", b'{"batch": 3}', b"[" * 100_000])
def test_what_is_no_json_object_is_400(web: Sender, body: bytes) -> None:
    answer = web.post("/v1/batch", body)
    assert answer.status == 400
    assert answer.body["code"] == "invalid"
    assert answer.body["message"]


def test_a_long_batch_is_taken_whole(web: Sender, store: EventStore) -> None:
    assert web.batch(*(track(f"event {n % 7}") for n in range(6_000))).body == {"success": True}
    assert store.value("SELECT count() FROM events") == 6_000


def test_the_same_message_counts_once(web: Sender, store: EventStore) -> None:
    message = track(messageId="once")
    web.batch(message, message)
    web.batch(message)
    assert len(_rows(store)) == 1


def test_the_same_message_id_in_two_products_is_two_events(
    web: Sender, store: EventStore, other_product: Any, charlie: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    other = Sender(create_key(actor_of_user(charlie), other_product, kind="capture", name="web")[1])
    web.batch(track(messageId="once"))
    other.batch(track(messageId="once"))
    assert len({row["product"] for row in _rows(store)}) == 2


def test_a_wrong_clock_is_corrected(web: Sender, store: EventStore) -> None:
    now = datetime.now(UTC)
    clock = now - timedelta(days=400)
    web.batch(track(timestamp=(clock - timedelta(minutes=2)).isoformat()), sentAt=clock.isoformat())
    (row,) = _rows(store)
    assert abs(row["timestamp"] - (now - timedelta(minutes=2))) < timedelta(seconds=30)


def test_good_events_stay_when_others_in_the_batch_are_rejected(web: Sender, store: EventStore) -> None:
    answer = web.batch(
        track("good"),
        track(event="", messageId="nameless"),
        track("late", timestamp="1995-01-01T00:00:00Z", messageId="late"),
        track("early", timestamp="2060-01-01T00:00:00Z"),
        track("odd", timestamp="yesterday"),
        {"type": "track", "event": "nobody"},
        {"type": "teleport", "userId": "u"},
        "no object",  # type: ignore[arg-type]
        track("good too"),
    )
    assert answer.status == 200
    assert answer.body["success"] is True
    rejected = {entry["index"]: entry for entry in answer.body["rejected"]}
    assert sorted(rejected) == [1, 2, 3, 4, 5, 6, 7]
    assert rejected[1]["messageId"] == "nameless"
    assert "has no name" in rejected[1]["reason"]
    assert "in the year 1995, more than ten years off" in rejected[2]["reason"]
    assert "yesterday" in rejected[4]["reason"]
    assert "belongs to nobody" in rejected[5]["reason"]
    assert sorted(row["event"] for row in _rows(store)) == ["good", "good too"]
    shown = store.query("SELECT kind, reason, event FROM quarantine ORDER BY reason")
    assert len(shown) == 7
    assert {row["kind"] for row in shown} == {"rejected"}


ODD = [
    pytest.param(b'"\\ud800 half"', "\ufffd half", id="lone surrogate"),
    pytest.param(b'"nul \\u0000 inside"', "nul \0 inside", id="NUL"),
    pytest.param(b"123456789012345678901234567890", "123456789012345678901234567890", id="thirty digits"),
    pytest.param(b"9" * 5000, "9" * 5000, id="five thousand digits"),
    pytest.param(b"1e999", "1e999", id="beyond any double"),
    pytest.param(b"NaN", "NaN", id="NaN"),
    pytest.param(b'"bad \xff byte"', "bad \ufffd byte", id="no UTF-8"),
    pytest.param(b'"first", "p": "second"', "second", id="duplicate key"),
    pytest.param("\"🚀 naïve 'quoted' \\\\ back\"".encode(), "🚀 naïve 'quoted' \\ back", id="plain odd text"),
]


@pytest.mark.parametrize(("value", "kept"), ODD)
def test_odd_values_cost_neither_the_event_nor_the_batch(
    web: Sender, store: EventStore, value: bytes, kept: str
) -> None:
    odd = b'{"type":"track","event":"odd","userId":"u","messageId":"1","properties":{"p":' + value + b"}}"
    good = json.dumps(track("good")).encode()
    assert web.post("/v1/batch", b'{"batch":[' + odd + b"," + good + b"]}").body == {"success": True}
    rows = {row["event"]: row["properties"] for row in _rows(store)}
    assert rows == {"odd": {"p": kept}, "good": {}}


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
SCALARS = st.one_of(
    TEXTS, st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False)
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sent=st.lists(st.dictionaries(TEXTS, SCALARS, max_size=6), min_size=20, max_size=40))
def test_properties_handed_on_as_sent_are_kept_as_if_taken_apart(
    web: Sender, store: EventStore, sent: list[dict[str, Any]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kept = []
        for may_hand_on in (True, False):
            if not may_hand_on:
                patch.setattr("whytree.events.wire.segment.messages.is_plain", lambda sent: False)
            answer = web.batch(*(track(f"event {place}", properties=each) for place, each in enumerate(sent)))
            assert answer.body == {"success": True}
            kept.append({row["event"]: row["properties"] for row in _rows(store)})
            store.execute("TRUNCATE TABLE events")
        assert kept[0] == kept[1]


def test_deep_nesting_is_kept_as_text_from_some_level_on(web: Sender, store: EventStore) -> None:
    value: Any = "x"
    for _ in range(40):
        value = {"k": value}
    assert web.batch(track(properties=value)).body == {"success": True}
    (row,) = _rows(store)
    ((name, text),) = row["properties"].items()
    assert name == ".".join("k" * 7)
    assert text.endswith('"x"' + "}" * 33)


def test_an_event_beyond_the_limit_is_rejected_alone(web: Sender, store: EventStore) -> None:
    answer = web.batch(track("huge", properties={"text": "x" * 300_000}), track("good"))
    assert [entry["index"] for entry in answer.body["rejected"]] == [0]
    assert [row["event"] for row in _rows(store)] == ["good"]


def test_context_fills_the_columns(web: Sender, store: EventStore) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"
    context = {
        "userAgent": agent,
        "locale": "de-DE",
        "page": {"path": "/pricing", "referrer": "https://example.org/"},
        "app": {"name": "shop", "version": "4.2"},
        "library": {"name": "analytics.js"},
        "campaign": {"name": "spring", "source": "news"},
        "location": {"country": "DE"},
    }
    web.batch(track(context=context))
    (row,) = _rows(store)
    names = ("platform", "os", "browser", "app", "version", "locale", "country", "path")
    assert [row[name] for name in names] == ["web", "Windows", "Edge", "shop", "4.2", "de-DE", "DE", "/pricing"]
    assert row["properties"] == {
        "utm_campaign": "spring",
        "utm_source": "news",
        "$referrer": "https://example.org/",
    }


def test_flags_in_force_are_kept_apart_from_properties(web: Sender, store: EventStore) -> None:
    properties = {
        "$feature/new-form": "defer",
        "$active_feature_flags": ["dark"],
        "flags": {"beta": True},
        "plan": "pro",
    }
    web.batch(track(properties=properties, context={"flags": {"hero": "b"}}))
    (row,) = _rows(store)
    assert row["flags"] == {"new-form": "defer", "dark": "true", "beta": "true", "hero": "b"}
    assert row["properties"] == {"plan": "pro"}


@pytest.mark.parametrize(
    ("event", "properties"),
    [
        ("Experiment Viewed", {"experiment_id": "form", "variation_name": "defer"}),
        ("$feature_flag_called", {"$feature_flag": "form", "$feature_flag_response": "defer"}),
    ],
)
def test_a_clients_exposure_is_told_as_ours_too(
    web: Sender, store: EventStore, event: str, properties: dict[str, str]
) -> None:
    web.batch(track(event, properties=properties, messageId="seen"))
    web.batch(track(event, properties=properties, messageId="seen"))
    rows = {row["event"]: row for row in _rows(store)}
    assert sorted(rows) == sorted(["$exposure", event])
    assert rows["$exposure"]["properties"] == {"flag": "form", "variant": "defer", "reason": "CLIENT"}
    assert rows["$exposure"]["flags"] == {"form": "defer"}
    assert rows["$exposure"]["timestamp"] == rows[event]["timestamp"]


def test_the_first_exposure_of_a_flag_is_told_once(
    web: Sender, store: EventStore, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "whytree.events.durable.follow.tell_fact", lambda name, **facts: told.append({"name": name, **facts})
    )
    for user in ("u1", "u2"):
        web.batch(track("Experiment Viewed", user, properties={"experiment_id": "form", "variation_name": "on"}))
    assert [(fact["name"], fact["product_id"], fact["flag_key"]) for fact in told] == [
        ("exposure_received", product.pk, "form")
    ]


def test_any_page_may_send(web: Sender, store: EventStore) -> None:
    client = Client()
    origin = {"Origin": "https://shop.example"}
    asked = client.options("/v1/t", headers={**origin, "Access-Control-Request-Headers": "authorization,content-type"})
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == "https://shop.example"
    assert asked["Access-Control-Allow-Credentials"] == "true"
    assert asked["Access-Control-Allow-Headers"] == "authorization,content-type"
    refused = client.post("/v1/t", "{", content_type="text/plain", headers=origin)
    assert refused["Access-Control-Allow-Origin"] == "https://shop.example"


def test_the_browser_library_is_told_where_to_send(web: Sender) -> None:
    answer = Client().get(f"/v1/projects/{web.key}/settings")
    assert answer.json()["integrations"]["Segment.io"] == {
        "apiKey": web.key,
        "apiHost": "testserver/v1",
        "protocol": "http",
    }
    assert Client().get("/v1/projects/nonsense/settings").status_code == 401


def test_form_beacons_are_read(web: Sender, store: EventStore) -> None:
    from urllib.parse import urlencode

    body = urlencode({"data": json.dumps(track())}).encode()
    assert web.post("/v1/t", body, **{"Content-Type": "application/x-www-form-urlencoded"}).status == 200
    assert len(_rows(store)) == 1


def test_the_recorded_requests_of_real_clients_are_taken(web: Sender, store: EventStore, shared_data: Any) -> None:
    import base64

    sent = 0
    for path in sorted((shared_data / "client-captures").glob("*segment*/*POST*.json")):
        recorded = json.loads(path.read_text())
        headers = {name: value for name, value in recorded["headers"] if name in ("Content-Type", "Content-Encoding")}
        answer = web.post(recorded["path"], base64.b64decode(recorded["body_b64"]), **headers)
        assert answer.body == {"success": True}, path.name
        sent += len(recorded["json"].get("batch", [1]))
    assert store.value("SELECT count() FROM events") == sent
