from typing import Any

import pytest

from whytree.analytics.definitions import Conversion, Count, Unique, as_json, checked_definition, events_of, warnings
from whytree.errors import Invalid

CONVERSION = {"version": 1, "kind": "conversion", "from": "a", "to": "b", "within_days": 7}


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ({"version": 1, "kind": "count", "event": "a"}, Count("a")),
        ({"version": 1, "kind": "unique", "event": "a"}, Unique("a")),
        (CONVERSION, Conversion("a", "b", 7)),
    ],
)
def test_a_definition_is_read_and_written_back(raw: dict[str, Any], meant: object) -> None:
    assert checked_definition(raw) == meant
    assert as_json(checked_definition(raw)) == raw


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("count", "JSON object"),
        (None, "JSON object"),
        ({}, "version"),
        ({"version": 2, "kind": "count", "event": "a"}, '"version": 1'),
        ({"version": 1, "kind": "sum", "event": "a"}, "there are count, unique, conversion"),
        ({"version": 1, "kind": ["count"], "event": "a"}, "there are count"),
        ({"version": 1, "kind": "count"}, "exactly these fields: event"),
        ({"version": 1, "kind": "count", "event": "a", "filter": {}}, "Given: event, filter"),
        ({"version": 1, "kind": "count", "event": " "}, "name of an event"),
        ({"version": 1, "kind": "count", "event": 3}, "name of an event"),
        ({"version": 1, "kind": "count", "event": "a\x00"}, "name of an event"),
        (CONVERSION | {"within_days": 0}, "1 to 365"),
        (CONVERSION | {"within_days": True}, "1 to 365"),
        (CONVERSION | {"within_days": "7"}, "1 to 365"),
        (CONVERSION | {"within_days": 7.5}, "1 to 365"),
    ],
)
def test_it_says_what_to_write_instead(raw: object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        checked_definition(raw)


def test_an_event_nobody_sent_is_a_warning_with_the_nearest_name() -> None:
    found = warnings(Conversion("signed_upp", "zzz", 7), ["planted", "signed_up"])
    assert found == [
        "No event “signed_upp” has been seen yet. Did you mean “signed_up”?",
        "No event “zzz” has been seen yet.",
    ]
    assert warnings(Count("planted"), ["planted"]) == []


def test_an_event_on_both_ends_is_read_once() -> None:
    assert events_of(Conversion("a", "a", 7)) == ("a",)
