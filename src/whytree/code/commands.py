"""Repositories and tickets from the command line. Git runs here, where the clone is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import bars, print_json, say

from .delivery import commands as delivery
from .mirrors import commands as mirrors

if TYPE_CHECKING:
    from .scanning.reading import Found, Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Where = Annotated[Path, typer.Argument(help="Your clone.")]
NoLines = Annotated[bool, typer.Option("--no-lines", help="Read commits only; pages then cannot answer for a line.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("repository").command("add")(add_repository)
    group("repository").command("sync")(sync_repository)
    group("repository").command("list")(list_repositories)
    group("import").command("tickets")(import_tickets)
    group("ticket").command("sync")(sync_tickets)
    group("field").command("list")(list_fields)
    group("field").command("look")(look_at_fields)
    delivery.register(group)
    mirrors.register(group)


def add_repository(
    path: Where = Path(),
    name: Annotated[str, typer.Option(help="What to call it; the folder's name otherwise.")] = "",
    with_code: Annotated[
        bool, typer.Option("--with-code", help="Send whole files too, so that pages show any line of them.")
    ] = False,
    no_code: Annotated[bool, typer.Option("--no-code", help="Send no line of code at all.")] = False,
    no_lines: NoLines = False,
    as_json: AsJson = False,
) -> None:
    """Read a clone's history, so that its lines can say why.

    Commit ids, paths, messages and flag keys are sent, and the few lines that pages show: those of commits that lead
    to a node of the tree, and around flags; never half of a file. --no-code sends none, --with-code whole files.
    """
    if with_code and no_code:
        raise CommandError("--with-code sends files and --no-code sends none. Give one of them.")
    from whytree.engines.links.tickets import tracker_of_remote

    from .clone.git import open_clone
    from .scanning.telling import identity

    clone = open_clone(path)
    body = {
        "name": name or clone.root.name,
        "root_sha": identity(clone),
        "tracker": tracker_of_remote(clone.remote),
        "with_code": with_code,
        "with_hunks": not no_code,
    }
    client = connect()
    repository = client.post(f"/products/{client.product}/repositories", body)
    _read(client, clone, repository, lines=not no_lines, everything=False, as_json=as_json)


def sync_repository(
    path: Where = Path(),
    no_lines: NoLines = False,
    everything: Annotated[bool, typer.Option("--all", help="Send all commits again, not only new ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what is new in a registered clone."""
    from .clone.git import open_clone
    from .scanning.telling import find_registered

    clone = open_clone(path)
    client = connect()
    repository = find_registered(client, clone)
    if repository is None:
        raise CommandError(f"{clone.root.name} is not registered yet. Add it: whytree repository add {path}")
    _read(client, clone, repository, lines=not no_lines, everything=everything, as_json=as_json)


def list_repositories(as_json: AsJson = False) -> None:
    """Repositories that were read, and how far."""
    client = connect()
    repositories = client.get(f"/products/{client.product}/repositories")
    if as_json:
        print_json(repositories)
        return
    for one in repositories:
        read = (
            f"read {one['synced_at'][:16].replace('T', ' ')} at {one['head'][:7]}"
            if one["synced_at"]
            else "never read to its end"
        )
        say(f"{one['name']:24} {one['commits']:>8,} commits {one['files']:>7,} files  {read}")
    if not repositories:
        say(
            "None yet. Add your clone: whytree repository add PATH   (or a public address: whytree repository mirror URL)"
        )


def _read(
    client: Client, clone: Any, repository: dict[str, Any], *, lines: bool, everything: bool, as_json: bool
) -> None:
    from .scanning.reading_all import read_all

    with progress(quiet=as_json) as show:
        found = read_all(client, clone, repository, show, lines=lines, everything=everything)
    share = client.get(f"/products/{client.product}/why/share", repository=repository["name"])
    if as_json:
        print_json({**repository, **vars(found), "head": clone.head, "share": share})
        return
    for sentence in _sentences(repository["name"], found, share):
        say(sentence)


