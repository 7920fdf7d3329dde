"""How long does one wait for `whytree why FILE:LINE`, and how much of that is git's own blame?

python benchmarks/why.py [--commits 5000] [--rounds 21] [--repository PATH]

1. A repository of 5,000 commits over 200 files is made with `git fast-import` (or PATH is taken), a server is started
   on a data folder of its own, a small tree is written, and the clone is read in with `whytree repository add`.
2. Lines of different files are asked about in turn, each once by `git blame` with the very options that we use, and
   once by `whytree why`: a new process each, from start to exit, screen drawn. One round warms both.
3. The same question over one open connection shows the server's share.

Budget: a median below 300 ms. The ratio is what `why` costs beside the blame it needs anyway.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BUDGET_MS = 300
FILES = 200
LINES = 300
SOLUTIONS = 20
ROOT = Path(__file__).resolve().parent.parent
# As whytree.engines.blame_arguments.
BLAME = ("blame", "--porcelain", "-w", "-M", "-C", "--no-ignore-revs-file", "--no-textconv")


def history(commits: int) -> Iterator[bytes]:
    """A stream for `git fast-import`: files written whole first, then a few lines of one file a commit."""
    draw = random.Random(7)
    files = {
        f"src/part{number % 20}/module{number}.py": [f"line {row} of {number}" for row in range(LINES)]
        for number in range(FILES)
    }
    yield b"blob\nmark :1\ndata 2\nx\n\n"
    for number in range(commits):
        message = f"Change number {number}" + (f"\n\nWhy: SOL-{1 + number % SOLUTIONS}" if number % 3 else "")
        at = 1_700_000_000 + number * 600
        yield f"commit refs/heads/main\ncommitter Ana <ana@example.org> {at} +0000\ndata {len(message)}\n{message}\n".encode()
        changed = list(files) if number == 0 else [draw.choice(list(files))]
        for path in changed:
            for row in draw.sample(range(LINES), 8) if number else []:
                files[path][row] = f"line {row} as change {number} left it"
            text = "\n".join(files[path]) + "\n"
            yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n".encode()
    yield b"done\n"


def make_repository(folder: Path, commits: int) -> None:
    folder.mkdir()
    subprocess.run(["git", "-C", str(folder), "init", "--quiet", "--initial-branch=main"], check=True)
    stream = b"".join(history(commits))
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet", "--done"], input=stream, check=True)
    subprocess.run(["git", "-C", str(folder), "reset", "--quiet", "--hard"], check=True)
    subprocess.run(["git", "-C", str(folder), "gc", "--quiet"], check=True)


@contextmanager
def server(data: Path) -> Iterator[dict[str, str]]:
    """A running server with an owner and a product; gives the environment of its commands."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WHYTREE_")}
    environment = {**kept, "WHYTREE_DATA": str(data), "PYTHONPATH": str(ROOT / "src"), "WHYTREE_PRODUCT": "bench"}
    command = [sys.executable, "-m", "whytree"]
    owner = ["owner", "bench@example.org", "--product-name", "Bench"]
    subprocess.run([*command, *owner], env=environment, check=True, capture_output=True)
    process = subprocess.Popen([*command, "serve", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        yield environment
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not get ready")


def write_tree(run: Callable[..., str]) -> None:
    run("outcome", "add", "Activated in 7 days", "--baseline", "31.2", "--target", "40")
    run("opportunity", "add", "I don't know why you need my phone number", "--under", "OUT-1")
    run(
        "evidence", "add", "OPP-1", "--quote", "I closed it when it wanted my number.", "--url", "https://example.org/1"
    )
    for number in range(SOLUTIONS):
        run("solution", "add", f"Way number {number}", "--under", "OPP-1")


def timed(command: list[str], **options: object) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, **options)  # type: ignore[call-overload]
    return (time.perf_counter() - begin) * 1000


def over_one_connection(environment: dict[str, str], ref: str, rounds: int) -> float:
    """Median of the server's own answer, in ms."""
    data = Path(environment["WHYTREE_DATA"])
    url = json.loads((data / "server.json").read_text())["url"]
    token = (data / "owner.token").read_text().strip()
    body = json.dumps({"ref": ref}).encode()
    request = urllib.request.Request(
        f"{url}/api/products/bench/why", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    )
    taken = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        urllib.request.urlopen(request, timeout=30).read()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--commits", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--repository", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whytree-bench-") as folder:
        clone = chosen.repository or Path(folder) / "clone"
        if not chosen.repository:
            make_repository(clone, chosen.commits)
        with server(Path(folder) / "data") as environment:
            measure(clone, environment, chosen.rounds)


def measure(clone: Path, environment: dict[str, str], rounds: int) -> None:
    whytree = [sys.executable, "-m", "whytree"]

    def run(*words: str) -> str:
        done = subprocess.run(
            [*whytree, *words], env=environment, cwd=clone, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    write_tree(run)
    begin = time.perf_counter()
    print(run("repository", "add", "."))
    print(f"read in {time.perf_counter() - begin:.1f} s")
    listed = subprocess.run(["git", "-C", str(clone), "ls-files", "*.py"], capture_output=True, text=True, check=True)
    paths = [
        path for path in listed.stdout.splitlines() if len((clone / path).read_text(errors="replace").splitlines()) > 40
    ]
    asked = [(random.Random(number).choice(paths), 11 + number) for number in range(rounds + 1)]
    blames, whys = [], []
    for path, line in asked:
        blames.append(timed(["git", "-C", str(clone), *BLAME, f"-L{line},{line}", "--", path]))
        whys.append(timed([*whytree, "why", f"{path}:{line}"], env=environment, cwd=clone))
    blame, why = statistics.median(blames[1:]), statistics.median(whys[1:])
    path, line = asked[0]
    answer = over_one_connection(environment, f"{path}:{line}", rounds)
    bare = statistics.median(timed([sys.executable, "-c", "pass"]) for _ in range(5))
    print(
        f"git blame {blame:.0f} ms, why {why:.0f} ms (of it python's own start {bare:.0f}, the server's answer {answer:.0f})"
    )
    print(f"ratio why / blame: {why / blame:.1f}, why - blame: {why - blame:.0f} ms")
    print(f"budget {BUDGET_MS} ms: {'kept' if why < BUDGET_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
