"""A file of feedback through the command line and a real server: once, whatever happens in between."""

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.servers import Live
from tests.voice.conftest import Done
from whytree.voice.models import FeedbackItem, ImportRun

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

HEADER = ["id", "said at", "text", "stars", "plan"]


def rows(count: int, start: int = 1) -> list[list[str]]:
    return [
        [f"r{n}", "2026-01-02 10:00", f"voice number {n}", str(n % 5 + 1), "free"] for n in range(start, start + count)
    ]


def as_csv(data: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, *data])
    return out.getvalue()


@pytest.fixture
def import_file(cli: Callable[..., Done], tmp_path: Path) -> Callable[..., Any]:
    """Import bytes under a name: `import_file("a.csv", b"...")` gives what the command says as JSON."""

    def run(name: str, content: bytes | str, *words: str) -> Any:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return cli("import", "feedback", str(path), "--source", "s", *words, "--json").json

    return run


def test_the_real_reviews_land_once_however_often_they_are_imported(
    cli: Callable[..., Done], shared_data: Path
) -> None:
    command = ("import", "feedback", str(shared_data / "play-reviews" / "greenlight.csv.gz"), "--type", "review")
    first = cli(*command).out
    assert "text           <- text" in first
    assert "submission_id  <- review_id" in first
    assert "6,443 rows: 6,443 new" in first
    assert "Nothing new: all 6,443 rows are known already." in cli(*command).out
    found = cli("feedback", "search", "debit", "card", "--source", "greenlight", "--json").json
    assert found["items"]
    assert all(item["source_name"] == "greenlight" and item["matches"] for item in found["items"])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_any_encoding(find: Any, import_file: Callable[..., Any], encoding: str) -> None:
    run = import_file("a.csv", as_csv([["1", "2026-01-02", "Größe fehlt, très", "2", "free"]]).encode(encoding))
    assert (run["created"], run["broken"]) == (1, 0)
    assert find("größe") == ["Größe fehlt, très"]


def test_xlsx_and_json_lines(tmp_path: Path, import_file: Callable[..., Any]) -> None:
    book = openpyxl.Workbook()
    for row in [HEADER, *rows(3)]:
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    assert import_file("b.xlsx", (tmp_path / "book.xlsx").read_bytes())["created"] == 3
    lines = "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows(4))
    run = import_file("c.jsonl.gz", gzip.compress(lines.encode()))
    assert (run["created"], run["skipped"]) == (1, 3)


def test_broken_rows_are_listed_and_the_rest_is_imported(import_file: Callable[..., Any]) -> None:
    data = as_csv(rows(2)) + "r3,soon,no time,1,free\nr4,2026-01-02\nr5,2026-01-02,,5,free\nr6,2026-01-02,fine,3,pro\n"
    run = import_file("a.csv", data, "--time", "said at", "--rating", "stars")
    assert (run["rows"], run["created"], run["empty"], run["broken"]) == (6, 3, 1, 2)
    assert [error["row"] for error in run["errors"]] == [4, 5]
    assert "no time" in run["errors"][0]["reason"]


