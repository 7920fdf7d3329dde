"""Areas in proportion, within the whole, as square as they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.charts.treemap import Rectangle, squarify

WHOLE = Rectangle(10, 20, 160, 85)


@given(st.lists(st.integers(0, 100_000), max_size=60))
def test_areas_are_in_proportion_and_fill_the_whole_without_overlap(values: list[int]) -> None:
    places = squarify(values, WHOLE)
    total = sum(values)
    assert len(places) == len(values)
    for value, place in zip(values, places, strict=True):
        assert place.width * place.height == pytest.approx(value / total * 160 * 85 if total else 0, abs=1e-6)
        if value:
            assert 10 - 1e-6 <= place.x <= place.x + place.width <= 170 + 1e-6
            assert 20 - 1e-6 <= place.y <= place.y + place.height <= 105 + 1e-6
    shown = [place for value, place in zip(values, places, strict=True) if value]
    for at, one in enumerate(shown):
        for other in shown[at + 1 :]:
            across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert across <= 1e-6 or down <= 1e-6


def test_the_example_of_the_paper_is_laid_out_as_in_the_paper() -> None:
    """Bruls et al. 2000, figure 4: 6, 6, 4, 3, 2, 2, 1 in a rectangle of 6 by 4."""
    places = squarify([6, 6, 4, 3, 2, 2, 1], Rectangle(0, 0, 6, 4))
    assert [(round(one.width, 2), round(one.height, 2)) for one in places] == [
        (3, 2), (3, 2), (1.71, 2.33), (1.29, 2.33), (1.2, 1.67), (1.2, 1.67), (0.6, 1.67),
    ]  # fmt: skip
