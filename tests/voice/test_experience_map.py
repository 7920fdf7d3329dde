"""The stories of all talks as one map: steps in order, each talk counted once, words only of who may be quoted."""

from collections.abc import Callable
from typing import Any

import pytest

from whytree.errors import Invalid
from whytree.voice.interviews import maps
from whytree.voice.interviews.erasing import erase_interviews
from whytree.voice.interviews.services import Span, highlight_talk, import_interview, link_highlight, write_snapshot
from whytree.voice.models import Interview

from .conftest import Done

WORDS = "Ana: What happened?\nMira: I could not find the beds at all.\nAna: And then?\nMira: I gave up."


def talk(actor: Any, product: Any, person: str, **more: Any) -> Interview:
    words = f"{WORDS}\nAna: You are {person}?\nMira: Yes."
    return import_interview(actor, product, words, person=person, interviewers=["Ana"], **more).interview


def tell(actor: Any, talk: Interview, *steps: str, mark: int | None = None) -> None:
    """`"+It rains"` felt good, `"-It rains"` bad; the mark is of the first step."""
    felt = {"+": "high", "-": "low"}
    told: Any = [
        {"step": one.lstrip("+-"), "highlight": None if at else mark, "feeling": felt.get(one[0], "")}
        for at, one in enumerate(steps)
    ]
    write_snapshot(actor, talk, experience_map=told)


@pytest.mark.parametrize(
    ("stories", "order"),
    [
        (["abc", "bcd"], "abcd"),
        (["abcde", "de"], "abcde"),  # by the place within a story alone, d would come before c
        (["ab", "ba", "ba"], "ba"),
        (["abab", "b"], "ab"),
        (["a", "", "b"], "ab"),
        (["abc", "bca", "cab"], "abc"),  # round in a circle: whatever comes, each is there once
        ([], ""),
    ],
)
def test_steps_stand_in_the_order_that_contradicts_the_fewest(stories: list[str], order: str) -> None:
    assert "".join(maps.in_order([list(story) for story in stories])) == order


def test_stories_without_a_common_step_are_not_mixed() -> None:
    met = maps.that_meet([list("abc"), list("xy"), list("cd"), [], list("dz")])
    assert ["".join(maps.in_order(part)) for part in met] == ["abcdz", "xy", ""]


def test_stories_join_with_feelings_words_and_opportunities(
    actor: Any, product: Any, opportunity: Any, as_viewer: Any, as_charlie: Any, cli: Callable[..., Done]
) -> None:
    one, two = talk(actor, product, "mira"), talk(actor, product, "jo", segment="trial")
    mark = highlight_talk(actor, one, Span(quote="could not find the beds"))
    link_highlight(actor, mark, opportunity)
    tell(actor, one, "-Looks for <b>beds</b>", "Gives up", mark=mark.pk)
    tell(actor, two, "Opens the app", "+looks for <B>beds</B>!", "looks for <b>beds</b>")
    found = maps.joined_map(product)
    assert [(stage.words.casefold().rstrip("!"), stage.told, stage.low, stage.high) for stage in found.stages] == [
        ("opens the app", 1, 0, 0),
        ("looks for <b>beds</b>", 2, 1, 1),
        ("gives up", 1, 0, 0),
    ]
    stage = found.stages[1]
    assert ([quote.quote for _, quote in stage.quotes], list(stage.opportunities)) == ([mark.quote], [opportunity])
    assert next(stage.words for stage in maps.joined_map(product, "trial").stages) == "Opens the app"
    page = as_viewer.get("/p/sprout/interviews/map").content.decode()
    assert page.count("could not find the beds") == 1
    assert '<svg class="experience-map"' in page
    assert "<b>beds" not in page.lower()
    assert as_charlie.get("/p/sprout/interviews/map").status_code == 404
    told = cli("interview", "map", "--json").json
    assert (told["talks"], told["steps"][1]["opportunities"]) == (2, {opportunity.ref: 1})
    assert "2 told it, 1 felt good, 1 bad" in cli("interview", "map").out
    cli("interview", "snapshot", two.ref, "--step", "Waits", "--low", "1")
    assert maps.joined_map(product, "trial").stages[0].low == 1
    assert cli("interview", "snapshot", two.ref, "--step", "Waits", "--low", "2").code == 1


def test_who_is_not_to_be_quoted_counts_without_words_and_who_is_forgotten_not_at_all(
    actor: Any, product: Any, as_alice: Any
) -> None:
    quiet, gone = talk(actor, product, "mira", consent="none"), talk(actor, product, "jo")
    for one in (quiet, gone):
        tell(actor, one, "Looks", mark=highlight_talk(actor, one, Span(quote="gave up")).pk)
    (stage,) = maps.joined_map(product).stages
    assert (stage.told, [one.ref for one, _ in stage.quotes]) == (2, [gone.ref])
    erase_interviews(product, "jo")
    (stage,) = maps.joined_map(product).stages
    assert (stage.told, stage.quotes) == (1, [])
    erase_interviews(product, "mira")
    assert "Write down one story" in as_alice.get("/p/sprout/interviews/map").content.decode()


def test_a_feeling_is_low_or_high(actor: Any, product: Any, as_alice: Any) -> None:
    one = talk(actor, product, "mira")
    with pytest.raises(Invalid, match="low or high"):
        write_snapshot(actor, one, experience_map=[{"step": "Looks", "highlight": None, "feeling": "so so"}])
    form = {"step": ["Looks", ""], "mark": ["", ""], "feeling": ["low", ""]}
    as_alice.post(f"/p/sprout/{one.ref}/snapshot/edit", form)
    assert maps.joined_map(product).stages[0].low == 1
    assert "felt bad" in as_alice.get(f"/p/sprout/{one.ref}/snapshot/edit").content.decode()