def test_broken_rows_are_told_with_their_numbers(cli: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(as_csv(rows(2)) + "r3\n")
    told = cli("import", "feedback", str(tmp_path / "a.csv")).out
    assert "row 4: it has 1 cells and the header has 5 (line 4)" in told


def test_a_dry_run_checks_everything_and_stores_nothing(import_file: Callable[..., Any]) -> None:
    preview = import_file("a.csv", as_csv(rows(5)), "--dry-run")
    assert (preview["state"], preview["created"]) == ("dry_run", 5)
    assert FeedbackItem.objects.count() == 0
    assert import_file("a.csv", as_csv(rows(5)))["created"] == 5
    assert import_file("a.csv", as_csv(rows(7)), "--dry-run")["created"] == 2


def test_a_changed_row_changes_its_item(find: Any, import_file: Callable[..., Any]) -> None:
    import_file("a.csv", as_csv(rows(2)))
    run = import_file("a.csv", as_csv([["r1", "2026-01-02 10:00", "said differently", "2", "free"], *rows(1, 2)]))
    assert (run["created"], run["updated"], run["skipped"]) == (0, 1, 1)
    assert find("differently") == ["said differently"]


def test_rows_without_an_id_are_known_by_what_was_said(import_file: Callable[..., Any]) -> None:
    data = "text,date\nToo slow,2026-01-02\nToo slow,2026-01-03\nToo slow,2026-01-02\n"
    assert import_file("a.csv", data)["created"] == 2
    assert import_file("a.csv", data + "Fast,2026-01-02\n")["created"] == 1


def test_columns_can_be_named_and_unknown_ones_are_kept(import_file: Callable[..., Any]) -> None:
    run = import_file("a.csv", "a,b,c\n17,It asked too much,2026-01-02\n", "--text", "b", "--time", "-")
    assert run["mapping"] == {"text": "b"}
    item = FeedbackItem.objects.get()
    assert (item.metadata, item.said_at_known) == ({"a": "17", "c": "2026-01-02"}, False)


def test_days_and_months_are_told_apart_by_the_whole_column(import_file: Callable[..., Any]) -> None:
    import_file("a.csv", "text,date\nfirst voice here,03/04/2026\nsecond voice here,25/04/2026\n")
    assert {item.said_at.month for item in FeedbackItem.objects.all()} == {4}
    run = import_file("b.csv", "text,date\nthird voice here,03/04/2026\n")
    assert "no time that can be read with certainty" in run["errors"][0]["reason"]
    assert import_file("b.csv", "text,date\nthird voice here,03/04/2026\n", "--month-first")["created"] == 1


@pytest.mark.parametrize(
    ("name", "content", "words", "sentence"),
    [
        ("a.csv", "a,b\n1,2\n", (), "name it (--text COLUMN)"),
        ("a.csv", "a,b\n1,2\n", ("--text", "z"), "There is no column “z”"),
        ("a.pdf", "%PDF-1.7", (), "is a PDF"),
        ("a.csv", "", (), "empty"),
        ("absent.csv", None, (), "There is no file"),
    ],
)
def test_a_file_that_cannot_be_used_gets_a_sentence(
    cli: Callable[..., Done], tmp_path: Path, name: str, content: str | None, words: tuple[str, ...], sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    done = cli("import", "feedback", str(tmp_path / name), *words)
    assert done.code == 1
    assert sentence in done.error


@pytest.mark.live
def test_an_import_killed_half_way_goes_on_and_brings_each_row_once(live: Live, tmp_path: Path) -> None:
    path, total = tmp_path / "big.csv", 12_000
    path.write_text(as_csv(rows(total)))
    command = ("import", "feedback", str(path), "--source", tmp_path.name)
    process = subprocess.Popen(
        [sys.executable, "-m", "whytree", *command], env=live.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    offset = _offset_when_it_runs(live, path.name)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert 0 < offset < total
    assert "Going on after row" in live.cli(*command).stdout
    runs = [run for run in live.cli_json("feedback", "imports") if run["source_name"] == tmp_path.name]
    assert [(run["state"], run["rows"], run["created"]) for run in runs] == [("completed", total, total)]


def _offset_when_it_runs(live: Live, name: str) -> int:
    import httpx

    headers = {"Authorization": f"Bearer {(live.data / 'owner.token').read_text().strip()}"}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs = httpx.get(f"{live.url}/api/products/sprout/feedback-imports", headers=headers).json()
        for run in runs:
            if run["file_name"] == name and run["row_offset"]:
                return int(run["row_offset"])
        time.sleep(0.02)
    raise AssertionError("the import did not begin")


def begin(api: Any, **facts: Any) -> Any:
    body = {"fingerprint": "f1", "source_name": "s", "mapping": {"text": "t"}, **facts}
    return api.post("/products/sprout/feedback-imports", body)


def send(api: Any, run: Any, numbers: range, upto: int | None = None) -> Any:
    said = [[n, {"text": f"voice {n}", "submission_id": str(n)}] for n in numbers]
    return api.post(f"/products/sprout/feedback-imports/{run['id']}/rows", {"rows": said, "upto": upto or numbers[-1]})


def test_the_same_import_started_again_is_the_same_run(api: Any) -> None:
    run = begin(api).ok
    send(api, run, range(2, 5)).must_succeed()
    again = begin(api).ok
    assert (again["id"], again["row_offset"]) == (run["id"], 4)
    assert begin(api, fingerprint="f2").ok["id"] != run["id"]


def test_a_batch_sent_twice_counts_once(api: Any) -> None:
    run = begin(api).ok
    send(api, run, range(2, 5))
    answer = send(api, run, range(2, 7)).ok
    assert (answer["rows"], answer["created"], answer["row_offset"]) == (5, 5, 6)
    assert FeedbackItem.objects.count() == 5


def test_numbers_follow_the_order_of_the_file(api: Any) -> None:
    send(api, begin(api).ok, range(2, 5))
    assert list(FeedbackItem.objects.order_by("number").values_list("number", "submission_id")) == [
        (1, "2"),
        (2, "3"),
        (3, "4"),
    ]


def test_a_finished_import_takes_no_more_rows(api: Any) -> None:
    run = begin(api).ok
    send(api, run, range(2, 3))
    api.post(f"/products/sprout/feedback-imports/{run['id']}/finish").must_succeed()
    assert send(api, run, range(3, 4)).status == 409


def test_an_import_can_be_taken_back_and_linked_voices_stay(api: Any, opportunity: Any) -> None:
    run = begin(api).ok
    send(api, run, range(2, 6))
    api.post("/products/sprout/feedback/FB-2/links", {"opportunity": "OPP-1"}).must_succeed()
    assert api.delete(f"/products/sprout/feedback-imports/{run['id']}").ok == {"removed": 3, "kept": 1, "left": 0}
    assert [item.ref for item in FeedbackItem.objects.all()] == ["FB-2"]
    assert api.delete(f"/products/sprout/feedback-imports/{run['id']}").status == 409
    assert begin(api).ok["id"] != run["id"]


def test_only_a_maintainer_imports(api_bob: Any, api_viewer: Any, api_charlie: Any, api: Any) -> None:
    run = begin(api).ok
    assert [begin(door).status for door in (api_bob, api_viewer, api_charlie)] == [403, 403, 404]
    assert send(api_charlie, run, range(2, 3)).status == 404
    assert api_charlie.get(f"/products/sprout/feedback-imports/{run['id']}").status == 404


def test_the_list_of_errors_is_capped_and_the_count_is_not(api: Any) -> None:
    run = begin(api).ok
    faults = [{"row": n, "reason": "torn"} for n in range(2, 702)]
    body = {"rows": [], "errors": faults, "upto": 701}
    answer = api.post(f"/products/sprout/feedback-imports/{run['id']}/rows", body).ok
    assert (answer["broken"], len(answer["errors"])) == (700, 500)
    assert ImportRun.objects.get().rows == 700
