"""The pages that strangers see, in a real browser: by keyboard alone, to axe, in both schemes, on a phone. Nobody is signed in."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import httpx
import pytest
from django.core.signing import Signer
from playwright.sync_api import expect

from tests.browser.looking import CONTRAST, problems, sideways
from tests.servers import Live

QUESTIONS = [
    {"kind": "nps", "text": "How likely is it that you would recommend Sprout to a friend who has a garden? " * 2},
    {"kind": "single", "text": "What stopped you?", "options": ["The phone number", "The password, which has rules"]},
    {"kind": "matrix", "text": "What is true?", "options": ["It is quick", "It is mine"], "required": False},
    {"kind": "open", "text": "What would have made it easier?", "required": False},
]
LONG = "A garden that remembers what I planted where, and says it when I stand before the empty bed in the spring"


class Api:
    """The team, by REST."""

    def __init__(self, live: Live) -> None:
        token = (live.data / "owner.token").read_text("ascii").strip()
        self.base, self.headers = f"{live.url}/api/products/sprout/", {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return (
            httpx.request(method, self.base + path, json=body, headers=self.headers, timeout=30)
            .raise_for_status()
            .json()
        )


@pytest.fixture
def team(live: Live) -> Api:
    return Api(live)


def test_a_survey_is_answered_by_keyboard_on_a_phone(open_page: Any, live: Live, team: Api, complaints: Any) -> None:
    made = team("POST", "surveys", {"title": "How is Sprout doing for you?", "questions": QUESTIONS})
    team("POST", f"surveys/{made['ref']}/start")
    link = team("POST", f"surveys/{made['ref']}/invite", {"person": "user-17"})["link"]
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto(live.url + link[link.index("/survey") :])
    assert problems(page) == []
    assert sideways(page) == 0
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")  # to the second question
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # past the two lines of the matrix
    page.keyboard.type("Ask for less.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thank")
    assert problems(page) == []
    (row,) = team("GET", f"surveys/{made['ref']}/responses")["rows"]
    assert (row["q1"], row["q2"], row["q4"]) == (9, "The phone number", "Ask for less.")
    assert complaints.said == []


def test_the_board_is_used_by_keyboard_and_every_page_of_it_is_accessible(
    open_page: Any, live: Live, team: Api, complaints: Any
) -> None:
    team("PUT", "board", {"is_open": True, "intro": "Say it in your own words."})
    page = open_page()
    page.goto(f"{live.url}/ideas/sprout")
    page.get_by_role("link", name="Ask for something").focus()
    page.keyboard.press("Enter")
    page.get_by_label("In one line").focus()
    page.keyboard.type(LONG)
    page.keyboard.press("Tab")
    page.keyboard.type("I forget it every year.")
    page.keyboard.press("Tab")
    page.keyboard.type("Mira")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It has arrived")).to_be_visible()
    (post,) = team("GET", "board-posts?state=waiting")
    team("POST", f"board-posts/{post['ref']}/publish")
    team("PUT", f"board-posts/{post['ref']}/status", {"status": "planned"})
    visit = team("POST", "board-visitors", {"person": "user-17"})["url"]
    page.goto(live.url + visit[visit.index("/ideas") :])
    page.get_by_role("link", name=LONG).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="I want this, too").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Votes")).to_contain_text("2")
    shown = page.url
    for path in (f"{live.url}/ideas/sprout", f"{live.url}/ideas/sprout?q=zebra", f"{live.url}/ideas/sprout/new", shown):
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(path)
        assert problems(page) == [], path
        page.emulate_media(color_scheme="dark")
        assert problems(page, CONTRAST) == [], path
        page.set_viewport_size({"width": 390, "height": 844})
        assert sideways(page) == 0, path
    assert complaints.said == []


def test_what_mails_lead_to_is_accessible_and_works_by_keyboard(
    open_page: Any, live: Live, team: Api, complaints: Any
) -> None:
    problem = team("POST", "opportunities", {"title": "I forget what I planted"})["ref"]
    change = team("POST", "solutions", {"title": LONG, "parent": problem})["ref"]
    voice = team(
        "POST", "feedback", {"text": "Which bed was it?", "person": "user-31", "author_email": "u@example.org"}
    )
    team("POST", f"feedback/{voice['ref']}/links", {"opportunity": problem})
    solved = team("POST", f"solutions/{change}/loop/link", {"person": "user-31"})["link"]
    team("POST", "interview-invitations", {"people": ["user-31"]})
    contact, person = _newest(live, "voice_contact"), _newest(live, "people_person")
    pages = {
        solved[solved.index("/solved") :]: "Yes, it did",
        f"/leave-alone/{_signed(live, 'voice.contacts', contact)}": "Leave me in peace",
        f"/replies/stop/{_signed(live, 'voice.replies', person)}": "Leave me in peace",
    }
    page = open_page(viewport={"width": 390, "height": 844})
    for path, button in pages.items():
        page.goto(live.url + path)
        page.emulate_media(color_scheme="light")
        assert problems(page) == [], path
        page.emulate_media(color_scheme="dark")
        assert problems(page, CONTRAST) == [], path
        assert sideways(page) == 0, path
        page.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("Thank you|We leave you in peace"))
        assert problems(page) == [], path
    assert complaints.said == []


def _newest(live: Live, table: str) -> int:
    with closing(sqlite3.connect(live.data / "whytree.sqlite3")) as database:
        (found,) = database.execute(f"SELECT max(id) FROM {table}").fetchone()
    return int(found)


def _signed(live: Live, salt: str, pk: int) -> str:
    """As a mail carries it."""
    key = (live.data / "secret.key").read_text("utf-8").strip()
    return Signer(key=key, salt=salt).sign(str(pk)).replace(":", ".", 1)
