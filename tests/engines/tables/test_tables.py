"""Files as they really are: any encoding, any delimiter, compressed, broken in the middle."""

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.tables import (
    BEYOND_HEADER,
    MAX_CELL,
    Row,
    RowError,
    Table,
    UnreadableTable,
    Wanted,
    guess_day_first,
    guess_mapping,
    open_table,
    parse_time,
)
from whytree.engines.tables import sheets as sheets_module

ROWS = [
    {"id": "1", "said": "Grüße, “quoted”", "stars": "5"},
    {"id": "2", "said": "two\nlines; and a ; here", "stars": "1"},
    {"id": "3", "said": "日本語 😀", "stars": "3"},
]
LATIN = [{"id": "1", "said": "Grüße für Zoë", "stars": "5"}, {"id": "2", "said": "Straße €5", "stars": "1"}]


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [row.values for row in table if isinstance(row, Row)]


def errors_of(table: Table) -> dict[int, str]:
    return {row.row_number: row.reason for row in table if isinstance(row, RowError)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_it_reads_every_delimiter_in_every_unicode_encoding(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = write(tmp_path / "a.csv", as_csv(ROWS, delimiter).encode(encoding))
    table = open_table(path)
    assert table.columns == ["id", "said", "stars"]
    assert rows_of(table) == [{**row, "said": row["said"]} for row in ROWS]


@pytest.mark.parametrize("indent", [None, 2])
def test_pages_of_an_api_are_read_as_their_rows(tmp_path: Path, indent: int | None) -> None:
    pages = [
        {"next": "https://x/?after=2", "results": [{"a": 1}, {"a": {"b": 2}}]},
        {"next": None, "previous": None, "results": [{"a": 3}]},
        {"next": None, "results": []},
    ]
    file = tmp_path / "answer.json"
    file.write_text("\n".join(json.dumps(page, indent=indent) for page in pages))
    table = open_table(file)
    assert [row.values for row in table if isinstance(row, Row)] == [{"a": 1}, {"a.b": 2}, {"a": 3}]
    numbers = [row.row_number for row in table]
    assert numbers == sorted(set(numbers))
    file.write_text('{"results": [1], "name": "no page"}')
    assert open_table(file).columns == ["results", "name"]


def test_it_reads_windows_1252(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", as_csv(LATIN).encode("cp1252")))
    assert table.encoding == "cp1252"
    assert rows_of(table) == LATIN


def test_one_stray_byte_in_a_utf8_file_costs_one_row_and_garbles_no_other(tmp_path: Path) -> None:
    content = as_csv(ROWS).encode() + b"4,caf\xe9,2\r\n5,fine,4\r\n"
    table = open_table(write(tmp_path / "a.csv", content))
    assert table.encoding == "utf-8"
    assert [row["id"] for row in rows_of(table)] == ["1", "2", "3", "5"]
    assert "encoding" in errors_of(table)[5]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst", "no-ending"])
def test_compression_is_recognised_by_content(tmp_path: Path, name: str, compress: Any) -> None:
    assert rows_of(open_table(write(tmp_path / name, compress(as_csv(ROWS).encode())))) == ROWS


def test_json_lines_and_arrays_give_the_same_rows(tmp_path: Path) -> None:
    nested = [{"id": 1, "user": {"name": "Ana", "tags": ["a"]}}, {"id": 2, "user": {"name": "Ben"}, "late": True}]
    expected = [{"id": 1, "user.name": "Ana", "user.tags": ["a"]}, {"id": 2, "user.name": "Ben", "late": True}]
    lines = open_table(write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, nested))))
    array = open_table(write(tmp_path / "a.json", json.dumps(nested, indent=2)))
    assert lines.columns == array.columns == ["id", "user.name", "user.tags", "late"]
    assert rows_of(lines) == rows_of(array) == expected


def test_a_json_file_of_lines_is_recognised_whatever_its_name(tmp_path: Path) -> None:
    assert open_table(write(tmp_path / "a.json", '{"a": 1}\n{"a": 2}\n')).format == "jsonl"
    assert open_table(write(tmp_path / "b.jsonl", ' [{"a": 1}]')).format == "json"


