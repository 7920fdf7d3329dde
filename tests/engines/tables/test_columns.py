"""Columns at once say what rows one by one say, however ugly the file."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whytree.engines.tables import Row, RowError, UnreadableTable, alike, blocks, columns, open_table
from whytree.engines.tables.columns import Columns, read_columns, read_number


def row_by_row(path: Path) -> tuple[list[int], list[str], list[float], list[int]]:
    """Row numbers, ids (empty where there is none), numbers (NaN where there is none), and rows in error."""
    numbers, ids, values, errors = [], [], [], []
    for row in open_table(path):
        if isinstance(row, RowError):
            errors.append(row.row_number)
            continue
        assert isinstance(row, Row)
        numbers.append(row.row_number)
        text = row.values.get("id")
        ids.append("" if text is None or str(text).isspace() else str(text))
        number = read_number(row.values.get("n"))
        values.append(number if isinstance(number, float) else math.nan)
    return numbers, ids, values, errors


def agree(path: Path) -> Columns:
    columns = read_columns(open_table(path), texts=["id"], numbers=["n"])
    numbers, ids, values, errors = row_by_row(path)
    text = columns.texts["id"]
    assert columns.row_numbers.tolist() == numbers
    assert [text.names[code] if code >= 0 else "" for code in text.codes] == ids
    np.testing.assert_array_equal(columns.numbers["n"].values, values)
    assert columns.unreadable == len(errors)
    return columns


UGLY = {
    "plain": "id,n\na,1\nb,2.5\n",
    "without a last line end": "id,n\na,1\nb,2",
    "carriage returns": "id,n\r\na,1\r\nb,2\r\n",
    "old Macintosh": "id,n\ra,1\rb,2\r",
    "blank lines": "id,n\n\na,1\n\n\nb,2\n",
    "quoted": 'id,n\n"a","1"\n"b,c","2"\n',
    "doubled quotes": 'id,n\n"a ""x""",1\nb,2\n',
    "a quote over lines": 'id,n\n"a\nb",1\nc,2\n',
    "a quote that never closes": 'id,n\n"a,1\nb,2\nc,3\n',
    "inches": 'id,n\n5" nail,1\nb,2\n',
    "short and long rows": "id,n\na\nb,2,3\nc,4\nd,5,\n",
    "a NUL": "id,n\na\0,1\nb,2\n",
    "text and gaps": "id,n\na,many\nb,\nc,NaN\nd,inf\ne,1e400\nf, 7 \ng,1_000\nh,0x10\n",
    "truth": "id,n\na,TRUE\nb,false\nc,Yes\nd,no\n",
    "ids that are spaces": "id,n\n ,1\n,2\n",
    "other delimiters": "id;n\na;1\nb;2,5\n",
    "sep line": "sep=;\nid;n\na;1\n",
    "leading zeros": "id,n\n007,1\n7,2\n",
    "umlauts": "id,n\nÄpfel,1\nBirnen,2\n",
    "a column named twice": "id,n,n\na,1,2\n",
    "only a header": "id,n\n",
    "quoted header": '"id","n"\na,1\n',
}


@pytest.mark.parametrize("name", UGLY)
@pytest.mark.parametrize("block", [8, 1 << 20])
def test_an_ugly_file_is_read_as_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, block: int
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", block)
    path = tmp_path / "ugly.csv"
    path.write_bytes(UGLY[name].encode())
    agree(path)


def test_bytes_of_another_encoding_cost_their_row(tmp_path: Path) -> None:
    path = tmp_path / "bytes.csv"
    path.write_bytes("id,n\nÄ,1\nÖ,2\nÜ,3\n".encode() + b"\xff,4\nb,5\n")
    assert agree(path).unreadable == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "encoded.csv"
    path.write_bytes("id,n\nÄpfel,1\nBöhnen,2\n".encode(encoding))
    assert list(agree(path).texts["id"].names) == ["Äpfel", "Böhnen"]


