"""A repository may hold anything. Nothing in it is run, obeyed or believed, and no door breaks on it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.clone import headstart
from whytree.code.models import Commit
from whytree.why.queries import Ask, explain
from whytree.why.refs import parse_ref

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

MESSAGES = [
    "$(touch owned) `touch owned`; touch owned #412",
    "\x1b[31mred\x1b]8;;http://evil\x07link\u202egnol \x9b31m",
    "<script>alert(1)</script> & <img src=x onerror=alert(1)>",
    "x" * 1_000_000,
    "{{ 7 * 7 }} {% debug %} %s %n %(x)s \\0",
    "Subject\n\n" + "Why: " * 20_000 + "\nWhy: SOL-2",
    "Subject\n\nWhy: SOL-1\x1b[2J",
    "Subject\n\nWhy: ../../SOL-1; DROP TABLE code_commit; --",
]


def doors(cli: Any, product: Any, browser: Any, clone: Clone, ref: str) -> tuple[Any, str, Any, str]:
    """The same question as JSON, on the screen, from the store and on the page."""
    told = cli("why", ref, "--json", cwd=clone.path)
    screen = cli("why", ref, cwd=clone.path)
    assert told.exit_code == screen.exit_code == 0, told.exception or screen.exception
    response = browser.get("/p/sprout/why", {"q": ref})
    assert response.status_code == 200
    return json.loads(told.output), screen.output, explain(product, Ask(parse_ref(ref))), response.content.decode()


@pytest.mark.parametrize("message", MESSAGES)
def test_whatever_a_message_holds_is_text_at_every_door(
    cli: Any, product: Any, as_alice: Any, clone: Clone, tree: Tree, message: str
) -> None:
    clone.write("a.py", "a = 1\n")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--file=-", stdin=message.encode())
    clone.commit("Neighbour", **{"b.py": "b = 1\n"})
    cli("repository", "add", str(clone.path), "--with-code")
    here, screen, stored, page = doors(cli, product, as_alice, clone, "a.py:1")
    assert here["explained"] == stored.explained == ("Why: SOL-1" in message.splitlines())
    assert not any(sign in screen for sign in ("\x1b", "\x9b", "\u202e", "\x07"))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert len(page) < 200_000
    assert not list(clone.path.rglob("owned"))
    assert not doors(cli, product, as_alice, clone, "b.py:1")[0]["explained"]


@pytest.mark.parametrize(
    "branch",
    [
        "$(touch${IFS}owned)",
        "`touch`",
        "a;touch",
        "-n",
        "--upload-pack=touch",
        "é\u202e<b>",
        "x'\"sol-1",
        "sol-1-$(touch)",
        "a" * 240,
    ],
)
def test_whatever_a_branch_is_called_it_is_text_at_every_door(
    cli: Any, product: Any, as_alice: Any, clone: Clone, tree: Tree, branch: str
) -> None:
    clone.commit("Start", **{"a.py": "a = 1\n"})
    clone.git("switch", "--quiet", "--create", "topic")
    topic = clone.commit("Work", **{"b.py": "b = 1\n"})
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", f"Merge branch '{branch}'", "topic")
    if not branch.startswith("-"):
        clone.git("branch", "--move", "main", branch)
    cli("repository", "add", str(clone.path))
    told, screen, stored, page = doors(cli, product, as_alice, clone, "b.py:1")
    assert told["commit"]["sha"] == stored.commit.sha == topic
    assert told["explained"] == stored.explained == branch.startswith("sol-1")
    assert "\u202e" not in screen
    assert "<b>" not in page.replace("<b>6</b>", "")
    assert not list(clone.path.rglob("owned"))


def test_a_program_that_the_repository_names_is_not_run(cli: Any, clone: Clone, tree: Tree) -> None:
    clone.commit("Start\n\nWhy: SOL-1", **{"a.py": "a = 1\n", ".gitattributes": "*.py diff=evil\n"})
    for key in (
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "gpg.program",
    ):
        clone.git("config", key, f"sh -c 'touch {clone.path}/owned'")
    told = json.loads(cli("why", "a.py:1", "--json", cwd=clone.path).output)
    assert told["explained"]
    cli("why", "a.py::a", cwd=clone.path)
    cli("repository", "add", str(clone.path))
    assert not list(clone.path.rglob("owned"))


def test_a_filter_that_the_repository_names_is_not_run(
    cli: Any, clone: Clone, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.commit("Start\n\nWhy: SOL-1", **{"a.py": "a = 1\n", "b.py": "b = 1\n", "c.py": "c = 1\n"})
    clone.write(".git/info/attributes", "a.py filter=evil\nb.py filter=E.vil\nc.py filter=\n")
    for name in ("evil", "E.vil", ""):
        setting = "process" if name == "E.vil" else "clean"
        clone.git("config", f"filter.{name}.{setting}", f"sh -c 'touch {clone.path}/owned; cat'")
        clone.git("config", f"filter.{name}.required", "true")
    monkeypatch.chdir(clone.path)
    for path in ("a.py", "b.py", "c.py"):
        clone.write(path, f"{path[0]} = 2\n")
        headstart.begin(["why", f"{path}:1"])
        assert headstart.take(path, 1, 1)
        told = json.loads(cli("why", f"{path}:1", "--json", cwd=clone.path).output)
        assert told["commit"] is None, "it is not committed yet"
        assert not list(clone.path.rglob("owned"))
    for path in ("a.py", "b.py", "c.py"):
        subprocess.run(["git", "diff", "HEAD", "--", path], cwd=clone.path, capture_output=True, check=False)
        assert [owned.unlink() for owned in clone.path.rglob("owned")], f"git itself runs the one of {path}"


@pytest.mark.parametrize("name", ["a=b", "x" * 60_000])
def test_a_filter_that_cannot_be_turned_off_is_named_and_not_run(
    cli: Any, clone: Clone, tree: Tree, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    clone.commit("Start\n\nWhy: SOL-1", **{"a.py": "a = 1\n"})
    clone.write(".git/info/attributes", f"a.py filter={name[:1_000]}\n")
    clone.git("config", f"filter.{name}.clean", f"sh -c 'touch {clone.path}/owned; cat'")
    clone.write("a.py", "a = 2\n")
    monkeypatch.chdir(clone.path)
    headstart.begin(["why", "a.py:1"])
    assert headstart.take("a.py", 1, 1) is None
    assert "git config --get-regexp '^filter'" in refusal(cli("why", "a.py:1", cwd=clone.path))
    assert not list(clone.path.rglob("owned"))


def test_a_history_rewritten_after_it_was_read_is_told_as_it_is_now(
    cli: Any, product: Any, clone: Clone, tree: Tree
) -> None:
    clone.commit("Start", **{"a.py": "a = 1\n"})
    old = clone.commit("Defer\n\nWhy: SOL-1", **{"a.py": "a = 1\nphone = 'later'\n"})
    cli("repository", "add", str(clone.path))
    clone.git("commit", "--quiet", "--amend", "--message", "Explain\n\nWhy: SOL-2")
    clone.git("reflog", "expire", "--expire=now", "--all")
    clone.git("gc", "--quiet", "--prune=now")
    here = json.loads(cli("why", "a.py:2", "--json", cwd=clone.path).output)
    assert (here["solution"]["ref"], here["commit"]["sha"]) == ("SOL-2", clone.head)
    assert "whytree repository sync" in here["notes"][-1]
    # Pages answer as of the last reading, which is still there though the commit is gone from the clone.
    assert explain(product, Ask(parse_ref("a.py:2"))).solution.ref == "SOL-1"
    assert cli("why", old, "--json", cwd=clone.path).exit_code == 0
    result = cli("repository", "sync", str(clone.path))
    assert result.exit_code == 0, result.exception
    after = explain(product, Ask(parse_ref("a.py:2")))
    assert (after.solution.ref, after.commit.sha) == ("SOL-2", clone.head)
    assert not explain(product, Ask(parse_ref("a.py:1"))).explained
    assert Commit.objects.get(sha=old).lines == 0


def test_a_clone_that_claims_anothers_name_or_lines_is_refused(
    cli: Any, api: Any, product: Any, clone: Clone, tree: Tree, tmp_path: Path
) -> None:
    clone.commit("Defer\n\nWhy: SOL-1", **{"a.py": "a = 1\n"})
    cli("repository", "add", str(clone.path), "--name", "ours")
    theirs = Clone(tmp_path / "theirs")
    theirs.commit("Theirs", **{"a.py": "evil = 1\n"})
    assert "ours is another repository here" in refusal(cli("repository", "add", str(theirs.path), "--name", "ours"))
    (known,) = api.get("/products/sprout/repositories").ok
    body = {"root_sha": theirs.head, "rev": theirs.head, "files": [{"path": "a.py", "spans": [(1, 1, theirs.head)]}]}
    refused = api.post(f"/products/sprout/repositories/{known['id']}/lines", body)
    assert (refused.status, "first commit is another one" in refused.body["message"]) == (409, True)
    assert explain(product, Ask(parse_ref("a.py:1"))).solution.ref == "SOL-1"
    # Asked in their clone, the line is theirs, and nobody has said why.
    assert not json.loads(cli("why", "a.py:1", "--json", cwd=theirs.path).output)["explained"]


@pytest.mark.parametrize(
    "body",
    [
        {"ref": "a.py:1", "place": {"path": ""}},
        {"ref": "a.py:1", "place": {"path": "a.py", "first": -4, "last": 10**9}, "spans": [(1, 1, "z" * 40)]},
        {"ref": "a.py:1", "spans": [(5, 1, "e" * 40)]},
        {"ref": "a.py:1", "spans": [(1, 1, "e" * 40)], "gone": {"sha": "nope"}},
        {"ref": "a.py:1", "at": "\0", "cut_off": [(1, 2)]},
        {"ref": "x/" * 5000},
        {"ref": "a.py::" + "f." * 5000 + "g"},
    ],
)
def test_what_no_clone_would_send_is_a_sentence(api: Any, tree: Tree, body: dict[str, Any]) -> None:
    answer = api.post("/products/sprout/why", body)
    assert answer.status in {200, 400, 404}, answer.body
    if answer.status != 200:
        assert answer.body["message"]
