"""Every link rule on a real repository, from the commit to the answer: the right solution, or none."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import FORM, Clone
from tests.why.conftest import Tree, tie_tickets
from whytree.code.models import Ticket
from whytree.code.queries import find_commit
from whytree.errors import Invalid
from whytree.flags.services import create_flag
from whytree.tree.services import link_ticket
from whytree.why.answering.sentences import headline
from whytree.why.coverage.answer import coverage
from whytree.why.queries import Ask, explain
from whytree.why.refs import CommitRef, parse_ref

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATH = "app/form.py"


@pytest.fixture
def tickets(actor: Any, product: Any, tree: Tree) -> None:
    tie_tickets(actor, product, tree)


@pytest.fixture
def flag(actor: Any, product: Any, tree: Tree) -> None:
    create_flag(actor, product, key="defer_phone", solution=tree.defer)


def read(cli: Any, clone: Clone) -> None:
    result = cli("repository", "add", str(clone.path))
    assert result.exit_code == 0, result.output or result.exception


def ask(product: Any, ref: str) -> Any:
    return explain(product, Ask(parse_ref(ref)))


def story(clone: Clone) -> dict[str, str]:
    """One line a rule: words in a file -> the commit that wrote them."""
    clone.commit("Start", **{PATH: FORM})
    said: dict[str, str] = {}

    def change(words: str, message: str, text: str = "") -> None:
        path = f"{words}.py"
        said[words] = clone.commit(message, **{path: f"{text or words} = 1\n"})

    change("trailer", "Defer phone\n\nWhy: SOL-1")
    change("noted", "Defer phone")
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: SOL-2")
    change("closing", "Build the form\n\nFixes #412")
    change("key", "ABC-12 Build the form")
    change("squash", "Explain (#77)")
    change("flagged", "Try it", "on('defer_phone')")
    change("several", "Both (#77)\n\nWhy: SOL-1\nWhy: OPP-1")
    change("ambiguous", "Fixes #500")
    change("unlinked", "Fixes #9")
    change("plain", "Just so")
    change("typo", "Form\n\nWhy: SOL-99")
    change("mention", "Unlike #412, do it well")
    change("undone", "Ask for it\n\nWhy: SOL-1")
    clone.git("revert", "--no-edit", "HEAD")
    clone.git("revert", "--no-edit", "HEAD")
    said["reverted"] = clone.head
    clone.git("switch", "--quiet", "--create", "ana/sol-2-explain")
    change("branched", "Explain it")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'ana/sol-2-explain'", "ana/sol-2-explain")
    clone.git("switch", "--quiet", "--create", "topic")
    change("requested", "Say why")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge pull request #77 from ana/topic", "topic")
    return said


EXPECTED = {
    "trailer": ("SOL-1", "stated", "trailer"),
    "noted": ("SOL-2", "stated", "git note"),
    "closing": ("SOL-1", "inferred: closing keyword", "closing keyword"),
    "key": ("SOL-1", "inferred: ticket key", "ticket key"),
    "squash": ("SOL-2", "inferred: pull request", "pull request"),
    "flagged": ("SOL-1", "inferred: flag in diff", "flag in diff"),
    "several": ("SOL-1", "stated", "trailer"),
    "branched": ("SOL-2", "inferred: branch name", "branch name"),
    "requested": ("SOL-2", "inferred: pull request", "pull request"),
}
UNEXPLAINED = ("ambiguous", "unlinked", "plain", "typo", "mention", "reverted")


def test_each_rule_names_itself_and_nothing_is_linked_wrongly(
    cli: Any, product: Any, tree: Tree, tickets: None, flag: None, clone: Clone
) -> None:
    said = story(clone)
    read(cli, clone)
    for words, (solution, provenance, rule) in EXPECTED.items():
        answer = ask(product, f"{words}.py:1")
        assert answer.explained, words
        assert answer.commit.sha == said[words]
        assert answer.solution.ref == solution, words
        assert (answer.links[0]["provenance"], answer.links[0]["rule"]) == (provenance, rule), words
    for words in UNEXPLAINED:
        answer = explain(product, Ask(CommitRef(said[words])))
        assert not answer.explained, words
        assert answer.solution is None
        assert answer.sentence
    _what_the_unexplained_say(product, said)
    _lines_and_commits_agree(cli, product, clone, said)


def _what_the_unexplained_say(product: Any, said: dict[str, str]) -> None:
    ambiguous = ask(product, said["ambiguous"])
    assert "points to several (SOL-1, SOL-2)" in ambiguous.notes[0]
    unlinked = ask(product, said["unlinked"])
    assert (unlinked.ticket.key, unlinked.links[0]["rule"]) == ("#9", "closing keyword")
    assert 'whytree start "#9"' in unlinked.next[0]
    assert "SOL-99" in ask(product, said["typo"]).notes[0]
    assert "brought back" in ask(product, said["reverted"]).notes[0]
    assert "--tell" in ask(product, said["plain"]).next[0]


def _lines_and_commits_agree(cli: Any, product: Any, clone: Clone, said: dict[str, str]) -> None:
    """The clone's answer, the page's and the commit's are one and the same."""
    import json

    for words in ("noted", "squash", "branched", "plain"):
        here = json.loads(cli("why", f"{words}.py:1", "--json", cwd=clone.path).output)
        there = ask(product, f"{words}.py:1")
        by_commit = explain(product, Ask(CommitRef(said[words])))
        assert here["explained"] == there.explained == by_commit.explained
        assert here["links"] == list(there.links) == list(by_commit.links)


