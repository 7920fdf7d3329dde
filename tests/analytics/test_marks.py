"""Marks on a time axis: what was done, what broke, and what went out, few enough to be read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from whytree.analytics.drawing.marks import marks_between
from whytree.code.delivery.services import DeploymentFacts, IncidentFacts, add_deployment, add_incident
from whytree.workspace.models import Activity

START = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def deploy(actor: Any, product: Any) -> Any:
    def told(day: int, hour: int, **more: str) -> None:
        at = START + timedelta(days=day, hours=hour)
        facts = DeploymentFacts(f"{day}-{hour}", at, version=f"v{day}.{hour}", **more)
        add_deployment(actor, product, facts)

    return told


def marks(product: Any) -> list[tuple[int, str]]:
    return [
        ((one.day - START.date()).days, one.text) for one in marks_between(product, START, START + timedelta(days=30))
    ]


def test_many_deployments_on_a_day_are_summed_up_and_never_hide_what_was_decided(
    actor: Any, product: Any, deploy: Any
) -> None:
    for day in range(20):
        deploy(day, 9)
        deploy(day, 15)
    deploy(25, 9)
    deploy(26, 9, environment="staging")
    deploy(27, 9, result="failure")
    act = {"product": product, "actor": "Alice", "via": "page", "subject_type": "flags.Flag", "subject_id": 1}
    Activity.objects.create(**act, verb="turn_on", subject_label="defer-phone", at=START + timedelta(days=3, hours=10))
    add_incident(actor, product, IncidentFacts("INC-7", "Down", START + timedelta(days=19, hours=16)))
    assert marks(product) == [
        (3, "defer-phone on, 2 deployments"),
        (18, "2 deployments"),
        (19, "INC-7 broke, 2 deployments"),
        (25, "v25.9 out"),
    ]


def test_on_an_hourly_chart_they_stand_at_their_hour(product: Any, deploy: Any) -> None:
    for hour in (9, 15):
        deploy(3, hour)
    product.timezone = "Asia/Kolkata"  # half an hour beside ours
    found = marks_between(product, START, START + timedelta(days=7), hourly=True)
    assert [(one.day, one.text) for one in found] == [
        (datetime(2026, 6, 4, 14), "v3.9 out"),
        (datetime(2026, 6, 4, 20), "v3.15 out"),
    ]


def test_a_deployment_told_late_stands_where_it_went_out(product: Any, deploy: Any) -> None:
    deploy(2, 23)
    product.timezone = "Europe/Berlin"  # where that is the next day
    assert marks(product) == [(3, "v2.23 out")]
