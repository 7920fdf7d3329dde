"""The command line as somebody types it, answered in this process: no second Python is started, no server asked."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest


class Terminal:
    """The face of `servers.Live`, for what holds without a server as well."""

    def __init__(self, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        import httpx

        from whytree.workspace.terminal import client

        monkeypatch.setenv("WHYTREE_TOKEN", token)
        monkeypatch.setenv("COLUMNS", "160")
        monkeypatch.setattr(client, "running_server", lambda data: "")
        monkeypatch.setattr(client, "_in_process", lambda: httpx.WSGITransport(app=application()))
        self._monkeypatch = monkeypatch

    def run(self, *words: str, cwd: Path | None = None, stdin: str = "", color: bool = False) -> Any:
        """Typer's result: `exit_code`, `output`, and the `exception` it ended with."""
        from typer.testing import CliRunner

        if cwd is not None:
            self._monkeypatch.chdir(cwd)
        return CliRunner().invoke(commands(), list(words), input=stdin, color=color)

    def said(self, *words: str) -> str:
        """What it prints. A refusal is raised as the `CommandError` it is."""
        done = self.run(*words)
        if done.exception is not None:
            raise done.exception
        return str(done.output)

    def cli(self, *words: str, check: bool = True, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        from whytree.workspace.terminal.client import CommandError

        done, refused = self.run(*words, cwd=cwd), ""
        if isinstance(done.exception, CommandError):
            refused = done.exception.message
        elif done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        if check and done.exit_code:
            raise AssertionError(f"whytree {' '.join(words)} ended with {done.exit_code}:\n{done.output}\n{refused}")
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr + refused)

    def cli_json(self, *words: str, cwd: Path | None = None) -> Any:
        return json.loads(self.cli(*words, "--json", cwd=cwd).stdout)


@cache
def application() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


@cache
def commands() -> Any:
    from whytree.site.cli import build

    return build()
