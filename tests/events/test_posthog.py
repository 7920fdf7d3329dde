"""PostHog's capture API: what its libraries send is taken, answered as they expect, and means what it means there."""

import base64
import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import zstandard
from django.test import Client

from whytree.flags.services import create_flag, open_flag
from whytree.people.models import Person
from whytree.stores.events import EventStore
from whytree.workspace.entry.keys import hashed
from whytree.workspace.models import Key
from whytree.workspace.sockets import variants_in_force

from .test_capture import ODD

pytestmark = pytest.mark.django_db

RECORDED_KEY = "phc_testkey"


@pytest.fixture
def recorded_key(store: EventStore, product: Any) -> str:
    """The key that the recorded requests name, as one of ours."""
    Key.objects.create(
        kind="capture", name="recorded", prefix="phc_", secret_hash=hashed(RECORDED_KEY), product=product
    )
    return RECORDED_KEY


def send(path: str, body: Any, content_type: str = "application/json", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().generic("POST", path, data, content_type=content_type, headers=headers)


def message(event: str = "opened", distinct_id: str = "u1", **fields: Any) -> dict[str, Any]:
    return {"event": event, "distinct_id": distinct_id, "properties": {}, **fields}


def rows(store: EventStore) -> list[dict[str, Any]]:
    return store.query("SELECT * FROM events ORDER BY timestamp, event_id")


def events(store: EventStore) -> list[str]:
    return sorted(row["event"] for row in rows(store))


def _recorded(shared_data: Path, pattern: str) -> list[dict[str, Any]]:
    folder = shared_data / "client-captures"
    found = [json.loads(path.read_text()) for path in sorted(folder.glob(f"*posthog*/{pattern}"))]
    assert found
    return found


def test_every_recorded_request_of_the_real_libraries_is_taken(
    recorded_key: str, store: EventStore, shared_data: Path
) -> None:
    """Raw bytes, as posthog-python, posthog-node and posthog-js sent them: gzip declared, not declared, none."""
    sent = []
    for request in _recorded(shared_data, "*POST*.json"):
        if "flags" in request["path"]:
            continue
        headers = {name: value for name, value in request["headers"] if name.lower() not in ("host", "content-length")}
        content_type = next(value for name, value in request["headers"] if name.lower() == "content-type")
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        answer = send(request["path"], base64.b64decode(request["body_b64"]), content_type, **headers)
        assert answer.status_code == 200, (request["path"], answer.content)
        assert "rejected" not in answer.json()
        sent += request["json"]["batch"]
    kept = rows(store)
    told = [row for row in kept if row["event"] != "$exposure"]
    assert len(told) == len(sent) == len({row["event_id"] for row in told})
    assert not any(name in row["properties"] for row in kept for name in ("token", "distinct_id", "$ip"))
    assert all(abs(row["timestamp"] - row["received_at"]) < timedelta(seconds=30) for row in kept)


def test_the_browsers_recorded_page_view_fills_the_columns(
    recorded_key: str, store: EventStore, shared_data: Path
) -> None:
    (request,) = _recorded(shared_data, "002-POST-e.json")
    send(request["path"], base64.b64decode(request["body_b64"]), "text/plain", Origin="http://127.0.0.1:18131")
    (row,) = rows(store)
    assert (row["event"], row["distinct_id"], row["platform"]) == ("$pageview", "user-1", "web")
    assert (row["os"], row["browser"], row["locale"], row["path"]) == ("Linux", "Chrome", "en-US", "/__web/ph.html")
    assert row["properties"]["utm_source"] == "news"
    assert row["properties"]["$groups.company"] == "acme"
    assert row["properties"]["$session_id"]
    assert not any(name.startswith("$sdk_debug_") for name in row["properties"])


@pytest.mark.parametrize(
    "path", ["/batch/", "/batch", "/e/", "/i/v0/e/", "/capture/", "/track/", "/engage/", "/i/v0/ai/batch/"]
)
def test_every_address_takes_a_batch_a_list_and_a_single_event(capture_key: str, store: EventStore, path: str) -> None:
    batch = send(path, {"api_key": capture_key, "batch": [message("in a batch")]})
    listed = send(path, [message("in a list", properties={"token": capture_key})])
    single = send(path, {"token": capture_key, **message("alone")})
    for answer in (batch, listed, single):
        assert (answer.status_code, answer.json()["status"]) == (200, 1)
    assert events(store) == ["alone", "in a batch", "in a list"]


def _as_form(body: bytes) -> bytes:
    return urlencode({"data": base64.b64encode(body).decode()}).encode()


PACKED = [
    pytest.param(gzip.compress, "?compression=gzip-js", "text/plain", {}, id="gzip-js"),
    pytest.param(gzip.compress, "", "text/plain", {}, id="gzip not declared"),
    pytest.param(gzip.compress, "", "application/json", {"Content-Encoding": "gzip"}, id="gzip declared"),
    pytest.param(zlib.compress, "", "application/json", {"Content-Encoding": "deflate"}, id="deflate"),
    pytest.param(zstandard.ZstdCompressor().compress, "", "application/json", {"Content-Encoding": "zstd"}, id="zstd"),
    pytest.param(_as_form, "?compression=base64", "application/x-www-form-urlencoded", {}, id="beacon"),
    pytest.param(base64.b64encode, "", "text/plain", {}, id="bare base64"),
    pytest.param(lambda body: b"data=" + base64.b64encode(body), "", "text/plain", {}, id="form not declared"),
]


@pytest.mark.parametrize(("pack", "query", "content_type", "headers"), PACKED)
def test_a_body_is_read_however_it_is_packed(
    capture_key: str, store: EventStore, pack: Any, query: str, content_type: str, headers: dict[str, str]
) -> None:
    body = json.dumps({"api_key": capture_key, "batch": [message("näme > ?", properties={"a": "ü" * 40})]}).encode()
    answer = send(f"/e/{query}", pack(body), content_type, **headers)
    assert answer.status_code == 200, answer.content
    assert events(store) == ["näme > ?"]


def test_an_event_may_come_in_an_address(capture_key: str, store: EventStore) -> None:
    data = base64.b64encode(json.dumps({"token": capture_key, **message()}).encode()).decode()
    assert Client().get("/e/", {"data": data}).status_code == 200
    assert events(store) == ["opened"]


def test_a_beacon_is_answered_with_nothing(capture_key: str, store: EventStore) -> None:
    answer = send("/e/?beacon=1", {"token": capture_key, **message()})
    assert (answer.status_code, answer.content) == (204, b"")
    assert events(store) == ["opened"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"3", b"[]", b'{"batch": []}', b"\x1f\x8bnonsense", b"[" * 100_000, b'"text"', b"data=x"],
)
def test_what_is_no_event_is_400_in_words_the_libraries_read(capture_key: str, store: EventStore, body: bytes) -> None:
    answer = send("/batch/", body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
    assert answer.json()["detail"]


def test_a_bomb_is_400(capture_key: str, store: EventStore) -> None:
    spaces = b" " * (64 * 1024 * 1024)
    for packed, encoding in ((gzip.compress(spaces), "gzip"), (zstandard.compress(spaces), "zstd")):
        answer = send("/batch/", packed, **{"Content-Encoding": encoding})
        assert answer.status_code == 400
        assert "unpacks to more" in answer.json()["detail"]


def test_lz64_is_named_as_what_is_not_read(capture_key: str, store: EventStore) -> None:
    answer = send("/e/?compression=lz64", b"N4IgLg")
    assert answer.status_code == 400
    assert "Update posthog-js" in answer.json()["detail"]


def test_a_batch_of_the_largest_size_the_libraries_send_is_taken(capture_key: str, store: EventStore) -> None:
    big = [message(f"event {n}", properties={"text": "x" * 150_000}) for n in range(60)]  # 9 MB
    assert send("/batch/", {"api_key": capture_key, "batch": big}).status_code == 200
    assert len(rows(store)) == 60


@pytest.mark.parametrize("body", [message(), {"api_key": "phc_unknown", **message()}])
def test_no_key_or_an_unknown_one_is_401(store: EventStore, body: dict[str, Any]) -> None:
    answer = send("/e/", body)
    assert answer.status_code == 401
    assert answer.json()["type"] == "authentication_error"
    assert rows(store) == []


def test_two_keys_in_one_request_are_401(capture_key: str, server_key: str, store: EventStore) -> None:
    both = [message(properties={"token": capture_key}), message(properties={"token": server_key})]
    assert send("/e/", both).status_code == 401
    assert rows(store) == []


def test_good_events_stay_when_others_are_rejected(capture_key: str, store: EventStore) -> None:
    batch = [message("good"), message(""), "no object", {"event": "nobody"}, message(distinct_id="$posthog_cookieless")]
    answer = send("/batch/", {"api_key": capture_key, "batch": batch})
    assert answer.status_code == 200
    assert [each["index"] for each in answer.json()["rejected"]] == [1, 2, 3, 4]
    assert events(store) == ["good"]


def test_a_request_of_which_nothing_is_taken_is_400_with_the_reason(capture_key: str, store: EventStore) -> None:
    answer = send("/e/", {"token": capture_key, "event": "opened"})
    assert answer.status_code == 400
    assert "belongs to nobody" in answer.json()["detail"]
    (aside,) = store.query("SELECT reason FROM quarantine")
    assert "belongs to nobody" in aside["reason"]


def test_the_same_uuid_counts_once(capture_key: str, store: EventStore) -> None:
    for _ in range(2):
        assert send("/e/", {"token": capture_key, **message(uuid="0194-1")}).status_code == 200
    assert len(rows(store)) == 1


# ---- time ----------------------------------------------------------------------------------------------------------


def _age(store: EventStore) -> timedelta:
    (row,) = rows(store)
    return datetime.now(UTC) - row["timestamp"]


def test_a_wrong_clock_is_corrected_by_sent_at(capture_key: str, store: EventStore) -> None:
    clock = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)
    body = {"api_key": capture_key, "sent_at": clock.isoformat()}
    send("/batch/", {**body, "batch": [message(timestamp=(clock - timedelta(minutes=5)).isoformat())]})
    assert timedelta(minutes=4) < _age(store) < timedelta(minutes=6)


