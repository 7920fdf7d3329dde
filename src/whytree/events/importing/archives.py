"""ZIP archives of exports, as Amplitude hands them out: many files of JSON lines, an hour each, read as one. No Django."""

import contextlib
import errno
import gzip
import os
import tempfile
import zipfile
from pathlib import Path
from typing import IO

from whytree.engines.tables import UnreadableTable
from whytree.engines.tables.streams import DAMAGED

_LINES = (".json", ".jsonl", ".ndjson")
#: So many times its own size an archive may unpack to: text packs ten to one, a bomb a thousand to one.
MOST_TIMES, AT_LEAST = 100, 50_000_000
_PIECE = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def unpacked(path: Path, keep: Path | None = None) -> "IO[bytes] | None":
    """The lines of all files in an archive, one file after the other by name; gone when it is closed. None for any other file.

    With `keep` they stay there until somebody throws them away. Raises `UnreadableTable` for an archive that holds
    something else.
    """
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(info.filename for info in archive.infolist() if _counts(info))
            if "[Content_Types].xml" in names or not names:
                return None  # a workbook, or nothing: said where tables are opened
            whole = _together(archive, names, max(MOST_TIMES * path.stat().st_size, AT_LEAST), keep)
    except (*DAMAGED, zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise  # the archive is well: whoever asked is told of the disk
        raise UnreadableTable("The archive is damaged, or locked by a password. Export it again.") from error
    if keep is not None:  # whole, or not there at all: what is cut short is gone with its file
        with contextlib.suppress(OSError):  # a disk without links: unpacked again each time
            os.link(whole.name, keep)
    return whole


def _counts(info: zipfile.ZipInfo) -> bool:
    name = Path(info.filename).name
    return not info.is_dir() and not name.startswith(".") and not info.filename.startswith("__MACOSX")


def _together(archive: zipfile.ZipFile, names: list[str], most: int, keep: Path | None) -> "IO[bytes]":
    other = next((name for name in names if not name.lower().removesuffix(".gz").endswith(_LINES)), "")
    if other:
        raise UnreadableTable(
            f"The archive holds {Path(other).name[:80]}. Of archives only JSON lines are read: unpack it, and bring its files one by one."
        )
    beside = keep.parent if keep is not None else None
    whole = tempfile.NamedTemporaryFile(suffix=".jsonl", dir=beside)  # noqa: SIM115 - it is there as long as it is open, and whoever reads it closes it
    try:
        for name in names:
            with archive.open(name) as packed:
                _append(whole, gzip.GzipFile(fileobj=packed) if name.lower().endswith(".gz") else packed, most)
            whole.write(b"\n")
        whole.flush()
    except BaseException:
        whole.close()
        raise
    return whole


def _append(whole: "IO[bytes]", content: "IO[bytes] | gzip.GzipFile", most: int) -> None:
    while piece := content.read(_PIECE):
        whole.write(piece)
        if whole.tell() > most:
            raise UnreadableTable(
                f"The archive unpacks to more than {most >> 20:,} MB. Unpack it, and bring its files in."
            )
