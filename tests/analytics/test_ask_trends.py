"""Trends and retention at all doors."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from .conftest import _row

ASK = "/products/sprout/ask"
TRENDS: dict[str, Any] = {"version": 1, "kind": "trends", "series": ["planted"], "interval": "day"}
RETENTION: dict[str, Any] = {
    "version": 1,
    "kind": "retention",
    "begin": "signed_up",
    "back": "planted",
    "interval": "day",
}

pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


def test_every_stretch_is_there_also_an_empty_one(api: Any) -> None:
    answer = api.post(ASK, {"question": TRENDS | {"days": 12, "measure": "people"}}).ok
    (line,) = answer["lines"]
    assert len(line["stretches"]) == 13
    assert sum(each["value"] for each in line["stretches"]) == 4
    assert (line["stretches"][0]["complete"], line["stretches"][-1]["complete"]) == (False, False)
    busy = next(each for each in line["stretches"] if each["value"] == 3)
    assert busy["low"] < 3 < busy["high"]
    assert answer["n"] == 4


def test_a_number_that_did_not_come_is_no_zero(api: Any) -> None:
    answer = api.post(ASK, {"question": TRENDS | {"measure": "mean:path"}}).ok
    assert answer["sentence"] == "No number came as “path” with “planted”."
    assert {each["value"] for each in answer["lines"][0]["stretches"]} == {None}


def test_what_is_no_count_is_not_told_as_one(api: Any, store: Any, product: Any) -> None:
    store.insert("events", [_row(product, 1, "weighed", 1) | {"properties": {"grams": "36"}}])
    asked = {"version": 1, "kind": "trends", "series": ["weighed"], "measure": "p90:grams", "interval": "whole"}
    assert api.post(ASK, {"question": asked}).ok["sentence"] == "P90 of grams of “weighed”: 36."
    assert api.post(ASK, {"question": asked | {"measure": "average"}}).ok["sentence"] == "“weighed”: 1 a person."


def test_the_whole_time_is_one_bar_a_line(api: Any, as_viewer: Any, happened: Callable[..., None]) -> None:
    for days_ago in (1, 2, 9):
        happened(1, "planted", days_ago)
    asked = TRENDS | {"series": ["planted"], "measure": "people", "interval": "whole", "days": 5, "previous": True}
    answer = api.post(ASK, {"question": asked}).ok
    now, before = ([one["value"] for one in line["stretches"]] for line in answer["lines"])
    assert (now, answer["n"]) == ([float(answer["n"])], answer["n"])
    assert len(before) == 1
    assert f"“planted”: {answer['n']} people; " in answer["sentence"]
    behind = api.post(
        f"{ASK}/people", {"question": asked, "part": {"start": answer["lines"][0]["stretches"][0]["start"]}}
    )
    assert behind.ok["total"] == answer["n"]
    total = api.post(ASK, {"question": TRENDS | {"series": ["planted"], "interval": "whole"}}).ok
    each = api.post(ASK, {"question": TRENDS | {"series": ["planted"], "interval": "day"}}).ok
    assert total["lines"][0]["stretches"][0]["value"] == sum(one["value"] for one in each["lines"][0]["stretches"])
    page = as_viewer.get(
        "/p/sprout/ask/trends?event=planted&event=signed_up&interval=whole&by=platform"
    ).content.decode()
    assert page.count('class="bar"') == 2
    assert as_viewer.get("/p/sprout/ask/trends.svg?event=planted&interval=whole").status_code == 200
    refused = api.post(ASK, {"question": TRENDS | {"interval": "whole", "smooth": 7}})
    assert "nothing to add up" in refused.body["message"]


def test_more_points_than_anybody_reads_are_refused(api: Any, happened: Callable[..., None]) -> None:
    happened(9, "planted", 200)
    refused = api.post(ASK, {"question": TRENDS | {"interval": "hour"}})
    assert refused.status == 400
    assert "Take a longer interval than hour" in refused.body["message"]


def test_who_comes_back(api: Any) -> None:
    answer = api.post(ASK, {"question": RETENTION | {"stretches": 3}}).ok
    assert answer["n"] == 6
    first = answer["cohorts"][0]
    assert [cell["people"] for cell in first["cells"]] in ([0, 3, 0, 0], [3, 0, 0, 0])  # by the hour this runs at
    assert answer["curve"][1]["share"] is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"series": []}, "1 to 25 series"),
        ({"measure": "guess"}, "“measure” cannot be"),
        ({"measure": "sum:"}, "“measure” cannot be"),
        ({"interval": "year"}, "hour, day, week, month"),
        ({"within": "1d"}, "no field within"),
    ],
)
def test_trends_say_what_to_write_instead(api: Any, change: dict[str, Any], said: str) -> None:
    refused = api.post(ASK, {"question": TRENDS | change})
    assert refused.status == 400
    assert said in refused.body["message"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"begin": ""}, "names an event"),
        ({"stretches": 0}, "1 to 60"),
        ({"interval": "hour"}, "day, week, month"),
        ({"first_time": 1}, "true or false"),
    ],
)
def test_retention_says_what_to_write_instead(api: Any, change: dict[str, Any], said: str) -> None:
    refused = api.post(ASK, {"question": RETENTION | change})
    assert refused.status == 400
    assert said in refused.body["message"]


def test_the_people_of_a_point_and_of_a_cell_are_named(api: Any) -> None:
    answer = api.post(ASK, {"question": TRENDS}).ok
    point = next(each for each in answer["lines"][0]["stretches"] if each["n"])
    behind = api.post(ASK + "/people", {"question": TRENDS, "part": {"start": point["start"]}}).ok
    assert behind["total"] > 0
    assert "in the" in behind["sentence"]
    came = {"version": 1, "kind": "retention", "begin": "signed_up", "back": "planted", "interval": "day"}
    cohort = api.post(ASK, {"question": came}).ok["cohorts"][0]
    part = {"start": cohort["start"], "after": 1}
    numbers = [
        api.post(ASK + "/people", {"question": came, "part": part | {"did": did}}).ok for did in ("back", "away")
    ]
    assert numbers[0]["total"] == cohort["cells"][1]["people"]
    assert sum(one["total"] for one in numbers) == cohort["people"]
    assert api.post(ASK + "/people", {"question": TRENDS, "part": {"series": 7}}).status == 400
    assert api.post(ASK + "/people", {"question": TRENDS, "part": {"start": "soon"}}).status == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("trends?event=planted&measure=people&interval=day&days=12", "By day, UTC time."),
        ("trends?event=planted&event=signed_up", "Counted:"),
        ("trends?event=planted&by=platform", "not said"),
        ("trends?event=planted&interval=hour&days=3", "Hour"),
        ("trends", "How much happens?"),
        ("retention?event=signed_up&event=planted&interval=day", "By when they began"),
        ("retention", "Who comes back?"),
    ],
)
def test_the_pages_answer(as_viewer: Any, query: str, said: str) -> None:
    answer = as_viewer.get(f"/p/sprout/ask/{query}")
    assert answer.status_code == 200
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("trends?event=planted&measure=sum", "“measure” cannot be"),
        ("trends?event=planed", "Did you mean “planted”?"),
        ("retention?event=signed_up&stretches=99", "1 to 60"),
        ("retention?event=signed_up&stretches=x", "no whole number"),
    ],
)
def test_the_pages_say_what_is_wrong(as_viewer: Any, query: str, said: str) -> None:
    answer = as_viewer.get(f"/p/sprout/ask/{query}")
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_the_figures_come_as_a_file(as_viewer: Any) -> None:
    trends = as_viewer.get("/p/sprout/ask/trends.csv?event=planted&interval=day").content.decode().splitlines()
    assert trends[0] == "series,group,period,start,value,low,high,n,complete"
    retention = as_viewer.get("/p/sprout/ask/retention.csv?event=signed_up").content.decode().splitlines()
    assert retention[0] == "began,people,after,back,percent,low,high,complete"
    assert as_viewer.get("/p/sprout/ask/guess.csv?event=a").status_code == 404


def test_strangers_see_nothing(as_charlie: Any) -> None:
    for kind in ("funnel", "trends", "retention"):
        assert as_charlie.get(f"/p/sprout/ask/{kind}").status_code == 404


def test_a_stretch_that_the_first_events_cut_is_not_whole(api: Any, happened: Callable[..., None]) -> None:
    happened(7, "watered", 45)
    happened(8, "watered", 1)
    answer = api.post(ASK, {"question": TRENDS | {"series": ["watered"], "interval": "month"}}).ok
    first = answer["lines"][0]["stretches"][0]
    assert first["complete"] == (answer["from_at"][8:10] == "01")


def test_a_column_is_read_with_the_property_of_its_name_where_one_was_sent(api: Any, store: Any, product: Any) -> None:
    at, where = timezone.now() - timedelta(days=1), [{"field": "platform", "operator": "is set"}]
    rows = [{"platform": "ios"}, {"platform": "ios"}, {"properties": {"plan": "pro"}}]
    for number, row in enumerate([*rows, {"properties": {"platform": "web"}}]):
        if number == len(rows):
            asked = {"version": 1, "kind": "trends", "series": ["seen"], "by": "platform", "where": where}
            assert [line["value"] for line in api.post("/products/sprout/ask", {"question": asked}).ok["lines"]] == [
                "ios"
            ]
        known = {"product": product.pk, "person": number + 1, "timestamp": at, "received_at": at, "event": "seen"}
        store.insert("events", [known | {"event_id": 900 + number, "distinct_id": str(number)} | row])
    asked = {"version": 1, "kind": "trends", "series": ["seen"], "by": "platform"}
    found = api.post("/products/sprout/ask", {"question": asked}).ok["lines"]
    assert sorted(line["value"] for line in found) == ["", "ios", "web"]


def test_the_people_behind_a_curve_are_those_it_counts(api: Any, happened: Callable[..., None]) -> None:
    """Who began yesterday may still come back: they are in no point whose stretch is not over, and have not stayed away."""
    happened(6, "planted", 0.1)
    question = {
        "version": 1,
        "kind": "retention",
        "begin": "signed_up",
        "back": "planted",
        "interval": "day",
        "stretches": 4,
    }
    answer = api.post(ASK, {"question": question}).ok
    for after, point in enumerate(answer["curve"]):
        counts = [
            api.post(f"{ASK}/people", {"question": question, "part": {"after": after, "did": did}}).ok["total"]
            for did in ("back", "away")
        ]
        assert counts == [point["back"], point["people"] - point["back"]]
    grouped = question | {"by": "platform"}
    answer = api.post(ASK, {"question": grouped}).ok
    (group,) = answer["groups"]
    part = {"after": 1, "did": "back", "group": group["value"]}
    assert api.post(f"{ASK}/people", {"question": grouped, "part": part}).ok["total"] == group["points"][1]["back"]
    refused = api.post(f"{ASK}/people", {"question": question, "part": part})
    assert (refused.status, "no groups" in refused.body["message"]) == (400, True)


def test_the_period_before_ends_where_this_one_begins(api: Any) -> None:
    """Its last stretch is cut there: drawn as a whole one it would look like a fall."""
    asked = TRENDS | {"series": ["planted"], "interval": "week", "days": 10, "previous": True}
    lines = api.post(ASK, {"question": asked}).ok["lines"]
    before = next(line for line in lines if line["earlier"])
    assert before["stretches"][-1]["complete"] is False