def test_an_offset_says_how_long_ago_it_was(capture_key: str, store: EventStore) -> None:
    send("/e/", {"token": capture_key, **message(offset=300_000)})
    assert timedelta(minutes=4) < _age(store) < timedelta(minutes=6)


def test_when_it_was_sent_may_stand_in_the_address(capture_key: str, store: EventStore) -> None:
    clock = datetime.now(UTC) + timedelta(days=40)
    at = (clock - timedelta(minutes=5)).isoformat()
    send(f"/e/?_={int(clock.timestamp() * 1000)}", {"token": capture_key, **message(timestamp=at)})
    assert timedelta(minutes=4) < _age(store) < timedelta(minutes=6)


# ---- people --------------------------------------------------------------------------------------------------------


def test_identify_makes_one_person_of_two_ids_whatever_comes_first(capture_key: str, store: EventStore) -> None:
    anonymous = message("seen", "device-1", properties={"$is_identified": False, "$device_id": "device-1"})
    identify = message("$identify", "ana", properties={"$anon_distinct_id": "device-1"})
    identify["$set"] = {"email": "ana@example.org", "plan": "pro"}
    identify["$set_once"] = {"first": "mail"}
    send("/batch/", {"api_key": capture_key, "batch": [identify]})
    send("/batch/", {"api_key": capture_key, "batch": [anonymous]})
    who = store.query(
        "SELECT uniq(dictGetOrDefault('person_overrides_now', 'canonical', person, person)) AS n FROM events"
    )
    assert who == [{"n": 1}]
    person = Person.objects.get(key="ana")
    assert (person.email, person.plan, person.traits) == ("ana@example.org", "pro", {"first": "mail"})


