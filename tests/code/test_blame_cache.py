"""What git said before is used again only while it would say the same; and git may begin before we are ready."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import FORM, Clone
from tests.servers import ROOT
from whytree.code.blame import cache
from whytree.code.blame.cache import remembered
from whytree.code.blame.lines import LineReader, Wanted
from whytree.code.clone import headstart
from whytree.code.clone.git import Clone as Opened
from whytree.code.clone.git import open_clone

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATH = "app/form.py"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone")
    made.commit("Start", **{PATH: FORM, "other.py": "other = 1\n"})
    return made


@pytest.fixture
def blamed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time git is asked to blame."""
    asked: list[str] = []
    read = Opened.read_bytes

    def counted(self: Opened, *arguments: str, stdin: str | None = None) -> bytes:
        if arguments[0] == "blame":
            asked.append(arguments[-1])
        return read(self, *arguments, stdin=stdin)

    monkeypatch.setattr(Opened, "read_bytes", counted)
    return asked


def ask(clone: Clone, first: int = 1, last: int = 7, revision: str = "", path: str = PATH) -> list[str]:
    """Commits of these lines, by way of the cache; equal to what git says without one."""
    opened = open_clone(clone.path)
    revision = revision and clone.git("rev-parse", revision)
    raw = clone.git("show", f"{revision}:{path}").encode() + b"\n" if revision else (clone.path / path).read_bytes()
    known = remembered(opened, revision, path, raw)
    wanted = Wanted(path, first, last)
    return [line.sha for line in LineReader(opened, revision, known).read(wanted).lines]


def fresh(clone: Clone, first: int = 1, last: int = 7, revision: str = "", path: str = PATH) -> list[str]:
    lines = LineReader(open_clone(clone.path), revision).read(Wanted(path, first, last)).lines
    return [line.sha for line in lines]


def test_an_unchanged_file_is_blamed_once_whatever_else_changes(clone: Clone, blamed: list[str]) -> None:
    first = ask(clone)
    clone.commit("Other", **{"other.py": "other = 2\n"})
    assert ask(clone) == first
    assert ask(clone, 3, 4) == first[2:4]
    assert len(blamed) == 1


def test_lines_are_remembered_beside_each_other(clone: Clone, blamed: list[str]) -> None:
    ask(clone, 1, 3)
    ask(clone, 4, 7)
    assert ask(clone, 2, 6) == fresh(clone, 2, 6)
    assert len(blamed) == 3  # the last is the fresh one


def test_a_changed_file_is_blamed_again_and_so_is_one_that_was_changed_back(clone: Clone, blamed: list[str]) -> None:
    before = ask(clone)
    clone.commit("Change", **{PATH: FORM.replace("phone", "fax")})
    changed = ask(clone)
    assert changed == fresh(clone) != before
    clone.git("revert", "--no-edit", "HEAD")  # the same contents as before, by another history
    assert clone.read(PATH) == FORM
    assert ask(clone) == fresh(clone) != before


def test_branches_and_merges_do_not_mix(clone: Clone) -> None:
    ask(clone)
    clone.git("switch", "--quiet", "--create", "topic")
    clone.commit("Topic", **{PATH: FORM.replace("phone", "fax")})
    topic = ask(clone)
    clone.git("switch", "--quiet", "main")
    assert ask(clone) == fresh(clone) != topic
    clone.commit("Other", **{"other.py": "other = 2\n"})
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge", "topic")
    assert ask(clone) == fresh(clone) == topic
    assert ask(clone, revision="HEAD~1") == fresh(clone, revision="HEAD~1") != topic


def test_two_branches_that_wrote_the_same_contents_are_told_apart(clone: Clone) -> None:
    clone.git("branch", "other")
    clone.commit("Here", **{PATH: FORM.replace("phone", "fax")})
    here = ask(clone)
    clone.git("switch", "--quiet", "other")
    clone.commit("There", **{PATH: FORM.replace("phone", "fax")})
    assert ask(clone) == fresh(clone) != here


def test_a_rewritten_history_is_asked_again(clone: Clone) -> None:
    clone.commit("Change", **{PATH: FORM.replace("phone", "fax")})
    before = ask(clone)
    clone.git("commit", "--quiet", "--amend", "--message", "Change it")
    clone.git("reflog", "expire", "--expire=now", "--all")
    clone.git("gc", "--quiet", "--prune=now")
    assert ask(clone) == fresh(clone) != before


