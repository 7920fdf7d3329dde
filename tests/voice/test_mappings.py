"""Which column of a table holds what, kept under a name and found again by the table's columns."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.voice.importing.files import kept_for
from whytree.voice.models import ColumnMapping, FeedbackItem, ImportRun
from whytree.voice.services import keep_mapping, kept_mappings, remove_mapping
from whytree.workspace.models import Activity
from whytree.workspace.outside import uploaded
from whytree.workspace.records.activity import undo

from .conftest import Done

HEADER = ["nr", "kunde", "anliegen", "notiz", "note"]
TABLE = b"nr,kunde,anliegen,notiz,note\n1,Mira,Warum die Telefonnummer?,intern: VIP,2\n2,Jo,Der Export fehlt,,5\n"
COLUMNS = {"text": "anliegen", "author_name": "kunde", "submission_id": "nr", "rating": "note"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "uploads"
    place.mkdir()
    monkeypatch.setattr(uploaded, "folder", lambda: place)
    return place


@pytest.fixture
def kept(actor: Any, product: Any) -> ColumnMapping:
    return keep_mapping(actor, product, name="support desk", columns=COLUMNS, header=HEADER)


def upload(client: Any, content: bytes = TABLE, name: str = "desk.csv", **form: str) -> Any:
    return client.post("/p/sprout/voices/imports", {"file": SimpleUploadedFile(name, content), **form}, follow=True)


def read(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def said() -> list[tuple[str, str, str, float | None]]:
    rows = FeedbackItem.objects.order_by("submission_id")
    return list(rows.values_list("text", "author_name", "submission_id", "rating"))


# Keeping


def test_it_is_found_by_exactly_its_columns_in_whatever_order(product: Any, kept: ColumnMapping) -> None:
    found = kept_for(reversed(HEADER), kept_mappings(product))
    assert found is not None
    assert (found.name, found.columns) == ("support desk", COLUMNS)
    assert kept_for([*HEADER, "one more"], kept_mappings(product)) is None
    assert kept_for(HEADER[1:], kept_mappings(product)) is None


def test_the_same_name_replaces_and_of_two_the_later_is_read_by(actor: Any, product: Any, kept: ColumnMapping) -> None:
    keep_mapping(actor, product, name=" support  desk ", columns={"text": "notiz"}, header=HEADER)
    assert [one.columns for one in kept_mappings(product)] == [{"text": "notiz"}]
    keep_mapping(actor, product, name="newer", columns=COLUMNS, header=HEADER)
    found = kept_for(HEADER, kept_mappings(product))
    assert found is not None
    assert found.name == "newer"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, "has a name"),
        ({"name": "x" * 61}, "has a name"),
        ({"columns": {"author_name": "kunde"}}, "what people said"),
        ({"columns": {"text": "nowhere"}}, "no column"),
        ({"columns": {"text": "anliegen", "mood": "note"}}, "no field"),
        ({"header": []}, "columns"),
        ({"header": [f"c{number}" for number in range(1_001)]}, "columns"),
        ({"header": ["x" * 501]}, "columns"),
    ],
)
def test_what_cannot_be_kept(actor: Any, product: Any, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        keep_mapping(actor, product, **{"name": "a", "columns": COLUMNS, "header": HEADER, **change})


def test_it_can_be_taken_back_and_removed(actor: Any, product: Any, kept: ColumnMapping) -> None:
    remove_mapping(actor, product, "support desk")
    assert kept_for(HEADER, kept_mappings(product)) is None
    undo(actor, product, Activity.objects.latest("pk").pk)
    assert kept_for(HEADER, kept_mappings(product)) is not None
    with pytest.raises(NotFound):
        remove_mapping(actor, product, "nothing")


def test_only_a_maintainer_and_only_their_product(
    actor: Any, product: Any, bob: Any, other_product: Any, kept: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Forbidden):
        keep_mapping(actor_of_user(bob), product, name="a", columns=COLUMNS, header=HEADER)
    assert kept_for(HEADER, kept_mappings(other_product)) is None


def test_there_is_an_end(actor: Any, product: Any, kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.voice.services.mappings.MOST_MAPPINGS", 1)
    keep_mapping(actor, product, name="support desk", columns=COLUMNS, header=HEADER)
    with pytest.raises(Conflict):
        keep_mapping(actor, product, name="another", columns=COLUMNS, header=HEADER)


# The page


def test_columns_are_chosen_on_the_preview_and_kept_for_the_next_file(as_alice: Any, folder: Path) -> None:
    page = read(upload(as_alice, text_column="anliegen"))
    run = ImportRun.objects.get()
    assert "How the columns are read" in page
    assert "<option selected>anliegen</option>" in page
    place = f"/p/sprout/voices/imports/{run.pk}"
    page = read(as_alice.post(f"{place}/columns", COLUMNS, follow=True))
    again = ImportRun.objects.get()
    assert again.pk != run.pk
    assert {name: again.mapping[name] for name in COLUMNS} == COLUMNS
    assert set(again.mapping) == set(COLUMNS)
    assert "Mira" in page
    place = f"/p/sprout/voices/imports/{again.pk}"
    page = read(as_alice.post(f"{place}/keep-mapping", {"name": "support desk"}, follow=True))
    assert "“support desk” is kept" in page
    as_alice.post(f"{place}/begin")
    assert said() == [("Warum die Telefonnummer?", "Mira", "1", 2.0), ("Der Export fehlt", "Jo", "2", 5.0)]
    page = read(upload(as_alice, TABLE + b"3,Ida,Noch eins,,1\n"))
    assert "the columns are read as you kept it" in page
    assert "would bring 1 new voice" in page


def test_a_mapping_is_chosen_by_name(as_alice: Any, kept: Any) -> None:
    more = TABLE.replace(b"notiz,note\n", b"notiz,note,extra\n").replace(b",2\n", b",2,x\n").replace(b",5\n", b",5,y\n")
    page = read(upload(as_alice, more, mapping="support desk"))
    assert "As is kept under “support desk”" in page
    assert read(upload(as_alice, b"a,text\n1,hello there\n", mapping="support desk")).count("There is no column") == 1
    assert upload(as_alice, mapping="no such").status_code == 404
    assert "not both" in read(upload(as_alice, mapping="support desk", text_column="notiz"))


def test_wrong_columns_leave_the_first_preview(as_alice: Any) -> None:
    upload(as_alice, text_column="anliegen")
    run = ImportRun.objects.get()
    page = read(as_alice.post(f"/p/sprout/voices/imports/{run.pk}/columns", {"text": "nowhere"}, follow=True))
    assert "There is no column “nowhere”" in page
    page = read(as_alice.post(f"/p/sprout/voices/imports/{run.pk}/columns", {"author_name": "kunde"}, follow=True))
    assert "Which column holds what people said?" in page
    assert ImportRun.objects.get().pk == run.pk


def test_what_is_imported_is_not_read_anew(as_alice: Any) -> None:
    upload(as_alice, text_column="anliegen")
    as_alice.post(f"/p/sprout/voices/imports/{ImportRun.objects.get().pk}/begin")
    run = ImportRun.objects.get(state="completed")
    page = read(as_alice.post(f"/p/sprout/voices/imports/{run.pk}/columns", COLUMNS, follow=True))
    assert "imported already" in page


def test_who_may(as_bob: Any, as_charlie: Any, as_alice: Any, kept: Any) -> None:
    upload(as_alice)
    place = f"/p/sprout/voices/imports/{ImportRun.objects.get().pk}"
    for verb in ("columns", "keep-mapping"):
        assert as_bob.post(f"{place}/{verb}", {"name": "x"}).status_code == 403
        assert as_charlie.post(f"{place}/{verb}", {"name": "x"}).status_code == 404
    assert as_bob.post("/p/sprout/voices/imports/mappings/remove", {"name": "support desk"}).status_code == 403
    page = read(as_alice.post("/p/sprout/voices/imports/mappings/remove", {"name": "support desk"}, follow=True))
    assert "The mapping is gone" in page


def test_a_workbook_is_read_by_it_too(as_alice: Any, kept: Any) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(HEADER)
    book.active.append([7, "Ole", "Zu langsam", "", 3])
    book.save(out)
    page = read(upload(as_alice, out.getvalue(), "desk.xlsx"))
    assert "the columns are read as you kept it" in page
    assert "Zu langsam" in page


# The API and the command line


def test_the_api_keeps_and_reads_by_it(api: Any, api_viewer: Any, api_charlie: Any, product: Any) -> None:
    body = {"columns": COLUMNS, "header": HEADER}
    assert api_viewer.put("/products/sprout/feedback-mappings/desk", body).status == 403
    assert api.put("/products/sprout/feedback-mappings/desk", body).ok["columns"] == COLUMNS
    assert api.put("/products/sprout/feedback-mappings/desk", {"columns": {}, "header": HEADER}).status == 400
    assert [one["name"] for one in api_viewer.get("/products/sprout/feedback-mappings").ok] == ["desk"]
    assert api_charlie.get("/products/sprout/feedback-mappings").status == 404
    sent = api._client.post(
        "/api/products/sprout/feedback-imports/upload",
        {"file": SimpleUploadedFile("x.csv", TABLE)},
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert json.loads(sent.content)["created"] == 2
    assert said()[0] == ("Warum die Telefonnummer?", "Mira", "1", 2.0)
    assert api.delete("/products/sprout/feedback-mappings/desk").status == 204


def test_the_command_line_keeps_and_reads_by_it(cli: Callable[..., Done], tmp_path: Path, product: Any) -> None:
    first, second = tmp_path / "january.csv", tmp_path / "february.csv"
    first.write_bytes(TABLE)
    second.write_bytes(TABLE.replace(b"\n1,", b"\n3,").replace(b"\n2,", b"\n4,"))
    named = ("--text", "anliegen", "--author", "kunde", "--id", "nr", "--rating", "note", "--time", "-")
    cli("import", "feedback", str(first), *named, "--source", "desk", "--keep-mapping", "desk")
    assert "desk  text <- anliegen" in cli("feedback", "mappings").out
    assert "Read as is kept under “desk”." in cli("import", "feedback", str(second), "--source", "desk").out
    assert [row[1:] for row in said()] == [("Mira", "1", 2.0), ("Jo", "2", 5.0), ("Mira", "3", 2.0), ("Jo", "4", 5.0)]
    assert "There is no mapping" in cli("import", "feedback", str(second), "--mapping", "nothing").error
    assert "not both" in cli("import", "feedback", str(second), "--mapping", "desk", "--text", "notiz").error
    assert "None yet" in cli("feedback", "mappings", "--remove", "desk").out
