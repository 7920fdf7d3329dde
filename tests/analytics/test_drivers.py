"""What goes with coming further: a known effect is found with its size, and of many that mean nothing none is claimed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

ASK = "/products/sprout/ask"
FUNNEL = {"version": 1, "kind": "funnel", "steps": ["opened", "paid"], "within": "1d"}
START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def people(store: Any, product: Any) -> Any:
    """600 people: of those on `pro` 60 % pay, of the others 30 %; whoever asks for help first pays no less often."""
    draw = random.Random(7)
    rows: list[dict[str, Any]] = []

    def happened(person: int, event: str, seconds: float, **properties: str) -> None:
        at = START + timedelta(seconds=seconds)
        rows.append(
            {
                "product": product.pk,
                "person": person,
                "timestamp": at,
                "event": event,
                "event_id": len(rows),
                "distinct_id": str(person),
                "received_at": at,
                "properties": properties,
            }
        )

    for person in range(1, 601):
        pro = person % 2 == 0
        noise = {f"noise{number}": draw.choice("ab") for number in range(12)}
        begun = person * 10.0
        happened(person, "opened", begun, plan="pro" if pro else "free", session=f"s{person}", **noise)
        if draw.random() < 0.4:
            happened(person, "asked for help", begun + 20)
        if draw.random() < (0.6 if pro else 0.3):
            happened(person, "paid", begun + 60 + draw.random() * 600, plan="pro" if pro else "free")
    store.insert("events", rows)


def test_a_known_effect_is_found_and_noise_is_not(api: Any, people: None) -> None:
    found = api.post(f"{ASK}/drivers", {"question": FUNNEL}).ok
    holding = [one for one in found["drivers"] if one["holds"]]
    assert {(one["name"], one["value"]) for one in holding} == {("plan", "pro"), ("plan", "free")}
    pro = next(one for one in holding if one["value"] == "pro")
    assert pro["low"] < 30 < pro["high"]
    assert pro["people"] == 300
    assert pro["with_it"]["value"] - pro["without_it"]["value"] == pytest.approx(pro["difference"])
    assert found["looked_at"] == 2 + 24 + 1  # both plans, twelve coins' sides, one event; nobody's own session
    assert "plan = " in found["sentence"]
    assert any(one["kind"] == "event" for one in found["drivers"])


def test_what_people_did_counts_for_the_same_time_for_all(api: Any, people: None) -> None:
    found = api.post(f"{ASK}/drivers", {"question": FUNNEL}).ok
    took = api.post(ASK, {"question": FUNNEL | {"times": True}}).ok["took"][-1]
    assert found["landmark"] == pytest.approx(took["quarter"], abs=1)
    (event,) = [one for one in found["drivers"] if one["kind"] == "event"]
    assert not event["holds"]


def test_too_few_are_told_in_a_sentence(api: Any, store: Any, product: Any) -> None:
    rows = [
        {"product": product.pk, "person": n, "event": event, "timestamp": START, "distinct_id": str(n)}
        for n in range(5)
        for event in ("opened", "paid")
    ]
    store.insert("events", rows)
    found = api.post(f"{ASK}/drivers", {"question": FUNNEL}).ok
    assert found["drivers"] == []
    assert "nothing told two groups of 20 or more apart" in found["sentence"]


@pytest.mark.parametrize(
    "asked",
    [
        {"question": {"version": 1, "kind": "trends", "series": ["opened"]}},
        {"question": FUNNEL | {"order": "any"}},
        {"question": FUNNEL, "from_step": 2, "to_step": 2},
        {"question": FUNNEL, "from_step": 1, "to_step": 9},
    ],
)
def test_what_has_no_way_from_step_to_step_is_refused(api: Any, people: None, asked: dict[str, Any]) -> None:
    assert api.post(f"{ASK}/drivers", asked).status == 400


def test_depth_at_the_api_and_on_the_page(api: Any, as_viewer: Any, people: None) -> None:
    question = FUNNEL | {
        "steps": ["opened", {"event": "asked for help", "optional": True}, "paid"],
        "times": True,
        "over": "day",
        "by": ["plan", "noise1"],
    }
    answer = api.post(ASK, {"question": question}).ok
    assert [step["optional"] for step in answer["steps"]] == [False, True, False]
    assert answer["pairs"] == [
        {"from_step": 1, "to_step": 3, "share": answer["steps"][2]["of_first"]},
    ]
    assert sum(one["people"] for one in answer["took"][-1]["bins"]) == answer["took"][-1]["people"]
    assert sum(began["steps"][0]["people"] for began in answer["over"]) == 600
    assert answer["by"] == "plan · noise1"
    assert {group["value"] for group in answer["groups"]} == {
        f"{plan} · {side}" for plan in ("pro", "free") for side in "ab"
    }
    for view, said in {
        "time": "took",
        "over": "Came to the end",
        "drivers": "Benjamini",
        "": "Came to the end",
    }.items():
        path = f"/p/sprout/ask/funnel?event=opened&event=asked+for+help%3F&event=paid&within=1d&by=plan&view={view}"
        assert said in as_viewer.get(path).content.decode(), view


def test_trends_formula_the_period_before_and_groups(api: Any, as_viewer: Any, people: None) -> None:
    question = {
        "version": 1,
        "kind": "trends",
        "series": ["opened", "paid"],
        "measure": "people",
        "interval": "hour",
        "formula": "B / A * 100",
        "by": "plan",
    }
    lines = api.post(ASK, {"question": question}).ok["lines"]
    assert {line["value"] for line in lines} == {"pro", "free"}
    assert all(each["value"] is None or each["value"] >= 0 for line in lines for each in line["stretches"])
    plain = {"version": 1, "kind": "trends", "series": ["opened"], "interval": "day", "previous": True}
    alone = api.post(ASK, {"question": plain})  # nothing came before all there is: a zero there would lie
    assert (alone.status, "no period before it" in alone.body["message"]) == (400, True)
    both = api.post(ASK, {"question": plain | {"days": 5}}).ok["lines"]
    assert [line["earlier"] for line in both] == [False, True]
    added = {"version": 1, "kind": "trends", "series": ["opened"], "interval": "hour", "cumulative": True}
    assert api.post(ASK, {"question": added}).ok["lines"][0]["stretches"][-1]["value"] == 600
    assert (
        as_viewer.get("/p/sprout/ask/trends?event=opened&previous=1&smooth=2&interval=hour&days=7").status_code == 200
    )
