"""OFREP, byte by byte: what a client sends and must get back."""

import gzip
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from whytree.flags.evaluation import asking, live
from whytree.flags.models import Flag
from whytree.flags.protocols import ofrep
from whytree.flags.services import archive_flag, create_flag, edit_flag, open_flag, set_rollout, set_rules, turn_off
from whytree.workspace.entry.keys import create_token, revoke_key
from whytree.workspace.models import Key

pytestmark = pytest.mark.django_db

ONE = "/ofrep/v1/evaluate/flags/"
ALL = "/ofrep/v1/evaluate/flags"
Ask = Callable[..., Any]


@pytest.fixture
def ask(server_key: str) -> Ask:
    """POST as an SDK does; `context` becomes the body unless `data` is given."""
    client = Client(raise_request_exception=True)

    def post(
        path: str, context: Any = None, *, data: bytes | None = None, key: str = server_key, **headers: str
    ) -> Any:
        if data is None:
            data = json.dumps({"context": {"targetingKey": "maria"} if context is None else context}).encode()
        if key:
            headers = {"Authorization": f"Bearer {key}"} | headers
        return client.post(path, data, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def split(actor: Any, product: Any) -> Flag:
    """Everybody is in, half on and half off; maria gets off, jack on."""
    create_flag(actor, product, key="split", weights={"on": 1, "off": 1})
    return open_flag(actor, product, "split")


def test_one_flag_answers_with_value_variant_reason_and_metadata(ask: Ask, split: Flag) -> None:
    answer = ask(ONE + "split")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "key": "split",
        "value": False,
        "reason": "SPLIT",
        "variant": "off",
        "metadata": {"inRollout": True},
    }
    assert ask(ONE + "split", {"targetingKey": "jack"}).json()["value"] is True


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{}", b'{"context": null}', b'{"context": {}}', b'{"context": {"targetingKey": null}}']
)
def test_a_missing_body_or_context_is_an_empty_one(
    ask: Ask, actor: Any, product: Any, split: Flag, body: bytes
) -> None:
    create_flag(actor, product, key="switch")
    open_flag(actor, product, "switch")
    assert ask(ONE + "switch", data=body).json()["reason"] == "STATIC"
    refused = ask(ONE + "split", data=body)
    assert refused.status_code == 400
    assert refused.json()["key"] == "split"
    assert refused.json()["errorCode"] == "TARGETING_KEY_MISSING"
    assert "send context.targetingKey" in refused.json()["errorDetails"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'"x"', "PARSE_ERROR"),
        (b"\xff\xfe", "PARSE_ERROR"),
        (b'{"context": {"x": ' + b"[" * 100_000, "PARSE_ERROR"),
        (b'{"context": "x"}', "INVALID_CONTEXT"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 42}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": ["x"]}}', "INVALID_CONTEXT"),
        (b"\x1f\x8bno gzip", "PARSE_ERROR"),
    ],
)
def test_what_cannot_be_read_is_refused_with_code_and_details(ask: Ask, split: Flag, body: bytes, code: str) -> None:
    for path, key in ((ONE + "split", {"key": "split"}), (ALL, {})):
        refused = ask(path, data=body)
        assert refused.status_code == 400
        assert refused.json() == {**key, "errorCode": code, "errorDetails": refused.json()["errorDetails"]}
        assert refused.json()["errorDetails"]


def test_half_a_surrogate_pair_is_no_targeting_key(ask: Ask, split: Flag) -> None:
    refused = ask(ONE + "split", data=b'{"context": {"targetingKey": "\\ud800"}}')
    assert refused.status_code == 400
    assert refused.json()["errorCode"] in {"PARSE_ERROR", "INVALID_CONTEXT"}


def test_a_gzip_body_is_unpacked_and_a_bomb_is_not(ask: Ask, split: Flag) -> None:
    body = json.dumps({"context": {"targetingKey": "jack"}}).encode()
    assert ask(ONE + "split", data=gzip.compress(body)).json()["variant"] == "on"
    assert ask(ONE + "split", data=gzip.compress(b" " * 50_000_000)).status_code == 413
    assert ask(ONE + "split", data=b" " * 1_100_000).status_code == 413


