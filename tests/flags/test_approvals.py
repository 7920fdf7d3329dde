"""Changes in production that wait for another maintainer."""

from typing import Any

import pytest

from whytree.errors import Conflict, Forbidden, Invalid
from whytree.flags.models import ChangeRequest, Flag, FlagSettings
from whytree.flags.services import (
    NeedsApproval,
    approve_change,
    changed_or_asked,
    create_flag,
    decline_change,
    edit_flag,
    import_flags,
    open_flag,
    restore_flag,
    set_approvals,
    set_condition,
    set_holdout,
    set_rollout,
    set_rules,
    turn_off,
    withdraw_change,
)
from whytree.workspace.entry.environments import add_environment
from whytree.workspace.entry.keys import create_key
from whytree.workspace.models import Activity, Membership
from whytree.workspace.records.activity import undo
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

FLAGD = {"state": "DISABLED", "variants": {"on": True, "off": False}}


@pytest.fixture
def other(bob: Any, product: Any) -> Actor:
    """Bob, as a maintainer."""
    Membership.objects.filter(user=bob, product=product).update(role=Role.MAINTAINER)
    return Actor(bob.pk, "Bob", "page")


@pytest.fixture
def flag(actor: Any, product: Any, hypothesis: Any, other: Actor) -> Flag:
    made = create_flag(actor, product, key="ask-later", hypothesis=hypothesis)
    set_approvals(actor, product, needed=True)
    return made


def asked(actor: Actor, product: Any, **edits: Any) -> ChangeRequest:
    found = changed_or_asked(
        actor, lambda: set_rollout(actor, product, "ask-later", **edits), words="The test is green."
    )
    assert isinstance(found, ChangeRequest)
    return found


def test_a_change_waits_and_happens_when_another_maintainer_approves(
    actor: Any, product: Any, flag: Flag, other: Actor, hypothesis: Any
) -> None:
    request = asked(actor, product, coverage=2_500, is_on=True)
    flag.refresh_from_db()
    hypothesis.refresh_from_db()
    assert (flag.state, hypothesis.is_locked) == ("off", False)
    assert request.before == {"coverage": 0, "is_on": False}
    assert request.after == {"coverage": 2_500, "is_on": True}
    assert asked(actor, product, coverage=2_500, is_on=True).pk == request.pk  # asked twice is asked once
    with pytest.raises(Forbidden, match="Another maintainer"):
        approve_change(actor, product, request.pk)
    done = approve_change(other, product, request.pk, words="Go.")
    flag.refresh_from_db()
    hypothesis.refresh_from_db()
    assert (done.state, flag.state, hypothesis.is_locked) == ("approved", "on 25 %", True)
    verbs = Activity.objects.filter(subject_type="flags.ChangeRequest").values_list("verb", flat=True)
    assert list(verbs.order_by("pk")) == ["ask_for_change", "approve_change"]
    with pytest.raises(Conflict, match="approved already"):
        approve_change(other, product, request.pk)


def test_the_kill_switch_is_never_held_up(actor: Any, product: Any, flag: Flag, other: Actor) -> None:
    approve_change(other, product, asked(actor, product, coverage=10_000, is_on=True).pk)
    assert turn_off(actor, product, "ask-later").state == "off"
    with pytest.raises(NeedsApproval):  # back on is a change
        set_rollout(actor, product, "ask-later", is_on=True)


def test_it_expires_when_the_flag_was_changed_meanwhile(actor: Any, product: Any, flag: Flag, other: Actor) -> None:
    first = asked(actor, product, coverage=2_500, is_on=True)
    second = asked(actor, product, coverage=5_000, is_on=True)
    approve_change(other, product, second.pk)
    assert approve_change(other, product, first.pk).state == "expired"
    flag.refresh_from_db()
    assert flag.state == "on 50 %"


def test_it_is_declined_with_words_or_withdrawn_by_whoever_asked(
    actor: Any, product: Any, flag: Flag, other: Actor, viewer: Any
) -> None:
    request = asked(actor, product, is_on=True)
    with pytest.raises(Invalid, match="why not"):
        decline_change(other, product, request.pk, words=" ")
    with pytest.raises(Forbidden, match="Only Alice"):
        withdraw_change(other, product, request.pk)
    with pytest.raises(Forbidden):
        decline_change(Actor(viewer.pk, "Vera", "page"), product, request.pk, words="no")
    assert decline_change(other, product, request.pk, words="Not on a Friday.").answer == "Not on a Friday."
    request = asked(actor, product, is_on=True)
    assert withdraw_change(actor, product, request.pk).state == "withdrawn"


