"""What a tracker knows of pull requests: the commit each became, and the ticket that the commit does not name."""

from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.models import Commit, CommitKey, Ticket
from whytree.code.trackers.requests import RequestFacts, import_pull_requests
from whytree.code.trackers.tickets import TicketFacts, see_ticket
from whytree.engines.links.tickets import TicketRef
from whytree.errors import Forbidden, Invalid
from whytree.tree.services import link_ticket
from whytree.why.answering.reasons import tell_why
from whytree.why.queries import Ask, explain
from whytree.why.refs import CommitRef, parse_ref

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

HOME = "github.com/acme/sprout"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    clone = Clone(tmp_path / "sprout-app")
    clone.git("remote", "add", "origin", "git@github.com:Acme/Sprout.git")
    clone.commit("Start", a="x\n")
    return clone


@pytest.fixture
def ticket(actor: Any, product: Any, tree: Tree) -> Any:
    """#38 leads to SOL-1."""
    ticket = see_ticket(actor, product, TicketFacts(TicketRef("#38", HOME), title="Phone field", body="Why my number?"))
    link_ticket(actor, tree.defer, ticket)
    return ticket


def read(cli: Any, clone: Clone) -> None:
    result = cli("repository", "add", str(clone.path))
    assert result.exit_code == 0, result.output or result.exception


def told(actor: Any, product: Any, number: int, **more: Any) -> Any:
    facts = {"title": f"Change {number}", "body": "Fixes #38", **more}
    return import_pull_requests(actor, product, [RequestFacts(TicketRef(f"#{number}", HOME), **facts)])


def ask(product: Any, sha: str) -> Any:
    return explain(product, Ask(CommitRef(sha)))


def rules(answer: Any) -> list[tuple[str, str]]:
    return [(step["to"], step["provenance"]) for step in answer.links[:2]]