@pytest.mark.parametrize("compress", [None, gzip.compress])
def test_parquet_is_read_in_batches(tmp_path: Path, compress: Any) -> None:
    when = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
    table = pyarrow.table(
        {"id": [1, 2], "at": [when, None], "user": [{"id": "a"}, {"id": None}], "n": [1.5, float("nan")]}
    )
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink)
    content = compress(sink.getvalue()) if compress else sink.getvalue()
    opened = open_table(write(tmp_path / "a.bin", content))
    assert opened.format == "parquet"
    assert rows_of(opened) == [
        {"id": 1, "at": when, "user.id": "a", "n": 1.5},
        {"id": 2, "at": None, "user.id": None, "n": None},
    ]


def test_a_missing_parquet_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(sheets_module.importlib, "import_module", missing)
    with pytest.raises(UnreadableTable, match=r"whytree\[parquet\]"):
        open_table(write(tmp_path / "a.parquet", b"PAR1...."))


def workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("first")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_a_workbook_gives_its_first_sheet_with_its_own_row_numbers(tmp_path: Path) -> None:
    when = dt.datetime(2024, 5, 1, 12)
    path = workbook(
        tmp_path / "a.xlsx", [[], ["id", "at", "said"], [1, when], [], [2, None, "x"], [3, None, "y", "stray"]]
    )
    table = open_table(path)
    assert [tuple(row) for row in table if isinstance(row, Row)] == [
        (3, {"id": 1, "at": when, "said": None}),
        (5, {"id": 2, "at": None, "said": "x"}),
    ]
    assert "right of the last named column" in errors_of(table)[6]


def test_a_zip_that_is_no_workbook_and_a_zip_bomb_are_refused(tmp_path: Path) -> None:
    for names, expected in [(["notes.txt"], "no workbook"), (["xl/workbook.xml"], "too large")]:
        with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, b"0" * 20_000_000)
        with pytest.raises(UnreadableTable, match=expected):
            open_table(tmp_path / "a.xlsx")


def test_rows_of_the_wrong_width_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", "id,said\n1,a\n2\n3,b,c\n\n4,d,\n5,e\n"))
    assert rows_of(table) == [{"id": "1", "said": "a"}, {"id": "4", "said": "d"}, {"id": "5", "said": "e"}]
    assert errors_of(table) == {
        3: "it has 1 cells and the header has 2 (line 3)",
        4: "it has 3 cells and the header has 2 (line 4)",
    }


