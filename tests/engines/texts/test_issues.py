"""A person's own words, apart from what forms, machines and others put into an issue."""

import pytest

from whytree.engines.texts.issues import is_machine, spoken


def test_headings_code_and_comments_are_left_out() -> None:
    body = (
        "<!-- thank you! -->\r\n### Describe the bug\r\n\r\nI get paged at night.\r\n\r\n```\r\nTraceback: x\r\n```\r\n"
        "### Expected\r\n_No response_\r\n- [x] I searched\r\nI only wanted to *pause* it."
    )
    assert spoken(body) == "I get paged at night. I only wanted to *pause* it."


def test_others_words_are_not_the_authors() -> None:
    assert spoken("> somebody else said this long sentence\n\nI agree with that, it hurts me too.") == (
        "I agree with that, it hurts me too."
    )


@pytest.mark.parametrize(
    "body", ["", "```\nonly code\n```", "### Title only", "ok", "<!-- never closed", "https://x.org/y"]
)
def test_nothing_said_is_nothing(body: str) -> None:
    assert spoken(body) == ""


def test_words_are_kept_as_they_were_written() -> None:
    words = "Ich möchte das [hier](https://example.org) ausschalten <b>können</b>!"
    assert spoken(words) == "Ich möchte das hier ausschalten <b>können</b>!"


def test_a_megabyte_is_read_at_its_beginning_only() -> None:
    assert len(spoken("word " * 200_000)) <= 20_000


@pytest.mark.parametrize(
    ("author", "machine"),
    [("dependabot[bot]", True), ("ci-bot", True), ("renovate", True), ("abbot", False), ("", False)],
)
def test_machines_are_told_by_their_names(author: str, machine: bool) -> None:
    assert is_machine(author) is machine


@pytest.mark.parametrize("body", ["[" * 20_000, "![" * 10_000, "<img " * 4_000, "[a](" * 5_000])
def test_brackets_without_end_keep_nobody_waiting(body: str) -> None:
    """Anybody may open an issue; what grows with the square of a text holds every thread."""
    assert len(spoken(body)) <= len(body)