def test_lines_of_one_range_are_told_apart(cli: Any, product: Any, tree: Tree, clone: Clone) -> None:
    clone.commit("Start", **{"a.py": "one = 1\ntwo = 2\n"})
    clone.commit("Three\n\nWhy: SOL-2", **{"a.py": "one = 1\ntwo = 2\nthree = 3\n"})
    read(cli, clone)
    answer = ask(product, "a.py:1-3")
    assert answer.solution.ref == "SOL-2"  # the explained one is the answer, though it wrote less
    assert [(other.lines, other.title, other.leads_to) for other in answer.others] == [("1–2", "Start", "")]


def test_another_repositorys_ticket_number_is_never_taken(
    cli: Any, actor: Any, product: Any, tree: Tree, tmp_path: Path
) -> None:
    ours, theirs = Clone(tmp_path / "ours"), Clone(tmp_path / "theirs")
    for one in (ours, theirs):
        one.git("remote", "add", "origin", f"git@github.com:acme/{one.path.name}.git")
        one.commit(f"Form of {one.path.name}\n\nFixes #412", **{"a.py": f"{one.path.name}\n"})
        read(cli, one)
    ticket = Ticket.objects.get(tracker="github.com/acme/ours", key="#412")
    link_ticket(actor, tree.defer, ticket)
    assert ask(product, "ours:a.py:1").explained
    assert not ask(product, "theirs:a.py:1").explained
    by_ticket = ask(product, "acme/ours#412")
    assert (by_ticket.commit.subject, by_ticket.others) == ("Form of ours", ())
    with pytest.raises(Invalid, match=r"acme/\w+#412, acme/\w+#412"):
        ask(product, "#412")


def test_a_ticket_of_no_known_tracker_decides_nothing_among_two_repositories(
    cli: Any, product: Any, tree: Tree, tickets: None, tmp_path: Path
) -> None:
    first = Clone(tmp_path / "first")
    first.git("remote", "add", "origin", "git@github.com:acme/first.git")
    sha = first.commit("Form\n\nFixes #412", **{"a.py": "a\n"})
    read(cli, first)
    assert ask(product, sha).explained
    second = Clone(tmp_path / "second")
    second.git("remote", "add", "origin", "git@github.com:acme/second.git")
    second.commit("Else", **{"b.py": "b\n"})
    read(cli, second)
    assert not ask(product, sha).explained


