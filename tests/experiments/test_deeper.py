"""After the answer: does the effect last, and what is it among those it could reach? In worlds whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.experiments.world import event, exposure, long_ago, write

Ran = Callable[..., Any]
PATH = "/products/sprout/experiments/EXP-1"


def curious(people: int, *, fades: bool, reach_moves: float = 0.0) -> list[dict[str, Any]]:
    """They order often on the first days of something new, or for good; a quarter ever opens the form."""
    rng, rows = random.Random(4), []
    for person in range(1, people + 1):
        arm, entry = ("off", "on")[person % 2], rng.uniform(15, 29)
        rows.append(exposure(person, arm, long_ago(entry)))
        opens = rng.random() < 0.25 + (reach_moves if arm == "on" else 0.0)
        if opens:
            rows.append(event(person, "opened_form", long_ago(entry - 0.01)))
        for day in range(14):
            more = 0.15 if arm == "on" and opens and (day < 7 or not fades) else 0.0
            if rng.random() < 0.2 + 4 * more * (1 if opens else 0):
                rows.append(event(person, "ordered", long_ago(entry - day - rng.uniform(0.02, 0.98))))
        if rng.random() < 0.3:
            rows.append(event(person, "planted", long_ago(entry - 2)))
    return rows


@pytest.fixture
def orders(ran: Ran, actor: Any, hypothesis: Any) -> None:
    type(hypothesis).objects.update(metric_key="orders", forecast_unit="")
    ran(30, metrics=[{"key": "orders", "role": "primary"}])


@pytest.mark.usefixtures("orders")
def test_an_effect_that_fades_is_told_from_one_that_stays(store: Any, product: Any, api: Any, as_alice: Any) -> None:
    write(store, product, curious(3_000, fades=True))
    found = api.get(f"{PATH}/novelty").ok
    assert [(one["start"], one["end"]) for one in found["stretches"]] == [(0, 1), (1, 3), (3, 7), (7, 14)]
    first, last = (found["stretches"][at]["metric"]["comparisons"][0]["difference"] for at in (0, -1))
    assert first["low"] > 0
    assert last["low"] < 0 < last["high"]
    (change,) = found["change"]["comparisons"]
    assert change["difference"]["value"] == pytest.approx(-0.15, abs=0.05)
    assert "faded between days 8 to 14 and days 1 to 7" in found["sentence"]
    assert found["people"] == 3_000
    page = as_alice.get("/p/sprout/experiments/EXP-1?novelty").content.decode()
    assert "The effect faded" in page
    assert "day 1" in page


@pytest.mark.usefixtures("orders")
def test_those_it_could_reach_show_more_and_the_rest_dilutes(store: Any, product: Any, api: Any, as_alice: Any) -> None:
    write(store, product, curious(3_000, fades=False))
    assert "No change of the effect" in api.get(f"{PATH}/novelty").ok["sentence"]
    found = api.get(f"{PATH}/triggered?event=opened_form").ok
    (one,) = found["arms"]
    whole = api.get(PATH).ok["result"]["analysis"]["metrics"][0]["comparisons"][0]["difference"]
    assert one["share"] == pytest.approx(0.25, abs=0.03)
    assert one["diluted"]["value"] == pytest.approx(whole["value"], abs=0.15)
    assert one["diluted"]["high"] - one["diluted"]["low"] < whole["high"] - whole["low"]
    page = as_alice.get("/p/sprout/experiments/EXP-1?reached=opened_form").content.decode()
    assert "who did “opened_form”" in page
    assert "Nobody who met the flag did" in as_alice.get("/p/sprout/experiments/EXP-1?reached=typo").content.decode()


@pytest.mark.usefixtures("orders")
def test_a_trigger_that_the_change_moves_is_refused(store: Any, product: Any, api: Any) -> None:
    write(store, product, curious(3_000, fades=False, reach_moves=0.1))
    assert "moves who is counted" in api.get(f"{PATH}/triggered?event=opened_form").ok["arms"][0]["reason"]


def test_nothing_is_told_before_the_plan_lets_the_arms_be_compared(
    ran: Ran, store: Any, api: Any, api_charlie: Any
) -> None:
    ran(12)
    for path in (f"{PATH}/novelty", f"{PATH}/triggered?event=opened_form"):
        assert api.get(path).status == 409
        assert api_charlie.get(path).status == 404


@pytest.mark.parametrize("said", ["%20", "x" * 201])
def test_an_event_is_named(ran: Ran, store: Any, api: Any, said: str) -> None:
    ran(30)
    assert api.get(f"{PATH}/triggered?event={said}").status == 400


def test_a_share_that_counts_once_is_never_called_novelty(ran: Ran, store: Any, product: Any, api: Any) -> None:
    """Its effect falls off as people get there, which is no fading."""
    from tests.experiments.world import World, happenings

    ran(30)
    write(store, product, happenings(World(people=2_000, effect=0.2)))
    found = api.get(f"{PATH}/novelty").ok
    assert "counts each person once" in found["sentence"]
    assert found["change"] is None
    assert len(found["stretches"]) > 2
