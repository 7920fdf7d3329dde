"""`whytree repository add`, `sync` and `list` on real clones."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import FORM, Clone
from whytree.code.models import Commit, FileBlame, Repository
from whytree.code.scanning import reading, reading_lines
from whytree.flags.services import create_flag

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATH = "app/form.py"


def add(cli: Any, clone: Clone, *words: str) -> Any:
    result = cli("repository", "add", str(clone.path), *words)
    assert result.exit_code == 0, result.output or result.exception
    return result


def test_a_clone_is_read_in_one_go_and_says_what_it_found(cli: Any, clone: Clone) -> None:
    clone.git("remote", "add", "origin", "git@github.com:Acme/Sprout.git")
    first = clone.commit("Add form", **{PATH: FORM, "README": "x\n"})
    clone.commit("Defer phone\n\nWhy: SOL-1", **{PATH: FORM.replace("phone", "tel")})
    output = add(cli, clone).output
    assert "sprout-app: 2 commits; 0 % of 8 lines can say whom they are for" in output
    repository = Repository.objects.get()
    assert (repository.root_sha, repository.tracker, repository.branch) == (first, "github.com/acme/sprout", "main")
    assert repository.head == clone.head
    assert {commit.subject: commit.lines for commit in Commit.objects.all()} == {"Add form": 7, "Defer phone": 1}


def test_contents_stay_unless_they_are_wanted(cli: Any, clone: Clone) -> None:
    clone.commit("Add form", **{PATH: FORM})
    add(cli, clone)
    assert FileBlame.objects.get().text is None
    add(cli, clone, "--with-code")
    assert FileBlame.objects.get().text == FORM.rstrip("\n")
    cli("repository", "sync", cwd=clone.path)
    assert FileBlame.objects.get().text == FORM.rstrip("\n")


def test_a_sync_sends_only_what_is_new(cli: Any, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.commit("Add form", **{PATH: FORM, "other.py": "x = 1\n", "gone.py": "y = 1\n"})
    add(cli, clone)
    clone.git("rm", "--quiet", "gone.py")
    clone.commit("Change", **{PATH: FORM.replace("phone", "tel")})
    sent: list[Any] = []
    post = reading.Client.post
    monkeypatch.setattr(
        reading.Client, "post", lambda self, path, body=None: (sent.append((path, body)), post(self, path, body))[1]
    )
    result = cli("repository", "sync", cwd=clone.path / "app")
    assert "1 new of 2 commits" in result.output
    assert [len(body["commits"]) for path, body in sent if path.endswith("/commits")] == [1]
    assert [[file["path"] for file in body["files"]] for path, body in sent if path.endswith("/lines")] == [[PATH]]
    assert set(FileBlame.objects.values_list("path", flat=True)) == {PATH, "other.py"}
    assert cli("repository", "sync", cwd=clone.path).output.startswith("sprout-app: 0 new of 2 commits")


def test_a_merge_a_note_and_a_flag_that_came_later_reach_old_commits(
    cli: Any, actor: Any, product: Any, clone: Clone
) -> None:
    clone.commit("Start", **{"a.py": "a = 1\n"})
    clone.git("switch", "--quiet", "--create", "sol-3-defer")
    side = clone.commit("Defer", **{"a.py": "a = on('defer_phone')\n"})
    add(cli, clone)
    clone.git("switch", "--quiet", "main")
    clone.commit("Else", **{"b.py": "b = 1\n"})
    clone.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'sol-3-defer'", "sol-3-defer")
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: SOL-9", side)
    create_flag(actor, product, key="defer_phone")
    cli("repository", "sync", cwd=clone.path)
    row = Commit.objects.get(sha=side)
    assert (row.branch, row.note, row.flags_added) == ("sol-3-defer", "Why: SOL-9", ["defer_phone"])


def test_lines_are_those_of_the_command_line_maintenance_included(cli: Any, clone: Clone) -> None:
    origin = clone.commit("Add form", **{PATH: FORM})
    clone.commit("Join\n\nWhy: none", **{PATH: FORM.replace("import forms\n\n\n", "import forms\n")})
    clone.commit(
        "Wrap",
        **{PATH: FORM.replace("import forms\n\n\n", "import forms\n").replace("CharField()", "CharField(\n    )")},
    )
    add(cli, clone)
    assert {sha for _, _, sha in FileBlame.objects.get().spans} == {origin}


def test_what_is_left_out_is_said(cli: Any, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_lines, "MAX_LINES_A_FILE", 5)
    clone.commit("Old", **{"long.txt": "x\n" * 9, "b.bin": "\0\0", "a.py": "a\n", "empty": ""})
    assert "1 file left out: longer than 5 lines." in add(cli, clone).output
    assert list(FileBlame.objects.values_list("path", flat=True)) == ["a.py"]
    assert len(json.loads(cli("repository", "list", "--json").output)[0]["left_out"]) == 1


def once_binary(clone: Clone, *names: str) -> None:
    """Files whose first change git does not show line by line."""
    clone.commit("Data", **dict.fromkeys(names, "\x00\n"))
    clone.commit("Text", **dict.fromkeys(names, "x\n"))


def test_a_file_that_was_binary_once_is_blamed_by_git(cli: Any, clone: Clone) -> None:
    once_binary(clone, "a.py")
    add(cli, clone)
    assert FileBlame.objects.get().spans == [[1, 1, clone.head]]


def test_a_reading_that_was_cut_off_goes_on(cli: Any, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    once_binary(clone, *(f"{name}.py" for name in "abcdef"))
    monkeypatch.setattr(reading_lines, "_BLAMED_AT_ONCE", 2)
    clock = iter([0.0, 0.0, 999.0])
    monkeypatch.setattr(reading_lines, "monotonic", lambda: next(clock, 0.0))
    assert "4 files left out: that took too long" in add(cli, clone).output
    assert FileBlame.objects.count() == 2
    cli("repository", "sync", cwd=clone.path)
    assert FileBlame.objects.count() == 6
    clock = iter([0.0, 999.0])
    cli("repository", "sync", cwd=clone.path)
    assert FileBlame.objects.count() == 6, "what was not reached is not gone"


def test_a_file_that_git_cannot_blame_does_not_stop_the_others(
    cli: Any, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.code.blame.lines import LineReader, Wanted
    from whytree.workspace.terminal.client import CommandError

    once_binary(clone, "a.py", "b.py", "c.py")
    read = LineReader.read_all

    def stumble(self: LineReader, wanted: list[Wanted]) -> Any:
        if Wanted("b.py") in wanted:
            raise CommandError("git blame failed")
        return read(self, wanted)

    monkeypatch.setattr(LineReader, "read_all", stumble)
    assert "git could not blame it (b.py)" in add(cli, clone).output
    assert set(FileBlame.objects.values_list("path", flat=True)) == {"a.py", "c.py"}


def test_of_a_damaged_clone_what_can_be_told_is_told(cli: Any, clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n", "b.py": "b\n"})
    lost = clone.git("rev-parse", "HEAD:a.py")
    clone.commit("Change", **{"a.py": "c\n"})
    (clone.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    output = add(cli, clone).output
    assert "Contents that 2 commits changed are missing from this clone" in output
    assert "1 file that they touched was blamed singly" in output
    assert "git could not blame it (a.py)" in output
    assert list(FileBlame.objects.values_list("path", flat=True)) == ["b.py"]
    clone.git("rm", "--quiet", "a.py")
    clone.commit("Gone")
    (clone.path / ".git/whytree/survivors").unlink()
    assert "No line of today came through them." in cli("repository", "sync", "--all", cwd=clone.path).output


def test_a_file_whose_contents_of_today_are_missing_does_not_hide_the_others(cli: Any, clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n", "b.py": "b\n"})
    lost = clone.git("rev-parse", "HEAD:a.py")
    (clone.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    assert "1 file left out: contents missing from this clone (git fetch --refetch)." in add(cli, clone).output
    assert list(FileBlame.objects.values_list("path", flat=True)) == ["b.py"]


def test_a_reason_told_later_reaches_lines_that_were_read_before(cli: Any, clone: Clone) -> None:
    origin = clone.commit("Add form", **{PATH: FORM})
    later = clone.commit("Rename", **{PATH: FORM.replace("phone", "telephone")})
    add(cli, clone)
    assert later in {sha for _, _, sha in FileBlame.objects.get().spans}
    clone.git("notes", "--ref=whytree", "add", "-m", "Why: none", later)
    cli("repository", "sync", cwd=clone.path)
    assert {sha for _, _, sha in FileBlame.objects.get().spans} == {origin}
    clone.git("notes", "--ref=whytree", "add", "-f", "-m", "Why: SOL-3", later)
    cli("repository", "sync", cwd=clone.path)
    assert later in {sha for _, _, sha in FileBlame.objects.get().spans}


def test_a_rewritten_history_is_read_again(cli: Any, clone: Clone) -> None:
    clone.commit("Start", **{"a.py": "a\n"})
    clone.commit("Second", **{"a.py": "b\n"})
    add(cli, clone)
    clone.git("commit", "--quiet", "--amend", "--message", "Second, better")
    assert "1 new of 2 commits" in cli("repository", "sync", cwd=clone.path).output
    assert FileBlame.objects.get().spans == [[1, 1, clone.head]]


def test_odd_names_and_encodings_are_read(cli: Any, clone: Clone) -> None:
    clone.write("größe\t\"x'.py", "a\n")
    clone.write(os.fsdecode(b"latin-\xe9.py"), "b\n")
    clone.write("latin.txt", "größe\n".encode("latin-1"))
    clone.git("config", "i18n.commitEncoding", "ISO-8859-1")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--file=-", stdin="Größe".encode("latin-1"))
    add(cli, clone, "--with-code")
    assert Commit.objects.get().subject == "Größe"
    assert set(FileBlame.objects.values_list("path", flat=True)) == {"größe\t\"x'.py", "latin-\\xe9.py", "latin.txt"}


def test_a_submodule_and_a_link_have_no_lines(cli: Any, clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n"})
    (clone.path / "link").symlink_to("a.py")
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{clone.head},vendor")
    clone.git("add", "link")
    clone.git("commit", "--quiet", "--message", "Link")
    add(cli, clone)
    assert list(FileBlame.objects.values_list("path", flat=True)) == ["a.py"]


@pytest.mark.parametrize("command", ["add", "sync"])
def test_what_cannot_be_read_is_a_sentence_each(
    cli: Any, clone: Clone, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sentence(path: Path) -> str:
        return refusal(cli("repository", command, str(path)))

    assert "no commit yet" in sentence(clone.path)
    clone.commit("Add", **{"a.py": "a\n"})
    clone.commit("Second", **{"a.py": "b\n"})
    clone.git("clone", "--quiet", "--depth=1", f"file://{clone.path}", str(tmp_path / "shallow"))
    assert "git fetch --unshallow" in sentence(tmp_path / "shallow")
    (tmp_path / "plain").mkdir()
    assert "no git repository" in sentence(tmp_path / "plain")
    assert "nothing at" in sentence(tmp_path / "gone")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install git" in sentence(clone.path)
    assert not Repository.objects.exists()


def test_a_sync_of_an_unknown_clone_says_how_to_add_it(cli: Any, clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n"})
    assert "whytree repository add" in refusal(cli("repository", "sync", str(clone.path)))


def test_the_list_says_how_far_each_was_read(cli: Any, clone: Clone) -> None:
    assert "Add your clone" in cli("repository", "list").output
    clone.commit("Add", **{"a.py": "a\n"})
    add(cli, clone, "--name", "app")
    line = cli("repository", "list").output
    assert line.startswith("app ")
    assert clone.head[:7] in line


def test_without_lines_only_commits_are_read(cli: Any, clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n"})
    assert "0 commits say what they are for" in add(cli, clone, "--no-lines").output
    assert not FileBlame.objects.exists()


@pytest.mark.live
def test_a_running_server_is_told_over_http(live: Any, clone: Clone) -> None:
    clone.commit("Add form", **{PATH: FORM})
    done = live.cli_json("repository", "add", ".", "--name", "over-http", cwd=clone.path)
    assert (done["commits"], done["new_commits"], done["files"]) == (1, 1, 1)
    assert "over-http" in live.cli("repository", "list").stdout
