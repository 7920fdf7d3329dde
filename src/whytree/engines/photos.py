"""A small picture of a person, without what cameras write beside it: where and when it was taken, with which device.

    plain_photo(raw)       # "data:image/jpeg;base64,..."

JPEG (ITU-T T.81, annex B) and PNG (W3C, 5 and 11) only. The picture itself is not decoded: its segments are walked and those that hold no
picture are left out.
"""

import base64
import struct
from collections.abc import Iterator

MOST_BYTES = 400 * 1024

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM", b"sBIT", b"bKGD", b"pHYs"}
)
_JPEG_LEFT_OUT = frozenset({0xFE, *range(0xE1, 0xF0)})  # comments, and what applications write (EXIF, XMP, IPTC)


class NoPhoto(ValueError):
    """These bytes are no such picture; the message says what to do."""


def plain_photo(raw: bytes) -> str:
    """The picture as a data URL."""
    if len(raw) > MOST_BYTES:
        raise NoPhoto(f"The picture has {len(raw) // 1024:,} kB; {MOST_BYTES // 1024} is the most. Make it smaller.")
    try:
        if raw.startswith(_PNG):
            return _url("png", _PNG + b"".join(_png(raw)))
        if raw.startswith(b"\xff\xd8"):
            return _url("jpeg", b"\xff\xd8" + b"".join(_jpeg(raw)))
    except (struct.error, IndexError) as error:
        raise NoPhoto("The picture is cut off. Save it again.") from error
    raise NoPhoto("A photo is a JPEG or a PNG. Save it as one of these.")


def _url(kind: str, clean: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(clean).decode('ascii')}"


def _png(raw: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while True:
        (length,) = struct.unpack_from(">I", raw, at)
        chunk, kind = raw[at : at + 12 + length], raw[at + 4 : at + 8]
        if len(chunk) < 12 + length:
            raise IndexError
        if kind in _PNG_KEPT:
            yield chunk
        if kind == b"IEND":
            return
        at += 12 + length


def _jpeg(raw: bytes) -> Iterator[bytes]:
    at = 2
    while True:
        if raw[at] != 0xFF:
            raise IndexError
        marker = raw[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        (length,) = struct.unpack_from(">H", raw, at + 2)
        if length < 2 or at + 2 + length > len(raw):
            raise IndexError
        if marker not in _JPEG_LEFT_OUT:
            yield raw[at : at + 2 + length]
        at += 2 + length
        if marker == 0xDA:  # from here on the picture, to the end
            end = raw.rfind(b"\xff\xd9")
            if end < at:
                raise IndexError
            yield raw[at : end + 2]
            return
