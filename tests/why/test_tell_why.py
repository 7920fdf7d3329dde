"""Saying afterwards what a commit is for: one key in the clone, a form on the page, and a git note of both in the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.why.conftest import Tree, tie_tickets
from whytree.code.models import CommitKey, ToldReason
from whytree.workspace.models import Activity

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`


@pytest.fixture
def read_in(cli: Any, clone: Clone, tree: Tree) -> str:
    """A commit nobody explained, and its neighbour."""
    sha = clone.commit("Just so", **{"a.py": "a = 1\n"})
    clone.commit("Neighbour", **{"b.py": "b = 1\n"})
    cli("repository", "add", str(clone.path))
    return sha


def answer(cli: Any, *words: str, cwd: Path) -> Any:
    result = cli("why", *words, "--json", cwd=cwd)
    assert result.exit_code == 0, result.output or result.exception
    return json.loads(result.output)


def notes(clone: Clone, sha: str) -> list[str]:
    return [line for line in clone.git("notes", "--ref=whytree", "show", sha).splitlines() if line]


# The page ---------------------------------------------------------------------------------------------


def test_what_is_told_on_the_page_is_stated_by_who_told_it(
    as_bob: Any, as_alice: Any, read_in: str, product: Any
) -> None:
    page = as_bob.get("/p/sprout/why", {"q": "a.py:1"}).content.decode()
    assert "What is this for?" in page
    assert '<option value="SOL-1">Defer phone number</option>' in page
    sent = {"q": "a.py:1", "commit": read_in, "reason": " sol-1 "}
    assert as_bob.post("/p/sprout/why/tell", sent).headers["Location"] == "/p/sprout/why?q=a.py%3A1"
    told = ToldReason.objects.get()
    assert (told.words, told.teller, told.commit.sha) == ("SOL-1", "Bob", read_in)
    page = as_bob.get("/p/sprout/why", {"q": "a.py:1"}).content.decode()
    assert f"stated: told by Bob on {told.told_at.day} {told.told_at:%b %Y}" in page
    assert "Take it back" in page
    assert "What is this for?" not in page
    assert Activity.objects.filter(verb="tell_reason", actor="Bob").count() == 1
    assert "unexplained" in as_bob.get("/p/sprout/why", {"q": "b.py:1"}).content.decode()
    # The solution's own page finds the commit by it.
    assert "Just so" in as_alice.get("/p/sprout/SOL-1").content.decode()


def test_a_reason_in_words_is_shown_and_explains_nothing_by_itself(as_bob: Any, api: Any, read_in: str) -> None:
    words = "The booking desk\x1b[31m phoned <b>people</b>"
    as_bob.post("/p/sprout/why/tell", {"q": "a.py:1", "commit": read_in, "reason": words})
    page = as_bob.get("/p/sprout/why", {"q": "a.py:1"}).content.decode()
    assert "“The booking desk [31m phoned &lt;b&gt;people&lt;/b&gt;”" in page
    assert "told by Bob" in page
    assert "What is this for?" in page  # a node may still be named
    told = api.get("/products/sprout/why?ref=a.py:1").ok
    assert (told["explained"], told["solution"], told["links"]) == (False, None, [])
    assert told["sentence"].endswith("Which problem of somebody's that solves is an open question.")


@pytest.mark.parametrize("reason", ["", "because", "SOL-99", "#4711", "x" * 301 + " y", "FB-1", "acme/other#4"])
def test_a_reason_that_names_nothing_is_refused_and_kept_in_the_field(as_bob: Any, read_in: str, reason: str) -> None:
    response = as_bob.post("/p/sprout/why/tell", {"q": "a.py:1", "commit": read_in, "reason": reason})
    assert response.status_code == 400
    page = response.content.decode()
    assert 'role="alert"' in page
    assert f'value="{reason[:400]}"' in page
    assert not ToldReason.objects.exists()


def test_only_members_tell_and_only_tellers_or_maintainers_take_back(
    as_viewer: Any, as_charlie: Any, as_bob: Any, as_alice: Any, api_viewer: Any, read_in: str
) -> None:
    sent = {"q": "a.py:1", "commit": read_in, "reason": "SOL-1"}
    assert "What is this for?" not in as_viewer.get("/p/sprout/why", {"q": "a.py:1"}).content.decode()
    assert as_viewer.post("/p/sprout/why/tell", sent).status_code == 403
    assert as_charlie.post("/p/sprout/why/tell", sent).status_code == 404
    assert api_viewer.post("/products/sprout/why/tell", {"commit": read_in, "reason": "SOL-1"}).status == 403
    as_alice.post("/p/sprout/why/tell", sent)
    told = ToldReason.objects.get()
    assert "Take it back" not in as_bob.get("/p/sprout/why", {"q": "a.py:1"}).content.decode()
    assert as_bob.post(f"/p/sprout/why/told/{told.pk}/withdraw").status_code == 403
    assert as_charlie.post(f"/p/sprout/why/told/{told.pk}/withdraw").status_code == 404
    assert as_alice.post(f"/p/sprout/why/told/{told.pk}/withdraw", {"q": "a.py:1"}).status_code == 302
    assert not ToldReason.objects.exists()
    assert not CommitKey.objects.filter(commit__sha=read_in).exists()
    assert as_alice.post(f"/p/sprout/why/told/{told.pk}/withdraw").status_code == 404
    assert "unexplained" in as_alice.get("/p/sprout/why", {"q": "a.py:1"}).content.decode()


def test_over_rest_it_is_told_and_taken_back(api: Any, api_charlie: Any, read_in: str, other_product: Any) -> None:
    told = api.post("/products/sprout/why/tell", {"commit": read_in[:10], "reason": "OPP-1"}).ok
    assert (told["explained"], told["opportunity"]["ref"]) == (True, "OPP-1")
    pk = told["reasons"][0]["told_id"]
    again = api.post("/products/sprout/why/tell", {"commit": read_in, "reason": "OPP-1"}).ok
    assert again["reasons"][0]["told_id"] == pk
    assert api_charlie.delete(f"/products/{other_product.slug}/why/told/{pk}").status == 404
    assert api.delete(f"/products/sprout/why/told/{pk}").status == 204
    assert api.post("/products/sprout/why/tell", {"commit": "e" * 40, "reason": "OPP-1"}).status == 404
    assert api.post("/products/sprout/why/tell", {"commit": "zzz", "reason": "OPP-1"}).status == 400


# The clone --------------------------------------------------------------------------------------------


def test_the_next_sync_keeps_what_was_told_as_a_git_note(
    cli: Any, as_bob: Any, clone: Clone, read_in: str, tmp_path: Path
) -> None:
    for reason in ("SOL-1", "The booking desk asked"):
        as_bob.post("/p/sprout/why/tell", {"q": "a.py:1", "commit": read_in, "reason": reason})
    other = clone.git("clone", "--quiet", str(clone.path), str(tmp_path / "other")) or Clone(tmp_path / "other")
    said = cli("repository", "sync", str(clone.path)).output
    assert "2 reasons told elsewhere kept as git notes. Share them: git push origin refs/notes/whytree" in said
    assert notes(clone, read_in) == ["Why: SOL-1", "Why: The booking desk asked"]
    assert "kept as git notes" not in cli("repository", "sync", str(clone.path)).output
    told = answer(cli, "a.py:1", cwd=clone.path)
    assert told["links"][0]["rule"].startswith("told by Bob on ")  # still Bob's word
    # Every clone gets them, not only the first one.
    assert "2 reasons told elsewhere" in cli("repository", "sync", str(other.path)).output
    assert notes(other, read_in) == ["Why: SOL-1", "Why: The booking desk asked"]


def test_a_clone_that_takes_no_notes_says_so_and_is_read_all_the_same(
    cli: Any, as_bob: Any, clone: Clone, read_in: str
) -> None:
    as_bob.post("/p/sprout/why/tell", {"q": "a.py:1", "commit": read_in, "reason": "SOL-1"})
    blocked = clone.path / ".git/refs/notes"
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("a file in the way")
    result = cli("repository", "sync", str(clone.path))
    assert result.exit_code == 0, result.exception
    assert "1 reasons told elsewhere could not be kept as git notes here" in result.output
    said = cli("why", "b.py:1", "--tell", "SOL-2", "--json", cwd=clone.path)
    assert json.loads(said.output)["solution"]["ref"] == "SOL-2"  # the server keeps it instead


def test_without_a_clone_the_server_keeps_it(cli: Any, read_in: str, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    told = answer(cli, "a.py:1", "--tell", "SOL-1", cwd=tmp_path / "away")
    assert (told["solution"]["ref"], told["links"][0]["provenance"]) == ("SOL-1", "stated")
    assert ToldReason.objects.get().teller == "Alice"


def test_words_may_be_told_in_the_clone(cli: Any, clone: Clone, read_in: str) -> None:
    told = answer(cli, "a.py:1", "--tell", "The booking desk asked; $(rm -rf /) --force", cwd=clone.path)
    assert [(one["words"], one["rule"]) for one in told["reasons"]] == [
        ("The booking desk asked; $(rm -rf /) --force", "git note")
    ]
    assert not told["explained"]
    assert "“The booking desk asked;" in cli("why", "a.py:1", cwd=clone.path).output


def test_a_reason_stays_with_a_commit_that_is_amended_later(cli: Any, clone: Clone, tree: Tree) -> None:
    clone.commit("Just so", **{"a.py": "a = 1\n"})
    cli("why", "a.py:1", "--tell", "SOL-1", cwd=clone.path)
    clone.git("commit", "--quiet", "--amend", "--message", "Just so, in better words")
    assert answer(cli, "a.py:1", cwd=clone.path)["solution"]["ref"] == "SOL-1"


def test_a_ticket_or_a_node_is_not_told_of_its_newest_commit(
    cli: Any, actor: Any, product: Any, clone: Clone, tree: Tree
) -> None:
    tie_tickets(actor, product, tree)
    clone.commit("Form\n\nFixes #9", **{"a.py": "a = 1\n"})
    cli("repository", "add", str(clone.path))
    for ref in ("#9", "SOL-1"):
        assert "belongs to a commit" in refusal(cli("why", ref, "--tell", "SOL-2", cwd=clone.path))


# One key ----------------------------------------------------------------------------------------------


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody at a keyboard who presses one key."""
    import typer

    def press(key: str) -> None:
        monkeypatch.setattr("whytree.why.commands.at_a_terminal", lambda: True)
        monkeypatch.setattr(typer, "getchar", lambda: key)

    return press


