"""Sending to Segment's API, and reading what the store made of it."""

import base64
import gzip
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from whytree.events.durable.commit import close_commit
from whytree.events.durable.follow import stop_following
from whytree.stores.events import EventStore


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any


class Sender:
    """A client library, in short."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._client = Client()

    def post(self, path: str, body: Any, *, packed: bool = False, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if packed:
            data = gzip.compress(data)
        credentials = base64.b64encode(f"{self.key}:".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", **headers}
        content_type = headers.pop("Content-Type", "application/json")
        response = self._client.generic("POST", path, data, content_type=content_type, headers=headers)
        body = json.loads(response.content) if response.content else None
        return Answer(response.status_code, body, response.headers)

    def batch(self, *messages: dict[str, Any], **outer: Any) -> Answer:
        return self.post("/v1/batch", {"batch": list(messages), **outer})


def track(event: str = "opened", user: str | None = "user-1", **fields: Any) -> dict[str, Any]:
    """One track call as the libraries send it."""
    message = {"type": "track", "event": event, "userId": user, "messageId": str(uuid.uuid4()), **fields}
    return {name: value for name, value in message.items() if value is not None}


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    close_commit()
    stop_following()


@pytest.fixture
def web(store: EventStore, capture_key: str) -> Sender:
    """A browser: sends with the public capture key."""
    return Sender(capture_key)


@pytest.fixture
def backend(store: EventStore, server_key: str) -> Sender:
    """A server: sends with a secret key."""
    return Sender(server_key)