def test_a_quote_that_never_closes_costs_its_own_row_only(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", 'id,said\n1,"fine"\n2,"open\n3,more\n4,last\n'))
    assert [row["id"] for row in rows_of(table)] == ["1", "3", "4"]
    assert errors_of(table) == {3: "the quote opened in line 3 never closes"}


def test_a_quote_closed_by_a_later_rows_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", 'id,said\n1,"open\n2,"fine"\n3,"good"\n'))
    assert [row["id"] for row in rows_of(table)] == ["2", "3"]
    assert errors_of(table) == {2: "a quote in line 2 ends in the middle of a cell"}


def test_a_quote_that_runs_on_too_long_is_given_up_and_reread(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", 'id,said\n1,"open\n' + "2,b\n" * 25_000))
    assert len(rows_of(table)) == 25_000
    assert errors_of(table) == {2: "the quote opened in line 2 never closes"}


def test_a_nul_costs_its_row(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", "id,said\n1,a\0b\n2,c\n"))
    assert rows_of(table) == [{"id": "2", "said": "c"}]
    assert "NUL" in errors_of(table)[2]


@pytest.mark.slow
def test_a_cell_of_100_mb_is_refused_and_the_rows_around_it_are_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wb", compresslevel=1) as out:
        out.write(b"id,said\n1,before\n2,")
        for _ in range(100):
            out.write(b"x" * 1_000_000)
        out.write(b"\n3,after\n")
    table = open_table(tmp_path / "a.csv.gz")
    assert [row["id"] for row in rows_of(table)] == ["1", "3"]
    assert list(errors_of(table)) == [3]


def test_a_long_cell_within_a_row_is_refused_by_name(tmp_path: Path) -> None:
    for name, content in [
        ("a.csv", f"id,said\n1,{'x' * (MAX_CELL + 1)}\n2,b\n"),
        ("a.jsonl", json.dumps({"id": "1", "said": "x" * (MAX_CELL + 1)}) + '\n{"id": "2"}\n'),
    ]:
        table = open_table(write(tmp_path / name, content))
        assert [row["id"] for row in rows_of(table)] == ["2"]
        assert "“said” has 1,000,001 characters" in next(iter(errors_of(table).values()))


def test_broken_json_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    deep = "[" * 100_000
    table = open_table(
        write(tmp_path / "a.jsonl", f'{{"a": 1}}\n{{"a": \n\n[1]\n{{"a": "\\ud800"}}\n{deep}\n{{"a": 2}}\n')
    )
    assert rows_of(table) == [{"a": 1}, {"a": 2}]
    assert list(errors_of(table)) == [2, 4, 5, 6]


def test_an_array_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    for rest in ('{"a": ', "", '{"a": 2} {"a": 3}]', ",]"):
        table = open_table(write(tmp_path / "a.json", f'[{{"a": 1}}, {rest}'))
        assert rows_of(table)[0] == {"a": 1}
        assert "reading stopped here" in list(errors_of(table).values())[-1]


def test_a_truncated_gzip_keeps_the_rows_before_the_cut(tmp_path: Path) -> None:
    whole = gzip.compress(("id,said\n" + "".join(f"{n},text {n * 7919}\n" for n in range(50_000))).encode())
    table = open_table(write(tmp_path / "a.csv.gz", whole[: len(whole) // 2]))
    assert len(rows_of(table)) > 1_000
    assert "cut off" in list(errors_of(table).values())[-1]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n\n", "empty"),
        ("a.csv", b'"id,said\n1,2\n', "quotes do not close"),
        ("a.xls", b"\xd0\xcf\x11\xe0rest", "save it as .xlsx"),
        ("a.pdf", b"%PDF-1.7", "PDF"),
        ("a.csv", b"\x89PNG\r\n", "a picture"),
        ("a.csv.gz", b"\x1f\x8bgarbage", "damaged"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfdgarbage", "damaged"),
        ("a.parquet", b"PAR1garbage", "damaged"),
        ("a.xlsx", b"PK\x03\x04garbage", "damaged"),
        ("a.json", b'"a string"', "no JSON array"),
        ("a.jsonl", b"not json\n", "Row 1"),
    ],
)
def test_an_unreadable_file_gets_a_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(UnreadableTable, match=words):
        open_table(write(tmp_path / name, content))


def test_a_missing_file_and_a_folder_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable, match="no file"):
        open_table(tmp_path / "absent.csv")
    with pytest.raises(UnreadableTable, match="folder"):
        open_table(tmp_path)
    with pytest.raises(UnreadableTable, match="Use one of"):
        open_table(tmp_path, format="docx")


def test_repeated_and_blank_headers_get_names_of_their_own(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", "Labels,Labels,,Labels (2)\na,b,c,d\n"))
    assert table.columns == ["Labels", "Labels (2)", "column 3", "Labels (2) (2)"]
    assert rows_of(table)[0] == {"Labels": "a", "Labels (2)": "b", "column 3": "c", "Labels (2) (2)": "d"}


def test_excels_own_line_about_the_separator_is_no_header(tmp_path: Path) -> None:
    assert open_table(write(tmp_path / "a.csv", "sep=;\r\nid;said, really\r\n1;a\r\n")).columns == [
        "id",
        "said, really",
    ]


def test_a_table_can_be_read_again_and_tells_how_far_it_is(tmp_path: Path) -> None:
    table = open_table(write(tmp_path / "a.csv", "id,said\n" + "1,abc\n" * 5_000))
    assert len(table.sample) == 50
    assert len(list(table)) == len(list(table)) == 5_000
    assert table.progress == 1.0


def test_the_real_reviews_are_read_without_an_error(shared_data: Path) -> None:
    table = open_table(shared_data / "play-reviews" / "greenlight.csv.gz")
    assert (len(rows_of(table)), errors_of(table)) == (6_443, {})


CELL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=40)


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=12),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["first", "second", "third"])
    writer.writerows(rows)
    path = write(tmp_path_factory.mktemp("csv") / "a.csv", out.getvalue().encode(encoding))
    assert [tuple(row.values()) for row in rows_of(open_table(path))] == rows


@given(content=st.binary(max_size=400), name=st.sampled_from(["a.csv", "a.jsonl", "a.json", "a.tsv", "a.xlsx"]))
def test_no_bytes_make_it_fail_otherwise_than_with_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = write(tmp_path_factory.mktemp("any") / name, content)
    try:
        table = open_table(path)
    except UnreadableTable:
        return
    numbers = [row.row_number for row in table]
    assert numbers == sorted(set(numbers))


@given(content=st.text(alphabet='a",;\n\r\0é', max_size=120))
def test_no_arrangement_of_quotes_loses_a_row_number(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = write(tmp_path_factory.mktemp("quotes") / "a.csv", "x,y\n" + content)
    numbers = [row.row_number for row in open_table(path)]
    assert numbers == list(range(2, 2 + len(numbers)))


# Guessing


REVIEWS = [
    {
        "app": "g",
        "review_id": "a1",
        "created_at": "2017-01-10 01:56:16",
        "score": "5",
        "text": "Very easy to set up.",
        "thumbs_up": "20",
    },
    {"app": "g", "review_id": "a2", "created_at": "2017-01-19 21:32:55", "score": "3", "text": "", "thumbs_up": "2"},
]
WANTED = {
    "id": Wanted(["review id", "id"], "id"),
    "text": Wanted(["text", "comment", "body"], "text"),
    "time": Wanted(["created at", "date", "time"], "time"),
    "rating": Wanted(["rating", "stars", "score"], "number"),
}


def test_columns_are_found_by_their_names() -> None:
    assert guess_mapping(list(REVIEWS[0]), REVIEWS, WANTED) == {
        "id": "review_id",
        "text": "text",
        "time": "created_at",
        "rating": "score",
    }


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["Review Text", "Star Rating", "Review Submit Date and Time"], ("Review Text", "Review Submit Date and Time")),
        (["reviewText", "createdAt"], ("reviewText", "createdAt")),
        (["BODY", "Date"], ("BODY", "Date")),
        (["context", "dated"], (None, None)),
    ],
)
def test_names_are_compared_by_words(columns: list[str], expected: tuple[str | None, str | None]) -> None:
    mapping = guess_mapping(columns, [], WANTED)
    assert (mapping.get("text"), mapping.get("time")) == expected


