"""Tests before code: a criterion fixed before the start, what fills itself, and a verdict that a person gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.experiments.world import event, long_ago, write
from whytree.experiments.early.commands import plan_test
from whytree.people.models import Person
from whytree.tree.models import AssumptionTest, EvidenceLink
from whytree.workspace.terminal.client import CommandError

Plan = Callable[..., Any]
TESTS = "/products/sprout/tests"
DOOR = {"version": 1, "kind": "fake_door", "seen": "shown", "pressed": "pressed", "of": 40, "needed": 10}
PEOPLE = {"version": 1, "kind": "people", "of": 5, "needed": 4}
DATA = {"version": 1, "kind": "data", "metric_key": "activated", "way": "at_least", "threshold": 20, "days": 28}


@pytest.fixture
def plan(api: Any, product: Any, metrics: None) -> Plan:
    """TST-n under an assumption of SOL-1, running unless told otherwise."""
    api.post("/products/sprout/solutions", {"title": "Social sign-in"}).must_succeed()
    api.post(
        "/products/sprout/assumptions", {"parent": "SOL-1", "title": "They would use it", "importance": 5}
    ).must_succeed()

    def make(measure: dict[str, Any] | None, *, start: bool = True, **more: Any) -> dict[str, Any]:
        body = {"parent": "ASM-1", "title": "A button that leads to a thank-you", "measure": measure, **more}
        made: dict[str, Any] = api.post(TESTS, body).ok
        if start:
            made = api.post(f"{TESTS}/{made['ref']}/start").ok
            AssumptionTest.objects.filter(number=int(made["ref"][4:])).update(started_at=long_ago(3))
        return made

    return make


def at_the_door(pressing: int, seeing: int) -> list[dict[str, Any]]:
    rows = [event(person, "shown", long_ago(2 - person / 1_000)) for person in range(1, seeing + 1)]
    return rows + [event(person, "pressed", long_ago(1 - person / 1_000)) for person in range(1, pressing + 1)]


@pytest.mark.parametrize(
    ("pressing", "seeing", "text", "proposed", "over"),
    [
        (0, 0, "Nobody yet", "", False),
        (3, 25, "3 of 25 pressed it", "", False),
        (10, 25, "10 of 25 pressed it", "validated", True),
        (0, 35, "0 of 35 pressed it", "invalidated", True),
        (9, 40, "9 of 40 pressed it", "invalidated", True),
        (60, 60, "40 of 40 pressed it", "validated", True),
    ],
)
def test_a_fake_door_counts_the_first_people_who_see_it(
    plan: Plan, api: Any, store: Any, product: Any, pressing: int, seeing: int, text: str, proposed: str, over: bool
) -> None:
    """Where nobody who is still to come can change the answer, it is there."""
    plan(DOOR)
    write(store, product, at_the_door(pressing, seeing))
    shows = api.get(f"{TESTS}/TST-1/progress").ok
    assert (shows["text"], shows["proposed"], shows["is_over"]) == (text, proposed, over)
    if seeing:
        assert "10 of 40 were to be a yes." in shows["detail"]


def test_pressing_before_seeing_and_before_the_start_does_not_count(
    plan: Plan, api: Any, store: Any, product: Any
) -> None:
    plan(DOOR)
    rows = [event(1, "pressed", long_ago(2.5)), event(1, "shown", long_ago(2))]
    rows += [event(2, "shown", long_ago(9)), event(2, "pressed", long_ago(8))]
    write(store, product, rows)
    assert api.get(f"{TESTS}/TST-1/progress").ok["text"] == "0 of 1 pressed it"


def test_a_full_door_turns_its_flag_off_by_itself(plan: Plan, store: Any, product: Any, actor: Any, api: Any) -> None:
    from whytree.experiments.jobs import close_doors
    from whytree.flags.services import create_flag, open_flag
    from whytree.workspace.models import Activity

    flag = create_flag(actor, product, key="door")
    open_flag(actor, product, flag.key)
    plan(DOOR | {"flag": "door"})
    write(store, product, at_the_door(9, 39))
    close_doors({})
    flag.refresh_from_db()
    assert flag.is_on, "one more person may see it"
    write(store, product, [event(99, "shown", long_ago(0.1))])
    close_doors({})
    flag.refresh_from_db()
    assert not flag.is_on
    assert Activity.objects.get(verb="turn_off").actor == "TST-1 has its 40 people"


def test_people_are_counted_one_by_one_with_the_exact_interval(plan: Plan, api: Any, as_alice: Any, store: Any) -> None:
    plan(PEOPLE, cost_days=0.5)
    for passed in (True, True, False, True):
        shows = api.post(f"{TESTS}/TST-1/sessions", {"passed": passed, "note": "“They all write that.”"}).ok
    assert len(shows["sessions"]) == 4
    assert api.get(f"{TESTS}/TST-1/progress").ok["proposed"] == "", "3 of 4: the fifth decides"
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "3 of 4 did" in page
    assert "Person 5 of 5" in page
    assert as_alice.post("/p/sprout/TST-1/session", {"passed": "1", "note": ""}).status_code == 302
    shows = api.get(f"{TESTS}/TST-1/progress").ok
    # Clopper and Pearson (1934) for 4 of 5: 28.4 to 99.5 %
    assert (shows["text"], shows["proposed"]) == ("4 of 5 did", "validated")
    assert "80 % (28.4 to 99.5)" in shows["detail"]
    refused = api.post(f"{TESTS}/TST-1/sessions", {"passed": True})
    assert refused.status == 409
    assert "because the answer is not liked, is another test" in refused.body["message"]


@pytest.mark.parametrize(
    ("planting", "way", "proposed"),
    [
        (60, "at_least", "validated"),
        (10, "at_least", "invalidated"),
        (40, "at_least", "inconclusive"),
        (10, "at_most", "validated"),
    ],
)
def test_a_data_question_reads_the_whole_interval_against_its_threshold(
    plan: Plan, api: Any, store: Any, product: Any, planting: int, way: str, proposed: str
) -> None:
    plan(DATA | {"way": way})
    rows = [event(person, "signed_up", long_ago(12)) for person in range(200)]
    write(store, product, rows + [event(person, "planted", long_ago(10)) for person in range(planting)])
    shows = api.get(f"{TESTS}/TST-1/progress").ok
    assert shows["proposed"] == proposed
    assert shows["text"].startswith("Activated in 7 days:")
    assert "A yes is" in shows["detail"]


def test_a_data_question_without_data_says_so(plan: Plan, api: Any, store: Any) -> None:
    plan(DATA)
    assert api.get(f"{TESTS}/TST-1/progress").ok["text"] == "No answer"
    api.post(f"{TESTS}/TST-1/conclude", {"verdict": "inconclusive", "result": "Too early."}).must_succeed()
    assert not api.get(f"{TESTS}/TST-1/progress").ok["counts"], "later days are not what it was about"


def test_a_door_whose_flag_is_off_says_that_nobody_sees_it(
    plan: Plan, api: Any, store: Any, product: Any, actor: Any
) -> None:
    from whytree.flags.services import create_flag, open_flag

    create_flag(actor, product, key="door")
    plan(DOOR | {"flag": "door"})
    assert "Its flag door is off" in api.get(f"{TESTS}/TST-1/progress").ok["detail"]
    open_flag(actor, product, "door")
    assert "is off" not in api.get(f"{TESTS}/TST-1/progress").ok["detail"]
    api.post(f"{TESTS}/TST-1/conclude", {"verdict": "inconclusive", "result": "Nobody comes by."}).must_succeed()
    assert not api.get("/products/sprout/flags/door").ok["is_on"], "nobody is fooled once it has its verdict"


def test_the_criterion_is_written_by_the_measure_and_fixed_by_the_start(plan: Plan, api: Any) -> None:
    made = plan(DOOR)
    assert made["success_criterion"] == "10 of the first 40 people who see it (“shown”) press it (“pressed”)."
    edited = api.patch(f"{TESTS}/TST-1", {"measure": DOOR | {"needed": 2}})
    assert edited.status == 409
    assert "what it must show is fixed" in edited.body["message"]
    plan(None, start=False)
    assert api.post(f"{TESTS}/TST-2/start").status == 409, "a spike says in words what would count as a yes"
    assert not api.get(f"{TESTS}/TST-2/progress").ok["counts"]


@pytest.mark.parametrize(
    "measure",
    [
        {"version": 2, "kind": "people", "of": 5, "needed": 4},
        {"version": 1, "kind": "poll"},
        {"version": 1, "kind": "people", "of": 5},
        {"version": 1, "kind": "people", "of": 5, "needed": 6},
        {"version": 1, "kind": "people", "of": True, "needed": True},
        {"version": 1, "kind": "people", "of": 10**9, "needed": 1},
        DOOR | {"seen": ""},
        DOOR | {"seen": "x\x00"},
        DOOR | {"more": 1},
        DATA | {"threshold": "much"},
        DATA | {"way": "about"},
        DATA | {"days": 0},
    ],
)
def test_a_measure_that_counts_nothing_is_refused(plan: Plan, api: Any, measure: dict[str, Any]) -> None:
    answer = api.post(TESTS, {"parent": "ASM-1", "title": "x", "measure": measure})
    assert answer.status == 400
    assert not AssumptionTest.objects.exists()


def test_a_person_gives_the_verdict_which_the_data_propose(plan: Plan, as_alice: Any, store: Any, product: Any) -> None:
    plan(DOOR)
    write(store, product, at_the_door(2, 40))
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "data say: invalidated" in page
    assert '<option value="invalidated" selected>' in page
    assert "2 of 40 pressed it. 5 % (1.4 to 16.5). 10 of 40 were to be a yes.</textarea>" in page
    sent = {"verdict": "inconclusive", "result": "The button was below the fold."}
    as_alice.post("/p/sprout/TST-1/conclude", sent)
    test = AssumptionTest.objects.get()
    assert (test.verdict, test.result) == ("inconclusive", "The button was below the fold.")
    assert EvidenceLink.objects.filter(source_id="TST-1").count() == 2


def test_the_riskiest_belief_and_the_cheapest_test_stand_first(plan: Plan, as_alice: Any, store: Any) -> None:
    assert "No test of it is planned" in as_alice.get("/p/sprout/SOL-1").content.decode()
    plan(DOOR, start=False, title="The dear one", cost_days=3)
    plan(PEOPLE, start=False, title="The cheap one", cost_days=0.5)
    plan(None, start=False, title="Nobody said")
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "Riskiest: <b" in page
    head = page[page.index("Cheapest test:") : page.index("</section>", page.index("Cheapest test:"))]
    assert head.index("The cheap one") < head.index("half a day")


def test_a_plan_is_made_on_the_page(plan: Plan, as_alice: Any) -> None:
    sent = {"add": "TST", "title": "Five people", "method": "usability_test", "cost_days": "0.5", "counts": "people"}
    refused = as_alice.post("/p/sprout/ASM-1/add", sent | {"needed": "4"})
    assert refused.status_code == 400
    page = refused.content.decode()
    assert page.count("Say this too.") == 1
    assert page.index('name="out_of"') < page.index("Say this too.") < page.index('name="flag"')
    assert 'name="needed" value="4"' in page, "what was typed stays"
    assert as_alice.post("/p/sprout/ASM-1/add", sent | {"needed": "4", "out_of": "5"}).status_code == 302
    test = AssumptionTest.objects.get()
    assert (test.measure, test.cost_days) == (PEOPLE, 0.5)
    form = as_alice.get("/p/sprout/TST-1/edit").content.decode()
    assert 'value="people" selected' in form


def test_what_was_dropped_before_code_is_counted_and_celebrated(
    plan: Plan, api: Any, as_alice: Any, store: Any
) -> None:
    api.post(
        "/products/sprout/solutions/SOL-1/state", {"state": "dropped", "reason": "2 of 40 pressed it."}
    ).must_succeed()
    api.post("/products/sprout/solutions", {"title": "Built and thrown away"}).must_succeed()
    api.post("/products/sprout/solutions/SOL-2/state", {"state": "building"}).must_succeed()
    api.post("/products/sprout/solutions/SOL-2/state", {"state": "dropped", "reason": "Too slow."}).must_succeed()
    changes = as_alice.get("/p/sprout/changes").content.decode()
    assert "1 idea dropped before anybody wrote code for it" in changes
    today = as_alice.get("/p/sprout/today").content.decode()
    celebrated = today[today.index("Dropped before code") :]
    assert "Social sign-in" in celebrated
    assert "A cheap no is a good result." in celebrated


def test_viewers_see_and_strangers_do_not(plan: Plan, api_viewer: Any, api_charlie: Any, store: Any) -> None:
    plan(PEOPLE)
    assert api_viewer.get(f"{TESTS}/TST-1/progress").ok["text"] == "Nobody yet"
    assert api_viewer.post(f"{TESTS}/TST-1/sessions", {"passed": True}).status == 403
    assert api_charlie.get(f"{TESTS}/TST-1/progress").status == 404


def test_a_test_leaves_with_its_measure_and_its_sessions(plan: Plan, api: Any) -> None:
    plan(PEOPLE)
    api.post(f"{TESTS}/TST-1/sessions", {"passed": True, "note": "38 seconds"}).must_succeed()
    exported = api.get("/products/sprout/tree/export").ok
    (test,) = [node for node in exported["nodes"] if node["id"] == "TST-1"]
    assert test["measure"] == PEOPLE
    assert [row["note"] for row in test["sessions"]] == ["38 seconds"]


# One question in the product

ASKED = {
    "version": 1,
    "kind": "survey",
    "survey": "SUR-1",
    "question": "q1",
    "yes": ["This week"],
    "of": 5,
    "needed": 3,
}


@pytest.fixture
def asked(api: Any, store: Any) -> Callable[..., None]:
    """`asked("This week", 3)`: three more people answer so."""
    question = {"kind": "single", "text": "When did you last need this?", "options": ["This week", "Never"]}
    api.post("/products/sprout/surveys", {"title": "Need", "questions": [question]}).must_succeed()
    api.post("/products/sprout/surveys/SUR-1/start").must_succeed()
    people = iter(range(1_000))

    def answer(option: str, times: int = 1, **who: str) -> None:
        for _ in range(times):
            body = {"person": f"u{next(people)}", "answers": {"q1": option}, **who}
            api.post("/products/sprout/surveys/SUR-1/answers", body).must_succeed()

    return answer


def test_one_question_in_the_product_fills_its_test(plan: Plan, api: Any, asked: Any, actor: Any, product: Any) -> None:
    from whytree.people.services import ensure_person

    made = plan(ASKED)
    assert made["success_criterion"] == "3 of the first 5 people who answer q1 of SUR-1 say “This week”."
    assert api.get(f"{TESTS}/TST-1/progress").ok["text"] == "Nobody yet"
    ensure_person(product, "colleague")
    Person.objects.filter(key="colleague").update(internal=True)
    asked("This week", person="colleague")
    asked("This week", 2)
    asked("Never", 1)
    shows = api.get(f"{TESTS}/TST-1/progress").ok
    assert (shows["text"], shows["proposed"], shows["is_over"]) == ("2 of 3 said so", "", False)
    asked("Never", 2)
    asked("This week", 4)
    shows = api.get(f"{TESTS}/TST-1/progress").ok
    assert (shows["text"], shows["proposed"]) == ("2 of 5 said so", "invalidated"), "the first five decide"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"survey": "SUR-9"}, "no survey SUR-9"),
        ({"survey": "nonsense"}, "is no survey"),
        ({"question": "q7"}, "no question q7"),
        ({"yes": ["Sometimes"]}, "Nobody can answer “Sometimes”"),
    ],
)
def test_a_question_that_is_not_there_is_no_answer(plan: Plan, api: Any, asked: Any, change: Any, said: str) -> None:
    plan(ASKED)
    AssumptionTest.objects.update(measure={**ASKED, **change})  # it was there, and is gone
    shows = api.get(f"{TESTS}/TST-1/progress").ok
    assert (shows["text"], said in shows["detail"], shows["proposed"]) == ("No answer", True, "")


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (ASKED | {"survey": "SUR-9"}, "no survey SUR-9"),
        (ASKED | {"yes": ["Sometimes"]}, "Nobody can answer “Sometimes”"),
        (DATA | {"metric_key": "nothing"}, "no metric 'nothing'"),
        (DOOR | {"flag": "gone"}, "no flag gone"),
    ],
)
def test_what_counts_nothing_does_not_start(plan: Plan, api: Any, asked: Any, measure: Any, said: str) -> None:
    """The start fixes it: a typing error would hold for ever."""
    plan(measure, start=False)
    refused = api.post(f"{TESTS}/TST-1/start")
    assert (refused.status, said in refused.body["message"]) == (409, True)
    assert api.get(f"{TESTS}/TST-1").ok["status"] == "not_started"


@pytest.mark.parametrize("yes", [[], "This week", [""], [None], ["x"] * 21])
def test_what_counts_as_a_yes_is_said_before_the_start(plan: Plan, api: Any, yes: Any) -> None:
    body = {"parent": "ASM-1", "title": "Ask", "measure": {**ASKED, "yes": yes}}
    plan(None, start=False)
    refused = api.post(TESTS, body)
    assert (refused.status, "which answers are a yes" in str(refused.body)) == (400, True)


def test_the_form_plans_one_question_too(plan: Plan, as_alice: Any) -> None:
    plan(None, start=False)
    form = {
        "title": "Ask them",
        "method": "one_question_survey",
        "counts": "survey",
        "survey": "SUR-1",
        "question": "q1",
    }
    form |= {"yes": "This week; 5", "needed": "3", "out_of": "5"}
    as_alice.post("/p/sprout/ASM-1/add", {"add": "TST", **form})
    measure = AssumptionTest.objects.get(title="Ask them").measure
    assert measure == {**ASKED, "yes": ["This week", 5]}
    shown = as_alice.get("/p/sprout/TST-2/edit").content.decode()
    assert 'value="This week; 5"' in shown


@pytest.mark.parametrize(
    ("said", "measure", "method"),
    [
        ("--people 4/5", PEOPLE, "usability_test"),
        ("--door shown,pressed --people 10/40 --flag door", DOOR | {"flag": "door"}, "fake_door"),
        ("--metric activated --at-least 20", DATA, "data_mining"),
        ("--survey SUR-1:q1 --answer 5 --people 3/5", {**ASKED, "yes": [5]}, "one_question_survey"),
        ("--yes Works", None, "research_spike"),
    ],
)
def test_each_kind_is_planned_on_the_command_line(
    command_line: Any, plan: Plan, api: Any, monkeypatch: pytest.MonkeyPatch, said: str, measure: Any, method: str
) -> None:
    from types import SimpleNamespace

    from typer.testing import CliRunner

    through = SimpleNamespace(product="sprout", post=lambda path, body: api.post(path, body).ok)
    monkeypatch.setattr("whytree.experiments.early.commands.connect", lambda: through)
    belief = CliRunner().invoke(command_line, ["assumption", "add", "SOL-1", "They would"], catch_exceptions=False)
    assert "ASM-2" in belief.output
    arguments = ["test", "plan", "ASM-2", "Try it", "--cost", "0.5", *said.split()]
    assert "TST-1" in CliRunner().invoke(command_line, arguments, catch_exceptions=False).output
    test = AssumptionTest.objects.get()
    assert (test.measure, test.method, test.cost_days) == (measure, method, 0.5)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"metric": "activated", "at_least": 20, "people": "4/5"}, "A test counts one thing"),
        ({"door": "shown,pressed", "survey": "SUR-1:q1"}, "A test counts one thing"),
        ({"metric": "activated", "at_least": 20, "at_most": 40}, "on one side"),
        ({"flag": "door"}, "belongs to --door"),
        ({"answer": ["5"]}, "belongs to --survey"),
        ({"at_most": 0}, "belongs to --metric"),
    ],
)
def test_nothing_that_was_said_of_a_test_is_dropped_in_silence(said: dict[str, Any], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        plan_test("ASM-1", "Try it", **said)
