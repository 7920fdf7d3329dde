"""Tables on disk and the command that judges them; an experiment of the product, planned and started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.experiments.world import CONVERSION, COUNT_ORDERS, UNIQUE_SPAM, long_ago
from tests.terminal import Terminal
from whytree.site.cli import build
from whytree.workspace.terminal.client import CommandError

Analyze = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def command_line() -> Any:
    return build()


@pytest.fixture
def analyze(command_line: Any) -> Analyze:
    """``whytree experiment analyze FILE ...`` as JSON, as the screen (``screen=True``), or as the error's sentence."""

    def run(file: Path, *words: str, screen: bool = False, unit: str = "user", arm: str = "arm") -> Any:
        line = ["experiment", "analyze", str(file), "--unit", unit, "--arm", arm, *words]
        result = CliRunner().invoke(command_line, line if screen else [*line, "--json"], env={"COLUMNS": "120"})
        if isinstance(result.exception, CommandError):
            return result.exception.message
        assert result.exit_code == 0, result.output or result.exception
        return result.stdout if screen else json.loads(result.stdout, parse_constant=_no_constant)

    return run


def rows(per_arm: dict[str, list[object]], header: str = "user,arm,value") -> str:
    """A table with a row a value; users are numbered through."""
    lines, user = [header], 0
    for arm, values in per_arm.items():
        for value in values:
            user += 1
            lines.append(f"u{user},{arm},{value}")
    return "\n".join(lines) + "\n"


def _no_constant(word: str) -> None:
    """NaN and Infinity are no JSON."""
    raise AssertionError(word)


@pytest.fixture
def metrics(actor: Any, product: Any) -> None:
    from whytree.analytics.services import create_metric

    create_metric(actor, product, key="activated", name="Activated in 7 days", definition=CONVERSION)
    create_metric(actor, product, key="spam", name="Spam accounts", definition=UNIQUE_SPAM, direction="down")
    create_metric(actor, product, key="orders", name="Orders", definition=COUNT_ORDERS)


@pytest.fixture
def hypothesis(actor: Any, product: Any, metrics: None) -> Any:
    from whytree.tree.services import create_hypothesis, create_opportunity, create_solution

    opportunity = create_opportunity(actor, product, title="“Why do you need my phone number?”")
    solution = create_solution(actor, product, opportunity=opportunity, title="Ask for the phone number later")
    return create_hypothesis(
        actor,
        solution,
        change="The phone number is asked for at the first booking",
        metric_key="activated",
        forecast_low=1.0,
        forecast_likely=4.0,
        forecast_high=9.0,
        horizon_days=30,
        guardrails=[{"metric_key": "spam", "direction": "up", "margin": 3.0}],
    )


@pytest.fixture
def flag(actor: Any, product: Any, hypothesis: Any) -> Any:
    from whytree.flags.services import create_flag

    return create_flag(actor, product, key="ask_later", hypothesis=hypothesis, at=long_ago(50))


@pytest.fixture
def planned(actor: Any, product: Any, flag: Any) -> Any:
    """EXP-1 as flag and hypothesis say by themselves: activated decides, spam guards, 30 days, read once."""
    from whytree.experiments.services import create_experiment

    return create_experiment(actor, product, flag=flag, plan={})


@pytest.fixture
def ran(actor: Any, planned: Any) -> Callable[..., Any]:
    """Start it so many days ago; another plan first, where one is given."""
    from whytree.experiments.services import edit_experiment, start_experiment

    def start(days: float = 30, **plan: Any) -> Any:
        if plan:
            edit_experiment(actor, planned, plan=plan)
        return start_experiment(actor, planned, at=long_ago(days))

    return start


@pytest.fixture
def cli(terminal: Terminal) -> Callable[..., str]:
    """`cli("rollout", "show", "ask_later")` as Alice; what it prints."""
    return terminal.said
