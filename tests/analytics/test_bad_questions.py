"""What somebody may ask by mistake or on purpose: a clear sentence each, and an engine that is well afterwards."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

ASK = "/products/sprout/ask"


def funnel(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"question": {"version": 1, "kind": "funnel", "steps": list(steps), **more}}


@pytest.fixture
def rows(store: Any, product: Any) -> Any:
    """`rows([{...}, ...])`: events as they are, one a person unless it says."""

    def write(some: list[dict[str, Any]]) -> None:
        at = datetime.now(UTC) - timedelta(days=1)
        filled = [
            {
                "product": product.pk,
                "person": number + 1,
                "timestamp": at,
                "event": "opened",
                "event_id": number,
                "distinct_id": str(number + 1),
                "received_at": at,
                **one,
            }
            for number, one in enumerate(some)
        ]
        store.insert("events", filled)

    return write


def test_a_breakdown_by_ten_thousand_values_is_twelve_and_all_others(api: Any, rows: Any) -> None:
    rows([{"properties": {"id": str(number)}} for number in range(10_000)])
    groups = api.post(ASK, funnel("opened", by="id")).ok["groups"]
    assert [len(groups), groups[-1]["value"], groups[-1]["steps"][0]["people"]] == [13, None, 9_988]
    trends = {"question": {"version": 1, "kind": "trends", "series": ["opened"], "by": "id"}}
    assert len(api.post(ASK, trends).ok["lines"]) == 13


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){12}"])
def test_a_regex_that_explodes_elsewhere_does_not_here(api: Any, rows: Any, pattern: str) -> None:
    rows([{"properties": {"title": "a" * 5_000 + "!"}}])
    where = [{"field": "title", "operator": "matches", "values": [pattern]}]
    assert api.post(ASK, funnel("opened", where=where)).status == 200


@pytest.mark.parametrize("pattern", ["(", "(?<=a)b", "a{2000000}", "[z-a]"])
def test_a_regex_that_is_none_is_refused_in_a_sentence(api: Any, rows: Any, pattern: str) -> None:
    rows([{"properties": {"title": "guitar"}}])
    where = [{"field": "title", "operator": "matches", "values": [pattern]}]
    refused = api.post(ASK, funnel("opened", where=where))
    assert refused.status == 400
    assert "regular expression" in refused.body["message"]


def test_a_property_that_changes_its_type_is_read_as_what_it_can_be(api: Any, rows: Any) -> None:
    rows([{"properties": {"price": value}} for value in ("10", "12.5", "many", "true", "", "1e3", "0x10", " 7")])
    where = [{"field": "price", "operator": "above", "values": ["9"]}]
    assert api.post(ASK, funnel("opened", where=where)).ok["n"] == 3
    where = [{"field": "price", "operator": "above", "values": [9]}]  # a number, or a number as text: the same
    assert api.post(ASK, funnel("opened", where=where)).ok["n"] == 3
    summed = {"version": 1, "kind": "trends", "series": ["opened"], "measure": "sum:price", "interval": "month"}
    answer = api.post(ASK, {"question": summed}).ok
    assert sum(each["value"] for each in answer["lines"][0]["stretches"]) == pytest.approx(1_022.5, abs=8)


@pytest.mark.parametrize(
    "name", ["🌱 planted 🌱", "שלום \u202e", "a'b\"c\\d", "{v0:String}", "%s %(x)s", "x" * 400, "tab\tname"]
)
def test_any_name_that_can_be_sent_can_be_asked_for(api: Any, as_alice: Any, rows: Any, name: str) -> None:
    rows([{"event": name, "properties": {name: "1"}}])
    answer = api.post(
        ASK, funnel({"event": name, "where": [{"field": name, "operator": "is", "values": ["1"]}]}, by=name)
    ).ok
    assert (answer["n"], answer["groups"][0]["value"]) == (1, "1")
    page = as_alice.get("/p/sprout/ask/funnel", {"question": json.dumps(answer["question"])})
    assert page.status_code == 200


@pytest.mark.parametrize("name", ["a\x00b", "half \ud800", "", " ", "x" * 501])
def test_a_name_that_nothing_can_hold_is_refused(api: Any, rows: Any, name: str) -> None:
    rows([{}])
    assert api.post(ASK, funnel(name)).status == 400


@pytest.mark.parametrize("within", ["0d", "400d", "-1d", "soon", "1y", "99999999999d", 7, None])
def test_an_impossible_window_is_refused(api: Any, rows: Any, within: Any) -> None:
    rows([{}])
    refused = api.post(ASK, funnel("opened", within=within))
    assert refused.status == 400
    assert "Write it as 30m, 12h, 1d or 2w" in refused.body["message"]


def test_what_happened_before_1970_is_in_order(api: Any, rows: Any) -> None:
    moon = datetime(1969, 7, 20, 20, 17, tzinfo=UTC)
    rows([{"person": 1, "timestamp": moon}, {"person": 1, "event": "walked", "timestamp": moon + timedelta(hours=6)}])
    assert [step["people"] for step in api.post(ASK, funnel("opened", "walked", within="1d")).ok["steps"]] == [1, 1]
    question = {"version": 1, "kind": "trends", "series": ["opened"], "interval": "month"}
    line = api.post(ASK, {"question": question}).ok["lines"][0]
    assert line["stretches"][0]["start"] == "1969-07-01"


def test_a_question_past_its_limit_is_stopped_and_the_engine_is_well(
    api: Any, rows: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.stores.pieces import sql

    rows([{"properties": {"title": "a" * 200}} for _ in range(20_000)])
    monkeypatch.setitem(sql.ASKING, "max_execution_time", 0.001)
    where = [{"field": "title", "operator": "matches", "values": ["(.*b){10}"]}]
    refused = api.post(ASK, funnel("opened", "opened", "opened", where=where))
    assert refused.status == 503
    assert "Ask for a shorter period" in refused.body["message"]
    monkeypatch.undo()
    assert api.post(ASK, funnel("opened")).ok["n"] == 20_000


def test_five_thousand_names_of_properties_are_asked_for_like_one(api: Any, as_alice: Any, rows: Any) -> None:
    rows([{"properties": {f"p{person}_{name}": str(person) for name in range(10)}} for person in range(500)])
    where = [{"field": "p499_9", "operator": "is", "values": ["499"]}]
    assert api.post(ASK, funnel("opened", where=where)).ok["n"] == 1
    refused = api.post(ASK, funnel("opened", by="p499_99"))
    assert (refused.status, "Did you mean “p499_9”?" in refused.body["message"]) == (400, True)
    page = as_alice.get("/p/sprout/ask/trends", {"event": "opened"}).content.decode()
    assert page.count("<option") < 600  # a field offers the most frequent; any can be typed


def test_json_a_thousand_deep_is_refused(api: Any, rows: Any) -> None:
    rows([{}])
    tree = '{"any": [' * 1_000 + '{"field": "a", "operator": "is set"}' + "]}" * 1_000
    text = '{"question": {"version": 1, "kind": "funnel", "steps": ["opened"], "where": [' + tree + "]}}"
    refused = api.post_text(ASK, text)
    assert refused.status == 400
