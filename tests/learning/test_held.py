"""Whether a prediction's range held is said in the same words wherever it is said."""

import pytest

from whytree.learning.reviews.results import Figure, Forecast
from whytree.learning.reviews.sentences import held_text


def forecast(value: float, low: float, high: float) -> Forecast:
    """+2 to +8 was said, and this was measured."""
    measured = Figure(value=value, low=low, high=high, n=1_000, method="")
    return Forecast(low=2, likely=5, high=8, unit="pp", measured=measured, holds=2 <= value <= 8)


@pytest.mark.parametrize(
    ("measured", "held", "text"),
    [
        ((6.0, 5.0, 7.0), True, "inside"),
        ((8.1, 3.0, 13.2), True, "just outside"),
        ((8.1, 8.0, 8.2), False, "outside"),
        ((20.0, 19.0, 21.0), False, "outside"),
    ],
)
def test_the_error_of_the_measurement_counts(measured: tuple[float, float, float], held: bool, text: str) -> None:
    found = forecast(*measured)
    assert (found.held, held_text(found)) == (held, text)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    found = Forecast(low=2, likely=5, high=8, unit="pp")
    assert (found.held, held_text(found)) == (None, "")
