"""Exports of other systems through all three doors: recognised, looked at, brought in once, taken back."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from whytree.errors import Conflict, TooLarge
from whytree.people.models import Person
from whytree.voice.importing import uploads
from whytree.voice.importing.files import Asked, open_feedback
from whytree.voice.models import FeedbackItem, ImportRun
from whytree.workspace.models import Activity
from whytree.workspace.outside import underway, uploaded

from .conftest import Done

CANNY = [
    {
        "id": f"p{number}",
        "title": f"Title {number}",
        "details": f"words of {number}",
        "status": "open",
        "score": 3,
        "created": "2026-01-02T10:00:00Z",
        "author": {"name": f"User {number}", "userID": f"user-{number}", "isAdmin": number == 3},
    }
    for number in (1, 2, 3)
]
AS_JSON = json.dumps({"posts": CANNY}).encode()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "posts.json"
    path.write_bytes(AS_JSON)
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: Any) -> Path:
    """Where uploads lie."""
    place = tmp_path / "uploads"
    place.mkdir()
    monkeypatch.setattr(uploaded, "folder", lambda: place)
    return place


def upload(client: Any, content: bytes = AS_JSON, name: str = "posts.json", **form: str) -> Any:
    return client.post("/p/sprout/voices/imports", {"file": SimpleUploadedFile(name, content), **form}, follow=True)


def read(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("name", ["a.csv.gz", "a.xlsx"])
def test_a_file_that_unpacks_without_end_is_not_read(
    actor: Any, product: Any, folder: Path, monkeypatch: Any, settings: Any, name: str
) -> None:
    monkeypatch.setattr(uploaded, "MOST_TIMES", 1)
    much, packed = b"text\n" + b"a\n" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", much)
    bomb = gzip.compress(much) if name.endswith(".gz") else packed.getvalue()
    with pytest.raises(TooLarge, match="unpacks to more than"):
        uploads.look_at(actor, product, SimpleUploadedFile(name, bomb), Asked())
    assert not list(folder.iterdir())


def test_the_command_says_whose_export_it_is_and_why(cli: Callable[..., Done], export: Path) -> None:
    told = cli("import", "feedback", str(export)).out
    assert "posts.json: Canny posts, by its columns “id”, “title”, “details” and “score”." in told
    assert "2 rows: 2 new" in told
    assert "1 by the team are left out; --with-team keeps them." in told
    item = FeedbackItem.objects.get(submission_id="p1")
    assert (item.source_type, item.source_id, item.source_name) == ("portal", "canny", "Canny")
    assert (item.text, item.person_key, item.metadata["votes"]) == ("Title 1\n\nwords of 1", "user-1", 3)
    assert "Nothing new" in cli("import", "feedback", str(export)).out


def test_a_newer_export_under_another_name_brings_only_what_is_new(cli: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "may.json").write_text(json.dumps({"posts": CANNY[:1]}))
    cli("import", "feedback", str(tmp_path / "may.json"))
    changed = [{**CANNY[0], "details": "said better"}, CANNY[1]]
    (tmp_path / "june.json").write_text(json.dumps({"posts": changed}))
    run = cli("import", "feedback", str(tmp_path / "june.json"), "--json").json
    assert (run["created"], run["updated"], run["recognised"]["format"]) == (1, 1, "Canny posts")
    assert FeedbackItem.objects.get(submission_id="p1").text == "Title 1\n\nsaid better"


def test_the_same_id_twice_with_different_words_is_one_voice_as_said_last(
    cli: Callable[..., Done], tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"posts": [CANNY[0], {**CANNY[0], "details": "changed my mind"}]}))
    run = cli("import", "feedback", str(tmp_path / "a.json"), "--json").json
    assert (run["created"], run["skipped"]) == (1, 1)
    assert FeedbackItem.objects.get().text.endswith("changed my mind")


def test_what_the_team_said_is_kept_only_when_asked_for_and_weighs_less(
    cli: Callable[..., Done], export: Path, actor: Any, opportunity: Any
) -> None:
    from whytree.voice.services import link_excerpt

    cli("import", "feedback", str(export), "--with-team")
    ours = FeedbackItem.objects.get(submission_id="p3")
    assert ours.from_team
    assert link_excerpt(actor, ours, opportunity).evidence_type == "others_opinion"
    theirs = FeedbackItem.objects.get(submission_id="p1")
    assert link_excerpt(actor, theirs, opportunity).evidence_type == "anecdotal"


def test_the_products_team_is_left_out_at_every_import(cli: Callable[..., Done], tmp_path: Path) -> None:
    cli("feedback", "settings", "--team", "Acme.example", "--team", "tom")
    (tmp_path / "a.json").write_text(
        json.dumps({"posts": [{**CANNY[0], "author": {"name": "T", "email": "t@acme.example"}}, CANNY[1]]})
    )
    run = cli("import", "feedback", str(tmp_path / "a.json"), "--json").json
    assert (run["created"], run["left_out"]) == (1, {"team": 1})


def test_several_answers_of_one_row_are_several_voices_once(cli: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "form.csv").write_text(
        "#,What is missing?,What annoys you most?,Submit Date (UTC),Network ID\n"
        "r1,A way to look around first,Typing my phone number,2026-01-02 10:00:00,n\n"
    )
    for created in (2, 0):
        assert cli("import", "feedback", str(tmp_path / "form.csv"), "--json").json["created"] == created
    items = FeedbackItem.objects.filter(submission_id="r1")
    assert {item.field_id for item in items} == {"What is missing?", "What annoys you most?"}


def test_company_and_plan_of_an_export_are_kept_with_the_person(cli: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "suggestion.id,suggestion.title,external_user.external_id,account.name\n1,Dark mode,user-9,Acme\n"
    )
    cli("import", "feedback", str(tmp_path / "a.csv"))
    assert Person.objects.get(key="user-9").company == "Acme"


def test_a_file_of_no_use_ends_with_one_sentence(cli: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")
    done = cli("import", "feedback", str(tmp_path / "talk.vtt"))
    assert done.code == 1
    assert "transcript of a talk" in done.error


# The page


def test_a_page_shows_what_a_file_holds_before_anything_is_stored(as_alice: Any) -> None:
    page = read(upload(as_alice))
    assert "posts.json would bring 2 new voices" in page
    assert "Canny posts, by its columns “id”, “title”, “details” and “score”." in page
    assert "words of 1" in page
    assert "By the team, left out" in page
    assert not FeedbackItem.objects.exists()


def test_and_then_brings_it_in_and_takes_it_back(as_alice: Any, folder: Path) -> None:
    upload(as_alice)
    looked_at = ImportRun.objects.get()
    page = read(as_alice.post(f"/p/sprout/voices/imports/{looked_at.pk}/begin", follow=True))
    assert "posts.json brought 2 voices" in page
    run = ImportRun.objects.exclude(pk=looked_at.pk).get()
    assert (run.state, run.format_name, run.left_out) == ("completed", "Canny posts", {"team": 1})
    assert not list(folder.iterdir())  # the file is gone when it is in
    page = read(as_alice.post(f"/p/sprout/voices/imports/{run.pk}/undo", follow=True))
    assert "2 voices of posts.json went out again." in page
    assert not FeedbackItem.objects.exists()


MANY = ("id,text\n" + "".join(f"{n},voice number {n} speaks\n" for n in range(55))).encode()


@pytest.fixture
def stopped(as_alice: Any, actor: Any, product: Any, monkeypatch: Any) -> ImportRun:
    """An import that stopped after its first ten rows."""
    from whytree.voice.importing import files

    monkeypatch.setattr(files, "BATCH_ROWS", 10)
    upload(as_alice, MANY, "many.csv")
    return uploads.go_on(actor, uploads.begin(actor, product, ImportRun.objects.get()), seconds=-1)


def test_an_import_that_stopped_goes_on_where_it_was(
    as_alice: Any, actor: Any, stopped: ImportRun, monkeypatch: Any
) -> None:
    opens, opened = [], uploads.open_by_kept
    monkeypatch.setattr(uploads, "open_by_kept", lambda *given: opens.append(1) or opened(*given))
    assert (stopped.created, stopped.finished_at) == (10, None)
    page = read(as_alice.get(f"/p/sprout/voices/imports/{stopped.pk}"))
    assert "10 rows of many.csv are in, and it has not ended" in page
    assert "% of the file." in page
    assert uploads.go_on(actor, stopped, seconds=-1).created == 20
    assert not opens  # it is held open: a step costs its own rows, not all before it
    underway.forget_waiting(-1)  # as after a restart
    assert ">Resume</a>" in read(as_alice.get("/p/sprout/voices/imports"))
    part = as_alice.post(f"/p/sprout/voices/imports/{stopped.pk}/go-on", headers={"HX-Request": "true"})
    assert "many.csv brought 55 voices" in read(part)
    assert FeedbackItem.objects.count() == 55


def test_one_that_somebody_else_ended_meanwhile_is_ended(actor: Any, stopped: ImportRun) -> None:
    late = ImportRun.objects.get(pk=stopped.pk)
    uploads.go_on(actor, stopped, seconds=None)
    assert (uploads.go_on(actor, late).state, FeedbackItem.objects.count()) == ("completed", 55)


def test_one_that_stopped_can_be_taken_back_and_its_file_goes_with_it(
    as_alice: Any, folder: Path, stopped: ImportRun
) -> None:
    assert "Take back" in read(as_alice.get("/p/sprout/voices/imports"))
    page = read(as_alice.post(f"/p/sprout/voices/imports/{stopped.pk}/undo", follow=True))
    assert "10 voices of many.csv went out again." in page
    assert ">Resume</a>" not in page
    assert not list(folder.iterdir())
    assert not FeedbackItem.objects.exists()


def test_a_large_one_goes_out_in_steps_and_a_job_ends_what_was_cut_off(
    as_alice: Any, actor: Any, product: Any, stopped: ImportRun, monkeypatch: Any
) -> None:
    from whytree.voice import jobs
    from whytree.voice.services import imports

    run = uploads.go_on(actor, stopped, seconds=None)
    monkeypatch.setattr(imports, "UNDONE_AT_ONCE", 20)
    undone = imports.undo_import(actor, run, seconds=-1)
    assert (undone.removed, undone.left, FeedbackItem.objects.count()) == (20, 35, 35)
    page = read(as_alice.get(f"/p/sprout/voices/imports/{run.pk}"))
    assert "many.csv is being taken back: 35 of its voices are still here" in page
    again = upload(as_alice, MANY, "many.csv")  # what it calls known would go all the same
    assert "being taken back" in read(again)
    assert imports.undo_import(actor, run, seconds=-1).left == 15
    late = ImportRun.objects.get(pk=run.pk)
    jobs.undo_imports({})
    run.refresh_from_db()
    assert uploads.go_on(actor, late).finished_at == run.finished_at  # a page that asks when the job has ended it
    assert (run.is_going_out, FeedbackItem.objects.count()) == (False, 0)
    with pytest.raises(Conflict, match="taken back already"):
        imports.undo_import(actor, run)


def test_one_that_stopped_asks_for_its_file_when_that_is_gone(
    as_alice: Any, product: Any, folder: Path, stopped: ImportRun
) -> None:
    assert uploads.throw_away_for(product) == 1  # somebody is forgotten: their words may be in it
    assert not list(folder.iterdir())
    page = read(as_alice.get(f"/p/sprout/voices/imports/{stopped.pk}"))
    assert "Upload it again</a>, and it goes on after row 11." in page
    upload(as_alice, MANY, "many.csv")
    looked_at = ImportRun.objects.get(state="dry_run")
    page = read(as_alice.post(f"/p/sprout/voices/imports/{looked_at.pk}/begin", follow=True))
    assert "many.csv brought 55 voices" in page
    assert not list(folder.iterdir())


def test_what_was_only_looked_at_is_listed_and_goes_when_nobody_wants_it(as_alice: Any, folder: Path) -> None:
    upload(as_alice)
    looked_at = ImportRun.objects.get()
    assert '<b dir="auto">posts.json</b> was looked at' in read(as_alice.get("/p/sprout/voices/imports"))
    begin = f"/p/sprout/voices/imports/{looked_at.pk}/begin"
    page = read(as_alice.post(begin, {"act": "forget"}, follow=True))
    assert "posts.json is gone, and nothing of it was stored." in page
    assert "was looked at" not in page
    assert not list(folder.iterdir())
    assert as_alice.post(begin).status_code == 404


def test_an_import_that_is_begun_twice_is_one(as_alice: Any) -> None:
    upload(as_alice)
    looked_at = ImportRun.objects.get()
    first, again = (as_alice.post(f"/p/sprout/voices/imports/{looked_at.pk}/begin") for _ in range(2))
    assert first.url == again.url
    back = as_alice.get(f"/p/sprout/voices/imports/{looked_at.pk}")
    assert back.url == first.url


def test_a_file_that_can_bring_nothing_is_not_kept(as_alice: Any, folder: Path) -> None:
    upload(as_alice)
    as_alice.post(f"/p/sprout/voices/imports/{ImportRun.objects.get().pk}/begin")
    assert "Nothing new: what posts.json says is known already" in read(upload(as_alice))
    assert not list(folder.iterdir())
    assert "was looked at" not in read(as_alice.get("/p/sprout/voices/imports"))


def test_a_guessed_table_shows_its_columns_and_is_called_as_its_owner_calls_it(as_alice: Any) -> None:
    page = read(upload(as_alice, b"id,text,stars\n1,hello there,2\n", "june reviews.csv"))
    assert "No system we know writes this; the columns were guessed." in page
    assert '<label for="column-rating">Rating</label>' in page
    assert "<option selected>stars</option>" in page
    assert ImportRun.objects.get().source_name == "june reviews"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"%PDF-1.7", "a.pdf", "is a PDF"),
        (b"PK\x03\x04nonsense", "a.zip", "damaged ZIP file"),
        (b"a,b\n1,2\n", "a.csv", "Which column holds what people said?"),
        (b"WEBVTT\n\n", "a.vtt", "Bring it in under Voices, Interviews."),
    ],
)
def test_a_page_says_what_is_wrong_with_a_file(
    as_alice: Any, folder: Path, content: bytes, name: str, words: str
) -> None:
    answer = upload(as_alice, content, name)
    assert answer.status_code == 400
    assert words in read(answer)
    assert not ImportRun.objects.exists()
    assert not list(folder.iterdir())


def test_an_upload_says_nothing_of_where_it_lies(as_alice: Any, folder: Path) -> None:
    page = read(upload(as_alice, b"a,b\n1,2\n", "../../etc/x.csv"))
    assert str(folder) not in page


def test_who_may_import(as_bob: Any, as_viewer: Any, as_charlie: Any, as_alice: Any) -> None:
    assert upload(as_bob).status_code == 403
    assert upload(as_viewer).status_code == 403
    assert upload(as_charlie).status_code == 404
    upload(as_alice)
    run = ImportRun.objects.get()
    assert as_bob.post(f"/p/sprout/voices/imports/{run.pk}/begin").status_code == 403
    assert as_charlie.post(f"/p/sprout/voices/imports/{run.pk}/begin").status_code == 404
    assert "Bring in a file" not in read(as_viewer.get("/p/sprout/voices/imports"))


def test_old_uploads_are_thrown_away(as_alice: Any, monkeypatch: Any) -> None:
    from datetime import timedelta

    upload(as_alice)
    assert uploads.throw_away_old() == 0
    monkeypatch.setattr(uploaded, "KEPT_FOR", timedelta(0))
    assert uploads.throw_away_old() == 1
    assert not ImportRun.objects.exists()


def test_a_file_that_is_gone_is_asked_for_again(as_alice: Any, folder: Path) -> None:
    upload(as_alice)
    for file in folder.iterdir():
        file.unlink()
    page = read(as_alice.get(f"/p/sprout/voices/imports/{ImportRun.objects.get().pk}"))
    assert "not here any more" in page


FORM = b"Timestamp,Email Address,What would you change?\n10/1/2026 9:00:00,a@b.example,The colours are far too pale\n"


def test_days_that_may_be_months_are_asked_about(as_alice: Any, tmp_path: Path) -> None:
    page = read(upload(as_alice, FORM, "form.csv"))
    assert "No row of form.csv can be taken" in page
    assert "Its dates can be read two ways" in page
    again = as_alice.post(f"/p/sprout/voices/imports/{ImportRun.objects.get().pk}/columns", {"first": "month"})
    page = read(as_alice.get(again.url))
    assert "form.csv would bring 1 new voice" in page
    assert "two ways" not in page
    later = FORM + b"".join(b"10/2/2026 9:00:00,c@d.example,The %d. one is too pale\n" % number for number in range(60))
    (tmp_path / "form.csv").write_bytes(later + b"10/13/2026 9:00:00,e@f.example,I would change the fonts\n")
    assert open_feedback(tmp_path / "form.csv").day_first is False


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"ID,Team,Title,Status,Creator\nSPR-1,Sprout,Slow,Todo,mia@acme.example\n", "holds only what the team said"),
        (b"Timestamp,Email Address,Which?\n2026-10-01 09:00:00,a@b.example,Map\n", "Nobody speaks in a.csv"),
        (b"id,text\n", "holds nothing to read"),
    ],
)
def test_a_file_that_brings_nothing_says_why(as_alice: Any, content: bytes, sentence: str) -> None:
    assert sentence in read(upload(as_alice, content, "a.csv"))


def test_a_file_that_was_only_looked_at_is_no_import(as_alice: Any, api: Any) -> None:
    upload(as_alice)
    assert api.get("/products/sprout/feedback-imports").ok == []
    assert "Nothing was imported yet" in read(as_alice.get("/p/sprout/voices/imports"))


# The API


def test_the_api_takes_the_file_as_it_is(api: Any, product: Any) -> None:
    def send(**form: str) -> Any:
        return api._client.post(
            "/api/products/sprout/feedback-imports/upload",
            {"file": io.BytesIO(AS_JSON), **form},
            headers={"Authorization": f"Bearer {api.token}"},
        )

    looked_at = send(dry_run="true").json()
    assert (looked_at["state"], looked_at["format_name"], looked_at["created"]) == ("dry_run", "Canny posts", 2)
    assert not FeedbackItem.objects.exists()
    assert send(consent="quotable").json()["created"] == 2
    assert FeedbackItem.objects.filter(consent="quotable").count() == 2
    assert send(consent="quotable").json()["skipped"] == 2
    assert send(consent="perhaps").status_code == 400
    assert Activity.objects.filter(verb="finish_import").exists()
