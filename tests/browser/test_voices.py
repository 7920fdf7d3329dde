"""The inbox in a real browser: keys, selections, one pane at a time on a phone."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.looking import CONTRAST, problems, sideways
from tests.servers import Live

FIRST = "😀 I closed it when it wanted my number. I only wanted to see prices. Then I left."
SECOND = "Our trainees do not have company phones."


@pytest.fixture
def inbox(live: Live, request: pytest.FixtureRequest) -> str:
    """The inbox with two voices of this test's own, and an opportunity."""
    source = request.node.name[:60]
    _post(live, "opportunities", {"title": f"I do not know why you need my number {source}"})
    for text, day in ((SECOND, "2026-01-01"), (FIRST, "2026-01-02")):
        _post(live, "feedback", {"text": text, "author_name": "Mira", "source_name": source, "said_at": day})
    return f"{live.url}/p/sprout/voices?source={source}"


def _post(live: Live, path: str, body: dict[str, str]) -> None:
    token = (live.data / "owner.token").read_text("ascii").strip()
    headers = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{live.url}/api/products/sprout/{path}", json=body, headers=headers, timeout=30).raise_for_status()


def test_j_and_k_move_and_the_address_follows(alice_page: Any, inbox: str, complaints: Any) -> None:
    alice_page.goto(inbox)
    expect(alice_page.locator("#said")).to_have_text(FIRST)
    alice_page.keyboard.press("j")
    alice_page.wait_for_url(re.compile("item=FB-"))
    expect(alice_page.locator("#said")).to_have_text(SECOND)
    expect(alice_page.locator(".item[aria-current]")).to_contain_text(SECOND)
    alice_page.keyboard.press("k")
    expect(alice_page.locator("#said")).to_contain_text("prices")
    assert complaints.said == []


def test_a_voice_is_linked_by_keyboard_alone(alice_page: Any, inbox: str, live: Live, complaints: Any) -> None:
    alice_page.goto(inbox)
    alice_page.keyboard.press("w")
    alice_page.keyboard.press("ArrowRight")
    expect(alice_page.locator("#voice-quote")).to_have_value("I only wanted to see prices.")
    alice_page.keyboard.press("l")
    alice_page.keyboard.type("OPP-1")
    alice_page.keyboard.press("Enter")
    alice_page.wait_for_selector(".notice.success")
    expect(alice_page.locator("#said")).to_have_text(SECOND)
    expect(alice_page.locator(".item[aria-current]")).to_be_focused()
    found = live.cli_json("feedback", "search", "prices", "--state", "linked")["items"][0]
    assert found["links"][0]["quote"] == "I only wanted to see prices."
    assert complaints.said == []


def test_what_the_mouse_selects_is_what_is_linked(alice_page: Any, inbox: str) -> None:
    alice_page.goto(inbox)
    alice_page.evaluate(
        """() => {
            const said = document.getElementById("said").firstChild;
            const at = said.data.indexOf("wanted my number");
            getSelection().setBaseAndExtent(said, at, said, at + 16);
        }"""
    )
    expect(alice_page.locator("#voice-quote")).to_have_value("wanted my number")
    # The smiley before it is one character to the server and two to the browser.
    expect(alice_page.locator("[name=start]")).to_have_value(str(FIRST.index("wanted my number")))


def test_e_puts_away_and_goes_on(alice_page: Any, inbox: str) -> None:
    alice_page.goto(inbox)
    alice_page.keyboard.press("e")
    expect(alice_page.locator("#said")).to_contain_text("trainees")
    expect(alice_page.locator(".item[aria-current]")).to_be_focused()
    alice_page.keyboard.press("u")
    expect(alice_page.locator("#said")).to_have_text(FIRST)  # what was taken back is shown
    alice_page.keyboard.press("t")
    alice_page.keyboard.press("Escape")
    expect(alice_page.locator(".item[aria-current]")).to_be_focused()
    for _ in range(2):
        alice_page.keyboard.press("e")  # the second one waits for what it is about
    alice_page.wait_for_selector(".empty")


def test_a_key_waits_for_the_voice_that_is_marked(alice_page: Any, inbox: str, complaints: Any) -> None:
    alice_page.goto(inbox)
    refs = [item.get_attribute("data-ref") for item in alice_page.locator(".item").all()]
    asked: list[Any] = []
    alice_page.route(re.compile(f"item={refs[1]}"), lambda route: asked.append(route))
    alice_page.keyboard.press("j")
    expect(alice_page.locator(".item[aria-current]")).to_have_attribute("data-ref", refs[1])  # marked at once
    expect(alice_page.locator("#said")).to_have_text(FIRST)  # and not there yet
    alice_page.keyboard.press("e")
    asked[0].continue_()
    expect(alice_page.locator(".voice-undo")).to_contain_text(f"{refs[1]} was put away")
    expect(alice_page.locator(".item")).to_have_attribute("data-ref", refs[0])  # it waits, alone
    assert complaints.said == []


