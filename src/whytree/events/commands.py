"""Events from the command line: bring a file in, see what there is."""

from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import bars, say

from .intake import commands as intake
from .plan import commands as plan
from .relay import commands as relay

if TYPE_CHECKING:
    from whytree.workspace.terminal.printing import Bars

    from .importing.files import Asked, EventFile


ERRORS_SHOWN = 20


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("import").command("events")(import_events)
    group("event").command("list")(list_events)
    group("event").command("put-aside")(list_put_aside)
    group("event").command("imports")(list_imports)
    group("event").command("undo-import")(undo_import)
    intake.register(group)
    relay.register(group)
    plan.register(group)


def import_events(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE ...", help="CSV, TSV, JSONL, JSON, XLSX, Parquet, also .gz and .zst; a ZIP of JSON lines."
        ),
    ],
    person: Annotated[str, typer.Option(help="Column that says whose event it is; guessed when left out.")] = "",
    event: Annotated[str, typer.Option(help="Column with the event's name; guessed when left out.")] = "",
    time: Annotated[str, typer.Option(help="Column with the time; guessed when left out.")] = "",
    identity: Annotated[
        str, typer.Option("--id", help="Column with an id of its own for each event, when there is one.")
    ] = "",
    event_name: Annotated[str, typer.Option(help="Name of the event, when every row is the same one.")] = "",
    format: Annotated[
        str, typer.Option(help="csv, tsv, jsonl, json, parquet or xlsx, when it is not recognised.")
    ] = "",
    source: Annotated[
        str,
        typer.Option(
            help="Whose export it is, when it is not recognised: posthog, posthog-persons, segment, warehouse, mixpanel, "
            "mixpanel-people, amplitude, ga4, snowplow; or table."
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and store none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in events from files. The same file again brings nothing twice; one that broke off goes on."""
    from .importing.files import Asked

    asked = Asked(person, event, time, identity, event_name, format, source)
    opened = [
        _opened(file, asked) for file in files
    ]  # before the first is sent: a slip in the last leaves nothing half done
    client = connect()
    done = [_bring_in(client, file, dry_run=dry_run, quiet=as_json) for file in opened]
    if as_json:
        show(done[0] if len(done) == 1 else done, True)


def _bring_in(client: Client, file: "EventFile", *, dry_run: bool, quiet: bool) -> dict[str, Any]:
    if not quiet:
        _tell_reading(file)
    with _bar(quiet=quiet) as bar:
        run = (_check if dry_run else _send)(client, file, bar, quiet=quiet)
    if not quiet:
        _tell_result(run, dry_run=dry_run)
    return {**run, "mapping": file.shown, "dry_run": dry_run}


def _opened(path: Path, asked: "Asked") -> "EventFile":
    from whytree.engines.tables import UnreadableTable

    from .importing.files import open_events
    from .importing.reading import NoColumn

    try:
        return open_events(path, asked)
    except (NoColumn, UnreadableTable) as error:
        raise CommandError(str(error)) from error


def _nothing_yet() -> dict[str, Any]:
    return {"rows": 0, "created": 0, "repeated": 0, "broken": 0, "errors": []}


def _add_checked(total: dict[str, Any], batch: dict[str, Any], checked: dict[str, Any]) -> None:
    """Add up what the import of a batch would do."""
    total["rows"] += len(batch.get("rows", ())) + len(batch.get("messages", ())) + len(batch["errors"])
    total["created"] += checked["created"]
    total["repeated"] += checked["repeated"]
    total["broken"] += len(checked["errors"])
    total["errors"] += checked["errors"]


def _tell_reading(file: "EventFile") -> None:
    if file.source is not None:
        say(f"{file.path.name}: {file.title}. Who is who, and what is known of people, comes along.")
        return
    facts = [file.table.format, file.table.encoding, f"{len(file.columns)} columns"]
    say(f"{file.path.name}: {', '.join(fact for fact in facts if fact)}")
    for field, column in file.shown.items():
        say(f"  {field:12} <- {column}")
    others = [column for column in file.columns if column not in file.shown.values()]
    if others:
        say(f"  {'properties':12}    {', '.join(others[:12])}{' …' if len(others) > 12 else ''}")


def _bar(*, quiet: bool) -> "Bars":
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    return bars(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), quiet=quiet)


def _send(client: Client, file: "EventFile", bar: "Bars", *, quiet: bool) -> dict[str, Any]:
    """All rows that the server does not have yet, batch by batch; each is there for good once it is answered."""
    path = f"/products/{client.product}/events"
    facts = {"file_name": file.path.name, "fingerprint": file.fingerprint, "mapping": file.shown}
    run: dict[str, Any] = client.post(f"{path}/imports", facts)
    if run["row_offset"] and not quiet:
        say(f"Going on after row {run['row_offset']:,}, where the last import stopped.")
    task = bar.add_task("Reading", total=1.0)
    for batch in file.batches(after=run["row_offset"]):
        run = client.post(f"{path}/import", {"run": run["id"], **batch})
        bar.update(task, completed=file.progress, description=f"{run['rows']:,} rows")
    finished: dict[str, Any] = client.post(f"{path}/imports/{run['id']}/finish")
    return finished


def _check(client: Client, file: "EventFile", bar: "Bars", *, quiet: bool) -> dict[str, Any]:
    """What the import would do."""
    total = _nothing_yet()
    task = bar.add_task("Checking", total=1.0)
    for batch in file.batches():
        checked = client.post(f"/products/{client.product}/events/import", {**batch, "upto": 0})
        _add_checked(total, batch, checked)
        bar.update(task, completed=file.progress, description=f"{total['rows']:,} rows")
    return total


def _tell_result(run: dict[str, Any], *, dry_run: bool) -> None:
    if run["rows"] and run["repeated"] + run["broken"] == run["rows"] and run["repeated"]:
        say(f"Nothing new: {run['repeated']:,} of {run['rows']:,} rows are there already.")
    else:
        verb = "would be " if dry_run else ""
        say(
            f"{run['rows']:,} row{'' if run['rows'] == 1 else 's'}: {run['created']:,} {verb}new, {run['repeated']:,} there already, "
            f"{run['broken']:,} left out."
        )
    for error in run["errors"][:ERRORS_SHOWN]:
        say(f"  row {error['row']}: {error['reason']}")
    if run["broken"] > ERRORS_SHOWN:
        say(f"  and {run['broken'] - ERRORS_SHOWN:,} more; --json lists the first 500.")
    if dry_run:
        say("Nothing was stored. Leave out --dry-run to import.")
    elif run["created"]:
        say(f"Take it back: whytree event undo-import {run['id']}")


def list_events(
    name: Annotated[str, typer.Argument(help="Show the properties of this event.")] = "",
    as_json: AsJson = False,
) -> None:
    """Which events there are, how many, first and last seen; of one event its properties."""
    client = connect()
    found = client.get(f"/products/{client.product}/events/catalogue")
    if name:
        event = next((each for each in found["events"] if each["name"] == name), None)
        described = client.get(f"/products/{client.product}/events/described", event=name)
        if event is None and described["planned"] is None:
            raise CommandError(f"There is no event “{name}”. `whytree event list` names them.")
        _show_event(event or {"name": name}, described, as_json=as_json)
        return
    lines = [
        f"{each['volume']:>10,}  {each['name']:40} {each['first_seen'][:10]} to {each['last_seen'][:10]}"
        for each in found["events"]
    ]
    show(found, as_json, *(lines or ["No event yet. `whytree import events FILE`, or send some: docs/capture.md"]))


def _show_event(event: dict[str, Any], described: dict[str, Any], *, as_json: bool) -> None:
    planned, lines = described["planned"], []
    if planned:
        facts = [planned["status"], planned["owner"] and f"owned by {planned['owner']}", planned["description"]]
        lines.append(", ".join(filter(None, facts)))
    for each in described["properties"]:
        seen, values = each["seen"], ", ".join(each["samples"])
        if seen is None:
            lines.append(f"{'never':>10}  {each['name']}")
            continue
        lines.append(f"{seen['volume']:>10,}  {each['name']:32} {', '.join(seen['types']):16} {values[:60]}".rstrip())
    head = f"{event['volume']:,} times, by {event['people']:,} people" if "volume" in event else "It never came."
    show({**event, **described}, as_json, head, *lines)


def list_put_aside(as_json: AsJson = False) -> None:
    """What was sent and is no event, with the reason."""
    client = connect()
    found = client.get(f"/products/{client.product}/events/put-aside")
    lines = [f"{each['received_at'][:19]}  {each['event'][:30]:30} {each['reason']}" for each in found]
    show(found, as_json, *(lines or ["Nothing was put aside in the last 90 days."]))


def list_imports(as_json: AsJson = False) -> None:
    """The latest imports of events."""
    client = connect()
    runs = client.get(f"/products/{client.product}/events/imports")
    lines = [
        f"{run['id']:>5}  {run['started_at'][:16]}  {run['state']:9} {run['created']:,} new of {run['rows']:,}  "
        f"{run['file_name']}"
        for run in runs
    ]
    show(runs, as_json, *(lines or ["Nothing was imported yet."]))


def undo_import(
    run: Annotated[int, typer.Argument(help="Number of the import, as `whytree event imports` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Take out every event that an import brought. On a server that goes on when this command is stopped."""
    client = connect()
    path = f"/products/{client.product}/events/imports/{run}"
    undone = client.post(f"{path}/undo")
    with _bar(quiet=as_json) as bar:
        task = bar.add_task("Taking it out", total=100)
        while undone["state"] == "undoing":
            _wait_for_work(client)
            undone = client.get(path)
            bar.update(task, completed=undone["taken_back"])
    show(undone, as_json, f"The {undone['created']:,} events of {undone['file_name']} are gone.")


def _wait_for_work(client: Client) -> None:
    """Let the server's jobs do it; without a server they are done here."""
    if client.where.startswith("http"):
        sleep(1)
        return
    from whytree.workspace.background.jobs import run_next

    if not run_next("command line", lane="long"):
        raise CommandError("It could not be taken out now. The log says why; run the same command again.")
