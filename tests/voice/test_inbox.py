"""The place Voices through a signed-in browser's eyes."""

import html
from typing import Any

import pytest

from whytree.tree.models import EvidenceLink, Opportunity
from whytree.voice.models import FeedbackItem
from whytree.voice.queries import demand

HOSTILE = '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(2)>'


def read(client: Any, path: str = "voices", status: int = 200, **headers: str) -> str:
    answer = client.get(f"/p/sprout/{path}", headers=headers)
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content.decode())


def test_an_empty_inbox_says_how_voices_come_in(as_alice: Any) -> None:
    page = read(as_alice)
    assert "No voices yet" in page
    assert "whytree import feedback" in page


def test_it_says_how_many_wait_and_opens_the_newest(as_alice: Any, say: Any) -> None:
    say("older voice", said_at="2026-01-01")
    say("newer voice", said_at="2026-02-01", author_name="Mira T.", rating=2)
    page = read(as_alice)
    assert "<h1>2 voices wait for a reader.</h1>" in page
    assert page.index("newer voice") < page.index("older voice")
    assert 'id="said"' in page
    assert "Mira T." in page


def test_every_text_of_a_stranger_is_escaped(as_alice: Any, actor: Any, say: Any, opportunity: Any) -> None:
    item = say(
        HOSTILE, author_name=HOSTILE[:100], source=HOSTILE[:100], person="<b>id</b>", metadata={HOSTILE: HOSTILE}
    )
    as_alice.post(f"/p/sprout/{item.ref}/link", {"opportunity": "OPP-1"})
    for path in (
        "voices?state=all",
        "voices?state=all&q=script",
        f"voices?q={'%3Cscript%3E'}&state=all",
        item.ref,
        f"{item.ref}/opportunity?quote=%3Cscript%3E",
        "OPP-1",
        "today",
    ):
        page = read(as_alice, path)
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
    assert html.escape(HOSTILE) in read(as_alice, item.ref).replace("&#x27;", "'")


def test_a_search_marks_what_it_found(as_alice: Any, say: Any) -> None:
    say("It asked for my phone number")
    say("something else")
    page = read(as_alice, "voices?q=phone")
    assert "<mark>phone</mark>" in page
    assert "something else" not in page
    assert "1 voice with “phone” waits for a reader" in page
    assert "Nothing fits" in read(as_alice, "voices?q=zebra")


def test_a_part_of_the_page_is_the_same_partial(as_alice: Any, say: Any) -> None:
    item = say("It asked for my phone number")
    part = read(as_alice, f"voices?item={item.ref}", **{"HX-Request": "true", "HX-Target": "open"})
    assert "<html" not in part
    assert 'id="said"' in part


def test_linking_goes_on_to_the_next_and_remembers_the_opportunity(as_bob: Any, say: Any, opportunity: Any) -> None:
    first = say("the newer: wanted my number", said_at="2026-02-01")
    second = say("the older", said_at="2026-01-01")
    form = {
        "opportunity": "OPP-1 I don't know",
        "quote": "wanted my number",
        "importance": "3",
        "back": "/p/sprout/voices",
    }
    answer = as_bob.post(f"/p/sprout/{first.ref}/link", form)
    assert answer.url == f"/p/sprout/voices?item={second.ref}"
    link = EvidenceLink.objects.get()
    assert (link.quote, link.importance) == ("wanted my number", 3)
    page = read(as_bob, "voices")
    assert 'value="OPP-1 I don&#x27;t know why you need my phone number" data-key="l"' in page
    assert "1 voice waits for a reader" in page


def test_a_selection_is_taken_by_its_place_unless_its_words_were_changed(
    as_bob: Any, say: Any, opportunity: Any
) -> None:
    item = say("number one, number two")
    form = {"opportunity": "OPP-1", "quote": "number", "start": "12", "end": "18"}
    as_bob.post(f"/p/sprout/{item.ref}/link", form)
    assert item.highlights.get().start == 12
    as_bob.post(f"/p/sprout/{item.ref}/link", {**form, "quote": "number one"})
    assert EvidenceLink.objects.get().quote == "number one"


