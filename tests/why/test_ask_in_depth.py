"""Functions, folders, revisions, files that are gone, and names that could be anything: asked in a clone and without one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import FORM, Clone
from tests.why.conftest import Tree
from whytree.errors import Invalid, NotFound
from whytree.why.queries import Ask, explain
from whytree.why.refs import parse_ref

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATH = "app/form.py"
DEFERRED = FORM.replace("forms.CharField()\n    company", "forms.CharField(required=False)\n    company")


@pytest.fixture
def clone(clone: Clone, tree: Tree) -> Clone:
    """`phone` is for SOL-1, `Explain` for SOL-2, the rest for nobody."""
    clone.commit("Start", **{PATH: FORM, "app/other.py": "other = 1\n", "docs/a.md": "words\n"})
    clone.commit("Defer phone\n\nWhy: SOL-1", **{PATH: DEFERRED})
    explain_it = "\n\nclass Explain:\n    def words(self):\n        return 'We call you to confirm'\n"
    clone.commit("Explain\n\nWhy: SOL-2", **{PATH: DEFERRED + explain_it})
    return clone


@pytest.fixture
def answer(cli: Any, clone: Clone) -> Any:
    def ask(*words: str, cwd: Path = clone.path) -> Any:
        result = cli("why", *words, "--json", cwd=cwd)
        assert result.exit_code == 0, result.output or result.exception
        return json.loads(result.output)

    return ask


@pytest.fixture
def sentence(cli: Any, clone: Clone) -> Any:
    return lambda *words, cwd=clone.path: refusal(cli("why", *words, cwd=cwd))


# Functions --------------------------------------------------------------------------------------------


def test_a_function_is_asked_about_by_name(cli: Any, clone: Clone, answer: Any) -> None:
    told = answer(f"{PATH}::Explain.words")
    assert (told["ref"], told["lines"], told["solution"]["ref"]) == (f"{PATH}::Explain.words", "11-12", "SOL-2")
    assert answer("form.py::words()", cwd=clone.path / "app")["lines"] == "11-12"
    field = answer(f"{PATH}::SignUp.phone")
    assert (field["lines"], field["solution"]["ref"]) == ("6", "SOL-1")
    assert not answer(f"{PATH}::SignUp.email")["explained"]
    screen = cli("why", f"{PATH}::Explain", cwd=clone.path).output
    assert f"{PATH}::Explain  lines 10-12" in screen
    assert "class Explain:" in screen


def test_a_function_stands_where_it_stands_now_or_stood_then(clone: Clone, answer: Any) -> None:
    clone.write(PATH, "# not committed\n" + clone.read(PATH))
    assert answer(f"{PATH}::Explain.words")["lines"] == "12-13"
    assert answer(f"{PATH}::Explain.words", "--at", "HEAD")["lines"] == "11-12"


def test_a_function_that_cannot_be_found_says_what_may_be_meant(clone: Clone, sentence: Any) -> None:
    assert "Did you mean app/form.py::Explain.words" in sentence(f"{PATH}::Explain.wrds")
    clone.write(PATH, clone.read(PATH) + "\n\nclass Again:\n    def words(self): ...\n")
    assert "has 2 called words: Explain.words at 11, Again.words at 16" in sentence(f"{PATH}::words")
    clone.write(PATH, "def broken(:\n")
    assert "no valid Python" in sentence(f"{PATH}::broken")


def test_functions_of_other_languages_are_found_by_git(clone: Clone, answer: Any, sentence: Any) -> None:
    go = "package x\n\nfunc UnSave(a int) int {\n\treturn a\n}\n\nfunc Save(a int) int {\n\treturn 1\n}\n"
    clone.commit("Go", **{"x.go": go})
    clone.commit("Save well\n\nWhy: SOL-1", **{"x.go": go.replace("return 1", "return a * 2")})
    told = answer("x.go::Save")
    assert (told["lines"], told["solution"]["ref"]) == ("7-9", "SOL-1")
    assert not answer("x.go::UnSave")["explained"]
    assert "git sees no function Sav in x.go" in sentence("x.go::Sav")
    assert "Name the function alone: x.go::Save" in sentence("x.go::Store.Save")
    clone.write("x.go", go + "\nfunc (s T) Save(a int) {\n}\n")
    assert "more than one Save" in sentence("x.go::Save")


def test_without_a_clone_functions_are_found_in_the_text_that_was_sent(
    cli: Any, product: Any, clone: Clone, as_alice: Any
) -> None:
    cli("repository", "add", str(clone.path))
    with pytest.raises(Invalid, match="was not sent, so its functions are not known here"):
        explain(product, Ask(parse_ref(f"{PATH}::Explain")))
    cli("repository", "add", str(clone.path), "--with-code")
    told = explain(product, Ask(parse_ref(f"{PATH}::Explain")))
    assert (told.lines, told.solution and told.solution.ref, len(told.code)) == ("10-12", "SOL-2", 5)
    with pytest.raises(Invalid, match="Did you mean"):
        explain(product, Ask(parse_ref(f"{PATH}::Explian")))
    with pytest.raises(Invalid, match="found by git"):
        explain(product, Ask(parse_ref("docs/a.md::words")))
    page = as_alice.get("/p/sprout/why", {"q": f"{PATH}::Explain"}).content.decode()
    assert "lines 10-12" in page


# Revisions and files that are gone --------------------------------------------------------------------


def test_lines_are_told_as_they_stood_at_a_revision(cli: Any, clone: Clone, answer: Any) -> None:
    clone.git("tag", "v1")
    clone.commit("Drop it all", **{PATH: "import forms\n"})
    told = answer(f"{PATH}:6", "--at", "v1")
    assert (told["solution"]["ref"], told["at"]) == ("SOL-1", clone.git("rev-parse", "v1"))
    assert answer(f"{PATH}:6", "--at", "HEAD~1", cwd=clone.path)["solution"]["ref"] == "SOL-1"
    assert answer("form.py:6", "--at", "v1", cwd=clone.path / "app")["solution"]["ref"] == "SOL-1"
    assert not answer(f"{PATH}:5", "--at", "v1")["explained"]
    assert (
        f"{PATH}:6  at {clone.git('rev-parse', 'v1')[:7]}"
        in cli("why", f"{PATH}:6", "--at", "v1", cwd=clone.path).output
    )


def test_a_file_that_is_gone_says_since_when_and_what_it_was_for(
    cli: Any, clone: Clone, answer: Any, tree: Tree
) -> None:
    clone.git("rm", "--quiet", PATH)
    dropped = clone.commit("Drop the form\n\nWhy: SOL-2")
    clone.commit("More", **{"b.py": "b = 1\n"})
    told = answer(f"{PATH}:6")
    assert (told["gone"]["sha"], told["solution"]["ref"]) == (dropped, "SOL-1")
    assert told["sentence"].startswith(f"Gone since {dropped[:7]} “Drop the form”. One person speaks for")
    assert (told["gone"]["leads_to"], told["gone"]["moved_to"]) == ("SOL-2 Explain why we ask", "")
    other = answer("app/form.py:5", cwd=clone.path / "docs")
    assert (other["explained"], other["gone"]["sha"]) == (False, dropped)
    screen = cli("why", f"{PATH}:6", cwd=clone.path).output
    assert "taken away for SOL-2" in screen
    assert "phone = forms.CharField(required=False)" in screen


def test_a_file_that_moved_says_where_it_lives_on(clone: Clone, answer: Any, sentence: Any) -> None:
    clone.git("mv", PATH, "app/sign_up.py")
    moved = clone.commit("Move")
    told = answer(f"{PATH}:6")
    assert (told["gone"]["moved_to"], told["solution"]["ref"]) == ("app/sign_up.py", "SOL-1")
    assert told["sentence"].startswith(f"Moved to app/sign_up.py in {moved[:7]}")
    assert f"is gone since {moved[:7]}" in sentence(f"{PATH}:6", "--at", "HEAD")
    clone.git("mv", "app", "src")
    clone.commit("Move again")
    gone = answer(f"{PATH}:6")["gone"]
    assert (gone["sha"], gone["moved_to"], gone["lives_at"]) == (moved, "app/sign_up.py", "src/sign_up.py")
    clone.git("rm", "--quiet", "src/sign_up.py")
    clone.commit("Drop it")
    assert answer(f"{PATH}:6")["gone"]["lives_at"] == ""


def test_a_file_deleted_only_here_is_told_as_last_committed(clone: Clone, answer: Any) -> None:
    (clone.path / PATH).unlink()
    told = answer(f"{PATH}:6")
    assert (told["solution"]["ref"], told["at"], told["gone"]) == ("SOL-1", clone.head, None)


def test_deleted_on_one_branch_is_not_laid_on_the_merge_of_another(clone: Clone, answer: Any) -> None:
    clone.git("switch", "--quiet", "--create", "topic")
    clone.commit("Topic", **{"t.py": "t = 1\n"})
    clone.git("switch", "--quiet", "main")
    clone.git("rm", "--quiet", "app/other.py")
    dropped = clone.commit("Drop other")
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'topic'", "topic")
    assert answer("app/other.py:1")["gone"]["sha"] == dropped


def test_the_page_of_a_file_that_is_gone_lists_who_touched_it(
    cli: Any, product: Any, clone: Clone, as_alice: Any
) -> None:
    clone.git("rm", "--quiet", PATH)
    clone.commit("Drop the form")
    cli("repository", "add", str(clone.path))
    told = explain(product, Ask(parse_ref(f"{PATH}:6")))
    assert [(one.title, one.leads_to[:5]) for one in told.others] == [
        ("Drop the form", ""),
        ("Explain", "SOL-2"),
        ("Defer phone", "SOL-1"),
        ("Start", ""),
    ]
    assert (told.explained, told.solution) == (False, None)
    page = as_alice.get("/p/sprout/why", {"q": f"{PATH}:6"}).content.decode()
    assert "It is not there any more, or was never read in." in page
    assert "not among the files last read in" in page
    with pytest.raises(NotFound):
        explain(product, Ask(parse_ref("app/never.py:6")))


@pytest.mark.parametrize(
    "revision", ["nope", "", "-n", "--all", "HEAD:app", "$(touch x)", "a..b", "\x1b[31m", "é" * 300]
)
def test_an_odd_revision_is_refused_in_words(clone: Clone, sentence: Any, revision: str) -> None:
    if not revision:
        assert "no revision here" in sentence(f"{PATH}:6", "--at", " ")
        return
    said = sentence(f"{PATH}:6", f"--at={revision}")
    assert "is no revision here" in said
    assert "\x1b" not in said


def test_where_a_revision_makes_no_sense_it_says_so(clone: Clone, sentence: Any, tmp_path: Path) -> None:
    assert "--at is for lines" in sentence("SOL-1", "--at", "HEAD")
    assert "--at is for a file" in sentence("app", "--at", "HEAD")
    (tmp_path / "away").mkdir()
    assert "needs a clone" in sentence("a.py:1", "--at", "HEAD", cwd=tmp_path / "away")
    assert "needs the clone" in sentence("sprout:a.py:1", "--at", "HEAD")
    assert "has 7 lines at" in sentence(f"{PATH}:12", "--at", "HEAD~1")
    assert "app/never.py is not there at" in sentence("app/never.py:1", "--at", "HEAD")


# Files and folders ------------------------------------------------------------------------------------


def test_a_whole_file_is_told_by_share(cli: Any, clone: Clone, answer: Any, as_alice: Any) -> None:
    told = answer(PATH)
    shares = [(part["ref"], part["lines"], part["provenance"]) for part in told["parts"]]
    assert shares == [("SOL-2", 5, "stated: trailer"), ("SOL-1", 1, "stated: trailer"), ("", 6, "")]
    assert sum(part["share"] for part in told["parts"]) == pytest.approx(1)
    cli("repository", "add", str(clone.path))
    page = as_alice.get("/p/sprout/why", {"q": PATH}).content.decode()
    assert "What these lines are for" in page
    assert "Nobody has said why" in page


def test_commits_that_are_not_listed_are_counted(clone: Clone, answer: Any) -> None:
    lines: list[str] = []
    for number in range(24):
        lines.append(f"line {number}\n")
        clone.commit(f"Line {number}", **{"long.py": "".join(lines)})
    told = answer("long.py")
    assert len(told["others"]) == 20
    assert "3 more commits wrote lines here: ask about fewer lines to see them." in told["notes"]


def test_a_folder_is_told_by_share_as_it_was_last_read_in(
    cli: Any, clone: Clone, answer: Any, sentence: Any, as_alice: Any, product: Any
) -> None:
    assert "was never read in: whytree repository add" in sentence("app/")
    cli("repository", "add", str(clone.path))
    told = answer("app")
    assert told["ref"] == "sprout-app:app/"
    assert [(part["ref"], part["lines"]) for part in told["parts"]] == [("SOL-2", 5), ("SOL-1", 1), ("", 7)]
    assert told["sentence"].startswith(
        "46 % of these lines can say what they are for, most of them “Explain why we ask”"
    )
    assert (told["explained"], told["commit"], told["notes"]) == (True, None, [])
    assert answer(".", cwd=clone.path / "app")["parts"] == told["parts"]
    everything = answer(".")
    assert (everything["ref"], everything["lines"]) == ("sprout-app:./", "14 lines in 3 files")
    assert not answer("docs/")["explained"]
    clone.commit("Newer", **{"b.py": "b = 1\n"})
    assert "1 commit here is newer" in answer("app")["notes"][-1]
    for q in ("app/", "sprout-app:./"):
        page = as_alice.get("/p/sprout/why", {"q": q}).content.decode()
        assert "% explained" in page, q
    with pytest.raises(NotFound, match="No lines of none/ are known here"):
        explain(product, Ask(parse_ref("none/")))


def test_of_silent_commits_the_one_that_names_a_ticket_is_the_answer(cli: Any, clone: Clone, answer: Any) -> None:
    clone.commit("Tidy up", **{"shop/prices.py": "a = 1\nb = 2\nc = 3\n"})
    clone.commit("Fixes #412: show prices first", **{"shop/prices.py": "a = 1\nb = 2\nc = 3\nd = 4\n"})
    cli("repository", "add", str(clone.path))
    assert answer("shop/prices.py")["ticket"]["key"] == "#412"


def test_a_folder_whose_commits_only_name_tickets_says_so(cli: Any, clone: Clone, answer: Any, as_alice: Any) -> None:
    clone.commit("Fixes #412: show prices first", **{"shop/prices.py": "a = 1\nb = 2\nc = 3\n"})
    clone.commit("Tidy up", **{"shop/other.py": "d = 4\n"})
    cli("repository", "add", str(clone.path))
    told = answer("shop")
    assert told["sentence"] == "75 % of these lines name a ticket. Nobody has said what any of them should change."
    assert [(part["ref"], part["lines"]) for part in told["parts"]] == [("", 3), ("", 1)]
    assert not told["explained"]


def test_a_folder_says_how_much_came_with_requests_that_nobody_has_read(cli: Any, clone: Clone, answer: Any) -> None:
    clone.commit("Grow (#50)", **{"grown/a.py": "a = 1\n" * 6})
    clone.commit("Grow more (#51)\n\nFixes #7", **{"grown/b.py": "b = 1\n" * 3})
    clone.commit("Grow in silence", **{"grown/c.py": "c = 1\n"})
    cli("repository", "add", str(clone.path))
    told = answer("grown/")
    assert told["sentence"] == "60 % of these lines came with pull requests that nobody has read yet."
    assert [(part["title"], part["lines"]) for part in told["parts"]] == [
        ("name a ticket; what it should change is open", 3),
        ("came with a pull request that nobody has read", 6),
        ("nobody has said why", 1),
    ]
    assert told["next"] == ["Ask the tracker what its pull requests were for: whytree ticket sync"]


def test_another_repositorys_folder_is_never_taken(
    cli: Any, clone: Clone, answer: Any, sentence: Any, product: Any, tmp_path: Path
) -> None:
    cli("repository", "add", str(clone.path))
    theirs = Clone(tmp_path / "theirs")
    theirs.commit("Theirs", **{"app/x.py": "x = 1\n", "app/form.py": "y = 1\n"})
    assert "was never read in" in sentence("app/", cwd=theirs.path)
    cli("repository", "add", str(theirs.path))
    assert not answer("app/", cwd=theirs.path)["explained"]
    assert answer("app/")["explained"]
    with pytest.raises(Invalid, match=r"Several repositories have app/ Say which: sprout-app:app/, theirs:app/"):
        explain(product, Ask(parse_ref("app/")))
    assert explain(product, Ask(parse_ref("theirs:app/"))).parts[0].ref == ""
    only_ours = answer("docs/a.md", cwd=theirs.path)
    assert "as sprout-app was last read in" in only_ours["notes"][-1]


# Names and files that could be anything ---------------------------------------------------------------


def test_links_submodules_and_paths_out_of_the_clone_are_told_apart(
    clone: Clone, answer: Any, sentence: Any, tmp_path: Path
) -> None:
    (tmp_path / "secret.py").write_text("secret = 1\n")
    os.symlink(tmp_path / "secret.py", clone.path / "out.py")
    os.symlink("form.py", clone.path / "app/alias.py")
    os.symlink("nowhere", clone.path / "app/dangling.py")
    clone.commit("Links")
    assert "symbolic link out of this clone" in sentence("out.py:1")
    assert answer("app/alias.py:6")["ref"] == f"{PATH}:6"
    assert "is a symbolic link at" in sentence("app/dangling.py:1")
    assert "no git repository" in sentence("../secret.py:1")
    assert "No repository is known" in sentence("../../../../etc/nothing:1")
    inner = Clone(tmp_path / "inner")
    inner.commit("Inner", **{"i.py": "i = 1\n"})
    clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "lib")
    clone.commit("Take inner in")
    assert answer("lib/i.py:1")["commit"]["subject"] == "Inner"
    clone.git("submodule", "--quiet", "deinit", "--force", "lib")
    assert "lib is a submodule. Check it out" in sentence("lib/i.py:1")
    assert "is a submodule" in sentence("lib:1")


def test_odd_names_are_names(clone: Clone, answer: Any) -> None:
    for name in ("a:b.py", "x::y.py", "C:drive.py", "-n.py", "sp ace.py", "7.py", "SOL-1", "é\n.py", "*.py"):
        sha = clone.commit(f"Add\n\nWhy: SOL-1\n\n{len(name)}", **{name: f"name = {name!r} * 20\n"})
        told = answer(f"./{name}" if name.startswith("-") else name)
        assert told["commit"]["sha"] == sha, name
        assert told["solution"]["ref"] == "SOL-1"


def test_windows_paths_and_line_ends_are_understood(clone: Clone, answer: Any, sentence: Any) -> None:
    clone.commit("Windows\n\nWhy: SOL-1", **{"w.py": "one = 1\r\ntwo = 2\r\n"})
    told = answer("w.py:2")
    assert (told["solution"]["ref"], told["code"][0]["text"]) == ("SOL-1", "two = 2")
    clone.write("w.py", "one = 1\ntwo = 2\n")
    assert answer("w.py:2")["solution"]["ref"] == "SOL-1"
    for written in (r"C:\app\form.py:6", r"app\form.py:6"):
        assert "Write the path with /, from the top of your clone: app/form.py:6" in sentence(written)


def test_data_is_no_code(clone: Clone, sentence: Any) -> None:
    clone.commit("Data", **{"n.py": "a\0b\n", "long.txt": "x\n" * 20_001, "folder/x": "x\n"})
    assert "binary file" in sentence("n.py:1")
    assert "more than 20,000 lines" in sentence("long.txt")
    assert "is a folder" in sentence("folder:1")
    with (clone.path / "huge.bin").open("wb") as file:
        file.truncate(60_000_000)
    assert "that is data" in sentence("huge.bin:1")
