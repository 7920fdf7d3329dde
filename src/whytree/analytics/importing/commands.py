"""`whytree import definitions`: what a team has defined elsewhere."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect


def register(group: Callable[[str], typer.Typer]) -> None:
    group("import").command("definitions")(import_definitions)
    group("metric").command("undo-import")(undo_definition_import)


def import_definitions(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="PostHog's insights, dashboards, cohorts, actions, shared metrics, or GrowthBook's metrics, in JSON; - reads input.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of each, and make none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in questions, boards, metrics and cohorts of PostHog or GrowthBook; what has no counterpart is listed.

    Again brings nothing twice.
    """
    client = connect()
    body = {"documents": [_read(file) for file in files], "dry_run": dry_run}
    found = client.post(f"/products/{client.product}/definition-imports", body)
    show(found, as_json, *_lines(found, dry_run=dry_run))


def undo_definition_import(
    number: Annotated[int, typer.Argument(help="As `whytree import definitions` said it.")], as_json: AsJson = False
) -> None:
    """Take back the definitions that were brought in at one time."""
    client = connect()
    found = client.post(f"/products/{client.product}/definition-imports/{number}/undo", {})
    show(found, as_json, *(f"stays: {one}" for one in found["stays"]), "Taken back.")


def _read(file: str) -> Any:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file} is no JSON. Save what the tool's API answers.") from error


def _lines(found: dict[str, Any], *, dry_run: bool) -> list[str]:
    lines = []
    for one in found["definitions"]:
        ref = f" as {one['ref']}" if one["ref"] else ""
        lines.append(
            f"{one['name'] or one['foreign']}: {one['what']}{ref}{': ' if one['sentence'] else ''}{one['sentence']}"
        )
        lines += [f"    {note}" for note in one["notes"]]
    made = sum(one["what"] == "made" for one in found["definitions"])
    lines.append(
        f"{made:,} of {len(found['definitions']):,} {'would be' if dry_run else 'were'} made from {found['tool']}."
    )
    if found["number"]:
        lines.append(f"`whytree metric undo-import {found['number']}` takes them back.")
    return lines
