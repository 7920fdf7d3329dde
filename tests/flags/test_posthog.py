"""PostHog's clients with their host changed: captured requests, and posthog-python over a real socket."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from whytree.flags.services import create_flag, open_flag, set_rules, turn_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def flags(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="switch")
    open_flag(actor, product, "switch")
    create_flag(actor, product, key="arms", kind="string", variants={"control": "control", "test": "test"})
    open_flag(actor, product, "arms")
    create_flag(actor, product, key="price", kind="number", variants={"control": 9, "low": 7}, weights={"low": 1})
    open_flag(actor, product, "price")
    create_flag(actor, product, key="closed", kind="string", variants={"control": "a", "test": "b"})


def ask(client: Client, key: str, path: str = "/flags/?v=2", **body: Any) -> Any:
    return client.post(
        path, json.dumps({"token": key, "distinct_id": "maria", **body}), content_type="application/json"
    )


def test_one_record_serves_clients_of_all_versions(client: Client, capture_key: str, flags: None) -> None:
    said = ask(client, capture_key).json()
    switch, arms, price, closed = (said["flags"][key] for key in ("switch", "arms", "price", "closed"))
    assert (switch["enabled"], switch["variant"], switch["value"]) == (True, None, True)
    assert arms["enabled"]
    assert arms["variant"] == arms["value"] == arms["metadata"]["variant_key"]
    assert (arms["reason"]["code"], arms["metadata"]["rule_type"]) == ("experiment_split", "experiment")
    assert (price["variant"], price["value"], price["metadata"]["payload"]) == ("low", 7, "7")
    assert price["metadata"]["has_experiment"] is False
    assert (closed["enabled"], closed["variant"], closed["value"]) == (False, None, None)
    assert closed["reason"]["code"] == "flag_disabled"
    assert said["featureFlags"] == {"switch": True, "arms": arms["variant"], "price": "low", "closed": False}
    assert said["featureFlagPayloads"] == {"price": "7"}
    assert said["errorsWhileComputingFlags"] is False


def test_asking_for_some_is_answered_for_some(client: Client, capture_key: str, flags: None) -> None:
    assert set(ask(client, capture_key, flag_keys_to_evaluate=["arms", "nope"]).json()["flags"]) == {"arms"}
    assert ask(client, capture_key, disable_flags=True).json()["flags"] == {}


def test_person_and_group_properties_reach_the_rules(
    client: Client, actor: Any, product: Any, capture_key: str, flags: None
) -> None:
    rule = {"if": [{"and": [{"==": [{"var": "person.plan"}, "pro"]}, {">": [{"var": "company.seats"}, 5]}]}, "on"]}
    turn_off(actor, product, "switch")
    set_rules(actor, product, "switch", targeting=rule)
    open_flag(actor, product, "switch", coverage=1)
    about: dict[str, Any] = {"groups": {"company": "acme"}, "group_properties": {"company": {"seats": 9}}}
    assert ask(client, capture_key, **about, person_properties={"plan": "pro"}).json()["featureFlags"]["switch"] is True
    assert (
        ask(client, capture_key, **about, person_properties={"plan": "free"}).json()["featureFlags"]["switch"] is False
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_body"),
        (b"[]", 400, "invalid_body"),
        (b"\x1f\x8bnot gzip", 400, "parse_error"),
        (b"data=%%%", 400, "invalid_body"),
        (b'{"token": "KEY"}', 400, "missing_distinct_id"),
        (b'{"token": "KEY", "distinct_id": {"a": 1}}', 400, "missing_distinct_id"),
        (b'{"distinct_id": "maria"}', 401, "invalid_api_key"),
        (b'{"token": "nope", "distinct_id": "maria"}', 401, "invalid_api_key"),
        (b"", 401, "invalid_api_key"),
    ],
)
def test_what_cannot_be_answered_is_refused_as_clients_read_it(
    client: Client, capture_key: str, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/flags/?v=2", body.replace(b"KEY", capture_key.encode()), content_type="text/plain")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


@pytest.mark.parametrize("name", ["python-posthog-7.91.1", "node-posthog-5.70.0", "browser-posthog-js-1.449.2"])
def test_requests_that_real_clients_sent_are_answered(
    client: Client, capture_key: str, server_key: str, flags: None, shared_data: Path, name: str
) -> None:
    for file in sorted((shared_data / "client-captures" / name).glob("*.json")):
        sent = json.loads(file.read_text())
        path = sent["path"].replace("phc_testkey", capture_key)
        headers = dict(sent["headers"])
        if "/flags" in path and sent["method"] == "POST":
            body = json.dumps(sent["json"]).replace("phc_testkey", capture_key).encode()
            body = gzip.compress(body) if sent["body_gzip"] else body
            answer = client.post(path, body, content_type=headers.get("content-type") or headers["Content-Type"])
            assert answer.status_code == 200
            assert "flags" in answer.json()
        elif path.startswith("/flags/definitions"):
            answer = client.get(path, headers={"Authorization": f"Bearer {server_key}"})
            assert answer.status_code == 200
        elif path.startswith("/array/"):
            answer = client.get(path, headers={"Origin": "https://shop.example.org"})
            assert answer.status_code == 200
            assert answer["Access-Control-Allow-Origin"] == "https://shop.example.org"


def test_older_clients_ask_decide_with_a_form(client: Client, capture_key: str, flags: None) -> None:
    data = base64.b64encode(json.dumps({"token": capture_key, "distinct_id": "maria"}).encode()).decode()
    said = client.post("/decide/?v=3", f"data={data}", content_type="application/x-www-form-urlencoded").json()
    assert said["featureFlags"]["switch"] is True
    assert said["supportedCompression"] == ["gzip-js"]


def test_the_start_script_names_the_key_and_nothing_else(client: Client, capture_key: str) -> None:
    script = client.get(f"/array/{capture_key}/config.js")
    assert script["Content-Type"] == "application/javascript"
    assert f'["{capture_key}"]' in script.content.decode()
    assert client.get("/array/%22%5D=alert(1)/config.js").status_code == 401


def test_definitions_hold_only_what_a_client_would_answer_alike(
    client: Client, actor: Any, product: Any, server_key: str, capture_key: str, flags: None
) -> None:
    set_rules(actor, product, "closed", bucketing="posthog", arm_order=["test", "control"])
    open_flag(actor, product, "closed", coverage=2_500, weights={"test": 1, "control": 3})

    def get(key: str = server_key, **headers: str) -> Any:
        return client.get(
            "/api/feature_flag/local_evaluation?token=x", headers={"Authorization": f"Bearer {key}", **headers}
        )

    def local() -> list[Any]:
        return [flag for flag in get().json()["flags"] if not flag["ensure_experience_continuity"]]

    (one,) = local()
    assert len(get().json()["flags"]) == 4
    assert (one["key"], one["active"]) == ("closed", True)
    assert one["filters"]["groups"] == [{"properties": [], "rollout_percentage": 25.0}]
    assert [(each["key"], each["rollout_percentage"]) for each in one["filters"]["multivariate"]["variants"]] == [
        ("test", 25.0),
        ("control", 75.0),
    ]
    assert one["filters"]["payloads"] == {"control": '"a"', "test": '"b"'}
    assert get(**{"If-None-Match": get()["ETag"]}).status_code == 304
    assert get(capture_key).status_code == 401
    set_rules(actor, product, "closed", overrides={"maria": "test"})
    assert local() == []


# --- posthog-python itself ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(_live_server: Any) -> Iterator[Any]:
    """Alice's flags on a real server, and its keys."""
    token = (_live_server.data / "owner.token").read_text().strip()
    with httpx.Client(
        base_url=_live_server.url + "/api/products/sprout", headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as http:

        def make(
            key: str, rules: dict[str, Any] | None = None, opening: dict[str, Any] | None = None, **body: Any
        ) -> None:
            http.post("/flags", json={"key": key, **body}).raise_for_status()
            if rules:
                http.patch(f"/flags/{key}/rules", json=rules).raise_for_status()
            http.post(f"/flags/{key}/open", json=opening or {}).raise_for_status()

        arms: dict[str, Any] = {"kind": "string", "variants": {"control": "control", "test": "test", "third": "third"}}
        make(
            "ph-local",
            {"bucketing": "posthog", "arm_order": ["test", "third", "control"]},
            {"coverage_percent": 60, "weights": {"test": 50, "third": 20, "control": 30}},
            **arms,
        )
        make("ph-switch", {"bucketing": "posthog"}, {"coverage_percent": 40})
        make("ph-remote", None, {"coverage_percent": 60}, **arms)
        make(
            "ph-rule",
            {"targeting": {"if": [{"==": [{"var": "person.plan"}, "pro"]}, "on"]}},
            {"coverage_percent": 0.01},
        )
        keys = {
            kind: http.post("/keys", json={"kind": kind, "name": "posthog"}).json()["secret"]
            for kind in ("capture", "server")
        }
        yield _live_server.url, keys


@pytest.mark.live
def test_posthog_python_asks_for_flags(server: Any) -> None:
    from posthog import Posthog

    url, keys = server
    client = Posthog(keys["capture"], host=url, sync_mode=True, send=False)
    pro = client.evaluate_flags("maria", person_properties={"plan": "pro"})
    assert pro.get_flag("ph-rule") is True
    free = client.evaluate_flags("maria", person_properties={"plan": "free"})
    assert (free.get_flag("ph-rule"), free.is_enabled("ph-rule"), free.get_flag("nope")) == (False, False, None)
    assert client.get_all_flags("maria")["ph-rule"] is False
    client.shutdown()


@pytest.mark.live
def test_posthog_python_evaluates_itself_as_we_do(server: Any) -> None:
    from posthog import Posthog

    url, keys = server
    local = Posthog(keys["capture"], host=url, secret_key=keys["server"], sync_mode=True, send=False)
    remote = Posthog(keys["capture"], host=url, sync_mode=True, send=False)
    local.load_feature_flags()
    assert {flag["key"] for flag in local.feature_flags} >= {"ph-local", "ph-switch"}
    given = set()
    for n in range(60):
        evaluated = local.evaluate_flags(f"p-{n}", only_evaluate_locally=True)
        theirs = {key: evaluated.get_flag(key) for key in ("ph-local", "ph-switch")}
        ours = remote.get_all_flags(f"p-{n}")
        assert theirs == {key: ours[key] for key in theirs}
        given.add(theirs["ph-local"])
    assert given == {False, "test", "third", "control"}
    asked = local.evaluate_flags("p-1")  # what it cannot evaluate itself it asks for
    assert asked.get_flag("ph-remote") == remote.evaluate_flags("p-1").get_flag("ph-remote")
    local.shutdown()
    remote.shutdown()
