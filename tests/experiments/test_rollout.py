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
from whytree.workspace.models import Activity, Membership
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

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
    from whytree.workspace.background.jobs import run_next
    from whytree.workspace.outside import mail

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
    assert [(one.to, one.subject) for one in sent] == [("alice@example.org", "Sprout: ask_later: halted")]
    assert "One rollout is halted." in as_alice.get("/p/sprout/today").content.decode()
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "Spam accounts +" in page
    assert "Next step now" in page
    look_after(fresh())
    assert Note.objects.count() == 1, "halted once, told once"


def test_harm_drafts_a_decision_that_a_person_words_and_takes(
    started: Started, store: Any, product: Any, api: Any, api_viewer: Any, as_alice: Any, as_viewer: Any, cli: Any
) -> None:
    started()
    refused = api.post(f"{PATH}/decide", {"decision": "mend"})
    assert (refused.status, "no decision is asked for" in refused.body["message"]) == (409, True)
    write(store, product, people(1_600, harm=0.2))
    look_after(fresh())
    draft = fresh().decision
    assert draft is not None
    assert draft.startswith("A guardrail is harmed at 5 %: Spam accounts +")
    assert "- Roll back: everybody gets off again." in draft
    assert draft.endswith("Proposed: roll back, mend it, and begin again with the first step.")
    assert [one.verb for one in Activity.objects.filter(subject_type="experiments.Rollout").order_by("pk")] == [
        "start_rollout",
        "halt_rollout",
        "draft_decision",
    ]
    page = as_alice.get("/p/sprout/flags/ask_later").content.decode()
    assert "The decision, drafted by Whytree" in page
    assert "- Roll back: everybody gets off again." in as_viewer.get("/p/sprout/SOL-1").content.decode()
    assert "A decision is asked for. Its draft:" in cli("rollout", "show", "ask_later")
    assert api_viewer.post(f"{PATH}/decide", {"decision": "mend"}).status == 403
    assert "roll_back, mend, go_on" in api.post(f"{PATH}/decide", {"decision": "ship"}).body["message"]
    assert api.post(f"{PATH}/decide", {"decision": "mend", "text": "x" * 5_001}).status == 400
    typed = as_alice.post("/p/sprout/rollouts/ask_later/decide", {"decision": "ship", "text": "Long thought about."})
    assert (typed.status_code, ">Long thought about.</textarea>" in typed.content.decode()) == (400, True)
    sent = {"decision": "roll_back", "text": "Spam is <b>not</b> worth it."}
    assert as_alice.post("/p/sprout/rollouts/ask_later/decide", sent).status_code == 302
    found = fresh()
    assert (found.state, found.flag.is_on, found.wants_decision) == ("rolled_back", False, False)
    assert found.flag.solution.state == "rolled_back"
    notes = {note.kind: note for note in Note.objects.all()}
    assert notes["decision"].text == "Roll back. Spam is <b>not</b> worth it."
    assert notes["question"].answer == notes["decision"].text
    assert "Spam is &lt;b&gt;not&lt;/b&gt; worth it." in as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "wants a decision" not in as_alice.get("/p/sprout/today").content.decode()
    assert "was decided on" in api.post(f"{PATH}/decide", {"decision": "mend"}).body["message"]


def test_what_was_rolled_back_by_itself_waits_for_its_decision_until_another_rollout_begins(
    started: Started, store: Any, product: Any, as_alice: Any, api: Any, actor: Any
) -> None:
    started(roll_back=True)
    write(store, product, people(1_600, harm=0.2))
    look_after(fresh())
    assert (fresh().state, fresh().wants_decision) == ("rolled_back", True)
    assert "One rollout wants a decision." in as_alice.get("/p/sprout/today").content.decode()
    assert "Decide one of: roll_back, mend." in api.post(f"{PATH}/decide", {"decision": "go_on"}).body["message"]
    assert fresh().flag.solution.state == "live", "nobody has looked yet"
    start_rollout(actor, product, flag=fresh().flag, steps=STEPS)
    assert not any(one.wants_decision for one in Rollout.objects.all())