def read_clone(client: Client, clone: Any, repository: dict[str, Any], *, quiet: bool = False) -> "Found":
    """Tell the server of new commits and lines in a registered clone, with a bar where somebody looks."""
    from .scanning.reading import Reading

    with progress(quiet=quiet) as show:
        return Reading(client, clone, repository, show).run()


def _sentences(name: str, found: "Found", share: dict[str, Any]) -> Iterator[str]:
    new = (
        f"{found.commits:,} commits"
        if found.new_commits == found.commits
        else f"{found.new_commits:,} new of {found.commits:,} commits"
    )
    tickets = f", {found.new_tickets:,} tickets seen for the first time" if found.new_tickets else ""
    if not share["lines"]:
        yield f"{name}: {new}{tickets}; {share['linked_commits']:,} commits say what they are for."
    else:
        percent = 100 * share["explained_lines"] / share["lines"]
        yield (
            f"{name}: {new}{tickets}; {percent:.0f} % of {share['lines']:,} lines can say whom they are for "
            f"({_tally(share)})."
        )
    if found.kept_notes:
        reasons = "1 reason" if found.kept_notes == 1 else f"{found.kept_notes:,} reasons"
        yield f"{reasons} told elsewhere kept as git notes. Share them: git push origin refs/notes/whytree"
    yield from found.left_out
    if not share["linked_commits"]:
        yield "To explain a commit, write into its message: Why: SOL-1   (or start work with: whytree start TICKET)"


def _tally(share: dict[str, Any]) -> str:
    rules = [f"{rule} {lines:,}" for rule, lines in share["by_rule"].items()]
    return ", ".join(rules) or "no commit is linked yet"


@contextmanager
def progress(*, quiet: bool) -> "Iterator[Progress]":
    """A bar on the terminal; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, TextColumn

    columns = (TextColumn("{task.description:22}"), BarColumn(20), TextColumn("{task.fields[count]}"))
    with bars(*columns) as bar:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            for other, task in list(tasks.items()):
                if other != what and bar.tasks[task].total is None:  # what cannot be counted ends where the next begins
                    bar.update(task, completed=1, total=1)
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None, count="")
            count = f"{done:,} of {total:,}" if total else ""
            bar.update(tasks[what], completed=done, total=total or None, count=count)

        yield show


# Tickets ----------------------------------------------------------------------------------------------

Staff = Annotated[list[str], typer.Option("--staff", help="Handle of somebody of the team; as often as needed.")]


def import_tickets(
    file: Annotated[Path, typer.Argument(help="CSV, JSON or XLSX from GitHub, GitLab, Jira or Linear.")],
    tracker: Annotated[
        str, typer.Option(help="Whose numbers #12 are, as github.com/acme/sprout; else the only repository's.")
    ] = "",
    staff: Staff = [],  # noqa: B006  (typer wants a list)
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in titles, words and states of tickets from a tracker's export. Again changes only what changed there."""
    from .trackers.exported import TicketsFile
    from .trackers.telling import Telling, tell_file

    table = TicketsFile(file)
    telling = Telling(connect(), tracker=tracker, staff=staff, dry_run=dry_run)
    with progress(quiet=as_json) as show:
        told = tell_file(table, telling, show)
    if as_json:
        print_json(
            {
                **told.as_json(),
                "shape": table.shape,
                "columns": table.columns,
                "skipped": table.skipped,
                "dry_run": dry_run,
            }
        )
        return
    if table.shape:
        say(f"{file.name}: {table.shape}")
    else:
        say("Columns: " + ", ".join(f"{ours} from “{theirs}”" for ours, theirs in table.columns.items()))
    for sentence in told.sentences(table.skipped, dry_run=dry_run):
        say(sentence)


