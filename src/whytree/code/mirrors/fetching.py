"""A bare copy of a public repository, made and refreshed by git over https, and by nothing else of git's.

git goes to the one address that was checked, follows no redirect, asks nobody for a password, sends none, runs no hook, reads
no configuration but ours, fetches no submodule, and is ended when it takes too long or too much room.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from whytree.engines.git.log import NOTES_REF, decode
from whytree.errors import Conflict, Unavailable
from whytree.workspace.terminal.printing import plain

MOST_SECONDS = 600
# `http.curloptResolve`: an older git would look the name up again, and might find another address than the one checked.
OLDEST_GIT = (2, 37)
_LOOK_EVERY = 0.5  # seconds
_MOST_TOLD = 1 << 20  # bytes of an answer: a list of two refs
_BRANCH = "refs/heads/"
# Certificates of one's own house are the operator's to name.
_KEPT = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "http.proxy": "",
    "maintenance.autoDetach": "false",
    "submodule.recurse": "false",
    "transfer.bundleURI": "false",
}


@dataclass(frozen=True)
class Source:
    """Where to: an address that may be called, and what its host's name was found to mean."""

    url: str
    host: str
    port: int
    address: str

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0]


@dataclass(frozen=True)
class Limits:
    """When to give up; `stopping` says that the server ends."""

    most_bytes: int
    stopping: Callable[[], bool] = lambda: False
    most_seconds: float = MOST_SECONDS


def fetch(source: Source, folder: Path, limits: Limits) -> str:
    """Make `folder` a bare copy of what the source's main branch holds now; its newest commit, or a sentence as an error."""
    git = _Git(source, folder, limits)
    git.refuse_old()
    if shutil.disk_usage(folder.parent).free < limits.most_bytes:
        raise Unavailable(
            "The server's disk has less room than one mirror may take. Make some, or lower WHYTREE_MIRROR_MB."
        )
    told = git.read("ls-remote", "--symref", source.url, "HEAD", NOTES_REF)
    branch = _branch_in(told)
    if not branch:
        raise Conflict(f"{source.host} shows no commit there. Check the address, and that something was pushed.")
    if not (folder / "HEAD").exists():
        git.read("init", "--quiet", "--bare", "--template=", str(folder))
    wanted = [branch, *([NOTES_REF] if f"\t{NOTES_REF}\n" in told else [])]
    git.read(
        *("-C", str(folder), "fetch", "--quiet", "--prune", "--no-write-fetch-head", "--no-recurse-submodules"),
        *(source.url, *(f"+{ref}:{ref}" for ref in wanted)),
        stores=True,
    )
    git.read("-C", str(folder), "symbolic-ref", "HEAD", branch)
    git.read("-C", str(folder), "config", "remote.origin.url", source.url)
    return git.read("-C", str(folder), "rev-parse", "HEAD").strip()


def size_of(folder: Path) -> int:
    """Bytes of all files in it."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # git has moved it meanwhile
                continue
    return total


def _branch_in(told: str) -> str:
    """The branch that HEAD names: `ref: refs/heads/main<TAB>HEAD`."""
    for line in told.splitlines():
        ref, _, name = line.partition("\t")
        if name == "HEAD" and ref.startswith(f"ref: {_BRANCH}"):
            return ref.removeprefix("ref: ")
    return ""


class _Git:
    def __init__(self, source: Source, folder: Path, limits: Limits) -> None:
        self._source = source
        self._folder = folder
        self._limits = limits
        self._until = time.monotonic() + limits.most_seconds
        self._command = ["git", *(word for pair in self._settings().items() for word in ("-c", "=".join(pair)))]

    def _settings(self) -> Mapping[str, str]:
        source = self._source
        return {**_SETTINGS, "http.curloptResolve": f"{source.host}:{source.port}:{source.address}"}

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return kept | {
            "LC_ALL": "C",
            "HOME": os.devnull,
            "XDG_CONFIG_HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ALLOW_PROTOCOL": self._source.scheme,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
        }

    def refuse_old(self) -> None:
        version = self.read("version").split()[2:3]
        numbers = tuple(int(part) for part in (version[0] if version else "").split(".")[:2] if part.isdigit())
        if numbers < OLDEST_GIT:
            raise Conflict(
                "Mirrors need git 2.37 or newer on the server. Update it, or read a clone: whytree repository add"
            )

    def read(self, *arguments: str, stores: bool = False) -> str:
        """What git prints. It is ended at a limit; one that `stores` leaves locks and pieces then, and the copy is made anew."""
        self._refuse_late()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaint:
            try:
                process = subprocess.Popen(
                    [*self._command, *arguments],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=complaint,
                    start_new_session=True,
                )
            except OSError as error:
                raise Conflict(
                    "There is no git on the server. Install it (Debian, Ubuntu: apt install git)."
                ) from error
            try:
                while process.poll() is None:
                    self._refuse_late()
                    self._refuse_huge(os.fstat(out.fileno()).st_size + os.fstat(complaint.fileno()).st_size)
                    _wait(process)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    if stores:
                        shutil.rmtree(self._folder, ignore_errors=True)
            self._refuse_huge(os.fstat(out.fileno()).st_size)
            out.seek(0)
            complaint.seek(0)
            if process.returncode:
                raise self._refusal(decode(complaint.read(_MOST_TOLD)))
            return decode(out.read(_MOST_TOLD))

    def _refuse_late(self) -> None:
        if self._limits.stopping():
            raise Unavailable("The server ends; it goes on when it is back.")
        if time.monotonic() > self._until:
            raise Unavailable(
                f"{self._source.host} took longer than {self._limits.most_seconds / 60:.0f} minutes. It is tried again in an hour."
            )

    def _refuse_huge(self, told: int) -> None:
        if told > _MOST_TOLD or size_of(self._folder) > self._limits.most_bytes:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise Conflict(
                f"It is larger than {self._limits.most_bytes / 1e6:,.0f} MB, more than one mirror may take here "
                "(WHYTREE_MIRROR_MB). Read it from a clone: whytree repository add"
            )

    def _refusal(self, complaint: str) -> Conflict | Unavailable:
        host, lines = self._source.host, [line for line in complaint.splitlines() if line.strip()]
        if any(
            words in complaint
            for words in ("terminal prompts disabled", "could not read", "not found", "returned error: 403")
        ):
            return Conflict(
                f"{host} shows no repository there to somebody without a password. Check the address. A private one is read "
                "from a clone: whytree repository add"
            )
        if "redirect" in complaint or "returned error: 30" in complaint:
            return Conflict(
                f"{host} answers with a redirect, which is not followed. Give the address it leads to; often it ends in .git"
            )
        if ".lock" in complaint:  # left by a machine that lost its power
            shutil.rmtree(self._folder, ignore_errors=True)
        said = plain(lines[-1].removeprefix("fatal: "))[:160] if lines else "git gave no reason"
        return Unavailable(f"{host} could not be read: {said}")


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return
