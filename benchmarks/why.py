"""How long does one wait for `whytree why FILE:LINE`, beside the blame that git needs for it anyway?

python benchmarks/why.py [--commits 50000] [--files 10000] [--rounds 21] [--repository PATH]

1. A repository is made with `git fast-import` (some files change often, most seldom), or PATH is taken; a server is
   started on a data folder of its own, a small tree is written, and the commits are read in.
2. Lines of files drawn at random are asked about, each by a new process from start to exit, screen drawn:
   `git blame` with the very options that we use, `whytree why` cold, `git blame` again, `whytree why` remembering.
3. The same question over one open connection shows the server's share.

Budget: no slower than 1.1 x the blame beside it plus 50 ms (median over the pairs); remembered, below 300 ms.
"""

import argparse
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BUDGET_RATIO, BUDGET_MORE_MS = 1.1, 50
BUDGET_WARM_MS = 300
LINES = 120
SOLUTIONS = 20
ROOT = Path(__file__).resolve().parent.parent
# As whytree.engines.git.blame_arguments.
BLAME = ("blame", "--porcelain", "-w", "-M", "-C", "--no-ignore-revs-file", "--no-textconv")


def history(commits: int, count: int) -> Iterator[bytes]:
    """A stream for `git fast-import`: files written whole first, then a few lines of one file a commit."""
    draw = random.Random(7)
    files = {
        f"src/part{number % 100}/module{number}.py": [f"line {row} of {number}" for row in range(LINES)]
        for number in range(count)
    }
    names = list(files)
    picked = draw.choices(names, [1 / (place + 20) for place in range(count)], k=commits)
    for number in range(commits):
        message = f"Change number {number}" + (f"\n\nWhy: SOL-{1 + number % SOLUTIONS}" if number % 3 else "")
        at = 1_600_000_000 + number * 600
        yield f"commit refs/heads/main\ncommitter Ana <ana@example.org> {at} +0000\ndata {len(message)}\n{message}\n".encode()
        for path in [picked[number]] if number else names:
            for row in draw.sample(range(LINES), 6) if number else []:
                files[path][row] = f"line {row} as change {number} left it"
            text = "\n".join(files[path]) + "\n"
            yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n".encode()
    yield b"done\n"


def make_repository(folder: Path, commits: int, files: int) -> None:
    folder.mkdir()
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    with subprocess.Popen([*git, "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE) as process:
        assert process.stdin
        for piece in history(commits, files):
            process.stdin.write(piece)
    subprocess.run([*git, "reset", "--quiet", "--hard"], check=True)
    subprocess.run([*git, "gc", "--quiet"], check=True)


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
    parser.add_argument("--commits", type=int, default=50_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--repository", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whytree-bench-") as folder:
        clone = chosen.repository or Path(folder) / "clone"
        if not chosen.repository:
            make_repository(clone, chosen.commits, chosen.files)
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
    print(run("repository", "add", ".", "--no-lines"))
    print(f"commits read in {time.perf_counter() - begin:.0f} s")
    listed = subprocess.run(["git", "-C", str(clone), "ls-files", "*.py"], capture_output=True, text=True, check=True)
    paths = listed.stdout.splitlines()
    draw = random.Random(11)
    pairs = [pair(clone, environment, draw.choice(paths), draw) for _ in range(rounds + 1)][1:]
    report(pairs)
    answer = over_one_connection(environment, "SOL-1", rounds)
    bare = statistics.median(timed([sys.executable, "-c", "pass"]) for _ in range(5))
    print(f"python's own start {bare:.0f} ms, the server's answer about SOL-1 {answer:.0f} ms")


def pair(clone: Path, environment: dict[str, str], path: str, draw: random.Random) -> tuple[float, float, float, float]:
    """git, why, git, why: in ms. The first question about a file is cold, the second finds it remembered."""
    line = draw.randint(1, len((clone / path).read_text(errors="replace").splitlines()) or 1)
    blame = ["git", "-C", str(clone), *BLAME, f"-L{line},{line}", "--", path]
    why = [sys.executable, "-m", "whytree", "why", f"{path}:{line}"]
    shutil.rmtree(clone / ".git/whytree", ignore_errors=True)
    taken = [timed(blame), timed(why, env=environment, cwd=clone), timed(blame), timed(why, env=environment, cwd=clone)]
    return taken[0], taken[1], taken[2], taken[3]


def report(pairs: Sequence[tuple[float, float, float, float]]) -> None:
    first, cold, second, warm = (statistics.median(row) for row in zip(*pairs, strict=True))
    over = statistics.median(why - BUDGET_RATIO * blame for blame, why, _, _ in pairs)
    print(f"cold: git blame {first:.0f} ms, why {cold:.0f} ms, ratio {cold / first:.2f}")
    print(
        f"      why - {BUDGET_RATIO} x blame: {over:.0f} ms; budget {BUDGET_MORE_MS}: {_kept(over <= BUDGET_MORE_MS)}"
    )
    print(f"remembered: git blame {second:.0f} ms, why {warm:.0f} ms, ratio {warm / second:.2f}; ", end="")
    print(f"budget {BUDGET_WARM_MS} ms: {_kept(warm < BUDGET_WARM_MS)}")
    quick = [(why, blame) for blame, why, _, _ in pairs if blame < BUDGET_MORE_MS]
    if quick:
        floor = statistics.median(why for why, _ in quick)
        print(
            f"where git needs under {BUDGET_MORE_MS} ms ({len(quick)} of {len(pairs)} lines), why takes {floor:.0f} ms"
        )


def _kept(kept: bool) -> str:
    return "kept" if kept else "MISSED"


if __name__ == "__main__":
    main()
