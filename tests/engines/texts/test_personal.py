"""Personal data in texts: found where it is one, and left alone where it only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.texts.personal import KINDS, find_personal, redact, restored


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "ann.lee+shop@mail.example.co.uk"),
        ("phone", "+49 151 23456789"),
        ("phone", "0151-2345678"),
        ("phone", "(030) 901820-40"),
        ("phone", "0044 20 7946 0018"),
        ("phone", "+14155552671"),
        ("card", "4111 1111 1111 1111"),
        ("card", "378282246310005"),
        ("token", "ghp_" + "a1B2" * 9),
        ("token", "Bearer abcdefghijklmnopqrstuvwx"),
        ("token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4"),
        ("ip", "203.0.113.77"),
        ("ip", "2001:db8:0:0:1:0:0:1"),
    ],
)
def test_it_is_found_and_its_kind_stands_in_its_place(kind: str, text: str) -> None:
    assert redact(f"It said {text}, twice.")[0] == f"It said [{KINDS[kind]}], twice."


@pytest.mark.parametrize(
    "text",
    [
        "I paid 1.234.567,89 for it",
        "version 10.4.2.31 crashes",
        "since 4.1.2.3",
        "order 4111111111111112",  # no card: its check digit is wrong
        "on 02.03.2026 and 03/04/2026",
        "at 10:20:30:40",
        "it took 00000000000 seconds",
        "costs 1000000000",
        "@mira said so",
        "sk-short",
        "C++ :: std::vector",
        "12345678",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert find_personal(text) == []


def test_only_the_kinds_asked_for_are_taken() -> None:
    text = "a@example.org or +49 151 23456789"
    assert redact(text, ["phone"])[0] == "a@example.org or [phone number]"
    assert redact(text, [])[0] == text


@given(
    st.lists(
        st.sampled_from(["a@example.org", "+49 151 23456789", "203.0.113.77", "words", "[phone number]", "é\n"]),
        max_size=12,
    )
)
def test_what_was_taken_out_comes_back_as_it_was(parts: list[str]) -> None:
    text = " ".join(parts)
    clean, taken = redact(text)
    assert restored(clean, taken) == text
    assert find_personal(clean) == []


@given(st.text(max_size=400))
def test_any_text_is_looked_through(text: str) -> None:
    clean, taken = redact(text)
    assert restored(clean, taken) == text


def test_a_long_row_of_digits_and_dots_takes_no_time() -> None:
    import time

    start = time.perf_counter()
    for hostile in (
        "0" * 100_000,
        "+1 " * 50_000,
        "a@" * 50_000,
        "1." * 50_000,
        ":a" * 50_000,
        "(0 " * 40_000,
        "eyJ" * 30_000,
    ):
        find_personal(hostile)
    assert time.perf_counter() - start < 5
