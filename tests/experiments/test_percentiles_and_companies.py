"""Percentiles, times, and companies that are drawn: what the store sums up is what the estimators say of the raw numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from tests.experiments.world import event, exposure, long_ago, write
from whytree.analytics.services import create_metric
from whytree.engines.stats import NoAnswer
from whytree.engines.stats.effects import Effect
from whytree.engines.stats.moments import Moments
from whytree.engines.stats.quantiles import compare_quantiles, quantile
from whytree.engines.stats.ratios import compare_clusters
from whytree.errors import Invalid
from whytree.experiments.services import create_experiment, start_experiment
from whytree.experiments.underway.countings import counting
from whytree.experiments.underway.trial import Counted, Trial
from whytree.flags.queries import Period

DAYS = 30
LOADED = {"kind": "quantile", "event": "loaded", "property": "seconds", "percentile": 50}
PLANTED_IN = {"kind": "time_to", "from": "met", "to": "planted", "within_days": 7, "percentile": 50, "in": "hours"}
PLANTED = {"kind": "conversion", "from": "met", "to": "planted", "within_days": 7}
OF_COMPANIES = PLANTED | {"by_company": True}
METRICS = {"loaded": LOADED, "planted_in": PLANTED_IN, "planted": PLANTED, "companies": OF_COMPANIES}


class Lives:
    """People in companies of unequal size, each company in one arm; as rows, and as the numbers that the rows should make."""

    def __init__(self, companies: int = 80, slower: float = 0.0) -> None:
        rng = random.Random(3)
        self.rows: list[dict[str, Any]] = []
        self.loads: dict[str, list[tuple[int, float]]] = {"off": [], "on": []}
        self.times: dict[str, list[tuple[int, float]]] = {"off": [], "on": []}
        person = 0
        for company in range(companies):
            arm, mood = ("off", "on")[company % 2], rng.uniform(0.3, 0.9)
            for _ in range(rng.randint(2, 20)):
                person += 1
                self._live(rng, person, company, arm, mood, slower if arm == "on" else 0.0)

    def _live(self, rng: random.Random, person: int, company: int, arm: str, mood: float, slower: float) -> None:
        entry = rng.uniform(9, 25)
        said = {"$groups.company": f"c{company}"}
        met = exposure(person, arm, long_ago(entry))
        self.rows.append(met | {"properties": met["properties"] | said})
        for _ in range(rng.randint(1, 3)):
            seconds = round(rng.lognormvariate(0, 0.5) + slower, 6)
            happened = event(person, "loaded", long_ago(entry - rng.uniform(0.01, 6.9)))
            self.rows.append(happened | {"properties": said | {"seconds": str(seconds)}})
            self.loads[arm].append((company, seconds))
        hours = rng.expovariate(1 / 30.0) if rng.random() < mood else 1e9
        if hours < 24 * 7:
            at = met["timestamp"] + timedelta(hours=hours)
            self.rows.append(event(person, "planted", at) | {"properties": said})
        self.times[arm].append((company, hours if hours < 24 * 7 else np.inf))

    def of(self, numbers: dict[str, list[tuple[int, float]]], arm: str) -> tuple[np.ndarray, np.ndarray]:
        """Values, and whose they are."""
        return np.array([value for _, value in numbers[arm]]), np.array([float(who) for who, _ in numbers[arm]])


@pytest.fixture
def lives(store: Any, product: Any) -> Lives:
    made = Lives()
    write(store, product, made.rows)
    return made


@pytest.fixture
def known(actor: Any, product: Any) -> dict[str, Any]:
    return {
        key: create_metric(actor, product, key=key, definition={"version": 1, **said}) for key, said in METRICS.items()
    }


def trial(product: Any, unit: Any = "person") -> Trial:
    weights = [Period(long_ago(DAYS), timezone.now(), 10_000, {"off": 1, "on": 1})]
    return Trial(product, "ask_later", weights, timezone.now(), unit=unit)


def counted(product: Any, metrics: Sequence[Any], unit: Any = "person") -> list[Counted]:
    return trial(product, unit).count([counting(one, timedelta(days=28), unit) for one in metrics])


def test_a_time_runs_over_everybody_who_was_exposed(lives: Lives, product: Any, known: dict[str, Any]) -> None:
    (found,) = counted(product, [known["planted_in"]])
    arms = [quantile(lives.of(lives.times, arm)[0], 0.5) for arm in ("off", "on")]
    assert not any(isinstance(one, NoAnswer) for one in arms)
    wanted = compare_quantiles(*arms)  # type: ignore[arg-type]
    effect = found.compare("off", "on")
    assert isinstance(effect, Effect)
    assert effect.difference.n == sum(len(lives.times[arm]) for arm in ("off", "on"))
    assert effect.difference.value == pytest.approx(wanted.difference.value, abs=1e-3)
    assert effect.difference.high == pytest.approx(wanted.difference.high, rel=0.05, abs=0.2)
    assert found.value("off") == pytest.approx(effect.control)
    assert (found.counting.kind, found.counting.unit) == ("quantile", "hours")


def test_a_time_that_too_few_reach_is_no_answer(lives: Lives, product: Any, known: dict[str, Any]) -> None:
    (found,) = counted(product, [known["planted_in"]])
    late = replace(found.counting, placing=replace(found.counting.placing, share=0.9))  # type: ignore[type-var]
    answer = trial(product).count([late])[0].compare("off", "on")
    assert isinstance(answer, NoAnswer)
    assert "The share who got there" in answer.reason


def test_a_percentile_counts_people_and_not_their_rows(lives: Lives, product: Any, known: dict[str, Any]) -> None:
    (found,) = counted(product, [known["loaded"]])
    (gathered,) = counted(product, [known["loaded"]], "company")
    effect, of_companies = found.compare("off", "on"), gathered.compare("off", "on")
    assert isinstance(effect, Effect)
    assert isinstance(of_companies, Effect)
    arms = [quantile(*_shared(lives.of(lives.loads, arm))) for arm in ("off", "on")]
    wanted = compare_quantiles(*arms)  # type: ignore[arg-type]
    assert of_companies.difference.method == "order statistics, clustered"
    assert (of_companies.n_control, of_companies.n_treatment) == (40, 40)
    for mine in (effect, of_companies):
        assert mine.difference.value == pytest.approx(wanted.difference.value)
    assert of_companies.error == pytest.approx(wanted.error, rel=1e-6)


def _shared(of: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, float, np.ndarray]:
    return of[0], 0.5, of[1]


def test_people_in_drawn_companies_have_the_error_of_companies(
    lives: Lives, product: Any, known: dict[str, Any]
) -> None:
    people, companies = counted(product, [known["planted"], known["companies"]], "company")
    (alone,) = counted(product, [known["planted"]])
    effect, naive, whole = (one.compare("off", "on") for one in (people, alone, companies))
    assert isinstance(effect, Effect)
    assert isinstance(naive, Effect)
    assert isinstance(whole, Effect)

    def sums(arm: str) -> Moments:
        values, whose = lives.of(lives.times, arm)
        ids = np.unique(whose)
        did = [float(np.isfinite(values[whose == one]).sum()) for one in ids]
        return Moments.of(did, [float((whose == one).sum()) for one in ids])

    wanted = compare_clusters(sums("off"), sums("on"))
    assert isinstance(wanted, Effect)
    assert (effect.difference.low, effect.difference.high) == pytest.approx(
        (wanted.difference.low, wanted.difference.high)
    )
    assert (effect.n_control, effect.difference.method) == (40, "delta, clusters drawn")
    assert effect.difference.value == pytest.approx(naive.difference.value), "the same shares of people"
    assert effect.error > 1.2 * naive.error, "companies are alike within"
    assert sum(cell.people for cell in people.cells) == sum(len(one) for one in lives.times.values())
    assert (whole.n_control, whole.n_treatment) == (40, 40)
    assert whole.control > effect.control, "some of a company's people plant more often than one of them"


def test_a_company_seen_in_two_arms_is_left_out(store: Any, product: Any, known: dict[str, Any]) -> None:
    made = Lives()
    said = {"$groups.company": "c0"}
    first = min(one["timestamp"] for one in made.rows if one["properties"]["$groups.company"] == "c0")
    strays = [exposure(9_000 + at, "on", first + timedelta(hours=1)) for at in range(3)]
    write(store, product, made.rows + [one | {"properties": one["properties"] | said} for one in strays])
    people, companies = counted(product, [known["planted"], known["companies"]], "company")
    for found in (people, companies):
        assert sum(cell.quarantined for cell in found.cells) == 1
        assert found.closed("off") == 39


def test_an_experiment_on_companies_from_plan_to_page(
    lives: Lives, actor: Any, product: Any, metrics: Any, flag: Any, known: dict[str, Any], api: Any, as_alice: Any
) -> None:
    plan = {
        "metrics": [
            {"key": "activated", "role": "primary"},
            {"key": "loaded", "role": "guardrail", "margin": 1.0, "harms": "up"},
            {"key": "companies"},
        ],
        "days": 28,
    }
    with pytest.raises(Invalid, match="draw companies"):
        create_experiment(actor, product, flag=flag, plan=plan)
    type(flag).objects.update(unit="company")  # as if it always had been
    flag.refresh_from_db()
    made = create_experiment(actor, product, flag=flag, plan=plan)
    assert made.design.unit == "company"
    start_experiment(actor, made, at=long_ago(29))
    found = api.get(f"/products/sprout/experiments/{made.ref}").ok
    assert "companies" in found["setting"]
    result = found["result"]["analysis"]
    assert (result["unit"], sum(result["units"].values())) == ("company", 80)
    primary, rail, whole = (one["comparisons"][0] for one in result["metrics"])
    assert (rail["standing"], rail["n_control"]) == ("not worse", 40)
    assert rail["difference"]["method"] == "order statistics, clustered"
    assert primary["difference"]["method"] == "delta, clusters drawn"
    assert whole["difference"] is not None
    page = as_alice.get(f"/p/sprout/experiments/{made.ref}").content.decode()
    assert "2 arms · companies" in page


def test_a_percentile_takes_no_cap(actor: Any, product: Any, metrics: Any, flag: Any, known: dict[str, Any]) -> None:
    plan = {"metrics": [{"key": "activated", "role": "primary"}, {"key": "loaded", "cap": "p99"}]}
    with pytest.raises(Invalid, match="no largest value moves"):
        create_experiment(actor, product, flag=flag, plan=plan)
