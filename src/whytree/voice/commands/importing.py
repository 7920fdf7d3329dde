"""A file of feedback from the command line: recognise it, show how it is read, send its rows; the imports there were."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from whytree.engines.texts.personal import taken_out
from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import bars, say

if TYPE_CHECKING:
    from ..importing.files import Asked, FeedbackFile, Kept

ERRORS_SHOWN = 20
COLUMN_HELP = "Column with {}; guessed when left out, - for none."
RunId = Annotated[int, typer.Argument(help="Its number in `whytree feedback imports`.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("import").command("feedback")(import_feedback)
    group("feedback").command("imports")(list_imports)
    group("feedback").command("undo-import")(undo_import)
    group("feedback").command("put-back")(put_back)
    group("feedback").command("close-import")(close_import)
    group("feedback").command("mappings")(mappings)
    group("feedback").command("settings")(voice_settings)


def import_feedback(
    file: Annotated[
        Path,
        typer.Argument(
            help="An export of another system, or any CSV, TSV, JSONL, JSON, XLSX or Parquet; also .gz and .zst."
        ),
    ],
    text: Annotated[str, typer.Option(help=COLUMN_HELP.format("what was said"))] = "",
    title: Annotated[str, typer.Option(help=COLUMN_HELP.format("a title above it"))] = "",
    time: Annotated[str, typer.Option(help=COLUMN_HELP.format("when it was said"))] = "",
    author: Annotated[str, typer.Option(help=COLUMN_HELP.format("who said it"))] = "",
    email: Annotated[str, typer.Option(help=COLUMN_HELP.format("their e-mail address"))] = "",
    person: Annotated[str, typer.Option(help=COLUMN_HELP.format("the id their events come under"))] = "",
    rating: Annotated[str, typer.Option(help=COLUMN_HELP.format("a rating"))] = "",
    identity: Annotated[str, typer.Option("--id", help=COLUMN_HELP.format("the id of what was said"))] = "",
    language: Annotated[str, typer.Option(help=COLUMN_HELP.format("the language"))] = "",
    version: Annotated[str, typer.Option(help=COLUMN_HELP.format("the app's version"))] = "",
    url: Annotated[str, typer.Option(help=COLUMN_HELP.format("a link to it"))] = "",
    source: Annotated[
        str, typer.Option(help="What to call this source; the system's or the file's name when left out.")
    ] = "",
    kind: Annotated[str, typer.Option("--type", help="Kind of source, as review, support, survey.")] = "",
    consent: Annotated[str, typer.Option(help="none, internal or quotable, for all rows.")] = "internal",
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help="How 03/04/2024 is to be read, when it is unclear.")
    ] = None,
    format: Annotated[
        str, typer.Option(help="csv, tsv, jsonl, json, parquet or xlsx, when it is not recognised.")
    ] = "",
    channel: Annotated[
        list[str] | None, typer.Option(help="Of a Slack export: a channel to read; again for more.")
    ] = None,
    team: Annotated[
        list[str] | None,
        typer.Option(help="A domain, address or name of ours, whose words are left out; again for more."),
    ] = None,
    with_team: Annotated[
        bool, typer.Option("--with-team", help="Keep the team's own words too, marked as theirs.")
    ] = False,
    mapping: Annotated[
        str, typer.Option(help="Read the columns as was kept under this name; found by itself for the same columns.")
    ] = "",
    keep_mapping: Annotated[str, typer.Option(help="Keep how the columns are read under this name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and store none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in what people said. The same file again brings nothing twice; an interrupted import goes on where it stopped."""
    from ..importing.files import Asked

    columns = {
        "text": text,
        "title": title,
        "said_at": time,
        "author_name": author,
        "author_email": email,
        "person": person,
        "rating": rating,
        "submission_id": identity,
        "language": language,
        "app_version": version,
        "url": url,
    }
    client = connect()
    ours = [*(team or []), *client.get(f"/products/{client.product}/feedback-settings")["team"]]
    opened = _open(
        file,
        Asked(
            columns,
            source,
            kind,
            consent,
            day_first=day_first,
            format=format,
            channels=tuple(channel or ()),
            team=tuple(ours),
            keep_team=with_team,
        ),
        _kept(client),
        mapping,
    )
    if not as_json:
        _tell_file(opened)
    if keep_mapping:
        _keep(client, opened, keep_mapping)
    begun = client.post(f"/products/{client.product}/feedback-imports", {**opened.facts(), "dry_run": dry_run})
    if begun["row_offset"] and not as_json:
        say(f"Going on after row {begun['row_offset']:,}, where the last import stopped.")
    run = _send(client, opened, begun, consent, quiet=as_json)
    if as_json:
        recognised = opened.recognised
        shown = {"format": recognised.name, "why": recognised.why} if recognised else None
        show({"mapping": opened.mapping, "recognised": shown, "dry_run": dry_run, **run}, True)
    else:
        _tell_result(run, dry_run)


