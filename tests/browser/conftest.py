"""A real browser, Debian's Chromium, on pages of a real server.

browser_page   a fresh page in a context of its own (no cookies)
alice_page     the same, signed in as Alice on the shared `live` server
open_page      makes more of them
complaints     what the browser complained about: errors on the console, scripts that threw, what the content policy refused
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import launch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")  # not longer: while it runs, Django takes this thread for an asynchronous one
def chromium() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # a page may be slow here, it is not wrong for that
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@dataclass
class Complaints:
    """What the browser wrote to its console as an error, and what scripts threw."""

    said: list[str] = field(default_factory=list)

    def listen(self, page: Any) -> None:
        page.on("console", lambda message: message.type == "error" and self._note(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def _note(self, text: str) -> None:
        """Who goes on to another page gives up what the box still asks: htmx says so as an error, and it is none."""
        if not text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            self.said.append(text)


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def open_page(chromium: Any, complaints: Complaints) -> Iterator[Callable[..., Any]]:
    """Open pages, each in a context of its own: `open_page()`, `open_page(java_script_enabled=False)`."""
    contexts = []

    def run(**options: Any) -> Any:
        contexts.append(chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}))
        contexts[-1].set_default_timeout(60_000)
        page = contexts[-1].new_page()
        complaints.listen(page)
        return page

    yield run
    for context in contexts:
        context.close()


@pytest.fixture
def browser_page(open_page: Callable[..., Any]) -> Any:
    return open_page()


@pytest.fixture(scope="package")
def alice_cookies(chromium: Any, _live_server: Any) -> Any:
    """Signed in once, with the link that the command line prints."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(_live_server.cli_json("sign-in")["link"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/p/sprout/**")
    page.goto(_live_server.url + "/password")  # says what the sign-in had to say, so that no test's page does
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def alice_page(open_page: Callable[..., Any], alice_cookies: Any, live: Any) -> Any:
    return open_page(storage_state=alice_cookies)