def test_a_short_name_counts_only_as_a_whole_name() -> None:
    wanted = {"id": Wanted(["review id"], "id", whole=["id"])}
    assert guess_mapping(["session_id"], [], wanted) == {}
    assert guess_mapping(["session_id", "ID"], [], wanted) == {"id": "ID"}
    assert guess_mapping(["the review id"], [], wanted) == {"id": "the review id"}


def test_content_decides_where_names_say_nothing() -> None:
    sample = [{"k": "17", "c1": "2024-05-01", "c2": "It asked for my number again and again."}] * 3
    assert guess_mapping(["k", "c1", "c2"], sample, WANTED) == {"time": "c1", "text": "c2"}


def test_a_column_that_cannot_be_what_its_name_says_is_not_taken() -> None:
    sample = [{"date": "soon", "when": "2024-05-01", "rating": "good"}] * 3
    mapping = guess_mapping(["date", "when", "rating"], sample, WANTED)
    assert mapping["time"] == "when"
    assert "rating" not in mapping


# Times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2017-01-10 01:56:16", "2017-01-10T01:56:16"),
        ("2017-01-10T01:56:16Z", "2017-01-10T01:56:16"),
        ("2017-01-10T01:56:16.123+02:00", "2017-01-09T23:56:16.123000"),
        ("2017-01-10 01:56:16 +0200", "2017-01-09T23:56:16"),
        ("2017-01-10 01:56:16 UTC", "2017-01-10T01:56:16"),
        ("2017-01-10", "2017-01-10T00:00:00"),
        ("2017/1/9 10:00", "2017-01-09T10:00:00"),
        (1484013376, "2017-01-10T01:56:16"),
        ("1484013376123", "2017-01-10T01:56:16.123000"),
        (1484013376123456, "2017-01-10T01:56:16.123456"),
        ("Tue, 10 Jan 2017 01:56:16 +0000", "2017-01-10T01:56:16"),
        ("10 Jan 2017 14:05", "2017-01-10T14:05:00"),
        ("Jan 10, 2017 3:04 PM", "2017-01-10T15:04:00"),
        ("12/Mar/24 9:41 AM", "2024-03-12T09:41:00"),
        ("31.12.2024 23:59", "2024-12-31T23:59:00"),
        ("25/12/2024", "2024-12-25T00:00:00"),
        ("12/25/2024 5:30 PM", "2024-12-25T17:30:00"),
        ("07/07/2024", "2024-07-07T00:00:00"),
        (dt.date(2024, 5, 1), "2024-05-01T00:00:00"),
        (dt.datetime(2024, 5, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=3))), "2024-04-30T23:00:00"),
    ],
)
def test_a_time_is_read(value: Any, expected: str) -> None:
    moment = parse_time(value)
    assert moment is not None
    assert moment.isoformat() == expected + "+00:00"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "5",
        5,
        4.5,
        True,
        None,
        "03/04/2024",
        "99/99/2024",
        "2024-13-01",
        float("nan"),
        1e300,
        [],
        "١٢/٣/٢٠٢٤",
        "x" * 90,
    ],
)
def test_what_is_no_certain_time_is_none(value: Any) -> None:
    assert parse_time(value) is None


