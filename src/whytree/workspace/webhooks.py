"""Messages to other programs, signed as Standard Webhooks says (https://www.standardwebhooks.com, symmetric scheme v1).

    secret = new_secret()                                # shown once to whoever receives
    post_signed(url, secret, "msg_alert_12", {"type": "alert.left", "timestamp": ..., "data": {...}})

The receiver checks HMAC-SHA256 of "id.timestamp.body" with any library for it. The same message has the same id whenever it is
sent again, so that a receiver that got it twice can tell.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any

from . import outgoing

_PREFIX = "whsec_"


def new_secret() -> str:
    """24 random bytes, as the standard writes them."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def post_signed(url: str, secret: str, message_id: str, message: Mapping[str, Any]) -> None:
    """POST it under the rules of `outgoing`. Raises `outgoing.Refused` or `Unavailable`."""
    timestamp = int(time.time())

    def sign(body: bytes) -> dict[str, str]:
        signed = signature(secret, message_id, timestamp, body)
        return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signed}

    outgoing.post_json(url, message, sign)