def sync_tickets(
    path: Where = Path(),
    token: Annotated[
        str,
        typer.Option(help="Token for the tracker; better in GITHUB_TOKEN or GITLAB_TOKEN, where no history keeps it."),
    ] = "",
    api: Annotated[
        str, typer.Option(help="Address of the API, as https://git.acme.com/api/v3 (GitLab: /api/v4).")
    ] = "",
    staff: Staff = [],  # noqa: B006  (typer wants a list)
    no_comments: Annotated[bool, typer.Option("--no-comments", help="Leave out what others wrote below.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Read everything again, not only what changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask GitHub or GitLab for what changed: issues, comments, merged pull requests.

    The token stays here: it is neither stored nor sent anywhere but to the tracker. Cut off, it goes on where it stopped.
    """
    from .clone.git import open_clone
    from .trackers.sync import find_tracker, read_tracker
    from .trackers.telling import many

    tracker = find_tracker(open_clone(path).remote, api=api, token=token)
    client = connect()
    with progress(quiet=as_json) as show:
        found = read_tracker(
            client, tracker, staff=staff, comments=not no_comments, everything=everything, progress=show
        )
    if as_json:
        print_json(found.as_json())
    else:
        say(f"{found.tracker}: asked {many(found.requests, 'time')}")
        for sentence in (*found.told.sentences(), *found.notes):
            say(sentence)
    if found.again_at:
        raise typer.Exit(1)


def import_file(client: Client, file: Path, show: "Progress" = lambda what, done, total: None) -> dict[str, Any]:
    """Send the tickets of an export; what became of them."""
    from .trackers.exported import TicketsFile
    from .trackers.telling import Telling, tell_file

    table = TicketsFile(file)
    told = tell_file(table, Telling(client), show)
    return {**told.as_json(), "shape": table.shape, "columns": table.columns, "file": file.name}


# Form fields ------------------------------------------------------------------------------------------

SHOWN_PLACES = 5


def list_fields(
    days: Annotated[int, typer.Option(help="How far back events are counted.")] = 90, as_json: AsJson = False
) -> None:
    """Form fields that events speak of: how long people take, and whether code reads what they type."""
    client = connect()
    fields = client.get(f"/products/{client.product}/form-fields", days=days)
    if as_json:
        print_json(fields)
        return
    for one in fields:
        say(f"{one['field']:24} {one['people']:>8,} people  {one['says']}")
    if not fields:
        say("No event speaks of a form field yet: send `field` and `seconds` with one (docs/code.md).")
    elif any(not one["verdict"] for one in fields):
        say("Whether code reads them: whytree field look, in your clone.")


def look_at_fields(
    names: Annotated[list[str] | None, typer.Argument(help="Fields to look for; those of events otherwise.")] = None,
    path: Annotated[Path, typer.Option(help="Your clone.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Where the code of your clone reads what people type into form fields, outside of the form.

    The answer is read, nobody or unsure: unsure wherever something could read it without naming it, which is listed.
    What was found is told to the server when the clone was added to it: whytree repository add.
    """
    from .clone.git import open_clone
    from .scanning.field_search import FieldSearch, field_names, send_fields, told
    from .scanning.telling import registered

    clone = open_clone(path)
    if not clone.head:
        raise CommandError(f"{clone.root} has no commit yet. Commit something, then look.")
    client = connect()
    wanted = names or field_names(client)
    search = FieldSearch(clone)
    found = search.run(wanted)
    repository = registered(client, clone)
    if repository is not None and found:
        send_fields(client, search.sha, found, repository)
    answers = [told(one) for one in found]
    if as_json:
        print_json({"commit": clone.head, "fields": answers, "repository": repository and repository["name"]})
        return
    for one in answers:
        say(f"{one['field']}: {one['verdict']}. {one['says']}")
        for word, kind in (("reads", "reads"), ("could read", "hides"), ("defined", "defined")):
            places = one[kind] if kind == "reads" or one["verdict"] != "read" else []
            for place in places[:SHOWN_PLACES]:
                say(f"  {word:10} {place['path']}:{place['line']}  {place['says']}")
            if len(places) > SHOWN_PLACES:
                say(f"  and {len(places) - SHOWN_PLACES:,} more; --json shows all")
    if not answers:
        say("No event speaks of a form field yet. Name one: whytree field look NAME")
    elif repository is None:
        say("Nobody was told: this clone was not added yet. Add it: whytree repository add .")
