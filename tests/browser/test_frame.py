"""The frame of every page in a real browser: the box, the keys, the content policy, accessibility."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import CONTRAST, problems, sideways

SETTINGS = "/p/sprout/settings"
PAGES = [
    "/p/sprout/today",
    "/p/sprout/tree",
    "/p/sprout/tree/diff",
    "/p/sprout/numbers",
    "/p/sprout/voices",
    "/p/sprout/voices/board",
    "/p/sprout/usability/new",
    "/p/sprout/surveys",
    "/p/sprout/surveys/new?template=csat",
    "/p/sprout/changes",
    "/p/sprout/experiments",
    "/p/sprout/experiments/new",
    "/p/sprout/learned",
    "/p/sprout/why",
    "/p/sprout/flags",
    "/p/sprout/activity",
    SETTINGS,
    "/p/sprout/settings/members",
    "/p/sprout/settings/keys",
    "/products",
    "/tokens",
    "/password",
    "/second-factor",
]

# Beside those above: each other page that needs nothing to be there.
MORE_PAGES = [
    *(f"/p/sprout/tree{page}" for page in ("/advice", "/add", "?view=drawn")),
    *(f"/p/sprout/{page}" for page in ("weighed", "start", "improve", "coverage", "deployments", "repositories")),
    *(
        f"/p/sprout/events{page}"
        for page in ("", "/live", "/plan", "/fields", "/intake", "/relay", "/put-aside", "/imports")
    ),
    *(f"/p/sprout/ask/{kind}" for kind in ("funnel", "trends", "retention", "lifecycle", "stickiness", "paths", "sql")),
    *(f"/p/sprout/{page}" for page in ("numbers/new", "boards", "cohorts", "cohorts/new", "forms", "definitions")),
    *(f"/p/sprout/{page}" for page in ("metrics-file", "alerts?add", "subscriptions", "flag-imports", "flags?add")),
    *(f"/p/sprout/{page}" for page in ("experiments/before-after", "experiments/bandit", "debts", "calibration")),
    *(f"/p/sprout/{page}" for page in ("programme", "people", "themes", "usability", "voices/new", "voices/imports")),
    *(f"/p/sprout/voices{page}" for page in ("/statuses", "?state=asleep")),
    *(f"/p/sprout/interviews{page}" for page in ("", "/new", "/map", "/guides", "/guides/new", "/recruit")),
    *("/p/sprout/settings/monday", "/mail", "/p/sprout/SOL-999", "/p/sprout/nothing-here"),
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_fits_a_phone_and_breaks_no_policy(
    alice_page: Any, live: Any, complaints: Any, path: str
) -> None:
    alice_page.goto(live.url + path)
    assert problems(alice_page) == []
    alice_page.emulate_media(color_scheme="dark")
    assert problems(alice_page, CONTRAST) == []
    alice_page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(alice_page) == 0
    assert problems(alice_page) == []
    assert complaints.said == []


def test_no_page_is_wider_than_a_phone_and_each_has_one_heading_and_one_primary_button(
    alice_page: Any, live: Any
) -> None:
    alice_page.set_viewport_size({"width": 390, "height": 844})
    for path in (*PAGES, *MORE_PAGES):
        alice_page.goto(live.url + path)
        assert sideways(alice_page) == 0, path
        assert alice_page.locator("h1:visible").count() == 1, path
        assert alice_page.locator("main .btn.primary:visible").count() <= 1, path


def test_a_list_on_a_phone_says_an_entry_in_a_line_and_the_rest_below(alice_page: Any, live: Any) -> None:
    alice_page.set_viewport_size({"width": 390, "height": 844})
    alice_page.goto(live.url + "/p/sprout/settings/keys")
    alice_page.fill("#name", "a key to look at")
    alice_page.get_by_role("button", name="Make a key").click()
    row = alice_page.locator("table.brief tr", has_text="a key to look at")
    whole, what, kind, made = (
        one.bounding_box()
        for one in (row, row.locator("td").first, row.locator(".lead"), row.locator("[data-th=Made]"))
    )
    assert kind["y"] < what["y"] + what["height"] <= made["y"], "the kind beside the name, the rest below"
    assert kind["x"] + kind["width"] == pytest.approx(whole["x"] + whole["width"], abs=1)
    assert made["x"] == whole["x"]


def test_long_names_keep_a_page_as_wide_as_a_phone(alice_page: Any, live: Any) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 4  # nowhere to break, as a hash or an address
    solution = live.cli_json("solution", "add", long)["ref"]
    live.cli("flag", "add", "a-flag-key-that-goes-on-and-on-" * 3 + "x", "--solution", solution)
    voice = live.cli_json("feedback", "add", f"https://example.org/{long}", "--author", long, "--source", long)["ref"]
    alice_page.set_viewport_size({"width": 390, "height": 844})
    for path in ("changes", solution, "flags", "voices", voice, "activity", "today", "tree/diff"):
        alice_page.goto(f"{live.url}/p/sprout/{path}")
        assert sideways(alice_page) == 0, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(browser_page: Any, live: Any, scheme: str) -> None:
    browser_page.emulate_media(color_scheme=scheme)
    browser_page.goto(live.url + "/sign-in")
    assert problems(browser_page) == []


def test_the_api_docs_render_under_our_own_policy(alice_page: Any, live: Any, complaints: Any) -> None:
    alice_page.goto(live.url + "/api/docs")
    alice_page.wait_for_selector(".opblock")
    assert complaints.said == []
    hosts = alice_page.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)")
    assert set(hosts) == {live.url}


def test_ctrl_k_opens_the_box_and_escape_closes_it(alice_page: Any, live: Any) -> None:
    alice_page.goto(live.url + SETTINGS)
    for width in (1280, 390):
        alice_page.set_viewport_size({"width": width, "height": 844})
        alice_page.keyboard.press("Control+k")
        expect(alice_page.locator("#box-q")).to_be_focused()
        alice_page.keyboard.type("sprout")
        alice_page.keyboard.press("Escape")
        expect(alice_page.locator(".palette")).to_be_hidden()


def test_the_box_finds_while_one_types_and_arrows_choose(alice_page: Any, live: Any) -> None:
    ref = live.cli_json("outcome", "add", "Activated in seven days", "--metric", "activated_7d")["ref"]
    alice_page.goto(live.url + SETTINGS)
    alice_page.keyboard.press("Control+k")
    alice_page.keyboard.type("Activated")
    alice_page.wait_for_selector(f"#box-hits a:has-text('{ref}')")
    alice_page.keyboard.press("ArrowDown")
    alice_page.keyboard.press("Enter")
    alice_page.wait_for_url(f"**/p/sprout/{ref}")


def test_without_scripts_the_box_is_a_form(open_page: Any, alice_cookies: Any, live: Any) -> None:
    page = open_page(java_script_enabled=False, storage_state=alice_cookies)
    page.goto(live.url + SETTINGS)
    page.fill("#box-q", "SOL-999")
    page.press("#box-q", "Enter")
    page.wait_for_url(live.url + "/p/sprout/why?q=SOL-999")


def test_keys_go_to_the_six_places_and_are_listed(alice_page: Any, live: Any) -> None:
    alice_page.goto(live.url + SETTINGS)
    alice_page.keyboard.press("?")
    expect(alice_page.locator("#keys-dialog")).to_contain_text("Go to Tree")
    alice_page.keyboard.press("Escape")
    alice_page.keyboard.press("g")
    alice_page.keyboard.press("t")
    alice_page.wait_for_url("**/p/sprout/tree")


def test_keys_do_nothing_while_one_writes(alice_page: Any, live: Any) -> None:
    alice_page.goto(live.url + SETTINGS)
    alice_page.fill("#vision", "")
    alice_page.locator("#vision").press_sequentially("gt?")
    assert alice_page.url == live.url + SETTINGS
    expect(alice_page.locator("#vision")).to_have_value("gt?")
    expect(alice_page.locator("#keys-dialog")).to_be_hidden()


def test_what_was_refused_is_brought_into_view(alice_page: Any, live: Any) -> None:
    alice_page.set_viewport_size({"width": 390, "height": 420})
    alice_page.goto(live.url + "/p/sprout/tree/add?kind=OUT")
    alice_page.get_by_label("What should change for people?").fill("People come back")
    target = alice_page.get_by_label("Where it should be")
    target.evaluate("field => { field.type = 'text'; field.value = 'more' }")  # as a browser without number fields
    alice_page.locator("main form").get_by_role("button", name="Add", exact=True).click()
    expect(alice_page.get_by_text("Enter a number.")).to_be_visible()
    expect(target).to_be_focused()
    expect(target).to_be_in_viewport()


def test_revoking_a_key_asks_first(alice_page: Any, live: Any) -> None:
    alice_page.goto(live.url + "/p/sprout/settings/keys")
    alice_page.fill("#name", "to be revoked")
    alice_page.get_by_role("button", name="Make a key").click()
    row = alice_page.locator("tr", has_text="to be revoked")
    alice_page.once("dialog", lambda dialog: dialog.dismiss())
    row.get_by_role("button", name="Revoke").click()
    expect(row.get_by_role("button", name="Revoke")).to_be_visible()
    alice_page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Revoke").click()
    alice_page.wait_for_selector("tr:has-text('to be revoked') .chip:has-text('revoked')")


def test_the_menu_opens_on_a_phone_and_the_skip_link_is_first(alice_page: Any, live: Any) -> None:
    alice_page.set_viewport_size({"width": 390, "height": 844})
    alice_page.goto(live.url + SETTINGS)
    expect(alice_page.get_by_role("link", name="Activity")).to_be_hidden()
    alice_page.get_by_role("button", name="Menu").click()
    expect(alice_page.get_by_role("link", name="Activity")).to_be_visible()
    alice_page.goto(live.url + SETTINGS)
    alice_page.keyboard.press("Tab")
    expect(alice_page.locator(".skip")).to_be_focused()
