"""Which hunks only change how code looks."""

import pytest

from whytree.engines.git.formatting import is_formatting


def rows(sign: str, text: str) -> list[bytes]:
    """As `patch` gives them: a sign, and the line without its blanks."""
    return [(sign + "".join(line.split())).encode() for line in text.splitlines()]


def is_same(before: str, after: str, path: str = "a.py") -> bool:
    return is_formatting(path, rows("-", before), rows("+", after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("call(one, two)", "call(\n  one,\n  two\n)"),
        ("call(one, two)", "call(\n  one,\n  two,\n)"),
        ("x = {'a': 1, 'b': [2, 3]}", 'x = {\n  "a": 1,\n  "b": [\n    2,\n    3,\n  ],\n}'),
        ("x = 'say \"hi\"'", 'x = "say \\"hi\\""'),
        ("x = 'isn\\'t'  # don't", "x = \"isn't\"  # don't"),
        ("x = '''long\n'text'.'''", 'x = """long\n\'text\'."""'),
        ("import os\nimport abc", "import abc\nimport os"),
        ("import os, abc", "import abc\nimport os"),
        ("from x import b, a\nfrom . import c", "from . import c\nfrom x import (\n  a,\n  b,\n)"),
    ],
)
def test_looks_are_no_change(before: str, after: str) -> None:
    assert is_same(before, after)
    assert is_same(after, before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = (one)", "x = (one,)"),
        ("x = a[one]", "x = a[one,]"),
        ("f(lambda a, b: a)", "f(lambda a, b: a,)"),
        ('x = [\n"a"', 'x = [\n"a",'),  # the bracket closes elsewhere: what follows may have been one text with it
        ("x = 'a' 'b'", "x = 'a', 'b'"),
        ("x = 'a, b'", "x = 'a', 'b'"),
        ("x = r'\\''", 'x = r"\'"'),
        ("x = ',)'", "x = ')'"),
        ("x = 'a'  # ('b',)", "x = 'a'  # ('b')"),
        ("x = 'a'", "x = b'a'"),
        ("x = a", "x = 'a'"),
        ("x = not a", "x = -a"),
        ("x = '''a'''", "x = 'a'"),
        ("import os\nimport abc", "import abc\nimport re"),
        ("import os\nrun()\nimport abc", "import abc\nrun()\nimport os"),
        ("from a import b", "from b import a"),
        ("", "import abc"),
        ("x = 1", ""),
    ],
)
def test_whatever_may_mean_something_else_is_a_change(before: str, after: str) -> None:
    assert not is_same(before, after)
    assert not is_same(after, before)


def test_other_languages_may_move_blanks_and_line_breaks_alone() -> None:
    assert is_same("f(a, b)", "f(\n  a,\n  b\n)", "a.js")
    assert not is_same("f('a')", 'f("a")', "a.js")


def test_it_takes_a_moment_for_what_is_made_to_take_long() -> None:
    """Work grows with the text alone; a mistake here would hang the test, not slow it."""
    for piece in ('"', "'''", "(", "\\", ",", "(a,", "'\\", "#", "[{("):
        is_same(piece * 20_000 + "x", piece * 20_000 + " 'x'")
    is_same("import " + "(" * 20_000, "import " + "(\n" * 20_000)
