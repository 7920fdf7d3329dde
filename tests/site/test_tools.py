"""What each tool says, through the REST API, in a clone."""

# Fixtures of three rooms are used here: pytest finds them by their names in this module.
# ruff: noqa: F401, F811

from pathlib import Path
from typing import Any

import pytest

from tests.analytics.conftest import activated, five_sign_up_three_plant
from tests.code.conftest import cli, clone
from tests.code.repositories import Clone
from tests.why.conftest import Tree, tree
from whytree.site.mcp import all_tools
from whytree.site.mcp.protocol import Server, answer
from whytree.workspace.terminal.client import connect
from whytree.workspace.terminal.tooling import AGENT, Desk


@pytest.fixture
def use(cli: Any, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`use("why", ref="a.py:1")` in the clone: whether it was refused, what it said, and the same as data."""
    clone.commit("Add\n\nWhy: SOL-1", **{"app/form.py": "phone\n"})
    monkeypatch.chdir(clone.path)

    def run(name: str, **arguments: Any) -> tuple[bool, str, Any]:
        server = Server(
            all_tools(), lambda found, asked: found.run(Desk(connect(via="mcp"), clone.path.resolve()), asked)
        )
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        told = (answer(server, message) or {})["result"]
        return told["isError"], told["content"][0]["text"], told.get("structuredContent", {}).get("answer")

    return run


def test_why_walks_from_a_line_of_the_clone_to_the_people_and_says_how(use: Any, tree: Tree) -> None:
    refused, says, data = use("why", ref="app/form.py:1")
    assert not refused
    for words in (
        "[stated: trailer]",
        "solution: SOL-1 Defer phone number",
        "“I closed it when it wanted my number.”",
        "outcome: OUT-1 Activated in 7 days",
        "links: every link stated",
    ):
        assert words in says, says
    assert data["links"][0]["rule"] == "trailer"


def test_the_command_line_finds_by_the_same_words(cli: Any, tree: Tree) -> None:
    assert cli("search", "phone", "number").output.startswith("OPP-1        opportunity  I don't know why")
    assert "Try fewer" in cli("search", "unheard of").output


def test_nothing_beside_the_clone_is_read(use: Any, tmp_path: Path, tree: Tree) -> None:
    other = Clone(tmp_path / "private")
    other.commit("Secret plans", **{"plan.txt": "the plan\n"})
    for name, field in (("why", "ref"), ("improve", "place")):
        for place in (f"{other.path}/plan.txt:1", "../private/plan.txt", "../private/plan.txt::plan", f"{other.path}"):
            refused, says, _ = use(name, **{field: place})
            assert (refused, says.split(":")[0]) == (True, "Only what is in this clone can be asked about")


def test_what_reads_changes_nothing_and_answers_a_viewer(
    use: Any,
    tree: Tree,
    api_viewer: Any,
    monkeypatch: pytest.MonkeyPatch,
    activated: Any,
    five_sign_up_three_plant: None,
) -> None:
    from whytree.workspace.models import Activity

    monkeypatch.setenv("WHYTREE_TOKEN", api_viewer.token)
    funnel = {"kind": "funnel", "steps": ["signed_up", "planted"], "days": 28}
    questions: list[tuple[str, dict[str, Any], str]] = [
        ("improve", {"place": "app/form.py"}, "One person speaks of"),
        ("start_card", {"subject": "OPP-1"}, "I don't know why you need my phone number"),
        ("search", {"words": "phone"}, "OPP-1"),
        ("load_tree", {}, "  OPP-1 I don't know why you need my phone number · 1 heard"),
        ("tree_diff", {"since": "2026-01-01"}, "SOL-1 Defer phone number\n  new idea"),
        ("evidence_of", {"node": "opp-1"}, "supports: “I closed it when it wanted my number.”  anecdotal · 2026-03-02"),
        ("list_past_effects", {"metric": "activated_7d"}, "Nothing was measured on activated_7d yet"),
        ("ask", {}, "signed_up: 6 times, 6 people"),
        ("ask", {"question": funnel}, "n = 6"),
        ("measure_metric", {}, "activated_7d: Activated in 7 days"),
        ("measure_metric", {"key": "activated_7d"}, "95 %: 23.1 to 88.2, n = 5 people"),
    ]
    assert {name for name, _, _ in questions} | {"why"} == {one.name for one in all_tools().values() if not one.writes}
    before = Activity.objects.count()
    for name, arguments, words in questions:
        refused, says, _ = use(name, **arguments)
        assert not refused, says
        assert words in says, says
    assert Activity.objects.count() == before


def test_what_is_hostile_or_wrong_is_refused_with_a_sentence(use: Any, store: Any) -> None:
    questions: list[tuple[str, dict[str, Any], str]] = [
        ("ask", {"question": {"kind": "divination"}}, "divination"),
        ("ask", {"question": {"kind": "funnel", "steps": ["x"] * 500}}, "steps"),
        ("ask", {"kept": "../../me"}, "There is no"),
        ("ask", {"kept": ".."}, "names nothing"),
        ("measure_metric", {"key": "a/../../me"}, "There is no"),
        ("evidence_of", {"node": "OPP-1/../../me"}, "regex"),
        ("tree_diff", {"since": "2026-13-45"}, "is no day"),
        ("why", {"ref": "\0"}, "Nothing to ask about"),
        ("search", {"words": "x" * 401}, "length <= 400"),
    ]
    for name, arguments, says in questions:
        refused, told, _ = use(name, **arguments)
        assert refused
        assert says in told, told


def test_what_an_agent_adds_says_so_and_replaces_nobodys_words(use: Any, tree: Tree) -> None:
    from whytree.tree.models import EvidenceLink

    mine = {
        "node": "OPP-1",
        "statement": "Three of four forms do without.",
        "evidence_type": "anecdotal",
        "stance": "supports",
    }
    refused, says, _ = use("link_evidence", url="https://example.org/reviews/7", **mine)
    assert refused
    assert "What was said of it stays" in says
    for statement in ("Three of four forms do without.", "Four of five do."):
        refused, says, data = use("link_evidence", url="https://example.org/forms", **mine | {"statement": statement})
        assert not refused, says
        assert (data["evidence"]["provenance"], data["evidence"]["rule"]) == ("inferred", AGENT)
    assert EvidenceLink.objects.get(source_id="https://example.org/forms").statement == "Four of five do."
    assert EvidenceLink.objects.get(source_id="https://example.org/reviews/7").quote.startswith("I closed it")
    assert use("link_evidence", url="javascript:alert(1)", **mine)[0]
    assert use("link_evidence", url="https://example.org/t", **mine | {"evidence_type": "test_results"})[0]
    assert "[inferred: an agent over MCP]" in use("evidence_of", node="OPP-1")[1]


def test_a_prediction_is_written_down_as_a_range(use: Any, tree: Tree) -> None:
    guess = {"solution": "SOL-1", "change": "The number is asked later", "metric": "activated_7d", "low": 1, "high": 7}
    refused, says, _ = use("create_hypothesis", **guess, likely=4)
    assert (refused, says.splitlines()[0]) == (False, "HYP-1 The number is asked later under SOL-1")
    assert use("create_hypothesis", **guess, likely=9)[0]
