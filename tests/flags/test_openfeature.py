"""The real OpenFeature SDK with its OFREP provider, the command line, and the page's snippet, against a real server."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

pytestmark = pytest.mark.live


class Sdk:
    """One client for each test, under a domain of its own."""

    def __init__(self, url: str, key: str) -> None:
        domain = f"test-{key[-8:]}"
        headers = {"Authorization": f"Bearer {key}"}
        api.set_provider(OFREPProvider(url, headers_factory=lambda: headers), domain)
        self.client = api.get_client(domain)


def person(unit: str) -> EvaluationContext:
    return EvaluationContext(unit, {"plan": "pro", "nested": {"a": [1, 2]}})


@pytest.fixture(scope="module")
def flags(_live_server: Any) -> Any:
    """A flag of every type, made and opened by the command line."""
    made = {
        "b-flag": ["--kind", "boolean"],
        "s-flag": ["--kind", "string", "--variant", "control=red", "--variant", "blue=blue", "--weight", "blue=1"],
        "i-flag": ["--kind", "number", "--variant", "control=3", "--variant", "more=10", "--weight", "more=1"],
        "f-flag": ["--kind", "number", "--variant", "control=7.5", "--variant", "more=10", "--weight", "more=1"],
        "o-flag": ["--kind", "json", "--variant", 'control={"a": [1, 2.5]}'],
        "split": ["--weight", "on=1", "--weight", "off=1"],
        "closed": [],
    }
    for key, words in made.items():
        _live_server.cli("flag", "add", key, *words)
        if key != "closed":
            _live_server.cli("flag", "open", key)
    return _live_server


@pytest.fixture
def sdk(flags: Any) -> Iterator[Any]:
    yield Sdk(flags.url, flags.key("server")).client
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


def test_a_capture_key_evaluates_too_and_a_revoked_one_no_longer(flags: Any) -> None:
    made = flags.cli_json("key", "add", "capture", "--name", "short-lived")
    client = Sdk(flags.url, made["secret"]).client
    assert client.get_boolean_value("b-flag", False, person("maria")) is True
    flags.cli("key", "revoke", str(made["id"]))
    details = client.get_boolean_details("b-flag", False, person("maria"))
    assert (details.value, details.reason, details.error_code) == (False, Reason.ERROR, ErrorCode.GENERAL)
    api.clear_providers()


def test_a_change_by_the_command_line_reaches_the_sdk(flags: Any, sdk: Any) -> None:
    flags.cli("flag", "add", "moving")
    assert sdk.get_boolean_value("moving", True, person("maria")) is False
    flags.cli("flag", "open", "moving")
    assert sdk.get_boolean_value("moving", False, person("maria")) is True
    flags.cli("flag", "off", "moving")
    assert sdk.get_boolean_value("moving", True, person("maria")) is False


def test_evaluations_become_exposures_once_a_person(flags: Any, sdk: Any) -> None:
    flags.cli("flag", "add", "counted", "--weight", "on=1", "--weight", "off=1")
    flags.cli("flag", "open", "counted")
    given = [sdk.get_boolean_details("counted", False, person(f"p-{n}")).variant for n in range(20) for _ in range(2)]
    expected = {name: given.count(name) // 2 for name in ("on", "off")}
    counted: dict[str, int] = {}
    deadline = time.monotonic() + 30
    while counted != expected and time.monotonic() < deadline:
        rows = api_get(flags, "/products/sprout/flags/counted/exposures")
        counted = {row["variant"]: row["people"] for row in rows}
    assert counted == expected


def api_get(live: Any, path: str) -> Any:
    import httpx

    token = (live.data / "owner.token").read_text().strip()
    return httpx.get(f"{live.url}/api{path}", headers={"Authorization": f"Bearer {token}"}).json()


def test_exposures_that_wait_are_written_when_the_server_stops(start: Any, tmp_path: Any) -> None:
    data = tmp_path / "own"
    first = start(data)
    first.cli("owner", "alice@example.org", "--product-name", "Sprout")
    first.cli("flag", "add", "f")
    first.cli("flag", "open", "f", "--percent", "100")
    client = Sdk(first.url, first.key("server")).client
    assert client.get_boolean_value("f", False, person("maria")) is True
    api.clear_providers()
    assert first.stop() == 0
    again = start(data)
    assert api_get(again, "/products/sprout/flags/f/exposures")[0]["people"] == 1


def test_the_snippet_on_the_page_runs_as_it_stands(flags: Any) -> None:
    from whytree.flags.models import Flag
    from whytree.flags.snippets import python_snippet

    flag = Flag(key="f-flag", kind="number", variants={"control": 7.5, "more": 10.0}, default_variant="control")
    snippet = python_snippet(flag, flags.url) + "print(value)\n"
    env = os.environ | {"WHYTREE_KEY": flags.key("capture")}
    done = subprocess.run(
        [sys.executable, "-c", snippet], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "10.0", done.stderr


def test_the_command_line_shows_lists_and_explains(flags: Any) -> None:
    assert "split" in flags.cli("flag", "list").stdout
    shown = flags.cli("flag", "show", "split").stdout
    assert "split is on 100 %: unjustified: no hypothesis" in shown
    assert "on 50 %, off 50 %" in shown
    said = flags.cli("flag", "evaluate", "split", "maria").stdout
    assert "off = false   (SPLIT)" in said
    assert "“split/variant/maria” falls into slot 0 of 2" in said
    assert flags.cli_json("flag", "evaluate", "split", "maria")["variant"] == "off"
    assert flags.cli_json("flag", "show", "split")["changes"][0]["is_on"] is True
    assert flags.cli_json("flag", "edit", "split", "--name", "Half and half")["name"] == "Half and half"
    assert flags.cli_json("flag", "archive", "closed")["state"] == "archived"
    assert [flag["key"] for flag in flags.cli_json("flag", "list", "--archived")] == ["closed"]
    assert flags.cli_json("flag", "restore", "closed")["state"] == "off"
    assert flags.cli_json("flag", "on", "closed")["state"] == "on 0 %"
    flags.cli("flag", "off", "closed")


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
def test_a_mistake_on_the_command_line_is_one_sentence(flags: Any, words: list[str], says: str) -> None:
    done = flags.cli("flag", *words, check=False)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
