"""Deployments and incidents from the command line: one line in CI, in the clone."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Environment = Annotated[str, typer.Option(help="Where it went out to; production unless said.")]
When = Annotated[str, typer.Option(help="As 2026-03-01T12:00:00Z; now unless said.")]
#: How CI services number a run: with it, a step that is tried again is the same deployment.
RUNS = ("GITHUB_RUN_ID", "CI_JOB_ID", "BUILDKITE_BUILD_ID", "CIRCLE_WORKFLOW_ID", "BUILD_TAG")


def register(group: Callable[[str], typer.Typer]) -> None:
    group("deployment").command("add")(add_deployment)
    group("deployment").command("dora")(measure_delivery)
    group("incident").command("add")(add_incident)
    group("incident").command("close")(close_incident)
    group("incident").command("list")(list_incidents)


def add_deployment(
    commit: Annotated[str, typer.Option(help="What went out: HEAD, a tag, a branch, a commit's id.")] = "HEAD",
    version: Annotated[str, typer.Option(help="What you call it, as v4.2.")] = "",
    environment: Environment = "production",
    deployment_id: Annotated[str, typer.Option("--id", help="Its id; the same again is the same deployment.")] = "",
    started: Annotated[str, typer.Option(help="When it began, if that is known.")] = "",
    finished: When = "",
    result: Annotated[str, typer.Option(help="success, failure or cancelled.")] = "success",
    title: Annotated[str, typer.Option(help="A line about it.")] = "",
    url: Annotated[str, typer.Option(help="Where more is said of it: the run, the release.")] = "",
    path: Annotated[Path, typer.Option(help="Your clone.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Tell that something went out; the last step of a deployment, in the clone it was made from.

    A shallow clone will do. Which commits went out is known once the commit is read in: whytree repository sync.
    """
    from whytree.code.clone.git import open_clone

    clone = open_clone(path)
    sha = clone.ask("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if not sha:
        raise CommandError(f"There is no commit {commit} in {clone.root}. Give one that this clone has: --commit HEAD")
    finished = finished or _now()
    body = {
        "id": deployment_id or _run_of(environment) or f"{sha[:12]} {environment} {finished}",
        "commit": sha,
        "version": version,
        "environment": environment,
        "result": result,
        "repository": clone.remote or clone.root.name,
        "title": title,
        "url": url,
        "started_at": started or None,
        "finished_at": finished,
    }
    client = connect()
    told = client.post(f"/products/{client.product}/deployments", body)
    show(told, as_json, _told(told))


def _told(told: dict[str, Any]) -> str:
    line = f"{told['label']} to {told['environment']}: {told['result']}"
    if told["first"]:
        return f"{line}. It is the first one known: what comes next is measured from here."
    if told["commits"] is None and (told["environment"], told["result"]) != ("production", "success"):
        return f"{line}."
    if told["commits"] is None:
        return f"{line}. Its commit is not read in yet; what it brought is known after: whytree repository sync"
    return f"{line}, {told['commits']:,} new commit{'' if told['commits'] == 1 else 's'}."


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds")


def _run_of(environment: str) -> str:
    """A run may deploy to one environment after the other."""
    run = next((f"{name}-{os.environ[name]}" for name in RUNS if os.environ.get(name)), "")
    return f"{run} {environment}" if run else ""


def measure_delivery(
    days: Annotated[int, typer.Option(help="How far back.")] = 90,
    as_json: AsJson = False,
) -> None:
    """DORA's five metrics of production, each with its n; without data a reason. Never of a person."""
    client = connect()
    found = client.get(f"/products/{client.product}/delivery", days=days)
    lines = [f"{one['title']:22} {one['says']}" for one in found["measures"]]
    show(found, as_json, f"{found['start'][:10]} to {found['end'][:10]}", *lines)


def add_incident(
    key: Annotated[str, typer.Argument(help="Its id where it is kept, as INC-7.")],
    title: Annotated[str, typer.Argument(help="What was broken for people.")],
    began: When = "",
    resolved: Annotated[str, typer.Option(help="When it was over, if it is.")] = "",
    caused_by: Annotated[
        str,
        typer.Option(help="The deployment that did it, by id, version or commit; or none. Else the latest before it."),
    ] = "",
    url: Annotated[str, typer.Option(help="Where more is said of it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell that something broke; the same key again puts it right."""
    client = connect()
    body = {"key": key, "title": title, "began_at": began or _now(), "resolved_at": resolved or None}
    body |= {"caused_by": caused_by, "url": url}
    told = client.post(f"/products/{client.product}/incidents", body)
    show(told, as_json, _line(told))


def close_incident(
    key: Annotated[str, typer.Argument(help="Its id, as INC-7.")], resolved: When = "", as_json: AsJson = False
) -> None:
    """It is over."""
    from urllib.parse import quote

    client = connect()
    told = client.post(f"/products/{client.product}/incidents/{quote(key)}/close", {"resolved_at": resolved or None})
    show(told, as_json, _line(told))


def list_incidents(as_json: AsJson = False) -> None:
    """What broke, the newest first, and which deployment did it."""
    client = connect()
    found = client.get(f"/products/{client.product}/incidents")
    nothing = 'None was told yet. Tell one: whytree incident add INC-1 "Sign-up fails"'
    show(found, as_json, *([_line(one) for one in found] or [nothing]))


def _line(one: dict[str, Any]) -> str:
    began, over = one["began_at"][:16].replace("T", " "), one["resolved_at"]
    until = f"resolved {over[:16].replace('T', ' ')}" if over else {"done": "resolved"}.get(one["status"], "open")
    by = f"  {one['deployment']} ({one['rule']})" if one["deployment"] else ""
    return f"{one['key']:12} {began}  {until:25} {one['title']}{by}"
