"""Are the pages quick? Server time of the main ones on the demo.

python benchmarks/pages.py [--data DIR] [--rounds 40] [--large]

Starts a server on the demo's folder (told first, when DIR is not given), signs in, and asks for each page in turns with
`/healthz`, which answers from memory: what is above it is the page's own time. The first two rounds warm up and do not
count. Budget: p95 below 150 ms, judged on the best quarter of the rounds; a machine that is busy otherwise shows in the
p95 of all of them, and in that of `/healthz`.

`--large` first makes the demo's product one of 20 million events of 200,000 people and 200,000 voices (seeded; a folder
that has them is taken as it is). The budget is 400 ms then.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

BUDGET_MS, LARGE_BUDGET_MS = 150.0, 400.0
LARGE_EVENTS, LARGE_PEOPLE, LARGE_VOICES = 20_000_000, 200_000, 200_000
CHUNK = 1_000_000
WARM_UP = 2
QUARTERS = 4
PRODUCT = "/p/sprout"
PAGES = (
    "/today",
    "/tree",
    "/tree?view=drawn",
    "/OUT-1",
    "/OPP-2",
    "/SOL-2",
    "/REV-2",
    "/experiments",
    "/experiments/EXP-2",
    "/voices",
    "/voices?q=phone+number&state=all",
    "/numbers",
    "/numbers/activated_7d",
    "/changes",
    "/learned",
    "/flags",
    "/flags/defer_phone",
    "/people",
    "/events",
    "/why?q=app/signup/form.py:42",
    "/activity",
)

# What the demo's people do, so that its metrics, funnels, forms and flags have all of them to count; each keeps one arm.
_FILL = """
INSERT INTO events (product, person, timestamp, event, event_id, distinct_id, received_at, platform, os, country, path, properties)
SELECT 1, intHash64(number % {people}), now64(3) - toIntervalMillisecond(toInt64(rand64(1) % (60 * 86400000))),
    ['class_viewed', 'class_viewed', 'class_viewed', 'class_viewed', 'class_viewed', 'app_opened', 'app_opened', 'app_opened',
     'sign_up_started', 'email_entered', 'phone_entered', 'phone_struggled', 'company_size_chosen', 'sign_up_confirmed',
     'booking_started', 'first_booking', 'class_attended', 'reminder_sent', 'class_searched', '$exposure'][rand(2) % 20 + 1] AS event,
    number, 'large-' || toString(number % {people}), now64(3), ['ios', 'android', 'web'][rand(5) % 3 + 1],
    ['iOS', 'Android', 'macOS', 'Windows'][rand(6) % 4 + 1], ['DE', 'FR', 'US', 'NL'][rand(7) % 4 + 1],
    '/page/' || toString(rand(8) % 30),
    multiIf(
        event = '$exposure',
        map('flag', 'defer_phone', 'reason', 'SPLIT', 'variant', if(number % 2, 'on', 'off')),
        event = 'phone_struggled',
        map('field', 'phone', 'seconds', toString(rand(9) % 60)),
        map('plan', ['free', 'team', 'pro'][rand(9) % 3 + 1], 'price', toString((rand(10) % 10000) / 100),
            'title', 'title ' || toString(rand(12) % 500), 'seconds', toString(rand(13) % 900))
    )
FROM numbers({first}, {rows})
SETTINGS max_insert_threads = 2
"""


def fill(folder: Path) -> None:
    """Twenty million events and 200,000 voices into a demo's folder, once."""
    from voices import write_reviews

    done = folder / "large"
    if done.exists():
        return
    subprocess.run([sys.executable, __file__, "--fill-events", "--data", str(folder)], check=True)
    reviews = folder / "reviews.csv"
    write_reviews(reviews, LARGE_VOICES)
    words = whytree("--data", str(folder), "import", "feedback", str(reviews))
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    reviews.unlink()
    done.touch()


