"""The hooks in real repositories: what they write, what they leave alone, and whom they call first."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.code.repositories import QUIET, Clone
from whytree.code.git import open_clone
from whytree.why.branches import set_trailer, switch_to
from whytree.why.hooks import find_hooks, install, refuse
from whytree.workspace.client import CommandError


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
    clone.git("config", "core.hooksPath", str(tmp_path / "file" / "hooks"))
    opened = open_clone(clone.path)
    with pytest.raises(CommandError, match="by hand"):
        install(opened, find_hooks(opened))
