"""`make test`: everything, with what it needs. Installs Debian's chromium, PostgreSQL and Node when root; else says what to type.

The suite runs twice: whole on SQLite, with the browser and the real servers; then on PostgreSQL, in a cluster of its own
that is gone afterwards. There only as many tests run as it takes to send PostgreSQL every statement that SQLite was sent:
each shape of statement, each error it met and each kind of value that PostgreSQL refuses, by two tests where two sent it
(`statements.py`). What else a test holds, above the database, it has held once. Locks and migrations are statements too.
What speaks through a server of its own, which has SQLite, does not run twice. With CI=true a missing part is a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.statements import cover

CI = os.environ.get("CI") == "true"
WORKERS = (os.cpu_count() or 1) + 1  # a worker waits for disks and for servers of its own half of the time
BROWSER = "chromium-headless-shell"
PACKAGES = {BROWSER: (BROWSER, "chromium"), "postgresql": ("pg_ctl",), "nodejs": ("node",), "npm": ("npm",)}
NEEDED = {BROWSER, "postgresql"}  # what Node's clients need comes from a registry of others, which may be away


def main() -> int:
    left_out = install_missing()
    if CI and (needed := NEEDED.intersection(left_out)):
        print(f"CI needs {', '.join(sorted(needed))}, which could not be installed.")
        return 1
    with tempfile.TemporaryDirectory(prefix="whytree-statements-") as folder:
        codes = [run("SQLite", {}, f"--statements-to={folder}", *sys.argv[1:])]
        if "postgresql" not in left_out and (chosen := on_postgresql(Path(folder))):
            options = [word for word in sys.argv[1:] if not Path(word.partition("::")[0]).exists()]
            files = sorted({name.partition("::")[0] for name in chosen})  # the others need not even be read
            named = Path(folder, "chosen")
            named.write_text("\n".join(chosen), "utf-8")
            with postgres() as url:
                codes.append(run("PostgreSQL", {"WHYTREE_DATABASE_URL": url}, f"--only-from={named}", *options, *files))
    for name in left_out:
        print(f"Left out for want of {name}: apt-get install {name}")
    return max(codes)


def install_missing() -> list[str]:
    """Install what Debian has; returns the packages that are still missing."""
    missing = _missing()
    if missing and os.geteuid() == 0:
        quiet = {
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            "stdout": subprocess.DEVNULL,
            "check": False,
        }
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], **quiet)
        missing = _missing()
    elif missing:
        print(f"For the whole suite: apt-get install {' '.join(missing)}")
    return missing


def _missing() -> list[str]:
    return [package for package, programs in PACKAGES.items() if not any(map(find, programs))]


def find(program: str) -> str | None:
    """A program on the path, or among PostgreSQL's own."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) if not found else str(found[-1])


def on_postgresql(folder: Path) -> list[str]:
    """The tests to run again."""
    chosen, among = cover(folder)
    print(
        f"{len(chosen)} of the {among} tests that spoke to SQLite send all its statements; they run again.", flush=True
    )
    return chosen


def run(name: str, extra: dict[str, str], *words: str) -> int:
    print(f"== Tests on {name}", flush=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            str(WORKERS),
            "--dist",
            "loadfile",
            "--no-loadscope-reorder",
            *words,
        ],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **extra},  # else each process reads all code and tests anew
        check=False,
    )
    return done.returncode


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL cluster of our own on a socket in a temporary folder; no port, no trace."""
    programs = Path(find("pg_ctl") or "pg_ctl").parent
    with tempfile.TemporaryDirectory(prefix="whytree-pg-") as folder:
        user = "postgres" if os.geteuid() == 0 else ""
        if user:  # PostgreSQL refuses to run as root
            shutil.chown(folder, user)
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []

        def call(program: str, *words: str) -> None:
            subprocess.run(
                [*as_user, str(programs / program), *words], check=True, stdout=subprocess.DEVNULL, cwd=folder
            )

        call(
            "initdb",
            "-D",
            f"{folder}/data",
            "-A",
            "trust",
            "-U",
            "whytree",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c max_connections=50"
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c jit=off"
        call("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://whytree@{folder.replace('/', '%2F')}/postgres"
        finally:
            call("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")


if __name__ == "__main__":
    sys.exit(main())
