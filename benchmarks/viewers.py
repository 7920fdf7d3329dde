"""Do twenty people look at boards as quickly while events stream in?

python benchmarks/viewers.py [--events 2000000] [--viewers 20] [--rate 10000] [--seconds 60] [--rounds 2]

A real server with `--events` seeded events of the last four weeks (those of `questions.py`), and five boards of four kept
questions each: a trend, a trend by groups, a funnel and weekly retention, over days of their own. Each viewer is signed in,
opens one board over a connection that stays, and opens it again three seconds later, and so on. In turns that is done in
quiet, and while another process sends `--rate` events a second in batches of 100 (those of `capture.py`: each is on disk
before it is acknowledged). Both share the machine with the server.

Budget: the p95 while events stream in is below 3 times the quiet one. Answers on a board are at most a minute old, each says
from when it is, and they are renewed behind those who look: what is measured is this too, as it is for everybody. Beside that
a look at every answer's own time: none may be older than the page says.
"""

import argparse
import base64
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from capture import BATCH, BODIES, MARK, bodies, cpu_seconds, receive, server
from pages import percentile, sign_in

BUDGET = 3.0
PAUSE = 3.0
SENDERS = 8
BOARD_DAYS = (7, 10, 14, 21, 28)
OLDEST = 75.0  # seconds: a minute, and what the page itself took on a busy machine

FILL = """
import sys, django
django.setup()
from questions import fill
from whytree.stores import events
from whytree.stores.usage.catalogue import recount
fill(events.store(), int(sys.argv[1]), 0, start=sys.argv[2], days=28)
recount(1)
events.close()
"""


def questions(days: int) -> list[dict[str, Any]]:
    """What stands on a board."""
    steps = [{"event": f"event {number}"} for number in range(4)]
    asked = [
        {"kind": "trends", "series": steps[:1], "measure": "people", "interval": "day"},
        {"kind": "trends", "series": steps[1:2], "interval": "week", "by": ["plan"]},
        {"kind": "funnel", "steps": steps, "within": "7d"},
        {"kind": "retention", "begin": steps[0], "back": steps[1], "interval": "week"},
    ]
    return [{"version": 1, "days": days, **one} for one in asked]


def make_boards(port: int, token: str) -> list[int]:
    made = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/products/bench", timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        for days in BOARD_DAYS:
            refs = [_made(client, "/questions", {"question": one})["ref"] for one in questions(days)]
            made.append(_made(client, "/boards", {"title": f"Board of {days} days", "questions": refs})["number"])
    return made


def _made(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, json=body)
    if answer.is_error:
        raise SystemExit(f"{path}: {answer.text}")
    return answer.json()


# ---- events --------------------------------------------------------------------------------------------------------


