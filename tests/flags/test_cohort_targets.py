"""Cohorts as flag targets: whoever belongs gets the variant, by a snapshot in memory."""

from typing import Any

import pytest
from django.test import Client

from whytree.analytics.cohorts.services import (
    create_cohort,
    create_cohort_list,
    delete_cohort,
    edit_cohort,
    refuse_undo,
    replace_cohort_list,
)
from whytree.engines.flags.rules.cohorts import condition, joined, split
from whytree.errors import Conflict, Invalid
from whytree.flags.evaluation import live, membership
from whytree.flags.models import Flag, FlagSettings
from whytree.flags.protocols.flagd import flagd_file
from whytree.flags.queries import explain_for
from whytree.flags.services import create_flag, open_flag, set_condition, set_rollout, set_rules
from whytree.workspace.models import Activity

BIRDS, CATS = condition("early_birds"), condition("cats")


@pytest.mark.parametrize(
    ("rule", "given", "rest"),
    [
        (None, {}, None),
        ({"if": [BIRDS, "on"]}, {"early_birds": "on"}, None),
        ({"if": [BIRDS, "on", CATS, "off", None]}, {"early_birds": "on", "cats": "off"}, None),
        (
            {"if": [BIRDS, "on", {"==": [1, 1]}, "on", "off"]},
            {"early_birds": "on"},
            {"if": [{"==": [1, 1]}, "on", "off"]},
        ),
        ({"if": [BIRDS, "on", {"fractional": [["on", 1]]}]}, {"early_birds": "on"}, {"fractional": [["on", 1]]}),
        ({"if": [BIRDS, {"fractional": [["on", 1]]}]}, {}, {"if": [BIRDS, {"fractional": [["on", 1]]}]}),
        ({"if": [BIRDS, "on", "off"]}, {"early_birds": "on"}, {"if": ["off"]}),
        ({"if": [{"in": ["x", {"var": "cohorts"}]}, "on"]}, {}, {"if": [{"in": ["x", {"var": "cohorts"}]}, "on"]}),
    ],
)
def test_a_rule_is_told_apart_and_put_together_again(rule: Any, given: dict[str, str], rest: Any) -> None:
    assert split(rule) == (given, rest)
    assert split(joined(given, rest)) == (given, rest)


@pytest.fixture
def flag(actor: Any, product: Any, store: Any) -> Flag:
    create_cohort_list(actor, product, key="early_birds", ids=["maria", "paul"])
    create_flag(actor, product, key="ask-later", variants={"on": True, "off": False}, weights={"on": 1})
    set_rules(actor, product, "ask-later", cohorts={"early_birds": "on"})
    return set_rollout(actor, product, "ask-later", is_on=True)


def given(flag: Flag, person: str) -> tuple[str, str]:
    answer = explain_for(flag, person).answer
    return answer.variant, answer.by


def test_who_belongs_gets_it_and_it_is_told_step_by_step_how_old_that_is(flag: Flag) -> None:
    assert flag.targeting == {"if": [BIRDS, "on"]}
    assert given(flag, "maria") == ("on", "targeting")
    assert given(flag, "anna") == ("off", "rollout")
    steps = explain_for(flag, "maria").steps
    assert "Who belongs to its cohorts was looked up 0 seconds ago." in steps
    assert "in the cohort early_birds: yes." in steps


def test_any_id_of_a_person_belongs(actor: Any, product: Any, store: Any, flag: Flag) -> None:
    from whytree.people.identity import person_hash
    from whytree.stores.identity.people import Override, write_overrides

    maria, phone = person_hash(product.pk, "maria"), person_hash(product.pk, "maria-phone")
    given(flag, "maria")
    write_overrides([Override(product.pk, phone, maria, "maria-phone", "maria")], 1)
    assert given(flag, "maria-phone")[0] == "off"  # as of the snapshot
    _make_old(product)
    membership.look_again(product.pk, "early_birds")
    assert given(flag, "maria-phone")[0] == "on"


def _make_old(product: Any) -> None:
    membership._held[(product.pk, "early_birds")].look_at = 0.0