def test_an_opportunity_is_also_found_by_its_title(as_bob: Any, say: Any, opportunity: Any) -> None:
    item = say("hello")
    as_bob.post(f"/p/sprout/{item.ref}/link", {"opportunity": opportunity.title.upper()})
    assert demand(opportunity).people == 1


@pytest.mark.parametrize("typed", ["", "OPP-99", "no such title", "OUT-1"])
def test_an_unknown_opportunity_is_refused_with_a_sentence(as_bob: Any, say: Any, typed: str) -> None:
    item = say("hello")
    answer = as_bob.post(f"/p/sprout/{item.ref}/link", {"opportunity": typed}, follow=True)
    assert 'class="notice error"' in answer.content.decode()
    assert not EvidenceLink.objects.exists()


def test_what_was_refused_stands_in_its_form_once_more(as_bob: Any, say: Any) -> None:
    item = say("I closed it. I closed it when it wanted my number.")
    place = f"/p/sprout/{item.ref}"
    words = {"quote": "I closed it", "start": "13", "end": "24", "importance": "3", "opportunity": "OPP-999"}
    page = as_bob.post(f"{place}/link", words, follow=True).content.decode()
    assert ">I closed it</textarea>" in page
    assert all(part in page for part in ('name="start" value="13"', 'value="OPP-999"', '<option value="3" selected>'))
    assert ">I closed it</textarea>" not in as_bob.get(place).content.decode()


def test_a_new_opportunity_starts_with_the_persons_words(as_bob: Any, say: Any) -> None:
    item = say("I wanted to look around first. Then I left.")
    quote = "I wanted to look around first."
    offered = as_bob.post(f"/p/sprout/{item.ref}/opportunity", {"quote": quote}).content.decode()
    assert f">{quote}</textarea>" in offered
    answer = as_bob.post(
        f"/p/sprout/{item.ref}/opportunity",
        {"title": "I want to look around first", "kind": "desire", "quote": quote, "importance": "2"},
    )
    made = Opportunity.objects.get()
    assert answer.url == f"/p/sprout/{made.ref}"
    assert demand(made).voices[0].latest.quote == quote


def test_a_refused_new_opportunity_leaves_nothing_behind(as_bob: Any, say: Any) -> None:
    item = say("hello")
    form = {"title": "A title", "kind": "pain_point", "quote": "not said"}
    answer = as_bob.post(f"/p/sprout/{item.ref}/opportunity", form)
    assert (answer.status_code, Opportunity.objects.count()) == (400, 0)
    assert "A title" in answer.content.decode()


def test_putting_away_goes_on_and_can_be_brought_back(as_bob: Any, say: Any) -> None:
    item = say("read me")
    answer = as_bob.post(f"/p/sprout/{item.ref}/put-away", {"back": "/p/sprout/voices"})
    assert answer.url == "/p/sprout/voices"
    assert "Every voice has had a reader" in read(as_bob)
    assert "read me" in read(as_bob, "voices?state=away")
    as_bob.post(f"/p/sprout/{item.ref}/bring-back", {})
    assert "1 voice waits" in read(as_bob)


def test_back_leads_nowhere_but_to_the_inbox(as_bob: Any, say: Any) -> None:
    item = say("read me")
    answer = as_bob.post(f"/p/sprout/{item.ref}/put-away", {"back": "https://evil.example/?q=x"})
    assert answer.url.startswith("/p/sprout/voices")


def test_a_customers_words_are_theirs_and_the_reporter_is_named(as_bob: Any, bob: Any) -> None:
    page = read(as_bob, "voices/new")
    token = page.split('name="submission_id" value="')[1].split('"')[0]
    form = {
        "text": "Our trainees have no phones",
        "author_name": "Acme",
        "author_email": "ops@acme.example",
        "said_at": "2026-02-03T10:30",
        "source_name": "a call",
        "consent": "quotable",
        "submission_id": token,
    }
    for _ in range(2):  # the button pressed twice
        answer = as_bob.post("/p/sprout/voices/new", form)
    item = FeedbackItem.objects.get()
    assert answer.url == f"/p/sprout/{item.ref}"
    assert (item.author_name, item.person_key, item.reporter, item.consent) == (
        "Acme",
        "ops@acme.example",
        bob,
        "quotable",
    )
    assert "Passed on by Bob" in read(as_bob, item.ref)


