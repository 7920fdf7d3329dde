"""What a started experiment says, held against worlds whose truth is known, through every door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.experiments.world import World, event, exposure, happenings, long_ago, write
from whytree.experiments.judgement.results import Check, Comparison
from whytree.experiments.queries import find_experiment
from whytree.experiments.verdict.reading import Reading, as_json, from_json, read
from whytree.learning.models import OutcomeReview
from whytree.learning.reviews.measuring import measure_review

Ran = Callable[..., Any]


def reading(product: Any) -> Reading:
    return read(find_experiment(product, "EXP-1"), timezone.now())


def comparison(found: Reading, place: int = 0, arm: int = 0) -> Comparison:
    return found.analysis.metrics[place].comparisons[arm]


def check(found: Reading, name: str) -> Check:
    return next(one for one in found.analysis.health if one.name == name)


def test_it_finds_the_true_effect_and_a_guardrail_that_held(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, happenings(World(effect=0.08)))
    found = reading(product)
    primary, spam = comparison(found), comparison(found, 1)
    assert primary.difference is not None
    assert primary.difference.low < 0.08 < primary.difference.high
    assert (primary.standing, spam.standing) == ("better", "not worse")
    assert (found.state, found.may_compare, found.analysis.trust) == ("ended", True, "ok")
    assert found.proposal is not None
    assert (found.proposal.advice, found.proposal.arm) == ("ship", "on")
    assert sum(sum(people.values()) for _, people in found.exposed_by_day) == found.people == 4_000
    assert from_json(as_json(found)) == found


@pytest.mark.parametrize("looks", ["once", "always"])
def test_experiment_and_review_say_the_same(ran: Ran, store: Any, product: Any, looks: str) -> None:
    """One rule: the numbers of a prediction's review are those of the experiment that tests it."""
    ran(30, looks=looks)
    write(store, product, happenings(World(effect=0.08, twice=0.01)))
    found = reading(product)
    result = measure_review(OutcomeReview.objects.get(), timezone.now())
    told, mine = result.contrast, comparison(found)
    assert told is not None
    assert told.difference is not None
    assert told.control is not None
    assert mine.difference is not None
    assert (told.difference.value, told.difference.low, told.difference.high) == pytest.approx(
        (100 * mine.difference.value, 100 * mine.difference.low, 100 * mine.difference.high)
    )
    assert (told.control.n, told.difference.method) == (mine.n_control, mine.difference.method)
    (rail,) = result.guardrails
    spam = comparison(found, 1)
    assert rail.contrast.difference is not None
    assert spam.difference is not None
    assert rail.contrast.difference.high == pytest.approx(100 * spam.difference.high)
    assert rail.verdict == "held"
    assert result.trust is not None
    assert (result.trust.seen, result.trust.quarantined) == (found.seen, found.quarantined)
    assert result.trust.ratio_p == found.analysis.sample_ratio[0].p
    assert result.experiment == "EXP-1"


def test_without_an_experiment_the_review_says_what_the_experiment_would_have_said(
    actor: Any, product: Any, flag: Any, store: Any
) -> None:
    from whytree.experiments.services import create_experiment, start_experiment
    from whytree.flags.services import open_flag

    moment = long_ago(30)
    open_flag(actor, product, flag.key, at=moment)
    write(store, product, happenings(World(effect=0.05)))
    alone = measure_review(OutcomeReview.objects.get(), timezone.now())
    start_experiment(actor, create_experiment(actor, product, flag=flag, plan={}), at=moment)
    with_it = measure_review(OutcomeReview.objects.get(), timezone.now())
    assert alone.contrast == with_it.contrast
    assert alone.guardrails == with_it.guardrails
    assert alone.trust == with_it.trust
    assert alone.forecast == with_it.forecast


