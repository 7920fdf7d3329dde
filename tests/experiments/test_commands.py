"""An experiment from plan to decision on the command line, answered in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.experiments.world import World, happenings, long_ago, write

Run = Any


@pytest.fixture
def run(command_line: Any, api: Any, monkeypatch: pytest.MonkeyPatch, open_connection: None) -> Run:
    from whytree.site import cli as _  # noqa: F401 - sets nothing by itself
    from whytree.workspace.terminal import client

    class Through(client.Client):  # type: ignore[misc]
        def __init__(self) -> None:
            self.product = "sprout"

        def get(self, path: str, **parameters: Any) -> Any:
            return self._answer(api.get(path))

        def post(self, path: str, body: Any = None) -> Any:
            return self._answer(api.post(path, body))

        def _answer(self, answer: Any) -> Any:
            if answer.status >= 400:
                raise client.CommandError(answer.body["message"])
            return answer.body

    monkeypatch.setattr("whytree.experiments.commands.connect", Through)

    def words(*said: str) -> str:
        result = CliRunner().invoke(command_line, ["experiment", *said], env={"COLUMNS": "120"}, catch_exceptions=False)
        return result.output

    return words


def test_from_plan_to_decision(run: Run, flag: Any, store: Any, product: Any, actor: Any) -> None:
    from whytree.experiments.models import Experiment
    from whytree.experiments.services import start_experiment

    assert "No experiment yet" in run("list")
    planned = run("create", "--flag", "ask_later", "--secondary", "orders", "--weights", "on=50%,off=50%")
    assert "EXP-1 Ask for the phone number later" in planned
    assert "guardrail  spam, may get worse by 3" in planned
    assert "planned, not started" in run("list")
    start_experiment(actor, Experiment.objects.select_related("product").get(), at=long_ago(30))
    write(store, product, happenings(World(effect=0.08)))
    screen = run("show", "EXP-1")
    assert "raised “Activated in 7 days” by" in screen
    assert "By the rule: Ship “on”" in screen
    assert "●" in screen
    assert "✓ sample ratio" in screen
    told = json.loads(run("show", "EXP-1", "--json"))
    assert [metric["role"] for metric in told["result"]["analysis"]["metrics"]] == ["primary", "secondary", "guardrail"]
    assert "EXP-1: decided: ship it." in run("decide", "EXP-1", "--decision", "ship", "--learning", "It helps.")
    assert "It helps." in run("show", "EXP-1")


def test_started_and_stopped(run: Run, planned: Any, store: Any) -> None:
    assert "EXP-1 has started; it is read on" in run("start", "EXP-1")
    assert "EXP-1 is stopped." in run("stop", "EXP-1", "--reason", "The form crashes.", "--close-flag")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--weights", "on=50%,off=40%"), "add up to 90 and not to 100"),
        (("--weights", "1:1:1"), "gives 3 weights and there are 2 arms"),
        (("--guardrail", "spam"), "cannot be read. Write --guardrail spam_accounts=0.5."),
        (("--days", "5"), "nobody's time would be over"),
        (("--looks", "often"), "The plan cannot be read"),
    ],
)
def test_what_cannot_be_planned_is_said(run: Run, flag: Any, words: tuple[str, ...], says: str) -> None:
    from whytree.workspace.terminal.client import CommandError

    with pytest.raises(CommandError, match=says.replace(".", r"\.")):
        run("create", "--flag", "ask_later", *words)


def test_one_more_look_at_what_is_guarded_lifts_no_guardrail(run: Run, flag: Any) -> None:
    planned = run("create", "--flag", "ask_later", "--secondary", "spam")
    assert "guardrail  spam, may get worse by 3" in planned
    assert "secondary" not in planned
