"""The page behind a survey's link, as somebody without an account meets it; and the team's pages around it."""

import re
from typing import Any

import pytest
from django.test import Client

from whytree.voice.models import FeedbackItem, Survey, SurveyResponse
from whytree.voice.surveys import services

NPS = {"kind": "nps", "text": "Would you recommend us?"}
WHY = {"kind": "open", "text": "Why is that?"}
USES = {"kind": "multi", "text": "What for?", "options": ["Herbs", "Roses & <b>more</b>"], "required": False}


def _running(actor: Any, product: Any, *questions: Any, **more: Any) -> Survey:
    made = services.create_survey(actor, product, title="Spring <survey>", questions=list(questions), **more)
    return services.start_survey(actor, made)


@pytest.fixture
def survey(actor: Any, product: Any, store: Any) -> Survey:
    return _running(actor, product, NPS, WHY, USES, hidden=["plan"], thanks="Grow well.")


@pytest.fixture
def guest() -> Client:
    return Client(enforce_csrf_checks=True)


def _form(page: str) -> dict[str, Any]:
    """What a browser would send of it: hidden fields with their values."""
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(value)
    return found


def test_somebody_without_an_account_answers_once(survey: Survey, guest: Client) -> None:
    link = services.open_link(survey)
    page = guest.get(f"{link}?plan=pro&spy=1")
    text = page.content.decode()
    assert (page.status_code, page["Referrer-Policy"], page["X-Robots-Tag"]) == (200, "same-origin", "noindex")
    assert "Spring &lt;survey&gt;" in text
    assert "Roses &amp; &lt;b&gt;more&lt;/b&gt;" in text
    assert not SurveyResponse.objects.exists(), "looking answers nothing"
    sent = {**_form(text), "q1": "9", "q2": "It waters itself\r\nnearly", "q3": ["Herbs"]}
    done = guest.post(link, sent)
    assert "Grow well." in done.content.decode()
    response = SurveyResponse.objects.get()
    assert response.answers == {"q1": 9, "q2": "It waters itself\nnearly", "q3": ["Herbs"]}
    assert (response.person_key, response.hidden, response.via, response.asked_at) == (
        "",
        {"plan": "pro"},
        "link",
        None,
    )
    assert FeedbackItem.objects.get(source_type="survey").person_key == ""
    # the same form again, and the same browser again
    again = guest.post(link, sent)
    assert (again.status_code, "Your first answer counts" in again.content.decode()) == (409, True)
    assert "This browser has answered already" in guest.get(link).content.decode()
    assert SurveyResponse.objects.count() == 1


def test_what_is_missing_is_said_and_what_was_typed_stays(survey: Survey, guest: Client) -> None:
    link = services.open_link(survey)
    form = _form(guest.get(link).content.decode())
    page = guest.post(link, {**form, "q2": "words <i>kept</i>", "q3": ["Herbs"]})
    text = page.content.decode()
    assert (page.status_code, "This one needs an answer." in text) == (400, True)
    assert "words &lt;i&gt;kept&lt;/i&gt;" in text
    assert 'value="Herbs" checked' in text
    assert not SurveyResponse.objects.exists()
    assert guest.post(link, {**_form(text), "q1": "2"}).status_code == 200


@pytest.mark.parametrize("form", ["", "x", "1 abc:def", "1 abc:1tqwer:forged"])
def test_a_form_is_not_forged_and_a_stale_one_is_drawn_anew(survey: Survey, guest: Client, form: str) -> None:
    page = guest.post(services.open_link(survey), {"form": form, "seen": ["q1", "q2", "q3"], "q1": "9", "q2": "mine"})
    assert page.status_code == 400
    assert "send them again" in page.content.decode()
    assert ">mine</textarea>" in page.content.decode()
    assert not SurveyResponse.objects.exists()


