"""Who holds the folder of the in-process engine.

The engine itself refuses a second process with an empty message. So we keep a lock file beside the folder that says
who is there: a second process answers with a sentence that names the first one and what to do.
"""

import fcntl
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ..errors import StoreLocked


class FolderLock:
    """Held from `acquire` to `release`, or until the process ends in whatever way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder.with_name(folder.name + ".lock")
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the folder, or raise `StoreLocked` with a sentence that names who has it."""
        if self._file is not None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StoreLocked(self._sentence(), retry_after=5) from error
        file.truncate(0)
        json.dump({"pid": os.getpid(), "command": _command(), "since": datetime.now(UTC).isoformat()}, file)
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _sentence(self) -> str:
        holder = _read(self.path)
        pid = holder.get("pid")
        if not pid:
            return f"Another process holds the events in {self.folder}. Stop it, or use it over HTTP: WHYTREE_URL."
        url = self._address_of(pid)
        who = f"process {pid}" + (f" ({holder['command']})" if holder.get("command") else "")
        if url:
            return f"The events in {self.folder} are held by {who}, which answers at {url}. Use that, or stop it first."
        return f"The events in {self.folder} are held by {who}. Wait until it ends, or stop it first."

    def _address_of(self, pid: object) -> str:
        """A server writes its address into the data folder."""
        server = _read(self.folder.parent / "server.json")
        return str(server.get("url", "")) if server.get("pid") == pid else ""


def _read(path: Path) -> dict[str, object]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _command() -> str:
    """How this process was started, short enough for a sentence."""
    words = [Path(sys.argv[0]).name or "python", *sys.argv[1:3]]
    return " ".join("whytree" if word == "__main__.py" else word for word in words)[:80]
