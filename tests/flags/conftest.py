"""Flags and what they hang on."""

from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import application
from whytree.flags.evaluation import exposures


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> exposures.ExposureQueue:
    """Exposures wait until a test writes them: a thread has no part in a test's transaction."""
    monkeypatch.setattr(exposures.ExposureQueue, "_start", lambda self: None)
    fresh = exposures.ExposureQueue(exposures.deliver)
    monkeypatch.setattr("whytree.flags.protocols.ofrep.queue", fresh)
    return fresh


@pytest.fixture
def solution(actor: Any, product: Any) -> Any:
    from whytree.tree.services import create_solution

    return create_solution(actor, product, title="Ask for the phone number later")


@pytest.fixture
def hypothesis(actor: Any, solution: Any) -> Any:
    from whytree.tree.services import create_hypothesis

    return create_hypothesis(
        actor,
        solution,
        change="asking for the phone number at the first booking",
        who="people who sign up",
        behaviour="to finish",
        metric_key="activated",
        forecast_low=1.0,
        forecast_likely=3.0,
        forecast_high=7.0,
        forecast_unit="pp",
        horizon_days=21,
    )


@pytest.fixture
def cli(api: Any, open_connection: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`cli("flag", "references", cwd=folder)` as Alice."""
    import httpx
    from typer.testing import CliRunner

    from whytree.site.cli import build
    from whytree.workspace.terminal import client

    monkeypatch.setenv("WHYTREE_TOKEN", api.token)
    monkeypatch.setattr(client, "running_server", lambda data: "")
    monkeypatch.setattr(client, "_in_process", lambda: httpx.WSGITransport(app=application()))

    def run(*words: str, cwd: Path = tmp_path) -> Any:
        monkeypatch.chdir(cwd)
        return CliRunner().invoke(build(), list(words))

    return run
