"""A talk on one page: seven parts, in people's own words, and nothing made up."""

import base64
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.engines.test_photos import JPEG_WITH_MORE, PNG
from tests.voice.conftest import Done
from tests.voice.test_import_interview import TALK
from whytree.errors import Forbidden, Invalid
from whytree.voice.interviews import queries
from whytree.voice.interviews.services import Span, highlight_talk, import_interview, link_highlight, write_snapshot
from whytree.voice.models import Interview, InterviewSnapshot

SEVEN = ["name", "photo", "quick_facts", "memorable_quote", "experience_map", "opportunities", "insights"]


@pytest.fixture
def talk(actor: Any, product: Any) -> Interview:
    return import_interview(actor, product, TALK, person="wiktor", company="Northwind", segment="commuters").interview


def test_it_has_exactly_torres_seven_parts() -> None:
    assert [field.name for field in InterviewSnapshot._meta.concrete_fields] == ["interview", *SEVEN]


def test_parts_are_written_one_by_one(talk: Interview, actor: Any, opportunity: Any) -> None:
    mark = highlight_talk(actor, talk, Span(quote="on the tram"))
    write_snapshot(actor, talk, name="Wiktor", quick_facts=" gardens on a balcony \n\n call +49 151 23456789 ")
    one = write_snapshot(
        actor,
        talk,
        photo=PNG,
        memorable_quote="“It felt like  a dating app.”",
        experience_map=[{"step": "Sits on the tram", "highlight": mark.pk}, {"step": " ", "highlight": None}],
        opportunities="opp-1: asks too early\nOPP-99 is nowhere\nno idea what it costs",
        insights="His sister told him",
    )
    assert one.name == "Wiktor", "what is left out stays"
    assert one.facts == ["gardens on a balcony", "call [phone number]"]
    assert one.memorable_quote == "It felt like a dating app."
    assert one.experience_map == [{"step": "Sits on the tram", "highlight": mark.pk}]
    heard = [(each.opportunity.ref if each.opportunity else "", each.text) for each in queries.heard_in(talk, one)]
    assert heard == [("OPP-1", opportunity.title), ("", "OPP-99 is nowhere"), ("", "no idea what it costs")]
    assert [(step.mark, step.stands) for step in queries.map_of(talk, one)] == [(mark, True)]


def test_what_the_talk_is_linked_to_is_among_its_opportunities_once(
    talk: Interview, actor: Any, opportunity: Any
) -> None:
    link_highlight(actor, highlight_talk(actor, talk, Span(first=2)), opportunity)
    one = write_snapshot(actor, talk, opportunities="OPP-1")
    assert [each.opportunity for each in queries.heard_in(talk, one)] == [opportunity]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"memorable_quote": "I love your app"}, "do not stand in the text"),
        ({"memorable_quote": "x" * 501}, "500 characters"),
        ({"insights": "x" * 2_001}, "fits on the page"),
        ({"experience_map": [{"step": "x", "highlight": 99}]}, "no highlight 99"),
        ({"experience_map": [{"step": "x" * 301, "highlight": None}]}, "Cut it in two"),
        ({"experience_map": [{"step": "x", "highlight": None}] * 21}, "20 is the most"),
        ({"photo": b"GIF89a"}, "a JPEG or a PNG"),
        ({"photo": "https://example.org/me.jpg"}, "as a data URL"),
        ({"photo": "data:image/png;base64,%%%"}, "cannot be read"),
        ({"photo": "data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode()}, "a JPEG or a PNG"),
    ],
)
def test_what_cannot_be_is_refused(talk: Interview, actor: Any, parts: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        write_snapshot(actor, talk, **parts)
    assert not InterviewSnapshot.objects.exists()


def test_who_may(talk: Interview, viewer: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Forbidden):
        write_snapshot(actor_of_user(viewer), talk, name="x")


def test_on_a_page(as_bob: Any, as_viewer: Any, talk: Interview, actor: Any, opportunity: Any) -> None:
    mark = highlight_talk(actor, talk, Span(quote="It felt like a dating app."))
    link_highlight(actor, mark, opportunity)
    assert "No snapshot yet" in as_bob.get("/p/sprout/INT-1/snapshot").content.decode()
    form = as_bob.get("/p/sprout/INT-1/snapshot/edit").content.decode()
    assert "commuters\nNorthwind" in form, "what is known already is not typed twice"
    said = {
        "name": "Wiktor <b>K</b>",
        "quick_facts": "commuter",
        "memorable_quote": "It felt like a dating app.",
        "step": ["Sits on the tram", "Sees the phone field", ""],
        "mark": ["", str(mark.pk), ""],
        "opportunities": "",
        "insights": "His sister told him",
        "photo": SimpleUploadedFile("me.jpg", JPEG_WITH_MORE),
    }
    page = as_bob.post("/p/sprout/INT-1/snapshot/edit", said, follow=True).content.decode()
    assert "What Wiktor &lt;b&gt;K&lt;/b&gt; taught us" in page
    assert 'src="data:image/jpeg;base64,' in page
    assert f'href="/p/sprout/INT-1#mark-{mark.pk}"' in page
    assert opportunity.title in unescape(page)
    assert "snapshot</a>)" in as_viewer.get("/p/sprout/OPP-1").content.decode(), "linked from the evidence"
    refused = as_bob.post("/p/sprout/INT-1/snapshot/edit", {**said, "photo": "", "memorable_quote": "I love it"})
    assert refused.status_code == 400
    assert "do not stand in the text" in refused.content.decode()
    assert "Sees the phone field" in refused.content.decode()
    taken = as_bob.post("/p/sprout/INT-1/snapshot/edit", {**said, "photo": "", "no_photo": "1"}, follow=True)
    assert "data:image" not in taken.content.decode()
    assert as_viewer.get("/p/sprout/INT-1/snapshot/edit").status_code == 403


def test_who_asked_not_to_be_quoted_is_not_quoted(as_viewer: Any, talk: Interview, actor: Any) -> None:
    from whytree.voice.interviews.services import set_interview

    write_snapshot(actor, talk, memorable_quote="It felt like a dating app.")
    set_interview(actor, talk, consent="none")
    page = as_viewer.get("/p/sprout/INT-1/snapshot").content.decode()
    assert "They asked not to be quoted" in page
    assert "dating app" not in page


def test_over_the_api_and_on_the_command_line(
    api: Any, api_charlie: Any, cli: Callable[..., Done], talk: Interview, tmp_path: Path
) -> None:
    path = "/products/sprout/interviews/INT-1/snapshot"
    assert api.get(path).ok["name"] == "Wiktor"
    assert api.put(path, {"experience_map": [{"step": "Sits on the tram"}]}).ok["experience_map"] == [
        {"step": "Sits on the tram", "highlight": None, "feeling": ""}
    ]
    assert api.put(path, {"moral": "none"}).status == 400
    assert api_charlie.get(path).status == 404
    photo = tmp_path / "me.png"
    photo.write_bytes(PNG)
    told = cli(
        "interview", "snapshot", "INT-1", "--fact", "commuter", "--quote", "on the tram", "--photo", str(photo)
    ).out
    assert "“on the tram”" in told
    assert "1. Sits on the tram" in told
    assert "Insights: none yet" in told
    assert cli("interview", "snapshot", "INT-1", "--json").json["photo"].startswith("data:image/png;base64,")
    assert "JPEG or a PNG" in cli("interview", "snapshot", "INT-1", "--photo", str(Path(__file__))).error
