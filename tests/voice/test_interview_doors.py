"""Interviews on pages, over the API and on the command line: the same answers, and nobody's text obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.voice.conftest import Done
from tests.voice.test_import_interview import TALK
from whytree.tree.models import EvidenceLink
from whytree.voice.interviews import media, queries
from whytree.voice.interviews.services import Span, add_interview, highlight_talk, import_interview, link_highlight
from whytree.voice.models import Interview

HOSTILE = '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(2)>'


@pytest.fixture
def talk(actor: Any, product: Any) -> Interview:
    return import_interview(actor, product, TALK, person="wiktor").interview


def read(client: Any, path: str, status: int = 200) -> str:
    answer = client.get(f"/p/sprout/{path}")
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content.decode())


def do(client: Any, path: str, status: int = 200, **form: Any) -> str:
    answer = client.post(f"/p/sprout/{path}", form, follow=True)
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content.decode())


# --- pages -----------------------------------------------------------------------------------------------------------


def test_without_talks_the_page_says_how_they_come(as_alice: Any, as_viewer: Any, product: Any) -> None:
    assert "whytree import interview talk.vtt" in read(as_alice, "interviews")
    assert "A member of Sprout can bring one in" in read(as_viewer, "interviews")


def test_the_latest_talk_comes_first(as_viewer: Any, actor: Any, product: Any) -> None:
    for day in (3, 1, 2):
        add_interview(actor, product, participant=f"Day {day}", held_at=f"2026-03-0{day} 10:00")
    page = read(as_viewer, "interviews")
    assert [page.index(f"Day {day}") for day in (3, 2, 1)] == sorted(page.index(f"Day {day}") for day in (1, 2, 3))


def test_a_file_is_looked_at_first_and_then_imported(as_bob: Any, product: Any) -> None:
    file = SimpleUploadedFile("talk.vtt", TALK.encode())
    looked = do(as_bob, "interviews/new", file=file, look="1", participant="Wiktor")
    assert "WebVTT, 4 lines" in looked
    assert "1 piece of personal data would be taken out" in looked
    assert "Alice asks" in looked
    assert not Interview.objects.exists()
    transcript = re.search(r"<textarea id=\"transcript\"[^>]*>(.*?)</textarea>", looked, re.DOTALL)
    assert transcript
    done = do(as_bob, "interviews/new", transcript=unescape(transcript[1]), file_name="talk.vtt", participant="Wiktor")
    assert "INT-1, the talk with Wiktor, is in." in done
    assert Interview.objects.get().file_name == "talk.vtt"
    left_empty = dict.fromkeys(
        ("participant", "person", "held_at", "interviewers", "segment", "notes", "media_url"), ""
    )
    held_at = Interview.objects.get().held_at
    again = do(as_bob, "interviews/new", file=SimpleUploadedFile("talk.vtt", TALK.encode()), **left_empty)
    assert "known already" in again
    talk = Interview.objects.get()
    assert (talk.participant, talk.held_at) == ("Wiktor", held_at), "what was left empty says nothing"


def test_what_cannot_be_read_is_said_above_the_form_that_keeps_what_was_typed(as_bob: Any, product: Any) -> None:
    page = do(as_bob, "interviews/new", status=400, transcript="We talked.", segment="teachers")
    assert "No line says who speaks" in page
    assert "We talked." in page
    assert 'value="teachers"' in page
    picture = SimpleUploadedFile("talk.png", b"\x89PNG\r\n\x1a\n\0\0")
    assert "This is no text" in do(as_bob, "interviews/new", status=400, file=picture)


def test_the_page_shows_who_said_what_when(as_viewer: Any, talk: Interview, actor: Any) -> None:
    highlight_talk(actor, talk, Span(quote="It felt like a dating app."), tags=["trust"])
    page = read(as_viewer, "INT-1")
    assert "<mark>It felt like a dating app.</mark>" in page
    assert re.search(r'id="line-1" class="ours turn"', page)
    assert "0:04" in page
    assert "mark-form" not in page, "a viewer marks nothing"
    assert "INT-1" in read(as_viewer, "interviews")


def test_lines_are_marked_and_linked_without_a_script(as_bob: Any, talk: Interview, opportunity: Any) -> None:
    page = do(
        as_bob,
        "INT-1/mark",
        first="2",
        last="",
        quote="",
        tags="trust, phone",
        opportunity="OPP-1",
        importance="2",
        do="link",
    )
    assert "INT-1 speaks for OPP-1" in page
    link = EvidenceLink.objects.get()
    assert link.importance == 2
    assert "That was on the tram" in link.quote
    only = do(as_bob, "INT-1/mark", first="4", opportunity="OPP-1", do="mark")
    assert "Marked." in only
    assert EvidenceLink.objects.get().quote == link.quote
    refused = do(as_bob, "INT-1/mark", status=400, first="99", tags="kept", do="mark")
    assert "There are 4 lines" in refused
    assert 'value="kept"' in refused
    pk = talk.highlights.first().pk  # type: ignore[union-attr]
    assert "later" in do(as_bob, f"INT-1/marks/{pk}/tag", tags="later")
    assert "interviewer" in do(as_bob, "INT-1/mark", status=400, first="3", opportunity="OPP-1", do="link")
    assert "speaks for OPP-1 no longer" in do(as_bob, "INT-1/unlink/OPP-1")
    do(as_bob, f"INT-1/marks/{pk}/remove")
    assert talk.highlights.count() == 1


def test_a_selection_counts_unless_its_words_were_changed(as_bob: Any, talk: Interview) -> None:
    text = queries.text_of(talk)
    start = text.index("dating")
    do(as_bob, "INT-1/mark", start=str(start), end=str(start + 10), quote="dating app", first="2", last="2", do="mark")
    assert talk.highlights.get().start == start
    do(as_bob, "INT-1/mark", start=str(start), end=str(start + 10), quote="the tram", first="2", last="2", do="mark")
    assert talk.highlights.filter(quote="the tram").exists()


def test_an_edit_tells_what_became_of_the_highlights(as_bob: Any, talk: Interview, actor: Any) -> None:
    highlight_talk(actor, talk, Span(quote="It felt like a dating app."))
    page = read(as_bob, "INT-1/transcript")
    assert "[00:00:04.000 - 00:00:09.000] Wiktor: That was on the tram." in page
    gone = do(as_bob, "INT-1/transcript", text="Wiktor: Nothing of that was ever said by anybody.")
    assert "One highlight lost" in gone
    assert "These words are not in the transcript any more" in gone
    assert "no word left" in do(as_bob, "INT-1/transcript", status=400, text=" ")


def test_a_recording_plays_from_its_own_address_and_no_other(as_viewer: Any, talk: Interview, actor: Any) -> None:
    from whytree.voice.interviews.services import set_interview

    assert "media-src" not in as_viewer.get("/p/sprout/INT-1")["Content-Security-Policy"]
    set_interview(actor, talk, media_url="https://media.example.org/talks/int 1;a.mp3?token=s3cret")
    answer = as_viewer.get("/p/sprout/INT-1")
    policy = answer["Content-Security-Policy"]
    assert policy.endswith("; media-src https://media.example.org/talks/int%201%3Ba.mp3")
    assert "default-src 'none'" in policy
    page = answer.content.decode()
    assert '<audio class="talk-player" id="player" controls preload="none"' in page
    assert 'href="https://media.example.org/talks/int 1;a.mp3?token=s3cret#t=4" data-ms="4000"' in page
    set_interview(actor, talk, media_url="https://zoom.example.org/rec/17")
    answer = as_viewer.get("/p/sprout/INT-1")
    assert "media-src" not in answer["Content-Security-Policy"]
    assert 'id="player"' not in answer.content.decode()
    assert 'href="https://zoom.example.org/rec/17#t=4"' in answer.content.decode()


@pytest.mark.parametrize(
    "url", ["https://a.example.org;script-src *//x.mp3", "https://a' 'unsafe-inline'/x.mp3", "https:///x.mp3"]
)
def test_an_address_cannot_write_into_the_policy(url: str) -> None:
    assert not re.search(r"[\s;,']", media.source(url))


def test_every_text_of_a_stranger_is_escaped(as_alice: Any, actor: Any, product: Any, opportunity: Any) -> None:
    said = [("Alice", "Hello?"), ("Mallory <b>x</b>", HOSTILE), ("Mallory <b>x</b>", f"{HOSTILE} again")]
    segments = [{"start": n, "end": n + 1, "speaker": name, "text": text} for n, (name, text) in enumerate(said)]
    talk = import_interview(
        actor,
        product,
        json.dumps({"segments": segments}),
        participant=HOSTILE[:100],
        segment=HOSTILE[:100],
        notes=HOSTILE,
        person="<i>m",
    ).interview
    link_highlight(actor, highlight_talk(actor, talk, Span(first=2), tags=["<u>tag"]), opportunity)
    for path in ("interviews", "INT-1", "INT-1/about", "INT-1/transcript", "OPP-1"):
        page = read(as_alice, path)
        for words in ("<script>alert", "<img src=x", "<b>x", "<i>m", "<u>tag"):
            assert words not in page, path


def test_evidence_from_a_talk_is_shown_where_evidence_is(
    as_alice: Any, talk: Interview, actor: Any, opportunity: Any
) -> None:
    link_highlight(actor, highlight_talk(actor, talk, Span(quote="It felt like a dating app.")), opportunity)
    page = read(as_alice, "OPP-1")
    assert page.count('href="/p/sprout/INT-1"') == 2, "as evidence, and among those who asked"
    assert "Wiktor</a>, interview" in page
    from whytree.why.queries import Ask, explain
    from whytree.why.refs import parse_ref

    hop = explain(opportunity.product, Ask(parse_ref("INT-1"))).evidence[0]
    assert (hop.ref, hop.quote, hop.who, hop.url) == (
        "INT-1",
        "It felt like a dating app.",
        "Wiktor",
        "/p/sprout/INT-1",
    )


# --- the same over the API and on the command line ---------------------------------------------------------------------


def test_over_the_api(api: Any, api_bob: Any, api_charlie: Any, product: Any, bob: Any, opportunity: Any) -> None:
    path = "/products/sprout/interviews"
    seen = api.post(f"{path}/preview", {"transcript": TALK}).ok
    assert (seen["format"], seen["speakers"], seen["interviewers"], seen["redacted"]) == (
        "WebVTT",
        ["Alice", "Wiktor"],
        ["Alice"],
        1,
    )
    made = api_bob.post(path, {"transcript": TALK, "person": "wiktor", "held_at": "2026-03-02T14:00:00Z"})
    assert (made.status, made.ok["state"], made.ok["interview"]["ref"]) == (201, "new", "INT-1")
    assert (api_bob.post(path, {"transcript": TALK}).status, api_bob.post(path, {"transcript": TALK}).ok["state"]) == (
        200,
        "known",
    )
    mark = api.post(f"{path}/INT-1/highlights", {"first": 2, "tags": ["trust"], "opportunity": "OPP-1"})
    assert (mark.status, mark.ok["tags"], mark.ok["lost"]) == (201, ["trust"], False)
    whole = api.get(f"{path}/int-1").ok
    assert [link["opportunity"] for link in whole["links"]] == ["OPP-1"]
    assert whole["lines"][0] == {
        "number": 1, "speaker": "Alice", "ours": True, "start": 0, "end": 46, "start_ms": 1000, "end_ms": 3500,
        "text": "Tell me about the last time you opened Sprout.",
    }  # fmt: skip
    number = mark.ok["id"]
    assert api.put(f"/products/sprout/highlights/{number}", {"tags": []}).ok["tags"] == []
    assert api.post(f"{path}/INT-1/highlights/{number}/link", {"opportunity": "OPP-1", "importance": 9}).status == 400
    text = api.get(f"{path}/INT-1/transcript").ok["text"]
    assert api.put(f"{path}/INT-1/transcript", {"text": text}).ok == {"stand": 1, "corrected": 0, "lost": 0}
    assert api.patch(f"{path}/INT-1", {"segment": "commuters"}).ok["segment"] == "commuters"
    assert api.delete(f"{path}/INT-1").status == 409
    assert api.delete(f"{path}/INT-1/links/OPP-1").ok["links"] == []
    assert api.delete(f"{path}/INT-1/highlights/{number}").status == 204
    assert api_bob.delete(f"{path}/INT-1").status == 403
    assert api.delete(f"{path}/INT-1").status == 204
    for answer in (
        api_charlie.get(path),
        api_charlie.post(path, {"transcript": TALK}),
        api.get(f"{path}/INT-1"),
        api.get(f"{path}/FB-1"),
        api.get(f"{path}/INT-99999999999"),
    ):
        assert answer.status == 404
    assert api.post(path, {"transcript": "no talk"}).status == 400
    assert api.post(path, {"transcrpt": TALK}).status == 400


def test_a_highlight_of_another_talk_is_not_found(api: Any, actor: Any, product: Any, talk: Interview) -> None:
    mark = highlight_talk(actor, talk, Span(first=2))
    add_interview(actor, product, participant="Fenna")
    assert api.delete(f"/products/sprout/interviews/INT-2/highlights/{mark.pk}").status == 404
    assert api.post("/products/sprout/interviews/INT-2/highlights", {"first": 1}).status == 409, "no transcript yet"


def test_a_link_that_is_refused_leaves_no_mark(api: Any, talk: Interview, opportunity: Any) -> None:
    path = "/products/sprout/interviews/INT-1/highlights"
    assert api.post(path, {"first": 3, "opportunity": "OPP-1"}).status == 400
    assert api.post(path, {"first": 2, "opportunity": "OPP-77"}).status == 404
    assert not talk.highlights.exists()


def test_on_the_command_line(cli: Callable[..., Done], tmp_path: Path, opportunity: Any) -> None:
    file = tmp_path / "talk.vtt"
    file.write_bytes(TALK.encode("utf-16"))
    assert "WebVTT, 4 lines." in (seen := cli("import", "interview", str(file), "--dry-run").out)
    assert "Alice (ours), Wiktor" in seen
    assert not Interview.objects.exists()
    done = cli(
        "import", "interview", str(file), "--person", "wiktor", "--held", "2026-03-02 14:00", "--segment", "commuters"
    )
    assert "INT-1, the talk with Wiktor, is in." in done.out
    assert "One piece of personal data was taken out." in done.out
    assert cli("import", "interview", str(file), "--json").json["state"] == "known"
    assert "2026-03-02  Wiktor" in cli("interview", "list").out
    marked = cli("interview", "highlight", "INT-1", "It felt like a dating app.", "--tag", "trust", "--for", "opp-1")
    assert "It speaks for OPP-1." in marked.out
    shown = cli("interview", "show", "INT-1").out
    assert "Speaks for OPP-1" in shown
    assert "[trust]" in shown
    assert "0:04" in shown
    number = str(cli("interview", "show", "INT-1", "--json").json["highlights"][0]["id"])
    text = tmp_path / "edited.txt"
    text.write_text(cli("interview", "transcript", "INT-1").out.replace("a dating", "the dating"), "utf-8")
    assert "1 went along with corrected words" in cli("interview", "edit", "INT-1", str(text)).out
    assert "no tag" in cli("highlight", "tag", number).out
    assert "speaks for OPP-1" in cli("interview", "link", "INT-1", number, "OPP-1", "--importance", "3").out
    assert "quotable" in cli("interview", "set", "INT-1", "--consent", "quotable").out
    assert "speak for OPP-1 any more" in cli("interview", "unlink", "INT-1", "OPP-1").out
    assert "is not marked any more" in cli("interview", "unmark", "INT-1", number).out
    assert "INT-2 is in" in cli("interview", "add", "--with", "Fenna").out
    file.write_text(TALK.replace("tram", "train"))
    assert "INT-2" in cli("import", "interview", str(file), "--into", "INT-2").out
    assert "INT-2 is out" in cli("interview", "remove", "INT-2").out


def test_the_command_line_says_what_is_wrong(cli: Callable[..., Done], tmp_path: Path) -> None:
    picture = tmp_path / "talk.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    assert "This is no text" in cli("import", "interview", str(picture)).error
    assert "cannot be read" in cli("import", "interview", str(tmp_path / "nowhere.vtt")).error
    assert "Say what to change" in cli("interview", "set", "INT-1").error
    assert "There is no interview INT-7" in cli("interview", "show", "INT-7").error


def test_nothing_at_all_is_no_talk(as_alice: Any, api: Any) -> None:
    for button in ("look", "import"):
        answer = as_alice.post("/p/sprout/interviews/new", {button: "1", "text": "", "consent": "internal"})
        assert (answer.status_code, b"There is no transcript" in answer.content) == (400, True), button
    assert api.post("/products/sprout/interviews", {}).status == 400
    assert not Interview.objects.exists()
