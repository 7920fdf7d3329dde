"""What an experiment could show, told from the past; and lots drawn among people of the past."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.experiments.world import event, long_ago, write
from whytree.analytics.services import create_metric
from whytree.flags.services import set_rules

Ran = Callable[..., Any]
PATH = "/products/sprout/experiments/design"


def past(people: int, *, share: float = 0.3, days: float = 55, seed: int = 1, whale: bool = False) -> Iterator[Any]:
    """People who sign up evenly over the last weeks, and plant within a week or not."""
    rng = random.Random(seed)
    for person in range(1, people + 1):
        entry = rng.uniform(0.01, days)
        yield event(person, "signed_up", long_ago(entry))
        if rng.random() < share:
            yield event(person, "planted", long_ago(entry - min(entry, rng.uniform(0, 6.9))))
        for _ in range(400 if whale and person == 1 else rng.randrange(3)):
            yield event(person, "ordered", long_ago(entry - min(entry, 1)))


def test_traffic_and_spread_are_the_products_own(api: Any, store: Any, product: Any, flag: Any) -> None:
    write(store, product, past(4_000))
    told = api.get(f"{PATH}?flag=ask_later&days=28").ok["outlook"]
    assert told["per_week"] == pytest.approx(4_000 / 55 * 7, rel=0.1)
    assert told["baseline"] == pytest.approx(30, abs=3)
    assert told["who"] == "do “signed_up”"
    # three of four weeks count, half of them in each arm: Fleiss, Levin and Paik by hand
    n = 4_000 / 55 * 21 / 2
    by_hand = 100 * 2.8 * (2 * 0.3 * 0.7 / n) ** 0.5
    assert told["smallest"] == pytest.approx(by_hand, rel=0.08)
    assert (told["predicted"], told["enough"]) == (4.0, False)
    smallest = [week["smallest"] for week in told["weeks"]]
    assert smallest[0] is None, "with a window of a week, nobody's time is over after one"
    assert smallest[1:] == sorted(smallest[1:], reverse=True)


def test_too_few_users_is_an_answer_with_ways_out(api: Any, store: Any, product: Any, flag: Any, as_alice: Any) -> None:
    write(store, product, past(1_600))
    told = api.get(f"{PATH}?flag=ask_later&days=28").ok["outlook"]
    assert "people a week do “signed_up”. Four weeks of them can show" in told["sentence"]
    assert "only 4 points were predicted" in told["sentence"]
    assert any("Watch five people" in way for way in told["instead"])
    assert any(way.startswith("Run it") for way in told["instead"])
    page = as_alice.get("/p/sprout/experiments/new?flag=ask_later&days=28").content.decode()
    assert "Too few users for this size of effect. Instead:" in page
    assert "<svg" in page


def test_the_five_people_it_speaks_of_are_exact() -> None:
    from whytree.engines.stats import Estimate, exact_proportion

    five = exact_proportion(5, 5)
    assert isinstance(five, Estimate)
    assert (five.low, five.high) == (pytest.approx(0.4782, abs=1e-4), 1.0)  # Clopper and Pearson's table
    assert pytest.approx(0.87, abs=0.005) == 1 - (1 - 1 / 3) ** 5


def test_a_larger_effect_is_found_more_often_and_looking_costs(api: Any, store: Any, product: Any, flag: Any) -> None:
    write(store, product, past(4_000))
    once = api.get(f"{PATH}?flag=ask_later&days=28&effect=9").ok["outlook"]
    always = api.get(f"{PATH}?flag=ask_later&days=28&effect=9&looks=always").ok["outlook"]
    assert once["enough"]
    assert once["chance"] > always["chance"]
    assert always["smallest"] > 1.2 * once["smallest"]
    chances = [chance for _, chance in once["curve"]]
    assert chances == sorted(chances)
    assert chances[0] == pytest.approx(5, abs=0.01), "of no effect, a twentieth is claimed"


def test_a_thin_past_is_no_answer_and_says_what_would_help(api: Any, store: Any, flag: Any, as_alice: Any) -> None:
    answer = api.get(f"{PATH}?flag=ask_later").ok
    assert answer["outlook"] is None
    assert "the past says too little about the future" in answer["reason"]
    assert "the past says too little" in as_alice.get("/p/sprout/experiments/new?flag=ask_later").content.decode()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "Which metric decides?"),
        ("?metric=none", "There is no metric"),
        ("?metric=activated&days=900", "1 to 366 days"),
        ("?metric=activated&looks=often", "once or always"),
        ("?metric=activated&coverage_percent=0", "more than 0 %"),
    ],
)
def test_what_cannot_be_asked_is_said(api: Any, flag: Any, query: str, says: str) -> None:
    answer = api.get(PATH + query)
    assert answer.status in (400, 404)
    assert says in answer.body["message"]


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["activated", "orders"])
def test_lots_among_people_of_the_past_claim_as_often_as_promised(
    api: Any, store: Any, product: Any, flag: Any, metric: str
) -> None:
    write(store, product, past(3_000))
    lots = api.get(f"{PATH}?metric={metric}&lots=true").ok["aa"]
    assert lots["drawings"] == 500
    assert lots["low"] <= 0.05 <= lots["high"]
    assert lots["ok"]
    assert "metric and draw behave" in lots["sentence"]
    assert lots["people"] < 3_000, "whose window is open is in no drawing"


RATIO = {"kind": "ratio", "top": {"event": "ordered"}, "bottom": {"event": "opened"}}
MEDIAN = {"kind": "quantile", "event": "ordered", "property": "cost", "percentile": 50}
HOW_LONG = {"kind": "time_to", "from": "signed_up", "to": "planted", "within_days": 7, "percentile": 25, "in": "hours"}


class Crowd:
    """People in companies who sign up, open and order; as rows, and as numbers."""

    def __init__(self, people: int = 1_500, companies: int = 150, days: float = 55) -> None:
        rng = random.Random(2)
        self.rows: list[Any] = []
        self.orders, self.opened, self.planted, self.company = [], [], [], []
        self.costs: list[float] = []
        moods = [rng.uniform(0.1, 0.7) for _ in range(companies)]
        for person in range(1, people + 1):
            entry, company = rng.uniform(9, days), rng.randrange(companies)
            said = {"$groups.company": f"c{company}"}
            orders, opened, planted = rng.randrange(4), rng.randint(1, 5), rng.random() < moods[company]
            self.rows.append(event(person, "signed_up", long_ago(entry)) | {"properties": said})
            self.rows += [event(person, "opened", long_ago(entry - 1)) | {"properties": said} for _ in range(opened)]
            for _ in range(orders):
                cost = rng.lognormvariate(2.0, 0.7)
                self.costs.append(cost)
                ordered = event(person, "ordered", long_ago(entry - rng.uniform(0.1, 6)))
                self.rows.append(ordered | {"properties": said | {"cost": str(cost)}})
            if planted:
                after = rng.expovariate(1 / 20.0) / 24
                self.rows.append(event(person, "planted", long_ago(entry - min(after, 6.9))) | {"properties": said})
            self.orders.append(orders)
            self.opened.append(opened)
            self.planted.append(planted)
            self.company.append(company)


@pytest.fixture
def crowd(store: Any, product: Any, actor: Any, flag: Any) -> Crowd:
    made = Crowd()
    write(store, product, made.rows)
    for key, definition in (("ratio", RATIO), ("median", MEDIAN), ("how_long", HOW_LONG)):
        create_metric(actor, product, key=key, definition={"version": 1, **definition})
    return made


def by_hand(deviation: float, told: Any) -> float:
    """Found in four of five experiments: 1.96 + 0.84 errors, for the units that four weeks count."""
    n = next(week["people"] for week in told["weeks"] if week["weeks"] == 4) / 2
    return 2.8016 * deviation * (2 / n) ** 0.5


def test_ratios_and_percentiles_are_told_with_the_error_that_an_experiment_has(api: Any, crowd: Crowd) -> None:
    told = api.get(f"{PATH}?metric=ratio&days=28").ok["outlook"]
    top, bottom = np.array(crowd.orders, float), np.array(crowd.opened, float)
    ratio = top.sum() / bottom.sum()
    assert told["baseline"] == pytest.approx(ratio)
    spread = np.std((top - ratio * bottom) / bottom.mean(), ddof=1)
    assert told["deviation"] == pytest.approx(spread)
    assert told["smallest"] == pytest.approx(by_hand(spread, told), rel=0.01)
    told = api.get(f"{PATH}?metric=median&days=28").ok["outlook"]
    assert told["baseline"] == pytest.approx(np.median(crowd.costs))
    rng, n = np.random.default_rng(1), len(crowd.costs)
    again = np.std([np.median(rng.choice(crowd.costs, n)) for _ in range(400)])
    assert told["deviation"] == pytest.approx(again * told["measured"] ** 0.5, rel=0.25)
    assert told["smallest"] == pytest.approx(by_hand(told["deviation"], told), rel=0.01)
    told = api.get(f"{PATH}?metric=how_long&days=28").ok["outlook"]
    assert (told["unit"], told["who"]) == ("hours", "do “signed_up”")
    assert 5 < told["baseline"] < 60


def test_where_companies_are_drawn_it_is_told_of_companies(
    api: Any, crowd: Crowd, actor: Any, product: Any, as_alice: Any
) -> None:
    set_rules(actor, product, "ask_later", unit="company")
    told = api.get(f"{PATH}?flag=ask_later&days=42").ok["outlook"]
    company = np.array(crowd.company)
    sums = np.array([np.array(crowd.planted)[company == one].sum() for one in set(crowd.company)], float)
    sizes = np.array([(company == one).sum() for one in set(crowd.company)], float)
    share = sums.sum() / sizes.sum()
    assert (told["whom"], told["measured"]) == ("companies", len(sizes))
    assert told["baseline"] == pytest.approx(100 * share)
    assert told["deviation"] == pytest.approx(100 * np.std((sums - share * sizes) / sizes.mean(), ddof=1))
    assert "companies a week do “signed_up”" in told["sentence"]
    page = as_alice.get("/p/sprout/experiments/new?flag=ask_later&days=42").content.decode()
    assert "Companies counted" in page


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["ratio", "median", "how_long", "companies"])
def test_lots_are_judged_as_an_experiment_judges_each_kind(
    api: Any, crowd: Crowd, actor: Any, product: Any, metric: str
) -> None:
    if metric == "companies":
        set_rules(actor, product, "ask_later", unit="company")
    asked = "flag=ask_later" if metric == "companies" else f"metric={metric}"
    lots = api.get(f"{PATH}?{asked}&lots=true").ok["aa"]
    assert lots["drawings"] > 450
    assert 0.02 <= lots["rate"] <= 0.08
    assert lots["uneven"] <= 2


def test_lots_show_a_metric_that_one_person_carries(api: Any, store: Any, product: Any, flag: Any) -> None:
    """With one enormous customer a t interval covers nearly always, and finds nothing: that shows as too few claims."""
    write(store, product, past(1_500, whale=True))
    lots = api.get(f"{PATH}?metric=orders&lots=true").ok["aa"]
    assert not lots["ok"]
    assert lots["rate"] < 0.02
    assert "so it will also miss effects" in lots["sentence"]


def test_a_plan_on_the_page_becomes_an_experiment(
    as_alice: Any, as_viewer: Any, flag: Any, store: Any, product: Any
) -> None:
    write(store, product, past(1_600))
    sent = {"flag": "ask_later", "also": ["orders", "spam"], "days": "35", "looks": "always", "rule": "better"}
    assert as_viewer.post("/p/sprout/experiments/new", sent).status_code == 403
    asked = as_alice.get("/p/sprout/experiments/new?csrfmiddlewaretoken=x&flag=ask_later")
    assert asked["Location"] == "/p/sprout/experiments/new?flag=ask_later"
    answer = as_alice.post("/p/sprout/experiments/new", sent)
    assert answer["Location"] == "/p/sprout/experiments/EXP-1"
    page = as_alice.get("/p/sprout/experiments/EXP-1?lots").content.decode()
    assert "What it could show" in page
    assert "Lots were drawn 500 times" in page
    from whytree.experiments.models import Experiment

    design = Experiment.objects.get().design
    assert (design.days, design.looks) == (35, "always")
    assert [(one.key, one.role) for one in design.metrics] == [
        ("activated", "primary"),
        ("orders", "secondary"),
        ("spam", "guardrail"),
    ]
    assert "is no number of days" in as_alice.post("/p/sprout/experiments/new", {**sent, "days": "x"}).content.decode()