def test_what_is_set_once_stays_and_what_is_set_changes(capture_key: str, store: EventStore) -> None:
    for number, when in ((1, "2026-11-20T10:00:00Z"), (2, "2026-11-21T10:00:00Z")):
        said = {"$set": {"plan": f"plan {number}", "last": str(number)}, "$set_once": {"first": str(number)}}
        body = message("$set", "ana", timestamp=when, properties={"$lib": "posthog-python", "$is_server": True})
        send("/batch/", {"api_key": capture_key, "batch": [{**body, **said}]})
    person = Person.objects.get(key="ana")
    assert (person.plan, person.traits) == ("plan 2", {"last": "2", "first": "1"})


@pytest.mark.parametrize("where", ["top", "properties"])
def test_any_event_may_say_something_of_its_person(capture_key: str, store: EventStore, where: str) -> None:
    said = {"$set": {"name": "Ana"}}
    server = {"$lib": "posthog-node"}
    body = (
        message("bought", "ana", properties=server | said)
        if where == "properties"
        else message("bought", "ana", properties=server, **said)
    )
    send("/batch/", {"api_key": capture_key, "batch": [body]})
    assert Person.objects.get(key="ana").name == "Ana"


def test_an_event_without_a_profile_makes_nobody_known(capture_key: str, store: EventStore) -> None:
    quiet = {"$process_person_profile": False, "$lib": "posthog-python", "$is_server": True, "$set": {"name": "Ana"}}
    send("/batch/", {"api_key": capture_key, "batch": [message("bought", "5ad8", properties=quiet)]})
    assert events(store) == ["bought"]
    assert not Person.objects.exists()
    assert store.query("SELECT * FROM merge_edges") == []


