"""The hooks in real repositories: what they write, what they leave alone, and whom they call first."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.code.repositories import QUIET, Clone
from whytree.code.clone.git import open_clone
from whytree.why.starting.branches import set_trailer, switch_to
from whytree.why.starting.hooks import find_hooks, install, refuse
from whytree.workspace.terminal.client import CommandError

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`


@pytest.fixture
def clone(clone: Clone) -> Clone:
    clone.commit("Start", **{"a.py": "a\n"})
    return clone


def begin(clone: Clone) -> None:
    opened = open_clone(clone.path)
    switch_to(opened, "sol-3-form")
    set_trailer(opened, "sol-3-form", "SOL-3")
    install(opened, find_hooks(opened))


def message(clone: Clone, revision: str = "HEAD") -> str:
    return clone.git("log", "-1", "--format=%B", revision).strip()


def edit(clone: Clone, editor: str, *words: str) -> int:
    """`git commit` with an editor; gives git's exit code."""
    command = ["git", "-C", str(clone.path), "commit", "--allow-empty", *words]
    return subprocess.run(
        command, env={**os.environ, **QUIET, "GIT_EDITOR": editor}, capture_output=True, check=False
    ).returncode


def test_a_message_gets_its_line_once(clone: Clone) -> None:
    begin(clone)
    clone.commit("Add")
    assert message(clone) == "Add\n\nWhy: SOL-3"
    clone.git("commit", "--quiet", "--amend", "--no-edit", "--allow-empty")
    assert message(clone) == "Add\n\nWhy: SOL-3"
    clone.commit("Own\n\nWhy: OPP-1")
    assert message(clone) == "Own\n\nWhy: OPP-1"
    clone.commit("#412 Numbered\n\nSigned-off-by: Ana <a@b.c>")
    assert message(clone) == "#412 Numbered\n\nSigned-off-by: Ana <a@b.c>\nWhy: SOL-3"


def test_an_editor_shows_the_line_and_an_unwritten_message_is_still_none(clone: Clone) -> None:
    begin(clone)
    assert edit(clone, "sed -i '1s/^/Written/'") == 0
    assert message(clone) == "Written\n\nWhy: SOL-3"
    before = clone.head
    assert edit(clone, "true") == 1
    assert edit(clone, "true", "--verbose") == 1
    assert edit(clone, "sed -i '1s/^/Kept/; /^Why/d'") == 0
    assert message(clone) == "Kept"
    assert clone.git("rev-parse", "HEAD~1") == before
    assert (
        subprocess.run(
            ["git", "-C", str(clone.path), "commit", "--allow-empty", "-m", ""], capture_output=True, check=False
        ).returncode
        == 1
    )


def test_every_way_to_give_a_message_is_understood(clone: Clone, tmp_path: Path) -> None:
    begin(clone)
    crlf = tmp_path / "message"
    crlf.write_bytes(b"From a file\r\n\r\nwith Windows' line ends\r\n")
    clone.git("commit", "--quiet", "--allow-empty", "--file", str(crlf))
    assert message(clone) == "From a file\n\nwith Windows' line ends\n\nWhy: SOL-3"
    clone.git("commit", "--quiet", "--allow-empty", "--reuse-message", "main")
    assert message(clone) == "Start\n\nWhy: SOL-3"
    clone.git("commit", "--quiet", "--allow-empty", "-m", "Rule", "-m", "above\n---\nbelow")
    assert message(clone) == "Rule\n\nabove\n---\nbelow\n\nWhy: SOL-3"
    clone.commit("fixup! Rule")
    clone.git("rebase", "--quiet", "main")
    assert clone.git("log", "--format=%(trailers:key=Why,valueonly,separator=%x2C)", "main..").split() == ["SOL-3"] * 4


@pytest.mark.parametrize(
    ("said", "added"),
    [
        ("Why: OPP-1", False),
        ("why: none", False),
        ("Why-Flag: flag:later", False),
        ("    Why: SOL-9", False),
        ("* Why: #412", False),
        ("Why: acme/sprout#412", False),
        ("Why: it was slow", True),
        ("- Why: people waited", True),
        ("whyever", True),
    ],
)
def test_a_reason_that_stands_there_is_enough_and_prose_is_none(clone: Clone, said: str, added: bool) -> None:
    begin(clone)
    clone.commit(f"Change\n\n{said}")
    assert ("Why: SOL-3" in message(clone)) is added


