"""Definitions of PostHog and GrowthBook, as their APIs give them, become ours or are said to stay out."""

from typing import Any

import pytest

from whytree.analytics.cohorts.definitions import checked_definition as checked_cohort
from whytree.analytics.definitions import checked_definition as checked_metric
from whytree.analytics.questions import checked_question
from whytree.engines.definition_moving import Incoming, LeftOut, Unreadable, read_definitions


def event(name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "EventsNode", "event": name, "name": name, **more}


def insight(source: dict[str, Any], number: int = 1) -> dict[str, Any]:
    query = {"kind": "InsightVizNode", "source": source}
    return {"id": number, "short_id": f"s{number}", "name": "Weekly", "query": query, "deleted": False}


def became(*things: dict[str, Any]) -> list[Incoming | LeftOut]:
    return read_definitions([{"count": len(things), "next": None, "results": list(things)}])[1]


def one(*things: dict[str, Any]) -> Incoming:
    found = became(*things)[-1]
    assert isinstance(found, Incoming), found
    return found


PRO = {"key": "plan", "value": ["pro", "team"], "operator": "exact", "type": "event"}
QUESTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"kind": "TrendsQuery", "series": [event("paid", math="dau", properties=[PRO])], "interval": "week",
         "dateRange": {"date_from": "-30d"}, "breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"},
         "compareFilter": {"compare": True}},
        {"series": [{"events": ["paid"], "where": [{"field": "plan", "operator": "is", "values": ["pro", "team"]}]}],
         "measure": "people", "interval": "week", "by": "$browser", "days": 30, "previous": True},
    ),
    (
        {"kind": "TrendsQuery", "series": [event("paid", math="sum", math_property="price"), event("opened", math="total")],
         "dateRange": {"date_from": "-12w"}, "interval": "day", "trendsFilter": {"formula": "A / B"}},
        {"series": [{"events": ["paid"], "measure": "sum:price"}, {"events": ["opened"], "measure": "total"}],
         "formula": "A / B", "days": 84},
    ),
    (
        {"kind": "TrendsQuery", "series": [event("paid", math="dau")], "trendsFilter": {"display": "ActionsBarValue"},
         "breakdownFilter": {"breakdown": "plan", "breakdown_type": "person"}},
        {"measure": "people", "interval": "whole", "by": "person:plan", "days": 7},
    ),
    (
        {"kind": "TrendsQuery", "series": [event("paid", math="unique_session", properties=[PRO])], "interval": "week"},
        {"event": {"events": ["paid"], "where": [{"field": "plan", "operator": "is", "values": ["pro", "team"]}]},
         "interval": "week", "days": 7},
    ),
    (
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": None, "math": "median", "math_property": "$session_duration"}],
         "compareFilter": {"compare": True}, "breakdownFilter": {"breakdown": "$os", "breakdown_type": "event"}},
        {"by": "$os", "days": 7, "interval": "day", "previous": True},
    ),
    (
        {"kind": "FunnelsQuery", "series": [event("a"), event("b", optionalInFunnel=True), event("c")],
         "dateRange": {"date_from": "all"},
         "funnelsFilter": {"funnelWindowInterval": 2, "funnelWindowIntervalUnit": "month", "funnelVizType": "time_to_convert",
                           "exclusions": [event("x", funnelFromStep=0, funnelToStep=2)]}},
        {"steps": [{"events": ["a"]}, {"events": ["b"], "optional": True}, {"events": ["c"]}], "within": "60d",
         "times": True, "without": [{"events": ["x"], "after": 1, "before": 3}]},
    ),
    (
        {"kind": "RetentionQuery", "retentionFilter": {
            "targetEntity": {"id": "signed_up", "type": "events"}, "returningEntity": {"id": "opened", "type": "events"},
            "period": "Week", "totalIntervals": 9, "retentionType": "retention_recurring"}},
        {"begin": {"events": ["signed_up"]}, "back": {"events": ["opened"]}, "interval": "week", "stretches": 8,
         "first_time": False, "days": 63},
    ),
    (
        {"kind": "RetentionQuery", "dateRange": {"date_from": "-48h"}, "retentionFilter": {
            "targetEntity": {"id": "a", "type": "events"}, "returningEntity": {"id": "b", "type": "events"},
            "retentionCustomBrackets": [1, 3], "timeWindowMode": "24_hour_windows", "minimumOccurrences": 1}},
        {"interval": "day", "brackets": [[0, 0], [1, 1], [2, 4]], "clock": "rolling", "days": 2, "first_time": True},
    ),
    (
        {"kind": "TrendsQuery", "series": [{"kind": "GroupNode", "operator": "OR", "math": "dau", "properties": [PRO],
                                            "nodes": [event("$pageview", math="dau"), event("$screen")]}]},
        {"series": [{"events": ["$pageview", "$screen"],
                     "where": [{"field": "plan", "operator": "is", "values": ["pro", "team"]}]}], "measure": "people"},
    ),
    (
        {"kind": "LifecycleQuery", "series": [event("opened")], "interval": "week", "dateRange": {"date_from": "-90d"}},
        {"event": {"events": ["opened"]}, "interval": "week", "days": 90},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), QUESTIONS, ids=[one[0]["kind"] for one in QUESTIONS])
