"""A talk in a real browser: words selected by mouse and by keyboard, the recording at its second, and everything without a script."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.looking import CONTRAST, problems, sideways
from tests.servers import Live

TALK = """WEBVTT

00:01.000 --> 00:03.500
<v Alice>Tell me about the last time.

00:04.000 --> 00:09.000
<v Wiktor>😀 On the tram. It felt like a dating app. Why my phone?

00:20.000 --> 00:25.000
<v Wiktor>They can call me once I've paid.
"""


@pytest.fixture
def talk(live: Live, request: pytest.FixtureRequest) -> str:
    """The address of a talk of this test's own, with a recording, and an opportunity to link it to."""
    name = request.node.name[:60]
    _post(live, "opportunities", {"title": f"I do not know why you need my number {name}"})
    about = {"interviewers": ["Alice"], "source_id": name, "media_url": f"{live.url}/static/whytree/silence.mp3"}
    made = _post(live, "interviews", {"transcript": TALK, **about})
    return f"{live.url}/p/sprout/{made['interview']['ref']}"


def _post(live: Live, path: str, body: dict[str, Any]) -> Any:
    token = (live.data / "owner.token").read_text("ascii").strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{live.url}/api/products/sprout/{path}", json=body, headers=headers, timeout=30)
    return answer.raise_for_status().json()


def test_what_the_mouse_selects_is_what_is_marked(alice_page: Any, talk: str, complaints: Any) -> None:
    alice_page.goto(talk)
    alice_page.evaluate(
        """() => {
            const said = document.querySelector("#line-2 p").lastChild;
            const at = said.data.indexOf("It felt like");
            getSelection().setBaseAndExtent(said, at, said, at + 26);
        }"""
    )
    expect(alice_page.locator("#quote")).to_have_value("It felt like a dating app.")
    alice_page.fill("#tags", "trust, phone")
    alice_page.get_by_role("button", name="Only mark").click()
    # The smiley before it is one character to the server and two to the browser.
    expect(alice_page.locator("mark")).to_have_text("It felt like a dating app.")
    expect(alice_page.locator(".talk-marks .chip")).to_have_text(["phone", "trust"])
    assert complaints.said == []


def test_lines_are_marked_and_linked_by_keyboard_alone(alice_page: Any, talk: str, live: Live, complaints: Any) -> None:
    alice_page.goto(talk)
    for key in ("w", "ArrowDown", "Shift+ArrowDown", "Enter"):
        alice_page.keyboard.press(key)
    expect(alice_page.locator("#first")).to_have_value("2")
    expect(alice_page.locator("#last")).to_have_value("3")
    alice_page.keyboard.type("trust")
    alice_page.keyboard.press("Tab")
    alice_page.keyboard.press("Control+A")
    alice_page.keyboard.type("OPP-1")
    alice_page.keyboard.press("Enter")
    alice_page.wait_for_selector(".notice.success")
    found = live.cli_json("interview", "show", talk.rsplit("/", 1)[1])
    assert [link["opportunity"] for link in found["links"]] == ["OPP-1"]
    assert found["links"][0]["quote"].endswith("once I've paid.")
    assert complaints.said == []


def test_a_time_plays_the_recording_there(alice_page: Any, talk: str) -> None:
    asked: list[str] = []
    alice_page.route("**/silence.mp3", lambda route: (asked.append(route.request.url), route.abort()))
    alice_page.goto(talk)
    assert asked == [], "nothing is fetched before somebody plays it"
    alice_page.locator("#line-3 a.talk-time").click()
    alice_page.wait_for_function("document.getElementById('player').currentTime === 20")
    assert asked, "the content policy lets this recording in"
    assert alice_page.url == talk


def test_without_a_script_lines_are_chosen_by_number(open_page: Any, alice_cookies: Any, talk: str) -> None:
    page = open_page(storage_state=alice_cookies, java_script_enabled=False)
    page.goto(talk)
    assert page.locator("#line-3 a.talk-time").get_attribute("href").endswith("silence.mp3#t=20")
    page.fill("#first", "2")
    page.fill("#quote", "On the tram.")
    page.get_by_role("button", name="Only mark").click()
    expect(page.locator("mark")).to_have_text("On the tram.")


def test_pages_are_accessible_in_both_schemes_and_on_a_phone(
    alice_page: Any, talk: str, live: Live, complaints: Any
) -> None:
    ref = talk.rsplit("/", 1)[1]
    _post(live, f"interviews/{ref}/highlights", {"first": 2, "tags": ["trust"], "opportunity": "OPP-1"})
    paths = ("interviews", ref, f"{ref}/snapshot", f"{ref}/snapshot/edit", f"{ref}/about", f"{ref}/transcript",
             "interviews/new", "interviews/guides", "interviews/guides/new", "interviews/recruit", "interviews/recruit?opportunity=OPP-1",
             "interviews/map", "usability", "usability/new")  # fmt: skip
    for path in paths:
        alice_page.set_viewport_size({"width": 1280, "height": 900})
        alice_page.goto(f"{live.url}/p/sprout/{path}")
        assert problems(alice_page) == [], path
        alice_page.emulate_media(color_scheme="dark")
        assert problems(alice_page, CONTRAST) == [], path
        alice_page.emulate_media(color_scheme="light")
        alice_page.set_viewport_size({"width": 390, "height": 844})
        assert sideways(alice_page) == 0, path
    assert complaints.said == []


def test_a_snapshot_fits_on_one_sheet(alice_page: Any, talk: str, live: Live) -> None:
    ref = talk.rsplit("/", 1)[1]
    token = (live.data / "owner.token").read_text("ascii").strip()
    full = {
        "quick_facts": "\n".join(f"a fact about them, number {n}" for n in range(6)),
        "memorable_quote": "It felt like a dating app.",
        "experience_map": [{"step": f"What happened then, in a sentence of usual length, {n}"} for n in range(12)],
        "opportunities": "\n".join(f"I want to see what it costs before I decide, {n}" for n in range(6)),
        "insights": "\n".join(f"Something that struck us and is no opportunity yet, {n}" for n in range(6)),
    }
    path = f"{live.url}/api/products/sprout/interviews/{ref}/snapshot"
    httpx.put(path, json=full, headers={"Authorization": f"Bearer {token}"}, timeout=30).raise_for_status()
    alice_page.goto(f"{talk}/snapshot")
    sheets = alice_page.pdf(prefer_css_page_size=True)
    assert sheets.count(b"/Type /Page\n") == 1
