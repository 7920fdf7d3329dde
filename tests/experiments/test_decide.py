"""A person decides an experiment, once; its prediction's review is decided with it, whichever door was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.experiments.world import World, happenings, long_ago, write
from whytree.experiments.models import Experiment
from whytree.experiments.queries import find_experiment, reading_of
from whytree.learning.models import OutcomeReview
from whytree.tree.models import EvidenceLink, Solution, State
from whytree.workspace.models import Activity
from whytree.workspace.terminal.client import CommandError

Ran = Callable[..., Any]
PATH = "/products/sprout/experiments/EXP-1/decide"


@pytest.fixture
def ended(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, happenings(World(effect=0.08)))


@pytest.mark.usefixtures("ended")
def test_deciding_the_experiment_decides_its_review_and_keeps_the_solution(api: Any) -> None:
    body = {"decision": "ship", "learning": "Asking later helps."}
    decided = api.post(PATH, body).ok
    assert (decided["state"], decided["decision"], decided["shipped"]) == ("decided", "ship", "on")
    review = OutcomeReview.objects.get()
    assert (review.verdict, review.decision, review.learning) == ("achieved", "keep", "Asking later helps.")
    assert Solution.objects.get().state == State.KEPT
    assert EvidenceLink.objects.filter(source_id="REV-1").count() == 1
    assert api.post(PATH, body).status == 409


@pytest.mark.usefixtures("ended")
def test_the_persons_verdict_wins_over_the_proposed_one(api: Any) -> None:
    assert api.post(PATH, {"decision": "ship", "learning": "x", "verdict": "maybe"}).status == 400
    assert not Experiment.objects.get().is_decided, "a refused verdict leaves nothing half decided"
    api.post(PATH, {"decision": "iterate", "learning": "x", "verdict": "partly"}).must_succeed()
    assert OutcomeReview.objects.get().verdict == "partly"


@pytest.mark.usefixtures("ended")
def test_deciding_the_review_decides_the_experiment(as_alice: Any, product: Any) -> None:
    page = as_alice.get("/p/sprout/EXP-1", follow=True).content.decode()  # its id alone leads to its page
    assert '<a class="btn primary" href="/p/sprout/REV-1">Decide</a>' in page
    assert 'name="learning"' not in page, "one page decides both"
    review = as_alice.get("/p/sprout/REV-1").content.decode()
    assert "The rule was fixed before the start" in review
    assert 'action="/p/sprout/REV-1/decide#decide"' in review
    sent = {"verdict": "achieved", "decision": "keep", "learning": "Asking later helps."}
    assert as_alice.post("/p/sprout/REV-1/decide", sent).status_code == 302
    experiment = find_experiment(product, "EXP-1")
    assert (experiment.decision, experiment.shipped, experiment.learning) == ("ship", "on", "Asking later helps.")
    assert "Asking later helps." in as_alice.get("/p/sprout/experiments/EXP-1").content.decode()


@pytest.mark.usefixtures("ended")
def test_the_result_is_frozen_as_it_stood(api: Any, product: Any, store: Any) -> None:
    api.post(PATH, {"decision": "ship", "learning": "x"}).must_succeed()
    before = reading_of(find_experiment(product, "EXP-1"))
    write(store, product, happenings(World(people=3_000, effect=-0.2, seed=5)))
    assert reading_of(find_experiment(product, "EXP-1")) == before


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"decision": "ship", "learning": " "}, 400),
        ({"decision": "perhaps", "learning": "x"}, 400),
        ({"decision": "ship", "arm": "off", "learning": "x"}, 400),
        ({"decision": "ship", "learning": "\x00"}, 400),
    ],
)
def test_a_decision_says_what_and_why(api: Any, body: dict[str, str], status: int) -> None:
    assert api.post(PATH, body).status == status
    assert not Experiment.objects.get().is_decided


def test_read_once_it_is_not_decided_before_its_day(ran: Ran, api: Any, store: Any) -> None:
    ran(12)
    answer = api.post(PATH, {"decision": "ship", "learning": "x"})
    assert answer.status == 409
    assert "Deciding on the day it looks good is how chance becomes a result" in answer.body["message"]


def test_planned_to_be_looked_at_it_may_be_decided_early_and_so_may_its_review(
    ran: Ran, api: Any, store: Any, product: Any, as_alice: Any
) -> None:
    ran(20, looks="always")
    write(store, product, happenings(World(days=20, effect=0.15)))
    assert 'name="verdict" value="achieved"' in as_alice.get("/p/sprout/REV-1").content.decode()
    body = {"decision": "ship", "learning": "It works."}
    (doubt,) = api.get("/products/sprout/experiments/EXP-1").ok["doubts"]
    refused = api.post(PATH, body)
    assert (refused.status, doubt.startswith("It is day 21 of 30: ")) == (400, True)
    assert doubt in refused.body["message"]
    assert not Experiment.objects.get().is_decided
    api.post(PATH, body | {"despite": "The launch is on Monday."}).must_succeed()
    review = OutcomeReview.objects.get()
    assert (review.verdict, review.despite) == ("achieved", "The launch is on Monday.")


def test_a_broken_draw_and_a_harmed_guardrail_may_be_decided_against_and_both_stay_told(
    ran: Ran, api: Any, cli: Any, store: Any, product: Any, as_alice: Any
) -> None:
    ran(30)
    write(store, product, happenings(World(people=3_000, effect=0.1, lost=0.2, spam=0.2)))
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert page.count("This speaks against deciding from it:") == 1
    sent = {"verdict": "achieved", "decision": "keep", "learning": "It helps.", "move_flag": "1"}
    answer = as_alice.post("/p/sprout/REV-1/decide", sent)
    assert answer.status_code == 400
    assert "Spam accounts got worse by more than its margin." in answer.content.decode()
    assert not OutcomeReview.objects.get().is_decided
    words = ("decide", "EXP-1", "--decision", "ship", "--learning", "It helps.")
    with pytest.raises(CommandError, match="say why"):
        cli("experiment", *words)
    assert "EXP-1: decided" in cli("experiment", *words, "--despite", "We <know> the crash.")
    assert "although   Sample ratio: " in cli("experiment", "show", "EXP-1")
    (act,) = Activity.objects.filter(verb="decide_experiment")
    assert act.after["despite"] == "We <know> the crash."
    for path in ("/p/sprout/experiments/EXP-1", "/p/sprout/REV-1"):
        told = as_alice.get(path).content.decode()
        assert "We &lt;know&gt; the crash." in told
        assert "Sample ratio: " in told.partition("Decided although:")[2].partition("Because:")[0]
    assert len(api.get("/products/sprout/reviews/REV-1").ok["doubts"]) == 2


def test_without_a_hypothesis_it_is_decided_on_its_own_page_and_today_asks_for_it(
    actor: Any, product: Any, metrics: None, store: Any, as_alice: Any
) -> None:
    from whytree.experiments.services import create_experiment, start_experiment
    from whytree.flags.services import create_flag

    flag = create_flag(actor, product, key="plain", weights={"on": 1, "off": 1}, at=long_ago(40))
    plan = {"days": 20, "metrics": [{"key": "activated", "role": "primary"}]}
    start_experiment(actor, create_experiment(actor, product, flag=flag, plan=plan), at=long_ago(25))
    assert "One experiment wants a decision." in as_alice.get("/p/sprout/today").content.decode()
    sent = {"decision": "stay", "learning": "Nobody met it.", "despite": "Its page is gone."}
    assert as_alice.post("/p/sprout/experiments/EXP-1/decide", {**sent, "learning": ""}).status_code == 400
    assert as_alice.post("/p/sprout/experiments/EXP-1/decide", sent).status_code == 302
    assert Experiment.objects.get().decision == "stay"
    assert Experiment.objects.get().despite == "Its page is gone."


def test_what_has_not_started_is_neither_stopped_nor_decided(api: Any, planned: Any) -> None:
    assert api.post(PATH, {"decision": "ship", "learning": "x"}).status == 409
    assert api.post("/products/sprout/experiments/EXP-1/stop", {"reason": "x"}).status == 409