def test_before_its_day_only_guardrails_are_looked_at_by_intervals_that_bear_it(
    ran: Ran, store: Any, product: Any, as_alice: Any
) -> None:
    ran(12)
    write(store, product, happenings(World(days=12, effect=0.2, spam=0.2)))
    found = reading(product)
    assert (found.state, found.day, found.may_compare, found.proposal) == ("running", 13, False, None)
    assert [metric.role for metric in found.analysis.metrics] == ["guardrail"]
    rail = comparison(found)
    assert rail.standing == "harm"
    assert rail.difference is not None
    assert rail.difference.method == "asymptotic confidence sequence"
    page = as_alice.get("/p/sprout/experiments/EXP-1").content.decode()
    assert "does harm: Spam accounts got worse by more than its margin" in page
    assert "read on" in page


def test_an_experiment_that_may_be_looked_at_shows_all_of_it_by_wider_intervals(
    ran: Ran, store: Any, product: Any
) -> None:
    ran(20, looks="always")
    write(store, product, happenings(World(days=20, effect=0.08)))
    found = reading(product)
    assert (found.state, found.may_compare, found.sequential) == ("running", True, True)
    mine = comparison(found)
    assert mine.difference is not None
    assert mine.difference.method == "asymptotic confidence sequence"
    assert mine.difference.low < 0.08 < mine.difference.high


def test_stopped_before_its_day_it_is_read_by_intervals_that_bear_stopping(
    ran: Ran, actor: Any, store: Any, product: Any, api: Any
) -> None:
    ran(15)
    write(store, product, happenings(World(days=15, effect=0.08)))
    assert api.post("/products/sprout/experiments/EXP-1/stop", {"reason": " "}).status == 400
    body = {"reason": "Support is flooded", "close_flag": True}
    stopped = api.post("/products/sprout/experiments/EXP-1/stop", body).ok
    assert (stopped["state"], stopped["stop_reason"]) == ("stopped", "Support is flooded")
    found = reading(product)
    assert found.sequential
    assert check(found, "stopped early").standing == "look"
    assert not find_experiment(product, "EXP-1").flag.is_on
    assert api.post("/products/sprout/experiments/EXP-1/stop", body).status == 409
    assert OutcomeReview.objects.get().due_at <= timezone.now()


def test_people_seen_in_two_arms_are_left_out_and_counted(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, happenings(World(twice=0.05)))
    found = reading(product)
    assert 120 < found.quarantined < 280
    assert found.people == 4_000 - found.quarantined
    assert check(found, "seen in two arms").standing == "broken"
    assert found.proposal is not None
    assert found.proposal.advice == "wait"


def test_an_arm_that_lost_people_is_not_to_be_trusted(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, happenings(World(effect=0.1, lost=0.3)))
    found = reading(product)
    assert found.analysis.trust == "broken"
    assert check(found, "sample ratio").standing == "broken"
    assert found.proposal is not None
    assert "sample ratio" in found.proposal.sentence


def test_an_arm_without_people_compares_nothing_and_says_so(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, happenings(World(lost=1.0)))
    found = reading(product)
    mine = comparison(found)
    assert (mine.standing, mine.reason) == ("no answer", "The smaller arm has 0 of the 50 people it needs.")
    assert "No unit is in on" in check(found, "sample ratio").sentence


def test_before_anybody_it_says_so_in_place_of_numbers(ran: Ran, store: Any, product: Any, as_alice: Any) -> None:
    ran(30)
    found = reading(product)
    assert comparison(found).standing == "no answer"
    assert "Nobody has met ask_later yet" in check(found, "flag").sentence
    assert "Too little to say yet" in as_alice.get("/p/sprout/experiments/EXP-1").content.decode()


def test_one_person_is_no_answer(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, [exposure(1, "on", long_ago(20)), event(1, "planted", long_ago(19))])
    found = reading(product)
    assert found.seen == {"off": 0, "on": 1}
    assert comparison(found).standing == "no answer"


def test_nobody_or_everybody_did_it_is_no_answer_but_says_what_is_left(ran: Ran, store: Any, product: Any) -> None:
    ran(30, metrics=[{"key": "activated", "role": "primary"}, {"key": "spam", "role": "guardrail", "margin": 1.0}])
    write(store, product, [exposure(person, ("off", "on")[person % 2], long_ago(20)) for person in range(4_000)])
    write(store, product, [event(person, "planted", long_ago(19)) for person in range(4_000)])
    found = reading(product)
    assert comparison(found).reason.startswith("Everybody did it, in both arms")
    rail = comparison(found, 1)
    assert rail.standing == "not worse", "that nobody spammed says a lot of a guardrail"


