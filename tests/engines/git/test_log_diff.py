"""Flags a commit brought in."""

from pathlib import Path

from tests.code.repositories import Clone
from whytree.engines.git.log_diff import (
    DIFF_ARGUMENTS,
    FileDiff,
    flags_added,
    flags_pattern,
    parse_diffs,
)


def diffs(clone: Clone, *arguments: str) -> list[FileDiff]:
    return list(parse_diffs(clone.git("log", *DIFF_ARGUMENTS, *arguments).encode().splitlines(keepends=True)))


def test_content_is_never_taken_for_a_header(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    tricky = "-- a/other\n++ b/other\ndiff --git a/x b/x\ncommit 1234\n@@ -1 +1 @@\n"
    first = clone.commit("Add", **{"a b\t.sql": tricky})
    second = clone.commit("Change", **{"a b\t.sql": tricky.replace("-- a", "-- b")})
    clone.commit("Binary", **{"x.bin": "\0\1\2"})
    binary, change, add = diffs(clone)
    assert binary.hunks == []
    assert (add.sha, add.path, add.hunks[0].added) == (first, "a b\t.sql", tricky.splitlines())
    assert (change.sha, change.hunks[0].removed, change.hunks[0].added) == (second, ["-- a/other"], ["-- b/other"])


def test_a_flag_counts_where_it_came_in_not_where_it_moved(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.commit("Start", **{"a.py": "x = 1\n", "b.py": ""})
    brought = clone.commit("Bring", **{"a.py": "if on('defer_phone'):\n    x = 1\n"})
    clone.commit("Indent", **{"a.py": "try:\n    if on('defer_phone'):\n        x = 1\n"})
    clone.commit("Move", **{"a.py": "", "b.py": "if on('defer_phone'):\n    x = 1\n"})
    clone.commit("Look-alike", **{"a.py": "defer_phone_number = 1\nmy-defer_phone = 2\n"})
    again = clone.commit("Again", **{"a.py": "on('defer_phone')\n"})
    keys = ["defer_phone", "a.b*(c", ""]
    found = flags_added(diffs(clone, f"-G{flags_pattern(keys)}"), keys)
    assert found == {brought: ("defer_phone",), again: ("defer_phone",)}
    assert flags_added(diffs(clone), []) == {}


def test_a_word_counts_only_in_quotation_marks_and_prose_never(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.commit("Speak of it", **{"a.py": "# how to search\nsearch = search()\n"})
    clone.commit("Release", **{"CHANGELOG": "'search' and defer_phone\n", "docs/flags.md": "`search`, defer_phone\n"})
    brought = clone.commit("Bring", **{"b.py": "on('search')\n"})
    assert flags_added(diffs(clone), ["search", "defer_phone"]) == {brought: ("search",)}


def test_a_pattern_of_flag_keys_is_literal() -> None:
    assert flags_pattern(["b-1", "a.b*(c"]) == r"a\.b\*\(c|b-1"
    assert flags_pattern([]) == ""