def test_an_old_snapshot_holds_while_a_thread_looks_again(
    actor: Any, product: Any, flag: Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(membership, "_ask_again", lambda product_id, key: asked.append(key))
    given(flag, "maria")
    _make_old(product)
    assert (given(flag, "maria")[0], asked) == ("on", ["early_birds"])


def test_while_the_store_does_not_answer_the_last_snapshot_holds_and_without_one_nobody_belongs(
    actor: Any, product: Any, flag: Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.errors import Unavailable

    def down(cohort: Any) -> Any:
        raise Unavailable("The event store is closed.")

    given(flag, "maria")
    monkeypatch.setattr(membership, "ids_of", down)
    _make_old(product)
    membership.look_again(product.pk, "early_birds")
    assert given(flag, "maria")[0] == "on"
    live.forget()
    assert given(flag, "maria")[0] == "off"
    assert any("is not known at the moment" in step for step in explain_for(flag, "maria").steps)


def test_a_new_list_holds_at_once_and_begins_a_period(actor: Any, product: Any, flag: Flag) -> None:
    before = flag.changes.count()
    replace_cohort_list(actor, product, "early_birds", ["anna"])
    assert [given(flag, who)[0] for who in ("maria", "anna")] == ["off", "on"]
    assert flag.changes.count() == before + 1


def test_it_costs_no_query_once_it_is_held(
    product: Any, flag: Flag, server_key: str, django_assert_num_queries: Any
) -> None:
    def ask() -> Any:
        body = {"context": {"targetingKey": "maria"}}
        headers = {"Authorization": f"Bearer {server_key}"}
        return Client().post(
            "/ofrep/v1/evaluate/flags/ask-later", body, content_type="application/json", headers=headers
        )

    ask()
    with django_assert_num_queries(0):
        answer = ask().json()
    assert (answer["value"], answer["reason"], "cohortsAsOf" in answer["metadata"]) == (True, "TARGETING_MATCH", True)


def test_a_cohort_that_a_flag_asks_for_cannot_be_removed_and_one_that_is_not_there_not_asked_for(
    actor: Any, product: Any, flag: Flag
) -> None:
    with pytest.raises(Conflict, match="ask-later asks for early_birds"):
        delete_cohort(actor, product, "early_birds")
    with pytest.raises(Invalid, match="early_birds"):
        set_rules(actor, product, "ask-later", cohorts={"early_bird": "on"})
    with pytest.raises(Invalid, match="no variant “maybe”"):
        set_rules(actor, product, "ask-later", cohorts={"early_birds": "maybe"})
    set_rules(actor, product, "ask-later", cohorts={})
    delete_cohort(actor, product, "early_birds")


def test_a_named_condition_may_ask_for_it_too(actor: Any, product: Any, flag: Flag) -> None:
    set_condition(actor, product, "friends", {"or": [BIRDS, {"==": [{"var": "plan"}, "pro"]}]})
    flag = set_rules(actor, product, "ask-later", targeting={"if": [{"$ref": "friends"}, "on"]})
    assert given(flag, "maria")[0] == "on"
    with pytest.raises(Conflict, match="ask-later"):
        delete_cohort(actor, product, "early_birds")


def test_a_provider_in_its_own_process_leaves_it_to_the_server(actor: Any, product: Any, flag: Flag) -> None:
    (definition,) = flagd_file(live.flag_set(product.pk))["flags"].values()
    assert (definition["state"], definition["metadata"]["why"]) == ("DISABLED", "cohorts")


def test_page_api_and_command_line(as_alice: Any, api: Any, cli: Any, actor: Any, product: Any, flag: Flag) -> None:
    page = as_alice.get("/p/sprout/flags/ask-later").content.decode()
    assert "Whoever is in the cohort early_birds gets on." in page
    assert ">early_birds = on</textarea>" in page
    form = {"cohorts": "", "targeting": '{"==": [{"var": "plan"}, "pro"]}', "group_end": "10000", "unit": "person"}
    as_alice.post("/p/sprout/flags/ask-later/rules", form)
    assert api.get("/products/sprout/flags/ask-later/rules").ok["cohorts"] == {}
    assert cli("flag", "set", "ask-later", "--cohort", "early_birds=on").exit_code == 0
    found = api.get("/products/sprout/flags/ask-later/rules").ok
    assert found["targeting"] == {"if": [BIRDS, "on", {"==": [{"var": "plan"}, "pro"]}]}
    changes = Flag.objects.get().changes.count()
    form |= {"cohorts": "early_birds = on"}
    as_alice.post("/p/sprout/flags/ask-later/rules", form)  # nothing was changed, so no period begins
    assert Flag.objects.get().changes.count() == changes
    assert "in the cohort early_birds: yes." in cli("flag", "explain", "ask-later", "maria").output
    open_flag(actor, product, "ask-later", coverage=10_000)
    assert api.patch("/products/sprout/flags/ask-later/rules", {"cohorts": {"nobody": "on"}}).status == 400


def test_other_people_on_a_cohort_in_use_need_approval_as_any_change(
    actor: Any, product: Any, store: Any, flag: Flag
) -> None:
    around = {"version": 1, "all": [{"cohort": "early_birds"}]}
    create_cohort(actor, product, key="around", definition=around)
    FlagSettings.objects.create(product=product, needs_approval=True)
    with pytest.raises(Conflict, match="early_birds is in use by ask-later"):
        replace_cohort_list(actor, product, "early_birds", ["anna"])
    edit_cohort(
        actor,
        product,
        "around",
        definition={"version": 1, "any": [{"cohort": "early_birds"}, {"cohort": "early_birds"}]},
    )
    FlagSettings.objects.update(needs_approval=False)
    set_rules(actor, product, "ask-later", cohorts={"around": "on"})
    FlagSettings.objects.update(needs_approval=True)
    with pytest.raises(Conflict, match="around is in use"):  # by the one that it names
        replace_cohort_list(actor, product, "early_birds", ["anna"])
    edit = Activity.objects.get(verb="edit_cohort")
    with pytest.raises(Conflict, match="around is in use"):
        refuse_undo(product, edit)
    with pytest.raises(Conflict, match="asks for around"):
        refuse_undo(product, Activity.objects.get(verb="create_cohort", subject_id=edit.subject_id))