def test_a_whole_column_tells_whether_the_day_comes_first() -> None:
    assert guess_day_first(["03/04/2024", "25/04/2024"]) is True
    assert guess_day_first(["03/04/2024", "04/25/2024"]) is False
    assert guess_day_first(["03/04/2024"]) is None
    assert parse_time("03/04/2024", day_first=True) == dt.datetime(2024, 4, 3, tzinfo=dt.UTC)


@given(value=st.one_of(st.text(max_size=70), st.floats(), st.integers(), st.datetimes(), st.dates()))
def test_no_value_breaks_the_reading_of_times(value: Any) -> None:
    moment = parse_time(value)
    assert moment is None or moment.tzinfo is dt.UTC


def test_a_ragged_table_keeps_what_stands_beyond_its_header(tmp_path: Path) -> None:
    file = write(tmp_path / "ragged.csv", "a,b,c\n1,2,3,4,5\n1,2\n1\n1,2,3\n")
    table = open_table(file, ragged=True)
    assert rows_of(table) == [
        {"a": "1", "b": "2", "c": "3", BEYOND_HEADER: ["4", "5"]},
        {"a": "1", "b": "2"},
        {"a": "1", "b": "2", "c": "3"},
    ]
    assert errors_of(table) == {4: "it has 1 cells and the header has 3 (line 4)"}
    assert list(errors_of(open_table(file))) == [2, 3, 4], "elsewhere such a row is broken"


@pytest.mark.parametrize(
    ("text", "numbers", "broken"),
    [
        ('[{"n": 1}][{"n": 2}]', [1, 2], []),
        ('[{"n": 1}]\n\n[]\n[{"n": 2}, {"n": 3}]\n', [1, 2, 3], []),
        ('[[{"n": 1}, {"n": 2}], [], [{"n": 3}]]', [1, 2, 3], []),
        ('[{"n": 1}][{"n": 2}', [1, 2], [3]),
        ('[{"n": 1}] rest', [1], [2]),
        ('[{"n": 1}, {"n": }][{"n": 3}]', [1], [2]),
    ],
)
def test_arrays_one_after_the_other_are_one_list(
    text: str, numbers: list[int], broken: list[int], tmp_path: Path
) -> None:
    table = open_table(write(tmp_path / "pages.json", text))
    assert [row["n"] for row in rows_of(table)] == numbers
    assert list(errors_of(table)) == broken
