"""`git log` as real git prints it, and the message conventions of forges."""

import random
from pathlib import Path

import pytest

from tests.code.repositories import Clone
from whytree.engines.git.log import (
    LOG_ARGUMENTS,
    PATHS_TOO,
    Merge,
    cut,
    is_one_piece,
    merged_through,
    own_subject,
    own_words,
    parse_log,
    parse_merge,
    parse_trailers,
    reverted,
    stands_on,
    unrelated,
)


def log(clone: Clone, *, chunk: int = 7) -> list[bytes]:
    raw = clone.git("log", *LOG_ARGUMENTS, *PATHS_TOO).encode()
    return [raw[start : start + chunk] for start in range(0, len(raw), chunk)]


def test_commits_are_read_whatever_the_chunks(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    first = clone.commit("Add a form", **{"app/form.py": "a\n", "app/b c ä.py": "b\n"})
    second = clone.commit("Defer the phone\n\nIt scared people.\n\nWhy: SOL-3", **{"app/form.py": "c\n"})
    third = clone.commit("Nothing changes")
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: SOL-9", third)

    for chunk in (1, 7, 1 << 20):
        newest, middle, oldest = parse_log(log(clone, chunk=chunk))
        assert (newest.sha, newest.parents, newest.paths, newest.note) == (third, (second,), (), "Why: SOL-9")
        assert (middle.subject, middle.body) == ("Defer the phone", "It scared people.\n\nWhy: SOL-3")
        assert (oldest.sha, oldest.parents, oldest.author_name) == (first, (), "Ana")
        assert set(oldest.paths) == {"app/form.py", "app/b c ä.py"}
        assert oldest.authored_at.isoformat() == "2026-03-01T12:00:06+00:00"


def test_an_empty_answer_holds_no_commit() -> None:
    assert list(parse_log([])) == []
    assert list(parse_log([b""])) == []


def test_odd_encodings_and_enormous_subjects_are_kept_readable(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.git("config", "i18n.commitEncoding", "ISO-8859-1")
    clone.write("a", "a")
    clone.git("add", "a")
    clone.git("commit", "--quiet", "--file=-", stdin="Größer".encode("latin-1"))
    clone.git("config", "--unset", "i18n.commitEncoding")
    clone.git("commit", "--quiet", "--allow-empty", "--file=-", stdin=b"x" * 1_000_000)
    huge, latin = parse_log(log(clone, chunk=65536))
    assert latin.subject == "Größer"
    assert huge.subject == ""  # one word of a million letters: no part of it is meant


def test_a_text_is_cut_between_words() -> None:
    assert cut("Why: SOL-12", 10) == "Why: "
    assert cut("Why: SOL-1 2", 10) == "Why: SOL-1"
    assert cut("Why: SOL-1", 10) == "Why: SOL-1"
    assert cut("a\nFixes #412", 11) == "a\nFixes "


def test_an_absurd_date_does_not_stop_the_reading() -> None:
    fields = ["a" * 40, "", "Ana", "a@b.c", "-5000-01-01T00:00:00+99:59", "Subject", "", ""]
    (commit,) = parse_log(["\0".join([*fields, "", ""]).encode()])
    assert commit.authored_at.year == 1970


@pytest.mark.parametrize(
    ("subject", "body", "merge"),
    [
        ("Merge pull request #12 from ana/sol-3-form", "Add form", Merge("#12", "sol-3-form")),
        ("Merge pull request #12 from ana/fix/form", "", Merge("#12", "fix/form")),
        ("Merge branch 'fix/form' into 'main'", "Form\n\nSee merge request a/b!12", Merge("!12", "fix/form")),
        ("Merge branch 'main' into sol-3-form", "", Merge(into="sol-3-form", sums_up=True)),
        ("Merge branch 'sol-3-form' into sol-4-page", "", Merge("", "sol-3-form", "sol-4-page")),
        ("Merge branch 'main'", "", Merge(sums_up=True)),
        ("Merge branch 'main' of github.com:acme/sprout", "", Merge(sums_up=True)),
        ("Merge branch 'release/1.2' into main", "", Merge(sums_up=True)),
        ("Merge branches 'sol-3-form' and 'sol-4-page'", "", Merge(sums_up=True)),
        ("Merge branch 'sol-3-form', remote-tracking branch 'origin/sol-4'", "", Merge(sums_up=True)),
        ("Merge pull request #12 from acme/develop", "", Merge("#12", sums_up=True)),
        ("Merge pull request #12 from ana/main", "", Merge("#12")),
        ("Merge pull request 'Add form' (#12) from ana/sol-3-form into main", "", Merge("#12", "sol-3-form")),
        ("Merge pull request #12 in ACME/sprout from sol-3-form to main", "", Merge("!12", "sol-3-form")),
        ("Pull request #12: Add form", "", Merge()),
        ("Merge pull request 12 from sol-3-form into main", "", Merge("!12", "sol-3-form")),
        ("Merge remote-tracking branch 'origin/form'", "", Merge("", "form")),
        ("Merged in form (pull request #12)", "", Merge("!12", "form")),
        ("Merged PR 12: Form", "", Merge("!12")),
        ("Add form (#12)", "", Merge("#12")),
        ("Add form (!12)", "", Merge("!12")),
        ("Add form (#12) and more", "", Merge()),
        ('Revert "Add form (#12)"', "", Merge()),
        ('Revert "Add form (#12)" (#13)', "", Merge("#13")),
        ("Add form", "", Merge()),
    ],
)
def test_a_merge_names_its_pull_request_and_branch(subject: str, body: str, merge: Merge) -> None:
    assert parse_merge(subject, body) == merge


def test_why_trailers_count_wherever_a_squash_left_them() -> None:
    body = "* one\n\nWhy: SOL-1\n\n* two\n\nNote: not a trailer\n\nWhy-Flag: x\nSigned-off-by: Ana <a@b.c>"
    assert parse_trailers(body) == (("Why", "SOL-1"), ("Why-Flag", "x"), ("Signed-off-by", "Ana <a@b.c>"))
    assert parse_trailers("") == ()


def test_a_revert_names_what_it_reverts_and_its_quotation_is_not_its_own() -> None:
    assert reverted("This reverts commit 1234567890.") == "1234567890"
    assert reverted("Tell why") == ""
    assert reverted('* Ask less\n\n* Revert "Ask less"\n\nThis reverts commit 1234567890.\n\n* Ask later') == ""
    assert own_subject('Revert "Fix #12" (#13)') == "(#13)"
    assert own_subject("Fix #12") == "Fix #12"


def test_each_commit_of_a_merged_branch_knows_the_merge_that_ended_its_branch() -> None:
    #   1 - 2 ----- M1 ------ M2      trunk
    #        \ a - b /    \ c /       b was itself merged from d
    parents = {
        "M2": ["M1", "c"],
        "c": ["M1"],
        "M1": ["2", "b"],
        "b": ["a", "d"],
        "d": ["a"],
        "a": ["2"],
        "2": ["1"],
        "1": [],
    }
    assert merged_through(parents, "M2") == {"a": "M1", "b": "M1", "d": "b", "c": "M2"}
    assert merged_through({"M2": ["M1", "gone"]}, "M2") == {}
    assert merged_through({}, "M2") == {}


def test_nothing_is_looked_at_within_a_merge_that_is_one_piece() -> None:
    parents = {"M": ["1", "b"], "b": ["a", "d"], "d": ["a"], "a": ["1"], "1": []}
    assert merged_through(parents, "M", {"M"}) == {"a": "M", "b": "M", "d": "M"}


@pytest.mark.parametrize(
    ("subject", "whole"),
    [
        ("Merge pull request #12 from zoe/patch", True),
        ("Merge pull request #12 from acme/develop", False),
        ("Merge branch 'x'", False),
        ("Merge branch 'main' of github.com:acme/sprout", False),
        ("Merge branch 'main' of https://github.com/Acme/sprout.git into x", False),
        ("Merge branch 'main' of ssh://git@github.com/acme/sprout", False),
        ("Merge branch 'main' of github.com:zoe/sprout", True),
    ],
)
def test_a_merge_is_one_piece_when_it_is_a_request_or_fetched_from_elsewhere(subject: str, whole: bool) -> None:
    assert is_one_piece(subject, "", "github.com/acme/sprout") == whole


def test_commits_of_the_trunk_that_a_topic_took_in_are_not_the_topics() -> None:
    #   1 - 2 - M1 - 3          main; M1 merges f
    #    \           \
    #     a --------- b         the topic takes main in, and main is then wound forward to b
    parents = {"b": ["a", "3"], "3": ["M1"], "M1": ["2", "f"], "f": ["1"], "2": ["1"], "a": ["1"], "1": []}
    assert merged_through(parents, "b") == {"3": "b", "M1": "b", "2": "b", "f": "M1"}


def test_a_history_merged_in_from_elsewhere_is_told_apart() -> None:
    parents = {"3": ["2", "y"], "2": ["1"], "1": [], "y": ["x"], "x": []}
    assert unrelated(parents, "3") == {"x", "y"}
    assert unrelated({"3": ["2", "y"], "y": []}, "3") == set()  # cut off: nobody can tell
    assert unrelated({}, "3") == set()


@pytest.mark.parametrize("seed", range(60))
def test_what_is_new_is_placed_as_in_the_whole_history(seed: int) -> None:
    draw = random.Random(seed)
    graph: dict[str, list[str]] = {}
    for number in range(40):
        count = draw.choices([0, 1, 2, 3], [1, 12, 6, 1])[0]
        graph[f"c{number}"] = draw.sample(sorted(graph)[-12:], min(count, len(graph), 12))
    head = "c39"
    whole = {one: graph[one] for one in _ancestors(graph, [head])}
    read = _ancestors(graph, draw.sample(sorted(graph), 2))
    new = {one: above for one, above in whole.items() if one not in read}
    pieces = set(draw.sample(sorted(graph), 10))
    elsewhere = unrelated(whole, head)
    through = merged_through(whole, head, pieces)
    assert merged_through(new, head, pieces) == {one: merge for one, merge in through.items() if one in new}
    for one in new:
        below = stands_on(new, head, one)
        known = None if below is None else all(commit in elsewhere or commit not in whole for commit in below)
        assert (known or False) == (one in elsewhere)


def _ancestors(graph: dict[str, list[str]], tips: list[str]) -> set[str]:
    found: set[str] = set()
    while tips:
        one, *tips = tips
        if one not in found:
            found.add(one)
            tips += graph[one]
    return found


def test_an_indented_trailer_is_an_example_but_in_gits_own_squash() -> None:
    assert parse_trailers("Write a line as\n\n    Why: SOL-1\n\ninto the message.") == ()
    assert parse_trailers("Write as\n\n    Why: SOL-1") == ()
    squash = f"commit {'a' * 40}\nAuthor: Ana <a@b.c>\nDate:   now\n\n    Add\n    \n    Why: SOL-1"
    assert parse_trailers(squash) == (("Why", "SOL-1"),)


def test_a_picked_commits_trailers_are_still_its_last_paragraph() -> None:
    assert parse_trailers(f"Ticket: ABC-1\n\n(cherry picked from commit {'a' * 40})") == (("Ticket", "ABC-1"),)


@pytest.mark.parametrize(
    ("subject", "author"),
    [
        ("Bump x from 1.0 to 1.1", "Ana"),
        ("build(deps): bump x from 1.0 to 1.1 in /web", "Ana"),
        ("Squashed 'vendor/x/' changes from 12ab34..56cd78", "Ana"),
        ("Release 1.2", "Ana"),
        ("chore(release): 1.2.0", "Ana"),
        ("Prepare release v1.2.0", "Ana"),
        ("1.2.0", "Ana"),
        ("Add form", "dependabot[bot]"),
        ("Add form", "renovate-bot"),
    ],
)
def test_what_others_wrote_is_not_read_as_the_authors_words(subject: str, author: str) -> None:
    assert own_words(subject, "Fixes #412", author) == ""


def test_quoted_lines_comments_and_reverts_are_left_out_of_a_message() -> None:
    body = 'Do it.\n> Fixes #1\n<!-- Fixes #2\n-->\nRevert "Fixes #3"\nFixes #4 <!-- open'
    assert own_words("Add form", body, "Abbot").split() == ["Do", "it.", "Fixes", "#4"]
    assert own_words("Release the lock when the form closes", "Fixes #4") == "Fixes #4"
    assert own_subject('fixup! Revert "Fixes #3"') == ""
