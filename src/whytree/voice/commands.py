"""Voices from the command line: bring a file in, search, read, add, link."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whytree.workspace.client import Client, CommandError, connect
from whytree.workspace.commands import AsJson, show
from whytree.workspace.printing import bars, say

from .themes import commands as themes

if TYPE_CHECKING:
    from whytree.engines.tables import Row, RowError, Table


BATCH_ROWS = 1_000
BATCH_CHARACTERS = 1_500_000
"""A batch ends at whichever comes first; the server takes 2,000 rows and some megabytes at once."""

ERRORS_SHOWN = 20
COLUMN_HELP = "Column with {}; guessed when left out, - for none."


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("import").command("feedback")(import_feedback)
    group("feedback").command("add")(add_feedback)
    group("feedback").command("search")(search_feedback)
    group("feedback").command("show")(show_feedback)
    group("feedback").command("link")(link_feedback)
    group("feedback").command("unlink")(unlink_feedback)
    group("feedback").command("put-away")(put_away)
    group("feedback").command("imports")(list_imports)
    group("feedback").command("undo-import")(undo_import)
    themes.register(root, group)


# Import


def import_feedback(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, JSON, XLSX or Parquet; also .gz and .zst.")],
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
    source: Annotated[str, typer.Option(help="What to call this source; the file's name when left out.")] = "",
    kind: Annotated[str, typer.Option("--type", help="Kind of source, as review, support, survey.")] = "file",
    consent: Annotated[str, typer.Option(help="none, internal or quotable, for all rows.")] = "internal",
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help="How 03/04/2024 is to be read, when it is unclear.")
    ] = None,
    format: Annotated[
        str, typer.Option(help="csv, tsv, jsonl, json, parquet or xlsx, when it is not recognised.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and store none.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in what people said. The same file again brings nothing twice; an interrupted import goes on where it stopped."""
    chosen = {
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
    table = _open(file, format)
    mapping = _mapping(table, chosen)
    if not as_json:
        _tell_mapping(table, mapping)
    client = connect()
    begun = _begin(client, table, mapping, source or _source_name(file), kind, consent, day_first, dry_run)
    if begun["row_offset"] and not as_json:
        say(f"Going on after row {begun['row_offset']:,}, where the last import stopped.")
    run = _send(client, table, mapping, begun, consent, quiet=as_json)
    if as_json:
        show({"mapping": mapping, "dry_run": dry_run, **run}, True)
    else:
        _tell_result(run, dry_run)


def _open(file: Path, format: str) -> "Table":
    from whytree.engines.tables import UnreadableTable, open_table

    try:
        return open_table(file, format=format or None)
    except UnreadableTable as error:
        raise CommandError(str(error)) from error


def _mapping(table: "Table", chosen: dict[str, str]) -> dict[str, str]:
    """Our field -> their column: what the person said, then what can be guessed."""
    from whytree.engines.tables import guess_mapping

    from .columns import WANTED

    stated = {field: column for field, column in chosen.items() if column and column != "-"}
    for column in stated.values():
        if column not in table.columns:
            raise CommandError(f"There is no column “{column}”. {_columns(table)}")
    open_fields = {field: wanted for field, wanted in WANTED.items() if not chosen[field]}
    free = [column for column in table.columns if column not in stated.values()]
    mapping = stated | guess_mapping(free, table.sample, open_fields)
    if "text" not in mapping:
        raise CommandError(f"Which column holds what people said? Say --text COLUMN. {_columns(table)}")
    return {field: mapping[field] for field in WANTED if field in mapping}


def _columns(table: "Table") -> str:
    names = [f"“{column}”" for column in table.columns[:40]]
    return f"The columns are {', '.join(names)}{' …' if len(table.columns) > 40 else ''}."


def _tell_mapping(table: "Table", mapping: dict[str, str]) -> None:
    facts = [table.format, table.encoding, f"{len(table.columns)} columns"]
    say(f"{table.path.name}: {', '.join(fact for fact in facts if fact)}")
    for field, column in mapping.items():
        say(f"  {field:14} <- {column}")
    others = [column for column in table.columns if column not in mapping.values()]
    if others:
        say(f"  {'kept beside':14}    {', '.join(others[:12])}{' …' if len(others) > 12 else ''}")


def _source_name(file: Path) -> str:
    """`greenlight` for greenlight.csv.gz"""
    return file.name.split(".")[0] or file.name


def _begin(
    client: Client,
    table: "Table",
    mapping: dict[str, str],
    source: str,
    kind: str,
    consent: str,
    day_first: bool | None,
    dry_run: bool,
) -> dict[str, Any]:
    from whytree.engines.tables import guess_day_first

    if day_first is None and "said_at" in mapping:
        day_first = guess_day_first(row.get(mapping["said_at"]) for row in table.sample)
    facts = {
        "fingerprint": _fingerprint(table.path, mapping, source, kind, consent, day_first),
        "file_name": table.path.name,
        "source_type": kind,
        "source_id": source,
        "source_name": source,
        "mapping": mapping,
        "day_first": day_first,
        "dry_run": dry_run,
    }
    begun: dict[str, Any] = client.post(f"/products/{client.product}/feedback-imports", facts)
    return begun


def _fingerprint(path: Path, *how: Any) -> str:
    """The file's content and how it is read: another mapping of the same file is another import."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    digest.update(json.dumps(how, sort_keys=True).encode())
    return digest.hexdigest()


def _send(
    client: Client, table: "Table", mapping: dict[str, str], begun: dict[str, Any], consent: str, *, quiet: bool
) -> dict[str, Any]:
    """All rows that the server does not have yet, batch by batch; each batch is there for good once it is answered."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    path = f"/products/{client.product}/feedback-imports/{begun['id']}"
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with bars(*columns, quiet=quiet) as bar:
        task = bar.add_task("Reading", total=1.0)
        for batch in _batches(table, begun["row_offset"]):
            sent = client.post(f"{path}/rows", _as_rows(batch, mapping, consent))
            bar.update(task, completed=table.progress, description=f"{sent['rows']:,} rows")
    finished: dict[str, Any] = client.post(f"{path}/finish")
    return finished


def _batches(table: "Table", offset: int) -> "Iterator[list[Row | RowError]]":
    batch: list[Row | RowError] = []
    characters = 0
    for row in table:
        if row.row_number <= offset:
            continue
        batch.append(row)
        characters += _characters(row)
        if len(batch) >= BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _characters(row: "Row | RowError") -> int:
    from whytree.engines.tables import RowError

    if isinstance(row, RowError):
        return len(row.reason)
    return sum(len(part) for part in row.values.values() if isinstance(part, str))


def _as_rows(batch: "list[Row | RowError]", mapping: dict[str, str], consent: str) -> dict[str, Any]:
    from whytree.engines.tables import RowError

    rows, errors = [], []
    for row in batch:
        if isinstance(row, RowError):
            errors.append({"row": row.row_number, "reason": row.reason})
        else:
            rows.append((row.row_number, _values(row.values, mapping, consent)))
    return {"rows": rows, "errors": errors, "upto": batch[-1].row_number}


def _values(row: dict[str, Any], mapping: dict[str, str], consent: str) -> dict[str, Any]:
    values = {field: _plain(row.get(column)) for field, column in mapping.items()}
    taken = set(mapping.values())
    others = {column: _plain(value) for column, value in row.items() if column not in taken and value not in (None, "")}
    return {
        **{field: value for field, value in values.items() if value not in (None, "")},
        "metadata": others,
        "consent": consent,
    }


def _plain(value: Any) -> Any:
    """What JSON can carry: spreadsheets and Parquet hold dates, decimals and more."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str | int | float | bool | list | dict) or value is None:
        return value
    return str(value)


def _tell_result(run: dict[str, Any], dry_run: bool) -> None:
    known = run["skipped"]
    if run["rows"] and known + run["empty"] == run["rows"]:
        say(f"Nothing new: all {run['rows']:,} rows are known already.")
    else:
        verb = "would be " if dry_run else ""
        say(
            f"{run['rows']:,} rows: {run['created']:,} {verb}new, {run['updated']:,} {verb}changed, "
            f"{known:,} known already, {run['empty']:,} without a word, {run['broken']:,} broken."
        )
    if run["broken"]:
        say("Left out:")
        for error in run["errors"][:ERRORS_SHOWN]:
            say(f"  row {error['row']}: {error['reason']}")
        if run["broken"] > ERRORS_SHOWN:
            say(f"  and {run['broken'] - ERRORS_SHOWN:,} more; --json lists the first 500.")
    if dry_run:
        say("Nothing was stored. Leave out --dry-run to import.")


# One by one


def add_feedback(
    text: Annotated[str, typer.Argument(help="What was said, in their own words.")],
    author: Annotated[str, typer.Option(help="Who said it.")] = "",
    email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
    person: Annotated[str, typer.Option(help="The id their events come under.")] = "",
    said_at: Annotated[str, typer.Option(help="When; now when left out.")] = "",
    rating: Annotated[str, typer.Option(help="A number, when they gave one.")] = "",
    source: Annotated[str, typer.Option(help="Where you heard it.")] = "told us",
    url: Annotated[str, typer.Option(help="A link to it.")] = "",
    consent: Annotated[str, typer.Option(help="none, internal or quotable.")] = "internal",
    as_json: AsJson = False,
) -> None:
    """Pass on what somebody told you. They are the author, you are the reporter."""
    client = connect()
    said = {
        "text": text,
        "author_name": author,
        "author_email": email,
        "person": person,
        "said_at": said_at,
        "rating": rating,
        "url": url,
    }
    item = client.post(
        f"/products/{client.product}/feedback",
        {
            **{name: value for name, value in said.items() if value},
            "consent": consent,
            "source_type": "heard",
            "source_name": source,
            "heard": True,
        },
    )
    show(item, as_json, f"{item['ref']} waits for a reader.")


def search_feedback(
    words: Annotated[
        list[str] | None, typer.Argument(help='Words; "in quotes" as a phrase, -without this one.')
    ] = None,
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    rating: Annotated[int | None, typer.Option(help="Only with this rating.")] = None,
    state: Annotated[str, typer.Option(help="waiting, linked, away or all.")] = "all",
    limit: Annotated[int, typer.Option(help="How many, 200 at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find voices by their words, the best match first; without words, the newest."""
    client = connect()
    found = client.get(
        f"/products/{client.product}/feedback",
        q=" ".join(words or []),
        source=source,
        rating=rating,
        state=state,
        limit=limit,
    )
    if not found["items"]:
        show(found, as_json, "Nothing found. Try fewer words, or the beginning of one: refund finds refunded.")
        return
    show(found, as_json, *(line for item in found["items"] for line in _lines(item)))


def _lines(item: dict[str, Any]) -> list[str]:
    rating = f"  {item['rating']:g}★" if item["rating"] is not None else ""
    head = f"{item['ref']:9} {item['said_at'][:10]}  {item['source_name'] or item['source_type']}{rating}"
    links = "".join(f"  -> {link['opportunity']}" for link in item["links"])
    return [f"{head}{links}", f"          {_cut(' '.join(_marked(item).split()))}"]


def _cut(text: str, width: int = 160) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _marked(item: dict[str, Any]) -> str:
    """The text from a little before its first match on."""
    text, matches = str(item["text"]), item["matches"]
    start = max(0, matches[0][0] - 40) if matches else 0
    return ("… " if start else "") + text[start:]


def show_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    as_json: AsJson = False,
) -> None:
    """One voice in full, with what it is linked to."""
    client = connect()
    item = client.get(f"/products/{client.product}/feedback/{ref}")
    who = item["author_name"] or item["person"] or "anonymous"
    links = [f"  {link['opportunity']} {link['title']} (importance {link['importance']})" for link in item["links"]]
    show(item, as_json, f"{item['ref']}  {who}, {item['said_at'][:16]}", "", item["text"], "", *links)


