"""A key that asks too often waits; others do not."""

from typing import Any

import pytest
from django.test import Client

from whytree.flags.protocols import ofrep
from whytree.flags.protocols.rate import Rate


def test_a_second_worth_may_come_at_once_and_then_the_rate() -> None:
    rate = Rate(10)
    assert [rate.wait_of("key", now=0.0) for _ in range(10)] == [0.0] * 10
    assert rate.wait_of("key", now=0.0) == pytest.approx(0.1)
    assert rate.wait_of("other", now=0.0) == 0.0
    assert rate.wait_of("key", now=0.11) == 0.0
    assert rate.wait_of("key", now=0.12) > 0
    assert [rate.wait_of("key", now=100.0) for _ in range(11)][-1] > 0


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/f", "/flags/?v=2"])
def test_too_often_is_429_with_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch, server_key: str, capture_key: str, path: str
) -> None:
    monkeypatch.setattr(ofrep, "_rate", Rate(1))
    body = f'{{"token": "{capture_key}", "distinct_id": "maria"}}' if "v=2" in path else "{}"

    def ask() -> Any:
        return Client().post(
            path, body, content_type="application/json", headers={"Authorization": f"Bearer {server_key}"}
        )

    assert ask().status_code in (200, 404)
    answer = ask()
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "asks too often" in (answer.json().get("errorDetails") or answer.json()["detail"])
