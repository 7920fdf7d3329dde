"""What a product wants of what is sent to it: bots, a sample, properties, addresses, and so much per key."""

from typing import Any

import pytest

from whytree.events.intake import rules as intake
from whytree.events.shaping.bots import is_bot
from whytree.stores.events import EventStore
from whytree.workspace.models import Activity

from .conftest import Sender, track

pytestmark = pytest.mark.django_db

PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    intake.forget()
    intake._spent.clear()


@pytest.fixture
def want(api: Any) -> Any:
    """`want(sample=10)`: change the intake through its API."""

    def put(**changes: Any) -> Any:
        answer = api.put("/products/sprout/events/intake", {**api.get("/products/sprout/events/intake").ok, **changes})
        intake.forget()
        return answer

    return put


def rows(store: EventStore) -> list[dict[str, Any]]:
    return store.query("SELECT * FROM events ORDER BY timestamp, event_id")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (PERSON, False),
        (PERSON.replace("Chrome/", "HeadlessChrome/"), True),
        (BOT, True),
        ("Mozilla/5.0 (compatible; NobodyKnowsThisBot/1.0; +https://example.org)", True),
        (
            "Mozilla/5.0 (Linux; Android 14; CUBOT KING KONG) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            False,
        ),
        ("curl/8.5.0", True),
        ("", False),
        ("x" * 100_000, False),
    ],
)
def test_a_machine_is_told_from_a_person(agent: str, expected: bool) -> None:
    assert is_bot(agent) is expected


def test_bots_are_kept_apart_and_left_out_of_questions(web: Sender, store: EventStore, api: Any) -> None:
    web.batch(track(user="ana", context={"userAgent": PERSON}), track(user="bot", context={"userAgent": BOT}))
    assert {row["distinct_id"]: row["bot"] for row in rows(store)} == {"ana": False, "bot": True}
    from whytree.stores.pieces.sql import ASKING, PEOPLE

    for settings in (ASKING, PEOPLE):
        assert store.query("SELECT distinct_id FROM events", settings=settings) == [{"distinct_id": "ana"}]


def test_a_metric_counts_no_bots(web: Sender, store: EventStore, api: Any) -> None:
    definition = {"version": 1, "kind": "unique", "event": "opened"}
    api.post("/products/sprout/metrics", {"key": "opened", "name": "Opened", "definition": definition}).must_succeed()
    web.batch(*(track(user=f"u{n}", context={"userAgent": PERSON}) for n in range(3)))
    web.batch(*(track(user=f"b{n}", context={"userAgent": BOT}) for n in range(5)))
    assert api.get("/products/sprout/metrics/opened/measure").ok["value"] == 3


@pytest.mark.parametrize(("bots", "kept"), [("refused", {}), ("counted", {"bot": False})])
def test_bots_may_be_refused_or_counted(
    web: Sender, store: EventStore, want: Any, bots: str, kept: dict[str, bool]
) -> None:
    want(bots=bots).must_succeed()
    assert web.batch(track(user="bot", context={"userAgent": BOT})).body == {"success": True}
    assert {row["distinct_id"]: row["bot"] for row in rows(store)} == kept


def test_a_sample_keeps_people_whole(web: Sender, store: EventStore, want: Any) -> None:
    want(sample=30).must_succeed()
    for _ in range(2):
        web.batch(*(track(user=f"u{n}") for n in range(200)))
    seen = store.query("SELECT distinct_id, count() AS n FROM events GROUP BY distinct_id")
    assert 30 < len(seen) < 90
    assert {row["n"] for row in seen} == {2}


def test_what_is_left_out_keeps_the_places_of_what_is_refused(web: Sender, store: EventStore, want: Any) -> None:
    want(bots="refused").must_succeed()
    bot = track(user="bot", context={"userAgent": BOT})
    answer = web.batch(bot, track(event=""), bot, track("good"))
    assert [each["index"] for each in answer.body["rejected"]] == [1]
    assert [row["event"] for row in rows(store)] == ["good"]


def test_properties_are_kept_by_list(web: Sender, store: EventStore, want: Any) -> None:
    sent = {"plan": "pro", "card_number": "4111", "card_name": "Ana", "email": "a@example.org", "n": 1}
    want(denied=["card_*", "email"]).must_succeed()
    web.batch(track("denied", properties=sent))
    want(denied=[], allowed=["plan"]).must_succeed()
    web.batch(track("allowed", properties=sent))
    kept = {row["event"]: row["properties"] for row in rows(store)}
    assert kept == {"denied": {"plan": "pro", "n": "1"}, "allowed": {"plan": "pro"}}


