"""What was marked in a talk: by place, by line, by words; and where it goes when the words change."""

from typing import Any

import pytest

from tests.voice.test_import_interview import TALK
from whytree.errors import Conflict, Invalid
from whytree.tree.models import EvidenceLink, EvidenceType
from whytree.tree.queries import confidence
from whytree.voice.interviews import queries
from whytree.voice.interviews.services import (
    Span,
    edit_transcript,
    highlight_talk,
    import_interview,
    link_highlight,
    remove_highlight,
)
from whytree.voice.models import Highlight, Interview
from whytree.voice.queries import demand
from whytree.voice.services import tag_highlight


@pytest.fixture
def talk(actor: Any, product: Any) -> Interview:
    return import_interview(actor, product, TALK, person="wiktor").interview


def rows(talk: Interview) -> str:
    return queries.editable(talk)["text"]


@pytest.mark.parametrize(
    ("span", "quote", "moments"),
    [
        (Span(quote="It felt like a\ndating app."), "It felt like a dating app.", (6500, 9000)),
        (Span(first=1), "Tell me about the last time you opened Sprout.", (1000, 3500)),
        (Span(first=2, quote="on the tram"), "on the tram", (4000, 6500)),
        (Span(start=47, end=68), "That was on the tram.", (4000, 6500)),
    ],
)
def test_words_are_marked_by_what_somebody_says(
    talk: Interview, actor: Any, span: Span, quote: str, moments: tuple[int, int]
) -> None:
    mark = highlight_talk(actor, talk, span, tags=["trust", "Trust", "phone"])
    assert (mark.quote, (mark.start_ms, mark.end_ms)) == (quote, moments)
    assert sorted(mark.tags.values_list("name", flat=True)) == ["phone", "trust"]
    assert highlight_talk(actor, talk, span).pk == mark.pk, "marking again marks nothing twice"
    assert Highlight.objects.count() == 1


