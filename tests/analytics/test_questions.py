"""What a question may say, and what it is told when it says something else."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict

from whytree.analytics.asking.forms import FORMS
from whytree.analytics.asking.links import address_of
from whytree.analytics.questions import (
    as_json,
    checked_question,
    filter_words,
    parse_event,
    parse_filter,
    parse_series,
    parse_span,
    parse_step,
    span,
    span_words,
)
from whytree.errors import Invalid
from whytree.workspace.models import Product

FUNNEL: dict[str, Any] = {"version": 1, "kind": "funnel", "steps": ["opened", {"event": "paid"}], "within": "1d"}


def test_a_question_reads_as_a_sentence() -> None:
    where = [{"field": "plan", "operator": "is", "values": ["free", "trial"]}]
    asked = checked_question(
        FUNNEL | {"steps": ["opened", {"events": ["paid", "ordered"], "where": where}], "by": "flag:x"}
    )
    assert (
        asked.sentence == "people who did “opened”, then “paid or ordered (plan is free or trial)” within a day, by x"
    )


def test_a_moment_reads_as_people_say_it() -> None:
    assert filter_words(parse_filter("born>2000-01-01")) == "born after 2000-01-01"
    later = {"field": "seen", "operator": "after", "values": ["7d"]}
    asked = checked_question({"version": 1, "kind": "trends", "series": ["paid"], "where": [later]})
    assert "“paid (seen after 7 days ago)”" in asked.sentence


def test_what_is_stored_means_the_same_again() -> None:
    where = [{"field": "price", "operator": "above", "values": [10]}, {"field": "coupon", "operator": "is set"}]
    asked = checked_question(FUNNEL | {"where": where, "by": "platform", "days": 28})
    assert checked_question(as_json(asked)) == asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version"),
        ({"kind": "guess"}, "kind"),
        ({"steps": []}, "1 to 20 steps"),
        ({"steps": ["a"] * 21}, "1 to 20 steps"),
        ({"steps": "opened"}, "1 to 20 steps"),
        ({"steps": [""]}, "names an event"),
        ({"steps": ["a\x00b"]}, "names an event"),
        ({"steps": ["a\ud800"]}, "names an event"),
        ({"by": "plan\udfff"}, "“by”"),
        ({"where": [{"field": "a\ud83d", "operator": "is", "values": ["b"]}]}, "A filter is"),
        ({"where": [{"field": "a", "operator": "is", "values": ["b\ud800"]}]}, "The values of"),
        ({"steps": [{"event": "a", "events": ["b"]}]}, "A step is"),
        ({"steps": [{"event": "a", "more": 1}]}, "A step is"),
        ({"within": "soon"}, "30m, 12h"),
        ({"within": "0d"}, "a second"),
        ({"within": "53w"}, "366 days"),
        ({"within": 86400}, "30m, 12h"),
        ({"days": 0}, "whole number"),
        ({"days": True}, "whole number"),
        ({"by": ["a", "b", "c", "d"]}, "at most 3"),
        ({"by": ["a", ""]}, "empty field"),
        ({"by": 5}, "“by”"),
        ({"order": "sideways"}, "ordered, strict, any"),
        ({"order": "any", "first_time": True}, "In any order"),
        ({"by_any_step": True}, "name a “by”"),
        ({"order": "strict", "without": "x"}, "nothing may lie between"),
        ({"without": [{"event": "x", "after": 2, "before": 1}]}, "“without” lies after one step"),
        ({"steps": [{"event": "a", "optional": True}, "b"]}, "cannot be optional"),
        ({"where": [{"field": "a", "operator": "before", "values": ["soon"]}]}, "needs one moment"),
        ({"where": [{"field": "a", "operator": "matches", "values": ["a", "b"]}]}, "one regular expression"),
        ({"where": [{"any": []}]}, "at least one filter"),
        ({"where": [{"field": "cohort:x", "operator": "is", "values": ["y"]}]}, "cohort:KEY"),
        ({"where": {}}, "“where”"),
        ({"where": [{"field": "a", "operator": "is"}] * 21}, "at most 20"),
        ({"where": [{"field": "a", "operator": "resembles", "values": ["b"]}]}, "resembles"),
        ({"where": [{"field": "a", "operator": "is"}]}, "needs a value"),
        ({"where": [{"field": "a", "operator": "is set", "values": ["b"]}]}, "takes no value"),
        ({"where": [{"field": "a", "operator": "above", "values": ["b"]}]}, "one number"),
        ({"where": [{"field": "a", "operator": "above", "values": [float("inf")]}]}, "texts or numbers"),
        ({"where": [{"field": "a", "operator": "is", "values": [{}]}]}, "texts or numbers"),
        ({"where": [{"field": "a", "operator": "is", "values": ["b"] * 1001}]}, "1,000"),
        ({"surprise": 1}, "no field surprise"),
    ],
)
def test_it_says_what_to_write_instead(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as error:
        checked_question(FUNNEL | change)
    assert said in error.value.message


@pytest.mark.parametrize("raw", [None, [], "funnel", 1])
def test_it_refuses_what_is_no_object(raw: object) -> None:
    with pytest.raises(Invalid):
        checked_question(raw)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("plan=free, trial", "plan is free or trial"),
        ("plan != free", "plan is not free"),
        ("title~guitar", "title contains guitar"),
        ("price>10", "price above 10"),
        ("price<1.5", "price below 1.5"),
        ("coupon", "coupon is set"),
        ("!coupon", "coupon is not set"),
        ("flag:defer=on", "defer is on"),
    ],
)
def test_a_filter_is_typed_in_a_word(typed: str, words: str) -> None:
    assert filter_words(parse_filter(typed)) == words


@pytest.mark.parametrize(
    ("parse", "typed", "meant"),
    [
        (parse_event, "paid", "paid"),
        (parse_event, "Clicked where to buy", "Clicked where to buy"),
        (parse_step, "coupon?", {"event": "coupon", "optional": True}),
        (parse_step, "coupon? where plan!=free", {"event": "coupon", "optional": True, "where": ["plan is not free"]}),
        (parse_series, "people of paid", {"event": "paid", "measure": "people"}),
        (parse_series, "sum:price of paid where plan=pro; !test", {"event": "paid", "measure": "sum:price",
                                                                   "where": ["plan is pro", "test is not set"]}),
        (parse_series, "Out of stock", "Out of stock"),
    ],
)  # fmt: skip
def test_an_event_is_typed_with_its_filters_and_its_measure(parse: Any, typed: str, meant: Any) -> None:
    found = parse(typed)
    if isinstance(found, dict) and "where" in found:
        found["where"] = [
            filter_words(one) for one in checked_question(FUNNEL | {"where": found["where"]}).steps[0].filters
        ]  # type: ignore[union-attr]
    assert found == meant


@pytest.mark.parametrize(
    ("raw", "has_fields"),
    [
        ({"kind": "funnel", "steps": ["a", {"event": "b", "where": [{"field": "p", "values": ["1"]}]}, "c"]}, True),
        ({"kind": "trends", "series": ["a", {"event": "b", "measure": "sum:p"}], "formula": "B / A"}, True),
        ({"kind": "trends", "series": ["a"], "since": "2026-05-01", "by": ["plan", "os"], "smooth": 7}, True),
        ({"kind": "retention", "begin": "a", "back": "b", "brackets": [[0, 0], [1, 3]], "days": 45}, True),
        ({"kind": "lifecycle", "event": "a", "where": [{"field": "p", "operator": "above", "values": [3]}]}, True),
        ({"kind": "stickiness", "event": "a", "interval": "week", "days": 90}, True),
        ({"kind": "paths", "from": "a", "hide": ["b", "c"], "depth": 3, "until": "2026-05-01"}, True),
        ({"kind": "funnel", "steps": ["a", "b"], "by": "os", "by_any_step": True, "without": ["c"]}, True),
        ({"kind": "funnel", "steps": ["a", {"events": ["b", "c"]}]}, False),
        ({"kind": "funnel", "steps": ["a where b=c", "d"]}, False),
        ({"kind": "trends", "series": ["people of a"]}, False),
    ],
)
def test_a_question_is_an_address_that_means_the_same(raw: dict[str, Any], has_fields: bool) -> None:
    question = checked_question({"version": 1} | raw)
    query = QueryDict(address_of(Product(slug="sprout"), question).partition("?")[2])
    form = next(form for form in FORMS if form.kind == question.kind)
    assert form.sent(query).question == question
    assert ("question" not in query) == has_fields


@pytest.mark.parametrize(
    ("text", "window", "words"),
    [
        ("30m", timedelta(minutes=30), "30 minutes"),
        ("1h", timedelta(hours=1), "an hour"),
        ("24h", timedelta(days=1), "a day"),
        ("7d", timedelta(days=7), "7 days"),
        ("2w", timedelta(days=14), "2 weeks"),
    ],
)
def test_spans_are_read_and_said(text: str, window: timedelta, words: str) -> None:
    assert parse_span(text) == window
    assert parse_span(span(window)) == window
    assert span_words(window) == words


def test_a_filter_tree_a_thousand_deep_is_refused_in_a_sentence() -> None:
    tree: dict[str, Any] = {"field": "plan", "operator": "is", "values": ["free"]}
    for _ in range(1_000):
        tree = {"all": [tree]}
    with pytest.raises(Invalid, match="8 deep at most"):
        checked_question({"version": 1, "kind": "funnel", "steps": ["a"], "where": [tree]})


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("A +", "is no formula"),
        ("C", "names C; there are A, B"),
        ("1 + 1", "names no series"),
        ("A ** B", "letters of the series"),
        ("__import__('os')", "letters of the series"),
        ("(" * 300 + "A" + ")" * 300, "letters of the series"),
        ("A" + " + A" * 45, "nested too deep"),
        (7, "letters of the series"),
    ],
)
def test_a_formula_is_arithmetic_and_nothing_else(formula: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        checked_question({"version": 1, "kind": "trends", "series": ["a", "b"], "formula": formula})


def test_nothing_is_divided_by_nothing() -> None:
    question = checked_question({"version": 1, "kind": "trends", "series": ["a", "b"], "formula": "B / A * 100"})
    formula = question.formula  # type: ignore[union-attr]
    assert formula is not None
    assert [formula.value({"A": a, "B": b}) for a, b in [(4, 1), (0, 1), (None, 1)]] == [25.0, None, None]


@pytest.mark.parametrize(
    "raw",
    [
        {"kind": "funnel", "steps": ["a", {"event": "b", "optional": True}, "c"], "without": ["x"], "hold": "doc"},
        {"kind": "funnel", "steps": ["a", "b"], "order": "any", "by": ["plan", "cohort:x"], "over": "week"},
        {"kind": "trends", "series": ["a", {"event": "b", "measure": "sum:price"}], "formula": "B / A", "smooth": 7},
        {"kind": "trends", "series": ["a"], "measure": "wau", "previous": True},
        {"kind": "retention", "begin": "a", "brackets": [[0, 0], [1, 3]], "clock": "rolling", "interval": "day"},
        {"kind": "funnel", "steps": ["a"], "where": [{"any": [{"field": "p", "operator": "is set"}]}]},
    ],
)
def test_what_is_stored_is_what_was_asked(raw: dict[str, Any]) -> None:
    question = checked_question({"version": 1} | raw)
    assert checked_question(as_json(question)) == question
