"""Which commit a line came with: moves, renames and maintenance on real repositories."""

from pathlib import Path

import pytest

from tests.code.repositories import FORM, Clone
from whytree.code.blame.lines import FileLines, LineReader, Wanted
from whytree.code.clone.git import open_clone
from whytree.workspace.terminal.client import CommandError

PATH = "app/form.py"
PHONE = "    phone = forms.CharField(required=False, help_text='Only to confirm a booking')\n"


def read(clone: Clone, path: str = PATH, first: int = 0, last: int = 0) -> FileLines:
    return LineReader(open_clone(clone.path)).read(Wanted(path, first, last))


def origin(clone: Clone, words: str, path: str = PATH) -> str:
    line = clone.line(path, words)
    return read(clone, path, line, line).lines[0].sha


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone")
    made.commit("Add form", **{PATH: FORM})
    return made


@pytest.fixture
def deferred(clone: Clone) -> str:
    """The commit that made the phone optional."""
    return clone.commit("Defer phone\n\nWhy: SOL-3", **{PATH: FORM.replace("    phone = forms.CharField()\n", PHONE)})


def test_a_line_belongs_to_the_commit_that_wrote_it_even_after_a_rename(clone: Clone, deferred: str) -> None:
    clone.git("mv", PATH, "app/sign_up.py")
    clone.commit("Rename")
    assert origin(clone, "phone", "app/sign_up.py") == deferred


def test_lines_copied_to_another_file_of_the_commit_keep_their_origin(clone: Clone, deferred: str) -> None:
    text = clone.read(PATH)
    clone.commit("Split", **{PATH: text.replace(PHONE, ""), "app/phone.py": "class Phone:\n" + PHONE})
    assert origin(clone, "phone", "app/phone.py") == deferred


def test_white_space_is_looked_through(clone: Clone, deferred: str) -> None:
    clone.commit("Indent", **{PATH: clone.read(PATH).replace("    ", "        ")})
    assert origin(clone, "phone") == deferred


def test_a_commit_that_only_broke_lines_is_looked_through(clone: Clone, deferred: str) -> None:
    broken = PHONE.replace("(", "(\n        ").replace(", h", ",\n        h").replace(")\n", "\n    )\n")
    reformat = clone.commit("Wrap at 60", **{PATH: clone.read(PATH).replace(PHONE, broken)})
    found = read(clone)
    assert {line.sha for line in found.lines if "phone" in line.text} == {deferred}
    assert found.looked_through == (reformat,)


def test_what_a_commit_only_formatted_is_looked_through_beside_what_it_changed(clone: Clone) -> None:
    """Two commits that each format what the other one wrote, and write something themselves."""
    old = clone.commit("Old", **{"a.py": "one = f('a', 1)\n\nmiddle = 0\n\ntwo = f('b', 2)\n"})
    first = clone.commit("One", **{"a.py": "one = f(\"a\", 1)\n\nmiddle = 0\n\ntwo = g('b', 3)\n"})
    second = clone.commit("Two", **{"a.py": 'one = h("a", 4)\n\nmiddle = 0\n\ntwo = g("b", 3)\n'})
    reader = LineReader(open_clone(clone.path), "HEAD")
    whole = reader.read(Wanted("a.py"))
    assert [line.sha for line in whole.lines] == [second, old, old, old, first]
    assert whole.looked_through == (second,)
    assert reader.read(Wanted("a.py", 5, 5)).lines == whole.lines[4:]
    assert not reader.read(Wanted("a.py", 1, 1)).looked_through
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: SOL-9", second)
    assert LineReader(open_clone(clone.path), "HEAD").read(Wanted("a.py")).lines[4].sha == second


def test_a_commit_that_says_why_none_is_looked_through(clone: Clone, deferred: str) -> None:
    text = clone.read(PATH).replace("Only to confirm a booking", "Only for bookings")
    words = clone.commit("Shorten words\n\nWhy: none", **{PATH: text})
    found = read(clone)
    assert {line.sha for line in found.lines if "phone" in line.text} == {deferred}
    assert found.looked_through == (words,)


def test_a_stated_reason_is_never_looked_through(clone: Clone, deferred: str) -> None:
    text = clone.read(PATH).replace("'Only to confirm a booking'", '"Only to confirm a booking"')
    quotes = clone.commit("Use double quotes", **{PATH: text})
    clone.write(".git-blame-ignore-revs", quotes)
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: SOL-9", quotes)
    assert origin(clone, "phone") == quotes


def test_listed_revisions_are_looked_through(clone: Clone, deferred: str) -> None:
    text = clone.read(PATH).replace("Only to confirm a booking", "Only for bookings")
    words = clone.commit("Shorten words", **{PATH: text})
    assert origin(clone, "phone") == words
    clone.write(".git-blame-ignore-revs", f"# words\n{words}\nHEAD\nnonsense\n{'e' * 40}\n")
    assert origin(clone, "phone") == deferred
    clone.git("config", "blame.ignoreRevsFile", "no/such/file")
    assert origin(clone, "phone") == deferred


def test_a_line_that_maintenance_itself_wrote_stays_with_it(clone: Clone) -> None:
    chore = clone.commit("Add a licence line\n\nWhy: none", **{PATH: "# Licence: Apache\n" + FORM})
    assert origin(clone, "Licence") == chore


def test_maintenance_on_top_of_maintenance_is_looked_through(clone: Clone, deferred: str) -> None:
    for number, quote in enumerate(('"', "'", '"', "'", '"')):
        text = clone.read(PATH).replace("'", '"') if quote == '"' else clone.read(PATH).replace('"', "'")
        clone.commit(f"Quotes {number}\n\nWhy: none", **{PATH: text})
    assert origin(clone, "phone") == deferred


def test_many_files_are_read_like_one(clone: Clone, deferred: str) -> None:
    clone.commit("More", **{"a.py": "a = 1\n", "b.py": "b = (1,\n  2)\n"})
    clone.commit("Join", **{"b.py": "b = (1, 2)\n"})
    reader = LineReader(open_clone(clone.path), "HEAD")
    wanted = [Wanted(PATH), Wanted("a.py"), Wanted("b.py")]
    together = reader.read_all(wanted)
    apart = {one: LineReader(open_clone(clone.path), "HEAD").read(one) for one in wanted}
    assert {one: lines.lines for one, lines in together.items()} == {one: lines.lines for one, lines in apart.items()}
    assert reader.facts[deferred].subject == "Defer phone"


def test_what_is_not_committed_has_no_commit(clone: Clone) -> None:
    clone.write(PATH, FORM + "    fax = 1\n")
    assert origin(clone, "fax") == "0" * 40
    with pytest.raises(CommandError, match="no such path"):
        read(clone, "no.py")


def test_the_repository_of_a_running_hook_is_not_taken_for_the_one_asked_about(
    clone: Clone, deferred: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Clone(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git/index"))
    assert open_clone(clone.path).head == deferred


def test_no_repository_an_empty_one_a_bare_one_and_no_git_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").mkdir()
    empty = Clone(tmp_path / "empty")
    assert open_clone(empty.path).head == ""
    empty.git("init", "--quiet", "--bare", str(tmp_path / "bare"))
    for folder, words in (("plain", "no git repository"), ("bare", "bare repository"), ("gone", "nothing at")):
        with pytest.raises(CommandError, match=words):
            open_clone(tmp_path / folder)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="no git on this machine"):
        open_clone(empty.path)
