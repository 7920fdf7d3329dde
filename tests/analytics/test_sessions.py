"""Sessions are told from events at the time of asking."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from whytree.analytics.answers.sessions import SessionsAnswer, answer_sessions, length_words
from whytree.analytics.questions import checked_question
from whytree.events.intake.services import Wanted, set_intake
from whytree.stores.events import EventStore
from whytree.stores.pieces.filters import Filter, Selection
from whytree.stores.questions.sessions import Asked, Some, places, sums, who

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def asked(product: Any, **more: Any) -> SessionsAnswer:
    """The last four weeks."""
    question: Any = checked_question({"version": 1, "kind": "sessions", "days": 28, **more})
    return answer_sessions(product, question)


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
    found = asked(product).stayed
    assert (found.sessions, found.people, found.bounced) == (4, 3, 1)
    assert found.events == 2
    assert found.bounced_share is not None
    assert found.bounced_share.value == 25
    assert found.p90_seconds == 30 * 60


def test_a_viewer_is_offered_what_a_viewer_may_do(as_viewer: Any, as_bob: Any) -> None:
    pages = [client.get("/p/sprout/ask/sessions").content.decode() for client in (as_viewer, as_bob)]
    assert ["ask/sql" in page for page in pages] == [False, True]
    assert as_viewer.get("/p/sprout/ask/sessions.csv").content.startswith(b"of,name,sessions,people,bounced")


def test_how_long_the_pause_is_can_be_said(did: Callable[..., None], actor: Any, product: Any) -> None:
    did(1, 200, 190)
    set_intake(actor, product, Wanted("apart", 100, [], [], False, 5))
    assert asked(product).stayed.sessions == 2


def test_what_says_who_somebody_is_is_no_doing(did: Callable[..., None], product: Any) -> None:
    did(1, 100)
    did(1, 60, event="$identify")
    did(1, 50, event="$exposure")
    found = asked(product).stayed
    assert (found.sessions, found.bounced) == (1, 1)


def test_where_they_come_in_and_where_they_go(did: Callable[..., None], product: Any) -> None:
    did(1, 100, path="/")
    did(1, 99, path="/pay")
    did(2, 100, path="/")
    did(3, 100, event="tapped", path="")
    found = asked(product)
    ends = {place.name: (place.entered, place.left, place.bounced) for place in found.places}
    assert ends == {"/": (2, 1, 1), "/pay": (0, 1, 0), "": (1, 1, 1)}
    assert found.stayed.pages == 1.5


#: An event of one person: when, what, where.
Done = tuple[datetime, str, str]


def _by_hand(done: list[Done], start: datetime, end: datetime, idle: timedelta) -> list[list[Done]]:
    found: list[list[Done]] = []
    for one in sorted(done):
        if found and one[0] - found[-1][-1][0] <= idle:
            found[-1].append(one)
        else:
            found.append([one])
    return [session for session in found if start <= session[0][0] < end]


def test_it_agrees_with_counting_by_hand(did: Callable[..., None], product: Any, store: EventStore) -> None:
    """Everything, those in which something happened, by their first event, day by day, and at a place."""
    draw = random.Random(7)
    end = timezone.now().replace(microsecond=0) - timedelta(days=2)
    start = end - timedelta(hours=12)
    expected: list[tuple[int, list[Done]]] = []
    for person in range(40):
        done: list[Done] = []
        for minute in draw.sample(range(-300, 1_000), draw.randrange(1, 30)):
            event, path = draw.choice(["$pageview", "tapped"]), draw.choice(["/", "/b"])
            did(person, minute, event=event, path=path, now=end)
            done.append((end - minute * MINUTE, event, path))
        expected += [(person, session) for session in _by_hand(done, start, end, 30 * MINUTE)]
    only = Selection(("tapped",), (Filter("path", "is", ("/b",)),))
    for meant in (None, only, Selection(("",), only.filters)):
        fitting = [
            (person, session)
            for person, session in expected
            if meant is None or any(path == "/b" and event in (meant.events[0] or event) for _, event, path in session)
        ]
        question = Asked(start, end, 30, "day", "UTC", meant)
        told = sums(product.pk, question, ("path",))
        whole = told.whole
        lengths = sorted((session[-1][0] - session[0][0]).total_seconds() for _, session in fitting)
        assert (whole.sessions, whole.people) == (len(fitting), len({person for person, _ in fitting}))
        assert whole.bounced == sum(len(session) == 1 for _, session in fitting)
        assert whole.events == pytest.approx(sum(len(session) for _, session in fitting) / len(fitting))
        assert whole.seconds in lengths
        days = {session[0][0].date() for _, session in fitting}
        assert {day: one.sessions for day, one in told.stretches.items()} == {
            day: sum(session[0][0].date() == day for _, session in fitting) for day in days
        }
        assert {group: one.sessions for group, one in told.groups.items()} == {
            path: sum(session[0][2] == path for _, session in fitting) for path in ("/", "/b")
        }
        ends = {place.name: (place.entered, place.left, place.bounced) for place in places(product.pk, question)}
        assert ends == {
            path: (
                sum(session[0][2] == path for _, session in fitting),
                sum(session[-1][2] == path for _, session in fitting),
                sum(len(session) == 1 and session[0][2] == path for _, session in fitting),
            )
            for path in ("/", "/b")
        }
        for end_at, fits in {
            "entered": lambda session: session[0][2] == "/b",
            "left": lambda session: session[-1][2] == "/b",
            "bounced": lambda session: len(session) == 1 and session[0][2] == "/b",
        }.items():
            those = {person for person, session in fitting if fits(session)}
            some = Some(place="/b", end=end_at)
            assert {row[0] for row in who(product.pk, question, some)} == those
        of_group = who(product.pk, question, Some(by=("path",), group="/"))
        assert {row[0] for row in of_group} == {person for person, session in fitting if session[0][2] == "/"}


def test_lengths_are_shown_in_one_unit() -> None:
    assert [length_words(each) for each in (None, 0, 41, 200, 7_200)] == ["–", "0 s", "41 s", "3.3 min", "2 h"]


def test_many_groups_are_told_as_the_largest_and_the_others(did: Callable[..., None], product: Any) -> None:
    for at in range(14):
        did(at, *range(100, 100 - 2 * (at + 1), -2), path=f"/{at:02}")
    did(50, 90, path="")
    found = asked(product, by="path")
    assert [group.value for group in found.groups[:2]] == ["", "/00"]
    assert (found.groups[-1].value, found.groups[-1].stayed.sessions, len(found.groups)) == (None, 3, 13)


QUESTION = {"version": 1, "kind": "sessions", "days": 7, "interval": "week", "by": ["platform"], "previous": True}


def test_page_api_and_stranger(
    did: Callable[..., None], as_viewer: Any, as_charlie: Any, api: Any, api_charlie: Any, product: Any
) -> None:
    assert "No session yet" in as_viewer.get("/p/sprout/ask/sessions").content.decode()
    did(1, 100, 90, path="/<b>")
    page = as_viewer.get("/p/sprout/ask/sessions?days=7").content.decode()
    assert "/&lt;b&gt;" in page
    assert "Half of all sessions last 10 min or less" in page
    behind = as_viewer.get("/p/sprout/ask/sessions?days=7&place=/<b>&did=entered").content.decode()
    assert "1 person had a session that began at /&lt;b&gt;" in behind
    assert "$pageview" in behind
    for bad in ("days=x", "days=9999", "interval=year", "previous=1", "place=/&did=up", "event=nothing"):
        assert as_viewer.get(f"/p/sprout/ask/sessions?{bad}").status_code == 400, bad
    assert as_charlie.get("/p/sprout/ask/sessions").status_code == 404
    found = api.post("/products/sprout/ask", {"question": QUESTION}).ok
    assert (found["places"][0]["name"], found["stayed"]["seconds"]) == ("/<b>", 600)
    assert (found["before"]["sessions"], found["groups"][0]["value"]) == (0, "")
    assert api_charlie.post("/products/sprout/ask", {"question": QUESTION}).status == 404


def test_it_is_kept_drawn_on_a_board_shared_and_pinned(
    did: Callable[..., None], api: Any, as_alice: Any, client: Any, product: Any
) -> None:
    did(1, 100, 90)
    kept = api.post("/products/sprout/questions", {"question": QUESTION, "title": "How long they stay"}).ok
    page = as_alice.get(f"/p/sprout/{kept['ref']}", follow=True)
    assert page.status_code == 200
    assert "previous=1" in page.redirect_chain[-1][0]
    board = api.post("/products/sprout/boards", {"title": "Week"}).ok
    api.post(f"/products/sprout/boards/{board['number']}/cards", {"question": kept["ref"]}).must_succeed()
    drawn = as_alice.get(f"/p/sprout/boards/{board['number']}").content.decode()
    assert "Half of all sessions last 10 min or less" in drawn
    assert "There is nothing" not in drawn
    opportunity = api.post("/products/sprout/opportunities", {"title": "They leave", "kind": "pain_point"})
    assert opportunity.status in (200, 201), opportunity.body
    pin = {"question": QUESTION, "part": {"did": "bounced"}, "node": opportunity.ok["ref"]}
    pinned = api.post("/products/sprout/ask/pin", pin).ok
    assert pinned["title"] == "0 people had a session of one event."
    frozen = as_alice.get(f"/p/sprout/{pinned['ref']}").content.decode()
    assert "Median" in frozen


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
    assert "“platform”" in ask(by="platfrm").body["message"]
    assert "No trait of people “plan”" in ask(by="then:plan").body["message"]
    rule = {"did": {"event": "$pageview", "where": [long]}}
    refused = api.post("/products/sprout/cohorts", {"key": "long", "definition": {"version": 1, "all": [rule]}})
    assert (refused.status, "not said by an event" in refused.body["message"]) == (400, True)


def test_an_hour_without_a_zone_is_the_products(did: Callable[..., None], api: Any, product: Any) -> None:
    product.timezone = "Asia/Kathmandu"
    product.save()
    did(1, 60, now=datetime(2026, 5, 2, 11, 10, tzinfo=ZoneInfo(product.timezone)))
    asked = {"version": 1, "kind": "sessions", "interval": "hour", "since": "2026-05-02", "until": "2026-05-02"}
    found = [
        api.post("/products/sprout/ask/people", {"question": asked, "part": {"start": start}}).ok["total"]
        for start in ("2026-05-02T10:00", "2026-05-02T10:00:00+05:45", "2026-05-02T09:00")
    ]
    assert found == [1, 1, 0]