def _kept(client: Client) -> "list[Kept]":
    from ..importing.files import Kept

    rows = client.get(f"/products/{client.product}/feedback-mappings")
    return [Kept(row["name"], row["columns"], frozenset(row["header"])) for row in rows]


def _keep(client: Client, file: "FeedbackFile", name: str) -> None:
    if file.table is None:
        known = file.recognised.name if file.recognised else "known"
        raise CommandError(
            f"This file is {known}: its columns are read as they are there, and there is nothing to keep."
        )
    body = {"columns": file.mapping, "header": list(file.table.columns)}
    client.put(f"/products/{client.product}/feedback-mappings/{quote(name, safe='')}", body)


def _open(file: Path, asked: "Asked", kept: "list[Kept]", named: str) -> "FeedbackFile":
    from whytree.engines.tables import UnreadableTable

    from ..importing.files import open_by_kept

    if named:
        found = next((one for one in kept if one.name == named), None)
        if found is None:
            raise CommandError(f"There is no mapping “{named}”. `whytree feedback mappings` lists them.")
        if any(asked.columns.values()):
            raise CommandError("Name the columns or a mapping, not both.")
        asked = asked.by(found)
    try:
        return open_by_kept(file, asked, kept)
    except UnreadableTable as error:
        raise CommandError(str(error)) from error


def _tell_file(file: "FeedbackFile") -> None:
    if file.recognised is not None:
        say(f"{file.path.name}: {file.recognised.name}, {file.recognised.why}.")
        return
    table = file.table
    if table is None:
        return
    facts = [table.format, table.encoding, f"{len(table.columns)} columns"]
    say(f"{table.path.name}: {', '.join(fact for fact in facts if fact)}")
    if file.asked.mapping:
        say(f"Read as is kept under “{file.asked.mapping}”.")
    for field, column in file.mapping.items():
        say(f"  {field:14} <- {column}")
    others = [column for column in table.columns if column not in file.mapping.values()]
    if others:
        say(f"  {'kept beside':14}    {', '.join(others[:12])}{' …' if len(others) > 12 else ''}")