def test_what_is_denied_does_not_reach_a_profile_either(
    web: Sender, store: EventStore, want: Any, capture_key: str
) -> None:
    from whytree.people.models import Person

    from .test_posthog import message, send

    want(denied=["email"], allowed=["plan"]).must_succeed()
    web.batch(
        {"type": "identify", "userId": "ana", "messageId": "1", "traits": {"email": "a@example.org", "name": "Ana"}}
    )
    said = {"$set": {"email": "b@example.org", "name": "Bob"}, "flagged": "x"}
    send("/batch/", {"api_key": capture_key, "batch": [message("$identify", "bob", properties=said)]})
    people = {person.key: (person.name, person.email) for person in Person.objects.all()}
    assert people == {"ana": ("Ana", ""), "bob": ("Bob", "")}
    assert [row["properties"] for row in rows(store)] == [{}, {"$set.name": "Bob"}]


def test_no_list_takes_away_what_tells_people_and_variants_apart(web: Sender, store: EventStore, want: Any) -> None:
    want(allowed=["plan"]).must_succeed()
    web.batch(track("$exposure", properties={"flag": "form", "variant": "on", "other": 1}))
    web.batch({"type": "alias", "userId": "ana", "previousId": "visit", "messageId": "1"})
    kept = {row["event"]: row["properties"] for row in rows(store)}
    assert kept == {"$exposure": {"flag": "form", "variant": "on"}, "$alias": {"previousId": "visit"}}


def test_addresses_are_kept_only_when_wanted_and_never_a_servers(
    web: Sender, backend: Sender, store: EventStore, want: Any
) -> None:
    web.batch(track("before", context={"ip": "8.8.8.8"}))
    want(keep_address=True).must_succeed()
    web.batch(track("after"))
    backend.batch(track("server"))
    assert {row["event"]: row["properties"] for row in rows(store)} == {
        "before": {},
        "after": {"$ip": "127.0.0.1"},
        "server": {},
    }


def _only_key(api: Any) -> dict[str, Any]:
    (key,) = api.get("/products/sprout/events/intake").ok["keys"]
    return dict(key)


def test_a_key_that_sends_too_much_is_told_when_to_come_again(web: Sender, store: EventStore, api: Any) -> None:
    key = _only_key(api)
    limit = {"events_per_minute": 60}
    assert api.put(f"/products/sprout/events/keys/{key['id']}/limit", limit).status == 204
    intake.forget()
    assert web.batch(*(track() for _ in range(100))).status == 200  # a batch is taken whole while anything is left
    refused = web.batch(track())
    assert refused.status == 429
    assert 35 <= int(refused.headers["Retry-After"]) <= 45
    assert "60 events a minute" in refused.body["message"]
    assert len(rows(store)) == 100
    assert api.put(f"/products/sprout/events/keys/{key['id']}/limit", {"events_per_minute": None}).status == 204
    intake.forget()
    assert web.batch(track()).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"bots": "eaten"},
        {"sample": 0},
        {"sample": 101},
        {"session_minutes": 0},
        {"denied": ["*"]},
        {"allowed": ["a*"]},
        {"denied": ["a*b"]},
        {"denied": ["x" * 300]},
    ],
)
def test_what_cannot_be_is_refused_in_words(want: Any, wrong: dict[str, Any]) -> None:
    answer = want(**wrong)
    assert answer.status in (400, 422)
    assert answer.body["message"]


def test_only_a_maintainer_changes_it_and_it_is_written_down(
    want: Any, api_bob: Any, api_viewer: Any, api_charlie: Any, api: Any, store: EventStore, capture_key: str
) -> None:
    body = api.get("/products/sprout/events/intake").ok
    key = _only_key(api)
    for who, status in ((api_bob, 403), (api_viewer, 403), (api_charlie, 404)):
        assert who.put("/products/sprout/events/intake", body).status == status
        assert who.put(f"/products/sprout/events/keys/{key['id']}/limit", {"events_per_minute": 5}).status == status
    want(sample=50).must_succeed()
    assert Activity.objects.filter(verb="set_intake").count() == 1


def test_the_page_shows_and_changes_it(
    as_alice: Any, as_bob: Any, as_charlie: Any, capture_key: str, store: EventStore, api: Any
) -> None:
    assert "Everything that is sent is kept" in as_alice.get("/p/sprout/events/intake").content.decode()
    assert "disabled" in as_bob.get("/p/sprout/events/intake").content.decode()
    assert as_charlie.get("/p/sprout/events/intake").status_code == 404
    key = _only_key(api)
    form = {"bots": "refused", "sample": "20", "allowed": "", "denied": "email, card_*", "session_minutes": "45"}
    assert as_bob.post("/p/sprout/events/intake", form).status_code == 403
    answer = as_alice.post("/p/sprout/events/intake", {**form, f"limit-{key['id']}": "600"})
    assert answer.status_code == 302
    kept = api.get("/products/sprout/events/intake").ok
    assert (kept["bots"], kept["sample"], kept["denied"], kept["session_minutes"]) == (
        "refused",
        20,
        ["card_*", "email"],
        45,
    )
    assert kept["keys"][0]["events_per_minute"] == 600
    wrong = as_alice.post("/p/sprout/events/intake", {**form, "sample": "x"})
    assert wrong.status_code == 400
    assert "percent" in wrong.content.decode()
