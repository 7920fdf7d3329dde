"""Several people say what they expect: blind until they have answered, locked together, scored once it was measured."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.learning.conftest import World, long_ago
from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.flags.services import open_flag
from whytree.learning.models import OutcomeReview, Prediction
from whytree.learning.predictions.queries import table_of
from whytree.learning.predictions.services import predict
from whytree.tree.services import close_node, edit_hypothesis
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity
from whytree.workspace.rights.actors import Actor

PATH = "/products/sprout/hypotheses/HYP-1/predictions"
MINE = {"low": -2, "likely": 0, "high": 2}
THEIRS = {"low": 3, "likely": 6, "high": 9}
# numbers that stand nowhere else on a page
LOUD = {"low": 3.17, "likely": 6.23, "high": 9.41}


@pytest.fixture
def bobs(bob: Any) -> Actor:
    return actor_of_user(bob)


def test_others_are_seen_only_after_one_has_answered(api: Any, api_bob: Any, hypothesis: Any) -> None:
    first = api_bob.post(PATH, THEIRS)
    assert (first.status, first.body["answers"]) == (201, 1)
    blind = api.get(PATH).ok
    assert (blind["answers"], blind["said"], blind["spread"], blind["may_say"]) == (1, [], None, True)
    assert "You see it once you have said yours" in blind["text"]
    mine = api.post(PATH, MINE).body
    assert [(one["who"], one["likely"]) for one in mine["said"]] == [
        ("the hypothesis", 4),
        ("engineering", 0),
        ("design", 6),
    ]
    assert [one["is_yours"] for one in mine["said"]] == [False, True, False]
    assert mine["spread"]["apart"] is True
    assert "do not even overlap" in mine["text"]


def test_a_viewer_sees_them_after_the_lock_and_charlie_never(
    api: Any, api_viewer: Any, api_charlie: Any, actor: Any, flag: Any, product: Any
) -> None:
    api.post(PATH, MINE)
    assert api_viewer.get(PATH).ok["said"] == []
    assert api_viewer.post(PATH, MINE).status == 403
    assert (api_charlie.get(PATH).status, api_charlie.post(PATH, MINE).status) == (404, 404)
    open_flag(actor, product, flag.key)
    assert len(api_viewer.get(PATH).ok["said"]) == 2
    assert api_charlie.get(PATH).status == 404


def untimed(text: str) -> str:
    """Without its moments: 12:00:06.217 is nobody's number."""
    return re.sub(r"\d\d:\d\d:\d\d\.\d+", "", text)


@pytest.mark.usefixtures("hypothesis")
def test_nobodys_numbers_leak_before_they_answered(
    api: Any, api_bob: Any, as_alice: Any, as_viewer: Any, api_viewer: Any
) -> None:
    """Not by the activity, not by the solution's page, not by Today, not by the page to answer on."""
    api_bob.post(PATH, LOUD)
    seen = json.dumps(api.get("/products/sprout/activity").ok) + json.dumps(api_viewer.get(PATH).ok)
    for path in ("SOL-1", "today", "activity", "HYP-1/predict", "tree"):
        seen += as_alice.get(f"/p/sprout/{path}").content.decode()
    seen = untimed(seen + as_viewer.get("/p/sprout/SOL-1").content.decode())
    for number in ("3.17", "6.23", "9.41", "3.2 to"):
        assert number not in seen
    assert "predict" in seen
    api.post(PATH, MINE)
    assert "+6.2" in as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "6.2" not in untimed(as_viewer.get("/p/sprout/SOL-1").content.decode())


def test_alone_one_may_think_again_but_not_after_seeing_others(actor: Any, bobs: Any, hypothesis: Any) -> None:
    predict(actor, hypothesis, low=1, likely=2, high=3)
    again = predict(actor, hypothesis, low=0, likely=2, high=4)
    assert (Prediction.objects.count(), again.low) == (1, 0)
    predict(bobs, hypothesis, low=0, likely=1, high=2)
    assert predict(actor, hypothesis, low=0, likely=2, high=4).pk == again.pk, "saying the same twice is no change"
    for who in (actor, bobs):
        with pytest.raises(Conflict, match="yours stands"):
            predict(who, hypothesis, low=5, likely=6, high=7)
        assert not table_of(who, hypothesis).may_say


