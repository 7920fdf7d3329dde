"""Sharing people out by chance of being best: labelled, and kept away from whatever wants to learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.experiments.world import World, happenings, long_ago, write
from whytree.flags.services import open_flag

PATH = "/products/sprout/flags/ask_later/allocation"


@pytest.fixture
def served(actor: Any, product: Any, flag: Any, store: Any) -> None:
    open_flag(actor, product, flag.key, weights={"on": 1, "off": 1}, at=long_ago(40))
    write(store, product, happenings(World(people=3_000, days=26, effect=0.08)))


@pytest.mark.usefixtures("served")
def test_the_better_arm_gets_more_and_the_other_keeps_some(
    api: Any, api_viewer: Any, api_charlie: Any, as_alice: Any, flag: Any
) -> None:
    found = api_viewer.get(f"{PATH}?metric=activated").ok
    shares = {one["arm"]: one["share"] for one in found["arms"]}
    assert shares["on"] == pytest.approx(0.95, abs=0.01)
    assert shares["off"] == pytest.approx(0.05, abs=0.01)
    assert found["warning"].startswith("Not for inference")
    page = as_alice.get("/p/sprout/experiments/bandit?flag=ask_later&metric=activated").content.decode()
    assert "Not for inference" in page
    assert "95 %" in page
    assert (
        api_viewer.post(PATH, {"metric": "activated"}).status,
        api_charlie.get(f"{PATH}?metric=activated").status,
    ) == (403, 404)
    assert api.post(PATH, {"metric": "activated"}).status == 200
    flag.refresh_from_db()
    assert flag.weights["on"] > 900


@pytest.mark.usefixtures("served")
def test_it_is_refused_where_something_is_to_be_learned(
    ran: Callable[..., Any], api: Any, as_alice: Any, flag: Any
) -> None:
    ran(12)
    refused = api.post(PATH, {"metric": "activated"})
    assert (refused.status, "EXP-1 runs on" in str(refused.body)) == (409, True)
    sent = as_alice.post("/p/sprout/experiments/bandit", {"flag": "ask_later", "metric": "activated"})
    assert sent.status_code == 409
    looked = as_alice.get("/p/sprout/experiments/bandit?flag=ask_later&metric=activated")
    assert (looked.status_code, "Apply these shares" in looked.content.decode()) == (409, False)
    assert api.get(f"{PATH}?metric=activated").status == 409  # not even looked at: the experiment is not read early


@pytest.mark.usefixtures("served")
def test_it_goes_by_shares_of_people(api: Any) -> None:
    assert api.get(f"{PATH}?metric=orders").status == 400
    assert api.get(f"{PATH}?metric=nothing").status == 404


def test_before_enough_people_the_shares_stay(actor: Any, product: Any, flag: Any, store: Any, api: Any) -> None:
    open_flag(actor, product, flag.key, weights={"on": 1, "off": 3}, at=long_ago(40))
    found = api.post(PATH, {"metric": "activated"}).body
    assert "so the shares stay" in found["reason"]
    flag.refresh_from_db()
    assert flag.weights == {"on": 1, "off": 3}
