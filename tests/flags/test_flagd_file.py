"""The flagd file: over HTTP, from the command line, and in the real in-process provider, which reads it from disk."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from whytree.flags.evaluation import live
from whytree.flags.protocols.flagd import flagd_file
from whytree.flags.queries import explain_for, find_flag
from whytree.flags.services import create_flag, open_flag, set_condition, set_rules

pytestmark = pytest.mark.django_db
FILE = "/flagd/flags.json"


@pytest.fixture
def flags(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="arms", kind="string", variants={"control": "c", "test": "t"})
    open_flag(actor, product, "arms", coverage=4_000)
    create_flag(actor, product, key="ruled")
    set_condition(actor, product, "ours", {"ends_with": [{"var": "email"}, "@acme.com"]})
    set_rules(actor, product, "ruled", targeting={"if": [{"$ref": "ours"}, "on"]}, metadata={"owner": "growth"})
    open_flag(actor, product, "ruled", coverage=1_000)
    create_flag(actor, product, key="kept", weights={"on": 1, "off": 1})
    set_rules(actor, product, "kept", is_sticky=True)
    open_flag(actor, product, "kept")


def get(key: str, **headers: str) -> Any:
    return Client().get(FILE, headers={"Authorization": f"Bearer {key}", **headers})


def test_a_server_key_reads_it_and_304_says_nothing_changed(server_key: str, flags: None) -> None:
    answer = get(server_key)
    said = answer.json()
    assert said["metadata"] == {"flagSetId": "sprout"}
    assert said["flags"]["ruled"]["metadata"] == {"owner": "growth"}
    assert said["flags"]["kept"]["metadata"] == {"serverOnly": True, "why": "sticky variants"}
    assert get(server_key, **{"If-None-Match": answer["ETag"]}).status_code == 304


def test_the_rules_are_not_for_a_public_key(capture_key: str, flags: None) -> None:
    assert get(capture_key).status_code == 403
    assert "server key" in get(capture_key).json()["errorDetails"]
    assert get("nope").status_code == 401
    assert Client().post(FILE).status_code == 405


def test_the_file_over_rest_is_the_same(api: Any, api_charlie: Any, server_key: str, flags: None) -> None:
    assert api.get("/products/sprout/flagd-file").ok == get(server_key).json()
    assert api_charlie.get("/products/sprout/flagd-file").status == 404


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_in_process_provider_gives_everybody_what_we_give(product: Any, flags: None, tmp_path: Path) -> None:
    from openfeature import api
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType
    from openfeature.evaluation_context import EvaluationContext

    file = tmp_path / "flags.json"
    file.write_text(json.dumps(flagd_file(live.flag_set(product.pk))))
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(file), deadline_ms=20_000)
    try:
        api.set_provider(provider, "flagd-file")
        client = api.get_client("flagd-file")
        deadline = time.monotonic() + 20
        while str(client.get_provider_status()).endswith("NOT_READY") and time.monotonic() < deadline:
            time.sleep(0.05)
        arms, ruled = find_flag(product, "arms"), find_flag(product, "ruled")
        for n in range(40):
            who = EvaluationContext(f"p-{n}", {"email": f"p{n}@{'acme.com' if n % 2 else 'x.org'}"})
            theirs = client.get_string_details("arms", "none", who)
            ours = explain_for(arms, f"p-{n}", who.attributes).answer
            assert (theirs.variant, theirs.value) == (ours.variant, ours.value)
            theirs_too = client.get_boolean_details("ruled", False, who)
            assert theirs_too.variant == explain_for(ruled, f"p-{n}", who.attributes).answer.variant
        off = client.get_boolean_details("kept", True, EvaluationContext("p-1"))
        assert (off.value, off.flag_metadata["why"]) == (True, "sticky variants")
    finally:
        api.clear_providers()


def test_the_command_line_writes_it_and_names_what_the_server_keeps(cli: Any, flags: None, tmp_path: Path) -> None:
    done = cli("flag", "file", "--output", str(tmp_path / "f.json"))
    assert "3 flags in" in done.output
    assert "kept is answered by the server only: sticky variants" in done.output
    assert set(json.loads((tmp_path / "f.json").read_text())["flags"]) == {"arms", "kept", "ruled"}


def test_rules_from_the_command_line(cli: Any, actor: Any, product: Any, tmp_path: Path) -> None:
    create_flag(actor, product, key="f")
    document = {
        "flags": {
            "f": {
                "state": "ENABLED",
                "variants": {"on": True, "off": False},
                "defaultVariant": "off",
                "targeting": {"if": [{"$ref": "ours"}, "on"]},
            }
        },
        "$evaluators": {"ours": {"==": [{"var": "plan"}, "pro"]}},
    }
    file = tmp_path / "rule.json"
    file.write_text(json.dumps(document))
    assert 'f: rule if(condition ours, "on")' in cli("flag", "rules", "f", str(file)).output
    assert 'ours: plan is "pro"  used by f' in cli("flag", "conditions").output
    assert (
        "maria gets on; given by company; sticky"
        in cli("flag", "set", "f", "--override", "maria=on", "--by", "company", "--sticky").output
    )
    open_flag(actor, product, "f", coverage=100)
    said = cli("flag", "explain", "f", "jack", "--with", "plan=pro", "--with", "company.id=acme").output
    assert "on = true   (TARGETING_MATCH)" in said
    assert 'plan is "pro" (plan: "pro"): yes.' in said
    listed = cli("flag", "history", "f").output
    assert 'Overrides: none → {"maria": "on"}' in listed
    assert json.loads(cli("flag", "rules", "f", "--clear", "--json").output)["targeting"] is None
    file.write_text("[1]")
    for words, says in (
        (["rules", "f", str(file)], "must hold an object in JSON"),
        (["rules", "f", str(tmp_path / "none.json")], "cannot be read"),
        (["set", "f", "--override", "maria"], "'maria' is not id=variant"),
        (["set", "f", "--needs", "f"], "'f' is not flag=variant"),
        (["set", "f", "--places", "half"], "Places are two whole numbers"),
        (["set", "f", "--from", "soon"], "“soon” is no moment"),
        (["explain", "f", "maria", "--with", "plan"], "'plan' is not name=value"),
        (["condition", "x"], "Name the file with its rule"),
    ):
        done = cli("flag", *words)
        assert done.exit_code == 1
        assert says in str(done.exception) + done.output
