"""Open a file's bytes, plain or compressed, and find out in which encoding its text is written."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import IO, BinaryIO, cast

import zstandard

from whytree.engines.tables.rows import UnreadableTable

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_ZSTD_WINDOW = 128 * 1024 * 1024
"""What one zstd frame may make us allocate; `zstd --long=27` is the most that its own command reads unasked."""

SNIFFED_BYTES = 64 * 1024
EVIDENCE_CHUNK = 1024 * 1024
EVIDENCE_CHUNKS = 64

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
"""What the decompressors raise in the middle of a damaged or truncated file."""

_ESCAPED = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")


def open_bytes(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """The file's content, decompressed on the fly, and the raw file below it (its position is the progress)."""
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise UnreadableTable(f"There is no file {path}. Check the path.") from None
    except IsADirectoryError:
        raise UnreadableTable(f"{path} is a folder. Name one file in it.") from None
    except OSError as error:
        raise UnreadableTable(f"{path} cannot be opened: {error.strerror}. Check its permissions.") from error
    magic = raw.read(4)
    raw.seek(0)
    return _decompressed(raw, magic), raw


def _decompressed(raw: BinaryIO, magic: bytes) -> BinaryIO:
    if magic.startswith(GZIP_MAGIC):
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb"))
    if magic.startswith(ZSTD_MAGIC):
        reader = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW).stream_reader(
            raw, read_across_frames=True, closefd=False
        )
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, reader)))
    return raw


def head(path: Path, size: int = SNIFFED_BYTES) -> bytes:
    """The first bytes of the content."""
    content, raw = open_bytes(path)
    with raw, content:
        try:
            return read_up_to(content, size)
        except DAMAGED as error:
            raise UnreadableTable(f"{path.name} is damaged: it cannot be decompressed. Export it again.") from error


def read_up_to(stream: IO[bytes], size: int) -> bytes:
    """`size` bytes unless the stream ends before; decompressors may answer with less than they were asked for."""
    parts: list[bytes] = []
    missing = size
    while missing > 0 and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def sniff_encoding(path: Path) -> str:
    """UTF-8, UTF-16 or Windows-1252, by the byte order mark, else by what the bytes can be.

    A file without any letter beyond ASCII is UTF-8. In others the first megabyte that holds one decides: when more
    sequences are valid UTF-8 than not, a stray byte is that row's fault and not a reason to garble all others.
    """
    start = head(path)
    for bom, encoding in BOMS:
        if start.startswith(bom):
            return encoding
    if (wide := _sniff_utf16(start)) is not None:
        return wide
    content, raw = open_bytes(path)
    with raw, content:
        return _utf8_or_cp1252(content)


def _sniff_utf16(start: bytes) -> str | None:
    """UTF-16 without a mark shows in its first line, mostly ASCII: every other byte is a NUL."""
    line = start[: start.find(b"\n") + 2 or None][:400]
    even, odd = line[0::2], line[1::2]
    if odd.count(0) > len(odd) / 2 and even.count(0) <= 1:
        return "utf-16-le"
    if even.count(0) > len(even) / 2 and odd.count(0) <= 1:
        return "utf-16-be"
    return None


def _utf8_or_cp1252(content: BinaryIO) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for _ in range(EVIDENCE_CHUNKS):
        try:
            chunk = content.read(EVIDENCE_CHUNK)
        except DAMAGED:
            break
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            valid, invalid = len(_BEYOND_ASCII.findall(text)), len(_ESCAPED.findall(text))
            return "utf-8" if valid >= invalid else "cp1252"
        if not chunk:
            break
    return "utf-8"


def open_text(path: Path, encoding: str) -> tuple[io.TextIOWrapper, BinaryIO]:
    """The file's text, line ends as they stand; undecodable bytes come through marked, for the row to be refused."""
    content, raw = open_bytes(path)
    errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
    return io.TextIOWrapper(content, encoding=encoding, errors=errors, newline=""), raw
