"""A change brought to people step by step: time, people and guardrails decide, and a person always may."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.experiments.world import event, exposure, long_ago, write
from whytree.errors import Forbidden
from whytree.experiments.jobs import look_after_rollouts
from whytree.experiments.models import Rollout
from whytree.experiments.rollouts.services import look_after, start_rollout
from whytree.experiments.rollouts.steps import rollout_of
from whytree.flags.models import ChangeRequest, FlagSettings
from whytree.flags.services import approve_change
from whytree.tree.models import Note
from whytree.workspace.actors import Actor
from whytree.workspace.models import Activity, Membership
from whytree.workspace.roles import Role

Started = Callable[..., Rollout]
PATH = "/products/sprout/flags/ask_later/guarded-rollout"
STEPS = [
    {"percent": 5, "days": 1, "people": 200},
    {"percent": 50, "days": 2, "people": 500},
    {"percent": 100},
]


@pytest.fixture
def started(actor: Any, product: Any, flag: Any) -> Started:
    def start(days: float = 3, **more: Any) -> Rollout:
        return start_rollout(actor, product, flag=flag, steps=STEPS, at=long_ago(days), **more)

    return start


def people(
    count: int, *, spam: float = 0.05, harm: float = 0.0, days: float = 2.9, source: str = "server"
) -> list[Any]:
    rng = random.Random(3)
    rows = []
    for person in range(count):
        arm, entry = ("off", "on")[person % 2], rng.uniform(1.2, days)
        rows.append(exposure(person, arm, long_ago(entry)))
        if rng.random() < spam + (harm if arm == "on" else 0):
            rows.append(event(person, "spammed", long_ago(entry - 0.5)) | {"source": source})
    return rows


def fresh() -> Rollout:
    return Rollout.objects.select_related("product", "flag__product", "flag__solution__product", "owner").get()


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (500, (1_000, {"on": 1, "off": 1})),
        (5_000, (10_000, {"on": 1, "off": 1})),
        (7_500, (10_000, {"on": 3, "off": 1})),
        (10_000, (10_000, {"on": 1, "off": 0})),
    ],
)
def test_a_step_leaves_others_to_compare_with(share: int, expected: tuple[int, dict[str, int]]) -> None:
    coverage, weights = rollout_of(share, "on", "off")
    assert (coverage, weights) == expected
    assert coverage * weights["on"] // sum(weights.values()) == share


def test_it_takes_its_step_when_time_and_people_are_there_and_nothing_is_harmed(
    started: Started, store: Any, product: Any
) -> None:
    started()
    assert fresh().flag.coverage == 1_000
    write(store, product, people(150))
    assert look_after(fresh()).step == 0
    assert "for 50 more people" in fresh().says
    write(store, product, [exposure(person, ("off", "on")[person % 2], long_ago(2)) for person in range(1_000, 1_060)])
    look_after(fresh())
    found = fresh()
    assert (found.step, found.state, found.flag.coverage, found.flag.weights) == (
        1,
        "running",
        10_000,
        {"on": 1, "off": 1},
    )
    assert found.says == "210 people, no guardrail harmed."
    assert Activity.objects.get(verb="take_step").actor == "Rollout of ask_later"
    look_after(fresh())
    assert fresh().step == 1, "the new step has its own time"
    assert "until" in fresh().says


def test_before_its_time_it_waits_however_many_people_there_are(started: Started, store: Any, product: Any) -> None:
    started(0.5)
    write(store, product, [exposure(person, ("off", "on")[person % 2], long_ago(0.2)) for person in range(600)])
    look_after(fresh())
    assert fresh().step == 0


def test_the_last_step_gives_it_to_everybody_and_is_the_end(started: Started, store: Any, product: Any) -> None:
    started(4)
    write(store, product, people(700))
    look_after(fresh())
    look_after(fresh(), now=timezone.now() + timedelta(days=2.1))
    found = fresh()
    assert (found.state, found.step, found.flag.weights) == ("done", 2, {"on": 1, "off": 0})


def test_harm_halts_it_tells_the_owner_and_asks_on_the_solution(
    started: Started, store: Any, product: Any, as_alice: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.workspace import mail
    from whytree.workspace.jobs import run_next

    sent: list[Any] = []
    monkeypatch.setattr(mail, "is_set", lambda: True)
    monkeypatch.setattr(mail, "send", sent.append)
    started()
    write(store, product, people(1_600, harm=0.2))
    look_after_rollouts({})
    while run_next("test"):
        pass
    found = fresh()
    assert (found.state, found.step, found.flag.is_on) == ("halted", 0, True)
    assert found.says.startswith("A guardrail is harmed at 5 %: Spam accounts +")
    note = Note.objects.get()
    assert note.kind == "question"
    assert note.text.endswith("Roll back, mend it, or go on?")
    assert [(one.to, one.subject) for one in sent] == [("alice@example.org", "ask_later: halted")]
    assert "One rollout is halted." in as_alice.get("/p/sprout/today").content.decode()
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "Spam accounts +" in page
    assert "Next step now" in page
    look_after(fresh())
    assert Note.objects.count() == 1, "halted once, told once"


@pytest.mark.parametrize(("source", "state"), [("server", "rolled_back"), ("capture", "halted")])
def test_it_rolls_back_by_itself_only_on_events_that_nobody_can_forge(
    started: Started, store: Any, product: Any, source: str, state: str
) -> None:
    started(roll_back=True)
    write(store, product, people(1_600, harm=0.2, source=source))
    look_after(fresh())
    found = fresh()
    assert found.state == state
    assert found.flag.is_on == (source == "capture")
    assert ("public key, which anybody can forge" in found.says) == (source == "capture")


def test_people_made_up_for_one_arm_do_not_roll_it_back(started: Started, store: Any, product: Any) -> None:
    started(roll_back=True)
    made_up = [exposure(person, "off", long_ago(2)) for person in range(10_000, 10_400)]
    write(store, product, people(1_600, harm=0.2) + made_up)
    look_after(fresh())
    found = fresh()
    assert (found.state, found.flag.is_on) == ("halted", True)
    assert "one arm has more people than its weight promises" in found.says


def test_looking_every_hour_halts_few_sound_rollouts(started: Started, store: Any, product: Any) -> None:
    """Always-valid: with no harm at all, forty looks find none."""
    rollout = started()
    write(store, product, people(2_000))
    from whytree.experiments.rollouts.watch import watch

    for hours in range(0, 40, 4):
        assert not watch(rollout, long_ago(0) - timedelta(hours=hours)).harmed


def test_a_person_may_go_on_halt_resume_and_roll_back(
    started: Started, api: Any, api_viewer: Any, as_alice: Any, store: Any
) -> None:
    started()
    assert api_viewer.post(f"{PATH}/go-on").status == 403
    assert api.post(f"{PATH}/halt", {"reason": "Support is closed at Christmas."}).ok["state"] == "halted"
    look_after(fresh())
    assert api.post(f"{PATH}/resume").ok["state"] == "running"
    assert api.post(f"{PATH}/resume").status == 409
    assert api.post(f"{PATH}/go-on").ok["step"] == 1
    assert as_alice.post("/p/sprout/rollouts/ask_later/roll-back").status_code == 302
    assert (fresh().state, fresh().flag.is_on) == ("rolled_back", False)
    assert api.post(f"{PATH}/go-on").status == 409
    assert api.get("/products/sprout/rollouts").ok[0]["state"] == "rolled_back"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"steps": [{"percent": 50}, {"percent": 5}, {"percent": 100}]}, "Each step reaches more people"),
        ({"steps": [{"percent": 5}]}, "The last step is 100 %"),
        ({"steps": [{"percent": 0}, {"percent": 100}]}, "more than 0 %"),
        ({"steps": [{"percent": 0.001}, {"percent": 100}]}, "two decimals"),
        ({"steps": [{"percent": 5, "days": -1}, {"percent": 100}]}, "days are a whole number"),
        ({"guardrails": []}, "What must not get worse?"),
        ({"guardrails": [{"metric_key": "spam", "direction": "sideways", "margin": 1}]}, "A guardrail needs"),
        ({"guardrails": [{"metric_key": "none", "direction": "up", "margin": 1}]}, "There is no metric"),
        ({"variant": "maybe"}, "Which variant is rolled out?"),
    ],
)
def test_a_rollout_that_cannot_be_is_refused(api: Any, flag: Any, body: dict[str, Any], says: str) -> None:
    answer = api.post(PATH, body)
    assert answer.status in (400, 404)
    assert says in answer.body["message"]
    assert not Rollout.objects.exists()


def test_an_experiment_and_a_rollout_do_not_share_a_flag(actor: Any, planned: Any, api: Any, started: Started) -> None:
    from whytree.experiments.services import start_experiment

    start_experiment(actor, planned)
    answer = api.post(PATH)
    assert answer.status == 409
    assert "EXP-1 runs on ask_later" in answer.body["message"]


@pytest.mark.parametrize("act", ["turn_off", "archive_flag", "set_rollout"])
def test_what_a_person_does_to_the_flag_is_never_undone_by_a_step(
    started: Started, actor: Any, product: Any, store: Any, act: str
) -> None:
    from whytree.flags import services

    started()
    write(store, product, people(700))
    more = {"coverage": 7_000} if act == "set_rollout" else {}
    getattr(services, act)(actor, product, "ask_later", **more)
    before = fresh().flag.coverage
    look_after(fresh())
    assert (fresh().state, fresh().step, fresh().flag.coverage) == ("halted", 0, before)
    assert fresh().flag.is_on == (act == "set_rollout")


def test_a_rollout_lets_no_experiment_start_on_its_flag(started: Started, planned: Any, api: Any) -> None:
    started()
    answer = api.post("/products/sprout/experiments/EXP-1/start")
    assert answer.status == 409
    assert "is being rolled out step by step" in answer.body["message"]


def test_by_itself_it_has_four_steps_and_the_hypothesis_guards(api: Any, flag: Any) -> None:
    made = api.post(PATH).ok
    assert [step["percent"] for step in made["steps"]] == ["5 %", "25 %", "50 %", "100 %"]
    assert made["guardrails"] == [{"metric_key": "spam", "direction": "up", "margin": 3.0}]
    assert api.post(PATH).status == 409


def test_a_flags_page_begins_it_and_says_what_is_wrong(as_alice: Any, flag: Any, store: Any, product: Any) -> None:
    page = as_alice.get("/p/sprout/flags/ask_later").content.decode()
    assert ">spam:up=3\n</textarea>" in page
    begin = "/p/sprout/rollouts/ask_later/start"
    for sent, says in (
        ({"steps": "soon", "guardrails": "spam:up=3"}, "“soon” is no step"),
        ({"steps": "5:1d:200\n100", "guardrails": "spam"}, "“spam” is no guardrail"),
        ({"steps": "5:1d:200\n100", "guardrails": ""}, "What must not get worse?"),
    ):
        assert says in as_alice.post(begin, sent, follow=True).content.decode()
    sent = {"steps": "5:1d:200\n100", "guardrails": "spam:up=3", "roll_back": "on"}
    page = as_alice.post(begin, sent, follow=True).content.decode()
    rollout = Rollout.objects.get()
    assert (rollout.roll_back, rollout.now["people"], rollout.flag.coverage) == (True, 200, 1_000)
    assert "Next step now" in page
    assert begin not in page


def test_where_changes_need_approval_each_step_asks_and_is_taken_once_another_one_approved(
    started: Started, store: Any, product: Any, actor: Any, bob: Any
) -> None:
    Membership.objects.filter(user=bob, product=product).update(role=Role.MAINTAINER)
    started()
    FlagSettings.objects.create(product=product, needs_approval=True)
    write(store, product, people(300))
    for _ in range(2):
        look_after(fresh())
    assert (fresh().step, fresh().flag.coverage) == (0, 1_000)
    assert "waits for another maintainer" in fresh().says
    request = ChangeRequest.objects.get()
    with pytest.raises(Forbidden):
        approve_change(actor, product, request.pk)
    approve_change(Actor(bob.pk, "Bob", "page"), product, request.pk)
    look_after(fresh())
    assert (fresh().step, fresh().state, fresh().flag.coverage) == (1, "running", 10_000)