@given(st.lists(st.text(alphabet='ab1.,"\n\r é', max_size=12), max_size=8))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_thrown_at_it_both_ways_agree(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(("id,n\n" + "\n".join(lines)).encode())
    try:
        open_table(path)
    except UnreadableTable:
        return
    agree(path)


def test_a_file_cut_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    body = "id,n\n" + "".join(f"{n * 7919 % 100_003},{n}\n" for n in range(50_000))
    path.write_bytes(gzip.compress(body.encode())[:-5_000])
    columns = read_columns(open_table(path), texts=["id"], numbers=["n"])
    assert columns.cut_off
    assert columns.unreadable == 1


def test_faults_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    path = tmp_path / "faults.csv"
    path.write_text("id,n\na,many\nb,\nc,few\nd,inf\n")
    column = read_columns(open_table(path), texts=["id"], numbers=["n"]).numbers["n"]
    assert column.counts == {"text": 2, "missing": 1, "infinite": 1}
    assert [(one.row_number, one.text) for one in column.faults["text"]] == [(2, "many"), (4, "few")]


def test_parquet_columns_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "kinds.parquet"
    table = pyarrow.table(
        {
            "id": pyarrow.array([1, 2, None, 4]),
            "n": pyarrow.array([True, False, None, True]),
            "coded": pyarrow.array(["x", "y", "x", None]).dictionary_encode(),
            "real": pyarrow.array([1.5, math.nan, math.inf, None]),
            "nested": pyarrow.array([{"deep": 1}, {"deep": 2}, None, {"deep": 4}]),
        }
    )
    pyarrow.parquet.write_table(table, path)
    agree(path)
    columns = read_columns(open_table(path), texts=["coded"], numbers=["real"])
    assert columns.texts["coded"].codes.tolist() == [0, 1, 0, -1]
    assert columns.numbers["real"].counts == {"missing": 2, "infinite": 1}
    nested = read_columns(open_table(path), texts=["nested"], numbers=["nested"])
    assert nested.numbers["nested"].counts == {"text": 3, "missing": 1}


def test_json_lines_and_a_workbooks_rows_too(tmp_path: Path) -> None:
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"id": "a", "n": 1}\n{"id": 7, "n": "2"}\nbroken\n{"id": null, "n": [1]}\n{"n": true}\n')
    assert agree(lines).unreadable == 1


def test_a_column_that_is_not_there_and_a_table_too_large_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.csv"
    path.write_text("id,n\na,1\nb,2\n")
    with pytest.raises(UnreadableTable, match=r"There is no column “m”\. The columns are “id”, “n”"):
        read_columns(open_table(path), texts=["id"], numbers=["m"])
    monkeypatch.setattr(columns, "MAX_CELLS", 3)
    with pytest.raises(UnreadableTable, match="larger than one analysis can hold"):
        read_columns(open_table(path), texts=["id"], numbers=["n"])


WORDS = st.lists(st.text("ab\0 é", max_size=18) | st.text("xy", min_size=60, max_size=70), max_size=40)


@given(WORDS, st.integers(0, 3))
def test_texts_that_are_called_distinct_are(words: list[str], offset: int) -> None:
    """Never wrongly; and ids, which are plain and different, are seen to be."""
    array = pyarrow.array(words, pyarrow.string())[offset:]
    kept = words[offset:]
    is_plain = all(word and word[0] in "abxy" and len(word.encode()) <= alike.LONGEST for word in kept)
    assert alike.are_distinct(array) is (bool(kept) and is_plain and len(set(kept)) == len(kept))


@pytest.mark.parametrize("twice", [None, "user-17", "user-999"])
def test_many_ids_are_told_apart_and_one_that_comes_twice_is_found(twice: str | None) -> None:
    ids = [f"user-{at}" for at in range(50_000)] + ([twice] if twice else [])
    assert alike.are_distinct(pyarrow.array(ids)) is (twice is None)
    assert not alike.are_distinct(pyarrow.array([*ids, None]))


def test_alike_hashes_are_found_among_many_that_share_a_place() -> None:
    """Three on one place, of which the two alike are not the last."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        hashes = rng.integers(0, 1 << 63, 40).astype(np.uint64)
        assert alike._differ(hashes)
        hashes[rng.integers(0, 20)] = hashes[rng.integers(20, 40)]
        assert not alike._differ(hashes)


@pytest.mark.parametrize("rows", [3, 200])
def test_texts_that_the_file_numbered_are_read_as_row_by_row(tmp_path: Path, rows: int) -> None:
    """Parquet may number them in another order, name some twice, some never, and some blank."""
    names = pyarrow.array(["never", "b", "a", " ", "b", "", *(f"x{at}" for at in range(60))])
    places = pyarrow.array([(2, 1, None, 4, 3, 5, 1)[at % 7] for at in range(rows)], pyarrow.int32())
    for kept in (6, len(names)):
        table = pyarrow.table(
            {"id": pyarrow.DictionaryArray.from_arrays(places, names[:kept]), "n": [float(at) for at in range(rows)]}
        )
        pyarrow.parquet.write_table(table, tmp_path / "numbered.parquet", row_group_size=90)
        read = agree(tmp_path / "numbered.parquet")
        assert list(read.texts["id"].names) == ["a", "b"]
    pyarrow.parquet.write_table(
        pyarrow.table({"id": ["on", "off"] * rows, "n": [1.0, 2.0] * rows}), tmp_path / "numbered.parquet"
    )
    agree(tmp_path / "numbered.parquet")


def test_whole_numbers_beyond_a_floats_are_read_as_row_by_row(tmp_path: Path) -> None:
    table = pyarrow.table({"id": ["a", "b", "c"], "n": [1, (1 << 53) + 1, -(1 << 60) - 1]})
    pyarrow.parquet.write_table(table, tmp_path / "large.parquet")
    agree(tmp_path / "large.parquet")
