"""An excerpt hangs on the problem it shows; each person counts once, the latest wins."""

from typing import Any

import pytest

from whytree.errors import Forbidden, Invalid, NotFound
from whytree.people.models import Person
from whytree.tree.models import EvidenceLink
from whytree.tree.queries import confidence
from whytree.tree.services import close_node, create_opportunity, create_outcome
from whytree.voice.models import Highlight
from whytree.voice.queries import demand
from whytree.voice.services import Span, find_opportunity_by_words, link_excerpt, set_consent, unlink
from whytree.workspace.entry.keys import actor_of_user

TEXT = "I closed it when it wanted my number. I only wanted to see prices."


def test_the_words_become_evidence_with_who_and_when(actor: Any, say: Any, opportunity: Any) -> None:
    item = say(TEXT, person="kowalski", said_at="2026-03-02 09:14")
    link = link_excerpt(actor, item, opportunity, span=Span.of(item, quote="wanted my number"), importance=3)
    assert (link.quote, link.person_key, link.said_at, link.importance) == (
        "wanted my number",
        "kowalski",
        item.said_at,
        3,
    )
    assert (link.source_kind, link.source_id, link.stance) == ("feedback", item.ref, "supports")
    assert confidence(opportunity).value > 0
    item.refresh_from_db()
    assert not item.is_waiting


def test_each_person_counts_once_and_the_latest_wins(actor: Any, say: Any, opportunity: Any) -> None:
    link_excerpt(actor, say("first", person="mira", said_at="2026-01-01"), opportunity, importance=3)
    link_excerpt(actor, say("later", person="mira", said_at="2026-02-01"), opportunity, importance=1)
    link_excerpt(actor, say("hers", person="jo", said_at="2026-01-15"), opportunity, importance=2)
    heard = demand(opportunity)
    assert (heard.people, heard.importance) == (2, 3)
    mira = next(voice for voice in heard.voices if voice.key == "mira")
    assert (mira.importance, mira.earlier, mira.latest.quote) == (1, 1, "later")


def test_two_ids_that_turn_out_to_be_one_person_count_once(
    actor: Any, product: Any, say: Any, opportunity: Any
) -> None:
    link_excerpt(actor, say("as a guest", person="guest-1"), opportunity)
    link_excerpt(actor, say("signed in", person="mira"), opportunity)
    assert demand(opportunity).people == 2
    Person.objects.filter(key="guest-1").update(merged_into=Person.objects.get(key="mira"))
    assert demand(opportunity).people == 1


def test_anonymous_voices_count_one_each(actor: Any, say: Any, opportunity: Any) -> None:
    for _ in range(3):
        link_excerpt(actor, say("same words"), opportunity)
    assert (demand(opportunity).people, demand(opportunity).anonymous) == (3, 3)


def test_linking_an_item_again_replaces_excerpt_and_importance(actor: Any, say: Any, opportunity: Any) -> None:
    item = say(TEXT)
    link_excerpt(actor, item, opportunity, importance=3)
    link_excerpt(actor, item, opportunity, span=Span(0, 11), importance=0)
    link = EvidenceLink.objects.get()
    assert (link.quote, link.importance) == ("I closed it", 0)


def test_one_item_may_speak_for_two_opportunities(actor: Any, product: Any, say: Any, opportunity: Any) -> None:
    other = create_opportunity(actor, product, title="I want to look around first")
    item = say(TEXT)
    link_excerpt(actor, item, opportunity)
    link_excerpt(actor, item, other)
    assert demand(opportunity).people == demand(other).people == 1


def test_words_that_may_not_be_quoted_count_and_stay_here(actor: Any, say: Any, opportunity: Any) -> None:
    item = set_consent(actor, say(TEXT), "none")
    assert link_excerpt(actor, item, opportunity).quote == ""
    assert demand(opportunity).people == 1


def test_unlinking_takes_it_off_and_keeps_the_highlight(actor: Any, say: Any, opportunity: Any) -> None:
    item = say(TEXT)
    link_excerpt(actor, item, opportunity)
    unlink(actor, item, opportunity)
    assert demand(opportunity).people == 0
    assert Highlight.objects.count() == 1
    with pytest.raises(NotFound):
        unlink(actor, item, opportunity)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("wanted my\n  number", "wanted my number"),
        ("  I closed it ", "I closed it"),
        ("", TEXT),
        ("a.c", None),
        ("not said", None),
    ],
)
def test_an_excerpt_is_found_by_its_words(say: Any, quote: str, found: str | None) -> None:
    item = say(TEXT)
    if found is None:
        with pytest.raises(Invalid, match="do not stand in the text"):
            Span.of(item, quote=quote)
    else:
        span = Span.of(item, quote=quote)
        assert item.text[span.start : span.end] == found


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (0, 10_000), (8, 2)])
def test_a_part_outside_the_text_is_refused(say: Any, start: int, end: int) -> None:
    with pytest.raises(Invalid, match="is not among them"):
        Span.of(say(TEXT), start=start, end=end)


