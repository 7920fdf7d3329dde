"""Voices one by one from the command line."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.voice.conftest import Done
from whytree.voice.models import FeedbackItem

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

Cli = Callable[..., Done]


def test_what_one_heard_is_kept_with_oneself_as_the_reporter(cli: Cli, alice: Any) -> None:
    done = cli("feedback", "add", "It asked too much", "--author", "Mira", "--person", "mira", "--source", "a call")
    assert done.out == "FB-1 waits for a reader.\n"
    item = FeedbackItem.objects.get()
    assert (item.reporter, item.author_name, item.person_key, item.source) == (alice, "Mira", "mira", "a call")


def test_a_search_shows_where_the_words_are(cli: Cli, say: Any) -> None:
    say("word " * 30 + "and then it asked for my phone number", said_at="2026-03-02", rating=2, source="play")
    told = cli("feedback", "search", "phone").out
    assert "FB-1      2026-03-02  play  2★" in told
    assert "phone number" in told
    assert "Nothing found" in cli("feedback", "search", "zebra").out
    assert [item["ref"] for item in cli("feedback", "search", "--json").json["items"]] == ["FB-1"]


def test_linking_showing_unlinking_and_putting_away(cli: Cli, say: Any, opportunity: Any) -> None:
    item = say("It asked for my phone number")
    assert "FB-1 speaks for OPP-1" in cli("feedback", "link", "FB-1", "opp-1", "--quote", "my phone number").out
    shown = cli("feedback", "show", "fb-1").out
    assert "It asked for my phone number" in shown
    assert "OPP-1 I don't know why you need my phone number (importance 1)" in shown
    assert "no longer" in cli("feedback", "unlink", "FB-1", "OPP-1").out
    assert "put away" in cli("feedback", "put-away", "FB-1").out
    item.refresh_from_db()
    assert not item.is_waiting


def test_a_refusal_is_one_sentence(cli: Cli, product: Any) -> None:
    done = cli("feedback", "show", "FB-7")
    assert (done.code, done.error) == (1, "There is no FB-7 in Sprout.")


def test_imports_are_listed_and_taken_back(cli: Cli, tmp_path: Any) -> None:
    assert "No import yet" in cli("feedback", "imports").out
    (tmp_path / "a.csv").write_text("text\nhello there\n")
    run = cli("import", "feedback", str(tmp_path / "a.csv"), "--json").json
    assert "1 new of 1  a.csv" in cli("feedback", "imports").out
    assert "Voices that went out again: 1." in cli("feedback", "undo-import", str(run["id"])).out
    assert "taken back" in cli("feedback", "imports").out
