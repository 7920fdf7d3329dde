"""Finding voices by their words, whatever is typed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whytree.engines.texts.words import parse_query
from whytree.voice.finding import search
from whytree.voice.finding.search import best, matching
from whytree.voice.models import FeedbackItem

pytestmark = pytest.mark.relational


def test_all_words_have_to_be_there_and_a_beginning_is_enough(say: Any, find: Any) -> None:
    say("They refunded my card at once")
    say("No refund for my other order")
    assert find("refund card") == ["They refunded my card at once"]
    assert len(find("refund")) == 2
    assert find("efund") == []


def test_case_and_accents_do_not_matter(say: Any, find: Any) -> None:
    say("Die Größe ist FALSCH, très gênant")
    assert len(find("GRÖẞE falsch")) == len(find("große")) == len(find("genant")) == len(find("TRES")) == 1


def test_other_alphabets_have_cases_and_accents_too(say: Any, find: Any) -> None:
    say("Зачем вам МОЙ номер? Ο νόμος")
    assert len(find("мой НОМЕР")) == len(find("ΝΌΜΟΣ")) == 1


def test_a_phrase_and_a_word_to_leave_out(say: Any, find: Any) -> None:
    say("my phone number is private")
    say("the number of my phone")
    assert find('"phone number"') == ["my phone number is private"]
    assert find("phone -private") == ["the number of my phone"]


def test_words_parted_by_signs_are_found_as_written(say: Any, find: Any) -> None:
    say("the sign-up form and the user_name field")
    assert len(find("sign-up")) == len(find("sign_up")) == len(find("user_name")) == len(find("username")) + 1 == 1


def test_the_author_is_found_too(say: Any, find: Any) -> None:
    say("Nice", author_name="Mira Tanaka")
    assert find("tanaka") == ["Nice"]


def test_scripts_without_spaces_are_searched_inside(say: Any, find: Any) -> None:
    say("電話番号を求められたのでやめました")
    say("hello")
    assert len(find("番号")) == 1


def test_the_better_match_comes_first(say: Any, find: Any) -> None:
    say("phone " + "and many other words about something else entirely " * 20, said_at="2026-01-02")
    say("phone phone phone", said_at="2026-01-01")
    assert find("phone")[0] == "phone phone phone"


def test_a_letter_by_itself_is_a_whole_word(say: Any, find: Any) -> None:
    say("plan b is off")
    say("before that, the bill")
    assert find("b") == ["plan b is off"]
    assert len(find("be")) == 1


def test_the_best_are_those_that_match_best_and_of_very_many_those_that_came_in_last(
    product: Any, say: Any, monkeypatch: Any
) -> None:
    for number in range(6):
        say("phone " * (1 + number % 3) + "and a word more", said_at=f"2026-01-0{number + 1}")
    items, query = FeedbackItem.objects.filter(product=product), parse_query("phone")
    in_order = list(matching(items, query).values_list("pk", flat=True))
    assert best(items, query, 4) == (in_order[:4], 6)
    assert best(items.none(), query, 4) == ([], 0)
    monkeypatch.setattr(search, "MOST_RANKED", 3)
    last = sorted(in_order)[-3:]
    assert best(items, query, 4) == ([pk for pk in in_order if pk in last], 3)


def test_the_index_follows_changes_and_erasure(say: Any, find: Any) -> None:
    item = say("before", submission_id="1")
    say("after", submission_id="1")
    assert (find("before"), find("after")) == ([], ["after"])
    FeedbackItem.objects.filter(pk=item.pk).delete()
    assert find("after") == []


def test_another_products_voices_are_not_found(say: Any, find: Any, other_product: Any) -> None:
    item = say("secret")
    FeedbackItem.objects.filter(pk=item.pk).update(product=other_product)
    assert find("secret") == []


HOSTILE = [
    '"',
    "'",
    '" OR "',
    "NEAR(a b)",
    "a AND NOT b",
    "text:x",
    "*",
    "a*b",
    "(",
    ")",
    "^a",
    "a:*",
    "'; DROP TABLE x; --",
    "\\",
    "!",
    "&",
    "|",
    "<->",
    "-",
    "--",
    "😀",
    "%",
    "_",
    "a\x00b",
]


@pytest.mark.parametrize("typed", HOSTILE)
def test_hostile_text_is_only_text(say: Any, find: Any, typed: str) -> None:
    say("a plain voice")
    assert find(typed) in ([], ["a plain voice"])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(typed=st.text(max_size=40))
def test_no_query_breaks_the_search(product: Any, typed: str) -> None:
    query = parse_query(typed)
    if not query.is_empty:
        list(matching(FeedbackItem.objects.filter(product=product), query)[:1])
