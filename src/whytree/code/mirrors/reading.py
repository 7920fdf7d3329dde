"""A mirror read by a process of its own: git and the replay of its history take the processor, not the server.

That process has no database, no settings and no token. What it finds it asks for over its standard streams, one JSON line a
request, and the job answers each as the REST API would:

    child:  {"method": "POST", "path": "/products/sprout/repositories/3/commits", "body": {…}}
    job:    {"status": 200, "body": "…"}

It may speak of its one product, as a maintainer of that one, whatever stands in the history it reads.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whytree.errors import Conflict, Unavailable
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.wire import Answer, LocalHttp

MOST_SECONDS = 3_600
_CHUNK = 1 << 16
# Progress is for eyes.
_TOLD_EVERY = 2.0
_NICENESS = 10


@dataclass(frozen=True)
class Wish:
    """Which repository, and how much of its code may be kept."""

    product: str
    folder: str
    name: str
    tracker: str
    with_code: bool
    with_hunks: bool


Ask = Callable[[str, str, Mapping[str, Any], Any], tuple[int, bytes]]


def read_apart(wish: Wish, ask: Ask, show: Callable[[str], None], stopping: Callable[[], bool]) -> dict[str, Any]:
    """Read a mirror; the repository, as the API tells it. `ask` answers a request, `show` hears how far it is."""
    # -P: nothing is imported from where we stand. Of the environment only what finds git and Python.
    command = [sys.executable, "-P", "-m", __name__, json.dumps(vars(wish))]
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": os.devnull}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        try:
            for told in _lines(process, stopping):
                if "repository" in told:
                    read: dict[str, Any] = told["repository"]
                    return read
                if "refused" in told:
                    raise Conflict(told["refused"])
                if "doing" in told:
                    show(told["doing"])
                    continue
                _answer(process, wish, told, ask)
        finally:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
    raise Unavailable("The process that read it ended early, perhaps for want of memory. It is tried again in an hour.")


def _lines(process: "subprocess.Popen[bytes]", stopping: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """What it says, line by line, as long as there is time."""
    if process.stdout is None:
        return
    until, rest, out = time.monotonic() + MOST_SECONDS, b"", process.stdout.fileno()
    while True:
        if stopping():
            raise Unavailable("The server ends; it goes on when it is back.")
        if time.monotonic() > until:
            raise Unavailable("Reading took longer than an hour. What was read is kept; it goes on in an hour.")
        if not select.select([out], [], [], 1.0)[0]:
            continue
        chunk = os.read(out, _CHUNK)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)


def _answer(process: "subprocess.Popen[bytes]", wish: Wish, told: dict[str, Any], ask: Ask) -> None:
    if not told["path"].startswith(f"/products/{wish.product}/"):
        raise Conflict("The process that read it asked for another product.")
    status, body = ask(told["method"], told["path"], told["params"], told["body"])
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):  # it ended meanwhile: the next look sees that
            process.stdin.write(json.dumps({"status": status, "body": body.decode()}).encode() + b"\n")
            process.stdin.flush()


# The other side ---------------------------------------------------------------------------------------


class _Streams(LocalHttp):
    """What `Client` needs of HTTP."""

    def __init__(self) -> None:
        super().__init__("", {}, 0)

    def request(self, method: str, path: str, *, params: dict[str, Any] | None = None, json: Any = None) -> Answer:
        _say({"method": method, "path": path.removeprefix("/api"), "params": params or {}, "body": json})
        answered = _read()
        return Answer(answered["status"], answered["body"].encode())


def _say(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    sys.stdout.buffer.flush()


def _read() -> dict[str, Any]:
    line = sys.stdin.buffer.readline()
    if not line:  # the job is gone
        raise SystemExit(1)
    answered: dict[str, Any] = json.loads(line)
    return answered


class _Progress:
    """Says how far it is, now and then."""

    def __init__(self) -> None:
        self._at = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() - self._at > _TOLD_EVERY:
            self._at = time.monotonic()
            _say({"doing": f"{what}, {done:,} of {total:,}" if total else what})


def main(wish: Wish) -> None:
    """Read the mirror as `whytree init` reads a clone."""
    from ..clone.git import open_mirror
    from ..scanning.reading_all import read_all
    from ..scanning.surveying import survey
    from ..scanning.telling import identity

    os.nice(_NICENESS)
    client = Client(_Streams(), "the server")
    client.product = wish.product
    base = f"/products/{wish.product}"
    try:
        clone, show = open_mirror(Path(wish.folder)), _Progress()
        facts = {"name": wish.name, "root_sha": identity(clone), "tracker": wish.tracker}
        body = {**facts, "with_code": wish.with_code, "with_hunks": wish.with_hunks}
        repository = client.post(f"{base}/repositories", body)
        found = read_all(client, clone, repository, show)
        surveyed = survey(clone)
        client.post(f"{base}/repositories/{repository['id']}/survey", {**surveyed.body, "root_sha": facts["root_sha"]})
        if found.new_commits:
            client.post(
                f"{base}/drafts/propose",
                {"repository": repository["name"], "head": clone.head, "changes": surveyed.changes},
            )
    except CommandError as error:
        _say({"refused": error.message})
        return
    _say({"repository": repository})


if __name__ == "__main__":
    main(Wish(**json.loads(sys.argv[1])))
