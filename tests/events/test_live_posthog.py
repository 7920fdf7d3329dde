"""PostHog's own Python library over a real socket, unchanged but for its host."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers import Live

pytestmark = pytest.mark.live

posthog = pytest.importorskip("posthog", reason="pip install posthog (it is in the group dev)")


def _until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


WAYS = [
    pytest.param({}, id="v0"),
    pytest.param({"gzip": True}, id="v0, gzip"),
    pytest.param({"capture_mode": "v1"}, id="v1"),
    pytest.param({"capture_mode": "v1", "capture_compression": "zstd"}, id="v1, zstd"),
]


@pytest.mark.parametrize("options", WAYS)
def test_posthogs_python_library_works_unchanged(live: Live, options: dict[str, Any]) -> None:
    errors: list[Any] = []
    client = posthog.Posthog(
        live.key("server"), host=live.url, on_error=lambda error, batch: errors.append(error), **options
    )
    user, visit = f"user {uuid.uuid4()}", f"visit {uuid.uuid4()}"
    client.capture("Signed Up", distinct_id=user, properties={"price": 9.5, "$set": {"email": "ana@example.org"}})
    client.set(distinct_id=user, properties={"plan": "pro"})
    client.set_once(distinct_id=user, properties={"first": "mail"})
    client.alias(visit, user)
    client.capture("quiet")  # of nobody: the library makes an id up
    client.flush()
    client.shutdown()
    assert errors == []

    def is_followed() -> bool:
        found = live.cli_json("person", "show", user)
        return found["label"] == "ana@example.org" and visit in found["ids"]

    _until(is_followed)
    shown = live.cli_json("person", "show", user)
    assert sorted(moment["event"] for moment in shown["timeline"]) == sorted(
        ["Signed Up", "$set", "$set_once", "$create_alias"]
    )


def test_posthogs_python_library_is_told_of_a_wrong_key(live: Live) -> None:
    errors: list[Any] = []
    client = posthog.Posthog("phc_unknown", host=live.url, on_error=lambda error, batch: errors.append(error))
    client.capture("Signed Up", distinct_id="ana")
    client.flush()
    client.shutdown()
    assert len(errors) == 1
    assert "unknown or revoked" in str(errors[0])
