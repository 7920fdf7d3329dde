from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.conftest import World, long_ago
from whytree.errors import Conflict, Forbidden, Invalid
from whytree.flags.models import ChangeRequest, Flag, FlagSettings
from whytree.flags.services import edit_flag, open_flag, set_rollout
from whytree.learning.models import OutcomeReview
from whytree.learning.queries import find_review, result_of, track_record
from whytree.learning.reviews.sentences import headline
from whytree.learning.services import decide_review, fill_review, postpone_review
from whytree.tree.differing import tree_diff
from whytree.tree.models import EvidenceLink, Hypothesis, Solution
from whytree.tree.services import set_state
from whytree.workspace import sockets
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity
from whytree.workspace.sockets import Difference

LiveThrough = Callable[[World], None]
LEARNED = "People give the number once they have something to lose."


@pytest.fixture
def due(live_through: LiveThrough) -> OutcomeReview:
    live_through(World(people=2_500, effect=0.08))
    return OutcomeReview.objects.get()


def decide(actor: Any, review: OutcomeReview, **said: Any) -> OutcomeReview:
    return decide_review(actor, review, **{"verdict": "achieved", "decision": "keep", "learning": LEARNED, **said})


@pytest.mark.parametrize(
    ("decision", "state", "steps", "stands"),
    [
        ("keep", "kept", ["measured", "kept"], "on 100 %"),
        ("iterate", "building", ["measured", "building"], "on 100 %, 50:50"),
        ("roll_back", "rolled_back", ["measured", "rolled_back"], "off"),
        ("remove", "dropped", ["measured", "rolled_back", "dropped"], "off"),
    ],
)
def test_the_decision_moves_the_solution_by_the_allowed_steps_and_its_flag(
    actor: Any, due: OutcomeReview, decision: str, state: str, steps: list[str], stands: str
) -> None:
    decide(actor, due, decision=decision)
    assert Solution.objects.get().state == state
    moves = Activity.objects.filter(verb="set_state").order_by("pk").values_list("after__state", flat=True)
    assert list(moves) == ["live", *steps]
    assert Flag.objects.get().standing == stands


def test_the_flag_asks_where_changes_need_approval_and_stays_where_told(
    actor: Any, product: Any, due: OutcomeReview
) -> None:
    FlagSettings.objects.create(product=product, needs_approval=True)
    decide(actor, due)
    asked = ChangeRequest.objects.get()
    assert (asked.words, asked.after["weights"]) == (f"{due.ref}: {LEARNED}", {"off": 0, "on": 1})
    assert Flag.objects.get().standing == "on 100 %, 50:50"


def test_of_several_arms_a_person_says_which_is_kept(actor: Any, product: Any, due: OutcomeReview) -> None:
    flag = Flag.objects.get()
    edit_flag(actor, product, flag.key, variants={"off": False, "on": True, "bold": True})
    set_rollout(actor, product, flag.key, weights={"off": 1, "on": 1, "bold": 1})
    with pytest.raises(Invalid, match="Which arm is kept"):
        decide(actor, due)
    with pytest.raises(Invalid, match="no arm"):
        decide(actor, due, arm="off")
    decide(actor, due, arm="bold", move_flag=False)
    assert Flag.objects.get().weights == {"off": 1, "on": 1, "bold": 1}


