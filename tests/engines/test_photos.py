"""A photo keeps its picture and loses what the camera wrote."""

import base64
import struct
import zlib

import pytest

from whytree.engines.photos import MOST_BYTES, NoPhoto, plain_photo


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


HEADER = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
PIXELS = zlib.compress(b"\0\xff\0\0")
PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", HEADER) + chunk(b"IDAT", PIXELS) + chunk(b"IEND", b"")
PNG_WITH_MORE = PNG[:33] + chunk(b"tEXt", b"Author\0Mira") + chunk(b"eXIf", b"GPS 50.06 N") + PNG[33:] + b"trailing GPS"
SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"picture\xff\x00data" + b"\xff\xd9"
JPEG = b"\xff\xd8" + segment(0xE0, b"JFIF\0") + segment(0xDB, b"table") + SCAN
JPEG_WITH_MORE = (
    b"\xff\xd8" + segment(0xE0, b"JFIF\0") + segment(0xE1, b"Exif\0\0GPS 50.06 N") + segment(0xFE, b"by Mira") + b"\xff"
    + segment(0xDB, b"table") + SCAN + b"GPS again"
)  # fmt: skip


def raw(url: str) -> bytes:
    return base64.b64decode(url.partition(",")[2])


@pytest.mark.parametrize(("given", "kept"), [(PNG, PNG), (PNG_WITH_MORE, PNG), (JPEG, JPEG), (JPEG_WITH_MORE, JPEG)])
def test_only_the_picture_is_kept(given: bytes, kept: bytes) -> None:
    url = plain_photo(given)
    assert raw(url) == kept
    assert url.startswith(
        "data:image/png;base64," if given is PNG or given is PNG_WITH_MORE else "data:image/jpeg;base64,"
    )


@pytest.mark.parametrize("given", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"RIFF\0\0\0\0WEBP"])
def test_other_kinds_are_refused(given: bytes) -> None:
    with pytest.raises(NoPhoto, match="a JPEG or a PNG"):
        plain_photo(given)


@pytest.mark.parametrize("whole", [PNG, JPEG])
def test_a_picture_that_is_cut_off_is_refused_wherever_it_is_cut(whole: bytes) -> None:
    for length in range(8 if whole is PNG else 2, len(whole)):
        with pytest.raises(NoPhoto, match="cut off"):
            plain_photo(whole[:length])


def test_a_large_one_is_refused() -> None:
    with pytest.raises(NoPhoto, match="is the most"):
        plain_photo(PNG + b"x" * MOST_BYTES)