def test_a_changed_question_is_asked_again(actor: Any, bobs: Any, hypothesis: Any) -> None:
    predict(actor, hypothesis, low=1, likely=2, high=3)
    predict(bobs, hypothesis, low=0, likely=1, high=2)
    asked = edit_hypothesis(Actor.system(), hypothesis, forecast_low=0.5)
    assert table_of(actor, asked).answers == 2, "its own numbers are no part of the question"
    changed = edit_hypothesis(actor, hypothesis, horizon_days=7)
    found = table_of(actor, changed)
    assert (found.answers, found.may_see, found.may_say) == (0, False, True)
    predict(actor, changed, low=2, likely=3, high=4)
    assert [one.likely for one in table_of(actor, changed).said if one.is_yours] == [3]
    assert not table_of(bobs, changed).may_see


def test_the_flag_locks_all_of_them_together(actor: Any, bobs: Any, product: Any, flag: Any, hypothesis: Any) -> None:
    said = predict(bobs, hypothesis, low=0, likely=1, high=2)
    open_flag(actor, product, flag.key)
    locked = Activity.objects.get(verb="lock_predictions")
    assert locked.after["predictions"] == [{"discipline": "design", "low": 0, "likely": 1, "high": 2}]
    assert len(locked.after["seal"]) == 64
    with pytest.raises(Conflict, match="is locked"):
        predict(actor, hypothesis, low=1, likely=2, high=3)
    assert Activity.objects.filter(verb="refused_prediction", user_id=actor.user_id).count() == 1
    said.refresh_from_db()
    said.likely = 1.5
    with pytest.raises(Conflict, match="locked"):
        said.save()


def test_locking_again_tells_nothing_again(actor: Any, bobs: Any, product: Any, flag: Any, hypothesis: Any) -> None:
    from whytree.learning.services import lock_prediction

    predict(bobs, hypothesis, low=0, likely=1, high=2)
    open_flag(actor, product, flag.key)
    lock_prediction(actor, hypothesis)
    hypothesis.refresh_from_db()
    lock_prediction(actor, hypothesis)
    assert Activity.objects.filter(verb="lock_predictions").count() == 1


def test_a_closed_hypothesis_takes_none(actor: Any, hypothesis: Any) -> None:
    close_node(actor, hypothesis, reason="Asked wrongly.")
    with pytest.raises(Conflict, match="closed"):
        predict(actor, hypothesis, low=1, likely=2, high=3)


def test_it_is_a_persons_and_not_a_keys(hypothesis: Any) -> None:
    with pytest.raises(Forbidden, match="own token"):
        predict(Actor.system(), hypothesis, low=1, likely=2, high=3)


def test_a_stranger_finds_nothing_to_answer(charlie: Any, hypothesis: Any) -> None:
    with pytest.raises(NotFound):
        predict(actor_of_user(charlie), hypothesis, low=1, likely=2, high=3)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [((3, 2, 1), "rises"), ((1, 1, 2), "rises"), ((float("nan"), 1, 2), "three numbers"), ((0, 1, 1e5), "slip")],
)
def test_numbers_that_say_nothing_are_refused(
    actor: Any, hypothesis: Any, numbers: tuple[float, float, float], words: str
) -> None:
    low, likely, high = numbers
    with pytest.raises(Invalid, match=words):
        predict(actor, hypothesis, low=low, likely=likely, high=high)
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("body", [{}, {"low": "a", "likely": 1, "high": 2}, {"low": 1, "likely": 2}, {"low": None}])
def test_the_api_says_what_is_missing(api: Any, hypothesis: Any, body: dict[str, Any]) -> None:
    assert api.post(PATH, body).status in (400, 422)
    assert api.get("/products/sprout/hypotheses/HYP-9/predictions").status == 404
    assert api.get("/products/sprout/hypotheses/SOL-1/predictions").status == 404


