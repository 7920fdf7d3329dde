"""Sessions are told from events at the time of asking."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.analytics.sessions.queries import sessions, span_text
from whytree.events.intake.services import Wanted, set_intake
from whytree.stores.events import EventStore
from whytree.stores.sessions import session_places, session_sums

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def did(store: EventStore, product: Any) -> Callable[..., None]:
    """`did(person, minutes_ago, ...)`: one event at each of these times."""

    def write(person: int, *minutes_ago: float, event: str = "$pageview", path: str = "/", now: Any = None) -> None:
        at = now or timezone.now()
        store.insert(
            "events",
            [
                {
                    "product": product.pk,
                    "person": person,
                    "event": event,
                    "path": path,
                    "event_id": random.getrandbits(60),
                    "distinct_id": str(person),
                    "timestamp": at - ago * MINUTE,
                    "received_at": at,
                }
                for ago in minutes_ago
            ],
        )

    return write


def test_a_pause_longer_than_half_an_hour_ends_a_session(did: Callable[..., None], product: Any) -> None:
    did(1, 200, 190, 180)  # one of 20 minutes
    did(1, 149, 148)  # another, after 31
    did(2, 100, 70)  # exactly 30: still the same
    did(3, 50)
    found = sessions(product)
    assert (found.sums.sessions, found.sums.people, found.sums.bounced) == (4, 3, 1)
    assert found.sums.events == 2
    assert found.bounced is not None
    assert found.bounced.value == 0.25
    assert found.sums.p90_seconds == 30 * 60


def test_a_viewer_is_offered_what_a_viewer_may_do(as_viewer: Any, as_bob: Any) -> None:
    pages = [client.get("/p/sprout/ask/sessions").content.decode() for client in (as_viewer, as_bob)]
    assert ["ask/sql" in page for page in pages] == [False, True]
    assert as_viewer.get("/p/sprout/ask/sessions.csv").content.startswith(b"place,entered,left,bounced")


def test_how_long_the_pause_is_can_be_said(did: Callable[..., None], actor: Any, product: Any) -> None:
    did(1, 200, 190)
    set_intake(actor, product, Wanted("apart", 100, [], [], False, 5))
    assert sessions(product).sums.sessions == 2


def test_what_says_who_somebody_is_is_no_doing(did: Callable[..., None], product: Any) -> None:
    did(1, 100)
    did(1, 60, event="$identify")
    did(1, 50, event="$exposure")
    found = sessions(product)
    assert (found.sums.sessions, found.sums.bounced) == (1, 1)


def test_where_they_come_in_and_where_they_go(did: Callable[..., None], product: Any) -> None:
    did(1, 100, path="/")
    did(1, 99, path="/pay")
    did(2, 100, path="/")
    did(3, 100, event="tapped", path="")
    places = {place.name: (place.entered, place.left, place.bounced) for place in sessions(product).places}
    assert places == {"/": (2, 1, 1), "/pay": (0, 1, 0), "": (1, 1, 1)}
    assert sessions(product).sums.pages == 1.5


def _by_hand(times: list[datetime], start: datetime, end: datetime, idle: timedelta) -> list[list[datetime]]:
    found: list[list[datetime]] = []
    for at in sorted(times):
        if found and at - found[-1][-1] <= idle:
            found[-1].append(at)
        else:
            found.append([at])
    return [session for session in found if start <= session[0] < end]


def test_it_agrees_with_counting_by_hand(did: Callable[..., None], product: Any, store: EventStore) -> None:
    draw = random.Random(7)
    end = timezone.now().replace(microsecond=0) - timedelta(days=2)
    start = end - timedelta(hours=12)
    expected: list[list[datetime]] = []
    for person in range(40):
        minutes = [draw.randrange(-300, 1_000) for _ in range(draw.randrange(1, 30))]
        did(person, *minutes, now=end)
        expected += _by_hand([end - minute * MINUTE for minute in minutes], start, end, 30 * MINUTE)
    sums = session_sums(product.pk, start, end, 30)
    assert sums.sessions == len(expected)
    assert sums.bounced == sum(len(session) == 1 for session in expected)
    lengths = sorted((session[-1] - session[0]).total_seconds() for session in expected)
    assert sums.seconds in lengths
    places = session_places(product.pk, start, end, 30)
    assert sum(place.entered for place in places) == len(expected)


def test_lengths_are_shown_in_one_unit() -> None:
    assert [span_text(each) for each in (None, 0, 41, 200, 7_200)] == ["–", "0 s", "41 s", "3.3 min", "2 h"]


def test_page_api_and_stranger(
    did: Callable[..., None], as_viewer: Any, as_charlie: Any, api: Any, api_charlie: Any, product: Any
) -> None:
    assert "Nobody did anything" in as_viewer.get("/p/sprout/ask/sessions").content.decode()
    did(1, 100, 90, path="/<b>")
    page = as_viewer.get("/p/sprout/ask/sessions?days=7").content.decode()
    assert "/&lt;b&gt;" in page
    assert "Half of all sessions last 10 min or less" in page
    assert as_viewer.get("/p/sprout/ask/sessions?days=x").status_code == 400
    assert as_charlie.get("/p/sprout/ask/sessions").status_code == 404
    assert api.get("/products/sprout/sessions").ok["places"][0]["name"] == "/<b>"
    assert api.get("/products/sprout/sessions?days=9999").status == 400
    assert api_charlie.get("/products/sprout/sessions").status == 404


def test_questions_filter_and_group_by_the_session_and_by_what_was_known_then(
    did: Callable[..., None], api: Any, product: Any
) -> None:
    did(1, 200, 190, 180)
    did(2, 100, path="/in")
    question = {"version": 1, "kind": "trends", "series": ["$pageview"], "interval": "whole", "days": 3}

    def ask(**more: Any) -> Any:
        return api.post("/products/sprout/ask", {"question": {**question, **more}})

    def total(answer: Any) -> list[tuple[Any, float]]:
        return [(line["value"], line["stretches"][0]["value"]) for line in answer.ok["lines"]]

    long = {"field": "session:seconds", "operator": "above", "values": ["60"]}
    assert total(ask(where=[long])) == [(None, 3)]
    assert total(ask(by="session:entry")) == [("/", 3), ("/in", 1)]
    assert ask(where=[long]).ok["asked"].startswith("how often “$pageview (session’s seconds above 60)”")
    assert "session:seconds" in ask(by="session:colour").body["message"]
    assert "No trait of people “plan”" in ask(by="then:plan").body["message"]
    rule = {"did": {"event": "$pageview", "where": [long]}}
    refused = api.post("/products/sprout/cohorts", {"key": "long", "definition": {"version": 1, "all": [rule]}})
    assert (refused.status, "not said by an event" in refused.body["message"]) == (400, True)
