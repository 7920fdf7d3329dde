"""What a part of an answer is as a metric, and why some are none."""

from datetime import date, timedelta
from typing import Any

import pytest

from whytree.analytics.answers import Part, people_behind
from whytree.analytics.definitions import as_json, checked_definition
from whytree.analytics.questions import When, checked_question
from whytree.analytics.questions import as_json as question_json
from whytree.analytics.saved.as_metric import metric_of
from whytree.analytics.saved.of_metric import question_of_metric
from whytree.errors import Invalid

P95 = {"kind": "quantile", "event": "a", "property": "s", "percentile": 95}
WEEK_1 = {"kind": "retention", "begin": "a", "back": "b", "after_days": 7, "for_days": 7}
PRO = {"event": "paid", "where": [{"field": "plan", "operator": "is", "values": ["pro"]}]}
ROLLING = {"kind": "retention", "begin": "a", "back": "b", "interval": "day", "clock": "rolling"}


@pytest.mark.parametrize(
    ("question", "part", "definition"),
    [
        ({"kind": "trends", "series": [PRO]}, Part(), {"kind": "count", "event": PRO}),
        (
            {"kind": "trends", "series": ["a"], "measure": "companies"},
            Part(),
            {"kind": "unique", "event": "a", "by_company": True},
        ),
        (
            {"kind": "trends", "series": ["a"], "measure": "average"},
            Part(),
            {"kind": "mean", "event": "a", "per": "person"},
        ),
        ({"kind": "trends", "series": ["a"], "measure": "p95:s"}, Part(), P95),
        (
            {"kind": "trends", "series": [{"event": "a", "measure": "sum:price"}, "b"], "formula": "A / B"},
            Part(),
            {
                "kind": "ratio",
                "top": {"event": "a", "measure": "sum:price"},
                "bottom": {"event": "b", "measure": "total"},
            },
        ),
        (
            {"kind": "funnel", "steps": ["a", PRO], "within": "3d"},
            Part(step=1),
            {"kind": "conversion", "from": "a", "to": PRO, "within_days": 3},
        ),
        (
            ROLLING | {"brackets": [[1, 1], [7, 13]]},
            Part(after=1),
            {"kind": "retention", "begin": "a", "back": "b", "after_days": 7, "for_days": 7},
        ),
    ],
)
def test_it_counts_the_same(question: dict[str, Any], part: Part, definition: dict[str, Any]) -> None:
    _, found = metric_of(checked_question({"version": 1, **question}), part)
    assert as_json(found) == {"version": 1, **definition}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"kind": "trends", "series": ["a"], "measure": "max:s"}, "cannot count max"),
        ({"kind": "trends", "series": ["a"], "measure": "wau"}, "cannot count wau"),
        ({"kind": "trends", "series": ["a", "b"], "formula": "A / B * 100"}, "as A / B, and no more"),
        ({"kind": "funnel", "steps": ["a", "b"], "hold": "document"}, "nothing held"),
        ({"kind": "funnel", "steps": ["a"]}, "Nothing follows"),
        (ROLLING | {"clock": "calendar"}, "everybody's own clock"),
        (ROLLING, "from day 1 on"),
        ({"kind": "lifecycle", "event": "a"}, "one value a day"),
    ],
)
def test_what_is_no_metric_says_why(question: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        metric_of(checked_question({"version": 1, **question}), Part())


@pytest.mark.parametrize(
    ("definition", "kind", "people"),
    [
        ({"kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}, "funnel", 3),
        ({"kind": "time_to", "from": "signed_up", "to": "planted", "within_days": 7}, "funnel", 3),
        (
            {"kind": "retention", "begin": "signed_up", "back": "planted", "after_days": 1, "for_days": 2},
            "retention",
            3,
        ),
        ({"kind": "count", "event": "signed_up"}, "trends", 5),
        ({"kind": "quantile", "event": "planted", "property": "s", "percentile": 90}, "trends", 3),
        ({"kind": "ratio", "top": {"event": "planted"}, "bottom": {"event": "signed_up"}}, "trends", 3),
    ],
)
@pytest.mark.usefixtures("five_sign_up_three_plant")
def test_the_people_behind_a_metric_are_asked_about(
    product: Any, definition: dict[str, Any], kind: str, people: int
) -> None:
    since = date.today() - timedelta(days=12)
    when = When(since=since, until=since + timedelta(days=5))
    question, part = question_of_metric(checked_definition({"version": 1, **definition}), when)
    assert (question.kind, checked_question(question_json(question))) == (kind, question)
    assert people_behind(product, question, part).total == people
