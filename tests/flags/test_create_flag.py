"""Making and editing a flag."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.flags.models import Flag, FlagChange
from whytree.flags.queries import find_flag
from whytree.flags.services import create_flag, edit_flag, open_flag
from whytree.tree.services import create_solution
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.records.activity import activity_for, undo

pytestmark = pytest.mark.django_db


def test_a_new_boolean_flag_is_off_at_0_percent_with_on_and_off(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="ask-later", name=" Ask later ")
    assert (flag.key, flag.name, flag.kind) == ("ask-later", "Ask later", "boolean")
    assert flag.variants == {"on": True, "off": False}
    assert (flag.default_variant, flag.off_variant) == ("off", "off")
    assert (flag.is_on, flag.coverage, flag.state) == (False, 0, "off")
    assert flag.weights == {"on": 1, "off": 0}
    assert not flag.is_justified


def test_it_writes_an_activity_and_the_first_state_of_the_rollout(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="ask-later")
    activity = activity_for(flag).get()
    assert (activity.verb, activity.before) == ("create_flag", None)
    assert activity.after["key"] == "ask-later"
    change = FlagChange.objects.get(flag=flag)
    assert (change.coverage, change.is_on, change.by, change.user_id) == (0, False, "Alice", actor.user_id)


def test_with_a_hypothesis_the_arms_start_equal_and_the_solution_comes_with_it(
    actor: Any, product: Any, hypothesis: Any
) -> None:
    flag = create_flag(actor, product, key="ask-later", hypothesis=hypothesis)
    assert flag.weights == {"on": 1, "off": 1}
    assert flag.solution == hypothesis.solution
    assert flag.is_justified


def test_other_kinds_have_equal_arms_and_control_as_the_default(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="price", kind="number", variants={"low": 7.5, "control": 9, "high": 11})
    assert flag.weights == {"low": 1, "control": 1, "high": 1}
    assert flag.default_variant == flag.off_variant == "control"


def test_numbers_become_all_floats_when_one_is(actor: Any, product: Any) -> None:
    mixed = create_flag(actor, product, key="price", kind="number", variants={"control": 9, "low": 7.5})
    whole = create_flag(actor, product, key="steps", kind="number", variants={"control": 3, "fewer": 2})
    assert [type(value) for value in find_flag(product, mixed.key).variants.values()] == [float, float]
    assert [type(value) for value in find_flag(product, whole.key).variants.values()] == [int, int]


@pytest.mark.parametrize("key", ["", "a b", "a/b", "a?b", "a#b", "a%20b", "-a", ".a", "ä", "a" * 101, "a\nb", "a\x00"])
def test_it_refuses_a_key_that_would_need_escaping(actor: Any, product: Any, key: str) -> None:
    with pytest.raises(Invalid, match="cannot be a flag key"):
        create_flag(actor, product, key=key)


def test_the_database_refuses_such_a_key_too(product: Any) -> None:
    flag = Flag(product=product, key="a/b", variants={}, weights={}, default_variant="off", off_variant="off")
    with pytest.raises(IntegrityError), transaction.atomic():
        flag.save()


@pytest.mark.parametrize(
    ("kind", "variants", "says"),
    [
        ("colour", None, "no kind 'colour'"),
        ("string", None, "needs its variants"),
        ("boolean", {"on": 1, "off": 0}, "true or false"),
        ("string", {"a": "x", "b": 2}, "The value of b must be a text"),
        ("number", {"a": 1, "b": True}, "The value of b must be a number"),
        ("number", {"a": 2**60}, "JavaScript"),
        ("number", {"a": float("inf")}, "cannot be stored"),
        ("json", {"a": {}, "b": []}, "The value of b must be an object"),
        ("json", {"a": [], "b": {}}, "The value of b must be a list"),
        ("json", {"a": {"x": "\x00"}}, "NUL"),
        ("string", {"a": "\ud800"}, "cannot be stored"),
        ("string", {"a": "x" * 30_000}, "20,000 is the most"),
        ("string", {"a b": "x"}, "variant's name"),
        ("string", {f"v{n}": "x" for n in range(51)}, "50 variants at most"),
    ],
)
def test_it_refuses_variants_that_are_not_of_one_storable_type(
    actor: Any, product: Any, kind: str, variants: Any, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        create_flag(actor, product, key="f", kind=kind, variants=variants)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"on": 0, "off": 0}, "All weights are 0"),
        ({"of": 1}, "no variant “of”"),
        ({"on": -1, "off": 2}, "whole number"),
    ],
)
def test_it_refuses_weights_that_give_nobody_anything(actor: Any, product: Any, weights: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        create_flag(actor, product, key="f", weights=weights)


def test_it_refuses_a_key_that_is_taken(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="ask-later")
    with pytest.raises(Conflict, match="There is a flag ask-later already"):
        create_flag(actor, product, key="ask-later")


def test_it_refuses_a_solution_that_the_hypothesis_is_not_about(actor: Any, product: Any, hypothesis: Any) -> None:
    other = create_solution(actor, product, title="Something else")
    with pytest.raises(Invalid, match="HYP-1 is about SOL-1, not SOL-2"):
        create_flag(actor, product, key="f", solution=other, hypothesis=hypothesis)


def test_a_viewer_may_not_and_an_outsider_sees_nothing(product: Any, viewer: Any, charlie: Any, bob: Any) -> None:
    with pytest.raises(Forbidden):
        create_flag(actor_of_user(viewer), product, key="f")
    with pytest.raises(NotFound):
        create_flag(actor_of_user(charlie), product, key="f")
    assert create_flag(actor_of_user(bob), product, key="f").key == "f"


def test_an_edit_changes_only_what_is_said(actor: Any, product: Any, hypothesis: Any) -> None:
    create_flag(actor, product, key="f", name="Old")
    flag = edit_flag(actor, product, "f", name="New", hypothesis=hypothesis)
    assert (flag.name, flag.hypothesis, flag.solution, flag.variants) == (
        "New",
        hypothesis,
        hypothesis.solution,
        {"on": True, "off": False},
    )
    flag = edit_flag(actor, product, "f", hypothesis=None)
    assert (flag.name, flag.hypothesis, flag.solution) == ("New", None, hypothesis.solution)


def test_an_edit_that_changes_nothing_writes_no_activity(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="f", name="Same")
    edit_flag(actor, product, "f", name="Same")
    assert activity_for(flag).count() == 1


def test_variants_may_be_added_but_one_in_use_not_taken_away(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="f", kind="string", variants={"a": "A", "b": "B"}, weights={"a": 1})
    flag = edit_flag(actor, product, "f", variants={"a": "A", "c": "C"})
    assert flag.weights == {"a": 1, "c": 0}
    with pytest.raises(Invalid, match="no variant “a”"):
        edit_flag(actor, product, "f", variants={"c": "C"})


def test_a_salt_cannot_change_while_people_are_in_the_rollout(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="f")
    assert edit_flag(actor, product, "f", salt="one").salt == "one"
    open_flag(actor, product, "f", coverage=100)
    with pytest.raises(Conflict, match="Turn the flag off first"):
        edit_flag(actor, product, "f", salt="two")


def test_an_edit_can_be_taken_back(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="f", name="Old")
    edit_flag(actor, product, "f", name="New")
    undo(actor, product, activity_for(flag).first().pk)  # type: ignore[union-attr]
    assert find_flag(product, "f").name == "Old"