def test_two_repositories_without_a_remote_do_not_share_their_numbers(
    cli: Any, product: Any, tree: Tree, tickets: None, tmp_path: Path
) -> None:
    first, second = Clone(tmp_path / "first"), Clone(tmp_path / "second")
    sha = first.commit("Form\n\nFixes #412", **{"a.py": "a\n"})
    read(cli, first)
    assert ask(product, sha).explained
    other = second.commit("Something else\n\nFixes #412", **{"b.py": "b\n"})
    read(cli, second)
    assert not ask(product, other).explained
    assert not ask(product, sha).explained


def test_a_link_made_later_explains_what_was_read_before(
    cli: Any, actor: Any, product: Any, tree: Tree, clone: Clone
) -> None:
    sha = clone.commit("Form\n\nFixes #31", **{"a.py": "a\n"})
    read(cli, clone)
    assert not ask(product, sha).explained
    link_ticket(actor, tree.defer, Ticket.objects.get(key="#31"))
    assert ask(product, sha).solution.ref == "SOL-1"
    assert find_commit(product, sha[:8]).sha == sha


def test_the_share_of_explained_lines_is_counted_by_rule(cli: Any, api: Any, tree: Tree, clone: Clone) -> None:
    clone.commit("Start", **{"a.py": "1\n2\n3\n"})
    clone.commit("Trailer\n\nWhy: SOL-1", **{"b.py": "1\n2\n"})
    clone.commit("Branch", **{"c.py": "1\n"})
    clone.git("notes", "--ref=whytree", "add", "-m", "OPP-1")
    read(cli, clone)
    share = api.get("/products/sprout/why/share?repository=sprout-app").ok
    assert share == {
        "repository": "sprout-app",
        "commits": 3,
        "linked_commits": 2,
        "lines": 6,
        "explained_lines": 3,
        "by_rule": {"trailer": 2, "git note": 1},
    }
    assert api.get("/products/sprout/why/share?repository=none").status == 404


def test_another_projects_ticket_that_is_only_referred_to_is_not_named(cli: Any, product: Any, clone: Clone) -> None:
    clone.git("remote", "add", "origin", "https://github.com/acme/sprout.git")
    clone.commit("Start", **{PATH: FORM})
    shas = [
        clone.commit("Work around it\n\nRefs press/paper#3921", **{"a.py": "a = 1\n"}),
        clone.commit("Say it there too\n\nRefs acme/site#5", **{"b.py": "b = 1\n"}),
    ]
    unread = [cli("why", line, "--json", cwd=clone.path) for line in ("a.py:1", "b.py:1")]
    assert [result.exit_code for result in unread] == [0, 0]
    assert json.loads(unread[0].output)["ticket"] is None
    read(cli, clone)
    tickets = [explain(product, Ask(CommitRef(sha))).ticket for sha in shas]
    assert [ticket and ticket.key for ticket in tickets] == [None, "acme/site#5"]
    assert not Ticket.objects.filter(key="#3921").exists()


def test_a_ticket_of_a_sister_repository_is_spelled_with_its_name(cli: Any, product: Any, clone: Clone) -> None:
    clone.git("remote", "add", "origin", "https://github.com/acme/ours.git")
    ours = clone.commit("Fix it\n\nFixes #7", **{"a.py": "a = 1\n"})
    theirs = clone.commit("Fix it\n\nFixes acme/site#7", **{"b.py": "b = 1\n"})
    read(cli, clone)
    for sha, key in ((ours, "#7"), (theirs, "acme/site#7")):
        why = ask(product, sha)
        assert why.ticket.key == key
        assert [(one["from"], one["to"]) for one in why.links] == [(sha[:7], key)]
        assert headline(why).startswith(f"Its commit names {key}, whose words are not known here.")


def test_a_commit_that_sums_up_many_tickets_is_for_none_of_them_in_coverage_either(
    cli: Any, product: Any, clone: Clone
) -> None:
    sha = clone.commit("Release 2\n\nFixes #1, #2, #3 and #4.", **{"a.py": "a = 1\n"})
    read(cli, clone)
    assert ask(product, sha).ticket is None
    assert coverage(product).total.by_rung["unexplained"] == 1
