"""`whytree apply FILE` and `whytree metric export`: metrics as YAML beside the code that sends the events."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("apply")(apply_file)
    group("metric").command("export")(export_metrics)


def apply_file(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Metrics as YAML, with a tracking plan or without; - reads input.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make metrics what a file says; twice does no more than once. Metrics that it does not name stay."""
    client = connect()
    body = {"text": _read(file), "dry_run": dry_run}
    try:
        changes = client.post(f"/products/{client.product}/metrics-file", body)
    except CommandError as error:
        said = [f"{file}, {line}" if line.startswith("line ") else line for line in error.message.splitlines()]
        raise CommandError("\n".join(said), status=error.status) from error  # its details say the same
    done = "Everything is so already." if not changes else "Nothing was changed: this was a dry run." if dry_run else ""
    show(changes, as_json, *_lines(changes), *([done] if done else []))


def export_metrics(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; printed without it.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only this metric; several times for several.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the metrics as YAML, always the same for the same metrics."""
    client = connect()
    found = client.get(f"/products/{client.product}/metrics-file", key=",".join(key or []))
    if file is None:
        show(found, as_json, found["text"].rstrip())
        return
    file.write_text(found["text"], encoding="utf-8")
    show(found, as_json, f"The metrics stand in {file}.")


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is no UTF-8 text.") from error


def _lines(changes: list[dict[str, Any]]) -> list[str]:
    signs = {"added": "+", "removed": "-", "changed": "~"}
    return [
        line
        for change in changes
        for line in (
            f"{signs[change['what']]} {change['kind']} {change['name']}",
            *(f"    {detail}" for detail in [*change["details"], *change["warnings"]]),
        )
    ]
