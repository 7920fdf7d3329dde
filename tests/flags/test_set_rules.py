"""Who is singled out: through the services and the API."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound
from whytree.flags.evaluation import asking, live
from whytree.flags.models import Flag, FlagChange, KeptVariant
from whytree.flags.queries import explain_for, find_flag, history, periods
from whytree.flags.rules.versions import versions
from whytree.flags.services import (
    archive_flag,
    create_flag,
    go_back,
    open_flag,
    remove_condition,
    set_condition,
    set_holdout,
    set_rollout,
    set_rules,
    turn_off,
    turn_on,
)
from whytree.people.services import ensure_person
from whytree.workspace.models import Activity

pytestmark = pytest.mark.django_db

FLAGS = "/products/sprout/flags"
PRO = {"if": [{"==": [{"var": "plan"}, "pro"]}, "on"]}


@pytest.fixture
def flag(actor: Any, product: Any) -> Flag:
    """Off; half on and half off once it is opened."""
    return create_flag(actor, product, key="f", weights={"on": 1, "off": 1})


@pytest.fixture
def ask(server_key: str) -> Any:
    client = Client()

    def post(unit: str = "maria", key: str = "f", **attributes: Any) -> Any:
        body = json.dumps({"context": {"targetingKey": unit, **attributes}})
        path = f"/ofrep/v1/evaluate/flags/{key}" if key else "/ofrep/v1/evaluate/flags"
        return client.post(
            path, body, content_type="application/json", headers={"Authorization": f"Bearer {server_key}"}
        ).json()

    return post


def test_a_rule_reads_what_the_client_sends(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    set_rules(actor, product, "f", targeting=PRO)
    turn_on(actor, product, "f")
    assert ask(plan="pro")["variant"] == "on"
    assert ask(plan="pro")["reason"] == "TARGETING_MATCH"
    assert (ask(plan="free")["variant"], ask(plan="free")["reason"]) == ("off", "DEFAULT")


def test_a_rule_reads_the_profile_when_the_client_does_not_say(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    ensure_person(product, "maria", plan="pro", company="acme")
    set_rules(
        actor,
        product,
        "f",
        targeting={
            "if": [{"and": [{"==": [{"var": "person.plan"}, "pro"]}, {"==": [{"var": "company.id"}, "acme"]}]}, "on"]
        },
    )
    turn_on(actor, product, "f")
    assert ask()["variant"] == "on"
    assert ask("jack")["variant"] == "off"
    assert ask(person={"plan": "free"})["variant"] == "off"


def test_no_memory_is_kept_of_ids_that_nobody_can_have(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    set_rules(actor, product, "f", targeting={"if": [{"==": [{"var": "person.plan"}, "pro"]}, "on"]}, is_sticky=True)
    open_flag(actor, product, "f")
    asking.forget()
    assert ask("x" * 401)["variant"] in ("on", "off")
    assert not asking._profiles._known
    assert not asking._kept._known


def test_opening_by_a_rule_alone_locks_the_prediction(actor: Any, product: Any, hypothesis: Any) -> None:
    create_flag(actor, product, key="g", hypothesis=hypothesis)
    turn_on(actor, product, "g")
    hypothesis.refresh_from_db()
    assert hypothesis.locked_at is None
    set_rules(actor, product, "g", overrides={"bob": "on"})
    hypothesis.refresh_from_db()
    assert hypothesis.locked_at is None
    set_rules(actor, product, "g", targeting=PRO)
    hypothesis.refresh_from_db()
    assert hypothesis.locked_at is not None


def test_each_change_of_rules_begins_a_period_of_its_own(actor: Any, product: Any, flag: Flag) -> None:
    open_flag(actor, product, "f", coverage=5_000)
    set_rules(actor, product, "f", targeting=PRO)
    set_rules(actor, product, "f", metadata={"owner": "growth"})
    found = periods(find_flag(product, "f"), timezone.now() - timedelta(days=1), timezone.now() + timedelta(seconds=1))
    assert [bool(one.rules) for one in found] == [False, True]
    assert history(find_flag(product, "f"))[1].says == "rules changed"


def test_a_flag_with_a_rule_and_no_coverage_has_periods_too(actor: Any, product: Any, flag: Flag) -> None:
    set_rules(actor, product, "f", targeting={"fractional": [["on", 1], ["off", 1]]})
    turn_on(actor, product, "f")
    assert (
        len(periods(find_flag(product, "f"), timezone.now() - timedelta(days=1), timezone.now() + timedelta(seconds=1)))
        == 1
    )


def test_a_period_lies_within_the_schedule(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    now = timezone.now()
    open_flag(actor, product, "f")
    set_rules(actor, product, "f", on_from=now + timedelta(hours=1), on_until=now + timedelta(hours=2))
    assert ask()["reason"] == "DISABLED"
    (one,) = periods(find_flag(product, "f"), now + timedelta(minutes=1), now + timedelta(days=1))
    assert (one.start, one.end) == (now + timedelta(hours=1), now + timedelta(hours=2))
    assert "schedule from" in history(find_flag(product, "f"))[0].says
    with pytest.raises(Invalid, match="ends before it begins"):
        set_rules(actor, product, "f", on_until=now)


def test_a_circle_of_prerequisites_is_refused_by_name(actor: Any, product: Any, flag: Flag) -> None:
    for key in ("g", "h"):
        create_flag(actor, product, key=key)
    set_rules(actor, product, "g", prerequisites=[{"flag": "f", "variants": ["on"]}])
    set_rules(actor, product, "h", prerequisites=[{"flag": "g", "variants": ["on"]}])
    with pytest.raises(Conflict, match=r"A circle: f needs h needs g needs f\."):
        set_rules(actor, product, "f", prerequisites=[{"flag": "h", "variants": ["on"]}])
    with pytest.raises(Conflict, match="f needs f"):
        set_rules(actor, product, "f", prerequisites=[{"flag": "f", "variants": ["on"]}])
    with pytest.raises(Invalid, match="There is no flag 'nope'"):
        set_rules(actor, product, "f", prerequisites=[{"flag": "nope", "variants": ["on"]}])
    with pytest.raises(Invalid, match="g has no variant “blue”"):
        set_rules(actor, product, "f", prerequisites=[{"flag": "g", "variants": ["blue"]}])
    with pytest.raises(Conflict, match="g needs f"):
        archive_flag(actor, product, "f")


def test_a_needed_flag_that_goes_off_takes_the_other_along(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    create_flag(actor, product, key="base")
    open_flag(actor, product, "base")
    open_flag(actor, product, "f", weights={"on": 1})
    set_rules(actor, product, "f", prerequisites=[{"flag": "base", "variants": ["on"]}])
    assert ask()["variant"] == "on"
    turn_off(actor, product, "base")
    assert (ask()["variant"], ask()["reason"]) == ("off", "DISABLED")


def test_a_sticky_flag_keeps_what_it_gave(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    set_rules(actor, product, "f", is_sticky=True)
    open_flag(actor, product, "f", weights={"on": 1})
    assert ask("maria")["variant"] == "on"
    set_rollout(actor, product, "f", weights={"off": 1}, coverage=100)
    assert ask("maria")["variant"] == "on"
    assert ask("somebody new")["variant"] == "off"
    assert KeptVariant.objects.get().unit == "maria"
    set_rules(actor, product, "f", is_sticky=False)
    assert ask("maria")["variant"] == "off"


def test_a_sticky_flag_by_company_keeps_it_for_the_company(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    set_rules(actor, product, "f", is_sticky=True, unit="company")
    open_flag(actor, product, "f", weights={"on": 1})
    assert ask("maria", company="acme")["variant"] == "on"
    set_rollout(actor, product, "f", weights={"off": 1})
    assert ask("jack", company={"id": "acme"})["variant"] == "on"
    assert ask("jack", company="other")["variant"] == "off"


def test_what_moves_everybody_waits_until_the_flag_is_off(actor: Any, product: Any, flag: Flag) -> None:
    open_flag(actor, product, "f")
    for edits in ({"bucketing": "2"}, {"unit": "company"}, {"arm_order": ["on", "off"]}):
        with pytest.raises(Conflict, match="moves everybody"):
            set_rules(actor, product, "f", **edits)
    turn_off(actor, product, "f")
    assert set_rules(actor, product, "f", bucketing="2").bucketing == "2"


def test_flags_of_a_group_share_no_place(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    create_flag(actor, product, key="g", weights={"on": 1, "off": 1})
    set_rules(actor, product, "f", group="sign-up", group_start=0, group_end=5_000)
    with pytest.raises(Conflict, match="f has the places 0 to 5,000 of sign-up"):
        set_rules(actor, product, "g", group="sign-up", group_start=4_999, group_end=10_000)
    set_rules(actor, product, "g", group="sign-up", group_start=5_000, group_end=10_000)
    for key in ("f", "g"):
        open_flag(actor, product, key)
    inside = [ask(f"p{n}", key=key)["metadata"]["inRollout"] for n in range(40) for key in ("f", "g")]
    assert all(one is not two for one, two in zip(inside[::2], inside[1::2], strict=True))


def test_a_holdout_leaves_open_flags_alone_and_keeps_people_out_of_later_ones(
    actor: Any, product: Any, flag: Flag, ask: Any
) -> None:
    create_flag(actor, product, key="later")
    open_flag(actor, product, "f", weights={"on": 1})
    set_holdout(actor, product, 5_000)
    open_flag(actor, product, "later")
    people = [f"p{n}" for n in range(60)]
    assert all(ask(person)["variant"] == "on" for person in people)
    out = [person for person in people if ask(person, key="later")["reason"] == "DEFAULT"]
    assert 15 < len(out) < 45
    assert "is in the holdout" in explain_for(find_flag(product, "later"), out[0]).steps[-1]
    set_holdout(actor, product, 0)
    assert ask(out[0], key="later")["variant"] == "on"
    with pytest.raises(Invalid, match="0 to 50 %"):
        set_holdout(actor, product, 6_000)


def test_a_condition_is_one_for_all_flags_that_refer_to_it(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    with pytest.raises(Invalid, match="There is no condition 'ours'"):
        set_rules(actor, product, "f", targeting={"if": [{"$ref": "ours"}, "on"]})
    set_condition(actor, product, "ours", {"ends_with": [{"var": "email"}, "@acme.com"]}, name="One of us")
    set_rules(actor, product, "f", targeting={"if": [{"$ref": "ours"}, "on"]})
    turn_on(actor, product, "f")
    assert ask(email="m@acme.com")["variant"] == "on"
    changes = FlagChange.objects.filter(flag=flag).count()
    set_condition(actor, product, "ours", {"ends_with": [{"var": "email"}, "@sprout.example"]})
    assert ask(email="m@acme.com")["variant"] == "off"
    assert ask(email="m@sprout.example")["variant"] == "on"
    assert FlagChange.objects.filter(flag=flag).count() == changes + 1
    with pytest.raises(Conflict, match="f refers to ours"):
        remove_condition(actor, product, "ours")
    with pytest.raises(Invalid, match="cannot refer to another"):
        set_condition(actor, product, "two", {"!": [{"$ref": "ours"}]})
    set_rules(actor, product, "f", targeting=None)
    remove_condition(actor, product, "ours")


def test_the_way_back_is_one_step_and_shows_what_differs(actor: Any, product: Any, flag: Flag, ask: Any) -> None:
    open_flag(actor, product, "f", coverage=2_500)
    set_rules(actor, product, "f", targeting=PRO, overrides={"bob": "on"})
    newest, opened, made = versions(find_flag(product, "f"))
    assert newest.is_now
    assert {one.field: (one.before, one.after.replace("\n", "").replace(" ", "")) for one in newest.differences} == {
        "Rule": ("none", '{"if":[{"==":[{"var":"plan"},"pro"]},"on"]}'),
        "Overrides": ("none", '{"bob":"on"}'),
    }
    assert {one.field for one in opened.differences} == {"Switch", "Coverage"}
    back = go_back(actor, product, "f", opened.id)
    assert (back.targeting, back.overrides, back.coverage, back.is_on) == (None, {}, 2_500, True)
    assert versions(back)[0].verb == "go_back"
    assert go_back(actor, product, "f", made.id).is_on is False
    with pytest.raises(NotFound, match="no such change"):
        go_back(actor, product, "f", 10**9)


def test_a_state_written_before_rules_existed_can_be_taken_up_again(actor: Any, product: Any, flag: Flag) -> None:
    open_flag(actor, product, "f")
    old = Activity.objects.filter(verb="create_flag").get()
    for name in ("targeting", "overrides", "on_from", "unit", "metadata"):
        del old.after[name]
    old.after["bucketing"] = 3
    old.save()
    turn_off(actor, product, "f")
    assert go_back(actor, product, "f", old.pk).bucketing == "3"


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ({"targeting": {"regex": ["a"]}}, "There is no operator 'regex'"),
        ({"targeting": {}}, "A rule is one operator"),
        ({"overrides": {"maria": "blue"}}, "There is no variant “blue”"),
        ({"overrides": {"": "on"}}, "1 to 400 characters"),
        ({"overrides": {f"p{n}": "on" for n in range(1_001)}}, "1,000 overrides at most"),
        ({"prerequisites": [{"flag": "f"}]}, "names a flag and the variants"),
        ({"unit": "galaxy"}, "There is no unit 'galaxy'"),
        ({"bucketing": "md5"}, "There is no bucketing 'md5'"),
        ({"arm_order": ["on"]}, "must name each variant once"),
        ({"group": "g", "group_start": 5, "group_end": 5}, "the first below the last"),
        ({"metadata": {"x": [1]}}, "metadata 'x'"),
        ({"targeting": {"in": [{"var": "x"}, ["y" * 300_000]]}}, "is the most"),
        ({"targeting": {"==": ["a\0", "b"]}}, "NUL"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(actor: Any, product: Any, flag: Flag, edits: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says.replace("(", r"\(")):
        set_rules(actor, product, "f", **edits)


@pytest.mark.parametrize("depth", [200, 500, 5_000])
def test_a_rule_500_deep_is_refused_at_every_door(api: Any, actor: Any, product: Any, flag: Flag, depth: int) -> None:
    rule: Any = 1
    for _ in range(depth):
        rule = {"!": [rule]}
    with pytest.raises(Invalid, match="nested more than 60 deep"):
        set_rules(actor, product, "f", targeting=rule)
    text = '{"!":[' * depth + "1" + "]}" * depth
    answer = api._client.generic(
        "PATCH",
        f"/api{FLAGS}/f/rules",
        '{"targeting":' + text + "}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert find_flag(product, "f").targeting is None


def test_the_rules_over_rest(api: Any, flag: Flag, product: Any) -> None:
    made = api.patch(
        f"{FLAGS}/f/rules",
        {
            "targeting": PRO,
            "overrides": {"bob": "on"},
            "on_from": "2027-01-01T09:00:00Z",
            "group": "g",
            "metadata": {"owner": "x"},
        },
    ).ok
    assert made["says"] == 'if(plan is "pro", "on")'
    assert made["on_from"] == "2027-01-01T09:00:00Z"
    assert find_flag(product, "f").on_from == datetime(2027, 1, 1, 9, tzinfo=UTC)
    assert api.patch(f"{FLAGS}/f/rules", {"on_from": None}).ok["on_from"] is None
    assert api.get(f"{FLAGS}/f/rules").ok["targeting"] == PRO
    assert api.patch(f"{FLAGS}/f/rules", {"targeting": None}).ok["targeting"] is None
    found = api.get(f"{FLAGS}/f/history").ok
    assert [one["verb"] for one in found] == ["set_rules", "set_rules", "set_rules", "create_flag"]
    assert api.post(f"{FLAGS}/f/history/{found[1]['id']}/restore").ok["targeting"] == PRO
    said = api.post(f"{FLAGS}/f/evaluate", {"targeting_key": "maria", "context": {"plan": "pro"}}).ok
    assert said["by"] == "switch"
    assert api.put("/products/sprout/flag-conditions/ours", {"logic": {"==": [1, 1]}}).ok["says"] == "1 is 1"
    assert api.get("/products/sprout/flag-conditions").ok[0]["key"] == "ours"
    assert api.delete("/products/sprout/flag-conditions/ours").status == 204
    assert api.put("/products/sprout/flag-holdout", {"percent": 5}).ok == {"percent": 5.0}
    assert api.get("/products/sprout/flag-holdout").ok == {"percent": 5.0}


def test_who_may(api_viewer: Any, api_bob: Any, api_charlie: Any, flag: Flag) -> None:
    for call in (
        lambda api: api.patch(f"{FLAGS}/f/rules", {"targeting": PRO}),
        lambda api: api.put("/products/sprout/flag-conditions/x", {"logic": {"==": [1, 1]}}),
        lambda api: api.put("/products/sprout/flag-holdout", {"percent": 1}),
        lambda api: api.post(f"{FLAGS}/f/history/1/restore"),
    ):
        assert call(api_viewer).status == 403
        assert call(api_charlie).status == 404
    assert api_bob.patch(f"{FLAGS}/f/rules", {"targeting": PRO}).status == 200
    assert api_bob.put("/products/sprout/flag-holdout", {"percent": 1}).status == 403
    assert api_viewer.get(f"{FLAGS}/f/rules").status == 200
    assert api_charlie.get(f"{FLAGS}/f/rules").status == 404


def test_an_erased_person_leaves_overrides_kept_variants_and_the_activity_list(
    actor: Any, product: Any, flag: Flag, ask: Any
) -> None:
    from whytree.flags.plugs import erase_person, export_person

    set_rules(actor, product, "f", overrides={"maria": "on", "bob": "off"}, is_sticky=True)
    open_flag(actor, product, "f")
    ask("jack")
    assert export_person(product, "maria")["flag_overrides"] == {"f": "on"}
    assert set(export_person(product, "jack")["kept_variants"]) == {"f"}
    erase_person(product, "maria")
    erase_person(product, "jack")
    assert find_flag(product, "f").overrides == {"bob": "off"}
    assert not KeptVariant.objects.exists()
    assert not any("maria" in json.dumps([one.before, one.after]) for one in Activity.objects.all())


def test_the_flags_in_force_are_those_that_the_id_alone_decides(actor: Any, product: Any, flag: Flag) -> None:
    open_flag(actor, product, "f", weights={"on": 1})
    create_flag(actor, product, key="ruled")
    set_rules(actor, product, "ruled", targeting=PRO)
    open_flag(actor, product, "ruled")
    create_flag(actor, product, key="tomorrow")
    open_flag(actor, product, "tomorrow")
    set_rules(actor, product, "tomorrow", on_from=timezone.now() + timedelta(days=1))
    assert live.flags_in_force(product.pk, "maria") == {"f": "on"}
