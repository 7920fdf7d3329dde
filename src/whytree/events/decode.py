"""A request's body as messages, whatever a client did to it. Pure.

Strict decoding is tried first because it is ten times faster. What it refuses and a person would still read (half
characters, NaN, numbers beyond any double, bytes that are no UTF-8) is read again leniently: one odd text must not cost
the batch it came in.
"""

import zlib
from typing import Any, NoReturn
from urllib.parse import parse_qs

import msgspec

from whytree.errors import Invalid, TooLarge

from .normalise import Message, as_message
from .properties import as_json, read_leniently

MAX_BODY = 4 * 1024 * 1024
MAX_UNPACKED = 20 * 1024 * 1024
# Decoded, an empty object takes a hundred times its two bytes: a body of nothing else would fill the memory.
MAX_OBJECTS = 250_000

_GZIP = b"\x1f\x8b"


def unpacked(body: bytes, encoding: str = "") -> bytes:
    """The body without its compression, declared or not (browser clients do not declare it)."""
    if len(body) > MAX_BODY:
        raise TooLarge(f"The request has {len(body):,} bytes; the limit is {MAX_BODY:,}. Send smaller batches.")
    if body[:2] == _GZIP:
        return _inflated(body, wbits=31)
    if encoding == "deflate":
        return _inflated(body, wbits=15 if body[:1] == b"\x78" else -15)
    if encoding not in ("", "identity", "gzip"):
        raise Invalid(f"Content-Encoding {encoding[:40]} is not read here. Send gzip, deflate or none.")
    if encoding == "gzip" and body:
        raise Invalid("The body says gzip and is none. Send it compressed, or without Content-Encoding.")
    return body


def _inflated(body: bytes, *, wbits: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    try:
        data = stream.decompress(body, MAX_UNPACKED)
        if stream.unconsumed_tail or (not stream.eof and len(data) >= MAX_UNPACKED):
            raise Invalid(f"The body unpacks to more than {MAX_UNPACKED:,} bytes. Send smaller batches.")
    except zlib.error as error:
        raise Invalid("The compressed body is damaged. Send it again.") from error
    if not stream.eof:
        raise Invalid("The compressed body is cut off. Send it again.")
    return data


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
    body = _json_part(body, content_type)
    if body.count(b"{") > MAX_OBJECTS:
        raise TooLarge("The body has more objects than are taken at once. Send smaller batches.")
    try:
        _check_text(body)
        sent = _read_batch(body)
        return Envelope(list(sent.batch), _text(sent.writeKey), sent.sentAt, bytes(sent.context))
    except RecursionError:
        _refuse_depth()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = _leniently(body)
    batch = value.get("batch")
    if not isinstance(batch, list):
        raise Invalid('The body has no list `batch`. Send {"batch": [{...}, ...]}.')
    context = value.get("context")
    raw = as_json(context).encode() if isinstance(context, dict) else b""
    return Envelope([as_message(item) for item in batch], _text(value.get("writeKey")), value.get("sentAt"), raw)


def read_single(body: bytes, content_type: str = "") -> Envelope:
    """The message of `/v1/track` and its like."""
    body = _json_part(body, content_type)
    try:
        _check_text(body)
        sent = _read_single(body)
        return Envelope([sent], _text(sent.writeKey), sent.sentAt)
    except RecursionError:
        _refuse_depth()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = _leniently(body)
    return Envelope([as_message(value)], _text(value.get("writeKey")), value.get("sentAt"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _check_text(body: bytes) -> None:
    """Raise when it is no UTF-8: the parts that are only passed on are not looked at again."""
    if not body.isascii():
        body.decode("utf-8")


def _json_part(body: bytes, content_type: str) -> bytes:
    """The JSON in a body; beacons send it as the field `data` of a form."""
    return _form_data(body) if content_type.startswith("application/x-www-form-urlencoded") else body


def _form_data(body: bytes) -> bytes:
    if body.lstrip()[:1] == b"{":
        return body  # JSON under a form's content type: some beacons do
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    if "data" not in fields:
        raise Invalid("The form has no field data. Send JSON, or a form with data={...}.")
    return fields["data"][0].encode("utf-8", "replace")


def _leniently(body: bytes) -> dict[str, Any]:
    try:
        value = read_leniently(body)
    except RecursionError:
        _refuse_depth()
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {str(error)[:120]}.") from error
    if not isinstance(value, dict):
        raise Invalid("The body is JSON, but no object. Send {...}.")
    return value


def _refuse_depth() -> NoReturn:
    raise Invalid("The body is nested too deeply. Send fewer levels.") from None
