"""Files of events over the page: looked at first, read otherwise, brought in in steps, taken back."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from whytree.errors import Conflict
from whytree.events.importing import archives, uploads
from whytree.events.importing import services as imports
from whytree.events.importing.files import Asked
from whytree.events.jobs import forget_previews
from whytree.events.models import EventImport
from whytree.stores.events import EventStore
from whytree.stores.writing.capture import delete_import
from whytree.workspace.background.jobs import run_next
from whytree.workspace.models import Job, Product
from whytree.workspace.outside import underway, uploaded
from whytree.workspace.sockets import erase_everywhere

pytestmark = pytest.mark.django_db

PAGE = "/p/sprout/events/imports"
CSV = (
    b"who,what,when,amount\nu1,viewed,2024-05-01 10:00:00,\nu2,bought,2024-05-01 10:05:00,12.5\n,bought,2024-05-01,1\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie."""
    place = tmp_path / "uploads"
    place.mkdir()
    monkeypatch.setattr(uploaded, "folder", lambda: place)
    return place


def send(client: Any, name: str, content: bytes, **more: str) -> Any:
    return client.post(PAGE, {"file": SimpleUploadedFile(name, content), **more}, follow=True)


def stored(store: EventStore) -> list[tuple[str, str]]:
    rows = store.query("SELECT distinct_id, event FROM events ORDER BY timestamp, event_id")
    return [(row["distinct_id"], row["event"]) for row in rows]


def test_a_table_whose_columns_do_not_tell_is_read_as_somebody_says(
    as_alice: Any, store: EventStore, folder: Path
) -> None:
    asks = send(as_alice, "shop <b>.csv", CSV)
    page = asks.content.decode()
    assert "Which column says whose event it is?" in page
    assert "shop &lt;b&gt;.csv" in page
    run = EventImport.objects.get()
    looked = as_alice.post(
        f"{PAGE}/{run.pk}/look", {"source": "table", "person": "who", "event": "what", "time": "when"}, follow=True
    ).content.decode()
    assert "would bring 2 new events" in looked
    assert "column “who” is empty" in looked
    assert stored(store) == []
    done = as_alice.post(f"{PAGE}/{run.pk}/begin", follow=True).content.decode()
    assert "brought 2 events" in done
    assert stored(store) == [("u1", "viewed"), ("u2", "bought")]
    assert list(folder.iterdir()) == []
    assert "Nothing new" not in done
    again = send(as_alice, "same.csv", CSV.replace(b"who,what,when", b"user_id,event,timestamp")).content.decode()
    assert "would bring 2 new events" in again  # the same facts under other columns are other rows


def test_another_tools_export_is_recognised_and_may_be_read_as_a_table(as_alice: Any, store: EventStore) -> None:
    export = {
        "event": "Paid",
        "properties": {"distinct_id": "ana", "time": 1_714_557_600, "$insert_id": "i-1", "plan": "pro"},
    }
    page = send(as_alice, "mixpanel.jsonl.gz", gzip.compress(json.dumps(export).encode())).content.decode()
    assert "Mixpanel" in page
    assert "who is who" in page
    assert "would bring 1 new event" in page
    run = EventImport.objects.get()
    as_alice.post(f"{PAGE}/{run.pk}/look", {"source": "posthog"})
    assert as_alice.post(f"{PAGE}/{run.pk}/look", {"source": ""}, follow=True).status_code == 200
    as_alice.post(f"{PAGE}/{run.pk}/begin")
    assert stored(store) == [("ana", "Paid")]
    again = send(as_alice, "mixpanel.jsonl.gz", gzip.compress(json.dumps(export).encode())).content.decode()
    assert "is here already" in again
    listed = as_alice.get(PAGE).content.decode()
    assert listed.count("mixpanel.jsonl.gz") == 1  # what was only looked at is no import


def test_it_goes_on_where_it_stopped_and_is_taken_back(
    actor: Any, product: Any, as_alice: Any, store: EventStore, folder: Path
) -> None:
    rows = "".join(f"u{n},a,2024-05-01T10:00:00Z\n" for n in range(2_500))
    upload = SimpleUploadedFile("long.csv", f"user_id,event,timestamp\n{rows}".encode())
    run = uploads.begin(actor, product, uploads.look_at(actor, product, upload, Asked()))
    run = uploads.go_on(actor, run, seconds=-1)  # time is up after the first batch
    assert (run.state, run.created) == ("running", 1_000)
    page = as_alice.get(f"{PAGE}/{run.pk}").content.decode()
    assert "1,000 rows of" in page
    assert 'hx-trigger="load, submit"' in page
    piece = as_alice.post(f"{PAGE}/{run.pk}/go-on", headers={"HX-Request": "true"}).content.decode()
    assert "brought 2,500 events" in piece
    assert len(stored(store)) == 2_500
    page = as_alice.post(f"{PAGE}/{run.pk}/undo", follow=True).content.decode()
    assert "are being taken out" in page
    assert "being taken back, 0 %" in as_alice.get(PAGE).content.decode()
    uploads.undo(actor, product, run.pk)  # asked again, while the job waits
    assert run_next("test", lane="long")
    assert not run_next("test", lane="long")
    assert stored(store) == []
    assert "was taken back" in as_alice.get(f"{PAGE}/{run.pk}", headers={"HX-Request": "true"}).content.decode()
    with pytest.raises(Conflict, match="already"):
        uploads.undo(actor, product, run.pk)


