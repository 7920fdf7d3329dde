"""The demo's own data folder: empty, half told, or told. The person's usual data is never touched.

`demo.json` is written before the story begins and completed after its end, so that a telling which was cut off is seen.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from whytree import options
from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.serving import running_server

State = Literal["empty", "half told", "told"]

RECORD = "demo.json"
LOCK = "demo.lock"
# Settings that name the person's own data or server; the demo has its own.
_OWN = ("DATA", "DATABASE_URL", "EVENTS_URL", "URL", "TOKEN", "PRODUCT", "SECRET_KEY")


class Folder:
    """Where the demo lives."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()

    @property
    def state(self) -> State:
        record = self._read()
        if record is None:
            if self.path.is_dir() and set(os.listdir(self.path)) - {LOCK}:
                raise CommandError(
                    f"{self.path} holds something that is no demo, so it is left alone. Choose another folder: --data DIR"
                )
            return "empty"
        return "told" if record.get("loaded") else "half told"

    @property
    def today(self) -> datetime:
        """The story's today: the day on which it was told."""
        record = self._read()
        return datetime.fromisoformat(record["today"]) if record else datetime.now(UTC)

    @property
    def loaded(self) -> dict[str, int]:
        return dict((self._read() or {}).get("loaded") or {})

    @property
    def server(self) -> str:
        """Address of the server that runs on it, if one does."""
        return running_server(self.path)

    def begin(self, today: datetime) -> None:
        """Note that the telling begins; from here on the folder may be emptied again."""
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")
        self._write({"version": 1, "today": today.isoformat(), "loaded": None})

    def finish(self, loaded: dict[str, int]) -> None:
        self._write({"version": 1, "today": self.today.isoformat(), "loaded": loaded})

    def clear(self) -> None:
        """Take everything out; only ever called on a folder that says it is a demo, or is empty."""
        if self.state == "empty":
            return
        if self.server:
            raise CommandError(f"The demo is running at {self.server}. Stop it first (Ctrl-C), then tell it anew.")
        entries = [entry for entry in self.path.iterdir() if entry.name not in {LOCK, RECORD}]
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        (self.path / RECORD).unlink()  # last: until then a cut-off clearing is seen as a demo

    @contextmanager
    def held(self) -> Iterator[None]:
        """One telling at a time."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.path / LOCK, "w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(
                    f"The demo is being told into {self.path} by another process. Wait for it."
                ) from None
            yield

    def move_in(self) -> None:
        """Make this folder the data folder of this process, whatever the person's own settings say."""
        for name in _OWN:
            os.environ.pop(f"WHYTREE_{name}", None)
            os.environ.pop(f"WHYTREE_{name}_FILE", None)
        os.environ["WHYTREE_DATA"] = str(self.path)

    def _read(self) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return {"today": datetime.now(UTC).isoformat(), "loaded": None}  # cut off while it was written
        return record

    def _write(self, record: dict[str, Any]) -> None:
        fresh = self.path / f".{RECORD}"
        options.write_private(fresh, json.dumps(record, indent=2))
        fresh.replace(self.path / RECORD)