def test_one_key_tells_why_and_shows_the_answer_again(cli: Any, clone: Clone, read_in: str, keyboard: Any) -> None:
    keyboard("t")
    said = cli("why", "a.py:1", cwd=clone.path, stdin="SOL-1\n").output
    assert f"What is {read_in[:7]} for?" in said
    assert "SOL-1 Defer phone number" in said
    assert notes(clone, read_in) == ["Why: SOL-1"]


@pytest.mark.parametrize(("key", "typed"), [("\r", ""), ("q", ""), ("t", "\n")])
def test_any_other_key_or_nothing_typed_leaves(
    cli: Any, clone: Clone, read_in: str, keyboard: Any, key: str, typed: str
) -> None:
    keyboard(key)
    result = cli("why", "a.py:1", cwd=clone.path, stdin=typed)
    assert result.exit_code == 0
    assert clone.git("notes", "--ref=whytree", "list") == ""


def test_a_slip_at_the_prompt_is_a_sentence(cli: Any, clone: Clone, read_in: str, keyboard: Any) -> None:
    keyboard("t")
    assert "SOL-99" in refusal(cli("why", "a.py:1", cwd=clone.path, stdin="SOL-99\n"))


def test_nothing_is_asked_where_nobody_sits_or_all_is_explained(
    cli: Any, clone: Clone, read_in: str, keyboard: Any
) -> None:
    assert "tell why" not in cli("why", "a.py:1", cwd=clone.path).output
    keyboard("t")
    answer(cli, "a.py:1", cwd=clone.path)  # JSON is for programs
    cli("why", "a.py:1", "--tell", "SOL-1", cwd=clone.path)
    assert "tell why" not in cli("why", "a.py:1", cwd=clone.path).output
