from typing import Any

import pytest

from whytree.analytics.definitions import (
    Conversion,
    Count,
    Mean,
    Quantile,
    Ratio,
    Retention,
    Sum,
    TimeTo,
    Unique,
    as_json,
    checked_definition,
    events_of,
    warnings,
)
from whytree.errors import Invalid
from whytree.stores.pieces.filters import Filter, Selection
from whytree.stores.questions.amounts import Part

PAID = {"event": "paid", "where": [{"field": "plan", "operator": "is", "values": ["pro"]}]}
PRO = Selection(("paid",), (Filter("plan", "is", ("pro",)),))
CONVERSION = {"version": 1, "kind": "conversion", "from": "a", "to": "b", "within_days": 7}


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ({"version": 1, "kind": "count", "event": "a"}, Count(Selection(("a",)))),
        ({"version": 1, "kind": "unique", "event": "a"}, Unique(Selection(("a",)))),
        (CONVERSION, Conversion(Selection(("a",)), Selection(("b",)), 7)),
        ({"version": 1, "kind": "unique", "event": PAID}, Unique(PRO)),
        ({"version": 1, "kind": "unique", "event": PAID, "by_company": True}, Unique(PRO, by_company=True)),
        ({"version": 1, "kind": "sum", "event": "a", "property": "price"}, Sum(Selection(("a",)), "price")),
        ({"version": 1, "kind": "mean", "event": PAID, "per": "person"}, Mean(PRO, "", "person")),
        (
            {"version": 1, "kind": "mean", "event": "a", "property": "price", "per": "event"},
            Mean(Selection(("a",)), "price", "event"),
        ),
        (
            {
                "version": 1,
                "kind": "ratio",
                "top": PAID | {"measure": "sum:price"},
                "bottom": {"event": "a", "measure": "total"},
            },
            Ratio(Part(PRO, "sum", "price"), Part(Selection(("a",)))),
        ),
        (
            {
                "version": 1,
                "kind": "retention",
                "begin": "a",
                "back": {"events": ["a", "b"]},
                "after_days": 7,
                "for_days": 7,
            },
            Retention(Selection(("a",)), Selection(("a", "b")), 7, 7),
        ),
        (
            {
                "version": 1,
                "kind": "time_to",
                "from": "a",
                "to": "b",
                "within_days": 7,
                "percentile": 90,
                "in": "minutes",
            },
            TimeTo(Selection(("a",)), Selection(("b",)), 7, 90, "minutes"),
        ),
        (
            {"version": 1, "kind": "quantile", "event": "a", "property": "s", "percentile": 95},
            Quantile(Selection(("a",)), "s", 95),
        ),
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
        ({"version": 1, "kind": "product", "event": "a"}, "there are count, unique, conversion"),
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
        (CONVERSION | {"from": {"event": "a", "where": [{"field": "x", "operator": "is"}]}}, "needs a value"),
        ({"version": 1, "kind": "count", "event": "a", "by_company": 1}, "“by_company” is true"),
        ({"version": 1, "kind": "sum", "event": "a"}, "event, property"),
        ({"version": 1, "kind": "sum", "event": "a", "property": ""}, "name of the number"),
        ({"version": 1, "kind": "mean", "event": "a", "per": "event"}, "needs a “property”"),
        ({"version": 1, "kind": "mean", "event": "a", "per": "day"}, "person .* or event"),
        ({"version": 1, "kind": "ratio", "top": "a"}, "bottom, top"),
        (
            {"version": 1, "kind": "ratio", "top": "a", "bottom": {"event": "b", "measure": "sum:"}},
            "sum with a property",
        ),
        ({"version": 1, "kind": "ratio", "top": 3, "bottom": "b"}, "“top” is an event"),
        ({"version": 1, "kind": "retention", "begin": "a", "back": "b", "after_days": 0}, "1 to 364"),
        ({"version": 1, "kind": "retention", "begin": "a", "back": "b", "after_days": 300, "for_days": 66}, "1 to 65"),
        ({"version": 1, "kind": "quantile", "event": "a", "property": "s", "percentile": 100}, "1 to 99"),
        ({"version": 1, "kind": "quantile", "event": "a", "property": "s", "percentile": 99.9}, "1 to 99"),
        (
            {"version": 1, "kind": "time_to", "from": "a", "to": "b", "within_days": 7, "in": "years"},
            "seconds, minutes",
        ),
    ],
)
def test_it_says_what_to_write_instead(raw: object, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        checked_definition(raw)


def test_an_event_nobody_sent_is_a_warning_with_the_nearest_name() -> None:
    found = warnings(Conversion(Selection(("signed_upp",)), Selection(("zzz",)), 7), ["planted", "signed_up"])
    assert found == [
        "No event “signed_upp” has been seen yet. Did you mean “signed_up”?",
        "No event “zzz” has been seen yet.",
    ]
    assert warnings(Count(Selection(("planted",))), ["planted"]) == []
    revenue = Sum(Selection(("paid",), (Filter("platform", "is", ("ios",)), Filter("person:plan", "is set"))), "prise")
    assert warnings(revenue, ["paid"], ["price"]) == ["No property “prise” has been seen yet. Did you mean “price”?"]
    assert warnings(revenue, ["opened"], ["price"]) == ["No event “paid” has been seen yet."]
    assert warnings(revenue, ["paid"]) == []


def test_an_event_on_both_ends_is_read_once() -> None:
    assert events_of(Conversion(Selection(("a",)), Selection(("a",)), 7)) == ("a",)


def test_every_kind_is_a_sentence() -> None:
    said = {
        "count": {"event": PAID},
        "sum": {"event": PAID, "property": "price"},
        "mean": {"event": "a", "property": "price", "per": "event"},
        "ratio": {"top": PAID | {"measure": "sum:price"}, "bottom": {"event": "a", "measure": "people"}},
        "retention": {"begin": "a", "back": "b", "after_days": 7, "for_days": 7},
        "time_to": {"from": "a", "to": "b", "within_days": 7},
        "quantile": {"event": "a", "property": "seconds", "percentile": 95},
    }
    sentences = [checked_definition({"version": 1, "kind": kind} | parts).sentence for kind, parts in said.items()]
    assert sentences == [
        "how often “paid (plan is pro)” happened",
        "the sum of price over “paid (plan is pro)”",
        "the mean price of one “a”",
        "the sum of price over “paid (plan is pro)”, divided by people who did “a”",
        "of people who did “a” for the first time, the share who did “b” between day 7 and day 13 after it",
        "the median time from “a” to “b”, of people who got there within 7 days",
        "the 95th percentile of seconds over “a”",
    ]