def test_a_squash_that_says_nothing_is_linked_by_what_its_request_closes(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    beside = clone.commit("Something else", c="z\n")
    read(cli, clone)
    assert not ask(product, sha).explained
    assert told(actor, product, 40, merge_sha=sha, branch="topic").commits == 1
    answer = ask(product, sha)
    assert (answer.solution.ref, answer.ticket.key, answer.ticket.words) == ("SOL-1", "#38", "Why my number?")
    assert rules(answer) == [("#38", "inferred: pull request"), ("SOL-1", "stated")]
    assert answer.commit.pull_request == "#40"
    assert not ask(product, beside).explained
    assert [commit.sha for commit in Commit.objects.filter(keys__key="#38")] == [sha], "found from the ticket's end too"
    assert explain(product, Ask(parse_ref("#38"))).commit.sha == sha


def test_it_does_not_matter_which_is_told_first(cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    told(actor, product, 40, merge_sha=sha)
    read(cli, clone)
    assert ask(product, sha).solution.ref == "SOL-1"
    assert explain(product, Ask(parse_ref("#38"))).commit.sha == sha


def test_all_that_a_merge_brought_is_for_what_its_request_closes(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    clone.git("switch", "--quiet", "--create", "topic")
    brought = clone.commit("Step one", b="y\n")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Bring it", "topic")
    read(cli, clone)
    told(actor, product, 40, merge_sha=clone.head, branch="topic")
    assert ask(product, brought).solution.ref == "SOL-1"


def test_a_release_is_for_nothing_of_its_own(cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone) -> None:
    clone.git("switch", "--quiet", "--create", "develop")
    brought = clone.commit("Step one", b="y\n")
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Release 1.2", "develop")
    read(cli, clone)
    told(actor, product, 40, merge_sha=clone.head, branch="develop")
    assert not ask(product, brought).explained


def test_a_number_alone_is_believed_only_where_the_words_agree(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    """Without the merge's commit (a list of issues does not tell it), or for one picked from elsewhere."""
    same = clone.commit("Ask for the phone later (#40)", b="y\n")
    picked = clone.commit("Speed up start (#40)", c="z\n")
    read(cli, clone)
    told(actor, product, 40, title="Ask for the phone later")
    assert ask(product, same).solution.ref == "SOL-1"
    assert not ask(product, picked).explained


def test_what_the_commit_says_itself_weighs_more(cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone) -> None:
    stated = clone.commit("Explain\n\nWhy: SOL-2", b="y\n")
    maintenance = clone.commit("Format\n\nWhy: none", c="y\n")
    read(cli, clone)
    told(actor, product, 40, merge_sha=stated)
    told(actor, product, 41, merge_sha=maintenance)
    assert ask(product, stated).solution.ref == "SOL-2"
    assert not ask(product, maintenance).explained


def test_a_request_may_say_why_as_a_commit_does(cli: Any, actor: Any, product: Any, tree: Tree, clone: Clone) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    read(cli, clone)
    told(actor, product, 40, body="Words.\n\nWhy: SOL-2", merge_sha=sha)
    answer = ask(product, sha)
    assert (answer.solution.ref, answer.links[0]["provenance"]) == ("SOL-2", "inferred: pull request")


@pytest.mark.parametrize(
    "facts",
    [
        {"body": "Refs #38"},
        {"body": "<!-- Fixes #38 -->"},
        {"body": "Bumps x.\n\nFixes #38", "author": "dependabot[bot]"},
        {"body": "Fixes other/repository#38"},
        {"body": "Fixes #38, fixes #39, fixes #41, fixes #42"},
        {"title": 'Revert "Phone field (#38)"', "body": "Reverts acme/sprout#37"},
    ],
)
def test_words_that_close_nothing_of_ours_link_nothing(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone, facts: dict[str, str]
) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    read(cli, clone)
    told(actor, product, 40, merge_sha=sha, **facts)
    assert not ask(product, sha).explained


def test_a_ticket_that_the_request_closes_gets_a_row_and_the_requests_number_does_not(
    cli: Any, actor: Any, product: Any, clone: Clone
) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    read(cli, clone)
    told(actor, product, 40, merge_sha=sha)
    assert list(Ticket.objects.values_list("key", "tracker")) == [("#38", HOME)]
    answer = ask(product, sha)
    assert (answer.explained, answer.ticket.key) == (False, "#38")


def test_told_again_nothing_changes_and_told_otherwise_the_link_goes(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    read(cli, clone)
    told(actor, product, 40, merge_sha=sha)
    again = told(actor, product, 40, merge_sha=sha)
    assert (again.new, again.changed, again.unchanged, again.commits) == (0, 0, 1, 0)
    told(actor, product, 40, merge_sha=sha, body="It was not about that.")
    assert not ask(product, sha).explained


def test_a_commit_not_read_in_yet_is_known_by_its_id(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    read(cli, clone)
    sha = clone.commit("Make it nicer", b="y\n")
    told(actor, product, 40, merge_sha=sha)
    output = cli("why", "b:1", cwd=clone.path).output
    assert "SOL-1" in output
    assert "pull request" in output


def test_a_member_imports_none(actor: Any, product: Any, bob: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Forbidden):
        told(actor_of_user(bob), product, 40)


def test_a_number_that_two_trackers_have_is_asked_about_and_not_guessed(
    actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    see_ticket(actor, product, TicketFacts(TicketRef("#38", "github.com/acme/api"), title="Other"))
    with pytest.raises(Invalid, match=r"Several trackers have #38. Say which: acme/\w+#38, acme/\w+#38"):
        explain(product, Ask(parse_ref("#38")))
    assert explain(product, Ask(parse_ref("acme/sprout#38"))).ticket.title == "Phone field"


def test_the_merge_of_a_line_that_many_work_on_is_for_none_of_what_its_request_closes(
    cli: Any, actor: Any, product: Any, ticket: Any, clone: Clone
) -> None:
    clone.git("checkout", "-b", "develop")
    within = clone.commit("Work of many", b="y\n")
    clone.git("checkout", "-")
    clone.git("merge", "--no-ff", "-m", "Merge pull request #40 from Acme/develop", "develop")
    merge = clone.head
    read(cli, clone)
    told(actor, product, 40, merge_sha=merge, branch="develop")
    assert not ask(product, within).explained
    assert not ask(product, merge).explained


def test_a_reason_told_here_outlives_what_is_told_of_requests_later(
    cli: Any, actor: Any, product: Any, tree: Tree, ticket: Any, clone: Clone
) -> None:
    sha = clone.commit("Make it nicer", b="y\n")
    read(cli, clone)
    tell_why(actor, product, sha, tree.explain.ref)
    told(actor, product, 40, merge_sha=sha, branch="topic")
    assert ask(product, sha).solution.ref == tree.explain.ref
    assert ("node", tree.explain.ref) in set(CommitKey.objects.values_list("kind", "key"))
