"""The deciding metric in parts of the people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.experiments.world import event, exposure, long_ago, write

Ran = Callable[..., Any]
PATH = "/products/sprout/experiments/EXP-1/segments?by="


def people(count: int, platform: str, *, first: int, effect: int) -> list[dict[str, Any]]:
    """Of ten people in each arm three plant, and of the treated `effect` more."""
    rows = []
    for person in range(first, first + count):
        arm, place = ("off", "on")[person % 2], (person // 2) % 10
        rows.append(exposure(person, arm, long_ago(20)) | {"platform": platform})
        # a second meeting on another platform changes nothing
        rows.append(exposure(person, arm, long_ago(18)) | {"platform": "web"})
        if place < 3 + (effect if arm == "on" else 0):
            rows.append(event(person, "planted", long_ago(17)))
    return rows


def test_a_part_in_which_it_works_and_one_in_which_it_does_not(
    ran: Ran, store: Any, product: Any, api: Any, as_alice: Any
) -> None:
    ran(30)
    write(store, product, people(1_000, "ios", first=0, effect=2) + people(800, "android", first=2_000, effect=0))
    found = api.get(f"{PATH}platform").ok
    ios, android = found["segments"]
    assert [(one["value"], one["people"]) for one in (ios, android)] == [("ios", 1_000), ("android", 800)]
    works, not_here = (one["metric"]["comparisons"][0] for one in (ios, android))
    assert (works["standing"], not_here["standing"]) == ("better", "no answer yet")
    assert works["difference"]["value"] == pytest.approx(0.2)
    assert works["difference"]["level"] == 0.975, "two parts share the error"
    assert works["p_adjusted"] > works["p"]
    page = as_alice.get("/p/sprout/experiments/EXP-1?by=platform").content.decode()
    assert "no decision" in page
    assert "1,000 people" in page


def test_the_largest_parts_are_shown_and_the_rest_is_counted(ran: Ran, store: Any, product: Any, api: Any) -> None:
    ran(30)
    rows = []
    for number in range(15):
        rows += people(20 + number, f"p{number}", first=1_000 * number, effect=0)
    write(store, product, rows)
    found = api.get(f"{PATH}platform").ok
    assert len(found["segments"]) == 12
    assert found["left_out"] == 20 + 21 + 22
    assert found["segments"][0]["metric"]["comparisons"][0]["standing"] == "no answer"


@pytest.mark.parametrize(("by", "status"), [("platform", 409), ("shoe_size", 400), ("properties", 400)])
def test_parts_are_no_way_around_the_plan(ran: Ran, store: Any, api: Any, by: str, status: int) -> None:
    ran(12)
    assert api.get(PATH + by).status == status
