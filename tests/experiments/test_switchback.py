"""A switchback from plan to verdict: everybody gets the arm of the period, and periods are what is compared."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from tests.experiments.world import event, exposure, long_ago, write
from whytree.engines.flags import Context
from whytree.engines.stats.blocks import (
    BlocksOutline,
    compare_within_blocks,
    deviation_under_the_draw,
    power_of_blocks,
    smallest_of_blocks,
)
from whytree.engines.stats.effects import Effect
from whytree.engines.stats.sequential import AlwaysValid, always_valid
from whytree.errors import Conflict, Invalid
from whytree.experiments.judgement.results import Interval
from whytree.experiments.services import create_experiment, edit_experiment, start_experiment, stop_experiment
from whytree.experiments.switchbacks.schedule import Schedule, schedule_of
from whytree.experiments.verdict.deciding import decide_experiment
from whytree.experiments.verdict.reading import read
from whytree.flags.evaluation.asking import evaluator_of
from whytree.flags.models import Flag
from whytree.flags.services import set_rules, turn_off, turn_on

DAYS = 28
PLAN = {
    "days": DAYS,
    "weights": {"off": 1, "on": 1},
    "switchback": {"minutes": 360, "washout": 60, "by": "city"},
    "metrics": [
        {"key": "spam", "role": "primary"},
        {"key": "orders"},
    ],
}
CITIES = {"berlin": 0.2, "riga": 0.5}


@pytest.fixture
def switching(actor: Any, product: Any, metrics: None) -> Callable[..., Any]:
    """EXP-1 on a flag of its own, started so many days ago."""
    from whytree.flags.services import create_flag

    def start(ago: float = DAYS + 1.5, **plan: Any) -> Any:
        flag = create_flag(actor, product, key="pricing", at=long_ago(50))
        made = create_experiment(actor, product, flag=flag, plan=PLAN | plan)
        return start_experiment(actor, made, at=long_ago(ago))

    return start


def schedule(experiment: Any) -> Schedule:
    found = schedule_of(experiment)
    assert found is not None
    return found


def lives(experiment: Any, *, effect: float = 0.2, lingers: bool = False, people: int = 15) -> list[dict[str, Any]]:
    """People ask the flag's own evaluator for each visit, and act by hour, day, city and arm; the arm before may linger for
    the first hour.
    """
    rng, rows, person = random.Random(5), [], 0
    plan, evaluator = schedule(experiment), evaluator_of(Flag.objects.get(pk=experiment.flag_id))
    moods = [rng.uniform(-0.1, 0.1) for _ in range(DAYS + 2)]
    for period in range(plan.first, plan.end):
        begins = plan.switching.begins(period)
        for city, share in CITIES.items():
            for _ in range(people):
                person += 1
                at = datetime.fromtimestamp(
                    begins + rng.uniform(0, plan.switching.seconds - 60), tz=timezone.now().tzinfo
                )
                known = Context({"city": city}, at.timestamp())
                arm = evaluator.evaluate(str(person), known).variant
                early = at.timestamp() < begins + 3_600
                before = evaluator.evaluate(str(person), Context({"city": city}, begins - 1)).variant
                felt = before if lingers and early and period > plan.first else arm
                chance = share + moods[period // 4] + 0.05 * (period % 4) + (effect if felt == "on" else 0.0)
                met = exposure(person, arm, at, "pricing")
                rows.append(met | {"properties": met["properties"] | {"city": city}})
                if rng.random() < chance:
                    rows.append(event(person, "spammed", at + timedelta(seconds=30)))
                rows.extend(event(person, "ordered", at + timedelta(seconds=40)) for _ in range(period % 3))
    return rows


def is_near(known: float, found: Interval) -> bool:
    """Within four standard errors. The draw follows from the clock, so the interval itself would miss once in twenty days."""
    return abs(found.value - known) < (found.high - found.low)


def test_it_finds_the_known_effect_of_periods(store: Any, product: Any, switching: Callable[..., Any]) -> None:
    made = switching()
    write(store, product, lives(made))
    found = read(made, timezone.now())
    decides, orders = found.analysis.metrics
    (effect,) = decides.comparisons
    assert effect.difference is not None
    assert effect.difference.method == "blocks of periods drawn"
    assert is_near(0.2, effect.difference)
    assert effect.difference.low > 0.05
    assert effect.standing == "worse", "less spam is better"
    assert (effect.n_control, effect.n_treatment) == (112, 112), "28 days of four periods in two cities"
    assert found.seen == {"off": 112, "on": 112}
    assert found.regions == ["berlin", "riga"]
    assert orders.comparisons[0].standing == "no answer yet"
    assert found.analysis.trust == "ok", [check for check in found.analysis.health if check.standing != "ok"]
    told = {check.name: check.sentence for check in found.analysis.health}
    assert told["arm of the period"] == "Everybody met it."
    assert told["blocks"] == "112 of 112 blocks that are over count."
    assert "differ as much as on" in told["drawn again"]


def test_the_first_hour_counts_for_nobody(store: Any, product: Any, switching: Callable[..., Any]) -> None:
    """What the arm before left behind is in the washout, so the whole effect is found."""
    made = switching()
    write(store, product, lives(made, lingers=True, people=25))
    assert set(store.query("SELECT uniqExact(person) AS people FROM events")[0].values()) == {112 * 2 * 25}
    (effect,) = read(made, timezone.now()).analysis.metrics[0].comparisons
    assert effect.difference is not None
    assert is_near(0.2, effect.difference)


def test_whoever_met_another_arm_is_left_out_and_blocks_that_did_not_run_too(
    store: Any, product: Any, actor: Any, switching: Callable[..., Any]
) -> None:
    made = switching()
    plan = schedule(made)
    rows = lives(made, people=4)
    other = {"on": "off", "off": "on"}
    stale = [one for one in rows if one["event"] == "$exposure"][:60]
    for row in stale:
        row["properties"]["variant"] = other[row["properties"]["variant"]]
    write(store, product, rows)
    gone = datetime.fromtimestamp(plan.switching.begins(plan.first + 8) + 60, tz=timezone.now().tzinfo)
    turn_off(actor, product, "pricing", at=gone)
    turn_on(actor, product, "pricing", at=gone + timedelta(hours=7))
    found = read(made, timezone.now())
    told = {check.name: check for check in found.analysis.health}
    assert told["arm of the period"].standing == "broken"
    assert "Does a client keep flags for longer" in told["arm of the period"].sentence
    assert told["blocks"].standing == "look"
    assert "In 4 the flag was off" in told["blocks"].sentence, "two periods, in two cities"
    assert found.proposal is not None
    assert found.proposal.advice == "wait"


def test_few_blocks_are_told_by_the_draw_alone(store: Any, product: Any, switching: Callable[..., Any]) -> None:
    made = switching(switchback={"minutes": 2 * 1_440})
    write(store, product, lives(made, people=4))
    found = read(made, timezone.now())
    (effect,) = found.analysis.metrics[0].comparisons
    assert effect.difference is None
    assert "7 whole blocks of periods: 10 are the least" in effect.reason
    told = {check.name: check.sentence for check in found.analysis.health}
    assert "differ as much as on" in told["drawn again"], "for so few the exact test is all there is"


def test_a_switchback_that_cannot_be_is_refused_with_what_to_do(
    actor: Any, product: Any, switching: Callable[..., Any], metrics: None
) -> None:
    from whytree.analytics.services import create_metric

    for said, words in (
        ({"switchback": {"minutes": 50}}, "an hour to a week long"),
        ({"switchback": {"minutes": 420}}, "a whole part of a day"),
        ({"switchback": {"minutes": 60, "washout": 31}}, "half of a period"),
        ({"days": 21}, "Run it 20 or 22 days"),
        ({"weights": {"off": 99, "on": 1}}, "12 are the most"),
        ({"metrics": [{"key": "orders", "role": "primary", "days_before": 7}]}, "Leave the days before out"),
    ):
        with pytest.raises(Invalid, match=words):
            switching(**said)
        Flag.objects.all().delete()
    retained = {
        "version": 1,
        "kind": "time_to",
        "from": "met",
        "to": "planted",
        "within_days": 7,
        "percentile": 50,
        "in": "hours",
    }
    create_metric(actor, product, key="planted_in", name="Planted in", definition=retained)
    with pytest.raises(Invalid, match="what each period comes to by itself"):
        switching(metrics=[{"key": "planted_in", "role": "primary"}])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"is_sticky": True}, "is sticky"),
        ({"unit": "company"}, "is given by company"),
        ({"targeting": {"fractional": [["on", 1], ["off", 1]]}}, "draws people itself"),
    ],
)
def test_a_flag_that_gives_an_arm_for_longer_is_refused(
    actor: Any, product: Any, metrics: None, rule: dict[str, Any], words: str
) -> None:
    from whytree.flags.services import create_flag

    flag = create_flag(actor, product, key="pricing")
    flag = set_rules(actor, product, "pricing", **rule)
    with pytest.raises(Conflict, match=words):
        create_experiment(actor, product, flag=flag, plan=PLAN)


@pytest.mark.parametrize("ending", ["stay", "iterate", "stop"])
def test_its_end_ends_the_switching(
    store: Any, actor: Any, product: Any, switching: Callable[..., Any], ending: str
) -> None:
    """Also of what is tried again: nobody is switched back and forth for nothing."""
    made = switching(20 if ending == "stop" else DAYS + 1.5)
    write(store, product, lives(made, people=4))
    flag = Flag.objects.get(pk=made.flag_id)
    assert flag.switches is not None
    assert flag.switches == made.design.switchback
    if ending == "stop":
        stop_experiment(actor, made, reason="It annoys.")
    else:
        decide_experiment(actor, made, decision=ending, learning="It annoys.")
    flag.refresh_from_db()
    assert (flag.switching, flag.is_on) == (None, False)


def test_plan_schedule_and_result_are_at_every_door(
    store: Any, product: Any, metrics: None, actor: Any, api: Any, as_alice: Any, cli: Callable[..., str]
) -> None:
    from whytree.flags.services import create_flag

    create_flag(actor, product, key="pricing")
    words = ("--flag", "pricing", "--primary", "spam", "--weights", "off=1,on=1", "--days", "14")
    told = cli("experiment", "create", *words, "--switchback", "2h", "--washout", "20m", "--by", "city")
    assert "switches every 2 hours in each city" in told
    page = as_alice.get("/p/sprout/experiments/EXP-1").content.decode()
    assert "168 periods, every 2 hours, in 84 blocks in each city" in page
    cli("experiment", "start", "EXP-1")
    found = api.get("/products/sprout/experiments/EXP-1").ok
    assert found["plan"]["switchback"]["minutes"] == 120
    assert len(found["schedule"]) == 12
    assert found["schedule"][0]["counts_from"] > found["schedule"][0]["begins_at"]
    page = as_alice.get("/p/sprout/experiments/EXP-1").content.decode()
    assert "In force now, and next" in page
    assert "The first period begins" in page
    assert "every 2 hours, each city apart; the first 20 minutes count for nobody" in page
    assert " UTC  o" in cli("experiment", "show", "EXP-1")
    flag_page = as_alice.get("/p/sprout/flags/pricing").content.decode()
    assert "It switches every 2 hours" in flag_page
    sent = {"flag": "pricing", "every": "360", "washout": "", "by": "", "metric": "spam", "days": "10"}
    asked = as_alice.get("/p/sprout/experiments/new", sent).content.decode()
    assert "40 periods, every 6 hours" in asked
    assert "half of a period" in as_alice.get("/p/sprout/experiments/new", sent | {"washout": "200"}).content.decode()
    answer = as_alice.post("/p/sprout/experiments/new", sent)
    assert answer.status_code == 302
    assert api.get("/products/sprout/experiments/EXP-2").ok["plan"]["switchback"]["minutes"] == 360


def test_a_plan_can_draw_people_again(actor: Any, product: Any, metrics: None) -> None:
    from whytree.flags.services import create_flag

    flag = create_flag(actor, product, key="pricing")
    made = create_experiment(actor, product, flag=flag, plan=PLAN)
    assert made.design.unit == "period"
    edited = edit_experiment(actor, made, plan={"switchback": {}})
    assert edited.design.unit == "person"
    assert edited.design.switchback is None


def test_a_prediction_is_reviewed_by_the_periods(store: Any, product: Any, actor: Any, planned: Any, api: Any) -> None:
    """EXP-1 of the hypothesis, whose metric decides; the prediction locks with the start, and one decision settles both."""
    from whytree.learning.models import OutcomeReview

    edit_experiment(actor, planned, plan={"days": DAYS, "switchback": {"minutes": 360, "by": "city"}})
    made = start_experiment(actor, planned, at=long_ago(DAYS + 1.5))
    made.hypothesis.refresh_from_db()
    assert made.hypothesis.locked_at is not None
    rows = lives(made, people=6)
    for row in rows:
        row["event"] = "planted" if row["event"] == "spammed" else row["event"]
        if row["event"] == "$exposure":
            row["properties"]["flag"] = "ask_later"
    write(store, product, rows)
    body = {"decision": "ship", "learning": "It does.", "verdict": "achieved", "despite": "Nobody spams here."}
    assert api.post("/products/sprout/experiments/EXP-1/decide", body).ok["shipped"] == "on"
    review = OutcomeReview.objects.get()
    assert review.verdict == "achieved"
    assert review.filled["state"] == "measured"
    assert review.filled["contrast"]["treatment"]["n"] == 112, "periods"


def test_another_maintainers_approval_is_asked_for(actor: Any, bob: Any, product: Any, metrics: None, api: Any) -> None:
    from whytree.flags.services import approve_change, create_flag, set_approvals
    from whytree.workspace.models import Membership
    from whytree.workspace.rights.actors import Actor
    from whytree.workspace.rights.roles import Role

    Membership.objects.filter(user=bob, product=product).update(role=Role.MAINTAINER)
    flag = create_flag(actor, product, key="pricing")
    made = create_experiment(actor, product, flag=flag, plan=PLAN)
    set_approvals(actor, product, needed=True)
    held = api.post("/products/sprout/experiments/EXP-1/start")
    assert held.status == 409
    assert "that is asked for now" in str(held.body)
    (request,) = flag.requests.all()
    approve_change(Actor(bob.pk, "Bob", "page"), product, request.pk)
    flag.refresh_from_db()
    assert flag.is_on
    assert flag.switches is not None
    made.refresh_from_db()
    assert api.post("/products/sprout/experiments/EXP-1/start").ok["state"] == "running"
    made.refresh_from_db()
    assert made.design.switchback == flag.switches
    assert schedule(made).starts_at >= made.started_at
    assert made.ends_at == schedule(made).ends_at


# --- what it could show, before it starts ---------------------------------------------------------------------------


@pytest.mark.parametrize(("places", "sizes", "always"), [(2, (1, 1), False), (3, (2, 1), False), (2, (1, 1), True)])
def test_the_smallest_effect_is_found_four_times_in_five(places: int, sizes: tuple[int, int], always: bool) -> None:
    """Periods with hours and a mood that lasts; the past says how far a block's difference spreads, drawing finds the effect."""
    rng = np.random.default_rng(4)

    def blocks(count: int) -> np.ndarray:
        mood = np.zeros(count + 1)
        for at in range(1, count + 1):
            mood[at] = 0.7 * mood[at - 1] + rng.normal()
        hours = 3 * np.sin(np.arange(count) / 4)
        return np.asarray(50 + hours[:, None] + mood[1:, None] + rng.normal(0, 1, (count, places)))

    outline = BlocksOutline(120, places, deviation_under_the_draw(blocks(4_000), sizes), always=always)
    effect = smallest_of_blocks(outline)
    assert effect is not None
    assert power_of_blocks(outline, effect) == pytest.approx(0.8)
    found = 0
    for _ in range(600):
        drawn = rng.permuted(blocks(120), axis=1)
        answer = compare_within_blocks(drawn[:, : sizes[0]], drawn[:, sizes[0] :] + effect)
        assert isinstance(answer, Effect)
        if always:
            sequence = always_valid(answer.difference.value, answer.error, 120 * places)
            assert isinstance(sequence, AlwaysValid)
            found += sequence.difference.low > 0
        else:
            found += answer.difference.low > 0
    assert found / 600 == pytest.approx(0.8, abs=0.05), "three of chance's deviations"


