"""The page, its JSON and the command line show the same answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.conftest import World, long_ago
from whytree.code.delivery.services import DeploymentFacts, IncidentFacts, add_deployment, add_incident
from whytree.flags.services import open_flag
from whytree.learning.models import OutcomeReview
from whytree.workspace.sockets import figures, panels, search

LiveThrough = Callable[[World], None]
BASE = "/products/sprout/reviews"
DECISION = {"verdict": "achieved", "decision": "keep", "learning": "Asking later is asking once."}


@pytest.fixture
def due(live_through: LiveThrough) -> OutcomeReview:
    live_through(World(people=2_500, effect=0.08))
    return OutcomeReview.objects.get()


@pytest.mark.usefixtures("due")
def test_the_api_lists_shows_and_decides(api: Any) -> None:
    (listed,) = api.get(BASE).ok
    shown = api.get(f"{BASE}/rev-1").ok
    assert listed["headline"] == shown["headline"]
    assert shown["headline"].startswith("“Ask for the phone number later” raised “Activated in 7 days” by")
    assert (shown["state"], shown["predicted"]) == ("measured", "+1 to +9 pp")
    assert "compatible with a rise of" in shown["summary"]
    assert shown["result"]["contrast"]["difference"]["n"] == shown["result"]["forecast"]["measured"]["n"]
    assert api.post(f"{BASE}/REV-1/fill").ok["ref"] == "REV-1"
    decided = api.post(f"{BASE}/REV-1/decide", DECISION).ok
    assert (decided["state"], decided["verdict"], decided["decided_by"]) == ("decided", "achieved", "Alice")
    assert api.post(f"{BASE}/REV-1/decide", DECISION).status == 409
    assert [len(api.get(f"{BASE}?decided={word}").ok) for word in ("true", "false")] == [1, 0]


@pytest.mark.usefixtures("due")
def test_the_api_refuses_with_what_to_do(api: Any, api_viewer: Any, api_charlie: Any) -> None:
    assert api.get(f"{BASE}/REV-9").status == 404
    assert api.get(f"{BASE}/1").status == 404
    assert api_viewer.get(f"{BASE}/REV-1").status == 200
    assert api_viewer.post(f"{BASE}/REV-1/decide", DECISION).status == 403
    assert api_charlie.get(BASE).status == 404
    refused = api.post(f"{BASE}/REV-1/decide", DECISION | {"learning": ""})
    assert (refused.status, "learned" in refused.body["message"]) == (400, True)
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert api.post(f"{BASE}/REV-1/postpone", {"due_on": tomorrow}).status == 409


@pytest.mark.usefixtures("due")
def test_the_page_says_it_in_one_sentence_and_shows_what_to_trust(
    as_alice: Any, api: Any, actor: Any, product: Any
) -> None:
    opened_at = OutcomeReview.objects.get().opened_at
    for version, after in (("v1", -1), ("v2", 1)):
        facts = DeploymentFacts(version, opened_at + timedelta(days=after), version=version)
        add_deployment(actor, product, facts)
    add_incident(actor, product, IncidentFacts("INC-7", "Sign-up fails", opened_at + timedelta(days=2)))
    assert [line[12:] for line in api.get(f"{BASE}/REV-1").ok["shipped"]] == [
        "INC-7 Sign-up fails (open)",
        "v2 went out",
    ]
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert "<h1>“Ask for the phone number later” raised “Activated in 7 days” by" in page
    assert "Sample ratio" in page
    assert "Both arms had these alike." in page
    assert "Spam accounts" in page
    assert "(+1 to +9 pp)" in page
    assert 'name="learning"' in page
    assert "Look again" not in page


@pytest.mark.usefixtures("due")
def test_a_viewer_reads_and_charlie_sees_nothing(as_viewer: Any, as_charlie: Any) -> None:
    assert 'name="learning"' not in as_viewer.get("/p/sprout/REV-1").content.decode()
    assert as_viewer.post("/p/sprout/REV-1/decide", DECISION).status_code == 403
    for path in ("REV-1", "changes", "learned"):
        assert as_charlie.get(f"/p/sprout/{path}").status_code == 404


@pytest.mark.usefixtures("due")
def test_the_page_proposes_the_verdict_and_says_who_proposes(as_alice: Any) -> None:
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert page.count('name="verdict" value="achieved" required checked') == 1
    assert page.count(" required checked") == 1  # the decision is nobody's but a person's
    assert "The data propose what is chosen here; you decide." in page


@pytest.mark.usefixtures("due")
def test_a_refused_verdict_comes_back_as_it_was(as_alice: Any) -> None:
    page = as_alice.post("/p/sprout/REV-1/decide", DECISION | {"learning": "", "verdict": "partly"})
    assert page.status_code == 400
    text = page.content.decode()
    assert "Say what was learned" in text
    assert 'value="partly" required checked' in text


@pytest.mark.usefixtures("due")
def test_deciding_leads_to_learned(as_alice: Any) -> None:
    decided = as_alice.post("/p/sprout/REV-1/decide", DECISION, follow=True).content.decode()
    assert "Asking later is asking once." in decided
    assert 'name="learning"' not in decided
    learned = as_alice.get("/p/sprout/learned").content.decode()
    assert "<h1>1 change went all the way to a verdict.</h1>" in learned
    assert "1 of 1 held" in learned
    changes = as_alice.get("/p/sprout/changes").content.decode()
    assert "Settled" in changes


def test_places_are_empty_at_first_and_say_what_to_do(as_alice: Any, store: Any) -> None:
    assert "<h1>Nothing has been learned here yet.</h1>" in as_alice.get("/p/sprout/learned").content.decode()
    assert "<h1>Nothing has been proposed yet.</h1>" in as_alice.get("/p/sprout/changes").content.decode()


@pytest.mark.usefixtures("due")
def test_changes_stand_by_what_they_wait_for(as_alice: Any, actor: Any, product: Any) -> None:
    from whytree.tree.services import create_solution

    create_solution(actor, product, title="Explain why we ask")
    page = as_alice.get("/p/sprout/changes").content.decode()
    assert "<h1>1 result wants your verdict.</h1>" in page
    assert page.index("Wants your verdict") < page.index("Ideas")
    assert page.count("Ask for the phone number later") == 1
    assert "ask_later on 100 %" in page


def test_an_early_review_shows_its_day_and_keeps_the_difference_to_itself(
    as_alice: Any, actor: Any, product: Any, flag: Any, store: Any
) -> None:
    open_flag(actor, product, flag.key, at=long_ago(5))
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert "Its review is due on" in page
    assert "Day 6 of 28: too early to say." in page
    assert "Is it doing harm?" in page


def test_a_review_with_too_little_offers_a_later_day(
    as_alice: Any, actor: Any, product: Any, flag: Any, store: Any
) -> None:
    open_flag(actor, product, flag.key, at=long_ago(30))
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert "Too little to say yet" in page
    later = (timezone.now() + timedelta(days=9)).date().isoformat()
    assert as_alice.post("/p/sprout/REV-1/postpone", {"due_on": "soon"}).status_code == 400
    assert as_alice.post("/p/sprout/REV-1/postpone", {"due_on": later}).status_code == 302


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland", "America/St_Johns"])
def test_the_day_that_was_chosen_is_the_day_that_is_told(
    as_alice: Any, api: Any, actor: Any, product: Any, flag: Any, store: Any, zone: str
) -> None:
    product.timezone = zone  # where midnight is on another day of UTC
    product.save()
    open_flag(actor, product, flag.key, at=long_ago(30))
    later = product.there(timezone.now() + timedelta(days=9)).date()
    page = as_alice.post("/p/sprout/REV-1/postpone", {"due_on": str(later)}, follow=True).content.decode()
    assert f"REV-1 waits until {later:%-d %b %Y}." in page
    assert f"due {later:%-d %b %Y}</p>" in page
    assert f"Its review is due on {later:%-d %b}." in page
    assert api.get(f"{BASE}/REV-1").ok["due_at"][:10] == str(later)


def test_the_solution_today_the_tree_and_the_box_know_the_review(actor: Any, product: Any, due: OutcomeReview) -> None:
    from django.template.loader import render_to_string

    from tests.learning.conftest import look_at_reviews

    look_at_reviews()
    solution = due.hypothesis.solution
    (panel,) = [one for one in panels("solution", actor, product, solution) if one.title == "Review REV-1"]
    assert panel.tone == "leaf"
    assert panel.headline.startswith("Predicted +1 to +9 pp; measured +")
    assert "REV-1" in render_to_string(panel.template, panel.context | {"product": product})
    (today,) = [one for one in panels("today", actor, product, None) if one.title == "Wants your verdict"]
    assert (today.tone, today.headline) == ("amber", "One result wants your verdict.")
    assert "Decide" in render_to_string(today.template, today.context | {"product": product})
    chips = [chip.text for chip in figures("solution", product, [solution])[solution.pk].chips]
    assert any(text.startswith("+") and text.endswith("pp") for text in chips)
    assert [hit.url for hit in search(actor, product, "rev-1") if hit.kind == "review"] == ["/p/sprout/REV-1"]


def test_the_command_line_says_the_same(terminal: Any) -> None:
    terminal.cli("metric", "add", "bloomed_7d", "--from", "signed_up", "--to", "bloomed")
    opportunity = terminal.cli_json("opportunity", "add", "I do not want to give my number")["ref"]
    solution = terminal.cli_json("solution", "add", "Ask later", "--under", opportunity)["ref"]
    said = ("--change", "later", "--metric", "bloomed_7d", "--low", "1", "--likely", "4", "--high", "7")
    hypothesis = terminal.cli_json("hypothesis", "add", solution, *said)["ref"]
    locked = terminal.cli("hypothesis", "lock", hypothesis).stdout
    assert f"{hypothesis} is locked: +1 to +7 pp on bloomed_7d." in locked
    review = next(word for word in locked.split() if word.startswith("REV-"))
    assert review in terminal.cli("review", "list").stdout
    assert "predicted  +1 to +7 pp" in terminal.cli("review", "show", review).stdout
    refused = terminal.cli(
        "review", "decide", review, "--verdict", "achieved", "--decision", "keep", "--learning", "x", check=False
    )
    assert (refused.returncode, "only harm" in refused.stderr) == (1, True)
    harm = (
        "review",
        "decide",
        review,
        "--verdict",
        "harm",
        "--decision",
        "roll_back",
        "--learning",
        "It broke sign-up.",
    )
    assert "say why" in terminal.cli(*harm, check=False).stderr
    decided = terminal.cli_json(*harm, "--despite", "Drafts are lost.")
    assert (decided["decision"], decided["despite"]) == ("roll_back", "Drafts are lost.")


def test_a_fill_shows_at_once(api: Any, live_through: LiveThrough) -> None:
    """Also when the page was looked at a moment before."""
    assert api.get(f"{BASE}/REV-1").ok["state"] == "too_little"
    live_through(World(people=2_500, effect=0.08))
    assert api.post(f"{BASE}/REV-1/fill").ok["state"] == "measured"
