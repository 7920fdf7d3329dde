"""Surveys over REST and from the command line say the same as the pages."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whytree.voice.models import Survey, SurveyResponse

from .conftest import Done

QUESTIONS = [
    {"kind": "csat", "text": "How satisfied are you?"},
    {"kind": "multi", "text": "What for?", "options": ["Herbs", "=Roses"], "required": False},
    {"kind": "open", "text": "Why?"},
]


@pytest.fixture
def made(api: Any, store: Any) -> Any:
    body = {"title": "Spring", "questions": QUESTIONS, "hidden": ["plan"]}
    made = api.post("/products/sprout/surveys", body).ok
    return api.post(f"/products/sprout/surveys/{made['ref']}/start").ok


def _answer(api: Any, person: str, **answers: Any) -> Any:
    return api.post("/products/sprout/surveys/SUR-1/answers", {"person": person, "answers": answers})


def test_from_draft_to_results(api: Any, made: Any, cli: Callable[..., Done]) -> None:
    assert (made["ref"], made["state"], "/survey/" in made["link"]) == ("SUR-1", "running", True)
    assert _answer(api, "mira", q1=5, q2=["Herbs"], q3="=cmd|' /C calc'!A0").status == 201
    assert _answer(api, "jo", q1=2).status == 201
    assert _answer(api, "jo", q1=5).status == 409
    assert _answer(api, "null", q1=5).status == 400
    assert _answer(api, "tom", q1=6).status == 400
    found = api.get("/products/sprout/surveys/SUR-1/results").ok
    first = found["questions"][0]
    assert (found["answered"], first["n"], first["headline"]["value"]) == (2, 2, 0.5)
    assert 0 < first["headline"]["low"] < 0.5 < first["headline"]["high"] < 1
    assert cli("survey", "results", "SUR-1", "--json").json == found
    text = cli("survey", "results", "SUR-1").out
    assert "2 answered" in text
    assert "4 or more: 50 (" in text
    assert "SUR-1" in cli("survey", "list").out
    assert api.post("/products/sprout/surveys/SUR-1/stop").ok["state"] == "stopped"


def test_the_export_has_the_same_columns_whatever_was_answered(
    api: Any, made: Any, cli: Callable[..., Done], as_bob: Any, tmp_path: Path
) -> None:
    before = cli("survey", "export", "SUR-1").out
    _answer(api, "mira", q1=5, q2=["=Roses"], q3="=cmd|' /C calc'!A0")
    _answer(api, "jo", q1=2)
    after = cli("survey", "export", "SUR-1").out
    assert before.splitlines()[0] == after.splitlines()[0]
    assert as_bob.get("/p/sprout/SUR-1/responses.csv").content.decode().replace("\r\n", "\n") == after
    rows = list(csv.DictReader(io.StringIO(after)))
    assert [(row["person"], row["q1"], row["q2.Herbs"], row["q2.=Roses"], row["q3"]) for row in rows] == [
        ("mira", "5", "0", "1", "'=cmd|' /C calc'!A0"),
        ("jo", "2", "", "", ""),
    ]
    assert rows[0]["export_version"] == "1"
    cli("survey", "export", "SUR-1", "--json", "--to", str(tmp_path / "out.json"))
    assert json.loads((tmp_path / "out.json").read_text())[0]["q3"] == "=cmd|' /C calc'!A0"


def test_the_command_line_makes_starts_changes_and_invites(
    api: Any, cli: Callable[..., Done], store: Any, tmp_path: Path
) -> None:
    assert cli("survey", "create", "--template", "mood").code == 1
    assert cli("survey", "create").code == 1
    assert "SUR-1" in cli("survey", "create", "--template", "nps", "--title", "Autumn").out
    file = tmp_path / "survey.json"
    file.write_text("not json")
    assert "cannot be read as JSON" in cli("survey", "create", str(file)).error
    file.write_text(json.dumps({"share": 25, "stop_at": 10}))
    assert cli("survey", "change", "SUR-1", str(file), "--json").json["share"] == 25
    assert "is not running" in cli("survey", "invite", "SUR-1", "mira").error
    assert "running" in cli("survey", "start", "SUR-1").out
    assert "/survey/" in cli("survey", "invite", "SUR-1", "mira").out
    assert "/survey/" in cli("survey", "show", "SUR-1").out
    assert cli("survey", "copy", "SUR-1", "--json").json["state"] == "draft"
    assert "sur_1_favourable" in cli("survey", "metric", "SUR-1").out
    assert "already" in cli("survey", "metric", "SUR-1").error
    file.write_text(cli("survey", "show", "SUR-1", "--json").out)
    again = cli("survey", "create", str(file), "--json").json
    assert (again["ref"], again["title"], again["questions"], again["share"], again["state"]) == (
        "SUR-3",
        "Autumn",
        cli("survey", "show", "SUR-1", "--json").json["questions"],
        25,
        "draft",
    )
    assert "stopped" in cli("survey", "stop", "SUR-1").out
    file.write_text(json.dumps({"sahre": 25}))
    assert cli("survey", "change", "SUR-1", str(file)).code == 1


def test_who_may(api_viewer: Any, api_charlie: Any, api: Any, made: Any) -> None:
    path = "/products/sprout/surveys"
    assert api_viewer.get(path).ok[0]["ref"] == "SUR-1"
    assert api_viewer.post(path, {"title": "A", "questions": QUESTIONS}).status == 403
    for verb in ("start", "stop", "copy", "metric"):
        assert api_viewer.post(f"{path}/SUR-1/{verb}").status == 403
    assert _answer(api_viewer, "mira", q1=5).status == 403
    for address in ("", "/SUR-1", "/SUR-1/results", "/SUR-1/responses"):
        assert api_charlie.get(path + address).status == 404
    assert api.get(f"{path}/SUR-99").status == 404
    assert api.get(f"{path}/nonsense").status == 400


def test_a_person_is_forgotten_and_the_points_stay(api: Any, made: Any, actor: Any, product: Any) -> None:
    from whytree.people.services import erase, everything_of

    api.post(
        "/products/sprout/surveys/SUR-1/answers",
        {
            "person": "mira",
            "answers": {"q1": 5, "q3": "my own words"},
            "hidden": {"plan": "mira's"},
            "url": "https://x.example/mira",
        },
    )
    told = json.dumps(everything_of(actor, product, "mira"))
    assert "my own words" in told
    assert "How satisfied are you?" in told
    erase(actor, product, "mira")
    response = SurveyResponse.objects.get()
    assert response.answers == {"q1": 5}
    assert "mira" not in json.dumps([response.respondent, response.person_key, response.hidden, response.url])
    assert api.get("/products/sprout/surveys/SUR-1/results").ok["answered"] == 1
    assert Survey.objects.count() == 1