@pytest.mark.parametrize("key", ["nope", "a/b%20c", "%00", "split/more", "ünï"])
def test_an_unknown_flag_is_404_with_flag_not_found(ask: Ask, split: Flag, key: str) -> None:
    answer = ask(ONE + key)
    assert answer.status_code == 404
    assert answer.json()["errorCode"] == "FLAG_NOT_FOUND"
    assert answer.json()["errorDetails"]
    assert answer.json()["key"]


def test_a_slash_at_the_end_is_no_other_address(ask: Ask, split: Flag) -> None:
    assert ask(ONE + "split/").json()["key"] == "split"
    assert ask(ALL + "/").json()["flags"][0]["key"] == "split"


def test_both_ways_to_send_a_key_work_with_both_kinds_of_key(
    ask: Ask, split: Flag, capture_key: str, server_key: str
) -> None:
    for secret in (capture_key, server_key):
        assert ask(ONE + "split", key=secret).status_code == 200
        assert ask(ONE + "split", key="", **{"X-API-Key": secret}).status_code == 200
        assert ask(ONE + "split", key="", Authorization=f"bearer {secret}").status_code == 200


def test_a_missing_unknown_or_revoked_key_is_401(
    ask: Ask, split: Flag, actor: Any, product: Any, server_key: str
) -> None:
    for path in (ONE + "split", ALL):
        for headers in ({}, {"Authorization": "Bearer wts_nope"}, {"Authorization": "Basic eDo="}, {"X-API-Key": "x"}):
            refused = ask(path, key="", **headers)
            assert refused.status_code == 401
            assert refused["WWW-Authenticate"] == "Bearer"
            assert refused.json()["errorCode"] == "GENERAL"
            assert refused.json()["errorDetails"]
    assert ask(ALL).status_code == 200
    revoke_key(actor, Key.objects.get(kind="server").pk, product)
    from whytree.workspace.entry.keys import forget_cached

    forget_cached()
    assert ask(ALL).status_code == 401


def test_a_personal_token_belongs_to_no_product(ask: Ask, split: Flag, actor: Any) -> None:
    _, secret = create_token(actor, name="mine", scopes=[])
    assert ask(ALL, key=secret).status_code == 403


