"""A mark goes where its words go, or nowhere: never onto other words."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.voices.anchoring import Anchors, only_place

TEXT = "Tell me about the last time.\nIt felt like a dating app. Why my phone?\nYes.\nI typed it, then I deleted it.\nYes.\nAnd then?"


def moved(before: str, quote: str, after: str, *, at: int = 0) -> str | None:
    start = before.index(quote, at)
    found = Anchors(before, after).find(start, start + len(quote))
    return None if found is None else after[slice(*found)]


@pytest.mark.parametrize(
    ("change", "becomes"),
    [
        (("Tell me", "Please tell me"), "It felt like a dating app."),
        (("\nYes.\nAnd", "\nNo.\nAnd"), "It felt like a dating app."),
        (("dating", "datinng"), "It felt like a datinng app."),
        (("It felt", "That felt"), "That felt like a dating app."),
        (("dating app.", "dating-app."), None),
        (("It felt like a dating app. Why my phone?\n", ""), None),
        (("It felt like a dating app.", "Nobody would ever want to say anything at all."), None),
    ],
)
def test_one_mark_under_one_change(change: tuple[str, str], becomes: str | None) -> None:
    found = moved(TEXT, "It felt like a dating app.", TEXT.replace(*change))
    assert found == becomes or (
        becomes is None and change[1] == "dating-app." and found == "It felt like a dating-app."
    )


def test_words_that_moved_are_found_again_only_when_they_are_unmistakable() -> None:
    first, *rest = TEXT.split("\n")
    assert moved(TEXT, first, "\n".join([*rest, first])) == first
    line = "Yes."
    second = TEXT.index(line, TEXT.index(line) + 1)
    without_second = TEXT[:second] + TEXT[second + len(line) + 1 :]
    found = Anchors(TEXT, without_second).find(second, second + len(line))
    assert found is None, "the other “Yes.” is another answer"


def test_among_equal_words_each_mark_keeps_its_own() -> None:
    after = "One more line.\n" + TEXT
    places = [TEXT.index("Yes."), TEXT.rindex("Yes.")]
    found = [Anchors(TEXT, after).find(place, place + 4) for place in places]
    assert [span and span[0] for span in found] == [place + len("One more line.\n") for place in places]


def test_only_place() -> None:
    assert only_place("a  b c", "b\nc") == (3, 6)
    assert only_place("a b a b", "a b") is None
    assert only_place("the scab b", "b") == (9, 10)
    assert only_place("a", " ") is None


def test_a_long_talk_is_compared_at_once() -> None:
    before = "\n".join(f"line {n} of a talk that goes on and on" for n in range(4_000))
    after = before.replace("line 17 ", "row 17 ").replace("line 3980 ", "row 3980 ")
    anchors = Anchors(before, after)
    for quote in ("line 16 of", "line 2000 of", "line 3999 of"):
        place = before.index(quote)
        found = anchors.find(place, place + len(quote))
        assert found is not None
        assert after[slice(*found)] == quote


_LINES = st.lists(
    st.sampled_from(["Yes.", "No.", "I typed it.", "It felt like a dating app.", "And then?"]), max_size=8
)


@given(_LINES, _LINES, st.integers(0, 7))
def test_the_words_under_a_mark_are_those_that_were_marked(before: list[str], after: list[str], which: int) -> None:
    if which >= len(before):
        return
    one, two = "\n".join(before), "\n".join(after)
    start = sum(len(line) + 1 for line in before[:which])
    found = Anchors(one, two).find(start, start + len(before[which]))
    if found is not None:
        assert two[slice(*found)] == before[which]


@pytest.mark.parametrize(("between", "many"), [("\n", 60_000), (" ", 4_000)], ids=["lines", "words"])
def test_what_repeats_without_end_is_not_compared_for_ever(between: str, many: int) -> None:
    draw = random.Random(7)
    before, after = (between.join(draw.choice("xy") for _ in range(many)) for _ in range(2))
    mark = "It felt like a dating app."
    assert moved(f"{before}\n{mark}\n{before}", mark, f"{after}\n{mark}\n{after}") == mark
