"""Take the whole workspace out and bring it back, or its events elsewhere: backup, restore, export, import, move."""

import tarfile
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal import client
from whytree.workspace.terminal.printing import bars
from whytree.workspace.terminal.serving import running_server


def register(root: typer.Typer, group: Any) -> None:
    root.command()(backup)
    root.command()(restore)
    group("export").command("workspace")(export_workspace)
    group("import").command("workspace")(import_workspace)
    group("move").command("events")(move_events)


def backup(
    file: Annotated[Path, typer.Argument(help="New file, as whytree-2026-11-23.tar.gz.")],
    as_json: AsJson = False,
) -> None:
    """Save everything in one file: products, accounts, events, secrets. Works while the server runs."""
    if file.exists():
        raise client.CommandError(f"{file} exists. Choose another name; a backup overwrites nothing.")
    client.connect().download("/workspace/backup", file)
    facts = {"file": str(file), "bytes": file.stat().st_size}
    show(
        facts,
        as_json,
        f"{file} holds everything ({facts['bytes']:,} bytes). Keep it like a password: it has accounts and secrets.",
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A file made by `whytree backup`.")],
    as_json: AsJson = False,
) -> None:
    """Bring a backup into an empty data folder. Stop the server first."""
    _alone(to_import=True)
    from whytree.workspace.archive import unpack

    _show_manifest(_refusable(unpack, file), as_json)


def export_workspace(
    folder: Annotated[Path, typer.Argument(help="New folder.")],
    as_json: AsJson = False,
) -> None:
    """Write everything as JSON lines, one file per table, with a manifest. Works while the server runs."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise client.CommandError(f"{folder} is not empty. Name a new folder.")
    try:
        _unpacked(folder)
    except OSError as error:
        raise client.CommandError(f"{folder} cannot be written: {error.strerror}. Nothing was kept.") from error
    show({"folder": str(folder)}, as_json, f"{folder} holds everything, one file per table.")


def _unpacked(folder: Path) -> None:
    """A backup, taken apart beside it: `folder` appears when all is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        packed = Path(temporary) / "backup.tar.gz"
        client.connect().download("/workspace/backup", packed)
        with tarfile.open(packed) as tar:
            tar.extractall(temporary, filter="data")
        folder.mkdir(exist_ok=True, mode=0o700)
        for part in (Path(temporary) / "whytree").iterdir():
            part.rename(folder / part.name)


def import_workspace(
    folder: Annotated[Path, typer.Argument(help="A folder made by `whytree export workspace`.")],
    as_json: AsJson = False,
) -> None:
    """Bring an exported workspace into an empty data folder. Stop the server first."""
    _alone(to_import=True)
    from whytree.workspace.archive import import_workspace as bring_in

    _show_manifest(_refusable(bring_in, folder), as_json)


def move_events(
    to: Annotated[str, typer.Option(help="Where to: clickhouse://user:password@host:8123/database.")],
    as_json: AsJson = False,
) -> None:
    """Copy all events to another store, counted and compared. Stop the server first; cut off, it goes on when run again."""
    from dataclasses import asdict

    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    _alone()
    from whytree.errors import WhytreeError
    from whytree.events.durable.moving import move_to

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with bars(*columns, quiet=as_json) as bar:
        task = bar.add_task("events", total=None)
        try:
            moved = move_to(to, lambda done, total: bar.update(task, completed=done, total=total))
        except WhytreeError as error:
            raise client.CommandError(error.message) from error
    show(
        asdict(moved),
        as_json,
        f"{moved.events:,} events are there, counted and compared ({moved.brought:,} of them brought now).",
        "From now on start Whytree with WHYTREE_EVENTS_URL set to that address. What is here stays as it was.",
    )


def _alone(*, to_import: bool = False) -> None:
    """Set up this process; refuse while a server uses the data folder."""
    from .boot import prepare

    running = running_server(client.options().data)
    if running:
        raise client.CommandError(f"The server at {running} uses this data folder. Stop it first.")
    prepare(to_import=to_import)


def _refusable(verb: Any, path: Path) -> dict[str, Any]:
    from .middleware import as_known

    try:
        manifest: dict[str, Any] = verb(path)
    except Exception as error:  # a full disk is no error of ours; what nobody knows goes on as it is
        known = as_known(error)
        if known is None:
            raise
        raise client.CommandError(known.message) from error
    return manifest


def _show_manifest(manifest: dict[str, Any], as_json: bool) -> None:
    from whytree.workspace.models import Activity

    rows = sum(part["rows"] for part in manifest["parts"])
    newest = Activity.objects.order_by("-at").values_list("at", flat=True).first()
    until = f"The last act in it is of {newest:%-d %b %Y, %H:%M} UTC. Whoever" if newest else "Whoever"
    show(
        manifest,
        as_json,
        f"{rows:,} rows in {len(manifest['parts'])} tables are here. Sign in as before, or: whytree sign-in EMAIL\n"
        "For the command line, which holds no token yet: whytree owner EMAIL, with an owner’s address.",
        f"{until} was forgotten since then is here again: forget them once more with whytree person erase.",
    )
