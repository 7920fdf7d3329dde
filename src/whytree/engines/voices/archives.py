"""ZIP files from strangers: nothing is written to disk, and nothing unpacks beyond a limit."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from whytree.engines.tables import UnreadableTable

MOST_ENTRIES = 200_000
MOST_OF_ONE = 100 * 1024 * 1024
MOST_IN_ALL = 2 * 1024 * 1024 * 1024
MOST_RATIO = 250
"""JSON packs 5 to 20 to 1, and repetitive JSON 100 to 1; a bomb packs a thousand to one."""

SMALL = 4 * 1024 * 1024
"""Below this size a ratio proves nothing."""


class Archive:
    """The JSON files of a ZIP. Raises `UnreadableTable` with a sentence for all that is wrong with the whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UnreadableTable(f"{path.name} is a damaged ZIP file. Download it again.") from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        if len(infos) > MOST_ENTRIES:
            raise UnreadableTable(f"{path.name} holds {len(infos):,} files; the limit is {MOST_ENTRIES:,}.")
        if sum(info.file_size for info in infos) > MOST_IN_ALL:
            raise UnreadableTable(f"{path.name} unpacks to more than {MOST_IN_ALL >> 30} GB. Export a shorter time.")
        for info in infos:
            self._check(info)
        self._infos = {info.filename: info for info in infos}

    def _check(self, info: zipfile.ZipInfo) -> None:
        name = self.path.name
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise UnreadableTable(f"{name} names a file outside itself, which no export does. It was not read.")
        if info.flag_bits & 0x1:
            raise UnreadableTable(f"{name} is encrypted. Unpack it and pack it again without a password.")
        if info.file_size > MOST_OF_ONE:
            raise UnreadableTable(
                f"{name} holds a file that unpacks to {info.file_size >> 20:,} MB; the limit is {MOST_OF_ONE >> 20}."
            )
        if info.file_size > SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
            raise UnreadableTable(f"{name} unpacks to far more than any export would. It was not read.")

    def close(self) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        return list(self._infos)

    def json(self, name: str) -> Any:
        """What a file holds. Raises `ValueError` with a sentence when that is no JSON."""
        info = self._infos[name]
        try:
            with self._zip.open(info) as file:
                content = file.read(MOST_OF_ONE + 1)  # what the index says of its size may be a lie
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            raise ValueError("it is damaged") from error
        if len(content) > MOST_OF_ONE:
            raise ValueError(f"it unpacks to more than {MOST_OF_ONE >> 20} MB")
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ValueError("it is no JSON") from error