def test_nothing_slips_past(actor: Any, product: Any, flag: Flag, other: Actor) -> None:
    for change in (
        lambda: set_rules(actor, product, "ask-later", overrides={"maria": "on"}),
        lambda: edit_flag(actor, product, "ask-later", default_variant="on"),
        lambda: open_flag(actor, product, "ask-later"),
    ):
        with pytest.raises(NeedsApproval):
            change()
    set_condition(actor, product, "ours", {"==": [1, 1]})
    found = changed_or_asked(
        actor, lambda: set_rules(actor, product, "ask-later", targeting={"if": [{"$ref": "ours"}, "on"]})
    )
    assert isinstance(found, ChangeRequest)
    approve_change(other, product, found.pk)
    with pytest.raises(Conflict, match="in use by ask-later"):
        set_condition(actor, product, "ours", {"==": [1, 2]})
    edit_flag(actor, product, "ask-later", name="Asks later")  # gives nobody anything else


def test_elsewhere_and_without_the_rule_nothing_waits(actor: Any, product: Any, flag: Flag, other: Actor) -> None:
    staging = add_environment(actor, product, "staging")
    assert open_flag(actor, product, "ask-later", environment=staging).state == "on 100 %"
    request = asked(actor, product, is_on=True)
    with pytest.raises(Forbidden):
        set_approvals(other, product, needed=False)
    set_approvals(actor, product, needed=False)
    request.refresh_from_db()
    assert request.state == "withdrawn"
    assert open_flag(actor, product, "ask-later").state == "on 100 %"


def test_a_server_key_may_ask_and_not_approve(actor: Any, product: Any, flag: Flag) -> None:
    key = Actor(None, "server key ci", "api", key_id=7, product_id=product.pk)
    request = asked(actor, product, is_on=True)
    with pytest.raises(Forbidden, match="is nobody"):
        approve_change(key, product, request.pk)
    assert asked(key, product, coverage=100).asked_by == "server key ci"


def test_the_command_line_asks_and_another_one_approves(
    api: Any, api_bob: Any, cli: Any, product: Any, flag: Flag, other: Actor
) -> None:
    done = cli("flag", "open", "ask-later", "--percent", "25", "--because", "The test is green.")
    number = ChangeRequest.objects.get().pk
    assert f"whytree flag approve {number}" in done.output
    listed = cli("flag", "requests").output
    assert "“The test is green.”" in listed
    assert "Coverage: 0 % → 25 %" in listed
    assert "Another maintainer" in str(cli("flag", "approve", str(number)).exception)
    found = api_bob.post(f"/products/sprout/flag-requests/{number}/approve", {"words": "Go."}).ok
    assert (found["state"], found["answer"]) == ("approved", "Go.")
    assert api.post("/products/sprout/flags/ask-later/rollout", {"coverage_percent": 50}).status == 202
    assert cli("flag", "requests", "--state", "approved", "--json").output.count('"approved"') == 1
    assert "need another maintainer" in cli("flag", "approvals").output


def test_an_outsider_sees_no_request(api_charlie: Any, actor: Any, product: Any, flag: Flag) -> None:
    number = asked(actor, product, is_on=True).pk
    assert api_charlie.get("/products/sprout/flag-requests").status == 404
    assert api_charlie.post(f"/products/sprout/flag-requests/{number}/decline", {"words": "no"}).status == 404


def test_who_is_alone_cannot_wait_for_another(actor: Any, product: Any, bob: Any) -> None:
    with pytest.raises(Conflict, match="Nobody else could approve"):
        set_approvals(actor, product, needed=True)


def test_pages_ask_show_what_differs_and_decide(
    as_alice: Any, as_bob: Any, as_viewer: Any, actor: Any, product: Any, flag: Flag, store: Any
) -> None:
    page = as_alice.get("/p/sprout/flags/ask-later").content.decode()
    assert "Ask for approval" in page
    form = {
        "coverage": "25",
        "weight:on": "1",
        "weight:off": "1",
        "is_on": "on",
        "because": "The <b>test</b> is green.",
    }
    page = as_alice.post("/p/sprout/flags/ask-later/rollout", form, follow=True).content.decode()
    assert "Asked. It waits for another maintainer." in page
    assert "“The &lt;b&gt;test&lt;/b&gt; is green.”" in page
    assert "Approve, and" not in page  # not one's own
    assert "Approve, and" not in as_viewer.get("/p/sprout/flags/ask-later").content.decode()
    address = f"/p/sprout/flag-requests/{ChangeRequest.objects.get().pk}"
    assert "1 change of a flag waits for you." in as_bob.get("/p/sprout/today").content.decode()
    assert "Approve, and" in as_bob.get("/p/sprout/flags").content.decode()
    assert "why not" in as_bob.post(address, {"decide": "decline"}, follow=True).content.decode()
    assert "is approved" in as_bob.post(address, {"decide": "approve"}, follow=True).content.decode()
    flag.refresh_from_db()
    assert flag.state == "on 25 %"
    as_alice.post("/p/sprout/flags/ask-later/rollout", {"switch": "off"})
    flag.refresh_from_db()
    assert flag.state == "off"


