"""Whose voice is over-heard: told when chance hardly makes it, and only then."""

import numpy as np
import pytest
from scipy.stats import binom

from whytree.engines.representation import FEWEST, SURE, compare, concentration


def test_a_plan_that_speaks_too_much_is_told_with_its_interval() -> None:
    compared = compare({"free": 2, "pro": 10, "": 5}, {"free": 900, "pro": 100})
    furthest = compared.furthest
    assert furthest is not None
    assert (furthest.name, compared.voices) == ("pro", 12)
    # Clopper and Pearson's interval for 10 of 12, as R's binom.test gives it
    assert (furthest.low, furthest.high) == (pytest.approx(0.5159, abs=1e-4), pytest.approx(0.9791, abs=1e-4))


def test_a_group_that_never_speaks_is_told_too() -> None:
    furthest = compare({"ios": 30}, {"ios": 500, "android": 500}).furthest
    assert furthest is not None
    assert furthest.difference == pytest.approx(0.5)


def test_few_voices_tell_nothing() -> None:
    assert compare({"pro": FEWEST - 1}, {"free": 900, "pro": 100}).shares == ()
    assert compare({"pro": 50}, {}).furthest is None
    assert compare({}, {"pro": 1}).shares == ()


def test_a_small_difference_is_not_told_however_sure() -> None:
    assert compare({"pro": 5500, "free": 4500}, {"pro": 500, "free": 500}).furthest is None


def test_voices_drawn_from_the_users_are_seldom_called_different() -> None:
    """The rate of false warnings for one group is at most what it says."""
    rng = np.random.default_rng(3)
    draws = rng.binomial(40, 0.3, 3000)
    says = [
        any(share.is_told for share in compare({"a": k, "b": 40 - k}, {"a": 30, "b": 70}).shares) for k in range(41)
    ]
    told = np.mean([says[k] for k in draws])
    assert told <= SURE + 3 * np.sqrt(SURE * (1 - SURE) / 3000)
    assert binom.cdf(4, 40, 0.3) < SURE  # and it can be told at all


def test_a_few_companies_that_speak_for_half() -> None:
    found = concentration({"acme": 5, "beta": 3, "c": 1, "d": 1, "e": 1, "f": 1, "": 40})
    assert found is not None
    assert (found.companies, found.voices, round(found.share, 2)) == (("acme", "beta"), 12, 0.67)
    assert concentration({f"c{number}": 1 for number in range(20)}) is None
    assert concentration({"acme": 3}) is None
