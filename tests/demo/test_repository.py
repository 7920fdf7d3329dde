"""The app's small repository: real git, the story's dates, and nothing of the person's own configuration."""

import os
import subprocess
from pathlib import Path

import pytest

from whytree.demo import repository, words
from whytree.demo.story import Calendar
from whytree.engines.git.log import parse_trailers
from whytree.workspace.terminal.client import CommandError

REFS = {"defer": "SOL-2", "phone": "OPP-2"}


def _git(path: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(path), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, calendar: Calendar) -> Path:
    return repository.build(tmp_path_factory.mktemp("demo") / "sprout", calendar, REFS)


def test_every_commit_has_its_author_and_its_date(clone: Path, calendar: Calendar) -> None:
    log = _git(clone, "log", "--reverse", "--format=%an|%aI|%s").splitlines()
    entries = words.commits()
    assert len(log) == len(entries)
    for line, entry in zip(log, entries, strict=True):
        author, date, subject = line.split("|", 2)
        assert author == repository.AUTHORS[entry["author"]][0]
        assert date[:10] == calendar.at(entry["day"]).date().isoformat()
        assert subject == entry["subject"]


def test_the_line_of_the_tour_comes_from_the_deferral(clone: Path) -> None:
    line = (clone / "app/signup/form.py").read_text().splitlines()[41]
    assert line.strip() == "phone = forms.CharField(required=False)"
    blamed = _git(clone, "blame", "-w", "-M", "-C", "-L42,42", "--porcelain", "app/signup/form.py")
    sha = blamed.split()[0]
    assert _git(clone, "log", "-1", "--format=%s", sha) == "Defer phone to first booking"
    assert ("Why", "SOL-2") in list(parse_trailers(_git(clone, "log", "-1", "--format=%b", sha)))


def test_nobody_said_why_company_size_is_asked(clone: Path) -> None:
    lines = (clone / "app/signup/form.py").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "company_size" in line)
    ignoring = ("--ignore-revs-file", str(clone / repository.IGNORED))
    blamed = _git(
        clone, "blame", "-w", "-M", "-C", *ignoring, f"-L{number},{number}", "--porcelain", "app/signup/form.py"
    )
    message = _git(clone, "log", "-1", "--format=%B", blamed.split()[0])
    assert message == "Add company size"


def test_no_code_reads_company_size(clone: Path) -> None:
    found = subprocess.run(
        ["git", "-C", str(clone), "grep", "-l", "company_size"], capture_output=True, text=True, check=True
    )
    assert {path for path in found.stdout.split() if not path.startswith("tests/")} == {"app/signup/form.py"}


def test_the_formatting_commit_is_named_for_blame(clone: Path) -> None:
    sha = (clone / repository.IGNORED).read_text().splitlines()[1]
    assert _git(clone, "log", "-1", "--format=%s", sha) == "Format everything"


def test_the_same_day_makes_the_same_commits(clone: Path, tmp_path: Path, calendar: Calendar) -> None:
    again = repository.build(tmp_path / "again", calendar, REFS)
    assert _git(again, "rev-parse", "HEAD") == _git(clone, "rev-parse", "HEAD")


def test_it_leaves_the_persons_git_alone(tmp_path: Path, calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "hooks").mkdir(parents=True)
    hook = home / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    config = home / ".gitconfig"
    config.write_text(f"[core]\n\thooksPath = {home}/hooks\n[commit]\n\tgpgSign = true\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    before = config.read_text()
    made = repository.build(tmp_path / "sprout", calendar, REFS)
    monkeypatch.delenv("GIT_DIR")
    assert _git(made, "rev-list", "--count", "HEAD") == str(len(words.commits()))
    assert config.read_text() == before
    assert not (tmp_path / "elsewhere").exists()


def test_without_git_it_says_what_to_install(
    tmp_path: Path, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(CommandError, match="apt install git"):
        repository.build(tmp_path / "sprout", calendar, REFS)