def test_what_is_looked_through_may_change_without_the_file(clone: Clone) -> None:
    chore = clone.commit("Quotes", **{PATH: FORM.replace("phone = forms", "phone  =  forms.x.forms")})
    assert chore in ask(clone)
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: none", chore)
    assert ask(clone) == fresh(clone)
    assert chore not in ask(clone)
    clone.git("notes", "--ref=whytree", "remove", chore)
    assert chore in ask(clone)


def test_what_is_not_committed_is_never_remembered(clone: Clone, blamed: list[str]) -> None:
    clone.write(PATH, FORM + "    fax = 1\n")
    assert ask(clone, 1, 8)[-1] == ask(clone, 1, 8)[-1] == "0" * 40
    assert len(blamed) == 4 - 2
    assert not (clone.path / ".git/whytree").exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"path": 1}', "[" * 100_000, '{"path": "app/form.py", "entries": [7, {"lines": {"1": 4}}]}', "\0"],
)
def test_a_broken_cache_is_no_cache(clone: Clone, blamed: list[str], text: str) -> None:
    ask(clone)
    (file,) = (clone.path / ".git/whytree").rglob("*.json")
    file.write_text(text)
    assert ask(clone) == fresh(clone)
    assert len(blamed) == 3
    ask(clone)
    assert len(blamed) == 3  # it was written anew


def test_odd_values_within_an_entry_are_asked_again(clone: Clone, blamed: list[str]) -> None:
    ask(clone)
    (file,) = (clone.path / ".git/whytree").rglob("*.json")
    told = json.loads(file.read_text())
    told["entries"][0]["lines"]["3"] = ["x"]
    told["entries"].append({**told["entries"][0], "head": "--output=x"})
    file.write_text(json.dumps(told))
    assert ask(clone) == fresh(clone)


def test_a_cache_that_cannot_be_written_is_no_trouble(clone: Clone, blamed: list[str]) -> None:
    (clone.path / ".git/whytree").write_text("a file in the way")
    assert ask(clone) == ask(clone) == fresh(clone)
    assert len(blamed) == 3


def test_the_cache_stays_small(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_FILES", 2)
    names = {f"f{number}.py": f"x = {number}\n" for number in range(12)}
    clone.commit("Many", **names)
    kept = cache.BlameCache(open_clone(clone.path))
    monkeypatch.setattr(kept, "_file", lambda path: clone.path / ".git/whytree/lines-1/00" / f"{path}.json")
    for name in names:
        kept.keep(cache.Subject.of(name, "b" * 40, clone.head, frozenset()), [])
    assert len(list((clone.path / ".git/whytree").rglob("*.json"))) <= 3
    monkeypatch.setattr(cache, "MOST_BYTES", 10)
    kept.keep(cache.Subject.of("big", "b" * 40, clone.head, frozenset()), [])
    assert not list((clone.path / ".git/whytree").rglob("big.json"))


# A head start -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    headstart.end()
    assert not headstart._begun


def test_git_begins_on_exactly_the_lines_that_are_asked_about(
    clone: Clone, blamed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone.path / "app")
    headstart.begin(["why", "form.py:3-4", "--json"])
    assert ask(clone, 3, 4) == fresh(clone, 3, 4)
    assert len(blamed) == 1  # the fresh one
    headstart.begin(["why", "form.py:3"])
    assert ask(clone, 4, 4) == fresh(clone, 4, 4)  # others than were begun


@pytest.mark.parametrize(
    "words",
    [
        ["why"],
        ["why", "form.py"],
        ["why", "none.py:3"],
        ["why", "form.py:0"],
        ["why", "form.py:3", "--at", "HEAD"],
        ["why", "form.py:3", "--tell", "SOL-1"],
        ["why", "-n:3"],
        ["start", "form.py:3"],
        [],
    ],
)
def test_nothing_else_gives_git_a_head_start(clone: Clone, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(clone.path / "app")
    headstart.begin(words)
    assert not headstart._begun


def test_a_head_start_that_failed_is_asked_again_in_the_open(
    clone: Clone, blamed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(clone.path)
    clone.write("new.py", "new = 1\n")
    headstart.begin(["why", "new.py:1"])
    assert headstart.take("new.py", 1, 1) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    headstart.begin(["why", f"{PATH}:3"])
    assert not headstart._begun


def test_the_head_start_loads_nothing_but_the_standard_library() -> None:
    program = "import sys; from whytree.code.clone import headstart; print(*(name for name in sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", program]
    done: Any = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.split() if name.startswith("whytree")}
    assert ours <= {
        "whytree",
        "whytree.code",
        "whytree.code.clone",
        "whytree.code.clone.headstart",
        "whytree.engines",
        "whytree.engines.git",
        "whytree.engines.git.blame_arguments",
    }
    assert "typer" not in done.stdout.split()
