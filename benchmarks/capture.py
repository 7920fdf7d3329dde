"""How many events a second are taken, each on disk before it is acknowledged?

python benchmarks/capture.py [--seconds 20 | --minutes 10] [--clients 64]

1. Raw: the engine alone in this process, on a folder of its own, given the very rows that capture makes of the events
   below, in fsynced inserts of 10,000 ready lines. That is what chDB can take when nothing else is done.
2. Capture: a real server in another process, asked over keep-alive connections with batches of 100 events of 12
   properties each (500 property names, 50 event names, 100,000 people), new message ids all the time. An event counts
   once its batch was answered with 200. Clients and server share the machine; the server is set as it comes.
3. The same raw insert once more, so that a machine that became slower or faster in between shows.

Budget on 2 cores: 25,000 events/s sustained, and at least half of what raw gives. At the end the server is asked how
many events it has: exactly those that were acknowledged.
"""

import argparse
import base64
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

BATCH = 100
PROPERTIES = 12
PROPERTY_NAMES = 500
EVENT_NAMES = 50
PEOPLE = 100_000
BODIES = 200
RAW_ROWS = 10_000
RATE_BUDGET = 25_000
SHARE_BUDGET = 0.5
MARK = b"ROUND000"  # stands in every message id, and is replaced for each request


def messages(seed: int) -> list[dict[str, Any]]:
    """One batch as a server library sends it."""
    draw = random.Random(seed)
    return [
        {
            "type": "track",
            "event": f"event {draw.randrange(EVENT_NAMES)}",
            "userId": f"person-{draw.randrange(PEOPLE)}",
            "messageId": f"{MARK.decode()}-{seed}-{place}",
            "timestamp": "2026-11-23T17:25:41.123+00:00",
            "context": {"library": {"name": "analytics-python", "version": "2.4.0"}, "locale": "en-US"},
            "integrations": {},
            "properties": {name: value(draw) for name in draw.sample(NAMES, PROPERTIES)},
        }
        for place in range(BATCH)
    ]


NAMES = [f"property {number}" for number in range(PROPERTY_NAMES)]
NUMBERS = count()  # of requests: no two share their message ids


def value(draw: random.Random) -> Any:
    kind = draw.randrange(4)
    if kind == 0:
        return round(draw.random() * 1000, 2)
    if kind == 1:
        return draw.random() < 0.5
    return f"value {draw.randrange(1000)}"


def bodies() -> list[bytes]:
    sent_at = "2026-11-23T17:25:42.123+00:00"
    return [json.dumps({"batch": messages(seed), "sentAt": sent_at}).encode() for seed in range(BODIES)]


# ---- raw -----------------------------------------------------------------------------------------------------------


def raw_rows() -> list[bytes]:
    """The lines that capture writes for these events, in blocks of `RAW_ROWS`."""
    from whytree.events.services import encoded
    from whytree.events.shaping.normalise import open_door
    from whytree.events.shaping.rows import Normalised
    from whytree.events.wire.segment.messages import segment
    from whytree.events.wire.segment.reading import read_batch

    lines = []
    for body in bodies():
        envelope = read_batch(body)
        door = open_door(1, "capture", time.time(), envelope.sent_at)
        taken = [segment(message, door) for message in envelope.messages if message is not None]
        lines += encoded([item.event for item in taken if isinstance(item, Normalised)]).split(b"\n")
    assert len(lines) == BODIES * BATCH
    return [b"\n".join(lines[start : start + RAW_ROWS]) for start in range(0, len(lines), RAW_ROWS)]


