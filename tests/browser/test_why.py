"""Asking why in a browser: from the box to five hops, by keyboard alone, on a desk and on a phone, without scripts too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import problems
from tests.code.repositories import FORM, Clone


@pytest.fixture(scope="module")
def asked(_live_server: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A line of a clone of its own that leads to a solution with somebody's words; gives its reference."""
    live = _live_server
    outcome = live.cli_json("outcome", "add", "Asked in the browser", "--baseline", "31.2", "--target", "40")["ref"]
    problem = live.cli_json("opportunity", "add", "Why my phone number?", "--under", outcome)["ref"]
    live.cli("evidence", "add", problem, "--quote", "I closed it when it wanted my number.", "--person", "rk")
    solution = live.cli_json("solution", "add", "Defer the phone number", "--under", problem)["ref"]
    clone = Clone(Path(tmp_path_factory.mktemp("asked")) / "asked")
    clone.commit(f"Defer <b>phone</b>\n\nWhy: {solution}", **{"asked/form.py": FORM})
    clone.commit("Just so", **{"asked/plain.py": "plain = 1\n"})
    live.cli("repository", "add", str(clone.path), "--with-code")
    return "asked/form.py:6"


def test_the_box_leads_from_a_line_to_five_hops_by_keyboard(
    alice_page: Any, live: Any, asked: str, complaints: Any
) -> None:
    alice_page.goto(live.url + "/p/sprout/today")
    alice_page.keyboard.press("Control+k")
    alice_page.keyboard.type(asked)
    alice_page.get_by_role("link", name=f"Why {asked}?").wait_for()
    alice_page.keyboard.press("Enter")
    alice_page.wait_for_url("**/why?q=*")
    expect(alice_page.locator("h1")).to_contain_text("One person speaks for “Why my phone number?”")
    expect(alice_page.locator("ol.why li")).to_have_count(4)
    expect(alice_page.locator(".code .on").first).to_be_visible()
    expect(alice_page.get_by_text("Defer <b>phone</b>")).to_be_visible()
    assert not complaints.said


def test_words_in_the_box_find_nodes_and_files(alice_page: Any, live: Any, asked: str) -> None:
    alice_page.goto(live.url + "/p/sprout/today")
    alice_page.keyboard.press("Control+k")
    alice_page.keyboard.type("asked/form")
    alice_page.locator("#box-hits a", has_text="asked/form.py").first.click()
    alice_page.wait_for_url("**/why?q=*")
    expect(alice_page.locator("h1")).to_contain_text("One person speaks")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits(
    open_page: Callable[..., Any], alice_cookies: Any, live: Any, asked: str, width: int, scheme: str
) -> None:
    page = open_page(storage_state=alice_cookies, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in (
        f"/p/sprout/why?q={asked}",
        "/p/sprout/why",
        "/p/sprout/why?q=asked/plain.py:1",
        "/p/sprout/why?q=asked/",
    ):
        page.goto(live.url + path)
        assert problems(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_answers_without_scripts(open_page: Callable[..., Any], alice_cookies: Any, live: Any, asked: str) -> None:
    page = open_page(storage_state=alice_cookies, java_script_enabled=False)
    page.goto(live.url + "/p/sprout/why")
    page.locator("#ask-q").fill(asked)
    page.get_by_role("button", name="Why?").click()
    expect(page.locator("h1")).to_contain_text("One person speaks for")
