"""A request's body as Segment messages. Pure."""

from typing import Any

import msgspec

from whytree.errors import Invalid, TooLarge

from ...shaping.properties import as_json
from ..packing import MAX_OBJECTS, check_text, json_part, leniently, refuse_depth
from .messages import Message, as_message


class Envelope(msgspec.Struct):
    """What a body says beside its messages."""

    messages: list[Message | None]  # None for something in a batch that is no object
    write_key: str
    sent_at: Any
    context: bytes = b""


class _Batch(msgspec.Struct):
    batch: list[Message]
    writeKey: Any = None
    sentAt: Any = None
    context: msgspec.Raw = msgspec.Raw(b"")


class _Single(Message):
    writeKey: Any = None


_read_batch = msgspec.json.Decoder(_Batch).decode
_read_single = msgspec.json.Decoder(_Single).decode


def read_batch(body: bytes, content_type: str = "") -> Envelope:
    """The messages of `/v1/batch`."""
    body = json_part(body, content_type)
    if body.count(b"{") > MAX_OBJECTS:
        raise TooLarge("The body has more objects than are taken at once. Send smaller batches.")
    try:
        check_text(body)
        sent = _read_batch(body)
        return Envelope(list(sent.batch), _text(sent.writeKey), sent.sentAt, bytes(sent.context))
    except RecursionError:
        refuse_depth()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = leniently(body)
    batch = value.get("batch")
    if not isinstance(batch, list):
        raise Invalid('The body has no list `batch`. Send {"batch": [{...}, ...]}.')
    context = value.get("context")
    raw = as_json(context).encode() if isinstance(context, dict) else b""
    return Envelope([as_message(item) for item in batch], _text(value.get("writeKey")), value.get("sentAt"), raw)


def read_single(body: bytes, content_type: str = "") -> Envelope:
    """The message of `/v1/track` and its like."""
    body = json_part(body, content_type)
    try:
        check_text(body)
        sent = _read_single(body)
        return Envelope([sent], _text(sent.writeKey), sent.sentAt)
    except RecursionError:
        refuse_depth()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = leniently(body)
    return Envelope([as_message(value)], _text(value.get("writeKey")), value.get("sentAt"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