def test_a_part_counts_characters_and_leaves_spaces_out(say: Any) -> None:
    item = say("😀😀 phone  number")
    span = Span.of(item, start=2, end=9)
    assert item.text[span.start : span.end] == "phone"


def test_a_changed_text_keeps_its_highlights(actor: Any, say: Any, opportunity: Any) -> None:
    item = say("wanted my number", submission_id="1")
    link_excerpt(actor, item, opportunity, span=Span.of(item, quote="my number"))
    say("At first it wanted my number", submission_id="1")
    mark = Highlight.objects.select_related("item").get()
    assert mark.item.text[mark.start : mark.end] == "my number"
    say("something else", submission_id="1")
    mark = Highlight.objects.select_related("item").get()
    assert not mark.still_stands(mark.item.text)


def test_only_opportunities_hear_voices(api: Any, actor: Any, product: Any, say: Any) -> None:
    create_outcome(actor, product, title="More people stay")
    answer = api.post(f"/products/sprout/feedback/{say(TEXT).ref}/links", {"opportunity": "OUT-1"})
    assert (answer.status, "is a product outcome" in answer.body["message"]) == (400, True)


def test_the_api_links_and_unlinks(api: Any, say: Any, opportunity: Any) -> None:
    path = f"/products/sprout/feedback/{say(TEXT).ref}"
    item = api.post(f"{path}/links", {"opportunity": "OPP-1", "quote": "my number", "importance": 2}).ok
    assert [(link["opportunity"], link["quote"], link["importance"]) for link in item["links"]] == [
        ("OPP-1", "my number", 2)
    ]
    assert item["highlights"][0]["quote"] == "my number"
    assert api.get("/products/sprout/feedback?state=linked").ok["items"][0]["ref"] == item["ref"]
    assert api.delete(f"{path}/links/OPP-1").ok["links"] == []
    assert api.post(f"{path}/links", {"opportunity": "OPP-1", "importance": 9}).status == 400
    assert api.post(f"{path}/links", {"opportunity": "OPP-9"}).status == 404


def test_a_viewer_may_not_link_and_charlie_sees_nothing(
    api_viewer: Any, api_charlie: Any, viewer: Any, say: Any, opportunity: Any
) -> None:
    item = say(TEXT)
    path = f"/products/sprout/feedback/{item.ref}/links"
    assert api_viewer.post(path, {"opportunity": "OPP-1"}).status == 403
    assert api_charlie.post(path, {"opportunity": "OPP-1"}).status == 404
    with pytest.raises(Forbidden):
        link_excerpt(actor_of_user(viewer), item, opportunity)


def test_another_products_item_and_opportunity_do_not_exist(
    api: Any, charlie: Any, other_product: Any, say: Any, opportunity: Any
) -> None:
    theirs = actor_of_user(charlie)
    create_opportunity(theirs, other_product, title="Theirs")
    item = say(TEXT)
    item.product = other_product
    item.save()
    assert api.post(f"/products/sprout/feedback/{item.ref}/links", {"opportunity": "OPP-1"}).status == 404
    with pytest.raises(NotFound):
        link_excerpt(theirs, item, opportunity)


def test_words_of_its_title_name_the_only_opportunity_that_has_them(actor: Any, product: Any, opportunity: Any) -> None:
    found = create_opportunity(actor, product, title="I wanted to look around first")
    closed = create_opportunity(actor, product, title="Look around in the dark")
    close_node(actor, closed, reason="nobody said so")
    for typed in ("look around", " FIRST  look", "i wanted to look around first", f"{found.ref} whatever"):
        assert find_opportunity_by_words(product, typed) == found
    with pytest.raises(Invalid, match="Several open"):
        find_opportunity_by_words(product, "i")
    for typed in ("", "nowhere", "²", "9" * 30):
        with pytest.raises(Invalid, match="from the list"):
            find_opportunity_by_words(product, typed)
