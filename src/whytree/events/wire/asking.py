"""What every dialect reads of a request: its body, the key it came with, and the door that opens."""

import base64
import binascii
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from whytree.errors import Forbidden, Invalid, TooLarge, Unauthenticated
from whytree.workspace.entry.keys import NOT_FOR_EVENTS, KeyFacts, find_key
from whytree.workspace.sockets import variant_tellers

from ..services import variants_of
from ..shaping.normalise import Door, open_door
from ..shaping.rows import CAPTURE, SERVER
from .packing import MAX_BODY

NO_KEY = (
    "This key is unknown or revoked. Send a capture key or a server key of the product as the write key; "
    "both are made under Settings, Keys."
)

SHOWN = 8  # characters of an unknown key that are told and shown: enough to see which one it is


def key_among(*secrets: str) -> KeyFacts:
    """The first of these that is a key, when it is one of a product that may send. Raises `Unauthenticated`, `Forbidden`."""
    for secret in secrets:
        facts = find_key(secret) if secret else None
        if facts is None:
            continue
        if facts.product_id is None:
            raise Unauthenticated("This is a personal token. Events need a capture key or a server key of a product.")
        if not facts.may_send:
            raise Forbidden(NOT_FOR_EVENTS)
        return facts
    first = next(filter(None, secrets), "")
    raise Unauthenticated(NO_KEY, details={"key_begins": first[:SHOWN]} if first else None)


def from_header(authorization: str) -> tuple[str, ...]:
    """The key in an Authorization header: the user of Basic, or the Bearer."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return (value.strip(),)
    if scheme.lower() != "basic":
        return ()
    try:
        decoded = base64.b64decode(value, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ()
    return (decoded.partition(":")[0],)


def door_of(facts: KeyFacts, received_at: float, sent_at: Any) -> Door:
    """The door that this key opens, for one request."""
    assert facts.product_id is not None  # noqa: S101 - `key_among` lets only keys of a product through
    source = SERVER if facts.kind == "server" else CAPTURE
    door = open_door(facts.product_id, source, received_at, sent_at)
    return replace(door, variants=_variants(door.product_id))


def _variants(product_id: int) -> Callable[[str], dict[str, str]] | None:
    """What tells the flags in force for somebody; None when there are none for anybody."""
    with suppress(Exception):  # `variants_of` says what is wrong, and goes on without
        if not variant_tellers(product_id):
            return None
    return partial(variants_of, product_id)


def encoding_of(request: HttpRequest) -> str:
    return request.headers.get("Content-Encoding", "").strip().lower()


def body_of(request: HttpRequest, limit: int = MAX_BODY) -> bytes:
    """The body as it came. Raises `TooLarge` beyond the limit, before it is read when its length is declared."""
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        length = 0
    if length > limit:
        raise TooLarge(f"The request has {length:,} bytes; the limit is {limit:,}. Send smaller batches.")
    try:
        return request.body
    except RequestDataTooBig as error:
        raise TooLarge(f"The request is too large; the limit is {limit:,} bytes. Send smaller batches.") from error
    except UnreadablePostError as error:
        raise Invalid("The request broke off. Send it again.") from error
