"""A request's body as PostHog messages, in every shape that its libraries ever gave it. Pure.

One event, a list of them, or `{"batch": [...]}`; as JSON, packed, or as the field `data` of a form, there also in
base64 (what a beacon does). Mixpanel's libraries send to the same paths in the same shapes.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

from whytree.errors import Invalid, TooLarge

from ...shaping.properties import read_leniently
from ..packing import MAX_OBJECTS, MAX_UNPACKED, check_text, refuse_depth, unpacked

MAX_BODY = MAX_UNPACKED  # the server libraries send up to 13 MB unpacked, and give up what is answered with 413


@dataclass(frozen=True)
class Envelope:
    """What a body says: its messages (None for something that is no object), the keys it names, when it was sent."""

    messages: list[dict[str, Any] | None]
    tokens: tuple[str, ...]
    sent_at: Any


def read(body: bytes, *, content_type: str = "", encoding: str = "", compression: str = "") -> Envelope:
    """The messages of a v0 request; `compression` is what its address says."""
    if compression == "lz64":
        raise Invalid("compression=lz64 is not read here. Update posthog-js: it has sent gzip for years.")
    body = unpacked(body, encoding, MAX_BODY)
    if content_type.startswith("application/x-www-form-urlencoded") or body[:5] == b"data=":
        body = _field_data(body)
    value = as_value(_out_of_base64(body))
    return _envelope(value)


def as_value(body: bytes) -> Any:
    """JSON of any kind. Raises `Invalid` for anything else, and for what would fill the memory."""
    if body.count(b"{") > MAX_OBJECTS:
        raise TooLarge("The body has more objects than are taken at once. Send smaller batches.")
    try:
        check_text(body)
        return msgspec.json.decode(body)
    except RecursionError:
        refuse_depth()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        return read_leniently(body)
    except RecursionError:
        refuse_depth()
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {str(error)[:120]}.") from error


def _field_data(body: bytes) -> bytes:
    if body.lstrip()[:1] in (b"{", b"["):
        return body  # JSON under a form's content type
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    if "data" not in fields:
        raise Invalid("The form has no field data. Send JSON, or a form with data={...}.")
    return fields["data"][0].encode("utf-8", "replace")


def _out_of_base64(body: bytes) -> bytes:
    """What stands in base64 there; the body itself when it is JSON."""
    if not body or body.lstrip()[:1] in (b"{", b"["):
        return body
    text = body.strip().replace(b" ", b"+")  # a plus that was not escaped in a form
    try:
        return unpacked(base64.b64decode(text + b"=" * (-len(text) % 4), validate=True), "", MAX_BODY)
    except binascii.Error:
        return body  # not base64 either: reading it as JSON says what is wrong


def _envelope(value: Any) -> Envelope:
    if isinstance(value, list):
        messages, outer = value, {}
    elif isinstance(value, dict):
        batch = value.get("batch")
        messages, outer = (batch, value) if isinstance(batch, list) else ([value], value)
    else:
        raise Invalid(
            'The body is no event. Send {"api_key", "event", "distinct_id", "properties"} or a list of those.'
        )
    if not messages:
        raise Invalid("The batch is empty. Send at least one event.")
    found = [each if isinstance(each, dict) else None for each in messages]
    tokens = dict.fromkeys(filter(None, [token_in(outer), *(token_in(each) for each in found if each)]))
    return Envelope(found, tuple(tokens), outer.get("sent_at") or outer.get("sentAt"))


def token_in(said: Mapping[str, Any]) -> str:
    """The key as a batch or an event names it."""
    properties = said.get("properties")
    inner = properties.get("token") if isinstance(properties, dict) else None
    for value in (said.get("api_key"), said.get("token"), said.get("$token"), inner):
        if isinstance(value, str) and value:
            return value
    return ""
