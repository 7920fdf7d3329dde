"""Rankings and where they disagree."""

from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.weighing import APART, disagreements, rank


def test_equals_share_a_place_and_no_answer_has_none() -> None:
    assert rank({"a": 5, "b": 7, "c": 5, "d": None, "e": 0}) == {"a": 2, "b": 1, "c": 2, "e": 4}
    assert rank({}) == {}


def test_the_two_that_are_furthest_apart_are_told_once() -> None:
    votes = {"a": 9, "b": 5, "c": 3, "d": 1}
    people = {"a": 4, "b": 3, "c": 2, "d": 1}
    hit = {"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.2}
    told = disagreements({"votes": votes, "people": people, "prevalence": hit})
    assert [(one.of, one.high, one.high_place, one.low, one.low_place, one.among) for one in told] == [
        ("a", "votes", 1, "prevalence", 4, 4),
        ("d", "prevalence", 1, "votes", 4, 4),
    ]
    assert told[0].apart == 1.0


def test_only_what_both_can_tell_is_compared() -> None:
    """a is last of five by people, but the first of those that are measured."""
    people = {"a": 1, "b": 1, "c": 1, "d": 8, "e": 9}
    hit = {"a": 0.3, "b": 0.2, "c": 0.1, "d": None, "e": None}
    assert disagreements({"people": people, "prevalence": hit})[0].of == "c"
    assert disagreements({"people": {"a": 1, "b": 2}, "prevalence": {"a": 2, "b": 1}}) == []


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 5), st.integers(0, 5) | st.none())))
def test_what_is_told_is_far_apart_and_none_twice(values: dict[str, tuple[int, int | None]]) -> None:
    one = {name: value for name, (value, _) in values.items()}
    other = {name: value for name, (_, value) in values.items()}
    told = disagreements({"one": one, "other": other})
    assert all(APART <= found.apart <= 1 for found in told)
    assert len({found.of for found in told}) == len(told)
    assert disagreements({"one": one, "other": one}) == []
