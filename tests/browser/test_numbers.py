"""Numbers and reviews in a real browser: the form, the chart on desk and phone, accessibility."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.looking import CONTRAST, problems, sideways

KEY = "planted_in_a_week"


@pytest.fixture(scope="module")
def counted(_live_server: Any) -> str:
    """Forty people who signed up ten days ago, some of whom planted; a metric of it, and a locked prediction in it."""
    live = _live_server
    at = datetime.now(UTC) - timedelta(days=10)
    batch = [_track(f"numbers-{person}", "signed_up", at) for person in range(40)]
    batch += [_track(f"numbers-{person}", "planted", at + timedelta(days=1)) for person in range(14)]
    sent = httpx.post(f"{live.url}/v1/batch", json={"batch": batch}, auth=(live.key("server"), ""), timeout=60)
    assert sent.status_code == 200, sent.text
    live.cli("metric", "add", KEY, "--from", "signed_up", "--to", "planted", "--name", "Planted in a week")
    solution = live.cli_json("solution", "add", "A first plant in the box")["ref"]
    prediction = ("--metric", KEY, "--low", "1", "--likely", "4", "--high", "7")
    hypothesis = live.cli_json("hypothesis", "add", solution, "--change", "a plant in the box", *prediction)["ref"]
    return str(live.cli_json("hypothesis", "lock", hypothesis)["ref"])


def _track(person: str, event: str, at: datetime) -> dict[str, Any]:
    return {
        "type": "track",
        "userId": person,
        "event": event,
        "timestamp": at.isoformat(),
        "messageId": f"{person}-{event}",
    }


def _check(page: Any) -> None:
    assert problems(page) == []
    page.emulate_media(color_scheme="dark")
    assert problems(page, CONTRAST) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    assert problems(page) == []


ASKED = "event=signed_up&event=planted&within=14d"
PATHS = [
    *(
        "numbers",
        f"numbers/{KEY}",
        "numbers/new",
        "metrics-file",
        "alerts",
        "subscriptions",
        "changes",
        "learned",
        "cohorts",
        "cohorts/new",
    ),
    *(
        f"ask/funnel?{ASKED}&view=time",
        f"ask/funnel?{ASKED}&view=drivers",
        f"ask/trends?{ASKED}&interval=day&days=dates",
    ),
    "ask/retention?event=signed_up&interval=day&did=began&after=0",
    f"numbers/{KEY}?each=week",
    f"ask/trends?{ASKED}&interval=whole&by=platform&previous=1&days=28",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_numbers_is_accessible_and_fits_a_phone(
    alice_page: Any, live: Any, counted: str, complaints: Any, path: str
) -> None:
    alice_page.goto(f"{live.url}/p/sprout/{path}")
    _check(alice_page)
    assert complaints.said == []


def test_the_answer_comes_before_the_fields_and_a_key_opens_them(
    alice_page: Any, live: Any, counted: str, complaints: Any
) -> None:
    alice_page.set_viewport_size({"width": 390, "height": 844})
    alice_page.goto(f"{live.url}/p/sprout/ask/funnel?{ASKED}")
    expect(alice_page.locator("#step1")).to_be_hidden()
    expect(alice_page.locator("table.funnel")).to_be_in_viewport()
    alice_page.keyboard.press("e")
    expect(alice_page.locator("#step1")).to_be_focused()
    _check(alice_page)
    alice_page.keyboard.press("Enter")  # without scripts a click opens them: they are a plain <details>
    expect(alice_page.locator("#step1")).to_be_hidden()
    assert complaints.said == []


def test_names_are_offered_while_one_types_sql(alice_page: Any, live: Any, counted: str, complaints: Any) -> None:
    alice_page.goto(f"{live.url}/p/sprout/ask/sql")
    field = alice_page.locator("#sql")
    field.fill("SELECT count() FROM events WHERE event = ")
    field.press_sequentially("'signed")
    expect(alice_page.locator("#sql-completions [aria-selected=true]")).to_have_text("signed_up")
    _check(alice_page)
    field.press("Tab")
    expect(field).to_have_value("SELECT count() FROM events WHERE event = 'signed_up'")
    field.press_sequentially(" AND platfo")
    field.press("Escape")
    expect(alice_page.locator("#sql-completions")).to_be_hidden()
    field.press("Tab")  # nothing is offered: on to the button, as everywhere
    alice_page.wait_for_function("document.activeElement.textContent === 'Ask'")
    assert complaints.said == []


def test_a_review_is_accessible_and_fits_a_phone(alice_page: Any, live: Any, counted: str, complaints: Any) -> None:
    alice_page.goto(f"{live.url}/p/sprout/{counted}")
    assert "Its review is due on" in alice_page.text_content("h1")
    _check(alice_page)
    assert complaints.said == []


def test_the_desk_sees_the_wide_picture_and_the_phone_the_narrow_one(alice_page: Any, live: Any, counted: str) -> None:
    alice_page.goto(f"{live.url}/p/sprout/numbers/{KEY}")
    wide, narrow = alice_page.locator("svg.chart.wide"), alice_page.locator("svg.chart.narrow")
    expect(wide).to_be_visible()
    expect(narrow).to_be_hidden()
    alice_page.set_viewport_size({"width": 390, "height": 844})
    expect(wide).to_be_hidden()
    expect(narrow).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_metric_is_made_and_becomes_an_outcome(
    open_page: Callable[..., Any], alice_cookies: Any, live: Any, counted: str, scripts: bool
) -> None:
    page = open_page(storage_state=alice_cookies, java_script_enabled=scripts)
    key = f"planters_{scripts}".lower()
    page.goto(f"{live.url}/p/sprout/numbers/new")
    page.get_by_label("Short name").fill(key)
    page.get_by_label("Name", exact=True).fill("People who plant")
    expect(page.get_by_label("Event", exact=True)).to_be_hidden()
    page.get_by_label("people: how many did something").check()
    page.get_by_label("Event", exact=True).fill("planted")
    page.get_by_role("button", name="Count it").click()
    expect(page.locator("h1")).to_have_text("People who plant: 14 people.")
    expect(page.get_by_label("Baseline, people")).to_have_value("14")
    page.get_by_label("Target, people").fill("50")
    page.get_by_role("button", name="Make an outcome").click()
    page.wait_for_url("**/OUT-*")
    expect(page.locator("main")).to_contain_text("14 people")
