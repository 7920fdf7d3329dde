"""The tree in a real browser: walked, folded and edited by keys, zoomed, and all of it without any script."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.looking import problems, sideways


@dataclass(frozen=True)
class Planted:
    """Refs of a small tree that a test has for itself."""

    outcome: str
    opportunity: str
    solution: str


@pytest.fixture
def planted(live: Any) -> Planted:
    token = (live.data / "owner.token").read_text().strip()
    api = httpx.Client(
        base_url=f"{live.url}/api/products/sprout", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )

    def add(path: str, **body: Any) -> Any:
        answer = api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    with api:
        outcome = add("/outcomes", title="Harvests within a week", metric_key="harvest_7d", baseline=12, target=20)[
            "ref"
        ]
        problem = add("/opportunities", title="I wanted to look around first", parent=outcome)["ref"]
        solution = add("/solutions", title="Browse as a guest", parent=problem)["ref"]
        forecast = {"forecast_low": 1, "forecast_likely": 3, "forecast_high": 6, "metric_key": "harvest_7d"}
        add("/hypotheses", parent=solution, change="guest mode", **forecast)
        add(f"/nodes/{solution}/notes", text="Do guests come back?", kind="question")
        source = {"source_kind": "url", "source_id": "https://example.org/1"}
        add(f"/nodes/{problem}/evidence", evidence_type="anecdotal", statement="Asks for a look", **source)
    return Planted(outcome, problem, solution)


def focused(page: Any) -> str:
    """The node that has the focus."""
    return str(page.evaluate("document.activeElement.closest('[data-node]')?.id ?? ''"))


def wait_for_focus(page: Any, ref: str = "") -> str:
    """The node that gets the focus once the page is there: the one with this ref, or any."""
    node = f"#{ref}" if ref else "[data-node]"
    page.locator(f"{node}:focus, {node} :focus").wait_for()
    return focused(page)


def open_tree(page: Any, live: Any, planted: Planted, query: str = "") -> None:
    page.goto(f"{live.url}/p/sprout/tree?{query}#{planted.outcome}")
    wait_for_focus(page, planted.outcome)


@pytest.mark.parametrize("query", ["", "view=drawn"])
def test_keys_walk_the_tree(alice_page: Any, live: Any, planted: Planted, complaints: Any, query: str) -> None:
    open_tree(alice_page, live, planted, query)
    for key, ref in (
        ("j", planted.opportunity),
        ("j", planted.solution),
        ("k", planted.opportunity),
        ("l", planted.solution),
    ):
        alice_page.keyboard.press(key)
        assert focused(alice_page) == ref, key
    alice_page.keyboard.press("h")
    alice_page.keyboard.press("h")
    assert complaints.said == []


def test_a_branch_folds_and_stays_folded(alice_page: Any, live: Any, planted: Planted) -> None:
    open_tree(alice_page, live, planted)
    alice_page.keyboard.press("j")
    alice_page.keyboard.press("h")
    expect(alice_page.locator(f"#{planted.solution}")).to_be_hidden()
    alice_page.reload()
    expect(alice_page.locator(f"#{planted.solution}")).to_be_hidden()
    alice_page.locator(f"#{planted.opportunity} .fold").click()
    expect(alice_page.locator(f"#{planted.solution}")).to_be_visible()


@pytest.mark.parametrize("query", ["", "view=drawn"])
def test_a_node_is_added_and_edited_by_keys_in_a_sheet(
    alice_page: Any, live: Any, planted: Planted, complaints: Any, query: str
) -> None:
    open_tree(alice_page, live, planted, query)
    alice_page.keyboard.press("j")
    alice_page.keyboard.press("a")
    sheet = alice_page.locator("dialog#sheet[open]")
    title = f"Show the garden before {planted.solution}"
    sheet.get_by_label("What could be done about it?").fill(title)
    sheet.get_by_role("button", name="Add").click()
    alice_page.get_by_text(title, exact=True).wait_for()
    added = wait_for_focus(alice_page)
    assert added.startswith("SOL-"), "the new node has the focus"
    alice_page.keyboard.press("e")
    field = sheet.get_by_label("What could be done about it?")
    field.fill("")
    sheet.get_by_label("What else there is to say").fill("x")
    field.evaluate("field => field.removeAttribute('required')")
    sheet.get_by_role("button", name="Save").click()
    sheet.get_by_text("This field is required.").wait_for()
    expect(sheet.get_by_label("What else there is to say"), "what was typed is kept").to_have_value("x")
    field.fill(f"{title} and after")
    sheet.get_by_role("button", name="Save").click()
    alice_page.get_by_text(f"{title} and after", exact=True).wait_for()
    wait_for_focus(alice_page, added)
    assert [said for said in complaints.said if "400" not in said] == []


def test_the_other_kind_is_a_tab_in_the_sheet(alice_page: Any, live: Any, planted: Planted) -> None:
    open_tree(alice_page, live, planted)
    alice_page.keyboard.press("j")
    alice_page.keyboard.press("a")
    sheet = alice_page.locator("dialog#sheet[open]")
    sheet.get_by_role("link", name="Opportunity").click()
    sheet.get_by_label("The problem, as the person who has it would say it").fill("I do not know where to look")
    sheet.get_by_role("button", name="Add").click()
    alice_page.get_by_text("I do not know where to look").wait_for()
    assert wait_for_focus(alice_page).startswith("OPP-")


def test_the_drawing_is_zoomed_and_dragged(alice_page: Any, live: Any, planted: Planted) -> None:
    open_tree(alice_page, live, planted, "view=drawn")
    width = "document.querySelector('.drawing .node').getBoundingClientRect().width"
    before = alice_page.evaluate(width)
    alice_page.keyboard.press("+")
    assert alice_page.evaluate(width) > before
    alice_page.keyboard.press("-")
    alice_page.keyboard.press("-")
    assert alice_page.evaluate(width) < before
    alice_page.keyboard.press("0")
    alice_page.keyboard.press("o")
    alice_page.locator("#outline").wait_for()


def test_a_note_is_answered_without_leaving_the_page(alice_page: Any, live: Any, planted: Planted) -> None:
    alice_page.goto(f"{live.url}/p/sprout/{planted.solution}")
    alice_page.evaluate("window.stayed = true")
    alice_page.get_by_placeholder("Answer", exact=True).fill("Half of them do")
    alice_page.get_by_role("button", name="Answer", exact=True).click()
    alice_page.get_by_text("Half of them do").wait_for()
    assert alice_page.evaluate("window.stayed") is True


def test_a_refused_state_is_said_in_a_toast(alice_page: Any, live: Any, planted: Planted) -> None:
    alice_page.goto(f"{live.url}/p/sprout/{planted.solution}")
    live.cli("solution", "state", planted.solution, "dropped", "--reason", "somebody else was quicker")
    alice_page.get_by_role("button", name="building", exact=True).click()
    alice_page.get_by_text("from there it can become: idea").wait_for()


def test_everything_works_without_scripts(
    open_page: Callable[..., Any], alice_cookies: Any, live: Any, planted: Planted
) -> None:
    page = open_page(storage_state=alice_cookies, java_script_enabled=False)
    page.goto(f"{live.url}/p/sprout/{planted.opportunity}")
    page.get_by_role("link", name="Add a solution").or_(page.get_by_role("link", name="Add a")).first.click()
    page.get_by_label("What could be done about it?").fill("A video of the garden")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("heading", name="A video of the garden").wait_for()
    page.goto(f"{live.url}/p/sprout/tree?view=drawn")
    expect(page.locator(".drawing .node").first).to_be_visible()


@pytest.mark.parametrize("which", ["outcome", "opportunity", "solution"])
def test_a_node_s_page_is_accessible_and_fits_a_phone(
    alice_page: Any, live: Any, planted: Planted, complaints: Any, which: str
) -> None:
    alice_page.goto(f"{live.url}/p/sprout/{getattr(planted, which)}")
    for details in alice_page.locator("details").all():
        details.evaluate("element => { element.open = true }")
    for scheme in ("light", "dark"):
        alice_page.emulate_media(color_scheme=scheme)
        assert problems(alice_page) == []
    alice_page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(alice_page) == 0
    assert complaints.said == []


@pytest.mark.parametrize("query", ["", "view=drawn"])
def test_a_planted_tree_is_accessible_and_fits_a_phone(
    alice_page: Any, live: Any, planted: Planted, complaints: Any, query: str
) -> None:
    open_tree(alice_page, live, planted, query)
    for scheme in ("light", "dark"):
        alice_page.emulate_media(color_scheme=scheme)
        assert problems(alice_page) == []
    alice_page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(alice_page) == 0
    assert complaints.said == []


def test_the_forms_are_accessible(alice_page: Any, live: Any, planted: Planted) -> None:
    for path in (
        f"{planted.solution}/add?kind=HYP",
        f"{planted.outcome}/edit",
        f"{planted.solution}/move",
        f"{planted.solution}/close",
    ):
        alice_page.goto(f"{live.url}/p/sprout/{path}")
        assert problems(alice_page) == [], path
