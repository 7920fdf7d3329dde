"""The command line against this process's database, and clones to run it in."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "sprout-app")


@cache
def commands() -> Any:
    """A root with the commands these tests run: the whole one takes long to put together for every call."""
    import typer

    from whytree.code import commands as code
    from whytree.tree import commands as tree
    from whytree.why import commands as why
    from whytree.workspace import commands as workspace

    root, groups = typer.Typer(), dict[str, typer.Typer]()

    def group(name: str) -> typer.Typer:
        if name not in groups:
            groups[name] = typer.Typer()
            root.add_typer(groups[name], name=name)
        return groups[name]

    for module in (code, tree, why, workspace):
        module.register(root, group)
    return root


@cache
def application() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


@pytest.fixture
def cli(api: Any, open_connection: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """`cli("why", "a.py:1", cwd=folder)` as Alice; gives typer's result, errors included in `output`."""
    import httpx
    from typer.testing import CliRunner

    from whytree.workspace import client

    monkeypatch.setenv("WHYTREE_TOKEN", api.token)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setattr(client, "running_server", lambda data: "")
    monkeypatch.setattr(client, "_in_process", lambda: httpx.WSGITransport(app=application()))

    def run(*words: str, cwd: Path = tmp_path, stdin: str = "") -> Any:
        monkeypatch.chdir(cwd)
        return CliRunner().invoke(commands(), list(words), input=stdin)

    return run


def refusal(result: Any) -> str:
    """The sentence a command ended with."""
    from whytree.workspace.client import CommandError

    assert isinstance(result.exception, CommandError), result.output
    return result.exception.message
