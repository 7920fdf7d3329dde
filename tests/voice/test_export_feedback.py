"""Voices as a file: the same columns always, nothing a spreadsheet would run, and able to arrive elsewhere."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whytree.people.models import Person
from whytree.voice import queries
from whytree.voice.queries import Wanted
from whytree.voice.queries.exporting import COLUMNS, SAID
from whytree.voice.services import Act, link_excerpt, merge, triage

from .conftest import Done


def read(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def test_the_columns_are_these_and_stay(as_bob: Any, say: Any) -> None:
    """Whoever reads the file by place relies on it: a new column goes to the end."""
    assert ",".join(COLUMNS) == (
        "text,said_at,author_name,person,rating,language,app_version,flags,url,consent,metadata,source_type,source_id,source_name,"
        "submission_id,field_id,from_team,ref,state,status,assignee,tags,opportunities,merged_into,reporter,company,plan,"
        "told_language,told_sentiment,redacted,said_at_known,created_at"
    )
    empty = read(as_bob.get("/p/sprout/voices/export.csv"))
    assert empty.decode("utf-8-sig").strip().split(",") == list(COLUMNS)
    assert read(as_bob.get("/p/sprout/voices/export.jsonl")) == b""
    say("hello", metadata={"a": 1})
    assert list(json.loads(read(as_bob.get("/p/sprout/voices/export.jsonl?state=all")))) == list(COLUMNS)


def test_all_that_is_known_stands_in_its_line(
    as_bob: Any, actor: Any, product: Any, say: Any, opportunity: Any
) -> None:
    one = say('Straße, "quoted"\nand more', person="mira", rating=4, flags={"signup": "short"}, metadata={"k": [1]})
    Person.objects.filter(key="mira").update(company="Acme", plan="pro")
    triage(actor, product, [one], Act("tag", "b"))
    triage(actor, product, [one], Act("tag", "a"))
    link_excerpt(actor, one, opportunity)
    merge(actor, say("the same"), one)
    last, first = rows_of(read(as_bob.get("/p/sprout/voices/export.csv?state=all")))
    assert (last["state"], last["merged_into"]) == ("merged", "FB-1")
    assert first["text"] == one.text
    assert (first["tags"], first["opportunities"], first["state"]) == ("a; b", "OPP-1", "linked")
    assert (first["company"], first["plan"], first["rating"]) == ("Acme", "pro", "4.0")
    assert json.loads(first["flags"]) == {"signup": "short"}
    assert json.loads(first["metadata"]) == {"k": [1]}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_nothing(as_bob: Any, say: Any, start: str) -> None:
    hostile = f'{start}HYPERLINK("http://evil","x")'
    say(f"{hostile}", author_name=hostile.strip()[:100], metadata={"x": hostile}, submission_id="1")
    data = read(as_bob.get("/p/sprout/voices/export.csv?state=all"))
    (row,) = rows_of(data)
    assert not any(str(value)[:1] in "=+-@\t\r" for value in row.values() if value)
    assert json.loads(read(as_bob.get("/p/sprout/voices/export.jsonl?state=all")))["text"] == hostile.strip()


def test_whose_words_are_to_stay_here_goes_without_them(as_bob: Any, say: Any) -> None:
    say("my secret words", person="mira", consent="none")
    data = read(as_bob.get("/p/sprout/voices/export.jsonl?state=all"))
    assert b"secret" not in data
    assert json.loads(data)["person"] == "mira"


def test_it_holds_what_the_list_shows_and_no_more(as_bob: Any, say: Any, other_product: Any) -> None:
    for number in range(40):
        say(f"voice {number}", rating=number % 2 + 1)
    assert len(rows_of(read(as_bob.get("/p/sprout/voices/export.csv?rating=1")))) == 20
    assert len(rows_of(read(as_bob.get("/p/sprout/voices/export.csv?q=39&state=all")))) == 1
    page = as_bob.get("/p/sprout/voices?rating=1").content.decode()
    assert 'href="/p/sprout/voices/export.csv?rating=1"' in page


def test_many_chunks_are_one_file(as_bob: Any, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.voice.queries.exporting.CHUNK", 3)
    for number in range(8):
        say(f"voice {number}", said_at=f"2026-01-0{number + 1}")
    lines = read(as_bob.get("/p/sprout/voices/export.jsonl?state=all")).splitlines()
    assert [json.loads(line)["text"] for line in lines] == [f"voice {number}" for number in reversed(range(8))]


def test_it_arrives_elsewhere_as_the_same_voices(
    api: Any, as_alice: Any, say: Any, other_product: Any, product: Any
) -> None:
    from whytree.workspace.services import create_product

    say(
        "Straße =1", person="mira", rating=4.5, flags={"a": "b"}, metadata={"k": "v"}, language="de", consent="quotable"
    )
    say("from us", from_team=True, app_version="4.1", url="https://example.org/1")
    there = create_product(api_actor(product), name="Copy")
    sent = [json.loads(line) for line in read(as_alice.get("/p/sprout/voices/export.jsonl?state=all")).splitlines()]
    said = [{name: row[name] for name in SAID} for row in sent]
    added = api.post(f"/products/{there.slug}/feedback", said).ok
    assert (len(added["created"]), added["refused"]) == (2, [])
    back = [
        json.loads(line) for line in read(as_alice.get(f"/p/{there.slug}/voices/export.jsonl?state=all")).splitlines()
    ]
    assert [{name: row[name] for name in SAID} for row in back] == said


def api_actor(product: Any) -> Any:
    from whytree.workspace.entry.keys import actor_of_user
    from whytree.workspace.models import Membership

    return actor_of_user(Membership.objects.filter(product=product).order_by("pk").first().user)


def test_who_may(as_viewer: Any, as_charlie: Any, api: Any, api_viewer: Any, say: Any) -> None:
    say("hello")
    assert as_viewer.get("/p/sprout/voices/export.csv").status_code == 403
    assert "export.csv" not in as_viewer.get("/p/sprout/voices").content.decode()
    assert as_charlie.get("/p/sprout/voices/export.csv").status_code == 404
    assert as_viewer.get("/p/sprout/voices/export.exe").status_code in (403, 404)
    assert api_viewer.get("/products/sprout/feedback-export").status == 403
    assert api.get("/products/sprout/feedback-export?form=exe").status in (400, 422)
    assert api.get("/products/sprout/feedback-export?sentiment=odd").status == 400


def test_the_command_line_writes_it(cli: Callable[..., Done], say: Any, tmp_path: Path) -> None:
    say("the phone number")
    say("something else")
    target = tmp_path / "voices.csv"
    assert "is written" in cli("feedback", "export", "phone", "--to", str(target)).out
    assert [row["text"] for row in rows_of(target.read_bytes())] == ["the phone number"]
    cli("feedback", "export", "--to", str(tmp_path / "all.jsonl"))
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2
    assert "ending says" in cli("feedback", "export", "--to", str(tmp_path / "all.xlsx")).error


@pytest.mark.parametrize("flag", ["2024", "-1", "0", "a.b", "new_checkout", "größe"])
def test_a_flag_may_be_called_anything(product: Any, say: Any, flag: str) -> None:
    kept = say("with it", flags={flag: "on"})
    say("with another one", flags={"other": "on"})
    for typed in (flag, f"{flag}:on"):
        assert [item.pk for item in queries.page_of(product, Wanted(variant=typed)).items] == [kept.pk]
    assert queries.page_of(product, Wanted(variant=f"{flag}:off")).items == []
