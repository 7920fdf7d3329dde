"""`whytree import events FILE`: any table of events, each row once."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.terminal import Terminal
from whytree.stores.events import EventStore
from whytree.workspace.terminal import client

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(terminal: Terminal, store: EventStore) -> Callable[..., Any]:
    """The command line as Alice runs it; returns what `--json` prints, or why it was refused."""

    def invoke(*words: str, ok: bool = True) -> Any:
        if ok:
            return terminal.cli_json(*words)
        refused = terminal.run(*words, "--json")
        assert isinstance(refused.exception, client.CommandError), refused.output
        return refused.exception.message

    return invoke


def _file(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _events(store: EventStore) -> list[dict[str, Any]]:
    return store.query("SELECT * FROM events ORDER BY timestamp, event")


def test_a_csv_file_comes_in_with_its_columns_guessed(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    file = _file(
        tmp_path,
        "shop.csv",
        "user_id,event,timestamp,platform,amount,note",
        "u1,viewed,2024-05-01 10:00:00,ios,,hello",
        "u2,bought,2024-05-01 10:05:00,web,12.50,",
    )
    done = run("import", "events", file)
    assert (done["rows"], done["created"], done["broken"]) == (2, 2, 0)
    assert done["mapping"] == {"person": "user_id", "event": "event", "time": "timestamp"}
    viewed, bought = _events(store)
    assert (viewed["distinct_id"], viewed["event"], viewed["platform"], viewed["source"]) == (
        *("u1", "viewed", "ios", "import"),
    )
    assert viewed["timestamp"].isoformat() == "2024-05-01T10:00:00+00:00"
    assert bought["properties"] == {"platform": "web", "amount": "12.50", "$import": str(done["id"])}


def test_columns_can_be_named(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = _file(tmp_path, "odd.tsv", "who\twhat\twhen", "u1\tviewed\t1714557600", "u1\tviewed\t1714557660")
    words = ("--person", "who", "--event", "what", "--time", "when")
    assert run("import", "events", file, *words)["created"] == 2
    missing = run("import", "events", file, "--person", "nobody", ok=False)
    assert "There is no column “nobody”" in missing
    assert "“who”" in missing


def test_every_row_may_be_the_same_event(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = _file(tmp_path, "payments.csv", "user_id,paid_at", "u1,2024-05-01", "u2,2024-05-02")
    assert run("import", "events", file, "--event-name", "paid")["created"] == 2
    assert {row["event"] for row in _events(store)} == {"paid"}


def test_json_lines_keep_their_types(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    row = {"userId": "u1", "event": "bought", "timestamp": "2024-05-01T10:00:00Z", "amount": 5, "cart": {"size": 2}}
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    run("import", "events", str(path))
    (event,) = _events(store)
    assert event["properties"]["amount"] == "5"
    assert event["properties"]["cart.size"] == "2"


def test_parquet_is_read(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    path = tmp_path / "events.parquet"
    columns = {"user_id": ["u1", "u2"], "event": ["a", "b"], "ts": [1_714_557_600_000, 1_714_557_660_000]}
    parquet.write_table(pyarrow.table(columns), path)
    assert run("import", "events", str(path))["created"] == 2


def test_broken_rows_are_named_and_the_rest_comes_in(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    file = _file(
        tmp_path,
        "broken.csv",
        "user_id,event,timestamp",
        "u1,good,2024-05-01",
        ",nobody,2024-05-01",
        "u1,,2024-05-01",
        "u1,odd,someday",
        "u1,early,1971-05-01",
        "u1,good,2024-05-02",
    )
    done = run("import", "events", file)
    assert (done["rows"], done["created"], done["broken"]) == (6, 2, 4)
    reasons = {error["row"]: error["reason"] for error in done["errors"]}
    assert sorted(reasons) == [3, 4, 5, 6]
    assert "user_id" in reasons[3]
    assert "someday" in reasons[5]
    assert "1971" in reasons[6]


def test_a_dry_run_stores_nothing(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = _file(tmp_path, "a.csv", "user_id,event,timestamp", "u1,a,2024-05-01", "u1,b,2024-05-01", ",c,2024-05-01")
    checked = run("import", "events", file, "--dry-run")
    assert (checked["created"], checked["repeated"], checked["broken"]) == (2, 0, 1)
    assert _events(store) == []
    run("import", "events", file)
    assert run("import", "events", file, "--dry-run")["repeated"] == 2


def test_the_same_file_again_brings_nothing(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = _file(tmp_path, "a.csv", "user_id,event,timestamp", "u1,a,2024-05-01", "u1,a,2024-05-01", "u1,b,2024-05-01")
    assert run("import", "events", file)["created"] == 3, "equal rows are events of their own"
    again = run("import", "events", file)
    assert (again["created"], again["repeated"]) == (0, 3)
    longer = _file(tmp_path, "longer.csv", *Path(file).read_text().splitlines(), "u1,c,2024-05-02")
    assert run("import", "events", longer)["created"] == 1
    assert len(_events(store)) == 4


def test_an_import_that_broke_off_goes_on_where_it_stopped(
    run: Callable[..., Any], store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.events.importing import reading

    monkeypatch.setattr(reading, "BATCH_ROWS", 10)
    lines = [f"u{n % 3},a,2024-05-01 10:00:{n:02}" for n in range(45)]
    file = _file(tmp_path, "a.csv", "user_id,event,timestamp", *lines)
    sent: list[Any] = []
    post = client.Client.post

    def break_off(self: Any, path: str, body: Any = None) -> Any:
        if path.endswith("/import"):
            if len(sent) == 3:
                raise client.CommandError("the connection broke off")
            sent.append(body)
        return post(self, path, body)

    with monkeypatch.context() as cut:
        cut.setattr(client.Client, "post", break_off)
        run("import", "events", file, ok=False)
    assert len(_events(store)) == 30
    done = run("import", "events", file)
    assert (done["rows"], done["created"], done["repeated"]) == (45, 45, 0)
    assert len(_events(store)) == 45


def test_an_import_can_be_taken_back_and_made_again(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = _file(tmp_path, "a.csv", "user_id,event,timestamp", "u1,a,2024-05-01", "u1,b,2024-05-01")
    done = run("import", "events", file)
    assert run("event", "undo-import", str(done["id"]))["state"] == "undone"
    assert _events(store) == []
    assert run("event", "list")["events"] == []
    assert run("import", "events", file)["created"] == 2


def test_an_unreadable_file_is_refused_with_a_sentence(run: Callable[..., Any], tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "is empty" in run("import", "events", str(empty), ok=False)
    assert run("import", "events", str(tmp_path / "nowhere.csv"), ok=False)


def test_a_shops_click_stream_comes_in_once(run: Callable[..., Any], store: EventStore, shared_data: Path) -> None:
    file = str(shared_data / "shop-clickstream" / "ecom.csv.gz")
    done = run("import", "events", file)
    assert (done["rows"], done["created"], done["broken"]) == (31_106, 31_106, 0)
    assert done["mapping"] == {"person": "user_id", "event": "event", "time": "timestamp"}
    (facts,) = store.query(
        "SELECT count() AS rows, uniqExact(person) AS people, uniqExact(event) AS events FROM events"
    )
    assert facts == {"rows": 31_106, "people": 600, "events": 19}
    again = run("import", "events", file)
    assert (again["created"], again["repeated"]) == (0, 31_106)
    assert store.value("SELECT count() FROM events") == 31_106
    catalogue = {event["name"]: event for event in run("event", "list")["events"]}
    assert len(catalogue) == 19
    names = {each["name"]: each for each in catalogue["purchase"]["properties"]}
    assert {"session_id", "platform", "acquisition_channel"} <= names.keys()
    assert names["platform"]["volume"] == catalogue["purchase"]["volume"]


def test_others_cannot_import(api_viewer: Any, api_charlie: Any, store: EventStore) -> None:
    body = {"file_name": "a.csv", "fingerprint": "f" * 64}
    assert api_viewer.post("/products/sprout/events/imports", body).status == 403
    assert api_charlie.post("/products/sprout/events/imports", body).status == 404
