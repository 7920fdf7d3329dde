"""whytree.js in a real browser, on a page of somebody else's, sending to a real server."""

import gzip
import http.server
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT, Live, until

SOURCE = ROOT / "src" / "whytree" / "events" / "browser" / "whytree.js"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title>
<script>window.whytree = window.whytree || ((...call) => (whytree.q = whytree.q || []).push(call))</script>
<script async src="{host}/whytree.js" data-key="{key}" {options}></script>
<h1>Sign up</h1>
<form id="{form}" action="/thanks">
  <input name="email" type="email" required>
  <input name="phone">
  <select name="plan"><option>free<option>pro</select>
  <input type="hidden" name="csrf" value="secret-token">
  <input name="private" data-whytree="off">
  <button>Go</button>
</form>
<p style="height: 3000px">long</p>"""


class Site:
    """Somebody's web site on a port of its own; `page` is what it answers with."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.key = live.key("capture")
        self.form = f"form {uuid.uuid4().hex[:8]}"
        self.page = ""
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b"thanks" if self.path.startswith("/thanks") else site.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.with_options()

    def with_options(self, options: str = "") -> None:
        self.page = PAGE.format(host=self.live.url, key=self.key, options=options, form=self.form)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def friction_with(self, count: str) -> dict[str, Any] | None:
        """What is known of the form once somebody is counted there."""
        found: dict[str, Any] = self.live.cli_json("ask", "form", self.form)
        return found if found[count] else None

    def is_met(self) -> bool:
        return self.form in [each["form"] for each in self.live.cli_json("ask", "form")]


@pytest.fixture
def site(live: Live) -> Iterator[Site]:
    made = Site(live)
    yield made
    made.close()


@pytest.fixture
def visitor(open_page: Callable[..., Any]) -> Any:
    return open_page(user_agent=AGENT)


def test_it_is_under_six_kilobytes() -> None:
    assert len(gzip.compress(SOURCE.read_bytes(), 9)) < 6 * 1024


def test_pages_history_identify_and_leaving_are_told(site: Site, visitor: Any, complaints: Any) -> None:
    visitor.goto(site.url + "/shop?utm_source=news&secret=1")
    visitor.wait_for_function("window.whytree && window.whytree.on")
    who = f"ana {uuid.uuid4()}"
    visitor.evaluate(
        "who => { whytree('identify', who, {plan: 'pro'}); whytree('track', 'Looked', {price: 9.5}) }", who
    )
    visitor.evaluate("history.pushState({}, '', '/shop/shoes#/red?token=secret')")
    visitor.wait_for_timeout(100)
    visitor.goto("about:blank")  # what is not sent yet goes out with a beacon

    twice = ["$pageview", "$form_shown", *["$form_field"] * 3, "$pageleave"]
    until(lambda: sorted(site.live.timeline(who)) == sorted([*twice, *twice, "$identify", "Looked"]))
    shown = site.live.cli_json("person", "show", who)["timeline"]
    looked = next(moment for moment in shown if moment["event"] == "Looked")
    assert looked["properties"] == {"price": "9.5", "utm_source": "news"}
    views = [moment for moment in shown if moment["event"] == "$pageview"]
    assert sorted(view["properties"]["url"] for view in views) == [site.url + "/shop", site.url + "/shop/shoes#/red"]
    assert "secret" not in str(shown)
    assert complaints.said == []


def test_a_form_tells_where_it_hurts_and_never_what_was_typed(site: Site, visitor: Any, complaints: Any) -> None:
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.fill("[name=email]", "mistyped")
    visitor.fill("[name=private]", "hush")
    visitor.fill("[name=phone]", "12345")
    visitor.click("button")  # the browser shows an error at the e-mail, and sends nothing
    visitor.fill("[name=email]", "ana@example.org")
    visitor.focus("[name=phone]")
    visitor.wait_for_timeout(300)
    visitor.goto("about:blank")
    until(site.is_met)
    found = until(lambda: site.friction_with("left"))
    assert (found["people"], found["started"], found["submitted"], found["left"]) == (1, 1, 0, 1)
    fields = {field["field"]: field for field in found["by_field"]}
    assert list(fields) == ["email", "phone", "plan"]
    assert (fields["email"]["corrections"], fields["email"]["errors"]) == (1, 1)
    assert (fields["phone"]["corrections"], fields["phone"]["left"]["value"]) == (0, 1.0)
    assert fields["phone"]["seconds"] >= 0.3
    assert (fields["plan"]["shown"], fields["plan"]["reached"]) == (1, 0)
    told = site.live.cli("event", "list", "$form_field").stdout
    assert "private" not in told
    assert complaints.said == []


