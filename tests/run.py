"""`make test`: everything, with what it needs. Installs Debian's chromium, PostgreSQL and Node when root; else says what to type.

The suite runs twice: on SQLite with the browser and the real servers, then the parts that speak to the relational
database on PostgreSQL, in a cluster of its own that is gone afterwards. With CI=true a missing part is a failure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CI = os.environ.get("CI") == "true"
WORKERS = (os.cpu_count() or 1) + 1  # a worker waits for disks and for servers of its own half of the time
# The second run: what speaks to the relational database, but not through a server of its own, which has SQLite.
RELATIONAL = ("-m", "relational and not browser and not live")
PACKAGES = {"chromium": "chromium", "postgresql": "pg_ctl", "nodejs": "node", "npm": "npm"}
NEEDED = {"chromium", "postgresql"}  # what Node's clients need comes from a registry of others, which may be away


def main() -> int:
    left_out = install_missing()
    if CI and (needed := NEEDED.intersection(left_out)):
        print(f"CI needs {', '.join(sorted(needed))}, which could not be installed.")
        return 1
    codes = [run("SQLite", {}, *sys.argv[1:])]
    if "postgresql" not in left_out:
        with postgres() as url:
            codes.append(run("PostgreSQL", {"WHYTREE_DATABASE_URL": url}, *RELATIONAL, *sys.argv[1:]))
    for name in left_out:
        print(f"Left out for want of {name}: apt-get install {name}")
    return max(codes)


def install_missing() -> list[str]:
    """Install what Debian has; returns the packages that are still missing."""
    missing = [package for package, program in PACKAGES.items() if not find(program)]
    if missing and os.geteuid() == 0:
        quiet = {
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            "stdout": subprocess.DEVNULL,
            "check": False,
        }
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], **quiet)
        missing = [package for package, program in PACKAGES.items() if not find(program)]
    elif missing:
        print(f"For the whole suite: apt-get install {' '.join(missing)}")
    return missing


def find(program: str) -> str | None:
    """A program on the path, or among PostgreSQL's own."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) if not found else str(found[-1])


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
        env={**os.environ, **extra},
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
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
        call("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://whytree@{folder.replace('/', '%2F')}/postgres"
        finally:
            call("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")


if __name__ == "__main__":
    sys.exit(main())
