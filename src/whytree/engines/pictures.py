"""What a picture is by its own bytes, whatever its sender calls it. Pure."""

from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG's frame headers; the three others in that range hold tables."""


@dataclass(frozen=True)
class Picture:
    """`media_type` is image/png or image/jpeg; width and height are in pixels."""

    media_type: str
    width: int
    height: int

    @property
    def ending(self) -> str:
        return "png" if self.media_type == "image/png" else "jpg"


def look_at(data: bytes) -> Picture | None:
    """None for anything but a PNG (RFC 2083) or a JPEG (ITU T.81, annex B) that says its size."""
    if data.startswith(_PNG) and len(data) > 33:
        return _sized("image/png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))
    return _jpeg(data) if data.startswith(b"\xff\xd8\xff") else None


def _jpeg(data: bytes) -> Picture | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker in _SIZES:
            return _sized("image/jpeg", int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7]))
        if length < 2:
            return None
        at += 2 + length
    return None


def _sized(media_type: str, width: int, height: int) -> Picture | None:
    return Picture(media_type, width, height) if width and height else None