def test_what_failed_to_be_taken_back_is_tried_again_and_nobody_goes_on_meanwhile(
    actor: Any, product: Any, store: EventStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = b"user_id,event,timestamp\nu1,a,2024-05-01T10:00:00Z\n"
    run = uploads.begin(actor, product, uploads.look_at(actor, product, SimpleUploadedFile("a.csv", told), Asked()))
    uploads.go_on(actor, run)
    uploads.undo(actor, product, run.pk)
    with pytest.raises(Conflict, match="being taken back"):
        imports.import_rows(actor, product, run.pk, [], upto=9)
    again = uploads.look_at(actor, product, SimpleUploadedFile("a.csv", told), Asked())
    with pytest.raises(Conflict, match="being taken back"):  # all its rows are there, and soon are not
        uploads.begin(actor, product, again)
    with monkeypatch.context() as broken:
        broken.setattr(imports, "retract_links", lambda *_: 1 / 0)
        assert run_next("test", lane="long")
    Job.objects.all().delete()  # it was tried as often as a job is
    forget_previews({})
    assert run_next("test", lane="long")
    run.refresh_from_db()
    assert (run.state, run.taken_back, stored(store)) == ("undone", 100, [])
    uploads.go_on(actor, uploads.begin(actor, product, again))
    assert len(stored(store)) == 1


def test_what_is_no_file_of_events_is_refused_and_leaves_no_trace(as_alice: Any, folder: Path) -> None:
    for name, content, says in (
        ("empty.csv", b"", "The file is empty"),
        ("book.xlsx", b"PK\x03\x04 no workbook", "workbook is damaged"),
        ("odd.parquet", b"PAR1", "Parquet file is damaged"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + b"\0\1" * 500, "picture or a recording"),
        ("none.json", b"{}", "The file is empty"),
    ):
        answer = send(as_alice, name, content)
        assert (answer.status_code, says in answer.content.decode()) == (400, True), name
        assert list(folder.iterdir()) == []
    assert as_alice.post(PAGE, {}).status_code == 400
    assert send(as_alice, "a.csv", CSV, source="quickbooks").status_code == 400


def test_it_is_maintainers_who_bring_files_in(as_bob: Any, as_alice: Any, as_charlie: Any, folder: Path) -> None:
    assert "Bring in a file" not in as_bob.get(PAGE).content.decode()
    assert send(as_bob, "a.csv", CSV).status_code == 403
    assert list(folder.iterdir()) == []
    send(as_alice, "a.csv", CSV)
    run = EventImport.objects.get()
    assert as_bob.post(f"{PAGE}/{run.pk}/begin").status_code == 403
    assert as_bob.post(f"{PAGE}/{run.pk}/undo").status_code == 403
    assert as_charlie.get(f"{PAGE}/{run.pk}").status_code == 404
    assert as_alice.post(f"{PAGE}/{run.pk}/begin", follow=True).content.decode().count("Say first which column") == 1
    as_alice.post(f"{PAGE}/{run.pk}/begin", {"act": "forget"})
    assert (list(folder.iterdir()), EventImport.objects.count()) == ([], 0)


def test_what_was_only_looked_at_goes_when_somebody_is_forgotten_and_after_a_while(
    as_alice: Any, product: Product, folder: Path
) -> None:
    send(as_alice, "shop.csv", CSV)
    assert list(folder.iterdir())
    erase_everywhere(product, "u1")
    assert list(folder.iterdir()) == []
    assert not EventImport.objects.exists()
    send(as_alice, "shop.csv", CSV)
    forget_previews({})
    assert EventImport.objects.exists()
    EventImport.objects.update(started_at=timezone.now() - 2 * uploaded.KEPT_FOR)
    forget_previews({})
    assert not EventImport.objects.exists()


def packed(path: Path, hours: int, rows: int) -> bytes:
    """An archive as Amplitude hands it out."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for hour in range(hours):
            lines = (
                {
                    "event_type": "viewed",
                    "user_id": f"u{n}",
                    "event_time": f"2024-05-01 {hour:02d}:00:00",
                    "$insert_id": f"{hour}-{n}",
                }
                for n in range(rows)
            )
            archive.writestr(f"1/{hour}.json", "\n".join(map(json.dumps, lines)))
    return path.read_bytes()


def test_a_file_is_unpacked_and_read_once_however_many_steps_it_takes(
    actor: Any, product: Any, store: EventStore, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacks, opens = [], []
    together, opened = archives._together, uploads.open_events
    monkeypatch.setattr(archives, "_together", lambda *given: unpacks.append(1) or together(*given))
    monkeypatch.setattr(uploads, "open_events", lambda *given: opens.append(1) or opened(*given))
    upload = SimpleUploadedFile("export.zip", packed(tmp_path / "export.zip", 4, 1_000))
    looked = uploads.look_at(actor, product, upload, Asked())
    uploads.preview(looked)
    run = uploads.begin(actor, product, looked)
    opens.clear()
    for step in range(1, 4):
        run = uploads.go_on(actor, run, seconds=-1)
        assert (run.state, run.created) == ("running", step * 1_000)
    assert uploads.progress(run) is not None
    assert (len(unpacks), len(opens)) == (1, 1)
    underway.forget_waiting(-1)  # as after a restart: opened anew, and unpacked no second time
    run = uploads.go_on(actor, run, seconds=60)
    assert (run.state, run.created, run.repeated) == ("finished", 4_000, 0)
    assert (len(unpacks), len(opens)) == (1, 2)
    assert list(folder.iterdir()) == []


def test_processes_that_take_turns_read_a_file_once_each(
    actor: Any, product: Any, store: EventStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = []
    opened = uploads.open_events
    monkeypatch.setattr(uploads, "open_events", lambda *given: opens.append(1) or opened(*given))
    rows = "".join(f"u{n},a,2024-05-01T10:00:00Z\n" for n in range(5_500))
    upload = SimpleUploadedFile("long.csv", f"user_id,event,timestamp\n{rows}".encode())
    run = uploads.begin(actor, product, uploads.look_at(actor, product, upload, Asked()))
    opens.clear()
    processes: tuple[dict[str, Any], dict[str, Any]] = ({}, {})  # what each of them holds open
    for step in range(7):
        monkeypatch.setattr(underway, "_held", processes[step % 2])
        run = uploads.go_on(actor, run, seconds=-1)
    assert (run.state, run.created, run.repeated, len(opens)) == ("finished", 5_500, 0, 2)


def test_what_another_process_took_back_can_be_brought_in_here_again(
    actor: Any, product: Any, store: EventStore, folder: Path
) -> None:
    def brought() -> Any:
        upload = SimpleUploadedFile("a.csv", b"user_id,event,timestamp\nu1,a,2024-05-01T10:00:00Z\nu2,a,2024-05-01\n")
        run = uploads.begin(actor, product, uploads.look_at(actor, product, upload, Asked()))
        return uploads.go_on(actor, run)

    assert delete_import(product.pk, str(brought().pk)) == 2  # and nobody here has heard of it
    again = brought()
    assert (again.created, again.repeated, len(stored(store))) == (2, 0, 2)


def test_what_is_given_up_half_way_leaves_nothing_behind(
    actor: Any, product: Any, as_alice: Any, store: EventStore, folder: Path, tmp_path: Path
) -> None:
    upload = SimpleUploadedFile("export.zip", packed(tmp_path / "export.zip", 3, 1_000))
    run = uploads.go_on(
        actor, uploads.begin(actor, product, uploads.look_at(actor, product, upload, Asked())), seconds=-1
    )
    page = as_alice.get(f"{PAGE}/{run.pk}").content.decode()
    assert "Stop, and take it back" in page
    assert "% of the file" in page
    assert len(list(folder.iterdir())) == 2  # the archive, and its lines
    as_alice.post(f"{PAGE}/{run.pk}/undo")
    assert (list(folder.iterdir()), uploads.progress(run)) == ([], None)
    assert run_next("test", lane="long")
    assert stored(store) == []


def test_a_full_disk_is_no_damaged_archive_and_nothing_is_left_on_it(
    as_alice: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = packed(tmp_path / "export.zip", 1, 40_000)
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(archives.tempfile, "NamedTemporaryFile", lambda **_: full)
        answer = send(as_alice, "export.zip", content)
    assert answer.status_code == 503
    assert "The disk is full" in answer.content.decode()
    assert list(folder.iterdir()) == []