@pytest.mark.parametrize(
    "said",
    [
        {"distinct_id": "anon-1", "alias": "user-1"},  # as posthog-python says it
        {"distinct_id": "user-1", "alias": "anon-1"},  # as posthog-node does
    ],
)
def test_an_alias_joins_two_ids_either_way_round(capture_key: str, store: EventStore, said: dict[str, str]) -> None:
    server = {"$lib": "posthog-python", "$is_server": True}
    alias = message("$create_alias", said["distinct_id"], properties={**server, **said})
    known = message("bought", "user-1", properties=server)
    seen = message("seen", "anon-1", properties={"$process_person_profile": False})
    send("/batch/", {"api_key": capture_key, "batch": [alias, seen, known]})
    who = store.query(
        "SELECT uniq(dictGetOrDefault('person_overrides_now', 'canonical', person, person)) AS n FROM events"
    )
    assert who == [{"n": 1}]


def test_two_known_people_are_not_joined_by_a_public_key(capture_key: str, store: EventStore) -> None:
    known = [message("seen", each, properties={"$is_identified": True}) for each in ("ana", "bob")]
    merge = message("$merge_dangerously", "ana", properties={"alias": "bob", "$is_identified": True})
    send("/batch/", {"api_key": capture_key, "batch": [*known, merge]})
    assert store.query("SELECT kind FROM quarantine") == [{"kind": "merge"}]
    assert store.query("SELECT * FROM person_overrides WHERE canonical != person") == []


def test_a_group_tells_the_company_of_the_person_in_a_browser_and_of_nobody_on_a_server(
    capture_key: str, store: EventStore
) -> None:
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme", "seats": 5}}
    browser = message("$groupidentify", "ana", properties={**group, "$is_identified": True})
    server = message("$groupidentify", "$company_acme", properties={**group, "$lib": "posthog-node"})
    send("/batch/", {"api_key": capture_key, "batch": [browser, server]})
    assert [(person.key, person.company) for person in Person.objects.all()] == [("ana", "Acme")]


def test_traits_that_a_crash_left_undone_are_read_back(capture_key: str, store: EventStore) -> None:
    from whytree.events.durable.follow import Follower
    from whytree.stores.writing.marks import write_mark

    write_mark(store, "followed", (datetime.now(UTC) - timedelta(minutes=5)).isoformat())
    identify = message("$identify", "ana", properties={"$lib": "web", "$set": {"name": "Ana"}})
    quiet = message("x", "eve", properties={"$process_person_profile": False, "$set": {"name": "Eve"}})
    send("/batch/", {"api_key": capture_key, "batch": [identify, quiet]})
    Person.objects.all().delete()
    Follower(store).settle()
    assert [(person.key, person.name, person.traits) for person in Person.objects.all()] == [("ana", "Ana", {})]