def test_m_merges_and_u_takes_it_back(alice_page: Any, inbox: str, live: Live, complaints: Any) -> None:
    alice_page.goto(inbox)
    refs = [item.get_attribute("data-ref") for item in alice_page.locator(".item").all()]
    alice_page.keyboard.press("m")
    alice_page.keyboard.type(refs[1])
    alice_page.keyboard.press("Enter")
    expect(alice_page.locator(".voice-undo")).to_contain_text(f"{refs[0]} is merged into {refs[1]}")
    expect(alice_page.locator("#said")).to_have_text(SECOND)
    expect(alice_page.locator(".voice-same").first).to_contain_text("I only wanted to see prices")
    alice_page.locator("body").press("u")
    alice_page.wait_for_selector(".notice.success")
    assert live.cli_json("feedback", "show", refs[0])["merged_into"] is None
    assert complaints.said == []


def test_keys_mean_those_that_are_chosen(alice_page: Any, inbox: str, live: Live, complaints: Any) -> None:
    alice_page.goto(inbox)
    refs = [item.get_attribute("data-ref") for item in alice_page.locator(".item").all()]
    alice_page.keyboard.press("x")
    alice_page.keyboard.press("j")
    expect(alice_page.locator("#said")).to_have_text(SECOND)
    alice_page.keyboard.press("x")
    alice_page.keyboard.press("t")
    alice_page.keyboard.type("both of them")
    alice_page.keyboard.press("Enter")
    expect(alice_page.locator(".voice-undo")).to_contain_text("2 voices are tagged")
    assert [live.cli_json("feedback", "show", ref)["tags"] for ref in refs] == [["both of them"]] * 2
    assert complaints.said == []


def test_somebody_who_types_is_told_who_said_so_before(
    alice_page: Any, inbox: str, live: Live, complaints: Any
) -> None:
    alice_page.goto(f"{live.url}/p/sprout/voices/new")
    alice_page.locator("#text").press_sequentially("trainees do not have company phones")
    expect(alice_page.locator("#said-before legend")).to_contain_text("Somebody may have said this before")
    assert complaints.said == []


def test_it_is_accessible_in_both_schemes_and_on_a_phone(
    alice_page: Any, inbox: str, live: Live, complaints: Any
) -> None:
    alice_page.goto(inbox)
    ref = alice_page.locator(".item").first.get_attribute("data-ref")
    for address in (inbox, f"{live.url}/p/sprout/{ref}", f"{live.url}/p/sprout/voices/new"):
        alice_page.set_viewport_size({"width": 1280, "height": 900})
        alice_page.emulate_media(color_scheme="light")
        alice_page.goto(address)
        assert problems(alice_page) == []
        alice_page.emulate_media(color_scheme="dark")
        assert problems(alice_page, CONTRAST) == []
        alice_page.set_viewport_size({"width": 390, "height": 844})
        assert sideways(alice_page) == 0
        assert problems(alice_page) == []
    assert complaints.said == []


def test_a_phone_shows_one_pane_at_a_time(open_page: Any, alice_cookies: Any, inbox: str) -> None:
    page = open_page(storage_state=alice_cookies, viewport={"width": 390, "height": 844})
    page.goto(inbox)
    expect(page.locator("#said")).to_be_hidden()
    page.locator(".item").first.click()
    page.wait_for_selector("#said", state="visible")
    expect(page.locator(".item").first).to_be_hidden()
    page.get_by_role("link", name="All voices").click()
    page.wait_for_selector(".item", state="visible")


def test_everything_works_without_scripts(open_page: Any, alice_cookies: Any, inbox: str) -> None:
    page = open_page(storage_state=alice_cookies, java_script_enabled=False)
    page.goto(inbox)
    page.locator(".item").nth(1).click()
    expect(page.locator("#said")).to_have_text(SECOND)
    page.get_by_label("The words that matter").fill("company phones")
    page.get_by_role("combobox", name="Speaks for").fill("OPP-1")
    page.get_by_role("button", name="Link").click()
    expect(page.locator(".notice.success")).to_contain_text("speaks for OPP-1")