def stream(port: int, key: str, rate: int) -> None:
    """Send batches at this rate until the process is ended; the main program of the sending process."""
    import socket

    credentials = base64.b64encode(f"{key}:".encode()).decode()
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic {credentials}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    ready, begin, mark = bodies(), time.perf_counter(), os.getpid()
    sent = [0] * SENDERS

    def send(sender: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(sender, sys.maxsize, SENDERS):
                time.sleep(max(0.0, begin + number * BATCH / rate - time.perf_counter()))
                body = ready[number % BODIES].replace(MARK, b"%08x" % (mark * 1000 + number // BODIES))
                connection.sendall(head + str(len(body)).encode() + b"\r\n\r\n" + body)
                receive(connection)
                sent[sender] += BATCH

    for sender in range(SENDERS):
        threading.Thread(target=send, args=(sender,), daemon=True).start()
    sys.stdin.read()  # until the other process closes it
    print(sum(sent) / (time.perf_counter() - begin))


@contextmanager
def streaming(port: int, key: str, rate: int) -> Iterator[list[float]]:
    """Events stream in meanwhile; afterwards the list holds how many a second were acknowledged."""
    words = [sys.executable, __file__, "--stream", str(port), key, str(rate)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    got: list[float] = []
    try:
        yield got
    finally:
        out, _ = process.communicate("", timeout=30)
        got.append(float(out or 0))


# ---- viewers -------------------------------------------------------------------------------------------------------


def look(port: int, cookies: str, board: int, until: float, seen: list[float], old: list[float]) -> None:
    """Open a board again and again; milliseconds of each, and how old its oldest answer was."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    path = f"/p/bench/boards/{board}"
    while time.perf_counter() < until:
        started = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookies})
        answer = connection.getresponse()
        page = answer.read().decode()
        seen.append(1000 * (time.perf_counter() - started))
        if answer.status != 200 or "<svg" not in page:
            raise SystemExit(f"{path} answered {answer.status}")
        old += [_age(text) for text in re.findall(r'as of <time datetime="([^"]+)"', page)]
        time.sleep(PAUSE)
    connection.close()


def _age(text: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()


def look_all(port: int, cookies: str, boards: list[int], said: argparse.Namespace) -> tuple[list[float], list[float]]:
    until = time.perf_counter() + said.seconds
    seen: list[list[float]] = [[] for _ in range(said.viewers)]
    old: list[float] = []
    threads = []
    for place, own in enumerate(seen):
        words = (port, cookies, boards[place % len(boards)], until, own, old)
        threads.append(threading.Thread(target=look, args=words))
        threads[-1].start()
        time.sleep(PAUSE / said.viewers)
    for thread in threads:
        thread.join()
    return [each for own in seen for each in own], old


def measure(said: argparse.Namespace, folder: Path) -> bool:
    os.environ["WHYTREE_DATA"] = str(folder)
    with server(folder, before=lambda env: fill_store(said.events, env)) as (process, port, key, _):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60) as client:
            sign_in(client, folder)
            cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        boards = make_boards(port, (folder / "owner.token").read_text(encoding="ascii").strip())
        look_all(port, cookies, boards, argparse.Namespace(viewers=said.viewers, seconds=10))  # warm
        quiet: list[float] = []
        busy: list[float] = []
        rates, old = [], []
        worked = {"quiet": 0.0, "busy": 0.0}
        for _ in range(said.rounds):
            before = cpu_seconds(process.pid)
            found, ages = look_all(port, cookies, boards, said)
            between = cpu_seconds(process.pid)
            quiet, old = quiet + found, old + ages
            with streaming(port, key, said.rate) as got:
                found, ages = look_all(port, cookies, boards, said)
            busy, old = busy + found, old + ages
            rates.append(got[0])
            worked["quiet"] += between - before
            worked["busy"] += cpu_seconds(process.pid) - between
    return report(said, quiet, busy, rates, worked, old)


def fill_store(count: int, env: dict[str, str]) -> None:
    start = (datetime.now(UTC) - timedelta(days=28)).strftime("%Y-%m-%d %H:%M:%S")
    here = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
    words = [sys.executable, "-c", FILL, str(count), start]
    subprocess.run(words, env=env | here | {"DJANGO_SETTINGS_MODULE": "whytree.site.settings"}, check=True)


def report(
    said: argparse.Namespace,
    quiet: list[float],
    busy: list[float],
    rates: list[float],
    worked: dict[str, float],
    old: list[float],
) -> bool:
    print(f"{said.viewers} viewers of {len(BOARD_DAYS)} boards, {said.events:,} events; load {os.getloadavg()[0]:.1f}")
    for name, times in (("quiet", quiet), ("busy", busy)):
        p50, p95, p99 = (percentile(times, share) for share in (50, 95, 99))
        share = worked[name] / (said.seconds * said.rounds)
        print(
            f"{name:6} p50 {p50:7.1f}   p95 {p95:7.1f}   p99 {p99:7.1f} ms   n {len(times):,}   {share:.2f} processors of the server"
        )
    print(f"acknowledged {min(rates):,.0f} events/s at least, {said.rate:,} were sent")
    ratio = percentile(busy, 95) / percentile(quiet, 95)
    print(f"busy / quiet {ratio:.2f}, budget {BUDGET:g}: {'kept' if ratio < BUDGET else 'BROKEN'}")
    is_honest = bool(old) and max(old) < OLDEST
    print(f"oldest of {len(old):,} answers {max(old, default=0):.0f} s: {'kept' if is_honest else 'BROKEN'}")
    return ratio < BUDGET and min(rates) > 0.9 * said.rate and is_honest


def main() -> int:
    if sys.argv[1:2] == ["--stream"]:
        stream(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whytree-viewers-") as home:
        return 0 if measure(said, Path(home) / "data") else 1


if __name__ == "__main__":
    raise SystemExit(main())