# ---- flags ---------------------------------------------------------------------------------------------------------


def test_variants_in_force_are_kept_apart(capture_key: str, store: EventStore) -> None:
    said = {"$feature/form": "defer", "$feature/gone": None, "$active_feature_flags": ["form", "dark"], "plan": "pro"}
    send("/e/", {"token": capture_key, **message(properties=said)})
    (row,) = rows(store)
    assert row["flags"] == {"form": "defer", "dark": "true"}
    assert row["properties"] == {"plan": "pro"}


@pytest.mark.parametrize("name", ["$feature_flag_called", "$experiment_exposure"])
def test_a_flag_that_was_asked_for_is_an_exposure(capture_key: str, store: EventStore, name: str) -> None:
    said = {"$feature_flag": "form", "$feature_flag_response": "defer"}
    send("/e/", {"token": capture_key, **message(name, properties=said)})
    exposure = next(row for row in rows(store) if row["event"] == "$exposure")
    assert exposure["properties"] == {"flag": "form", "variant": "defer", "reason": "CLIENT"}
    assert exposure["distinct_id"] == "u1"


@pytest.mark.parametrize("answered", [False, None])
def test_a_flag_that_is_off_or_missing_is_none(capture_key: str, store: EventStore, answered: Any) -> None:
    said = {"$feature_flag": "form", "$feature_flag_response": answered}
    send("/e/", {"token": capture_key, **message("$feature_flag_called", properties=said)})
    assert events(store) == ["$feature_flag_called"]


def test_a_switch_of_ours_is_met_under_the_name_of_its_arm(
    actor: Any, product: Any, capture_key: str, store: EventStore
) -> None:
    create_flag(actor, product, key="switch", weights={"on": 1, "off": 1})
    open_flag(actor, product, "switch")
    drawn = {f"u{n}": variants_in_force(product.pk, f"u{n}")["switch"] for n in range(12)}
    assert set(drawn.values()) == {"on", "off"}
    for who, arm in drawn.items():
        said = {"$feature_flag": "switch", "$feature_flag_response": arm == "on", "$feature/switch": arm == "on"}
        send("/e/", {"token": capture_key, **message("$feature_flag_called", who, properties=said)})
    met = [row for row in rows(store) if row["event"] == "$exposure"]
    assert {row["distinct_id"]: row["properties"]["variant"] for row in met} == drawn
    assert {row["distinct_id"]: row["flags"]["switch"] for row in rows(store)} == drawn


# ---- v1 ------------------------------------------------------------------------------------------------------------


def test_v1_answers_for_every_event(capture_key: str, store: EventStore) -> None:
    good = message("good", uuid="u-1", options={"process_person_profile": False}, session_id="s-1")
    bad = message("", uuid="u-2", options={})
    odd = {"uuid": "u-3", "event": "odd", "properties": 7, "options": "no", "distinct_id": 12}
    answer = send(
        "/i/v1/analytics/events",
        {"created_at": datetime.now(UTC).isoformat(), "batch": [good, bad, odd, "no object"]},
        Authorization=f"Bearer {capture_key}",
        **{"PostHog-Sdk-Info": "posthog-python/7.91.1"},
    )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert {uuid: result["result"] for uuid, result in results.items()} == {"u-1": "ok", "u-2": "drop", "u-3": "ok"}
    assert "no name" in results["u-2"]["details"]
    kept = {row["event"]: row for row in rows(store)}
    assert kept["good"]["properties"] == {
        "$lib": "posthog-python",
        "$lib_version": "7.91.1",
        "$process_person_profile": "false",
        "$session_id": "s-1",
    }
    assert kept["odd"]["distinct_id"] == "12"


def test_v1_refuses_in_words(capture_key: str, store: EventStore) -> None:
    assert send("/i/v1/analytics/events", {"batch": [message()]}).status_code == 401
    bearer = {"Authorization": f"Bearer {capture_key}"}
    for body in ({"batch": []}, [], b"{"):
        assert send("/i/v1/analytics/events", body, **bearer).status_code == 400


