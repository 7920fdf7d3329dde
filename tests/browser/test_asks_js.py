"""Surveys and the feedback box in a real browser, on a page of somebody else's with a strict content policy."""

import gzip
import http.server
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.looking import problems, sideways
from tests.servers import ROOT, Live

from .test_whytree_js import AGENT, until

SOURCE = ROOT / "src" / "whytree" / "events" / "browser" / "whytree-asks.js"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<script nonce="n0nce" async src="{host}/whytree.js" data-key="{key}" data-version="4.1" {options}></script>
<main><h1>Beds</h1><button id="own">Own button</button><form id="own-form"><input name="q" aria-label="Search"></form></main></html>"""
QUESTIONS = [
    {"kind": "seq", "text": "How easy was it?", "skip": [{"when": [6, 7], "to": "q3"}]},
    {"kind": "open", "text": "What was hard?", "required": True},
    {"kind": "multi", "text": "What for?", "options": ["Herbs", "<b>Roses</b>"], "required": False},
]


class Site:
    """Somebody's web site: no inline style, no inline script, only what the nonce names and our host to talk to."""

    def __init__(self, live: Live) -> None:
        self.live, self.key, self.options = live, live.key("capture"), 'data-surveys="on"'
        self.refs: list[str] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = PAGE.format(host=live.url, key=site.key, options=site.options).encode()
                policy = f"default-src 'none'; script-src 'nonce-n0nce'; connect-src {live.url}"
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def survey(self, tmp_path: Any, **said: Any) -> str:
        """A survey that runs after an event of its own; others' surveys do not get in its way."""
        body = {"title": "Your bed", "questions": QUESTIONS, "in_page": True, "cooldown_days": 0, **said}
        file = tmp_path / "survey.json"
        file.write_text(json.dumps(body))
        ref: str = self.live.cli_json("survey", "create", str(file))["ref"]
        self.live.cli("survey", "start", ref)
        self.refs.append(ref)
        return ref

    def rows(self, ref: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.live.cli("survey", "export", ref, "--json").stdout)
        return found


@pytest.fixture
def site(live: Live) -> Iterator[Site]:
    made = Site(live)
    yield made
    for ref in made.refs:
        live.cli("survey", "stop", ref)
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def visitor(open_page: Callable[..., Any]) -> Any:
    return open_page(user_agent=AGENT)


@pytest.fixture
def event() -> str:
    return f"planted {uuid.uuid4().hex[:8]}"


def _visit(page: Any, site: Site) -> str:
    """Somebody is here, and the surveys are known."""
    who = f"ana {uuid.uuid4().hex[:8]}"
    with page.expect_response("**/v1/surveys"):
        page.goto(site.url)
    page.evaluate("who => whytree('identify', who)", who)
    page.wait_for_timeout(100)
    return who


def test_it_is_under_six_kilobytes_and_only_fetched_where_it_is_wanted(site: Site, visitor: Any) -> None:
    assert len(gzip.compress(SOURCE.read_bytes(), 9)) < 6 * 1024
    asked: list[str] = []
    visitor.on("request", lambda request: asked.append(request.url))
    site.options = ""
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.wait_for_timeout(500)
    assert [url for url in asked if "asks" in url or "v1/surveys" in url] == []


