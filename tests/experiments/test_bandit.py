"""Sharing people out by chance of being best: labelled, and kept away from whatever wants to learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.experiments.world import World, happenings, long_ago, write
from whytree.analytics.models import Metric
from whytree.errors import Conflict
from whytree.experiments.deeper.sharing import share_out
from whytree.experiments.jobs import share_out_all
from whytree.experiments.models import Bandit
from whytree.flags.models import Flag, FlagSettings
from whytree.flags.services import archive_flag, create_flag, open_flag, set_rollout, turn_off
from whytree.workspace.background.jobs import run_next
from whytree.workspace.models import Activity

PATH = "/products/sprout/flags/ask_later/allocation"


@pytest.fixture
def served(actor: Any, product: Any, flag: Any, store: Any) -> None:
    open_flag(actor, product, flag.key, weights={"on": 1, "off": 1}, at=long_ago(40))
    write(store, product, happenings(World(people=3_000, days=26, effect=0.08)))


@pytest.mark.usefixtures("served")
def test_the_better_arm_gets_more_and_the_other_keeps_some(
    api: Any, api_viewer: Any, api_charlie: Any, as_alice: Any, flag: Any
) -> None:
    found = api_viewer.get(f"{PATH}?metric=activated").ok
    shares = {one["arm"]: one["share"] for one in found["arms"]}
    assert shares["on"] == pytest.approx(0.95, abs=0.01)
    assert shares["off"] == pytest.approx(0.05, abs=0.01)
    assert found["warning"].startswith("Not for inference")
    page = as_alice.get("/p/sprout/experiments/bandit?flag=ask_later&metric=activated").content.decode()
    assert "Not for inference" in page
    assert "95 %" in page
    assert (
        api_viewer.post(PATH, {"metric": "activated"}).status,
        api_charlie.get(f"{PATH}?metric=activated").status,
    ) == (403, 404)
    assert api.post(PATH, {"metric": "activated"}).status == 200
    flag.refresh_from_db()
    assert flag.weights["on"] > 900


@pytest.mark.usefixtures("served")
def test_it_is_refused_where_something_is_to_be_learned(
    ran: Callable[..., Any], api: Any, as_alice: Any, flag: Any
) -> None:
    ran(12)
    refused = api.post(PATH, {"metric": "activated"})
    assert (refused.status, "EXP-1 runs on" in str(refused.body)) == (409, True)
    sent = as_alice.post("/p/sprout/experiments/bandit", {"flag": "ask_later", "metric": "activated"})
    assert sent.status_code == 409
    looked = as_alice.get("/p/sprout/experiments/bandit?flag=ask_later&metric=activated")
    assert (looked.status_code, "Apply these shares" in looked.content.decode()) == (409, False)
    assert api.get(f"{PATH}?metric=activated").status == 409  # not even looked at: the experiment is not read early


@pytest.mark.usefixtures("served")
def test_it_goes_by_shares_of_people(api: Any) -> None:
    assert api.get(f"{PATH}?metric=orders").status == 400
    assert api.get(f"{PATH}?metric=nothing").status == 404


def test_before_enough_people_the_shares_stay(actor: Any, product: Any, flag: Any, store: Any, api: Any) -> None:
    open_flag(actor, product, flag.key, weights={"on": 1, "off": 3}, at=long_ago(40))
    found = api.post(PATH, {"metric": "activated"}).body
    assert "so the shares stay" in found["reason"]
    flag.refresh_from_db()
    assert flag.weights == {"on": 1, "off": 3}


@pytest.fixture
def plain(actor: Any, product: Any, metrics: None, store: Any) -> Flag:
    """A flag that tests nothing, with an arm that is better."""
    made = create_flag(actor, product, key="greeting", at=long_ago(50))
    open_flag(actor, product, "greeting", weights={"on": 1, "off": 1}, at=long_ago(40))
    write(store, product, happenings(World(people=3_000, days=26, effect=0.08), "greeting"))
    return made


DAILY = "/products/sprout/flags/greeting/allocation"


def weights() -> dict[str, int]:
    return dict(Flag.objects.get(key="greeting").weights)


def test_every_day_the_weights_follow_until_it_is_ended(
    plain: Flag, api: Any, api_viewer: Any, api_charlie: Any, as_alice: Any, cli: Any
) -> None:
    assert api_viewer.post(DAILY, {"metric": "activated", "daily": True}).status == 403
    assert api.post(DAILY, {"metric": "activated", "daily": True}).status == 200
    first = weights()
    assert first["on"] > 900
    Bandit.objects.update(weights={"on": 1, "off": 1})
    Flag.objects.update(weights={"on": 1, "off": 1})
    share_out_all({})
    while run_next("test"):
        pass
    assert weights() == first
    share_out(Bandit.objects.get())
    assert Activity.objects.filter(verb="allocate_flag").count() == 2, "weights that stay begin no new period"
    (told,) = api_viewer.get("/products/sprout/allocations").ok
    assert told["says"].startswith("Earned so far: on 95 %, off 5 %")
    assert "End it" in as_alice.get("/p/sprout/experiments/bandit").content.decode()
    for refused in (
        api.post(DAILY, {"metric": "activated", "daily": True}),
        api.post(DAILY, {"metric": "activated"}),
        api.post("/products/sprout/flags/greeting/guarded-rollout", {"guardrails": [RAIL]}),
    ):
        assert (refused.status, "shares its people out by results every day" in refused.body["message"]) == (409, True)
    assert api_charlie.delete(DAILY).status == 404
    assert "keeps its weights" in cli("flag", "allocate", "greeting", "--end")
    assert api.delete(DAILY).status == 404
    assert api.post("/products/sprout/flags/greeting/guarded-rollout", {"guardrails": [RAIL]}).status == 201


RAIL = {"metric_key": "spam", "direction": "up", "margin": 1}


def test_an_experiment_does_not_start_while_shares_follow_the_results(
    plain: Flag, api: Any, actor: Any, product: Any
) -> None:
    from whytree.experiments.services import create_experiment, start_experiment

    plan = {"metrics": [{"key": "activated", "role": "primary"}], "days": 14, "weights": {"on": 1, "off": 1}}
    planned = create_experiment(actor, product, flag=plain, plan=plan)
    api.post(DAILY, {"metric": "activated", "daily": True})
    with pytest.raises(Conflict, match="every day"):
        start_experiment(actor, planned)


def test_what_tests_something_or_waits_for_approval_is_never_shared_out_daily(
    plain: Flag, flag: Flag, api: Any, product: Any, actor: Any
) -> None:
    answer = api.post(PATH, {"metric": "activated", "daily": True})
    assert (answer.status, "tests HYP-1" in answer.body["message"]) == (409, True)
    api.post(DAILY, {"metric": "activated", "daily": True})
    FlagSettings.objects.create(product=product, needs_approval=True)
    ended = share_out(Bandit.objects.get())
    assert "approval of another maintainer" in ended.end_reason
    assert "approval of another maintainer" in api.post(DAILY, {"metric": "activated", "daily": True}).body["message"]


@pytest.mark.parametrize(
    ("act", "ends"),
    [
        (lambda actor, product: set_rollout(actor, product, "greeting", weights={"on": 1, "off": 2}), "by hand"),
        (lambda actor, product: archive_flag(actor, product, "greeting"), "was archived"),
        (lambda actor, product: Metric.objects.filter(key="activated").delete(), "no metric"),
        (lambda actor, product: turn_off(actor, product, "greeting"), ""),
    ],
)
def test_what_a_person_does_to_it_holds(
    plain: Flag, api: Any, actor: Any, product: Any, act: Callable[..., Any], ends: str
) -> None:
    api.post(DAILY, {"metric": "activated", "daily": True})
    act(actor, product)
    before = weights()
    found = share_out(Bandit.objects.get())
    assert weights() == before
    assert (ends in found.end_reason) if ends else (found.ended_at is None and "is off" in found.says)