def test_too_few_blocks_show_nothing() -> None:
    assert smallest_of_blocks(BlocksOutline(9, 2, 1.0)) is None
    assert smallest_of_blocks(BlocksOutline(10, 2, 1.0)) == pytest.approx(3.149635726 / 10**0.5), (
        "non-central t, 9 degrees"
    )
    assert smallest_of_blocks(BlocksOutline(99, 2, 1.0, always=True)) is None, "200 periods are the least to look at"


def test_it_is_foreseen_from_the_past_at_every_door(
    store: Any, product: Any, actor: Any, metrics: None, api: Any, cli: Any, as_alice: Any
) -> None:
    from whytree.flags.services import create_flag

    create_flag(actor, product, key="pricing", at=long_ago(50))
    rng, rows = random.Random(6), list[dict[str, Any]]()
    for six_hours in range(1, 4 * 57):
        for person in range(6):
            at = long_ago(six_hours / 4 - 0.05 - person / 100)
            city = {"properties": {"city": ("berlin", "riga")[person % 2]}}
            rows += [event(person + 1, "ordered", at) | city for _ in range(rng.randrange(1, 4))]
    write(store, product, rows)
    path = "/products/sprout/experiments/design?metric=orders&flag=pricing&days=28&switch_minutes=360"
    told = api.get(path).ok["outlook"]
    assert (told["whom"], told["weeks"][3]["people"]) == ("blocks", 56)
    assert 100 < told["measured"] <= 112
    # by hand: orders of one of six people vary by 2/3, a period's mean by a sixth of that; two periods differ by twice that
    deviation = (2 * 2 / 3 / 6) ** 0.5
    assert told["deviation"] == pytest.approx(deviation, rel=0.2)
    assert told["smallest"] == pytest.approx(2.85 * deviation / 56**0.5, rel=0.2)
    apart = api.get(path + "&by=city").ok["outlook"]
    assert apart["weeks"][3]["people"] == 112
    untold = api.get(path + "&by=depot").ok["outlook"]
    assert untold["sentence"].endswith("No event of the past says its depot, so this is of all places together.")
    assert "28 days of switching every 6 hours make 56 blocks, which can show" in told["sentence"]
    page = as_alice.get("/p/sprout/experiments/new?flag=pricing&metric=orders&days=28&every=360").content.decode()
    assert "make 56 blocks, which can show" in page
    assert "Blocks counted" in page
    shown = cli("experiment", "design", "--flag", "pricing", "--metric", "orders", "--switchback", "6h")
    assert "make 56 blocks, which can show" in shown
    assert "56 blocks" in shown
    assert api.get(path.replace("360", "7")).status == 400
    refused = api.get(path.replace("orders", "activated").replace("days=28", "days=5")).ok
    assert refused["outlook"] is None
    assert "how far periods swing" in refused["reason"]