def test_an_insight_asks_the_same_here(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    checked = checked_question(dict(one(insight(theirs)).definition)).json
    assert {name: checked.get(name) for name in ours} == ours


def test_the_older_filters_ask_the_same_as_todays_query() -> None:
    older = {"id": 7, "name": "Old", "filters": {
        "insight": "FUNNELS", "date_from": "-14d", "funnel_window_interval": 3, "funnel_window_interval_unit": "day",
        "events": [{"id": "paid", "order": 1}, {"id": "opened", "order": 0, "properties": [PRO]}]}}  # fmt: skip
    definition = one(older).definition
    assert (definition["within"], definition["days"]) == ("3d", 14)
    assert [step["events"] for step in definition["steps"]] == [["opened"], ["paid"]]


def test_a_dashboard_brings_its_insights_and_stands_as_it_stood() -> None:
    paid = insight(
        {
            "kind": "TrendsQuery",
            "series": [event("paid")],
            "dateRange": {"date_from": "2026-05-01", "date_to": "2026-05-31"},
        },
        12,
    )
    gone = insight({"kind": "TrendsQuery", "series": [event("old")]}, 13) | {"deleted": True}
    board = {"id": 4, "name": "Monday", "pinned": True, "creation_mode": "default",
             "filters": {"date_from": "-30d", "properties": [PRO]}, "tiles": [
        {"id": 1, "insight": paid, "layouts": {"sm": {"x": 0, "y": 5, "w": 6, "h": 5}}},
        {"id": 2, "insight": None, "text": {"body": "Look here first"}, "layouts": {"sm": {"x": 0, "y": 0, "w": 12, "h": 1}}},
        {"id": 3, "insight": gone, "deleted": True, "layouts": {}},
    ]}  # fmt: skip
    question, found = became(board)
    assert isinstance(question, Incoming)
    assert question.foreign == "insight 12"
    assert (question.definition["since"], question.definition["until"]) == ("2026-05-01", "2026-05-31")
    assert isinstance(found, Incoming)
    assert found.definition == {
        "days": 30,
        "where": [{"field": "plan", "operator": "is", "values": ["pro", "team"]}],
        "cards": [
            {"text": "Look here first", "wide": True},
            {"question": "insight 12", "name": "Weekly", "wide": False},
        ],
    }
    assert [one.foreign for one in became(paid, board)] == ["insight 12", "dashboard 4"]  # each once
    (listed,) = became({name: value for name, value in board.items() if name != "tiles"})
    assert isinstance(listed, LeftOut)
    assert "as /dashboards/ID gives it" in listed.why


def test_an_action_of_plain_events_comes_along_and_one_of_clicks_does_not() -> None:
    paid = {"id": 4, "name": "Paid", "steps": [{"event": "paid"}, {"event": "renewed"}]}
    click = {"id": 5, "name": "Click", "steps": [{"event": "$autocapture", "selector": "button"}]}
    trends = {"kind": "TrendsQuery", "interval": "day"}
    asked = [insight(trends | {"series": [{"kind": "ActionsNode", "id": number}]}, number) for number in (4, 5, 6)]
    carried, clicks, missing = became(paid, click, *asked)
    assert isinstance(carried, Incoming)
    assert carried.definition["series"][0]["events"] == ["paid", "renewed"]
    assert isinstance(clicks, LeftOut)
    assert "looks at clicks" in clicks.why
    assert isinstance(missing, LeftOut)
    assert "bring the actions along" in missing.why


def test_filters_within_filters_say_the_same() -> None:
    group = {"type": "OR", "values": [
        {"type": "AND", "values": [PRO, {"key": "age", "operator": "between", "value": [18, 30], "type": "person"}]},
        {"type": "AND", "values": [{"key": "id", "value": 3, "type": "cohort", "operator": "not_in"}]}]}  # fmt: skip
    found = one(
        insight({"kind": "TrendsQuery", "series": [event("a")], "properties": {"type": "AND", "values": [group]}})
    )
    assert found.definition["where"] == [{"any": [
        {"all": [{"field": "plan", "operator": "is", "values": ["pro", "team"]},
                 {"field": "person:age", "operator": "at least", "values": ["18"]},
                 {"field": "person:age", "operator": "at most", "values": ["30"]}]},
        {"field": "cohort:cohort 3", "operator": "is not set"}]}]  # fmt: skip


def test_a_cohort_is_the_same_rule() -> None:
    rule = {"type": "OR", "values": [{"type": "AND", "values": [
        {"type": "behavioral", "value": "performed_event_multiple", "key": "paid", "event_type": "events",
         "operator": "gte", "operator_value": 2, "time_value": 4, "time_interval": "week"},
        {"type": "behavioral", "value": "performed_event", "key": "left", "event_type": "events", "negation": True},
        {"type": "person", "key": "email", "operator": "icontains", "value": "@example.org"},
        {"type": "cohort", "key": "id", "value": 9, "negation": True}]}]}  # fmt: skip
    found = one({"id": 3, "name": "Loyal", "is_static": False, "filters": {"properties": rule}})
    assert checked_cohort(dict(found.definition)).json == {"all": [
        {"did": {"events": ["paid"]}, "at_least": 2, "days": 28},
        {"did_not": {"events": ["left"]}},
        {"person": {"field": "email", "operator": "contains", "values": ["@example.org"]}},
        {"not": {"cohort": "cohort 9"}}]}  # fmt: skip


FACT = {"id": "fact__1", "owner": "ana@example.org", "datasource": "ds"}
TABLE = {"id": "ftb_1", "name": "Orders", "userIdTypes": ["user_id"], "sql": "SELECT 1", "eventName": "paid"}
METRICS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "m", "query": {"kind": "ExperimentMetric", "metric_type": "mean",
                             "source": event("paid", math="sum", math_property="price"), "goal": "decrease"}},
     {"kind": "sum", "event": {"events": ["paid"]}, "property": "price"}),
    ({"name": "m", "query": {"kind": "ExperimentMetric", "metric_type": "funnel", "conversion_window": 48,
                             "conversion_window_unit": "hour", "series": [event("opened"), event("paid")]}},
     {"kind": "conversion", "from": {"events": ["opened"]}, "to": {"events": ["paid"]}, "within_days": 2}),
    (FACT | {"metricType": "proportion", "numerator": {"factTableId": "ftb_1", "column": "$$distinctUsers"}},
     {"kind": "unique", "event": {"events": ["paid"]}}),
    (FACT | {"metricType": "ratio",
             "numerator": {"factTableId": "ftb_1", "column": "amount", "aggregation": "sum"},
             "denominator": {"factTableId": "ftb_2", "column": "$$count",
                             "rowFilters": [{"operator": "=", "column": "event_name", "values": ["opened"]}]}},
     {"kind": "ratio", "top": {"events": ["paid"], "measure": "sum:amount"},
      "bottom": {"events": ["opened"], "measure": "total"}}),
    ({"id": "met_1", "datasourceId": "ds", "type": "binomial", "name": "Signed up",
      "sqlBuilder": {"tableName": "app.signed_up", "conditions": [{"column": "plan", "operator": "=", "value": "pro"}]}},
     {"kind": "unique", "event": {"events": ["signed_up"],
                                  "where": [{"field": "plan", "operator": "is", "values": ["pro"]}]}}),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), METRICS)
