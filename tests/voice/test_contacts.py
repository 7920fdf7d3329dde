"""May we ask this person? One answer and one rest for talks and surveys."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.people.services import ensure_person
from whytree.voice.contacts import contacts_of, log_contact, reach_of, set_contact_settings, set_wish
from whytree.voice.models import Contact, ContactWish


def reach(product: Any, key: str = "mira", days: float = 0) -> Any:
    return reach_of(product, [key], now=timezone.now() + timedelta(days=days))[key]


def test_somebody_nobody_asked_may_be_asked(product: Any) -> None:
    found = reach(product)
    assert (found.may, found.wish, found.words) == (True, None, "was never asked for consent")


@pytest.mark.parametrize("first", ["interview", "survey"])
@pytest.mark.parametrize("then", ["interview", "survey"])
def test_talks_and_surveys_share_one_rest(actor: Any, product: Any, first: str, then: str) -> None:
    log_contact(actor, product, "mira", kind=first, subject="INT-3")
    assert not reach(product).may
    assert "rests until" in reach(product).words
    with pytest.raises(Conflict, match="rests until"):
        log_contact(actor, product, "mira", kind=then)
    assert reach(product, days=29).may is False
    assert reach(product, days=31).may is True
    assert reach(product, "jo").may is True
    assert Contact.objects.count() == 1


def test_the_rest_is_the_products_to_set(actor: Any, product: Any) -> None:
    log_contact(actor, product, "mira", kind="survey")
    set_contact_settings(actor, product, rest_days=7)
    assert (reach(product, days=6).may, reach(product, days=8).may) == (False, True)
    set_contact_settings(actor, product, rest_days=0)
    assert reach(product).may


def test_who_wants_to_be_left_alone_is(actor: Any, product: Any) -> None:
    set_wish(actor, product, "mira", may=False)
    assert (reach(product).may, reach(product).words) == (False, "wants to be left alone")
    with pytest.raises(Conflict, match="wants to be left alone"):
        log_contact(actor, product, "mira", kind="survey")
    set_wish(actor, product, "mira", may=True)
    assert (reach(product).may, reach(product).words) == (True, "agreed to be asked")
    set_wish(actor, product, "mira", may=None)
    assert reach(product).wish is None
    assert not ContactWish.objects.exists()


def test_ids_that_were_joined_are_one_person(actor: Any, product: Any) -> None:
    main, other = ensure_person(product, "mira"), ensure_person(product, "device-7")
    log_contact(actor, product, "device-7", kind="survey")
    set_wish(actor, product, "device-7", may=False)
    other.merged_into = main
    other.save()
    assert (reach(product).may, reach(product).wish) == (False, False)
    assert [one.kind for one in contacts_of(product, ["mira", "device-7"])] == ["survey"]
    set_wish(actor, product, "device-7", may=True)
    assert ContactWish.objects.get(person_key="mira").may, "written under the main id from now on"
    assert reach(product).wish is False, "of two wishes the refusal counts"


@pytest.mark.parametrize("key", ["", "  ", "x" * 201, "a\0b", "null"])
def test_nobody_is_nobody(actor: Any, product: Any, key: str) -> None:
    with pytest.raises(Invalid, match="Name the person"):
        log_contact(actor, product, key, kind="survey")


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"rest_days": 366}, "0 to 365"), ({"rest_days": -1}, "0 to 365"), ({"booking_url": "javascript:1"}, "begins with https"),
     ({"invitation": "x" * 4_001}, "is the most")],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(actor: Any, product: Any, fields: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        set_contact_settings(actor, product, **fields)


def test_who_may(viewer: Any, bob: Any, charlie: Any, product: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Forbidden):
        log_contact(actor_of_user(viewer), product, "mira", kind="survey")
    with pytest.raises(NotFound):
        set_wish(actor_of_user(charlie), product, "mira", may=True)
    with pytest.raises(Forbidden):
        set_contact_settings(actor_of_user(bob), product, rest_days=1)


def test_an_unknown_kind_is_refused(actor: Any, product: Any) -> None:
    with pytest.raises(Invalid, match="interview, survey"):
        log_contact(actor, product, "mira", kind="phone")


# --- surveys and talks together ------------------------------------------------------------------------------------------


@pytest.fixture
def survey(actor: Any, product: Any, store: Any) -> Any:
    from whytree.voice.surveys import services

    question = {"id": "q1", "kind": "open", "text": "What else?"}
    made = services.create_survey(actor, product, title="Spring", questions=[question], in_page=True)
    return services.start_survey(actor, made)


def test_whoever_was_invited_to_a_survey_is_not_asked_for_a_talk(survey: Any, actor: Any, product: Any) -> None:
    from whytree.voice.surveys import services

    services.invite(actor, survey, "mira")
    assert not reach(product).may
    assert [(one.words, one.subject) for one in contacts_of(product, ["mira"])] == [("shown a survey", "SUR-1")]
    with pytest.raises(Conflict, match="rests until"):
        log_contact(actor, product, "mira", kind="interview")
    assert reach(product, days=31).may


def test_whoever_was_asked_for_a_talk_is_not_shown_a_survey(survey: Any, actor: Any, product: Any) -> None:
    from whytree.voice.surveys import services
    from whytree.voice.surveys.targeting import surveys_for

    assert surveys_for(product, [survey], ["mira"], "") == [(survey, True)]
    log_contact(actor, product, "mira", kind="interview")
    assert surveys_for(product, [survey], ["mira"], "") == []
    with pytest.raises(Conflict, match="was asked today"):
        services.invite(actor, survey, "mira")
    Contact.objects.update(at=timezone.now() - timedelta(days=31))
    assert surveys_for(product, [survey], ["mira"], "") == [(survey, True)]


def test_whoever_wants_to_be_left_alone_sees_no_survey(survey: Any, actor: Any, product: Any) -> None:
    from whytree.voice.surveys import services
    from whytree.voice.surveys.targeting import surveys_for

    set_wish(actor, product, "mira", may=False)
    assert surveys_for(product, [survey], ["mira"], "") == []
    with pytest.raises(Conflict, match="left alone"):
        services.invite(actor, survey, "mira")