def fill_events(folder: Path) -> None:
    """In a process of its own: whoever opens the event store holds it."""
    os.environ["WHYTREE_DATA"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whytree.site.settings")
    from whytree.stores import events

    store = events.store()
    there = store.query("SELECT count() AS there FROM events WHERE startsWith(distinct_id, 'large-')")[0]["there"]
    for first in range(there, LARGE_EVENTS, CHUNK):
        store.execute(_FILL.format(people=LARGE_PEOPLE, first=first, rows=CHUNK))
    events.close()


def whytree(*words: str) -> list[str]:
    return [sys.executable, "-m", "whytree", *words]


@contextmanager
def serving(folder: Path) -> Iterator[httpx.Client]:
    """A signed-in client of a server on this folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = whytree("--data", str(folder), "serve", "--port", str(port))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60) as client:
            wait_until_ready(client, process)
            sign_in(client, folder)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def wait_until_ready(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def sign_in(client: httpx.Client, folder: Path) -> None:
    done = subprocess.run(
        whytree("--data", str(folder), "sign-in", "--json"), check=True, capture_output=True, text=True
    )
    path = httpx.URL(json.loads(done.stdout)["link"]).path
    page = client.get(path)
    if page.url.path == path:  # the link's page asks for one press of a button, so that mail scanners use nothing up
        token = client.cookies["csrftoken"]
        page = client.post(path, data={"csrfmiddlewaretoken": token}, headers={"Referer": str(page.url)})
    page.raise_for_status()


def measured(client: httpx.Client, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every page, round by round, so that a busy moment touches all of them."""
    times: dict[str, list[float]] = {page: [] for page in PAGES} | {"/healthz": []}
    for number in range(rounds + WARM_UP):
        for page in PAGES:
            for path, name in ((PRODUCT + page, page), ("/healthz", "/healthz")):
                started = time.perf_counter()
                answer = client.get(path)
                took = 1000 * (time.perf_counter() - started)
                if answer.status_code != 200:
                    raise SystemExit(f"{path} answered {answer.status_code}")
                if number >= WARM_UP:
                    times[name].append(took)
    return times


def percentile(times: list[float], percent: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def best_quarter(times: list[float]) -> float:
    """The p95 of the calmest quarter."""
    size = max(1, len(times) // QUARTERS)
    return min(
        percentile(times[start : start + size], 95) for start in range(0, size * QUARTERS, size) if times[start:]
    )


def report(times: dict[str, list[float]], budget: float) -> bool:
    nothing = percentile(times["/healthz"], 50)
    print(f"{'page':36} {'p50':>7} {'p95':>7} {'best quarter':>13}  of {budget:.0f} ms  x /healthz")
    judged = {name: best_quarter(took) for name, took in times.items()}
    for name in sorted(times, key=lambda name: -judged[name]):
        p50, p95 = percentile(times[name], 50), percentile(times[name], 95)
        share = judged[name] / budget
        print(f"{name:36} {p50:7.1f} {p95:7.1f} {judged[name]:13.1f}  {share:9.2f}  {p50 / nothing:9.1f}")
    slow = [name for name, best in judged.items() if best > budget]
    print(f"budget {'kept' if not slow else 'BROKEN by ' + ', '.join(slow)}")
    return not slow


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a demo's folder that nothing runs on")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--large", action="store_true", help="20 M events and 200,000 voices")
    parser.add_argument("--fill-events", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.fill_events:
        fill_events(chosen.data)
        return 0
    with tempfile.TemporaryDirectory(prefix="whytree-pages-") as home:
        folder = chosen.data or Path(home) / "demo"
        subprocess.run(whytree("demo", "--no-serve", "--data", str(folder)), check=True, stdout=subprocess.DEVNULL)
        if chosen.large:
            fill(folder)
        with serving(folder) as client:
            times = measured(client, chosen.rounds)
        return 0 if report(times, LARGE_BUDGET_MS if chosen.large else BUDGET_MS) else 1


if __name__ == "__main__":
    raise SystemExit(main())
