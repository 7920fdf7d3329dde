"""A funnel at all doors: API, page, file, and the people and voices behind a step."""

from collections.abc import Callable
from typing import Any

import pytest

QUESTION = {"version": 1, "kind": "funnel", "steps": ["signed_up", "planted"], "within": "7d"}
ASK = "/products/sprout/ask"

pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


def test_the_api_answers_with_people_shares_and_a_sentence(api: Any) -> None:
    answer = api.post(ASK, {"question": QUESTION}).ok
    assert [(step["event"], step["people"], step["left"]) for step in answer["steps"]] == [
        ("signed_up", 6, 2),
        ("planted", 4, 4),
    ]
    share = answer["steps"][1]["of_previous"]
    assert share["low"] < share["value"] < share["high"]
    assert answer["sentence"] == "66.7 % of those who did “signed_up” came to “planted”."
    assert answer["n"] == 6


def test_the_last_days_only(api: Any) -> None:
    assert api.post(ASK, {"question": QUESTION | {"days": 5}}).ok["n"] == 1


def test_a_name_nobody_sends_is_refused_with_the_nearest(api: Any) -> None:
    refused = api.post(ASK, {"question": QUESTION | {"steps": ["sign_up"]}})
    assert refused.status == 400
    assert "Did you mean “signed_up”?" in refused.body["message"]
    refused = api.post(ASK, {"question": QUESTION | {"by": "plan"}})
    assert "No property “plan” has been seen yet" in refused.body["message"]


def test_it_names_those_who_came_no_further(api: Any) -> None:
    stopped = api.post(ASK + "/people", {"question": QUESTION, "at": 1}).ok
    assert (stopped["total"], sorted(stopped["ids"])) == (2, ["4", "5"])
    assert api.post(ASK + "/people", {"question": QUESTION, "at": 3}).status == 400


def test_another_products_people_are_not_asked_about(api_charlie: Any) -> None:
    assert api_charlie.post(ASK, {"question": QUESTION}).status == 404


def test_the_page_begins_with_the_sentence_and_shows_who_left(as_viewer: Any) -> None:
    body = as_viewer.get("/p/sprout/ask/funnel?event=signed_up&event=planted&event=&within=7d").content.decode()
    assert "of those who did “signed_up” came to “planted”" in body
    assert "did “signed_up” and not “planted”" in body
    assert "Make it an outcome" not in body  # Vera only reads


def test_a_member_is_offered_what_can_be_made_of_a_step(as_bob: Any) -> None:
    body = as_bob.get("/p/sprout/ask/funnel?event=signed_up&event=planted&within=7d").content.decode()
    assert "Make it an outcome" in body
    assert "From signed_up to planted" in body
    form = as_bob.get("/p/sprout/numbers/new?from=signed_up&to=planted&within_days=7").content.decode()
    assert 'value="planted"' in form


def test_the_words_of_those_who_left_stand_beside_the_step(as_bob: Any, actor: Any, product: Any) -> None:
    from whytree.events.services import track
    from whytree.voice.arriving.drafts import Source
    from whytree.voice.services import add_feedback

    for person, events in {"lena": ["opened", "closed"], "paul": ["opened"]}.items():
        for event in events:
            track(product, person, event)
    mail = Source("mail", "mail", "mail")
    add_feedback(actor, product, source=mail, text="I closed it when it wanted my number.", person="paul")
    add_feedback(actor, product, source=mail, text="I planted a tomato.", person="lena")
    body = as_bob.get("/p/sprout/ask/funnel?event=opened&event=closed&within=7d").content.decode()
    assert "I closed it when it wanted my number." in body
    assert "1 of them has written" in body
    assert "I planted a tomato." not in body


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("event=signed_up&within=soon", 400, "is no span of time"),
        ("event=sined_up", 400, "Did you mean “signed_up”?"),
        ("event=signed_up&event=planted&step=9", 400, "there is no step 9"),
        ("event=signed_up&days=many", 400, "no whole number"),
        ("event=<script>alert(1)</script>", 400, "&lt;script&gt;"),
        ("", 200, "How far do people come?"),
    ],
)
def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(as_bob: Any, query: str, status: int, said: str) -> None:
    answer = as_bob.get(f"/p/sprout/ask/funnel?{query}")
    assert answer.status_code == status
    assert said in answer.content.decode()
    assert "<script>alert" not in answer.content.decode()


def test_a_spreadsheet_gets_no_formula(as_bob: Any, happened: Callable[..., None]) -> None:
    happened(9, "=cmd()", 1)
    lines = as_bob.get("/p/sprout/ask/funnel.csv?event=%3Dcmd()").content.decode().splitlines()
    assert lines[0].startswith("group,began,step,event,people")
    assert "'=cmd()" in lines[1]


def test_an_id_that_no_address_can_hold_breaks_no_page(as_bob: Any, product: Any) -> None:
    from whytree.events.services import track

    track(product, "bob\nx", "opened")
    track(product, "ann", "opened")
    track(product, "ann", "paid")
    answer = as_bob.get("/p/sprout/ask/funnel?event=opened&event=paid&step=1")
    link = "/p/sprout/ask/funnel/people.csv?event=opened&amp;event=paid&amp;step=1"
    assert link in answer.content.decode()
    assert as_bob.get(link.replace("&amp;", "&")).content.decode().split("\r\n")[:2] == ["user_id", '"bob\nx"']
    assert answer.status_code == 200
    assert "1 person did “opened” and not “paid”" in answer.content.decode()