def test_a_maintainer_does_not_approve_what_their_own_key_asked(
    actor: Any, product: Any, flag: Flag, other: Actor
) -> None:
    key, _ = create_key(actor, product, kind="server", name="ci")
    by_key = Actor(None, "server key ci", "api", key_id=key.pk, product_id=product.pk)
    made, _ = create_key(by_key, product, kind="server", name="of ci")
    for one in (key, made):
        request = asked(Actor(None, one.name, "api", key_id=one.pk, product_id=product.pk), product, coverage=one.pk)
        with pytest.raises(Forbidden, match="Another maintainer"):
            approve_change(actor, product, request.pk)
    assert approve_change(other, product, request.pk).state == "approved"


def test_an_edit_is_not_taken_back_past_the_approval(actor: Any, product: Any, bob: Any) -> None:
    Membership.objects.filter(user=bob, product=product).update(role=Role.MAINTAINER)
    create_flag(actor, product, key="dark", variants={"on": True, "off": False}, off_variant="on")
    edit_flag(actor, product, "dark", off_variant="off")
    FlagSettings.objects.create(product=product, needs_approval=True)
    with pytest.raises(Conflict, match="approval"):
        undo(actor, product, Activity.objects.filter(verb="edit_flag").latest("pk").pk)
    edit_flag(actor, product, "dark", name="Dark mode")
    undo(actor, product, Activity.objects.filter(verb="edit_flag").latest("pk").pk)  # gives nobody anything else


@pytest.mark.parametrize(
    "said",
    [
        {"off_variant": "on"},
        {"variants": {"off": True, "on": False}},
    ],
)
def test_a_new_flag_gives_nobody_anything_unapproved(
    actor: Any, product: Any, flag: Flag, said: dict[str, Any]
) -> None:
    with pytest.raises(Conflict, match="as soon as dark is made"):
        create_flag(actor, product, key="dark", **said)
    moved = import_flags(actor, product, {"flags": {"dark": {**FLAGD, "defaultVariant": "on"}}})
    assert [one.became for one in moved.flags] == ["left out"]
    assert create_flag(actor, product, key="dark").off_variant == "off"
    with pytest.raises(NeedsApproval):
        edit_flag(actor, product, "dark", off_variant="on")


def test_a_new_text_is_met_by_nobody_until_it_is_approved(actor: Any, product: Any, flag: Flag, other: Actor) -> None:
    made = create_flag(actor, product, key="title", kind="string", variants={"off": "BUY", "soft": "Have a look"})
    assert made.state == "archived"
    asked = ChangeRequest.objects.get(flag=made)
    assert asked.words == 'It is new. While it is off, everybody gets off = "BUY".'
    edit_flag(actor, product, "title", variants={"off": "BUY NOW", "soft": "Have a look"})  # nobody meets it yet
    assert approve_change(other, product, asked.pk).state == "expired"  # it is another text than was asked for
    again = changed_or_asked(actor, lambda: restore_flag(actor, product, "title"))
    assert isinstance(again, ChangeRequest)
    assert approve_change(other, product, again.pk).state == "approved"
    made.refresh_from_db()
    assert (made.state, made.variants["off"]) == ("off", "BUY NOW")
    with pytest.raises(NeedsApproval):
        edit_flag(actor, product, "title", variants={"off": "BUY", "soft": "Have a look"})


def test_a_holdout_that_open_flags_heed_stays(actor: Any, product: Any, flag: Flag, other: Actor) -> None:
    set_holdout(actor, product, 500)
    approve_change(other, product, asked(actor, product, coverage=10_000, is_on=True).pk)
    with pytest.raises(Conflict, match="heed the holdout"):
        set_holdout(actor, product, 0)


def test_whoever_asked_reads_why_not(
    as_alice: Any, as_bob: Any, actor: Any, product: Any, flag: Flag, store: Any
) -> None:
    request = asked(actor, product, coverage=2_500, is_on=True)
    as_bob.post(f"/p/sprout/flag-requests/{request.pk}", {"decide": "decline", "words": "After <b>Monday</b>."})
    said = "After &lt;b&gt;Monday&lt;/b&gt;."
    assert said in as_alice.get("/p/sprout/today").content.decode()
    assert said not in as_bob.get("/p/sprout/today").content.decode()
    assert said in as_bob.get("/p/sprout/flags/ask-later").content.decode()
    asked(actor, product, coverage=1_000, is_on=True)
    for page in ("today", "flags/ask-later"):
        assert said not in as_alice.get(f"/p/sprout/{page}").content.decode()
