"""A talk comes in by its transcript, once, without anybody's number, whoever sends it and however often."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.tree.models import EvidenceLink
from whytree.voice.interviews.services import (
    Span,
    add_interview,
    edit_transcript,
    highlight_talk,
    import_interview,
    link_highlight,
    remove_interview,
    set_interview,
)
from whytree.voice.models import Interview, Transcript
from whytree.workspace.models import Activity

TALK = """WEBVTT

00:01.000 --> 00:03.500
<v Alice>Tell me about the last time you opened Sprout.

00:04.000 --> 00:06.000
<v Wiktor>That was on the tram.

00:06.500 --> 00:09.000
<v Wiktor>It felt like a dating app. Why my phone?

00:20.000 --> 00:21.000
<v Alice>And then?

00:22.000 --> 00:25.000
<v Wiktor>They can call me at +49 151 23456789 once I've paid.
"""


@pytest.fixture
def talk(actor: Any, product: Any) -> Interview:
    return import_interview(actor, product, TALK, file_name="talk.vtt", person="wiktor").interview


def test_a_transcript_makes_a_talk(actor: Any, product: Any) -> None:
    made = import_interview(actor, product, TALK, file_name="talk.vtt", person="wiktor", held_at="2026-03-02 14:00")
    talk = made.interview
    assert (made.state, talk.ref, talk.file_name, made.problems) == ("new", "INT-1", "talk.vtt", ())
    assert (talk.interviewers, talk.participant) == (["Alice"], "Wiktor"), (
        "a member is known; the other one is who it was with"
    )
    assert talk.held_at.isoformat() == "2026-03-02T14:00:00+00:00"
    words = Transcript.objects.get(interview=talk)
    assert words.format == "WebVTT"
    assert words.text.split("\n")[1] == "That was on the tram. It felt like a dating app. Why my phone?"
    assert Activity.objects.filter(verb="import_interview", subject_label="INT-1").count() == 1


def test_personal_data_stays_at_the_door(talk: Interview, actor: Any, product: Any) -> None:
    words = Transcript.objects.get(interview=talk)
    assert "They can call me at [phone number] once I've paid." in words.text
    assert words.redacted == 1
    edit_transcript(actor, talk, "Alice: Write to wiktor@example.org")
    assert Transcript.objects.get(interview=talk).text == "Write to [e-mail address]"
    assert set_interview(actor, talk, notes="call +49 151 23456789").notes == "call [phone number]"


def test_the_moments_inside_a_line_follow_what_was_taken_out(actor: Any, product: Any) -> None:
    cues = "WEBVTT\n\n00:01.000 --> 00:03.000\n<v Wiktor>Call +49 151 23456789 or\n\n00:03.000 --> 00:05.000\n<v Wiktor>write to me.\n"
    talk = import_interview(actor, product, cues).interview
    words = Transcript.objects.get(interview=talk)
    (line,) = words.spoken()
    assert line.text == "Call [phone number] or write to me."
    assert [line.text[offset:][:5] for offset, _ in line.cues] == ["Call ", "write"]


def test_the_same_words_bring_nothing_twice(talk: Interview, actor: Any, product: Any) -> None:
    acts = Activity.objects.count()
    again = import_interview(actor, product, TALK.replace("\n", "\r\n"), file_name="other.vtt", person="wiktor")
    assert (again.state, again.interview.pk) == ("known", talk.pk)
    assert (Interview.objects.count(), Activity.objects.count()) == (1, acts)
    told = import_interview(actor, product, TALK, segment="commuters", person="wiktor")
    assert (told.state, told.interview.segment, Interview.objects.count()) == ("changed", "commuters", 1)


def test_what_was_edited_stays_when_the_file_comes_again(talk: Interview, actor: Any, product: Any) -> None:
    edit_transcript(actor, talk, "Wiktor: It felt like a dating app.")
    assert import_interview(actor, product, TALK, person="wiktor").state == "known"
    assert Transcript.objects.get(interview=talk).text == "It felt like a dating app."


def test_other_words_under_the_recorders_id_replace_them(actor: Any, product: Any) -> None:
    one = import_interview(actor, product, TALK, source_id="zoom-17").interview
    two = import_interview(actor, product, TALK.replace("tram", "train"), source_id="zoom-17")
    assert (two.state, two.interview.pk, Interview.objects.count()) == ("changed", one.pk, 1)
    assert "on the train" in Transcript.objects.get(interview=one).text


def test_a_talk_that_lies_ahead_gets_its_transcript_later(actor: Any, product: Any) -> None:
    ahead = add_interview(
        actor, product, participant="Wiktor", held_at=(timezone.now() + timedelta(days=3)).isoformat()
    )
    assert ahead.is_ahead
    made = import_interview(actor, product, TALK, into=ahead, held_at="2026-03-02 14:00")
    assert (made.interview.pk, Interview.objects.count()) == (ahead.pk, 1)
    assert import_interview(actor, product, TALK).interview.pk == ahead.pk, "known by its words from now on"
    other = add_interview(actor, product, participant="Fenna")
    with pytest.raises(Conflict, match="the words of INT-1"):
        import_interview(actor, product, TALK, into=other)


def test_evidence_follows_who_it_was_with_and_what_they_allow(
    talk: Interview, actor: Any, product: Any, opportunity: Any
) -> None:
    mark = highlight_talk(actor, talk, Span(quote="It felt like a dating app."))
    link_highlight(actor, mark, opportunity)
    set_interview(actor, talk, person="wiktor-2", held_at="2026-01-05 10:00")
    link = EvidenceLink.objects.get()
    assert (link.person_key, link.said_at.day, link.quote) == ("wiktor-2", 5, "It felt like a dating app.")
    set_interview(actor, talk, consent="none")
    link.refresh_from_db()
    assert link.quote == ""


def test_what_counts_as_evidence_is_not_taken_out(talk: Interview, actor: Any, product: Any, opportunity: Any) -> None:
    mark = highlight_talk(actor, talk, Span(quote="It felt like a dating app."))
    link = link_highlight(actor, mark, opportunity)
    with pytest.raises(Conflict, match="speaks for OPP-1"):
        remove_interview(actor, talk)
    link.delete()
    remove_interview(actor, talk)
    assert not Interview.objects.exists()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"consent": "perhaps"}, "Consent is one of"),
        ({"media_url": "javascript:alert(1)"}, "begins with https"),
        ({"held_at": "03/04/2026"}, "no time that can be read"),
        ({"held_at": "2126-01-01"}, "Is the year right"),
        ({"participant": "x" * 201}, "the limit is 200"),
        ({"notes": "x" * 20_001}, "is the most"),
        ({"notes": "a\0b"}, "cannot be stored"),
        ({"interviewers": [f"one {n}" for n in range(30)]}, "is the most"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_stays(actor: Any, product: Any, fields: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        import_interview(actor, product, TALK, **fields)
    assert not Interview.objects.exists()


def test_a_transcript_that_cannot_be_read_stores_nothing(actor: Any, product: Any) -> None:
    with pytest.raises(Invalid, match="No line says who speaks"):
        import_interview(actor, product, "We talked. It was nice.")
    assert not Interview.objects.exists()


def test_who_may(talk: Interview, viewer: Any, charlie: Any, bob: Any, product: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Forbidden):
        import_interview(actor_of_user(viewer), product, TALK)
    with pytest.raises(NotFound):
        import_interview(actor_of_user(charlie), product, TALK)
    with pytest.raises(Forbidden):
        remove_interview(actor_of_user(bob), talk)
