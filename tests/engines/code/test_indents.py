"""Nesting from indentation, in any style."""

import pytest

from whytree.engines.code.indents import nesting


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        (b"", 0),
        (b"a\nb\n", 0),
        (b"a\n    b\n        c\n", 3),
        (b"a\n\tb\n\t\tc\n\n", 3),
        (b"a\n  b\n    c\na\n  b\n    c\n", 6),
        (b"a\n    \n\n", 0),
        (b"one\n" + b"    two\none\n" * 3, 3),
        (b"\xff\xfe\n    \x00\n", 1),
    ],
)
def test_levels_add_up(text: bytes, levels: int) -> None:
    assert nesting(text) == levels