def test_a_key_opens_its_own_product_only(ask: Ask, split: Flag, charlie: Any, other_product: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user, create_key

    _, secret = create_key(actor_of_user(charlie), other_product, kind="server", name="theirs")
    assert ask(ONE + "split", key=secret).status_code == 404
    assert ask(ALL, key=secret).json()["flags"] == []


def test_a_float_flag_sends_json_floats_and_an_integer_flag_none(ask: Ask, actor: Any, product: Any) -> None:
    for key, variants in (("price", {"control": 10, "low": 7.5}), ("steps", {"control": 10, "fewer": 7})):
        create_flag(actor, product, key=key, kind="number", variants=variants, weights={"control": 1})
        open_flag(actor, product, key)
    assert b'"value":10.0,' in ask(ONE + "price").content
    assert b'"value":10,' in ask(ONE + "steps").content


def test_all_flags_at_once_with_an_entry_for_each_even_the_one_that_fails(
    ask: Ask, actor: Any, product: Any, split: Flag
) -> None:
    create_flag(actor, product, key="dark")
    create_flag(actor, product, key="gone")
    archive_flag(actor, product, "gone")
    answer = ask(ALL, {})
    assert answer.status_code == 200
    assert answer.json()["metadata"] == {}
    by_key = {entry["key"]: entry for entry in answer.json()["flags"]}
    assert by_key["dark"] == {
        "key": "dark",
        "value": False,
        "reason": "DISABLED",
        "variant": "off",
        "metadata": {"inRollout": False},
    }
    assert by_key["split"]["errorCode"] == "TARGETING_KEY_MISSING"
    assert set(by_key) == {"dark", "split"}


def test_an_unchanged_answer_is_304_without_a_body(ask: Ask, actor: Any, product: Any, split: Flag) -> None:
    first = ask(ALL)
    etag = first["ETag"]
    assert etag.startswith('"')
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = ask(ALL, **{"If-None-Match": header})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert ask(ALL, **{"If-None-Match": '"other"'}).status_code == 200
    assert ask(ALL, {"targetingKey": "jack"}, **{"If-None-Match": etag}).status_code == 200
    turn_off(actor, product, "split")
    changed = ask(ALL, **{"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed["ETag"] != etag


def test_who_polls_with_an_answer_that_still_holds_is_told_before_any_flag_is_evaluated(
    ask: Ask, actor: Any, product: Any, split: Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = ask(ALL)["ETag"]
    evaluated: list[str | None] = []
    monkeypatch.setattr(ofrep, "evaluate_all", lambda flags, unit, context: evaluated.append(unit) or [])
    assert ask(ALL, **{"If-None-Match": etag}).status_code == 304
    assert evaluated == []
    ask(ALL, {"targetingKey": "maria", "plan": "pro"}, **{"If-None-Match": etag})
    ask(ALL)  # without an ETag there is nothing to compare with
    assert evaluated == ["maria", "maria"]
    set_rules(actor, product, "split", on_until=timezone.now() + timedelta(hours=1))
    ask(ALL, **{"If-None-Match": etag})
    assert len(evaluated) == 3


@pytest.mark.parametrize(
    "rules",
    [
        {"on_until": datetime(2100, 1, 1, tzinfo=UTC)},
        {"targeting": {"if": [{"<": [{"var": "$flagd.timestamp"}, 4_102_444_800]}, "on", "off"]}},
        {"targeting": {"if": [{"<": [{"var": {"cat": ["$flagd.", "timestamp"]}}, 4_102_444_800]}, "on", "off"]}},
    ],
    ids=["schedule", "timestamp", "a path that the rule makes"],
)
def test_what_time_decides_is_evaluated_each_time(
    ask: Ask, actor: Any, product: Any, split: Flag, rules: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_rules(actor, product, "split", **rules)
    first = ask(ALL, {"targetingKey": "jack"})
    assert first.json()["flags"][0]["variant"] == "on"
    monkeypatch.setattr(asking.time, "time", lambda: 5_000_000_000.0)
    later = ask(ALL, {"targetingKey": "jack"}, **{"If-None-Match": first["ETag"]})
    assert later.status_code == 200
    assert later.json()["flags"][0]["value"] is False


def test_a_ramp_that_does_not_reach_the_person_leaves_their_etag(ask: Ask, actor: Any, product: Any) -> None:
    create_flag(actor, product, key="quarter", weights={"on": 1, "off": 1})
    open_flag(actor, product, "quarter", coverage=500)
    etag = ask(ALL)["ETag"]
    set_rollout(actor, product, "quarter", coverage=2_500)  # maria sits in bucket 7,830
    assert ask(ALL, **{"If-None-Match": etag}).status_code == 304


def test_every_change_is_seen_by_the_next_request(ask: Ask, actor: Any, product: Any, split: Flag) -> None:
    assert ask(ONE + "split").json()["reason"] == "SPLIT"
    turn_off(actor, product, "split")
    assert ask(ONE + "split").json()["reason"] == "DISABLED"
    edit_flag(actor, product, "split", variants={"on": False, "off": True})
    assert ask(ONE + "split").json()["value"] is True
    archive_flag(actor, product, "split")
    assert ask(ONE + "split").status_code == 404


def test_a_change_by_another_process_is_seen_within_a_second(
    ask: Ask, product: Any, split: Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(ONE + "split").json()["reason"] == "SPLIT"
    Flag.objects.filter(pk=split.pk).update(is_on=False)  # no signal: this process is not told
    from whytree.flags.models import FlagSetVersion

    FlagSetVersion.objects.filter(product=product).update(token="another process was here")
    assert ask(ONE + "split").json()["reason"] == "SPLIT"
    now = live.time.monotonic()
    monkeypatch.setattr(live.time, "monotonic", lambda: now + live.FRESH_SECONDS)
    assert ask(ONE + "split").json()["reason"] == "DISABLED"


@pytest.mark.parametrize(("patience", "version"), [(30.0, "2"), (0.01, "1")])
def test_while_another_looks_after_a_change_one_waits_for_it_but_not_for_a_database_that_hangs(
    monkeypatch: pytest.MonkeyPatch, patience: float, version: str
) -> None:
    entered, go = threading.Event(), threading.Event()
    found: list[str] = []

    def load(*args: Any) -> live.FlagSet:
        entered.set()
        go.wait(60)
        return live.FlagSet("2")

    monkeypatch.setattr(live, "_held", {(1, None): live._Held(live.FlagSet("1"))})
    monkeypatch.setattr(live, "_version", lambda product_id: "2")
    monkeypatch.setattr(live, "_load", load)
    monkeypatch.setattr(live, "LONGEST_WAIT_SECONDS", patience)
    live.look_again(1)
    looks = threading.Thread(target=live.flag_set, args=(1,))
    asks = threading.Thread(target=lambda: found.append(live.flag_set(1).version))
    looks.start()
    assert entered.wait(60)
    asks.start()
    asks.join(0.1 if patience > 1 else 60)
    go.set()
    asks.join(60)
    looks.join(60)
    assert found == [version]


def test_a_request_makes_no_query_once_key_and_flags_are_known(
    ask: Ask, split: Flag, django_assert_num_queries: Any
) -> None:
    ask(ONE + "split")
    with django_assert_num_queries(0):
        for n in range(20):
            assert ask(ONE + "split", {"targetingKey": f"u-{n}"}).status_code == 200
            assert ask(ALL).status_code == 200


def test_the_last_known_rules_hold_while_the_database_does_not_answer(
    ask: Ask, split: Flag, monkeypatch: pytest.MonkeyPatch, product: Any
) -> None:
    from django.db import OperationalError

    from whytree.workspace.entry import keys

    def broken(*args: Any) -> Any:
        raise OperationalError("server closed the connection")

    ask(ONE + "split")
    monkeypatch.setattr(live, "_version", broken)
    monkeypatch.setattr(keys, "_load", broken)
    monkeypatch.setattr(keys, "CACHE_SECONDS", 0)
    live.look_again(product.pk)
    for _ in range(3):
        assert ask(ONE + "split").json()["reason"] == "SPLIT"
    for forget in (live.forget, keys.forget_cached):
        forget()
        refused = ask(ONE + "split")
        assert (refused.status_code, refused["Retry-After"]) == (503, "1")
        assert refused.json()["errorDetails"]


def test_one_row_that_no_service_wrote_does_not_harm_the_others(ask: Ask, product: Any, split: Flag) -> None:
    Flag(product=product, key="broken", variants={}, weights={}, default_variant="x", off_variant="x").save()
    assert ask(ONE + "split").status_code == 200
    assert ask(ONE + "broken").status_code == 404


def test_another_method_is_405(server_key: str) -> None:
    answer = Client().get(ONE + "split", headers={"Authorization": f"Bearer {server_key}"})
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_a_browser_on_another_site_may_ask_and_read_the_etag(ask: Ask, split: Flag) -> None:
    headers = {
        "Origin": "https://app.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-mine",
    }
    preflight = Client().options(ALL, headers=headers)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert preflight["Access-Control-Allow-Headers"] == "authorization,content-type,x-mine"
    assert "POST" in preflight["Access-Control-Allow-Methods"]

    answer = ask(ALL, Origin="https://app.example.org")
    assert answer["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "ETag" in answer["Access-Control-Expose-Headers"]
    refused = ask(ONE + "nope", Origin="https://app.example.org")
    assert refused["Access-Control-Allow-Origin"] == "https://app.example.org"


def test_recorded_requests_of_real_clients_are_answered(
    ask: Ask, actor: Any, product: Any, shared_data: Any, server_key: str
) -> None:
    """The bodies and headers that the Python, Node and browser providers sent, played again."""
    import base64

    for key in ("b-flag", "s-flag", "i-flag", "f-flag", "o-flag", "b-mismatch"):
        create_flag(actor, product, key=key)
        open_flag(actor, product, key)
    played = 0
    for folder in ("python-ofrep-0.3.0", "node-ofrep-server-0.1.3", "browser-ofrep-web-0.4.3"):
        for file in sorted((shared_data / "client-captures" / folder).glob("*-POST-*.json")):
            record = json.loads(file.read_text())
            kept = {
                name: value
                for name, value in record["headers"]
                if name.lower() not in {"authorization", "host", "content-length"}
            }
            answer = ask(record["path"], data=base64.b64decode(record["body_b64"]), **kept)
            assert answer.status_code == (404 if record["path"].endswith("missing") else 200)
            played += 1
    assert played == 16
