"""CSV that a spreadsheet only shows: nothing in a cell is computed, whoever wrote it."""

import csv
from io import StringIO

import pytest

from whytree.engines.spreadsheet import as_csv, inert


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_that_begins_like_a_formula_stays_a_text(start: str) -> None:
    evil = f'{start}HYPERLINK("http://evil.example","x")'
    names, row = csv.reader(StringIO(as_csv([evil], [[evil]]), newline=""))
    assert names == row == [f"'{evil}"]


def test_numbers_and_harmless_texts_stay_as_they_are() -> None:
    assert [inert(value) for value in (-4.5, 0, None, "", "a=b", "'=quoted", " =1")] == [
        *(-4.5, 0, "", "", "a=b", "'=quoted", " =1"),
    ]