def test_a_survey_after_an_event_is_answered_by_keyboard_and_asked_once(
    site: Site, visitor: Any, complaints: Any, event: str, tmp_path: Any
) -> None:
    ref = site.survey(tmp_path, after_event=event, hidden=["plan"], thanks="Grow well.")
    who = _visit(visitor, site)
    assert visitor.locator("whytree-asks").count() == 0, "nothing is drawn before it is time"
    visitor.focus("#own")
    visitor.evaluate("event => whytree('track', event, {plan: 'pro', secret: 1})", event)
    box = visitor.get_by_role("dialog", name="Your bed")
    box.wait_for()
    assert visitor.evaluate("document.activeElement.id") == "own", "it takes no focus that nobody gave it"
    visitor.wait_for_timeout(1_200)
    box.get_by_role("button", name="Go on").click()
    box.get_by_text("This one needs an answer.").wait_for()
    box.get_by_role("radio", name="2", exact=True).focus()
    visitor.keyboard.press("Space")
    visitor.keyboard.press("Enter")
    box.get_by_text("What was hard?").wait_for()
    visitor.keyboard.type("The <i>soil</i>")  # the focus is in the next question
    box.get_by_role("button", name="Go on").click()
    box.get_by_label("<b>Roses</b>").check()
    box.get_by_role("button", name="Send").click()
    visitor.get_by_text("Grow well.").wait_for()
    (row,) = site.rows(ref)
    assert (row["person"], row["via"], row["q1"], row["q2"], row["hidden.plan"], row["app_version"]) == (
        who,
        "page",
        2,
        "The <i>soil</i>",
        "pro",
        "4.1",
    )
    assert (row["q3.<b>Roses</b>"], row["q3.Herbs"], bool(row["asked_at"])) == (1, 0, True)
    _visit(visitor, site)
    visitor.evaluate("event => whytree('track', event)", event)
    visitor.wait_for_timeout(800)
    assert visitor.get_by_role("dialog").count() == 0
    assert complaints.said == []


def test_answers_lead_past_questions_and_escape_puts_it_away(
    site: Site, visitor: Any, event: str, tmp_path: Any
) -> None:
    ref = site.survey(tmp_path, after_event=event)
    _visit(visitor, site)
    visitor.evaluate("event => whytree('track', event)", event)
    box = visitor.get_by_role("dialog", name="Your bed")
    box.get_by_role("radio", name="7", exact=True).check(force=True)
    box.get_by_role("button", name="Go on").click()
    box.get_by_text("What for?").wait_for()
    visitor.wait_for_timeout(1_200)
    visitor.keyboard.press("Escape")
    expect(visitor.get_by_role("dialog")).to_have_count(0)
    row = until(lambda: [row for row in site.rows(ref) if row["dismissed_at"]])[0]
    assert (row["answered_at"], row["q1"]) == ("", "")


def test_lines_are_rated_and_things_put_in_order_in_the_page(
    site: Site, visitor: Any, event: str, tmp_path: Any
) -> None:
    order = {"kind": "ranking", "text": "What matters?", "options": ["Price", "Speed"]}
    matrix = {"kind": "matrix", "text": "How is it?", "options": ["<i>Fast</i>", "Pretty"]}
    ref = site.survey(tmp_path, after_event=event, questions=[matrix, order])
    _visit(visitor, site)
    visitor.evaluate("event => whytree('track', event)", event)
    box = visitor.get_by_role("dialog", name="Your bed")
    box.get_by_role("group", name="<i>Fast</i>").get_by_label("4").check(force=True)
    box.get_by_role("button", name="Go on").click()
    box.get_by_text("This one needs an answer.").wait_for()
    box.get_by_role("group", name="Pretty").get_by_label("2").check(force=True)
    box.get_by_role("button", name="Go on").click()
    box.get_by_label("Price").select_option("2")
    box.get_by_label("Speed").select_option("2")
    box.get_by_role("button", name="Send").click()
    box.get_by_text("give each a place of its own").wait_for()
    box.get_by_label("Speed").select_option("1")
    box.get_by_role("button", name="Send").click()
    visitor.get_by_text("Thank you.").wait_for()
    (row,) = site.rows(ref)
    assert (row["q2.Price"], row["q2.Speed"]) == (2, 1)
    assert (row["q1.<i>Fast</i>"], row["q1.Pretty"]) == (4, 2)


def test_nobody_is_asked_who_does_not_want_to_be_measured(site: Site, visitor: Any, event: str, tmp_path: Any) -> None:
    site.survey(tmp_path)
    asked: list[str] = []
    visitor.on("request", lambda request: "/v1/" in request.url and asked.append(request.url))
    visitor.add_init_script("Object.defineProperty(navigator, 'doNotTrack', {value: '1'})")
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.wait_for_timeout(800)
    assert (asked, visitor.get_by_role("dialog").count()) == ([], 0)
    visitor.evaluate("whytree('consent', true)")
    visitor.get_by_role("dialog").first.wait_for()


