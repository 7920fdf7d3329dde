"""What a search asks for and where it is found."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from whytree.engines.texts.words import Query, Term, excerpt, find_spans, fold, merge_spans, parse_query, pieces


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("refund", [Term(("refund",))]),
        ("GROẞE  ÉTÉ", [Term(("große",)), Term(("ete",))]),
        ('"phone number"', [Term(("phone", "number"), exact=True)]),
        ("sign-up", [Term(("sign", "up"))]),
        ("phone -ios", [Term(("phone",)), Term(("ios",), excluded=True)]),
        ('-"sign up"', [Term(("sign", "up"), exact=True, excluded=True)]),
        ('"open', [Term(("open",))]),
        ("", []),
        ("\" ' * ( ) : ^ - OR", [Term(("or",))]),
    ],
)
def test_a_query_is_words_and_phrases_and_nothing_else(typed: str, terms: list[Term]) -> None:
    assert parse_query(typed) == Query(tuple(terms))


def marked(text: str, typed: str) -> list[str]:
    return [text[start:end] for start, end in find_spans(text, parse_query(typed))]


def test_words_are_found_by_their_beginning_whatever_their_case_and_accents() -> None:
    assert marked("Refunds? I was REFUNDED. Prerefund.", "refund") == ["Refunds", "REFUNDED"]
    assert marked("Die Größe stimmt, GRÖẞER nicht", "größe") == ["Größe", "GRÖẞER"]
    assert marked("cafe\u0301 open", "café") == ["cafe\u0301"]


def test_other_alphabets_keep_their_letters() -> None:
    assert fold("МОЙ Νόμος") == "мой νόμοσ"
    assert marked("Мой номер", "мой") == ["Мой"]


def test_a_phrase_is_found_across_line_ends_and_signs_but_only_whole() -> None:
    assert marked("my phone\nnumber, phone numbers", '"phone number"') == ["phone\nnumber"]
    assert marked("sign-up, sign_up, sign it up", "sign-up") == ["sign-up", "sign_up"]


def test_excluded_words_are_not_marked() -> None:
    assert marked("phone and ios", "phone -ios") == ["phone"]


def test_scripts_without_spaces_are_searched_inside() -> None:
    assert marked("電話番号を求められた", "番号") == ["番号"]


def test_an_excerpt_shows_the_match_in_the_middle_of_a_long_text() -> None:
    text = "word " * 200 + "the needle is here " + "word " * 200
    shown = excerpt(text, parse_query("needle"))
    assert "".join(piece.text for piece in shown).startswith("… word")
    assert [piece.text for piece in shown if piece.marked] == ["needle"]
    assert len("".join(piece.text for piece in shown)) < 200


def test_an_excerpt_without_a_match_is_the_beginning() -> None:
    assert "".join(piece.text for piece in excerpt("short", Query())) == "short"
    assert "".join(piece.text for piece in excerpt("a" * 500, Query())).endswith(" …")


TEXT = st.text(max_size=200)


@given(text=TEXT, typed=st.text(max_size=40))
def test_no_query_breaks_the_marking_and_nothing_is_lost(text: str, typed: str) -> None:
    query = parse_query(typed)
    spans = find_spans(text, query)
    assert spans == merge_spans(spans)
    assert "".join(piece.text for piece in pieces(text, spans)) == text
    assert all(piece.text for piece in excerpt(text, query, width=40))


@example(text="ß\u0301")
@given(text=st.text(alphabet="abc äÖßİ-́", min_size=1, max_size=60))
def test_every_word_of_a_text_is_found_in_it(text: str) -> None:
    for word in fold(text).split():
        query = parse_query(f'"{word}"')
        if not query.is_empty:
            assert find_spans(text, query)
