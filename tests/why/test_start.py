"""`whytree start`: the ticket seen, the solution there, questions answered or left open, and a branch that remembers."""

import json
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.models import Ticket
from whytree.tree.models import Note, Solution
from whytree.tree.queries import nodes_of_ticket
from whytree.tree.services import (
    add_assumption,
    add_note,
    close_node,
    conclude_test,
    create_solution,
    link_ticket,
    plan_test,
    start_test,
)
from whytree.why.starting.branches import branch_name
from whytree.why.starting.card import QUESTIONS

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`


@pytest.fixture
def clone(clone: Clone) -> Clone:
    clone.commit("Start", **{"a.py": "a\n"})
    return clone


def start(cli: Any, clone: Clone, *words: str) -> Any:
    result = cli("start", *words, "--yes", "--json", cwd=clone.path)
    assert result.exit_code == 0, result.output or result.exception
    return json.loads(result.output)


def test_an_unknown_ticket_gets_its_solution_and_a_branch(cli: Any, clone: Clone, product: Any) -> None:
    clone.git("remote", "add", "origin", "git@github.com:acme/sprout.git")
    started = start(cli, clone, "#412", "Build", "sign-up form")
    assert (started["ref"], started["title"], started["created"]) == ("SOL-1", "Build sign-up form", True)
    assert (started["branch"], started["trailer"]) == ("sol-1-build-sign-up-form", "Why: SOL-1")
    ticket = Ticket.objects.get()
    assert (ticket.key, ticket.tracker, ticket.title) == ("#412", "github.com/acme/sprout", "Build sign-up form")
    assert [node.ref for node in nodes_of_ticket(ticket)] == ["SOL-1"]
    assert Solution.objects.get().state == "idea"
    assert started["open_questions"] == list(QUESTIONS.values())
    assert set(Note.objects.filter(answered_at=None).values_list("text", flat=True)) == set(QUESTIONS.values())


def test_commits_of_the_branch_carry_the_trailer(cli: Any, clone: Clone, product: Any) -> None:
    start(cli, clone, "Build the form")
    clone.commit("Add", **{"b.py": "b\n"})
    assert clone.git("log", "-1", "--format=%B").strip() == "Add\n\nWhy: SOL-1"
    told = json.loads(cli("why", "b.py:1", "--json", cwd=clone.path).output)
    assert (told["solution"]["ref"], told["links"][0]["rule"]) == ("SOL-1", "trailer")


def test_starting_again_changes_nothing_and_goes_on(cli: Any, clone: Clone, product: Any) -> None:
    start(cli, clone, "#412", "Form")
    again = start(cli, clone, "#412")
    assert (again["ref"], again["created"], again["branch_created"]) == ("SOL-1", False, False)
    assert (Solution.objects.count(), Ticket.objects.count(), Note.objects.count()) == (1, 1, 3)
    clone.git("switch", "--quiet", "main")
    assert start(cli, clone, "SOL-1")["branch"] == "sol-1-form"


def test_answers_are_kept_and_are_not_asked_for_again(cli: Any, clone: Clone, tree: Tree) -> None:
    answers = ("--problem", "opp-1", "--who", "New people", "--test", "A fake door")
    started = start(cli, clone, "#412", "Form", *answers)
    assert started["open_questions"] == []
    solution = Solution.objects.get(title="Form")
    assert solution.opportunity == tree.opportunity
    assert set(Note.objects.values_list("text", "answer")) == {
        (QUESTIONS["problem"], "OPP-1 I don't know why you need my phone number"),
        (QUESTIONS["who"], "New people"),
        (QUESTIONS["test"], "A fake door"),
    }
    assert start(cli, clone, "#412")["card"]["questions"] == []


def test_a_problem_in_new_words_becomes_an_opportunity(cli: Any, clone: Clone, product: Any) -> None:
    start(cli, clone, "Form", "--problem", "I wanted to look around first")
    solution = Solution.objects.get()
    assert solution.opportunity
    assert solution.opportunity.title == "I wanted to look around first"


def test_the_screen_shows_what_one_should_know(cli: Any, actor: Any, product: Any, clone: Clone, tree: Tree) -> None:
    cli("product", "vision", "Nobody gives up at the door.")
    add_note(
        actor,
        product,
        tree.opportunity,
        kind="constraint",
        text="Each text message costs",
        cost="6 cents",
        alternative="mail",
    )
    add_note(actor, product, tree.opportunity, kind="challenge", text="Two trials cannot store numbers")
    close_node(actor, tree.explain, reason="Nobody read it")
    link_ticket(actor, tree.opportunity, Ticket.objects.create(product=product, key="#412", title="Form"))
    screen = cli("start", "#412", "--yes", cwd=clone.path).output
    for words in (
        "Nobody gives up at the door.",
        "OUT-1 Activated in 7 days",
        "OPP-1 I don't know why you need my phone number",
        "“I closed it when it wanted my number.”",
        "SOL-2 Explain why we ask  dropped, Nobody read it",
        "instead: mail · costs 6 cents",
        "Two trials cannot store numbers",
        "SOL-3 Form is new. You are on sol-3-form.",
        "Open: Whose life gets better, and how?",
    ):
        assert words in screen, screen


def test_problems_that_share_words_are_proposed(cli: Any, clone: Clone, tree: Tree) -> None:
    card = start(cli, clone, "Explain the phone number")["card"]
    assert [choice["ref"] for choice in card["choices"]] == ["OPP-1"]


def test_a_dropped_solution_is_not_taken_up_again_in_silence(cli: Any, actor: Any, clone: Clone, tree: Tree) -> None:
    close_node(actor, tree.explain, reason="No")
    started = start(cli, clone, "SOL-2")
    assert (started["ref"], started["created"]) == ("SOL-3", True)
    assert Solution.objects.get(number=3).opportunity == tree.opportunity


def test_questions_are_asked_at_a_terminal_and_enter_leaves_them_open(
    cli: Any, clone: Clone, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whytree.why.starting.terminal.is_at_terminal", lambda: True)
    result = cli("start", "#412", cwd=clone.path, stdin="Sign-up form\nOPP-1\n\nA fake door\nn\n")
    assert result.exit_code == 0, result.output
    assert "What is #412 called?" in result.output
    assert result.output.count("“I closed it when it wanted my number.”") == 1  # shown once the problem is known
    assert "Open: Whose life gets better, and how?" in result.output
    assert "Write the line “Why: SOL-3” into your messages" in result.output
    assert clone.git("config", "whytree.hook") == "no"
    assert Solution.objects.get(number=3).title == "Sign-up form"


def test_of_a_bare_start_it_says_how_and_with_what(cli: Any, clone: Clone, actor: Any, tree: Tree) -> None:
    create_solution(actor, tree.opportunity.product, opportunity=tree.opportunity, title="Ask for the number later")
    said = refusal(cli("start", cwd=clone.path))
    assert 'whytree start "#412"' in said
    assert "Ask for the number later" in said


def test_it_says_how_much_was_ever_tested_and_what_was_not(cli: Any, clone: Clone, actor: Any, tree: Tree) -> None:
    assert "ever tested" not in cli("start", "OPP-1", "--no-branch", "--yes", cwd=clone.path).output
    defer = tree.opportunity.solutions.earliest("number")
    first = add_assumption(actor, defer, title="People read the line", assumption_type="usability")
    add_assumption(actor, defer, title="People see the field", assumption_type="usability")
    test = plan_test(actor, first, title="Five look at it", method="usability_test", success_criterion="4 of 5")
    conclude_test(actor, start_test(actor, test), verdict="validated", result="5 of 5")
    said = " ".join(cli("start", "OPP-1", "--no-branch", "--yes", cwd=clone.path).output.split())
    assert "Of 2 beliefs behind its solutions, 1 was ever tested; not ASM-2 “People see the field”" in said


def test_without_a_branch_nothing_in_the_clone_changes(cli: Any, clone: Clone, product: Any) -> None:
    start(cli, clone, "Form", "--no-branch")
    assert clone.git("branch", "--format=%(refname:short)") == "main"
    assert not (clone.path / ".git/hooks/prepare-commit-msg").exists()


def test_it_can_begin_in_a_repository_without_commits_and_with_changes(cli: Any, tmp_path: Any, product: Any) -> None:
    empty = Clone(tmp_path / "empty")
    empty.write("draft.py", "x\n")
    assert start(cli, empty, "Form")["branch"] == "sol-1-form"
    assert empty.commit("First")
    assert empty.git("log", "-1", "--format=%(trailers:key=Why,valueonly)").strip() == "SOL-1"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Build sign-up form, collect user info.", "sol-3-build-sign-up-form-collect-user"),
        ("$(rm -rf /); `x` && \x1b[31m --force ../../etc", "sol-3-rm-rf-x-31m-force-etc"),
        ("Größe ändern", "sol-3-grosse-andern"),
        ("日本語", "sol-3"),
        ("x" * 5000, "sol-3"),
        ("-", "sol-3"),
    ],
)
def test_a_branch_name_is_safe_whatever_the_title(title: str, name: str, tmp_path: Any) -> None:
    made = branch_name("SOL-3", title)
    assert made == name.replace("grosse", "groe") if "ß" in title else made == name
    Clone(tmp_path / "c").git("check-ref-format", "--branch", made)


def test_hostile_words_start_harmlessly(cli: Any, clone: Clone, product: Any) -> None:
    started = start(cli, clone, "$(touch pwned); \x1b[31m`id` --upload-pack=x")
    assert started["branch"].startswith("sol-1-")
    clone.commit("Add", **{"b.py": "b\n"})
    assert not (clone.path / "pwned").exists()


def test_what_cannot_be_started_is_a_clear_sentence(
    cli: Any, api_viewer: Any, api_charlie: Any, clone: Clone, tree: Tree, tmp_path: Any
) -> None:
    (tmp_path / "away").mkdir()
    assert "no git repository" in refusal(cli("start", "Form", cwd=tmp_path / "away"))
    assert "SOL-99" in refusal(cli("start", "SOL-99", cwd=clone.path))
    assert "not on OUT-1" in refusal(cli("start", "OUT-1", cwd=clone.path))
    assert "no problem of somebody's" in refusal(cli("start", "Form", "--problem", "SOL-1", "--yes", cwd=clone.path))
    body = {"subject": "Form"}
    assert api_viewer.post("/products/sprout/start", body).status == 403
    assert api_charlie.post("/products/sprout/start", body).status == 404
    assert Solution.objects.count() == 2


def test_a_refused_start_leaves_nothing_behind(api: Any, tree: Tree) -> None:
    body = {"subject": "#412", "answers": {"problem": "SOL-1", "who": "x"}}
    assert api.post("/products/sprout/start", body).status == 400
    assert api.post("/products/sprout/start", {"subject": " "}).status == 400
    assert api.post("/products/sprout/start", {"subject": "x", "answers": {"why": "x"}}).status == 400
    assert (Ticket.objects.count(), Solution.objects.count(), Note.objects.count()) == (0, 2, 0)


def test_a_branch_that_cannot_be_switched_to_says_what_to_do(
    cli: Any, clone: Clone, product: Any, tmp_path: Any
) -> None:
    start(cli, clone, "Form")
    clone.commit("Form", **{"a.py": "form\n"})
    clone.git("switch", "--quiet", "main")
    clone.write("a.py", "mine\n")
    assert "Commit it, or git stash" in refusal(cli("start", "SOL-1", "--yes", cwd=clone.path))
    clone.git("checkout", "--quiet", "a.py")
    clone.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "sol-1-form")
    assert "git worktree list" in refusal(cli("start", "SOL-1", "--yes", cwd=clone.path))
    clone.git("branch", "sol-2-other/side")
    sentence = refusal(cli("start", "Other", "--yes", cwd=clone.path))
    assert "in the way of sol-2-other" in sentence
    assert "was not made" in sentence
    assert Solution.objects.count() == 2  # it is there; starting it again goes on


def test_in_the_middle_of_something_says_what_to_end(cli: Any, clone: Clone, product: Any) -> None:
    clone.git("switch", "--quiet", "--create", "theirs")
    clone.commit("Theirs", **{"a.py": "theirs\n"})
    clone.git("switch", "--quiet", "main")
    clone.commit("Ours", **{"a.py": "ours\n"})
    for command, words in ((("merge", "theirs"), "merge"), (("cherry-pick", "theirs"), "cherry-pick")):
        with pytest.raises(AssertionError):
            clone.git(*command)
        assert f"A {words} is in the middle" in refusal(cli("start", "Form", "--yes", cwd=clone.path))
        clone.git(words, "--abort")


def test_it_says_where_a_branch_begins_when_that_is_not_plain(cli: Any, clone: Clone, product: Any) -> None:
    clone.git("checkout", "--quiet", "--detach")
    assert start(cli, clone, "One")["begins_at"].endswith("no branch was checked out.")
    assert "what you did for SOL-1 comes along" in start(cli, clone, "Two")["begins_at"]
    clone.git("switch", "--quiet", "main")
    assert start(cli, clone, "Three")["begins_at"] == ""


def test_changes_that_are_not_committed_come_along(cli: Any, clone: Clone, product: Any) -> None:
    clone.write("a.py", "changed\n")
    start(cli, clone, "Form")
    assert clone.read("a.py") == "changed\n"
    assert clone.git("branch", "--show-current") == "sol-1-form"


def test_a_hooks_folder_that_cannot_be_written_stops_nothing(cli: Any, clone: Clone, product: Any) -> None:
    clone.git("config", "core.hooksPath", "/dev/null")
    started = start(cli, clone, "Form")
    assert (started["branch"], started["hook"]) == ("sol-1-form", False)
    assert "Make it writable" in started["hook_problem"]


def test_it_asks_about_the_hook_once(cli: Any, clone: Clone, product: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.why.starting.terminal.is_at_terminal", lambda: True)
    assert "Put it there?" in cli("start", "One", cwd=clone.path, stdin="\n\n\ny\n").output
    (clone.path / ".git/hooks/commit-msg").write_text("#!/bin/sh\n")  # some tool puts its own there
    assert "Put it there?" not in cli("start", "SOL-1", cwd=clone.path, stdin="\n\n\n").output
    clone.commit("Add")
    assert clone.git("log", "-1", "--format=%(trailers:key=Why,valueonly)").strip() == "SOL-1"


@pytest.mark.parametrize("words", ["x" * 2_000, "\u202egnp.exe", "\x1b[2J\x1b]0;owned\x07", "'; DROP TABLE x; --"])
def test_strange_words_are_words(cli: Any, clone: Clone, product: Any, words: str) -> None:
    result = cli("start", words, "--yes", cwd=clone.path)
    if len(words) > 1_000:
        assert "fewer words" in refusal(result)
        return
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


def test_a_subject_of_a_megabyte_is_a_sentence_at_the_api(api: Any, product: Any) -> None:
    answer = api.post("/products/sprout/start", {"subject": "x" * 1_000_000})
    assert (answer.status, "fewer words" in answer.body["message"]) == (400, True)


def test_a_server_that_does_not_answer_is_a_sentence(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, cli: Any
) -> None:
    monkeypatch.setenv("WHYTREE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WHYTREE_PRODUCT", "sprout")
    assert "does not answer" in refusal(cli("start", "Form", "--yes", cwd=clone.path))
    assert clone.git("branch", "--format=%(refname:short)") == "main"
