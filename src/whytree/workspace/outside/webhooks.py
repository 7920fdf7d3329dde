"""Messages to and from other programs, signed as Standard Webhooks says (https://www.standardwebhooks.com, symmetric scheme v1).

    secret = new_secret()                                # shown once to whoever receives
    post_signed(url, secret, "msg_alert_12", {"type": "alert.left", "timestamp": ..., "data": {...}})

The receiver checks HMAC-SHA256 of "id.timestamp.body" with any library for it. The same message has the same id whenever it is
sent again, so that a receiver that got it twice can tell. `checked` is the other side of it: who was sent what, and when.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model

from whytree.errors import Invalid, Unauthenticated

from ..records.activity import snapshot
from . import outgoing

_PREFIX = "whsec_"
TOLERANCE = 300
"""Seconds that a message may be old, or ahead: what was signed earlier may be somebody's who listened."""
LONGEST_ID = 200


def host_of(url: str) -> str:
    """All that may be shown of an address: in chat tools its path is the key."""
    return url.split("/")[2] if url else ""


def trail(sender: Model) -> dict[str, object]:
    """What the activity list keeps of something that has a `webhook` and its `secret`: neither."""
    kept = snapshot(sender)
    address, _ = kept.pop("webhook"), kept.pop("secret")
    return kept | {"webhook_host": host_of(address)}


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


def checked(headers: Mapping[str, str], body: bytes, known: Collection[str], *, now: float | None = None) -> str:
    """The id of a message that one of the `known` secrets signed lately.

    `Invalid` for headers that are missing, odd or too old; `Unauthenticated` for a signature by nobody we know.
    """
    message_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > LONGEST_ID or not (message_id.isascii() and message_id.isprintable()):
        raise Invalid(f"Send the header webhook-id, at most {LONGEST_ID} letters, digits and signs.")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 12):
        raise Invalid("Send the header webhook-timestamp, the seconds since 1970.")
    if abs((time.time() if now is None else now) - int(sent_at)) > TOLERANCE:
        raise Invalid("webhook-timestamp is more than five minutes off. Sign it anew, and look at the clock.")
    given = [one.encode("utf-8", "replace") for one in headers.get("webhook-signature", "").split()]
    meant = [signature(secret, message_id, int(sent_at), body).encode() for secret in known]
    if not any(hmac.compare_digest(one, other) for one in given for other in meant):
        raise Unauthenticated("webhook-signature fits none of the secrets here. Sign with the one made last.")
    return message_id
