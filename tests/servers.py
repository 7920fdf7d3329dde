"""Real servers in other processes, and the command line as people type it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Live:
    """A real server in another process, on a port of its own, with its own data folder."""

    url: str
    data: Path
    env: dict[str, str]
    process: "subprocess.Popen[str]"

    def cli(self, *words: str, check: bool = True, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        done = whytree(self.env, *words, check=False, cwd=cwd)
        if check and done.returncode:
            raise AssertionError(
                f"whytree {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def cli_json(self, *words: str, cwd: Path | None = None) -> Any:
        return json.loads(self.cli(*words, "--json", cwd=cwd).stdout)

    def timeline(self, who: str) -> list[str]:
        """The events known of somebody by now; none while nobody by this id was seen."""
        shown = self.cli("person", "show", who, "--json", check=False)
        return [] if shown.returncode else [moment["event"] for moment in json.loads(shown.stdout)["timeline"]]

    def key(self, kind: str) -> str:
        return str(self.cli_json("key", "add", kind, "--name", kind)["secret"])

    def stop(self, seconds: float = 30) -> int:
        self.process.terminate()
        return self.process.wait(seconds)


def until(done: Callable[[], Any], seconds: float = 30) -> Any:
    """Ask again until it is true, and return that; a busy machine is no failure."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def live_env(data: Path) -> dict[str, str]:
    """The environment of a server of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHYTREE_", "DJANGO_"))}
    return {
        **kept,
        "WHYTREE_DATA": str(data),
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }


def whytree(
    env: dict[str, str], *words: str, check: bool = True, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command line in an environment of its own."""
    command = [sys.executable, "-m", "whytree", *words]
    return subprocess.run(command, env=env, cwd=cwd, text=True, capture_output=True, timeout=180, check=check)


def start_server(data: Path, extra: dict[str, str] | None = None) -> Live:
    """Start `whytree serve` on a free port and wait until it is ready."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**live_env(data), **(extra or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "whytree", "serve", "--port", str(port)],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    live = Live(f"http://127.0.0.1:{port}", data, env, process)
    _wait_until_ready(live)
    return live


def _wait_until_ready(live: Live, seconds: float = 90) -> None:
    import httpx

    deadline = time.monotonic() + seconds
    with httpx.Client(timeout=5) as http:  # one for all: each reads the certificates of the world anew
        while time.monotonic() < deadline:
            if live.process.poll() is not None:
                raise AssertionError(f"the server ended: {live.process.stdout.read() if live.process.stdout else ''}")
            try:
                if http.get(live.url + "/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise AssertionError("the server did not get ready")