@pytest.mark.parametrize(
    ("span", "why"),
    [
        (Span(), "Say which words"),
        (Span(first=9), "There are 4 lines"),
        (Span(first=3, last=2), "is not among them"),
        (Span(first=0, last=1), "is not among them"),
        (Span(first=1, quote="dating app"), "do not stand in the text"),
        (Span(quote="nobody said this"), "do not stand in the text"),
        (Span(start=5, end=5_000), "is not among them"),
        (Span(start=-1, end=4), "is not among them"),
    ],
)
def test_what_is_not_there_cannot_be_marked(talk: Interview, actor: Any, span: Span, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        highlight_talk(actor, talk, span)


def test_tags_are_exactly_those_that_were_said(talk: Interview, actor: Any) -> None:
    mark = highlight_talk(actor, talk, Span(first=2), tags=["phone"])
    tag_highlight(actor, mark, ["trust", ""])
    assert list(mark.tags.values_list("name", flat=True)) == ["trust"]
    for tags, why in ((["x" * 61], "60 is the most"), ([str(n) for n in range(21)], "20 is the most")):
        with pytest.raises(Invalid, match=why):
            tag_highlight(actor, mark, tags)


def test_words_that_somebody_wrote_are_tagged_the_same_way(
    say: Any, actor: Any, as_bob: Any, as_charlie: Any, api: Any, api_charlie: Any, cli: Any, talk: Interview
) -> None:
    from whytree.voice.services import Span as TextSpan
    from whytree.voice.services import highlight

    item = say("It asked for my number <b>twice</b>")
    mark = highlight(actor, item, TextSpan.of(item, quote="my number"))
    assert api.put(f"/products/sprout/highlights/{mark.pk}", {"tags": ["phone"]}).ok["tags"] == ["phone"]
    assert api_charlie.put(f"/products/elsewhere/highlights/{mark.pk}", {"tags": []}).status == 404
    assert "“my number”: later, phone." in cli("highlight", "tag", str(mark.pk), "phone", "later").out
    page = as_bob.post(f"/p/sprout/{item.ref}/marks/{mark.pk}/tag", {"tags": "<i>x"}, follow=True).content.decode()
    assert "&lt;i&gt;x" in page
    assert "<i>x" not in page
    assert api.get(f"/products/sprout/feedback/{item.ref}").ok["highlights"][0]["tags"] == ["<i>x"]
    of_the_talk = highlight_talk(actor, talk, Span(first=2))
    assert as_bob.post(f"/p/sprout/{item.ref}/marks/{of_the_talk.pk}/tag", {"tags": "x"}).status_code == 404


# --- evidence --------------------------------------------------------------------------------------------------------


def test_marked_words_count_as_one_independent_person(
    talk: Interview, actor: Any, product: Any, opportunity: Any
) -> None:
    before = confidence(opportunity).value
    link_highlight(actor, highlight_talk(actor, talk, Span(first=2)), opportunity, importance=2)
    link_highlight(actor, highlight_talk(actor, talk, Span(first=4)), opportunity, importance=3)
    link = EvidenceLink.objects.get()
    assert (link.source_id, link.evidence_type, link.person_key) == ("INT-1", EvidenceType.USER_EVIDENCE, "wiktor")
    assert link.quote.startswith("They can call me"), "a talk speaks once: the latest words count"
    earned = confidence(opportunity)
    assert before == 0
    assert [(row.evidence_type, row.people) for row in earned.breakdown] == [("user_evidence", 1)]
    assert earned.value == pytest.approx(1.5, abs=0.01), "3 x (1 - 1/2): one fresh person"
    other = import_interview(actor, product, TALK.replace("Wiktor", "Fenna"), person="fenna").interview
    link_highlight(actor, highlight_talk(actor, other, Span(first=2)), opportunity)
    assert confidence(opportunity).breakdown[0].people == 2


def test_a_person_who_wrote_and_was_asked_is_one_person(
    talk: Interview, actor: Any, opportunity: Any, say: Any
) -> None:
    from whytree.voice.services import link_excerpt

    link_excerpt(actor, say("It asked for my number", person="wiktor"), opportunity)
    link_highlight(actor, highlight_talk(actor, talk, Span(first=2)), opportunity)
    found = demand(opportunity)
    assert (found.people, found.voices[0].earlier) == (1, 1)


def test_the_interviewers_words_are_no_evidence(talk: Interview, actor: Any, opportunity: Any) -> None:
    with pytest.raises(Invalid, match="interviewer's words"):
        link_highlight(actor, highlight_talk(actor, talk, Span(first=3)), opportunity)
    link = link_highlight(actor, highlight_talk(actor, talk, Span(first=2, last=4)), opportunity)
    assert "And then?" not in link.quote
    assert link.quote == (
        "That was on the tram. It felt like a dating app. Why my phone? … They can call me at [phone number] once I've paid."
    )


# --- when the words change ---------------------------------------------------------------------------------------------


def test_highlights_go_where_their_words_go(talk: Interview, actor: Any, opportunity: Any) -> None:
    stands = highlight_talk(actor, talk, Span(quote="They can call me"))
    corrected = highlight_talk(actor, talk, Span(quote="It felt like a dating app."))
    lost = highlight_talk(actor, talk, Span(quote="And then?"))
    link_highlight(actor, corrected, opportunity)
    text = rows(talk).replace("a dating app", "the dating app").replace("And then?", "What did you do after that?")
    kept = edit_transcript(actor, talk, f"[00:00:00.000] Alice: Thank you for making time.\n{text}")
    assert (kept.stand, kept.corrected, kept.lost) == (1, 1, 1)
    now = queries.text_of(talk)
    for mark in (stands, corrected, lost):
        mark.refresh_from_db()
    assert now[stands.start : stands.end] == "They can call me"
    assert now[corrected.start : corrected.end] == corrected.quote == "It felt like the dating app."
    assert corrected.start_ms is not None
    assert EvidenceLink.objects.get().quote == "It felt like the dating app.", "evidence quotes the corrected words"
    assert lost.quote == "And then?"
    assert not lost.still_stands(now)


def test_a_lost_highlight_is_found_again_when_its_words_come_back(
    talk: Interview, actor: Any, opportunity: Any
) -> None:
    mark = highlight_talk(actor, talk, Span(quote="And then?"))
    original = rows(talk)
    edit_transcript(actor, talk, original.replace("And then?", "Go on."))
    mark.refresh_from_db()
    assert not mark.still_stands(queries.text_of(talk))
    with pytest.raises(Conflict, match="not in the transcript any more"):
        link_highlight(actor, mark, opportunity)
    edit_transcript(actor, talk, original)
    mark.refresh_from_db()
    assert mark.still_stands(queries.text_of(talk))


def test_lines_are_cut_where_highlights_begin_and_end(talk: Interview, actor: Any) -> None:
    one = highlight_talk(actor, talk, Span(quote="It felt like a dating app."))
    two = highlight_talk(actor, talk, Span(quote="dating app. Why my phone?"))
    transcript = queries.transcript_of(talk)
    assert transcript
    line = queries.lines_of(talk, transcript, list(talk.highlights.all()))[1]
    assert [(piece.text, piece.marks) for piece in line.pieces] == [
        ("That was on the tram. ", ()),
        ("It felt like a ", (one.pk,)),
        ("dating app.", (one.pk, two.pk)),
        (" Why my phone?", (two.pk,)),
    ]
    assert (line.is_ours, line.says_who, line.begins) == (False, True, (one.pk, two.pk))


def test_taking_a_mark_off_can_be_taken_back(talk: Interview, actor: Any, product: Any) -> None:
    from whytree.workspace.records.activity import last_undoable, undo

    mark = highlight_talk(actor, talk, Span(first=2))
    remove_highlight(actor, mark)
    assert not Highlight.objects.exists()
    latest = last_undoable(actor, product)
    assert latest
    undo(actor, product, latest.pk)
    assert Highlight.objects.get().quote == mark.quote
