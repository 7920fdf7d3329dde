"""``whytree themes FILE``: every row gets its theme, whatever the file looks like, without a server."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.engines.test_themes import spoken
from whytree.workspace.terminal.client import CommandError

pytestmark = pytest.mark.slow  # themes are looked for again and again: left out of `make quick`

Themes = Callable[..., Any]


@pytest.fixture(scope="module")
def command_line() -> Any:
    from whytree.site.cli import build

    return build(("voice",))


@pytest.fixture
def themes(command_line: Any) -> Themes:
    """The command's JSON, its screen (``screen=True``), or the error's sentence."""

    def run(file: Path, *words: str, screen: bool = False) -> Any:
        line = ["themes", str(file), *words]
        result = CliRunner().invoke(command_line, line if screen else [*line, "--json"], env={"COLUMNS": "120"})
        if isinstance(result.exception, CommandError):
            return result.exception.message
        assert result.exit_code == 0, result.output or result.exception
        return result.stdout if screen else json.loads(result.stdout)

    return run


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """The spoken texts as CSV, in the column `text`, more rows after them."""

    def write(*more: list[str], name: str = "said.csv", encoding: str = "utf-8", delimiter: str = ",") -> Path:
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            rows = csv.writer(file, delimiter=delimiter)
            rows.writerow(["id", "text"])
            rows.writerows([str(at), text] for at, text in enumerate(spoken()[0]))
            rows.writerows(more)
        return path

    return write


def test_every_row_is_there_in_the_files_order(themes: Themes, table: Callable[..., Path]) -> None:
    said = themes(table(["a", ""], ["b", spoken()[0][0]]), "--text", "text")
    assert len(said["rows"]) == 122
    assert said["rows"][120] == {"theme": None}
    assert said["rows"][121] == said["rows"][0]
    ids = {theme["id"] for theme in said["themes"]}
    assert {row["theme"] for row in said["rows"]} <= ids | {None}
    for theme in said["themes"]:
        assert theme["size"] == sum(row["theme"] == theme["id"] for row in said["rows"])
        assert theme["label"]
        assert theme["words"]
        assert all(quote in spoken()[0] for quote in theme["quotes"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("said.csv", {}),
        ("said.tsv", {"delimiter": "\t"}),
        ("said.txt", {"delimiter": ";", "encoding": "cp1252"}),
        ("said-16.csv", {"encoding": "utf-16"}),
    ],
)
def test_tables_of_every_kind_give_the_same_themes(
    themes: Themes, table: Callable[..., Path], name: str, options: dict[str, str]
) -> None:
    said = themes(table(name=name, **options), "--text", "text")
    assert said["rows"] == themes(table(name="plain.csv"), "--text", "text")["rows"]


def test_json_lines_gzip_and_sheets_are_read_too(themes: Themes, table: Callable[..., Path], tmp_path: Path) -> None:
    from openpyxl import Workbook

    expected = themes(table(), "--text", "text")["rows"]
    lines = "".join(json.dumps({"id": at, "said": {"text": text}}) + "\n" for at, text in enumerate(spoken()[0]))
    (tmp_path / "said.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert themes(tmp_path / "said.jsonl.gz", "--text", "said.text")["rows"] == expected
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "text"])
    for at, text in enumerate(spoken()[0]):
        sheet.append([at, text])
    book.save(tmp_path / "said.xlsx")
    assert themes(tmp_path / "said.xlsx", "--text", "text")["rows"] == expected


def test_the_column_is_guessed_when_it_looks_like_one(themes: Themes, table: Callable[..., Path]) -> None:
    assert themes(table())["column"] == "text"


def test_a_misspelt_column_is_answered_with_the_one_that_was_meant(themes: Themes, table: Callable[..., Path]) -> None:
    message = themes(table(), "--text", "Txt")
    assert message == "There is no column “Txt”. Did you mean “text”? The columns are “id”, “text”."
    assert themes(table(), "--text", "zebra") == "There is no column “zebra”. The columns are “id”, “text”."


def test_without_a_guess_it_asks_for_the_column(themes: Themes, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("alpha,beta\n1,2\n")
    assert themes(tmp_path / "odd.csv").startswith("Which column holds the texts? Say --text COLUMN.")


def test_bad_files_are_answered_with_a_sentence(themes: Themes, tmp_path: Path) -> None:
    (tmp_path / "nothing.csv").write_text("")
    (tmp_path / "header.csv").write_text("text\n")
    (tmp_path / "few.csv").write_text("text\nslow\nugly\n\n")
    (tmp_path / "same.csv").write_text("text\n" + "It is slow\n" * 200)
    (tmp_path / "one.csv").write_text("text\nslow\n")
    assert themes(tmp_path / "gone.csv").startswith("There is no file")
    assert themes(tmp_path / "nothing.csv") == "nothing.csv is empty."
    assert themes(tmp_path / "header.csv") == "header.csv has a header and no rows. Export it again, with its rows."
    assert themes(tmp_path / "few.csv").startswith(
        "Column “text” holds 2 different texts with words in them, and themes need 20 at least."
    )
    assert "one text with words in it" in themes(tmp_path / "one.csv")
    assert themes(tmp_path / "same.csv") == (
        "All 200 texts in column “text” say the same: “It is slow”. There is nothing to tell apart."
    )


def test_a_cell_of_two_megabytes_is_no_theme_and_costs_its_row_only(themes: Themes, table: Callable[..., Path]) -> None:
    said = themes(table(["x", "y" * 2_000_000], ["z", spoken()[0][3]]), "--text", "text")
    assert (len(said["rows"]), said["rows"][120]["theme"]) == (122, None)
    assert "the limit is 1,000,000" in said["rows"][120]["error"]
    assert said["rows"][121] == said["rows"][3]


@pytest.mark.slow
def test_a_cell_of_a_hundred_megabytes_costs_no_memory_and_its_row_only(
    themes: Themes, table: Callable[..., Path]
) -> None:
    said = themes(table(["x", "y" * 100_000_000], ["z", spoken()[0][3]]), "--text", "text")
    assert (len(said["rows"]), said["rows"][120]["theme"], said["rows"][121]) == (122, None, said["rows"][3])


def test_bytes_of_another_encoding_cost_their_row_only(themes: Themes, table: Callable[..., Path]) -> None:
    file = table(["u", "Größe stimmt nicht"])
    file.write_bytes(file.read_bytes() + "v,Größe\nw,fine\n".encode("latin-1"))
    said = themes(file, "--text", "text")
    assert "do not belong to the file's encoding" in said["rows"][121]["error"]
    assert len(said["rows"]) == 123


def test_the_screen_shows_themes_with_a_voice_and_obeys_no_text(themes: Themes, table: Callable[..., Path]) -> None:
    file = table(
        *[[f"{at}", f"\x1b[31mparcel {word} is lost"] for at, word in enumerate(("one", "two", "three", "four"))]
    )
    shown = themes(file, "--text", "text", screen=True)
    assert "themes in 124 rows of said.csv" in shown
    assert "parcel" in shown
    assert "\x1b[31m" not in shown


def test_meaning_without_its_extra_says_what_to_install(
    themes: Themes, table: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.engines.themes import sentences

    monkeypatch.setattr(sentences, "find_spec", lambda name: None)
    assert "pip install 'whytree[semantic]'" in themes(table(), "--semantic")
    assert themes(table(), "--model", "folder") == "--model says which model --semantic uses. Say --semantic, too."


def test_by_meaning_every_row_is_there_too(themes: Themes, table: Callable[..., Path]) -> None:
    pytest.importorskip("onnxruntime")
    said = themes(table(["a", ""]), "--semantic")
    assert len(said["rows"]) == 121
    assert said["rows"][120] == {"theme": None}


@pytest.mark.slow
def test_it_needs_no_server_no_data_folder_and_no_django(table: Callable[..., Path], tmp_path: Path) -> None:
    program = (
        "import sys; from whytree.site.start import main\n"
        "try:\n    main()\nfinally:\n    print(sorted({'django', 'chdb', 'onnxruntime'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--data", str(tmp_path / "data"), "themes", str(table()), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(json.loads(done.stdout)["rows"]) == 120
    assert done.stderr.strip() == "[]"
    assert not (tmp_path / "data").exists()
