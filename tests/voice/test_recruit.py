"""Whom to ask for a talk: from a cohort, from those who met a flag, from those who have the problem; and nobody twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.voice.conftest import Done
from tests.voice.test_import_interview import TALK
from whytree.errors import Conflict, Invalid, NotFound
from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.people.services import ensure_person
from whytree.voice.contacts import log_contact, reach_of, set_contact_settings, set_wish
from whytree.voice.interviews.recruiting import candidates, opportunities_wanting_a_talk, wanted_for
from whytree.voice.interviews.services import (
    Span,
    add_interview,
    highlight_talk,
    import_interview,
    invite,
    link_highlight,
)
from whytree.voice.models import Contact
from whytree.voice.services import link_excerpt

_ids = count(10_000)
PEOPLE = ("mira", "jo", "ann", "tom", "eva")


@pytest.fixture
def happened(store: Any, product: Any) -> Callable[..., None]:
    def write(person: str, event: str, **properties: str) -> None:
        at = timezone.now() - timedelta(days=1)
        row = {"product": product.pk, "person": person_hash(product.pk, person), "distinct_id": person, "event": event}
        store.insert(
            "events", [{**row, "timestamp": at, "received_at": at, "event_id": next(_ids), "properties": properties}]
        )

    return write


@pytest.fixture
def struggled(happened: Callable[..., None], product: Any, actor: Any) -> None:
    """All five struggled; they are known by address but Eva, and Tom is of the team. A stranger did something else."""
    from whytree.analytics.cohorts.services import create_cohort

    for person in PEOPLE:
        happened(person, "struggled")
        if person != "eva":
            ensure_person(product, person, email=f"{person}@example.org")
    from whytree.people.models import Person

    Person.objects.filter(product=product, key="tom").update(internal=True)
    happened("stranger", "planted")
    create_cohort(actor, product, key="strugglers", definition={"version": 1, "all": [{"did": "struggled"}]})


def keys(found: Any) -> set[str]:
    return {one.key for one in found.candidates}


def test_from_a_cohort_but_not_the_team(struggled: None, product: Any) -> None:
    found = candidates(product, cohort="strugglers")
    assert keys(found) == {"mira", "jo", "ann", "eva"}
    assert (found.looked_at, found.resting, found.alone) == (4, 0, 0)
    assert "struggled" in found.group
    emails = {one.key: one.email for one in found.candidates}
    assert (emails["mira"], emails["eva"]) == ("mira@example.org", "")


def test_who_rests_and_who_wants_to_be_left_alone_is_counted_not_asked(
    struggled: None, product: Any, actor: Any
) -> None:
    log_contact(actor, product, "mira", kind="survey", subject="NPS")
    set_wish(actor, product, "jo", may=False)
    found = candidates(product, cohort="strugglers")
    assert keys(found) == {"ann", "eva"}
    assert (found.looked_at, found.resting, found.alone) == (4, 1, 1)


def test_from_those_who_met_a_flag(struggled: None, happened: Any, product: Any, actor: Any) -> None:
    from whytree.flags.services import create_flag

    create_flag(actor, product, key="ask_later")
    happened("mira", "$exposure", flag="ask_later", variant="on", reason="SPLIT")
    happened("jo", "$exposure", flag="ask_later", variant="off", reason="SPLIT")
    happened("ann", "$exposure", flag="ask_later", variant="off", reason="DISABLED")
    happened("stranger", "$exposure", flag="ask_later", variant="on", reason="SPLIT")
    assert keys(candidates(product, flags=["ask_later"])) == {"mira", "jo", "stranger"}
    assert keys(candidates(product, flags=["ask_later:on"])) == {"mira", "stranger"}
    assert keys(candidates(product, flags=["ask_later:on"], cohort="strugglers")) == {"mira"}
    with pytest.raises(NotFound, match="no flag"):
        candidates(product, flags=["ask_latr"])


def test_about_a_problem_those_who_have_it_and_did_not_say_so(
    struggled: None, product: Any, actor: Any, opportunity: Any, say: Any
) -> None:
    from whytree.analytics.answers.behind import Part
    from whytree.analytics.saved.services import make_struggle_signal

    link_excerpt(actor, say("no number", person="mira"), opportunity)
    without_signal = candidates(product, opportunity=opportunity)
    assert "has no struggle signal" in without_signal.group
    assert keys(without_signal) == {"jo", "ann"}, "known people seen lately, not of the team, who have not said so"
    make_struggle_signal(
        actor,
        product,
        question={"version": 1, "kind": "trends", "series": [{"event": "struggled"}]},
        part=Part(series=0),
        opportunity="OPP-1",
    )
    opportunity.refresh_from_db()
    found = candidates(product, opportunity=opportunity)
    assert "hit OPP-1 and have not spoken for it" in found.group
    assert keys(found) == {"jo", "ann", "eva"}


def test_lots_are_the_same_all_week_and_others_in_another(struggled: None, happened: Any, product: Any) -> None:
    for number in range(40):
        happened(f"user-{number}", "struggled")
    now = timezone.now()
    drawn = [keys(candidates(product, cohort="strugglers", limit=5, now=now)) for _ in range(2)]
    later = [
        keys(candidates(product, cohort="strugglers", limit=5, now=now + timedelta(weeks=back))) for back in (1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5
    assert len({frozenset(one) for one in (drawn[0], *later)}) > 1


@pytest.mark.parametrize(
    ("asked", "why"), [({}, "Say whom"), ({"cohort": "x", "limit": 0}, "limit"), ({"limit": 999}, "limit")]
)
def test_what_cannot_be_asked_is_refused(product: Any, asked: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        candidates(product, **asked)


# --- asking them -------------------------------------------------------------------------------------------------------


def test_asking_begins_their_rest(product: Any, actor: Any) -> None:
    asked = invite(actor, product, ["mira", "jo", "mira"], by_mail=False, about="OPP-1")
    assert [(one.person_key, one.kind, one.subject) for one in asked] == [
        ("mira", "interview", "OPP-1"),
        ("jo", "interview", "OPP-1"),
    ]
    with pytest.raises(Conflict, match="Nobody was asked"):
        invite(actor, product, ["ann", "jo"], by_mail=False)
    assert reach_of(product, ["ann"])["ann"].may
    for people, why in (([], "at least one"), ([str(n) for n in range(51)], "is the most")):
        with pytest.raises(Invalid, match=why):
            invite(actor, product, people, by_mail=False)


def test_by_mail_with_a_booking_link_and_a_way_out(
    product: Any, actor: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    ensure_person(product, "mira", email="mira@example.org")
    with pytest.raises(Conflict, match="No mail server"):
        invite(actor, product, ["mira"], by_mail=True)
    monkeypatch.setattr("whytree.voice.interviews.services.inviting.is_set", lambda: True)
    monkeypatch.setattr("whytree.voice.interviews.services.inviting.send", sent.append)  # somebody else's server
    with pytest.raises(Conflict, match="booking link"):
        invite(actor, product, ["mira"], by_mail=True)
    set_contact_settings(actor, product, booking_url="https://cal.example.org/30", invitation="Dear you")
    with pytest.raises(Conflict, match="WHYTREE_PUBLIC_URL"):
        invite(actor, product, ["mira"], by_mail=True)
    settings.WHYTREE = replace(settings.WHYTREE, public_url="https://why.example.org")
    with pytest.raises(Conflict, match="Nobody knows jo"):
        invite(actor, product, ["mira", "jo"], by_mail=True)
    Person.objects.filter(key="mira").update(email_proved=False)
    with pytest.raises(Conflict, match="only a page or a mail"):
        invite(actor, product, ["mira"], by_mail=True)
    assert not Contact.objects.exists()
    invite(actor, product, ["mira"], by_mail=True, unproved=True)
    (mail,) = sent
    assert (mail.to, "Dear you" in mail.text, "https://cal.example.org/30" in mail.text) == (
        "mira@example.org",
        True,
        True,
    )
    assert mail.stop_url == mail.text.rsplit(" ", 1)[1], "what a mail program's own button presses"
    link = mail.stop_url.removeprefix("https://why.example.org")
    stranger = Client(enforce_csrf_checks=True)
    assert "Rather not be asked?" in stranger.get(link).content.decode()
    assert reach_of(product, ["mira"])["mira"].wish is None, "looking at it presses nothing"
    assert "We leave you in peace" in stranger.post(link).content.decode()
    assert reach_of(product, ["mira"])["mira"].wish is False
    assert stranger.get(link[:-3]).status_code == 404


def test_a_mail_that_is_refused_leaves_no_line(
    product: Any, actor: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.workspace.outside.mail import MailRefused

    def refuse(mail: Any) -> None:
        raise MailRefused("no such mailbox")

    ensure_person(product, "mira", email="mira@example.org")
    set_contact_settings(actor, product, booking_url="https://cal.example.org/30")
    settings.WHYTREE = replace(settings.WHYTREE, public_url="https://why.example.org")
    monkeypatch.setattr("whytree.voice.interviews.services.inviting.is_set", lambda: True)
    monkeypatch.setattr("whytree.voice.interviews.services.inviting.send", refuse)
    with pytest.raises(Conflict, match="no such mailbox"):
        invite(actor, product, ["mira"], by_mail=True)
    assert reach_of(product, ["mira"])["mira"].may


# --- where a talk is wanted ----------------------------------------------------------------------------------------------


def test_single_and_old_voices_ask_for_a_new_talk(product: Any, actor: Any, opportunity: Any, say: Any) -> None:
    assert opportunities_wanting_a_talk(product) == [], "nobody at all is another matter"
    link_excerpt(actor, say("no number", person="mira"), opportunity)
    assert "one person's word" in opportunities_wanting_a_talk(product)[0].reason
    talk = import_interview(actor, product, TALK, person="wiktor").interview
    link_highlight(actor, highlight_talk(actor, talk, Span(first=2)), opportunity)
    assert wanted_for(opportunity) is None
    in_a_year = timezone.now() + timedelta(days=400)
    found = wanted_for(opportunity, now=in_a_year)
    assert found is not None
    assert (found.people, found.reason) == (2, "its newest voice is 13 months old")


def test_two_voices_of_one_person_are_one(product: Any, actor: Any, opportunity: Any, say: Any) -> None:
    for text in ("no number", "still no number"):
        link_excerpt(actor, say(text, person="mira"), opportunity)
    assert wanted_for(opportunity)


# --- doors -------------------------------------------------------------------------------------------------------------


def test_on_pages(
    struggled: None, as_alice: Any, as_bob: Any, as_viewer: Any, product: Any, actor: Any, opportunity: Any, say: Any
) -> None:
    link_excerpt(actor, say("no number", person="mira"), opportunity)
    assert "Whom to ask" in as_bob.get("/p/sprout/OPP-1").content.decode()
    assert "one person&#x27;s word" in as_bob.get("/p/sprout/interviews/recruit").content.decode()
    page = as_bob.get("/p/sprout/interviews/recruit?cohort=strugglers").content.decode()
    assert 'value="jo"' in page
    assert "jo@example.org" in page
    assert "Booking link" not in page, "a maintainer's to set"
    done = as_bob.post(
        "/p/sprout/interviews/recruit/invite",
        {"person": ["jo"], "do": "note", "query": "cohort=strugglers"}, follow=True,
    ).content.decode()  # fmt: skip
    assert "One person is noted as asked" in done
    assert "1 were asked for something lately and rest" in done
    as_alice.post(
        "/p/sprout/interviews/recruit/settings", {"rest_days": "7", "booking_url": "https://cal.example.org/x"}
    )
    assert 'value="7"' in as_alice.get("/p/sprout/interviews/recruit").content.decode()
    assert as_bob.post("/p/sprout/interviews/recruit/settings", {"rest_days": "7"}).status_code == 403
    person = as_bob.get("/p/sprout/people/jo").content.decode()
    assert "Asking them" in person
    assert "asked for a talk" in person
    as_bob.post("/p/sprout/interviews/recruit/wish", {"person": "jo", "may": "no"})
    assert "Wants to be left alone" in as_bob.get("/p/sprout/people/jo").content.decode()
    assert as_viewer.get("/p/sprout/interviews/recruit").status_code == 403
    assert as_bob.get("/p/sprout/interviews/recruit?cohort=nope").status_code == 404


def test_over_the_api_and_on_the_command_line(
    struggled: None, api: Any, api_charlie: Any, cli: Callable[..., Done], product: Any, actor: Any, opportunity: Any
) -> None:
    found = api.get("/products/sprout/interview-candidates?cohort=strugglers&limit=2").ok
    assert (len(found["candidates"]), found["looked_at"]) == (2, 4)
    assert api_charlie.get("/products/sprout/interview-candidates?cohort=strugglers").status == 404
    assert "no flag 'nope'" in api.get("/products/sprout/interview-candidates?flag=nope").body["message"]
    assert api.get("/products/sprout/interviews-wanted").ok == []
    assert "4 to ask, of 4 people who did “struggled”" in cli("interview", "recruit", "--cohort", "strugglers").out
    assert "1 noted as asked" in cli("interview", "invite", "jo", "--about", "OPP-1").out
    assert "rests until" in cli("contact", "show", "jo").out
    assert "left alone" in cli("contact", "wish", "mira", "no").out
    assert "1 rest, 1 want to be left alone." in cli("interview", "recruit", "--cohort", "strugglers").out
    assert "for 14 days" in cli("contact", "settings", "--rest", "14").out
    assert "Say yes, no or unknown" in cli("contact", "wish", "mira", "maybe").error
    assert "No opportunity rests" in cli("interview", "wanted").out
    add_interview(actor, product, participant="Jo", held_at="2027-01-05 14:00")
    assert "DTSTART:20270105T140000Z" in cli("interview", "calendar", "INT-1").out


def test_a_calendar_file_for_a_talk_ahead(as_viewer: Any, actor: Any, product: Any) -> None:
    from whytree.voice.interviews.services import write_guide

    write_guide(actor, product, "First", "Tell me about the last time")
    ahead = timezone.now() + timedelta(days=30)
    add_interview(actor, product, participant="Jo; <b>", held_at=ahead.isoformat(), guide="first")
    answer = as_viewer.get("/p/sprout/INT-1/calendar.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    assert "SUMMARY:Sprout: talk with Jo\\; <b>" in answer.content.decode()
    page = as_viewer.get("/p/sprout/INT-1").content.decode()
    assert "Calendar file" in page
    assert "Tell me about the last time" in page