def test_a_metric_that_nobody_exposed_has_names_what_to_look_for(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    write(store, product, [exposure(person, ("off", "on")[person % 2], long_ago(20)) for person in range(200)])
    assert "the event “planted” has never come in" in comparison(reading(product)).reason
    write(store, product, [event(9_999, "planted", long_ago(9))])
    assert "from nobody who met the flag" in comparison(reading(product)).reason
    assert "last came in on" in check(reading(product), "metrics").sentence


def test_zero_variance_has_no_answer_and_no_crash(ran: Ran, store: Any, product: Any) -> None:
    ran(30, metrics=[{"key": "activated", "role": "primary"}, {"key": "orders", "role": "secondary"}])
    rows = [exposure(person, ("off", "on")[person % 2], long_ago(20)) for person in range(400)]
    rows += [event(person, "ordered", long_ago(19)) for person in range(400)]
    write(store, product, rows + [event(person, "planted", long_ago(19)) for person in range(0, 400, 3)])
    assert comparison(reading(product), 1).reason.startswith("Every unit has the same value")


def test_from_a_baseline_of_zero_there_is_no_relative_change(ran: Ran, store: Any, product: Any) -> None:
    ran(30)
    rows = [exposure(person, ("off", "on")[person % 2], long_ago(20)) for person in range(2_000)]
    write(store, product, rows + [event(person, "planted", long_ago(19)) for person in range(1, 2_000, 8)])
    mine = comparison(reading(product))
    assert (mine.standing, mine.control, mine.relative) == ("better", 0.0, None)
    assert mine.no_relative == "An arm at zero has no ratio to the other."


AMOUNTS = [{"key": "activated", "role": "primary"}, {"key": "orders", "role": "secondary", "amount": "amount"}]


def test_amounts_around_a_billion_have_the_spread_they_have(ran: Ran, store: Any, product: Any) -> None:
    """A plain sum of squares gave a variance of -134 at that mean."""
    ran(30, metrics=AMOUNTS)
    rows = []
    for person in range(2_000):
        arm = ("off", "on")[person % 2]
        rows.append(exposure(person, arm, long_ago(20)))
        amount = 1e9 + (person % 7) + (2.0 if arm == "on" else 0.0)
        rows.append(event(person, "ordered", long_ago(19)) | {"properties": {"amount": repr(amount)}})
    write(store, product, rows)
    mine = comparison(reading(product), 1)
    assert mine.difference is not None
    assert mine.difference.value == pytest.approx(2.0, abs=0.02)
    # values 0 to 6, equally often: a variance of 4, a thousand people an arm
    assert mine.difference.high - mine.difference.low == pytest.approx(2 * 1.96 * (2 * 4 / 1_000) ** 0.5, rel=0.01)


@pytest.mark.parametrize("odd", ["NaN", "inf", "-inf", "1e999", "much"])
def test_an_amount_that_is_no_finite_number_adds_nothing_and_is_counted(
    ran: Ran, store: Any, product: Any, odd: str
) -> None:
    ran(30, metrics=AMOUNTS)
    rows = []
    for person in range(400):
        rows.append(exposure(person, ("off", "on")[person % 2], long_ago(20)))
        amount = odd if person == 7 else str(person % 5 + 1)
        rows.append(event(person, "ordered", long_ago(19)) | {"properties": {"amount": amount}})
    write(store, product, rows)
    found = reading(product)
    assert comparison(found, 1).difference is not None
    assert check(found, "Orders: no number").sentence.startswith("1 event “ordered” has no finite number in “amount”")


def test_one_person_who_makes_the_mean_gets_no_interval_until_a_cap_bounds_them(
    ran: Ran, store: Any, product: Any, actor: Any
) -> None:
    metric = {"key": "orders", "role": "secondary", "amount": "amount"}
    ran(30, metrics=[AMOUNTS[0], metric])
    rows = []
    for person in range(1_000):
        rows.append(exposure(person, ("off", "on")[person % 2], long_ago(20)))
        amount = "1000000" if person == 3 else str(person % 9)
        rows.append(event(person, "ordered", long_ago(19)) | {"properties": {"amount": amount}})
    write(store, product, rows)
    assert "One person (1,000,000) makes" in comparison(reading(product), 1).reason
    from whytree.experiments.models import Experiment

    experiment = Experiment.objects.get()
    Experiment.objects.update(plan_hash="", started_at=None, ends_at=None)
    experiment.plan["metrics"][1]["cap"] = "p99"
    Experiment.objects.update(
        plan=experiment.plan, started_at=experiment.started_at, ends_at=experiment.ends_at, plan_hash="x"
    )
    found = reading(product)
    assert found.analysis.metrics[1].cap == 8
    assert comparison(found, 1).difference is not None


def test_what_people_did_before_narrows_the_interval(ran: Ran, store: Any, product: Any) -> None:
    orders = {"key": "orders", "role": "secondary", "days_before": 14}
    ran(30, metrics=[AMOUNTS[0], orders])
    rows = []
    for person in range(600):
        usual = person % 11
        rows.append(exposure(person, ("off", "on")[(person // 11) % 2], long_ago(20)))
        rows += [event(person, "ordered", long_ago(22 + i / 10)) for i in range(usual)]
        rows += [event(person, "ordered", long_ago(19 - i / 10)) for i in range(usual + person % 2)]
    write(store, product, rows)
    mine = comparison(reading(product), 1)
    assert mine.variance_reduction is not None
    assert mine.variance_reduction > 0.9
    assert mine.difference is not None
    assert mine.difference.method == "Welch, CUPED"


def test_arms_that_differed_before_the_exposure_stop_the_verdict(ran: Ran, store: Any, product: Any) -> None:
    ran(30, metrics=[AMOUNTS[0], {"key": "orders", "role": "secondary", "days_before": 14}])
    rows = []
    for person in range(600):
        rows.append(exposure(person, ("off", "on")[person % 2], long_ago(20)))
        rows += [event(person, "ordered", long_ago(22 + i / 10)) for i in range(person % 5 + 3 * (person % 2))]
    write(store, product, rows)
    assert check(reading(product), "alike beforehand").standing == "broken"


def test_three_arms_share_the_error_between_them(metrics: None, store: Any, product: Any, actor: Any) -> None:
    from whytree.experiments.services import create_experiment, start_experiment
    from whytree.flags.services import create_flag

    variants = {"off": "a", "short": "b", "long": "c"}
    create_flag(actor, product, key="text", kind="string", variants=variants, at=long_ago(50))
    from whytree.flags.queries import find_flag

    plan = {"days": 30, "weights": {"off": 1, "short": 1, "long": 1}, "metrics": [AMOUNTS[0]]}
    made = create_experiment(actor, product, flag=find_flag(product, "text"), plan=plan)
    start_experiment(actor, made, at=long_ago(30))
    write(store, product, happenings(World(arms=("off", "short", "long"), effect=0.08), "text"))
    found = read(find_experiment(product, "EXP-1"), timezone.now())
    metric = found.analysis.metrics[0]
    assert [one.arm for one in metric.comparisons] == ["long", "short"]
    assert all(one.difference is not None and one.difference.level == 0.975 for one in metric.comparisons)
    assert sum(one.best for one in metric.best) == pytest.approx(1)


def test_who_met_the_flag_before_the_start_is_no_new_person(actor: Any, product: Any, flag: Any, store: Any) -> None:
    from whytree.experiments.services import create_experiment, start_experiment
    from whytree.flags.services import open_flag

    open_flag(actor, product, flag.key, at=long_ago(45))
    start_experiment(actor, create_experiment(actor, product, flag=flag, plan={}), at=long_ago(30))
    rows = [exposure(1, "on", long_ago(40)), exposure(1, "on", long_ago(20)), exposure(2, "on", long_ago(20))]
    write(store, product, rows)
    assert reading(product).seen == {"off": 0, "on": 1}


def test_a_flag_archived_or_turned_off_under_it_is_named(ran: Ran, store: Any, product: Any, actor: Any) -> None:
    from whytree.flags.services import archive_flag, turn_off

    ran(20)
    write(store, product, happenings(World(people=400, days=20)))
    turn_off(actor, product, "ask_later", at=long_ago(5))
    assert "was turned off on" in check(reading(product), "flag").sentence
    archive_flag(actor, product, "ask_later")
    found = read(find_experiment(product, "EXP-1"), timezone.now() + timedelta(hours=1))
    assert "was archived on" in check(found, "flag").sentence


def test_a_flag_under_an_experiment_cannot_be_deleted(ran: Ran) -> None:
    from django.db.models import RestrictedError

    experiment = ran(20)
    with pytest.raises(RestrictedError):
        experiment.flag.delete()


def test_experiments_that_overlap_on_one_metric_are_named(ran: Ran, actor: Any, product: Any, store: Any) -> None:
    from whytree.experiments.services import create_experiment, start_experiment
    from whytree.flags.services import create_flag

    ran(30)
    other = create_flag(actor, product, key="other", weights={"on": 1, "off": 1}, at=long_ago(40))
    made = create_experiment(actor, product, flag=other, plan={"days": 14, "metrics": [AMOUNTS[0]]})
    start_experiment(actor, made, at=long_ago(10))
    assert check(reading(product), "overlap").sentence.startswith("EXP-2 ran in the same days on “Activated in 7 days”")


def test_the_page_the_csv_and_the_json_tell_the_same(
    ran: Ran, store: Any, product: Any, as_alice: Any, api: Any
) -> None:
    ran(30)
    write(store, product, happenings(World(effect=0.08)))
    answer = api.get("/products/sprout/experiments/EXP-1").ok
    page = as_alice.get("/p/sprout/experiments/EXP-1").content.decode()
    assert answer["headline"].startswith("“Ask for the phone number later” raised “Activated in 7 days” by")
    assert answer["headline"] in page
    assert answer["result"]["proposal"]["sentence"] in page
    assert "The team predicted 1 to 9 pp." in page
    drawn = as_alice.get("/p/sprout/experiments/EXP-1.svg")
    assert "“Ask for the phone number later” raised" in drawn.content.decode()
    assert "better</text>" in drawn.content.decode()
    assert "var(--" not in drawn.content.decode()
    assert as_alice.get("/p/sprout/experiments/EXP-1.png").content.startswith(b"\x89PNG")
    csv = as_alice.get("/p/sprout/experiments/EXP-1.csv").content.decode()
    head, first, _ = csv.splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=False))
    difference = answer["result"]["analysis"]["metrics"][0]["comparisons"][0]["difference"]
    assert float(row["low"]) == difference["low"]
    assert (
        as_alice.get("/p/sprout/experiments/EXP-1.json").json()["result"]["analysis"]["metrics"][0]["comparisons"][0][
            "difference"
        ]
        == difference
    )
    listed = as_alice.get("/p/sprout/experiments").content.decode()
    assert "One experiment wants a decision." in listed


def test_a_clock_that_jumps_counts_nobody_twice_and_nothing_before_its_time(ran: Ran, store: Any, product: Any) -> None:
    """Exposures dated ahead wait for their day; what is dated before the exposure by a clock that was set back never counts."""
    ran(30)
    write(store, product, happenings(World(people=2_000, effect=0.08)))
    plain = reading(product)
    jumps = [exposure(person, "on", long_ago(-3)) for person in range(1, 400)]
    jumps += [exposure(90_000 + person, "on", long_ago(-3)) for person in range(400)]
    jumps += [event(person, "planted", long_ago(29.999)) for person in range(1, 2_000, 2)]
    write(store, product, jumps)
    found = reading(product)
    assert (found.seen, found.quarantined) == (plain.seen, plain.quarantined)
    assert comparison(found).difference == comparison(plain).difference
