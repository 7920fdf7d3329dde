"""Builds the app's small git repository: real commits with authors and dates of the story.

The person's own git configuration is neither read nor written: no hook runs, nothing is signed.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from whytree.workspace.terminal.client import CommandError

from . import story, words
from .story import Calendar

AUTHORS = {colleague.key: (colleague.name, colleague.email) for colleague in story.TEAM}
AUTHORS["ida"] = ("Ida Berg", "ida@sprout.example")  # built the first version, and left
IGNORED = ".git-blame-ignore-revs"


def build(path: Path, calendar: Calendar, refs: Mapping[str, str]) -> Path:
    """Make the repository at `path`, anew. `refs` are the tree's ids by the names that the commits use for them."""
    if shutil.which("git") is None:
        raise CommandError("There is no git on this machine; the story needs it. Install it: apt install git")
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    _git(path, "init", "--quiet", "--template=", "--initial-branch=main")
    for entry in words.commits():
        _commit(path, calendar, refs, entry)
    return path


def _commit(path: Path, calendar: Calendar, refs: Mapping[str, str], entry: Mapping[str, Any]) -> None:
    for gone in entry.get("removes", ()):
        (path / gone).unlink()
    if "files" in entry:
        _lay_out(files(__package__).joinpath("texts", "commits", entry["files"]), path)
    message = f"{entry['subject']}\n\n{entry.get('body', '').strip()}".strip().format_map(refs)
    name, email = AUTHORS[entry["author"]]
    date = calendar.at(entry["day"]).isoformat()
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", email), ("DATE", date))
    }
    _git(path, "add", "--all")
    _git(path, "commit", "--quiet", "--no-verify", "--message", message, environment=who)
    if entry.get("ignored_in_blame"):
        head = _git(path, "rev-parse", "HEAD")
        (path / IGNORED).write_text(f"# {entry['subject']}\n{head}\n", encoding="utf-8")


def _lay_out(folder: Traversable, into: Path) -> None:
    """Copy the files of a commit; they carry a second ending, so that no tool takes them for code of ours."""
    for entry in folder.iterdir():
        if entry.is_dir():
            (into / entry.name).mkdir(exist_ok=True)
            _lay_out(entry, into / entry.name)
        else:
            (into / entry.name.removesuffix(".txt")).write_text(entry.read_text(encoding="utf-8"), encoding="utf-8")


def _git(path: Path, *words_: str, environment: Mapping[str, str] | None = None) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    done = subprocess.run(
        ["git", "-C", str(path), *words_],
        env={**clean, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"git {words_[0]} did not work in {path}: {done.stderr.strip()}")
    return done.stdout.strip()
