"""The real OpenFeature SDK with its OFREP provider, the command line, and the page's snippet, against a real server."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

pytestmark = pytest.mark.live

FLAGS = "/products/sprout/flags"


class Sdk:
    """One client for each test, under a domain of its own."""

    def __init__(self, url: str, key: str) -> None:
        domain = f"test-{key[-8:]}"
        headers = {"Authorization": f"Bearer {key}"}
        api.set_provider(OFREPProvider(url, headers_factory=lambda: headers), domain)
        self.client = api.get_client(domain)


def person(unit: str) -> EvaluationContext:
    return EvaluationContext(unit, {"plan": "pro", "nested": {"a": [1, 2]}})


class Owner:
    """Alice's token at the REST API of the running server."""

    def __init__(self, live: Any) -> None:
        token = (live.data / "owner.token").read_text().strip()
        self._http = httpx.Client(base_url=live.url + "/api", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()

    def open_flag(self, key: str, **body: Any) -> None:
        self.post(FLAGS, key=key, **body)
        self.post(f"{FLAGS}/{key}/open")

    def key(self, kind: str) -> Any:
        return self.post("/products/sprout/keys", kind=kind, name="test")

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="module")
def owner(_live_server: Any) -> Iterator[Owner]:
    """A flag of every type is open to everybody."""
    found = Owner(_live_server)
    found.open_flag("b-flag")
    found.open_flag("s-flag", kind="string", variants={"control": "red", "blue": "blue"}, weights={"blue": 1})
    found.open_flag("i-flag", kind="number", variants={"control": 3, "more": 10}, weights={"more": 1})
    found.open_flag("f-flag", kind="number", variants={"control": 7.5, "more": 10}, weights={"more": 1})
    found.open_flag("o-flag", kind="json", variants={"control": {"a": [1, 2.5]}})
    found.open_flag("split", weights={"on": 1, "off": 1})
    found.post(FLAGS, key="closed")
    yield found
    found.close()


@pytest.fixture
def sdk(live: Any, owner: Owner) -> Iterator[Any]:
    yield Sdk(live.url, owner.key("server")["secret"]).client
    api.clear_providers()


def test_every_type_arrives_as_itself(sdk: Any) -> None:
    maria = person("maria")
    assert sdk.get_boolean_value("b-flag", False, maria) is True
    assert sdk.get_string_value("s-flag", "none", maria) == "blue"
    assert sdk.get_integer_value("i-flag", 0, maria) == 10
    value = sdk.get_float_value("f-flag", 0.0, maria)
    assert (value, type(value)) == (10.0, float)
    assert sdk.get_object_value("o-flag", {}, maria) == {"a": [1, 2.5]}


def test_details_say_variant_and_reason(sdk: Any) -> None:
    details = sdk.get_boolean_details("split", True, person("maria"))
    assert (details.variant, details.reason, details.error_code) == ("off", Reason.SPLIT, None)
    assert details.flag_metadata == {"inRollout": True}
    off = sdk.get_boolean_details("closed", True, person("maria"))
    assert (off.value, off.variant, off.reason) == (False, "off", Reason.DISABLED)


def test_without_a_targeting_key_a_switch_answers_and_a_split_does_not(sdk: Any) -> None:
    assert sdk.get_boolean_value("b-flag", False) is True
    details = sdk.get_boolean_details("split", True)
    assert (details.value, details.reason, details.error_code) == (True, Reason.ERROR, ErrorCode.TARGETING_KEY_MISSING)


def test_an_unknown_flag_gives_the_codes_default(sdk: Any) -> None:
    for key in ("nope", "a/b c?d#e"):
        details = sdk.get_string_details(key, "mine", person("maria"))
        assert (details.value, details.error_code) == ("mine", ErrorCode.FLAG_NOT_FOUND)


def test_a_wrong_type_gives_the_codes_default(sdk: Any) -> None:
    details = sdk.get_string_details("b-flag", "mine", person("maria"))
    assert (details.value, details.error_code) == ("mine", ErrorCode.TYPE_MISMATCH)


def test_a_capture_key_evaluates_too_and_a_revoked_one_no_longer(live: Any, owner: Owner) -> None:
    made = owner.key("capture")
    client = Sdk(live.url, made["secret"]).client
    assert client.get_boolean_value("b-flag", False, person("maria")) is True
    live.cli("key", "revoke", str(made["id"]))
    details = client.get_boolean_details("b-flag", False, person("maria"))
    assert (details.value, details.reason, details.error_code) == (False, Reason.ERROR, ErrorCode.GENERAL)
    api.clear_providers()