def test_a_metric_counts_the_same_here(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    found = one(TABLE, theirs) if "metricType" in theirs else one(theirs)
    assert found.definition == {"version": 1} | ours
    assert checked_metric(dict(found.definition))
    assert found.direction == ("down" if "goal" in str(theirs) else "up")


LEFT: list[tuple[dict[str, Any], str]] = [
    (insight({"kind": "HogQLQuery", "query": "SELECT 1"}), "no counterpart"),
    (insight({"kind": "TrendsQuery", "series": [event("a", math="hogql")]}), "counts by hogql"),
    (insight({"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": None}]}), "all events at once"),
    (insight({"kind": "FunnelsQuery", "series": [event("a")], "aggregation_group_type_index": 0}), "counts groups"),
    (insight({"kind": "TrendsQuery", "series": [event("a", math_multiplier=0.01)]}), "multiplies"),
    (insight({"kind": "TrendsQuery", "series": [{"kind": "GroupNode", "nodes": [event("a", properties=[PRO]), event("b")]}]}),
     "filters of its own"),
    (insight({"kind": "RetentionQuery", "retentionFilter": {"minimumOccurrences": 2}}), "several times"),
    (insight({"kind": "RetentionQuery", "retentionFilter": {"aggregationType": "sum"}}), "adds up"),
    (insight({"kind": "StickinessQuery", "series": [event("a")], "stickinessFilter": {
        "stickinessCriteria": {"operator": "gte", "value": 3}}}), "so many times"),
    (insight({"kind": "TrendsQuery", "series": [event("a", properties=[{"key": "x", "type": "session"}])]}), "asks for x of sessions"),
    ({"id": 1, "name": "List", "is_static": True}, "--ids FILE"),
    (FACT | {"metricType": "mean", "numerator": {"factTableId": "ftb_9", "column": "$$count"}}, "which event"),
    (FACT | {"metricType": "proportion", "numerator": {"factTableId": "ftb_1", "aggregateFilter": ">= 3"}}, "so much of it"),
    ({"id": "met_3", "datasourceId": "ds", "type": "revenue", "sqlBuilder": {"tableName": "paid"},
      "sql": {"userAggregationSQL": "MAX(value)"}}, "does not add up"),
    ({"query": {"kind": "ExperimentMetric", "metric_type": "funnel", "series": [event("a"), event("b")],
                "funnel_order_type": "unordered"}}, "another order"),
    ({"id": "met_2", "datasourceId": "ds", "type": "count", "sql": {"conversionSQL": "SELECT 1"}}, "SQL of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "why"), LEFT, ids=[why for _, why in LEFT])
def test_what_has_no_counterpart_says_why(theirs: dict[str, Any], why: str) -> None:
    (found,) = became(theirs)
    assert isinstance(found, LeftOut)
    assert why in found.why


def _filtered(*properties: dict[str, Any]) -> Any:
    found = one(insight({"kind": "TrendsQuery", "series": [event("a", properties=list(properties))]}))
    assert checked_question(dict(found.definition))
    return found.definition["series"][0]["where"]


def test_filters_say_the_same_here() -> None:
    neither = {"key": "from", "type": "event", "operator": "not_icontains", "value": ["bot", "test"]}
    assert _filtered(neither) == [
        {"field": "from", "operator": "does not contain", "values": [word]} for word in ("bot", "test")
    ]
    long = {"key": "$session_duration", "type": "session", "operator": "gt", "value": 60}
    assert _filtered(long) == [{"field": "session:seconds", "operator": "above", "values": ["60"]}]
    lately = {"key": "born", "type": "person", "operator": "is_date_after", "value": "-2w"}
    assert _filtered(lately) == [{"field": "person:born", "operator": "after", "values": ["14d"]}]


def test_a_funnel_of_first_times_says_so() -> None:
    steps = [event("a", math="first_time_for_user"), event("b"), event("c", math="first_time_for_user")]
    found = one(insight({"kind": "FunnelsQuery", "series": steps}))
    assert found.definition["first_time"] is True
    assert any("later step" in note for note in found.notes)


def test_what_counts_otherwise_here_is_noted() -> None:
    left = insight({"kind": "FunnelsQuery", "series": [event("a"), event("b"), event("c")], "funnelsFilter": {
        "exclusions": [event("x", funnelFromStep=0, funnelToStep=1)], "funnelVizType": "trends", "funnelToStep": 1}})  # fmt: skip
    compared = insight({"kind": "TrendsQuery", "series": [event("a")],
        "breakdownFilter": {"breakdown": "$current_url", "breakdown_normalize_url": True},
        "compareFilter": {"compare": True, "compare_to": "-1y"}})  # fmt: skip
    notes = [*one(left).notes, *one(compared).notes]
    assert [note.split("; ")[0] for note in notes] == [
        "There an excluded event leaves somebody out",
        "Its line went between two of its steps",
        "Its groups were addresses made alike",
        "It stood beside -1y",
    ]


def test_what_lies_beside_is_not_passed_over() -> None:
    found = became({"id": 9, "name": "Odd"}, insight({"kind": "TrendsQuery", "series": [event("a")]}))
    assert [(each.foreign, isinstance(each, LeftOut)) for each in found] == [("insight 1", False), ("thing 9", True)]


@pytest.mark.parametrize("document", [None, 7, "x", [], {}, {"flags": [{"key": "a"}]}, [{"id": 1}], {"results": "x"}])
def test_a_file_of_something_else_is_refused(document: Any) -> None:
    with pytest.raises(Unreadable, match="none of the exports"):
        read_definitions([document])


def test_nonsense_inside_is_left_out_and_nothing_breaks() -> None:
    deep: Any = PRO
    for _ in range(1_000):
        deep = {"type": "AND", "values": [deep]}
    for query in (
        {"kind": "TrendsQuery", "series": [event("a", properties=deep)]},
        {"kind": "FunnelsQuery", "series": [event("a")], "funnelsFilter": {"funnelWindowInterval": "soon"}},
        {"kind": "FunnelsQuery", "series": [event("a")], "funnelsFilter": {"funnelWindowInterval": float("nan")}},
        {"kind": ["x"]},
    ):
        (found,) = became(insight(query))
        assert isinstance(found, LeftOut), query
    assert isinstance(became(insight({"kind": "TrendsQuery", "series": "a", "breakdownFilter": 7}))[0], Incoming)


@pytest.mark.parametrize(
    "malformed",
    [
        {"id": 1, "query": {"kind": "TrendsQuery", "series": [], "trendsFilter": {"smoothingIntervals": 10**400}}},
        {"id": 1, "filters": {"insight": "TRENDS", "events": [{"id": "a", "order": "x"}, {"id": "b", "order": 1}]}},
        {
            "id": "f",
            "metricType": "quantile",
            "numerator": {"rowFilters": [{"column": "event", "values": ["a"]}], "column": "v"},
            "quantileSettings": {"type": "event", "quantile": [1]},
        },
    ],
)
def test_what_no_tool_writes_is_left_out_alone(malformed: dict[str, Any]) -> None:
    (found,) = read_definitions([[malformed]])[1]
    assert isinstance(found, LeftOut)
    assert found.why == "a part of it is not what it should be"