def test_a_form_of_another_survey_does_not_fit(survey: Survey, actor: Any, product: Any, guest: Client) -> None:
    other = _form(guest.get(services.open_link(_running(actor, product, NPS))).content.decode())
    assert guest.post(services.open_link(survey), {**other, "q1": "9"}).status_code == 400


def test_a_form_on_another_site_answers_nothing(survey: Survey, guest: Client) -> None:
    link = services.open_link(survey)
    form = {**_form(guest.get(link).content.decode()), "q1": "9"}
    for origin in ("https://evil.example", "null"):
        assert guest.post(link, form, headers={"Origin": origin}).status_code == 403
    assert guest.post(link, form, headers={"Origin": "http://testserver"}).status_code == 200


def test_one_address_is_slowed_down(survey: Survey, guest: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.voice.surveys.public.PER_ADDRESS", 2)
    link = services.open_link(survey)
    form = _form(guest.get(link).content.decode())
    assert [guest.post(link, form).status_code for _ in range(3)] == [400, 400, 429]
    other = guest.post(link, {**form, "q1": "9"}, REMOTE_ADDR="10.1.1.1")
    assert other.status_code == 200


@pytest.mark.parametrize("token", ["x", "s1.x", "s99.aaaa", "r1", "%00", "s1"])
def test_no_link_is_guessed(survey: Survey, guest: Client, token: str) -> None:
    assert guest.get(f"/survey/{token}").status_code == 404


def test_an_invitation_is_answered_as_oneself_once(survey: Survey, actor: Any, guest: Client) -> None:
    link = services.invite(actor, survey, "mira")
    text = guest.get(link).content.decode()
    assert "This link is yours" in text
    assert guest.post(link, {**_form(text), "q1": "3", "q2": "too dear"}).status_code == 200
    assert FeedbackItem.objects.get(source_type="survey").person_key == "mira"
    assert "Your first answer counts" in Client().get(link).content.decode()
    again = Client().post(link, {**_form(text), "q1": "10"})
    assert (again.status_code, SurveyResponse.objects.get().answers["q1"]) == (409, 3)


def test_a_survey_that_ended_takes_nothing_and_says_so(survey: Survey, actor: Any, guest: Client) -> None:
    link = services.open_link(survey)
    form = _form(guest.get(link).content.decode())
    services.stop_survey(actor, survey)
    assert "has ended" in guest.get(link).content.decode()
    late = guest.post(link, {**form, "q1": "9"})
    assert (late.status_code, "has ended" in late.content.decode()) == (409, True)


def test_ways_are_asked_one_by_one_without_a_script(actor: Any, product: Any, store: Any, guest: Client) -> None:
    happy = {**NPS, "skip": [{"when": [9, 10], "to": "q3"}]}
    survey = _running(actor, product, happy, WHY, {**USES, "required": True})
    link = services.open_link(survey)
    first = guest.get(link).content.decode()
    assert "Why is that?" not in first
    nothing = guest.post(link, _form(first))
    assert "This one needs an answer." in nothing.content.decode()
    second = guest.post(link, {**_form(first), "q1": "9"}).content.decode()
    assert "What for?" in second
    assert "Why is that?" not in second
    assert guest.post(link, {**_form(second), "q3": ["Herbs"]}).status_code == 200
    assert SurveyResponse.objects.get().answers == {"q1": 9, "q3": ["Herbs"]}
    # another browser, another way; an optional question may be passed over
    other = Client()
    first = other.get(link).content.decode()
    second = other.post(link, {**_form(first), "q1": "2"}).content.decode()
    assert "Why is that?" in second
    third = other.post(link, {**_form(second), "q2": ""}).content.decode()
    assert "What for?" in third
    other.post(link, {**_form(third), "q3": ["Herbs"]})
    assert SurveyResponse.objects.order_by("-pk")[0].answers == {"q1": 2, "q3": ["Herbs"]}


def test_things_are_put_in_order_without_a_script(
    actor: Any, product: Any, store: Any, guest: Client, as_bob: Any
) -> None:
    order = {"kind": "ranking", "text": "What matters?", "options": ["Price", "Speed", "Looks"]}
    link = services.open_link(_running(actor, product, order))
    text = guest.get(link).content.decode()
    assert text.count('<select name="q1">') == 3
    twice = guest.post(link, {**_form(text), "q1": ["1", "1", "2"]}).content.decode()
    assert "give each a place of its own" in twice
    assert twice.count("selected") == 3, "what was chosen stays"
    assert guest.post(link, {**_form(twice), "q1": ["2", "3", "1"]}).status_code == 200
    assert SurveyResponse.objects.get().answers == {"q1": ["Looks", "Price", "Speed"]}
    assert "mean place" not in as_bob.get("/p/sprout/SUR-1").content.decode(), "one answer has no interval"
    lines = as_bob.get("/p/sprout/SUR-1/responses.csv").content.decode().splitlines()
    assert (lines[0].endswith("q1.Price,q1.Speed,q1.Looks"), lines[1].endswith(",2,3,1")) == (True, True)


def test_a_matrix_is_answered_without_a_script_and_travels_on(
    actor: Any, product: Any, store: Any, guest: Client, as_bob: Any
) -> None:
    matrix = {"kind": "matrix", "text": "How is it?", "options": ["Fast", "Pretty, 'we' think"], "required": False}
    ways = {"kind": "single", "text": "Go on?", "options": ["Yes", "No"], "skip": [{"when": ["No"], "to": "end"}]}
    link = services.open_link(_running(actor, product, matrix, ways))
    first = guest.get(link).content.decode()
    assert first.count('name="q1.1"') == 5
    second = guest.post(link, {**_form(first), "q1.0": "4", "q1.1": "2"}).content.decode()
    assert 'name="q1.1" value="2"' in second
    assert guest.post(link, {**_form(second), "q2": "No"}).status_code == 200
    response = SurveyResponse.objects.get()
    assert response.answers == {"q1": {"Fast": 4, "Pretty, 'we' think": 2}, "q2": "No"}
    page = as_bob.get("/p/sprout/SUR-1").content.decode()
    assert "Agree (4 or 5)" in page
    assert "4: 1" in page
    lines = as_bob.get("/p/sprout/SUR-1/responses.csv").content.decode().splitlines()
    assert "q1.Fast" in lines[0]
    assert lines[1].endswith(",4,2,No")


# The team's pages


def _typed(*questions: dict[str, str], **more: str) -> dict[str, Any]:
    form: dict[str, Any] = {"title": "Ease", "share": "100", "cooldown_days": "30"}
    for at, question in enumerate(questions):
        form |= {f"q-{at}-{name}": value for name, value in {"kind": "open", "required": "on", **question}.items()}
    return {**form, **more}


def test_the_form_makes_a_survey_without_a_script(as_bob: Any, product: Any) -> None:
    new = "/p/sprout/surveys/new"
    assert "How likely are you to recommend us" in as_bob.get(new + "?template=nps").content.decode()
    grown = as_bob.post(new, {**_typed({"text": "Why?", "id": "q1"}), "act": "add"}).content.decode()
    assert 'name="q-1-kind"' in grown
    assert 'value="Why?"' in grown
    refused = as_bob.post(new, _typed({"kind": "single", "text": "How often?", "options": "Daily"}))
    assert (refused.status_code, "two options at least" in refused.content.decode()) == (400, True)
    made = as_bob.post(
        new,
        {
            **_typed({"kind": "nps", "text": "Recommend?", "id": "q1"}, {"text": "Why?", "id": "q2"}),
            "q-0-when": "9; 10, 0-2",
            "q-0-to": "end",
            "in_page": "on",
            "stop_at": "50",
            "hidden": "plan tier",
            "closes_at": "2031-05-01T09:00",
        },
    )
    assert made.status_code == 302
    survey = Survey.objects.get()
    assert survey.questions["questions"][0]["skip"] == [{"when": [9, 10, 0, 1, 2], "to": "end"}]
    assert (survey.in_page, survey.stop_at, survey.hidden, survey.closes_at.hour if survey.closes_at else 0) == (
        True,
        50,
        ["plan", "tier"],
        9,
    )
    shown = as_bob.get("/p/sprout/SUR-1/edit").content.decode()
    assert 'value="9; 10; 0; 1; 2"' in shown


def test_moving_and_taking_away_keeps_ids(as_bob: Any, product: Any) -> None:
    form = _typed({"text": "One", "id": "q1"}, {"text": "Two", "id": "q2"}, {"text": "Three", "id": "q3"})
    moved = as_bob.post("/p/sprout/surveys/new", {**form, "act": "up:2"}).content.decode()
    assert re.findall(r'name="q-\d-id" value="(q\d)"', moved) == ["q1", "q3", "q2"]
    fewer = as_bob.post("/p/sprout/surveys/new", {**form, "act": "remove:0"}).content.decode()
    assert re.findall(r'name="q-\d-id" value="(q\d)"', fewer) == ["q2", "q3"]


def test_the_preview_is_the_very_question_people_meet(as_bob: Any, product: Any) -> None:
    form = {**_typed({"kind": "seq", "text": "How easy was it?", "id": "q1"}), "act": "preview"}
    shown = as_bob.post("/p/sprout/surveys/new", form, headers={"HX-Request": "true"}).content.decode()
    assert shown.count('type="radio"') == 7
    assert "<html" not in shown
    half = as_bob.post("/p/sprout/surveys/new", {**form, "q-0-text": ""}, headers={"HX-Request": "true"})
    assert "asks nothing" in half.content.decode()
    assert not Survey.objects.exists()


def test_the_page_of_a_survey_and_its_acts(as_bob: Any, as_viewer: Any, as_charlie: Any, survey: Survey) -> None:
    page = as_bob.get("/p/sprout/SUR-1").content.decode()
    assert "Nobody has answered yet" in page
    assert "/survey/" in page
    made = as_bob.post("/p/sprout/SUR-1/act", {"act": "invite", "person": "mira"}, follow=True).content.decode()
    assert "For mira alone: http" in made
    metric = as_bob.post("/p/sprout/SUR-1/act", {"act": "metric"})
    assert metric["Location"] == "/p/sprout/numbers/sur_1_favourable"
    assert "/numbers/sur_1_favourable" in as_bob.get("/p/sprout/SUR-1").content.decode()
    assert "stopped" in as_bob.post("/p/sprout/SUR-1/act", {"act": "stop"}, follow=True).content.decode()
    assert "Say what to do" in as_bob.post("/p/sprout/SUR-1/act", {}, follow=True).content.decode()
    assert as_viewer.get("/p/sprout/SUR-1").status_code == 200
    assert as_viewer.post("/p/sprout/SUR-1/act", {"act": "start"}).status_code == 403
    assert as_viewer.get("/p/sprout/surveys/new").status_code == 403
    for address in ("surveys", "SUR-1", "SUR-1/responses.csv", "SUR-1/results.json", "SUR-1/edit"):
        assert as_charlie.get(f"/p/sprout/{address}").status_code == 404
    assert as_bob.get("/p/sprout/SUR-9").status_code == 404


def test_the_list_begins_empty_and_says_what_runs(as_bob: Any, actor: Any, product: Any) -> None:
    assert "Nobody is asked anything yet" in as_bob.get("/p/sprout/surveys").content.decode()
    _running(actor, product, NPS)
    page = as_bob.get("/p/sprout/surveys").content.decode()
    assert "1 survey is running" in page
    hits = as_bob.get("/p/sprout/why/box?q=SUR-1").content.decode()
    assert "Spring" in hits


def test_the_bar_says_where_a_survey_belongs(as_alice: Client, survey: Survey) -> None:
    page = as_alice.get(f"/p/sprout/{survey.ref}").content.decode()
    assert 'href="/p/sprout/surveys" aria-current="true">Surveys' in page
