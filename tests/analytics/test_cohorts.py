"""Cohorts at all doors: a rule, a list, a name that filters and flags may use."""

from typing import Any

import pytest

from whytree.errors import Conflict, Invalid

COHORTS = "/products/sprout/cohorts"
PLANTERS = {"version": 1, "all": [{"did": "planted", "days": 28}]}

pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


def add(api: Any, key: str = "planters", definition: Any = PLANTERS) -> Any:
    return api.post(COHORTS, {"key": key, "name": "", "definition": definition})


def test_a_rule_has_a_live_size_and_a_history(api: Any, happened: Any) -> None:
    made = add(api).ok
    assert (made["people"], made["sentence"]) == (4, "people who did “planted” in the last 28 days")
    happened(77, "planted", 1)
    looked = api.get(f"{COHORTS}/planters").ok
    assert (looked["people"], len(looked["history"]), "77" in looked["ids"]) == (5, 1, True)
    assert looked["history"][0]["people"] == 4  # as it was written down


def test_the_job_writes_down_how_many_there_are(api: Any, product: Any, happened: Any) -> None:
    from whytree.analytics.jobs import note_one

    add(api)
    happened(77, "planted", 1)
    note_one({"product": product.pk})
    assert api.get(f"{COHORTS}/planters").ok["history"][-1]["people"] == 5


def test_did_not_and_how_often_and_other_cohorts(api: Any) -> None:
    add(api)
    rule = {"version": 1, "all": [{"did": "signed_up"}, {"not": {"cohort": "planters"}}]}
    assert add(api, "others", rule).ok["people"] == 2
    rule = {"version": 1, "all": [{"did": "signed_up"}, {"did_not": "planted"}]}
    assert add(api, "same", rule).ok["people"] == 2
    rule = {
        "version": 1,
        "any": [{"did": "planted", "at_least": 2}, {"in_order": ["signed_up", "planted"], "within": "2d"}],
    }
    assert add(api, "quick", rule).ok["people"] == 4
    assert api.delete(f"{COHORTS}/planters").status == 409  # “others” names it


def test_a_list_is_replaced_whole(api: Any) -> None:
    made = api.post(COHORTS, {"key": "testers", "ids": ["anna", "bert", "anna", " "]}).ok
    assert (made["people"], made["is_list"]) == (2, True)
    assert api.patch(f"{COHORTS}/testers", {"ids": ["cleo"]}).ok["people"] == 1
    assert api.patch(f"{COHORTS}/testers", {"ids": []}).status == 400
    assert api.patch(f"{COHORTS}/testers", {"definition": PLANTERS}).status == 400


def test_one_person_belongs_by_any_of_their_ids(api: Any, product: Any) -> None:
    from whytree.analytics.cohorts.queries import is_in_cohort
    from whytree.events.services import track

    track(product, "lena", "planted")
    add(api)
    assert api.get(f"{COHORTS}/planters/members/lena").ok["inside"]
    assert not api.get(f"{COHORTS}/planters/members/nobody").ok["inside"]
    assert is_in_cohort(product, "planters", "lena")
    with pytest.raises(Invalid, match="Did you mean “planters”"):
        is_in_cohort(product, "planter", "lena")