def _send(client: Client, file: "FeedbackFile", begun: dict[str, Any], consent: str, *, quiet: bool) -> dict[str, Any]:
    """All rows that the server does not have yet, batch by batch; each batch is there for good once it is answered."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from ..importing.files import batches

    path = f"/products/{client.product}/feedback-imports/{begun['id']}"
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with bars(*columns, quiet=quiet) as bar:
        task = bar.add_task("Reading", total=1.0)
        for batch in batches(file, after=begun["row_offset"], consent=consent):
            sent = client.post(f"{path}/rows", batch.as_json())
            bar.update(task, completed=file.progress, description=f"{sent['rows']:,} rows")
    finished: dict[str, Any] = client.post(f"{path}/finish")
    return finished


def _tell_result(run: dict[str, Any], dry_run: bool) -> None:
    known = run["skipped"]
    if run["rows"] and known + run["empty"] == run["rows"]:
        say(f"Nothing new: all {run['rows']:,} rows are known already.")
    else:
        verb = "would be " if dry_run else ""
        say(
            f"{run['rows']:,} {'row' if run['rows'] == 1 else 'rows'}: {run['created']:,} {verb}new, {run['updated']:,} {verb}changed, "
            f"{known:,} known already, {run['empty']:,} without a word, {run['broken']:,} broken."
        )
    for words in _said_beside(run, dry_run):
        say(words)
    if run["broken"]:
        say("Left out:")
        for error in run["errors"][:ERRORS_SHOWN]:
            say(f"  row {error['row']}: {error['reason']}")
        if run["broken"] > ERRORS_SHOWN:
            say(f"  and {run['broken'] - ERRORS_SHOWN:,} more; --json lists the first 500.")
    if dry_run:
        say("Nothing was stored. Leave out --dry-run to import.")


def _said_beside(run: dict[str, Any], dry_run: bool) -> list[str]:
    left = run["left_out"]
    words = []
    if left.get("team"):
        words.append(f"{left['team']:,} by the team are left out; --with-team keeps them.")
    if left.get("machine"):
        words.append(f"{left['machine']:,} by bots and programs are left out.")
    if left.get("silent"):
        words.append(f"{left['silent']:,} rows hold nobody's words.")
    if run["redacted"]:
        back = "" if dry_run else f" `whytree feedback put-back {run['id']}` puts it back, for seven days."
        words.append(f"{taken_out(run['redacted'], ahead=dry_run)}{back}")
    return words


def mappings(
    remove: Annotated[str, typer.Option(help="One to remove; what was imported with it stays.")] = "",
    as_json: AsJson = False,
) -> None:
    """Which column of which table holds what, as `whytree import feedback --keep-mapping` kept it."""
    client = connect()
    path = f"/products/{client.product}/feedback-mappings"
    if remove:
        client.delete(f"{path}/{quote(remove, safe='')}")
    found = client.get(path)
    lines = [
        f"{one['name']}  {', '.join(f'{field} <- {column}' for field, column in one['columns'].items())}"
        for one in found
    ]
    show(found, as_json, *(lines or ["None yet: whytree import feedback FILE --text COLUMN --keep-mapping NAME"]))


def list_imports(as_json: AsJson = False) -> None:
    """The latest imports."""
    client = connect()
    runs = client.get(f"/products/{client.product}/feedback-imports")
    lines = [
        f"{run['id']:>4}  {run['started_at'][:16]}  {run['state']:9}  {run['created']:,} new of {run['rows']:,}  "
        f"{run['file_name']}{_where(run)}"
        for run in runs
    ]
    show(runs, as_json, *(lines or ["No import yet: whytree import feedback FILE"]))


def _where(run: dict[str, Any]) -> str:
    if run["undone_at"]:
        return "  (taken back)" if run["finished_at"] else "  (being taken back)"
    return f"  (at row {run['row_offset']:,}: the same file again goes on there)" if run["state"] == "running" else ""


def undo_import(
    run_id: RunId,
    as_json: AsJson = False,
) -> None:
    """Take out what an import brought in. Voices that were linked since stay."""
    client = connect()
    undone, removed = {"left": 1}, 0
    while undone["left"]:
        undone = client.delete(f"/products/{client.product}/feedback-imports/{run_id}")
        removed += undone["removed"]
    undone["removed"] = removed
    kept = f" {undone['kept']:,} stay: they are linked or changed." if undone["kept"] else ""
    show(undone, as_json, f"Voices that went out again: {undone['removed']:,}.{kept}")


def put_back(
    run_id: RunId,
    kind: Annotated[list[str] | None, typer.Option(help="email, phone, card, token or ip; all when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put the personal data that an import took out back into its voices, while it is open."""
    client = connect()
    done = client.post(f"/products/{client.product}/feedback-imports/{run_id}/put-back", {"kinds": kind or None})
    show(done, as_json, f"{done['pieces']:,} pieces are back where they stood.")


def close_import(run_id: RunId, as_json: AsJson = False) -> None:
    """Throw away what an import took out: it cannot be put back any more."""
    client = connect()
    run = client.post(f"/products/{client.product}/feedback-imports/{run_id}/close")
    show(run, as_json, "What was taken out is gone for good.")


def voice_settings(
    redact: Annotated[
        list[str] | None,
        typer.Option(help="Personal data to take out: email, phone, card, token, ip, or none; again for more."),
    ] = None,
    team: Annotated[
        list[str] | None, typer.Option(help="A domain, address or name of ours, or none; again for more.")
    ] = None,
    from_pages: Annotated[
        bool | None, typer.Option("--from-pages/--not-from-pages", help="Whether whytree.js may hand in feedback.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="Only from pages of this origin, or none for any; again for more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What is taken out of voices at the door, whose words are the team's own, and whether pages may hand in feedback."""
    client = connect()
    path = f"/products/{client.product}/feedback-settings"
    lists = (("redact", redact), ("team", team), ("page_origins", origin))
    said: dict[str, Any] = {name: [] if value == ["none"] else value for name, value in lists if value}
    if from_pages is not None:
        said["from_pages"] = from_pages
    told = client.put(path, said) if said else client.get(path)
    show(
        told,
        as_json,
        f"Taken out: {', '.join(told['redact']) or 'nothing'}.",
        f"Of the team: {', '.join(told['team']) or 'nobody named'}.",
        f"Feedback from pages: {', '.join(told['page_origins']) or 'any' if told['from_pages'] else 'off'}.",
    )
