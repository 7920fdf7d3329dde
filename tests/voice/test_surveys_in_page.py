"""What whytree.js is told of surveys, and what it may say: who is asked, who is not, and what is refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from whytree.errors import Conflict
from whytree.people.identity import person_hash
from whytree.voice.models import FeedbackItem, SurveyResponse
from whytree.voice.surveys import services
from whytree.voice.surveys.targeting import is_drawn

QUESTIONS = [{"kind": "csat", "text": "How was it?"}, {"kind": "open", "text": "Why?"}]
_ids = count(1)


@pytest.fixture
def run(actor: Any, product: Any, store: Any) -> Callable[..., Any]:
    """A survey that runs in pages: `run(share=50)`."""

    def start(title: str = "Spring", **said: Any) -> Any:
        made = services.create_survey(actor, product, title=title, questions=QUESTIONS, in_page=True, **said)
        return services.start_survey(actor, made)

    return start


@pytest.fixture
def send(capture_key: str) -> Callable[..., Any]:
    """`send("surveys", user="mira")`, as whytree.js does."""

    def post(
        path: str, *, user: str = "", anonymous: str = "device-1", origin: str = "https://shop.example", **said: Any
    ) -> Any:
        body = {"key": capture_key, "anonymousId": anonymous, **({"userId": user} if user else {}), **said}
        headers = {"Origin": origin} if origin else {}
        return Client(enforce_csrf_checks=True).post(
            f"/v1/{path}", json.dumps(body), content_type="text/plain", headers=headers
        )

    return post


@pytest.fixture
def asked(send: Callable[..., Any]) -> Callable[..., list[str]]:
    """The surveys somebody may be asked now; those that have to wait end with an ellipsis."""

    def ids(**who: Any) -> list[str]:
        found = send("surveys", **who).json()["surveys"]
        return [one["id"] + ("" if one["ready"] else "…") for one in found]

    return ids


@pytest.fixture
def happened(store: Any, product: Any) -> Callable[..., None]:
    def write(person: str, event: str, **properties: str) -> None:
        at = timezone.now() - timedelta(days=1)
        row = {"product": product.pk, "person": person_hash(product.pk, person), "distinct_id": person, "event": event}
        times = {"timestamp": at, "received_at": at, "event_id": next(_ids)}
        store.insert("events", [{**row, **times, "properties": properties}])

    return write


def test_a_page_gets_the_questions_and_any_origin_may_ask(run: Any, send: Any) -> None:
    run(after_event="signed_up", thanks="Grow well.")
    answer = send("surveys")
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, "https://shop.example")
    (survey,) = answer.json()["surveys"]
    assert survey["questions"][0] == {
        "id": "q1",
        "kind": "csat",
        "text": "How was it?",
        "required": True,
        "points": [1, 2, 3, 4, 5],
        "ends": ["1 very dissatisfied", "5 very satisfied"],
    }
    assert (survey["id"], survey["after"], survey["thanks"], survey["ready"]) == (
        "SUR-1",
        "signed_up",
        "Grow well.",
        True,
    )


def test_while_none_runs_a_page_costs_no_query(product: Any, send: Any, django_assert_max_num_queries: Any) -> None:
    assert send("surveys").json() == {"surveys": []}
    with django_assert_max_num_queries(1):  # the product of the key
        assert send("surveys").json() == {"surveys": []}


def test_what_is_stopped_or_only_a_link_is_not_shown(run: Any, asked: Any, actor: Any, product: Any) -> None:
    survey = run()
    services.start_survey(actor, services.create_survey(actor, product, title="Link", questions=QUESTIONS))
    assert asked() == ["SUR-1"]
    services.stop_survey(actor, survey)
    assert asked() == []


def test_once_a_person_on_whatever_device(
    run: Any, asked: Any, send: Any, actor: Any, product: Any, happened: Any
) -> None:
    from whytree.people.services import join

    run()
    happened("mira", "opened")
    happened("device-2", "opened")
    assert asked(user="mira") == ["SUR-1"]
    assert send("surveys/SUR-1/shown", user="mira").status_code == 200
    send("surveys/SUR-1/shown", user="mira")
    assert SurveyResponse.objects.get().asked_at is not None
    assert asked(user="mira") == []
    assert asked(user="", anonymous="device-2") == ["SUR-1"]
    join(actor, product, "mira", "device-2")
    assert asked(user="", anonymous="device-2") == [], "it is the same person"


def test_one_cool_down_over_all_surveys(run: Any, asked: Any, send: Any) -> None:
    run()
    run("Summer", cooldown_days=30)
    run("Autumn", cooldown_days=0)
    assert asked() == ["SUR-1", "SUR-2", "SUR-3"]
    send("surveys/SUR-1/shown")
    assert asked() == ["SUR-3"]
    SurveyResponse.objects.update(asked_at=timezone.now() - timedelta(days=31))
    assert asked() == ["SUR-2", "SUR-3"]


def test_who_was_asked_back_about_a_change_is_left_in_peace_too(run: Any, asked: Any, actor: Any, product: Any) -> None:
    from whytree.tree.services import create_solution
    from whytree.voice.models import Requester

    run()
    solution = create_solution(actor, product, title="Ask later")
    Requester.objects.create(product=product, solution=solution, person_key="mira", asked_at=timezone.now())
    assert (asked(user="mira"), asked(user="jo")) == ([], ["SUR-1"])


def test_talks_and_surveys_share_one_rest_and_one_wish(
    run: Any, asked: Any, send: Any, actor: Any, product: Any
) -> None:
    from whytree.voice import contacts

    survey = run()
    contacts.log_contact(actor, product, "mira", kind="interview", subject="INT-1")
    contacts.set_wish(actor, product, "tom", False)
    assert (asked(user="mira"), asked(user="tom"), asked(user="jo")) == ([], [], ["SUR-1"])
    with pytest.raises(Conflict, match="tom wants to be left alone"):
        services.invite(actor, survey, "tom")
    send("surveys/SUR-1/shown", user="jo")
    send("surveys/SUR-1/shown", user="jo")
    services.invite(actor, survey, "ann")
    with pytest.raises(Conflict, match="rests until"):
        contacts.log_contact(actor, product, "jo", kind="interview")
    assert [(one.kind, one.subject) for one in contacts.contacts_of(product, ["jo", "ann"])] == [
        ("survey", "SUR-1")
    ] * 2
    contacts.set_contact_settings(actor, product, rest_days=90)
    assert services.create_survey(actor, product, title="Later", questions=QUESTIONS).cooldown_days == 90


def test_the_share_draws_the_same_people_every_time_and_others_for_each_survey(run: Any) -> None:
    first, second = run(share=30), run("Summer", share=30)
    people = [f"p{at}" for at in range(3_000)]
    drawn = {person for person in people if is_drawn(first, person)}
    assert drawn == {person for person in people if is_drawn(first, person)}
    assert 0.27 < len(drawn) / 3_000 < 0.33
    both = sum(is_drawn(second, person) for person in drawn) / len(drawn)
    assert 0.24 < both < 0.36, "who is drawn for one is no likelier drawn for the other"


def test_whom_the_share_leaves_out_is_not_asked(run: Any, asked: Any) -> None:
    survey = run(share=1)
    out = next(name for name in map(str, range(100)) if not is_drawn(survey, f"p{name}"))
    assert asked(user=f"p{out}") == []


def test_only_the_cohort_is_asked(run: Any, asked: Any, happened: Any, actor: Any, product: Any) -> None:
    from whytree.analytics.cohorts.services import create_cohort

    happened("mira", "planted")
    happened("jo", "opened")
    definition = {"version": 1, "all": [{"did": "planted"}]}
    create_cohort(actor, product, key="planters", name="Planters", definition=definition)
    run(cohort="planters")
    assert asked(user="mira") == ["SUR-1"]
    assert asked(user="jo") == []
    assert asked(user="never seen") == []


def test_only_those_who_met_the_variant_are_asked(run: Any, asked: Any, send: Any, happened: Any) -> None:
    happened("mira", "$exposure", flag="signup", variant="short")
    happened("jo", "$exposure", flag="signup", variant="long")
    run(flag="signup", variant="short")
    assert asked(user="mira") == ["SUR-1"]
    assert asked(user="jo") == ["SUR-1…"], "the page waits: it may be met yet"
    waiting = send("surveys", user="jo").json()["surveys"][0]
    assert set(waiting) == {"id", "ready", "after", "flag"}, "what is not theirs is not told"
    happened("jo", "$exposure", flag="signup", variant="short")
    assert asked(user="jo") == ["SUR-1"]


def test_an_answer_in_the_page_is_theirs_with_page_version_and_variants(run: Any, send: Any, store: Any) -> None:
    run(hidden=["plan"])
    context = {
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0.0.0 Safari/537.36",
        "app": {"version": "4.1"},
        "page": {"path": "/beds", "url": "https://shop.example/beds"},
        "flags": {"signup": "short"},
    }
    send("surveys/SUR-1/shown", user="mira", context=context)
    said = {"answers": {"q1": 5, "q2": "It waters itself"}, "hidden": {"plan": "pro", "x": "y"}, "context": context}
    assert send("surveys/SUR-1/answer", user="mira", **said).json() == {"success": True}
    again = send("surveys/SUR-1/answer", user="mira", **said)
    assert (again.status_code, "first answer counts" in again.json()["message"]) == (409, True)
    response = SurveyResponse.objects.get()
    assert (response.person_key, response.via, response.app_version, response.hidden) == (
        "mira",
        "page",
        "4.1",
        {"plan": "pro"},
    )
    assert response.flags == {"signup": "short"}
    item = FeedbackItem.objects.get(source_type="survey")
    assert (item.person_key, item.url, item.app_version) == ("mira", "https://shop.example/beds", "4.1")
    rows = store.query("SELECT event, source, path, version, browser FROM events ORDER BY event", {})
    assert [(row["event"], row["source"], row["path"], row["version"], row["browser"]) for row in rows] == [
        ("SUR-1 answered", "capture", "/beds", "4.1", "Chrome"),
        ("SUR-1 favourable", "capture", "/beds", "4.1", "Chrome"),
    ]


def test_put_away_counts_as_asked_and_an_answer_after_all_wins(run: Any, send: Any) -> None:
    run()
    send("surveys/SUR-1/shown")
    send("surveys/SUR-1/dismissed")
    assert SurveyResponse.objects.get().dismissed_at is not None
    send("surveys/SUR-1/answer", answers={"q1": 4})
    send("surveys/SUR-1/dismissed")
    response = SurveyResponse.objects.get()
    assert (response.dismissed_at, response.answered_at is not None) == (None, True)


def test_other_origins_are_refused_where_a_list_is_set(run: Any, send: Any, asked: Any) -> None:
    run(origins=["https://app.example.org"])
    assert asked(origin="https://app.example.org") == ["SUR-1"]
    for origin in ("https://evil.example", "null", ""):
        assert asked(origin=origin) == []
        refused = send("surveys/SUR-1/answer", origin=origin, answers={"q1": 5})
        assert (refused.status_code, "Pages of this origin" in refused.json()["message"]) == (403, True)
    assert not SurveyResponse.objects.exists()
    assert send("surveys/SUR-1/answer", origin="https://app.example.org", answers={"q1": 5}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[]", 400),
        ("{", 400),
        ("[" * 60_000, 400),
        ('{"key": 7}', 401),
        ('{"key": "wtc_unknown"}', 401),
        ("x" * 70_000, 413),
    ],
)
def test_bad_bodies_are_refused_with_a_sentence(run: Any, body: str, status: int) -> None:
    run()
    refused = Client().post("/v1/surveys", body, content_type="text/plain")
    assert refused.status_code == status, refused.content
    assert refused.json()["message"]


@pytest.mark.parametrize(
    "who", [{"anonymous": ""}, {"anonymous": "null"}, {"anonymous": "a\x00b"}, {"anonymous": "x" * 500}]
)
def test_nobody_is_asked_nothing(run: Any, asked: Any, send: Any, who: Any) -> None:
    run()
    assert asked(**who) == []
    assert send("surveys/SUR-1/answer", answers={"q1": 5}, **who).status_code == 400


def test_a_survey_of_another_product_or_none_is_not_answered(
    run: Any, send: Any, other_product: Any, charlie: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    theirs = actor_of_user(charlie)
    services.start_survey(
        theirs, services.create_survey(theirs, other_product, title="Theirs", questions=QUESTIONS, in_page=True)
    )
    assert send("surveys/SUR-1/answer", answers={"q1": 5}).status_code == 404
    run()
    assert send("surveys/SUR-1/answer", answers={"q1": 9}).status_code == 400
    assert send("surveys/SUR-1/answer", answers="5").status_code == 400
    assert send("surveys/SUR-1/answer").status_code == 400
    assert send("surveys/SUR-9/answer", answers={"q1": 5}).status_code == 404
    assert not SurveyResponse.objects.exists()


def test_one_address_says_only_so_much(run: Any, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr("whytree.voice.surveys.inpage.TELLS", 3)
    statuses = [send("surveys/SUR-1/answer", user=f"p{at}", answers={"q1": 5}).status_code for at in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_a_browser_may_ask_before_it_asks(capture_key: str) -> None:
    asked = Client().options("/v1/surveys", headers={"Origin": "https://shop.example"})
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, "https://shop.example")
    assert Client().get("/v1/surveys").status_code == 405