def test_what_is_known_of_people_now_tells_them(api: Any, actor: Any, product: Any) -> None:
    from whytree.events.services import track
    from whytree.people.models import Person

    for key, plan in {"lena": "pro", "paul": "free"}.items():
        track(product, key, "opened")
        Person.objects.update_or_create(product=product, key=key, defaults={"plan": plan, "traits": {"seats": 7}})
    rule = {"version": 1, "all": [{"person": {"field": "plan", "operator": "is", "values": ["pro"]}}]}
    assert add(api, "pros", rule).ok["people"] == 1
    asked = {"version": 1, "kind": "funnel", "steps": ["opened"]}
    for field, n in {"person:plan": 1, "person:seats": 0}.items():
        where = [{"field": field, "operator": "is", "values": ["pro"]}]
        assert api.post("/products/sprout/ask", {"question": asked | {"where": where}}).ok["n"] == n
    for operator, value, n in (
        ("above", "6", 2),
        ("below", "6", 0),
        ("matches", "^[67]$", 2),
        ("does not match", "7", 0),
    ):
        where = [{"field": "person:seats", "operator": operator, "values": [value]}]
        assert api.post("/products/sprout/ask", {"question": asked | {"where": where}}).ok["n"] == n
    groups = api.post("/products/sprout/ask", {"question": asked | {"by": "person:plan"}}).ok["groups"]
    assert {one["value"]: one["steps"][0]["people"] for one in groups} == {"pro": 1, "free": 1}
    for wrong in ({"by": "person:plann"}, {"where": [{"field": "person:plann", "operator": "is", "values": ["pro"]}]}):
        refused = api.post("/products/sprout/ask", {"question": asked | wrong})
        assert "Did you mean “plan”?" in refused.body["message"]


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({}, "version"),
        ({"version": 1, "all": []}, "1 to 20 parts"),
        ({"version": 1, "all": [{"did": "plantd"}]}, "Did you mean “planted”"),
        ({"version": 1, "all": [{"cohort": "nobody"}]}, "No cohort “nobody”"),
        ({"version": 1, "all": [{"did": "planted", "at_least": 3, "at_most": 2}]}, "at_most"),
        ({"version": 1, "all": [{"did": "planted", "often": 3}]}, "one of did, did_not"),
        ({"version": 1, "all": [{"in_order": ["planted"]}]}, "2 to 10 events"),
        ({"version": 1, "list": True}, "comes with its people"),
        ({"version": 1, "all": [{"any": [{"any": [{"any": [{"any": [{"any": [{"did": "planted"}]}]}]}]}]}]}, "5 deep"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_a_sentence(api: Any, definition: Any, said: str) -> None:
    refused = add(api, "x", definition)
    assert refused.status == 400
    assert said in refused.body["message"]


def test_cohorts_that_name_each_other_are_refused(api: Any, actor: Any, product: Any) -> None:
    from whytree.analytics.cohorts.services import edit_cohort

    add(api, "a")
    add(api, "b", {"version": 1, "all": [{"cohort": "a"}]})
    with pytest.raises(Invalid, match="without an end"):
        edit_cohort(actor, product, "a", definition={"version": 1, "all": [{"cohort": "b"}]})


def test_a_taken_key_and_a_broken_one(api: Any, actor: Any, product: Any) -> None:
    from whytree.analytics.cohorts.services import create_cohort

    add(api)
    assert add(api).status == 409
    assert add(api, "a b").status == 400
    assert add(api, "new").status == 400
    with pytest.raises(Conflict):
        create_cohort(actor, product, key="planters", definition=PLANTERS)


def test_viewers_look_and_strangers_see_nothing(api: Any, api_viewer: Any, api_charlie: Any, as_charlie: Any) -> None:
    add(api)
    assert [one.get(f"{COHORTS}/planters").status for one in (api_viewer, api_charlie)] == [200, 404]
    assert [add(one, "mine").status for one in (api_viewer, api_charlie)] == [403, 404]
    assert as_charlie.get("/p/sprout/cohorts").status_code == 404


def test_the_page_makes_one_from_its_form_and_from_a_file(as_bob: Any, as_viewer: Any) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    row = {"how": "did", "event": "planted", "times": "1", "days": "28", "where": ""}
    answer = as_bob.post("/p/sprout/cohorts/new", {"key": "planters", "name": "Planters", **row, "known": ""})
    assert answer.url == "/p/sprout/cohorts/planters"
    page = as_bob.get(answer.url).content.decode()
    figures = as_bob.get(f"{answer.url}.csv").content
    assert (figures[:12], figures[-4:]) == (b"day,people\r\n", b",4\r\n")
    assert as_bob.get(f"{answer.url}.png").status_code == 404  # one day is no line
    assert ("Planters: 4 people." in page, "No line is known that sends “planted”" in page) == (True, True)
    refused = as_bob.post("/p/sprout/cohorts/new", {"key": "none", **(row | {"event": ""})})
    assert refused.status_code == 400
    assert "Say what these people did" in refused.content.decode()
    file = SimpleUploadedFile("people.csv", b"name,user_id\nAnna,3\nBert,<b>4</b>\n")
    answer = as_bob.post("/p/sprout/cohorts/new", {"key": "listed", "from": "list", "file": file, **row})
    body = as_bob.get(answer.url).content.decode()
    assert "listed: 2 people." in body
    assert "Edit" not in as_viewer.get(answer.url).content.decode().split("</h1>")[1].split("Who they are")[0]
    assert as_bob.post("/p/sprout/cohorts/listed/delete").url == "/p/sprout/cohorts"


def test_a_forgotten_person_is_on_no_list(api: Any, product: Any) -> None:
    from whytree.analytics.plugs import erase_person, export_person

    api.post(COHORTS, {"key": "testers", "ids": ["anna", "bert"]})
    assert export_person(product, "anna") == {"cohorts": ["testers"]}
    erase_person(product, "anna")
    assert export_person(product, "anna") == {"cohorts": []}
    assert api.get(f"{COHORTS}/testers").ok["people"] == 1
