"""DORA's five metrics from what happened: a number with its n, or a reason."""

from datetime import UTC, datetime, timedelta

import pytest

from whytree.engines.delivery import Failure, Measure, Out, measure

END = datetime(2026, 6, 29, tzinfo=UTC)
START = END - timedelta(days=28)


def five(*deployments: Out, failures: tuple[Failure, ...] = (), told: bool = True) -> dict[str, Measure]:
    return {one.key: one for one in measure(deployments, failures, START, END, told=told)}


def out(days_ago: float, *hours: float, failed: bool = False, rework: bool = False) -> Out:
    """Went out so long ago, with commits written so many hours before."""
    at = END - timedelta(days=days_ago)
    return Out(at, failed, rework, [at - timedelta(hours=one) for one in hours])


def test_frequency_is_the_median_week_and_a_week_without_any_counts() -> None:
    found = five(out(1), out(2), out(3), out(8), out(9), out(26))["deployment_frequency"]
    assert (found.value, found.low, found.high, found.n) == (1.5, 0.75, 2.25, 6)  # weeks: 3, 2, 0, 1
    assert measure([out(1)], [], END - timedelta(days=3), END, told=True)[0].reason.startswith("Not a whole week")


def test_lead_time_is_over_commits_and_leaves_out_what_nobody_can_know() -> None:
    first_known = Out(END - timedelta(days=20))
    found = five(first_known, out(1, 2, 4, 6), out(2, 10, -3))["change_lead_time"]  # one clock runs backwards
    assert (found.value, found.n, found.unit) == (5, 4, "hours")
    assert five(first_known)["change_lead_time"].value is None


def test_a_failed_deployment_counts_once_and_its_rate_has_wilsons_interval() -> None:
    found = five(*[out(day, failed=day < 3) for day in range(1, 11)])["change_fail_rate"]
    # Wilson's interval of 2 in 10, as in Newcombe (1998), method 3.
    assert (found.value, found.n) == (0.2, 10)
    assert (found.low, found.high) == (pytest.approx(0.0567, abs=1e-4), pytest.approx(0.5098, abs=1e-4))


def test_what_is_still_open_took_longer_than_all_that_is_repaired() -> None:
    at = END - timedelta(days=3)
    repaired = [Failure(at, at + timedelta(hours=hours)) for hours in (1, 5)]
    assert five(out(3), failures=(*repaired, Failure(at, None)))["failed_deployment_recovery_time"].value == 5
    unknown = five(out(3), failures=(repaired[0], Failure(at, None)))["failed_deployment_recovery_time"]
    assert (unknown.value, unknown.reason) == (None, "1 of 2 have no time of repair.")


def test_nobody_told_of_incidents_is_no_answer_and_not_none() -> None:
    found = five(out(1, 5, rework=True), out(2, 5), told=False)
    assert found["change_fail_rate"].value is None
    assert "none told" in found["change_fail_rate"].reason
    assert found["failed_deployment_recovery_time"].value is None
    assert found["deployment_rework_rate"].value == 0.5
    assert all(one.value is None and one.reason for one in five().values())