def test_what_was_rolled_back_is_so_whoever_did_it_and_whatever_comes_next(
    started: Started, store: Any, product: Any, api: Any
) -> None:
    started(roll_back=True)
    write(store, product, people(1_600, harm=0.2))
    look_after(fresh())
    api.post(f"{PATH}/decide", {"decision": "mend"}).must_succeed()
    assert fresh().flag.solution.state == "rolled_back", "nobody has it while it is mended"


SUM = {"version": 1, "kind": "sum", "event": "spammed", "property": "cost"}
EACH = {"version": 1, "kind": "mean", "event": "spammed", "property": "cost", "per": "event"}


def costs(count: int, *, harm: float, whale: float = 0.0) -> list[Any]:
    """Everybody spams once or twice, at a cost around 10, more in the new variant; one of its people at far more."""
    rng, rows = random.Random(4), []
    for person in range(count):
        arm, entry = ("off", "on")[person % 2], rng.uniform(1.2, 2.9)
        rows.append(exposure(person, arm, long_ago(entry)))
        for _ in range(rng.randint(1, 2)):
            cost = rng.uniform(5, 15) + (harm if arm == "on" else 0.0) + (whale if person == 1 else 0.0)
            spam = event(person, "spammed", long_ago(entry - 0.5))
            rows.append(spam | {"source": "server", "properties": {"cost": str(cost)}})
    return rows


@pytest.mark.parametrize("is_harm", [True, False])
@pytest.mark.parametrize("definition", [SUM, EACH])
def test_sums_and_means_are_watched_too_and_one_person_is_no_harm(
    started: Started, store: Any, product: Any, actor: Any, definition: dict[str, Any], is_harm: bool
) -> None:
    from whytree.analytics.services import create_metric
    from whytree.experiments.rollouts.watch import watch

    create_metric(actor, product, key="cost", definition=definition)
    rollout = started(guardrails=[{"metric_key": "cost", "direction": "up", "margin": 1}])
    write(store, product, costs(600, harm=4.0) if is_harm else costs(600, harm=0.0, whale=500_000.0))
    (rail,) = watch(rollout, timezone.now()).rails
    assert (rail.standing, rail.doubt) == ("harm" if is_harm else "no answer yet", "")
    assert ("One person" in rail.text) is not is_harm


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


def test_whom_the_variant_drove_away_before_does_not_hide_its_harm(
    started: Started, store: Any, product: Any, actor: Any, flag: Any
) -> None:
    """Half of all had it before: who comes back to it is unharmed, who is new is not."""
    from whytree.experiments.rollouts.watch import watch
    from whytree.flags.services import set_rollout

    more = {"switching": {}, "is_on": True, "verb": "open_flag"}
    set_rollout(actor, product, flag.key, coverage=10_000, weights={"on": 1, "off": 1}, at=long_ago(20), **more)
    back = [exposure(n, ("off", "on")[n % 2], long_ago(days)) for n in range(10_000, 16_000) for days in (15, 2)]
    rollout = started()
    write(store, product, [*people(1_600, harm=0.2), *back])
    found = watch(rollout, timezone.now())
    assert (found.people, [rail.standing for rail in found.rails]) == (1_600, ["harm"])
    rollout.steps[0]["people"] = 2_000
    rollout.guardrails[0]["margin"] = 90
    rollout.save()
    look_after(fresh())
    assert "for 400 more people who first meet it now" in fresh().says


def test_who_only_had_what_was_there_before_counts(
    started: Started, store: Any, product: Any, actor: Any, flag: Any
) -> None:
    from whytree.experiments.rollouts.watch import watch
    from whytree.flags.services import set_rollout

    more = {"switching": {}, "is_on": True, "verb": "open_flag"}
    set_rollout(actor, product, flag.key, coverage=10_000, weights={"off": 1}, at=long_ago(20), **more)
    rollout = started()
    write(store, product, [exposure(n, "off", long_ago(15)) for n in range(1_600)] + people(1_600, harm=0.2))
    found = watch(rollout, timezone.now())
    assert (found.people, [rail.standing for rail in found.rails]) == (1_600, ["harm"])


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
    assert fresh().flag.solution.state == "rolled_back"
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
        answer = as_alice.post(begin, sent)
        page = answer.content.decode()
        assert (answer.status_code, says in page) == (400, True)
        assert f">{sent['steps']}</textarea>" in page, "what was typed stays"
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
