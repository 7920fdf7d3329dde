"""`whytree why` at a terminal: from anywhere in a clone, and what it says when it cannot tell."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import FORM, Clone
from tests.why.conftest import Tree
from whytree.code.clone.git import Clone as Opened

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATH = "app/form.py"


@pytest.fixture
def line(clone: Clone, tree: Tree) -> str:
    """The line that SOL-1 is behind."""
    clone.commit("Start", **{PATH: FORM})
    clone.commit(
        "Defer phone\n\nWhy: SOL-1",
        **{PATH: FORM.replace("phone = forms.CharField()", "phone = forms.CharField(required=False)")},
    )
    return f"{PATH}:{clone.line(PATH, 'phone')}"


def answer(cli: Any, *words: str, cwd: Path) -> Any:
    result = cli("why", *words, "--json", cwd=cwd)
    assert result.exit_code == 0, result.output or result.exception
    return json.loads(result.output)


def test_five_hops_stand_on_one_screen(cli: Any, clone: Clone, line: str) -> None:
    screen = cli("why", line, cwd=clone.path).output
    for words in (
        "app/form.py:6",
        "phone = forms.CharField(required=False)",
        "One person speaks for “I don't know why you need my phone number”.",
        "Defer phone  Ana · ",
        "stated: trailer",
        "SOL-1 Defer phone number",
        "OPP-1 I don't know why you need my phone number",
        "“I closed it when it wanted my number.”  somebody · 2 Mar 2026",
        "OUT-1 Activated in 7 days  wanted: 31.2 → 40",
        "every link stated",
        "whytree repository sync",  # nobody has read this clone in
    ):
        assert words in screen, screen


def test_the_same_answer_as_json_has_every_field(cli: Any, clone: Clone, line: str) -> None:
    told = answer(cli, line, cwd=clone.path)
    wanted = "ref lines commit ticket solution hypothesis opportunity evidence outcome review links explained"
    assert set(wanted.split()) <= told.keys()
    assert (told["ref"], told["lines"], told["explained"]) == ("app/form.py:6", "6", True)
    assert (told["ticket"], told["hypothesis"], told["review"]) == (None, None, None)
    assert told["links"][0] == {
        "from": told["commit"]["short"],
        "to": "SOL-1",
        "provenance": "stated",
        "rule": "trailer",
        "score": None,
    }
    assert told["code"] == [{"number": 6, "text": "    phone = forms.CharField(required=False)", "asked": True}]


def test_it_works_from_any_folder_of_the_clone(cli: Any, clone: Clone, line: str, tmp_path: Path) -> None:
    (clone.path / "docs").mkdir()
    here = answer(cli, "form.py:6", cwd=clone.path / "app")
    beside = answer(cli, "../app/form.py:6", cwd=clone.path / "docs")
    from_top = answer(cli, "app/form.py:6", cwd=clone.path / "docs")
    absolute = answer(cli, f"{clone.path}/app/form.py:6", cwd=tmp_path)
    assert here["ref"] == beside["ref"] == from_top["ref"] == absolute["ref"] == "app/form.py:6"
    assert here["links"] == absolute["links"]


def test_outside_of_a_clone_the_last_reading_answers(cli: Any, clone: Clone, line: str, tmp_path: Path) -> None:
    cli("repository", "add", str(clone.path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert answer(cli, line, cwd=elsewhere)["solution"]["ref"] == "SOL-1"
    assert "No file app/none.py is known here. Check the path" in refusal(cli("why", "app/none.py:1", cwd=elsewhere))
    for wrong in ("form.py:1", "src/form.py", "app/from.py:2"):
        assert f"is known here. Did you mean {PATH}?" in refusal(cli("why", wrong, cwd=elsewhere))


def test_a_range_a_whole_file_and_a_commit_can_be_asked_about(cli: Any, clone: Clone, line: str) -> None:
    ranged = answer(cli, f"{PATH}:4-7", cwd=clone.path)
    whole = answer(cli, PATH, cwd=clone.path)
    commit = answer(cli, clone.head[:8], cwd=clone.path)
    assert answer(cli, "HEAD", cwd=clone.path)["commit"]["sha"] == clone.head
    assert (ranged["lines"], ranged["others"][0]["lines"]) == ("4-7", "4–5, 7")
    assert (whole["lines"], whole["solution"]["ref"]) == ("1-7", "SOL-1")
    assert (commit["commit"]["sha"], commit["solution"]["ref"]) == (clone.head, "SOL-1")


def test_an_unread_commit_is_explained_by_the_merge_that_brought_it(cli: Any, clone: Clone, tree: Tree) -> None:
    clone.commit("Start", **{"a.py": "a\n"})
    clone.git("switch", "--quiet", "--create", "sol-2-explain")
    clone.commit("Explain", **{"b.py": "b\n"})
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'sol-2-explain'", "sol-2-explain")
    told = answer(cli, "b.py:1", cwd=clone.path)
    assert (told["solution"]["ref"], told["links"][0]["provenance"]) == ("SOL-2", "inferred: branch name")


def test_beside_what_was_read_only_the_new_is_looked_at(
    cli: Any, clone: Clone, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Clone(tmp_path / "theirs")
    theirs.commit("Theirs", **{"lib.py": "lib\n"})
    for number in range(5):
        clone.commit(f"Old {number}", **{"a.py": f"a {number}\n"})
    clone.git("fetch", "--quiet", str(theirs.path), "main")
    clone.git("merge", "--quiet", "--allow-unrelated-histories", "--message", "Take in", "FETCH_HEAD")
    cli("repository", "add", str(clone.path))
    clone.git("switch", "--quiet", "--create", "sol-2-explain", "HEAD~2")
    clone.commit("Explain", **{"b.py": "b\n"})
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'sol-2-explain'", "sol-2-explain")
    theirs.commit("More", **{"more.py": "more\n"})
    theirs.git("branch", "--move", "sol-2-theirs")
    clone.git("fetch", "--quiet", str(theirs.path), "sol-2-theirs")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'sol-2-theirs'", "FETCH_HEAD")
    seen: list[int] = []
    graph = Opened.graph
    monkeypatch.setattr(Opened, "graph", lambda *words: (found := graph(*words), seen.append(len(found)))[0])
    told = answer(cli, "b.py:1", cwd=clone.path)
    assert (told["solution"]["ref"], told["links"][0]["provenance"]) == ("SOL-2", "inferred: branch name")
    assert not answer(cli, "more.py:1", cwd=clone.path)["explained"]  # its history is another repository's
    assert seen == [4, 4]


def test_ids_flags_and_tickets_can_be_asked_about(
    cli: Any, clone: Clone, line: str, actor: Any, product: Any, tree: Tree
) -> None:
    from whytree.flags.services import create_flag

    create_flag(actor, product, key="defer_phone", solution=tree.defer)
    cli("repository", "add", str(clone.path))
    assert answer(cli, "flag:defer_phone", cwd=clone.path)["solution"]["flags"][0]["key"] == "defer_phone"
    solution = answer(cli, "sol-1", cwd=clone.path)
    assert (solution["commit"]["subject"], solution["links"][0]["rule"]) == ("Defer phone", "trailer")
    opportunity = answer(cli, "OPP-1", cwd=clone.path)
    assert [other["label"] for other in opportunity["others"]] == ["SOL-1", "SOL-2"]
    assert "flag" in refusal(cli("why", "flag:nope", cwd=clone.path))
    assert "SOL-99" in refusal(cli("why", "SOL-99", cwd=clone.path))
    assert 'whytree start "#412"' in refusal(cli("why", "#412", cwd=clone.path))


def test_what_is_not_committed_says_so(cli: Any, clone: Clone, line: str) -> None:
    clone.write(PATH, clone.read(PATH) + "    fax = 1\n")
    told = answer(cli, f"{PATH}:8", cwd=clone.path)
    assert told["uncommitted"]
    assert "not committed yet" in cli("why", f"{PATH}:8", cwd=clone.path).output
    mixed = answer(cli, f"{PATH}:7-8", cwd=clone.path)
    assert mixed["notes"][-1] == "Not committed yet: 8."
    clone.write("new.py", "x\n")
    assert "not committed yet" in refusal(cli("why", "new.py:1", cwd=clone.path))


def test_what_cannot_be_asked_is_a_clear_sentence(cli: Any, clone: Clone, line: str, tmp_path: Path) -> None:
    clone.write("logo.png", b"\x89PNG\0\0")
    clone.commit("Logo", **{"empty.py": ""})

    def sentence(ref: str, cwd: Path = clone.path) -> str:
        return refusal(cli("why", ref, cwd=cwd))

    assert sentence(f"{PATH}:4000") == "app/form.py has 7 lines: there is no line 4,000."
    assert "binary file" in sentence("logo.png:1")
    assert "is a folder" in sentence("app:3")
    assert "is empty" in sentence("empty.py")
    assert "Ask about" in sentence("nothing of the kind")
    assert "Ask about" in sentence("")
    assert "No commit deadbeef1 is known" in sentence("deadbeef1")
    empty = Clone(tmp_path / "no-commit")
    empty.write("a.py", "a\n")
    assert "no commit" in sentence("a.py:1", empty.path)


def test_without_git_it_says_how_to_get_it(
    cli: Any, clone: Clone, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install git" in refusal(cli("why", line, cwd=clone.path))


def test_a_shallow_clone_tells_what_it_can(cli: Any, clone: Clone, line: str, tmp_path: Path) -> None:
    clone.commit("More", **{"b.py": "b\n"})
    clone.git("clone", "--quiet", "--depth=1", f"file://{clone.path}", str(tmp_path / "shallow"))
    told = answer(cli, line, cwd=tmp_path / "shallow")
    assert not told["explained"]
    assert "git fetch --unshallow" in told["notes"][-1]


def test_control_characters_of_strangers_are_shown_and_never_obeyed(cli: Any, clone: Clone, tree: Tree) -> None:
    subject = "\x1b[31mred\x1b]8;;http://evil\x07link\u202egnol"
    clone.commit(f"{subject}\n\nWhy: SOL-1", author="A\x1b[2Jna", **{"a.py": "x = '\x1b[31m'\n"})
    screen = cli("why", "a.py:1", cwd=clone.path).output
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    assert "␛[31mred" in screen
    assert answer(cli, "a.py:1", cwd=clone.path)["commit"]["subject"].startswith("\x1b[31mred")


def test_telling_why_keeps_a_note_and_explains_at_once(cli: Any, clone: Clone, tree: Tree, tmp_path: Path) -> None:
    clone.commit("Just so", **{"a.py": "a\n"})
    cli("repository", "add", str(clone.path))
    assert not answer(cli, "a.py:1", cwd=clone.path)["explained"]
    told = answer(cli, "a.py:1", "--tell", "sol-1", cwd=clone.path)
    assert (told["explained"], told["links"][0]["rule"]) == (True, "git note")
    assert clone.git("notes", "--ref=whytree", "show", "HEAD") == "Why: SOL-1"
    (tmp_path / "away").mkdir()
    assert answer(cli, "a.py:1", cwd=tmp_path / "away")["explained"]  # the server was told too


def test_a_reason_that_is_not_there_is_refused(cli: Any, clone: Clone, tree: Tree, tmp_path: Path) -> None:
    clone.commit("Just so", **{"a.py": "a\n"})
    assert "SOL-99" in refusal(cli("why", "a.py:1", "--tell", "SOL-99", cwd=clone.path))
    assert "names nothing" in refusal(cli("why", "a.py:1", "--tell", "because", cwd=clone.path))
    (tmp_path / "away").mkdir()
    assert "belongs to a commit" in refusal(cli("why", "SOL-1", "--tell", "SOL-1", cwd=tmp_path / "away"))
    assert clone.git("notes", "--ref=whytree", "list") == ""


@pytest.mark.live
def test_a_running_server_answers(live: Any, clone: Clone) -> None:
    made = live.cli_json("solution", "add", "Asked over HTTP")
    clone.commit(f"Add\n\nWhy: {made['ref']}", **{"a.py": "a\n"})
    told = live.cli_json("why", "a.py:1", cwd=clone.path)
    assert told["solution"]["ref"] == made["ref"]
    assert "open question: which problem does it solve?" in live.cli("why", "a.py:1", cwd=clone.path).stdout
    failed = live.cli("why", "a.py:7", cwd=clone.path, check=False)
    assert (failed.returncode, failed.stderr.strip()) == (1, "a.py has 1 line: there is no line 7.")
