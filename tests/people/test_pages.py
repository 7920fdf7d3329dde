"""The list of people and a person's page, with their API."""

from typing import Any

import pytest

from tests.events.conftest import Sender, track
from whytree.people.models import Person
from whytree.stores.events import EventStore

from .test_identity import identify, visit

pytestmark = pytest.mark.django_db


def _page(client: Any, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.content
    return str(response.content.decode())


def test_the_list_shows_known_people_and_finds_them(web: Sender, as_viewer: Any) -> None:
    web.batch(identify("u1", name="Alice Berg", email="a@example.org", company="Acme"), identify("u2", name="Bob"))
    page = _page(as_viewer, "/p/sprout/people")
    assert "You know 2 people by name." in page
    assert "Alice Berg" in page
    found = _page(as_viewer, "/p/sprout/people?q=berg+acme")
    assert "Alice Berg" in found
    assert "Bob" not in found
    assert "Nobody fits" in _page(as_viewer, "/p/sprout/people?q=zzz")


def test_unknown_people_seen_lately_have_a_list_of_their_own(web: Sender, as_viewer: Any) -> None:
    web.batch(identify("known-by-name", name="Alice"), visit("anon-7"))
    page = _page(as_viewer, "/p/sprout/people?strangers")
    assert "anon-7" in page
    assert "known-by-name" not in page


def test_an_empty_list_says_what_to_do(store: EventStore, as_viewer: Any, product: Any) -> None:
    assert "Send the first event" in _page(as_viewer, "/p/sprout/people")


def test_a_persons_page_shows_their_timeline(web: Sender, as_viewer: Any) -> None:
    web.batch(
        identify("u1", "anon-1", name="Alice <b>Berg</b>", role="admin"),
        visit("anon-1", properties={"<i>odd</i>": "v"}),
        track("Experiment Viewed", "u1", properties={"experiment_id": "form", "variation_name": "defer"}),
    )
    page = _page(as_viewer, "/p/sprout/people/u1")
    assert "Alice &lt;b&gt;Berg&lt;/b&gt;" in page
    assert "visited" in page
    assert "met defer of form" in page
    assert "&lt;i&gt;odd&lt;/i&gt;" in page
    assert "role" in page
    assert "anon-1" in page


def test_any_id_leads_to_the_same_page(web: Sender, as_viewer: Any) -> None:
    web.batch(identify("u1", "anon-1"))
    response = as_viewer.get("/p/sprout/people/anon-1")
    assert response.status_code == 302
    assert response["Location"] == "/p/sprout/people/u1"


@pytest.mark.parametrize("odd", ["a/b c?d#e", "ünï@example.org", "'; DROP TABLE events; --", "100%"])
def test_ids_may_hold_anything(web: Sender, as_viewer: Any, api: Any, odd: str) -> None:
    from urllib.parse import quote

    web.batch(track("visited", odd))
    assert "visited" in _page(as_viewer, f"/p/sprout/people/{quote(odd, safe='')}")
    assert api.get(f"/products/sprout/people/{quote(odd, safe='')}").ok["key"] == odd


def test_a_long_timeline_goes_on(web: Sender, as_viewer: Any) -> None:
    web.batch(*(track(f"step {n}", "u1", timestamp=f"2026-03-01T00:{n // 60:02}:{n % 60:02}Z") for n in range(150)))
    first = _page(as_viewer, "/p/sprout/people/u1")
    assert "step 149" in first
    assert "step 49<" not in first
    older = first.split('href="?before=')[1].split('"')[0]
    second = _page(as_viewer, f"/p/sprout/people/u1?before={older}")
    assert "step 49<" in second
    assert "step 50<" not in second
    assert "Older" not in second


def test_nobody_is_404_and_so_is_anothers_person(web: Sender, as_viewer: Any, as_charlie: Any) -> None:
    web.batch(identify("u1"))
    _page(as_viewer, "/p/sprout/people/nobody", 404)
    _page(as_charlie, "/p/sprout/people/u1", 404)


def test_ids_are_parted_and_joined_on_the_page(web: Sender, as_bob: Any, as_viewer: Any) -> None:
    web.batch(identify("u1", "anon-1"), visit("anon-1"))
    as_bob.post("/p/sprout/people/u1/separate", {"id": "anon-1"})
    assert "did once here" in _page(as_bob, "/p/sprout/people/anon-1")
    as_bob.post("/p/sprout/people/u1/join", {"id": "anon-1"})
    assert "anon-1" in _page(as_bob, "/p/sprout/people/u1")
    assert as_viewer.post("/p/sprout/people/u1/separate", {"id": "anon-1"}).status_code == 403


def test_joining_an_unknown_id_is_refused_on_the_page(web: Sender, as_bob: Any) -> None:
    web.batch(identify("u1"))
    response = as_bob.post("/p/sprout/people/u1/join", {"id": "never-seen"})
    assert response.status_code == 404
    assert "Nobody by this id was seen" in response.content.decode()


def test_marking_somebody_as_team_can_be_undone(web: Sender, as_bob: Any, product: Any) -> None:
    from whytree.workspace.models import Activity

    web.batch(identify("u1"))
    as_bob.post("/p/sprout/people/u1/internal", {"internal": "1"})
    assert Person.objects.get(product=product, key="u1").internal
    activity = Activity.objects.get(verb="set_internal")
    as_bob.post(f"/p/sprout/activity/{activity.pk}/undo")
    assert not Person.objects.get(product=product, key="u1").internal


def test_the_api_gives_the_same(web: Sender, api: Any, api_viewer: Any, api_charlie: Any) -> None:
    web.batch(identify("u1", "anon-1", name="Alice", plan="pro"), visit("anon-1"))
    listed = api_viewer.get("/products/sprout/people").ok
    assert (listed["total"], listed["people"][0]["name"], listed["more"]) == (1, "Alice", None)
    person = api_viewer.get("/products/sprout/people/anon-1").ok
    assert (person["key"], sorted(person["ids"]), person["events"]) == ("u1", ["anon-1", "u1"], 1)
    moments = api_viewer.get("/products/sprout/people/u1/timeline").ok["moments"]
    assert sorted(moment["event"] for moment in moments) == ["$identify", "visited"]
    assert api.post("/products/sprout/people/u1/separate", {"id": "anon-1"}).ok["key"] == "anon-1"
    assert api.post("/products/sprout/people/u1/join", {"id": "anon-1"}).ok["key"] == "u1"
    assert api.patch("/products/sprout/people/u1/internal", {"internal": True}).ok["profile"]["internal"] is True
    assert api_viewer.post("/products/sprout/people/u1/separate", {"id": "anon-1"}).status == 403
    assert api_charlie.get("/products/sprout/people/u1").status == 404


def test_last_seen_follows_events(web: Sender, product: Any) -> None:
    from whytree.people.jobs import refresh_when_people_were_seen

    web.batch({**identify("u1", "anon-1"), "timestamp": "2026-01-01T00:00:00Z"})
    web.batch(visit("anon-1", timestamp="2026-03-01T00:00:00Z"))
    refresh_when_people_were_seen({})
    person = Person.objects.get(product=product, key="u1")
    assert person.last_seen_at.isoformat().startswith("2026-03-01")
    assert person.first_seen_at.isoformat().startswith("2026-01-01")


def test_the_timeline_is_told_by_the_products_clock(web: Sender, as_viewer: Any, product: Any) -> None:
    product.timezone = "Pacific/Auckland"
    product.save()
    web.batch(track(user="u1", timestamp="2026-05-01T20:05:07Z"))
    page = _page(as_viewer, "/p/sprout/people/u1")
    assert "Saturday, 2 May 2026" in page
    assert ">08:05:07</time>" in page
