"""Real git repositories for tests, made commit by commit with fixed authors and dates."""

import os
import subprocess
from pathlib import Path

QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
FORM = """import forms


class SignUp(forms.Form):
    email = forms.EmailField()
    phone = forms.CharField()
    company = forms.CharField()
"""


class Clone:
    """A working repository. `commit` writes the files given, commits everything and returns the commit id."""

    def __init__(self, path: Path, *, branch: str = "main") -> None:
        self.path = path
        self._minute = 0
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", f"--initial-branch={branch}")
        self.git("config", "user.name", "Ana")
        self.git("config", "user.email", "ana@example.org")
        self.git("config", "commit.gpgsign", "false")

    def git(self, *arguments: str, author: str = "", stdin: bytes | None = None) -> str:
        self._minute += 1
        date = f"2026-03-01T12:{self._minute // 60 % 60:02}:{self._minute % 60:02}+00:00"
        environment = {**os.environ, **QUIET, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        if author:
            environment |= {"GIT_AUTHOR_NAME": author}
        command = ["git", "-C", str(self.path), *arguments]
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "replace").rstrip("\n")

    def write(self, path: str, text: str | bytes) -> None:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, message: str, *, author: str = "", **files: str) -> str:
        """`clone.commit("Add", **{"app/form.py": "..."})`."""
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message, author=author)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def read(self, path: str) -> str:
        return (self.path / path).read_text()

    def line(self, path: str, words: str) -> int:
        """Number of the first line that holds these words."""
        return next(number for number, text in enumerate(self.read(path).splitlines(), 1) if words in text)