def raw(blocks: list[bytes], seconds: float) -> float:
    """Rows a second into a fresh table of the same make."""
    from whytree.stores.events import temporary_database

    with temporary_database() as store:
        store.insert_block("events", blocks[0])
        rows, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            store.insert_block("events", blocks[(rows // RAW_ROWS) % len(blocks)])
            rows += RAW_ROWS
        return rows / (time.perf_counter() - start)


# ---- capture -------------------------------------------------------------------------------------------------------


@contextmanager
def server(
    folder: Path, before: Callable[[dict[str, str]], None] | None = None
) -> Iterator[tuple["subprocess.Popen[bytes]", int, str, dict[str, str]]]:
    """A server of its own: the process, its port, a capture key, and the environment for asking it.

    `before` is called with that environment once there is a product, and nobody holds the event store.
    """
    left_out = ("WHYTREE_", "DJANGO_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    env |= {"WHYTREE_DATA": str(folder)}
    cli(env, "owner", "bench@example.org", "--product-name", "Bench")
    if before is not None:
        before(env)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, "-m", "whytree", "serve", "--port", str(port)]
    process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield process, port, cli(env, "key", "add", "capture", "--name", "bench")["secret"], env
    finally:
        process.terminate()
        process.wait(60)


def cli(env: dict[str, str], *words: str) -> Any:
    command = [sys.executable, "-m", "whytree", *words, "--json"]
    return json.loads(subprocess.run(command, env=env, check=True, capture_output=True).stdout)


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not get ready")


@dataclass
class Sent:
    """What one connection got acknowledged; `ticks` are events by second since the start."""

    events: int
    milliseconds: list[float]
    ticks: dict[int, int]


def send(port: int, key: str, ready: list[bytes], numbers: Iterator[int], until: float, sent: Sent) -> None:
    """Send batch after batch on one connection until it is time."""
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {credentials}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until:
            number = next(numbers)
            body = ready[number % BODIES].replace(MARK, b"%08x" % (number // BODIES))
            start = time.perf_counter()
            connection.sendall(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            receive(connection)
            end = time.perf_counter()
            sent.events += BATCH
            sent.milliseconds.append(1000 * (end - start))
            second = int(end - begin)
            sent.ticks[second] = sent.ticks.get(second, 0) + BATCH


def receive(connection: socket.socket) -> None:
    """Read one answer to its end; anything but a plain success ends the run."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536) or broken()
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += connection.recv(65_536) or broken()
    if body != b'{"success":true}':
        raise SystemExit((head + body).decode(errors="replace"))


def broken() -> bytes:
    raise SystemExit("the server closed the connection in the middle of an answer")


def capture(port: int, key: str, seconds: float, clients: int) -> list[Sent]:
    ready = bodies()
    sents = [Sent(0, [], {}) for _ in range(clients)]
    until = time.perf_counter() + seconds
    threads = [threading.Thread(target=send, args=(port, key, ready, NUMBERS, until, sent)) for sent in sents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sents


def stored(env: dict[str, str]) -> int:
    return int(sum(event["volume"] for event in cli(env, "event", "list")["events"]))


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, all its threads; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(seconds: float, clients: int) -> None:
    home = Path(tempfile.mkdtemp(prefix="whytree-bench-"))
    os.environ["WHYTREE_DATA"] = str(home / "raw")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whytree.site.settings")
    import django

    django.setup()
    from whytree.stores.events import close

    try:
        blocks = raw_rows()
        raw_seconds = min(max(seconds / 3, 5), 60)
        before = raw(blocks, raw_seconds)
        close()
        with server(home / "served") as (process, port, key, env):
            capture(port, key, 2, clients)
            warm, used = stored(env), cpu_seconds(process.pid)
            sents = capture(port, key, seconds, clients)
            used = cpu_seconds(process.pid) - used
            kept = stored(env) - warm
        after = raw(blocks, raw_seconds)
        close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    tell(sents, kept, before, after, seconds)
    if used:
        print(
            f"CPU           {1e6 * used / kept:10.0f} us of the server's an event; load {os.getloadavg()[0]:.1f} here"
        )


def tell(sents: list[Sent], kept: int, before: float, after: float, seconds: float) -> None:
    events = sum(sent.events for sent in sents)
    rate = events / seconds
    times = sorted(each for sent in sents for each in sent.milliseconds)
    ticks: dict[int, int] = {}
    for sent in sents:
        for second, number in sent.ticks.items():
            ticks[second] = ticks.get(second, 0) + number
    full = [ticks.get(second, 0) for second in range(int(seconds))]
    cuts = statistics.quantiles(times, n=100)
    peer = (before + after) / 2
    print(f"raw insert    {before:10,.0f} rows/s before, {after:,.0f} after")
    print(f"capture       {rate:10,.0f} events/s over {seconds:g} s; slowest second {min(full):,}")
    print(f"a batch       {cuts[49]:10.1f} ms p50   {cuts[98]:.1f} ms p99   n {len(times):,}")
    print(f"acknowledged  {events:10,} events; the store has {kept:,}: {verdict(kept == events)}")
    print(f"budget        {RATE_BUDGET:10,} events/s: {verdict(rate >= RATE_BUDGET)}")
    print(f"budget        {SHARE_BUDGET:10.0%} of raw: {rate / peer:.0%}, {verdict(rate / peer >= SHARE_BUDGET)}")


def verdict(kept: bool) -> str:
    return "kept" if kept else "BROKEN"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--clients", type=int, default=64)
    chosen = parser.parse_args()
    main(chosen.minutes * 60 or chosen.seconds, chosen.clients)
