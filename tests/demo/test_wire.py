"""The world as messages: what a Segment client of the app would have sent."""

import json
from collections import Counter
from itertools import islice

import pytest

from whytree.demo import wire
from whytree.demo.voices import Voice
from whytree.demo.world import World

pytestmark = pytest.mark.slow  # the whole story: left out of `make quick`


def _all(world: World) -> list[tuple[str, dict[str, object]]]:
    people = {person.id: person for person in world.people}
    numbered = ((n, event, people[event.person]) for n, event in enumerate(world.events))
    return [
        (kind, message)
        for kind, body in wire.batches(numbered, world.calendar)
        for message in json.loads(body)["batch"]
    ]


def test_every_event_is_sent_once(small: World) -> None:
    messages = [message for _, message in _all(small)]
    ids = [message["messageId"] for message in messages]
    assert len(set(ids)) == len(ids)
    tracks = Counter(message["event"] for message in messages if message["type"] == "track")
    assert tracks == Counter(event.name for event in small.events)


def test_somebody_is_known_from_the_end_of_the_sign_up_on(small: World) -> None:
    confirmed = {event.person: event.at for event in small.events if event.name == "sign_up_confirmed"}
    for _, message in _all(small):
        if message["type"] == "identify":
            assert message["userId"] in confirmed
            assert "email" in message["traits"]  # type: ignore[operator]
        assert ("userId" in message) != ("anonymousId" in message)


def test_a_booking_comes_with_the_servers_key(small: World) -> None:
    kinds = {message["event"]: kind for kind, message in _all(small) if message["type"] == "track"}
    assert kinds["first_booking"] == kinds["account_flagged_spam"] == "server"
    assert kinds["sign_up_started"] == kinds["$exposure"] == "capture"


def test_a_batch_stays_below_the_limit_of_a_request(whole: World) -> None:
    from whytree.events.wire.packing import MAX_BODY

    people = {person.id: person for person in whole.people}
    numbered = ((n, event, people[event.person]) for n, event in enumerate(islice(whole.events, 40_000)))
    assert max(len(body) for _, body in wire.batches(numbered, whole.calendar)) < MAX_BODY


def test_a_voice_says_only_what_is_known(heard: list[Voice]) -> None:
    anonymous = next(voice for voice in heard if voice.source == "survey" and not voice.flags)
    assert not {"person", "author_name", "flags", "metadata"} & wire.feedback(anonymous).keys()
