"""Files that came over a page or the API, kept in the data folder while they are read.

with held(request.FILES["file"], beyond="`whytree import feedback FILE`") as name:
    ...                                  # read path_of(name); it stays, unless something goes wrong here
throw_away(name)
"""

import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from whytree.engines.tables.streams import DAMAGED, open_bytes
from whytree.errors import Invalid, NotFound, TooLarge

from . import underway

KEPT_FOR = timedelta(days=1)
"""An upload that nobody imports is thrown away after this."""

UNPACKED = ".unpacked"

MOST_TIMES = 50
"""So many times what an upload may have it may unpack to: text packs ten to one, a bomb a thousand to one."""


def most_mb() -> int:
    """What one upload may have; the command line has no such limit, for it reads the file where it is."""
    megabytes: int = settings.WHYTREE.max_body_mb
    return megabytes


@contextmanager
def held(upload: "UploadedFile[Any]", *, beyond: str) -> Iterator[str]:
    """Store an uploaded file while it is looked at. What is refused meanwhile, or finds no room, leaves nothing behind.

    Its name here ends as the sender's does, for its ending may tell what it is. `beyond` is what takes a file of any size.
    Refused is what is empty, too large, or unpacks to too much.
    """
    if upload.size is None or not upload.size:
        raise Invalid("The file is empty. Choose another one.")
    if upload.size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise TooLarge(f"The file has {upload.size >> 20:,} MB; a page takes {most_mb()}. {beyond} takes any.")
    endings = [one for one in Path(upload.name or "").suffixes[-2:] if one[1:].isalnum() and len(one) < 9]
    name = secrets.token_hex(16) + "".join(endings).lower()
    try:
        with (folder() / name).open("wb") as kept:
            for chunk in upload.chunks():
                kept.write(chunk)
        _refuse_bomb(folder() / name)
        yield name
    except BaseException:
        throw_away(name)
        raise


def folder() -> Path:
    """Where uploads lie; only this user reads it."""
    place: Path = settings.WHYTREE.data / "uploads"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def path_of(name: str) -> Path:
    """Of a kept file. `NotFound` when it is gone."""
    path = folder() / name if name else None
    if path is None or not path.is_file():
        raise NotFound(
            "The uploaded file is not here any more. Upload it again: what is known already is not taken twice."
        )
    return path


def unpacked_of(name: str) -> Path:
    """Where a kept archive lies unpacked, once somebody has unpacked it; it goes when the archive goes."""
    return folder() / f"{name}{UNPACKED}"


def throw_away(name: str) -> None:
    """A file that is not needed any more; nobody holds it open."""
    if name:
        underway.forget(name)
        (folder() / name).unlink(missing_ok=True)
        unpacked_of(name).unlink(missing_ok=True)


def throw_away_old() -> int:
    """Uploads that nobody imported; how many. Those that nobody goes on with are closed."""
    underway.forget_waiting()
    oldest = (timezone.now() - KEPT_FOR).timestamp()
    old = [path for path in folder().iterdir() if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _refuse_bomb(path: Path) -> None:
    """Unpack it once, no further than the limit. Of ZIP files and workbooks what they say of themselves is enough: nobody
    reads on beyond it."""
    most = MOST_TIMES * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    content, raw = open_bytes(path)
    with raw, content:
        size = 0
        try:
            while content is not raw and size <= most and (piece := content.read(1 << 20)):
                size += len(piece)
        except DAMAGED:
            return  # said with its row when it is read
        if zipfile.is_zipfile(raw):
            size = max(size, _unzipped(raw))
    if size > most:
        raise TooLarge(
            f"The file unpacks to more than {most >> 20:,} MB. Export a shorter time, or use the command line."
        )


def _unzipped(raw: BinaryIO) -> int:
    try:
        with zipfile.ZipFile(raw) as archive:
            return sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return 0  # said where it is opened