def test_a_change_reaches_the_sdk_at_once(owner: Owner, sdk: Any) -> None:
    owner.post(FLAGS, key="moving")
    assert sdk.get_boolean_value("moving", True, person("maria")) is False
    owner.post(f"{FLAGS}/moving/open")
    assert sdk.get_boolean_value("moving", False, person("maria")) is True
    owner.post(f"{FLAGS}/moving/off")
    assert sdk.get_boolean_value("moving", True, person("maria")) is False


def test_evaluations_become_exposures_once_a_person(owner: Owner, sdk: Any) -> None:
    owner.open_flag("counted", weights={"on": 1, "off": 1})
    given = [sdk.get_boolean_details("counted", False, person(f"p-{n}")).variant for n in range(20) for _ in range(2)]
    expected = {name: given.count(name) // 2 for name in ("on", "off")}
    counted: dict[str, int] = {}
    deadline = time.monotonic() + 30
    while counted != expected and time.monotonic() < deadline:
        time.sleep(0.2)
        counted = {row["variant"]: row["people"] for row in owner.get(f"{FLAGS}/counted/exposures")}
    assert counted == expected


def test_exposures_that_wait_are_written_when_the_server_stops(start: Any, begun: Any, tmp_path: Any) -> None:
    data = begun(tmp_path / "own")
    first = start(data)
    owner = Owner(first)
    owner.open_flag("f")
    client = Sdk(first.url, owner.key("server")["secret"]).client
    assert client.get_boolean_value("f", False, person("maria")) is True
    api.clear_providers()
    owner.close()
    assert first.stop() == 0
    owner = Owner(start(data))
    assert owner.get(f"{FLAGS}/f/exposures")[0]["people"] == 1
    owner.close()


def test_the_snippet_on_the_page_runs_as_it_stands(live: Any, owner: Owner) -> None:
    from whytree.flags.in_code.snippets import python_snippet
    from whytree.flags.models import Flag

    flag = Flag(key="f-flag", kind="number", variants={"control": 7.5, "more": 10.0}, default_variant="control")
    snippet = python_snippet(flag, live.url) + "print(value)\n"
    env = os.environ | {"WHYTREE_KEY": owner.key("capture")["secret"]}
    done = subprocess.run(
        [sys.executable, "-c", snippet], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "10.0", done.stderr


def test_the_command_line_makes_opens_explains_and_archives(live: Any, owner: Owner) -> None:
    words = [
        "--kind",
        "number",
        "--variant",
        "control=7.5",
        "--variant",
        "more=10",
        "--weight",
        "control=1",
        "--weight",
        "more=1",
    ]
    assert "price is off: unjustified: no hypothesis" in live.cli("flag", "add", "price", *words).stdout
    assert "price is on 100 %" in live.cli("flag", "open", "price").stdout
    assert "price " in live.cli("flag", "list").stdout
    shown = live.cli("flag", "show", "price").stdout
    assert "control 50 %, more 50 %" in shown
    assert "control        50 %  7.5" in shown
    said = live.cli("flag", "evaluate", "price", "maria").stdout
    assert "control = 7.5   (SPLIT)" in said
    assert "“price/variant/maria” falls into slot 0 of 2" in said
    assert live.cli_json("flag", "edit", "price", "--name", "What it costs")["name"] == "What it costs"
    assert live.cli_json("flag", "off", "price")["state"] == "off"
    assert live.cli_json("flag", "on", "price")["state"] == "on 100 %"
    assert live.cli_json("flag", "archive", "price")["state"] == "archived"
    assert "price" in [flag["key"] for flag in live.cli_json("flag", "list", "--archived")]
    assert live.cli_json("flag", "restore", "price")["state"] == "off"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "nope"], "There is no flag 'nope'"),
        (["add", "a b"], "cannot be a flag key"),
        (["add", "x", "--variant", "nothing"], "is not name=value"),
        (["add", "x", "--kind", "number", "--variant", "a=b"], "is not a number value in JSON"),
        (["add", "x", "--weight", "on=half"], "A weight is a whole number"),
        (["open", "split", "--percent", "200"], "between 0 and 100 %"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(live: Any, owner: Owner, words: list[str], says: str) -> None:
    done = live.cli("flag", *words, check=False)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