def test_another_comment_character_is_respected(clone: Clone) -> None:
    begin(clone)
    clone.git("config", "core.commentChar", ";")
    assert edit(clone, "true") == 1
    assert edit(clone, "sed -i '1s/^/#412 numbered/'") == 0
    assert message(clone) == "#412 numbered\n\nWhy: SOL-3"


def test_a_merge_says_nothing_and_a_squash_keeps_the_reason_it_quotes(clone: Clone) -> None:
    clone.git("switch", "--quiet", "--create", "theirs")
    clone.commit("Nine\n\nWhy: SOL-9", **{"nine.py": "9\n"})
    clone.git("switch", "--quiet", "--create", "other", "main")
    clone.commit("Other", **{"other.py": "o\n"})
    clone.git("switch", "--quiet", "main")
    begin(clone)
    clone.commit("Mine", **{"mine.py": "m\n"})
    clone.git("merge", "--quiet", "--no-edit", "other")
    assert message(clone) == "Merge branch 'other' into sol-3-form"  # else all of theirs would be for SOL-3
    clone.git("merge", "--quiet", "--squash", "theirs")
    assert edit(clone, "true") == 0
    assert "Why: SOL-9" in message(clone)
    assert "SOL-3" not in message(clone)


def test_a_hostile_branch_name_is_only_a_name(clone: Clone) -> None:
    begin(clone)
    name = "a$(touch${IFS}pwned)`id`;x"
    clone.git("switch", "--quiet", "--create", name)
    set_trailer(open_clone(clone.path), name, "SOL-3")
    clone.commit("Add")
    assert message(clone) == "Add\n\nWhy: SOL-3"
    assert not (clone.path / "pwned").exists()


def test_other_branches_and_other_peoples_commits_are_left_alone(clone: Clone) -> None:
    picked = clone.commit("Theirs")
    begin(clone)
    clone.commit("Ours", **{"b.py": "b\n"})
    clone.git("cherry-pick", "--allow-empty", picked)
    assert message(clone) == "Theirs"
    clone.git("revert", "--no-edit", "HEAD~1")
    assert "Why:" not in message(clone)
    clone.git("switch", "--quiet", "main")
    clone.commit("On main")
    assert message(clone) == "On main"


def test_a_hook_that_stood_there_before_is_called_first_and_may_refuse(clone: Clone) -> None:
    hook = clone.path / ".git/hooks/prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ngrep -q forbidden "$1" && exit 1\necho "Change-Id: I1" >> "$1"\n')
    hook.chmod(0o755)
    assert find_hooks(open_clone(clone.path)).existing == ["prepare-commit-msg"]
    begin(clone)
    begin(clone)  # again changes nothing
    clone.commit("Add\n")
    assert "Change-Id: I1" in message(clone)
    assert "Why: SOL-3" in message(clone)
    with pytest.raises(AssertionError):
        clone.commit("forbidden")


# As pre-commit writes it: it calls what it found first, then its own.
PRE_COMMIT = """#!/bin/sh
# File generated by pre-commit: https://pre-commit.com
legacy="$(dirname "$0")/{name}.legacy"
if [ -x "$legacy" ]; then "$legacy" "$@" || exit $?; fi
echo pre-commit >> ran
"""


def install_pre_commit(clone: Clone) -> None:
    """`pre-commit install`: a hook that is not its own moves to NAME.legacy."""
    for name in ("prepare-commit-msg", "commit-msg"):
        hook = clone.path / ".git/hooks" / name
        if hook.exists() and "pre-commit.com" not in hook.read_text():
            hook.rename(hook.with_name(f"{name}.legacy"))
        hook.write_text(PRE_COMMIT.format(name=name))
        hook.chmod(0o755)


@pytest.mark.parametrize("order", ["pw", "wp", "pwp", "wpw", "pwpw"])
def test_pre_commit_and_we_run_once_each_whoever_came_first(clone: Clone, order: str) -> None:
    for letter in order:
        begin(clone) if letter == "w" else install_pre_commit(clone)
    assert find_hooks(open_clone(clone.path)).installed
    clone.commit("Add")
    assert message(clone) == "Add\n\nWhy: SOL-3"
    assert (clone.path / "ran").read_text().split() == ["pre-commit", "pre-commit"]  # one a hook