def test_meeting_the_variant_calls_the_survey_up(site: Site, visitor: Any, event: str, tmp_path: Any) -> None:
    flag = f"beds-{uuid.uuid4().hex[:8]}"
    site.survey(tmp_path, title=f"About {flag}", flag=flag, variant="new")
    _visit(visitor, site)
    told = "flag => whytree('track', 'Experiment Viewed', {experiment_name: flag, variation_name: 'new'})"
    visitor.evaluate(told, flag)
    visitor.get_by_role("dialog", name=f"About {flag}").wait_for()


def test_the_box_brings_words_to_the_inbox_once(site: Site, visitor: Any, complaints: Any) -> None:
    site.live.cli("feedback", "settings", "--from-pages")
    site.options = 'data-feedback="Tell us"'
    visitor.goto(site.url)
    visitor.get_by_role("button", name="Tell us").click()
    box = visitor.get_by_role("dialog", name="Tell us")
    box.get_by_role("button", name="Send").click()
    expect(box).to_contain_text("Say what it is")
    words = f"My basil is gone {uuid.uuid4().hex[:8]}"
    visitor.keyboard.type(words)  # the focus is where one writes
    box.get_by_label("An idea").check()
    visitor.route("**/v1/feedback", lambda route: route.abort(), times=1)
    box.get_by_role("button", name="Send").click()
    box.get_by_text("Your words are still here").wait_for()
    complaints.said.clear()  # what the browser says of the broken line
    box.get_by_role("button", name="Send").click()
    visitor.get_by_text("The team has your words.").wait_for()
    (item,) = site.live.cli_json("feedback", "search", words)["items"]
    assert (item["text"], item["app_version"], item["metadata"]["kind"], item["url"]) == (
        words,
        "4.1",
        "idea",
        site.url + "/",
    )
    assert item["person"], "the id under which their events come in"
    assert complaints.said == []


PICTURE = """async () => {  // left half red, right half blue, and a word beside the picture as cameras write it
  const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 200 }), pen = canvas.getContext("2d");
  pen.fillStyle = "#f00"; pen.fillRect(0, 0, 200, 200); pen.fillStyle = "#00f"; pen.fillRect(200, 0, 200, 200);
  const bytes = new Uint8Array(await (await new Promise((done) => canvas.toBlob(done, "image/jpeg"))).arrayBuffer());
  return [...bytes.slice(0, 2), 0xff, 0xfe, 0, 12, ...new TextEncoder().encode("my address"), ...bytes.slice(2)];
}"""
PIXELS = """async (shown) => {
  const image = document.querySelector(".voice-shot img");
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const pixel = (x) => [...pen.getImageData(x * canvas.width, canvas.height / 2, 1, 1).data];
  const at = (x) => pixel(x).slice(0, 3).map((one) => Math.round(one / 255));
  return [image.naturalWidth, image.naturalHeight, at(0.1), at(0.9)];
}"""