def test_what_was_decided_is_frozen_and_told(
    actor: Any, due: OutcomeReview, store: Any, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setitem(sockets._listeners, "review_decided", [lambda **facts: told.append(facts)])
    decided = decide(actor, due)
    before = result_of(decided)
    assert before.is_measured
    store.execute("TRUNCATE TABLE events")
    assert result_of(find_review(product, "REV-1")) == before
    assert (decided.decided_by_id, decided.learning) == (actor.user_id, LEARNED)
    assert told[-1]["decision"] == "keep"
    assert told[-1]["solution_id"] == decided.hypothesis.solution_id
    assert Activity.objects.get(verb="decide_review").undoable is False


@pytest.mark.parametrize(
    ("verdict", "stance"),
    [("achieved", "supports"), ("not_achieved", "contradicts"), ("harm", "contradicts"), ("inconclusive", "context")],
)
def test_what_was_learned_becomes_evidence_on_the_solution(
    actor: Any, due: OutcomeReview, verdict: str, stance: str
) -> None:
    decide(actor, due, verdict=verdict)
    link = EvidenceLink.objects.get()
    assert (link.stance, link.evidence_type, link.source_kind, link.source_id) == (
        stance,
        "launch_data",
        "review",
        "REV-1",
    )
    assert (link.node_kind, link.statement) == ("SOL", LEARNED)


def test_it_is_decided_once(actor: Any, due: OutcomeReview) -> None:
    decide(actor, due)
    with pytest.raises(Conflict, match="was decided on"):
        decide(actor, due, verdict="harm")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"learning": "  \n "}, "what was learned"),
        ({"learning": "x" * 5_001}, "5,000 characters"),
        ({"learning": "a\x00b"}, "plain text"),
        ({"verdict": "great"}, "A verdict is one of"),
        ({"decision": "ship"}, "A decision is one of"),
    ],
)
def test_half_a_decision_is_refused_and_changes_nothing(
    actor: Any, due: OutcomeReview, said: dict[str, str], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        decide(actor, due, **said)
    assert not OutcomeReview.objects.get().is_decided
    assert Solution.objects.get().state == "live"


@pytest.fixture
def early(actor: Any, product: Any, flag: Any, store: Any) -> OutcomeReview:
    open_flag(actor, product, flag.key, at=long_ago(5))
    return OutcomeReview.objects.get()


def test_before_its_day_only_harm_may_be_decided(actor: Any, early: OutcomeReview) -> None:
    with pytest.raises(Conflict, match="only harm"):
        decide(actor, early)
    with pytest.raises(Invalid, match="until then chance has the larger part in it"):
        decide(actor, early, verdict="harm", decision="roll_back")
    assert decide(actor, early, verdict="harm", decision="roll_back", despite="It deletes drafts.").is_decided
    decided = OutcomeReview.objects.get()
    assert headline(decided, result_of(decided)).endswith("before its review was due.")
    assert Solution.objects.get().state == "rolled_back"


def test_a_dropped_solution_is_not_brought_back_by_a_verdict(actor: Any, due: OutcomeReview) -> None:
    solution = Solution.objects.get()
    set_state(actor, solution, "rolled_back")
    set_state(actor, solution, "dropped", reason="nobody wanted it")
    with pytest.raises(Conflict, match="was dropped"):
        decide(actor, due)
    assert decide(actor, due, decision="remove").is_decided


def test_viewers_do_not_decide(viewer: Any, due: OutcomeReview) -> None:
    with pytest.raises(Forbidden):
        decide(actor_of_user(viewer), due)


def test_a_review_with_too_little_waits_for_a_later_day(actor: Any, product: Any, flag: Any, store: Any) -> None:
    open_flag(actor, product, flag.key, at=long_ago(30))
    review = OutcomeReview.objects.get()
    later = (timezone.now() + timedelta(days=10)).date()
    moved = postpone_review(actor, review, due_on=later)
    assert moved.due_at.date() == later
    with pytest.raises(Conflict, match="not due before"):
        postpone_review(actor, review, due_on=later)


def test_a_measured_one_does_not_wait_until_one_likes_it(actor: Any, due: OutcomeReview) -> None:
    with pytest.raises(Conflict, match="until one likes"):
        postpone_review(actor, due, due_on=(timezone.now() + timedelta(days=10)).date())
    with pytest.raises(Invalid, match="a day to come"):
        postpone_review(actor, due, due_on=(timezone.now() - timedelta(days=1)).date())


def test_hits_are_counted_over_decided_reviews(actor: Any, product: Any, due: OutcomeReview) -> None:
    assert track_record(product).judged == 0
    decide(actor, due)
    assert track_record(product).text == "1 of 1 held"


def test_a_decided_review_is_not_filled_again(actor: Any, due: OutcomeReview) -> None:
    decide(actor, due)
    before = OutcomeReview.objects.get().filled
    fill_review(actor, due, now=timezone.now() + timedelta(days=5))
    assert OutcomeReview.objects.get().filled == before


def test_a_second_prediction_of_the_same_solution_gets_its_own_review(actor: Any, due: OutcomeReview) -> None:
    from whytree.learning.services import lock_prediction
    from whytree.tree.services import create_hypothesis

    decide(actor, due, decision="iterate")
    numbers = {"forecast_low": 1.0, "forecast_likely": 2.0, "forecast_high": 3.0}
    again = create_hypothesis(actor, Solution.objects.get(), change="shorter", metric_key="activated_7d", **numbers)
    assert lock_prediction(actor, again).ref == "REV-2"
    assert Hypothesis.objects.filter(locked_at__isnull=False).count() == 2


def test_the_tree_tells_that_a_prediction_fell_due_and_how_it_came_out(
    actor: Any, product: Any, due: OutcomeReview
) -> None:
    def told() -> list[Difference]:
        found = tree_diff(product, (timezone.now() - timedelta(days=60)).date())
        return [one for node in found.nodes for one in node.differences if one.what in {"due", "decided"}]

    assert told() == [Difference("due", now="REV-1")]
    decide(actor, due)
    assert told() == [Difference("decided", now="REV-1 achieved, keep it", words=LEARNED)]
