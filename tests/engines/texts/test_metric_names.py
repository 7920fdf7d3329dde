"""Metrics named in prose; words of other trades are none."""

import pytest

from whytree.engines.texts.metric_names import metrics_named


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We want to raise the activation rate of new teams.", ["activation rate"]),
        ("Sign-up rates fell, and so did weekly active users.", ["sign up rate", "weekly active users"]),
        ("Churn rate. Our churn rate!", ["churn rate"]),
        ("Log retention is 30 days; activation function; open rate of files; 5 % completion rate", []),
        ("", []),
    ],
)
def test_only_what_measures_people_is_a_metric(text: str, names: list[str]) -> None:
    assert metrics_named(text) == names
