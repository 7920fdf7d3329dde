"""`whytree demo`: the onboarding story in a folder of its own, what there is to find in it, and a tour."""

import json
import os
import shutil
import socket
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whytree.workspace.terminal import client
from whytree.workspace.terminal.printing import bars, print_json, say

if TYPE_CHECKING:
    from .folder import Folder
    from .loader import Progress

LINE = "app/signup/form.py:42"  # the line that the tour asks about
DEFAULT = Path(".demo")
MOST_COLUMNS = 100


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command()(demo)


def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after printing; start no server.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Tell the story anew, as of today.")] = False,
    data: Annotated[Path, typer.Option(help="The demo's own data folder.")] = DEFAULT,
    port: Annotated[
        int, typer.Option(help="Port to listen on, when not WHYTREE_PORT or 8787.", show_default=False)
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at Whytree with a story in it: a sign-up form whose friction nobody had validated.

    20,000 invented people, what they did and said in 60 days, and a team that found out why. Nothing of your own data
    is touched.
    """
    from whytree.workspace.background.lifecycle import shut_down

    from .folder import Folder

    folder = Folder(data)
    with folder.held():
        folder.move_in()
        if port:
            os.environ["WHYTREE_PORT"] = str(port)
        if folder.server and folder.state == "told" and not fresh:
            raise client.CommandError(
                f"The demo is running at {folder.server}. A link to sign in: whytree --data {data} sign-in"
            )
        if not no_serve:
            _need_port()
        if fresh or folder.state != "told":
            _tell(folder, quiet=as_json)
        told = _read_back(folder)
        if as_json:
            print_json(told)
        else:
            _show(folder, told, data, serves=not no_serve)
        shut_down()
    if not no_serve:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "whytree", "serve"])  # noqa: S606 - ourselves, as a server


def _need_port() -> None:
    """Say so before the story is told, not after it, when nobody could listen."""
    chosen = client.options()
    with socket.socket(socket.AF_INET6 if ":" in chosen.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            raise client.CommandError(
                f"Port {chosen.port} on {chosen.host} cannot be used: {error.strerror}. "
                f"Choose another: whytree demo --port {chosen.port % 65535 + 1}"
            ) from error


def _tell(folder: "Folder", *, quiet: bool) -> None:
    from dataclasses import asdict
    from datetime import UTC, datetime

    from .loader import load
    from .story import Calendar

    cut_off = folder.state == "half told"
    folder.clear()
    if cut_off and not quiet:
        say("The last telling was cut off; this is a new one.")
    calendar = Calendar.of(datetime.now(UTC))
    folder.begin(calendar.today)
    with _progress(quiet=quiet) as progress:
        loaded = load(folder.path, calendar, progress)
    folder.finish(asdict(loaded))


def _read_back(folder: "Folder") -> dict[str, Any]:
    """What there is to find, the screen of one line, and a link to sign in: all asked of the API."""
    from .report import found
    from .story import ANA, Calendar

    asking = client.connect()
    calendar = Calendar.of(folder.today)
    return {
        "folder": str(folder.path),
        "today": calendar.today.date().isoformat(),
        "loaded": folder.loaded,
        "found": found(asking, calendar),
        "why": json.loads(_why(folder.path / "sprout", as_json=True)),
        "why_screen": _why(folder.path / "sprout", as_json=False),
        "sign_in": _sign_in_link(ANA.email),
    }


def _why(clone: Path, *, as_json: bool) -> str:
    """`whytree why` as a person in the clone would call it."""
    from whytree.why.commands import why

    before, screen = Path.cwd(), StringIO()
    os.chdir(clone)
    try:
        with redirect_stdout(screen):
            why(LINE, tell="", as_json=as_json)
    finally:
        os.chdir(before)
    return screen.getvalue()


def _sign_in_link(email: str) -> str:
    """Works once, within half an hour: whoever can write the data folder may have one."""
    from whytree.workspace import services

    token = services.issue_sign_in_link(services.ensure_user(email=email))
    return f"{client.options().base_url}/sign-in/{token}"


def _show(folder: "Folder", told: dict[str, Any], data: Path, *, serves: bool) -> None:
    from .tour import command, tour

    say("\nWhat there is to find\n", bold=True)
    for sentence in told["found"]:
        say(_wrapped(sentence, "- "))
    say(f"\nwhytree why {LINE}\n", bold=True)
    say(told["why_screen"])
    say("A tour of five minutes\n", bold=True)
    for number, stop in enumerate(tour(client.options().base_url, data), 1):
        say(_wrapped(stop.words, f"{number}. "))
        for line in stop.then:
            say(f"       {line}")
    say("\nSign in as Ana, once, within 30 minutes:", bold=True)
    say(f"  {told['sign_in']}")
    if not serves:
        say(f"\nNothing is served yet: {command()} demo{'' if data == DEFAULT else f' --data {data}'}")
    _say_age(folder)


def _wrapped(text: str, sign: str) -> str:
    """A paragraph no wider than the terminal, nor than one reads."""
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    return textwrap.fill(text, width, initial_indent=f"  {sign}", subsequent_indent=" " * (2 + len(sign)))


def _say_age(folder: "Folder") -> None:
    from datetime import UTC, datetime

    days = (datetime.now(UTC) - folder.today).days
    if days:
        when = "yesterday" if days == 1 else f"{days} days ago"
        say(f"\nThis story was told {when}. Tell it as of today: whytree demo --fresh")


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Progress]":
    """Bars on a terminal; one line where nobody looks."""
    if quiet:
        yield lambda what, done, total: None
        return
    if not sys.stderr.isatty():
        say("Telling the story; that takes about a minute.", err=True)
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with bars(*columns, transient=False) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield show