def test_husky_still_finds_its_script_and_we_come_back_after_it(clone: Clone) -> None:
    """husky's files look for the script that has the name they were called by."""
    folder = clone.path / ".husky/_"
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("*")
    (folder / "h").write_text('s=$(dirname "$(dirname "$0")")/$(basename "$0")\nsh -e "$s" "$@"\nexit $?\n')
    (clone.path / ".husky/prepare-commit-msg").write_text('echo "husky $2" >> ran\n')
    clone.git("config", "core.hooksPath", ".husky/_")
    for _ in range(2):  # `npm install` puts husky's own files back
        for name in ("prepare-commit-msg", "commit-msg"):
            (folder / name).write_text('#!/usr/bin/env sh\n. "$(dirname "$0")/h"')
            (folder / name).chmod(0o755)
        (clone.path / ".husky/commit-msg").write_text("")
        begin(clone)
        clone.commit("Add")
        assert message(clone) == "Add\n\nWhy: SOL-3"
    assert (clone.path / "ran").read_text() == "husky message\n" * 2


def test_hooks_that_are_files_of_the_repository_are_left_as_they_are(clone: Clone) -> None:
    team = clone.path / ".githooks/prepare-commit-msg"
    team.parent.mkdir()
    team.write_text("#!/bin/sh\necho team >> .git/ran\n")
    team.chmod(0o755)
    clone.git("config", "core.hooksPath", ".githooks")
    clone.commit("Team's hooks")
    begin(clone)
    hooks = find_hooks(open_clone(clone.path))
    assert (hooks.installed, hooks.tracked) == (False, ("prepare-commit-msg",))
    assert clone.git("status", "--porcelain") == ""
    ((file, line),) = hooks.missing_lines.items()
    assert file == str(team)
    team.write_text(team.read_text() + line + "\n")
    assert find_hooks(open_clone(clone.path)).installed
    clone.commit("Add")
    assert message(clone) == "Add\n\nWhy: SOL-3"


def test_a_folder_of_hooks_elsewhere_is_used_and_named(clone: Clone, tmp_path: Path) -> None:
    clone.git("config", "core.hooksPath", str(tmp_path / "shared-hooks"))
    hooks = find_hooks(open_clone(clone.path))
    assert (hooks.folder, hooks.shared, hooks.installed) == (tmp_path / "shared-hooks", True, False)
    begin(clone)
    clone.commit("Add")
    assert message(clone) == "Add\n\nWhy: SOL-3"
    clone.git("config", "core.hooksPath", ".githooks")
    assert not find_hooks(open_clone(clone.path)).shared


def test_it_works_in_a_worktree(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "sol-3-form")
    opened = open_clone(tmp_path / "tree")
    set_trailer(opened, "sol-3-form", "SOL-3")
    install(opened, find_hooks(opened))
    clone.git("-C", str(tmp_path / "tree"), "commit", "--quiet", "--allow-empty", "--message", "Add")
    assert message(clone, "sol-3-form") == "Add\n\nWhy: SOL-3"


def test_switching_it_off_is_one_setting(clone: Clone) -> None:
    begin(clone)
    refuse(open_clone(clone.path))
    clone.commit("Add")
    assert message(clone) == "Add"
    assert find_hooks(open_clone(clone.path)).refused


def test_a_hooks_folder_that_cannot_be_written_is_a_clear_sentence(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file" / "hooks"), "/dev/null"):
        clone.git("config", "core.hooksPath", place)
        opened = open_clone(clone.path)
        with pytest.raises(CommandError, match="Make it writable and start again"):
            install(opened, find_hooks(opened))


def test_nothing_that_stood_there_is_ever_lost(clone: Clone) -> None:
    hook = clone.path / ".git/hooks/prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    for word in ("first", "second"):
        hook.write_text(f"#!/bin/sh\necho {word} >> ran\n")
        hook.chmod(0o755)
        begin(clone)
    clone.commit("Add")
    assert (clone.path / "ran").read_text() == "second\n"
    assert "first" in hook.with_name("prepare-commit-msg.before-whytree.old").read_text()
