"""posthog-js and Segment's analytics-next, as npm has them, in a real browser against a real server.

The libraries are packed by npm at the first run and kept in pytest's cache. Without npm, or without its registry, these
tests skip: what both sent is also replayed from recorded requests in `tests/events`.
"""

import http.server
import shutil
import subprocess
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Live, until

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
VERSIONS = {"posthog-js": "1.449.2", "@segment/analytics-next": "1.84.3"}


@pytest.fixture(scope="module")
def npm(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """The unpacked folder of a package: `npm("posthog-js")`."""

    def unpacked(name: str) -> Path:
        wanted = f"{name}@{VERSIONS[name]}"
        folder = Path(request.config.cache.mkdir("npm")) / wanted.replace("/", "-")  # type: ignore[union-attr]
        if (folder / "package").is_dir():
            return folder / "package"
        if shutil.which("npm") is None:
            pytest.skip(f"npm is missing, so {name} cannot be had: apt-get install npm")
        folder.mkdir(exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", wanted, "--silent"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        if packed.returncode:
            pytest.skip(f"npm cannot fetch {wanted}: {packed.stderr.strip()[:200]}")
        with tarfile.open(folder / packed.stdout.strip().splitlines()[-1]) as archive:
            archive.extractall(folder, filter="data")
        return folder / "package"

    return unpacked


@pytest.fixture
def site() -> Iterator[Callable[[Path, str], str]]:
    """`site(folder, page)`: somebody's web site with that page at /, and the folder's files below it; its address."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def run(folder: Path, page: str) -> str:
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *words: Any, **named: Any) -> None:
                super().__init__(*words, directory=str(folder), **named)

            def do_GET(self) -> None:
                if self.path.partition("?")[0] not in ("/", "/next"):
                    super().do_GET()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page.encode())))
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *words: Any) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


# A browser that is driven calls itself a robot whatever its User-Agent says, and the library would send nothing.
POSTHOG = """<!doctype html><title>Shop</title><script src="/dist/array.full.no-external.js"></script>
<script>posthog.init("{key}", {{api_host: "{host}", opt_out_useragent_filter: true, autocapture: false,
  advanced_disable_flags: true, disable_session_recording: true, disable_surveys: true, capture_performance: false}})</script>"""


def test_posthog_js_works_unchanged(
    live: Live, npm: Callable[[str], Path], site: Callable[[Path, str], str], open_page: Callable[..., Any]
) -> None:
    url = site(npm("posthog-js"), POSTHOG.format(key=live.key("capture"), host=live.url))
    page = open_page(user_agent=AGENT)
    page.goto(url + "/?utm_source=news")
    page.wait_for_function("window.posthog && posthog.__loaded")
    who = f"ana {uuid.uuid4()}"
    page.evaluate("who => { posthog.capture('Looked'); posthog.identify(who, {email: 'ana@example.org'}) }", who)
    page.evaluate("posthog.capture('Signed Up', {price: 9.5})")
    page.wait_for_timeout(300)
    page.goto("about:blank")  # the rest goes out with a beacon
    expected = sorted(["$pageview", "Looked", "$identify", "Signed Up", "$pageleave"])
    until(lambda: sorted(live.timeline(who)) == expected)
    shown = live.cli_json("person", "show", who)
    assert shown["label"] == "ana@example.org"
    assert len(shown["ids"]) == 2, "the device and the person"
    signed_up = next(moment for moment in shown["timeline"] if moment["event"] == "Signed Up")
    assert signed_up["properties"]["price"] == "9.5"


SEGMENT = """<!doctype html><title>Shop</title><script src="/dist/umd/index.js"></script>
<script>window.analytics = AnalyticsNext.AnalyticsBrowser.load({{writeKey: "{key}", cdnURL: "{host}"}})</script>"""


def test_analytics_next_works_unchanged(
    live: Live, npm: Callable[[str], Path], site: Callable[[Path, str], str], open_page: Callable[..., Any]
) -> None:
    url = site(npm("@segment/analytics-next"), SEGMENT.format(key=live.key("capture"), host=live.url))
    page = open_page(user_agent=AGENT)
    page.goto(url)
    page.wait_for_function("window.analytics")
    who = f"bob {uuid.uuid4()}"
    page.evaluate("analytics.page('Docs', 'Install').then(() => true)")
    page.evaluate("who => analytics.identify(who, {email: 'bob@example.org'}).then(() => true)", who)
    page.evaluate("analytics.track('Signed Up', {price: 9.5}).then(() => true)")
    page.evaluate("analytics.group('acme', {name: 'Acme'}).then(() => true)")
    expected = sorted(["$pageview", "$identify", "Signed Up", "$group"])
    until(lambda: sorted(live.timeline(who)) == expected)
    assert live.cli_json("person", "show", who)["label"] == "bob@example.org"