def test_a_form_that_is_sent_is_finished_though_the_page_goes_away(site: Site, visitor: Any) -> None:
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.fill("[name=email]", "ana@example.org")
    visitor.click("button")
    visitor.wait_for_url("**/thanks**")
    until(site.is_met)
    found = until(lambda: site.friction_with("submitted"))
    assert (found["started"], found["submitted"], found["left"]) == (1, 1, 0)
    assert all(field["left"] is None or field["left"]["value"] == 0 for field in found["by_field"])


def _sent(page: Any, live: Live) -> list[str]:
    """The bodies of what a page sends from now on."""
    bodies: list[str] = []
    page.on("request", lambda asked: asked.url.startswith(live.url + "/v1/") and bodies.append(asked.post_data or ""))
    return bodies


def test_nothing_is_kept_or_sent_before_consent(site: Site, visitor: Any) -> None:
    site.with_options('data-consent="required"')
    sent = _sent(visitor, site.live)
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.wait_for_timeout(2_000)
    assert sent == []
    assert visitor.evaluate("Object.keys(localStorage).length") == 0
    visitor.evaluate("whytree('consent', true)")
    until(lambda: sent or visitor.wait_for_timeout(100))
    assert "$form_shown" in sent[0]
    visitor.evaluate("whytree('consent', false)")
    assert visitor.evaluate("Object.entries(localStorage).join()") == "whytree.consent,no"
    sent.clear()
    visitor.evaluate("whytree('track', 'Looked')")
    visitor.goto("about:blank")
    assert sent == []


@pytest.mark.parametrize(
    "wish",
    [
        "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})",
        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
    ],
)
def test_who_asks_not_to_be_tracked_is_not(site: Site, visitor: Any, wish: str) -> None:
    sent = _sent(visitor, site.live)
    visitor.add_init_script(wish)
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.evaluate("whytree('track', 'Looked')")
    visitor.wait_for_timeout(1_800)
    assert sent == []
    assert visitor.evaluate("Object.keys(localStorage).length") == 0


def test_what_could_not_be_sent_is_sent_again_and_counts_once(site: Site, visitor: Any) -> None:
    refused: list[Any] = []

    def refuse_twice(route: Any) -> None:
        if len(refused) < 2:
            refused.append(route.request.post_data)
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"})
        else:
            route.continue_()

    visitor.route("**/v1/b", refuse_twice)
    visitor.goto(site.url)
    who = f"bob {uuid.uuid4()}"
    visitor.evaluate("who => { whytree('identify', who); whytree('track', 'Looked') }", who)
    deadline = time.monotonic() + 20
    while len(refused) < 2 and time.monotonic() < deadline:
        visitor.wait_for_timeout(200)
    visitor.wait_for_timeout(4_500)
    until(lambda: "Looked" in site.live.timeline(who))
    assert site.live.timeline(who).count("Looked") == 1


def test_what_is_left_unsent_goes_out_on_the_next_page(site: Site, visitor: Any) -> None:
    visitor.route("**/v1/b", lambda route: route.abort())
    visitor.goto(site.url)
    who = f"eve {uuid.uuid4()}"
    visitor.evaluate("who => { whytree('identify', who); whytree('track', 'Looked') }", who)
    visitor.wait_for_timeout(2_500)  # it fails, and knows that it does
    visitor.goto(site.url + "/thanks")
    visitor.unroute("**/v1/b")
    visitor.goto(site.url)
    visitor.wait_for_timeout(1_800)
    until(lambda: site.live.timeline(who).count("Looked") == 1)


def test_the_script_is_kept_by_browsers_and_by_its_hash_for_ever(live: Live) -> None:
    import httpx

    bare = httpx.get(live.url + "/whytree.js", headers={"Accept-Encoding": "gzip"})
    assert (bare.status_code, bare.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert bare.headers["Content-Encoding"] == "gzip"
    assert bare.text == Path(SOURCE).read_text()
    assert "immutable" not in bare.headers["Cache-Control"]
    etag = bare.headers["ETag"]
    assert httpx.get(live.url + "/whytree.js", headers={"If-None-Match": etag}).status_code == 304
    pinned = httpx.get(live.url + "/whytree.js?v=" + etag.strip('"'))
    assert "immutable" in pinned.headers["Cache-Control"]