def test_a_picture_is_cut_and_blacked_out_before_it_leaves_the_page(
    site: Site, visitor: Any, alice_page: Any, complaints: Any, tmp_path: Any
) -> None:
    assert len(gzip.compress(SOURCE.with_name("whytree-picture.js").read_bytes(), 9)) < 6 * 1024
    site.live.cli("feedback", "settings", "--from-pages")
    site.options = 'data-feedback="Tell us"'
    visitor.goto(site.url)
    visitor.get_by_role("button", name="Tell us").click()
    box = visitor.get_by_role("dialog", name="Tell us")
    words = f"The bed looks odd {uuid.uuid4().hex[:8]}"
    visitor.keyboard.type(words)
    box.get_by_role("button", name="Add a picture").click()
    taken = bytes(visitor.evaluate(PICTURE))
    box.get_by_label("A file").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    box.get_by_text("no picture that can be read").wait_for()
    box.get_by_label("A file").set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": taken})
    view = box.get_by_role("application")
    view.wait_for()
    size = view.bounding_box()
    visitor.mouse.move(size["x"] + 1, size["y"] + 1)
    visitor.mouse.down()
    visitor.mouse.move(size["x"] + size["width"] * 0.4, size["y"] + size["height"] - 1, steps=4)
    visitor.mouse.up()  # the red is black
    box.get_by_label("Cut out").check()
    view.focus()
    for key in ("ArrowRight", "Shift+ArrowLeft", *["ArrowLeft"] * 20):  # a part of it, by keyboard
        visitor.keyboard.press(key)
    visitor.keyboard.press("Enter")
    box.get_by_role("button", name="Send").click()
    visitor.get_by_text("The team has your words.").wait_for()
    (item,) = site.live.cli_json("feedback", "search", words)["items"]
    site.live.cli("feedback", "screenshot", item["ref"], "--to", str(tmp_path / "shot.jpg"))
    assert b"my address" in taken
    assert b"my address" not in (tmp_path / "shot.jpg").read_bytes()
    alice_page.goto(f"{site.live.url}/p/sprout/{item['ref']}")
    width, height, left, right = alice_page.evaluate(PIXELS)
    assert (width, height, left, right) == (152, 80, [0, 0, 0], [0, 0, 0])
    assert complaints.said == []


def test_the_box_can_be_called_and_gives_the_focus_back(site: Site, visitor: Any) -> None:
    site.options = ""
    visitor.goto(site.url)
    visitor.wait_for_function("window.whytree && window.whytree.on")
    visitor.focus("#own")
    visitor.evaluate("whytree('feedback', {kind: 'praise', text: 'Lovely'})")
    box = visitor.get_by_role("dialog", name="Tell us")
    box.wait_for()
    expect(box.get_by_label("In your own words")).to_have_value("Lovely")
    expect(box.get_by_label("Praise")).to_be_checked()
    visitor.keyboard.press("Escape")
    expect(visitor.locator("#own")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reader_of_screens_and_a_phone_find_their_way(
    site: Site, open_page: Callable[..., Any], event: str, tmp_path: Any, scheme: str
) -> None:
    site.survey(tmp_path, after_event=event)
    page = open_page(user_agent=AGENT, viewport={"width": 390, "height": 700}, color_scheme=scheme, bypass_csp=True)
    _visit(page, site)
    page.evaluate("event => whytree('track', event)", event)
    box = page.get_by_role("dialog", name="Your bed")
    box.wait_for()
    size = box.bounding_box()
    assert size["x"] >= 0
    assert size["x"] + size["width"] <= 390
    assert size["height"] < 0.7 * 700
    assert problems(page, within="whytree-asks") == []


def test_the_teams_pages_of_a_survey_are_accessible_and_the_preview_lives(
    site: Site, alice_page: Any, complaints: Any, tmp_path: Any
) -> None:
    ref = site.survey(tmp_path, questions=[*QUESTIONS, {"kind": "nps", "text": "Would you recommend us? " * 8}])
    path = f"{site.live.url}/p/sprout/{ref}"
    for points in (2, 10, 7):
        body = {"key": site.key, "anonymousId": str(points), "answers": {"q1": 3, "q2": "words " * 60, "q4": points}}
        body["context"] = {"flags": {"beds": "new" if points > 5 else "old"}}
        httpx.post(f"{site.live.url}/v1/surveys/{ref}/answer", json=body).raise_for_status()
    for address in (path, f"{path}?by=beds", f"{path}/edit"):
        for width, scheme in ((1440, "light"), (390, "dark")):
            alice_page.set_viewport_size({"width": width, "height": 900})
            alice_page.emulate_media(color_scheme=scheme)
            alice_page.goto(address)
            assert problems(alice_page) == []
            assert sideways(alice_page) == 0
    alice_page.goto(site.live.url + "/p/sprout/surveys/new?template=seq")
    alice_page.fill("#q-0-text", "How hard was planting?")
    alice_page.locator("#preview").get_by_text("How hard was planting?").wait_for()
    assert complaints.said == []