def link_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    opportunity: Annotated[str, typer.Argument(help="As OPP-3.")],
    quote: Annotated[str, typer.Option(help="The words that matter; the whole text when left out.")] = "",
    importance: Annotated[int, typer.Option(help="0 not important, 1 nice to have, 2 important, 3 critical.")] = 1,
    as_json: AsJson = False,
) -> None:
    """These words speak for this opportunity. Once more replaces what was linked before."""
    client = connect()
    item = client.post(
        f"/products/{client.product}/feedback/{ref}/links",
        {"opportunity": opportunity, "quote": quote, "importance": importance},
    )
    show(item, as_json, f"{item['ref']} speaks for {opportunity.upper()} now.")


def unlink_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    opportunity: Annotated[str, typer.Argument(help="As OPP-3.")],
    as_json: AsJson = False,
) -> None:
    """Take a link off; the highlight stays."""
    client = connect()
    item = client.delete(f"/products/{client.product}/feedback/{ref}/links/{opportunity}")
    show(item, as_json, f"{item['ref']} speaks for {opportunity.upper()} no longer.")


def put_away(ref: Annotated[str, typer.Argument(help="As FB-12.")], as_json: AsJson = False) -> None:
    """Read, and nothing to link."""
    client = connect()
    item = client.post(f"/products/{client.product}/feedback/{ref}/put-away")
    show(item, as_json, f"{item['ref']} is put away.")


def list_imports(as_json: AsJson = False) -> None:
    """The latest imports."""
    client = connect()
    runs = client.get(f"/products/{client.product}/feedback-imports")
    lines = [
        f"{run['id']:>4}  {run['started_at'][:16]}  {run['state']:9}  {run['created']:,} new of {run['rows']:,}  "
        f"{run['file_name']}{'  (taken back)' if run['undone_at'] else ''}"
        for run in runs
    ]
    show(runs, as_json, *(lines or ["No import yet: whytree import feedback FILE"]))


def undo_import(
    run_id: Annotated[int, typer.Argument(help="Its number in `whytree feedback imports`.")], as_json: AsJson = False
) -> None:
    """Take out what an import brought in. Voices that were linked since stay."""
    client = connect()
    undone = client.delete(f"/products/{client.product}/feedback-imports/{run_id}")
    kept = f" {undone['kept']:,} stay: they are linked or changed." if undone["kept"] else ""
    show(undone, as_json, f"{undone['removed']:,} voices are out again.{kept}")
