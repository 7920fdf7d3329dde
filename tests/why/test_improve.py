"""`whytree improve`: what is known of a place, looking forward. Only facts; where there are none it says what would help."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils import timezone

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.models import Ticket
from whytree.flags.services import create_flag, open_flag
from whytree.learning.models import OutcomeReview
from whytree.learning.reviews.results import ArmValue, Contrast, Figure, Forecast, Guardrail, Result, as_json
from whytree.tree import services
from whytree.tree.models import Solution
from whytree.voice.models import FeedbackItem

pytestmark = pytest.mark.slow  # real clones

PATH = "app/form.py"


@pytest.fixture
def shown(cli: Any, clone: Clone, tree: Tree) -> Clone:
    """Four lines for SOL-1, two for nothing."""
    clone.commit("Defer\n\nWhy: SOL-1", **{PATH: "a\nb\nc\nd\n", "lib/x.py": "x\n"})
    clone.commit("More", **{PATH: "a\nb\nc\nd\ne\nf\n"})
    cli("repository", "add", str(clone.path))
    return clone


def improve(cli: Any, clone: Clone, place: str) -> Any:
    result = cli("improve", place, "--json", cwd=clone.path)
    assert result.exit_code == 0, result.output or result.exception
    return json.loads(result.output)


def test_a_file_leads_to_the_people_who_struggle_there(cli: Any, shown: Clone, tree: Tree) -> None:
    ahead = improve(cli, shown, PATH)
    assert [(one["ref"], one["lines"], one["provenance"]) for one in ahead["solutions"]] == [("SOL-1", 4, "stated")]
    assert (ahead["lines"], ahead["unexplained"]) == (6, 2)
    (struggle,) = ahead["struggles"]
    assert (struggle["ref"], struggle["people"]) == ("OPP-1", 1)
    assert struggle["voices"][0]["quote"] == "I closed it when it wanted my number."
    assert ahead["sentence"].startswith("One person speaks of “I don't know why you need my phone number”.")
    assert (
        ahead["helps"][0]
        == "2 of 6 lines are unexplained. See which: whytree why app/form.py; then name one line with --tell."
    )


def test_lines_folders_and_the_whole_clone_can_be_asked_about(cli: Any, shown: Clone, tree: Tree) -> None:
    assert improve(cli, shown, f"{PATH}:5-6")["solutions"] == []
    assert improve(cli, shown, f"{PATH}:4-6")["solutions"][0]["lines"] == 1
    assert improve(cli, shown, "app")["lines"] == 6
    assert improve(cli, shown, ".")["solutions"][0]["lines"] == 5
    assert "No file below docs is" in refusal(cli("improve", "docs/", cwd=shown.path))


def test_a_function_can_be_asked_about_too(api: Any, cli: Any, shown: Clone) -> None:
    shown.commit("Ask\n\nWhy: SOL-1", **{"app/ask.py": "x = 1\n\n\ndef ask():\n    return x\n"})
    assert improve(cli, shown, "app/ask.py::ask")["lines"] == 2
    cli("repository", "sync", str(shown.path))
    answer = api.get("/products/sprout/improve?ref=app/ask.py::ask")
    assert (answer.status, "was not sent" in answer.body["message"]) == (400, True)


def test_the_server_answers_without_a_clone_as_of_the_last_reading(api: Any, shown: Clone) -> None:
    assert api.get(f"/products/sprout/improve?ref={PATH}:4-6").ok["solutions"][0]["lines"] == 1
    assert api.get(f"/products/sprout/improve?ref={shown.head[:8]}").ok["solutions"] == []
    answer = api.get(f"/products/sprout/improve?ref={PATH}:99")
    assert (answer.status, "there is no line 99" in answer.body["message"]) == (400, True)


def test_questions_challenges_and_constraints_stand_there(
    cli: Any, actor: Any, product: Any, shown: Clone, tree: Tree
) -> None:
    services.add_note(actor, product, tree.defer, kind="question", text="Who books without a number?")
    services.add_note(actor, product, tree.opportunity, kind="challenge", text="Two trials forbid numbers")
    services.add_note(
        actor, product, tree.defer, kind="constraint", text="Texts cost", cost="6 cents", alternative="mail"
    )
    services.add_note(actor, product, tree.explain, kind="question", text="Elsewhere")
    remarks = improve(cli, shown, PATH)["remarks"]
    assert [(one["kind"], one["node"]) for one in remarks] == [
        ("challenge", "OPP-1"),
        ("question", "SOL-1"),
        ("constraint", "SOL-1"),
    ]


def test_the_cheapest_test_is_one_that_runs_then_one_that_is_planned_then_what_matters_most(
    cli: Any, actor: Any, shown: Clone, tree: Tree
) -> None:
    assert "Ask one person about OPP-1" in improve(cli, shown, "SOL-1")["next"]
    low = services.add_assumption(actor, tree.defer, title="Texts arrive", assumption_type="feasibility", importance=2)
    high = services.add_assumption(actor, tree.defer, title="People come back", importance=5)
    ahead = improve(cli, shown, "SOL-1")
    assert [one["ref"] for one in ahead["untested"]] == [high.ref, low.ref]
    assert ahead["next"].startswith("ASM-2 “People come back” matters most (5 of 5) and is untested: a fake door")
    services.plan_test(actor, high, title="Try", method="experiment")
    door = services.plan_test(actor, low, title="Door", method="fake_door", success_criterion="9 of 10")
    assert (
        improve(cli, shown, "SOL-1")["next"] == "TST-2 is planned and not started: a fake door on ASM-1 “Texts arrive”."
    )
    services.start_test(actor, door)
    assert improve(cli, shown, "SOL-1")["next"].startswith("TST-2 runs: write its verdict when “9 of 10”")
    services.conclude_test(actor, door, verdict="validated", result="10 of 10")
    assert [one["ref"] for one in improve(cli, shown, "SOL-1")["untested"]] == [high.ref]


@pytest.fixture
def hypothesis(actor: Any, tree: Tree) -> Any:
    return services.create_hypothesis(
        actor,
        tree.defer,
        change="later",
        who="new people",
        behaviour="finish",
        metric_key="activated",
        forecast_low=1.0,
        forecast_likely=2.0,
        forecast_high=3.0,
        guardrails=[{"metric_key": "spam", "direction": "up", "margin": 3.0}],
    )


def filled(rails: list[Guardrail]) -> dict[str, Any]:
    now = timezone.now()
    figure = Figure(value=2.0, low=1.0, high=3.0, n=100, method="x")
    contrast = Contrast(metric_key="activated", metric_name="Activated", unit="%", difference_unit="pp", window_days=7,
                        control=ArmValue(variant="off", value=1.0, n=50), treatment=ArmValue(variant="on", value=3.0, n=50),
                        difference=figure)  # fmt: skip
    forecast = Forecast(low=1.0, likely=2.0, high=3.0, unit="pp", measured=figure, holds=True)
    return as_json(
        Result(
            state="measured",
            as_of=now,
            opened_at=now,
            due_at=now,
            flag_key="f",
            forecast=forecast,
            contrast=contrast,
            guardrails=rails,
        )
    )


def rail(name: str, verdict: Any, value: float | None, direction: Any = "up", margin: float = 3.0) -> Guardrail:
    figure = None if value is None else Figure(value=value, low=value - 0.5, high=value + 0.5, n=100, method="x")
    contrast = Contrast(
        metric_key=name, metric_name=name, unit="%", difference_unit="pp", window_days=7, difference=figure
    )
    return Guardrail(direction=direction, margin=margin, verdict=verdict, contrast=contrast)


def test_guardrails_that_broke_or_came_near_are_named(
    cli: Any, actor: Any, product: Any, shown: Clone, tree: Tree, hypothesis: Any
) -> None:
    rails = [
        rail("near", "held", 1.6),
        rail("far", "held", 0.4),
        rail("good", "held", -2.0),
        rail("falls", "held", -1.6, direction="down"),
        rail("broken", "harmed", 4.0),
        rail("unknown", "open", None),
    ]
    OutcomeReview.objects.create(
        product=product,
        number=1,
        hypothesis=hypothesis,
        due_at=timezone.now() + timedelta(days=3),
        filled=filled(rails),
    )
    guards = {one["metric"]: one["state"] for one in improve(cli, shown, PATH)["guards"]}
    assert guards == {"near": "near", "falls": "near", "broken": "harmed", "unknown": "open"}


def test_changes_that_nobody_measured_are_named(
    cli: Any, actor: Any, product: Any, shown: Clone, tree: Tree, hypothesis: Any
) -> None:
    assert improve(cli, shown, PATH)["unmeasured"] == []  # nobody has it yet
    Solution.objects.filter(pk=tree.defer.pk).update(state="live")
    assert improve(cli, shown, PATH)["unmeasured"][0]["reason"] == "people have it, and no review is planned"
    review = OutcomeReview.objects.create(product=product, number=1, hypothesis=hypothesis, due_at=timezone.now())
    assert improve(cli, shown, PATH)["unmeasured"][0]["reason"] == "its review wants a verdict"
    OutcomeReview.objects.filter(pk=review.pk).update(due_at=timezone.now() + timedelta(days=3))
    assert improve(cli, shown, PATH)["unmeasured"] == []


@pytest.mark.parametrize(
    ("state", "age", "weights", "spent"),
    [
        ("kept", 40, {"on": 1, "off": 0}, "everybody gets on"),
        ("kept", 5, {"on": 1, "off": 0}, ""),
        ("kept", 40, {"on": 1, "off": 1}, ""),
        ("live", 40, {"on": 1, "off": 0}, ""),
        ("rolled_back", 40, {"on": 1, "off": 1}, "SOL-1 was rolled back"),
    ],
)
def test_a_flag_could_go_once_its_solution_is_decided_and_everybody_gets_the_same(
    api: Any, actor: Any, product: Any, tree: Tree, state: str, age: int, weights: dict[str, int], spent: str
) -> None:
    at = timezone.now() - timedelta(days=age)
    create_flag(actor, product, key="later", solution=tree.defer, at=at)
    open_flag(actor, product, "later", weights=weights, at=at)
    Solution.objects.filter(pk=tree.defer.pk).update(state=state)
    found = api.get("/products/sprout/improve?ref=flag:later").ok["spent"]
    assert [one["reason"] for one in found] == ([spent] if spent else [])


def test_a_page_of_the_product_leads_to_what_was_said_there(
    cli: Any, actor: Any, product: Any, shown: Clone, tree: Tree
) -> None:
    for number, url in enumerate(
        ("https://app.example.org/signup?x=1", "https://app.example.org/signup/", "/signups"), 1
    ):
        FeedbackItem.objects.create(
            product=product, number=number, source_type="widget", submission_id=str(number), text="Words", url=url,
            said_at=timezone.now(), content_hash=str(number),
        )  # fmt: skip
    services.link_evidence(
        actor, product, tree.opportunity, quote="Words", source_kind="feedback", source_id="FB-1",
        evidence_type="anecdotal", said_at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    for place in ("/signup", "https://app.example.org/signup"):
        ahead = improve(cli, shown, place)
        assert ([one["ref"] for one in ahead["struggles"]], ahead["unread"], ahead["ref"]) == (["OPP-1"], 2, "/signup")
    nothing = improve(cli, shown, "/nowhere")
    assert nothing["sentence"] == "Nothing is known here yet that could be better."
    assert "address" in nothing["helps"][0]


def test_where_nothing_is_known_it_says_so_and_what_would_help(
    cli: Any, actor: Any, product: Any, clone: Clone
) -> None:
    clone.commit("Start", **{"a.py": "a\n"})
    screen = cli("improve", "a.py:1", cwd=clone.path).output
    assert "Nothing is known here yet that could be better." in screen
    assert "Say what this line is for: whytree why a.py:1 --tell" in screen
    Ticket.objects.create(product=product, key="#412", title="Form")
    assert "whytree start" in cli("improve", "#412", cwd=clone.path).output


def test_the_screen_shows_it_all_and_obeys_nothing(
    cli: Any, actor: Any, product: Any, shown: Clone, tree: Tree
) -> None:
    services.add_note(actor, product, tree.defer, kind="challenge", text="\x1b[2J\x1b]0;owned\x07 Who is it for?")
    screen = cli("improve", PATH, cwd=shown.path).output
    for words in ("struggle", "“I closed it when it wanted my number.”", "Who is it for?", "SOL-1 Defer phone number"):
        assert words in screen, screen
    assert "\x1b" not in screen


@pytest.mark.parametrize(
    "typed", ["", "what is this", "SOL-99", "flag:nothing", "#999", "x" * 300, "\x00", "a.py:9-1000000"]
)
def test_what_cannot_be_asked_about_is_a_clear_sentence(
    cli: Any, api: Any, shown: Clone, tree: Tree, typed: str
) -> None:
    assert refusal(cli("improve", typed, cwd=shown.path))
    answer = api.post("/products/sprout/improve", {"ref": typed})
    assert answer.status in {400, 404}, answer.body
    assert answer.body["message"]


def test_the_page_says_the_same_beside_why(as_alice: Any, shown: Clone, tree: Tree) -> None:
    text = as_alice.get("/p/sprout/improve", {"q": PATH}).content.decode()
    for words in ("Who struggles here", "I closed it when it wanted my number.", "6 lines, 2 of them unexplained"):
        assert words in text, words
    assert f'href="/p/sprout/why?q={PATH.replace("/", "%2F")}"' in text
    assert "/p/sprout/improve?q=" in as_alice.get("/p/sprout/why", {"q": PATH}).content.decode()
    text = as_alice.get("/p/sprout/improve").content.decode()
    assert "What would you like to make better?" in text
    examples = re.findall(r'href="(/p/sprout/improve\?q=[^"]+)"', text)
    assert [unquote(one).partition("=")[2] for one in examples] == ["app/", "OPP-1"]
    assert [as_alice.get(one).status_code for one in examples] == [200, 200]
    assert as_alice.get("/p/sprout/improve", {"q": "SOL-99"}).status_code == 404


def test_readers_may_ask_and_outsiders_find_nothing(
    as_charlie: Any, as_viewer: Any, api_viewer: Any, api_charlie: Any, tree: Tree
) -> None:
    path = "/products/sprout/improve?ref=SOL-1"
    assert (api_viewer.get(path).status, api_charlie.get(path).status) == (200, 404)
    assert as_viewer.get("/p/sprout/improve", {"q": "SOL-1"}).status_code == 200
    assert as_charlie.get("/p/sprout/improve", {"q": "SOL-1"}).status_code == 404


def test_lines_that_only_name_tickets_are_not_called_unexplained(cli: Any, clone: Clone, product: Any) -> None:
    clone.git("remote", "add", "origin", "https://github.com/acme/sprout.git")
    clone.commit("Ask later\n\nFixes #38", **{PATH: "a\nb\nc\n"})
    clone.commit("More", **{PATH: "a\nb\nc\nd\n"})
    cli("repository", "add", str(clone.path))
    Ticket.objects.filter(product=product, key="#38").update(title="Do not ask at once")
    ahead = improve(cli, clone, PATH)
    assert (ahead["lines"], ahead["named"], ahead["unexplained"]) == (4, 3, 1)
    assert ahead["sentence"].startswith("3 of 4 lines were written for #38. Nobody has said")
    assert ahead["helps"][0] == 'Tie #38 to what it should change: whytree start "#38"'
    assert "#38 Do not ask at once  3 lines, tied to no solution" in cli("improve", PATH, cwd=clone.path).output
    assert improve(cli, clone, ".")["named"] == 3


def test_a_change_that_is_not_committed_leads_to_those_whose_lines_it_touches(
    cli: Any, shown: Clone, tree: Tree
) -> None:
    assert "No line that was there" in refusal(cli("improve", "diff", cwd=shown.path))
    shown.write(PATH, "a\nB\nc\ne\nf\n")  # b is changed, d taken out; both came with SOL-1
    shown.write("new.py", "not there before\n")
    told = improve(cli, shown, "diff")
    assert (told["ref"], told["lines"], told["solutions"][0]["ref"]) == ("diff:HEAD", 2, "SOL-1")
    assert told["struggles"][0]["people"] == 1
    shown.git("switch", "--quiet", "--create", "topic")
    shown.commit("Topic")
    assert "No line" in refusal(cli("improve", "diff", cwd=shown.path))
    assert improve(cli, shown, "diff:main")["lines"] == 2
    assert "is no revision here" in refusal(cli("improve", "diff:--output=x", cwd=shown.path))
    shown.write("diff", "a file of that name\n")
    assert "not committed yet" in refusal(cli("improve", "diff", cwd=shown.path))
