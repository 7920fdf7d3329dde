"""`git blame --porcelain` as real git prints it."""

from pathlib import Path

import pytest

from tests.code.repositories import Clone
from whytree.engines.git.blame import BLAME_ARGUMENTS, Span, parse_blame, parse_ignore_revs, spans_of, unquote_path


def test_each_line_knows_its_commit_and_its_file_of_origin(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    text = "def one():\n    return 'a line long enough to be followed when it moves'\n\tauthor fake\n"
    first = clone.commit("Add", **{"a b.py": text})
    clone.git("mv", "a b.py", "c.py")
    renamed = clone.commit("Rename and add", **{"c.py": text + "filename x\nö = 1\n"})
    lines = list(parse_blame(clone.git(*BLAME_ARGUMENTS, "c.py").encode()))
    assert [(line.line, line.sha, line.path) for line in lines] == [
        (1, first, "a b.py"),
        (2, first, "a b.py"),
        (3, first, "a b.py"),
        (4, renamed, "c.py"),
        (5, renamed, "c.py"),
    ]
    assert [line.text for line in lines[2:]] == ["\tauthor fake", "filename x", "ö = 1"]
    assert spans_of((line.line, line.sha) for line in lines) == [Span(1, 3, first), Span(4, 5, renamed)]
    assert Span(4, 5, renamed).size == 2


def test_neighbours_join_and_gaps_do_not() -> None:
    assert spans_of([(1, "a"), (2, "a"), (4, "a"), (5, "b")]) == [Span(1, 2, "a"), Span(4, 4, "a"), Span(5, 5, "b")]
    assert spans_of([]) == []


def test_an_ignore_file_gives_its_full_ids_and_nothing_git_would_refuse() -> None:
    full = "a" * 40
    assert parse_ignore_revs(f"# black\n{full}  # 2026\n\nabc123\nHEAD\n{'b' * 40}\n") == (full, "b" * 40)


@pytest.mark.parametrize(
    ("printed", "path"),
    [("a b.py", "a b.py"), (r'"a\tb\"\\.py"', 'a\tb"\\.py'), (r'"\303\266.py"', "ö.py"), ('"', '"'), ("", "")],
)
def test_quoted_paths_are_read_back(printed: str, path: str) -> None:
    assert unquote_path(printed) == path
