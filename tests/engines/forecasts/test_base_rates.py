from __future__ import annotations

import math

import numpy as np
import pytest

from whytree.engines.forecasts.base_rates import LEAST_FOR_RANGE, Past, next_effect
from whytree.engines.texts.topics import Text, nearest

# Coaching in eight schools: effects and standard errors (Rubin 1981, table 1; BDA3, table 5.2).
EIGHT_SCHOOLS = [(28, 15), (8, 10), (-3, 16), (7, 11), (-1, 9), (1, 11), (18, 10), (12, 18)]


def test_a_published_example() -> None:
    """BDA3, section 5.5: the mean about 8 with standard deviation about 5; a spread of 6 or 7 on average, 0 quite possible."""
    found = next_effect([Past(value, error) for value, error in EIGHT_SCHOOLS])
    assert found is not None
    assert found.mean == pytest.approx(8.0, abs=0.3)
    assert found.error == pytest.approx(5.1, abs=0.4)
    assert found.between == pytest.approx(6.6, abs=0.4)


def test_many_effects_known_well_leave_only_their_own_spread() -> None:
    draw = np.random.default_rng(2)
    found = next_effect([Past(float(value), 0.01) for value in draw.normal(3.0, 2.0, 300)])
    assert found is not None
    assert found.mean == pytest.approx(3.0, abs=0.3)
    assert found.between == pytest.approx(2.0, abs=0.2)
    assert (found.low, found.high) == pytest.approx((3 - 1.2816 * 2, 3 + 1.2816 * 2), abs=0.35)


@pytest.mark.parametrize(
    "past",
    [
        [],
        [Past(1, 1)] * (LEAST_FOR_RANGE - 1),
        [Past(1, 0)] * 5,
        [Past(math.nan, 1)] * 5,
        [Past(1, math.inf)] * 5,
    ],
)
def test_too_few_or_unknown_is_no_answer(past: list[Past]) -> None:
    assert next_effect(past) is None


@pytest.mark.slow  # simulated worlds
@pytest.mark.parametrize(("between", "k"), [(0.0, 4), (0.0, 10), (0.7, 4), (0.7, 10), (2.0, 6), (2.0, 20)])
def test_the_range_holds_eight_of_ten_next_effects_or_more(between: float, k: int) -> None:
    """Simulated. With few effects the range is wider than it need be; it must never be narrower."""
    draw = np.random.default_rng(11)
    held = 0
    for _ in range(1_000):
        errors = draw.uniform(0.4, 1.2, k)
        truths = draw.normal(1.0, between, k)
        found = next_effect(
            [Past(float(v), float(e)) for v, e in zip(draw.normal(truths, errors), errors, strict=True)]
        )
        assert found is not None
        held += found.low <= draw.normal(1.0, between) <= found.high
    assert held / 1_000 > 0.775
    if k == 20:
        assert held / 1_000 < 0.86


def test_the_nearest_text_speaks_of_the_same_thing() -> None:
    others = [
        Text("a", "A reminder on the evening before", "people come to their class"),
        Text("b", "Ask for the phone number later", "sign-up form, phone field"),
        Text("c", "Darker buttons", "contrast"),
    ]
    found = nearest(Text("", "Explain why we ask for the phone number"), others)
    assert [others[place].key for place, _ in found] == ["b"]
    assert nearest(Text("", ""), others) == []
    assert nearest(Text("", "Phone"), []) == []
