"""Whether ranges hold as often as they say: told from enough results on, grouped, and nobody named."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.learning.calibration.queries import calibration, sentence
from whytree.learning.models import OutcomeReview, Prediction
from whytree.learning.predictions.services import predict
from whytree.learning.reviews.results import Figure, Forecast, Result, as_json
from whytree.learning.services import lock_prediction
from whytree.tree.services import create_hypothesis, create_solution, link_evidence
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Membership, User

PATH = "/products/sprout/calibration"


def settle(
    actor: Any,
    solution: Any,
    measured: float,
    *,
    metric: str = "activated_7d",
    said: Sequence[tuple[Any, float]] = (),
    error: float = 0.5,
) -> OutcomeReview:
    """A prediction of 1 to 9, most likely 4, and what was measured; `said`: what others expected, give or take 2."""
    numbers = {"forecast_low": 1.0, "forecast_likely": 4.0, "forecast_high": 9.0}
    hypothesis = create_hypothesis(actor, solution, change="Ask later", metric_key=metric, **numbers)
    for who, likely in said:
        predict(who, hypothesis, low=likely - 2, likely=likely, high=likely + 2)
    review = lock_prediction(actor, hypothesis, at=timezone.now() - timedelta(days=40))
    figure = Figure(value=measured, low=measured - 1.96 * error, high=measured + 1.96 * error, n=900, method="test")
    forecast = Forecast(low=1, likely=4, high=9, unit="pp", measured=figure, holds=1 <= measured <= 9)
    result = Result(
        state="measured",
        as_of=timezone.now(),
        opened_at=review.opened_at,
        due_at=review.due_at,
        flag_key="",
        forecast=forecast,
    )
    review.filled, review.filled_at = as_json(result), timezone.now()
    review.save()
    return review


@pytest.fixture
def team(product: Any) -> list[Any]:
    """Four who write: three designers, one of sales."""
    made = []
    for number, role in enumerate(("design", "design", "design", "sales")):
        user = User.objects.create_user(f"p{number}@example.org", "correct horse battery", f"Person {number}")
        Membership.objects.create(user=user, product=product, role="member", discipline=role)
        made.append(actor_of_user(user))
    return made


def test_nothing_measured_says_what_it_needs(api: Any, as_alice: Any) -> None:
    found = api.get(PATH).ok
    assert (found["all"], found["text"]) == (None, "No prediction has met its result yet.")
    page = as_alice.get("/p/sprout/calibration").content.decode()
    assert "Calibration needs predictions that met their result" in page


def test_too_few_say_so_and_show_no_share(actor: Any, solution: Any, api: Any, as_alice: Any) -> None:
    for measured in (3, 5, 30):
        settle(actor, solution, measured)
    found = api.get(PATH).ok
    assert found["text"].startswith("2 of 3 ranges held so far, over 3 results: too few")
    assert found["by_metric"][0]["share"] is None
    page = as_alice.get("/p/sprout/calibration").content.decode()
    assert "From 5 results on" in page
    assert "By metric" not in page
    assert "<svg" not in page.split("<main", 1)[-1]


def test_enough_of_them_are_a_share_with_its_interval(actor: Any, product: Any, solution: Any) -> None:
    for measured in (3, 5, 4, 6, 30):
        settle(actor, solution, measured)
    found = calibration(product)
    assert found.all is not None
    assert (found.all.value, found.all.results, found.all.n) == (0.8, 5, 5)
    assert found.all.low < 0.4 < 0.95 < found.all.high
    assert "compatible with the eight of ten" in sentence(found)
    assert found.curve == ()


def test_surprise_after_surprise_is_called_too_narrow(actor: Any, product: Any, solution: Any, as_alice: Any) -> None:
    for measured in (30, -20, 25, 40, -9, 5, 31, 22, -7, 19):
        settle(actor, solution, measured)
    found = calibration(product)
    assert "too narrow" in sentence(found)
    assert len(found.curve) == 5
    assert (found.right, found.wrong) == (7, 3)
    page = as_alice.get("/p/sprout/calibration").content.decode()
    assert 'aria-label="Share of ranges that held, against the share they were meant to hold"' in page


def test_ranges_that_always_hold_are_called_too_wide(actor: Any, product: Any, solution: Any) -> None:
    for _ in range(20):
        settle(actor, solution, 4.2)
    assert "wider than they need be" in sentence(calibration(product))


def test_a_range_missed_by_less_than_the_measurements_error_held(actor: Any, product: Any, solution: Any) -> None:
    settle(actor, solution, 0.7, error=2.0)
    found = calibration(product)
    assert found.all is not None
    assert found.all.held == 1


def test_several_people_on_one_result_count_as_one_result(
    actor: Any, product: Any, solution: Any, team: list[Any]
) -> None:
    for measured in (3, 4, 5, 4, 30):
        settle(actor, solution, measured, said=[(who, 4) for who in team])
    found = calibration(product)
    assert found.all is not None
    assert found.people is not None
    assert (found.n, found.results, found.people.n, found.people.results) == (25, 5, 20, 5)
    assert found.people.low < 0.5, "twenty forecasts of five results are five results"


def test_a_role_is_shown_from_three_people_on_and_nobody_is_named(
    actor: Any, product: Any, solution: Any, team: list[Any], api: Any
) -> None:
    for measured in (3, 4, 5, 4, 30):
        settle(actor, solution, measured, said=[(who, 4) for who in team])
    roles = {group.name: group for group in calibration(product).by_role}
    assert roles["Design"].share is not None
    assert (roles["Sales"].share, roles["Sales"].text) == (None, "under 3 people: that would be somebody")
    told = json.dumps(api.get(PATH).ok)
    assert "Person" not in told
    assert '"person"' not in told


def test_who_left_does_not_make_a_role_larger(
    actor: Any, product: Any, solution: Any, team: list[Any], django_user_model: Any
) -> None:
    for measured in (3, 4, 5, 4, 30):
        settle(actor, solution, measured, said=[(who, 4) for who in team])
    django_user_model.objects.filter(pk__in=[team[0].user_id, team[1].user_id]).delete()
    assert {group.name: group.share for group in calibration(product).by_role}["Design"] is None


def test_groups_come_by_size_and_never_by_how_good_they_were(
    actor: Any, product: Any, opportunity_of: Any, solution: Any
) -> None:
    for measured in (30, 30, 30, 30, 30, 30):
        settle(actor, solution, measured, metric="bad_but_many")
    for measured in (4, 4, 4, 4, 4):
        settle(actor, opportunity_of("Codes come late"), measured, metric="good")
    found = calibration(product)
    assert [group.name for group in found.by_metric] == ["bad_but_many", "good"]
    assert [group.name for group in found.by_topic][1] == "Codes come late"


@pytest.fixture
def opportunity_of(actor: Any, product: Any) -> Any:
    from whytree.tree.services import create_opportunity

    made: dict[str, Any] = {}

    def solution_for(title: str) -> Any:
        opportunity = made.get(title) or made.setdefault(title, create_opportunity(actor, product, title=title))
        return create_solution(actor, product, opportunity=opportunity, title="One way")

    return solution_for


def test_evidence_is_counted_as_it_stood_at_the_lock(actor: Any, product: Any, solution: Any) -> None:
    settle(actor, solution, 4)
    assert [group.name for group in calibration(product).by_evidence] == ["none"]
    link_evidence(
        actor, product, solution, evidence_type="launch_data", source_kind="review", source_id="REV-1", statement="x"
    )
    assert [group.name for group in calibration(product).by_evidence] == ["none"], "what it taught came later"
    settle(actor, solution, 4)
    assert {group.name for group in calibration(product).by_evidence} == {"none", "moderate"}


def test_an_answer_to_an_earlier_question_is_not_judged(
    actor: Any, product: Any, solution: Any, team: list[Any]
) -> None:
    settle(actor, solution, 4, said=[(team[0], 4)])
    assert calibration(product).n == 2
    Prediction.objects.update(question_hash="0" * 64)
    assert calibration(product).n == 1


def test_a_forecast_that_cannot_be_held_against_it_is_left_out(actor: Any, product: Any, solution: Any) -> None:
    review = settle(actor, solution, 4)
    review.filled["forecast"]["measured"] = None
    review.save()
    assert calibration(product).all is None


def test_strangers_see_none_of_it(as_charlie: Any, api_charlie: Any, product: Any, api_viewer: Any) -> None:
    assert as_charlie.get("/p/sprout/calibration").status_code == 404
    assert api_charlie.get(PATH).status == 404
    assert api_viewer.get(PATH).status == 200


def test_the_command_line_tells_the_same(actor: Any, solution: Any, invoke: Any) -> None:
    for measured in (3, 4, 5, 4, 30):
        settle(actor, solution, measured)
    told = invoke("calibration")
    assert told.startswith("80 % of our ranges held, over 5 results.")
    assert "activated_7d" in told
    assert json.loads(invoke("calibration", "--json"))["all"]["held"] == 4