# ---- others at the same addresses ----------------------------------------------------------------------------------


def test_mixpanels_libraries_are_understood_too(capture_key: str, store: EventStore) -> None:
    at = int((datetime.now(UTC) - timedelta(minutes=5)).timestamp())
    said = {"token": capture_key, "distinct_id": "ana", "time": at, "$insert_id": "i1", "mp_lib": "python", "n": 1}
    form = urlencode({"data": json.dumps({"event": "Played", "properties": said}), "verbose": 1, "ip": 0}).encode()
    answer = send("/track", form, "application/x-www-form-urlencoded")
    assert answer.json() == {"status": 1, "error": None}
    profile = json.dumps({"$token": capture_key, "$distinct_id": "ana", "$set": {"$name": "Ana"}})
    assert (
        send("/engage", urlencode({"data": profile}).encode(), "application/x-www-form-urlencoded").status_code == 200
    )
    played = next(row for row in rows(store) if row["event"] == "Played")
    assert (played["distinct_id"], played["properties"]["n"]) == ("ana", "1")
    assert datetime.now(UTC) - played["timestamp"] > timedelta(minutes=4)


def test_any_page_may_send(capture_key: str, store: EventStore) -> None:
    origin = {"Origin": "https://shop.example"}
    for path in ("/e/", "/s/", "/i/v1/analytics/events"):
        asked = Client().options(path, headers={**origin, "Access-Control-Request-Headers": "content-type"})
        assert asked.status_code == 204
        assert asked["Access-Control-Allow-Origin"] == "https://shop.example"
    refused = send("/e/", b"{", **origin)
    assert refused["Access-Control-Allow-Origin"] == "https://shop.example"


def test_recordings_are_answered_and_not_kept(capture_key: str, store: EventStore) -> None:
    assert send("/s/", {"token": capture_key, "event": "$snapshot"}).json() == {"status": 1}
    assert rows(store) == []


# ---- hostile -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "kept"), ODD)
def test_odd_values_cost_neither_the_event_nor_the_batch(
    capture_key: str, store: EventStore, value: bytes, kept: str
) -> None:
    odd = b'{"event":"odd","distinct_id":"u","properties":{"p":' + value + b"}}"
    body = b'{"api_key":"' + capture_key.encode() + b'","batch":[' + odd + b',{"event":"good","distinct_id":"u"}]}'
    assert send("/batch/", body).status_code == 200
    found = {row["event"]: row["properties"] for row in rows(store)}
    assert found == {"odd": {"p": kept}, "good": {}}


@pytest.mark.parametrize(
    "odd",
    [
        {"distinct_id": {"a": 1}},
        {"distinct_id": "x" * 500},
        {"distinct_id": "nul\0"},
        {"event": ["a"]},
        {"event": "x" * 300},
        {"timestamp": "soon"},
        {"timestamp": "1970-01-01T00:00:00Z"},
        {"properties": {f"p{n}": n for n in range(1_100)}},
        {"event": "$create_alias", "properties": {"alias": {"a": 1}}},
        {"event": "$exposure", "properties": {"flag": "form"}},
    ],
)
def test_a_message_that_cannot_be_an_event_is_rejected_alone(
    capture_key: str, store: EventStore, odd: dict[str, Any]
) -> None:
    answer = send("/batch/", {"api_key": capture_key, "batch": [{**message(), **odd}, message("good")]})
    assert answer.status_code == 200
    assert [each["index"] for each in answer.json()["rejected"]] == [0]
    assert events(store) == ["good"]


def test_odd_shapes_of_what_is_optional_are_read_as_nothing(capture_key: str, store: EventStore) -> None:
    odd = {
        "properties": [1],
        "$set": "x",
        "$set_once": 7,
        "uuid": {"a": 1},
        "offset": "late",
        "sent_at": [],
        "token": 3,
    }
    assert send("/e/", {**message(), **odd, "api_key": capture_key}).status_code == 200
    assert events(store) == ["opened"]
