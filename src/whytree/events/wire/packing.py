"""A request's body, whatever a client did to it: unpacked, out of its form, read as a person would still read it. Pure.

Strict decoding is tried first because it is ten times faster. What it refuses and a person would still read (half
characters, NaN, numbers beyond any double, bytes that are no UTF-8) is read again leniently: one odd text must not cost
the batch it came in.
"""

import zlib
from typing import Any, NoReturn
from urllib.parse import parse_qs

import zstandard

from whytree.errors import Invalid, TooLarge

from ..shaping.properties import read_leniently

MAX_BODY = 4 * 1024 * 1024
MAX_UNPACKED = 20 * 1024 * 1024
# Decoded, an empty object takes a hundred times its two bytes: a body of nothing else would fill the memory.
MAX_OBJECTS = 250_000

_GZIP = b"\x1f\x8b"


def unpacked(body: bytes, encoding: str = "", limit: int = MAX_BODY) -> bytes:
    """The body without its compression, declared or not (browser clients do not declare it)."""
    if len(body) > limit:
        raise TooLarge(f"The request has {len(body):,} bytes; the limit is {limit:,}. Send smaller batches.")
    if body[:2] == _GZIP:
        return _inflated(body, wbits=31)
    if encoding == "deflate":
        return _inflated(body, wbits=15 if body[:1] == b"\x78" else -15)
    if encoding == "zstd":
        return _unfrozen(body)
    if encoding not in ("", "identity", "gzip"):
        raise Invalid(f"Content-Encoding {encoding[:40]} is not read here. Send gzip, deflate, zstd or none.")
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


def _unfrozen(body: bytes) -> bytes:
    """Zstandard, read no further than the limit whatever its frame says of its size."""
    try:
        with zstandard.ZstdDecompressor(max_window_size=MAX_UNPACKED).stream_reader(body) as stream:
            data = stream.read(MAX_UNPACKED + 1)
    except zstandard.ZstdError as error:
        raise Invalid("The compressed body is damaged. Send it again.") from error
    if len(data) > MAX_UNPACKED:
        raise Invalid(f"The body unpacks to more than {MAX_UNPACKED:,} bytes. Send smaller batches.")
    return data


def check_text(body: bytes) -> None:
    """Raise when it is no UTF-8: the parts that are only passed on are not looked at again."""
    if not body.isascii():
        body.decode("utf-8")


def json_part(body: bytes, content_type: str) -> bytes:
    """The JSON in a body; beacons send it as the field `data` of a form."""
    return _form_data(body) if content_type.startswith("application/x-www-form-urlencoded") else body


def _form_data(body: bytes) -> bytes:
    if body.lstrip()[:1] == b"{":
        return body  # JSON under a form's content type: some beacons do
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    if "data" not in fields:
        raise Invalid("The form has no field data. Send JSON, or a form with data={...}.")
    return fields["data"][0].encode("utf-8", "replace")


def leniently(body: bytes) -> dict[str, Any]:
    try:
        value = read_leniently(body)
    except RecursionError:
        refuse_depth()
    except ValueError as error:
        raise Invalid(f"The body is not JSON: {str(error)[:120]}.") from error
    if not isinstance(value, dict):
        raise Invalid("The body is JSON, but no object. Send {...}.")
    return value


def refuse_depth() -> NoReturn:
    raise Invalid("The body is nested too deeply. Send fewer levels.") from None
