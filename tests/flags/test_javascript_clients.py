"""The OpenFeature SDKs and PostHog's clients for Node and the browser, against a real server.

They are installed from the npm registry into a temporary folder, once a run. Without node, npm or an answer from there the
tests are skipped, and say so.
"""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.chromium import launch

pytestmark = pytest.mark.live

CLIENTS = Path(__file__).with_name("clients")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients and our two scripts in it."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("clients")
    for file in CLIENTS.iterdir():
        shutil.copy(file, folder)
    words = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:  # a registry may hiccup once
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"the npm registry does not answer: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def server(_live_server: Any) -> Iterator[Any]:
    token = (_live_server.data / "owner.token").read_text().strip()
    base = _live_server.url + "/api/products/sprout"
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:

        def make(
            key: str, rules: dict[str, Any] | None = None, opening: dict[str, Any] | None = None, **body: Any
        ) -> None:
            http.post("/flags", json={"key": key, **body}).raise_for_status()
            if rules:
                http.patch(f"/flags/{key}/rules", json=rules).raise_for_status()
            http.post(f"/flags/{key}/open", json=opening or {}).raise_for_status()

        arms: dict[str, Any] = {"kind": "string", "variants": {"control": "control", "test": "test"}}
        make("js-switch")
        make("js-arms", **arms)
        make("js-number", kind="number", variants={"control": 1, "more": 10}, weights={"more": 1})
        make("js-object", kind="json", variants={"control": {"a": [1, 2.5]}})
        make("js-ruled", {"targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", "off"]}})
        make("js-sha1", {"bucketing": "posthog", "arm_order": ["test", "control"]}, {"coverage_percent": 60}, **arms)
        keys = {
            kind: http.post("/keys", json={"kind": kind, "name": "js"}).json()["secret"]
            for kind in ("capture", "server")
        }
        yield _live_server.url, keys, http


def test_node_asks_as_python_does(installed: Path, server: Any) -> None:
    url, keys, http = server
    words = ["node", "node.mjs", url, keys["capture"], keys["server"]]
    done = subprocess.run(words, cwd=installed, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert (found["boolean"]["value"], found["boolean"]["reason"]) == (True, "STATIC")
    assert found["string"]["value"] == _variant(http, "js-arms", "maria")
    assert found["string"]["reason"] == "SPLIT"
    assert (found["number"]["value"], found["object"]["value"]) == (10, {"a": [1, 2.5]})
    assert (found["ruled"]["value"], found["ruled"]["reason"]) == (True, "TARGETING_MATCH")
    assert (found["missing"]["value"], found["missing"]["errorCode"]) == ("mine", "FLAG_NOT_FOUND")
    assert (found["nobody"]["value"], found["nobody"]["errorCode"]) == ("mine", "TARGETING_KEY_MISSING")
    assert found["posthogRemote"]["js-arms"] == found["string"]["value"]
    assert found["posthogRemote"]["js-switch"] is True
    ours = {unit: _posthog(url, keys, unit)["js-sha1"] for unit in found["posthogLocal"]}
    assert found["posthogLocal"] == ours
    assert set(ours.values()) == {False, "test", "control"}


def _variant(http: httpx.Client, key: str, unit: str) -> str:
    return str(http.post(f"/flags/{key}/evaluate", json={"targeting_key": unit}).json()["variant"])


def _posthog(url: str, keys: dict[str, str], unit: str) -> Any:
    return httpx.post(f"{url}/flags/?v=2", json={"token": keys["capture"], "distinct_id": unit}).json()["featureFlags"]


# --- in a browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(installed: Path) -> Iterator[str]:
    """A page of another origin than the flag server, with the bundled client on it."""
    bundle = ["node_modules/.bin/esbuild", "web.js", "--bundle", "--format=iife", "--outfile=site/web.bundle.js"]
    subprocess.run(bundle, cwd=installed, check=True, capture_output=True, timeout=60)
    shutil.copy(installed / "node_modules/posthog-js/dist/array.full.no-external.js", installed / "site/posthog.js")
    (installed / "site/index.html").write_text(
        '<!doctype html><title>shop</title><script src="web.bundle.js"></script>'
    )

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(installed / "site"))) as httpd:
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}/index.html"
        httpd.shutdown()


@pytest.fixture
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.mark.browser
def test_the_web_sdk_reads_polls_with_304_and_sees_a_change(site: str, server: Any, browser: Any) -> None:
    url, keys, http = server
    page = browser.new_page()
    statuses: list[int] = []
    page.on("response", lambda answer: "/ofrep/" in answer.url and statuses.append(answer.status))
    page.goto(site)
    found = page.evaluate("([url, key]) => start(url, key)", [url, keys["capture"]])
    assert (found["boolean"]["value"], found["boolean"]["reason"]) == (True, "STATIC")
    assert found["string"]["value"] in ("control", "test")
    assert (found["number"]["value"], found["object"]["value"]) == (10, {"a": [1, 2.5]})
    assert (found["ruled"]["value"], found["ruled"]["reason"]) == (True, "TARGETING_MATCH")
    assert (found["missing"]["value"], found["missing"]["errorCode"]) == ("mine", "FLAG_NOT_FOUND")
    page.evaluate("become({targetingKey: 'maria', plan: 'free'})")
    page.wait_for_function("look().ruled.value === false", timeout=20_000)
    deadline = time.monotonic() + 20
    while 304 not in statuses and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert 304 in statuses
    http.post("/flags/js-switch/off").raise_for_status()
    page.wait_for_function("look().boolean.value === false", timeout=20_000)
    assert page.evaluate("look().boolean.reason") == "DISABLED"
    assert page.evaluate("changes") >= 1
    http.post("/flags/js-switch/on").raise_for_status()


@pytest.mark.browser
def test_posthog_js_starts_and_reads_its_flags(site: str, server: Any, browser: Any) -> None:
    url, keys, _ = server
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url.split('?')[0].removeprefix(url)}"))
    page.goto(site)
    page.add_script_tag(url=site.replace("index.html", "posthog.js"))
    options = {
        "api_host": url,
        "opt_out_useragent_filter": True,
        "bootstrap": {"distinctID": "maria", "isIdentifiedID": True},
    }
    page.evaluate(
        "([key, options]) => { posthog.init(key, options); posthog.setPersonPropertiesForFlags({plan: 'pro'}) }",
        [keys["capture"], options],
    )
    page.wait_for_function("posthog.getFeatureFlag('js-arms') !== undefined", timeout=20_000)
    assert page.evaluate("posthog.getFeatureFlag('js-arms')") == _posthog(url, keys, "maria")["js-arms"]
    assert page.evaluate("posthog.isFeatureEnabled('js-ruled')") is True
    assert page.evaluate("posthog.getFeatureFlagPayload('js-object')") == {"a": [1, 2.5]}
    assert any(one.startswith("GET /array/") for one in asked)
    assert "POST /flags/" in asked
