"""`whytree demo` as a newcomer runs it: killed in the middle, run again, run a second time, and then looked at."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Live, live_env, start_server
from whytree.demo import story, words
from whytree.demo.folder import Folder

pytestmark = [pytest.mark.slow, pytest.mark.live]

MINUTES = 60
LONGEST = 15 * MINUTES  # a machine that does much else


def _demo(home: Path, *options: str) -> "subprocess.Popen[str]":
    """As typed in a shell of somebody who has other settings."""
    env = {**live_env(home / "usual"), "HOME": str(home), "WHYTREE_PRODUCT": "mine", "WHYTREE_TOKEN": "wtp_mine"}
    words = [sys.executable, "-m", "whytree", "demo", "--no-serve", *options]
    return subprocess.Popen(words, cwd=home, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _finish(process: "subprocess.Popen[str]") -> str:
    out, errors = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return out


def _voices(data: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{data / 'whytree.sqlite3'}?mode=ro", uri=True)) as database:
            counted = "SELECT (SELECT count(*) FROM voice_feedbackitem) + (SELECT count(*) FROM voice_interview)"
            return int(database.execute(counted).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def told(home: Path) -> Any:
    """What the first telling that was not cut off printed; one that was comes before it."""
    process = _demo(home)
    deadline = time.monotonic() + LONGEST
    while _voices(home / ".demo") < 50:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Folder(home / ".demo").state == "half told"
    return json.loads(_finish(_demo(home, "--json")))


@pytest.fixture(scope="module")
def server(home: Path, told: Any) -> Iterator[Live]:
    live = start_server(home / ".demo")
    yield live
    live.stop()
    if live.process.stdout:
        live.process.stdout.close()


@pytest.fixture
def ask(server: Live) -> Iterator[httpx.Client]:
    token = (server.data / "owner.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{server.url}/api/products/{story.SLUG}/", headers=headers, timeout=60) as client:
        yield client


def test_a_telling_that_was_killed_is_told_anew(told: Any, home: Path) -> None:
    assert told["loaded"]["people"] == story.PEOPLE
    assert told["loaded"]["events"] > 285_000
    assert _voices(home / ".demo") == told["loaded"]["voices"]


def test_it_prints_what_there_is_to_find(told: Any) -> None:
    found = "\n".join(told["found"])
    assert "20,000 people" in found
    assert "REV-2 waits for your verdict" in found
    assert "9 of 400 people pressed the button" in found
    assert "14 said so in their own words" in found
    assert "Tom Hale challenges SOL-3" in found
    assert "Build sign-up form, collect user info." in found


def test_the_line_of_the_tour_is_explained_in_five_hops(told: Any) -> None:
    why = told["why"]
    assert why["explained"] is True
    assert why["commit"]["subject"] == "Defer phone to first booking"
    assert why["solution"]["ref"] == "SOL-2"
    assert why["hypothesis"]["ref"] == "HYP-2"
    assert why["opportunity"]["people"] == 14
    assert why["outcome"]["metric_key"] == "activated_7d"
    assert (why["review"]["ref"], why["review"]["as_wanted"]) == ("REV-2", True)
    assert why["evidence"]
    assert {link["provenance"] for link in why["links"]} == {"stated"}
    assert "SOL-2" in told["why_screen"]


def test_a_second_run_tells_nothing_anew(told: Any, home: Path) -> None:
    before = (home / ".demo" / "demo.json").read_text()
    again = json.loads(_finish(_demo(home, "--json")))
    assert again["loaded"] == told["loaded"]
    assert (home / ".demo" / "demo.json").read_text() == before
    assert _voices(home / ".demo") == told["loaded"]["voices"]


def test_the_persons_own_data_are_not_touched(told: Any, home: Path) -> None:
    assert {entry.name for entry in home.iterdir()} == {".demo"}


def test_while_it_runs_a_second_demo_says_where(server: Live, home: Path) -> None:
    process = _demo(home)
    _, errors = process.communicate(timeout=LONGEST)
    assert process.returncode == 1
    assert f"The demo is running at {server.url}" in errors


def test_the_review_covers_the_truth_and_its_draw_is_fair(ask: httpx.Client) -> None:
    review = ask.get("reviews/REV-2").json()
    result = review["result"]
    difference = result["contrast"]["difference"]
    truth = 100 * story.TRUE_EFFECTS["defer_phone"]
    assert 0 < difference["low"] < truth < difference["high"]
    assert difference["n"] > 10_000
    assert result["trust"]["ratio"] == "fair"
    assert result["trust"]["both_share"] == 0
    assert review["holds"] is True
    assert [rail["verdict"] for rail in result["guardrails"]] == ["held"] * 3


def test_one_review_is_decided_one_is_due_and_one_runs(ask: httpx.Client) -> None:
    states = {review["ref"]: review["state"] for review in ask.get("reviews").json()}
    assert states == {"REV-1": "decided", "REV-2": "measured", "REV-3": "early"}
    kept = ask.get("reviews/REV-1").json()
    effect = kept["result"]["contrast"]["difference"]
    assert effect["low"] < 100 * story.TRUE_EFFECTS["evening_reminder"] < effect["high"]


def test_the_outcome_is_near_what_is_true(ask: httpx.Client) -> None:
    value = ask.get("metrics/activated_7d/measure").json()["value"]
    without = 100 * story.ACTIVATED
    assert without < value < without + 100 * story.TRUE_EFFECTS["defer_phone"] + 1


def test_solutions_stand_where_the_story_left_them(ask: httpx.Client) -> None:
    states = {one["title"]: one["state"] for one in ask.get("solutions", params={"closed": True}).json()}
    assert states == {
        "A reminder the evening before": "kept",
        "Defer phone number to first booking": "measured",
        "Explain why we ask, next to the field": "live",
        "Social sign-in": "dropped",
        "Browse as a guest": "idea",
        "Move a booking to another day": "idea",
    }


def test_one_challenge_is_open(ask: httpx.Client) -> None:
    waiting = ask.get("notes/open").json()
    assert [note["ref"] for note in waiting if note["kind"] == "challenge"] == ["SOL-3"]


def test_the_ticket_of_the_tour_is_tied_to_nothing(ask: httpx.Client) -> None:
    tied = [ticket["key"] for ref in ("SOL-1", "SOL-2", "SOL-3") for ticket in ask.get(f"nodes/{ref}/tickets").json()]
    assert tied == ["#31", "#41"]
    assert "#57" in {ticket["key"] for ticket in ask.get("tickets").json()}


def test_everything_was_done_in_its_order_and_before_now(ask: httpx.Client) -> None:
    acts: list[Any] = []
    while True:
        page = ask.get("activity", params={"limit": 500, **({"before": acts[-1]["id"]} if acts else {})}).json()
        if not page:
            break
        acts += page
    times = [act["at"] for act in reversed(acts)]
    assert len(times) > 300
    assert times == sorted(times)


def test_nothing_was_quoted_before_it_was_said(ask: httpx.Client) -> None:
    refs = [node["ref"] for node in ask.get("tree").json()["nodes"]]
    links = [link for ref in refs for link in ask.get(f"nodes/{ref}/evidence").json()]
    assert len(links) > 40
    for link in links:
        assert link["said_at"] <= link["created_at"]


def test_the_five_talks_are_interviews_with_their_words(ask: httpx.Client) -> None:
    talks = ask.get("interviews").json()
    assert sorted(talk["participant"] for talk in talks) == sorted(talk.name for talk in words.interviews())
    assert sum(bool(talk["guide"]) for talk in talks) == 2
    for talk in talks:
        whole = ask.get(f"interviews/{talk['ref']}").json()
        assert whole["links"], "each speaks for a problem"
        assert not any(mark["lost"] or mark["start_ms"] is None for mark in whole["highlights"])
        assert {line["ours"] for line in whole["lines"]} == {True, False}, "questions are told from answers"


def test_some_of_those_who_asked_came_back_and_one_says_no(ask: httpx.Client) -> None:
    loop = ask.get("solutions/SOL-2/loop").json()
    assert [step["people"] for step in loop["funnel"]] == [8, 6, 5, 2]
    assert sorted(one["solved"] for one in loop["askers"] if one["solved"] is not None) == [False, True, True]
    for one in loop["askers"]:
        moments = [one["exposed_at"], one["used_at"], one["told_at"], one["asked_at"]]
        said = [moment for moment in moments if moment]
        assert said == sorted(said), "nobody is told of what has not reached them, nor asked before they used it"
    assert (len(loop["to_tell"]), len(loop["to_ask"])) == (1, 1), "somebody is left for the visitor"
    people = ask.get("nodes/OPP-2/evidence").json()
    assert len({link["person_key"] or link["source_id"] for link in people}) == 14


def test_the_survey_ended_by_itself_and_tells_the_arms_apart(ask: httpx.Client) -> None:
    (survey,) = ask.get("surveys").json()
    assert (survey["state"], survey["answered"]) == ("stopped", story.SURVEY_ANSWERS)
    (ease, _) = ask.get("surveys/SUR-1/results", params={"by": "defer_phone"}).json()["questions"]
    assert {arm["variant"] for arm in ease["arms"]} == {"on", "off"}
    assert ease["difference"]["low"] > 0 or ease["difference"]["high"] < 0


def test_the_alert_told_of_the_release_and_of_its_end(ask: httpx.Client) -> None:
    told = ask.get("alerts/1").json()
    assert told["state"] == "inside"
    assert sorted(event["what"] for event in told["events"]) == ["left", "recovered"]


def test_a_voice_came_from_the_pages_with_what_was_in_force(ask: httpx.Client) -> None:
    (voice,) = ask.get("feedback", params={"q": "which teacher chosen class"}).json()["items"]
    assert voice["flags"]["explain_phone"] == "on"


def test_every_voice_waits_was_linked_or_was_put_away(ask: httpx.Client) -> None:
    waiting = ask.get("feedback", params={"state": "waiting", "limit": 200}).json()["items"]
    assert 10 < len(waiting) < 60
    linked = ask.get("feedback", params={"state": "linked", "limit": 200}).json()["items"]
    assert len(linked) >= 30, "and five talks beside"


def test_each_role_had_said_what_it_expected_and_is_scored(ask: httpx.Client) -> None:
    told = ask.get("hypotheses/HYP-2/predictions").json()
    roles = {one["who"]: one for one in told["said"]}
    assert set(roles) == {"the hypothesis", "engineering", "product", "design", "sales", "support"}
    assert told["is_locked"]
    assert told["spread"]["apart"]
    assert roles["sales"]["score"]["held"] is False
    running = ask.get("hypotheses/HYP-3/predictions").json()
    assert len(running["said"]) == 4
    assert all(one["score"] is None for one in running["said"])
    late = ask.post("hypotheses/HYP-2/predictions", json={"low": 2, "likely": 2.8, "high": 3.5})
    assert late.status_code == 409


def test_a_locked_prediction_cannot_be_edited_and_the_attempt_is_logged(ask: httpx.Client) -> None:
    refused = ask.patch("hypotheses/HYP-2", json={"forecast_likely": 2.5})
    assert refused.status_code == 409
    assert ask.get("activity", params={"limit": 1}).json()[0]["verb"] == "refused_edit"


def test_the_sign_in_link_of_the_tour_opens_today(server: Live) -> None:
    link = server.cli_json("sign-in")["link"]
    with httpx.Client(follow_redirects=True, timeout=60) as browser:
        page = browser.get(link)
        assert page.status_code == 200


def test_the_visitor_decides_and_the_solution_is_kept(ask: httpx.Client) -> None:
    said = {"verdict": "partly", "decision": "keep", "learning": "Asking later helps; less than we thought."}
    decided = ask.post("reviews/REV-2/decide", json=said)
    assert decided.status_code == 200, decided.text
    assert ask.get("solutions/SOL-2").json()["state"] == "kept"
    (debt,) = ask.get("debts").json()
    assert (debt["state"], debt["says"]) == ("due", "SOL-2 was kept by REV-2.")


def test_nothing_of_the_servers_was_left_behind(home: Path, told: Any) -> None:
    assert os.access(home / ".demo" / "owner.token", os.R_OK)
    assert (home / ".demo" / "owner.token").stat().st_mode & 0o077 == 0


FUNNEL = "ask/funnel?event=sign_up_started&event=email_entered&event=phone_entered&event=sign_up_confirmed&within=1h"


@pytest.mark.browser
def test_four_clicks_lead_from_a_drop_to_a_voice_to_its_opportunity_to_a_line_of_code(server: Live) -> None:
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import launch
    from tests.browser.conftest import Complaints

    complaints = Complaints()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        complaints.listen(page)
        page.goto(server.cli_json("sign-in")["link"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/p/sprout/**")
        page.goto(f"{server.url}/p/sprout/{FUNNEL}")
        assert "most leave after “email_entered”" in (page.text_content("h1") or "")
        page.locator("table.funnel tr", has_text="email_entered").get_by_role("link", name="left here").click()
        assert "did “email_entered” and not “phone_entered”" in (page.text_content("#behind") or "")
        page.locator("#behind blockquote", has_text="phone number").locator("a.id").first.click()
        page.wait_for_url("**/FB-*")
        page.get_by_role("main").get_by_role("link", name="OPP-2").first.click()
        page.wait_for_url("**/OPP-2")
        assert "Who struggles" in (page.text_content("main") or "")
        page.get_by_role("link", name="app/signup/form.py:42").click()
        page.wait_for_url("**/why?q=app%2Fsignup%2Fform.py%3A42")
        assert "Defer phone number to first booking" in (page.text_content("main") or "")
        browser.close()
    assert complaints.said == []
