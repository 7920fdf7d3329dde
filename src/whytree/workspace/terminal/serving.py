"""That a server runs on a data folder, and at which address: `server.json`, which the server holds locked while it lives.

    with announced(data, "http://127.0.0.1:8787"):
        ...                          # meanwhile `running_server(data)` gives that address, in every process

The lock ends with its process, in whatever way that does. The process id alone would not do: after a `kill -9` somebody else may
have it, and in a container the next server always does.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from whytree import options

_NAME = "server.json"


@contextlib.contextmanager
def announced(data: Path, url: str) -> Iterator[None]:
    """Say that this process answers at `url`, until the block ends or the process does."""
    record = data / _NAME
    options.write_private(record, json.dumps({"pid": os.getpid(), "url": url}))
    with record.open("rb") as file:
        with contextlib.suppress(OSError):  # a file system that has no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            record.unlink(missing_ok=True)


def running_server(data: Path) -> str:
    """Address of the server running on this data folder; empty when there is none (or it died)."""
    try:
        with (data / _NAME).open("rb") as file:
            facts = json.load(file)
            return str(facts["url"]) if _is_held(file, int(facts["pid"])) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _is_held(file: IO[bytes], pid: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks here: the process id is all there is to go by
        os.kill(pid, 0)
        return pid != os.getpid()
    return False
