"""Flags that move in through the door: made once, on as they were, or left out with the reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from whytree.errors import Invalid, NotFound
from whytree.flags.models import Flag, FlagCondition
from whytree.flags.queries import explain_for, find_flag
from whytree.flags.services import create_flag, import_flags, set_condition, set_holdout

pytestmark = pytest.mark.django_db

SWITCH = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
FLAGD: dict[str, Any] = {
    "flags": {
        "ruled": SWITCH | {"targeting": {"if": [{"$ref": "pro"}, {"fractional": [["on", 25], ["off", 75]]}, None]}},
        "plain": SWITCH,
        "asleep": SWITCH | {"state": "DISABLED"},
        "regex": SWITCH | {"targeting": {"if": [{"regex": []}, "on"]}},
        "a/b": SWITCH,
        "half": {"state": "ENABLED", "variants": {"on": True}},
    },
    "$evaluators": {"pro": {"==": [{"var": "plan"}, "pro"]}},
}


def test_each_flag_is_made_or_left_out_with_the_reason(actor: Any, product: Any) -> None:
    found = {one.key: one for one in import_flags(actor, product, FLAGD).flags}
    assert {key: one.became for key, one in found.items()} == {
        "ruled": "made",
        "plain": "made",
        "asleep": "made",
        "regex": "left out",
        "a/b": "left out",
        "half": "left out",
    }
    assert "There is no operator 'regex'" in found["regex"].notes[0]
    assert "cannot be a flag key" in found["a/b"].notes[0]
    assert found["half"].notes[0].startswith("It has no defaultVariant")
    ruled = find_flag(product, "ruled")
    assert (ruled.state, ruled.weights, ruled.bucketing) == ("on by its rule", {"on": 25, "off": 75}, "3")
    assert ruled.targeting["if"][0] == {"$ref": "pro"}
    assert FlagCondition.objects.get().key == "pro"
    assert explain_for(find_flag(product, "plain"), "maria").answer.reason == "STATIC"
    assert find_flag(product, "asleep").is_on is False


def test_the_same_file_again_changes_nothing(actor: Any, product: Any) -> None:
    import_flags(actor, product, FLAGD)
    before = list(Flag.objects.order_by("key").values_list("key", "updated_at"))
    again = import_flags(actor, product, FLAGD)
    assert {one.became for one in again.flags} == {"there already", "left out"}
    assert list(Flag.objects.order_by("key").values_list("key", "updated_at")) == before


def test_a_dry_run_says_the_same_and_makes_nothing(actor: Any, product: Any) -> None:
    tried = import_flags(actor, product, FLAGD, dry_run=True)
    assert not Flag.objects.exists()
    assert not FlagCondition.objects.exists()
    assert import_flags(actor, product, FLAGD) == tried


def test_a_condition_of_another_meaning_is_written_into_the_rule(actor: Any, product: Any) -> None:
    set_condition(actor, product, "pro", {"==": [{"var": "tier"}, 3]})
    import_flags(actor, product, FLAGD)
    assert find_flag(product, "ruled").targeting["if"][0] == FLAGD["$evaluators"]["pro"]
    assert FlagCondition.objects.get().logic == {"==": [{"var": "tier"}, 3]}


def test_a_flagd_that_hashes_plain_texts_keeps_its_people(actor: Any, product: Any) -> None:
    import_flags(actor, product, FLAGD, bucketing="2")
    assert find_flag(product, "ruled").bucketing == "2"
    with pytest.raises(Invalid, match="Only a flagd file"):
        import_flags(actor, product, {"features": {}}, bucketing="2")


def test_a_holdout_takes_nobody_out_of_a_flag_that_moves_in(actor: Any, product: Any) -> None:
    set_holdout(actor, product, 5_000)
    import_flags(actor, product, FLAGD)
    assert find_flag(product, "plain").heeds_holdout is False


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        "x",
        {"flags": 3},
        {"flags": [3]},
        {"flags": [{"key": "x", "filters": {"groups": [3]}}]},
        {"flags": {"x": {"variants": {"on": [[[]]]}, "defaultVariant": "on"}}},
        {"features": {"x": {"defaultValue": 1, "rules": [{"variations": [1, 2], "ranges": [1]}]}}},
    ],
)
def test_nonsense_is_refused_or_left_out_and_breaks_nothing(actor: Any, product: Any, document: Any) -> None:
    try:
        became, says = {one.became for one in import_flags(actor, product, document).flags}, "."
    except Invalid as error:
        became, says = set(), error.message
    assert became <= {"left out", "made"}
    assert says.endswith(".")


def test_posthogs_and_growthbooks_flags_through_the_api(
    api: Any, api_viewer: Any, api_charlie: Any, product: Any
) -> None:
    posthog = {
        "flags": [{"key": "ph", "active": True, "filters": {"groups": [{"properties": [], "rollout_percentage": 40}]}}]
    }
    made = api.post("/products/sprout/flag-imports", {"document": posthog}).ok
    assert made == {
        "tool": "posthog",
        "flags": [{"key": "ph", "became": "made", "state": "on 40 %", "moves_nobody": True, "notes": []}],
    }
    growthbook = {"features": {"gb": {"defaultValue": "a", "rules": [{"variations": ["a", "b"], "hashVersion": 2}]}}}
    assert api.post("/products/sprout/flag-imports", {"document": growthbook}).ok["flags"][0]["became"] == "made"
    assert find_flag(product, "gb").bucketing == "growthbook-2"
    assert api_viewer.post("/products/sprout/flag-imports", {"document": posthog}).status == 403
    assert api_charlie.post("/products/sprout/flag-imports", {"document": posthog}).status == 404


def test_the_command_line_tries_first_and_tells_each(cli: Any, actor: Any, product: Any, tmp_path: Path) -> None:
    create_flag(actor, product, key="plain")
    file = tmp_path / "flags.json"
    file.write_text(json.dumps(FLAGD))
    tried = cli("import", "flags", str(file), "--dry-run").output
    assert "ruled: made on by its rule, nobody changes variant" in tried
    assert "plain: there already" in tried
    assert "2 of 6 would be made from flagd." in tried
    with pytest.raises(NotFound):
        find_flag(product, "ruled")
    assert "2 of 6 were made from flagd." in cli("import", "flags", str(file)).output
    assert find_flag(product, "ruled").is_on


def test_it_says_where_people_may_change_variant_and_by_what(actor: Any, product: Any) -> None:
    """A rule that reads profiles nobody has here, a flag of that key that differs, stickiness that stays in the tool."""
    from whytree.people.models import Person

    pro = {"key": "plan", "type": "person", "operator": "is_set", "value": "is_set"}
    posthog = {"flags": [{"key": "ph", "active": True, "filters": {"groups": [{"properties": [pro]}]}}]}
    (tried,) = import_flags(actor, product, posthog, dry_run=True).flags
    assert not tried.moves_nobody
    assert "reads person.plan from the profiles here, and no profile has that yet" in tried.notes[0]
    Person.objects.create(product=product, key="maria", plan="pro")
    (made,) = import_flags(actor, product, posthog).flags
    assert (made.became, made.moves_nobody, made.notes) == ("made", True, [])

    (again,) = import_flags(actor, product, posthog).flags
    assert (again.became, again.moves_nobody) == ("there already", True)
    posthog["flags"][0]["filters"]["groups"][0]["rollout_percentage"] = 40  # type: ignore[index]
    (other,) = import_flags(actor, product, posthog).flags
    assert (other.became, other.moves_nobody) == ("there already", False)
    assert "It differs in rule: people may get another variant of it." in other.notes[0]

    rule = {"variations": ["a", "b"], "hashVersion": 2, "minBucketVersion": 3, "condition": {"country": "DE"}}
    (gb,) = import_flags(actor, product, {"features": {"gb": {"defaultValue": "a", "rules": [rule]}}}).flags
    assert not gb.moves_nobody
    assert "minBucketVersion" in gb.notes[0]
    assert gb.notes[1] == "Its rules read country: send them with each evaluation, as to GrowthBook."

    found = {one.key: one for one in import_flags(actor, product, FLAGD).flags}
    assert "bring it in with bucketing 2: else people change variant" in found["ruled"].notes[0]


def test_the_page_looks_first_and_then_brings_them_in(as_alice: Any, as_viewer: Any, as_charlie: Any) -> None:
    path, text = "/p/sprout/flag-imports", json.dumps(FLAGD)
    assert "Bring flags in" in as_alice.get("/p/sprout/flags").content.decode()
    assert "See what would become of them" in as_alice.get(path).content.decode()
    tried = as_alice.post(path, {"file": SimpleUploadedFile("flags.json", text.encode())}).content.decode()
    assert "3 of 6 flags would come in from flagd. Nobody changes variant." in tried
    assert "There is no operator &#x27;regex&#x27;" in tried
    assert not Flag.objects.exists()
    done = as_alice.post(path, {"document": text, "how": "do"}).content.decode()
    assert "3 of 6 flags came in from flagd." in done
    assert Flag.objects.count() == 3
    for wrong, says in (("{", "no JSON that can be read"), ("", "Paste the tool’s JSON"), ("[" * 9_000, "no JSON")):
        answer = as_alice.post(path, {"document": wrong})
        assert (answer.status_code, says.replace("’", "&#x27;") in answer.content.decode()) == (400, True), says
    assert as_alice.post(path, {"file": SimpleUploadedFile("x.bin", b"\xff\xfe\x00")}).status_code == 400
    assert (as_viewer.get(path).status_code, as_charlie.get(path).status_code) == (403, 404)