def test_a_refused_form_keeps_what_was_typed(as_bob: Any) -> None:
    answer = as_bob.post("/p/sprout/voices/new", {"text": "kept words", "rating": "good"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "is no rating" in page
    assert "kept words" in page


def test_a_viewer_reads_and_has_no_buttons_that_refuse(as_viewer: Any, say: Any, opportunity: Any) -> None:
    item = say("hello")
    for page in (read(as_viewer), read(as_viewer, item.ref)):
        assert "hello" in page
        assert 'id="voice-link"' not in page
        assert "put-away" not in page
    for path in ("link", "put-away", "bring-back", "opportunity", "consent"):
        assert as_viewer.post(f"/p/sprout/{item.ref}/{path}", {"opportunity": "OPP-1"}).status_code == 403
    assert as_viewer.get("/p/sprout/voices/new").status_code == 403
    assert not EvidenceLink.objects.exists()


def test_charlie_sees_nothing(as_charlie: Any, say: Any, opportunity: Any) -> None:
    item = say("hello")
    for path in ("voices", item.ref, "voices/imports", "voices/new", "voices/opportunities"):
        assert as_charlie.get(f"/p/sprout/{path}").status_code == 404
    assert as_charlie.post(f"/p/sprout/{item.ref}/link", {"opportunity": "OPP-1"}).status_code == 404


def test_long_lists_are_paged(as_alice: Any, say: Any) -> None:
    for n in range(35):
        say(f"voice number {n:02}", said_at=f"2026-01-01 10:{n:02}")
    page = read(as_alice)
    assert page.count('class="item"') == 30
    older = page.split('<a class="btn tight" href="')[1].split('"')[0]
    second = read(as_alice, html.unescape(older).removeprefix("/p/sprout/"))
    assert second.count('class="item"') == 5
    assert "voice number 04" in second


def test_nonsense_in_the_address_breaks_nothing(as_alice: Any, say: Any) -> None:
    say("hello")
    for query in ("state=x", "rating=x", "rating=9", "item=FB-99", "item=x", "q=%00", "source=%00", "q=%22%28"):
        read(as_alice, f"voices?{query}")
    read(as_alice, "voices?after=x", status=400)
    read(as_alice, "voices?opportunity=OPP-7", status=404)


def test_the_opportunity_lists_options_for_what_is_typed(as_bob: Any, opportunity: Any) -> None:
    assert opportunity.ref in read(as_bob, "voices/opportunities?opportunity=phone+know")
    assert opportunity.ref not in read(as_bob, "voices/opportunities?opportunity=zebra")


def test_the_opportunitys_page_and_today_show_voices(as_alice: Any, say: Any, opportunity: Any) -> None:
    item = say("You wanted my number", person="mira")
    assert "1 voice waits for a reader" in read(as_alice, "today")
    as_alice.post(f"/p/sprout/{item.ref}/link", {"opportunity": "OPP-1"})
    page = read(as_alice, "OPP-1")
    assert "person</span>" in page.replace("person said so", "person</span>")
    assert "You wanted my number" in page
    assert "You wanted my number" in read(as_alice, "voices?state=all&opportunity=OPP-1")


def test_imports_are_listed_with_their_broken_rows_and_taken_back(as_alice: Any, api: Any) -> None:
    run = api.post(
        "/products/sprout/feedback-imports",
        {"fingerprint": "f", "source_name": "s", "file_name": "reviews.csv", "mapping": {"text": "t"}},
    ).ok
    api.post(
        f"/products/sprout/feedback-imports/{run['id']}/rows",
        {"rows": [[2, {"text": "hello"}]], "errors": [{"row": 3, "reason": "torn"}], "upto": 3},
    )
    page = read(as_alice, "voices/imports")
    assert "reviews.csv" in page
    assert "row 3: torn" in page
    as_alice.post(f"/p/sprout/voices/imports/{run['id']}/undo")
    assert FeedbackItem.objects.count() == 0