def test_two_of_one_role_are_told_apart_by_number_and_not_in_the_order_they_came(
    actor: Any, bobs: Any, viewer: Any, product: Any, hypothesis: Any
) -> None:
    from whytree.workspace.models import Membership

    Membership.objects.update(discipline="design", role="member")
    predict(actor_of_user(viewer), hypothesis, low=5, likely=6, high=7)
    predict(bobs, hypothesis, low=0, likely=1, high=2)
    predict(actor, hypothesis, low=2, likely=3, high=4)
    said = table_of(actor, hypothesis).said[1:]
    assert [(one.who, one.likely) for one in said] == [("design 1", 1), ("design 2", 3), ("design 3", 6)]
    assert not {"Alice", "Bob", "Vera"} & set(json.dumps([one.who for one in said]).split('"'))


def test_who_left_keeps_their_prediction_without_a_name(actor: Any, bob: Any, hypothesis: Any) -> None:
    predict(actor_of_user(bob), hypothesis, low=0, likely=1, high=2)
    predict(actor, hypothesis, low=2, likely=3, high=4)
    bob.delete()
    assert [one.who for one in table_of(actor, hypothesis).said] == ["the hypothesis", "engineering", "design"]


@pytest.mark.usefixtures("hypothesis")
def test_the_page_asks_without_showing_the_hypothesis_own_numbers(as_bob: Any) -> None:
    page = as_bob.get("/p/sprout/HYP-1/predict").content.decode()
    assert "What do you expect it to do?" in page
    assert "activated_7d" in page
    for own in ("+1 to +9", 'value="4"', "most likely +4"):
        assert own not in page
    refused = as_bob.post("/p/sprout/HYP-1/predict", {"low": "2,5", "likely": "x", "high": "9"})
    assert (refused.status_code, "“x” is no number" in refused.content.decode()) == (400, True)
    assert 'value="2,5"' in refused.content.decode()
    said = as_bob.post("/p/sprout/HYP-1/predict", {"low": "−2,5", "likely": "1", "high": "9"})
    assert (said.status_code, said.headers["Location"]) == (302, "/p/sprout/SOL-1#expected")
    assert Prediction.objects.get().low == -2.5
    assert "Nobody else has said yet" in as_bob.get("/p/sprout/SOL-1").content.decode()


@pytest.mark.usefixtures("hypothesis")
def test_who_wrote_the_hypothesis_types_nothing_twice(as_alice: Any) -> None:
    page = as_alice.get("/p/sprout/HYP-1/predict").content.decode()
    assert all(f'value="{number}"' in page for number in ("1", "4", "9"))


def test_a_viewer_and_charlie_have_no_page_to_answer_on(hypothesis: Any, as_viewer: Any, as_charlie: Any) -> None:
    assert as_viewer.get("/p/sprout/HYP-1/predict").status_code == 403
    assert as_charlie.get("/p/sprout/HYP-1/predict").status_code == 404


def test_today_asks_whoever_has_not_answered(
    actor: Any, api_bob: Any, as_alice: Any, as_bob: Any, as_viewer: Any, solution: Any, hypothesis: Any
) -> None:
    from whytree.tree.services import set_state

    asks = "what do you expect?"
    assert asks not in as_bob.get("/p/sprout/today").content.decode(), "an idea asks nobody yet"
    set_state(actor, solution, "building")
    assert asks in as_bob.get("/p/sprout/today").content.decode()
    assert asks not in as_alice.get("/p/sprout/today").content.decode(), "she wrote it"
    assert asks not in as_viewer.get("/p/sprout/today").content.decode()
    api_bob.post(PATH, THEIRS)
    assert asks not in as_bob.get("/p/sprout/today").content.decode()


