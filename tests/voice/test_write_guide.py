"""What is asked in talks is kept, and what would bring opinions is pointed at, at every door."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.voice.conftest import Done
from tests.voice.test_import_interview import TALK
from whytree.engines.voices.questions import lint_guide
from whytree.errors import Forbidden, Invalid
from whytree.voice.interviews.queries import asked_in, transcript_of
from whytree.voice.interviews.services import import_interview, remove_guide, set_interview, write_guide
from whytree.voice.models import Guide, Interview
from whytree.voice.templatetags.talks import questions

QUESTIONS = "# Opening\nTell me about the last time you booked a class.\nWould you use a calendar view?"


def test_one_name_is_one_guide(actor: Any, product: Any) -> None:
    write_guide(actor, product, "First  bookings", QUESTIONS)
    write_guide(actor, product, "first bookings", "What happened then?")
    assert [(one.name, one.questions) for one in Guide.objects.all()] == [("First bookings", "What happened then?")]


@pytest.mark.parametrize(
    ("name", "questions", "why"),
    [
        ("", "a?", "has a name"),
        ("x" * 121, "a?", "120"),
        ("a", " \n", "no question"),
        ("a", "x" * 20_001, "is the most"),
    ],
)
def test_what_cannot_be_is_refused(actor: Any, product: Any, name: str, questions: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        write_guide(actor, product, name, questions)


def test_a_talk_names_the_guide_it_followed(actor: Any, product: Any) -> None:
    guide = write_guide(actor, product, "First bookings", QUESTIONS)
    talk = import_interview(actor, product, TALK, guide="first bookings").interview
    assert talk.guide == guide
    remove_guide(actor, guide)
    assert Interview.objects.get().guide is None
    assert set_interview(actor, talk, guide="").guide is None


def test_how_we_asked_is_read_from_the_talk(actor: Any, product: Any, as_viewer: Any) -> None:
    said = TALK.replace("And then?", "Was it annoying? Would you try again?").replace(
        "Why my phone?", "Would you like that?"
    )
    talk = import_interview(actor, product, said).interview
    asked, found = asked_in(talk, transcript_of(talk))
    assert asked == 2
    assert [(one.line, one.rule) for one in found] == [(3, "yes or no"), (3, "speculative")], "answers are not linted"
    assert "2 of 2 questions asked for guesses or opinions" in as_viewer.get("/p/sprout/INT-1").content.decode()


def test_on_pages(as_bob: Any, as_viewer: Any, bob: Any, viewer: Any, product: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    assert "Ask for stories, not for opinions" in as_bob.get("/p/sprout/interviews/guides").content.decode()
    looked = as_bob.post(
        "/p/sprout/interviews/guides/new", {"name": "A", "questions": QUESTIONS, "look": "1"}
    ).content.decode()
    assert "1 question would bring opinions" in looked
    assert "Line 3: speculative" in looked
    assert not Guide.objects.exists()
    kept = as_bob.post("/p/sprout/interviews/guides/new", {"name": "<b>A</b>", "questions": QUESTIONS}, follow=True)
    assert "&lt;b&gt;A&lt;/b&gt;" in kept.content.decode()
    assert "<b>A</b>" not in kept.content.decode().replace("<h3>", "")
    pk = Guide.objects.get().pk
    assert "no question" in as_bob.post(f"/p/sprout/interviews/guides/{pk}", {"questions": " "}).content.decode()
    seen = as_viewer.get(f"/p/sprout/interviews/guides/{pk}").content.decode()
    assert "Save</button>" not in seen
    assert as_viewer.post(f"/p/sprout/interviews/guides/{pk}", {"questions": "Who?"}).status_code == 403
    with pytest.raises(Forbidden):
        write_guide(actor_of_user(viewer), product, "A", "Who?")
    assert as_bob.get("/p/sprout/interviews/guides/999").status_code == 404
    as_bob.post(f"/p/sprout/interviews/guides/{pk}/remove")
    assert not Guide.objects.exists()


def test_over_the_api_and_on_the_command_line(
    api: Any, api_charlie: Any, cli: Callable[..., Done], tmp_path: Path
) -> None:
    path = "/products/sprout/interview-guides"
    assert [one["rule"] for one in api.post(f"{path}/lint", {"questions": QUESTIONS}).ok] == ["speculative"]
    assert api.post(f"{path}/lint", {"questions": "x" * 20_001}).status == 400
    assert api.put(path, {"name": "First bookings", "questions": QUESTIONS}).ok["findings"][0]["line"] == 3
    assert api_charlie.get(path).status == 404
    file = tmp_path / "questions.txt"
    file.write_text(QUESTIONS)
    told = cli("interview", "lint", str(file)).out
    assert "speculative" in told
    assert "Ask instead: Tell me about the last time this came up." in told
    assert [one["line"] for one in cli("interview", "lint", str(file), "--json").json] == [3]
    assert "First bookings  One question would bring opinions." in cli("interview", "guide").out
    assert "would bring opinions" in cli("interview", "guide", "first bookings").out
    file.write_text("Walk me through it.")
    assert "Asks for stories." in cli("interview", "guide", "Second / one", "--file", str(file)).out
    assert "is out" in cli("interview", "guide", "First bookings", "--remove").out
    assert "no guide “Third”" in cli("interview", "guide", "Third").error
    file.write_bytes(b"\xff\xfe\x00")
    assert "no text in UTF-8" in cli("interview", "lint", str(file)).error


def test_a_question_that_breaks_two_rules_is_one_question() -> None:
    found = lint_guide("Would you use it, and how?")
    assert len(found) > 1
    assert questions(found) == 1
