"""Flags and what they hang on."""

from pathlib import Path
from typing import Any

import pytest

from tests.terminal import Terminal
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
def cli(terminal: Terminal, tmp_path: Path) -> Any:
    """`cli("flag", "references", cwd=folder)` as Alice."""

    def run(*words: str, cwd: Path = tmp_path) -> Any:
        return terminal.run(*words, cwd=cwd)

    return run
