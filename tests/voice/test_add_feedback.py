"""One thing one person said, in by the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.people.models import Person
from whytree.voice.models import FeedbackItem
from whytree.workspace.sockets import _variants, plug_variants


def add(api: Any, **fields: Any) -> Any:
    return api.post("/products/sprout/feedback", {"text": "It asked for my number", **fields})


def test_it_lands_with_everything_that_was_said(api: Any) -> None:
    item = add(
        api,
        said_at="2026-03-02T09:14:00+01:00",
        author_name="R. Kowalski",
        author_email="R.K@example.org",
        rating="2",
        app_version="4.1",
        url="https://example.org/1",
        source_type="in-app",
        metadata={"step": 3},
    ).ok
    assert item["ref"] == "FB-1"
    assert item["said_at"] == "2026-03-02T08:14:00Z"
    assert (item["rating"], item["person"], item["waiting"]) == (2.0, "r.k@example.org", True)
    assert item["metadata"] == {"step": 3}
    assert api.get("/products/sprout/feedback/FB-1").ok == item


def test_the_same_submission_again_changes_it_and_makes_no_second(api: Any) -> None:
    add(api, submission_id="a1")
    again = add(api, submission_id="a1", text="It asked for my phone number").ok
    assert (again["ref"], again["text"]) == ("FB-1", "It asked for my phone number")
    assert FeedbackItem.objects.count() == 1


def test_two_people_may_say_the_same(api: Any) -> None:
    assert add(api).ok["ref"] != add(api).ok["ref"]


def test_what_comes_without_a_time_was_said_just_now(api: Any) -> None:
    first = add(api, submission_id="a1").ok
    assert first["said_at_known"] is True
    assert add(api, submission_id="a1").ok["said_at"] == first["said_at"]


def test_the_author_becomes_a_known_person(api: Any, product: Any) -> None:
    add(api, person="user-17", author_name="Mira")
    assert Person.objects.get(product=product, key="user-17").name == "Mira"


def test_an_id_that_means_nobody_is_nobody(api: Any) -> None:
    assert add(api, person="anonymous").ok["person"] == ""
    assert add(api, author_name="A Google user").ok["author_name"] == ""


def test_the_variants_in_force_are_kept(api: Any, product: Any) -> None:
    def variants(product_id: int) -> Any:
        return lambda who: {"defer_phone": "on"} if (product_id, who) == (product.pk, "mira") else {}

    plug_variants(variants)
    try:
        assert add(api, person="mira").ok["flags"]["defer_phone"] == "on"
        assert add(api, person="mira", flags={"old": "b"}).ok["flags"] == {"old": "b"}
        assert "defer_phone" not in add(api, person="jo").ok["flags"]
        earlier = (timezone.now() - timedelta(days=2)).isoformat()
        assert add(api, person="mira", said_at=earlier).ok["flags"] == {}, "nobody knows what was in force then"
    finally:
        _variants.remove(variants)


def test_a_list_lands_and_what_cannot_be_taken_is_named(api: Any) -> None:
    items = [{"text": "one", "submission_id": "1"}, {"text": ""}, {"text": "x", "rating": "good"}, {"txt": "two"}]
    answer = api.post("/products/sprout/feedback", items).ok
    assert answer["created"] == ["FB-1"]
    assert [refused["index"] for refused in answer["refused"]] == [1, 2, 3]
    assert api.post("/products/sprout/feedback", items).ok["unchanged"] == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  "}, "no text"),
        ({"text": "x" * 100_001}, "limit is 100,000"),
        ({"text": "a\x00b"}, "cannot be stored"),
        ({"said_at": "soon"}, "no time"),
        ({"said_at": "2100-01-01"}, "has yet to come"),
        ({"rating": "good"}, "no rating"),
        ({"url": "javascript:alert(1)"}, "https://"),
        ({"metadata": {"x": "y" * 30_000}}, "limit is 20,000"),
        ({"consent": "maybe"}, "consent"),
        ({"txt": "slip"}, "txt"),
        ({"source_type": "x" * 50}, "source_type"),
    ],
)
def test_what_cannot_be_taken_gets_a_sentence(api: Any, fields: dict[str, Any], words: str) -> None:
    answer = add(api, **fields)
    assert answer.status == 400
    assert words in answer.body["message"]
    assert FeedbackItem.objects.count() == 0


def test_a_viewer_may_read_and_not_write(api_viewer: Any, say: Any) -> None:
    say("hello")
    assert api_viewer.get("/products/sprout/feedback").ok["items"][0]["text"] == "hello"
    assert add(api_viewer).status == 403


def test_charlie_sees_nothing(api_charlie: Any, say: Any) -> None:
    say("hello")
    assert api_charlie.get("/products/sprout/feedback").status == 404
    assert api_charlie.get("/products/sprout/feedback/FB-1").status == 404
    assert add(api_charlie).status == 404


def test_a_server_key_may_send(product: Any, server_key: str, client: Any) -> None:
    answer = client.post(
        "/api/products/sprout/feedback",
        {"text": "from the backend"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {server_key}"},
    )
    assert answer.status_code == 201


def test_adding_can_be_taken_back(api: Any) -> None:
    add(api)
    latest = api.get("/products/sprout/activity").ok[0]
    api.post(f"/products/sprout/activity/{latest['id']}/undo").must_succeed()
    assert FeedbackItem.objects.count() == 0


def test_the_list_is_paged_by_a_cursor(api: Any, say: Any) -> None:
    for day in range(1, 8):
        say(f"day {day}", said_at=f"2026-01-0{day}" if day < 6 else "2026-01-06")
    first = api.get("/products/sprout/feedback?limit=3").ok
    second = api.get(f"/products/sprout/feedback?limit=3&after={first['next']}").ok
    third = api.get(f"/products/sprout/feedback?limit=3&after={second['next']}").ok
    texts = [item["text"] for page in (first, second, third) for item in page["items"]]
    assert texts == ["day 7", "day 6", "day 5", "day 4", "day 3", "day 2", "day 1"]
    assert third["next"] is None
    assert api.get("/products/sprout/feedback?after=nonsense").status == 400


def test_the_list_is_narrowed_by_source_rating_person_and_state(api: Any, say: Any) -> None:
    say("a", source="play", rating=1)
    say("b", source="mail", rating=4.5, person="mira")
    handled = say("c", source="mail")
    api.post(f"/products/sprout/feedback/{handled.ref}/put-away")

    def texts(query: str) -> list[str]:
        return sorted(item["text"] for item in api.get(f"/products/sprout/feedback?{query}").ok["items"])

    assert texts("source=mail") == ["b", "c"]
    assert texts("rating=4") == ["b"]
    assert texts("person=mira") == ["b"]
    assert texts("state=waiting") == ["a", "b"]
    assert texts("state=away") == ["c"]
    assert texts("state=linked") == []
