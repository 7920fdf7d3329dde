"""What is made of figures: formulas, sums so far, means of several stretches. Pure."""

from collections.abc import Mapping, Sequence

from ..questions.formulas import Formula

#: A value, its interval, and what it rests on.
Figures = tuple[float | None, float | None, float | None, int]


def by_formula(formula: Formula, values: Mapping[str, float | None]) -> float | None:
    """The formula in one stretch; None where a series has no answer there, or nothing can be divided."""
    return formula.value(values)


def added_up(values: Sequence[float | None]) -> list[float | None]:
    """Everything up to and with each stretch."""
    total, found = 0.0, []
    for value in values:
        total += value or 0.0
        found.append(total)
    return list(found)


def smoothed(values: Sequence[float | None], size: int) -> list[float | None]:
    """The mean of each stretch and the ones before it, `size` in all; none before there are so many."""
    found: list[float | None] = []
    for at in range(len(values)):
        some = [value for value in values[max(0, at - size + 1) : at + 1] if value is not None]
        found.append(sum(some) / len(some) if at + 1 >= size and some else None)
    return found