def test_the_command_line_asks_and_tells(invoke: Any, api_bob: Any, hypothesis: Any) -> None:
    api_bob.post(PATH, THEIRS)
    blind = invoke("hypothesis", "predictions", "HYP-1")
    assert "One colleague has said" in blind
    assert "+6" not in blind
    said = invoke("hypothesis", "predict", "HYP-1", "--low", "-2", "--likely", "0", "--high", "2")
    assert "design" in said
    assert "(yours)" in said
    assert json.loads(invoke("hypothesis", "predictions", "HYP-1", "--json"))["answers"] == 2


def test_each_prediction_is_scored_once_it_was_measured(
    api: Any, actor: Any, bobs: Any, viewer: Any, as_alice: Any, request: Any, hypothesis: Any
) -> None:
    predict(bobs, hypothesis, low=4, likely=8, high=12)
    predict(actor, hypothesis, low=-3, likely=-2, high=-1)
    live_through: Callable[[World], None] = request.getfixturevalue("live_through")
    live_through(World(people=2_500, effect=0.08))
    OutcomeReview.objects.get()
    own, mine, theirs = api.get(PATH).ok["said"]
    assert own["score"] is not None
    assert (theirs["score"]["held"], theirs["score"]["direction"]) == (True, "right")
    assert (mine["score"]["held"], mine["score"]["inside"], mine["score"]["direction"]) == (False, False, "wrong")
    assert mine["score"]["crps"] > theirs["score"]["crps"] > 0
    assert mine["score"]["interval_score"] > theirs["score"]["interval_score"]
    assert theirs["score"]["crps"] < theirs["score"]["nothing"] < mine["score"]["crps"]
    assert "outside" in as_alice.get("/p/sprout/REV-1").content.decode()
    assert "wrong way" in as_alice.get("/p/sprout/SOL-1").content.decode()
    assert long_ago(1) < OutcomeReview.objects.get().due_at


def test_changing_the_question_and_changing_it_back_is_no_way_to_answer_twice(
    actor: Any, bobs: Actor, hypothesis: Any
) -> None:
    predict(bobs, hypothesis, **THEIRS)
    predict(actor, hypothesis, **MINE)
    was = hypothesis.who
    edit_hypothesis(actor, hypothesis, who="somebody else")
    predict(actor, hypothesis, **MINE)
    edit_hypothesis(actor, hypothesis, who=was)
    with pytest.raises(Conflict, match="yours stands"):
        predict(actor, hypothesis, **THEIRS)
    assert Prediction.objects.get(user_id=actor.user_id).likely == 0


def test_who_has_seen_the_others_moves_the_hypothesis_own_numbers_no_more(
    api: Any, actor: Any, bobs: Actor, hypothesis: Any
) -> None:
    """They are scored as said blind: refused, logged, and no way around by the question or by undo."""
    predict(actor, hypothesis, **MINE)
    early = edit_hypothesis(actor, hypothesis, forecast_likely=5)
    edited = Activity.objects.get(verb="edit_hypothesis")
    predict(bobs, hypothesis, **THEIRS)
    assert api.post(f"/products/sprout/activity/{edited.pk}/undo").status == 409
    refused = api.patch("/products/sprout/hypotheses/HYP-1", {"forecast_likely": 6})
    assert (refused.status, "seen what others expect" in json.dumps(refused.body)) == (409, True)
    assert Activity.objects.filter(verb="refused_forecast").count() == 1
    with pytest.raises(Conflict, match="seen what others"):
        edit_hypothesis(actor, early, who="somebody else", forecast_low=0.1)
    edit_hypothesis(actor, early, who="somebody else")
    with pytest.raises(Conflict, match="seen what others"):
        edit_hypothesis(actor, early, forecast_low=0.1)
    early.refresh_from_db()
    assert (early.forecast_low, early.forecast_likely) == (1.0, 5.0)
    assert edit_hypothesis(actor, early, title="Another name, same numbers", forecast_likely=5).title.startswith(
        "Another"
    )
