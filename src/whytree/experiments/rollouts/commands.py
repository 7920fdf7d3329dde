"""Guarded rollouts from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.errors import Invalid
from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import show

from .words import guardrail_of, step_of

Key = Annotated[str, typer.Argument(help="The flag's key.")]
Reason = Annotated[str, typer.Option(help="Why, in a line.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    rollout = group("rollout")
    rollout.command("start")(start_rollout)
    rollout.command("show")(show_rollout)
    rollout.command("list")(list_rollouts)
    rollout.command("go-on")(go_on)
    rollout.command("halt")(halt)
    rollout.command("resume")(resume)
    rollout.command("roll-back")(roll_back)
    rollout.command("decide")(decide_rollout)


def start_rollout(
    key: Key,
    step: Annotated[
        list[str] | None,
        typer.Option(help="PERCENT:DAYSd:PEOPLE, as 5:1d:200; in order, the last one 100. Usual: 5, 25, 50, 100."),
    ] = None,
    guardrail: Annotated[
        list[str] | None,
        typer.Option(
            help="METRIC:up=0.5: must not rise by more than that. The hypothesis's, when not said. Repeatable."
        ),
    ] = None,
    auto_roll_back: Annotated[
        bool, typer.Option("--roll-back", help="On harm roll back by itself, where the metric cannot be forged.")
    ] = False,
    variant: Annotated[str, typer.Option(help="Which variant, of several.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring a flag to people step by step, while guardrails are watched."""
    client = connect()
    body: dict[str, Any] = {
        "variant": variant,
        "roll_back": auto_roll_back,
        "steps": [_said(step_of, one) for one in step or ()],
    }
    if guardrail:
        body["guardrails"] = [_said(guardrail_of, one) for one in guardrail]
    made = client.post(f"/products/{client.product}/flags/{key}/guarded-rollout", body)
    show(made, as_json, *_lines(made))


def show_rollout(key: Key, as_json: AsJson = False) -> None:
    """Its steps, and why it stands where it stands."""
    client = connect()
    found = client.get(f"/products/{client.product}/flags/{key}/guarded-rollout")
    show(found, as_json, *_lines(found))


def list_rollouts(as_json: AsJson = False) -> None:
    """All guarded rollouts, the newest first."""
    client = connect()
    found = client.get(f"/products/{client.product}/rollouts")
    lines = [
        f"{one['flag']:24} {one['state']:12} {one['steps'][one['step']]['percent']:8} {one['says']}" for one in found
    ]
    show(found, as_json, *(lines or ["Nothing is rolled out in steps."]))


def go_on(key: Key, as_json: AsJson = False) -> None:
    """The next step now, whatever the plan says; also out of a halt."""
    _change(key, "go-on", {}, as_json)


def halt(key: Key, reason: Reason = "", as_json: AsJson = False) -> None:
    """No further step; who has it keeps it."""
    _change(key, "halt", {"reason": reason}, as_json)


def resume(key: Key, as_json: AsJson = False) -> None:
    """Go on watching after a halt."""
    _change(key, "resume", {}, as_json)


def roll_back(key: Key, reason: Reason = "", as_json: AsJson = False) -> None:
    """Everybody gets what was there before."""
    _change(key, "roll-back", {"reason": reason}, as_json)


def decide_rollout(
    key: Key,
    decision: Annotated[str, typer.Option(help="roll_back, mend or go_on.")],
    text: Annotated[str, typer.Option(help="Why, in your words; left out, the draft as it stands.")] = "",
    as_json: AsJson = False,
) -> None:
    """After a guardrail was harmed: say what becomes of it. It is done, and noted on the solution."""
    _change(key, "decide", {"decision": decision, "text": text}, as_json)


def _change(key: str, verb: str, body: dict[str, Any], as_json: bool) -> None:
    client = connect()
    changed = client.post(f"/products/{client.product}/flags/{key}/guarded-rollout/{verb}", body)
    show(changed, as_json, *_lines(changed))


def _said(read: Callable[[str], dict[str, Any]], text: str) -> dict[str, Any]:
    try:
        return read(text)
    except Invalid as error:
        raise CommandError(error.message) from error


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['flag']}: {found['state'].replace('_', ' ')}. {found['says']}".rstrip()]
    for place, step in enumerate(found["steps"]):
        mark = ">" if place == found["step"] else " "
        least = (
            f"{step['days']} day{'' if step['days'] == 1 else 's'}, {step['people']:,} people at least"
            if step["days"] or step["people"]
            else ""
        )
        lines.append(f"  {mark} {step['percent']:8} {least}".rstrip())
    rails = ", ".join(
        f"{rail['metric_key']} may go {rail['direction']} by {rail['margin']:g}" for rail in found["guardrails"]
    )
    lines.append(f"  watched: {rails}")
    if found["decision"] is not None:
        lines += ["", "Decided:" if found["decided_at"] else "A decision is asked for. Its draft:", found["decision"]]
    return lines
