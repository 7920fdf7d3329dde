"""Do many voices stay quick? Import, search, list, triage and erasure with hundreds of thousands of them.

python benchmarks/voices.py [--items 200000] [--data DIR]

Writes a Google Play export of real-looking reviews, imports it over HTTP into a server of its own as `whytree import
feedback` does, then asks for what people ask for. The import is compared with writing the same rows by one plain
`executemany` into a bare SQLite table with a full-text index beside it, in the same run. Budgets (2 cores, nothing else
running): 200,000 in less than 60 s of wall time and 1 GiB of the server's memory; a search under 200 ms; an act under 100 ms.
"""

import argparse
import csv
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

_HEADER = """Package Name,App Version Name,Reviewer Language,Device,Review Submit Date and Time,
Review Submit Millis Since Epoch,Star Rating,Review Title,Review Text,Review Link"""
HEADER = _HEADER.replace("\n", "").split(",")
_COMMON = """the app asks for my phone number before I could look around and then it closed again so I left it and came back
later to see prices but nothing loads on this device since the last update please fix sign up code never came support nice"""
COMMON = _COMMON.split()
ROUNDS = 15


def write_reviews(path: Path, items: int) -> None:
    rng = random.Random(7)
    rare = [f"word{number}" for number in range(20_000)]
    with path.open("w", encoding="utf-16", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for number in range(items):
            words = rng.choices(COMMON, k=rng.randint(6, 40)) + rng.choices(rare, k=2)
            if number % 50 == 0:
                words.append("mail me at user@example.org")
            at = 1_700_000_000_000 + number * 60_000
            link = f"https://play.google.com/console/reviews?reviewId={number}"
            rows.writerow(
                ["com.a", f"4.{number % 9}", "en", "pixel", "", at, number % 5 + 1, "", " ".join(words), link]
            )


def plain_rows(path: Path, folder: Path) -> float:
    """The peer: the same texts into one bare table and one full-text index."""
    with path.open(encoding="utf-16", newline="") as file:
        rows = [(row["Review Text"], row["Star Rating"], row["Review Link"]) for row in csv.DictReader(file)]
    base = sqlite3.connect(folder / "peer.sqlite3")
    start = time.perf_counter()
    base.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, text, rating, link)")
    base.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='items', content_rowid='id', prefix='2 3')")
    with base:
        base.executemany("INSERT INTO items (text, rating, link) VALUES (?, ?, ?)", rows)
        base.execute("INSERT INTO words(words) VALUES ('rebuild')")
    return time.perf_counter() - start


def whytree(env: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "whytree", *words], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def memory_mb(pid: int) -> float:
    """The most this process ever held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def timed(act: Callable[[], httpx.Response], pid: int, rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Median, 95th percentile, and the server's CPU each, in milliseconds; the first two do not count.

    The CPU says what it costs when the machine is busy with other things.
    """
    for _ in range(2):
        act().raise_for_status()
    took, busy = [], cpu_seconds(pid)
    for _ in range(rounds):
        start = time.perf_counter()
        act().raise_for_status()
        took.append((time.perf_counter() - start) * 1000)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)], (cpu_seconds(pid) - busy) / rounds * 1000


def measure(folder: Path, items: int) -> None:
    reviews = folder / "reviews.csv"
    write_reviews(reviews, items)
    peer = plain_rows(reviews, folder)
    env = {**os.environ, "WHYTREE_DATA": str(folder / "data")}
    whytree(env, "owner", "a@example.org", "--name", "A", "--product-name", "Sprout")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "whytree", "serve", "--port", str(port)]
    process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                httpx.get(url + "/readyz", timeout=2).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        report(env, url, process.pid, reviews, items, peer)
    finally:
        process.terminate()
        process.wait(30)


def report(env: dict[str, str], url: str, pid: int, reviews: Path, items: int, peer: float) -> None:
    load = os.getloadavg()[0]
    start, busy = time.perf_counter(), cpu_seconds(pid)
    run = json.loads(whytree(env, "import", "feedback", str(reviews), "--json"))
    wall, cpu = time.perf_counter() - start, cpu_seconds(pid) - busy
    print(f"load before {load:.1f}, on {os.cpu_count()} cores")
    print(
        f"import of {run['created']:,} reviews: {wall:.0f} s ({cpu:.0f} s of the server's CPU), {run['redacted']:,} redacted"
    )
    print(
        f"  {wall / peer:.1f} x one bare table with a full-text index ({peer:.1f} s); server at most {memory_mb(pid):.0f} MB"
    )
    token = (Path(env["WHYTREE_DATA"]) / "owner.token").read_text("ascii").strip()
    client = httpx.Client(
        base_url=f"{url}/api/products/sprout", headers={"Authorization": f"Bearer {token}"}, timeout=120
    )

    def get(**params: Any) -> Callable[[], httpx.Response]:
        return lambda: client.get("/feedback", params=params)

    def act(name: str, value: str = "") -> Callable[[], httpx.Response]:
        refs = iter(range(1, items))
        body = {"act": name, "value": value}
        return lambda: client.post("/feedback-triage", json={**body, "refs": [f"FB-{next(refs)}"]})

    many = iter(range(1000, items, 200))

    def tag_200() -> httpx.Response:
        first = next(many)
        refs = [f"FB-{number}" for number in range(first, first + 200)]
        return client.post("/feedback-triage", json={"act": "tag", "value": "many", "refs": refs})

    for name, call in {
        "list, the newest": get(),
        "list, waiting": get(state="waiting"),
        "search, a word in nearly all": get(q="phone"),
        "search, a rare word": get(q="word77"),
        "search, two words": get(q="phone number"),
        "search, a phrase and one without": get(q='"phone number" -prices'),
        "search by version and day": get(q="prices", version="4.1", since="2023-11-20"),
        "tag one": act("tag", "signup"),
        "put one away": act("put_away"),
        "snooze one": act("snooze", "7"),
        "tag 200 at once": tag_200,
    }.items():
        median, p95, cpu = timed(call, pid, 5 if "200" in name else ROUNDS)
        print(f"  {name:36} {median:7.0f} ms   p95 {p95:7.0f} ms   CPU {cpu:6.0f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--data", type=Path, help="a folder to keep; else one that is thrown away")
    chosen = parser.parse_args()
    if chosen.data:
        chosen.data.mkdir(parents=True, exist_ok=True)
        measure(chosen.data, chosen.items)
        return
    with tempfile.TemporaryDirectory(prefix="whytree-voices-") as folder:
        measure(Path(folder), chosen.items)


if __name__ == "__main__":
    main()
