"""What others' pages show of the voices."""

from typing import Any

from whytree.people.identity import person_hash
from whytree.people.queries import PeopleRef, find_person
from whytree.voice.models import FeedbackItem
from whytree.voice.plugs import opportunity_panel, person_panel, search, today_panel
from whytree.voice.queries import items_of_people
from whytree.voice.services import link_excerpt


def test_an_opportunity_shows_who_said_so(actor: Any, product: Any, say: Any, opportunity: Any) -> None:
    assert opportunity_panel(actor, product, opportunity) is None
    link_excerpt(actor, say("my number?", person="mira"), opportunity, importance=3)
    link_excerpt(actor, say("why my number"), opportunity)
    panel = opportunity_panel(actor, product, opportunity)
    assert panel is not None
    assert panel.context["demand"].facts == "1 critical · 1 nice to have · 1 without a known name"


def test_a_persons_page_shows_what_they_said(actor: Any, product: Any, say: Any, as_alice: Any) -> None:
    say("my own words", person="mira/1")
    panel = person_panel(actor, product, find_person(product, "mira/1"))
    assert panel is not None
    page = as_alice.get("/p/sprout/people/mira/1").content.decode()
    assert "my own words" in page
    assert "person=mira/1" in page or "person=mira%2F1" in page


def test_behind_a_number_stands_what_was_said_unasked_first(
    actor: Any, product: Any, store: Any, say: Any, opportunity: Any
) -> None:
    evidence, unlinked, answer = (say(words, person="mira") for words in ("my number?", "the date", "it did"))
    FeedbackItem.objects.filter(pk=answer.pk).update(source_type="loop")
    link_excerpt(actor, evidence, opportunity)
    link_excerpt(actor, answer, opportunity)
    mira = PeopleRef(frozenset({person_hash(product.pk, "mira")}), ("mira",))
    assert items_of_people(product, mira, 9) == ([evidence, unlinked, answer], 1)
    assert items_of_people(product, PeopleRef(frozenset(), ()), 9) == ([], 0)


def test_today_says_how_many_wait(actor: Any, product: Any, say: Any) -> None:
    assert today_panel(actor, product, None) is None
    for n in range(5):
        say(f"voice {n}")
    panel = today_panel(actor, product, None)
    assert panel is not None
    assert panel.headline == "5 voices wait for a reader."
    assert len(panel.context["items"]) == 3


def test_the_box_finds_voices_by_words_and_by_id(actor: Any, product: Any, say: Any) -> None:
    item = say("It asked for my phone number")
    assert [(hit.label, hit.url) for hit in search(actor, product, "phone", 5)] == [("FB-1", f"/p/sprout/{item.ref}")]
    assert search(actor, product, "fb-1", 5)[0].rank == 1.0
    assert search(actor, product, "ph", 5) == []
    assert search(actor, product, "FB-99", 5) == []
