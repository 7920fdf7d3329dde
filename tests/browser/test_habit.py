"""Start, improve, the mail and the channel in a browser: accessible, on a desk and on a phone, and they do what they say."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import problems


@pytest.fixture(scope="module")
def solution(_live_server: Any) -> str:
    """A solution for somebody's problem; gives its id."""
    live = _live_server
    problem = live.cli_json("opportunity", "add", "Why do I have to wait for the mail?")["ref"]
    live.cli("evidence", "add", problem, "--quote", "It took ten minutes.", "--person", "hk")
    made: str = live.cli_json("solution", "add", "Send it at once", "--under", problem)["ref"]
    return made


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_and_fit(
    open_page: Callable[..., Any], alice_cookies: Any, live: Any, solution: str, width: int, scheme: str
) -> None:
    page = open_page(storage_state=alice_cookies, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in (
        f"/p/sprout/start?subject={solution}",
        "/p/sprout/start",
        f"/p/sprout/improve?q={solution}",
        "/p/sprout/improve",
        "/p/sprout/settings/monday",
        "/mail",
    ):
        page.goto(live.url + path)
        assert problems(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path


def test_one_starts_from_a_solution_and_what_is_skipped_stays_open(
    alice_page: Any, live: Any, solution: str, complaints: Any
) -> None:
    alice_page.goto(f"{live.url}/p/sprout/{solution}")
    alice_page.get_by_role("link", name="Start on it").click()
    expect(alice_page.get_by_text("It took ten minutes.")).to_be_visible()
    alice_page.get_by_label("Whose life gets better, and how?").fill("Whoever waits")
    alice_page.get_by_role("button", name="Go on").click()
    alice_page.wait_for_url(f"**/{solution}")
    expect(alice_page.get_by_text(f"whytree start {solution}").first).to_be_visible()
    expect(alice_page.get_by_text("Whoever waits").first).to_be_visible()
    assert not complaints.said


def test_the_mail_is_off_by_one_click_and_works_without_scripts(
    open_page: Callable[..., Any], alice_cookies: Any, live: Any
) -> None:
    page = open_page(storage_state=alice_cookies, java_script_enabled=False)
    page.goto(live.url + "/mail")
    page.get_by_role("button", name="Stop the mail").click()
    expect(page.get_by_text("writes no more.")).to_be_visible()
    page.get_by_role("button", name="Write to me on Mondays").click()
    expect(page.get_by_text("mail on")).to_be_visible()
