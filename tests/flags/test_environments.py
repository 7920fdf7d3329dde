"""Environments: a flag answers elsewhere as in production until it is changed there; only production is counted."""

from typing import Any

import pytest
from django.test import Client

from whytree.errors import Conflict, Invalid, NotFound
from whytree.flags.evaluation import live
from whytree.flags.models import Flag, FlagState
from whytree.flags.queries import explain_for, find_flag
from whytree.flags.rules.versions import between, versions
from whytree.flags.services import (
    archive_flag,
    copy_flag,
    create_flag,
    edit_flag,
    follow_production,
    go_back,
    open_flag,
    set_condition,
    set_rollout,
    set_rules,
    turn_off,
)
from whytree.workspace.entry.environments import add_environment, find_environment, remove_environment
from whytree.workspace.entry.keys import create_key, revoke_key


@pytest.fixture
def staging(actor: Any, product: Any) -> Any:
    return add_environment(actor, product, "staging")


@pytest.fixture
def flag(actor: Any, product: Any, hypothesis: Any) -> Flag:
    return create_flag(actor, product, key="ask-later", hypothesis=hypothesis, weights={"on": 1})


@pytest.fixture
def key(actor: Any, product: Any, staging: Any) -> str:
    return create_key(actor, product, kind="server", name="staging", environment=staging)[1]


def ask(key: str, path: str = "ofrep/v1/evaluate/flags/ask-later", person: str = "maria") -> Any:
    body = {"context": {"targetingKey": person}}
    headers = {"Authorization": f"Bearer {key}"}
    return Client().post(f"/{path}", body, content_type="application/json", headers=headers)


def test_it_answers_as_in_production_until_it_is_changed_there(
    actor: Any, product: Any, staging: Any, flag: Flag, key: str, server_key: str
) -> None:
    assert [ask(each).json()["value"] for each in (key, server_key)] == [False, False]
    there = open_flag(actor, product, "ask-later", environment=staging)
    assert (there.state, there.place, there.follows_production) == ("on 100 %", "staging", False)
    assert [ask(each).json()["value"] for each in (key, server_key)] == [True, False]
    open_flag(actor, product, "ask-later")
    turn_off(actor, product, "ask-later", environment=staging)
    assert [ask(each).json()["value"] for each in (key, server_key)] == [False, True]
    follow_production(actor, product, "ask-later", staging)
    assert [ask(each).json()["value"] for each in (key, server_key)] == [True, True]
    with pytest.raises(Conflict, match="as in production already"):
        follow_production(actor, product, "ask-later", staging)


def test_elsewhere_nothing_locks_is_counted_or_is_written_into_the_rollouts_history(
    actor: Any, product: Any, staging: Any, flag: Flag, key: str, hypothesis: Any, no_worker: Any
) -> None:
    set_rules(actor, product, "ask-later", is_sticky=True)
    before = flag.changes.count()
    open_flag(actor, product, "ask-later", environment=staging)
    assert ask(key).json()["metadata"]["inRollout"] is True
    hypothesis.refresh_from_db()
    assert (hypothesis.is_locked, flag.changes.count(), flag.kept.count()) == (False, before, 0)
    assert not no_worker._waiting
    assert live.flags_in_force(product.pk, "maria") == {}
    with pytest.raises(RuntimeError):
        find_flag(product, "ask-later", environment=staging).save()


def test_what_comes_in_with_its_key_is_answered_shown_and_kept_nowhere(
    product: Any, staging: Any, key: str, store: Any
) -> None:
    from whytree.events.arrivals import arrivals

    event = {"type": "track", "event": "signed_up", "userId": "maria", "messageId": "1"}
    answer = Client().post("/v1/track", {**event, "writeKey": key}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    (arrival,) = arrivals(product.pk)
    assert "another environment" in arrival.reason
    assert store.value("SELECT count() FROM events") == 0


def test_what_a_flag_is_is_the_same_everywhere(actor: Any, product: Any, staging: Any, flag: Flag) -> None:
    open_flag(actor, product, "ask-later", environment=staging)
    with pytest.raises(Invalid, match="unit of ask-later is the same in every environment"):
        set_rules(actor, product, "ask-later", unit="company", environment=staging)
    edit_flag(actor, product, "ask-later", variants={"on": True, "off": False, "also": True})
    assert FlagState.objects.get().weights == {"on": 1, "off": 0, "also": 0}
    set_rules(actor, product, "ask-later", overrides={"maria": "also"}, environment=staging)
    with pytest.raises(Invalid, match="In staging"):
        edit_flag(actor, product, "ask-later", variants={"on": True, "off": False})


def test_a_copy_shows_first_what_differs_and_can_be_taken_back(
    actor: Any, product: Any, staging: Any, flag: Flag, hypothesis: Any
) -> None:
    open_flag(actor, product, "ask-later", coverage=2_500, environment=staging)
    set_rules(actor, product, "ask-later", targeting={"==": [{"var": "plan"}, "pro"]}, environment=staging)
    here, there = find_flag(product, "ask-later"), find_flag(product, "ask-later", environment=staging)
    assert [one.field for one in between(here, there)] == ["Switch", "Coverage", "Rule"]
    copied = copy_flag(actor, product, "ask-later", source=staging, target=None)
    assert (copied.state, copied.targeting) == ("on 25 %", {"==": [{"var": "plan"}, "pro"]})
    hypothesis.refresh_from_db()
    assert hypothesis.is_locked  # it reached people now
    first = versions(there)[-1]
    assert [one.field for one in first.differences] == ["Switch", "Coverage"]
    go_back(actor, product, "ask-later", first.id, environment=staging)
    assert find_flag(product, "ask-later", environment=staging).targeting is None
    assert find_flag(product, "ask-later").targeting is not None
    with pytest.raises(Invalid, match="to another one"):
        copy_flag(actor, product, "ask-later", source=staging, target=staging)


def test_needed_flags_and_conditions_are_minded_in_every_environment(
    actor: Any, product: Any, staging: Any, flag: Flag
) -> None:
    create_flag(actor, product, key="base", weights={"on": 1})
    set_rules(actor, product, "ask-later", prerequisites=[{"flag": "base", "variants": ["on"]}], environment=staging)
    with pytest.raises(Conflict, match="A circle"):
        set_rules(
            actor, product, "base", prerequisites=[{"flag": "ask-later", "variants": ["on"]}], environment=staging
        )
    with pytest.raises(Conflict, match="ask-later needs base"):
        archive_flag(actor, product, "base")
    open_flag(actor, product, "ask-later", environment=staging)
    assert explain_for(find_flag(product, "ask-later", environment=staging), "maria").answer.by == "prerequisite"
    open_flag(actor, product, "base", environment=staging)
    assert explain_for(find_flag(product, "ask-later", environment=staging), "maria").answer.variant == "on"
    set_condition(actor, product, "ours", {"==": [1, 1]})
    set_rules(actor, product, "ask-later", targeting={"if": [{"$ref": "ours"}, "on"]}, environment=staging)
    before = flag.changes.count()
    set_condition(actor, product, "ours", {"==": [1, 2]})
    assert flag.changes.count() == before


def test_other_doors_answer_in_the_keys_environment(
    actor: Any, product: Any, staging: Any, flag: Flag, key: str, server_key: str
) -> None:
    open_flag(actor, product, "ask-later", environment=staging)
    files = [
        Client().get("/flagd/flags.json", headers={"Authorization": f"Bearer {each}"}).json()["flags"]["ask-later"]
        for each in (key, server_key)
    ]
    assert [one["defaultVariant"] for one in files] == ["on", "off"]
    body = {"token": key, "distinct_id": "maria"}
    answer = Client().post("/flags/?v=2", body, content_type="application/json").json()
    assert answer["flags"]["ask-later"]["enabled"] is True
    wrote = Client().post("/api/products/sprout/flags/ask-later/on", headers={"Authorization": f"Bearer {key}"})
    assert wrote.status_code == 403  # it would be production that it changed


def test_a_key_is_made_for_an_environment(api: Any, api_bob: Any, staging: Any) -> None:
    keys = "/products/sprout/keys"
    made = api.post(keys, {"kind": "server", "name": "ci", "environment": "staging"}).ok
    assert (made["environment"], made["secret"][:4]) == ("staging", "wts_")
    assert api.post(keys, {"kind": "capture", "name": "app"}).ok["environment"] == "production"
    assert [one["environment"] for one in api.get(keys).ok] == ["staging", "production"]
    assert api.post(keys, {"kind": "server", "name": "ci", "environment": "nowhere"}).status == 404
    assert [one["key"] for one in api.get("/products/sprout/environments").ok] == ["production", "staging"]
    assert api_bob.post("/products/sprout/environments", {"key": "qa"}).status == 403
    assert api.delete("/products/sprout/environments/staging").status == 409


def test_an_environment_goes_when_its_keys_are_closed(actor: Any, product: Any, staging: Any, flag: Flag) -> None:
    made, _ = create_key(actor, product, kind="capture", name="app", environment=staging)
    set_rollout(actor, product, "ask-later", is_on=True, environment=staging)
    with pytest.raises(Conflict, match="Revoke them first"):
        remove_environment(actor, product, "staging")
    revoke_key(actor, made.pk, product)
    remove_environment(actor, product, "staging")
    assert not FlagState.objects.exists()
    with pytest.raises(NotFound, match="there is production"):
        find_environment(product, "staging")
    for wrong in ("production", "Two words", ""):
        with pytest.raises((Invalid, Conflict)):
            add_environment(actor, product, wrong)


def test_an_erased_person_leaves_other_environments_too(actor: Any, product: Any, staging: Any, flag: Flag) -> None:
    from whytree.flags.plugs import erase_person, export_person
    from whytree.workspace.models import Activity

    set_rules(actor, product, "ask-later", overrides={"maria": "on", "paul": "on"}, environment=staging)
    assert export_person(product, "maria")["flag_overrides_elsewhere"] == {"ask-later in staging": "on"}
    erase_person(product, "maria")
    assert FlagState.objects.get().overrides == {"paul": "on"}
    assert not Activity.objects.filter(subject_type="flags.FlagState", after__overrides__has_key="maria").exists()


def test_the_command_line_looks_elsewhere_and_copies(cli: Any, product: Any, staging: Any, flag: Flag) -> None:
    assert (
        "ask-later is on 25 % in staging" in cli("flag", "open", "ask-later", "--percent", "25", "-e", "staging").output
    )
    assert "ask-later is off:" in cli("flag", "show", "ask-later").output
    shown = cli("flag", "copy", "ask-later", "--from", "staging", "--to", "production").output
    assert "Coverage: 0 % → 25 %" in shown
    assert "Nothing was changed in production." in shown
    assert find_flag(product, "ask-later").coverage == 0
    assert (
        "is on 25 % in production"
        in cli("flag", "copy", "ask-later", "--from", "staging", "--to", "production", "--yes").output
    )
    assert "as in production: on 25 %" in cli("flag", "follow", "ask-later", "-e", "staging").output
    assert "there is production, staging" in str(cli("flag", "off", "ask-later", "-e", "stagin").exception)


def test_pages_know_of_one_place_or_of_several(as_alice: Any, actor: Any, product: Any, flag: Flag, store: Any) -> None:
    for address in ("flags", "flags/ask-later", "settings/keys"):
        page = as_alice.get(f"/p/sprout/{address}").content.decode()
        for attribute in ("/flag-environments", "environment-key"):
            page = page.replace(attribute, "")
        assert "nvironment" not in page
    as_alice.post("/p/sprout/flag-environments", {"key": "staging"})
    assert "as in production" in as_alice.get("/p/sprout/flags?environment=staging").content.decode()
    form = {"coverage": "25", "weight:on": "1", "weight:off": "0", "is_on": "on", "environment": "staging"}
    page = as_alice.post("/p/sprout/flags/ask-later/rollout", form, follow=True).content.decode()
    assert "In staging: ask-later reaches 25 % of the people" in page
    assert "Staging has its own answer." in page
    assert 'href="/p/sprout/today"' in page  # the bar keeps its places
    assert ">Exposures<" not in page
    compared = as_alice.get("/p/sprout/flags/ask-later/copy?source=staging&target=production").content.decode()
    assert "→ 25 %" in compared
    assert "locks the prediction" in compared
    assert find_flag(product, "ask-later").state == "off"
    as_alice.post("/p/sprout/flags/ask-later/copy", {"source": "staging", "target": "production"})
    assert find_flag(product, "ask-later").state == "on 25 %"
    as_alice.post("/p/sprout/flags/ask-later/follow", {"environment": "staging"})
    assert find_flag(product, "ask-later", environment=find_environment(product, "staging")).follows_production
    assert as_alice.get("/p/sprout/flags/ask-later?environment=nowhere").status_code == 404
    assert ">staging</option>" in as_alice.get("/p/sprout/settings/keys").content.decode()
